#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Runs in dom0: first the programs of $WORKLOADS without a driver; then all of them
# under each driver, $ROUNDS times, the order of the drivers alternating.
. /bench/lib.sh
. /bench/workloads.sh
. /bench/curves.sh
. /bench/programs.sh

set -- $DRIVERS
section - about
{
	echo "kernel $(uname -r)"
	echo "xen $(xl info | awk '$1 == "xen_version" { print $3 }')"
	echo "ours $(modinfo -F srcversion /rig/ours/xen-netback.ko)"
} >>"$RAW"
# guests_of WORKLOAD: how many it takes
guests_of() {
	case $1 in
	tcp_g2g | overload) echo 2 ;;
	four_*) echo 4 ;;
	vifs* | many_*) echo 0 ;;
	*) echo 1 ;;
	esac
}

serve_dom0
most=0
for w in $WORKLOADS; do
	n=$(guests_of "$w")
	((n > most)) && most=$n
	by[n]+=" $w"
done
all=(g1 g2 g3 g4)
guest_boot "${all[@]:0:most}" || exit 1
case $WORKLOADS in
*vifs*) vifs_guest || exit 1 ;;
esac
case $WORKLOADS in
*many_*) guest_boot $MANY || exit 1 ;;
esac
case $WORKLOADS in
*nic_*) nic_setup || exit 1 ;;
esac
status=0
if [ "$FLOOR" = 1 ]; then
	DRIVER=program
	for w in $WORKLOADS; do
		type "program_$w" >/dev/null 2>&1 || continue
		peer_add || exit 1
		note "program_$w"
		"program_$w" || status=1
	done
fi
for ((ROUND = 0; ROUND < ROUNDS; ROUND++)); do
	order=("$@")
	if ((ROUND % 2)); then
		order=()
		for driver; do order=("$driver" "${order[@]}"); done
	fi
	for driver in "${order[@]}"; do
		note "round $ROUND: $driver"
		use "$driver" || exit 1
		for n in 0 1 2 4; do
			[ -n "${by[n]}" ] || continue
			((n)) && { plug "${all[@]:0:n}" || exit 1; }
			for w in ${by[n]}; do
				note "$driver $w"
				$w || status=1
			done
			((n)) && { unplug || exit 1; }
		done
	done
done
keep
exit $status
