#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The host's own faults and an administrator's doings, under load: each is over at
# some time, and then the connection that was there before goes on, every byte of
# it right.
#
#      dom0                                      guest g (6.12, 2 processors)
#      xenbr0 10.0.0.1, fd00::1 -- vif D.0 ===   10.0.0.11, fd00::11
#      br1    10.0.1.1, fd01::1 -- vif D.1 ===   (comes and goes)

. /rig/tests/tap.sh
. /rig/tests/net.sh

G4=10.0.0.11
G6=fd00::11
# How often a case does what it does.
ROUNDS=${ROUNDS:-10}
DRIVER=/sys/bus/xen-backend/drivers/vif

setup() {
	bridge br1 1
	check "guest g starts" guest_start g vcpus=2 vif=bridge=xenbr0 &&
		check "guest g has a network" guest_ready g 11
}

# under_load FUNCTION: it runs beside a transfer that ends well.
under_load() {
	must "load" load_start $G4
	defer load_kill
	"$@"
	check "the transfer goes on" load_moves
	check "and was right" load_stop
	check "IPv6, too" stream $G6 256k
}

# As the hotplug script would, which nobody runs a second time.
vif_plug() {
	ip link set "$1" master xenbr0 up
}

# The name that the vif shall have is taken: no vif, and the log says so; with the
# name free again the next attach works. (The error node is the xenbus core's: it
# writes its own words over the driver's.)
t_name_taken() {
	local name error mark
	name=$(vif_name g 1)
	error=/local/domain/0/error/backend/vif/$(guest_domid g)/1/error
	log_mark name
	defer ip link del "$name"
	must "another $name" ip link add "$name" type dummy
	! xl network-attach g bridge=br1 >"$TAP_DIR/xl" 2>&1 ||
		fail "xl network-attach was content"
	cat "$TAP_DIR/xl"
	[[ $(xs "$error") ]] || fail "no error node"
	log_since "$mark" | grep -q "17 creating interface $name" ||
		fail "the log does not tell about $name"
	check "the other one is untouched" ip link show "$name"
	xl network-detach g 1
	check "no node stays" xs_wait_gone "$(vif_backend g 1)"
	check "the guest knows" vif_lost g 1
	must "it goes" ip link del "$name"
	must "the next attach" vif_attach g 1 bridge=br1
	defer vif_detach g 1
	must "address" guest_address g 1 1 11
	check "traffic" stream 10.0.1.11 512k
}

# The hotplug script is late: until it has said "connected", xenstore does not
# say that the backend is.
t_script_late() {
	local be attach
	cat >/etc/xen/scripts/vif-late <<-'END'
	#!/bin/bash
	[ "$1" = online ] && until [ -e /run/late ]; do sleep 0.1; done
	exec /etc/xen/scripts/vif-bridge "$@"
	END
	chmod +x /etc/xen/scripts/vif-late
	rm -f /run/late
	be=$(vif_backend g 1)
	xl network-attach g bridge=br1 script=vif-late >"$TAP_DIR/xl" 2>&1 &
	attach=$!
	defer touch /run/late
	must "the frontend is connected" \
		xs_wait "/local/domain/$(guest_domid g)/device/vif/1/state" 4
	[[ $(xs "$be/state") != 4 ]] || fail "the backend says Connected before the script"
	touch /run/late
	check "xl is content" wait $attach
	must "connected" vif_wait g 1
	defer vif_detach g 1
	must "address" guest_address g 1 1 11
	check "traffic" stream 10.0.1.11 512k
}

# The driver is unbound and bound: the frontend does not notice but for the gap.
t_unbind() { under_load do_unbind; }
do_unbind() {
	local vif dev i
	vif=$(vif_name g 0)
	dev=vif-$(guest_domid g)-0
	for ((i = 0; i < (ROUNDS + 4) / 5; i++)); do
		must "unbind" eval "echo $dev >$DRIVER/unbind"
		check "no netdev" no_netdev "$vif"
		check "no thread" eval "! grep -qs '^$vif-' /proc/[0-9]*/comm"
		must "bind" eval "echo $dev >$DRIVER/bind"
		must "a netdev" until_true 10 is_netdev "$vif"
		must "on the bridge" vif_plug "$vif"
		xenstore-write "$(vif_backend g 0)/hotplug-status" connected
		must "connected" vif_wait g 0
		check "goes on after unbind $i" load_moves
	done
}

t_down_up() { under_load do_down_up; }
do_down_up() {
	local vif i
	vif=$(vif_name g 0)
	defer ip link set "$vif" up
	for ((i = 0; i < ROUNDS * 5; i++)); do
		ip link set "$vif" down || fail "down $i"
		ip link set "$vif" up || fail "up $i"
	done
}

# set_feature VIF FEATURE on|off: a feature whose ground is off cannot come on, and
# ethtool says so.
set_feature() {
	local said
	said=$(ethtool -K "$@" 2>&1) || grep 'Could not change any device features' <<<"$said" ||
		{ echo "$said" && false; }
}

# MTU, offloads, queue length, steering: in any order.
t_settings() { under_load do_settings; }
do_settings() {
	local vif i what feature=(sg tx tso gso gro rx)
	vif=$(vif_name g 0)
	defer ethtool -K "$vif" sg on tx on tso on gso on gro on
	defer ip link set "$vif" mtu 1500 txqueuelen 1000 promisc off allmulticast off
	# Not what its ports make of it, for the time of this.
	ip link set xenbr0 mtu 1500
	for ((i = 0; i < ROUNDS * 4; i++)); do
		case $((RANDOM % 8)) in
		0) what="ip link set $vif mtu $((68 + RANDOM % 65450))" ;;
		1 | 2 | 3)
			what="set_feature $vif ${feature[RANDOM % 6]}"
			((RANDOM % 2)) && what+=" on" || what+=" off"
			;;
		4) what="ip link set $vif txqueuelen $((1 + RANDOM % 2000))" ;;
		5) what="ip link set $vif promisc on allmulticast on" ;;
		6) what="ip link set $vif alias settings-$i multicast on" ;;
		7) what="eval echo $((RANDOM % 4)) >/sys/class/net/$vif/queues/rx-0/rps_cpus" ;;
		esac
		$what || fail "$what"
	done
}

# On another bridge, on none, bridge gone, forgotten, filtering: and back.
t_bridges() { under_load do_bridges; }
do_bridges() {
	local vif i
	vif=$(vif_name g 0)
	defer vif_plug "$vif"
	for ((i = 0; i < ROUNDS; i++)); do
		ip link set "$vif" nomaster
		ip link set "$vif" master br1
		bridge br2 2
		ip link set "$vif" nomaster master br2
		ip link del br2
		vif_plug "$vif"
		ip link set xenbr0 type bridge fdb_flush
		ip link set xenbr0 type bridge vlan_filtering $((i % 2))
	done
	ip link set xenbr0 type bridge vlan_filtering 0
}

# Queueing disciplines and filters come and go.
t_qdiscs() { under_load do_qdiscs; }
do_qdiscs() {
	local vif i kind kinds=("netem delay 2ms loss 1%" "tbf rate 100mbit burst 64k latency 20ms"
		fq_codel "pfifo limit 10" fq "netem corrupt 1% duplicate 1%")
	vif=$(vif_name g 0)
	defer tc qdisc del dev "$vif" root
	for ((i = 0; i < ROUNDS * 2; i++)); do
		kind=${kinds[i % ${#kinds[@]}]}
		# shellcheck disable=SC2086 # words
		tc qdisc replace dev "$vif" root $kind || fail "qdisc $kind"
		tc qdisc add dev "$vif" clsact
		tc filter add dev "$vif" ingress matchall action mirred egress mirror dev br1 ||
			fail "mirror"
		tc qdisc del dev "$vif" clsact
	done
	# What a corrupted packet does to a stream is TCP's to mend.
	tc qdisc del dev "$vif" root
}

# Into a network namespace and back.
t_netns_moves() { under_load do_netns_moves; }
do_netns_moves() {
	local vif i
	vif=$(vif_name g 0)
	ip netns add t
	defer ip netns del t
	for ((i = 0; i < (ROUNDS + 1) / 2; i++)); do
		must "there $i" ip link set "$vif" netns t
		ip -n t link set "$vif" up
		must "back $i" ip -n t link set "$vif" netns 1
		must "on the bridge" vif_plug "$vif"
	done
}

# xenstored stands still: data go on; a vif that is attached meanwhile is there
# when it works again.
t_xenstored() { under_load do_xenstored; }
do_xenstored() {
	local daemon attach
	daemon=$(cat /run/xenstored.pid)
	defer kill -CONT "$daemon"
	must "xenstored stops" kill -STOP "$daemon"
	xl network-attach g bridge=br1 >"$TAP_DIR/xl" 2>&1 &
	attach=$!
	ip link set "$(vif_name_0)" down
	ip link set "$(vif_name_0)" up
	check "data go on" load_moves 1M
	sleep 10 # what is held up must be so for a while
	check "data still go on" load_moves
	must "xenstored goes on" kill -CONT "$daemon"
	wait $attach || fail "xl network-attach: $(cat "$TAP_DIR/xl")"
	must "the new vif" vif_wait g 1
	check "and away" vif_detach g 1
}
# Without xenstored.
vif_name_0() { (cd /sys/class/net && ls -d vif*.0); }

# A processor of dom0's goes and comes.
t_vcpus() { under_load do_vcpus; }
do_vcpus() {
	local cpu=/sys/devices/system/cpu/cpu1/online i
	[[ -e $cpu ]] || skip "dom0 has one processor"
	defer eval "echo 1 >$cpu"
	for ((i = 0; i < (ROUNDS + 4) / 5; i++)); do
		must "cpu1 goes" eval "echo 0 >$cpu"
		check "goes on with one" load_moves
		must "cpu1 comes" eval "echo 1 >$cpu"
		check "goes on with two" load_moves
	done
}

# Interrupts and threads walk over the processors.
t_affinity() { under_load do_affinity; }
do_affinity() {
	local i irq task
	defer eval 'for task in $(vif_threads); do taskset -p 3 $task; done >/dev/null'
	for ((i = 0; i < ROUNDS * 2; i++)); do
		for irq in $(sed -nE 's/^ *([0-9]+):.* vif.*/\1/p' /proc/interrupts); do
			echo $((1 + i % 2)) >"/proc/irq/$irq/smp_affinity" || fail "irq $irq"
		done
		for task in $(vif_threads); do
			taskset -p $((1 + (i + 1) % 2)) "$task" >/dev/null || fail "thread $task"
		done
	done
}
vif_threads() { grep -ls '^vif' /proc/[0-9]*/comm | cut -d/ -f3; }

# dom0 has next to no memory left, and balloons.
t_memory() { under_load do_memory; }
do_memory() {
	local free total
	mkdir -p /run/fill
	defer rmdir /run/fill
	defer umount /run/fill
	mount -t tmpfs -o size=100% fill /run/fill
	free=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
	dd if=/dev/zero of=/run/fill/a bs=1M count=$((free - 48)) 2>&1 | tail -n 1
	diag "available: $(awk '/^MemAvailable/ { print $2, $3 }' /proc/meminfo)"
	check "goes on with little memory" load_moves 1M
	rm /run/fill/a
	total=$(xl list 0 | awk 'NR == 2 { print $3 }')
	must "dom0 gives memory up" xl mem-set 0 $((total - 128))
	check "goes on with less" load_moves
	must "dom0 gets it back" xl mem-set 0 "$total"
}

# netpoll sends with interrupts off, and polls.
t_netconsole() { under_load do_netconsole; }
do_netconsole() {
	local i dev sink
	modprobe -q netconsole || skip "this kernel has no netconsole"
	dev=/sys/kernel/config/netconsole/t
	mount -t configfs none /sys/kernel/config 2>/dev/null
	mkdir $dev 2>/dev/null || skip "netconsole is not configurable here"
	defer modprobe -r netconsole
	defer rmdir $dev
	defer eval "echo 0 >$dev/enabled"
	sink=$(guest_bg g 'socat -u UDP-RECV:6666 OPEN:/tmp/console,creat')
	defer guest g kill "$sink"
	echo xenbr0 >$dev/dev_name
	echo 10.0.0.1 >$dev/local_ip
	echo 10.0.0.11 >$dev/remote_ip
	guest g cat /sys/class/net/eth0/address >$dev/remote_mac
	must "netconsole" eval "echo 1 >$dev/enabled"
	for ((i = 0; i < ROUNDS * 20; i++)); do
		echo "<3>netconsole line $i" >/dev/kmsg
	done
	check "lines arrive" until_true 10 guest g grep -q "netconsole line $((ROUNDS * 20 - 1))" /tmp/console
}

# Whoever asks udev to look again gets an answer at any time in a vif's life.
t_uevents() {
	local i dev
	dev=/sys/bus/xen-backend/devices/vif-$(guest_domid g)-1/uevent
	(while [[ ! -e /run/uevents ]]; do
		{ echo change >"$dev" && grep -q . "$dev"; } 2>/dev/null
		sleep 0.05
	done) &
	defer rm -f /run/uevents
	defer eval 'touch /run/uevents; wait'
	for ((i = 0; i < ROUNDS; i++)); do
		must "attach" vif_attach g 1 bridge=br1
		must "detach" vif_detach g 1
	done
	must "attach" vif_attach g 1 bridge=br1
	check "the script's name" grep -q '^script=/etc/xen/scripts/vif-bridge' "$dev"
	check "the vif's name" grep -qx "vif=$(vif_name g 1)" "$dev"
	check "detach" vif_detach g 1
}

# The guest's kernel dies under load: nothing of it stays.
t_crash() {
	local domid pid
	must "guest c" guest_start c vif=bridge=xenbr0
	must "its network" guest_ready c 15
	domid=$(guest_domid c)
	must "load" load_start 10.0.0.15
	defer load_kill
	GUEST_TIMEOUT=5 guest_sh c 'echo 0 >/proc/sys/kernel/panic; echo c >/proc/sysrq-trigger' &
	pid=$!
	check "no device" until_true 60 no_netdev "vif$domid.0"
	check "no node" xs_wait_gone "$BACKENDS/$domid"
	check "the domain is gone, no page is held" until_true 20 eval "! xl list | grep -qE '^(c|\(null\)) '"
	wait $pid
	# What it said when it died is no fault of anyone's.
	rm -f "$(guest_log c)"
}

tap_setup setup
tap_case t_name_taken "the vif's name is taken"
tap_case t_script_late 'the hotplug script is late'
tap_case t_unbind 'the driver is unbound and bound under load'
tap_case t_down_up 'the vif goes down and up under load'
tap_case t_settings "the vif's settings change under load"
tap_case t_bridges 'the vif changes bridges under load'
tap_case t_qdiscs 'queueing disciplines change under load'
tap_case t_netns_moves 'the vif changes namespaces under load'
tap_case t_xenstored 'xenstored stands still under load'
tap_case t_vcpus "dom0's processors go and come under load"
tap_case t_affinity 'interrupts and threads change processors under load'
tap_case t_memory 'dom0 is short of memory under load'
tap_case t_netconsole 'netconsole over the vif under load'
tap_case t_uevents "a vif's uevents are asked for while it comes and goes"
tap_case t_crash "the guest's kernel dies under load"
tap_run
