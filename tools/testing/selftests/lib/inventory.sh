# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# What guest g's vifs have taken from the host, to compare before and after. Used
# together with net.sh, in dom0 of the rig.

# inventory_kernel BACKEND: what the vifs that this domain serves have taken from
# its kernel, one line each. Runs in that domain.
inventory_kernel() {
	local f
	(cd /sys/class/net && ls -d vif* 2>/dev/null)
	cat /proc/[0-9]*/comm 2>/dev/null | grep '^vif' | sort
	sed -nE 's/.* (vif[0-9].*|xen-netback-ctrl)$/interrupt \1/p' /proc/interrupts
	echo "mapped rings $(grep -cE 'xenbus_map_ring|xen_alloc_vm_area|map_ring' /proc/vmallocinfo)"
	xenstore-ls -f "/local/domain/$1/backend/vif" 2>/dev/null | sed 's/ = .*//' | sort
	xenstore-ls -f "/local/domain/$1/error/backend" 2>/dev/null
	ls /sys/bus/xen-backend/devices
	for f in /sys/kernel/debug/xen-netback/*; do
		[[ -e $f ]] && echo "$f"
	done
	echo "references $(cat /sys/module/xen_netback/refcnt)"
}

# inventory_xen GUEST BACKEND: what Xen and the toolstack know of it.
inventory_xen() {
	xenstore-ls -f "/local/domain/$1/device/vif" 2>/dev/null | sed 's/ = .*//'
	echo "event channels $(lsevtchn "$2" | wc -l)"
	xl dmesg -c >/dev/null
	xl debug-keys g
	echo "grants in use $(xl dmesg | sed -n "/remote d$1 /,/remote d[0-9]* /p" | grep -cE '^(\(XEN\) )?\[0x')"
}

# What guest g's vifs have taken from dom0.
inventory() {
	local d
	d=$(guest_domid g)
	inventory_kernel 0
	inventory_xen "$d" 0
}

# same_inventory BEFORE AFTER
same_inventory() {
	diff "$1" "$2" >"$TAP_DIR/diff" && return 0
	fail "the inventory changed:"
	tap_quote "$TAP_DIR/diff"
	return 1
}

kernel_memory() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^SUnreclaim|^VmallocUsed|^Percpu|^KernelStack/ { s += $2 } END { print s }' /proc/meminfo
}

# big_slabs: name and KiB of each.
slabs() {
	awk 'NR > 2 { print $1, int($2 * $4 / 1024) }' /proc/slabinfo | sort
}

# The same of another guest of that name: without the domain's number.
inventory_plain() {
	sed -E 's/vif[0-9]+/vif/; s/(vif|console)-[0-9]+/\1-/; s#(domain|vif)/[0-9]+#\1/#g' | sort
}
