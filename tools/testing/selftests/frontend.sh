#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What an honest frontend may ask for and Linux's own does not: each feature of
# the protocol, used by a frontend in user space (tools/testing/frontend). And
# headroom as Linux's own asks for it, by an XDP program.

. /rig/tests/tap.sh
. /rig/tests/net.sh
. /rig/tests/xvf.sh
. /rig/tests/trace.sh

# The stall and the age limit are awaited.
setup() { xvf_setup rx_drain_timeout_msecs=2000 rx_stall_timeout_msecs=4000; }

# feature_case NAME 'title' [LIE]: case NAME of the frontend's, and how it is seen to
# fail, see sabotage.ini; if there is nothing it sees bytes change.
feature_case() {
	xvf_lies[$1]=${3:-content}
	eval "t_$1() { xvf_case $1; }"
	tap_case "t_$1" "$2"
}

# Linux's own frontend, with an XDP program: of all that it does its state comes last.
xdp_start() {
	local fe
	fe=/local/domain/$(guest_domid n)/device/vif/0
	xdp_pid=$(guest_bg n "exec xvf xdp eth0 $1") &&
		until_true 20 eval '[[ $(xs '"$fe"'/xdp-headroom) == 256 ]]' &&
		xs_wait "$fe/state" 4 && xs_wait "$(vif_backend n 0)/state" 4
}
xdp_stop() {
	local fe
	fe=/local/domain/$(guest_domid n)/device/vif/0
	guest n kill "$xdp_pid" && until_true 20 eval '[[ $(xs '"$fe"'/xdp-headroom) == 0 ]]' &&
		xs_wait "$fe/state" 4 && xs_wait "$(vif_backend n 0)/state" 4
}
# rx_counts VIF: packets and slots, of all queues, at one look.
rx_counts() {
	ethtool -S "$1" | awk '
		/^ *rx_queue_[0-9]+_packets:/ { packets += $2 }
		/^ *rx_queue_[0-9]+_slots:/ { slots += $2 }
		END { print packets, slots }'
}
# slots_are PER-PACKET: of small packets to n.
slots_are() {
	local vif packets slots more
	vif=$(vif_name n 0)
	read -r packets slots <<<"$(rx_counts "$vif")"
	check "ping" ping -q -c 10 -i 0.2 $N4
	read -r -a more <<<"$(rx_counts "$vif")"
	packets=$((more[0] - packets))
	slots=$((more[1] - slots))
	((packets >= 10 && slots == $1 * packets)) || fail "$packets packets in $slots slots"
}

# It changes headroom while it is connected, by Reconfiguring, and waits for us.
t_xdp_netfront() {
	local errors
	must "a program that passes all" xdp_start pass
	errors=$(guest_rx_errors n)
	check "traffic through it" stream $N4 1M
	# What is in more than one slot it drops.
	same "packets that it dropped" "$(guest_rx_errors n)" "$errors"
	slots_are 2 # the second tells the headroom
	must "it is taken away" xdp_stop
	check "traffic without it" stream $N4 1M
	slots_are 1
	must "a program that drops all" xdp_start drop
	ping -q -c 3 -i 0.2 -W 1 $N4 && fail "its frames come through"
	must "it is taken away" xdp_stop
	check "traffic without it" stream $N4 1M
}

# What a frontend has set over the control ring, as ethtool and debugfs show it.
t_hash_shown() {
	local fe said pid file=/sys/kernel/debug/xen-netback/$F/ctrl
	local key='6d 5a 56 da 25 5b 0e c2 41 67 25 3d 43 a3 8f b0 d0 ca 2b cb ae 7b 30 b4 77 cb 2d a3 80 30 f2 0c 6a 42 b7 3b be ac 01 fa'
	fe=/local/domain/$(guest_domid f)/device/vif/0
	pid=$(guest_bg f 'exec xvf run held')
	defer eval "guest f kill $pid 2>/dev/null; true"
	must "it is connected" xs_wait "$fe/xvf" held

	said=$(ethtool -x "$F")
	same "ethtool -x, key" "$(sed -n '/^RSS hash key:/{n;p}' <<<"$said")" "${key// /:}"
	same "ethtool -x, table" \
		"$(awk '/^ +[0-9]+:/ { for (i = 2; i <= NF; i++) printf "%s", $i }' <<<"$said")" \
		"$(printf '00001111%.0s' {1..16})"
	check "ethtool -x, function" grep -q 'toeplitz: on' <<<"$said"

	same "files" "$(ls "${file%/*}" | xargs)" "ctrl io_ring_q0 io_ring_q1"
	same "who may read it" "$(stat -c %a "$file")" 400
	said=$(cat "$file")
	diag "$said"
	same "its ring" "$(head -n 3 <<<"$said" | sed 's/, event.*//' | xargs)" \
		"ctrl ring: 128 entries, 0 to do, 0 to answer requests: producer 5, consumer 5 responses: producer 5, private 5"
	check "algorithm" grep -qx 'hash: toeplitz' <<<"$said"
	check "types" grep -qx 'types: ipv4 ipv4+tcp ipv6 ipv6+tcp' <<<"$said"
	check "key" grep -qx "key: 40 bytes: $key" <<<"$said"
	check "mapping" grep -qx 'mapping: 128 entries' <<<"$said"
	same "entries" "$(awk '/^ +[0-9]+: /{ for (i = 2; i <= NF; i++) printf "%s", $i }' <<<"$said")" \
		"$(printf '00001111%.0s' {1..16})"

	check "it may go" xenstore-write "$fe/xvf" seen
	check "it goes" xs_wait_gone "$fe/xvf"
	check "and is gone" xs_wait "$(vif_backend f 0)/state" 2
	same "its complaints" "$(guest f cat "/tmp/bg.$pid")" ""
}

# drops COUNTER...: of guest f's vif, together.
drops() {
	local name
	for name in "$@"; do
		vif_stat "$F" "$name"
	done | awk '{ n += $1 } END { print n }'
}

# What goes wrong can be told by tracepoints, and drops by their reason.
t_trace() {
	local copy old stalled
	# While it is down nobody sends to it, so that what is counted is what is traced.
	defer ip link set "$F" up
	must "down" ip link set "$F" down
	copy=$(drops tx_queue_0_drop_copy)
	old=$(drops rx_queue_{0,1}_drop_{expired,purged})
	stalled=$(drops rx_queue_{0,1}_drop_{stalled,disconnected})
	must "perf" trace_start xen_netback:xenvif_{ctrl,stall,fatal} skb:kfree_skb
	must "up" ip link set "$F" up
	xvf_case events
	must "down" ip link set "$F" down
	must "perf's report" trace_stop
	copy=$(($(drops tx_queue_0_drop_copy) - copy))
	old=$(($(drops rx_queue_{0,1}_drop_{expired,purged}) - old))
	stalled=$(($(drops rx_queue_{0,1}_drop_{stalled,disconnected}) - stalled))
	diag "$(grep -E "xen_netback|reason: (DEV_|QUEUE)" "$TAP_DIR/trace" | sort | uniq -c | sort -rn | head -n 20)"

	same "control messages" "$(traced "xenvif_ctrl: *$F ")" 8
	same "one with an answer" "$(traced "xenvif_ctrl: *$F id=[0-9]+ type=4 data=0,0,0 status=0 answer=128$")" 1
	same "one that is refused" "$(traced "xenvif_ctrl: *$F id=[0-9]+ type=7 data=77,0,0 status=2 answer=0$")" 1
	same "stalls" "$(traced "xenvif_stall: *$F-q1 stalled$")" 1
	same "and their ends" "$(traced "xenvif_stall: *$F-q1 ready$")" 1
	same "fatal errors" "$(traced "xenvif_fatal: *$F the TX ring is corrupt$")" 1

	diag "dropped: $copy not copied, $old too old, $stalled while stalled"
	((copy == 1 && old > 0 && stalled >= 5)) || fail "dropped: $copy, $old, $stalled"
	same "not copied" "$(traced 'kfree_skb: .*location=xenvif_tx_.*reason: DEV_HDR')" "$copy"
	same "too old" "$(traced 'kfree_skb: .*location=xenvif_rx_.*reason: QUEUE_PURGE')" "$old"
	same "while stalled" "$(traced 'kfree_skb: .*reason: DEV_READY')" "$stalled"
}

tap_setup setup
feature_case content 'content both ways, one queue, split channels'
feature_case shared 'content both ways, one channel'
feature_case queues 'two queues, both kinds of channels'
feature_case slots '1 to 19 slots, and 65535 bytes'
feature_case four 'a frontend with four buffers'
feature_case no_sg 'a frontend without feature-sg'
feature_case gso_rx 'packets to be segmented, to the guest'
feature_case gso_tx 'packets to be segmented, from the guest'
feature_case gso_fixup 'packets to be segmented that have a checksum'
feature_case unfit 'checksums where no frontend looks for them'
feature_case csum 'checksums left open, and filled in for who wants them'
feature_case mcast_static 'multicast control from the beginning'
feature_case mcast_dynamic 'multicast control switched on and off'
feature_case mcast_limit '64 multicast addresses and not one more'
feature_case ctrl 'every message of the control ring, every status' ctrl
feature_case hash 'the published vectors of the hash'
feature_case mapping 'the mapping chooses the queue'
feature_case hash_tx 'hashes from the guest'
feature_case xdp 'headroom: negotiated, changed, refused'
feature_case no_notify 'a frontend without feature-rx-notify'
feature_case stall 'a queue stalls, drains and comes back'
feature_case timeouts 'one of two queues gets no buffers: how long it has'
feature_case live_rings 'rings in use, over the end of the index'
feature_case prefix 'GSO prefix keys change nothing'
feature_case burst 'a burst is sent off as one' stat
feature_case grefs 'static grants' ctrl
feature_case at_once '30 connections, each used at once' dead
tap_case t_hash_shown 'ethtool -x and debugfs show what the frontend has set'
tap_case t_trace 'tracepoints and drop reasons of what goes wrong'
tap_case t_xdp_netfront "an XDP program in Linux's own frontend"
tap_run
