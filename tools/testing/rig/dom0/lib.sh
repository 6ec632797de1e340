# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# For scripts that run in dom0: guests and how to talk to them.  Every function
# returns non-zero, with a word on stderr, when it did not get what it is for.

# A dom0 with the detectors on takes its time: RIG_SLOW times as much.
RIG_SLOW=${RIG_SLOW:-1}
GUEST_TIMEOUT=${GUEST_TIMEOUT:-$((120 * RIG_SLOW))}	# seconds for one command in a guest
GUEST_BOOT_TIMEOUT=${GUEST_BOOT_TIMEOUT:-$((120 * RIG_SLOW))}
RIG_GUESTS=/run/rig/guests
mkdir -p "$RIG_GUESTS"

# guest_start NAME [kernel=6.12|6.1] [vcpus=N] [mem=MIB] [vif=SPEC]...
#	[cmdline=TEXT] [extra=XL-CONFIG-LINE]... [driver=1] [wait=0]
# Creates a PV guest and waits until its agent answers.  No vif unless given.
# driver=1 (with the rig's --driver-domain): other guests' vifs may be served by
# it; it has the toolstack's programs and modprobe finds the same xen-netback as
# in dom0, but neither is started.
guest_start() {
	local name=$1 kernel=${RIG_GUEST_KERNEL} vcpus=1 mem=256 cmdline='' wait=1
	local vifs='' extra='' arg ramdisk driver=0 cfg="$RIG_GUESTS/$1.cfg"
	shift
	for arg in "$@"; do
		case $arg in
		kernel=*) kernel=${arg#*=} ;;
		vcpus=*) vcpus=${arg#*=} ;;
		mem=*) mem=${arg#*=} ;;
		vif=*) vifs+="${vifs:+, }'${arg#*=}'" ;;
		cmdline=*) cmdline=${arg#*=} ;;
		extra=*) extra+="${arg#*=}"$'\n' ;;
		driver=*) driver=${arg#*=}; ((mem < 384)) && mem=384 ;;
		wait=*) wait=${arg#*=} ;;
		*) echo "guest_start: $name: what is '$arg'?" >&2; return 2 ;;
		esac
	done
	if [ ! -e "/rig/guest/$kernel/vmlinux" ]; then
		echo "guest_start: $name: no kernel $kernel; there are:" \
			"$(cd /rig/guest && echo *)" >&2
		return 2
	fi
	ramdisk=/rig/guest/$kernel/initrd
	if [ "$driver" = 1 ]; then
		ramdisk=$RIG_GUESTS/driver-$kernel.initrd
		cat "/rig/guest/$kernel/initrd" "/rig/guest/$kernel/driver" >"$ramdisk" ||
			return 2
		extra+="driver_domain = 1"$'\n'
	fi
	cat >"$cfg" <<-EOF
	name = "$name"
	type = "pv"
	kernel = "/rig/guest/$kernel/vmlinux"
	ramdisk = "$ramdisk"
	extra = "console=hvc0 loglevel=5 mitigations=off $RIG_KERNEL_ARGS rig.name=$name $cmdline"
	memory = $mem
	maxmem = $mem
	vcpus = $vcpus
	on_poweroff = "destroy"
	on_reboot = "restart"
	on_crash = "destroy"
	vif = [ $vifs ]
	$extra
	EOF
	if ! xl create -q "$cfg" >"$RIG_GUESTS/$name.create" 2>&1; then
		echo "guest_start: $name: xl create failed:" >&2
		cat "$RIG_GUESTS/$name.create" >&2
		return 1
	fi
	[ "$wait" = 0 ] && return 0
	guest_wait_ready "$name"
}

# guest_wait_ready NAME [OLD-DOMID]: until the agent answers; with OLD-DOMID,
# from another domain than that (after `xl reboot NAME`).
guest_wait_ready() {
	guestctl wait "$1" "$GUEST_BOOT_TIMEOUT" ${2:+"$2"} && return 0
	echo "guest_wait_ready: $1: the end of its console:" >&2
	tail -n 20 "$(guest_log "$1")" >&2
	return 1
}

# guest_sh NAME TEXT: bash runs TEXT in the guest; output and exit status are
# passed on.  124: no end within $GUEST_TIMEOUT.  125: no such guest (any more).
guest_sh() { guestctl run "$1" "$GUEST_TIMEOUT" "$2"; }

# guest NAME COMMAND [ARGS]: the same for one command.
guest() {
	local name=$1 text
	shift
	printf -v text '%q ' "$@"
	guest_sh "$name" "$text"
}

# guest_bg NAME TEXT: starts TEXT in the guest and returns at once.  Its output
# goes to /tmp/bg.PID in the guest; prints PID.
guest_bg() {
	local text
	printf -v text '%q' "$2"
	guest_sh "$1" "setsid bash -c 'exec >/tmp/bg.\$\$ 2>&1; eval \"\$0\"' $text </dev/null >/dev/null 2>&1 & echo \$!"
}

guest_domid() { guestctl domid "$1"; }
guest_log() { echo "/var/log/xen/console/guest-$1.log"; }

# guest_stop NAME: as a person would: shutdown, and wait until it is gone.
guest_stop() {
	xl shutdown -w "$1" >/dev/null && guestctl gone "$1" "$GUEST_BOOT_TIMEOUT"
}

# guest_kill NAME: destroy it.
guest_kill() { xl destroy "$1" && guestctl gone "$1" "$GUEST_BOOT_TIMEOUT"; }

# guest_reboot NAME: and wait until it is there again.
guest_reboot() {
	local old
	old=$(guest_domid "$1") || return 1
	xl reboot "$1" >/dev/null && guest_wait_ready "$1" "$old"
}

# guest_save NAME FILE, guest_restore NAME FILE
guest_save() {
	xl save "$1" "$2" >"$RIG_GUESTS/$1.save" 2>&1 || {
		cat "$RIG_GUESTS/$1.save" >&2
		return 1
	}
	guestctl gone "$1" "$GUEST_BOOT_TIMEOUT"
}
guest_restore() {
	xl restore "$2" >"$RIG_GUESTS/$1.restore" 2>&1 || {
		cat "$RIG_GUESTS/$1.restore" >&2
		return 1
	}
	guest_wait_ready "$1"
}

# xs_wait PATH VALUE [SECONDS]: until a xenstore node has that value.
xs_wait() { guestctl xswait "$1" $((${3:-30} * RIG_SLOW)) "$2"; }
# xs_wait_gone PATH [SECONDS]: until the node is absent.
xs_wait_gone() { guestctl xswait "$1" $((${2:-30} * RIG_SLOW)); }

# vif_backend NAME DEVID: the vif's backend path in xenstore.  In RIG_BACKEND is
# the name of the guest that serves the vifs, if it is not dom0.
vif_backend() {
	local backend=0
	[ -z "${RIG_BACKEND:-}" ] || backend=$(guest_domid "$RIG_BACKEND")
	echo "/local/domain/$backend/backend/vif/$(guest_domid "$1")/$2"
}

# vif_wait NAME DEVID [SECONDS]: until both ends are connected and the hotplug
# script is done.
vif_wait() {
	local path
	path=$(vif_backend "$1" "$2")
	xs_wait "$path/hotplug-status" connected "${3:-30}" &&
		xs_wait "$path/state" 4 "${3:-30}"
}
