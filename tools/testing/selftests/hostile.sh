#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A guest that lies: each case plays one attack with a frontend in user space
# (tools/testing/frontend), on the real hypervisor. The frontend itself sees to it
# that every slot is answered once and rightly, and that the vif works afterwards;
# here it is seen that dom0's kernel has no complaint, that its log is not flooded,
# that nothing is left behind, and that the neighbour's traffic goes on meanwhile.

. /rig/tests/tap.sh
. /rig/tests/net.sh
. /rig/tests/xvf.sh

# The vif's counters; those that are less than they were go to /tmp/fell.
declare -A was=()
counters() {
	local name value
	while IFS=' :' read -r name value; do
		[[ $value ]] || continue
		((value >= ${was[$name]:-0})) ||
			echo "$name ${was[$name]} to $value" >>/tmp/fell
		was[$name]=$value
	done < <(ethtool -S "$F")
	((!${#was[@]})) || echo >>/tmp/counters.looks
}

setup() {
	xvf_setup rx_drain_timeout_msecs=2000 rx_stall_timeout_msecs=4000 || return
	# Who looks at the vif while it is attacked, and taken down. xenstored is asked by its
	# socket, as xl would: once, in B9.9, it slept for two minutes while dom0's kernel
	# and guest f both waited for it on their rings, until somebody did so.
	: >/tmp/fell
	local be
	be=$(vif_backend f 0)
	(while nap 0.5; do
		counters
		xs "$be/state"
		ip -s link show "$F"
		for file in /sys/kernel/debug/xen-netback/"$F"/*; do mapfile -t <"$file"; done
	done) >/dev/null 2>&1 &
}

# Of the pings to the neighbour: the last one answered, and how many were.
answered() {
	read -r last got < <(awk 'match($0, /icmp_seq=[0-9]+/) {
			n = substr($0, RSTART + 9, RLENGTH - 9) + 0
			if (!seen[n]++)
				got++
			if (n > last)
				last = n
		} END { print last + 0, got + 0 }' "$TAP_DIR/ping")
}
answered_after() { answered && ((last > $1)); }

# attack NAME [VERB...]: xvf_case, while the neighbour is pinged. All are to be
# answered up to one that was sent when the case was over: they come in their order,
# so none of those before it is still on its way, however slow the machine.
attack() {
	local last got pid words
	ping -i 0.05 $N4 >"$TAP_DIR/ping" 2>&1 &
	pid=$!
	defer eval "kill $pid 2>/dev/null; true"
	xvf_case "$@"
	# 20 are a second's.
	answered
	until_true 20 answered_after $((last + 20)) || fail "N: the neighbour does not answer"
	kill -INT $pid
	wait $pid
	answered
	mapfile -t words <"$TAP_DIR/ping"
	diag "neighbour: ${words[*]: -2}"
	((got && got == last)) || fail "N: of $last pings to the neighbour $got were answered"
}

# Seconds; there are cases that go on for longer if told so.
CASE_TIME=$((150 * ${XVF_TIMES:-1}))

# attack_case NAME 'title' [LIE]: how it is seen to fail, see sabotage.ini; a case
# without it sees a dead vif then.
attack_case() {
	xvf_lies[$1]=${3:-dead}
	eval "t_$1() { attack $1; }"
	tap_case "t_$1" "$2" "$CASE_TIME"
}

# meanwhile COMMAND...: again and again, to the end of the case
meanwhile() {
	(while nap 0.02; do "$@"; done) >/dev/null 2>&1 &
	defer kill $!
}

# The vif's interrupts walk over the processors while it is stormed.
turn_irqs() {
	local irq
	for irq in $(awk -F: -v v=" $F-q" 'index($0, v) { print $1 + 0 }' /proc/interrupts); do
		echo $((n++ % 2 + 1)) >"/proc/irq/$irq/smp_affinity"
	done
}

t_b7_5() {
	n=0
	meanwhile turn_irqs
	attack b7_5
}

# Others hold the lock that a connection's end takes.
change_vif() {
	ip link set "$F" mtu 1400
	ethtool -K "$F" tx-tcp-segmentation off
	tc qdisc add dev "$F" clsact
	ethtool -S "$F"
	tc qdisc del dev "$F" clsact
	ethtool -K "$F" tx-tcp-segmentation on
	ip link set "$F" mtu 1500
}

t_b10_7() {
	meanwhile change_vif
	attack b10_7
}

# All that was looked at in this boot, connection after connection.
t_b10_9() {
	diag "$(wc -l </tmp/counters.looks) looks at the counters"
	check "they were looked at" test -s /tmp/counters.looks
	same "counters that fell" "$(head -n 5 /tmp/fell)" ""
}

# The first program dies with a connection, the second one finds it.
t_b10_15() {
	local rc
	guest_sh f "xvf run b10_15_dies"
	rc=$?
	same "the first one's end" $rc 137
	attack b10_15
}

# With a module in the guest that makes them.
t_b5_4() {
	must "the module" guest f insmod /rig/bin/xvf_forge.ko
	defer guest f rmmod xvf_forge
	attack b5_4
}

# Of two vifs of the guest's one breaks.
t_b10_17() {
	must "attach" xl network-attach f bridge=xenbr0
	defer xl network-detach f 1
	# Without its keys nobody waits for a frontend that does not say goodbye.
	defer guest f xenstore-rm device/vif/1
	must "waits" xs_wait "$(vif_backend f 1)/state" 2
	must "the script is done" xs_wait "$(vif_backend f 1)/hotplug-status" connected
	xvf peer "$(vif_name f 1)" >/tmp/peer1.out 2>&1 &
	must "a peer for it" until_true 10 grep -q ready /tmp/peer1.out
	attack b10_17
}

# The host changes its mind which queue whose packets take.
turn_queues() {
	local file
	for file in /sys/class/net/"$F"/queues/tx-*/xps_cpus; do
		echo $((n++ % 3 + 1)) >"$file"
	done
}

t_b6_12() {
	n=0
	meanwhile turn_queues
	attack b6_12
}

# Without its keys there is no frontend, and without that no vif. The toolstack
# has still something to take away.
t_b9_12() {
	local key
	for key in /state ''; do
		must "attach" xl network-attach f bridge=xenbr0
		must "a vif" until_true 20 is_netdev "$(vif_name f 1)"
		must "waits" xs_wait "$(vif_backend f 1)/state" 2
		guest f xenstore-rm "device/vif/1$key"
		check "the vif is gone" until_true 20 no_netdev "$(vif_name f 1)"
		xl network-detach f 1
		check "its keys are gone" xs_wait_gone "$(vif_backend f 1)"
	done
	check "N: the neighbour's traffic" stream $N4 256k timeout=20
}

# The neighbour is honest: each of its events has something to say, from the connection
# on, on two channels and on one.
spurious() { cat "/sys/devices/vif-$(guest_domid n)-$1/xenbus/spurious_events"; }
channels() { grep -c " $(vif_name n "$1")-q" /proc/interrupts; }
honest_traffic() {
	must "traffic both ways" load_start "$1"
	check "pings beside it" ping -q -c "${HONEST_PINGS:-60}" -i 0.02 "$1"
	check "the traffic was right" load_stop
	check "pings alone" ping -q -c 20 -i 0.02 "$1"
}

# All that it did beside the attacks of this boot counts, too.
t_b7_6() {
	same "channels of vif 0" "$(channels 0)" 2
	honest_traffic $N4
	same "spurious events since the boot's begin" "$(spurious 0)" 0
}

# On one channel. Then the vif is full of packets for a guest that is paused, and is
# taken away; and the guest goes on.
t_b10_11() {
	local split=/sys/module/xen_netback/parameters/separate_tx_rx_irq i vif n be
	n=$(guest_domid n)
	be=$(vif_backend n 1)
	defer eval "echo 1 >$split"
	echo 0 >$split
	check "a bridge" bridge br1 1
	defer ip link del br1
	must "attach" vif_attach n 1 bridge=br1
	must "address" guest_address n 1 1 14
	vif=$(vif_name n 1)
	same "channels of vif 1" "$(channels 1)" 1
	honest_traffic 10.0.1.14
	same "spurious events on one channel" "$(spurious 1)" 0

	check "its address is known" ip neigh replace 10.0.1.14 dev br1 nud permanent \
		lladdr "$(xs "/local/domain/$n/device/vif/1/mac")"
	must "pause" xl pause n
	defer xl unpause n
	# More than the driver keeps: the rest is the qdisc's.
	for ((i = 0; i < 100; i++)); do
		printf '%30000s' '' >/dev/udp/10.0.1.14/9
	done 2>/dev/null
	tc -s qdisc show dev "$vif" | grep -q 'backlog [1-9]' || fail "its queue is not full"
	# As the toolstack does it once its patience is over.
	check "its keys go" xenstore-rm "$be" "/local/domain/$n/device/vif/1" \
		"/libxl/$n/device/vif/1"
	check "the vif is gone" until_true 30 no_netdev "$vif"
	check "its threads and interrupts are gone" \
		until_true 10 eval "[[ -z \$(F=$vif xvf_leftovers) ]]"
	check "unpause" xl unpause n
	check "N: the neighbour's traffic" stream $N4 256k timeout=20
}

# Anything: the same steps for the same seed.
t_b11() {
	local seed=${XVF_SEED:-$((RANDOM * 32768 + RANDOM))}
	diag "seed $seed: again with XVF_SEED=$seed"
	attack b11 random "$seed" 20
}

tap_setup setup
attack_case b1_1_tx 'B1.1, B1.2 impossible producer index, tx' state
attack_case b1_1_rx 'B1.1, B1.2, B6.4 impossible producer index, rx' state
attack_case b1_1_ctrl 'B1.2, B8.1 impossible producer index, control ring' state
attack_case b1_3 'B1.3 a producer that goes back and comes again with something else'
attack_case b1_4 'B1.4 producers that jump about'
attack_case b1_5 'B1.5 indices that wrap, requests before the connection' status
attack_case b1_6 'B1.6 rings that hold more than they can'
attack_case b1_7 'B1.7 our indices overwritten'
attack_case b2_1 'B2.1 frames shorter than their header' status
attack_case b2_2 'B2.2 the shortest frames' content
attack_case b2_3 'B2.3 data over the end of a page' status
attack_case b2_4 'B2.4 65535 bytes, and more' status
attack_case b2_5 'B2.5 a slot larger than its frame' status
attack_case b2_6 'B2.6 an empty or tiny first slot' content
attack_case b2_7 'B2.7 18 to 256 slots' status
attack_case b2_8 'B2.8 slots without data' content
attack_case b2_9 'B2.9 19 slots, the last ones empty' content
attack_case b2_11 'B2.11 19 slots, a few bytes in each' content
attack_case b2_12 'B2.12 headers cut anywhere' content
attack_case b2_13 'B2.13 a frame whose end comes late'
attack_case b2_14 'B2.14 unknown flags' content
attack_case b2_15 'B2.15 extra info announced in the middle' status
attack_case b2_16 'B2.16, B2.20 any id, nothing but the answer is written' id
attack_case b2_17 'B2.17 one grant for all slots'
attack_case b2_18 'B2.18 the ring rewritten while it is read'
attack_case b2_19 'B2.19 the data rewritten while they are copied'
attack_case race_tx 'B2.18 slots changed by a second processor' status
attack_case race_any 'B1.4, B2.18 a tx ring that a second processor scribbles over'
attack_case race_rx 'B5.6, B6.6 buffers exchanged by a second processor' content
attack_case race_ctrl 'B8.5 a mapping changed by a second processor'
attack_case b2_21 'B2.21 slots of one byte at full rate'
attack_case b2_22 'B2.22 frames while the interface is down' status
attack_case b3_1 'B3.1 unknown extra infos' status
attack_case b3_2 'B3.2 extra infos without end' status
attack_case b3_3 'B3.3 extra infos that contradict each other' status
attack_case b3_4 'B3.4 multicast messages with data, GSO, bad grants' content
attack_case b3_5 'B3.5 too many multicast addresses, and wrong ones' status
attack_case b3_6 'B3.6 a flood of multicast messages'
attack_case b3_7 'B3.7 any hash, any headroom' content
attack_case b3_8 'B3.8 full multicast lists, connection after connection'
attack_case b4_1 'B4.1-4.3 segment sizes and types that are none' status
attack_case b4_4 'B4.4 segmentation of what is no such TCP' stat
attack_case b4_5 'B4.5 headers that lie about lengths'
attack_case b4_6 'B4.6 segmentation of a single segment' content
attack_case b4_7 'B4.7 65000 bytes in crumbs'
attack_case b4_8 'B4.8 open checksums without a place' stat
attack_case b4_9 'B4.9 open checksums in fragments' stat
attack_case b4_10 'B4.10 IPv6 extension headers without end'
attack_case b4_11 'B4.11 VLAN tags upon VLAN tags'
attack_case b4_12 'B4.12 a wrong checksum said to be right' content
attack_case b4_13 'B4.13 addresses and types of all kinds'
attack_case b4_14 'B4.14 mutated frames'
attack_case b5_1 'B5.1, B5.3 grants that are none, or to others' status
attack_case b5_2 'B5.2 one bad grant anywhere in a frame' status
xvf_lies[b5_4]=status
tap_case t_b5_4 'B5.4, B5.7, B10.14 forged grants' $CASE_TIME
attack_case b5_5 'B5.5 grants of parts of pages, and of grants'
attack_case b5_6 'B5.6 grants taken back' status
attack_case b5_9 'B5.9 frames cut at random' content
attack_case b5_10 'B5.10 a ring full of different grants'
attack_case b5_11 'B5.11 thousands of grants for nothing'
attack_case b1_9 'B1.9 rings as buffers'
attack_case b6_1 'B6.1 no buffers, one queue'
attack_case b6_1_q2 'B6.1 no buffers, two queues'
attack_case b6_3 'B6.3 one buffer at a time'
attack_case b6_4 'B6.4 buffers taken back'
attack_case b6_4_ro 'B5.4 buffers that the host may not write'
attack_case b6_5 'B6.5 one buffer for all, one id for all'
attack_case b6_6 'B6.6 bad grants among the buffers'
attack_case b6_7 'B6.7 no buffers and no word about it' stat
attack_case b6_8 'B6.8 any headroom'
attack_case b6_8_live 'B6.8 headroom changed again and again'
attack_case b6_9 'B6.9 offloads gone while packets wait'
attack_case b6_10 "B6.10 every byte that is not the answer's" content
attack_case b6_11 'B6.11 a packet that never fits'
xvf_lies[b6_12]=dead
tap_case t_b6_12 'B6.12 two processors post buffers' $CASE_TIME
attack_case b5_8 'B5.8 pages that are paged out'
attack_case b7_1 'B7.1, B7.3 a storm of events, split channels'
attack_case b7_1_shared 'B7.1, B7.3 a storm of events, one channel'
attack_case b7_2 'B7.2 a storm of events with a little work'
attack_case b7_4 'B7.4 events at the wrong time'
xvf_lies[b7_5]=dead
tap_case t_b7_5 'B7.5 a storm of events while the interface goes down and up' $CASE_TIME
attack_case b7_7 'B7.7 a storm of events while packets grow old'
attack_case b7_8 'B7.8 channels that are none'
attack_case b7_9 'B7.9 channels closed on our side'
attack_case b8_2 'B8.2 a full control ring'
attack_case b8_3 'B8.3, B8.4, B8.7 any control message'
attack_case b8_5 'B8.5 mappings to queues that are not there'
attack_case b8_6 'B8.6 hash settings changed under traffic'
attack_case b9_1 'B9.1 numbers that are none'
attack_case b9_2 'B9.2 keys that go while they are read'
attack_case b9_3 'B9.3 any number of queues'
attack_case b9_4 'B9.4, B9.5, B1.9, B1.11 rings that are none, or of others'
attack_case b9_6 'B9.6 connection after connection fails'
attack_case b9_7 'B9.7, B9.14 keys written while connected' content
attack_case b9_8 'B9.8 other features with each connection, and a large MTU'
attack_case b9_9 'B9.9 states that are none, without a pause'
attack_case b9_10 'B9.10 all states in turn, without waiting'
attack_case b9_11 'B9.11 a watched key written without a pause' content
tap_case t_b9_12 "B9.12 the frontend's keys deleted"
attack_case b9_13 'B9.13 transactions without an end, watches on everything' content
attack_case b10_1 'B10.1 closing with a full ring'
attack_case b10_2 'B10.2 closing at once'
attack_case b10_3 'B10.3 closing while the host sends'
attack_case b10_4 'B10.4 closing in a storm of events'
attack_case b10_5 'B10.5 connecting twice'
attack_case b10_6 'B10.6 one of two queues breaks' state
xvf_lies[b10_7]=state
tap_case t_b10_7 'B10.7 a ring breaks while the interface changes' $CASE_TIME
attack_case b10_12 'B10.12 a frontend that knows nothing of the last one'
xvf_lies[b10_15]=content
tap_case t_b10_15 'B10.15 killed in the midst of a frame' $CASE_TIME
attack_case b10_16 'B10.16 closing whatever the thread is about'
xvf_lies[b10_17]=state
tap_case t_b10_17 'B10.17 one vif of two breaks' $CASE_TIME
tap_case t_b7_6 "B7.6 an honest neighbour's events" 200
tap_case t_b10_11 'B7.6, B10.11 one channel; the vif of a paused guest is taken away' 150
tap_case t_b11 'B11.1 anything, at random' 200
tap_case t_b10_9 'B10.9 counters that only grow'
tap_run
