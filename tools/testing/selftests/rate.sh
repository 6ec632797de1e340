#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The rate limit, in the deterministic mode: the emulated machine's clock counts
# instructions there, so nothing but the driver decides how much is sent in a second.
#
#      dom0                                      guest q (6.12, 4 processors)
#      xenbr0 10.0.0.1 ----------- vif Q.0 ===   10.0.0.12, fd00::12
#      br1 10.0.1.1, fd01::1 ----- vif Q.1 ===   10.0.1.12, fd01::12 (q again)

. /rig/tests/tap.sh
. /rig/tests/net.sh

setup() {
	# dom0 has fewer processors than the most queues tested.
	check "room for 4 queues" eval "echo 4 >$NETBACK/parameters/max_queues"
	check "guest q starts" guest_start q vcpus=4 vif=bridge=xenbr0 &&
		check "q has a network" guest_ready q 12 &&
		check "second bridge" bridge br1 1
}

# rate_is DEVICE BYTES-PER-SECOND: what the guest sends, once its first burst is over:
# in each of three samples.
rate_is() {
	local vif=$1 want=$2 t b t0 b0 i rate
	sleep 3 # the first burst, and slow start
	t0=$(date +%s%N)
	b0=$(vif_count "$vif" rx_bytes)
	for i in 1 2 3; do
		sleep 2
		t=$(date +%s%N)
		b=$(vif_count "$vif" rx_bytes)
		rate=$(((b - b0) * 1000000 / ((t - t0) / 1000)))
		diag "rate: set $want bytes/s, is $rate"
		((rate > want * 9 / 10 && rate < want * 11 / 10)) ||
			fail "rate is $rate bytes/s, should be $want within 10 %"
		t0=$t
		b0=$b
	done
}

# rate_case QUEUES: what the guest may send per second is one number for all
# of the vif, changes when the node does, and does not bind the other way.
rate_case() {
	local vif flood
	must "guest's driver" netfront_reload q max_queues="$1"
	defer vif_detach q 1
	must "attach" vif_attach q 1 bridge=br1 rate=8Mb/s
	must "address" guest_address q 1 1 12
	vif=$(vif_name q 1)
	same "queues" "$(ls -d "/sys/class/net/$vif/queues/tx-"* | wc -l)" "$1"
	same "rate in xenstore" "$(xs "$(vif_backend q 1)/rate")" 50000,50000
	xvt tcp 10.0.1.12 $PORT down=endless flows=16 >"$TAP_DIR/flood" 2>&1 &
	flood=$!
	rate_is "$vif" 1000000
	xenstore-write "$(vif_backend q 1)/rate" 40000,20000
	rate_is "$vif" 2000000
	kill $flood
	check "what came was right" wait $flood
	cat "$TAP_DIR/flood"
	check "both ways, right" stream 10.0.1.12 1M
	check "the other way is free: 8 MiB in 20 s" timeout 20 xvt tcp 10.0.1.12 $PORT up=8M
}
t_rate_1() { rate_case 1; }
t_rate_4() { rate_case 4; }

tap_setup setup
tap_case t_rate_1 'rate= holds within 10 %, 1 queue'
tap_case t_rate_4 'rate= holds within 10 % for all of 4 queues together'
tap_run
