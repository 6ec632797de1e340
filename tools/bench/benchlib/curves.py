# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A chart of what a packet costs against one quantity at a time."""

import math

from .report import OTHER, points, svg_begin
from .workloads import CURVES

WIDTH, HEIGHT, LEFT, STEP = 560, 230, 80, 310
COLORS = {"ours": "#3a7d44", OTHER: "#b5452c"}


def _scale(values, low, high):
    """Logarithmic, from low to high on the paper."""
    first, last = math.log(min(values)), math.log(max(values))
    span = (last - first) or 1
    return lambda v: low + (math.log(v) - first) / span * (high - low)


def _ticks(values):
    """1, 2, 5, 10, ... around the values."""
    exponent = math.floor(math.log10(min(values)))
    while 10 ** exponent <= max(values) * 5:
        for digit in (1, 2, 5):
            yield digit * 10 ** exponent
        exponent += 1


def _panel(name, title, found, top):
    costs = [row[d] for _, row in found for d in COLORS if d in row]
    ticks = list(_ticks(costs))
    low = max([t for t in ticks if t <= min(costs)], default=min(costs))
    high = min([t for t in ticks if t >= max(costs)], default=max(costs))
    x = _scale([p for p, _ in found], LEFT, LEFT + WIDTH)
    y = _scale([low, high], top + HEIGHT, top)
    out = [f'<text x="{LEFT}" y="{top - 14}">dom0 CPU, ns/packet, against '
           f"{title} [{name}]</text>"]
    for tick in ticks:
        if low <= tick <= high:
            out.append(f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{y(tick):.1f}" '
                       f'y2="{y(tick):.1f}" stroke="#e4e4e4"/>'
                       f'<text x="{LEFT - 6}" y="{y(tick) + 4:.1f}" '
                       f'text-anchor="end" fill="#555">{tick:g}</text>')
    last = -100
    for point, _ in found:
        if x(point) - last < 40:
            continue
        last = x(point)
        out.append(f'<text x="{x(point):.1f}" y="{top + HEIGHT + 18}" '
                   f'text-anchor="middle" fill="#555">{point}</text>')
    for driver, color in COLORS.items():
        line = [(x(p), y(row[driver])) for p, row in found if driver in row]
        if not line:
            continue
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in line)
        out.append(f'<polyline points="{path}" fill="none" stroke="{color}" '
                   'stroke-width="2"/>')
        out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{color}"/>'
                for a, b in line]
        lift = 10 if driver == "ours" else -2
        out.append(f'<text x="{line[-1][0] + 10:.1f}" y="{line[-1][1] + lift:.1f}" '
                   f'fill="{color}">{driver}</text>')
    return out


def chart(result):
    """An SVG; None if there is no curve among the result."""
    panels = [(name, title, points(result["summary"], name))
              for name, title in CURVES.items()]
    panels = [p for p in panels if len(p[2]) > 1]
    if not panels:
        return None
    height = 60 + STEP * len(panels)
    out = [*svg_begin(LEFT + WIDTH + 80, height),
           f'<text x="12" y="24" fill="#555">commit {result["commit"]}, dom0 '
           f'{result["dom0"]}, {result["mode"]}; both axes are logarithmic; lower '
           "is better</text>"]
    for number, (name, title, found) in enumerate(panels):
        out += _panel(name, title, found, 70 + STEP * number)
    return "\n".join(out + ["</svg>"]) + "\n"
