#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What an honest frontend may ask for and Linux's own does not: each feature of
# the protocol, used by a frontend in user space (tools/testing/frontend). And
# headroom as Linux's own asks for it, by an XDP program.

. /rig/tests/tap.sh
. /rig/tests/net.sh
. /rig/tests/xvf.sh

# The stall and the age limit are awaited.
setup() { xvf_setup rx_drain_timeout_msecs=2000 rx_stall_timeout_msecs=4000; }

# feature_case NAME 'title' [LIE]: case NAME of the frontend's, and how it is seen to
# fail, see sabotage.ini; if there is nothing it sees bytes change.
feature_case() {
	xvf_lies[$1]=${3:-content}
	eval "t_$1() { xvf_case $1; }"
	tap_case "t_$1" "$2"
}

# Linux's own frontend, with an XDP program.
xdp_start() {
	local fe
	fe=/local/domain/$(guest_domid n)/device/vif/0
	xdp_pid=$(guest_bg n "exec xvf xdp eth0 $1") &&
		until_true 20 eval '[[ $(xs '"$fe"'/xdp-headroom) == 256 ]]' &&
		xs_wait "$(vif_backend n 0)/state" 4
}
xdp_stop() {
	local fe
	fe=/local/domain/$(guest_domid n)/device/vif/0
	guest n kill "$xdp_pid" && until_true 20 eval '[[ $(xs '"$fe"'/xdp-headroom) == 0 ]]' &&
		xs_wait "$(vif_backend n 0)/state" 4
}
t_xdp_netfront() {
	must "a program that passes all" xdp_start pass
	check "traffic through it" stream $N4 1M
	must "it is taken away" xdp_stop
	check "traffic without it" stream $N4 1M
	must "a program that drops all" xdp_start drop
	ping -q -c 3 -i 0.2 -W 1 $N4 && fail "its frames come through"
	must "it is taken away" xdp_stop
	check "traffic without it" stream $N4 1M
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
feature_case live_rings 'rings in use, over the end of the index'
feature_case prefix 'GSO prefix keys change nothing'
feature_case grefs 'static grants' ctrl
feature_case at_once '30 connections, each used at once' dead
tap_case t_xdp_netfront "an XDP program in Linux's own frontend"
tap_run
