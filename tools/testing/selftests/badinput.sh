#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What a guest or a toolstack may write into xenstore wrongly: the vif says so,
# in one line and in its error node, and nobody else notices. And the module's
# parameters.
#
#      dom0                                      guest n (6.12), the neighbour
#      xenbr0 10.0.0.1, fd00::1 -- vif N.0 ===   10.0.0.14, fd00::14
#                                                guest b (6.12), has no netfront
#                                  vif B.* ===   written by hand, from dom0

. /rig/tests/tap.sh
. /rig/tests/net.sh

N4=10.0.0.14

setup() {
	check "guest n starts" guest_start n vif=bridge=xenbr0 &&
		check "guest n has a network" guest_ready n 14 &&
		check "guest b starts" guest_start b cmdline=rig.nonetfront &&
		B=$(guest_domid b)
}

# A vif by hand. be and fe are its directories; nothing is in them yet.
hand() {
	H=$1
	be=$BACKENDS/$B/$H
	fe=/local/domain/$B/device/vif/$H
	error=/local/domain/0/error/backend/vif/$B/$H/error
	hand_be=([frontend]=$fe [frontend-id]=$B [online]=1 [state]=1 [handle]=$H
		[mac]=00:16:3e:00:00:0$H [script]=/etc/xen/scripts/vif-bridge
		[hotplug-status]=connected [bridge]=xenbr0)
	hand_fe=([backend]=$be [backend-id]=0 [state]=1 [handle]=$H
		[mac]=00:16:3e:00:00:0$H [request-rx-copy]=1 [feature-rx-notify]=1
		[feature-sg]=1 [multi-queue-num-queues]=1
		[tx-ring-ref]=8 [rx-ring-ref]=9 [event-channel-tx]=20
		[event-channel-rx]=21)
	defer hand_away
}
declare -A hand_be hand_fe

# All nodes at once, the backend's state last.
hand_write() {
	local args=() key
	for key in "${!hand_fe[@]}"; do
		args+=("$fe/$key" "${hand_fe[$key]}")
	done
	for key in "${!hand_be[@]}"; do
		args+=("$be/$key" "${hand_be[$key]}")
	done
	xenstore-write -- "${args[@]}"
}

# As the toolstack does it after a guest's end.
hand_away() {
	xenstore-write "$be/online" 0
	xenstore-rm "$be"
	xenstore-rm "$fe"
	xenstore-rm "${error%/error}"
	until_true 20 no_path "/sys/bus/xen-backend/devices/vif-$B-$H" ||
		fail "vif-$B-$H does not go away"
	until_true 20 no_netdev "vif$B.$H" || fail "vif$B.$H does not go away"
}

# Lines of the log that are this vif's, and the driver's: the xenbus core and the
# driver core add their own where a probe or a mapping fails.
hand_log() {
	log_since "$mark" | grep -E "vif[- ]$B-$H|vif$B\.$H" |
		grep -vE 'link becomes ready|entered (promiscuous|blocking|disabled|forwarding|learning)|left (promiscuous|allmulticast)|entered allmulticast|\(unregistering\)|state recovery|xenbus_dev_probe on|probe with driver vif failed|mapping in shared page'
}

# refused: the vif has an error node, is on its way out, and said so once.
refused() {
	local lines
	check "an error node" xenstore_nonempty "$error"
	diag "error node: $(xs "$error")"
	check "backend is closing or closed" until_true 5 backend_closing
	lines=$(hand_log)
	diag "log: $lines"
	(($(wc -l <<<"$lines") == 1)) && [[ $lines ]] ||
		fail "not one line in the log: $lines"
}
xenstore_nonempty() { until_true 10 eval '[[ $(xs "'"$1"'") ]]'; }
backend_closing() { [[ $(xs "$be/state") == [56] ]]; }

# The neighbour does not notice.
neighbour() {
	check "the neighbour's traffic" stream $N4 1M
	same "netdevs left" "$(cd /sys/class/net && ls -d "vif$B."* 2>/dev/null)" ""
}

# at_connect HANDLE CHANGE...: a frontend that says Connected (4) with these
# changes (key=value in its own directory, key= for a missing node, @key=value
# in the backend's) is refused, for that: the error has the first key's name in it, or
# $names. It says so from the beginning: xenbus looks at a frontend's state when it
# starts to watch it, and who is quick would be looked at, and refused, twice.
at_connect() {
	local change key value words=${names:-${2%%=*}}
	log_mark bad
	hand "$1"
	shift
	for change in "$@"; do
		key=${change%%=*}
		value=${change#*=}
		if [[ $key == @* ]]; then
			hand_set hand_be "${key#@}" "$value"
		else
			hand_set hand_fe "$key" "$value"
		fi
	done
	hand_set hand_fe state 4
	hand_write
	refused
	[[ $(xs "$error") == *"${words#@}"* ]] || fail "the error is not about ${words#@}"
	hand_away
	neighbour
}
hand_set() {
	local -n map=$1
	if [[ $3 ]]; then map[$2]=$3; else unset "map[$2]"; fi
}

t_no_mac() { at_connect 1 @mac=; }
t_bad_mac() { at_connect 1 @mac=00:16:3e:zz:00:01; at_connect 2 @mac=00:16:3e; }
t_no_rings() { at_connect 1 tx-ring-ref= ; at_connect 2 rx-ring-ref=; at_connect 3 tx-ring-ref= rx-ring-ref=; }
t_text_rings() { at_connect 1 tx-ring-ref=abc; at_connect 2 rx-ring-ref=-; }
t_huge_rings() { at_connect 1 tx-ring-ref=99999999999999999999; at_connect 2 rx-ring-ref=4294967304; at_connect 3 rx-ring-ref=-1; }
t_ungranted_rings() {
	local names='mapping rings'
	at_connect 1
	at_connect 2 tx-ring-ref=400
	at_connect 3 tx-ring-ref=4000000000
}
t_no_channels() { names=event-channel at_connect 1 event-channel-tx= event-channel-rx=; at_connect 2 event-channel-rx=; }
t_bad_channels() {
	at_connect 1 event-channel-tx=abc
	names=event-channel at_connect 2 event-channel-tx= event-channel-rx= event-channel=99999999999999999999
	names='binding channels' at_connect 3 event-channel-tx=4000 event-channel-rx=4001
}
t_queues_zero() { at_connect 1 multi-queue-num-queues=0; }
t_queues_many() { at_connect 1 multi-queue-num-queues=1000; at_connect 2 multi-queue-num-queues=4294967297; at_connect 3 multi-queue-num-queues=-1; }
t_queues_missing() { names=queue-0/ at_connect 1 multi-queue-num-queues=2; }
t_no_rx_copy() { at_connect 1 request-rx-copy=0; at_connect 2 request-rx-copy=; }
t_ctrl_ring() {
	names=event-channel-ctrl at_connect 1 ctrl-ring-ref=8
	at_connect 2 ctrl-ring-ref=abc event-channel-ctrl=22
	names='mapping rings' at_connect 3 ctrl-ring-ref=400 event-channel-ctrl=22
}

# at_probe HANDLE KEY: without that node there is no vif at all.
at_probe() {
	log_mark bad
	hand "$1"
	hand_set hand_be "$2" "${3:-}"
	hand_write
	check "an error node" xenstore_nonempty "$error"
	refused
	check "no netdev" no_netdev "vif$B.$1"
	hand_away
	neighbour
}
t_no_script() { at_probe 1 script; }
t_bad_handle() { at_probe 1 handle; at_probe 2 handle abc; }

# A frontend's state that is none.
t_bad_state() {
	local state want
	for state in 99 4294967300 abc -1; do
		log_mark bad
		hand 1
		hand_set hand_fe state "$state"
		hand_write
		# The end of 4294967300 is 4, and abc is no state at all.
		case $state in
		4294967300) want=5 ;;
		abc) want=6 ;;
		*) want=2 ;;
		esac
		must "backend has seen it" xs_wait "$be/state" $want
		sleep 1 # for what must not happen
		same "state $state: the backend's" "$(xs "$be/state")" $want
		diag "state $state: backend $(xs "$be/state"), error '$(xs "$error")', log: $(hand_log)"
		(($(hand_log | wc -l) <= 1)) || fail "state $state: more than one line in the log"
		hand_away
	done
	neighbour
}

# A rate that is none does no harm: the vif comes up without a limit and says
# so once.
t_bad_rate() {
	local rate vif
	vif=$(vif_name n 0)
	be=$(vif_backend n 0)
	B=$(guest_domid n)
	H=0
	defer xenstore-rm "$be/rate"
	for rate in abc 1 1,2,3 , 99999999999999999999,5 -1,-1 10,abc 0,0 '1 000,5'; do
		log_mark bad
		xenstore-write -- "$be/rate" "$rate"
		check "rate '$rate': traffic" stream $N4 512k timeout=20
		diag "rate '$rate': $(hand_log)"
		(($(hand_log | wc -l) <= 1)) || fail "rate '$rate': more than one line in the log"
	done
	log_mark bad
	xenstore-write "$be/rate" "nonsense"
	check "one line in the log" until_true 5 eval '[[ $(hand_log | wc -l) == 1 ]]'
	xenstore-write "$be/rate" ""
	check "traffic after an empty rate" stream $N4 512k
}

# Garbage in everything at once, and 20 vifs of it one after the other.
t_garbage() {
	local i key before after junk
	before=$(ls /sys/class/net | wc -l)
	for i in 1 2 3 4 5 6 7 8; do
		log_mark bad
		hand $i
		junk=$(xvt gen $i 8192 | base64 -w0)
		for key in "${!hand_fe[@]}"; do
			case $key in backend* | state) continue ;; esac
			hand_fe[$key]=${junk::i * 53}
			junk=${junk:i * 53}
		done
		hand_set hand_fe state 4
		hand_write
		check "refused" until_true 10 backend_closing
		(($(hand_log | wc -l) <= 1)) || fail "more than one line in the log: $(hand_log)"
		hand_away
	done
	after=$(ls /sys/class/net | wc -l)
	same "netdevs" "$after" "$before"
	neighbour
}

# The frontend comes right after a refusal: the same vif connects.
t_second_try() {
	log_mark bad
	must "attach" xl network-attach n bridge=xenbr0
	defer vif_detach n 1
	must "connected" vif_wait n 1
	local fe=/local/domain/$(guest_domid n)/device/vif/1
	guest_sh n 'echo vif-1 >/sys/bus/xen/drivers/vif/unbind'
	check "not connected" until_true 20 eval "[[ \$(xs $(vif_backend n 1)/state) != 4 ]]"
	guest_sh n 'echo vif-1 >/sys/bus/xen/drivers/vif/bind'
	check "connected again" vif_wait n 1
	must "address" guest_address n 1 0 15
	neighbour_of=10.0.0.14
	check "traffic" stream $neighbour_of 1M
}

# The seven parameters of old load without a complaint, and are taken.
parameters=(separate_tx_rx_irq=0 rx_drain_timeout_msecs=5000
	rx_stall_timeout_msecs=30000 max_queues=1 fatal_skb_slots=24
	hash_cache_size=0 provides_xdp_headroom=0)
t_parameters() {
	local p value want
	must "the neighbour's vif is gone" vif_detach n 0
	defer eval 'vif_attach n 0 bridge=xenbr0; guest_address n 0 0 14'
	defer modprobe xen-netback
	must "unload" modprobe -r xen-netback
	log_mark bad
	for p in "${parameters[@]}" separate_tx_rx_irq=1 separate_tx_rx_irq=Y \
		max_queues=0 max_queues=8 fatal_skb_slots=20 hash_cache_size=64 \
		provides_xdp_headroom=1; do
		check "load with $p" modprobe xen-netback $p
		value=$(cat "$NETBACK/parameters/${p%%=*}")
		want=${p#*=}
		case $value,$want in
		Y,1 | N,0 | Y,Y | "$want,$want") ;;
		*) [[ $p == max_queues=0 ]] || fail "$p: reads $value" ;;
		esac
		check "unload" modprobe -r xen-netback
	done
	must "load with all seven" modprobe xen-netback "${parameters[@]}"
	same "complaints" "$(log_since "$mark" | grep -iE 'unknown|invalid|xen_netback|netback' | grep -v 'module verification')" ""
	must "attach" vif_attach n 0 bridge=xenbr0
	must "address" guest_address n 0 0 14
	same "max_queues" "$(xs "$(vif_backend n 0)/multi-queue-max-queues")" 1
	same "split channels" "$(xs "$(vif_backend n 0)/feature-split-event-channels")" 0
	same "xdp headroom" "$(xs "$(vif_backend n 0)/feature-xdp-headroom")" 0
	check "traffic with all seven" stream $N4 2M
	check "detach" vif_detach n 0
	check "unload" modprobe -r xen-netback
}

tap_setup setup
tap_case t_no_mac 'no mac'
tap_case t_bad_mac 'a mac that is none'
tap_case t_no_script 'no script'
tap_case t_bad_handle 'no handle, and one that is none'
tap_case t_no_rings 'no ring references'
tap_case t_text_rings 'ring references that are no numbers'
tap_case t_huge_rings 'ring references too large'
tap_case t_ungranted_rings 'ring references that nobody granted'
tap_case t_no_channels 'no event channels'
tap_case t_bad_channels 'event channels that are none'
tap_case t_queues_zero 'no queue'
tap_case t_queues_many 'more queues than allowed'
tap_case t_queues_missing 'queues asked for and not described'
tap_case t_no_rx_copy 'a frontend that does not copy'
tap_case t_ctrl_ring 'a control ring that is none'
tap_case t_bad_state "a frontend's state that is none"
tap_case t_garbage 'garbage in every node'
tap_case t_bad_rate 'a rate that is none'
tap_case t_second_try 'a frontend that leaves connects again'
tap_case t_parameters 'the seven module parameters'
tap_run
