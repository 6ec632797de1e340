# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The initramfs of dom0, of a guest and of what makes a guest a driver domain,
from an unpacked set of packages.

An image is a base, kept in the cache under the hash of all that went into it,
and a small archive made anew for each run (our module, the rig's own files,
test programs): the kernel unpacks archives that follow one another.
"""

import glob
import hashlib
import os
import shutil
import subprocess
import tempfile

from . import config, packages, ui
from .ui import RigError

LIBDIRS = ("usr/lib/x86_64-linux-gnu", "usr/lib",
           f"usr/lib/xen-{config.XEN_BRANCH}/lib/x86_64-linux-gnu")
SKIP_DATA = ("usr/share/",)


def _usr(path):
    """A package's path as the merged-/usr tree has it."""
    for top in ("bin/", "sbin/", "lib/", "lib64/"):
        if path.startswith(top):
            return "usr/" + path
    return path


def _programs(pkgset, names):
    found = set()
    for name in names:
        if name not in pkgset.owners:
            raise RigError(f"package {name} is not in the set {pkgset.path}",
                           "run `rig packages`; else this is a bug of the rig")
        for path in map(_usr, pkgset.owners[name]):
            base = os.path.basename(path)
            if base in config.SKIP_PROGRAMS:
                continue
            if path.startswith(("usr/bin/", "usr/sbin/")) or (
                    path.startswith("usr/lib/xen-") and "/bin/" in path):
                found.add(path)
    return found


def _needed(root, paths):
    """{path: [library names]} of those that are ELF files."""
    elf = []
    for path in paths:
        try:
            with open(os.path.join(root, path), "rb") as file:
                if file.read(4) == b"\x7fELF":
                    elf.append(path)
        except OSError:
            pass
    result = {}
    if not elf:
        return result
    out = subprocess.run(["readelf", "-d", *sorted(elf)], cwd=root, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         check=False).stdout
    name = sorted(elf)[0]
    for line in out.splitlines():
        if line.startswith("File: "):
            name = line[6:].strip()
        elif "(NEEDED)" in line:
            result.setdefault(name, []).append(
                line.split("[")[1].split("]")[0])
    return result


def _find_lib(root, name):
    for place in LIBDIRS:
        if os.path.lexists(os.path.join(root, place, name)):
            return os.path.join(place, name)
    return None


def _with_libs(root, paths):
    """Add the libraries that the programs need, and theirs."""
    have, todo = set(), set(paths)
    for name in config.DLOPEN_LIBS:
        todo.add(_find_lib(root, name))
    todo.add("usr/lib64/ld-linux-x86-64.so.2")
    while todo:
        have |= todo
        real = set()
        for path in todo:
            full = os.path.join(root, path)
            if os.path.islink(full):
                target = os.path.normpath(
                    os.path.join(os.path.dirname(path), os.readlink(full))
                    if not os.readlink(full).startswith("/")
                    else os.readlink(full)[1:])
                real.add(_usr(target))
        libs = set()
        for user, names in _needed(root, todo).items():
            for name in names:
                lib = _find_lib(root, name)
                if not lib:
                    raise RigError(f"{user} needs {name}, which no package "
                                   "of the set holds",
                                   "a bug of the rig: config.py's lists")
                libs.add(lib)
        todo = {p for p in real | libs
                if p not in have and os.path.lexists(os.path.join(root, p))}
    return have


def _copy(root, paths, dest):
    links = {}
    for path in sorted(paths):
        src, dst = os.path.join(root, path), os.path.join(dest, path)
        os.makedirs(os.path.dirname(dst), exist_ok=True)
        if os.path.lexists(dst):
            continue
        if os.path.islink(src):
            os.symlink(os.readlink(src), dst)
        elif os.path.isdir(src):
            shutil.copytree(src, dst, symlinks=True)
        else:
            info = os.stat(src)
            twin = links.setdefault((info.st_dev, info.st_ino), dst)
            if twin != dst:
                os.link(twin, dst)
            else:
                shutil.copy2(src, dst)


def _module_closure(tree, version, wanted, partial):
    """Module files (relative to lib/modules/VERSION) with what they need."""
    base = os.path.join(tree, "lib", "modules", version)
    deps, byname = {}, {}
    with open(os.path.join(base, "modules.dep"), encoding="ascii") as file:
        for line in file:
            path, _, rest = line.partition(":")
            deps[path] = rest.split()
            name = os.path.basename(path).split(".ko")[0].replace("-", "_")
            byname[name] = path
    with open(os.path.join(base, "modules.builtin"), encoding="ascii") as file:
        builtin = {os.path.basename(ln.strip()).split(".ko")[0]
                   .replace("-", "_") for ln in file}
    files = set()
    for name in wanted:
        key = name.replace("-", "_")
        if key in byname:
            files.add(byname[key])
            files.update(deps[byname[key]])
        elif key not in builtin and not partial and \
                name not in config.OPTIONAL_MODULES:
            raise RigError(f"kernel {version} has no module {name}",
                           "a bug of the rig: config.py's lists")
    return files


def _copy_modules(kernel, wanted, dest):
    tree, version = kernel["dir"], kernel["version"]
    base = os.path.join("lib", "modules", version)
    for path in sorted(_module_closure(tree, version, wanted,
                                       kernel.get("partial"))):
        dst = os.path.join(dest, "usr", base, path)
        os.makedirs(os.path.dirname(dst), exist_ok=True)
        shutil.copy2(os.path.join(tree, base, path), dst)
        if dst.endswith(".xz"):
            # Unpacked once here instead of at each load in the emulator.
            ui.command(["xz", "-d", dst], "unpacking a module")
    for name in ("modules.order", "modules.builtin",
                 "modules.builtin.modinfo"):
        src = os.path.join(tree, base, name)
        if os.path.exists(src):
            shutil.copy2(src, os.path.join(dest, "usr", base, name))
    ui.command(["depmod", "-b", dest, version], f"depmod for {version}")


def cpio(tree, out):
    """Pack a directory; no compression, the emulator would pay for it."""
    listing = subprocess.run(["find", ".", "-mindepth", "1", "-print0"],
                             cwd=tree, stdout=subprocess.PIPE, check=True)
    names = b"\0".join(sorted(listing.stdout.split(b"\0")[:-1])) + b"\0"
    with open(out, "wb") as file:
        done = subprocess.run(["cpio", "-0", "-o", "-H", "newc", "-R", "0:0",
                               "--quiet"], cwd=tree, input=names, stdout=file,
                              stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise RigError(f"cpio: {done.stderr.decode()[-300:]}",
                       "is the disk full? (df)")


SKELETON = ("dev", "proc", "sys", "run", "tmp", "root", "rig", "host", "var",
            "var/lib", "var/log", "mnt", "etc")


def _build(pkgset, kernel, kind, dest):
    root = pkgset.root
    toolstack = kind != "guest"
    for name in ("bin", "sbin", "lib", "lib64"):
        os.makedirs(os.path.join(dest, "usr", name), exist_ok=True)
        os.symlink(f"usr/{name}", os.path.join(dest, name))
    for name in SKELETON:
        os.makedirs(os.path.join(dest, name), exist_ok=True)
    os.symlink("/run", os.path.join(dest, "var", "run"))
    os.symlink("/proc/self/mounts", os.path.join(dest, "etc", "mtab"))
    paths = _with_libs(root, _programs(pkgset, config.PROGRAMS[kind]))
    data = config.DATA_COMMON + (config.DATA_TOOLSTACK if toolstack else [])
    for path in map(_usr, data):
        if os.path.lexists(os.path.join(root, path)):
            paths.add(path)
    if toolstack:
        paths |= {_usr(p) for n in ("xen-utils-common",)
                  for p in pkgset.owners[n] if p.startswith("usr/lib/")}
    _copy(root, paths, dest)
    for link, target in (("usr/bin/awk", "mawk"), ("usr/bin/sh", "bash")):
        full = os.path.join(dest, link)
        if os.path.lexists(full):
            os.unlink(full)
        os.symlink(target, full)
    if toolstack:
        # Debian's xl, xenstored, ... are a wrapper that looks for the
        # running hypervisor's version; there is one version here.
        for name in os.listdir(os.path.join(dest, "usr", "sbin")):
            full = os.path.join(dest, "usr", "sbin", name)
            tool = os.path.join(dest, "usr/lib",
                                f"xen-{config.XEN_BRANCH}/bin", name)
            if os.path.islink(full) and \
                    os.readlink(full).endswith("xen-utils-wrapper"):
                os.unlink(full)
                if os.path.exists(tool):
                    os.symlink(f"../lib/xen-{config.XEN_BRANCH}/bin/{name}",
                               full)
    for path, text in (("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"
                        "nobody:x:65534:65534:nobody:/:/bin/false\n"),
                       ("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
                       ("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
                       ("etc/nsswitch.conf", "hosts: files\n"),
                       ("etc/hostname", kind + "\n")):
        with open(os.path.join(dest, path), "w", encoding="ascii") as file:
            file.write(text)
    if config.MODULES[kind]:
        _copy_modules(kernel, config.MODULES[kind], dest)


def base(pkgset, kernel, kind):
    """(archive, module tree) of an image's cached part."""
    with open(config.__file__, "rb") as one, open(__file__, "rb") as two:
        recipe = one.read() + two.read()
    key = hashlib.sha256(recipe + f"{pkgset.key} {kernel['version']} "
                         f"{kernel['package_version']}".encode()
                         ).hexdigest()[:12]
    place = os.path.join(config.cache_dir(), "images")
    final = os.path.join(place, f"{kind}-{kernel['version']}-{key}")
    os.makedirs(place, exist_ok=True)
    if os.path.exists(os.path.join(final, "cpio")):
        os.utime(final)
        return os.path.join(final, "cpio"), os.path.join(final, "modules")
    with packages.Lock(f"image-{kind}-{kernel['short']}"):
        if os.path.exists(os.path.join(final, "cpio")):
            return os.path.join(final, "cpio"), os.path.join(final, "modules")
        ui.step(f"making the {kind} image for {kernel['version']}")
        tmp = tempfile.mkdtemp(prefix=".new.", dir=place)
        os.chmod(tmp, 0o755)
        try:
            tree = os.path.join(tmp, "tree")
            os.makedirs(tree)
            _build(pkgset, kernel, kind, tree)
            cpio(tree, os.path.join(tmp, "cpio"))
            # Kept for depmod when our module joins it.
            if config.MODULES[kind]:
                shutil.copytree(
                    os.path.join(tree, "usr", "lib", "modules"),
                    os.path.join(tmp, "modules", "lib", "modules"))
            shutil.rmtree(tree)
            os.rename(tmp, final)
        except BaseException:
            shutil.rmtree(tmp, ignore_errors=True)
            raise
        _expire(place)
    return os.path.join(final, "cpio"), os.path.join(final, "modules")


def _expire(place, keep=8):
    """Old images go; nothing relies on them."""
    dirs = sorted((d for d in glob.glob(os.path.join(place, "*-*"))
                   if os.path.isdir(d)), key=os.path.getmtime)
    for old in dirs[:-keep]:
        shutil.rmtree(old, ignore_errors=True)


def tool(name):
    """One of the rig's own C programs, built on the host, static."""
    src = os.path.join(config.RIG_DIR, name)
    hdr = os.path.join(config.RIG_DIR, "guest", "frame.h")
    with open(src, "rb") as one, open(hdr, "rb") as two:
        key = hashlib.sha256(one.read() + two.read()).hexdigest()[:12]
    stem = os.path.splitext(os.path.basename(name))[0]
    place = os.path.join(config.cache_dir(), "tools")
    out = os.path.join(place, f"{stem}-{key}")
    if not os.path.exists(out):
        os.makedirs(place, exist_ok=True)
        tmp = f"{out}.{os.getpid()}"
        libs = ["-lxenstore"] if stem == "guestctl" else ["-static"]
        ui.command(["gcc", "-O2", "-g", "-Wall", "-Wextra", "-Werror",
                    "-I", os.path.dirname(hdr), "-o", tmp, src, *libs],
                   f"building {name}", "run `rig packages` as root")
        os.rename(tmp, out)
    return out


def overlay(tree, files, out):
    """A small archive: {path in the image: host path}."""
    for path, src in files.items():
        dst = os.path.join(tree, path)
        os.makedirs(os.path.dirname(dst), exist_ok=True)
        shutil.copy2(src, dst)
    cpio(tree, out)


def add_module(modules, version, ko, tree):
    """Put ko under updates/ and say so in the module lists."""
    work = tempfile.mkdtemp(prefix="rig-mod.")
    try:
        shutil.copytree(modules, work, dirs_exist_ok=True,
                        copy_function=os.link
                        if os.stat(work).st_dev == os.stat(modules).st_dev
                        else shutil.copy2)
        base_dir = os.path.join(work, "lib", "modules", version)
        os.makedirs(os.path.join(base_dir, "updates"), exist_ok=True)
        shutil.copy2(ko, os.path.join(base_dir, "updates", "xen-netback.ko"))
        for path in glob.glob(os.path.join(base_dir, "modules.*")):
            if not path.endswith(("builtin", "order", "modinfo")):
                os.unlink(path)
        ui.command(["depmod", "-b", work, version], f"depmod for {version}")
        dst = os.path.join(tree, "usr", "lib", "modules", version)
        os.makedirs(os.path.join(dst, "updates"), exist_ok=True)
        shutil.copy2(ko, os.path.join(dst, "updates", "xen-netback.ko"))
        for path in glob.glob(os.path.join(base_dir, "modules.*")):
            shutil.copy2(path, dst)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def concat(parts, out):
    """Archives one after another, each padded to a multiple of four."""
    with open(out, "wb") as dst:
        for part in parts:
            with open(part, "rb") as src:
                shutil.copyfileobj(src, dst, 1 << 20)
            dst.write(b"\0" * (-dst.tell() % 4))
