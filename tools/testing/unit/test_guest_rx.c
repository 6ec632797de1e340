// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * guest_rx.c and queue.c on the stand: the host sends, the frontend has posted
 * buffers, many or few. That ids, order, flags, contents and the bytes around
 * them are right, the stand checks by itself.
 */

#include "test.h"

#include "stand.h"

static struct stand_config config;

static int setup(void **state)
{
	UNUSED(state);
	stand_up(&config);
	return 0;
}

static int teardown(void **state)
{
	UNUSED(state);
	stand_down();
	config = (struct stand_config){ 0 };
	return 0;
}

static int setup_wrap(void **state)
{
	config.rx_start = 0xFFFFFFC0;
	return setup(state);
}

static int setup_shared(void **state)
{
	config.shared_channel = true;
	return setup(state);
}

static int setup_headroom(void **state)
{
	config.rx_headroom = 256;
	return setup(state);
}

static int setup_hash(void **state)
{
	config.hashing = true;
	config.rx_headroom = 256;
	return setup(state);
}

static int setup_stall(void **state)
{
	config.rx_stall_ms = 3000;
	return setup(state);
}

static void fill(struct sk_buff *skb)
{
	u32 i, j;

	for (i = 0; i < skb_headlen(skb); i++)
		skb->data[i] = random_u32();
	for (j = 0; j < skb_shinfo(skb)->nr_frags; j++) {
		skb_frag_t *frag = &skb_shinfo(skb)->frags[j];
		u8 *data = (u8 *)page_address(frag->page) + frag->offset;

		for (i = 0; i < frag->len; i++)
			data[i] = random_u32();
	}
}

static struct sk_buff *linear(u32 len, u32 offset)
{
	struct sk_buff *skb = sim_skb_alloc(len, offset);

	fill(skb);
	return skb;
}

/* Buffers that are posted and not used. */
static u32 buffers(void)
{
	return stand->rx.req_prod_pvt - stand->rx_ring->rsp_prod;
}

static void set_gso(struct sk_buff *skb, u32 type, u16 size)
{
	skb_shinfo(skb)->gso_type = type;
	skb_shinfo(skb)->gso_size = size;
	skb->ip_summed = CHECKSUM_PARTIAL;
}

/* Sent, and received at once, in n slots of data. */
static void assert_slots(struct sk_buff *skb, u32 n)
{
	u32 before = stand->n_received;

	stand_xmit(skb);
	stand_run();
	assert_int_equal(stand->n_received, before + 1);
	assert_int_equal(stand->last_slots, n);
	stand_rx_post(256 - buffers(), 0);
	stand_run();
}

static void test_one(void **state)
{
	UNUSED(state);
	stand_rx_post(256, 0);
	assert_slots(linear(60, 64), 1);
	assert_int_equal(sim.n_ops, 1);
	assert_int_equal(sim.n_hypercalls, 1);
	assert_int_equal(stand->n_rx_slots, 1);
	assert_int_equal(sim.irq[1].n_notify, 1);
	assert_int_equal(stand_rx_stat(XENVIF_RX_BYTES), 60);
}

/* Every place of a packet around the end of a page, and every length around it. */
static void test_linear(void **state)
{
	static const u32 len[] = { 1, 14, 60, 1514, 4095, 4096, 4097, 8191, 8192, 8193 };
	u32 i, offset;

	UNUSED(state);
	stand_rx_post(256, 0);
	for (i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		for (offset = 0; offset < 4096; offset += random_in(1, 60)) {
			stand_xmit(linear(len[i], offset));
			stand_run();
			stand_rx_post(256 - buffers(), 0);
		}
	}
	stand_run();
	assert_int_equal(stand->n_received, stand->n_sent);
}

static struct sk_buff *aligned_64k(u32 head)
{
	struct sk_buff *skb = sim_skb_alloc(head, 64);
	u32 i;

	for (i = 0; i < 15; i++)
		sim_skb_add_frag(skb, 0, 4096);
	fill(skb);
	return skb;
}

/* Aligned pages have a slot each, and an operation each, after one for the head. */
static void test_few_ops(void **state)
{
	UNUSED(state);
	stand_rx_post(256, 0);
	assert_slots(aligned_64k(66), 16);
	assert_int_equal(sim.n_ops, 16);
	assert_int_equal(sim.n_hypercalls, 1);
}

/* With just as many buffers as bytes need, and one more, and so on. */
static void test_few_buffers(void **state)
{
	u32 n, round, least;

	UNUSED(state);
	for (n = 16; n <= 20; n++) {
		for (round = 0; round < 20; round++) {
			struct sk_buff *skb = sim_skb_alloc(random_in(14, 200), random_in(0, 200));
			u32 before = stand->n_received;

			while (skb_shinfo(skb)->nr_frags < 17) {
				u32 rest = 65535 - skb->len;
				u32 len = skb_shinfo(skb)->nr_frags == 16 ?
					  min(rest, 8192U) : min(rest, random_in(3000, 5000));

				if (!rest)
					break;
				sim_skb_add_frag(skb, random_in(0, 4095), len);
			}
			fill(skb);
			least = DIV_ROUND_UP(skb->len, 4096);
			stand_xmit(skb);
			stand_run();
			stand_rx_post(n - buffers(), 0);
			stand_run();
			assert_int_equal(stand->n_received, before + 1);
			assert_in_range(stand->last_slots, least, n < 17 ? n : 17);
			/* The ones left over go with small packets. */
			while (buffers()) {
				stand_xmit(linear(14, 0));
				stand_run();
			}
		}
	}
}

/* What a card received, made one packet of: many pieces, each of which would like to
 * stay whole. A Linux guest drops it all if it takes 18 slots.
 */
static void test_many_pieces(void **state)
{
	u32 n, i, least;

	UNUSED(state);
	stand_rx_post(256, 0);
	for (n = 30; n <= 44; n++) {
		struct sk_buff *skb = sim_skb_alloc(1514, 66);

		for (i = 0; i < 17 && skb->len < 1514 + n * 1448; i++)
			sim_skb_add_frag(skb, 1000 + 100 * i, min(1448 * 3U, 1514 + n * 1448 - skb->len));
		fill(skb);
		least = DIV_ROUND_UP(skb->len, 4096);
		set_gso(skb, SKB_GSO_TCPV4, 1448);
		stand_xmit(skb);
		stand_run();
		stand_rx_post(256 - buffers(), 0);
		stand_run();
		assert_int_equal(stand->n_received, n - 29);
		assert_in_range(stand->last_slots, least, 17);
	}
}

/* One too few: nothing is taken until it is there. */
static void test_too_few_buffers(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 0; i < 3; i++) {
		struct sk_buff *skb = aligned_64k(66);

		set_gso(skb, SKB_GSO_TCPV4, 1448);
		stand_xmit(skb);
	}
	for (i = 1; i <= 3 * 17; i++) {
		stand_rx_post(1, 0);
		stand_run();
		assert_int_equal(stand->n_received, i / 17);
		assert_int_equal(stand->n_rx_slots, i / 17 * 17);
	}
}

static void test_extras(void **state)
{
	struct sk_buff *skb;

	UNUSED(state);
	stand_rx_post(256, 0);
	skb = linear(3000, 0);
	set_gso(skb, SKB_GSO_TCPV4, 1448);
	assert_slots(skb, 1);
	assert_true(stand->last_flags & XEN_NETRXF_extra_info);
	skb = linear(3000, 0);
	set_gso(skb, SKB_GSO_TCPV6, 1428);
	assert_slots(skb, 1);
	/* Kinds that the frontend does not know are no business of this file's. */
	skb = linear(3000, 0);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	assert_slots(skb, 1);
	assert_int_equal(stand->last_flags, XEN_NETRXF_data_validated);
	skb = linear(3000, 0);
	skb->ip_summed = CHECKSUM_NONE;
	assert_slots(skb, 1);
	assert_int_equal(stand->last_flags, 0);
	skb = linear(3000, 0);
	skb->ip_summed = CHECKSUM_PARTIAL;
	assert_slots(skb, 1);
	assert_int_equal(stand->last_flags,
			 XEN_NETRXF_csum_blank | XEN_NETRXF_data_validated);
}

/* Headroom in each slot, and an extra info that says so. */
static void test_headroom(void **state)
{
	struct sk_buff *skb;

	UNUSED(state);
	stand_rx_post(256, 0);
	assert_slots(linear(60, 0), 1);
	assert_slots(linear(3840, 0), 1);
	assert_slots(linear(3841, 0), 2);
	skb = linear(9000, 0);
	set_gso(skb, SKB_GSO_TCPV4, 1448);
	assert_slots(skb, 4);	/* a page does not fit a slot, and is cut */
	/* It is changed between packets. */
	stand->vif.xdp_headroom = 0;
	assert_slots(linear(4096, 0), 1);
	stand->vif.xdp_headroom = 128;
	assert_slots(linear(4096, 0), 2);
}

/* The largest packet with headroom: 18 slots of 3840. */
static void test_headroom_64k(void **state)
{
	u32 round;

	UNUSED(state);
	for (round = 0; round < 50; round++) {
		struct sk_buff *skb = aligned_64k(random_in(14, 2000));

		set_gso(skb, SKB_GSO_TCPV4, 1448);
		stand_rx_post(20 - buffers(), 0);
		stand_xmit(skb);
		stand_run();
		assert_int_equal(stand->n_received, round + 1);
		assert_in_range(stand->last_slots, 17, 18);
	}
}

/* The hash of what has one, between the other extra infos. */
static void test_hash(void **state)
{
	struct sk_buff *skb;
	u32 i;

	UNUSED(state);
	stand_rx_post(256, 0);
	for (i = 0; i < 8; i++) {
		u32 before = stand->n_rx_slots;

		skb = linear(3000, 10);
		memset(skb->data + 12, 0, 20);
		skb->data[12] = 8;
		skb->data[14] = 0x45;
		skb->data[23] = 6;
		if (i & 1)
			set_gso(skb, SKB_GSO_TCPV4, 1448);
		if (i & 2)
			skb->data[12] = 0;	/* no IP */
		stand->vif.xdp_headroom = i & 4 ? 0 : 256;
		assert_slots(skb, 1);
		assert_int_equal(stand->n_rx_slots - before, 1 + (i & 1) + !(i & 2) + !(i & 4));
	}
}

static void test_frag_list(void **state)
{
	u32 round, parts;

	UNUSED(state);
	for (round = 0; round < 300; round++) {
		struct sk_buff *skb = linear(random_in(1, 3000), random_in(0, 300));
		struct sk_buff **next = &skb_shinfo(skb)->frag_list;

		for (parts = random_in(1, 8); parts; parts--) {
			struct sk_buff *part = sim_skb_alloc(random_in(0, 2) ? 0 : random_in(1, 2000),
							     random_in(0, 100));
			u32 i;

			for (i = random_in(1, 5); i; i--)
				sim_skb_add_frag(part, random_in(0, 9000), random_in(1, 1500));
			fill(part);
			*next = part;
			next = &part->next;
			skb->len += part->len;
			skb->data_len += part->len;
			skb->truesize += part->truesize;
		}
		stand_rx_post(20 - buffers(), 0);
		stand_xmit(skb);
		stand_run();
	}
	assert_int_equal(stand->n_received, stand->n_sent);
}

/* A packet with a fragment whose page is flagged as foreign, or has that flag because it
 * is in a cache; then it names no grant.
 */
static void send_flagged(bool cached)
{
	struct sk_buff *skb = linear(200, 100);
	struct page *page;

	sim_skb_add_frag(skb, 77, 3000);
	fill(skb);
	page = skb_frag_page(&skb_shinfo(skb)->frags[0]);
	page->mapping = cached ? skb : NULL;
	page->foreign.domid = SIM_OTHER_DOMID;
	page->foreign.gref = cached ? 0 : sim_page_number(page);
	stand_rx_post(10, 0);
	stand_xmit(skb);
	stand_run();
	assert_int_equal(stand->n_received, 1);
}

/* A page that the host has mapped from another guest is named by its grant. */
static void test_foreign(void **state)
{
	UNUSED(state);
	send_flagged(false);
}

/* What looks like one, but is a page in a cache, is named by its frame. */
static void test_not_foreign(void **state)
{
	UNUSED(state);
	send_flagged(true);
}

static struct sk_buff *random_skb(u32 max)
{
	u32 total = random_in(14, max);
	struct sk_buff *skb = linear(random_in(1, total < 6000 ? total : 6000), random_in(0, 5000));
	u32 n = 0;

	while (skb->len < total && n++ < 17) {
		u32 len = random_in(0, 2) ? random_in(1, 4096) : random_in(1, 9000);

		sim_skb_add_frag(skb, random_in(0, 1) ? 0 : random_in(0, 4095),
				 min(len, total - skb->len));
	}
	fill(skb);
	skb->ip_summed = random_in(0, 3);
	if (skb->len > 200 && random_in(0, 1))
		set_gso(skb, random_in(0, 1) ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6, random_in(50, 1448));
	return skb;
}

/* Packets of all kinds, buffers in dribs and drabs, over the wrap. */
static void test_random(void **state)
{
	u32 round, free, i;

	UNUSED(state);
	for (round = 0; round < 4000; round++) {
		sim.from_task = random_in(0, 1);
		if (stand->queue->rx.bytes < 300000)
			for (i = random_in(0, 4); i; i--)
				stand_xmit(random_skb(random_in(0, 3) ? 2000 : 65535));
		if (random_in(0, 1))
			stand_run();
		free = 256 - buffers();
		stand_rx_post(random_in(0, random_in(0, 2) ? min(free, 20U) : free), 0);
		stand_run();
		sim_advance(1000000);
	}
	for (i = 0; i < 1000; i++) {
		free = 256 - buffers();
		stand_rx_post(free, 0);
		stand_run();
	}
	assert_int_equal(stand->n_received, stand->n_sent);
	assert_true(stand->n_sent > 2000);
	assert_false(sim.irq[config.shared_channel ? 0 : 1].active);
}

/* Buffers that cannot be written: an error in their slots, not in others. */
static void test_copy_error(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 0; i < 300; i++) {
		if (buffers() < 200) {
			stand_rx_post(random_in(1, 3), SIM_FATE_OK);
			stand_rx_post(random_in(1, 3),
				      random_in(0, 1) ? SIM_FATE_ERROR : SIM_FATE_AGAIN);
		}
		stand_xmit(random_skb(4000));
		stand_run();
	}
	assert_int_equal(stand->n_received, 300);
	assert_true(stand->n_rx_errors > 20);
	assert_true(stand_rx_stat(XENVIF_RX_COPY_ERRORS) >= stand->n_rx_errors);
}

static void later_hypercalls_fail(enum sim_point point)
{
	if (point == SIM_POINT_HYPERCALL)
		sim.fail_hypercall = sim.n_hypercalls;
}

/* The hypercall fails: at once, or when a page that was paged out is tried again. */
static void test_hypercall_error(void **state)
{
	UNUSED(state);
	stand_rx_post(1, 0);
	stand_rx_post(1, 3);
	stand_rx_post(100, 0);
	stand_run();
	sim.fail_hypercall = true;
	stand_xmit(linear(100, 0));
	stand_run();
	assert_int_equal(stand->n_received, 1);
	assert_int_equal(stand->n_rx_errors, 1);
	assert_int_equal(stand_rx_stat(XENVIF_RX_COPY_ERRORS), 1);

	sim.fail_hypercall = false;
	sim.n_hypercalls = 0;
	stand->hostile = later_hypercalls_fail;
	stand_xmit(linear(100, 0));
	stand_run();
	stand->hostile = NULL;
	assert_int_equal(stand->n_received, 2);
	assert_int_equal(stand->n_rx_errors, 2);
	assert_int_equal(stand_rx_stat(XENVIF_RX_COPY_ERRORS), 2);
	assert_int_equal(sim.n_hypercalls, 17);

	sim.fail_hypercall = false;
	stand_xmit(linear(100, 0));
	stand_run();
	assert_int_equal(stand->n_received, 3);
	assert_int_equal(stand->n_rx_errors, 2);
}

/* An error stays, although further pieces of the slot are fine: this packet's are
 * more than one hypercall takes, and the first one fails.
 */
static void test_copy_error_stays(void **state)
{
	struct sk_buff *skb = linear(20, 0), **next;
	u32 i, k;

	UNUSED(state);
	next = &skb_shinfo(skb)->frag_list;
	for (i = 0; i < 12; i++) {
		struct sk_buff *part = sim_skb_alloc(0, 0);

		for (k = 0; k < 17; k++)
			sim_skb_add_frag(part, 0, 10);
		fill(part);
		*next = part;
		next = &part->next;
		skb->len += part->len;
		skb->data_len += part->len;
		skb->truesize += part->truesize;
	}
	stand_rx_post(1, 0);
	/* Of its pieces only those of the first hypercall fail. */
	stand->posted[config.rx_start % 256].gref |= SIM_FATE_ERROR << 12;
	stand->rx_ring->ring[config.rx_start % 256].req.gref |= SIM_FATE_ERROR << 12;
	sim.mend_after = 1;
	stand_xmit(skb);
	stand_run();
	assert_int_equal(stand->n_received, 1);
	assert_int_equal(stand->n_rx_errors, 1);
}

/* One interrupt for both directions: it is ended when both are done, once. */
static void test_shared_done(void **state)
{
	struct xenvif_channel *channel = &stand->queue->tx_channel;
	u32 eoi = sim.irq[0].n_eoi, spurious = sim.irq[0].n_spurious, i;

	UNUSED(state);
	for (i = 0; i < 8; i++) {
		bool first = i & 1, second = i & 2;
		u32 side = i & 4 ? XENVIF_OWED_RX : XENVIF_OWED_TX;

		sim.irq[0].active = true;
		atomic_set(&channel->owed, XENVIF_OWED_TX | XENVIF_OWED_RX);
		xenvif_channel_done(channel, side, first);
		assert_int_equal(sim.irq[0].n_eoi, eoi + i);
		xenvif_channel_done(channel, side, true);
		assert_int_equal(sim.irq[0].n_eoi, eoi + i);
		xenvif_channel_done(channel, side ^ (XENVIF_OWED_TX | XENVIF_OWED_RX), second);
		assert_int_equal(sim.irq[0].n_eoi, eoi + i + 1);
		spurious += !first && !second;
		assert_int_equal(sim.irq[0].n_spurious, spurious);
		assert_int_equal(atomic_read(&channel->owed), 0);
	}
}

/* Pages that come back after a while. */
static void test_again(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 1; i <= SIM_FATE_AGAIN_MAX; i++)
		stand_rx_post(2, i);
	for (i = 0; i < 10; i++)
		stand_xmit(linear(5000, 0));
	stand_run();
	assert_int_equal(stand->n_received, 10);
	assert_int_equal(stand->n_rx_errors, 0);
}

/* A thread that is to end does not wait for a page. */
static void stop_thread(enum sim_point point)
{
	if (point == SIM_POINT_HYPERCALL && stand->queue->rx.turn == XENVIF_RX_TURN_THREAD)
		sim.stop = true;
	if (point == SIM_POINT_WMB)
		sim.stop = false;
}

static void test_again_stopped(void **state)
{
	u32 calls;

	UNUSED(state);
	stand_rx_post(2, SIM_FATE_AGAIN);
	stand_run();
	calls = sim.n_hypercalls;
	stand->hostile = stop_thread;
	stand_xmit(linear(100, 0));
	stand_run();
	stand->hostile = NULL;
	/* The poll's, and one more. */
	assert_int_equal(sim.n_hypercalls - calls, 2);
	assert_int_equal(stand->n_rx_errors, 1);
}

/* A burst that fills the backlog before it ends is taken up at once: whoever sends it
 * waits for that.
 */
static void test_burst_full(void **state)
{
	UNUSED(state);
	stand_rx_post(256, 0);
	stand_run();
	sim.xmit_more = true;
	while (!stand->dev.txq.stopped)
		stand_xmit(linear(1000, 0));
	assert_int_equal(stand->n_received, 0);
	stand_run();
	assert_in_range(stand->n_sent, 100, 256);
	assert_int_equal(stand->n_received, stand->n_sent);
	assert_false(stand->dev.txq.stopped);
}

/* The thread does not wait for a burst's every packet. */
static void test_burst(void **state)
{
	u32 i;

	UNUSED(state);
	stand_rx_post(256, 0);
	stand_run();
	sim.n_hypercalls = 0;
	sim.xmit_more = true;
	for (i = 0; i < 31; i++) {
		stand_xmit(linear(1000, 0));
		stand_run();
	}
	assert_int_equal(stand->n_received, 0);
	sim.xmit_more = false;
	stand_xmit(linear(1000, 0));
	stand_run();
	assert_int_equal(stand->n_received, 32);
	assert_int_equal(sim.n_hypercalls, 1);
	assert_int_equal(sim.irq[1].n_notify, 1);
}

/* Packets that are few do not wake the thread; many do. */
static void test_few(void **state)
{
	u32 resumed, i;

	UNUSED(state);
	stand_rx_post(256, 0);
	stand_run();
	resumed = sim.n_resumed;
	for (i = 0; i < 100; i++) {
		stand_xmit(linear(100, 0));
		stand_run();
		assert_int_equal(stand->n_received, i + 1);
	}
	assert_int_equal(sim.n_resumed, resumed);

	sim.xmit_more = true;
	while (stand->queue->rx.bytes <= XENVIF_RX_FEW)
		stand_xmit(linear(1000, 0));
	sim.xmit_more = false;
	stand_xmit(linear(1000, 0));
	stand_run();
	assert_int_equal(stand->n_received, stand->n_sent);
	assert_int_equal(sim.n_resumed, resumed + 1);
}

/* A program that sends one sends it off itself, unless somebody else is at it. */
static void test_few_program(void **state)
{
	struct xenvif_queue_rx *rx = &stand->queue->rx;
	struct napi_struct *napi = &stand->queue->tx.napi;
	u32 resumed, i;

	UNUSED(state);
	stand_rx_post(256, 0);
	stand_run();
	resumed = sim.n_resumed;
	sim.from_task = true;
	for (i = 0; i < 10; i++) {
		stand_xmit(linear(100, 0));
		assert_false(napi->scheduled);
		assert_int_equal(skb_queue_len(&rx->backlog), 0);
		stand_run();
		assert_int_equal(stand->n_received, i + 1);
	}

	/* All of a burst at its end. */
	sim.xmit_more = true;
	for (i = 0; i < 5; i++)
		stand_xmit(linear(100, 0));
	assert_int_equal(skb_queue_len(&rx->backlog), 5);
	sim.xmit_more = false;
	sim.n_hypercalls = 0;
	stand_xmit(linear(100, 0));
	assert_int_equal(skb_queue_len(&rx->backlog), 0);
	assert_int_equal(sim.n_hypercalls, 1);

	/* A poll that goes on may have looked already: it comes again. */
	rx->turn = XENVIF_RX_TURN_POLL;
	stand_xmit(linear(100, 0));
	assert_int_equal(skb_queue_len(&rx->backlog), 1);
	assert_true(napi->scheduled);
	rx->turn = XENVIF_RX_TURN_NONE;
	stand_run();

	/* A thread of the kernel's may have more, its own or one that works for a program. */
	for (i = 0; i < 2; i++) {
		sim_sender.flags = i ? PF_USER_WORKER : PF_KTHREAD;
		stand_xmit(linear(100, 0));
		assert_int_equal(skb_queue_len(&rx->backlog), 1);
		assert_true(napi->scheduled);
		sim_sender.flags = 0;
		stand_run();
	}
	assert_int_equal(stand->n_received, stand->n_sent);
	assert_int_equal(sim.n_resumed, resumed);

	/* Nothing is done with a ring that was broken. */
	stand->honest = false;
	xenvif_fatal(&stand->vif, "test");
	sim.n_hypercalls = 0;
	stand_xmit(linear(100, 0));
	assert_int_equal(sim.n_hypercalls, 0);
	assert_int_equal(skb_queue_len(&rx->backlog), 1);
}

/* ... unless there is something to wait for: copies, */
static void test_few_again(void **state)
{
	u32 resumed;

	UNUSED(state);
	/* The error's slot comes first, and is counted once. */
	stand_rx_post(1, SIM_FATE_ERROR);
	stand_rx_post(2, 3);
	stand_rx_post(100, 0);
	stand_run();
	resumed = sim.n_resumed;
	stand_xmit(linear(3 * 4096, 0));
	stand_run();
	assert_int_equal(sim.n_resumed, resumed + 1);
	assert_int_equal(stand->n_received, 1);
	assert_int_equal(stand->n_rx_errors, 1);
	assert_int_equal(stand_rx_stat(XENVIF_RX_COPY_ERRORS), 1);
	/* The thread has given its turn back. */
	stand_xmit(linear(100, 0));
	stand_run();
	assert_int_equal(sim.n_resumed, resumed + 1);
	assert_int_equal(stand->n_received, 2);
}

/* ... or buffers; then more packets are no reason to wake it again. */
static void test_few_buffers_late(void **state)
{
	u32 resumed, i;

	UNUSED(state);
	resumed = sim.n_resumed;
	for (i = 0; i < 20; i++) {
		stand_xmit(linear(100, 0));
		stand_run();
	}
	assert_int_equal(sim.n_resumed, resumed + 1);
	assert_int_equal(stand->n_received, 0);
	stand_rx_post(21, 0);
	stand_run();
	assert_int_equal(stand->n_received, 20);
	resumed = sim.n_resumed;
	stand_xmit(linear(100, 0));
	stand_run();
	assert_int_equal(stand->n_received, 21);
	assert_int_equal(sim.n_resumed, resumed);
}

/* n packets from the host's softirq, to a guest that waits for an event. Whether the
 * thread had to be woken for them.
 */
static bool is_left(u32 n)
{
	u32 resumed = sim.n_resumed;

	stand->rx_ring->rsp_event = stand->rx_ring->rsp_prod + 1;
	while (n--)
		stand_xmit(linear(100, 0));
	stand_run();
	assert_int_equal(stand->n_received, stand->n_sent);
	return sim.n_resumed != resumed;
}

/* Each of a stream of packets would be an event: the thread gathers them, for a while. */
static void test_gather(void **state)
{
	u32 i;

	UNUSED(state);
	stand_rx_post(200, 0);
	stand_run();
	assert_false(is_left(1));
	assert_false(is_left(2));
	for (i = 0; i < 10; i++)
		assert_true(is_left(i + 1));

	/* A program need not wait for that. */
	sim.from_task = true;
	assert_false(is_left(1));
	sim.from_task = false;
	assert_true(is_left(1));

	/* It is tried again then. */
	for (i = 0; i < 3; i++) {
		sim.ticks += XENVIF_RX_GATHER;
		assert_false(is_left(1));
	}
}

/* Not where the guest says something in between, where there is much for an event, where
 * it does not ask for one, or where they are a program's.
 */
static void test_gather_not(void **state)
{
	u32 i;

	UNUSED(state);
	stand_rx_post(250, 0);
	stand_run();
	for (i = 0; i < 10; i++) {
		assert_false(is_left(1));
		stand_tx_request(SIM_GREF(1, 0), 0, 60, 0, 0);
		stand_tx_push();
		stand_run();
	}
	for (i = 0; i < 5; i++)
		assert_false(is_left(XENVIF_RX_BURST));
	sim.ticks++;
	for (i = 0; i < 10; i++) {
		stand_xmit(linear(100, 0));
		stand_run();
	}
	sim.from_task = true;
	for (i = 0; i < 10; i++)
		assert_false(is_left(1));
	sim.from_task = false;
	assert_false(is_left(1));
}

/* The guest posts a buffer just when it is asked for an event, and has not seen that. */
static void post_unseen(enum sim_point point)
{
	RING_IDX event = stand->rx_ring->req_event;

	if (point != SIM_POINT_MB || stand->rx.req_prod_pvt != event - 1)
		return;
	stand->hostile = NULL;
	stand->rx_ring->req_event = stand->rx.req_prod_pvt;
	stand_rx_post(1, 0);
	stand->rx_ring->req_event = event;
}

/* It is one too few: the next one has an event. */
static void test_buffers_unseen(void **state)
{
	u32 n;

	UNUSED(state);
	for (n = 0; n < 20; n++) {
		stand_rx_post(1, 0);
		stand_run();
		stand->hostile = post_unseen;
		stand_xmit(linear(3 * 4096, 0));
		stand_run();
		assert_null(stand->hostile);
		assert_int_equal(stand->n_received, n);
		stand_rx_post(1, 0);
		stand_run();
		assert_int_equal(stand->n_received, n + 1);
	}
}

/* What the guest does not want wakes nobody. */
static void test_unfit_sleeps(void **state)
{
	u32 resumed;

	UNUSED(state);
	stand_rx_post(100, 0);
	stand_run();
	resumed = sim.n_resumed;
	stand_xmit(linear(80000, 0));
	stand_run();
	assert_int_equal(stand->n_received, 0);
	assert_int_equal(sim.n_resumed, resumed);
}

/* A barrier and a look, and none since. */
static enum { NO_LOOK, ASKED, LOOKED } look;

static void follow_look(enum sim_point point)
{
	if (point == SIM_POINT_MB)
		look = ASKED;
	else
		look = look == ASKED && point == SIM_POINT_READ ? LOOKED : NO_LOOK;
}

static void send_behind_look(const atomic_t *v)
{
	if (look != LOOKED || v != &stand->queue->tx_channel.owed)
		return;
	stand->hostile = NULL;
	sim_atomic_hook = NULL;
	stand_tx_request(SIM_GREF(1, 0), 0, 60, 0, 7);
	assert_true(stand_tx_push());
	assert_true(sim_interrupt(0));
}

/* The guest sends just when a poll for the host's packet has looked for the last time. Its
 * event is for something, and that is found.
 */
static void test_event_behind_look(void **state)
{
	u32 i;

	UNUSED(state);
	stand_rx_post(100, 0);
	stand_run();
	for (i = 0; i < 20; i++) {
		look = NO_LOOK;
		stand->hostile = follow_look;
		sim_atomic_hook = send_behind_look;
		stand_xmit(linear(100, 0));
		stand_run();
		assert_null(sim_atomic_hook);
		assert_int_equal(stand->n_delivered, i + 1);
		assert_int_equal(sim.irq[0].n_spurious, 0);
	}
}

/* The poll that is there for the host's packet takes the guest's along. The event for
 * that comes later, and is not the guest's fault.
 */
static void test_few_event_late(void **state)
{
	u32 i;

	UNUSED(state);
	stand_rx_post(100, 0);
	stand_run();
	for (i = 0; i < 20; i++) {
		stand_tx_request(SIM_GREF(1, 0), 0, 60, 0, i);
		assert_true(stand_tx_push());
		stand_xmit(linear(100, 0));
		/* The interrupt is the last to be noticed. */
		sim.irq[0].enabled = false;
		stand_run();
		sim.irq[0].enabled = true;
		assert_int_equal(stand->n_delivered, i + 1);
		stand_run();
	}
	assert_int_equal(stand->n_received, 20);
	assert_int_equal(sim.irq[0].n_spurious, 0);
}

/* Nor is it if the poll found no credit for all of it. */
static void test_few_event_throttled(void **state)
{
	u32 i;

	UNUSED(state);
	stand_rx_post(10, 0);
	stand_run();
	xenvif_credit_set(&stand->vif.credit, 1000, 1000000, sim.now);
	for (i = 0; i < 3; i++)
		stand_tx_request(SIM_GREF(1, 0), 0, 600, 0, i);
	assert_true(stand_tx_push());
	stand_xmit(linear(100, 0));
	sim.irq[0].enabled = false;
	stand_run();
	assert_true(stand->queue->tx.throttle.armed);
	sim.irq[0].enabled = true;
	stand_run();
	assert_int_equal(sim.irq[0].n_spurious, 0);
	sim_advance(3000000000ULL);
	stand_run();
	assert_int_equal(stand->n_delivered, 3);
}

/* A guest that takes nothing: the backlog is bounded, its packets grow old. */
static void test_no_buffers(void **state)
{
	u32 i, sent;

	UNUSED(state);
	for (i = 0; i < 2000 && !stand->dev.txq.stopped; i++) {
		stand_xmit(linear(9000, 0));
		stand_run();
	}
	assert_true(stand->dev.txq.stopped);
	assert_in_range(stand->queue->rx.bytes, XENVIF_RX_BACKLOG_MAX,
			XENVIF_RX_BACKLOG_MAX + 20000);
	/* One that comes all the same is dropped. */
	sent = stand->n_sent;
	stand_xmit(linear(9000, 0));
	assert_int_equal(stand->n_sent, sent);
	assert_int_equal(stand->vif.stats[0].xmit[XENVIF_XMIT_DROP_FULL].v, 1);

	sim_advance(9999000000ULL);
	stand_run();
	assert_true(stand->queue->rx.bytes);
	sim_advance(2000000);
	stand_run();
	assert_int_equal(stand->queue->rx.bytes, 0);
	assert_false(stand->dev.txq.stopped);
	assert_int_equal(stand_rx_stat(XENVIF_RX_DROP_EXPIRED), sent);
	/* And all is well again. */
	stand_rx_post(10, 0);
	stand_xmit(linear(100, 0));
	stand_run();
	assert_int_equal(stand->n_received, 1);
}

static void test_stall(void **state)
{
	UNUSED(state);
	stand_xmit(linear(100, 0));
	stand_run();
	sim_advance(2999000000ULL);
	stand_run();
	assert_int_equal(stand->n_stalls, 0);
	sim_advance(2000000);
	stand_run();
	assert_int_equal(stand->n_stalls, 1);
	/* Counted at once, not when something happens again. */
	assert_int_equal(stand_rx_stat(XENVIF_RX_STALLS), 1);
	assert_true(stand->queue->rx.stalled);
	stand_xmit(linear(100, 0));
	assert_int_equal(stand->vif.stats[0].xmit[XENVIF_XMIT_DROP_STALLED].v, 1);
	stand_run();
	/* More buffers than packets, and it is over. */
	stand_rx_post(2, 0);
	stand_run();
	assert_false(stand->queue->rx.stalled);
	assert_int_equal(stand->n_received, 1);
	stand_rx_post(1, 0);
	stand_xmit(linear(100, 0));
	stand_run();
	assert_int_equal(stand->n_received, 2);
}

/* No later for the packet that waited having been dropped meanwhile. */
static void test_stall_expired(void **state)
{
	UNUSED(state);
	stand->vif.rx_drain_timeout = 1000;
	stand_xmit(linear(100, 0));
	stand_run();
	sim_advance(1001000000ULL);
	stand_run();
	assert_int_equal(stand_rx_stat(XENVIF_RX_DROP_EXPIRED), 1);
	sim_advance(1998000000ULL);
	stand_run();
	assert_int_equal(stand->n_stalls, 0);
	sim_advance(2000000);
	stand_run();
	assert_int_equal(stand->n_stalls, 1);
	assert_int_equal(stand_rx_stat(XENVIF_RX_STALLS), 1);
	stand_rx_post(1, 0);
	stand_run();
	assert_false(stand->queue->rx.stalled);
}

/* One that was let pass just before the queue stalled does not wait for ever. */
static void test_stall_late(void **state)
{
	struct xenvif_queue_rx *rx = &stand->queue->rx;

	UNUSED(state);
	stand->vif.rx_drain_timeout = 1500;
	stand_xmit(linear(100, 0));
	stand_run();
	sim_advance(1501000000ULL);
	stand_run();
	sim_advance(1500000000ULL);
	stand_run();
	assert_true(rx->stalled);
	assert_int_equal(stand_rx_stat(XENVIF_RX_DROP_EXPIRED), 1);
	rx->stalled = false;
	stand_xmit(linear(100, 0));
	rx->stalled = true;
	stand_run();
	sim_advance(1501000000ULL);
	stand_run();
	sim_advance(1501000000ULL);
	stand_run();
	assert_int_equal(stand_rx_stat(XENVIF_RX_DROP_EXPIRED), 2);
}

/* Longer than any frontend takes. */
static struct sk_buff *unfit_skb(void)
{
	struct sk_buff *skb = linear(6000, 0);

	while (skb->len + 8192 < 72000)
		sim_skb_add_frag(skb, 0, 8192);
	return skb;
}

static void test_unfit(void **state)
{
	UNUSED(state);
	stand_xmit(unfit_skb());
	assert_int_equal(stand->vif.stats[0].xmit[XENVIF_XMIT_DROP_UNFIT].v, 1);
	assert_int_equal(stand->queue->rx.bytes, 0);
}

static void assert_unfit(struct sk_buff *skb, bool unfit)
{
	u64_stats_t *drops = &stand->vif.stats[0].xmit[XENVIF_XMIT_DROP_UNFIT];
	u32 sent = stand->n_sent, before = drops->v;

	stand_xmit(skb);
	assert_int_equal(drops->v, before + unfit);
	assert_int_equal(stand->n_sent, sent + !unfit);
	stand_run();
	assert_int_equal(stand->n_received, stand->n_sent);
}

/* What the stack had made ready for the frontend before this one. */
static void test_unfit_kinds(void **state)
{
	static const u32 types[] = { SKB_GSO_TCPV4, SKB_GSO_TCPV6, 1 << 5 /* of UDP */ };
	struct sk_buff *skb;
	u32 takes, i;

	UNUSED(state);
	stand_rx_post(256, 0);
	for (takes = 0; takes < 4; takes++) {
		stand->vif.frontend.gso_tcpv4 = takes & 1;
		stand->vif.frontend.gso_tcpv6 = takes & 2;
		for (i = 0; i < ARRAY_SIZE(types); i++) {
			skb = linear(3000, 0);
			set_gso(skb, types[i], 1448);
			assert_unfit(skb, i == 2 || !(takes & (1 << i)));
		}
		assert_unfit(linear(3000, 0), false);
	}
	/* One slot, and headroom may come yet. */
	stand->vif.frontend.sg = false;
	assert_unfit(linear(4096 - 256, 0), false);
	assert_int_equal(stand->last_slots, 1);
	assert_unfit(linear(4096 - 255, 0), true);
}

/* A packet whose checksum is to be filled in. */
static struct sk_buff *unfilled(bool v6)
{
	struct sk_buff *skb = linear(3000, 0);

	skb->protocol = htons(v6 ? ETH_P_IPV6 : ETH_P_IP);
	skb->ip_summed = CHECKSUM_PARTIAL;
	return skb;
}

/* Checksums that the frontend before this one would have filled in. */
static void test_unfit_csum(void **state)
{
	struct sk_buff *skb;
	u32 takes, v6;

	UNUSED(state);
	stand_rx_post(256, 0);
	for (takes = 0; takes < 4; takes++) {
		stand->vif.frontend.ip_csum = takes & 1;
		stand->vif.frontend.ipv6_csum = takes & 2;
		for (v6 = 0; v6 <= 1; v6++) {
			bool fills = takes & (1 << v6);

			assert_unfit(unfilled(v6), false);
			assert_int_equal(!!(stand->last_flags & XEN_NETRXF_csum_blank), fills);
			/* Nobody fills in each segment's. */
			skb = unfilled(v6);
			set_gso(skb, v6 ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4, 1448);
			assert_unfit(skb, !fills);
		}
	}
	stand->vif.frontend.ip_csum = false;
	skb = unfilled(false);
	sim.fail_alloc_in = 1;
	assert_unfit(skb, true);
	sim.fail_alloc_in = 0;
}

static void mcast_queue(const u8 *addr)
{
	struct sk_buff *skb = linear(100, 0);

	memcpy(skb->data, addr, ETH_ALEN);
	stand_xmit(skb);
}

static void mcast_xmit(const u8 *addr, bool filtered)
{
	u64_stats_t *drops = &stand->vif.stats[0].xmit[XENVIF_XMIT_DROP_FILTERED];
	u32 before = drops->v;

	mcast_queue(addr);
	assert_int_equal(drops->v, before + filtered);
	stand_run();
	assert_int_equal(stand->n_received, stand->n_sent);
}

/* Groups that the guest has not asked for are kept from it, if it wants that. */
static void test_filter(void **state)
{
	static const u8 asked[] = { 0x33, 0x33, 0, 0, 0, 1 }, other[] = { 0x33, 0x33, 0, 0, 0, 2 },
			all[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
			nearly[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe },
			one[] = { 0x32, 0x33, 0, 0, 0, 2 };
	u32 on;

	UNUSED(state);
	stand_rx_post(20, 0);
	assert_true(xenvif_mcast_add(&stand->vif.mcast, asked));
	for (on = 0; on <= 1; on++) {
		stand->vif.mcast_control = on;
		mcast_xmit(asked, false);
		mcast_xmit(other, on);
		mcast_xmit(all, false);
		mcast_xmit(nearly, on);
		mcast_xmit(one, false);
	}
	assert_int_equal(stand->n_received, 8);

	/* The last of a burst: the others do not wait for the next one. */
	sim.xmit_more = true;
	mcast_queue(one);
	sim.xmit_more = false;
	mcast_xmit(other, true);
	assert_int_equal(stand->n_received, 9);
}

/* A fatal error of whichever ring, while there was nothing to send: packets that come
 * yet wake nobody.
 */
static void test_fatal_idle(void **state)
{
	u32 calls, resumed;

	UNUSED(state);
	stand_rx_post(4, 0);
	stand_run();
	stand->honest = false;
	set_bit(XENVIF_FLAG_FATAL, &stand->vif.flags);
	xenvif_queue_kick(stand->queue);
	stand_run();
	calls = sim.n_hypercalls;
	resumed = sim.n_resumed;
	stand_xmit(linear(100, 0));
	assert_false(stand->queue->tx.napi.scheduled);
	stand_run();
	assert_int_equal(sim.n_hypercalls, calls);
	assert_int_equal(sim.n_resumed, resumed);
	assert_int_equal(stand->n_rx_slots, 0);
}

static void test_corrupt_index(void **state)
{
	UNUSED(state);
	stand_rx_post(4, 0);
	stand_xmit(linear(100, 0));
	stand_run();
	stand->rx_ring->req_prod += 254;
	stand->honest = false;
	stand_xmit(linear(100, 0));
	stand_run();
	assert_int_equal(stand->n_fatal, 1);
	sim_advance(100000000000ULL);
	stand_xmit(linear(100, 0));
	stand_run();
	assert_int_equal(stand->n_fatal, 1);
	/* Whoever wakes the thread: it sleeps on, until it is stopped. */
	xenvif_queue_kick(stand->queue);
	stand_run();
	assert_int_equal(stand->n_fatal, 1);
}

/* Events without buffers are spurious, and no more than one is let through. */
static void test_idle_events(void **state)
{
	u32 i, eoi = sim.irq[1].n_eoi;

	UNUSED(state);
	for (i = 0; i < 100; i++) {
		sim_event(1);
		stand_run();
	}
	assert_int_equal(sim.irq[1].n_eoi, eoi + 100);
	assert_true(sim.irq[1].n_spurious >= 99);
	assert_int_equal(sim.n_hypercalls, 0);
}

/* The guest posts buffers and raises an event; before that is looked at it has posted
 * more, and raises another. Neither is spurious, and a third one is.
 */
static void test_late_event(void **state)
{
	u32 i, spurious;

	UNUSED(state);
	/* The connection's own. */
	sim_event(1);
	stand_run();
	spurious = sim.irq[1].n_spurious;
	for (i = 0; i < 20; i++) {
		/* As if half of them came after the event. */
		stand_rx_post(4, 0);
		sim_event(1);
		stand_run();
		sim_event(1);
		stand_run();
		assert_int_equal(sim.irq[1].n_spurious, spurious);
	}
	sim_event(1);
	stand_run();
	assert_int_equal(sim.irq[1].n_spurious, spurious + 1);
}

/* What still waits when the connection ends is counted and freed. */
static void test_purge(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 0; i < 10; i++)
		stand_xmit(random_skb(10000));
	stand_run();
}

/* So does a packet whose page the poll has left to the thread to wait for. */
static void test_purge_done(void **state)
{
	struct napi_struct *napi = &stand->queue->tx.napi;

	UNUSED(state);
	stand_rx_post(4, SIM_FATE_AGAIN);
	stand_run();
	stand_xmit(linear(100, 0));
	assert_true(napi->scheduled);
	sim.atomic++;
	napi->poll(napi, NAPI_POLL_WEIGHT);
	sim.atomic--;
	assert_false(skb_queue_empty(&stand->queue->rx.done));
	xenvif_queues_lower(stand->queues);
	assert_int_equal(sim.n_skbs, 0);
	assert_int_equal(stand->n_rx_slots, 0);
}

/* A packet that comes when the thread has just seen that there is none. */
static u32 late_packets;

static void xmit_late(void)
{
	const struct xenvif_queue_rx *rx = &stand->queue->rx;

	if (!late_packets || rx->turn != XENVIF_RX_TURN_THREAD || !rx->wait.sleeping ||
	    !skb_queue_empty(&rx->backlog))
		return;
	late_packets--;
	stand_xmit(linear(100, 0));
}

static void test_late_packet(void **state)
{
	u32 i;

	UNUSED(state);
	stand_rx_post(256, 0);
	stand_run();
	for (i = 0; i < 10; i++) {
		late_packets = i + 1;
		sim.on_look = xmit_late;
		/* Nothing to do: it looks, and sleeps again. */
		xenvif_queue_kick(stand->queue);
		stand_run();
		sim.on_look = NULL;
		assert_int_equal(late_packets, 0);
		assert_int_equal(stand->n_received, stand->n_sent);
	}
	assert_int_equal(stand->n_received, 55);
}

/* A sender that heeds the stack's limit of bytes under way is let go on, whatever
 * becomes of its packets: delivered, expired, the last of a burst refused. The stand
 * compares what the stack is told with what there is.
 */
static void test_byte_limit(void **state)
{
	u32 round, sent = 0;

	UNUSED(state);
	sim.bql_limit = 20000;
	for (round = 0; round < 300; round++) {
		u32 burst = random_in(1, 8);

		bool starved = round % 20 > 16;

		/* Now and then the guest has no buffers until the packets expire. */
		while (!starved && buffers() < 30)
			stand_rx_post(1, 0);
		while (burst-- && !stand->dev.txq.full) {
			sim.xmit_more = burst;
			stand_xmit(random_skb(6000));
			sent++;
		}
		if (sim.xmit_more) {
			/* The rest of the burst is refused. */
			sim.xmit_more = false;
			stand_xmit(unfit_skb());
		}
		stand_run();
		if (starved) {
			sim_advance(11000000000ULL);
			stand_run();
		}
		assert_false(stand->dev.txq.full);
	}
	assert_true(stand->n_received > 500);
	assert_true(stand_rx_stat(XENVIF_RX_DROP_EXPIRED) > 10);
	assert_int_equal(stand->n_sent, sent);
}

/* A packet whose checksum is to be filled in at start + offset, with an IP header at
 * 14; start counts from there.
 */
static bool fits(const u8 *ip, u32 ip_len, u16 proto, u32 start, u32 offset)
{
	struct sk_buff *skb = linear(200, 64);
	bool fits;

	memcpy(skb->data + 14, ip, ip_len);
	skb->protocol = htons(proto);
	skb->network_header = skb->data - skb->head + 14;
	skb->csum_start = skb->network_header + start;
	skb->csum_offset = offset;
	skb->ip_summed = CHECKSUM_PARTIAL;
	fits = xenvif_rx_csum_fits(skb);
	sim_skb_free(skb);
	return fits;
}

/* Only checksums that a frontend finds by itself are left to it. */
static void test_csum_fits(void **state)
{
	u8 v4[60] = { [0] = 0x45, [9] = 6 }, v6[40] = { [0] = 0x60, [6] = 6 };
	struct sk_buff *skb;

	UNUSED(state);
	assert_true(fits(v4, 60, ETH_P_IP, 20, 16));
	assert_false(fits(v4, 60, ETH_P_IP, 20, 6));	/* not TCP's */
	assert_false(fits(v4, 60, ETH_P_IP, 24, 16));	/* not behind the header */
	assert_false(fits(v4, 60, ETH_P_IPV6, 20, 16));
	assert_false(fits(v4, 60, 0x8847, 20, 16));
	v4[9] = 17;
	assert_true(fits(v4, 60, ETH_P_IP, 20, 6));
	assert_false(fits(v4, 60, ETH_P_IP, 20, 16));
	v4[9] = 136;					/* UDP-Lite */
	assert_false(fits(v4, 60, ETH_P_IP, 20, 6));
	v4[9] = 132;					/* SCTP */
	assert_false(fits(v4, 60, ETH_P_IP, 20, 8));
	v4[9] = 6;
	v4[0] = 0x4F;					/* options */
	assert_true(fits(v4, 60, ETH_P_IP, 60, 16));
	v4[0] = 0x45;
	v4[6] = 0x40;					/* not to be cut */
	assert_true(fits(v4, 60, ETH_P_IP, 20, 16));
	v4[6] = 0x20;					/* a first fragment */
	assert_false(fits(v4, 60, ETH_P_IP, 20, 16));
	v4[6] = 0;
	v4[7] = 1;					/* a later one */
	assert_false(fits(v4, 60, ETH_P_IP, 20, 16));

	assert_true(fits(v6, 40, ETH_P_IPV6, 40, 16));
	v6[6] = 17;
	assert_true(fits(v6, 40, ETH_P_IPV6, 40, 6));
	v6[6] = 60;					/* options before it */
	assert_false(fits(v6, 40, ETH_P_IPV6, 48, 6));
	v6[6] = 41;					/* a tunnel */
	assert_false(fits(v6, 40, ETH_P_IPV6, 80, 16));

	/* Headers that are not all there. */
	skb = linear(30, 0);
	skb->protocol = htons(ETH_P_IP);
	skb->network_header = skb->data - skb->head + 14;
	assert_false(xenvif_rx_csum_fits(skb));
	skb->protocol = htons(ETH_P_IPV6);
	assert_false(xenvif_rx_csum_fits(skb));
	sim_skb_free(skb);
}

int main(void)
{
#define STAND_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		STAND_TEST(test_one),
		STAND_TEST(test_linear),
		STAND_TEST(test_few_ops),
		STAND_TEST(test_few_buffers),
		STAND_TEST(test_many_pieces),
		STAND_TEST(test_too_few_buffers),
		STAND_TEST(test_extras),
		cmocka_unit_test_setup_teardown(test_headroom, setup_headroom, teardown),
		cmocka_unit_test_setup_teardown(test_headroom_64k, setup_headroom, teardown),
		cmocka_unit_test_setup_teardown(test_hash, setup_hash, teardown),
		STAND_TEST(test_frag_list),
		STAND_TEST(test_foreign),
		STAND_TEST(test_not_foreign),
		cmocka_unit_test_setup_teardown(test_random, setup_wrap, teardown),
		{ "test_random_shared_channel", test_random, setup_shared, teardown, NULL },
		{ "test_random_headroom", test_random, setup_headroom, teardown, NULL },
		{ "test_random_hash", test_random, setup_hash, teardown, NULL },
		STAND_TEST(test_hypercall_error),
		STAND_TEST(test_copy_error),
		STAND_TEST(test_copy_error_stays),
		cmocka_unit_test_setup_teardown(test_shared_done, setup_shared, teardown),
		STAND_TEST(test_again),
		STAND_TEST(test_again_stopped),
		STAND_TEST(test_few),
		STAND_TEST(test_few_program),
		STAND_TEST(test_few_again),
		STAND_TEST(test_few_buffers_late),
		STAND_TEST(test_event_behind_look),
		STAND_TEST(test_few_event_late),
		STAND_TEST(test_few_event_throttled),
		STAND_TEST(test_gather),
		STAND_TEST(test_buffers_unseen),
		STAND_TEST(test_unfit_sleeps),
		STAND_TEST(test_gather_not),
		STAND_TEST(test_burst),
		STAND_TEST(test_burst_full),
		STAND_TEST(test_no_buffers),
		cmocka_unit_test_setup_teardown(test_stall, setup_stall, teardown),
		cmocka_unit_test_setup_teardown(test_stall_expired, setup_stall, teardown),
		cmocka_unit_test_setup_teardown(test_stall_late, setup_stall, teardown),
		STAND_TEST(test_unfit),
		STAND_TEST(test_unfit_kinds),
		STAND_TEST(test_unfit_csum),
		STAND_TEST(test_filter),
		STAND_TEST(test_fatal_idle),
		STAND_TEST(test_corrupt_index),
		STAND_TEST(test_idle_events),
		STAND_TEST(test_late_event),
		STAND_TEST(test_purge),
		STAND_TEST(test_purge_done),
		STAND_TEST(test_late_packet),
		STAND_TEST(test_byte_limit),
		STAND_TEST(test_csum_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
