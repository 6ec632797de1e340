# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# A frontend in user space (tools/testing/frontend) beside a neighbour with an
# honest one. Used together with tap.sh and net.sh, in dom0 of the rig.
#
#      dom0                                      guest n (6.12), the neighbour
#      xenbr0 10.0.0.1, fd00::1 -- vif N.0 ===   10.0.0.14, fd00::14
#      xvf peer ------------------ vif F.0 ===   guest f (6.12, 2 processors): xvf,
#                                                no netfront

N4=10.0.0.14

# Cases that match XVF_PROVE see what is not so, each its own lie: see xvf.c.
declare -A xvf_lies

# xvf_guests [PARAMETER=VALUE]...: of the module
xvf_guests() {
	check "the module is loaded anew" modprobe -r xen-netback &&
		check "with $*" modprobe xen-netback "$@" &&
		check "guest n starts" guest_start n vif=bridge=xenbr0 &&
		check "guest n has a network" guest_ready n 14 &&
		check "guest f starts" guest_start f vcpus=2 cmdline=rig.nonetfront vif=bridge=xenbr0 &&
		check "guest f's backend waits" xs_wait "$(vif_backend f 0)/state" 2 &&
		check "and the script is done" xs_wait "$(vif_backend f 0)/hotplug-status" connected ||
		return
	F=$(vif_name f 0)
}

# xvf_setup [PARAMETER=VALUE]...: and the peer
xvf_setup() {
	xvf_guests "$@" || return
	xvf peer "$F" >/tmp/peer.out 2>&1 &
	check "the peer listens on $F" until_true 10 grep -q ready /tmp/peer.out
}

# Lines of dom0's log that are guest f's vif's, since the mark.
xvf_log() {
	log_since "$mark" | awk -v vif="$F" 'index($0, vif) &&
		!/link becomes ready|(entered|left) (promiscuous|allmulticast)/ &&
		!/entered (blocking|disabled|forwarding|learning)|state recovery|mapping in shared page/'
}

# What a connection leaves behind in dom0: threads, interrupts, directories.
xvf_leftovers() {
	local what name irqs
	for what in /proc/[0-9]*/comm; do
		read -r name <"$what" && [[ $name == "$F"-q* ]] && echo "$name"
	done
	mapfile -t irqs </proc/interrupts
	for what in "${irqs[@]}"; do
		[[ $what == *"$F"-@(q|ctrl)* ]] && echo "$what"
	done
	for what in /sys/kernel/debug/xen-netback/"$F"/*; do
		[[ ! -e $what ]] || echo "$what"
	done
} 2>/dev/null

# What dom0 knows of the vif when a case has failed.
xvf_state() {
	diag "$F: $(ip -br link show "$F"); $(ethtool -S "$F" | grep -v ': 0$' | tr -s ' \n' ' ')"
	diag "$(tc -s qdisc show dev "$F")"
}

# xvf_case CASE [VERB...]: runs it ("run CASE"), and looks at all that the frontend cannot see: the log
# (Q), what is left (K), and the neighbour (N).
xvf_case() {
	local rc lines log most start=$SECONDS verb=${*:2} lie=
	log_mark "xvf-$1"
	# shellcheck disable=SC2053 # it is a glob
	[[ $1 == ${XVF_PROVE:-} ]] && lie=${xvf_lies[$1]:-}
	GUEST_TIMEOUT=$((GUEST_TIMEOUT * ${XVF_TIMES:-1})) \
		guest_sh f "XVF_LIE=$lie XVF_TIMES=${XVF_TIMES:-1} xvf ${verb:-run $1}" >"$TAP_DIR/xvf" 2>&1
	rc=$?
	while read -r lines; do diag "$lines"; done <"$TAP_DIR/xvf"
	xvf_log >"$TAP_DIR/lines"
	mapfile -t log <"$TAP_DIR/lines"
	case $rc in
	0) ;;
	77) skip "$(tail -n 1 "$TAP_DIR/xvf")" ;;
	*)
		fail "case $1, status $rc: $(tail -n 3 "$TAP_DIR/xvf")"
		xvf_state
		;;
	esac
	((!${#log[@]})) || diag "log: $(printf '%s\n' "${log[@]}")"
	# Ten lines in five seconds are a vif's share.
	most=$((10 + (SECONDS - start) * 2))
	((${#log[@]} <= most)) ||
		fail "Q: ${#log[@]} lines in the log in $((SECONDS - start)) s"
	until_true 10 eval '[[ -z $(xvf_leftovers) ]]' || fail "K: left behind: $(xvf_leftovers)"
	check "N: the neighbour's traffic" stream $N4 256k timeout=20
}
