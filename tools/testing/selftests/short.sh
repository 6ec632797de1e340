#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The short path, for a dom0 of another kernel: attach, traffic, detach.
#
#      dom0 (6.1)                                guest a (6.12), guest b (6.1)
#      xenbr0 10.0.0.1, fd00::1 -- vif A.0 ===   10.0.0.11, fd00::11
#                               -- vif B.0 ===   10.0.0.12, fd00::12

. /rig/tests/tap.sh
. /rig/tests/net.sh

setup() {
	diag "dom0 runs $(uname -r), xen-netback $(modinfo -F version xen-netback) $(modinfo -n xen-netback)"
	check "guest a starts" guest_start a kernel=6.12 vcpus=2
	check "guest b starts" guest_start b kernel=6.1
}

# A vif is attached, a file goes each way with one hash, datagrams arrive, the
# guest's driver is reloaded, and the vif goes without a trace.
short_path() {
	local name=$1 host=$2 vif
	must "attach" vif_attach "$name" 0 bridge=xenbr0
	vif=$(vif_name "$name" 0)
	must "address" guest_address "$name" 0 0 "$host"
	must "serve" guest_serve "$name" eth0
	check "file, IPv4" file_both_ways "$name" "10.0.0.$host" 8M
	check "file, IPv6" file_both_ways "$name" "fd00::$host" 4M
	check "streams" stream "10.0.0.$host" 1M flows=8
	check "UDP" xvt udp "10.0.0.$host" $PORT 0 2000 1
	check "long UDP" xvt udp "fd00::$host" $PORT 2001 65507 997
	must "reload" netfront_reload "$name"
	must "address" guest_address "$name" 0 0 "$host"
	check "traffic after it" stream "10.0.0.$host" 2M
	check "detach" vif_detach "$name" 0
	check "no thread is left" eval "! grep -qs '^$vif' /proc/[0-9]*/comm"
	check "no interrupt is left" eval "! grep -q ' $vif' /proc/interrupts"
}
t_612() { short_path a 11; }
t_61() { short_path b 12; }

# Between the two guests.
t_between() {
	must "attach a" vif_attach a 0 bridge=xenbr0
	must "attach b" vif_attach b 0 bridge=xenbr0
	must "address" guest_address a 0 0 11
	must "address" guest_address b 0 0 12
	check "IPv4" guest a xvt tcp 10.0.0.12 $PORT up=4M down=4M
	check "IPv6" guest b xvt tcp fd00::11 $PORT up=2M down=2M
	check "detach a" vif_detach a 0
	check "detach b" vif_detach b 0
}

# The module goes and comes when no vif is left.
t_module() {
	same "references" "$(cat $NETBACK/refcnt)" 0
	check "unload" modprobe -r xen-netback
	check "load" modprobe xen-netback
	must "attach" vif_attach a 0 bridge=xenbr0
	must "address" guest_address a 0 0 11
	check "traffic" stream 10.0.0.11 2M
	must "destroy" guest_kill a
	check "no node is left" xs_wait_gone "$BACKENDS"
}

tap_setup setup
tap_case t_612 'attach, traffic both ways, detach: guest 6.12'
tap_case t_61 'attach, traffic both ways, detach: guest 6.1'
tap_case t_between 'between the two guests'
tap_case t_module 'unload, load, attach, destroy'
tap_run
