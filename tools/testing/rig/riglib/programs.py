# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Programs for dom0 that few runs need, and that are large.

They are this machine's, which is of the same distribution, with the libraries they
need. dom0 sees them below /host: in its memory is what is used of them.
"""

import os
import re
import shutil

from . import packages, ui
from .ui import RigError

# The package of each.
PROGRAMS = {"perf": "linux-perf", "bpftrace": "bpftrace"}

# dom0 has its own.
BASE_LIBS = re.compile(r"(ld-linux|libc|libm|libdl|libpthread|librt)\b[^/]*\.so")

WRAPPER = """#!/bin/sh
LD_LIBRARY_PATH={place} exec {place}/{name} "$@"
"""


def _libraries(path):
    """[(soname, file)] of what a program needs, directly or not."""
    found = []
    for line in ui.command(["ldd", path], f"looking at {path}").splitlines():
        words = line.split()
        if len(words) < 3 or words[1] != "=>":
            continue
        if not words[2].startswith("/"):
            raise RigError(f"{path} needs {words[0]}, which is not here",
                           "reinstall the package it is from")
        if not BASE_LIBS.match(words[0]):
            found.append((words[0], words[2]))
    return found


def install():
    """All there are, on this machine."""
    packages.install_on_host(sorted(PROGRAMS.values()))


def bring(name, share):
    """Lay a program out in the shared directory; its wrapper's path."""
    packages.install_on_host([PROGRAMS[name]])
    path = shutil.which(name)
    if not path:
        raise RigError(f"there is no {name} in PATH", "is /usr/bin in it?")
    place = os.path.join(share, "programs", name)
    os.makedirs(place)
    shutil.copy(os.path.realpath(path), os.path.join(place, name))
    for soname, file in _libraries(path):
        shutil.copy(os.path.realpath(file), os.path.join(place, soname))
    wrapper = os.path.join(place, name + ".sh")
    with open(wrapper, "w", encoding="ascii") as out:
        out.write(WRAPPER.format(place=f"/host/programs/{name}", name=name))
    os.chmod(wrapper, 0o755)
    return wrapper
