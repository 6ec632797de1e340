#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Runs in dom0: $WORKLOADS under each of $DRIVERS with perf watching dom0.
. /bench/lib.sh
. /bench/workloads.sh
. /bench/curves.sh
. /bench/programs.sh
mkdir -p /root
# perf only: the others have their libraries
perf_run() { LD_LIBRARY_PATH=/bench/perf /bench/perf/perf "$@"; }

serve_dom0
case " $WORKLOADS " in
*" tcp_g2g "*) all=(g1 g2) ;;
*) all=(g1) ;;
esac
guest_boot "${all[@]}" || exit 1
for driver in $DRIVERS; do
	use "$driver" || exit 1
	plug "${all[@]}" || exit 1
	for w in $WORKLOADS; do
		note "$driver $w"
		WATCH="perf_run record -q -B -N -a -g -e cpu-clock
			-F ${PERF_HZ:-4000} -o /tmp/$driver-$w.perf --"
		$w || exit 1
		cp "/tmp/$driver-$w.perf" /host/out/
		rm "/tmp/$driver-$w.perf"
	done
	cat /proc/kallsyms >"/host/out/$driver.kallsyms"
	unplug || exit 1
done
keep
