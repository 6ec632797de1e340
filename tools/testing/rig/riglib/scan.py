# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What in a log means that something broke, whatever the script says."""

import os
import re

from . import config

FAULTS = [re.compile(p) for p in (
    r"\bBUG\b[: ]", r"\bWARNING: ", r"\bCall Trace:", r"\bOops\b",
    r"general protection fault", r"double fault", r"Kernel panic",
    r"unable to handle (kernel|page fault)", r"kernel NULL pointer",
    r"INFO: task .* blocked for more than", r"soft lockup", r"hard LOCKUP",
    r"rcu.*(detected stall|self-detected stall|stalls on CPUs|kthread.*starved)",
    r"\bKASAN: ", r"\bUBSAN: ", r"\bKFENCE: ", r"DEBUG_LOCKS_WARN_ON",
    r"INFO: (possible|inconsistent|trying to register|lockdep is turned off)",
    r"possible (circular|recursive) locking", r"suspicious RCU usage",
    r"sleeping function called from invalid context", r"scheduling while atomic",
    r"refcount_t: ", r"list_(add|del) corruption", r"ODEBUG: ",
    r"unregister_netdevice: waiting for", r"page allocation failure",
    r"Out of memory", r"invoked oom-killer", r"\bsegfault at\b",
    r"trap (invalid opcode|int3|divide error)",
    # dom0/detectors' words, a line a find
    r"^detectors: (leak|locks off|unbalanced)", r"kmemleak: Memory pool empty",
    r"\(XEN\).*(Panic on CPU|Xen BUG|Xen WARN|Assertion .* failed|FATAL)",
    r"\(XEN\).*(domain_crash|Domain \d+ .*crashed|Watchdog timer)",
    r"leaked .*(pages|grants)", r"deferring g\.e\.",
)]
# Seen on the console, nothing good will follow.
FATAL = re.compile(r"Kernel panic|Panic on CPU|Domain 0 (crashed|shutdown)|"
                   r"rebooting machine|Attempted to kill init")


class Noise:
    """The allow-list, and whatever --allow adds for one run."""

    def __init__(self, extra=()):
        self.known = [re.compile(p) for p in extra]
        with open(os.path.join(config.RIG_DIR, "noise.txt"),
                  encoding="utf-8") as file:
            for line in file:
                if line.strip() and not line.startswith("#"):
                    pattern, _, reason = line.rstrip("\n").partition("\t")
                    if not reason.strip():
                        raise ValueError(f"noise.txt: no reason: {line!r}")
                    self.known.append(re.compile(pattern))

    def allowed(self, line):
        return any(p.search(line) for p in self.known)


def faults(path, noise, limit=20):
    """[(line number, text)] of what looks like a fault."""
    found = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("@rig "):
                continue        # a guest's answer, not its kernel's word
            if any(p.search(line) for p in FAULTS) and not noise.allowed(line):
                found.append((number, line.rstrip()))
                if len(found) >= limit:
                    break
    return found
