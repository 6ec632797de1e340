# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Figures to a table for a person, and to a chart."""

from statistics import median

from .workloads import CURVES, info

OTHER = "distro"
MORE_IS_BETTER = ("goodput", "delivered", "unharmed")

# metric: heading, factor for display, format
ROWS = [
    ("dom0_ns", "dom0 CPU, ns/{unit}", 1, ".1f"),
    ("guest_ns", "guests' CPU, ns/{unit}", 1, ".1f"),
    ("goodput", None, 1, ".0f"),
    ("latency_us", "latency, us", 1, ".2f"),
    ("fairness", "fastest/slowest", 1, ".4f"),
    ("memory_kib", "memory of a vif, KiB", 1, ".0f"),
    ("queue_kib", "memory of one more queue, KiB", 1, ".0f"),
    ("attach_ms", "attach, ms", 1, ".0f"),
    ("attach_growth", "attach, the last tenth's of the first's", 1, ".2f"),
    ("detach_ms", "detach, ms", 1, ".0f"),
    ("delivered", "delivered/sent", 1, ".3f"),
    ("unharmed", "the other's goodput, of alone", 1, ".3f"),
    ("notify_to_dom0", "notifications to dom0/packet", 1, ".4f"),
    ("notify_to_guest", "notifications to guests/packet", 1, ".4f"),
    ("copies", "copy operations/packet", 1, ".3f"),
    ("hypercalls", "hypercalls/packet", 1, ".4f"),
]


def summary(figures):
    """{workload: {metric: {ours, distro, ratio, ratios, target}}}."""
    result = {}
    for name, drivers in figures.items():
        rows = {}
        for metric, *_ in ROWS:
            values = {d: [r[metric] for r in runs if metric in r]
                      for d, runs in drivers.items()}
            values = {d: v for d, v in values.items() if v}
            if not values:
                continue
            row = {d: median(v) for d, v in values.items()}
            if "ours" in row and row.get(OTHER):
                row["ratio"] = row["ours"] / row[OTHER]
                pairs = _pairs(drivers, metric)
                if len(pairs) > 1:
                    row["ratio"] = median(pairs)
                    row["ratios"] = pairs
            target = info(name)["targets"].get(metric)
            if target:
                row["target"] = target
            rows[metric] = row
        result[name] = rows
    return result


def _pairs(drivers, metric):
    """The ratio of each round that has both."""
    by_round = {d: {r["round"]: r[metric] for r in runs if metric in r}
                for d, runs in drivers.items()}
    ours, other = by_round.get("ours", {}), by_round.get(OTHER, {})
    return [ours[n] / other[n] for n in sorted(ours)
            if other.get(n)]


def _met(metric, row):
    """None if there is no saying."""
    target = row.get("target")
    if target is None:
        return None
    if metric == "fairness":
        return row.get("ours", 9) <= target
    if metric == "unharmed":
        return row.get("ours", 0) >= target
    if "ratio" not in row:
        return None
    if metric in MORE_IS_BETTER:
        return row["ratio"] >= target
    return row["ratio"] <= target


def _heading(metric, heading, unit):
    if metric == "goodput":
        return "goodput, Mbit/s" if unit in ("KiB", "flood") else f"{unit}s/s"
    return heading.format(unit=unit)


def _others(row, scale, form):
    """Drivers beside ours and the distribution's: the figure, and against ours."""
    lines = []
    for driver, value in row.items():
        if driver in ("ours", OTHER, "ratio", "ratios", "target"):
            continue
        text = f"    {driver:34} {format(value * scale, form):>12}"
        if row.get("ours"):
            text += f"  {value / row['ours']:.4f} of ours"
        lines.append(text)
    return lines


def _floor(result, name, row):
    """What no driver could do without: the copies, and dom0's programs."""
    floor = result.get("floor", {}).get(name)
    program = result.get("program", {}).get(name)
    lines = []
    if floor:
        lines.append(f"  {'floor: ' + floor['text']:36} {floor['ns']:12.1f}")
    if program:
        lines.append(f"  {'floor: programs, without a driver':36} {program:12.1f}")
    if floor and program and row.get("ours"):
        both = floor["ns"] + program
        lines.append(f"  {'floor: both; of it ours is':36} {both:12.1f}"
                     f" {row['ours'] / both:12.2f}")
    return lines


def points(summary, name):
    """Of a curve: [(point, row of dom0's CPU time)]."""
    return [(int(key.partition("@")[2]), rows["dom0_ns"])
            for key, rows in summary.items()
            if key.startswith(name + "@") and "dom0_ns" in rows]


def _curves(summary):
    lines = []
    for name, title in CURVES.items():
        found = points(summary, name)
        if not found:
            continue
        lines += ["", f"dom0 CPU, ns/packet, against {title}  [{name}]"]
        for point, row in found:
            cells = [format(row[d], ".0f") if d in row else "-"
                     for d in ("ours", OTHER)]
            ratio = format(row["ratio"], ".3f") if "ratio" in row else "-"
            lines.append(f"  {point:<36} {cells[0]:>12} {cells[1]:>12} {ratio:>7}")
    return lines


def table(result):
    """The whole text."""
    lines = []
    for key in ("command", "commit", "dom0", "xen", "mode", "date"):
        if result.get(key):
            lines.append(f"{key + ':':9} {result[key]}")
    if result.get("mode") == "icount":
        lines.append("The clock counts instructions (2 ns each) of dom0, "
                     "guests and hypervisor together;")
        lines.append("caches, TLB flushes across processors and contention "
                     "are not seen.")
    lines += ["", f"{'':38} {'ours':>12} {'distro':>12} {'ratio':>7}  target"]
    for name, rows in result["summary"].items():
        if name.partition("@")[0] in CURVES:
            continue
        what = info(name)
        lines.append(f"{what['title']}  [{name}]")
        for metric, heading, factor, form in ROWS:
            row = rows.get(metric)
            if not row:
                continue
            scale = 1e-6 if metric == "goodput" and what["unit"] in ("KiB", "flood") \
                else factor
            cells = [format(row[d] * scale, form) if d in row else "-"
                     for d in ("ours", OTHER)]
            ratio = format(row["ratio"], ".3f") if "ratio" in row else "-"
            text = (f"  {_heading(metric, heading, what['unit']):36} "
                    f"{cells[0]:>12} {cells[1]:>12} {ratio:>7}")
            met = _met(metric, row)
            if met is not None:
                sign = ">=" if metric in MORE_IS_BETTER else "<="
                text += f"  {sign}{row['target']:g} " + \
                    ("met" if met else "MISSED")
            if len(row.get("ratios", ())) > 1:
                text += f"  [{min(row['ratios']):.3f}..{max(row['ratios']):.3f}]"
            lines.append(text)
            lines += _others(row, scale, form)
            if metric == "dom0_ns":
                lines += _floor(result, name, row)
    lines += _curves(result["summary"])
    for text in result.get("bad", ()):
        lines.append("FAILED: " + text)
    return "\n".join(lines) + "\n"


def svg_begin(width, height):
    """An empty sheet, as lines."""
    return [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
            f'height="{height}" font-family="sans-serif" font-size="13">',
            "<!-- SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause -->",
            '<rect width="100%" height="100%" fill="white"/>']


def chart(result):
    """An SVG of the ratios of dom0's CPU time, with the targets; None without any."""
    bars = [(info(n)["title"], rows["dom0_ns"]) for n, rows in
            result["summary"].items() if "@" not in n
            and "ratio" in rows.get("dom0_ns", {})]
    if not bars:
        return None
    left, width, step, top = 330, 420, 30, 70
    height = top + step * len(bars) + 40
    full = max([1.1] + [row["ratio"] * 1.08 for _, row in bars])

    def x(value):
        return left + value / full * width
    out = [*svg_begin(left + width + 70, height),
           '<text x="12" y="24" font-size="16">dom0 CPU time for a unit of '
           "work, ours / the distribution's module</text>",
           f'<text x="12" y="44" fill="#555">commit {result["commit"]}, dom0 '
           f'{result["dom0"]}, {result["mode"]}; lower is better; the mark is '
           "the target</text>"]
    tick = 0.0
    while tick <= full:
        out.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top - 8}"'
                   f' y2="{height - 30}" stroke="'
                   f'{"#888" if tick == 1 else "#e4e4e4"}"/>'
                   f'<text x="{x(tick):.1f}" y="{height - 12}" '
                   f'text-anchor="middle" fill="#555">{tick:.2f}</text>')
        tick = round(tick + 0.25, 2)
    for number, (title, row) in enumerate(bars):
        y = top + step * number
        met = _met("dom0_ns", row)
        color = "#b5452c" if met is False else "#3a7d44"
        out.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">'
                   f"{title}</text>"
                   f'<rect x="{left}" y="{y}" height="18" fill="{color}" '
                   f'width="{x(row["ratio"]) - left:.1f}"/>'
                   f'<text x="{x(row["ratio"]) + 6:.1f}" y="{y + 14}">'
                   f'{row["ratio"]:.2f}</text>')
        if "target" in row:
            out.append(f'<line x1="{x(row["target"]):.1f}" '
                       f'x2="{x(row["target"]):.1f}" y1="{y - 4}" '
                       f'y2="{y + 22}" stroke="black" stroke-width="2"/>')
    return "\n".join(out + ["</svg>"]) + "\n"
