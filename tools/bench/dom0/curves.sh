# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a packet costs against one quantity at a time: each point is measured as a
# workload of its own, NAME@POINT.  All packets are pktgen's, for UDP port 9, and
# dropped where they arrive.

CURVE_PACKETS=${CURVE_PACKETS:-6000}
SIZES='64 128 256 512 1024 1514 2048 4096 8192 16384 32768 65000'
DROP_PORT='tc qdisc add dev %s clsact && tc filter add dev %s ingress protocol ip u32 match ip protocol 17 0xff match u16 9 0xffff at 22 action drop'

# drop_port DEVICE: as a command's text
drop_port() {
	# shellcheck disable=SC2059
	printf "$DROP_PORT" "$1" "$1"
}

# packets_of SIZE: fewer of the large ones
packets_of() { echo $((CURVE_PACKETS / (1 + $1 / 8192))); }

# guest_packets G DEVICE COUNT SIZE [PROCESSOR [COMMAND...]]: what its pktgen is to
# send; further commands of pktgen's each by itself
guest_packets() {
	local more=''
	[ $# -gt 5 ] && more=$(printf "echo '%s' >/proc/net/pktgen/$2\n" "${@:6}")
	guest_sh "$1" "$(pktgen_text "$2" $D "$(cat /sys/class/net/xenbr0/address)" "$3" |
		sed "s/pkt_size 106/pkt_size $4/; s/kpktgend_0/kpktgend_${5:-0}/")
		$more"
}
START='echo start >/proc/net/pktgen/pgctrl; cat /proc/net/pktgen/'

size_g2d() {
	local size
	eval "$(drop_port "${DEVS[0]}")"
	for size in $SIZES; do
		guest_packets g1 eth0 "$(packets_of "$size")" "$size" || return 1
		measure "size_g2d@$size" "$G1=${START}eth0" || return 1
	done
	guest_sh g1 'echo rem_device_all >/proc/net/pktgen/kpktgend_0'
	tc qdisc del dev "${DEVS[0]}" clsact
}

# By way of the bridge, whose ports must be wide enough.
size_d2g() {
	local size burst
	generator_add 65535 || return 1
	ip link set "${DEVS[0]}" mtu 65517
	guest_sh g1 "$(drop_port eth0)"
	for size in $SIZES; do
		# half of what the backend's queue has room for
		burst=$((500000 / (size + 1024)))
		generator_set $G1 00:16:3e:00:00:02 $burst "$size" || return 1
		measure "size_d2g@$size" \
			"=$(generator_bursts $(($(packets_of "$size") / burst)))" || return 1
	done
	generator_del
	guest g1 tc qdisc del dev eth0 clsact
}

# 4000 bytes, in so many pieces.
slots_g2d() {
	local slots
	eval "$(drop_port "${DEVS[0]}")"
	for slots in 1 2 4 8 12 16; do
		guest_packets g1 eth0 "$CURVE_PACKETS" 4000 0 "frags $slots" || return 1
		measure "slots_g2d@$slots" "$G1=${START}eth0" || return 1
	done
	guest_sh g1 'echo rem_device_all >/proc/net/pktgen/kpktgend_0'
	tc qdisc del dev "${DEVS[0]}" clsact
}

# reload ARG: the same driver with another parameter
reload() {
	local driver=$DRIVER
	use "$driver+$1" || return 1
	DRIVER=$driver
}

# 64 bytes, from so many queues at once.
many_queues() {
	local n i
	for n in 1 2 4 8; do
		reload max_queues=$n || return 1
		plug $MANY || return 1
		eval "$(drop_port "${DEVS[0]}")"
		for ((i = 0; i < n; i++)); do
			guest_packets $MANY "eth0@$i" $((CURVE_PACKETS * 2 / n)) 106 $i \
				"queue_map_min $i" "queue_map_max $i" || return 1
		done
		measure many_queues@$n "$(address_of $MANY)=${START}eth0@0" || return 1
		many_done
		unplug || return 1
	done
	use "$DRIVER"
}

many_done() {
	guest_sh $MANY 'for t in /proc/net/pktgen/kpktgend_*; do echo rem_device_all >$t; done'
}

# 64 bytes, from so many vifs at once, each with one queue.
many_vifs() {
	local n i
	reload max_queues=1 || return 1
	for n in 1 2 4 8; do
		plug $MANY || return 1
		for ((i = 1; i < n; i++)); do
			xl network-attach $MANY bridge=xenbr0 && vif_wait $MANY $i || return 1
			guest_sh $MANY "until [ -e /sys/class/net/eth$i ]; do sleep 0.02; done
				sysctl -qw net.ipv6.conf.eth$i.disable_ipv6=1
				ip link set eth$i up" || return 1
			DEVS+=("$(vif_of $MANY $i)")
		done
		for ((i = 0; i < n; i++)); do
			eval "$(drop_port "${DEVS[i]}")"
			guest_packets $MANY eth$i $((CURVE_PACKETS * 2 / n)) 106 $i || return 1
		done
		measure many_vifs@$n "$(address_of $MANY)=${START}eth0" || return 1
		many_done
		for ((i = n - 1; i > 0; i--)); do unplug_one $MANY $i || return 1; done
		unplug || return 1
	done
	use "$DRIVER"
}
