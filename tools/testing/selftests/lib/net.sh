# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Guests with a network, and traffic whose content is checked. Used together
# with tap.sh, in dom0 of the rig.

. /rig/lib.sh

PORT=5000
NETBACK=/sys/module/xen_netback
BACKENDS=/local/domain/0/backend/vif

# until SECONDS COMMAND...: where no event can be awaited.
until_true() {
	local end=$((SECONDS + $1 * RIG_SLOW))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS > end)) && return 1
		nap 0.1
	done
}

xs() { xenstore-read "$1" 2>/dev/null; }
is_netdev() { [[ -e /sys/class/net/$1 ]]; }
no_netdev() { [[ ! -e /sys/class/net/$1 ]]; }
no_path() { [[ ! -e $1 ]]; }
vif_name() { echo "vif$(guest_domid "$1").$2"; }
# vif_count DEVICE COUNTER
vif_count() { cat "/sys/class/net/$1/statistics/$2"; }

# vif_stat DEVICE COUNTER: one of "ethtool -S".
vif_stat() { ethtool -S "$1" | awk -v n="$2:" '$1 == n { print $2 }'; }

# bridge NAME SUBNET: as xenbr0, which has subnet 0: 10.0.SUBNET.1 and
# fd0SUBNET::1 are dom0.
bridge() {
	ip link add "$1" type bridge stp_state 0 forward_delay 0 mcast_snooping 0 &&
		ip addr add "10.0.$2.1/24" dev "$1" &&
		ip -6 addr add "fd0$2::1/64" dev "$1" nodad &&
		ip link set "$1" up
}

# guest_address NAME HANDLE SUBNET HOST: gives the guest's side of vif HANDLE
# the addresses 10.0.SUBNET.HOST and fd0SUBNET::HOST; prints its device there. dom0 may have
# been asking for them in vain, and be about to give up (a connection to an earlier
# guest does that): it begins anew.
guest_address() {
	ip neigh flush to "10.0.$3.$4" >/dev/null 2>&1
	ip -6 neigh flush to "fd0$3::$4" >/dev/null 2>&1
	guest_sh "$1" "
		d=\$(ls /sys/bus/xen/devices/vif-$2/net) || exit
		ip link set \$d up &&
		ip addr replace 10.0.$3.$4/24 dev \$d &&
		ip -6 addr replace fd0$3::$4/64 dev \$d nodad &&
		echo \$d"
}

# guest_serve NAME [IFACE]...: all tests' other end.
guest_serve() {
	local name=$1
	shift
	guest "$name" xvt serve $PORT "$@"
}

# guest_ready NAME HOST: a guest that was just started, at 10.0.0.HOST.
guest_ready() {
	vif_wait "$1" 0 && guest_address "$1" 0 0 "$2" && guest_serve "$1" eth0
}

# guest_fresh NAME HOST: its driver keeps 2 MiB of receive buffers from each detach on.
guest_fresh() { guest_reboot "$1" && guest_ready "$1" "$2"; }

# guest_rx_errors NAME: packets that its driver could not take.
guest_rx_errors() { guest "$1" cat /sys/class/net/eth0/statistics/rx_errors; }

# The guest's driver holds on to its module while it has devices.
netfront_unload() {
	guest_sh "$1" '
		for d in /sys/bus/xen/drivers/vif/vif-*; do
			[ -e $d ] && echo ${d##*/} >${d%/*}/unbind
		done
		modprobe -r xen-netfront'
}
# netfront_load NAME [PARAMETER=VALUE]...
netfront_load() {
	local name=$1
	shift
	guest "$name" modprobe xen-netfront "$@"
}
# netfront_reload NAME [PARAMETER=VALUE]...: until vif 0 is connected again.
netfront_reload() {
	netfront_unload "$1" && netfront_load "$@" && vif_wait "$1" 0
}

# vif_attach NAME HANDLE [SPEC]...: and wait until both ends are connected.
# HANDLE is the next free one, as the toolstack chooses it.
vif_attach() {
	local name=$1 handle=$2
	shift 2
	xl network-attach "$name" "$@" && vif_wait "$name" "$handle"
}

# vif_write NAME HANDLE [PATH VALUE]...: what a toolstack writes of a vif, but for the
# states, and more. All of it at once.
vif_write() {
	local d be fe
	d=$(guest_domid "$1")
	be=$BACKENDS/$d/$2
	fe=/local/domain/$d/device/vif/$2
	xenstore-write "$be/frontend" "$fe" "$be/frontend-id" "$d" "$be/online" 1 \
		"$be/handle" "$2" "$be/mac" 00:16:3e:00:00:07 \
		"$be/script" /etc/xen/scripts/vif-bridge \
		"$fe/backend" "$be" "$fe/backend-id" 0 "$fe/handle" "$2" \
		"$fe/mac" 00:16:3e:00:00:07 "${@:3}"
}

# vif_lost NAME HANDLE: until the guest has noticed that its vif is gone. Before, one
# that comes with the same handle would pass for the old one there, and never connect.
vif_lost() {
	until_true 10 guest "$1" test ! -e "/sys/bus/xen/devices/vif-$2"
}

# vif_detach NAME HANDLE: and see that nothing is left of it.
vif_detach() {
	local dev path
	dev=$(vif_name "$1" "$2")
	path=$(vif_backend "$1" "$2")
	xl network-detach "$1" "$2" && xs_wait_gone "$path" &&
		until_true 10 no_netdev "$dev" && vif_lost "$1" "$2"
}

# stream ADDRESS SIZE [OPTION]...: SIZE bytes each way at once, compared.
stream() {
	local address=$1 size=$2
	shift 2
	xvt tcp "$address" $PORT "up=$size" "down=$size" "$@" timeout=$((60 * RIG_SLOW))
}

# Endless traffic in the background: load_start ADDRESS; then load_moves says
# if it moves on both ways, and load_stop if all of it was right.
load_start() {
	load_stat=$TAP_DIR/load.$BASHPID
	xvt tcp "$1" $PORT up=endless down=endless "stat=$load_stat" \
		timeout=$((120 * RIG_SLOW)) >"$load_stat.out" 2>&1 &
	load_pid=$!
	until_true 5 test -s "$load_stat" && load_moves
}
load_moves() {
	xvt watch "$load_stat" "${1:-256k}" $((${2:-60} * RIG_SLOW)) || {
		cat "$load_stat.out"
		return 1
	}
}
load_stop() {
	kill -TERM $load_pid
	wait $load_pid
	local rc=$?
	cat "$load_stat.out"
	return $rc
}
load_kill() {
	kill -KILL $load_pid 2>/dev/null
	wait $load_pid 2>/dev/null
	return 0
}

# file_both_ways NAME ADDRESS SIZE: a file each way, hashed on both sides.
file_both_ways() {
	local name=$1 address=$2 size=$3 here=$TAP_DIR/file want got
	xvt gen $RANDOM "$size" >"$here"
	want=$(sha256sum <"$here")
	got=$(xvt put "$address" $PORT "$here")
	same "$size from dom0 to $address, sha256" "$got" "$want"
	want=$(guest_sh "$name" "xvt gen $RANDOM $size >/tmp/file && sha256sum </tmp/file")
	got=$(xvt get "$address" $PORT /tmp/file | sha256sum)
	same "$size from $address to dom0, sha256" "$got" "$want"
	rm -f "$here"
	((!tap_failed))
}

# What the guests' ends have to say, for tap.sh.
tap_on_fail() {
	local name
	for name in $(xl list | awk 'NR > 2 { print $1 }'); do
		echo "guest $name:"
		GUEST_TIMEOUT=15 guest_sh "$name" '
			tail -n 5 /tmp/xvt.log
			dmesg | tail -n 5'
	done
}
