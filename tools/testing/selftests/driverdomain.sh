#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A driver domain: a guest serves the vifs of other guests, with nothing but the
# module, the toolstack's "xl devd" and its hotplug scripts. dom0 has no netback.
#
#      guest d, the driver domain                guest g (6.12)
#      br0 10.0.0.1, fd00::1 ------- vif G.0 === 10.0.0.11, fd00::11
#      br1 10.0.1.1, fd01::1 ------- vif G.1 === 10.0.1.11, fd01::11
#                                                (comes and goes)
#                                                guest h (6.1)
#      br0 ------------------------- vif H.0 === 10.0.0.12, fd00::12

. /rig/tests/tap.sh
. /rig/tests/net.sh
. /rig/tests/inventory.sh

G4=10.0.0.11
G6=fd00::11
H4=10.0.0.12
# Whose vifs vif_backend and vif_wait look at.
RIG_BACKEND=d

# What an administrator does in a driver domain, and the tests' end of traffic.
driver_ready() {
	guest_sh d "
		$(declare -f bridge)
		mkdir -p /var/log/xen /run/xen
		modprobe -a xen-privcmd xen-netback &&
		bridge br0 0 && bridge br1 1 &&
		xl devd -p /run/xldevd.pid"
}

setup() {
	check "driver domain d starts" guest_start d driver=1 vcpus=2 &&
		check "it is ready" driver_ready &&
		check "guest g starts" guest_start g vif=bridge=br0,backend=d &&
		check "guest g has a network" guest_ready g 11
}

# As net.sh's, from the driver domain.
stream() {
	local address=$1 size=$2
	shift 2
	guest d xvt tcp "$address" $PORT "up=$size" "down=$size" "$@" timeout=$((60 * RIG_SLOW))
}

# load ADDRESS: endless traffic, under way when this returns.
load() {
	guest d rm -f /tmp/load && guest_bg d "xvt tcp $1 $PORT up=endless down=endless stat=/tmp/load timeout=120" &&
		guest_sh d "
			until [ -s /tmp/load ]; do sleep 0.1; done
			xvt watch /tmp/load 256k 60"
}

no_netdev_in_d() { guest_sh d "[ ! -e /sys/class/net/$1 ]"; }

# detach HANDLE: and see that nothing is left of it.
detach() {
	local dev path
	dev=$(vif_name g "$1")
	path=$(vif_backend g "$1")
	xl network-detach g "$1" && xs_wait_gone "$path" &&
		until_true 10 no_netdev_in_d "$dev" && vif_lost g "$1"
}

# What guest g's vifs have taken from the driver domain.
inventory_of_d() {
	local g d
	g=$(guest_domid g)
	d=$(guest_domid d)
	guest_sh d "$(declare -f inventory_kernel); inventory_kernel $d"
	inventory_xen "$g" "$d"
}

# The vif that guest g was created with is the driver domain's, on its bridge;
# dom0 has neither the module nor a network device for it.
t_create() {
	local vif
	vif=$(vif_name g 0)
	check "dom0 has no netback" no_path $NETBACK
	check "dom0 has no vif" eval "! ls -d /sys/class/net/vif*"
	same "the vif's bridge" "$(guest_sh d "basename \$(readlink /sys/class/net/$vif/master)")" br0
	check "from the driver domain" guest d ping -c 3 -i 0.2 -W 2 $G4
	check "to the driver domain" guest g ping -c 3 -i 0.2 -W 2 fd00::1
	check "IPv4" stream $G4 8M flows=4
	check "IPv6" stream $G6 4M
	check "UDP" guest d xvt udp $G4 $PORT 0 9000 97
	check "long UDP" guest d xvt udp $G6 $PORT 9001 65507 4999
}

# It is our module that carries it, and it says so there.
t_module() {
	local vif what
	vif=$(vif_name g 0)
	same "the module that runs in d" "$(guest d cat $NETBACK/srcversion)" \
		"$(modinfo -F srcversion /rig/ours/xen-netback.ko)"
	what=$(guest d ethtool -i "$vif")
	check "ethtool -i: the driver" grep -qx 'driver: vif' <<<"$what"
	check "ethtool -i: the device" grep -qx "bus-info: vif-$(guest_domid g)-0" <<<"$what"
	what=$(guest d ethtool -S "$vif")
	check "ethtool -S: from the guest" grep -qE 'tx_queue_0_packets: [1-9]' <<<"$what"
	check "ethtool -S: to the guest" grep -qE 'rx_queue_0_packets: [1-9]' <<<"$what"
	! guest d modprobe -r xen-netback || fail "the module went away from under a vif"
}

# What is wrong is told where that domain may write, and in its log.
t_error() {
	local path node
	path=$(vif_backend g 0)
	node=/local/domain/$(guest_domid d)/error/${path#/local/domain/*/}/error
	check "no error yet" eval "! xenstore-exists $node"
	defer xenstore-rm "$path/rate"
	must "a bad rate" xenstore-write "$path/rate" nonsense
	check "told in xenstore" until_true 10 xenstore-exists "$node"
	check "and in the log" guest_sh d "dmesg | grep 'rate is not BYTES'"
	check "traffic" stream $G4 1M
}

# A vif that came and went leaves nothing in the driver domain: device, thread,
# interrupt, event channel, grant, mapping, xenstore node.
t_attach() {
	local before=$TAP_DIR/before after=$TAP_DIR/after
	must "the first time" vif_attach g 1 bridge=br1 backend=d
	must "and away" detach 1
	inventory_of_d >"$before"
	must "attach" vif_attach g 1 bridge=br1 backend=d
	must "address" guest_address g 1 1 11
	check "IPv4" stream 10.0.1.11 2M
	check "IPv6" stream fd01::11 1M
	inventory_of_d >"$after"
	! diff "$before" "$after" >/dev/null || fail "an attached vif does not show in the inventory"
	must "detach" detach 1
	inventory_of_d >"$after"
	diag "$(grep -E 'event channels|grants in use|mapped rings|references' "$after" | paste -sd,)"
	same_inventory "$before" "$after"
}

# The guest's driver goes and comes again.
t_reload() {
	must "reload" netfront_reload g
	must "address" guest_address g 0 0 11
	check "IPv4" stream $G4 2M
	check "IPv6" stream $G6 2M
}

# Two guests reach each other through the driver domain's bridge; one of them is
# destroyed in the middle of a transfer, and nothing of it is left.
t_between() {
	local before=$TAP_DIR/before after=$TAP_DIR/after path
	inventory_of_d >"$before"
	must "guest h" guest_start h kernel=6.1 vif=bridge=br0,backend=d
	must "network" guest_ready h 12
	check "from h to g" guest h xvt tcp $G4 $PORT up=4M down=4M
	check "from g to h" guest g xvt tcp fd00::12 $PORT up=2M down=2M
	path=$(vif_backend h 0)
	must "load" load $H4
	must "destroy" guest_kill h
	check "no node stays" xs_wait_gone "${path%/*}"
	inventory_of_d >"$after"
	same_inventory "$before" "$after"
}

# replaced HOW...: guest g lives on when the driver domain that served it goes by this
# command in mid-transfer, and gets a vif of the one that is there then.
replaced() {
	local old boot_id
	old=$(guest_domid d)
	boot_id=$(guest g cat /proc/sys/kernel/random/boot_id)
	must "load" load $G4
	must "another driver domain" "$@"
	same "g" "$(guest g cat /proc/sys/kernel/random/boot_id)" "$boot_id"
	must "the driver domain is ready" driver_ready
	must "the old vif is taken away" xl network-detach g 0
	check "nothing of it is left in g" vif_lost g 0
	check "the old driver domain is gone, no page is held" eval "! xl list | grep -q null"
	check "nor has it a node" eval "! xenstore-exists /local/domain/$old"
	must "a new vif" vif_attach g 0 bridge=br0 backend=d
	must "address" guest_address g 0 0 11
	check "IPv4" stream $G4 2M
	check "IPv6" stream $G6 2M
	same "g" "$(guest g cat /proc/sys/kernel/random/boot_id)" "$boot_id"
}

destroy_and_start() { guest_kill d && guest_start d driver=1 vcpus=2; }

t_restart() { replaced guest_reboot d; }
t_destroy() { replaced destroy_and_start; }

# Without vifs the module goes and comes, and the next vif works.
t_unload() {
	must "detach" detach 0
	check "unload" guest d modprobe -r xen-netback
	check "load" guest d modprobe xen-netback
	must "attach" vif_attach g 0 bridge=br0 backend=d
	must "address" guest_address g 0 0 11
	check "traffic" stream $G4 2M
}

tap_setup setup
tap_case t_create 'a vif that a guest is created with'
tap_case t_module 'it is our module, and it shows'
tap_case t_error 'an error is told in the driver domain'
tap_case t_attach 'attach and detach leave nothing behind in the driver domain'
tap_case t_reload "the guest's driver is reloaded"
tap_case t_between 'guest to guest; one of them is destroyed'
tap_case t_restart 'the driver domain restarts, the guest gets a new vif'
tap_case t_destroy 'the driver domain is destroyed, the guest gets a new vif'
tap_case t_unload 'the module is unloaded and loaded'
tap_run
