#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Memory that is not there: each allocation of ours fails once, in its turn, and
# what was tried fails cleanly; later ones succeed. Needs the debug kernel.
#
#      dom0 (debug)                              guest g (6.12, 2 processors)
#      xenbr0 10.0.0.1, fd00::1 -- vif D.0 ===   10.0.0.11, fd00::11
#                                  vif D.7 ===   written by hand, never connected

. /rig/tests/tap.sh
. /rig/tests/net.sh

G4=10.0.0.11
FAULTS=/sys/kernel/debug
# More than there are: what is offered alone takes a hundred, most of them xenbus's.
ALLOCATIONS=${ALLOCATIONS:-500}

setup() {
	check "failslab" test -d $FAULTS/failslab || return 1
	check "guest g starts" guest_start g vcpus=2 vif=bridge=xenbr0 &&
		check "guest g has a network" guest_ready g 11 || return 1
	XENWATCH=$(pgrep -x xenwatch)
	# Where the kernel makes an interrupt's files below /proc/irq: it goes on without
	# them, and warns when it takes away what is not there. To look takes a while.
	CORE=$(awk '$3 == "register_irq_proc" { at = $1; next }
		at && $1 != at { print "0x" at, "0x" $1; exit }' /proc/kallsyms)
	check "the kernel's symbols" test "$CORE"
	aim
}

# Only allocations with our module on their stack fail, and not those in $CORE. With a
# probability of 0 only /proc/PID/fail-nth makes them, whatever they may wait for.
aim() {
	local kind start size
	start=$((16#$(sed 's/^0x//' $NETBACK/sections/.text)))
	size=$(awk '$1 == "xen_netback" { print $2 }' /proc/modules)
	for kind in failslab fail_page_alloc; do
		echo 0 >$FAULTS/$kind/probability
		echo -1 >$FAULTS/$kind/times
		echo 0 >$FAULTS/$kind/verbose
		echo N >$FAULTS/$kind/task-filter
		echo N >$FAULTS/$kind/ignore-gfp-wait
		echo 32 >$FAULTS/$kind/stacktrace-depth
		printf '0x%x' "$start" >$FAULTS/$kind/require-start
		printf '0x%x' $((start + size)) >$FAULTS/$kind/require-end
		printf '%s' "${CORE% *}" >$FAULTS/$kind/reject-start
		printf '%s' "${CORE#* }" >$FAULTS/$kind/reject-end
	done
	echo 0 >$FAULTS/fail_page_alloc/min-order
}

# The Nth allocation of xenwatch's from now on fails; was it reached?
arm() { echo "$1" >"/proc/$XENWATCH/fail-nth"; }
disarm() {
	left=$(cat "/proc/$XENWATCH/fail-nth")
	echo 0 >"/proc/$XENWATCH/fail-nth"
}

# A vif's nodes, written by hand: what there is of probe runs in xenwatch.
hand_write() {
	vif_write g 7 "$fe/state" 1 "$be/state" 1
}
hand_away() {
	xenstore-write "$be/online" 0
	xenstore-rm "$be"
	xenstore-rm "$fe"
	xenstore-rm "/local/domain/0/error/backend/vif/$B/7"
	until_true 20 no_path "/sys/bus/xen-backend/devices/vif-$B-7" ||
		fail "vif-$B-7 does not go away"
	until_true 20 no_netdev "vif$B.7" || fail "vif$B.7 does not go away"
}
probed() { [[ $(xs "$be/state") == [256] ]]; }

# Probe, until no allocation is left to fail.
t_probe() {
	local n fe be B held left=0 failed=0
	B=$(guest_domid g)
	held=$(cat $NETBACK/refcnt)
	be=$BACKENDS/$B/7
	fe=/local/domain/$B/device/vif/7
	defer disarm
	for ((n = 1; n < ALLOCATIONS && !left; n++)); do
		arm $n
		hand_write
		until_true 20 probed || [[ ! -d /sys/class/net/vif$B.7 ]] ||
			fail "allocation $n: a netdev, and state $(xs "$be/state")"
		disarm
		if [[ $(xs "$be/state") != 2 ]]; then
			left=0
			((failed++))
			no_netdev "vif$B.7" || fail "allocation $n: a failed probe leaves its netdev"
			[[ $(xs "/local/domain/0/error/backend/vif/$B/7/error") ]] ||
				diag "allocation $n: failed without an error node"
		fi
		hand_away
	done
	diag "probe: $((n - 2)) allocations failed in turn, $failed of them ended it"
	((left)) || fail "$ALLOCATIONS allocations and no end"
	((failed > 5)) || fail "only $failed probes failed"
	# The driver's last step, when sysfs has forgotten the device already.
	check "references to the module" until_true 20 eval "[[ \$(cat $NETBACK/refcnt) == $held ]]"
	check "vif 0 lives on" stream $G4 256k
}

connected_or_not() {
	local state
	state=$(xs "$be/state")
	[[ $state == [56] || $state$(xs "$fe/state") == 44 ]]
}

# Connect, the same way: a frontend that is refused comes again and is served.
t_connect() {
	local n left=0 failed=0 be fe vif state
	defer disarm
	for ((n = 1; n < ALLOCATIONS && !left; n++)); do
		((n % 40)) || must "a fresh guest" guest_fresh g 11
		be=$(vif_backend g 0)
		fe=/local/domain/$(guest_domid g)/device/vif/0
		vif=$(vif_name g 0)
		must "unload $n" netfront_unload g
		must "waits $n" until_true 20 eval "[[ \$(xs $be/state) == [26] ]]"
		arm $n
		must "load $n" netfront_load g
		# The frontend's probe returns when the backend has left Closed.
		until_true 30 connected_or_not ||
			fail "allocation $n: frontend $(xs "$fe/state"), backend $(xs "$be/state")"
		disarm
		state=$(xs "$be/state")
		if [[ $state != 4 ]]; then
			left=0
			((failed++))
			check "allocation $n: no thread is left" eval "! grep -qs '^$vif-' /proc/[0-9]*/comm"
			check "allocation $n: no interrupt is left" eval "! grep -q ' $vif' /proc/interrupts"
			# More failures in a row would have to wait.
			((failed % 4)) || sleep 11
		fi
	done
	diag "connect: $((n - 2)) allocations failed in turn, $failed of them ended it"
	((left)) || fail "$ALLOCATIONS allocations and no end"
	((failed > 5)) || fail "only $failed connects failed"
	must "address" guest_address g 0 0 11
	check "traffic" stream $G4 1M
}

# sometimes PROBABILITY: of those allocations that may not wait.
sometimes() {
	local kind
	for kind in failslab fail_page_alloc; do
		echo Y >$FAULTS/$kind/ignore-gfp-wait
		echo "$1" >$FAULTS/$kind/probability
	done
}

# Of the poll's and the thread's allocations some fail: packets are lost, counted
# and answered, and the next ones pass.
sometimes_case() {
	local before after vif
	vif=$(vif_name g 0)
	defer aim
	before=$(ethtool -S "$vif" | awk '/drop_nomem/ { s += $2 } END { print s + 0 }')
	must "load" load_start $G4
	defer load_kill
	sometimes "$1"
	check "datagrams" eval "guest g ping -f -c 300 -s 3000 -W 1 10.0.0.1 | tail -n 2; true"
	sleep 5 # so long a time with failures
	aim
	after=$(ethtool -S "$vif" | awk '/drop_nomem/ { s += $2 } END { print s + 0 }')
	diag "dropped for want of memory: $((after - before))"
	((after > before)) || fail "no failure was counted"
	check "the transfer goes on" load_moves
	check "and was right" load_stop
	check "nothing is lost now" guest g ping -c 20 -i 0.05 -W 5 -q 10.0.0.1
	guest g ping -c 20 -i 0.05 -W 5 -q 10.0.0.1 | grep -q ' 0% packet loss' ||
		fail "packets are lost"
}
t_sometimes_1() { sometimes_case 1; }
t_sometimes_10() { sometimes_case 10; }
t_sometimes_50() { sometimes_case 50; }

tap_setup setup
tap_case t_sometimes_1 'one allocation of the poll in 100 fails'
tap_case t_sometimes_10 'one allocation of the poll in 10 fails'
tap_case t_sometimes_50 'one allocation of the poll in 2 fails'
tap_case t_probe 'each allocation of a probe fails in its turn' 750
tap_case t_connect 'each allocation of a connect fails in its turn' 750
tap_run
