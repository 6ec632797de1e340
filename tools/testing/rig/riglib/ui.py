# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Progress and complaints, on stderr: stdout belongs to the script."""

import subprocess
import sys
import time

START = time.monotonic()
_live = False


class RigError(Exception):
    """Something the person can mend; `how` says how."""

    def __init__(self, what, how=""):
        super().__init__(what)
        self.what, self.how = what, how


def elapsed():
    return time.monotonic() - START


def tty():
    return sys.stderr.isatty()


def clear():
    global _live
    if _live:
        sys.stderr.write("\r\033[K")
        sys.stderr.flush()
        _live = False


def step(text):
    """A step that is worth a line anywhere."""
    clear()
    sys.stderr.write(f"rig: [{elapsed():6.1f}s] {text}\n")
    sys.stderr.flush()


def live(text):
    """Where we are now: a line that is overwritten; nothing off a terminal."""
    global _live
    if tty():
        sys.stderr.write(f"\r\033[Krig: [{elapsed():6.1f}s] {text}")
        sys.stderr.flush()
        _live = True


def error(text):
    clear()
    sys.stderr.write(f"rig: error: {text}\n")
    sys.stderr.flush()


def command(argv, what, how="", **kw):
    """Run a tool; its output is shown only when it fails."""
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True,
                              errors="replace", check=False, **kw)
    except FileNotFoundError as exc:
        raise RigError(f"{what}: {argv[0]} is not installed",
                       "run `tools/testing/rig/rig packages` as root") from exc
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise RigError(f"{what}: `{' '.join(argv[:6])}` exited "
                       f"{done.returncode}\n{tail}", how)
    return done.stdout
