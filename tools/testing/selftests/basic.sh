#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What is sent is what arrives: every length, MTU, set of offloads, VLAN.
#
#      dom0                                      guest g (6.12)
#      xenbr0 10.0.0.1, fd00::1 --- vif D.0 ===  eth0 10.0.0.11, fd00::11
#      xenbr0.7 10.0.7.1, fd07::1                eth0.7 10.0.7.11, fd07::11
#      vifD.0.8 10.0.8.1, fd08::1                eth0.8 10.0.8.11, fd08::11

. /rig/tests/tap.sh
. /rig/tests/net.sh

G4=10.0.0.11
G6=fd00::11

setup() {
	check "guest g starts" guest_start g vif=bridge=xenbr0 &&
		check "guest g has a network" guest_ready g 11
}

# A file of 16 MiB has the same sha256 on both sides, each way.
t_file_v4() { file_both_ways g $G4 16M; }
t_file_v6() { file_both_ways g $G6 16M; }

# Both directions at once, records of all sizes, several connections.
t_streams() {
	check "IPv4" stream $G4 4M flows=4
	check "IPv6" stream $G6 4M flows=4
	# Packets of pieces from all four, in more slots than it has fragments for.
	same "packets that the guest could not take" "$(guest_rx_errors g)" 0
}

# A datagram of every length from 0 to 2000 arrives, goes back, and is the
# same; then a spread up to the longest that UDP has.
udp_lengths() {
	check "0 to 2000" xvt udp "$1" $PORT 0 2000 1
	check "2000 to 65507, primes apart" xvt udp "$1" $PORT 2001 65507 331
	check "around pages" xvt udp "$1" $PORT 4040 4140 1
	check "around two pages" xvt udp "$1" $PORT 8140 8200 1
	check "the longest" xvt udp "$1" $PORT 65480 65507 1
}
t_udp_v4() { udp_lengths $G4; }
t_udp_v6() { udp_lengths $G6; }

set_mtu() {
	local vif
	vif=$(vif_name g 0)
	ip link set "$vif" mtu "$1" && guest g ip link set eth0 mtu "$1" &&
		ip link set xenbr0 mtu "$1"
}

# With this MTU on guest, vif and bridge the largest packet goes whole, and
# TCP and UDP content is right around that size.
mtu_case() {
	local m=$1
	defer set_mtu 1500
	must "MTU $m on all three" set_mtu "$m"
	same "guest's MTU" "$(guest g cat /sys/class/net/eth0/mtu)" "$m"
	check "IPv4 whole packets" xvt udp $G4 $PORT $((m - 60)) $((m - 28)) 1 df=1
	check "IPv6 whole packets" xvt udp $G6 $PORT $((m - 80)) $((m - 48)) 1 df=1
	check "from the guest, whole" guest g ping -c 3 -i 0.2 -M do -s $((m - 28)) 10.0.0.1
	check "IPv4 stream" stream $G4 4M
	check "IPv6 stream" stream $G6 4M
	check "fragments" xvt udp $G4 $PORT 60000 65507 1117
}
t_mtu_1500() { mtu_case 1500; }
t_mtu_9000() { mtu_case 9000; }
t_mtu_65517() { mtu_case 65517; }

# An MTU above the largest is refused, and nothing changes.
t_mtu_limits() {
	local vif
	vif=$(vif_name g 0)
	! ip link set "$vif" mtu 65518 || fail "MTU 65518 was accepted"
	! ip link set "$vif" mtu 60 || fail "MTU 60 was accepted"
	same "MTU after that" "$(cat "/sys/class/net/$vif/mtu")" 1500
}

# on or off, as ethtool -k of the guest says: "tx sg tso rx gro". The frontend
# cannot do without IPv4's checksum, so IPv6's shows what became of "tx".
offloads() {
	awk '
		/^rx-checksumming:/ { rx = $2 }
		/tx-checksum-ipv6:/ { tx = $2 }
		/^scatter-gather:/ { sg = $2 }
		/^tcp-segmentation-offload:/ { tso = $2 }
		/^generic-receive-offload:/ { gro = $2 }
		END { print tx, sg, tso, rx, gro }'
}

# In each of the 32 combinations of the guest's offloads content is right both
# ways. What the frontend keeps fixed is asked for all the same.
t_offloads() {
	local tx sg tso rx gro real fixed what
	fixed=$(guest g ethtool -k eth0 | grep -E 'fixed' |
		grep -E '^(rx-checksumming|generic-receive)|tx-checksum-ipv')
	diag "$fixed"
	defer guest_sh g 'ethtool -K eth0 rx on; ethtool -K eth0 tx on sg on tso on gro on; true'
	for tx in on off; do for sg in on off; do for tso in on off; do
	for rx in on off; do for gro in on off; do
		what="tx $tx sg $sg tso $tso rx $rx gro $gro"
		read -ra real <<<"$(guest_sh g "
			ethtool -K eth0 rx $rx 2>/dev/null
			ethtool -K eth0 tx $tx sg $sg tso $tso gro $gro >/dev/null
			ethtool -k eth0" | offloads)"
		same "$what: tx" "${real[0]}" $tx
		same "$what: sg" "${real[1]}" $sg
		same "$what: gro" "${real[4]}" $gro
		if [[ $sg == off ]]; then
			same "$what: tso without sg" "${real[2]}" off
		elif [[ $tx == on ]]; then
			same "$what: tso" "${real[2]}" $tso
		fi
		[[ $fixed == *rx-checksumming* ]] || same "$what: rx" "${real[3]}" $rx
		check "$what: IPv4" stream $G4 512k
		check "$what: IPv6" stream $G6 256k
		check "$what: UDP" xvt udp $G4 $PORT 1 9000 999
	done; done; done; done; done
}

# The same for the vif's own offloads, which an administrator may switch.
t_vif_offloads() {
	local vif what
	vif=$(vif_name g 0)
	defer ethtool -K "$vif" sg on tx on tso on gso on gro on
	for what in "tso off" "sg off" "tx off" "gso off" "gro off" \
		"sg on" "tx on" "tso on" "gso on" "gro on"; do
		# shellcheck disable=SC2086 # two words
		check "vif $what" ethtool -K "$vif" $what
		check "vif $what: IPv4" stream $G4 1M
		check "vif $what: IPv6" stream $G6 1M
	done
}

# vlan_case DOM0-PARENT ID: traffic in that VLAN is right, tags are on the vif.
vlan_case() {
	local dev=$1.$2 id=$2 vif dump
	vif=$(vif_name g 0)
	same "the guest's offloads" "$(guest g ethtool -k eth0 | offloads)" "on on on on on"
	defer ip link del "$dev"
	must "VLAN in dom0" ip link add link "$1" name "$dev" type vlan id "$id"
	ip addr add "10.0.$id.1/24" dev "$dev"
	ip -6 addr add "fd0$id::1/64" dev "$dev" nodad
	ip link set "$dev" up
	defer guest g ip link del "eth0.$id"
	must "VLAN in the guest" guest_sh g "
		ip link add link eth0 name eth0.$id type vlan id $id &&
		ip addr add 10.0.$id.11/24 dev eth0.$id &&
		ip -6 addr add fd0$id::11/64 dev eth0.$id nodad &&
		ip link set eth0.$id up"
	timeout 60 tcpdump -Z root -nei "$vif" -c 20 "vlan $id" >"$TAP_DIR/dump" 2>&1 &
	dump=$!
	until_true 10 grep -q listening "$TAP_DIR/dump"
	check "IPv4 stream" stream "10.0.$id.11" 4M
	check "IPv6 stream" stream "fd0$id::11" 4M
	check "UDP" xvt udp "10.0.$id.11" $PORT 0 4000 97
	check "long UDP" xvt udp "fd0$id::11" $PORT 5000 65000 6011
	check "tagged frames were seen on $vif" wait $dump
	cat "$TAP_DIR/dump"
}
t_vlan_bridge() { vlan_case xenbr0 7; }
t_vlan_vif() { vlan_case "$(vif_name g 0)" 8; }

# The vif keeps the MTU that it was given when the guest's driver comes again,
# and takes one at any time: connected, disconnected, down.
t_mtu_kept() {
	local vif m
	vif=$(vif_name g 0)
	defer ip link set "$vif" mtu 1500
	for m in 9000 1400 65517; do
		must "MTU $m" ip link set "$vif" mtu $m
		must "reload" netfront_reload g
		must "address" guest_address g 0 0 11
		same "MTU after a reconnect" "$(cat "/sys/class/net/$vif/mtu")" $m
		check "traffic at $m" stream $G4 1M
	done
	must "unload" netfront_unload g
	check "MTU 4000 while disconnected" ip link set "$vif" mtu 4000
	must "load" netfront_load g
	must "connected again" vif_wait g 0
	must "address" guest_address g 0 0 11
	same "MTU set while disconnected" "$(cat "/sys/class/net/$vif/mtu")" 4000
	ip link set "$vif" down
	check "MTU 3000 while down" ip link set "$vif" mtu 3000
	ip link set "$vif" up
	same "MTU set while down" "$(cat "/sys/class/net/$vif/mtu")" 3000
	check "traffic" stream $G6 1M
}

tap_setup setup
tap_case t_file_v4 'a file each way over IPv4 has one hash on both sides'
tap_case t_file_v6 'a file each way over IPv6 has one hash on both sides'
tap_case t_streams 'streams both ways at once arrive byte for byte'
tap_case t_udp_v4 'UDP over IPv4: every length arrives right, each way'
tap_case t_udp_v6 'UDP over IPv6: every length arrives right, each way'
tap_case t_mtu_1500 'MTU 1500'
tap_case t_mtu_9000 'MTU 9000'
tap_case t_mtu_65517 'MTU 65517'
tap_case t_mtu_limits 'MTU beyond the limits is refused'
tap_case t_offloads 'content is right in 32 combinations of guest offloads' 400
tap_case t_vif_offloads "content is right while the vif's offloads change"
tap_case t_vlan_bridge 'VLAN on the bridge, guest offloads on'
tap_case t_vlan_vif 'VLAN on the vif, guest offloads on'
tap_case t_mtu_kept 'MTU of the vif is kept over a reconnect'
tap_run
