#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What ethtool, sysfs and xenstore say of a vif, and what can be set there.
#
#      dom0                                      guest g (6.12)
#      xenbr0 10.0.0.1, fd00::1 -- vif G.0 ===   10.0.0.11, fd00::11

. /rig/tests/tap.sh
. /rig/tests/net.sh

G4=10.0.0.11

setup() {
	check "guest g starts" guest_start g vcpus=2 vif=bridge=xenbr0 &&
		check "guest g has a network" guest_ready g 11
}

# refused PATTERN COMMAND...: it fails, and says why.
refused() {
	local said
	said=$("${@:2}" 2>&1) && { fail "${*:2} was not refused"; return; }
	grep -qiE "$1" <<<"$said" || fail "${*:2} said: $said"
}

# channels VIF: the most there can be, and how many there are.
channels() { ethtool -l "$1" | awk '/^Combined:/ { printf "%s%s", n++ ? " " : "", $2 }'; }

reconnect() {
	netfront_reload g && guest_address g 0 0 11 >/dev/null
}

# A frontend without a control ring has no key and no table to show.
t_rxfh() {
	local vif
	vif=$(vif_name g 0)
	refused 'not supported' ethtool -x "$vif"
	refused 'not supported' ethtool -X "$vif" equal 1
	same "fields of a flow" "$(ethtool -n "$vif" rx-flow-hash tcp4 2>&1 | grep -c IP)" 0
}

# What is set is offered to the next frontend; this one keeps what it has.
t_channels() {
	local vif key
	vif=$(vif_name g 0)
	key=$(vif_backend g 0)/multi-queue-max-queues
	same "queues" "$(channels "$vif")" "2 2"
	refused 'invalid|exceed' ethtool -L "$vif" combined 0
	refused 'invalid|exceed' ethtool -L "$vif" combined 3
	refused 'invalid|exceed' ethtool -L "$vif" rx 1 tx 1
	defer reconnect
	defer ethtool -L "$vif" combined 2
	must "one" ethtool -L "$vif" combined 1
	check "it is offered" xs_wait "$key" 1
	same "one is wanted" "$(channels "$vif")" "2 1"
	same "two are there" "$(ls -d "/sys/class/net/$vif/queues/rx-"* | wc -l)" 2
	check "traffic" stream $G4 1M flows=8
	must "reconnect" reconnect
	same "queues" "$(channels "$vif")" "2 1"
	same "one is there" "$(ls -d "/sys/class/net/$vif/queues/rx-"* | wc -l)" 1
	check "traffic" stream $G4 1M flows=8
	must "two" ethtool -L "$vif" combined 2
	check "they are offered" xs_wait "$key" 2
	# Back before anybody took it up.
	must "one" ethtool -L "$vif" combined 1
	check "it is offered" xs_wait "$key" 1
	must "two" ethtool -L "$vif" combined 2
	check "they are offered" xs_wait "$key" 2
	must "reconnect" reconnect
	same "queues" "$(channels "$vif")" "2 2"
	check "traffic" stream $G4 1M flows=8
}

t_timestamps() {
	local said word
	said=$(ethtool -T "$(vif_name g 0)")
	for word in software-transmit software-receive software-system-clock; do
		grep -q "$word" <<<"$said" || fail "there is no $word: $said"
	done
}

# feature VIF NAME: on or off, as it is.
feature() { ethtool -k "$1" | sed -nE "s/^\t?$2: (on|off).*/\1/p"; }

# Every feature that is not fixed goes off and comes on again, alone.
t_features() {
	local vif name
	vif=$(vif_name g 0)
	for name in rx-checksumming tx-checksum-ipv4 tx-checksum-ipv6 tx-scatter-gather \
		tx-scatter-gather-fraglist tx-tcp-segmentation tx-tcp6-segmentation \
		receive-hashing generic-receive-offload generic-segmentation-offload; do
		same "$name" "$(feature "$vif" $name)" on
		defer ethtool -K "$vif" "$name" on
		check "$name off" ethtool -K "$vif" "$name" off
		same "$name" "$(feature "$vif" $name)" off
		check "traffic without $name" stream $G4 256k
		check "$name on" ethtool -K "$vif" sg on "$name" on tso on
		same "$name" "$(feature "$vif" $name)" on
	done
	check "traffic" stream $G4 1M
}

# The poll in a thread of its own, for all queues.
t_threaded() {
	local vif knob
	vif=$(vif_name g 0)
	knob=/sys/class/net/$vif/threaded
	defer eval "echo 0 >$knob"
	must "threaded" eval "echo 1 >$knob"
	same "threads" "$(grep -l "^napi/$vif-" /proc/[0-9]*/comm | wc -l)" 2
	check "traffic" stream $G4 2M flows=8
	must "reconnect" reconnect
	same "after a reconnect" "$(cat "$knob")" 1
	check "traffic" stream $G4 2M flows=8
	must "not threaded" eval "echo 0 >$knob"
	check "traffic" stream $G4 1M flows=8
}

# Events are put off by the core's own means; the protocol has none.
t_coalesce() {
	local vif
	vif=$(vif_name g 0)
	refused 'not supported' ethtool -C "$vif" rx-usecs 50
	defer eval "echo 0 >/sys/class/net/$vif/gro_flush_timeout"
	defer eval "echo 0 >/sys/class/net/$vif/napi_defer_hard_irqs"
	must "timeout" eval "echo 200000 >/sys/class/net/$vif/gro_flush_timeout"
	must "deferral" eval "echo 5 >/sys/class/net/$vif/napi_defer_hard_irqs"
	check "traffic" stream $G4 2M flows=8
	check "and datagrams" xvt udp $G4 $PORT 0 2000 7
}

# The guest can see whether the vif is up.
t_carrier() {
	local vif key
	vif=$(vif_name g 0)
	key=$(vif_backend g 0)/carrier
	check "up" xs_wait "$key" 1
	defer ip link set "$vif" up
	must "down" ip link set "$vif" down
	check "the key says so" xs_wait "$key" 0
	must "up" ip link set "$vif" up
	check "the key says so" xs_wait "$key" 1
	check "traffic" stream $G4 1M
}

# bql VIF NAME: of all queues.
bql() { cat "/sys/class/net/$1/queues/tx-"*/byte_queue_limits/"$2" | xargs; }
idle() { [[ $(bql "$1" inflight) =~ ^[0\ ]*$ ]]; }

# The stack's count of bytes under way: none when nothing is, over a reconnect, with
# the vif down, and with a guest that takes nothing for a while.
t_byte_limits() {
	local vif
	vif=$(vif_name g 0)
	must "load" load_start $G4
	defer load_kill
	check "it moves" load_moves 2M
	diag "limits: $(bql "$vif" limit), in flight: $(bql "$vif" inflight)"
	[[ $(bql "$vif" limit) =~ [1-9] ]] || fail "the stack knows of no bytes"
	must "reconnect in mid-transfer" reconnect
	check "it moves on" load_moves 2M
	must "down" ip link set "$vif" down
	must "up" ip link set "$vif" up
	check "it moves on" load_moves 2M
	must "the guest is paused" xl pause g
	must "and goes on" xl unpause g
	check "it moves on" load_moves 2M
	check "and was right" load_stop
	check "nothing is under way" until_true 20 idle "$vif"
	check "traffic" stream $G4 1M flows=8
	check "nothing is under way" until_true 20 idle "$vif"
}

# No frontend here has static grants: nothing is saved, and nothing fails.
t_counters() {
	local vif name
	vif=$(vif_name g 0)
	check "traffic" stream $G4 1M
	for name in tx_queue_0_copies_saved rx_queue_0_copies_saved; do
		same "$name" "$(ethtool -S "$vif" | awk -v n="$name:" '$1 == n { print $2 }')" 0
	done
	check "debugfs" grep -q '^static grants: 0 of 512$' \
		"/sys/kernel/debug/xen-netback/$vif/io_ring_q0"
}

# packets VIF DIRECTION: of all queues, by ethtool.
packets() {
	ethtool -S "$1" | awk -v d="$2" '$1 ~ "^" d "_queue_[0-9]+_packets:" { n += $2 } END { print n }'
}

# Counters of each queue as netdev netlink has them, between two looks by ethtool: in
# its words what the guest sends is received.
t_qstats() {
	local vif said rx tx n
	vif=$(vif_name g 0)
	check "traffic" stream $G4 2M flows=8
	rx=$(packets "$vif" tx)
	tx=$(packets "$vif" rx)
	said=$(xvt qstats "$vif" 2>&1) || fail "xvt qstats: $said"
	diag "$said"
	n=$(awk '/^rx/ { n += $3 } END { print n }' <<<"$said")
	((rx > 100 && rx <= n && n <= $(packets "$vif" tx))) || fail "received: $n, not $rx"
	n=$(awk '/^tx/ { n += $3 } END { print n }' <<<"$said")
	((tx > 100 && tx <= n && n <= $(packets "$vif" rx))) || fail "sent: $n, not $tx"
	same "queues" "$(wc -l <<<"$said")" 4
	same "receive queues with a NAPI instance" \
		"$(grep -cE '^rx .* napi [1-9]' <<<"$said")" 2
}

tap_setup setup
tap_case t_rxfh 'ethtool -x without a key'
tap_case t_channels 'ethtool -L, and the next connection'
tap_case t_timestamps 'ethtool -T: software, both ways'
tap_case t_features 'ethtool -K: every bit, off and on'
tap_case t_threaded 'threaded NAPI by sysfs'
tap_case t_coalesce "events put off by the core's means"
tap_case t_carrier "the guest's key for the link"
tap_case t_byte_limits 'byte queue limits, under load and over reconnects'
tap_case t_counters 'static grants in counters and debugfs'
tap_case t_qstats 'counters and NAPI of each queue by netlink'
tap_run
