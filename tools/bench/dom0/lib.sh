# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# In dom0 of the rig: drivers are swapped, workloads run and measured.  All that
# is found out goes as text to $RAW, a section each; the host does the sums.
#
#   @@ DRIVER ROUND WORKLOAD SECTION
#
# The sections of a workload: "meter" (domcpu's lines), "out.N" (what its jobs
# printed), and "stats", "irq", "guestirq.G" with ".before" and ".after".

GUEST_TIMEOUT=6000
GUEST_BOOT_TIMEOUT=6000
. /rig/lib.sh

RAW=/tmp/raw
: >"$RAW"
DRIVER=none
ROUND=0
WATCH=''		# what runs domcpu, if not the shell
GUESTS=()		# those with a vif just now
DEVS=()			# their vifs
OUT=/tmp/job

note() {
	local up
	read -r up _ </proc/uptime
	echo "bench: $up $*" >&2
}
section() { echo "@@ $DRIVER $ROUND $1 $2" >>"$RAW"; }
vif_of() { echo "vif$(guest_domid "$1").${2:-0}"; }
address_of() { echo "10.0.0.$((${1#g} + 1))"; }

keep() { cp "$RAW" /host/out/raw; }

# use DRIVER[+ARG=VALUE]...: from now on the vifs to come are its. DRIVER is ours,
# distro, or what `bench --try` brought along.
use() {
	local ko
	if [ -e /sys/module/xen_netback ]; then
		rmmod xen_netback || return 1
	fi
	local args=
	case $1 in *+*) args=${1#*+} ;; esac
	case ${1%%+*} in
	ours) ko=/rig/ours/xen-netback.ko ;;
	# by its file: there may be another one that modprobe prefers
	distro) ko=$(echo /lib/modules/*/kernel/drivers/net/xen-netback/xen-netback.ko) ;;
	*) ko=/bench/ko/${1%%+*}.ko ;;
	esac
	# shellcheck disable=SC2086
	insmod "$ko" $NETBACK_ARGS ${args//+/ } || return 1
	DRIVER=$1
}

# guest_boot G...: guests without a vif, at the same time. MANY has a processor for
# each of many queues.
MANY=g5
guest_boot() {
	local g more
	for g; do
		more=()
		[ "$g" = $MANY ] && more=(vcpus=8 mem=768)
		guest_start "$g" wait=0 cmdline="$GUEST_ARGS" "${more[@]}" || return 1
	done
	for g; do
		guest_wait_ready "$g" || return 1
		note "$g is there"
		guest "$g" xserve || return 1
		guest_sh "$g" 'iperf3 -s -D; setsid sockperf sr -i 0.0.0.0 >/dev/null 2>&1 </dev/null &
			modprobe -a pktgen sch_ingress cls_u32 act_gact' || return 1
		note "$g is ready"
	done
}

# plug G...: gives each its vif
plug() {
	local g
	DEVS=()
	for g; do
		xl network-attach "$g" bridge=xenbr0 \
			mac="00:16:3e:00:00:0$((${g#g} + 1))" || return 1
	done
	for g; do
		vif_wait "$g" 0 || return 1
		guest_sh "$g" "until [ -e /sys/class/net/eth0 ]; do sleep 0.02; done
			ip link set eth0 up && ip addr replace $(address_of "$g")/24 dev eth0
			sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1" || return 1
		ping -q -c 1 -W 5 "$(address_of "$g")" >/dev/null || {
			note "$g does not answer"
			return 1
		}
		DEVS+=("$(vif_of "$g")")
	done
	GUESTS=("$@")
	# the hotplug scripts, router solicitations and the like are over
	sleep 0.5
}

unplug() {
	local g
	for g in "${GUESTS[@]}"; do unplug_one "$g" 0 || return 1; done
	GUESTS=()
	DEVS=()
}

# unplug_one G NUMBER
unplug_one() {
	local vif back
	vif=$(vif_of "$1" "$2")
	back=$(vif_backend "$1" "$2")
	xl network-detach "$1" "$2" || return 1
	xs_wait_gone "$back" || return 1
	while [ -e "/sys/class/net/$vif" ]; do sleep 0.05; done
	# else the end of this one in the guest meets the next one
	guest_sh "$1" "while [ -e /sys/devices/vif-$2 ]; do sleep 0.02; done"
}

snapshot() {
	local g vif
	section "$1" "stats.$2"
	for vif in "${DEVS[@]}"; do
		echo "vif $vif"
		ethtool -S "$vif" | grep -v ': 0$'
		(cd "/sys/class/net/$vif/statistics" && grep -v '^0$' ./* |
			sed 's/^\.\/\(.*\):/netdev_\1: /')
	done >>"$RAW"
	section "$1" "irq.$2"
	grep vif /proc/interrupts >>"$RAW"
	for g in "${GUESTS[@]}"; do
		section "$1" "guestirq.$g.$2"
		guest_sh "$g" "grep -e vif -e eth0 /proc/interrupts
			cd /sys/class/net/eth0/statistics
			echo rx_packets \$(<rx_packets) tx_packets \$(<tx_packets)" >>"$RAW"
	done
}

# measure WORKLOAD[@POINT] JOB...: with WATCHED, a counter's name, see also by it how
# much each vif moved while all did, from UNDER_WAY on.
measure() {
	local name=$1 n=0 vif watch=()
	shift
	[ -n "$UNDER_WAY" ] && watch+=(-u "$UNDER_WAY")
	for vif in ${WATCHED:+"${DEVS[@]}"}; do
		watch+=(-w "/sys/class/net/$vif/statistics/$WATCHED")
	done
	snapshot "$name" before
	sleep 0.2
	# shellcheck disable=SC2086
	$WATCH domcpu "${watch[@]}" $OUT "$@" >/tmp/meter || {
		note "$DRIVER $name: failed"
		return 1
	}
	section "$name" meter
	cat /tmp/meter >>"$RAW"
	for ((n = 0; n < $#; n++)); do
		section "$name" "out.$n"
		cat "$OUT.$n" >>"$RAW"
		echo >>"$RAW"
	done
	snapshot "$name" after
	if [ "$DRIVER" = ours ] && [ "$ROUND" = 0 ] && [ "$FLOOR" = 1 ] && [[ $name != *@* ]]; then
		bare_copies "$name"
	fi
	keep
}

# bare_copies WORKLOAD: what the grant copies alone cost that it just made, in
# operations of its average size and batches of its average length.
bare_copies() {
	local way back copies bytes batches size batch count
	section "$1" floor
	for way in tx rx; do
		copies=$(grown "$1" $way copies)
		bytes=$(grown "$1" $way bytes)
		batches=$(grown "$1" $way batches)
		((copies && batches)) || continue
		size=$(((bytes + copies / 2) / copies))
		((size > 4096)) && size=4096
		batch=$(((copies + batches / 2) / batches))
		((batch < 1)) && batch=1
		((batch > 256)) && batch=256
		count=$((copies < 20000 ? copies : 20000))
		back=0
		[ $way = rx ] && back=1
		insmod /bench/ko/grantfloor.ko count=$count batch=$batch \
			size=$size to_grant=$back || continue
		echo "$way $copies $size $batch $count" \
			"$(</sys/module/grantfloor/parameters/ns)" >>"$RAW"
		rmmod grantfloor
	done
}

# grown WORKLOAD tx|rx COUNTER: by how much
grown() {
	awk -v head="@@ $DRIVER $ROUND $1 stats." -v name="^$2_queue_[0-9]+_$3:$" '
		/^@@ / { sign = $0 == head "before" ? -1 : $0 == head "after" ? 1 : 0 }
		sign && $1 ~ name { sum += sign * $2 }
		END { printf "%.0f\n", sum }' "$RAW"
}
