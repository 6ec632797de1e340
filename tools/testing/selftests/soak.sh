#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The long runs: SOAK_CYCLES times attach and detach, SOAK_SAVES times save and
# restore with connections alive, SOAK_FLAPS times down and up, and SOAK_CROWDS times
# four guests at once whose vifs come and go.
#
#      dom0                                      guest g (6.12, 2 processors)
#      xenbr0 10.0.0.1, fd00::1 -- vif D.0 ===   10.0.0.11, fd00::11
#      br1    10.0.1.1, fd01::1 -- vif D.1 ===   10.0.1.11
#                                                (comes and goes)

. /rig/tests/tap.sh
. /rig/tests/net.sh
. /rig/tests/inventory.sh

G4=10.0.0.11
G6=fd00::11
SOAK_CYCLES=${SOAK_CYCLES:-1000}
SOAK_SAVES=${SOAK_SAVES:-10}
SOAK_FLAPS=${SOAK_FLAPS:-1000}
SOAK_CROWDS=${SOAK_CROWDS:-3}

new_guest() {
	check "guest g starts" guest_start g vcpus=2 vif=bridge=xenbr0 &&
		check "guest g has a network" guest_ready g 11
}

setup() {
	bridge br1 1
	new_guest
}

# hand_attach HANDLE, hand_detach HANDLE: what xl writes, and no more: that takes a tenth
# of the time. What is there for the guest it sees when it is whole.
hand_attach() {
	local d be fe
	d=$(guest_domid g)
	be=$BACKENDS/$d/$1
	fe=/local/domain/$d/device/vif/$1
	vif_write g "$1" "$be/hotplug-status" connected &&
		xenstore-chmod -r "$be" n0 "r$d" && xenstore-chmod -r "$fe" "n$d" r0 &&
		xenstore-write "$be/state" 1 "$fe/state" 1 &&
		xs_wait "$be/state" 4 && xs_wait "$fe/state" 4
}
hand_detach() {
	local d be fe
	d=$(guest_domid g)
	be=$BACKENDS/$d/$1
	fe=/local/domain/$d/device/vif/$1
	xenstore-write "$be/online" 0 "$be/state" 5
	until_true 20 no_path "/sys/bus/xen-backend/devices/vif-$d-$1" &&
		until_true 20 no_netdev "vif$d.$1" && xenstore-rm "$be" && xenstore-rm "$fe"
}

# Attach and detach, each tenth by xl and with traffic; a fresh guest now and then. By hand
# there is another handle each time: the guest is not asked whether it has forgotten the
# last one.
t_cycles() {
	local i before=$TAP_DIR/before after=$TAP_DIR/after first used=0
	must "the first time" vif_attach g 1 bridge=br1
	must "and away" vif_detach g 1
	inventory >"$before"
	for ((i = 1; i <= SOAK_CYCLES; i++)); do
		((i % 40)) || must "a fresh guest" guest_fresh g 11
		if ((i % 10 == 1)); then
			must "attach $i" vif_attach g 1 bridge=br1
			must "address $i" guest_address g 1 1 11
			check "traffic $i" stream 10.0.1.11 512k
			must "detach $i" vif_detach g 1
		else
			must "attach $i" hand_attach $((10 + i % 40))
			must "detach $i" hand_detach $((10 + i % 40))
		fi
		if ((i % 100 == 0)); then
			used=$(kernel_memory)
			[[ ${first-} ]] || first=$used
			diag "$i cycles, kernel memory $used KiB"
		fi
	done
	must "a fresh guest" guest_fresh g 11
	must "once more" vif_attach g 1 bridge=br1
	must "and away" vif_detach g 1
	inventory >"$after"
	same_inventory <(inventory_plain <"$before") <(inventory_plain <"$after")
	[[ ${first-} ]] || return 0
	diag "kernel memory grew by $((used - first)) KiB in $((SOAK_CYCLES - 100)) cycles"
	# A queue's structures alone are tens of KiB, its rings 8 KiB.
	((used - first < 1024 + SOAK_CYCLES)) || fail "kernel memory grew by $((used - first)) KiB"
}

# One connection through all of the saves and restores. The image is in dom0's memory:
# the machine's clock runs on while it waits for the host's disk, and TCP would give up.
t_saves() {
	local i image=/dev/shm/g.image
	defer rm -f $image
	must "load" load_start $G4
	defer load_kill
	for ((i = 1; i <= SOAK_SAVES; i++)); do
		must "save $i" guest_save g $image
		must "restore $i" guest_restore g $image
		must "connected $i" vif_wait g 0
		check "the connection goes on after $i" load_moves
	done
	check "and was right" load_stop
	check "traffic" stream $G6 1M
}

# The link flaps with the guest's queue full.
t_flaps() {
	local vif i
	vif=$(vif_name g 0)
	must "load" load_start $G4
	defer load_kill
	defer ip link set "$vif" up
	for ((i = 1; i <= SOAK_FLAPS; i++)); do
		ip link set "$vif" down || fail "down $i"
		ip link set "$vif" up || fail "up $i"
		((i % 100)) || check "goes on after $i" load_moves
	done
	check "the connection goes on" load_moves
	check "and was right" load_stop
}

# come_and_go GUEST VIFS QUEUES ROUNDS: that many vifs of so many queues are attached
# and detached; the seconds of each round go to $TAP_DIR/GUEST.
come_and_go() {
	local name=$1 vifs=$2 queues=$3 rounds=$4 i h start got
	for ((i = 0; i < rounds; i++)); do
		start=$EPOCHREALTIME
		for ((h = 0; h < vifs; h++)); do
			vif_attach "$name" $h bridge=br1 || return
		done
		got=$(cat /proc/[0-9]*/comm 2>/dev/null | grep -c "^vif$(guest_domid "$name")\.")
		((got == vifs * queues)) || {
			echo "$name: $got threads for $vifs vifs of $queues queues"
			return 1
		}
		for ((h = vifs - 1; h >= 0; h--)); do
			vif_detach "$name" $h || return
		done
		echo "$EPOCHREALTIME $start" | awk '{ print $1 - $2 }' >>"$TAP_DIR/$name"
	done
}

# Four guests at once. The first of a pair has many vifs, the second many queues; their
# drivers keep memory from each detach on, so they are fresh ones each time.
t_crowd() {
	local i name jobs before=$TAP_DIR/before after=$TAP_DIR/after
	local -A crowd=([p1]='8 2' [p2]='2 8' [p3]='8 1' [p4]='4 4')
	must "the other guest goes" guest_kill g
	defer new_guest
	defer eval "echo $(cat $NETBACK/parameters/max_queues) >$NETBACK/parameters/max_queues"
	echo 8 >$NETBACK/parameters/max_queues
	inventory_kernel 0 >"$before"
	for ((i = 1; i <= SOAK_CROWDS; i++)); do
		jobs=()
		for name in "${!crowd[@]}"; do
			defer guest_kill "$name"
			must "guest $name" guest_start "$name" mem=448 cmdline=rig.nonetfront
			must "its driver" netfront_load "$name" max_queues="${crowd[$name]#* }"
		done
		for name in "${!crowd[@]}"; do
			# shellcheck disable=SC2086 # two numbers
			come_and_go "$name" ${crowd[$name]} 8 >"$TAP_DIR/$name.out" 2>&1 &
			jobs+=($!)
		done
		for name in "${jobs[@]}"; do
			wait "$name" || fail "crowd $i: $(cat "$TAP_DIR"/p?.out)"
		done
		for name in "${!crowd[@]}"; do
			must "$name goes" guest_kill "$name"
		done
	done
	for name in "${!crowd[@]}"; do
		diag "$name, ${crowd[$name]}: seconds a round $(xargs <"$TAP_DIR/$name")"
	done
	inventory_kernel 0 >"$after"
	same_inventory <(inventory_plain <"$before") <(inventory_plain <"$after")
}

tap_setup setup
tap_case t_flaps "$SOAK_FLAPS times down and up under load" $((120 + SOAK_FLAPS))
tap_case t_saves "$SOAK_SAVES times save and restore, one connection" $((120 + 120 * SOAK_SAVES))
tap_case t_cycles "$SOAK_CYCLES times attach and detach leave nothing behind" $((300 + 12 * SOAK_CYCLES))
tap_case t_crowd "$SOAK_CROWDS times four guests at once whose vifs come and go" $((300 + 600 * SOAK_CROWDS))
tap_run
