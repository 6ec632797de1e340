# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# What guest g's vifs have taken from the host, to compare before and after. Used
# together with net.sh, in dom0 of the rig.

# What this guest's vifs have taken from the host, one line each.
inventory() {
	local d f
	d=$(guest_domid g)
	(cd /sys/class/net && ls -d vif* 2>/dev/null)
	cat /proc/[0-9]*/comm 2>/dev/null | grep '^vif' | sort
	sed -nE 's/.* (vif[0-9].*|xen-netback-ctrl)$/interrupt \1/p' /proc/interrupts
	echo "event channels $(lsevtchn 0 | wc -l)"
	xl dmesg -c >/dev/null
	xl debug-keys g
	echo "grants in use $(xl dmesg | sed -n "/remote d$d /,/remote d[0-9]* /p" | grep -cE '^(\(XEN\) )?\[0x')"
	echo "mapped rings $(grep -cE 'xenbus_map_ring|xen_alloc_vm_area|map_ring' /proc/vmallocinfo)"
	xenstore-ls -f $BACKENDS 2>/dev/null | sed 's/ = .*//' | sort
	xenstore-ls -f "/local/domain/$d/device/vif" 2>/dev/null | sed 's/ = .*//'
	xenstore-ls -f /local/domain/0/error/backend 2>/dev/null
	ls /sys/bus/xen-backend/devices
	for f in /sys/kernel/debug/xen-netback/*; do
		[[ -e $f ]] && echo "$f"
	done
	echo "references $(cat $NETBACK/refcnt)"
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
	sed -E 's/vif[0-9]+/vif/; s/vif-[0-9]+/vif-/; s#(domain|vif)/[0-9]+#\1/#g' | sort
}
