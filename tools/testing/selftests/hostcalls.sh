#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What the driver calls fails: grant copies, each with every status that Xen knows,
# under load; and each call of a probe and of a connect, in its turn. Packets are lost
# and counted, slots are not; what was tried fails cleanly; and it works afterwards.
# The errors come from a module (faults/xenvif_faults.c) with probes on the functions.
#
#      dom0                                      guest g (6.12, 2 processors)
#      xenbr0 10.0.0.1, fd00::1 -- vif D.0 ===   10.0.0.11, fd00::11

. /rig/tests/tap.sh
. /rig/tests/net.sh
. /rig/tests/inventory.sh

G4=10.0.0.11
FAULTS=/sys/module/xenvif_faults
DRIVER=/sys/bus/xen-backend/drivers/vif
# GNTST_*, xen/interface/grant_table.h; and what no status is.
STATUSES="-1 -2 -3 -4 -5 -6 -7 -8 -9 -10 -11 -13 1"
EAGAIN=-12
# XENVIF_TX_EAGAIN_MAX, and the thread's.
TX_TRIES=64
RX_TRIES=16

setup() {
	check "guest g starts" guest_start g vcpus=2 vif=bridge=xenbr0 &&
		check "guest g has a network" guest_ready g 11 || return
	VIF=$(vif_name g 0)
	DEV=vif-$(guest_domid g)-0
	BE=$(vif_backend g 0)
	FE=/local/domain/$(guest_domid g)/device/vif/0
	ERROR=/local/domain/0/error/backend/vif/$(guest_domid g)/0/error
}

# faults PARAMETER=VALUE...: from now on, until faults_end; see the module.
faults() {
	must "a probe for $*" insmod /rig/bin/xenvif_faults.ko "$@"
	defer faults_end
}
faults_say() { cat "$FAULTS/parameters/$1"; }
faults_end() {
	local missed seen
	[[ -e $FAULTS ]] || return 0
	missed=$(faults_say missed) seen=$(faults_say seen)
	((missed * 100 <= seen * may_miss)) ||
		fail "of $seen there were $missed calls that went past the probe"
	rmmod xenvif_faults
}
# Of a hundred. A poll that interrupts the thread while its call is looked at goes past.
may_miss=0
# hits_are NUMBER
hits_are() { (($(faults_say hits) >= $1)); }

# The vif's counters of failed copies, of all queues.
failed() {
	ethtool -S "$VIF" | awk -v re="^$1_queue_[0-9]+_$2:" '$1 ~ re { n += $2 } END { print n }'
}
tx_failed() { failed tx drop_copy; }
rx_failed() { failed rx copy_errors; }

# What the vif says; not its bridge, which has some eight lines for each that comes.
log_lines() {
	log_since "$mark" | grep -E "${VIF}[^0-9]|${DEV}[^0-9]" |
		grep -vE ' (entered|left) (blocking|disabled|forwarding|learning|promiscuous|allmulticast) '
}
log_quiet() {
	same "lines in the log: $(log_lines | head -n 3)" "$(log_lines | wc -l)" 0
}

# Each slot that was taken has been answered.
slots_answered() {
	local ring
	for ring in /sys/kernel/debug/xen-netback/"$VIF"/io_ring_q*; do
		grep -q '^tx ring: 256 entries, 0 to do, 0 to answer$' "$ring" &&
			grep -qE '^rx ring: 256 entries, [0-9]+ to do, 0 to answer$' "$ring" &&
			grep -q ' packets in work 0, retries 0,' "$ring" || return
	done
}

# under_faults FUNCTION: it runs beside a stream and pings, both ways. What it breaks
# ends with it.
under_faults() {
	local pings may_miss=1
	log_mark hostcalls
	must "load" load_start $G4
	defer load_kill
	pings=$(guest_bg g 'exec ping -q -i 0.01 10.0.0.1')
	defer guest_sh g "kill $pings"
	ping -q -i 0.01 $G4 >/dev/null &
	defer kill $!
	"$@"
	check "the stream goes on" load_moves
	check "and was right" load_stop
	check "each slot is answered" until_true 20 slots_answered
	guest g ping -c 20 -i 0.05 -W 5 -q 10.0.0.1 | grep -q ' 0% packet loss' ||
		fail "packets are lost"
	log_quiet
	check "the carrier is on" grep -qx 1 "/sys/class/net/$VIF/carrier"
}

# counted HITS: so many copies have failed since the last call, and are counted.
counted() {
	local tx rx
	tx=$(tx_failed)
	rx=$(rx_failed)
	n_tx=$((tx - tx_before)) n_rx=$((rx - rx_before))
	tx_before=$tx rx_before=$rx
	[[ ! ${1:-} ]] || same "$2: $n_tx drop_copy, $n_rx copy_errors" $((n_tx + n_rx)) "$1"
}

# In no packet and no batch of responses are there two of them.
FEW="every=41 times=20"

# shellcheck disable=SC2086 # words
do_statuses() {
	local status
	counted
	for status in $STATUSES; do
		faults status=$status $FEW
		must "status $status: copies fail" until_true 30 hits_are 20
		# Before the last packet is counted its poll has to end.
		check "and are counted" until_true 10 all_counted 20
		faults_end
		counted 20 "status $status"
	done
	check "the stream goes on" load_moves
}
all_counted() { (($(tx_failed) - tx_before + $(rx_failed) - rx_before == $1)); }
t_statuses() { under_faults do_statuses; }

# do_all DIRECTION: more copies fail, one after the other, than the rings have slots.
do_all() {
	counted
	faults status=-1 "$1=1" nth=10 times=700
	must "copies fail" until_true 60 hits_are 700
	faults_end
	check "the stream goes on" load_moves
	counted
	diag "$1: $n_tx drop_copy, $n_rx copy_errors"
}
# Of a packet some may have been.
do_from() {
	do_all from
	((n_tx >= 700 / 18 && !n_rx)) || fail "$n_tx drop_copy, $n_rx copy_errors"
}
t_from() { under_faults do_from; }
do_to() {
	do_all to
	((n_rx == 700 && !n_tx)) || fail "$n_tx drop_copy, $n_rx copy_errors"
}
t_to() { under_faults do_to; }

# All copies of some batches; and the whole hypercall, by which no copy is made.
do_batches() {
	local what
	for what in "status=-3 whole=1" \
		"call=xen_netback:xenvif_grant_copy error=-14" \
		"call=xen_netback:xenvif_grant_copy error=-38"; do
		counted
		# shellcheck disable=SC2086 # words
		faults $what every=19 times=30
		must "$what: batches fail" until_true 60 hits_are 30
		faults_end
		check "the stream goes on" load_moves
		counted
		diag "$what: $n_tx drop_copy, $n_rx copy_errors"
		((n_tx + n_rx >= 30 && n_tx && n_rx)) || fail "$what: not all are counted"
	done
}
t_batches() { under_faults do_batches; }

# A page of the guest's is paged out, and comes back: nothing is lost.
do_again() {
	counted
	# shellcheck disable=SC2086 # words
	faults status=$EAGAIN retries=3 $FEW
	must "copies are to be made again" until_true 30 hits_are 20
	check "and are" until_true 20 eval '(($(faults_say again) >= 60))'
	same "tried again in vain" "$(faults_say again)" 60
	faults_end
	check "the stream goes on" load_moves
	counted 0 "nothing is lost"
}
t_again() { under_faults do_again; }

# Or does not: they give up after a bound, each direction its own.
do_again_for_ever() {
	local again
	counted
	faults status=$EAGAIN retries=-1 every=41 times=10
	must "copies are to be made again" until_true 30 hits_are 10
	check "they give up" until_true 30 all_counted 10
	again=$(faults_say again)
	faults_end
	counted 10 "all are given up"
	same "tried again in vain, $n_tx of the poll's and $n_rx of the thread's" \
		"$again" $((n_tx * TX_TRIES + n_rx * RX_TRIES))
}
t_again_for_ever() { under_faults do_again_for_ever; }

# The frontend closes, and comes again.
frontend_away() {
	guest_sh g '[ ! -e /sys/bus/xen/drivers/vif/vif-0 ] || echo vif-0 >/sys/bus/xen/drivers/vif/unbind' &&
		until_true 20 eval "[[ \$(xs $FE/state) != 4 && \$(xs $BE/state) == [26] ]]"
}
frontend_back() { guest_sh g 'echo vif-0 >/sys/bus/xen/drivers/vif/bind'; }

backend_unbind() {
	[[ ! -e $DRIVER/$DEV ]] || echo "$DEV" >$DRIVER/unbind
}
# As the hotplug script would, which nobody runs a second time.
backend_plug() {
	ip link set "$VIF" master xenbr0 up && xenstore-write "$BE/hotplug-status" connected
}
# A backend that knows nothing of connects that failed, whom it would let wait.
backend_anew() {
	xenstore-rm -t "$ERROR" 2>/dev/null
	backend_unbind && echo "$DEV" >$DRIVER/bind && backend_plug
}

# All is as it was before the case.
all_back() {
	must "the frontend goes" frontend_away
	must "the backend is bound" backend_anew
	must "the frontend comes" frontend_back
	must "connected" vif_wait g 0
	must "address" guest_address g 0 0 11
	check "traffic" stream $G4 1M
	xenstore-rm -t "$ERROR" 2>/dev/null
	inventory | inventory_drop >"$TAP_DIR/inventory.after"
	same_inventory "$TAP_DIR/inventory.before" "$TAP_DIR/inventory.after"
	check "the log says little" eval '(($(log_lines | wc -l) <= 8 * ${tried:-1}))'
}
# How many buffers the guest has granted is its own affair.
inventory_drop() { grep -v '^grants in use'; }
all_before() {
	log_mark hostcalls
	xenstore-rm -t "$ERROR" 2>/dev/null
	inventory | inventory_drop >"$TAP_DIR/inventory.before"
}

# walk TRY LEAST FUNCTION ERROR [MOST]: the first call of a function's fails, then the
# second, and so on, until TRY ends without reaching it (or MOST have failed); of them at
# least LEAST. TRY looks at what has come of it.
walk() {
	local try=$1 least=$2 call=$3 error=$4 most=${5:-60} n hits=1 reached=0 what
	for ((n = 1; n <= most && hits; n++)); do
		what="$call, call $n"
		tried=$((${tried:-0} + 1))
		$try "call=$call" "error=$error" nth=$n times=1
		((reached += hits))
	done
	diag "$call: $reached calls failed in turn"
	((!hits || most < 60)) || fail "$call: 60 calls and no end"
	((reached >= least)) || fail "$call: only $reached calls are reached"
}

# A probe: it fails, and there is no interface and no reference; or it does not. With
# lives=1 what fails is one that it does without.
try_probe() {
	must "unbind" backend_unbind
	xenstore-rm -t "$ERROR" 2>/dev/null
	faults "$@"
	echo "$DEV" >$DRIVER/bind
	hits=$(faults_say hits)
	faults_end
	if ((hits && !${lives-0})); then
		check "$what: not bound" no_path "$DRIVER/$DEV"
		check "$what: no interface" no_netdev "$VIF"
		same "$what: references" "$(cat $NETBACK/refcnt)" 0
		[[ $(xs "$BE/state") == [56] ]] || fail "$what: state $(xs "$BE/state")"
		check "$what: an error node" xs "$ERROR"
	else
		check "$what: bound" test -e "$DRIVER/$DEV"
		check "$what: an interface" is_netdev "$VIF"
	fi
}

t_probe() {
	all_before
	must "the frontend goes" frontend_away
	walk try_probe 1 alloc_netdev_mqs 0
	walk try_probe 1 register_netdev -23
	# Others come later, and at any time: from a watch.
	walk try_probe 2 xenbus_read -5 2
	walk try_probe 12 xenbus_printf -5
	walk try_probe 1 xenbus_watch_pathfmt -12
	lives=1 walk try_probe 2 register_xenbus_watch -7
	check "the log tells so" eval \
		"log_lines | grep -q 'cannot watch request-multicast-control: -E2BIG'"
	all_back
}

connected_or_not() {
	local state
	state=$(xs "$BE/state")
	[[ $state == [56] || $state$(xs "$FE/state") == 44 ]] || script_unread
}
# The script's word could not be read: it has to be said again.
script_unread() { [[ $(xs "$ERROR") == *reading*hotplug-status ]]; }

# A connect: it fails, there is an error node, no thread, and no interrupt; the
# interface stays, without a carrier.
try_connect() {
	local held
	must "$what: the frontend goes" frontend_away
	must "$what: the backend is bound" backend_anew
	held=$(cat $NETBACK/refcnt)
	faults "$@"
	must "$what: the frontend comes" frontend_back
	until_true 20 connected_or_not ||
		fail "$what: frontend $(xs "$FE/state"), backend $(xs "$BE/state")"
	hits=$(faults_say hits)
	faults_end
	if ((!hits)); then
		same "$what: state" "$(xs "$BE/state")" 4
		return
	fi
	if script_unread; then
		must "$what: the script says so again" xenstore-write "$BE/hotplug-status" connected
		must "$what: connected" vif_wait g 0
		return
	fi
	[[ $(xs "$BE/state") == [56] ]] || fail "$what: connected"
	check "$what: an error node" xs "$ERROR"
	check "$what: no thread" eval "! grep -qs '^$VIF-' /proc/[0-9]*/comm"
	check "$what: no interrupt" eval "! grep -q ' $VIF-' /proc/interrupts"
	check "$what: no directory" no_path "/sys/kernel/debug/xen-netback/$VIF"
	check "$what: an interface" is_netdev "$VIF"
	same "$what: carrier" "$(cat "/sys/class/net/$VIF/carrier")" 0
	same "$what: references" "$(cat $NETBACK/refcnt)" "$held"
}

t_map() {
	all_before
	walk try_connect 4 xenbus_map_ring_valloc -12
	# Not an error number: what Xen calls a status.
	walk try_connect 1 xenbus_map_ring_valloc -13 1
	walk try_connect 1 xenbus_map_ring_valloc 1 1
	all_back
}

t_bind() {
	all_before
	walk try_connect 4 bind_interdomain_evtchn_to_irqhandler_lateeoi -28
	all_back
}

t_thread() {
	all_before
	walk try_connect 2 kthread_create_on_node -12
	walk try_connect 1 netif_set_real_num_queues -12
	all_back
}

# What is read of the frontend cannot be.
t_read() {
	all_before
	walk try_connect 15 xenbus_read -5
	all_back
}

# xenstore fails when something is written later: it is tried again where that helps,
# or told.
t_publish() {
	log_mark hostcalls
	defer ip link set "$VIF" up
	faults call=xenbus_transaction_start error=-5 times=1
	must "down" ip link set "$VIF" down
	check "the log says so" until_true 10 eval "log_lines | grep -q 'cannot write to xenstore'"
	faults_end
	must "up" ip link set "$VIF" up
	check "the link is written" xs_wait "$BE/carrier" 1
	faults call=xenbus_printf error=-11 times=5
	must "down" ip link set "$VIF" down
	check "it is written in the end" xs_wait "$BE/carrier" 0
	same "tried in vain" "$(faults_say hits)" 5
	faults_end
	faults call=xenbus_transaction_end error=-11 times=5 after=1
	must "up" ip link set "$VIF" up
	check "it is written in the end" xs_wait "$BE/carrier" 1
	check "tried in vain" until_true 10 hits_are 5
	faults_end
	same "lines about it" "$(log_lines | grep -c 'cannot write')" 1
	check "traffic" stream $G4 256k
}

# A ring cannot be unmapped: xenbus says so in the log, and all goes on. The page stays
# the guest's to the end, so this comes last.
t_unmap() {
	all_before
	faults call=xenbus_unmap_ring_vfree null=1 nth=2 times=1
	must "the frontend goes" frontend_away
	hits=$(faults_say hits)
	faults_end
	same "unmapped in vain" "$hits" 1
	check "the log tells about it" eval "log_lines | grep -q \"can't find mapped virtual address\""
	check "no thread" eval "! grep -qs '^$VIF-' /proc/[0-9]*/comm"
	must "the frontend comes" frontend_back
	must "connected" vif_wait g 0
	must "address" guest_address g 0 0 11
	check "traffic" stream $G4 1M
}

tap_setup setup
tap_case t_statuses 'a grant copy has each status'
tap_case t_from 'all copies from the guest fail, for a time'
tap_case t_to 'all copies to the guest fail, for a time'
tap_case t_batches 'all copies of a batch fail, and the whole hypercall does'
tap_case t_again 'a copy is to be made again, and then is made'
tap_case t_again_for_ever 'a copy is to be made again, for ever'
tap_case t_probe 'each call of a probe fails in its turn'
tap_case t_map 'no ring can be mapped at a connect'
tap_case t_bind 'no event channel can be bound at a connect'
tap_case t_thread 'no thread, no queues at a connect'
tap_case t_read 'nothing can be read at a connect'
tap_case t_publish 'xenstore cannot be written to'
tap_case t_unmap 'a ring cannot be unmapped'
tap_run
