#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Several queues, several guests, the counters.
#
#      dom0                                      guest q (6.12, 4 processors)
#      xenbr0 10.0.0.1 --+-------- vif Q.0 ===   10.0.0.12, fd00::12
#                        |                       guest p (6.1)
#                        +-------- vif P.0 ===   10.0.0.13, fd00::13
#      br1 10.0.1.1, fd01::1 ----- vif Q.1 ===   10.0.1.12, fd01::12 (q again)

. /rig/tests/tap.sh
. /rig/tests/net.sh

setup() {
	# dom0 has fewer processors than the most queues tested.
	check "room for 4 queues" eval "echo 4 >$NETBACK/parameters/max_queues"
	check "guest q starts" guest_start q vcpus=4 vif=bridge=xenbr0 &&
		check "guest p starts" guest_start p kernel=6.1 vif=bridge=xenbr0 &&
		check "q has a network" guest_ready q 12 &&
		check "p has a network" guest_ready p 13 &&
		check "dom0 serves" xvt serve $PORT xenbr0 &&
		check "second bridge" bridge br1 1
}

# A stream and datagrams between two guests, each way, are right.
t_guest_to_guest() {
	same "p runs a 6.1 kernel" "$(guest p uname -r | cut -d. -f1-2)" 6.1
	check "q and p, IPv4" guest q xvt tcp 10.0.0.13 $PORT up=8M down=8M
	check "q and p, IPv6" guest q xvt tcp fd00::13 $PORT up=4M down=4M
	check "p and q" guest p xvt tcp 10.0.0.12 $PORT up=4M down=4M flows=4
	check "UDP" guest q xvt udp 10.0.0.13 $PORT 0 4200 13
	check "long UDP" guest p xvt udp fd00::12 $PORT 5000 65507 7001
	check "MTU 9000 on one side only" guest_sh q "ip link set eth0 mtu 9000 &&
		xvt tcp 10.0.0.13 $PORT up=1M down=1M; r=\$?
		ip link set eth0 mtu 1500; exit \$r"
}

# A file has one hash in both guests.
t_guest_file() {
	local want
	want=$(guest_sh p 'xvt gen 5 8M >/tmp/file; sha256sum </tmp/file')
	same "from p to q" \
		"$(guest_sh q "xvt get 10.0.0.13 $PORT /tmp/file | sha256sum")" "$want"
	same "from p to q, sent by p" \
		"$(guest p xvt put fd00::12 $PORT /tmp/file)" "$want"
}

# Broadcast and multicast, from each host to both of the others.
cast_all() {
	local iface=$1 to
	shift
	for to in 10.0.0.255 255.255.255.255 224.0.0.1 239.192.77.1 ff02::1 \
		ff15::77:1; do
		check "to $to" "$@" xvt cast $to $PORT "$iface" 20 expect=2
	done
	check "long ones" "$@" xvt cast 10.0.0.255 $PORT "$iface" 5 expect=2 len=4000
}
t_cast_dom0() { cast_all xenbr0; }
t_cast_q() { cast_all eth0 guest q; }
t_cast_p() { cast_all eth0 guest p; }

# queue_counts DEVICE COUNTER: a number per queue, in order.
queue_counts() {
	ethtool -S "$1" | sed -nE "s/^ *${2%%_*}_queue_([0-9]+)_${2#*_}: /\1 /p" |
		sort -n | cut -d' ' -f2
}

# queue_case SPLIT N: a vif with N queues and that kind of event channels has
# traffic on each queue, each way.
queue_case() {
	local split=$1 n=$2 vif fe be q dir count
	echo "$split" >$NETBACK/parameters/separate_tx_rx_irq
	defer eval "echo 1 >$NETBACK/parameters/separate_tx_rx_irq"
	must "guest's driver with $n queues" netfront_reload q max_queues=$n
	defer vif_detach q 1
	must "attach" vif_attach q 1 bridge=br1
	must "address" guest_address q 1 1 12
	vif=$(vif_name q 1)
	fe=/local/domain/$(guest_domid q)/device/vif/1
	be=$(vif_backend q 1)

	same "feature-split-event-channels" "$(xs "$be/feature-split-event-channels")" "$split"
	same "multi-queue-max-queues" "$(xs "$be/multi-queue-max-queues")" 4
	same "queues asked for" "$(xs "$fe/multi-queue-num-queues")" "$n"
	same "queues of the vif" "$(ls -d /sys/class/net/$vif/queues/tx-* | wc -l)" "$n"
	for ((q = 0; q < n; q++)); do
		[[ $n == 1 ]] && dir=$fe || dir=$fe/queue-$q
		if [[ $split == 1 ]]; then
			[[ $(xs "$dir/event-channel-tx") ]] || fail "queue $q: channels are not split"
			check "interrupt of queue $q tx" grep -q " $vif-q$q-tx$" /proc/interrupts
			check "interrupt of queue $q rx" grep -q " $vif-q$q-rx$" /proc/interrupts
		else
			[[ $(xs "$dir/event-channel") ]] || fail "queue $q: channels are not shared"
			check "interrupt of queue $q" grep -q " $vif-q$q$" /proc/interrupts
		fi
		check "thread of queue $q" grep -qx "$vif-q$q-guest-rx" /proc/[0-9]*/comm
	done
	same "interrupts" "$(grep -c " $vif-q" /proc/interrupts)" $((n * (1 + split)))

	check "many flows" stream 10.0.1.12 64k flows=64
	check "many flows, IPv6" stream fd01::12 64k flows=64
	check "one flow" stream 10.0.1.12 4M
	check "UDP" xvt udp 10.0.1.12 $PORT 0 9000 301
	for dir in tx_packets rx_packets; do
		# Of each queue that there may be, these first.
		read -ra count < <(queue_counts "$vif" $dir | xargs)
		same "queues with a counter $dir" ${#count[@]} 4
		for ((q = 0; q < 4; q++)); do
			(((q < n && count[q] > 50) || (q >= n && !count[q]))) ||
				fail "$dir: ${count[q]} on queue $q of $n: ${count[*]}"
		done
	done
	sums_hold "$vif"
}

# The sums over queues are the device's totals. tx and rx of queues are the
# guest's, those of the device are dom0's. Traffic may arrive between the two
# looks: then the totals differ before and after, and it is looked at again.
sums_hold() {
	local vif=$1 before after i
	for i in 1 2 3 4 5; do
		before=$(device_totals "$vif")
		read -r txp txb rxp rxb <<<"$(queue_sum tx_packets) $(queue_sum tx_bytes) $(queue_sum rx_packets) $(queue_sum rx_bytes)"
		after=$(device_totals "$vif")
		[[ $before == "$after" ]] && break
	done
	same "sums over queues" "$txp $txb $rxp $rxb" "$after"
}
queue_sum() { queue_counts "$vif" "$1" | awk '{ s += $1 } END { printf "%d", s }'; }
# Guest's tx packets and bytes, rx packets and bytes.
device_totals() {
	echo "$(vif_count "$1" rx_packets) $(vif_count "$1" rx_bytes)" \
		"$(vif_count "$1" tx_packets) $(vif_count "$1" tx_bytes)"
}

t_split_1() { queue_case 1 1; }
t_split_2() { queue_case 1 2; }
t_split_4() { queue_case 1 4; }
t_shared_1() { queue_case 0 1; }
t_shared_2() { queue_case 0 2; }
t_shared_4() { queue_case 0 4; }

# not_less WHAT BEFORE AFTER: lists of numbers.
not_less() {
	local a b i
	read -ra a <<<"$2"
	read -ra b <<<"$3"
	for i in "${!a[@]}"; do
		((b[i] >= a[i])) || fail "$1: ${a[i]} fell to ${b[i]}"
	done
}

# The device's totals never fall: not while the guest's driver is away, not
# when it comes again.
t_totals() {
	local vif before now i
	must "guest's driver" netfront_reload q
	must "address" guest_address q 0 0 12
	check "traffic" stream 10.0.0.12 2M flows=8
	vif=$(vif_name q 0)
	before=$(device_totals "$vif")
	for i in ${before}; do
		((i > 1000)) || fail "totals after traffic: $before"
	done
	for i in 1 2; do
		must "unload" netfront_unload q
		now=$(device_totals "$vif")
		not_less "away" "$before" "$now"
		must "load" netfront_load q
		must "connected" vif_wait q 0
		must "address" guest_address q 0 0 12
		not_less "back" "$now" "$(device_totals "$vif")"
		check "traffic" stream 10.0.0.12 1M
		before=$now
		now=$(device_totals "$vif")
		not_less "more traffic" "$before" "$now"
		(($(echo "$now" | cut -d' ' -f2) >= $(echo "$before" | cut -d' ' -f2) + 1000000)) ||
			fail "1 MiB does not show: $before, then $now"
		before=$now
	done
}

# xentop shows a guest's bytes, as the device counts them.
t_xentop() {
	local vif line rx
	vif=$(vif_name p 0)
	check "traffic" stream 10.0.0.13 2M
	xentop -b -i 1 -n >"$TAP_DIR/xentop" 2>&1
	line=$(grep -A1 -E '^ +p ' "$TAP_DIR/xentop" | grep -o 'RX: .*' | head -n 1)
	cat "$TAP_DIR/xentop"
	diag "xentop: $line"
	rx=$(sed -nE 's/^RX: *([0-9]+)bytes.*/\1/p' <<<"$line")
	((${rx:-0} > 2000000)) || fail "xentop's RX of p is '$rx'"
	((${rx:-0} <= $(vif_count "$vif" rx_bytes))) || fail "xentop's RX is above the device's"
}

tap_setup setup
tap_case t_guest_to_guest 'guest to guest through the bridge'
tap_case t_guest_file 'a file has one hash in both guests'
tap_case t_cast_dom0 'broadcast and multicast from dom0 reach both guests'
tap_case t_cast_q 'broadcast and multicast from one guest reach the others'
tap_case t_cast_p 'broadcast and multicast from a 6.1 guest reach the others'
tap_case t_xentop "xentop shows a guest's bytes"
tap_case t_split_1 '1 queue, split event channels'
tap_case t_split_2 '2 queues, split event channels'
tap_case t_split_4 '4 queues, split event channels'
tap_case t_shared_1 '1 queue, shared event channel'
tap_case t_shared_2 '2 queues, shared event channels'
tap_case t_shared_4 '4 queues, shared event channels'
tap_case t_totals 'totals never fall over a reconnect'
tap_run
