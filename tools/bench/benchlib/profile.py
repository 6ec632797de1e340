# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""perf in dom0 while a workload runs; the report is made on the host."""

import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter

from . import machine, workloads

DEFAULT = ("tcp_g2d", "tcp_d2g", "tcp_g2g", "udp_g2d", "pktgen_g2d",
           "udp_d2g", "pktgen_d2g")


def _perf_files():
    """perf and the libraries it wants, for dom0."""
    perf = shutil.which("perf")
    if not perf:
        raise machine.Failed("no perf here: apt-get install linux-perf")
    out = subprocess.run(["ldd", perf], stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    files = [(os.path.realpath(perf), "/bench/perf/perf")]
    for line in out.splitlines():
        words = line.split()
        if len(words) >= 3 and words[1] == "=>" and words[2].startswith("/") \
                and not words[0].startswith(("libc.so", "libm.so", "ld-")):
            files.append((os.path.realpath(words[2]),
                          "/bench/perf/" + words[0]))
    return files


def _samples(data, kallsyms):
    """[(command, [functions, the innermost first])]."""
    done = subprocess.run(
        [shutil.which("perf"), "script", "-i", data, "--force",
         f"--kallsyms={kallsyms}", "-F", "comm,ip,sym,dso"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        errors="replace", check=False)
    samples, comm, stack = [], None, []
    for line in done.stdout.splitlines() + [""]:
        if not line.strip():
            if comm and stack:
                samples.append((comm, stack))
            comm, stack = None, []
        elif comm is None:
            comm = line.strip()
        else:
            match = re.match(r"\s*[0-9a-f]+ (\S+)?.*?\((.*)\)$", line)
            name = match.group(1) if match else "?"
            if match and name in (None, "[unknown]"):
                name = os.path.basename(match.group(2))
            stack.append(name or "?")
    return samples


HYPERCALL = re.compile(r"xen_hypercall|hypercall_page|^__SCT__|_hypercall")
IDLE = {"xen_safe_halt", "pv_native_safe_halt", "xen_idle", "default_idle",
        "HYPERVISOR_sched_op", "arch_cpu_idle", "xen_sched_clock_safe_halt"}
EVENTS = {"xen_force_evtchn_callback", "check_events", "xen_irq_enable_direct",
          "xen_restore_fl_direct", "xen_irq_enable"}


def _leaf(stack):
    """The innermost function; a hypercall is named by who made it."""
    if not HYPERCALL.search(stack[0]):
        return stack[0]
    up = [f for f in stack if not HYPERCALL.search(f)]
    if up and up[0] in IDLE:
        return None
    if up and up[0] == "xen_force_evtchn_callback":
        # Interrupts go on, and the sampling one was waiting: the time went
        # somewhere in the stretch that ends here.
        up = [f for f in up if f not in EVENTS]
        return "[irqs on] < " + " < ".join(up[:3])
    return "[Xen] < " + " < ".join(up[:3])


def _tables(samples):
    busy = [(c, s, _leaf(s)) for c, s in samples]
    busy = [b for b in busy if b[2]]
    total = len(busy) or 1
    alone, within = Counter(), Counter()
    for comm, stack, leaf in busy:
        alone[comm, leaf] += 1
        for name in set(stack):
            within[name] += 1
    lines = [f"{total} samples that were not idle", "", "== by function"]
    flat = Counter()
    for (comm, leaf), n in alone.items():
        flat[leaf] += n
    for leaf, n in flat.most_common(60):
        if n / total < 0.003:
            break
        by = {c: m for (c, f), m in alone.items() if f == leaf}
        who = " ".join(sorted(by, key=by.get, reverse=True)[:2])
        lines.append(f"{n / total:7.2%}  {leaf:70} {who}")
    lines += ["", "== with all that it calls"]
    for name, n in within.most_common(120):
        if n / total < 0.01:
            break
        lines.append(f"{n / total:7.2%}  {name}")
    lines += ["", "== by stack (innermost first)"]
    trees = Counter(" < ".join([leaf] + [f for f in stack[1:9]])
                    if not leaf.startswith("[") else
                    leaf + " < " + " < ".join(stack[4:10])
                    for _, stack, leaf in busy)
    for text, n in trees.most_common(30):
        if n / total < 0.006:
            break
        lines.append(f"{n / total:7.2%}  {text}")
    return "\n".join(lines)


def main(opts, names):
    for name in names:
        if name not in workloads.WORKLOADS:
            raise machine.Failed(f"no workload {name}")
    env = {"DRIVERS": opts.drivers.replace(",", " "),
           "WORKLOADS": " ".join(names), "GUEST": opts.guest or opts.dom0,
           "BYTES": (opts.mib or 256) << 20, "PACKETS": opts.packets or 30000,
           "NETBACK_ARGS": opts.module_args, "IPERF_ARGS": opts.iperf, "FLOOR": 0}
    place = os.path.join(machine.BENCH, "results", "profile")
    os.makedirs(place, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="prof.") as out:
        machine.run("profile.sh", env, mode=opts.mode or "icount",
                    dom0=opts.dom0, timeout=opts.timeout,
                    files=_perf_files() + machine.tries(opts.dom0, opts.tries),
                    rig_args=["--dom0-mem", "1536"], out_dir=out)
        for driver in opts.drivers.split(","):
            for name in names:
                data = os.path.join(out, f"{driver}-{name}.perf")
                syms = os.path.join(out, f"{driver}.kallsyms")
                if not os.path.exists(data) or not os.path.exists(syms):
                    continue
                text = (f"# {name}, {driver}, dom0 {opts.dom0}, commit "
                        f"{machine.commit()}\n# Samples are of dom0's "
                        "processor. [Xen] is a hypercall, and after it who "
                        "made it:\n# the sample is taken when it returns. "
                        "An interrupt-free stretch is seen at its end.\n"
                        + _tables(_samples(data, syms)) + "\n")
                path = os.path.join(place, f"{name}-{driver}.txt")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                print("\n".join(text.splitlines()[:40]))
                print(f"all: {path}\n")
    return 0
