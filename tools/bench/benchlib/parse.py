# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""From what dom0 wrote (see dom0/lib.sh) to figures for each workload."""

import json
import re
from collections import defaultdict

from .workloads import info


# sockperf's
MESSAGES = re.compile(r"\[Total Run\].*SentMessages=(\d+)")


class BadRun(Exception):
    """A workload that did not do what it was to do."""


def sections(text):
    """{(driver, round, workload): {section: text}}, in order."""
    found, name, lines = {}, None, []

    def flush():
        if name:
            found.setdefault(name[:3], {})[name[3]] = "\n".join(lines)
    for line in text.splitlines():
        if line.startswith("@@ "):
            flush()
            name, lines = tuple(line.split()[1:5]), []
        else:
            lines.append(line)
    flush()
    return found


def _counters(text):
    """Sums over all vifs; queue numbers are summed over, too."""
    sums = defaultdict(int)
    for line in text.splitlines():
        match = re.match(r"\s*([\w.]+): (\d+)$", line)
        if match:
            key = re.sub(r"_queue_\d+_", "_", match.group(1))
            sums[key] += int(match.group(2))
    return sums


def _interrupts(text):
    total = 0
    for line in text.splitlines():
        match = re.match(r"\s*\d+:((?:\s+\d+)+)\s+\D", line)
        if match:
            total += sum(map(int, match.group(1).split()))
    return total


def _difference(parts, name, count):
    before, after = parts.get(name + ".before"), parts.get(name + ".after")
    if before is None or after is None:
        return 0
    return count(after) - count(before)


def _iperf(text):
    try:
        data = json.loads(text)
        if data.get("error"):
            raise BadRun("iperf3: " + data["error"])
        return data["end"]
    except (ValueError, KeyError) as exc:
        raise BadRun("iperf3: " + text[-300:]) from exc


def _outs(parts):
    number = 0
    while f"out.{number}" in parts:
        yield parts[f"out.{number}"]
        number += 1


def figures(name, parts):
    """One run of one workload: its figures, per unit where it says so."""
    got, cpu, wall, moved = {}, {}, None, []
    for line in parts["meter"].splitlines():
        words = line.split()
        if words[0] == "cpu":
            cpu[int(words[1])] = int(words[2])
        elif words[0] == "moved":
            moved.append(int(words[2]))
        elif words[0] == "window":
            got["window_ns"] = int(words[1])
        else:
            wall = int(words[1])
    got |= {"dom0_total_ns": cpu.pop(0), "guests_total_ns": sum(cpu.values()),
            "wall_ns": wall}

    stats = {}
    before = _counters(parts.get("stats.before", ""))
    for key, value in _counters(parts.get("stats.after", "")).items():
        if value != before[key]:
            stats[key] = value - before[key]
    unit = info(name)["unit"]
    if name == "vifs":
        number, took = map(int, parts["attach"].split())
        got["vifs"] = number
        got["attach_ms"] = took * 10 / number
        times = list(map(int, parts["tenths"].split()))
        got["attach_growth"] = (times[10] - times[9]) / (times[1] - times[0])
        got["detach_ms"] = int(parts["detach"].split()[1]) * 10 / number
        got["memory_kib"] = _memory(parts["memory"])
        work = wall / 1e9 * number
    elif name == "many_memory":
        one, eight = (_memory(parts["memory." + n]) for n in "18")
        got["queue_kib"] = (eight - one) / 7
        got["memory_kib"] = one
        work = wall / 1e9
    elif name == "idle":
        work = wall / 1e9
    elif unit == "KiB":
        ends = [_iperf(text) for text in _outs(parts)]
        rates = [e["sum_received"]["bits_per_second"] for e in ends]
        work = sum(e["sum_received"]["bytes"] for e in ends) / 1024
        if not work:
            raise BadRun("no bytes arrived")
        got["goodput"] = work * 1024 * 8 * 1e9 / wall if len(ends) > 1 \
            else rates[0]
        if moved:
            if not min(moved):
                raise BadRun("at no time did all of them run")
            got["moved"] = moved
            got["fairness"] = max(moved) / min(moved)
        got["retransmits"] = sum(e["sum_sent"].get("retransmits", 0)
                                 for e in ends)
    elif unit == "packet":
        # Of the 64 byte packets; acknowledgements and the like are few.
        sender = info(name)["sender"]
        key = "netdev_rx_packets" if sender == "guest" else \
            "netdev_tx_packets"
        work = stats.get(key, 0)
        if not work:
            raise BadRun("no packets arrived")
        got["goodput"] = work * 1e9 / wall
        sent = _sent(parts)
        if sent:
            got["sent"] = sent
            got["delivered"] = work / sent
    elif unit == "flood":
        end = _iperf(parts["out.0"])
        got["goodput"] = end["sum_received"]["bits_per_second"]
        work = 1
        if "rate" in parts:
            # the first vif's, while both received
            work = moved[0]
            got["sent"] = int(parts["rate"]) * got["window_ns"] / 1e9
            got["delivered"] = work / got["sent"]
    else:
        text = parts["out.0"]
        match = MESSAGES.search(text)
        late = re.search(r"avg-latency=([\d.]+)", text)
        if not match or not late:
            raise BadRun("sockperf: " + text[-300:])
        work = int(match.group(1))
        got["latency_us"] = float(late.group(1))
        got["goodput"] = work * 1e9 / wall
    got["work"] = work
    if unit != "flood":
        got["dom0_ns"] = got["dom0_total_ns"] / work
        got["guest_ns"] = got["guests_total_ns"] / work

    irq = _difference(parts, "irq", _interrupts)
    girq = sum(_difference(parts, key[:-7], _interrupts) for key in parts
               if key.startswith("guestirq.") and key.endswith(".before"))
    packets = stats.get("netdev_rx_packets", 0) + \
        stats.get("netdev_tx_packets", 0)
    got["packets"] = packets
    if packets:
        got["notify_to_dom0"] = irq / packets
        got["notify_to_guest"] = girq / packets
        if "tx_packets" in stats or "rx_packets" in stats:
            for key in ("copies", "batches"):
                got[key] = (stats.get("tx_" + key, 0) +
                            stats.get("rx_" + key, 0)) / packets
            # each flush of copies and each notification is one
            got["hypercalls"] = got["batches"] + \
                (stats.get("tx_notifies", 0) +
                 stats.get("rx_notifies", 0)) / packets
    got["counters"] = stats
    return got


def _memory(text):
    """KiB that each of some vifs took, from "NUMBER FREE-BEFORE FREE-AFTER"."""
    number, free, less = map(int, text.split())
    return (free - less) / number


def _sent(parts):
    text = parts.get("out.0", "")
    if text.lstrip().startswith("{"):
        return _iperf(text).get("sum", {}).get("packets", 0)
    return 0


def all_figures(text):
    """({workload: {driver: [figures of each round]}}, [complaints])."""
    result, bad = {}, []
    for (driver, number, name), parts in sections(text).items():
        if "meter" not in parts or driver == "program" or \
                name.endswith("@probe"):
            continue
        try:
            got = figures(name, parts)
        except BadRun as exc:
            bad.append(f"{name}, {driver}, round {number}: {exc}")
            continue
        got["round"] = int(number)
        result.setdefault(name, {}).setdefault(driver, []).append(got)
    for driver, runs in result.get("overload@flood", {}).items():
        alone = {r["round"]: r["goodput"] for r in
                 result.get("overload@alone", {}).get(driver, ())}
        for run in runs:
            if run["round"] in alone:
                run["unharmed"] = run["goodput"] / alone[run["round"]]
    return result, bad


def about(text):
    """What dom0 said of itself."""
    found = {}
    for parts in sections(text).values():
        for line in parts.get("about", "").splitlines():
            key, _, value = line.partition(" ")
            found[key] = value
    return found


def _program_work(name, parts):
    """How many units of the workload's the program did without a driver."""
    unit = info(name)["unit"]
    text = parts["out.0"]
    if unit == "KiB":
        return _iperf(text)["sum_received"]["bytes"] / 1024
    if unit == "message":
        return int(MESSAGES.search(text).group(1))
    if text.lstrip().startswith("{"):
        return _sent(parts)
    sofar = re.search(r"pkts-sofar: (\d+)", text)
    return int(sofar.group(1)) * int(parts.get("times", "1"))


def programs(text):
    """{workload: what dom0's programs cost for a unit with no driver}."""
    result = {}
    for (driver, _, name), parts in sections(text).items():
        if driver != "program" or "share" not in parts:
            continue
        total = int(re.search(r"^cpu 0 (\d+)", parts["meter"],
                              re.MULTILINE).group(1))
        how, _, took = parts["share"].partition(" ")
        took = {"all": total, "half": total / 2, "ns": int(took or 0),
                "but": total - int(took or 0)}[how.strip()]
        result[name] = took / _program_work(name, parts)
    return result


def floors(text, figures):
    """{workload: what the bare copies cost for a unit}."""
    result = {}
    for (driver, number, name), parts in sections(text).items():
        if driver != "ours" or number != "0" or "floor" not in parts:
            continue
        runs = figures.get(name, {}).get("ours", ())
        if not runs:
            continue
        total, words = 0.0, []
        for line in parts["floor"].splitlines():
            # DIRECTION COPIES SIZE BATCH COUNT NS
            way, copies, size, batch, count, took = line.split()
            total += int(copies) * int(took) / int(count)
            words.append(f"{way} {size} B x {batch}")
        result[name] = {"ns": total / runs[0]["work"],
                        "text": "copies, " + ", ".join(words)}
    return result
