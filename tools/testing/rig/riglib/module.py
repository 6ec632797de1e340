# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Our module, built for one of the rig's kernels, away from the checkout."""

import filecmp
import glob
import hashlib
import os
import shutil

from . import config, packages, ui
from .ui import RigError


def _sources(top):
    wanted = []
    for pattern in ("*.c", "*.h", "Kconfig", "Kbuild", "Makefile", "VERSION"):
        wanted += glob.glob(os.path.join(top, pattern))
    for base in ("compat", "include"):
        for place, _, names in os.walk(os.path.join(top, base)):
            wanted += [os.path.join(place, n) for n in names
                       if n.endswith((".c", ".h", ".sh", ".mk", "Kbuild",
                                      "Makefile"))]
    for place, _, names in os.walk(os.path.join(top, "tools")):
        wanted += [os.path.join(place, n) for n in names if n.endswith(".mk")]
    return [os.path.relpath(p, top) for p in wanted
            if not p.endswith(".mod.c")]


def build(kernel, top=None, make_args=()):
    """Returns the path of xen-netback.ko, built if anything changed."""
    top = top or config.TOP_DIR
    version = kernel["version"]
    kdir = kernel.get("kdir", f"/lib/modules/{version}/build")
    if not os.path.isdir(kdir):
        raise RigError(f"no kernel headers for {version}",
                       "run `tools/testing/rig/rig packages` as root")
    if not os.path.exists(os.path.join(top, "netback.c")):
        raise RigError(f"{top} holds no driver (netback.c)",
                       "use --netback distro, or --source DIR")
    tag = hashlib.sha256("\0".join([top, *make_args]).encode()).hexdigest()[:8]
    with packages.Lock(f"module-{version}-{tag}"):
        work = os.path.join(config.cache_dir(), "build", f"{version}-{tag}")
        os.makedirs(work, exist_ok=True)
        wanted = set(_sources(top))
        for rel in wanted:
            src, dst = os.path.join(top, rel), os.path.join(work, rel)
            os.makedirs(os.path.dirname(dst), exist_ok=True)
            # Unchanged files keep their times, so make rebuilds what changed.
            if not os.path.exists(dst) or not filecmp.cmp(src, dst, False):
                shutil.copyfile(src, dst)
        for rel in set(_sources(work)) - wanted:
            os.unlink(os.path.join(work, rel))
        ui.live(f"building xen-netback for {version}")
        ui.command(["make", "-C", work, f"KDIR={kdir}",
                    f"-j{os.cpu_count() or 1}", *make_args],
                   f"building xen-netback for {version}",
                   "mend the driver; the lines above are the compiler's")
        ko = os.path.join(work, "xen-netback.ko")
        if not os.path.exists(ko):
            raise RigError(f"make made no {ko}", "is `all` the module?")
        return ko
