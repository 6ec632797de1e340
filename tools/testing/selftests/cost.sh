#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What a guest that lies can cost, in figures: the neighbour's loss and dom0's processor
# time during each flood of xvf's (frontend/flood.c), and the memory that it can pin.
#
#      dom0                                      guest n (6.12), the neighbour: answers
#      xenbr0 10.0.0.1 ----------- vif N.0 ===   10.0.0.14
#             10.0.0.13 ---------- vif F.0 ===   guest f (6.12, 2 processors): xvf flood,
#                                                no netfront
#
# The machine is the deterministic one: a single processor, which dom0 and the guests
# share, and whose time is the number of instructions (2 ns each). Guest f may have
# COST_CAP % of it, so that what it takes by running is bounded by the hypervisor's
# scheduler and the same for each flood; what dom0 spends for it is the driver's doing,
# and not bounded by anything but its own fairness. All packets of f's are dropped by tc
# where they leave the vif: what the host's stack would do with them is not in the figures.

. /rig/tests/tap.sh
. /rig/tests/net.sh
. /rig/tests/xvf.sh
# mem_free, generator_*
. /bench/workloads.sh

COST_CAP=${COST_CAP:-20}
# The neighbour's load: round trips in a second, bytes each, seconds.
COST_RATE=${COST_RATE:-1000}
COST_LEN=200
COST_SECONDS=${COST_SECONDS:-2}
COST_RATIO=0.95
# Per cent of a processor that events without work may cost dom0.
COST_EVENTS=5
F4=10.0.0.13
F_MAC=02:78:76:66:00:02
# KiB that a queue can cost at most: Documentation/security.rst, "Memory".
COST_QUEUE_KIB=4053

# calc EXPRESSION
calc() { awk "BEGIN { print $1 }"; }
holds() { awk "BEGIN { exit !($1) }"; }

setup() {
	modprobe -a pktgen sch_ingress cls_u32 cls_matchall act_gact
	# What is pinned is to stay so while memory is looked at.
	xvf_guests max_queues=4 rx_drain_timeout_msecs=120000 rx_stall_timeout_msecs=0 &&
		check "f has its share" xl sched-credit2 -d f -c "$COST_CAP" &&
		check "ingress" tc qdisc add dev "$F" clsact &&
		check "f's packets end here" tc filter add dev "$F" ingress matchall action drop &&
		check "f is found" command bridge fdb replace $F_MAC dev "$F" master static &&
		check "by its address" ip neigh replace $F4 dev xenbr0 nud permanent lladdr $F_MAC &&
		check "the neighbour alone" load alone || return
	alone=$came
	cp "$TAP_DIR/load" "$TAP_DIR/alone"
	diag "$(row_of alone 0 '')"
}

# What threads have run, in ns, and softirqs, in ticks: "NAME VALUE" each.
threads() {
	local comm pid
	for comm in /proc/[0-9]*/comm; do
		pid=${comm%/comm}
		case $(<"$comm") in
		"$F"-q*) echo "thread $pid" ;;
		ksoftirqd/0) echo "softirqd $pid" ;;
		xenwatch) echo "xenwatch $pid" ;;
		xenstored) echo "xenstored $pid" ;;
		kworker*) echo "kworker $pid" ;;
		esac
	done 2>/dev/null
}
spent() {
	local name pid ns
	while read -r name pid; do
		read -r ns _ <"$pid/schedstat" && echo "$name $pid $ns"
	done <"$TAP_DIR/threads" 2>/dev/null
	awk '$1 == "cpu" { print "softirq - " $8 * 10000000 }' /proc/stat
}

# load: the neighbour's, once, and what the domains' processors did meanwhile. $came is
# how many round trips were made in the time, and $TAP_DIR/load has all that was seen.
load() {
	threads >"$TAP_DIR/threads"
	spent >"$TAP_DIR/spent"
	domcpu "$TAP_DIR/out" "=xvt steady $N4 $PORT rate=$COST_RATE len=$COST_LEN secs=$COST_SECONDS" \
		>"$TAP_DIR/meter" || return
	cat "$TAP_DIR/out.0"
	{
		cat "$TAP_DIR/meter"
		sed 's/^steady/& steady/' "$TAP_DIR/out.0"
		spent | awk 'NR == FNR { was[$2] = $3; next }
			{ sum[$1] += $3 - was[$2] } END { for (n in sum) print "ran", n, sum[n] }' \
			"$TAP_DIR/spent" -
	} >"$TAP_DIR/load"
	came=$(load_word came)
	[[ $(load_word bad) == 0 && $came ]]
}

# Of the last load, or of the file: load_word came [FILE], per_cent "cpu 0" [FILE]
load_word() {
	awk -v w="$1" '$1 == "steady" { for (i = 1; i < NF; i++) if ($i == w) print $(i + 1) }' \
		"${2:-$TAP_DIR/load}"
}
per_cent() {
	awk -v head="$1" '$1 == "wall" { wall = $2 }
		index($0, head " ") == 1 { ns += $NF }
		END { printf "%.1f", 100 * ns / wall }' "${2:-$TAP_DIR/load}"
}

# row_of NAME PER-SECOND TITLE: the load as a line of the table. The guest's processor
# time, dom0's, how much more than without the flood, the same for one of what is flooded,
# and what dom0's threads have of it; all but this in per cent of the processor.
row_of() {
	local name
	printf '%-10s %8.0f/s  n %.3f %6d us  f %5.1f  dom0 %5.1f %+6.1f %9.0f ns ' "$1" "$2" \
		"$(calc "$came / ${alone:-$came}")" "$(load_word 99%)" \
		"$(per_cent "cpu $(guest_domid f)")" "$(per_cent 'cpu 0')" \
		"$(calc "$(per_cent 'cpu 0') - $(per_cent 'cpu 0' "$TAP_DIR/alone")")" \
		"$(holds "$2 > 0" && calc "($(per_cent 'cpu 0') - $(per_cent 'cpu 0' "$TAP_DIR/alone")) * 1e7 / $2" || echo 0)"
	for name in thread softirq softirqd kworker xenwatch xenstored; do
		printf ' %s %.1f' "$name" "$(per_cent "ran $name")"
	done
	echo "  $3"
}

# flood_start NAME [QUEUES]; flood_stop: then $TAP_DIR/flood says how often.
flood_start() {
	local key
	key=/local/domain/$(guest_domid f)/data/flood
	xenstore-rm "$key" 2>/dev/null
	flood_pid=$(guest_bg f "exec xvf flood $1 ${2:-1}")
	defer eval "guest f kill -KILL $flood_pid 2>/dev/null; true"
	xs_wait "$key" "$1" 60 || {
		guest_sh f "cat /tmp/bg.$flood_pid"
		return 1
	}
}
flood_stop() {
	guest_sh f "kill -TERM $flood_pid
		while [ -e /proc/$flood_pid ]; do sleep 0.05; done
		cat /tmp/bg.$flood_pid" >"$TAP_DIR/flood"
	cat "$TAP_DIR/flood"
	grep -q '^flood .* in .* ms' "$TAP_DIR/flood" && ! grep FAIL "$TAP_DIR/flood"
}

# Whether packets get to guest f: some time after it has connected.
f_forwards() { [[ $(cat /sys/class/net/"$F"/brport/state) == 3 ]]; }

# cost NAME [SENT [MOST]]: the neighbour's load during that flood, and, with SENT, while
# dom0 sends f so many packets in a second. Of the processor dom0 may need MOST % more.
cost() {
	local rate title sent=${2:-0} most=${3:-100}
	must "flood" flood_start "$1"
	if ((sent)); then
		must "f can be sent to" until_true 10 f_forwards
		xvt steady $F4 9 rate="$sent" len=1400 secs=60 >/dev/null &
		defer kill $!
	fi
	must "the neighbour's load" load
	must "the flood's end" flood_stop
	read -r rate title < <(sed -nE 's/^flood [^:]*: ([0-9]+) in ([0-9]+) ms: (.*)/\1 \2 \3/p' \
		"$TAP_DIR/flood" | awk '{ printf "%.1f", $1 * 1000 / $2; $1 = $2 = ""; print }')
	diag "$(row_of "$1" "$rate" "$title")"
	holds "$came / $alone >= $COST_RATIO" ||
		fail "N: of $(load_word due) round trips $came were made, and $alone without the flood"
	holds "$(per_cent 'cpu 0') - $(per_cent 'cpu 0' "$TAP_DIR/alone") <= $most" ||
		fail "dom0 needs more than $most % of the processor for it"
}

# cost_case NAME 'title' [SENT [MOST]]
cost_case() {
	eval "t_$1() { cost $1 ${3-} ${4-}; }"
	tap_case "t_$1" "$2" 300
}

# What the load is: all of it arrives, and the machine could do more.
t_load() {
	must "the neighbour's load" load
	diag "$(row_of alone 0 '')"
	holds "$came >= 0.99 * $COST_RATE * $COST_SECONDS" || fail "of $(load_word due) $came were made"
	holds "$(per_cent 'cpu 0') < 50" || fail "dom0 is busy with it: $(per_cent 'cpu 0') %"
}

# kib_free: once it holds still. Pages that a processor keeps at hand are free, and
# MemFree does not have them.
kib_free() {
	mem_free >/dev/null
	awk '$1 == "MemFree:" { n += $2 } /^Node/ { zone = 1 }
		zone && $1 == "count:" { n += $2 * 4 } END { print n }' /proc/meminfo /proc/zoneinfo
}

# pinned NAME: what is free, and how much less than $free_before that is, for a queue
pinned() {
	local now
	now=$(kib_free)
	diag "$(printf '%-34s %8d KiB free, %6d pinned: %6.0f for a queue; slab %d' "$1" "$now" \
		$((free_before - now)) "$(calc "($free_before - $now) / $queues")" \
		"$(awk '$1 == "Slab:" { print $2 }' /proc/meminfo)")"
	less=$((free_before - now))
}

# Memory that a guest pins: the same steps for any number of queues.
memory() {
	local queues=$1 free_before less i backlogs
	defer generator_del
	must "a generator" generator_add 1500
	# Behind the driver's own queue is nothing to keep packets, and the stack's limits
	# are wide: a guest may have made them so by taking packets quickly.
	must "qdisc" tc qdisc replace dev "$F" root handle 1: mq
	defer tc qdisc del dev "$F" root
	for ((i = 1; i <= queues; i++)); do
		check "queue $i" tc qdisc replace dev "$F" parent 1:"$(printf %x $i)" pfifo limit 1
		echo $((64 << 20)) >/sys/class/net/"$F"/queues/tx-$((i - 1))/byte_queue_limits/limit_min
	done
	must "packets" generator_set $F4 $F_MAC $((queues * 2000)) 1514
	# Once for nothing: what is loaded and made but once is there then.
	must "flood" flood_start hoard "$queues"
	must "f can be sent to" until_true 10 f_forwards
	eval "$(generator_bursts 1)"
	must "its end" flood_stop
	free_before=$(kib_free)
	diag "$queues queues; $free_before KiB are free when f is not connected"
	must "idle" flood_start idle "$queues"
	pinned "connected, idle"
	must "its end" flood_stop
	must "pools" flood_start pools "$queues"
	pinned "pages of the pools"
	must "its end" flood_stop
	must "mapped" flood_start mapped "$queues"
	pinned "512 static grants"
	must "its end" flood_stop

	must "hoard" flood_start hoard "$queues"
	pinned "pools and static grants"
	eval "$(generator_bursts 1)"
	backlogs=$(grep -h 'rx backlog' /sys/kernel/debug/xen-netback/"$F"/*q*)
	diag "$backlogs"
	same "queues that are full" \
		"$(sed -E 's/.*; ([0-9]+) of ([0-9]+) bytes.*/\1 \2/' <<<"$backlogs" |
			awk '$1 >= $2' | wc -l)" "$queues"
	pinned "and the backlog full"
	must "its end" flood_stop
	holds "$less <= $COST_QUEUE_KIB * $queues" ||
		fail "$less KiB are pinned, and $((COST_QUEUE_KIB * queues)) is the most"
	pinned "f is not connected any more"
}
t_memory_1() { memory 1; }
t_memory_4() { memory 4; }

tap_setup setup
tap_case t_load "the neighbour's load alone"
cost_case honest 'an honest flood, for comparison: 64 byte packets'
tap_case t_memory_1 'memory that a guest pins, 1 queue' 300
tap_case t_memory_4 'memory that a guest pins, 4 queues' 300
cost_case grant 'B5.1 grants that are none'
cost_case range 'B2.3 data over the end of a page'
cost_case short 'B2.1 packets of no bytes'
cost_case slots 'B2.7 64 slots in a packet'
cost_case empty 'B2.8 slots without data'
cost_case crumbs 'B2.21 slots of one byte'
cost_case large 'another honest flood: 64000 bytes'
cost_case wasted 'B5.2 64000 bytes, and the last grant is none'
cost_case extra 'B3.1 unknown extra infos'
cost_case mcast 'B3.6 multicast messages'
cost_case gso 'B4.7 segments of 48 bytes'
cost_case exts 'B4.10 IPv6 extension headers without end'
cost_case kick_tx 'B7.1 events, tx' 0 $COST_EVENTS
cost_case kick_rx 'B7.1 events, rx' 0 $COST_EVENTS
cost_case kick_ctrl 'B7.1 events, control ring' 0 $COST_EVENTS
cost_case kick_both 'B7.1 events, one channel for both' 0 $COST_EVENTS
cost_case kick_work 'B7.2 an event for each packet'
cost_case ctrl 'B8.2 a full control ring'
cost_case maps 'static grants: 512 pages mapped and unmapped'
cost_case states 'B9.9 states without a pause'
cost_case watched 'B9.11 a watched key written without a pause'
cost_case reconnect 'B10.2 connection after connection'
cost_case corrupt 'B1.1 connection after connection breaks'
cost_case refused 'B9.6 connection after connection fails'
cost_case rx_all 'packets for a guest that takes them, for comparison' 2000
cost_case rx_none 'B6.1 packets for a guest without buffers' 2000
cost_case rx_one 'B6.3 packets for a guest with one buffer at a time' 2000
cost_case rx_bad 'B6.6 packets for a guest whose buffers are none' 2000
tap_run
