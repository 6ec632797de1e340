# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Debian packages: which, in which version, fetched, unpacked, installed.

apt resolves the userland against an empty system, so the closure holds
everything, whatever this machine has installed.  The outcome is a *set*: a
directory named by the hash of all file names (which carry the versions).
"""

import fcntl
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

from . import config, ui
from .ui import RigError

KERNELS = ("6.1", "6.12")
# dom0's only: built here (debugkernel.py), not fetched.
DOM0_KERNELS = KERNELS + ("debug",)


def _apt_cache(*args):
    return subprocess.run(["apt-cache", *args], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True,
                          check=False).stdout


def _kernel_packages():
    """The newest image package of either kernel."""
    found = {}
    for line in _apt_cache("depends", "linux-image-amd64").splitlines():
        match = re.search(r"Depends: (linux-image-6\.1\.\S+)", line)
        if match:
            found["6.1"] = match.group(1)
    newest = 0
    for name in _apt_cache("pkgnames", "linux-image-6.12.").split():
        match = re.fullmatch(r"linux-image-6\.12\.(\d+)\+deb12-amd64", name)
        if match and int(match.group(1)) > newest:
            newest = int(match.group(1))
            found["6.12"] = name
    return found


def refresh_lists():
    if os.geteuid():
        raise RigError("apt's package lists are absent or too old",
                       "run `apt-get update` as root, then again")
    ui.step("apt-get update")
    ui.command(["apt-get", "-q", "update"], "apt-get update",
               "check the machine's /etc/apt/sources.list and network")


def _resolve(cache, names, tmp):
    """apt's answer for an empty system: [(url, file, size)]."""
    status = os.path.join(tmp, "status")
    open(status, "w", encoding="ascii").close()
    base = ["apt-get", "-q", "-y", "-o", f"Dir::State::status={status}",
            "-o", f"Dir::Cache::archives={cache}/debs",
            "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
            "-o", "APT::Install-Recommends=0", "-o", "Debug::NoLocking=1",
            "-o", "APT::Keep-Downloaded-Packages=1",
            "-o", "APT::Sandbox::User=root",
            "install", "--print-uris", *names]
    # A full list wants an archive directory with nothing in it.
    empty = os.path.join(tmp, "archives")
    os.makedirs(os.path.join(empty, "partial"))
    query = list(base)
    query[query.index(f"Dir::Cache::archives={cache}/debs")] = \
        f"Dir::Cache::archives={empty}"
    out = ui.command(query, "resolving packages",
                     "run `apt-get update`; the rig needs Debian 12's main "
                     "and security suites")
    files = []
    for line in out.splitlines():
        match = re.match(r"'(\S+)' (\S+\.deb) (\d+)", line)
        if match:
            files.append((match.group(1), match.group(2), int(match.group(3))))
    base.remove("--print-uris")
    base.insert(1, "-d")
    return files, base


def install_on_host(wanted):
    missing = []
    for name in wanted:
        pkg, _, version = name.partition("=")
        out = subprocess.run(
            ["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Version}", pkg],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            check=False).stdout
        if not out.startswith("ii") or (version and out.split()[-1] != version):
            missing.append(name)
    if not missing:
        return
    if os.geteuid():
        raise RigError("not installed here: " + " ".join(missing),
                       "as root: apt-get install --no-install-recommends "
                       + " ".join(missing))
    ui.step("installing " + " ".join(missing))
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    ui.command(["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=600",
                "--no-install-recommends", "install",
                *missing], "installing the host's packages",
               "run `apt-get update`, then again", env=env)


def _deb_name(path):
    return os.path.basename(path).split("_")[0]


def _deb_version(path):
    return os.path.basename(path).split("_")[1].replace("%3a", ":")


def _untar(deb, dest, *members):
    """Unpack a package below dest, through symbolic links to directories."""
    dpkg = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb],
                            stdout=subprocess.PIPE)
    tar = subprocess.run(["tar", "-x", "--keep-directory-symlink",
                          "--no-same-owner", "-C", dest, *members],
                         stdin=dpkg.stdout, stderr=subprocess.PIPE, text=True,
                         check=False)
    dpkg.stdout.close()
    if tar.returncode:
        dpkg.wait()
        raise RigError(f"unpacking {os.path.basename(deb)}: {tar.stderr[-400:]}",
                       "is the disk full? (df)")
    if dpkg.wait() and not members:
        raise RigError(f"unpacking {os.path.basename(deb)} failed",
                       f"delete {deb} and run again")


def _vmlinux(bzimage, out):
    """The kernel inside a bzImage, once here instead of at each boot."""
    with open(bzimage, "rb") as file:
        data = file.read()
    # Documentation/arch/x86/boot.rst: setup_sects, payload_offset, _length
    start = (data[0x1f1] + 1) * 512 + int.from_bytes(data[0x248:0x24c], "little")
    payload = data[start:start + int.from_bytes(data[0x24c:0x250], "little")]
    for magic, tool in ((b"\x28\xb5\x2f\xfd", "zstd"),
                        (b"\xfd7zXZ", "xz"), (b"\x1f\x8b", "gzip")):
        if payload.startswith(magic):
            break
    else:
        raise RigError(f"{bzimage}: compressed in an unknown way")
    if tool != "gzip":
        payload = payload[:-4]          # its unpacked length follows
    with open(out, "wb") as file:
        done = subprocess.run([tool, "-dc"], input=payload, stdout=file,
                              stderr=subprocess.PIPE, check=False)
    with open(out, "rb") as file:
        if file.read(4) != b"\x7fELF" or (tool != "gzip" and done.returncode):
            raise RigError(f"{bzimage}: {tool} does not unpack it")


def _unpack_kernel(deb, dest, short):
    os.makedirs(dest)
    _untar(deb, dest, "./boot", "./lib/modules")
    versions = os.listdir(os.path.join(dest, "lib", "modules"))
    if len(versions) != 1:
        raise RigError(f"{os.path.basename(deb)}: modules of {versions}?")
    version = versions[0]
    os.rename(glob.glob(os.path.join(dest, "boot", "vmlinuz-*"))[0],
              os.path.join(dest, "vmlinuz"))
    _vmlinux(os.path.join(dest, "vmlinuz"), os.path.join(dest, "vmlinux"))
    ui.command(["depmod", "-b", dest, version], f"depmod for {version}")
    return {"short": short, "version": version, "package": _deb_name(deb),
            "package_version": _deb_version(deb)}


def _unpack(cache, key, debs, kernels):
    """Build the set aside, then move it to its name."""
    final = os.path.join(cache, "sets", key)
    os.makedirs(os.path.dirname(final), exist_ok=True)
    tmp = tempfile.mkdtemp(prefix=f".{key}.", dir=os.path.dirname(final))
    os.chmod(tmp, 0o755)
    try:
        root = os.path.join(tmp, "root")
        for name in ("bin", "sbin", "lib", "lib64"):
            os.makedirs(os.path.join(root, "usr", name))
            os.symlink(f"usr/{name}", os.path.join(root, name))
        owners, manifest = {}, {"kernels": {}, "debs": sorted(debs)}
        byname = {_deb_name(d): os.path.join(cache, "debs", d) for d in debs}
        for name, deb in sorted(byname.items()):
            if name.startswith("linux-image"):
                continue
            ui.live(f"unpacking {name}")
            _untar(deb, root)
            listing = ui.command(["dpkg-deb", "-c", deb], "reading " + name)
            owners[name] = [ln.split(None, 5)[5].split(" -> ")[0]
                            .split(" link to ")[0].lstrip("./")
                            for ln in listing.splitlines()
                            if not ln.startswith("d")]
        for short, name in kernels.items():
            ui.live(f"unpacking {name}")
            manifest["kernels"][short] = _unpack_kernel(
                byname[name], os.path.join(tmp, "kernel-" + short), short)
        xen = os.path.join(root, "boot", f"xen-{config.XEN_BRANCH}-amd64.gz")
        with open(os.path.join(tmp, "xen"), "wb") as out:
            subprocess.run(["gzip", "-dc", xen], stdout=out, check=True)
        manifest["xen"] = _deb_version(
            byname[f"xen-hypervisor-{config.XEN_BRANCH}-amd64"])
        manifest["owners"] = owners
        with open(os.path.join(tmp, "manifest.json"), "w",
                  encoding="utf-8") as out:
            json.dump(manifest, out, indent=1)
        try:
            os.rename(tmp, final)
        except OSError:
            if not os.path.exists(os.path.join(final, "manifest.json")):
                raise
            shutil.rmtree(tmp)      # somebody else was quicker
    except BaseException:
        shutil.rmtree(tmp, ignore_errors=True)
        raise
    return final


def need_space(path, mib):
    free = shutil.disk_usage(path).free >> 20
    if free < mib:
        raise RigError(f"{path}: {free} MiB free, {mib} MiB needed",
                       "free some space, or set XENVIF_CACHE to another place")


class Lock:
    """An flock in the cache: two rigs do not build one thing at once."""

    def __init__(self, name):
        self.path = os.path.join(config.cache_dir(), f".lock-{name}")

    def __enter__(self):
        self.file = open(self.path, "w", encoding="ascii")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            ui.step("waiting for another rig that is preparing the same thing")
            fcntl.flock(self.file, fcntl.LOCK_EX)
        return self

    def __exit__(self, *exc):
        self.file.close()


def fetch():
    """Bring everything to the newest the lists know; returns the set."""
    with Lock("packages"):
        return _fetch()


def _fetch():
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise RigError("apt-get and dpkg-deb are needed",
                       "the rig is made of Debian 12's packages: run it there")
    cache = config.cache_dir()
    os.makedirs(os.path.join(cache, "debs", "partial"), exist_ok=True)
    kernels = _kernel_packages()
    if set(kernels) != set(KERNELS):
        refresh_lists()
        kernels = _kernel_packages()
    absent = set(KERNELS) - set(kernels)
    if absent:
        raise RigError("no kernel package for " + ", ".join(sorted(absent)),
                       "the rig needs Debian 12's main and security suites "
                       "in apt's sources")
    names = config.USER_PACKAGES + config.XEN_PACKAGES + list(kernels.values())
    with tempfile.TemporaryDirectory() as tmp:
        ui.live("resolving packages")
        try:
            files, download = _resolve(cache, names, tmp)
        except RigError:
            shutil.rmtree(os.path.join(tmp, "archives"), ignore_errors=True)
            refresh_lists()
            files, download = _resolve(cache, names, tmp)
        absent = [f for _, f, size in files if not _present(cache, f, size)]
        if absent:
            need_space(cache, 2500)
            ui.step(f"downloading {len(absent)} packages")
            try:
                ui.command(download, "downloading")
            except RigError:
                # A list that is a few days old names files that are gone.
                refresh_lists()
                shutil.rmtree(os.path.join(tmp, "archives"),
                              ignore_errors=True)
                files, download = _resolve(cache, names, tmp)
                ui.command(download, "downloading packages",
                           "check the network and `apt-get update`")
    debs = [f for _, f, _ in files]
    versions = {_deb_name(f): _deb_version(f) for f in debs}
    headers = [name.replace("linux-image-", "linux-headers-")
               + "=" + versions[name] for name in kernels.values()]
    install_on_host(config.HOST_PACKAGES + headers)
    key = hashlib.sha256("\n".join(sorted(debs) + [config.RECIPE])
                         .encode()).hexdigest()[:16]
    final = os.path.join(cache, "sets", key)
    if not os.path.exists(os.path.join(final, "manifest.json")):
        need_space(cache, 2500)
        ui.step(f"unpacking {len(debs)} packages")
        _unpack(cache, key, debs, kernels)
    tmp = os.path.join(cache, f".current.{os.getpid()}")
    with open(tmp, "w", encoding="ascii") as out:
        out.write(key + "\n")
    os.rename(tmp, os.path.join(cache, "current"))
    _expire(cache, key)
    return Set(final)


def _expire(cache, key):
    """Sets nobody took for a day, and the packages only they were made of."""
    place = os.path.join(cache, "sets")
    os.utime(os.path.join(place, key))
    for name in os.listdir(place):
        path = os.path.join(place, name)
        if name != key and time.time() - os.path.getmtime(path) > 86400:
            shutil.rmtree(path, ignore_errors=True)
    kept = set()
    for name in os.listdir(place):
        try:
            kept.update(Set(os.path.join(place, name)).manifest["debs"])
        except (OSError, ValueError):
            return          # being made just now
    for path in glob.glob(os.path.join(cache, "debs", "*.deb")):
        if os.path.basename(path) not in kept:
            os.unlink(path)


def _present(cache, name, size):
    try:
        return os.path.getsize(os.path.join(cache, "debs", name)) == size
    except OSError:
        return False


class Set:
    """An unpacked set of packages."""

    def __init__(self, path):
        self.path = path
        self.key = os.path.basename(path)
        with open(os.path.join(path, "manifest.json"),
                  encoding="utf-8") as file:
            self.manifest = json.load(file)
        self.root = os.path.join(path, "root")
        self.xen = os.path.join(path, "xen")
        self.owners = self.manifest["owners"]

    def kernel(self, short):
        if short not in KERNELS:
            from . import debugkernel   # it builds on this file
            return debugkernel.kernel()
        info = dict(self.manifest["kernels"][short])
        info["dir"] = os.path.join(self.path, "kernel-" + short)
        info["vmlinux"] = os.path.join(info["dir"], "vmlinux")
        return info


def current():
    """The set in use; fetched if there is none (or something is missing)."""
    try:
        with open(os.path.join(config.cache_dir(), "current"),
                  encoding="ascii") as file:
            found = Set(os.path.join(config.cache_dir(), "sets",
                                     file.read().strip()))
    except (OSError, ValueError):
        return fetch()
    if not shutil.which("qemu-system-x86_64"):
        return fetch()
    for short in KERNELS:
        info = found.kernel(short)
        if not os.path.isdir(f"/lib/modules/{info['version']}/build") or \
                not os.path.exists(info["vmlinux"]):
            return fetch()
    return found
