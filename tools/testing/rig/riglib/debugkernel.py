# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""dom0's kernel with the detectors on, built from Debian's source package.

A build is a directory of the cache named by what went into it: debug.config,
debug.patch, the package's version and the compiler's. One that was interrupted
goes on where it stopped. It takes half an hour on two processors, a few minutes
where ccache knows most of it.
"""

import hashlib
import os
import re
import shutil
import subprocess
import time

from . import config, packages, ui
from .ui import RigError

SHORT = "debug"
PACKAGE = "linux-source-6.12"
CONFIG = os.path.join(config.RIG_DIR, "debug.config")
PATCH = os.path.join(config.RIG_DIR, "debug.patch")
HOST_PACKAGES = ["gcc", "make", "flex", "bison", "bc", "libelf-dev",
                 "libssl-dev", "ccache", "xz-utils", "patch"]
# No more often than this is the package's version asked for.
FRESH = 86400


def _place():
    return os.path.join(config.cache_dir(), "debug-kernel")


def _package_version():
    """The version that apt would take."""
    for refresh in (False, True):
        if refresh:
            packages.refresh_lists()
        out = subprocess.run(["apt-cache", "policy", PACKAGE],
                             stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.DEVNULL, check=False).stdout
        match = re.search(r"Candidate: (\d\S*)", out)
        if match:
            return match.group(1)
    raise RigError(f"no package {PACKAGE}",
                   "the debug kernel needs Debian 12's security suite in "
                   "apt's sources")


def _key(version):
    gcc = ui.command(["gcc", "-dumpfullversion"], "asking gcc's version")
    with open(CONFIG, "rb") as one, open(PATCH, "rb") as two:
        text = one.read() + two.read()
    return hashlib.sha256(text + version.encode() + gcc.encode()
                          ).hexdigest()[:12]


def _fetch(work, version):
    """The source, unpacked and patched, in work/source."""
    source = os.path.join(work, "source")
    if os.path.exists(os.path.join(work, "source.done")):
        return source
    packages.need_space(work, 6000)
    shutil.rmtree(source, ignore_errors=True)
    ui.step(f"fetching {PACKAGE} {version}")
    ui.command(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download",
                f"{PACKAGE}={version}"], "downloading " + PACKAGE,
               "check the network and `apt-get update`", cwd=work)
    deb = [n for n in os.listdir(work) if n.endswith(".deb")][0]
    os.makedirs(source)
    ui.live("unpacking " + deb)
    ui.command(["sh", "-c", f"dpkg-deb --fsys-tarfile {deb} | "
                f"tar -xO ./usr/src/{PACKAGE}.tar.xz | xz -dc | "
                "tar -x --strip-components=1 -C source"],
               "unpacking " + deb, "is the disk full? (df)", cwd=work)
    ui.command(["patch", "-s", "-p1", "-d", source, "-i", PATCH],
               "debug.patch", "make it fit the new version of the source")
    os.unlink(os.path.join(work, deb))
    open(os.path.join(work, "source.done"), "w", encoding="ascii").close()
    return source


def _check_config(build):
    """Every line of debug.config took."""
    with open(os.path.join(build, ".config"), encoding="utf-8") as file:
        have = dict(line.rstrip("\n").split("=", 1) for line in file
                    if line.startswith("CONFIG_"))
    with open(CONFIG, encoding="utf-8") as file:
        wanted = [line.rstrip("\n").split("=", 1) for line in file
                  if line.startswith("CONFIG_")]
    lost = [f"{key}={value} (is {have.get(key, 'n')})" for key, value in wanted
            if have.get(key, "n") != value]
    if lost:
        raise RigError("debug.config: did not take: " + ", ".join(lost),
                       "a dependency is missing from it")


def _make(work, source, *targets, env=None):
    """make's output goes to work/build.log: it is long."""
    argv = ["nice", "-n", "15", "make", "-C", source,
            "O=" + os.path.join(work, "build"), *targets]
    log = os.path.join(work, "build.log")
    with open(log, "a", encoding="utf-8") as out:
        done = subprocess.run(argv, stdout=out, stderr=out, env=env,
                              stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        with open(log, encoding="utf-8", errors="replace") as text:
            tail = "".join(text.readlines()[-15:])
        raise RigError(f"building the debug kernel: {targets[0]}\n{tail}",
                       f"all of it: {log}")


def _build(work, version):
    source = _fetch(work, version)
    build = os.path.join(work, "build")
    os.makedirs(build, exist_ok=True)
    env = dict(os.environ, KCONFIG_ALLCONFIG=CONFIG,
               KBUILD_BUILD_TIMESTAMP="Mon Jan  1 00:00:00 UTC 2024",
               KBUILD_BUILD_USER="rig", KBUILD_BUILD_HOST="rig",
               CCACHE_DIR=os.path.join(_place(), "ccache"),
               CCACHE_MAXSIZE="2G", CCACHE_BASEDIR=work,
               CCACHE_SLOPPINESS="include_file_mtime,include_file_ctime,"
                                 "time_macros")
    ui.step("building the debug kernel; its output: "
            + os.path.join(work, "build.log"))
    _make(work, source, "allnoconfig", env=env)
    _check_config(build)
    _make(work, source, f"-j{os.cpu_count() or 1}", "CC=ccache gcc",
          "vmlinux", "modules", env=env)
    tree = os.path.join(work, "tree")
    shutil.rmtree(tree, ignore_errors=True)
    _make(work, source, "INSTALL_MOD_PATH=" + tree, "modules_install",
          env=env)
    ui.command(["objcopy", "-S", "-R", ".comment",
                os.path.join(build, "vmlinux"),
                os.path.join(tree, "vmlinux")], "stripping vmlinux")
    # No build of a module needs these; they are most of it.
    for place, _, names in os.walk(build):
        for name in names:
            if name.endswith((".o", ".a", ".cmd")) and \
                    not place.startswith((os.path.join(build, "scripts"),
                                          os.path.join(build, "tools"))):
                os.unlink(os.path.join(place, name))
    os.unlink(os.path.join(build, "vmlinux"))
    open(os.path.join(work, "done"), "w", encoding="ascii").close()


def _expire(key):
    """Other builds that nobody took for three days."""
    for name in os.listdir(_place()):
        path = os.path.join(_place(), name)
        if name not in (key, "ccache") and os.path.isdir(path) and \
                time.time() - os.path.getmtime(path) > 3 * FRESH:
            shutil.rmtree(path, ignore_errors=True)


def kernel():
    """What Set.kernel() says of the others; built if it is not there."""
    version = _package_version()
    key = _key(version)
    work = os.path.join(_place(), key)
    if not os.path.exists(os.path.join(work, "done")):
        packages.install_on_host(HOST_PACKAGES)
        with packages.Lock("debug-kernel"):
            if not os.path.exists(os.path.join(work, "done")):
                os.makedirs(work, exist_ok=True)
                _build(work, version)
    os.utime(work)
    _expire(key)
    tree = os.path.join(work, "tree")
    release = os.listdir(os.path.join(tree, "lib", "modules"))[0]
    return {"short": SHORT, "version": release, "package": PACKAGE,
            "package_version": f"{version}-{key}", "dir": tree,
            "vmlinux": os.path.join(tree, "vmlinux"),
            "kdir": os.path.join(work, "build"),
            # What its config leaves out, no script of the rig's needs.
            "partial": True}
