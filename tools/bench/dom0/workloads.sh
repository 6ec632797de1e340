# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What is run; each function is a workload.  BYTES and PACKETS say how much.

D=10.0.0.1
G1=10.0.0.2
G2=10.0.0.3

serve_dom0() {
	local port
	for port in 5201 5202 5203 5204; do iperf3 -s -D -p $port; done
	setsid sockperf sr -i 0.0.0.0 >/dev/null 2>&1 </dev/null &
	modprobe -a pktgen sch_ingress cls_u32 act_gact
}

# drop_small DEVICE [on|off]: 64 bytes of UDP end there (and nothing else does)
DROP='tc qdisc add dev %s clsact && tc filter add dev %s ingress protocol ip u32 match ip protocol 17 0xff match u16 92 0xffff at 2 action drop'

tcp_g2d() { measure tcp_g2d "$G1=iperf3 -J $IPERF_ARGS -c $D -n $BYTES"; }
tcp_d2g() { measure tcp_d2g "$G1=iperf3 -J $IPERF_ARGS -c $D -R -n $BYTES"; }
tcp_g2g() { measure tcp_g2g "$G1=iperf3 -J $IPERF_ARGS -c $G2 -n $BYTES"; }

tcp_g2d_notso() {
	guest g1 ethtool -K eth0 tso off gso off >/dev/null
	measure tcp_g2d_notso "$G1=iperf3 -J $IPERF_ARGS -c $D -n $((BYTES / 2))"
	guest g1 ethtool -K eth0 tso on gso on >/dev/null
}

udp_g2d() {
	local vif
	vif=$(vif_of g1)
	# shellcheck disable=SC2059
	eval "$(printf "$DROP" "$vif" "$vif")"
	measure udp_g2d "$G1=iperf3 -J -u -l 64 -b 0 -k $PACKETS -c $D"
	tc qdisc del dev "$vif" clsact
}

# The guest's pktgen: nothing but netfront on the way.
pktgen_g2d() {
	local vif
	vif=$(vif_of g1)
	# shellcheck disable=SC2059
	eval "$(printf "$DROP" "$vif" "$vif")"
	guest_sh g1 "$(pktgen_text eth0 $D "$(cat /sys/class/net/xenbr0/address)" \
		$((PACKETS * 3)))"
	measure pktgen_g2d "$G1=echo start >/proc/net/pktgen/pgctrl; cat /proc/net/pktgen/eth0"
	guest_sh g1 'echo rem_device_all >/proc/net/pktgen/kpktgend_0'
	tc qdisc del dev "$vif" clsact
}

# pktgen_text DEVICE ADDRESS MAC COUNT [DELAY]
pktgen_text() {
	cat <<-EOF
	p=/proc/net/pktgen
	echo rem_device_all >\$p/kpktgend_0
	echo add_device $1 >\$p/kpktgend_0
	for i in 'count $4' 'clone_skb 0' 'pkt_size 106' 'delay ${5:-0}' \
		'dst $2' 'dst_mac $3' 'udp_src_min 9' 'udp_src_max 9' \
		'udp_dst_min 9' 'udp_dst_max 9'; do
		echo "\$i" >\$p/$1
	done
	EOF
}

drop_in_guest() {
	# shellcheck disable=SC2059
	guest_sh g1 "$(printf "$DROP" eth0 eth0)"
}

# dom0's pktgen, in bursts that the backend's queue has room for, by way of the
# bridge.  A pktgen that finds a queue stopped spins, and when it is done it spins
# until its last packet is freed: its spinning would be what is measured.  So it
# sends into a veth, which never stops, and the last packet of each burst (known
# by its source port) is dropped at the bridge's side of that.
# generator_add MTU
generator_add() {
	ip link add pga mtu "$1" type veth peer name pgb mtu "$1" || return 1
	ip link set pgb master xenbr0 up && ip link set pga up || return 1
	tc qdisc add dev pgb clsact || return 1
	sleep 0.5
}

# generator_set ADDRESS MAC BURST SIZE
generator_set() {
	local port
	eval "$(pktgen_text pga "$1" "$2" "$3" | sed "s/pkt_size 106/pkt_size $4/")"
	echo "udp_src_max $((9 + $3))" >/proc/net/pktgen/pga
	tc filter del dev pgb ingress
	# the ports go round; whichever end of them pktgen begins with
	for port in 9 $((9 + $3 - 1)); do
		tc filter add dev pgb ingress protocol ip u32 \
			match ip protocol 17 0xff match u16 "$port" 0xffff at 20 \
			action drop || return 1
	done
}

# generator_bursts N: the command that sends them
generator_bursts() {
	echo "for ((i = 0; i < $1; i++)); do echo start >/proc/net/pktgen/pgctrl; done
		cat /proc/net/pktgen/pga"
}

generator_del() {
	echo rem_device_all >/proc/net/pktgen/kpktgend_0
	ip link del pga
}

BURST=2000
pktgen_d2g() {
	generator_add 1500 && generator_set $G1 00:16:3e:00:00:02 $BURST 106 || return 1
	drop_in_guest
	measure pktgen_d2g "=$(generator_bursts $((PACKETS * 2 / BURST)))"
	guest g1 tc qdisc del dev eth0 clsact
	generator_del
}

# ... and straight into the vif, as fast as it can, spinning included.
pktgen_d2g_flood() {
	local vif
	vif=$(vif_of g1)
	drop_in_guest
	eval "$(pktgen_text "$vif" $G1 00:16:3e:00:00:02 $((PACKETS * 3)))"
	measure pktgen_d2g_flood "=echo start >/proc/net/pktgen/pgctrl
		cat /proc/net/pktgen/$vif"
	echo rem_device_all >/proc/net/pktgen/kpktgend_0
	guest g1 tc qdisc del dev eth0 clsact
}

# The same from a socket.
udp_d2g() {
	drop_in_guest
	measure udp_d2g "=iperf3 -J -u -l 64 -b 0 -k $PACKETS -c $G1"
	guest g1 tc qdisc del dev eth0 clsact
}

pingpong() {
	measure pingpong "$G1=sockperf pp -i $D -m 64 -t ${PINGPONG_SECONDS:-2} --mps=max"
}

idle() { measure idle "=sleep 1"; }

four_g2d() {
	local n=$((BYTES / 4))
	WATCHED=rx_bytes measure four_g2d "10.0.0.2=iperf3 -J $IPERF_ARGS -c $D -p 5201 -n $n" \
		"10.0.0.3=iperf3 -J $IPERF_ARGS -c $D -p 5202 -n $n" \
		"10.0.0.4=iperf3 -J $IPERF_ARGS -c $D -p 5203 -n $n" \
		"10.0.0.5=iperf3 -J $IPERF_ARGS -c $D -p 5204 -n $n"
}

four_d2g() {
	local n=$((BYTES / 4))
	WATCHED=tx_bytes measure four_d2g "10.0.0.2=iperf3 -J $IPERF_ARGS -c $D -p 5201 -R -n $n" \
		"10.0.0.3=iperf3 -J $IPERF_ARGS -c $D -p 5202 -R -n $n" \
		"10.0.0.4=iperf3 -J $IPERF_ARGS -c $D -p 5203 -R -n $n" \
		"10.0.0.5=iperf3 -J $IPERF_ARGS -c $D -p 5204 -R -n $n"
}

# One guest, whose processor is capped, is sent three times what it takes, while
# another one receives at a steady rate; and before that the other one alone.  What
# the first one takes is found out once, so that all drivers have the same load,
# which is routed: a packet of dom0's own sockets would hold its sender back.
OVERLOAD_CAP=${OVERLOAD_CAP:-5}
OVERLOAD_STEADY=${OVERLOAD_STEADY:-200}
overload() {
	local steady="$G2=iperf3 -J -c $D -R -b ${OVERLOAD_STEADY}M -n $((BYTES / 4))"
	peer_add && sysctl -qw net.ipv4.ip_forward=1 &&
		guest_sh g1 "ip route replace ${HERE%.*}.0/24 via $D" &&
		xl sched-credit2 -d g1 -c "$OVERLOAD_CAP" || return 1
	if [ -z "$OVERLOAD_RATE" ]; then
		overload_flood overload@probe 0 || return 1
		OVERLOAD_RATE=$(awk '$1 == "window" { ns = $2 }
			$1 == "moved" { printf "%d", 3 * $3 / (ns / 1e9); exit }' /tmp/meter)
		note "a guest with $OVERLOAD_CAP % of a processor: the load is $OVERLOAD_RATE/s"
	fi
	measure overload@alone "$steady"
	overload_flood overload@flood $((OVERLOAD_RATE * 512)) "$steady" || return 1
	section overload@flood rate
	echo "$OVERLOAD_RATE" >>"$RAW"
	xl sched-credit2 -d g1 -c 0
}

# overload_flood NAME BITS-A-SECOND [JOB]: only the first one's vif is looked at
overload_flood() {
	local DEVS=("$(vif_of g1)")
	WATCHED=tx_packets UNDER_WAY=1000 measure "$1" "${@:3}" \
		"=ip netns exec peer iperf3 -J -u -l 64 -b $2 -t 3 -c $G1"
}

# Two network cards on one wire: "near" is dom0's, "far" is another machine,
# as far as addresses go (a network namespace), so dom0's CPU time is that of
# the far side, too.  What goes to "sink" vanishes in the card.
nic_setup() {
	local ko dev
	for ko in failover net_failover virtio_net e1000; do
		insmod "/bench/ko/$ko.ko" || return 1
	done
	sleep 1
	for dev in /sys/class/net/*; do
		case $(cat "$dev/address") in
		52:54:00:00:00:0a) ip link set "${dev##*/}" name near ;;
		52:54:00:00:00:0b) ip link set "${dev##*/}" name far ;;
		52:54:00:00:00:0c) ip link set "${dev##*/}" name sink ;;
		esac
	done
	ip netns add far && ip link set far netns far &&
		ip -n far link set lo up && ip -n far link set far up &&
		ip -n far addr add 10.0.0.9/24 dev far &&
		ip -n far addr add 10.0.9.9/24 dev far &&
		ip -n far route add 10.0.99.0/24 via 10.0.9.1 || return 1
	ip netns exec far iperf3 -s -D
	sysctl -qw net.ipv4.ip_forward=1
	ip link set sink up && ip link set near up
}

# Bridged: the card is a port of the guests' bridge.
nic_tcp() {
	ip link set near master xenbr0
	ip netns exec far ping -q -c 1 -W 5 $G1 >/dev/null || return 1
	measure nic_tcp "$G1=iperf3 -J $IPERF_ARGS -c 10.0.0.9 -n $((BYTES / 2))"
	ip link set near nomaster
}

nic_routed() {
	ip addr add 10.0.9.1/24 dev near
	ip addr add 10.0.99.1/24 dev xenbr0
	guest_sh g1 'ip addr add 10.0.99.2/24 dev eth0
		ip route add 10.0.9.0/24 via 10.0.99.1'
	ip netns exec far ping -q -c 1 -W 5 10.0.99.2 >/dev/null || return 1
	measure nic_routed "$G1=iperf3 -J $IPERF_ARGS -c 10.0.9.9 -n $((BYTES / 2))"
	guest_sh g1 'ip addr del 10.0.99.2/24 dev eth0'
	ip addr del 10.0.9.1/24 dev near
	ip addr del 10.0.99.1/24 dev xenbr0
}

# 1472 bytes of UDP that leave by a card and are gone.
nic_udp() {
	ip link set sink master xenbr0
	bridge fdb replace 52:54:00:00:00:99 dev sink master static
	guest_sh g1 "$(pktgen_text eth0 10.0.0.99 52:54:00:00:00:99 \
		$((PACKETS * 2)) | sed 's/pkt_size 106/pkt_size 1514/')"
	measure nic_udp "$G1=echo start >/proc/net/pktgen/pgctrl; cat /proc/net/pktgen/eth0"
	guest_sh g1 'echo rem_device_all >/proc/net/pktgen/kpktgend_0'
	ip link set sink nomaster
}

# Many vifs that do nothing, all of one guest's.
VIFS=${VIFS:-100}
# Each takes some 500 of its grants, of which a frame holds 512, and some 20 of its nodes
# in xenstore, of which a guest has 1000.
vifs_guest() {
	xenstore-control quota set nodes $((1000 + VIFS * 30)) >/dev/null &&
		xenstore-control quota set watches $((128 + VIFS)) >/dev/null &&
		guest_start v mem=768 cmdline="$GUEST_ARGS" \
			extra="max_grant_frames = $((VIFS + 64))"
}
# mem_free: in KiB, once it holds still. What the slab allocator keeps for the next ones
# is nobody's, and would be theirs who come after others.
mem_free() {
	local now last=0 slab
	sync
	while :; do
		echo 3 >/proc/sys/vm/drop_caches
		for slab in /sys/kernel/slab/*/shrink; do
			echo 1 >"$slab"
		done
		sleep 2
		# ... nor do pages count that lie ready for each processor
		now=$(awk '$1 == "MemFree:" { n += $2 } $1 == "count:" { n += $2 * 4 }
			END { print n }' /proc/meminfo /proc/zoneinfo)
		((now - last > 64 || last - now > 64)) || break
		last=$now
	done
	echo "$now"
}
# Idle means: since so many seconds.
IDLE=25
uptime_cs() {
	local up
	read -r up _ </proc/uptime
	echo "${up/./}"
}

vifs() {
	local before after start n dev
	before=$(mem_free)
	start=$(uptime_cs)
	section vifs tenths
	for ((n = 0; n < VIFS; n++)); do
		((n % (VIFS / 10))) || uptime_cs >>"$RAW"
		xl network-attach v bridge=xenbr0 || return 1
	done
	uptime_cs >>"$RAW"
	for ((n = 0; n < VIFS; n++)); do
		vif_wait v $n 300 || return 1
	done
	section vifs attach
	echo "$VIFS $(($(uptime_cs) - start))" >>"$RAW"
	guest_sh v 'for d in /sys/class/net/eth*; do ip link set ${d##*/} up; done'
	sleep $IDLE
	after=$(mem_free)
	section vifs memory
	echo "$VIFS $before $after" >>"$RAW"
	sleep 2
	domcpu $OUT "=sleep 5" >/tmp/meter
	section vifs meter
	cat /tmp/meter >>"$RAW"
	start=$(uptime_cs)
	for ((n = VIFS - 1; n >= 0; n--)); do
		xl network-detach v $n || return 1
	done
	for ((n = 0; n < VIFS; n++)); do
		xs_wait_gone "$(vif_backend v $n)" 300 || return 1
	done
	while compgen -G "/sys/class/net/$(vif_of v "*")" >/dev/null; do
		sleep 0.1
	done
	section vifs detach
	echo "$VIFS $(($(uptime_cs) - start))" >>"$RAW"
	guest_sh v 'while [ -n "$(ls -d /sys/devices/vif-* 2>/dev/null)" ]; do
		sleep 0.1; done'
	section vifs rest
	echo "$(mem_free)" >>"$RAW"
	keep
}

# What memory a vif takes that does nothing, with one queue and with eight.
many_memory() {
	local queues n before
	for queues in 1 8; do
		reload max_queues=$queues || return 1
		before=$(mem_free)
		for ((n = 0; n < 8; n++)); do
			xl network-attach $MANY bridge=xenbr0 && vif_wait $MANY $n || return 1
			guest_sh $MANY "until ip link set eth$n up; do sleep 0.02; done" ||
				return 1
		done
		sleep $IDLE
		section many_memory "memory.$queues"
		echo "8 $before $(mem_free)" >>"$RAW"
		for ((n = 7; n >= 0; n--)); do unplug_one $MANY $n || return 1; done
	done
	section many_memory meter
	domcpu $OUT "=sleep 1" >>"$RAW"
	use "$DRIVER"
	keep
}
