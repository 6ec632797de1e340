#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What ethtool, sysfs and xenstore say of a vif, and what can be set there.
#
#      dom0                                      guest g (6.12)
#      xenbr0 10.0.0.1, fd00::1 -- vif G.0 ===   10.0.0.11, fd00::11

. /rig/tests/tap.sh
. /rig/tests/net.sh
. /rig/tests/trace.sh

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

# What it is, and how large its rings are.
t_info() {
	local vif said
	vif=$(vif_name g 0)
	said=$(ethtool -i "$vif")
	same "driver" "$(sed -n 's/^driver: //p' <<<"$said")" vif
	same "bus" "$(sed -n 's/^bus-info: //p' <<<"$said")" "vif-$(guest_domid g)-0"
	same "version" "$(sed -n 's/^version: //p' <<<"$said")" "$(uname -r)"
	same "rings, the most and now" \
		"$(ethtool -g "$vif" | awk '/^(RX|TX):/ { print $2 }' | xargs)" "256 256 256 256"
	refused 'not supported' ethtool -G "$vif" rx 128
	same "length of the queue" "$(cat "/sys/class/net/$vif/tx_queue_len")" 1000
	same "address" "$(cat "/sys/class/net/$vif/address")" fe:ff:ff:ff:ff:ff
	defer ip link set "$vif" up
	defer ip link set "$vif" address fe:ff:ff:ff:ff:ff
	defer ip link set "$vif" down
	check "down" ip link set "$vif" down
	check "another address" ip link set "$vif" address 02:00:00:00:00:07
	check "up" ip link set "$vif" up
	check "traffic" stream $G4 256k
}

# A frontend without a control ring has no key and no table to show.
t_rxfh() {
	local vif said
	vif=$(vif_name g 0)
	said=$(ethtool -x "$vif" 2>&1)
	# No bit of a function's is set.
	same "ethtool -x, function" "$(sed -n '/^RSS hash function:/{n;s/^ *//;p}' <<<"$said")" \
		"Operation not supported"
	same "ethtool -x, table" "$(awk '/^ *[0-9]+:/ { $1 = ""; print; exit }' <<<"$said")" \
		" 0 1 0 1 0 1 0 1"
	# Of all devices: an error would be the end of it for those behind this one.
	said=$(xvt rss "$vif" 2>&1) || fail "xvt rss: $said"
	check "netlink's dump has it" grep -qx "rss $vif function 0" <<<"$said"
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
	same "two are there" "$(ls -d "/sys/class/net/$vif/queues/tx-"* | wc -l)" 2
	check "traffic" stream $G4 1M flows=8
	must "reconnect" reconnect
	same "queues" "$(channels "$vif")" "2 1"
	same "one is there" "$(ls -d "/sys/class/net/$vif/queues/tx-"* | wc -l)" 1
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

# A queue that has had packets, and has none any more, keeps no pages; as the driver's
# own debugging messages tell. Then there are packets again.
t_pages() {
	local vif knob=/sys/kernel/debug/dynamic_debug/control
	vif=$(vif_name g 0)
	defer eval "echo 'module xen_netback func xenvif_queue_trim -p' >$knob"
	must "messages" eval "echo 'module xen_netback func xenvif_queue_trim +p' >$knob"
	echo "t_pages begins" >/dev/kmsg
	check "traffic" stream $G4 4M flows=8
	# Others than ours, such as neighbour discovery, may come at any time.
	guest_sh g 'ip link set eth0 down'
	defer guest_address g 0 0 11
	check "pages go back" until_true 60 eval \
		"dmesg | sed '1,/t_pages begins/d' | grep -q '$vif-q[01] gave its pages back'"
	must "the guest's device is up again" guest_address g 0 0 11
	check "traffic again" stream $G4 4M flows=8
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
		same "$name" "$(vif_stat "$vif" "$name")" 0
	done
	check "debugfs" grep -q '^static grants: 0 of 512$' \
		"/sys/kernel/debug/xen-netback/$vif/io_ring_q0"
}

# queue_stat VIF DIRECTION COUNTER: of all queues, by ethtool.
queue_stat() {
	ethtool -S "$1" | awk -v re="^$2_queue_[0-9]+_$3:" '$1 ~ re { n += $2 } END { print n }'
}

# Counters of each queue as netdev netlink has them, between two looks by ethtool: in
# its words what the guest sends is received.
t_qstats() {
	local vif said rx tx n
	vif=$(vif_name g 0)
	qstats_of_all
	# All but one of its queues go.
	defer reconnect
	defer ethtool -L "$vif" combined 2
	must "one queue" ethtool -L "$vif" combined 1
	must "reconnect" reconnect
	said=$(xvt qstats "$vif" 2>&1) || fail "xvt qstats: $said"
	diag "$said"
	n=$(awk '/^all/ { print $3 }' <<<"$said")
	((n >= rx)) || fail "received by all, with one queue: $n, and $rx before"
	n=$(awk '/^rx/ { n += $3 } END { print n }' <<<"$said")
	((n < rx)) || fail "received by one queue: $n, of $rx"
}
qstats_of_all() {
	check "traffic" stream $G4 2M flows=8
	rx=$(queue_stat "$vif" tx packets)
	tx=$(queue_stat "$vif" rx packets)
	said=$(xvt qstats "$vif" 2>&1) || fail "xvt qstats: $said"
	diag "$said"
	n=$(awk '/^rx/ { n += $3 } END { print n }' <<<"$said")
	((rx > 100 && rx <= n && n <= $(queue_stat "$vif" tx packets))) || fail "received: $n, not $rx"
	n=$(awk '/^tx/ { n += $3 } END { print n }' <<<"$said")
	((tx > 100 && tx <= n && n <= $(queue_stat "$vif" rx packets))) || fail "sent: $n, not $tx"
	# Of the device: with what queues have done that are gone.
	n=$(awk '/^all/ { print $3 }' <<<"$said")
	((rx <= n && n <= $(queue_stat "$vif" tx packets))) || fail "received by all: $n, not $rx"
	n=$(awk '/^all/ { print $6 }' <<<"$said")
	((tx <= n && n <= $(queue_stat "$vif" rx packets))) || fail "sent by all: $n, not $tx"
	same "queues" "$(grep -c '^[rt]x' <<<"$said")" 4
	same "receive queues with a NAPI instance" \
		"$(grep -cE '^rx .* napi [1-9]' <<<"$said")" 2
}

# The pools that packets' pages come from: netlink knows whose they are, and how much is
# out.
t_pools() {
	local vif said
	vif=$(vif_name g 0)
	check "traffic" stream $G4 2M flows=8
	said=$(xvt pools "$vif" 2>&1) || fail "xvt pools: $said"
	diag "$said"
	same "pools" "$(grep -c '^pool' <<<"$said")" 2
	check "pages are out" grep -qE 'inflight [1-9][0-9]* bytes [1-9]' <<<"$said"
	check "none is waiting to go" eval "! grep -q leaving <<<'$said'"
}

# limit VIF NAME: of those that "ip -d link" shows.
limit() { ip -d link show "$1" | sed -nE "s/.* $2 ([0-9]+).*/\1/p"; }

# How long a packet to be segmented may be.
t_limits() {
	local vif
	vif=$(vif_name g 0)
	same "the longest" "$(limit "$vif" tso_max_size)" 65536
	same "the most segments" "$(limit "$vif" tso_max_segs)" 65535
	refused 'too big' ip link set "$vif" gso_max_size 65537
	defer ip link set "$vif" gso_max_size 65536
	must "shorter ones" ip link set "$vif" gso_max_size 9000
	must "trace" tracefs_start xen_netback:xenvif_rx_packet
	check "traffic" stream $G4 512k
	must "what was traced" tracefs_stop
	check "packets to be segmented" grep -q ' gso_size=[1-9]' "$TAP_DIR/trace"
	same "longer ones" "$(traced ' len=([0-9]{5,}|9[1-9][0-9]{2}) ')" 0
}

# Frames with a tag may come in pieces, and are otherwise ready: the frontend does not
# find its way behind a tag.
t_vlan_features() {
	local vif name
	vif=$(vif_name g 0)
	defer ip link del "$vif.9"
	must "VLAN in dom0" ip link add link "$vif" name "$vif.9" type vlan id 9
	ip addr add 10.0.9.1/24 dev "$vif.9"
	ip link set "$vif.9" up
	defer guest g ip link del eth0.9
	must "VLAN in the guest" guest_sh g '
		ip link add link eth0 name eth0.9 type vlan id 9 &&
		ip addr add 10.0.9.11/24 dev eth0.9 && ip link set eth0.9 up'
	same "pieces" "$(feature "$vif.9" tx-scatter-gather)" on
	for name in tx-checksum-ipv4 tx-checksum-ipv6 tx-checksum-ip-generic \
		tx-tcp-segmentation tx-tcp6-segmentation; do
		same "$name" "$(feature "$vif.9" $name)" off
	done
	must "trace" tracefs_start xen_netback:xenvif_rx_packet
	check "traffic" stream 10.0.9.11 512k
	must "what was traced" tracefs_stop
	(($(traced ' len=1518 ') > 100)) || fail "$(traced ' len=1518 ') full frames"
	same "left to be segmented" "$(traced 'gso_size=[1-9]')" 0
	same "checksums left open" "$(traced 'ip_summed=3')" 0
}

# between WHAT LEAST NUMBER MOST
between() {
	diag "$1: $2 <= $3 <= $4"
	(($3 > 0 && $2 <= $3 && $3 <= $4)) || fail "$1: not $2 <= $3 <= $4"
}

# Totals of queue counters that tracepoints must agree with.
traced_totals() {
	local name
	for name in "tx packets" "tx bytes" "tx requests" "rx packets" "rx bytes" "rx slots"; do
		# shellcheck disable=SC2086 # two words
		queue_stat "$1" $name
	done
}

# perf's tracepoints, against the counters: between those that were read while perf
# looked, and those before and after.
t_perf() {
	local vif d before after from to event=xen_netback:xenvif
	vif=$(vif_name g 0)
	mapfile -t before < <(traced_totals "$vif")
	must "perf" trace_start 'xen_netback:*'
	mapfile -t from < <(traced_totals "$vif")
	# No other packet is that short: ARP's 42 bytes and TCP's 54 and more are none.
	check "ping" ping -q -c 5 -i 0.2 -s 3 $G4
	check "traffic" stream $G4 256k flows=2
	mapfile -t to < <(traced_totals "$vif")
	must "perf's report" trace_stop
	mapfile -t after < <(traced_totals "$vif")
	d=$(head -n 6 "$TAP_DIR/trace")
	diag "$d"
	seen() { between "$2" $((to[$1] - from[$1])) "$3" $((after[$1] - before[$1])); }
	seen 0 "tx packets" "$(traced "^ *${event}_tx_packet: *$vif-q[01] packet .* status=0$")"
	seen 1 "tx bytes" "$(traced_sum "${event}_tx_packet: *$vif-q[01] packet .* status=0$" len)"
	seen 2 "tx requests" "$(traced_sum "${event}_tx_packet: *$vif-q" requests)"
	seen 2 "tx responses" "$(traced_sum "${event}_tx_batch: *$vif-q" responses)"
	seen 0 "tx packets in batches" "$(traced_sum "${event}_tx_batch: *$vif-q" packets)"
	seen 3 "rx packets" "$(traced "${event}_rx_packet: *$vif-q")"
	seen 4 "rx bytes" "$(traced_sum "${event}_rx_packet: *$vif-q" len)"
	seen 5 "rx responses" "$(traced_sum "${event}_rx_batch: *$vif-q" responses)"
	seen 3 "rx packets in batches" "$(traced_sum "${event}_rx_batch: *$vif-q" packets)"
	same "requests of ping" "$(traced "rx_packet: *$vif-q[01] len=45 slots=1 extras=0 gso_size=0 ")" 5
	same "answers to it" "$(traced "tx_packet: *$vif-q[01] packet bad=0 len=45 requests=[12] slots=[12] .* gso=0/0 ")" 5
	check "segmentation, tx" grep -qE "tx_packet: .* gso=1/[1-9]" "$TAP_DIR/trace"
	check "segmentation, rx" grep -qE "rx_packet: .* extras=1 gso_size=[1-9]" "$TAP_DIR/trace"
}

# perf trace shows them as they come, field by field. (Not each: it may lose some.)
t_perf_trace() {
	local d name n
	d=$(guest_domid g)
	check "ping under perf trace" perf trace -a -e 'xen_netback:*_packet' -o "$TAP_DIR/live" -- \
		ping -q -c 8 -i 0.2 -s 700 $G4
	head -n 20 "$TAP_DIR/live"
	for name in rx tx; do
		n=$(grep -cE "xenvif_${name}_packet\(domid: $d,.* len: 742,.* slots: 1" "$TAP_DIR/live")
		((n >= 4 && n <= 8)) || fail "of 8 packets, $name, perf trace shows $n"
	done
}

# bpftrace reads their fields by name.
t_bpftrace() {
	local d
	d=$(guest_domid g)
	check "ping under bpftrace" bpftrace -o "$TAP_DIR/bpf" -e "
		tracepoint:xen_netback:xenvif_tx_packet
		/args->domid == $d && args->handle == 0 && args->len == 642 && args->bad == 0/
		{ @tx = count(); @requests = sum(args->requests); }
		tracepoint:xen_netback:xenvif_rx_packet
		/args->domid == $d && args->handle == 0 && args->len == 642/
		{ @rx = count(); @slots = sum(args->slots); }
		tracepoint:xen_netback:xenvif_rx_batch /args->domid == $d/
		{ @responses = sum(args->responses); }" \
		-c "ping -q -c 6 -i 0.2 -s 600 $G4"
	cat "$TAP_DIR/bpf"
	diag "$(grep -E '^@' "$TAP_DIR/bpf" | xargs)"
	check "answers of ping" grep -qx '@tx: 6' "$TAP_DIR/bpf"
	check "requests of ping" grep -qx '@rx: 6' "$TAP_DIR/bpf"
	check "their slots" grep -qx '@slots: 6' "$TAP_DIR/bpf"
	check "their ring slots" grep -qE '^@requests: (6|12)$' "$TAP_DIR/bpf"
	check "batches" grep -qE '^@responses: ([6-9]|[1-9][0-9]+)$' "$TAP_DIR/bpf"
}

# ring FILE tx|rx: entries, to do, to answer; requests produced, consumed; responses
# produced, and those not shown yet.
ring() {
	tr -d , <"$1" | awk -v d="$2" '
		$2 == "ring:" { on = $1 == d }
		on && $2 == "ring:" { printf "%s %s %s", $3, $5, $8 }
		on && /requests:/ { printf " %s %s", $3, $5 }
		on && /responses:/ { printf " %s %s", $3, $5 }'
}

# rings_agree VIF QUEUE REQUESTS SLOTS: what a queue's file says since its connection
# began with these counters, while nothing moves.
rings_agree() {
	local vif=$1 file=/sys/kernel/debug/xen-netback/$1/io_ring_q$2 n r
	n=$(($(vif_stat "$vif" "tx_queue_$2_requests") - $3))
	rings="$(ring "$file" tx), $(ring "$file" rx)"
	[[ ${rings%,*} == "256 0 0 $n $n $n $n" ]] || return
	n=$(($(vif_stat "$vif" "rx_queue_$2_slots") - $4))
	read -ra r <<<"${rings#*,}"
	# The guest has posted some more, at most all there are.
	[[ ${r[*]:2} == "0 ${r[3]} $n $n $n" ]] && ((r[0] == 256 && r[1] == r[3] - n && r[1] <= 256))
}

# The rings as debugfs has them are what the counters say, from the first request on.
t_debugfs() {
	local vif dir before q
	vif=$(vif_name g 0)
	dir=/sys/kernel/debug/xen-netback/$vif
	must "unload" netfront_unload g
	check "nothing is shown without a connection" test ! -e "$dir"
	for q in 0 1; do
		before[q]="$(vif_stat "$vif" "tx_queue_${q}_requests") $(vif_stat "$vif" "rx_queue_${q}_slots")"
	done
	must "load" netfront_load g
	must "connected" vif_wait g 0
	must "address" guest_address g 0 0 11
	same "files" "$(ls "$dir" | xargs)" "io_ring_q0 io_ring_q1"
	check "traffic" stream $G4 1M flows=8
	for q in 0 1; do
		same "who may use it" "$(stat -c %a "$dir/io_ring_q$q")" 600
		# shellcheck disable=SC2086 # two words
		until_true 10 rings_agree "$vif" $q ${before[q]} ||
			fail "queue $q: $rings; counted before: ${before[q]}, now: \
$(vif_stat "$vif" "tx_queue_${q}_requests") $(vif_stat "$vif" "rx_queue_${q}_slots")"
		check "its thread" grep -qE "^rx thread: pid $(pgrep -f "^\[?$vif-q$q-guest-rx" | head -n 1)," "$dir/io_ring_q$q"
		check "kick" eval "echo kick >$dir/io_ring_q$q"
	done
	refused 'invalid' bash -c "echo nothing >$dir/io_ring_q0"
	refused 'no space' bash -c "echo kick kick kick kick kick kick kick >$dir/io_ring_q0"
	check "traffic" stream $G4 256k
}

# What xl is told of a vif comes to the driver and to the guest.
t_xl_options() {
	local d vif
	d=$(guest_domid g)
	defer vif_detach g 1
	must "attach" vif_attach g 1 bridge=xenbr0 mtu=9000 rate=8Mb/s@20ms
	vif=$(vif_name g 1)
	same "MTU" "$(cat "/sys/class/net/$vif/mtu")" 9000
	same "MTU for the guest" "$(xs "/local/domain/$d/device/vif/1/mtu")" 9000
	same "the bridge's, for the other vif" "$(xs "/local/domain/$d/device/vif/0/mtu")" 1500
	same "rate" "$(xs "$(vif_backend g 1)/rate")" 20000,20000
	check "and it is in force" grep -q '^tx credit: 20000 bytes every 20000 us' \
		"/sys/kernel/debug/xen-netback/$vif/io_ring_q0"
}

tap_setup setup
tap_case t_info 'ethtool -i and -g, and the address'
tap_case t_rxfh 'ethtool -x without a key'
tap_case t_channels 'ethtool -L, and the next connection'
tap_case t_timestamps 'ethtool -T: software, both ways'
tap_case t_features 'ethtool -K: every bit, off and on'
tap_case t_threaded 'threaded NAPI by sysfs'
tap_case t_pages 'pages of a queue that is idle go back'
tap_case t_coalesce "events put off by the core's means"
tap_case t_carrier "the guest's key for the link"
tap_case t_byte_limits 'byte queue limits, under load and over reconnects'
tap_case t_counters 'static grants in counters and debugfs'
tap_case t_qstats 'counters and NAPI of each queue by netlink'
tap_case t_pools 'page pools by netlink'
tap_case t_limits 'how long a packet to be segmented may be'
tap_case t_vlan_features 'frames with a tag: what a VLAN on the vif may leave open'
tap_case t_debugfs 'rings in debugfs, and what can be written there'
tap_case t_perf 'tracepoints by perf record agree with the counters'
tap_case t_perf_trace 'tracepoints by perf trace'
tap_case t_bpftrace 'tracepoints by bpftrace'
tap_case t_xl_options 'MTU and rate as xl is told them'
tap_run
