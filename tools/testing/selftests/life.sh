#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A vif's life: it comes, it goes, its guest or its driver goes first, and
# nothing stays behind.
#
#      dom0                                      guest g (6.12, 2 processors)
#      xenbr0 10.0.0.1, fd00::1 -- vif D.0 ===   10.0.0.11, fd00::11
#      br1    10.0.1.1, fd01::1 -- vif D.1 ===   10.0.1.11, fd01::11
#                                                (comes and goes)

. /rig/tests/tap.sh
. /rig/tests/net.sh
. /rig/tests/inventory.sh

G4=10.0.0.11
G6=fd00::11
CYCLES=${CYCLES:-35}

# new_guest [OPTION]...: of guest_start
new_guest() {
	check "guest g starts" guest_start g vcpus=2 vif=bridge=xenbr0 "$@" &&
		check "guest g has a network" guest_ready g 11
}

setup() {
	bridge br1 1
	new_guest
}

# A vif that came and went often leaves nothing: device, thread, interrupt,
# event channel, grant, mapping, xenstore node, memory.
t_cycles() {
	local i before=$TAP_DIR/before after=$TAP_DIR/after early=$((CYCLES * 2 / 7)) used
	# Each detach costs it the 2 MiB of receive buffers that it had posted.
	must "the guest goes" guest_kill g
	must "one with memory for that" new_guest mem=512
	must "the first time" vif_attach g 1 bridge=br1
	must "and away" vif_detach g 1
	diag "guest g: $(guest g grep -E 'MemFree|MemAvailable' /proc/meminfo | xargs)"
	inventory >"$before"
	diag "$(grep -E 'event channels|grants in use|mapped rings|references' "$before" | paste -sd,)"
	for ((i = 1; i <= CYCLES; i++)); do
		must "attach $i" vif_attach g 1 bridge=br1
		if ((i % 10 == 1)); then
			must "address $i" guest_address g 1 1 11
			check "traffic $i" stream 10.0.1.11 512k
			inventory >"$after"
			! diff "$before" "$after" >/dev/null || fail "an attached vif does not show in the inventory"
		fi
		must "detach $i" vif_detach g 1
		if ((i == early)); then
			used=$(kernel_memory)
			slabs >"$TAP_DIR/slabs"
		fi
	done
	used=$(($(kernel_memory) - used))
	diag "guest g: $(guest g grep -E 'MemFree|MemAvailable' /proc/meminfo | xargs)"
	inventory >"$after"
	same_inventory "$before" "$after"
	diag "kernel memory grew by $used KiB in $((CYCLES - early)) cycles"
	slabs | join "$TAP_DIR/slabs" - | awk '{ d = $3 - $2; if (d > 64 || d < -64) print "slab " $1 ": " d " KiB" }' >"$TAP_DIR/grown"
	diag "$(cat "$TAP_DIR/grown")"
	# A queue's structures alone are tens of KiB, its rings 8 KiB.
	# KASAN keeps what is freed for a while; there it is kmemleak that looks.
	[[ $RIG_DOM0_KERNEL == debug ]] || ((used < 1024)) || fail "kernel memory grew by $used KiB"
}

# The guest's driver goes and comes again.
t_reload() {
	local i before=$TAP_DIR/before after=$TAP_DIR/after
	inventory | grep -v '^event channels' >"$before"
	for i in 1 2 3; do
		must "unload" netfront_unload g
		check "no thread is left" eval "! grep -qs '^vif' /proc/[0-9]*/comm"
		check "no interrupt is left" eval "! grep -q ' vif' /proc/interrupts"
		must "load" netfront_load g
		must "connected" vif_wait g 0
		must "address" guest_address g 0 0 11
		check "traffic" stream $G4 1M
	done
	inventory | grep -v '^event channels' >"$after"
	same_inventory "$before" "$after"
}

# The guest's driver goes in the middle of a transfer.
t_reload_busy() {
	must "load" load_start $G4
	defer load_kill
	must "unload" netfront_unload g
	must "load the driver" netfront_load g
	must "connected" vif_wait g 0
	must "address" guest_address g 0 0 11
	check "the connection goes on" load_moves
	check "and was right" load_stop
}

# The guest restarts; the old vif is gone, the new one works.
t_reboot() {
	local old
	old=$(vif_name g 0)
	must "load" load_start $G4
	defer load_kill
	must "reboot" guest_reboot g
	must "network" guest_ready g 11
	check "the old vif is gone" no_netdev "$old"
	check "nor has it a node" eval "! xenstore-exists $BACKENDS/${old//[!0-9]/}"
	check "traffic" stream $G4 1M
	check "traffic" stream $G6 1M
}

# A paused guest costs nothing but time.
t_pause() {
	must "load" load_start $G4
	defer load_kill
	for i in 1 2 3; do
		xl pause g
		sleep 3 # dom0's queue fills
		xl unpause g
		check "goes on after pause $i" load_moves
	done
	check "and was right" load_stop
}

# A guest is saved and restored in the middle of a transfer: the connection
# lives, every byte is right. The image is in dom0's memory: the machine's clock runs on
# while it waits for the host's disk.
t_save() {
	local old image=/dev/shm/g.image
	old=$(vif_name g 0)
	defer rm -f $image
	must "load" load_start $G4
	defer load_kill
	if ! check "save" guest_save g $image; then
		# The toolstack does not look after this guest any more.
		guest_kill g
		new_guest
		return 1
	fi
	check "the old vif is gone" until_true 10 no_netdev "$old"
	must "restore" guest_restore g $image
	must "connected" vif_wait g 0
	check "the connection goes on" load_moves 1M
	check "and was right" load_stop
	check "traffic" stream $G6 1M
}

# A script that fails: the toolstack says so, nothing stays, the next attach
# works.
t_script_fails() {
	local before=$TAP_DIR/before after=$TAP_DIR/after i
	printf '#!/bin/bash\nexit 1\n' >/etc/xen/scripts/vif-fails
	chmod +x /etc/xen/scripts/vif-fails
	inventory >"$before"
	for i in 1 2; do
		! xl network-attach g bridge=br1 script=vif-fails >"$TAP_DIR/xl" 2>&1 ||
			fail "xl network-attach was content with a failing script"
		cat "$TAP_DIR/xl"
		check "xl says why" grep -qi 'script' "$TAP_DIR/xl"
		# What the toolstack leaves is its own; it takes it back when asked.
		xl network-detach g 1
		check "no vif stays" until_true 30 no_netdev "$(vif_name g 1)"
		check "no node stays" xs_wait_gone "$(vif_backend g 1)"
		check "the guest knows" vif_lost g 1
	done
	inventory >"$after"
	same_inventory "$before" "$after"
	must "the next attach" vif_attach g 1 bridge=br1
	defer vif_detach g 1
	must "address" guest_address g 1 1 11
	check "traffic" stream 10.0.1.11 1M
}

# The vif is switched off and on under load, for long enough that the guest's
# queue is full: the guest goes on.
t_down_up() {
	local vif i
	vif=$(vif_name g 0)
	must "load" load_start $G4
	defer load_kill
	defer ip link set "$vif" up
	for i in 1 2 3; do
		ip link set "$vif" down
		guest g ping -c 30 -i 0.02 -W 1 10.0.0.1 && fail "a vif that is down answers"
		ip link set "$vif" up
		check "goes on after $i" load_moves
	done
	check "and was right" load_stop
	check "the guest reaches dom0" guest g ping -c 3 -i 0.2 -W 2 10.0.0.1
	check "no transmit timeout in the guest" eval "! guest g dmesg | grep -i 'transmit queue.*timed out'"
}

# A vif in a network namespace works there, and goes when it is detached.
t_netns() {
	local vif before=$TAP_DIR/before after=$TAP_DIR/after
	inventory >"$before"
	must "attach" vif_attach g 1 bridge=br1
	vif=$(vif_name g 1)
	defer ip netns del t
	ip netns add t
	must "into the namespace" ip link set "$vif" netns t
	ip -n t addr add 10.0.2.1/24 dev "$vif"
	ip -n t -6 addr add fd02::1/64 dev "$vif" nodad
	ip -n t link set "$vif" up
	must "address" guest_address g 1 2 11
	check "IPv4 there" ip netns exec t xvt tcp 10.0.2.11 $PORT up=2M down=2M
	check "IPv6 there" ip netns exec t xvt tcp fd02::11 $PORT up=1M down=1M
	check "reconnect there" netfront_reload g
	guest_address g 0 0 11
	must "vif 1 again" xs_wait "$(vif_backend g 1)/state" 4
	must "address" guest_address g 1 2 11
	check "traffic after it" ip netns exec t xvt tcp 10.0.2.11 $PORT up=1M down=1M
	xl network-detach g 1
	check "no node is left" xs_wait_gone "$(vif_backend g 1)"
	check "the guest knows" vif_lost g 1
	check "not here" no_netdev "$vif"
	check "not there" eval "! ip -n t link show $vif"
	inventory >"$after"
	same_inventory "$before" "$after"
}

# The namespace goes first: the vif comes back here, and goes when detached.
t_netns_gone() {
	local vif before=$TAP_DIR/before after=$TAP_DIR/after
	inventory >"$before"
	must "attach" vif_attach g 1 bridge=br1
	vif=$(vif_name g 1)
	ip netns add t
	must "into the namespace" ip link set "$vif" netns t
	ip netns del t
	check "it comes back" until_true 20 is_netdev "$vif"
	ip link set "$vif" master br1 up
	must "address" guest_address g 1 1 11
	check "traffic" stream 10.0.1.11 1M
	must "detach" vif_detach g 1
	inventory >"$after"
	same_inventory "$before" "$after"
}

# A vif with a name of the administrator's.
t_vifname() {
	local before=$TAP_DIR/before after=$TAP_DIR/after
	inventory >"$before"
	must "attach" vif_attach g 1 bridge=br1 vifname=lan0
	check "it is called lan0" is_netdev lan0
	check "and not vif" no_netdev "$(vif_name g 1)"
	must "address" guest_address g 1 1 11
	check "traffic" stream 10.0.1.11 2M
	check "reconnect" netfront_reload g
	guest_address g 0 0 11
	must "vif 1 again" vif_wait g 1
	must "address" guest_address g 1 1 11
	check "traffic after it" stream 10.0.1.11 1M
	must "detach" vif_detach g 1
	check "it is gone" until_true 10 no_netdev lan0
	inventory >"$after"
	same_inventory "$before" "$after"
}

# The module cannot go while vifs use it, and they do not notice; with them
# gone it goes, comes, and works.
t_rmmod() {
	must "load" load_start $G4
	defer load_kill
	! modprobe -r xen-netback || fail "the module went away from under a vif"
	check "the transfer goes on" load_moves
	check "and was right" load_stop
	must "detach" vif_detach g 0
	check "unload" modprobe -r xen-netback
	check "no thread is left" eval "! grep -qsE '^(vif|xenvif|xen-netback)' /proc/[0-9]*/comm"
	check "load" modprobe xen-netback
	must "attach" vif_attach g 0 bridge=xenbr0
	must "address" guest_address g 0 0 11
	check "traffic" stream $G4 2M
	check "traffic" stream $G6 2M
}

# The guest is destroyed in the middle of a transfer: nothing of it is left.
t_destroy() {
	local domid vif
	domid=$(guest_domid g)
	vif=$(vif_name g 0)
	must "second vif" vif_attach g 1 bridge=br1
	must "load" load_start $G4
	defer load_kill
	must "destroy" guest_kill g
	check "no device" until_true 20 no_netdev "$vif"
	check "no second device" until_true 20 no_netdev "vif$domid.1"
	check "no node" xs_wait_gone "$BACKENDS/$domid"
	check "no backend device" until_true 10 eval "! ls /sys/bus/xen-backend/devices | grep -q vif-$domid-"
	check "no thread" eval "! grep -qs '^vif' /proc/[0-9]*/comm"
	check "no interrupt" eval "! grep -q ' vif' /proc/interrupts"
	check "no mapped ring" eval "! grep -qE 'xenbus_map_ring' /proc/vmallocinfo"
	check "the domain is gone, no page is held" eval "! xl list | grep -q null"
	same "references to the module" "$(cat $NETBACK/refcnt)" 0
}

# What a module that was unloaded has left: nothing that hinders a new start.
t_after_destroy() {
	check "unload" modprobe -r xen-netback
	check "load" modprobe xen-netback
	must "a new guest" guest_start g kernel=6.1 vif=bridge=xenbr0
	must "network" guest_ready g 11
	check "IPv4" stream $G4 2M
	check "IPv6" stream $G6 2M
	check "it ends" guest_stop g
	same "references to the module" "$(cat $NETBACK/refcnt)" 0
}

tap_setup setup
tap_case t_reload "the guest's driver is unloaded and loaded"
tap_case t_reload_busy "the guest's driver is reloaded in mid-transfer"
tap_case t_pause 'pause and unpause in mid-transfer'
tap_case t_save 'save and restore in mid-transfer'
tap_case t_script_fails 'a hotplug script fails'
tap_case t_down_up 'the vif is down and up again under load'
tap_case t_netns 'the vif in a network namespace'
tap_case t_netns_gone 'the network namespace goes before the vif'
tap_case t_vifname 'the vif has a name of its own'
tap_case t_reboot 'the guest restarts in mid-transfer'
tap_case t_cycles "$CYCLES times attach and detach leave nothing behind" 900
tap_case t_rmmod 'the module is unloaded and loaded'
tap_case t_destroy 'the guest is destroyed in mid-transfer'
tap_case t_after_destroy 'a new guest after that'
tap_run
