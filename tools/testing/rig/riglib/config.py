# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the rig is made of: packages, programs, modules, places."""

import os

RIG_DIR = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
TOP_DIR = os.path.realpath(os.path.join(RIG_DIR, "..", "..", ".."))

# Part of every image's key: raise it when the way images are made changes.
RECIPE = "2"

XEN_BRANCH = "4.17"

# Installed on the host: what boots, builds and unpacks.
HOST_PACKAGES = [
    "qemu-system-x86", "python3", "cpio", "kmod", "xz-utils", "zstd",
    "binutils",
    "gcc", "make", "libc6-dev", "libxen-dev",
]

# Downloaded and unpacked, never installed: the userland of dom0 and guests.
USER_PACKAGES = [
    "bash", "coreutils", "mawk", "grep", "sed", "util-linux", "mount",
    "bsdutils", "iproute2", "ethtool", "iputils-ping", "iperf3", "socat",
    "tcpdump", "procps", "kmod", "sockperf", "netsniff-ng", "diffutils",
    "findutils", "ncurses-base", "ncurses-bin", "libc-bin", "libgcc-s1",
    "netbase",
]
XEN_PACKAGES = [
    f"xen-hypervisor-{XEN_BRANCH}-amd64", f"xen-utils-{XEN_BRANCH}",
    "xen-utils-common", "xenstore-utils",
]

# Which packages' programs go into which image, and which of them do not.
GUEST_PROGRAMS = [
    "bash", "coreutils", "mawk", "grep", "sed", "util-linux", "mount",
    "bsdutils", "iproute2", "ethtool", "iputils-ping", "iperf3", "socat",
    "tcpdump", "procps", "kmod", "sockperf", "netsniff-ng", "diffutils",
    "findutils", "ncurses-bin", "xenstore-utils",
]
TOOLSTACK_PROGRAMS = [f"xen-utils-{XEN_BRANCH}", "xen-utils-common"]
# "driver" is what a guest lacks to be a driver domain: unpacked over a guest's.
PROGRAMS = {
    "dom0": GUEST_PROGRAMS + TOOLSTACK_PROGRAMS,
    "guest": GUEST_PROGRAMS,
    "driver": TOOLSTACK_PROGRAMS,
}

SKIP_PROGRAMS = {
    # partitions, disks, logins, terminals: nothing here has any
    "agetty", "sulogin", "login", "fdisk", "sfdisk", "cfdisk", "fsck",
    "fsck.minix", "fsck.cramfs", "mkfs.minix", "mkfs.bfs", "mkfs.cramfs",
    "mkfs", "mkswap", "swapon", "swapoff", "swaplabel", "blkdiscard",
    "blkid", "blkzone", "blockdev", "hwclock", "partx", "addpart", "delpart",
    "resizepart", "wdctl", "zramctl", "fstrim", "pivot_root", "rtcwake",
    "ldattach", "isosize", "mcookie", "script", "scriptlive",
    "scriptreplay", "fincore", "chcpu", "ctrlaltdel", "raw", "scriptreplay",
    "uclampset", "choom", "chmem", "lsmem", "lslogins", "utmpdump", "wall",
    "infotocap", "captoinfo", "infocmp", "tic", "toe", "tabs", "tzselect",
    # programs that would bring large libraries or Python with them
    "bpfc", "curvetun", "flowtop", "astraceroute", "pygrub", "oxenstored",
    "convert-legacy-stream", "verify-stream-v2", "xenpvnetboot", "xen-shim",
    "hvmloader", "test-cpu-policy", "test-paging-mempool", "test-resource",
    "test-tsx", "test-xenstore", "init-xenstore-domain", "xen-access",
    "xen-kdd", "xen-ucode", "xen-livepatch", "xen-vmtrace", "xen-memshare",
    "xenpaging", "xen-mceinj", "xenalyze", "gdbsx", "vchan-socket-proxy",
    "xen-hvmcrash", "xen-hvmctx", "xen-lowmemd", "xenwatchdogd", "xencov",
    "xen-cpuid", "xen-hptool", "depriv-fd-checker", "arpd", "tipc", "dcb",
    "xencov_split", "xentrace_format", "xencons",
}

# Not program files, but needed at run time.
DATA_COMMON = [
    "etc/services", "etc/protocols", "etc/ethertypes", "etc/iproute2",
    "usr/lib/tc", "lib/terminfo/l/linux",
    "lib/terminfo/v/vt100", "lib/terminfo/v/vt220", "lib/terminfo/x/xterm",
    "lib/terminfo/x/xterm-256color", "lib/terminfo/s/screen",
    "lib/terminfo/s/screen-256color", "lib/terminfo/d/dumb",
]
DATA_TOOLSTACK = ["etc/xen"]

# Shared libraries that are opened by name at run time.
DLOPEN_LIBS = ["libgcc_s.so.1"]

# Modules beside those of the net family that both sides get.
NET_MODULES = """
    bridge 8021q veth dummy ifb tun tap macvlan macvtap vxlan geneve bonding
    br_netfilter pktgen psample sch_netem sch_tbf sch_htb sch_fq sch_fq_codel
    sch_ingress sch_prio sch_cake sch_mqprio sch_multiq sch_sfq sch_red
    act_mirred act_gact act_police act_bpf act_skbedit act_vlan act_csum
    act_pedit act_sample cls_u32 cls_flower cls_matchall cls_bpf cls_basic
    cls_fw em_meta em_u32 tcp_bbr udp_tunnel ip6_udp_tunnel gre ip_gre
    ip6_gre af_packet_diag tcp_diag inet_diag udp_diag vrf
    xenfs xen-evtchn xen-gntalloc xen-gntdev
""".split()
DOM0_MODULES = NET_MODULES + """
    xen-netback xen-privcmd virtio_pci virtio_console 9p 9pnet_virtio
    openvswitch nf_conntrack iptable_filter iptable_nat ip6table_filter
    xt_physdev xt_tcpudp xt_conntrack xt_comment nf_tables nft_compat
    cpuid msr netconsole
""".split()
GUEST_MODULES = NET_MODULES + """
    xen-netfront xen-netback xen-privcmd
""".split()
MODULES = {"dom0": DOM0_MODULES, "guest": GUEST_MODULES, "driver": []}

# May be absent in one kernel or the other.
OPTIONAL_MODULES = {"udp_tunnel", "ip6_udp_tunnel", "psample", "cpuid", "msr",
                    "nft_compat", "sch_cake", "act_sample"}


def cache_dir():
    """The one place outside the checkout that the rig writes to."""
    path = os.environ.get("XENVIF_CACHE")
    if not path:
        base = os.environ.get("XDG_CACHE_HOME") or \
            os.path.join(os.path.expanduser("~"), ".cache")
        path = os.path.join(base, "xen-netback")
    path = os.path.abspath(path)
    os.makedirs(path, exist_ok=True)
    return path
