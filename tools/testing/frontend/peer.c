// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The frontend's peer in dom0: a packet socket on the vif's netdev. It notes each
 * frame that the guest has sent as the host's stack got it (offloads included),
 * sends frames to the guest, and looks up counters: all of it as the frontend
 * asks by messages over the vif itself.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frame.h"
#include "xen.h"

#define SEEN_MAX	1024

static const char *name;
static int sock;
static struct seen seen[SEEN_MAX];
static uint64_t n_seen;

static int device_ioctl(unsigned long request, struct ifreq *ifr)
{
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", name);
	return ioctl(sock, request, ifr);
}

static bool ethtool_stat(const char *stat, uint64_t *value)
{
	struct {
		struct ethtool_sset_info info;
		uint32_t n;
	} set = { .info = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1 << ETH_SS_STATS } };
	struct ifreq ifr = { .ifr_data = (void *)&set };
	struct ethtool_gstrings *names;
	struct ethtool_stats *stats;
	bool found = false;

	if (device_ioctl(SIOCETHTOOL, &ifr))
		return false;
	names = calloc(1, sizeof(*names) + set.n * ETH_GSTRING_LEN);
	stats = calloc(1, sizeof(*stats) + set.n * 8);
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_STATS;
	names->len = set.n;
	stats->cmd = ETHTOOL_GSTATS;
	stats->n_stats = set.n;
	ifr.ifr_data = (void *)names;
	if (!device_ioctl(SIOCETHTOOL, &ifr)) {
		ifr.ifr_data = (void *)stats;
		if (!device_ioctl(SIOCETHTOOL, &ifr))
			for (uint32_t i = 0; i < set.n && !found; i++) {
				found = !strcmp((char *)names->data + i * ETH_GSTRING_LEN, stat);
				if (found)
					*value = stats->data[i];
			}
	}
	free(names);
	free(stats);
	return found;
}

static bool sys_number(const char *file, uint64_t *value)
{
	char path[160];
	FILE *in;
	bool ok;

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, file);
	in = fopen(path, "r");
	ok = in && fscanf(in, "%lu", value) == 1;
	if (in)
		fclose(in);
	return ok;
}

/* Ticks that the threads named after the vif have used. */
static uint64_t thread_ticks(void)
{
	unsigned long user, system;
	char path[300], line[400];
	struct dirent *entry;
	uint64_t ticks = 0;
	DIR *dir = opendir("/proc");
	char *rest;
	FILE *in;

	while ((entry = readdir(dir))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		in = fopen(path, "r");
		if (!in)
			continue;
		rest = fgets(line, sizeof(line), in) ? strchr(line, '(') : NULL;
		fclose(in);
		/* A thread's name is cut, so the vif's and "-q" is all there is. */
		if (!rest || strncmp(rest + 1, name, strlen(name)) ||
		    strncmp(rest + 1 + strlen(name), "-q", 2))
			continue;
		rest = strrchr(line, ')');
		if (rest && sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
				   &user, &system) == 2)
			ticks += user + system;
	}
	closedir(dir);
	return ticks;
}

static uint64_t mem_available(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *in = fopen("/proc/meminfo", "r");

	while (fgets(line, sizeof(line), in))
		if (sscanf(line, "MemAvailable: %lu", &kib) == 1)
			break;
	fclose(in);
	return kib;
}

/* The stack lets nothing through, and says nothing, from a carrier's coming to a
 * work item of its own that takes note of it, up to a second later. Waits for that, but
 * not for ever: a guest that takes nothing has no carrier.
 */
static void link_wait(void)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifr = {};

	for (uint64_t end = now_ms() + 3000; now_ms() < end;) {
		if (device_ioctl(SIOCGIFFLAGS, &ifr) || !(ifr.ifr_flags & IFF_UP))
			return;
		if (ifr.ifr_flags & IFF_RUNNING)
			break;
		usleep(1000);
	}
	/* Takes the lock that the work item holds, and so comes after it. */
	ifr.ifr_data = (void *)&info;
	device_ioctl(SIOCETHTOOL, &ifr);
}

/* Until all that was sent before is gone. Behind a backlog the queueing discipline may
 * drop an answer (CoDel does so on purpose), and that comes but once. A guest that takes
 * nothing may not keep us for ever.
 */
static void gone_wait(void)
{
	int left;

	for (uint64_t end = now_ms() + 8000; now_ms() < end; usleep(1000))
		if (ioctl(sock, SIOCOUTQ, &left) || !left)
			return;
}

static void send_frame(const void *frame, uint32_t len, const struct virtio_net_hdr *hdr)
{
	uint8_t buf[sizeof(*hdr) + FRAME_MAX];

	memcpy(buf, hdr, sizeof(*hdr));
	memcpy(buf + sizeof(*hdr), frame, len);
	/* A guest that takes nothing may not keep us. */
	if (send(sock, buf, sizeof(*hdr) + len, MSG_DONTWAIT) < 0 && errno != EAGAIN &&
	    errno != ENOBUFS)
		fprintf(stderr, "peer: sending %u bytes: %s\n", len, strerror(errno));
}

static void send_frames(const struct peer_msg *msg)
{
	struct frame_spec spec = msg->spec;
	struct virtio_net_hdr hdr = {};
	static uint8_t frame[FRAME_MAX];

	if (spec.partial) {
		hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		hdr.csum_start = frame_l4(spec.kind);
		hdr.csum_offset = frame_csum_at(spec.kind);
	}
	if (msg->gso_size) {
		hdr.gso_type = spec.kind == FRAME_TCP4 ? VIRTIO_NET_HDR_GSO_TCPV4 :
							 VIRTIO_NET_HDR_GSO_TCPV6;
		hdr.gso_size = msg->gso_size;
		hdr.hdr_len = frame_headers(spec.kind);
	}
	for (uint32_t i = 0; i < msg->count; i++) {
		send_frame(frame, frame_make(frame, &spec), &hdr);
		spec.seed++;
		spec.sport = 7000 + spec.seed % 1000;
		if (msg->gap_us)
			usleep(msg->gap_us);
	}
}

static void link_down(uint32_t us)
{
	struct ifreq ifr = {};
	socklen_t len = sizeof(int);
	int err;

	device_ioctl(SIOCGIFFLAGS, &ifr);
	ifr.ifr_flags &= ~IFF_UP;
	device_ioctl(SIOCSIFFLAGS, &ifr);
	usleep(us);
	ifr.ifr_flags |= IFF_UP;
	device_ioctl(SIOCSIFFLAGS, &ifr);
	/* The socket would tell the next one who sends that it was down. */
	getsockopt(sock, SOL_SOCKET, SO_ERROR, &err, &len);
}

static uint64_t same(const struct peer_msg *msg)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < msg->count && i < n_seen && i < SEEN_MAX; i++) {
		const struct seen *s = &seen[(n_seen - 1 - i) % SEEN_MAX];

		n += s->len == msg->seen.len && s->crc == msg->seen.crc;
	}
	return n;
}

/* For a guest that can be sent nothing: what it waits for has come to pass. */
static void tell_awaited(const struct peer_msg *msg)
{
	char path[64];
	unsigned int domid;

	if (sscanf(name, "vif%u.", &domid) != 1)
		return;
	snprintf(path, sizeof(path), "/local/domain/%u/" PEER_AWAITED, domid);
	xs_again();
	xs_putf(path, "%u", msg->seq);
}

static void await(const struct peer_msg *msg)
{
	uint64_t value = 0, end = now_ms() + PEER_AWAITS;

	do {
		usleep(10000);
		ethtool_stat(msg->name, &value);
	} while (value <= msg->value[0] && now_ms() < end);
	if (value > msg->value[0])
		tell_awaited(msg);
}

static void answer(struct peer_msg *msg)
{
	const struct virtio_net_hdr none = {};
	struct ifreq ifr = {};

	link_wait();
	msg->name[sizeof(msg->name) - 1] = '\0';
	msg->state = 1;
	switch (msg->op) {
	case PEER_PING:
		gone_wait();
		/* It may have stalled meanwhile. */
		link_wait();
		break;
	case PEER_STAT:
		msg->state = ethtool_stat(msg->name, &msg->value[0]);
		break;
	case PEER_SYS:
		msg->state = sys_number(msg->name, &msg->value[0]);
		break;
	case PEER_SEEN:
		msg->value[0] = n_seen;
		msg->state = msg->back < n_seen && msg->back < SEEN_MAX;
		if (msg->state)
			msg->seen = seen[(n_seen - 1 - msg->back) % SEEN_MAX];
		break;
	case PEER_SAME:
		msg->value[0] = same(msg);
		break;
	case PEER_SEND:
		send_frames(msg);
		break;
	case PEER_LINK:
		link_down(msg->gap_us);
		link_wait();
		tell_awaited(msg);
		break;
	case PEER_CPU:
		msg->value[0] = thread_ticks();
		break;
	case PEER_MTU:
		ifr.ifr_mtu = msg->count;
		msg->state = !device_ioctl(SIOCSIFMTU, &ifr);
		break;
	case PEER_MEM:
		msg->value[0] = mem_available();
		break;
	case PEER_AWAIT:
		await(msg);
		break;
	}
	memcpy(msg->dst, mac_guest, 6);
	memcpy(msg->src, mac_peer, 6);
	msg->answer = 1;
	send_frame(msg, sizeof(*msg), &none);
}

static void note(const struct virtio_net_hdr *hdr, const uint8_t *frame, uint32_t len)
{
	seen[n_seen++ % SEEN_MAX] = (struct seen){
		.len = len,
		.crc = crc(frame, len),
		.flags = hdr->flags,
		.gso_type = hdr->gso_type,
		.gso_size = hdr->gso_size,
		.csum_start = hdr->csum_start,
		.csum_offset = hdr->csum_offset,
		.hdr_len = hdr->hdr_len,
	};
}

static void one(uint8_t *buf, ssize_t n)
{
	struct virtio_net_hdr *hdr = (void *)buf;
	uint8_t *frame = buf + sizeof(*hdr);
	uint32_t len = n - sizeof(*hdr);
	struct peer_msg msg;

	if (len < 14)
		return;
	if (len < sizeof(msg) || (frame[12] << 8 | frame[13]) != ETH_MSG) {
		note(hdr, frame, len);
		return;
	}
	memcpy(&msg, frame, sizeof(msg));
	if (!msg.answer)
		answer(&msg);
}

int peer_main(const char *device)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(0x0003) };
	static uint8_t buf[sizeof(struct virtio_net_hdr) + FRAME_MAX];
	int yes = 1, size = 32 << 20;

	name = device;
	to.sll_ifindex = if_nametoindex(device);
	sock = socket(AF_PACKET, SOCK_RAW, 0);
	if (sock < 0 || !to.sll_ifindex ||
	    setsockopt(sock, SOL_PACKET, PACKET_VNET_HDR, &yes, sizeof(yes)) ||
	    setsockopt(sock, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes)) ||
	    setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) ||
	    bind(sock, (struct sockaddr *)&to, sizeof(to)))
		sys_die(device);
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		ssize_t n = recv(sock, buf, sizeof(buf), 0);

		if (n > (ssize_t)sizeof(struct virtio_net_hdr))
			one(buf, n);
		else if (n < 0 && errno != ENETDOWN && errno != EINTR)
			return 0;	/* the device is gone */
	}
}
