// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What an honest frontend may ask for, feature by feature. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_net.h>

#include "cases.h"

static uint8_t frame[FRAME_MAX];
static struct rx_packet packet;

static struct seen send_spec(struct queue *q, const struct frame_spec *spec, int slots,
			     uint16_t flags)
{
	struct tx_frame t = { .data = frame, .flags = flags };

	t.len = frame_make(frame, spec);
	tx_cut(&t, slots);
	return send_checked(q, &t);
}

/* The peer sends a frame, and it comes, once and unchanged. */
static void expect(struct front *f, const struct frame_spec *spec)
{
	uint32_t len = frame_make(frame, spec);

	need(rx_test(f, &packet, COMES), "a frame of %u bytes does not come", len);
	need(packet.len == len && !memcmp(packet.data, frame, len),
	     "a frame of %u bytes comes as %u others", len, packet.len);
}

static void receive(struct front *f, const struct frame_spec *spec)
{
	peer_send(f, spec, 1, 0);
	expect(f, spec);
}

/* As receive(), but the frame must not come: one that follows it does. */
static void receive_not(struct front *f, const struct frame_spec *spec)
{
	struct frame_spec next = frame_spec(FRAME_RAW, 100, 12345, true);

	peer_send(f, spec, 1, 0);
	peer_send(f, &next, 1, 0);
	expect(f, &next);
}

static void mtu(struct front *f, uint32_t bytes)
{
	struct peer_msg msg = { .op = PEER_MTU, .count = bytes };

	peer_call(f, &msg);
	need(msg.state, "the MTU cannot be %u", bytes);
}

static void both_ways(struct front *f)
{
	static const uint16_t lens[] = { 60, 61, 64, 127, 128, 129, 255, 590, 1513, 1514 };

	for (uint32_t kind = 0; kind < FRAME_KINDS; kind++) {
		for (uint32_t i = 0; i < sizeof(lens) / sizeof(*lens); i += 1 + (kind > 0)) {
			struct frame_spec out, in;

			/* Short of its headers there is no TCP over IPv6. */
			if (lens[i] < frame_headers(kind))
				continue;
			out = frame_spec(kind, lens[i], kind * 100 + i, false);
			in = frame_spec(kind, lens[i], kind * 100 + i + 50, true);
			send_spec(&f->q[i % f->conf.queues], &out, 1 + i % 3, 0);
			receive(f, &in);
		}
	}
}

static void f_content(struct front *f)
{
	struct conf c = conf_default;

	front_connect(f, &c);
	alive(f);
	both_ways(f);
}

static void f_shared(struct front *f)
{
	struct conf c = conf_default;

	c.shared = true;
	front_connect(f, &c);
	alive(f);
	both_ways(f);
}

static void f_queues(struct front *f)
{
	int max = backend_number(f, "multi-queue-max-queues", 1);
	struct conf c = conf_default;

	need(max >= 2, "the backend offers %d queues", max);
	for (int shared = 0; shared < 2; shared++) {
		c.queues = 2;
		c.shared = shared;
		front_connect(f, &c);
		alive(f);
		both_ways(f);
		need(peer_stat(f, "tx_queue_1_packets") > 0, "nothing came on queue 1");
		front_end(f);
	}
}

/* Every number of slots that there may be, cut evenly and not. */
static void f_slots(struct front *f)
{
	struct tx_frame t = { .data = frame };
	struct conf c = conf_default;
	struct frame_spec spec;

	front_connect(f, &c);
	for (int n = 1; n <= 19; n++) {
		spec = frame_spec(FRAME_UDP4, 64 * n + 100, n, false);
		send_spec(&f->q[0], &spec, n, 0);
	}
	for (int n = 16; n <= 19; n++) {
		t.len = 65535;
		memcpy(frame, mac_peer, 6);
		spec = frame_spec(FRAME_UDP4, t.len, n, false);
		frame_make(frame, &spec);
		if (n < 17)
			continue;
		tx_cut(&t, n);
		send_checked(&f->q[0], &t);
	}
}

/* A frontend with four buffers gets what fits four. */
static void f_four(struct front *f)
{
	struct frame_spec spec;
	struct conf c = conf_default;

	c.buffers = 4;
	front_connect(f, &c);
	mtu(f, 16000);
	for (int len = 60; len <= 16000; len += 1993) {
		spec = frame_spec(FRAME_UDP4, len, len, true);
		receive(f, &spec);
		need(packet.slots <= 4, "%d bytes take %d slots", len, packet.slots);
	}
	mtu(f, 1500);
}

/* A TCPv4 packet to be segmented, so many bytes of which come in frames of one slot, and
 * with no word of GSO.
 */
static void receive_cut(struct front *f, uint32_t bytes, uint32_t seed, uint32_t mss)
{
	struct frame_spec spec = frame_spec(FRAME_TCP4, 54 + bytes, seed, true);
	uint32_t got = 0;

	spec.partial = 1;
	peer_send(f, &spec, 1, mss);
	while (got < bytes) {
		need(rx_test(f, &packet, COMES), "of %u bytes %u come", bytes, got);
		need(packet.slots == 1 && !packet.gso, "a frame in %d slots", packet.slots);
		need(!(packet.flags & NETRXF_gso_prefix), "a GSO prefix");
		if (lie == LIE_CONTENT)
			packet.data[60] ^= 1;
		for (uint32_t i = 54; i < packet.len; i++, got++)
			need(packet.data[i] == pattern(seed, 54 + got), "byte %u is wrong", got);
	}
}

/* Without feature-sg there is one slot for each frame, and no GSO. */
static void f_no_sg(struct front *f)
{
	struct conf c = conf_default;

	c.sg = false;
	front_connect(f, &c);
	both_ways(f);
	receive_cut(f, 8000, 3, 1000);
	need(peer_sys(f, "mtu") == 1500, "the MTU is not 1500");
}

static void f_gso_rx(struct front *f)
{
	static const uint16_t lens[] = { 3000, 9000, 33333, 65000 };
	struct conf c = conf_default;

	front_connect(f, &c);
	for (int v6 = 0; v6 < 2; v6++) {
		for (int i = 0; i < 4; i++) {
			struct frame_spec spec = frame_spec(v6 ? FRAME_TCP6 : FRAME_TCP4, lens[i],
							    i, true);

			spec.partial = 1;
			peer_send(f, &spec, 1, 1400);
			expect(f, &spec);
			need(packet.gso && packet.gso_size == 1400 &&
			     packet.gso_type == (v6 ? XEN_NETIF_GSO_TYPE_TCPV6 :
						      XEN_NETIF_GSO_TYPE_TCPV4),
			     "GSO %d, size %u, type %u", packet.gso, packet.gso_size,
			     packet.gso_type);
			need(packet.flags & NETRXF_csum_blank, "GSO with a checksum");
		}
	}
}

static void f_gso_tx(struct front *f)
{
	static const uint16_t lens[] = { 3000, 9000, 33333, 65000 };
	struct conf c = conf_default;

	front_connect(f, &c);
	for (int v6 = 0; v6 < 2; v6++) {
		for (int i = 0; i < 4; i++) {
			struct frame_spec spec = frame_spec(v6 ? FRAME_TCP6 : FRAME_TCP4, lens[i],
							    v6 * 10 + i, false);
			struct tx_frame t = {
				.data = frame,
				.flags = NETTXF_csum_blank | NETTXF_data_validated,
				.n_extras = 1,
				.extra = { gso_extra(v6 ? XEN_NETIF_GSO_TYPE_TCPV6 :
							  XEN_NETIF_GSO_TYPE_TCPV4, 1400) },
			};
			struct seen seen;

			spec.partial = 1;
			t.len = frame_make(frame, &spec);
			tx_cut(&t, 17);
			seen = send_checked(&f->q[0], &t);
			need(seen.gso_size == 1400 &&
			     seen.gso_type == (v6 ? VIRTIO_NET_HDR_GSO_TCPV6 :
						    VIRTIO_NET_HDR_GSO_TCPV4),
			     "the host got GSO type %u, size %u", seen.gso_type, seen.gso_size);
		}
	}
}

/* To be segmented, and yet with a checksum: segments need their own. */
static void f_gso_fixup(struct front *f)
{
	struct queue *q = &f->q[0];
	struct conf c = conf_default;
	uint64_t count;

	front_connect(f, &c);
	count = peer_stat(f, "tx_queue_0_gso_csum_fixup");
	for (int v6 = 0; v6 < 2; v6++) {
		struct frame_spec spec = frame_spec(v6 ? FRAME_TCP6 : FRAME_TCP4, 9000, v6, false);
		struct tx_frame t = {
			.data = frame,
			.n_extras = 1,
			.extra = { gso_extra(v6 ? XEN_NETIF_GSO_TYPE_TCPV6 :
						  XEN_NETIF_GSO_TYPE_TCPV4, 1400) },
		};
		struct seen seen;

		t.len = frame_make(frame, &spec);
		tx_cut(&t, 5);
		tx_frame(q, &t);
		tx_push(q);
		need(tx_wait(q, COMES), "L: a frame to be segmented is not answered for");
		seen = peer_seen(f, 0, NULL);
		spec.partial = 1;
		frame_make(frame, &spec);
		need(seen.len == t.len && seen.crc == crc(frame, t.len),
		     "it arrives as %u other bytes", seen.len);
		need(seen.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM && seen.gso_size == 1400,
		     "the host got flags %u, segments of %u", seen.flags, seen.gso_size);
		need(peer_stat(f, "tx_queue_0_gso_csum_fixup") == count + v6 + 1, "not counted");
	}
}

/* An open checksum where no frontend would look for it is filled in. */
static void f_unfit(struct front *f)
{
	static const uint32_t kinds[] = { FRAME_UDP4, FRAME_UDP6 };
	struct conf c = conf_default;

	front_connect(f, &c);
	mtu(f, 9000);
	for (int i = 0; i < 2; i++) {
		struct frame_spec spec = frame_spec(kinds[i], 0, i, true);

		spec.proto = 136;	/* UDP-Lite: as UDP is, but not for frontends */
		for (spec.len = 100; spec.len < 9000; spec.len += 1111) {
			spec.partial = 1;
			peer_send(f, &spec, 1, 0);
			spec.partial = 0;
			expect(f, &spec);
			need(!(packet.flags & NETRXF_csum_blank),
			     "%u bytes: the checksum is left to us", spec.len);
		}
	}
	mtu(f, 1500);
}

static void f_csum(struct front *f)
{
	struct conf c = conf_default;
	struct frame_spec spec;
	struct seen seen;

	front_connect(f, &c);
	for (uint32_t kind = FRAME_UDP4; kind < FRAME_KINDS; kind++) {
		spec = frame_spec(kind, 700, kind, false);
		spec.partial = 1;
		seen = send_spec(&f->q[0], &spec, 2, NETTXF_csum_blank | NETTXF_data_validated);
		need(seen.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM &&
		     seen.csum_start == frame_l4(kind) &&
		     seen.csum_offset == frame_csum_at(kind),
		     "kind %u: flags %u, checksum at %u + %u", kind, seen.flags, seen.csum_start,
		     seen.csum_offset);

		spec = frame_spec(kind, 700, kind, true);
		spec.partial = 1;
		receive(f, &spec);
		need(packet.flags & NETRXF_csum_blank, "kind %u: no csum_blank", kind);
	}
	front_end(f);

	/* Who takes none gets them filled in. */
	c.csum4 = c.csum6 = false;
	front_connect(f, &c);
	for (uint32_t kind = FRAME_UDP4; kind < FRAME_KINDS; kind++) {
		spec = frame_spec(kind, 700, kind, true);
		spec.partial = 1;
		peer_send(f, &spec, 1, 0);
		spec.partial = 0;
		expect(f, &spec);
		need(!(packet.flags & NETRXF_csum_blank), "kind %u: csum_blank", kind);
	}
}

static int16_t mcast(struct front *f, uint8_t type, const uint8_t *addr)
{
	netif_extra_info_t extra = { .type = type };
	struct tx_frame t = { .data = frame, .len = 0, .n_extras = 1 };
	struct queue *q = &f->q[0];

	memcpy(extra.u.mcast.addr, addr, 6);
	t.extra[0] = extra;
	tx_frame(q, &t);
	tx_push(q);
	need(tx_wait(q, COMES), "a multicast message is not answered");
	return tx_status(q, 1);
}

static struct frame_spec mcast_spec(uint8_t last)
{
	struct frame_spec spec = frame_spec(FRAME_RAW, 200, last, true);
	const uint8_t group[6] = { 0x33, 0x33, 0, 0, 0x77, last };

	memcpy(spec.dst, group, 6);
	return spec;
}

static void mcast_filter(struct front *f)
{
	struct frame_spec a = mcast_spec(1), b = mcast_spec(2);
	struct frame_spec all = frame_spec(FRAME_RAW, 150, 9, true);
	uint64_t filtered = peer_stat(f, "rx_queue_0_drop_filtered");

	memset(all.dst, 0xFF, 6);
	receive_not(f, &a);
	receive(f, &all);
	need(mcast(f, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, a.dst) == NETIF_RSP_OKAY, "ADD refused");
	receive(f, &a);
	receive_not(f, &b);
	receive(f, &all);
	need(mcast(f, XEN_NETIF_EXTRA_TYPE_MCAST_DEL, a.dst) == NETIF_RSP_OKAY, "DEL refused");
	receive_not(f, &a);
	/* Others send to multicast addresses, too. */
	need(peer_stat(f, "rx_queue_0_drop_filtered") >= filtered + 3, "filtered ones not counted");
}

static void f_mcast_static(struct front *f)
{
	struct frame_spec a = mcast_spec(1);
	struct conf c = conf_default;

	need(backend_number(f, "feature-multicast-control", 0) == 1, "it is not offered");
	c.mcast = 1;
	front_connect(f, &c);
	mcast_filter(f);
	need(mcast(f, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, a.dst) == NETIF_RSP_OKAY, "ADD refused");
	receive(f, &a);
	/* The next connection begins with an empty list, and without a wish for one. */
	front_end(f);
	front_connect(f, &c);
	receive_not(f, &a);
	front_end(f);
	c.mcast = -1;
	front_connect(f, &c);
	receive(f, &a);
}

/* A change of the key takes effect a little later: until it has. */
static void mcast_want(struct front *f, int on)
{
	struct frame_spec next = frame_spec(FRAME_RAW, 100, 77, true), a = mcast_spec(5);
	uint64_t end = now_ms() + COMES;
	bool came;

	key_put(f, "request-multicast-control", "%d", on);
	do {
		need(now_ms() < end, "request-multicast-control %d has no effect", on);
		peer_send(f, &a, 1, 0);
		peer_send(f, &next, 1, 0);
		need(rx_test(f, &packet, COMES), "nothing comes");
		came = packet.len == 200;
		if (came)
			expect(f, &next);
	} while (came == on);
}

static void f_mcast_dynamic(struct front *f)
{
	struct conf c = conf_default;

	need(backend_number(f, "feature-dynamic-multicast-control", 0) == 1, "it is not offered");
	front_connect(f, &c);
	mcast_want(f, 1);
	mcast_filter(f);
	mcast_want(f, 0);
	mcast_want(f, 1);
}

static void f_mcast_limit(struct front *f)
{
	uint8_t addr[6] = { 0x33, 0x33, 0, 1, 0, 0 };
	struct frame_spec all = frame_spec(FRAME_RAW, 150, 9, true), a = mcast_spec(1);
	struct conf c = conf_default;

	c.mcast = 1;
	front_connect(f, &c);
	for (int i = 0; i < 64; i++) {
		addr[5] = i;
		need(mcast(f, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, addr) == NETIF_RSP_OKAY,
		     "address %d of 64 is refused", i);
	}
	need(mcast(f, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, addr) == NETIF_RSP_OKAY,
	     "one that is there is refused");
	addr[5] = 64;
	need(mcast(f, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, addr) == NETIF_RSP_ERROR,
	     "the 65th is taken");
	memset(all.dst, 0xFF, 6);
	receive(f, &all);
	receive_not(f, &a);
	memcpy(a.dst, addr, 6);
	a.dst[5] = 63;
	receive(f, &a);
	addr[5] = 3;
	mcast(f, XEN_NETIF_EXTRA_TYPE_MCAST_DEL, addr);
	need(mcast(f, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, a.dst) == NETIF_RSP_OKAY, "no room again");
}

/* ---- the control ring ---- */

static const uint8_t rss_key[40] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

/* The vectors that are published with the hash: source, destination, the hash of
 * the addresses alone, and with TCP's ports.
 */
static const struct {
	const char *saddr, *daddr;
	uint16_t sport, dport;
	uint32_t ip, tcp;
} vectors[] = {
	{ "66.9.149.187", "161.142.100.80", 2794, 1766, 0x323e8fc2, 0x51ccc178 },
	{ "199.92.111.2", "65.69.140.83", 14230, 4739, 0xd718262a, 0xc626b0ea },
	{ "24.19.198.95", "12.22.207.184", 12898, 38024, 0xd2d0a5de, 0x5c2b394a },
	{ "38.27.205.30", "209.142.163.6", 48228, 2217, 0x82989176, 0xafc7327f },
	{ "153.39.163.191", "202.188.127.2", 44251, 1303, 0x5d1809c5, 0x10e828a2 },
	{ "3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x2cc18cd5, 0x40207d3d },
	{ "3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0x0f0c461c, 0xdde51bbf },
	{ "3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf", 44251, 38024,
	  0x4b61e985, 0x02d1feef },
};
#define VECTORS (sizeof(vectors) / sizeof(*vectors))

static struct frame_spec vector_spec(int i, bool tcp)
{
	bool v6 = strchr(vectors[i].saddr, ':');
	struct frame_spec spec;

	spec = frame_spec(v6 ? (tcp ? FRAME_TCP6 : FRAME_UDP6) : tcp ? FRAME_TCP4 : FRAME_UDP4,
			  300, i, true);
	inet_pton(v6 ? AF_INET6 : AF_INET, vectors[i].saddr, spec.saddr);
	inet_pton(v6 ? AF_INET6 : AF_INET, vectors[i].daddr, spec.daddr);
	spec.sport = vectors[i].sport;
	spec.dport = vectors[i].dport;
	return spec;
}

#define CALL(type, a, b, c)	ctrl_call(f, XEN_NETIF_CTRL_TYPE_##type, a, b, c, NULL)
#define OKAY			XEN_NETIF_CTRL_STATUS_SUCCESS
#define INVALID			XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER
#define ALL_TYPES		15

static void must(uint32_t got, uint32_t want, const char *what)
{
	need(got == want, "%s is answered %u, and not %u", what, got, want);
}

static void hash_on(struct front *f, uint32_t types)
{
	must(CALL(SET_HASH_ALGORITHM, XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ, 0, 0), OKAY,
	     "SET_HASH_ALGORITHM");
	memcpy(f->ctrl_page.va, rss_key, sizeof(rss_key));
	must(CALL(SET_HASH_KEY, f->ctrl_page.gref, sizeof(rss_key), 0), OKAY, "SET_HASH_KEY");
	must(CALL(SET_HASH_FLAGS, types, 0, 0), OKAY, "SET_HASH_FLAGS");
}

static void f_ctrl(struct front *f)
{
	uint32_t data, *map;
	struct conf c = conf_default;

	need(backend_number(f, "feature-ctrl-ring", 0) == 1, "it is not offered");
	c.ctrl = true;
	front_connect(f, &c);
	must(CALL(GET_HASH_FLAGS, 0, 0, 0), XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED,
	     "GET_HASH_FLAGS before an algorithm");
	must(CALL(SET_HASH_FLAGS, 1, 0, 0), INVALID, "SET_HASH_FLAGS before an algorithm");
	must(CALL(SET_HASH_ALGORITHM, 2, 0, 0), INVALID, "algorithm 2");
	must(CALL(SET_HASH_ALGORITHM, ~0u, 0, 0), INVALID, "algorithm -1");
	hash_on(f, ALL_TYPES);
	must(ctrl_call(f, XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS, 0, 0, 0, &data), OKAY,
	     "GET_HASH_FLAGS");
	must(data, ALL_TYPES, "GET_HASH_FLAGS, its data,");
	must(CALL(SET_HASH_FLAGS, 16, 0, 0), INVALID, "an unknown type of hash");
	must(ctrl_call(f, XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE, 0, 0, 0, &data), OKAY,
	     "GET_HASH_MAPPING_SIZE");
	must(data, 128, "GET_HASH_MAPPING_SIZE, its data,");

	must(CALL(SET_HASH_KEY, f->ctrl_page.gref, 40, 0), OKAY, "a key of 40");
	must(CALL(SET_HASH_KEY, f->ctrl_page.gref, 41, 0),
	     XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW, "a key of 41");
	must(CALL(SET_HASH_KEY, 0x00FFFFFF, 40, 0), INVALID, "a key of no grant");

	must(CALL(SET_HASH_MAPPING_SIZE, 129, 0, 0), INVALID, "a mapping of 129");
	must(CALL(SET_HASH_MAPPING_SIZE, 128, 0, 0), OKAY, "a mapping of 128");
	map = (void *)f->ctrl_page.va;
	memset(map, 0, PAGE);
	must(CALL(SET_HASH_MAPPING, f->ctrl_page.gref, 128, 0), OKAY, "128 entries");
	must(CALL(SET_HASH_MAPPING, f->ctrl_page.gref, 1, 128),
	     XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW, "entry 129");
	must(CALL(SET_HASH_MAPPING, f->ctrl_page.gref, 2, ~0u),
	     XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW, "a range that wraps");
	must(CALL(SET_HASH_MAPPING_SIZE, 4, 0, 0), OKAY, "a mapping of 4");
	must(CALL(SET_HASH_MAPPING, f->ctrl_page.gref, 1, 4), INVALID, "entry 5 of 4");
	map[0] = 1;
	must(CALL(SET_HASH_MAPPING, f->ctrl_page.gref, 1, 0), INVALID, "a queue too high");
	must(CALL(SET_HASH_MAPPING_SIZE, 0, 0, 0), OKAY, "no mapping");
	must(CALL(INVALID, 0, 0, 0), XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED, "message 0");
	must(ctrl_call(f, 999, 0, 0, 0, NULL), XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED,
	     "message 999");
	must(CALL(SET_HASH_ALGORITHM, XEN_NETIF_CTRL_HASH_ALGORITHM_NONE, 0, 0), OKAY,
	     "algorithm NONE");
	/* The ring goes round. */
	for (int i = 0; i < 300; i++)
		must(CALL(GET_HASH_MAPPING_SIZE, 0, 0, 0), OKAY, "a message");
	front_end(f);
	front_connect(f, &c);
	must(CALL(GET_HASH_FLAGS, 0, 0, 0), XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED,
	     "GET_HASH_FLAGS in the next connection");
}

static void hash_is(struct front *f, int i, bool tcp, uint32_t value, uint8_t type)
{
	struct frame_spec spec = vector_spec(i, tcp);

	receive(f, &spec);
	need(packet.hash, "vector %d: no hash", i);
	need(packet.hash_alg == XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ &&
	     packet.hash_type == type && packet.hash_value == value,
	     "vector %d: type %u, hash %08x, and not %u, %08x", i, packet.hash_type,
	     packet.hash_value, type, value);
}

static void f_hash(struct front *f)
{
	struct frame_spec raw = frame_spec(FRAME_RAW, 100, 1, true);
	struct conf c = conf_default;

	c.ctrl = true;
	front_connect(f, &c);
	receive(f, &raw);
	need(!packet.hash, "a hash that nobody asked for");
	hash_on(f, ALL_TYPES);
	for (uint32_t i = 0; i < VECTORS; i++) {
		bool v6 = strchr(vectors[i].saddr, ':');

		hash_is(f, i, false, vectors[i].ip, v6 ? 2 : 0);
		hash_is(f, i, true, vectors[i].tcp, v6 ? 3 : 1);
	}
	receive(f, &raw);
	need(!packet.hash, "a hash of what has no addresses");
	must(CALL(SET_HASH_FLAGS, 1, 0, 0), OKAY, "SET_HASH_FLAGS");
	hash_is(f, 0, true, vectors[0].ip, 0);
	must(CALL(SET_HASH_ALGORITHM, 0, 0, 0), OKAY, "algorithm NONE");
	receive(f, &raw);
	need(!packet.hash, "a hash after the algorithm is gone");
}

static void f_mapping(struct front *f)
{
	uint32_t *map;
	struct conf c = conf_default;

	c.ctrl = true;
	c.queues = 2;
	front_connect(f, &c);
	hash_on(f, ALL_TYPES);
	map = (void *)f->ctrl_page.va;
	must(CALL(SET_HASH_MAPPING_SIZE, 128, 0, 0), OKAY, "SET_HASH_MAPPING_SIZE");
	for (int turn = 0; turn < 3; turn++) {
		/* All on one, all on the other, by the hash's third bit. */
		for (int i = 0; i < 128; i++)
			map[i] = turn < 2 ? turn : i >> 2 & 1;
		must(CALL(SET_HASH_MAPPING, f->ctrl_page.gref, 128, 0), OKAY,
		     "SET_HASH_MAPPING");
		for (uint32_t i = 0; i < VECTORS; i++) {
			struct frame_spec spec = vector_spec(i, true);
			int want = turn < 2 ? turn : (int)(vectors[i].tcp >> 2 & 1);

			receive(f, &spec);
			need(packet.q == want, "vector %u comes on queue %d, and not on %d", i,
			     packet.q, want);
		}
	}
}

static void f_hash_tx(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_TCP4, 400, 1, false);
	struct tx_frame t = { .data = frame, .n_extras = 1 };
	struct conf c = conf_default;

	front_connect(f, &c);
	t.len = frame_make(frame, &spec);
	for (int type = 0; type < 5; type++) {
		t.extra[0] = (netif_extra_info_t){
			.type = XEN_NETIF_EXTRA_TYPE_HASH,
			.u.hash = { .type = type, .algorithm = 1, .value = { 1, 2, 3, 4 } },
		};
		send_checked(&f->q[0], &t);
	}
}

/* ---- headroom ---- */

static void headroom_is(struct front *f, int want)
{
	for (int i = 0; i < 4; i++) {
		struct frame_spec spec = frame_spec(FRAME_UDP4, 300 + i * 400, i, true);

		receive(f, &spec);
		need(packet.xdp == (want > 0) && packet.headroom == want &&
		     packet.offset == want, "headroom %u, offset %u, and not %d",
		     packet.headroom, packet.offset, want);
	}
}

static void headroom_change(struct front *f, int to)
{
	key_put(f, "xdp-headroom", "%d", to);
	front_state(f, XenbusStateReconfiguring);
	need(backend_wait(f, XenbusStateReconfigured, COMES), "the backend does not follow");
	front_state(f, XenbusStateConnected);
	need(backend_wait(f, XenbusStateConnected, COMES), "the backend does not come back");
}

static void f_xdp(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_UDP4, 15000, 5, true);
	struct conf c = conf_default;

	need(backend_number(f, "feature-xdp-headroom", 0) == 1, "it is not offered");
	c.headroom = 256;
	front_connect(f, &c);
	headroom_is(f, 256);
	headroom_change(f, 0);
	headroom_is(f, 0);
	headroom_change(f, 128);
	headroom_is(f, 128);
	/* With as many slots as it takes. */
	mtu(f, 16000);
	receive(f, &spec);
	need(packet.xdp && packet.slots >= 4, "%d slots", packet.slots);
	mtu(f, 1500);
	/* With all the extras that there can be. */
	spec = frame_spec(FRAME_TCP4, 3000, 5, true);
	spec.partial = 1;
	peer_send(f, &spec, 1, 1400);
	expect(f, &spec);
	need(packet.gso && packet.xdp && packet.extras == 2 && packet.slots == 1,
	     "%d slots, %d extras", packet.slots, packet.extras);
	/* A program is given what is in one slot. */
	receive_cut(f, 60000, 7, 1400);
	/* What leaves no room is refused, and the connection stays as it was. */
	headroom_change(f, 4000);
	headroom_is(f, 128);
	headroom_change(f, 257);
	headroom_is(f, 128);
}

/* ---- buffers ---- */

static void f_no_notify(struct front *f)
{
	struct conf c = conf_default;

	c.notify = false;
	front_connect(f, &c);
	alive(f);
	both_ways(f);
	/* The next one is not taken for one. */
	front_end(f);
	c.notify = true;
	c.buffers = 0;
	front_connect(f, &c);
	f->q[0].rx_target = 0;
	rx_post(&f->q[0], 8);
	alive(f);
}

/* Wants a driver whose timeouts are short: see frontend.sh. */
static void f_stall(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_UDP4, 500, 1, true);
	uint64_t stalls, expired, downs, end;
	struct conf c = conf_default;
	struct queue *q = &f->q[0];

	front_connect(f, &c);
	stalls = peer_stat(f, "rx_queue_0_stalls");
	expired = peer_stat(f, "rx_queue_0_drop_expired");
	downs = peer_sys(f, "carrier_down_count");
	front_end(f);

	c.buffers = 0;
	front_connect(f, &c);
	peer_send(f, &spec, 20, 0);
	for (end = now_ms() + 12000; now_ms() < end;)
		port_wait(200);
	need(q->rxs->rsp_prod == q->rx_cons, "C: answers without buffers");
	q->rx_target = 64;
	rx_post(q, 64);
	port_kick(q->rx_port);
	/* From the first that comes again. */
	peer_back(f, q);
	need(peer_stat(f, "rx_queue_0_stalls") == stalls + 1, "%d stalls counted, and not 1",
	     (int)(peer_stat(f, "rx_queue_0_stalls") - stalls));
	need(peer_stat(f, "rx_queue_0_drop_expired") > expired, "nothing is dropped for its age");
	/* Once by the disconnect, once by the stall. */
	need(peer_sys(f, "carrier_down_count") >= downs + 2, "the carrier did not fall");
	both_ways(f);
}

/* When something came about, in ms, on a machine that may stand still for a while. */
struct moment {
	uint64_t seen;		/* after the first packet was sent; 0: never */
	uint64_t not_yet;	/* after packets began to wait: the last look without it */
};

static void look(struct front *f, const char *stat, uint64_t before, uint64_t begin,
		 uint64_t start, struct moment *m)
{
	uint64_t asked = now_ms();

	if (m->seen)
		return;
	if (peer_stat(f, "%s", stat) > before)
		m->seen = now_ms() - begin;
	else
		m->not_yet = asked - start;
}

/* Two queues, and queue 1 soon has no buffers; TCPv4 is for that one. When a packet is
 * dropped since then, and when the queue is stalled, if that is within so many ms.
 */
static void starve_one(struct front *f, bool notify, uint64_t ms, struct moment *expired,
		       struct moment *stalled)
{
	struct frame_spec raw = frame_spec(FRAME_RAW, 200, 1, true);
	struct queue *q = &f->q[1];
	struct conf c = conf_default;
	uint64_t begin, start, drops, stalls;
	uint32_t *map;

	c.ctrl = true;
	c.queues = 2;
	c.buffers = 0;
	c.notify = notify;
	front_connect(f, &c);
	f->q[0].rx_target = 128;
	rx_post(&f->q[0], 128);
	port_kick(f->q[0].rx_port);
	/* The host has things to say to a new link, on any queue. */
	rx_post(q, 16);
	port_kick(q->rx_port);
	hash_on(f, XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP);
	must(CALL(SET_HASH_MAPPING_SIZE, 128, 0, 0), OKAY, "SET_HASH_MAPPING_SIZE");
	/* What has no hash has hash 0, and goes to queue 0. */
	drops = peer_stat(f, "rx_queue_1_drop_expired");
	stalls = peer_stat(f, "rx_queue_1_stalls");

	map = (void *)f->ctrl_page.va;
	for (int i = 0; i < 128; i++)
		map[i] = 1;
	must(CALL(SET_HASH_MAPPING, f->ctrl_page.gref, 128, 0), OKAY, "SET_HASH_MAPPING");
	begin = now_ms();
	peer_send(f, &raw, 20, 0);
	while (q->rx_cons != q->rx_prod)
		need(rx_any(f, &packet, COMES), "nothing comes");
	start = now_ms();
	map[0] = 0;
	must(CALL(SET_HASH_MAPPING, f->ctrl_page.gref, 128, 0), OKAY, "SET_HASH_MAPPING");

	*expired = *stalled = (struct moment){};
	while (!stalled->seen && now_ms() < start + ms) {
		port_wait(50);
		look(f, "rx_queue_1_drop_expired", drops, begin, start, expired);
		look(f, "rx_queue_1_stalls", stalls, begin, start, stalled);
	}
	need(peer_sys(f, "carrier") == 1, "one of two queues has stalled, and the carrier falls");
}

/* Buffers for queue 1 again, until a packet comes there. */
static void feed_one(struct front *f)
{
	struct frame_spec raw = frame_spec(FRAME_RAW, 200, 1, true), tcp = vector_spec(0, true);

	f->q[1].rx_target = 64;
	rx_post(&f->q[1], 64);
	port_kick(f->q[1].rx_port);
	do {
		peer_send(f, &tcp, 1, 0);
		peer_send(f, &raw, 1, 0);
		need(rx_test(f, &packet, COMES), "nothing comes any more");
	} while (packet.q == 0);
	while (rx_test(f, &packet, 500))
		;
}

/* The same driver: how long a queue may take, and that the others do not suffer. */
static void f_timeouts(struct front *f)
{
	struct frame_spec raw = frame_spec(FRAME_RAW, 200, 1, true), tcp = vector_spec(0, true);
	struct moment expired, stalled;
	uint64_t drops;

	starve_one(f, false, 5000, &expired, &stalled);
	note("without feature-rx-notify: dropped after %d ms", (int)expired.seen);
	need(expired.seen && expired.not_yet < 1000, "not dropped for %d ms, but 30",
	     (int)expired.not_yet);
	need(!stalled.seen, "stalled after %d ms", (int)stalled.seen);
	front_end(f);

	/* The next one is another. */
	starve_one(f, true, 8000, &expired, &stalled);
	note("dropped after %d ms, stalled after %d ms", (int)expired.seen, (int)stalled.seen);
	need(expired.seen >= 1990 && expired.not_yet < 3500,
	     "dropped after %d ms, and not 2000", (int)expired.seen);
	need(stalled.seen >= 3990 && stalled.not_yet < 5500,
	     "stalled after %d ms, and not 4000", (int)stalled.seen);
	drops = peer_stat(f, "rx_queue_1_drop_stalled");
	peer_send(f, &tcp, 1, 0);
	receive(f, &raw);
	need(peer_stat(f, "rx_queue_1_drop_stalled") == drops + 1, "not dropped while stalled");
	feed_one(f);
	receive(f, &tcp);
	need(packet.q == 1, "it comes on queue %d", packet.q);
}

/* The driver of a guest is loaded anew and finds its rings as it left them. */
static void f_live_rings(struct front *f)
{
	struct conf c = conf_default;

	c.tx_start = 0xFFFFFFF0;
	c.rx_start = 0xFFFFFFF8;
	front_connect(f, &c);
	both_ways(f);
	for (int i = 0; i < 3; i++) {
		front_reset(f);
		front_keys(f);
		front_state(f, XenbusStateConnected);
		need(backend_wait(f, XenbusStateConnected, COMES), "no connection");
		alive(f);
		both_ways(f);
	}
}

static void f_prefix(struct front *f)
{
	struct conf c = conf_default;

	c.gso4 = c.gso6 = false;
	front_reset(f);
	front_alloc(f, &c);
	front_keys(f);
	key_put(f, "feature-gso-tcpv4-prefix", "1");
	key_put(f, "feature-gso-tcpv6-prefix", "1");
	front_state(f, XenbusStateConnected);
	need(backend_wait(f, XenbusStateConnected, COMES), "no connection");
	rx_post(&f->q[0], 64);
	alive(f);
	receive_cut(f, 4000, 3, 1000);
}

/* What the host cuts up for the frontend is a burst: it is sent off as one, or as few,
 * and all of it comes.
 */
static void f_burst(struct front *f)
{
	uint64_t packets, batches;
	struct conf c = conf_default;

	c.gso4 = c.gso6 = false;
	front_connect(f, &c);
	packets = peer_stat(f, "rx_queue_0_packets");
	batches = peer_stat(f, "rx_queue_0_batches");
	receive_cut(f, 59000, 3, 1000);
	packets = peer_stat(f, "rx_queue_0_packets") - packets;
	batches = peer_stat(f, "rx_queue_0_batches") - batches;
	note("%d packets in %d batches", (int)packets, (int)batches);
	need(packets >= 59 && batches * 4 <= packets, "%d packets in %d batches", (int)packets,
	     (int)batches);
}

/* ---- static grants ---- */

static uint32_t gref_call(struct front *f, struct page *list, uint16_t type, uint32_t queue,
			  int n, uint32_t *data)
{
	return ctrl_call(f, type, queue, list->gref, n, data);
}

#define ADD	XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING
#define DEL	XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING

static void f_grefs(struct front *f)
{
	struct xen_netif_gref *entry;
	struct conf c = conf_default;
	uint32_t status, max, n;
	struct page list;
	uint64_t tx, rx;

	c.ctrl = true;
	front_connect(f, &c);
	status = ctrl_call(f, XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE, 0, 0, 0, &max);
	must(status, OKAY, "GET_GREF_MAPPING_SIZE");
	need(max >= 2 * RING, "a queue may have %u mappings", max);
	must(CALL(GET_GREF_MAPPING_SIZE, 1, 0, 0), INVALID, "GET_GREF_MAPPING_SIZE of queue 2");

	page_new(&list, 1, true, f->backend_id);
	entry = (void *)list.va;
	for (int i = 0; i < RING; i++) {
		entry[i] = (struct xen_netif_gref){ .ref = f->q[0].tx[i].gref,
						    .flags = XEN_NETIF_CTRLF_GREF_readonly };
		entry[RING + i] = (struct xen_netif_gref){ .ref = f->q[0].rx[i].gref };
	}
	/* One that is none, and none of them is mapped. */
	entry[100].ref = 0x00FFFFFF;
	must(gref_call(f, &list, ADD, 0, RING, NULL), INVALID, "ADD with a bad one");
	entry[100].ref = f->q[0].tx[100].gref;
	tx = peer_stat(f, "tx_queue_0_copies_saved");
	both_ways(f);
	need(peer_stat(f, "tx_queue_0_copies_saved") == tx, "some are mapped all the same");

	must(gref_call(f, &list, ADD, 1, RING, NULL), INVALID, "ADD for queue 2");
	must(gref_call(f, &list, ADD, 0, 513, NULL), INVALID, "ADD of more than a page names");
	must(gref_call(f, &list, ADD, 0, 2 * RING, NULL), OKAY, "ADD");
	must(gref_call(f, &list, ADD, 0, 1, NULL), INVALID, "ADD of what is there");
	rx = peer_stat(f, "rx_queue_0_copies_saved");
	both_ways(f);
	need(peer_stat(f, "tx_queue_0_copies_saved") > tx, "no tx copy is saved");
	need(peer_stat(f, "rx_queue_0_copies_saved") > rx, "no rx copy is saved");

	/* Half of them go; one that was not there is said to be so. */
	entry[7].ref = 0x00FFFFFF;
	must(gref_call(f, &list, DEL, 0, RING, &n), OKAY, "DEL");
	must(n, RING - 1, "DEL, its data,");
	for (int i = 0; i < RING; i++)
		must(entry[i].status, i == 7 ? INVALID : OKAY, "an entry of DEL");
	both_ways(f);
	must(gref_call(f, &list, ADD, 0, 7, NULL), OKAY, "ADD again");
	both_ways(f);
	/* What is left goes with the connection. */
	front_end(f);
	front_connect(f, &c);
	tx = peer_stat(f, "tx_queue_0_copies_saved");
	both_ways(f);
	need(peer_stat(f, "tx_queue_0_copies_saved") == tx, "mappings of the last connection");
	front_end(f);
	page_free(&list, 1);
}

/* A connection is good from its first packet on. */
static void f_at_once(struct front *f)
{
	for (int i = 0; i < 30; i++) {
		front_connect(f, &conf_default);
		alive(f);
		front_end(f);
	}
}

/* ---- for those who look on, see frontend.sh ---- */

/* Connected, with a hash that is set by five messages, until dom0 has seen it. */
static void f_held(struct front *f)
{
	struct conf c = conf_default;
	uint64_t end = now_ms() + 60000;
	char path[160], *text;
	uint32_t *map;

	c.ctrl = true;
	c.queues = 2;
	front_connect(f, &c);
	hash_on(f, ALL_TYPES);
	map = (void *)f->ctrl_page.va;
	for (int i = 0; i < 128; i++)
		map[i] = i >> 2 & 1;
	must(CALL(SET_HASH_MAPPING_SIZE, 128, 0, 0), OKAY, "SET_HASH_MAPPING_SIZE");
	must(CALL(SET_HASH_MAPPING, f->ctrl_page.gref, 128, 0), OKAY, "SET_HASH_MAPPING");
	key_put(f, "xvf", "held");
	snprintf(path, sizeof(path), "%s/xvf", f->dir);
	xs_watch(path);
	for (;;) {
		text = xs_get(path);
		if (!text || strcmp(text, "held"))
			break;
		free(text);
		need(now_ms() < end, "nobody has looked");
		xs_event(1000);
	}
	free(text);
	alive(f);
	key_rm(f, "xvf");
}

/* What the tracepoints and the drop reasons are there to tell of: eight control messages,
 * a grant that is none, packets that wait too long, a stalled queue, a broken ring.
 */
static void f_events(struct front *f)
{
	struct frame_spec raw = frame_spec(FRAME_RAW, 200, 1, true), tcp = vector_spec(0, true);
	struct queue *q = &f->q[0];
	struct conf c = conf_default;
	struct moment expired, stalled;
	uint32_t data;

	c.ctrl = true;
	front_connect(f, &c);
	must(ctrl_call(f, XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE, 0, 0, 0, &data), OKAY,
	     "GET_HASH_MAPPING_SIZE");
	must(CALL(SET_HASH_ALGORITHM, 77, 0, 0), INVALID, "algorithm 77");
	tx_put(q, (netif_tx_request_t){ .gref = 0x00FFFFFF, .size = 100 });
	tx_push(q);
	need(tx_wait(q, COMES) && tx_status(q, 0) == NETIF_RSP_ERROR, "a bad grant is taken");
	front_end(f);

	starve_one(f, true, 8000, &expired, &stalled);
	need(expired.seen && stalled.seen, "dropped after %d ms, stalled after %d",
	     (int)expired.seen, (int)stalled.seen);
	peer_send(f, &tcp, 5, 0);
	receive(f, &raw);
	feed_one(f);
	q->txs->req_prod = q->tx_cons + RING + 1;
	port_kick(q->tx_port);
	broken(f);
}

const struct test features[] = {
	{ "content", "content both ways, one queue, split channels", f_content },
	{ "shared", "content both ways, one channel", f_shared },
	{ "queues", "two queues, both kinds of channels", f_queues },
	{ "slots", "1 to 19 slots, and 65535 bytes", f_slots },
	{ "four", "a frontend with four buffers", f_four },
	{ "no_sg", "a frontend without feature-sg", f_no_sg },
	{ "gso_rx", "packets to be segmented, to the guest", f_gso_rx },
	{ "gso_tx", "packets to be segmented, from the guest", f_gso_tx },
	{ "gso_fixup", "packets to be segmented that have a checksum", f_gso_fixup },
	{ "unfit", "checksums where no frontend looks for them", f_unfit },
	{ "csum", "checksums left open, and filled in for who wants them", f_csum },
	{ "mcast_static", "multicast control from the beginning", f_mcast_static },
	{ "mcast_dynamic", "multicast control switched on and off", f_mcast_dynamic },
	{ "mcast_limit", "64 multicast addresses and not one more", f_mcast_limit },
	{ "ctrl", "every message of the control ring, every status", f_ctrl },
	{ "hash", "the published vectors of the hash", f_hash },
	{ "mapping", "the mapping chooses the queue", f_mapping },
	{ "hash_tx", "hashes from the guest", f_hash_tx },
	{ "xdp", "headroom: negotiated, changed, refused", f_xdp },
	{ "no_notify", "a frontend without feature-rx-notify", f_no_notify },
	{ "stall", "a queue stalls, drains and comes back", f_stall },
	{ "timeouts", "one of two queues gets no buffers: how long it has", f_timeouts },
	{ "live_rings", "rings in use, over the end of the index", f_live_rings },
	{ "prefix", "GSO prefix keys change nothing", f_prefix },
	{ "burst", "a burst is sent off as one", f_burst },
	{ "grefs", "static grants", f_grefs },
	{ "at_once", "30 connections, each used at once", f_at_once },
	{ "held", "connected until somebody has looked", f_held },
	{ "events", "what tracepoints and drop reasons tell of", f_events },
	{}
};
