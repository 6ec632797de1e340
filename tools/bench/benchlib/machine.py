# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Builds what goes into dom0, and runs a script there through the rig."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

BENCH = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
TOP = os.path.realpath(os.path.join(BENCH, "..", ".."))
RIG = os.path.join(TOP, "tools", "testing", "rig")
sys.path.insert(0, RIG)
from riglib import config, module, packages, ui    # noqa: E402


class Failed(Exception):
    """What stops a run; the text is for the person."""


def cache(*parts):
    path = os.path.join(config.cache_dir(), "bench", *parts)
    os.makedirs(path, exist_ok=True)
    return path


def _command(argv, what):
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise Failed(f"{what}:\n{done.stdout[-3000:]}")
    return done.stdout


def _key(*paths):
    total = hashlib.sha256()
    for path in sorted(paths):
        with open(path, "rb") as file:
            total.update(file.read())
    return total.hexdigest()[:12]


def programs():
    """A directory with domcpu and xserve."""
    src = os.path.join(BENCH, "src")
    names = [os.path.join(src, n) for n in os.listdir(src)]
    place = cache("bin-" + _key(*names))
    for name, more in (("domcpu", ["-lxenctrl"]), ("xserve", ["-static"])):
        out = os.path.join(place, name)
        if not os.path.exists(out):
            tmp = f"{out}.{os.getpid()}"
            _command(["gcc", "-O2", "-Wall", "-Wextra", "-Werror",
                      "-D_GNU_SOURCE", "-o", tmp,
                      os.path.join(src, name + ".c"), *more],
                     f"building {name} (libxen-dev is needed)")
            os.rename(tmp, out)
    return place


def kernel(short):
    return packages.current().kernel(short)


def floor_module(short):
    """Our module that does bare grant copies, built for dom0's kernel."""
    version = kernel(short)["version"]
    src = os.path.join(BENCH, "floor")
    names = [os.path.join(src, n) for n in ("Makefile", "grantfloor.c")]
    place = cache(f"floor-{version}-{_key(*names)}")
    out = os.path.join(place, "grantfloor.ko")
    if not os.path.exists(out):
        for name in names:
            with open(name, "rb") as one, open(os.path.join(
                    place, os.path.basename(name)), "wb") as two:
                two.write(one.read())
        _command(["make", "-C", f"/lib/modules/{version}/build",
                  f"M={place}", "modules"], "building grantfloor")
    return out


def tries(short, texts):
    """What `bench --try NAME=DIR` needs in dom0: DIR's driver, built."""
    files = []
    for text in texts:
        name, _, top = text.partition("=")
        if not name.isidentifier() or name in ("ours", "distro") or not top:
            raise Failed(f"--try {text}: it is NAME=DIR")
        try:
            ko = module.build(kernel(short), os.path.abspath(top))
        except ui.RigError as exc:
            raise Failed(f"--try {text}: {exc}") from exc
        files.append((ko, f"/bench/ko/{name}.ko"))
    return files


def kernel_file(short, path):
    """A module of the distribution's that dom0's image does not hold."""
    info = kernel(short)
    src = os.path.join(info["dir"], "lib", "modules", info["version"],
                       "kernel", path)
    place = cache("modules-" + info["version"])
    out = os.path.join(place, os.path.basename(path))
    if not os.path.exists(out):
        for end in ("", ".xz"):
            if os.path.exists(src + end):
                data = _unpacked(src + end)
                tmp = f"{out}.{os.getpid()}"
                with open(tmp, "wb") as file:
                    file.write(data)
                os.rename(tmp, out)
                break
        else:
            raise Failed(f"kernel {info['version']} has no {path}")
    return out


def _unpacked(path):
    if path.endswith(".xz"):
        return subprocess.run(["xz", "-dc", path], stdout=subprocess.PIPE,
                              check=True).stdout
    with open(path, "rb") as file:
        return file.read()


def commit():
    def git(*args):
        return subprocess.run(["git", "-C", TOP, *args], text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL,
                              check=False).stdout.strip()
    text = git("rev-parse", "--short=12", "HEAD") or "unknown"
    # the driver's own files, not what others do beside it
    if git("status", "--porcelain", "--untracked-files=no", "--", "*.c",
           "*.h", "compat", "Makefile", ":!tools"):
        text += "+changes"
    return text


def run(script, env, mode="icount", dom0="6.12", netback="both", files=(),
        rig_args=(), timeout=3000, say=True, name="bench",
        out_dir=None):
    """Runs dom0/SCRIPT; returns (what it wrote to /host/out, by name)."""
    argv = [sys.executable, os.path.join(RIG, "rig"), "run",
            "--mode", mode, "--dom0", dom0, "--guest", env.get("GUEST", dom0),
            "--netback", netback, "--no-modprobe", "--timeout", str(timeout),
            "--name", name, "--bin-dir", programs(), "--quiet-tail",
            "--file", os.path.join(BENCH, "dom0") + ":/bench"]
    for pair in files:
        argv += ["--file", ":".join(pair)]
    for key, value in env.items():
        argv += ["--env", f"{key}={value}"]
    # Wall time wants the machine for itself; in the deterministic mode others do
    # not disturb the figures.
    lock = open(os.path.join(cache(), "lock"), "w", encoding="ascii")
    fcntl.flock(lock, fcntl.LOCK_SH if mode == "icount" else fcntl.LOCK_EX)
    with tempfile.TemporaryDirectory(prefix="bench.") as keep:
        argv += ["--keep-logs", keep, *rig_args, "--",
                 os.path.join(BENCH, "dom0", script)]
        done = subprocess.run(argv, check=False,
                              stdout=None if say else subprocess.PIPE,
                              stderr=None if say else subprocess.STDOUT)
        out = {}
        place = os.path.join(keep, "out")
        for entry in os.listdir(place) if os.path.isdir(place) else ():
            full = os.path.join(place, entry)
            if out_dir:
                shutil.copy2(full, out_dir)
            if os.path.isfile(full) and not entry.endswith(".perf"):
                with open(full, encoding="utf-8", errors="replace") as file:
                    out[entry] = file.read()
    lock.close()
    if done.returncode and "raw" not in out:
        if done.stdout:
            sys.stderr.buffer.write(done.stdout[-3000:])
        raise Failed(f"the rig's run of {script} failed: {done.returncode}")
    return done.returncode, out
