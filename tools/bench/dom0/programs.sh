# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What dom0's programs and its stack cost with no driver in the way: a veth to a
# network namespace stands for the vif.  program_W is for workload W; its section
# "share" says what of it counts: "all", "half", "ns N" of it, or
# "but N", all without N ns.

PEER=10.9.0.2
HERE=10.9.0.1
PEER_MAC=02:00:00:00:09:02

# Makes the veth, once.
peer_add() {
	[ -e /sys/class/net/here ] && return
	ip netns add peer &&
		ip link add here type veth peer name there address $PEER_MAC netns peer &&
		ip addr add $HERE/24 dev here && ip link set here up &&
		ip -n peer addr add $PEER/24 dev there && ip -n peer link set there up &&
		ip -n peer link set lo up && ip -n peer route add default via $HERE || return 1
	ip netns exec peer iperf3 -s -D
	until ping -q -c 1 -W 1 $PEER >/dev/null; do sleep 0.1; done
}

share() {
	section "$1" share
	echo "${@:2}" >>"$RAW"
}

# ran PID: for how long, in ns
ran() { awk '{ print $1 }' "/proc/$1/schedstat"; }

# The stream of a workload, and what the process at its receiving end took.
program_stream() {
	local pid before
	pid=$(pgrep -f 'iperf3 -s -D -p 5201')
	before=$(ran "$pid")
	measure "$1" "=ip netns exec peer iperf3 -J -c $HERE -p 5201 -n $BYTES" || return 1
	RECEIVER=$(($(ran "$pid") - before))
}

# The receiving process; the stack's part runs as the sender's on a veth.
program_tcp_g2d() {
	program_stream tcp_g2d && share tcp_g2d ns "$RECEIVER"
}
program_tcp_g2d_notso() {
	program_stream tcp_g2d_notso && share tcp_g2d_notso ns "$RECEIVER"
}

# All but the receiving process: the sender, and the stack of both ends.
program_tcp_d2g() {
	program_stream tcp_d2g && share tcp_d2g but "$RECEIVER"
}

program_pingpong() {
	measure pingpong "=ip netns exec peer sockperf pp -i $HERE -m 64 \
		-t ${PINGPONG_SECONDS:-2} --mps=max" && share pingpong half
}

# The same packet, which is built once, is received and dropped again and again.
program_received() {
	# shellcheck disable=SC2059
	eval "$(printf "$DROP" here here)"
	eval "$(pktgen_text here $HERE "$(cat /sys/class/net/here/address)" $((PACKETS * 3)))"
	echo 'xmit_mode netif_receive' >/proc/net/pktgen/here
	echo 'burst 100' >/proc/net/pktgen/here
	measure "$1" "=echo start >/proc/net/pktgen/pgctrl; cat /proc/net/pktgen/here" || return 1
	echo rem_device_all >/proc/net/pktgen/kpktgend_0
	tc qdisc del dev here clsact
	share "$1" all
}
program_udp_g2d() { program_received udp_g2d; }
program_pktgen_g2d() { program_received pktgen_g2d; }

# The generator and the bridge, and a port that is a sink.
program_pktgen_d2g() {
	ip link add sink0 type dummy && ip link set sink0 master xenbr0 up &&
		bridge fdb replace $PEER_MAC dev sink0 master static || return 1
	generator_add 1500 && generator_set $G1 $PEER_MAC $BURST 106 || return 1
	measure pktgen_d2g "=$(generator_bursts $((PACKETS * 2 / BURST)))" || return 1
	generator_del
	ip link del sink0
	section pktgen_d2g times
	echo $((PACKETS * 2 / BURST)) >>"$RAW"
	share pktgen_d2g all
}

# The sender, and a drop at the other end.
program_udp_d2g() {
	# shellcheck disable=SC2059
	eval "$(printf "${DROP//tc /ip netns exec peer tc }" there there)"
	measure udp_d2g "=iperf3 -J -u -l 64 -b 0 -k $PACKETS -c $PEER" || return 1
	ip netns exec peer tc qdisc del dev there clsact
	share udp_d2g all
}
