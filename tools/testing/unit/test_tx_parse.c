// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* tx_parse.c: requests in, a packet and a verdict out; every boundary of both. */

#include "test.h"

#include "ring.h"
#include "tx_parse.h"

#define N	XENVIF_TX_RING_SIZE
#define MORE	XEN_NETTXF_more_data
#define EXTRA	XEN_NETTXF_extra_info

void sim_warn(const char *file, int line, const char *cond)
{
	sim_bug("WARN_ON(%s) at %s:%d", cond, file, line);
}

static union xen_netif_tx_sring_entry *ring;
static struct xenvif_tx_packet pkt;
static u32 start, n;

/* Guest-TX requests from start on, in the order of the calls. */

static void begin(u32 at)
{
	memset(ring, 0xCC, N * sizeof(*ring));
	memset(&pkt, 0xDD, sizeof(pkt));
	start = at;
	n = 0;
}

static void req(u32 size, u32 flags, u32 offset)
{
	ring[(start + n) % N].req = (struct xen_netif_tx_request){
		.gref = 1000 + n,
		.offset = offset,
		.flags = flags,
		.id = n,
		.size = size,
	};
	n++;
}

static struct xen_netif_extra_info *extra(u8 type, bool more)
{
	struct xen_netif_extra_info *info = (void *)&ring[(start + n++) % N];

	memset(info, 0, sizeof(*info));
	info->type = type;
	info->flags = more ? XEN_NETIF_EXTRA_FLAG_MORE : 0;
	return info;
}

static void gso(u8 type, u16 size, bool more)
{
	struct xen_netif_extra_info *info = extra(XEN_NETIF_EXTRA_TYPE_GSO, more);

	info->u.gso.type = type;
	info->u.gso.size = size;
}

static enum xenvif_tx_verdict parse_avail(u32 avail)
{
	return xenvif_tx_parse(ring, N, start, avail, &pkt);
}

static enum xenvif_tx_verdict parse(void)
{
	return parse_avail(n);
}

static void assert_packet(u32 len, u32 n_slots)
{
	u32 i, sum = 0;

	assert_int_equal(parse(), XENVIF_TX_PACKET);
	assert_int_equal(pkt.len, len);
	assert_int_equal(pkt.n_slots, n_slots);
	assert_int_equal(pkt.n_requests, n);
	for (i = 0; i < pkt.n_slots; i++) {
		assert_in_range(pkt.slot[i].len, 1, 4096 - pkt.slot[i].offset);
		sum += pkt.slot[i].len;
	}
	assert_int_equal(sum, len);
}

/* Dropped, for this reason, and all its slots are taken. */
static void assert_drop(enum xenvif_tx_bad why)
{
	assert_int_equal(parse(), XENVIF_TX_DROP);
	assert_int_equal(pkt.bad, why);
	assert_int_equal(pkt.n_requests, n);
	/* One that is not all there is waited for, not judged. */
	while (--n)
		assert_int_equal(parse(), XENVIF_TX_WAIT);
}

static int setup(void **state)
{
	UNUSED(state);
	ring = malloc(N * sizeof(*ring));
	return 0;
}

static int teardown(void **state)
{
	UNUSED(state);
	free(ring);
	return 0;
}

static void test_one_slot(void **state)
{
	UNUSED(state);
	begin(0);
	req(100, 0, 0);
	assert_packet(100, 1);
	assert_int_equal(pkt.slot[0].gref, 1000);
	assert_int_equal(pkt.slot[0].offset, 0);
	assert_int_equal(pkt.n_extras, 0);
	assert_int_equal(pkt.gso_type, XEN_NETIF_GSO_TYPE_NONE);
	assert_int_equal(pkt.hash_alg, XEN_NETIF_CTRL_HASH_ALGORITHM_NONE);
	assert_int_equal(pkt.mcast_type, 0);
	assert_int_equal(pkt.bad, XENVIF_TX_BAD_NONE);
}

static void test_two_slots(void **state)
{
	UNUSED(state);
	begin(0);
	req(100, MORE, 10);
	req(40, 0, 20);
	assert_packet(100, 2);
	assert_int_equal(pkt.slot[0].len, 60);
	assert_int_equal(pkt.slot[0].offset, 10);
	assert_int_equal(pkt.slot[1].len, 40);
	assert_int_equal(pkt.slot[1].gref, 1001);
	assert_int_equal(pkt.slot[1].offset, 20);
}

static void test_three_slots(void **state)
{
	UNUSED(state);
	begin(0);
	req(8300, MORE, 4000);
	req(4096, MORE, 0);
	req(4108, 0, 0);
	assert_drop(XENVIF_TX_BAD_RANGE);
	begin(0);
	req(8288, MORE, 4000);
	req(4096, MORE, 0);
	req(4096, 0, 0);
	assert_packet(8288, 3);
	assert_int_equal(pkt.slot[0].len, 96);
}

/* Two packets in the ring: the first one ends where it ends. */
static void test_next_packet_left(void **state)
{
	UNUSED(state);
	begin(0);
	req(100, MORE, 0);
	req(40, 0, 0);
	req(200, 0, 0);
	assert_int_equal(parse(), XENVIF_TX_PACKET);
	assert_int_equal(pkt.n_requests, 2);
}

static void test_wrap(void **state)
{
	static const u32 at[] = { 250, 255, 0xFFFFFFFD, 0xFFFFFFFF, 0x7FFFFFFF };
	u32 i;

	UNUSED(state);
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		begin(at[i]);
		req(3000, MORE | EXTRA, 0);
		gso(XEN_NETIF_GSO_TYPE_TCPV4, 1448, false);
		req(1000, MORE, 0);
		req(1000, 0, 0);
		assert_packet(3000, 3);
		assert_int_equal(pkt.slot[1].gref, 1002);
		assert_int_equal(pkt.slot[2].gref, 1003);
		assert_int_equal(pkt.gso_size, 1448);
	}
}

/* The size of a single slot. */
static void test_size(void **state)
{
	u32 size;

	UNUSED(state);
	for (size = 0; size <= 65535; size++) {
		begin(0);
		req(size, 0, 0);
		if (size < 14)
			assert_drop(XENVIF_TX_BAD_SHORT);
		else if (size > 4096)
			assert_drop(XENVIF_TX_BAD_RANGE);
		else
			assert_packet(size, 1);
	}
}

/* Offset and size together. */
static void test_range(void **state)
{
	static const struct { u32 offset, size; bool ok; } table[] = {
		{ 0, 4096, true }, { 1, 4096, false }, { 4082, 14, true }, { 4083, 14, false },
		{ 4095, 14, false }, { 4096, 14, false }, { 65535, 14, false },
		{ 65535, 65535, false }, { 65535 - 13, 14, false }, { 4095, 65535, false },
		{ 2048, 2048, true }, { 2048, 2049, false }, { 32768, 32768, false },
		{ 61440, 4096, false },
	};
	u32 i;

	UNUSED(state);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		/* alone */
		begin(7);
		req(table[i].size, 0, table[i].offset);
		if (table[i].ok)
			assert_packet(table[i].size, 1);
		else
			assert_drop(XENVIF_TX_BAD_RANGE);
		/* as the second one, if the sum can be said at all */
		if (table[i].size + 20 > 65535)
			continue;
		begin(7);
		req(table[i].size + 20, MORE, 0);
		req(table[i].size, 0, table[i].offset);
		if (table[i].ok)
			assert_packet(table[i].size + 20, 2);
		else
			assert_drop(XENVIF_TX_BAD_RANGE);
	}

	/* A last byte may lie at a page's end; what is empty may lie anywhere. */
	begin(0);
	req(15, MORE, 4082);
	req(1, 0, 4095);
	assert_packet(15, 2);
	begin(0);
	req(14, MORE, 0);
	req(0, 0, 4096);
	assert_packet(14, 1);
	begin(0);
	req(14, MORE, 0);
	req(0, 0, 65535);
	assert_packet(14, 1);
	begin(0);
	req(14, MORE, 65535);
	req(14, 0, 0);
	assert_packet(14, 1);
	assert_int_equal(pkt.slot[0].gref, 1001);
}

/* A chain of slots slots, total bytes in all, cut as evenly as can be. */
static void chain(u32 slots, u32 total)
{
	u32 each = total / slots, i;

	begin(200);
	req(total, slots > 1 ? MORE : 0, 0);
	for (i = 1; i < slots; i++)
		req(each, i < slots - 1 ? MORE : 0, 0);
}

static void test_slots(void **state)
{
	static const u32 total[] = { 14, 19, 60, 1514, 9000, 65535 };
	u32 slots, i;

	UNUSED(state);
	for (slots = 1; slots <= 255; slots++) {
		for (i = 0; i < 6; i++) {
			u32 least = (total[i] + 4095) / 4096;
			u32 each = total[i] / slots;

			if (slots < least || total[i] - (slots - 1) * each > 4096)
				continue;
			chain(slots, total[i]);
			if (slots <= 19)
				assert_packet(total[i], each ? slots : 1);
			else
				assert_drop(XENVIF_TX_BAD_SLOTS);
		}
	}
}

/* The chain that fills the ring and does not end, and the one that just does. */
static void test_ring_full(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 1; i < N; i++) {
		begin(3);
		req(1000, MORE, 0);
		while (n < i)
			req(1, MORE, 0);
		assert_int_equal(parse(), XENVIF_TX_WAIT);
	}
	begin(3);
	req(1000, MORE, 0);
	while (n < N)
		req(1, MORE, 0);
	assert_int_equal(parse(), XENVIF_TX_CORRUPT);
	ring[(start + N - 1) % N].req.flags = 0;
	assert_drop(XENVIF_TX_BAD_SLOTS);

	/* The same of extra infos. */
	begin(3);
	req(1000, EXTRA, 0);
	while (n < N)
		extra(XEN_NETIF_EXTRA_TYPE_HASH, true);
	assert_int_equal(parse(), XENVIF_TX_CORRUPT);
	assert_int_equal(parse_avail(N - 1), XENVIF_TX_WAIT);
	ring[(start + N - 1) % N].rsp.id = XEN_NETIF_EXTRA_TYPE_HASH;
	assert_drop(XENVIF_TX_BAD_EXTRA);

	/* One that announces extra infos and has none. */
	begin(3);
	req(1000, EXTRA, 0);
	assert_int_equal(parse(), XENVIF_TX_WAIT);
}

/* The longest packet there is, in each number of slots that can hold it. */
static void test_64k(void **state)
{
	u32 slots;

	UNUSED(state);
	for (slots = 2; slots <= 20; slots++) {
		u32 i, rest = 65535;

		begin(0);
		req(65535, MORE, 0);
		for (i = 1; i < slots; i++) {
			u32 len = rest / (slots - i + 1);

			req(len, i < slots - 1 ? MORE : 0, 0);
			rest -= len;
		}
		if (slots < 16)
			assert_drop(XENVIF_TX_BAD_RANGE);
		else if (slots < 20)
			assert_packet(65535, slots);
		else
			assert_drop(XENVIF_TX_BAD_SLOTS);
	}
	/* More than 16 bits can say: the length that is said is too small. */
	begin(0);
	req(0xFFF0, MORE, 0);
	while (n < 16)
		req(4096, MORE, 0);
	req(4096, 0, 0);
	assert_drop(XENVIF_TX_BAD_LENGTH);
}

static void test_length(void **state)
{
	UNUSED(state);
	/* the second holds more than all */
	begin(0);
	req(100, MORE, 0);
	req(101, 0, 0);
	assert_drop(XENVIF_TX_BAD_LENGTH);
	/* all of it: the first is empty */
	begin(0);
	req(100, MORE, 0);
	req(100, 0, 0);
	assert_packet(100, 1);
	assert_int_equal(pkt.slot[0].gref, 1001);
	/* in sum */
	begin(0);
	req(100, MORE, 0);
	req(60, MORE, 0);
	req(41, 0, 0);
	assert_drop(XENVIF_TX_BAD_LENGTH);
	begin(0);
	req(100, MORE, 0);
	req(60, MORE, 0);
	req(40, 0, 0);
	assert_packet(100, 2);
	/* the sum wraps 16 and would wrap 32 bits */
	begin(0);
	req(100, MORE, 0);
	while (n < 18)
		req(65535, MORE, 0);
	req(65535, 0, 0);
	assert_drop(XENVIF_TX_BAD_LENGTH);
	/* too short, in several slots */
	begin(0);
	req(13, MORE, 0);
	req(6, 0, 0);
	assert_drop(XENVIF_TX_BAD_SHORT);
	/* a first piece of 1 to 13 bytes is fine */
	for (u32 i = 1; i < 14; i++) {
		begin(0);
		req(60, MORE, 0);
		req(60 - i, 0, 0);
		assert_packet(60, 2);
		assert_int_equal(pkt.slot[0].len, i);
	}
}

/* Slots without data: everywhere, answered, and left out. */
static void test_empty_slots(void **state)
{
	u32 mask, i;

	UNUSED(state);
	for (mask = 0; mask < 1 << 6; mask++) {
		u32 data = 1;

		begin(253);
		req(2000, MORE, 0);
		for (i = 0; i < 6; i++) {
			data += mask >> i & 1;
			req(mask >> i & 1 ? 100 : 0, i < 5 ? MORE : 0, 0);
		}
		assert_packet(2000, data);
		for (i = 1; i < pkt.n_slots; i++) {
			assert_int_equal(pkt.slot[i].len, 100);
			assert_true(pkt.slot[i].gref > pkt.slot[i - 1].gref);
		}
	}
	/* 19 slots, the last k of them empty */
	for (mask = 1; mask <= 18; mask++) {
		begin(0);
		req(1900, MORE, 0);
		for (i = 1; i < 19; i++)
			req(i < 19 - mask ? 100 : 0, i < 18 ? MORE : 0, 0);
		assert_packet(1900, 19 - mask);
	}
	/* all but one of the later ones */
	begin(0);
	req(500, MORE, 0);
	for (i = 1; i < 19; i++)
		req(i == 9 ? 500 : 0, i < 18 ? MORE : 0, 0);
	assert_packet(500, 1);
	assert_int_equal(pkt.slot[0].gref, 1009);
	/* an empty one counts */
	begin(0);
	req(500, MORE, 0);
	for (i = 1; i < 20; i++)
		req(0, i < 19 ? MORE : 0, 0);
	assert_drop(XENVIF_TX_BAD_SLOTS);
}

/* A head and 18 slots of 1 to 7 bytes, every total. */
static void test_crumbs(void **state)
{
	u32 each, total, i;

	UNUSED(state);
	for (each = 1; each <= 7; each++) {
		for (total = 14; total <= 128; total++) {
			begin(0);
			req(total, MORE, 4000);
			for (i = 1; i < 19; i++)
				req(each, i < 18 ? MORE : 0, 4000);
			if (18 * each > total) {
				assert_drop(XENVIF_TX_BAD_LENGTH);
				continue;
			}
			if (total - 18 * each > 96) {
				assert_drop(XENVIF_TX_BAD_RANGE);
				continue;
			}
			assert_packet(total, 18 + (total > 18 * each));
		}
	}
}

static void test_flags(void **state)
{
	u32 flags;

	UNUSED(state);
	/* All but more_data and extra_info mean nothing to the parser. */
	for (flags = 0; flags <= 0xFFFF; flags++) {
		if (flags & (MORE | EXTRA))
			continue;
		begin(0);
		req(100, flags, 0);
		assert_packet(100, 1);
		assert_int_equal(pkt.flags, flags);
	}
	/* An extra info cannot be announced by a later slot. */
	begin(0);
	req(100, MORE, 0);
	req(10, EXTRA, 0);
	assert_drop(XENVIF_TX_BAD_EXTRA);
	begin(0);
	req(100, MORE, 0);
	req(10, MORE | EXTRA, 0);
	req(10, 0, 0);
	assert_drop(XENVIF_TX_BAD_EXTRA);
	/* Nor do later slots' other flags matter. */
	begin(0);
	req(100, MORE, 0);
	req(10, 0xFFFF & ~(MORE | EXTRA), 0);
	assert_packet(100, 2);
	assert_int_equal(pkt.flags, MORE);
}

static void test_extra_types(void **state)
{
	u32 type;

	UNUSED(state);
	for (type = 0; type <= 255; type++) {
		struct xen_netif_extra_info *info;

		begin(0);
		req(100, EXTRA | MORE, 0);
		info = extra(type, false);
		if (type == XEN_NETIF_EXTRA_TYPE_GSO) {
			info->u.gso.type = XEN_NETIF_GSO_TYPE_TCPV6;
			info->u.gso.size = 1000;
		}
		req(10, 0, 0);
		switch (type) {
		case XEN_NETIF_EXTRA_TYPE_GSO:
		case XEN_NETIF_EXTRA_TYPE_HASH:
		case XEN_NETIF_EXTRA_TYPE_XDP:
			assert_packet(100, 2);
			assert_int_equal(pkt.n_extras, 1);
			break;
		case XEN_NETIF_EXTRA_TYPE_MCAST_ADD:
		case XEN_NETIF_EXTRA_TYPE_MCAST_DEL:
			assert_int_equal(parse(), XENVIF_TX_MCAST);
			assert_int_equal(pkt.n_requests, 3);
			break;
		default:
			assert_drop(XENVIF_TX_BAD_EXTRA);
			break;
		}
	}
}

/* Chains of extra infos: each type once. Flags but MORE mean nothing. */
static void test_extra_chain(void **state)
{
	struct xen_netif_extra_info *info;
	u32 i, len;

	UNUSED(state);
	begin(255);
	req(100, EXTRA | MORE, 0);
	gso(XEN_NETIF_GSO_TYPE_TCPV4, 1448, true);
	info = extra(XEN_NETIF_EXTRA_TYPE_HASH, true);
	info->flags |= 0xFE;
	info->u.hash.type = 3;
	info->u.hash.algorithm = XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ;
	memcpy(info->u.hash.value, "\x11\x22\x33\x84", 4);
	extra(XEN_NETIF_EXTRA_TYPE_XDP, false)->flags |= 0xFE;
	req(10, 0, 0);
	assert_packet(100, 2);
	assert_int_equal(pkt.n_extras, 3);
	assert_int_equal(pkt.gso_size, 1448);
	assert_int_equal(pkt.gso_type, XEN_NETIF_GSO_TYPE_TCPV4);
	assert_int_equal(pkt.hash_type, 3);
	assert_int_equal(pkt.hash_alg, XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ);
	assert_int_equal(pkt.hash, 0x84332211);
	assert_int_equal(pkt.slot[1].gref, 1004);

	for (i = XEN_NETIF_EXTRA_TYPE_GSO; i < XEN_NETIF_EXTRA_TYPE_MAX; i++) {
		begin(0);
		req(100, EXTRA, 0);
		info = extra(i, true);
		if (i == XEN_NETIF_EXTRA_TYPE_GSO) {
			info->u.gso.type = 1;
			info->u.gso.size = 500;
		}
		ring[2] = ring[1];
		n++;
		ring[2].rsp.id = i;	/* no MORE */
		assert_drop(XENVIF_TX_BAD_EXTRA);
	}

	/* however long */
	for (len = 6; len < 256; len++) {
		begin(0);
		req(100, EXTRA, 0);
		for (i = 1; i < len; i++)
			extra(XEN_NETIF_EXTRA_TYPE_XDP, i < len - 1);
		assert_drop(XENVIF_TX_BAD_EXTRA);
	}
}

static void test_gso(void **state)
{
	static const u16 size[] = { 0, 1, 7, 47, 48, 49, 88, 536, 1448, 9000, 65483, 0x7FFF,
				    0x8000, 0xFFFE, 0xFFFF };
	u32 type, i;

	UNUSED(state);
	for (type = 0; type <= 255; type++) {
		for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
			begin(0);
			req(3000, EXTRA | MORE, 0);
			gso(type, size[i], false);
			req(1000, 0, 0);
			if ((type == XEN_NETIF_GSO_TYPE_TCPV4 ||
			     type == XEN_NETIF_GSO_TYPE_TCPV6) &&
			    size[i] >= 48 && size[i] != 0xFFFF) {
				assert_packet(3000, 2);
				assert_int_equal(pkt.gso_type, type);
				assert_int_equal(pkt.gso_size, size[i]);
			} else {
				assert_drop(XENVIF_TX_BAD_GSO);
			}
		}
	}
}

/* Multicast messages: nothing of their data matters but where they end. */
static void test_mcast(void **state)
{
	static const u8 addr[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	struct xen_netif_extra_info *info;
	u32 type;

	UNUSED(state);
	for (type = XEN_NETIF_EXTRA_TYPE_MCAST_ADD; type <= XEN_NETIF_EXTRA_TYPE_MCAST_DEL; type++) {
		begin(0);
		req(0, EXTRA, 0);
		info = extra(type, false);
		memcpy(info->u.mcast.addr, addr, 6);
		assert_int_equal(parse(), XENVIF_TX_MCAST);
		assert_int_equal(pkt.n_requests, 2);
		assert_int_equal(pkt.n_extras, 1);
		assert_int_equal(pkt.mcast_type, type);
		assert_memory_equal(pkt.mcast_addr, addr, 6);

		begin(0);
		req(65535, EXTRA | MORE, 65535);
		memcpy(extra(type, true)->u.mcast.addr, addr, 6);
		gso(XEN_NETIF_GSO_TYPE_TCPV4, 0, false);
		req(65535, MORE, 65535);
		while (n < 100)
			req(65535, MORE, 65535);
		req(65535, 0, 65535);
		assert_int_equal(parse(), XENVIF_TX_MCAST);
		assert_int_equal(pkt.n_requests, 101);
		assert_memory_equal(pkt.mcast_addr, addr, 6);
	}
	begin(0);
	req(0, EXTRA, 0);
	extra(XEN_NETIF_EXTRA_TYPE_MCAST_ADD, true);
	extra(XEN_NETIF_EXTRA_TYPE_MCAST_DEL, false);
	assert_drop(XENVIF_TX_BAD_EXTRA);
	begin(0);
	req(0, EXTRA, 0);
	extra(XEN_NETIF_EXTRA_TYPE_MCAST_ADD, true);
	extra(XEN_NETIF_EXTRA_TYPE_MCAST_ADD, false);
	assert_drop(XENVIF_TX_BAD_EXTRA);

	/* Whatever else is wrong with it. */
	begin(0);
	req(0, EXTRA, 0);
	gso(XEN_NETIF_GSO_TYPE_TCPV4, 0, true);
	extra(XEN_NETIF_EXTRA_TYPE_MCAST_ADD, true);
	extra(XEN_NETIF_EXTRA_TYPE_MCAST_ADD, false);
	assert_drop(XENVIF_TX_BAD_EXTRA);
	begin(0);
	req(0, EXTRA | MORE, 0);
	gso(XEN_NETIF_GSO_TYPE_TCPV4, 0, true);
	extra(XEN_NETIF_EXTRA_TYPE_MCAST_ADD, false);
	req(0, MORE, 1);
	req(0, EXTRA, 0);
	assert_drop(XENVIF_TX_BAD_EXTRA);
	/* And of a packet that is none. */
	begin(0);
	req(0, EXTRA, 1000);
	gso(XEN_NETIF_GSO_TYPE_TCPV4, 0, true);
	extra(XEN_NETIF_EXTRA_TYPE_MAX, false);
	assert_drop(XENVIF_TX_BAD_EXTRA);
}

/* Parsing changes nothing but the packet, and says the same again. */
static void test_pure(void **state)
{
	union xen_netif_tx_sring_entry copy[N];
	struct xenvif_tx_packet first;
	u32 i, j;

	UNUSED(state);
	for (i = 0; i < 20000; i++) {
		enum xenvif_tx_verdict verdict;
		u32 avail = random_in(1, N);

		for (j = 0; j < N; j++) {
			memset(&ring[j], 0, sizeof(ring[j]));
			ring[j].req.flags = random_u32() & 0xF;
			ring[j].req.size = random_u32() & 0xFFF;
			ring[j].req.gref = random_u32();
			if (!(random_u32() & 3))
				ring[j].rsp.id = random_in(0, 6) | random_in(0, 1) << 8;
		}
		memcpy(copy, ring, sizeof(copy));
		start = random_u32();
		memset(&pkt, 0, sizeof(pkt));
		verdict = parse_avail(avail);
		assert_memory_equal(copy, ring, sizeof(copy));
		first = pkt;
		assert_int_equal(parse_avail(avail), verdict);
		assert_memory_equal(&first, &pkt, offsetof(struct xenvif_tx_packet, slot));
		if (verdict == XENVIF_TX_PACKET) {
			assert_memory_equal(first.slot, pkt.slot,
					    pkt.n_slots * sizeof(pkt.slot[0]));
			assert_in_range(pkt.n_slots, 1, 19);
		}
		if (verdict != XENVIF_TX_WAIT && verdict != XENVIF_TX_CORRUPT)
			assert_in_range(pkt.n_requests, 1 + pkt.n_extras, avail);
	}
}

/* Frames: where their headers end. */

static u8 *frame;
static u32 frame_len;

static void put16(u16 value)
{
	frame[frame_len++] = value >> 8;
	frame[frame_len++] = value;
}

static void eth(u32 tags, u16 tpid, u16 proto)
{
	memset(frame, 0, 256);
	frame_len = 12;
	while (tags--) {
		put16(tpid);
		put16(5);
	}
	put16(proto);
}

static void ip4(u8 ihl, u8 proto)
{
	frame[frame_len] = 0x40 | ihl;
	frame[frame_len + 9] = proto;
	frame_len += ihl < 5 ? 20 : ihl * 4;
}

static void ip6(u8 next)
{
	frame[frame_len] = 0x60;
	frame[frame_len + 6] = next;
	frame_len += 40;
}

static void tcp(u8 doff)
{
	frame[frame_len + 12] = doff << 4;
	frame_len += doff < 5 ? 20 : doff * 4;
}

/* Only with all bytes of the headers is their end seen; no byte more is read. */
static void assert_headers(u32 expect)
{
	u32 len;

	for (len = 0; len <= 200; len++) {
		u8 *exact = malloc(len ? len : 1);

		memcpy(exact, frame, len);
		assert_int_equal(xenvif_tx_headers_len(exact, len), len < expect ? 0 : expect);
		free(exact);
	}
}

static void assert_no_headers(void)
{
	u32 len;

	for (len = 0; len <= 200; len++) {
		u8 *exact = malloc(len ? len : 1);

		memcpy(exact, frame, len);
		assert_int_equal(xenvif_tx_headers_len(exact, len), 0);
		free(exact);
	}
}

static void test_headers(void **state)
{
	static const u16 tpid[] = { 0x8100, 0x88A8 };
	u32 tags, i, t;

	UNUSED(state);
	frame = malloc(256);
	for (tags = 0; tags <= 1; tags++) {
		for (t = 0; t < 2; t++) {
			for (i = 5; i <= 15; i++) {
				eth(tags, tpid[t], 0x0800);
				ip4(i, 17);
				assert_headers(14 + tags * 4 + i * 4 + 8);
				eth(tags, tpid[t], 0x0800);
				ip4(i, 6);
				tcp(15);
				assert_headers(14 + tags * 4 + i * 4 + 60);
				eth(tags, tpid[t], 0x86DD);
				ip6(6);
				tcp(i);
				assert_headers(14 + tags * 4 + 40 + i * 4);
			}
			eth(tags, tpid[t], 0x86DD);
			ip6(17);
			assert_headers(14 + tags * 4 + 40 + 8);
		}
	}
	/* Shorter than a header can be. */
	for (i = 0; i < 5; i++) {
		eth(0, 0, 0x0800);
		ip4(i, 17);
		assert_no_headers();
		eth(0, 0, 0x0800);
		ip4(i, 6);
		tcp(5);
		assert_no_headers();
		eth(0, 0, 0x0800);
		ip4(5, 6);
		tcp(i);
		assert_no_headers();
		eth(1, 0x8100, 0x86DD);
		ip6(6);
		tcp(i);
		assert_no_headers();
	}
	/* What it does not know. */
	eth(2, 0x8100, 0x0800);
	ip4(5, 17);
	assert_no_headers();
	eth(0, 0, 0x0806);
	assert_no_headers();
	eth(0, 0, 0x0800);
	ip4(5, 1);
	assert_no_headers();
	eth(0, 0, 0x86DD);
	ip6(0);
	assert_no_headers();
	eth(0, 0, 0x9100);
	assert_no_headers();
	free(frame);
}

/* Nonsense in the length fields: never beyond len, never without end. */
static void test_headers_random(void **state)
{
	static const u16 proto[] = { 0x0800, 0x86DD, 0x8100, 0x88A8, 0x0806 };
	u32 i, j;

	UNUSED(state);
	for (i = 0; i < 200000; i++) {
		u32 len = random_in(0, 140), found;

		frame = malloc(len + 1);
		for (j = 0; j < len; j++)
			frame[j] = random_u32();
		frame_len = 12;
		if (len >= 18) {
			put16(proto[random_in(0, 4)]);
			frame_len += 2;
			if (len >= 22)
				put16(proto[random_in(0, 4)]);
		}
		if (len > 30) {
			frame[23] = random_in(0, 1) ? 6 : 17;
			frame[20] = random_in(0, 1) ? 6 : 17;
		}
		/* The byte behind it all belongs to somebody else. */
		frame = realloc(frame, len ? len : 1);
		found = xenvif_tx_headers_len(frame, len);
		assert_true(!found || (found >= 14 && found <= len));
		free(frame);
	}
}

int main(void)
{
#define PARSE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		PARSE_TEST(test_one_slot),
		PARSE_TEST(test_two_slots),
		PARSE_TEST(test_three_slots),
		PARSE_TEST(test_next_packet_left),
		PARSE_TEST(test_wrap),
		PARSE_TEST(test_size),
		PARSE_TEST(test_range),
		PARSE_TEST(test_slots),
		PARSE_TEST(test_ring_full),
		PARSE_TEST(test_64k),
		PARSE_TEST(test_length),
		PARSE_TEST(test_empty_slots),
		PARSE_TEST(test_crumbs),
		PARSE_TEST(test_flags),
		PARSE_TEST(test_extra_types),
		PARSE_TEST(test_extra_chain),
		PARSE_TEST(test_gso),
		PARSE_TEST(test_mcast),
		PARSE_TEST(test_pure),
		TEST(test_headers),
		TEST(test_headers_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
