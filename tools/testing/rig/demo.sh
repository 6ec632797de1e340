#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# make demo, the part that runs in dom0: a guest gets a vif, passes traffic, and
# loses it again. Every step is checked; the exit status is 0 only if all of them
# were seen to work.
#
#   guest "demo"                     dom0
#   eth0 10.0.0.2 ---- netfront | our xen-netback ---- vifD.0 -- xenbr0 10.0.0.1

. /rig/lib.sh

failed=0
SECONDS_TCP=${SECONDS_TCP:-3}

title() { printf '\n== %s\n' "$*"; }

# step WHAT COMMAND...: show what the command says, and whether it worked.
step() {
	local what=$1 rc
	shift
	"$@" 2>&1 | sed 's/^/   /'
	rc=${PIPESTATUS[0]}
	if [ "$rc" = 0 ]; then
		echo "   [ok] $what"
	else
		echo "   [FAILED, status $rc] $what"
		failed=$((failed + 1))
	fi
	return "$rc"
}

give_up() {
	printf '\nThe demo ends here: %s\n' "$1"
	exit 1
}

tcp() {
	local out
	out=$(timeout 60 iperf3 -c 10.0.0.2 -t "$SECONDS_TCP" -f m "$@" 2>&1) || {
		echo "$out"
		return 1
	}
	echo "$out" | grep -E 'sender|receiver'
	# What arrived, in Mbit/s: the figure before the unit.
	speed=$(echo "$out" | awk '/receiver/ { for (i = 2; i <= NF; i++)
		if ($i == "Mbits/sec") print $(i - 1) }')
	echo "$speed" >/tmp/speed
	awk -v s="$speed" 'BEGIN { exit !(s > 0) }'
}

gone() { ! ip link show "$1" >/dev/null 2>&1; }

title "Which module is loaded"
file=$(modinfo -n xen_netback) || give_up "there is no xen-netback"
step "modinfo: $file" test -e "$file"
loaded=$(cat /sys/module/xen_netback/srcversion 2>/dev/null)
step "the loaded module is that file (srcversion $loaded)" \
	test "$loaded" = "$(modinfo -F srcversion "$file")"

title "A guest without a network"
step "guest 'demo' runs" guest_start demo || give_up "no guest"
domid=$(guest_domid demo)
vif=vif$domid.0

title "xl network-attach demo bridge=xenbr0"
step "the toolstack attached it" xl network-attach demo bridge=xenbr0 ||
	give_up "no vif"
step "both ends are connected" vif_wait demo 0
step "the guest has an address" guest_sh demo \
	'ip addr add 10.0.0.2/24 dev eth0 && ip link set eth0 up'
step "xl network-list" xl network-list demo

title "Traffic"
step "ping" ping -c 3 -i 0.3 -w 20 10.0.0.2
step "a server in the guest" guest_sh demo 'iperf3 -s -D'
step "TCP, dom0 to guest" tcp
to_guest=$(cat /tmp/speed)
step "TCP, guest to dom0" tcp -R
to_dom0=$(cat /tmp/speed)

title "What the host sees"
step "ip -s -d link" ip -s -d link show "$vif"
step "ethtool -i" ethtool -i "$vif"
step "ethtool -S, what is not 0" bash -c "ethtool -S $vif | grep -v ': 0\$'"

title "xl network-detach demo 0"
step "the toolstack detached it" xl network-detach demo 0
step "the interface is gone" gone "$vif"
step "its keys are gone" xs_wait_gone "/local/domain/0/backend/vif/$domid/0" 10
step "the guest ends" guest_kill demo

title "Summary"
cat <<END
   module        $file
   dom0          Linux $(uname -r), Xen $(xl info xen_version)
   dom0 to guest $to_guest Mbit/s
   guest to dom0 $to_dom0 Mbit/s
   (All processors are emulated in software: these figures say that traffic
   flows, and nothing about speed.)
END
if [ "$failed" = 0 ]; then
	echo "   Every step worked."
else
	echo "   $failed steps FAILED."
fi
exit $((failed > 0))
