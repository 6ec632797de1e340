# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What is measured: titles, what a unit of work is, and the targets."""

# name: title, unit, which side sends, target for ours/theirs of dom0's CPU
# time for a unit; extra targets by the metric's name.
WORKLOADS = {}


def _add(name, title, unit, sender, cpu=None, **more):
    targets = dict(more)
    if cpu:
        targets["dom0_ns"] = cpu
    WORKLOADS[name] = {"title": title, "unit": unit, "sender": sender,
                       "targets": targets}


_add("tcp_g2d", "guest to dom0, TCP", "KiB", "guest", 0.50)
_add("tcp_d2g", "dom0 to guest, TCP", "KiB", "dom0", 0.75)
_add("tcp_g2g", "guest to guest, bridge, TCP", "KiB", "both", 0.80)
_add("tcp_g2d_notso", "guest to dom0, TCP, guest TSO off", "KiB", "guest",
     0.60)
_add("udp_g2d", "guest to dom0, UDP 64 B, iperf3, dropped at tc", "packet",
     "guest", 0.60)
_add("pktgen_g2d", "guest to dom0, UDP 64 B, pktgen, dropped at tc", "packet",
     "guest", 0.60)
_add("pktgen_d2g", "dom0 to guest, UDP 64 B, pktgen in bursts", "packet",
     "dom0", 0.70)
_add("pktgen_d2g_flood", "dom0 to guest, UDP 64 B, pktgen at full rate",
     "packet", "dom0")
_add("udp_d2g", "dom0 to guest, UDP 64 B, iperf3", "packet", "dom0", 0.70)
_add("pingpong", "64 B ping-pong, sockperf", "message", "both", 0.85,
     latency_us=0.85)
_add("nic_udp", "guest to second NIC, bridged, UDP 1472 B", "packet", "guest",
     0.70)
_add("nic_tcp", "guest to second NIC, bridged, TCP", "KiB", "guest", 0.70)
_add("nic_routed", "guest to second NIC, routed, TCP", "KiB", "guest", 0.70)
_add("four_g2d", "4 guests to dom0 at once, TCP", "KiB", "guest", 0.50,
     goodput=1.5, fairness=1.006)
_add("four_d2g", "dom0 to 4 guests at once, TCP", "KiB", "dom0", 0.75,
     fairness=1.006)
_add("overload", "dom0 sends a guest 3 x what it takes; another one, steadily",
     "flood", "dom0", delivered=1, unharmed=0.95)
_add("vifs", "many idle vifs, each", "second", "none",
     memory_kib=0.25)
_add("many_memory", "idle vifs, of 1 and of 8 queues", "second", "none",
     memory_kib=0.25, queue_kib=0.25)
_add("idle", "one idle vif", "second", "none")

# Points of a curve each: "size_g2d@1514".
CURVES = {
    "size_g2d": "bytes of a packet, guest to dom0",
    "size_d2g": "bytes of a packet, dom0 to guest",
    "slots_g2d": "slots of a packet of 4000 bytes, guest to dom0",
    "many_queues": "queues that send 64 bytes",
    "many_vifs": "vifs that send 64 bytes",
}
for _name, _title in CURVES.items():
    _add(_name, _title, "packet", "dom0" if _name == "size_d2g" else "guest")


def info(name):
    """Of a workload, or of a point of one."""
    base, _, point = name.partition("@")
    found = WORKLOADS[base]
    if point:
        found = dict(found, title=f"{found['title']}: {point}")
    return found


# Not in the table of `bench run`, or in a machine of their own.
EXTRA = ["pktgen_d2g_flood", "vifs", "many_memory", *CURVES]
QUICK = ["tcp_g2d", "tcp_d2g", "tcp_g2d_notso", "udp_g2d", "pktgen_g2d",
         "pktgen_d2g", "udp_d2g", "pingpong", "tcp_g2g"]
# Not tcp_d2g: how often the guest acknowledges varies from run to run by some
# per cent. tcp_g2g has the same path, and does not.
GUARD = ["tcp_g2d", "tcp_g2g", "tcp_g2d_notso", "udp_d2g", "pktgen_g2d",
         "pktgen_d2g"]
