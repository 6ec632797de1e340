// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Lies in the tx ring: indices, slots, extra infos, headers, grants. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include "cases.h"

#define BAD_GREF	0x00FFFFFF
#define LEN(a)		(sizeof(a) / sizeof(*(a)))

static uint8_t frame[FRAME_MAX];

static void start(struct front *f)
{
	front_connect(f, &conf_default);
	alive(f);
}

static void slot(struct queue *q, uint16_t id, uint16_t flags, uint16_t offset, uint16_t size)
{
	tx_put(q, (netif_tx_request_t){ .gref = q->tx[0].gref, .id = id, .flags = flags,
					.offset = offset, .size = size });
}

static void force_tx(struct queue *q, uint32_t prod)
{
	__sync_synchronize();
	q->txs->req_prod = prod;
	__sync_synchronize();
	port_kick(q->tx_port);
}

/* ---- B1: indices and ring pages ---- */

static const uint32_t jumps[] = { RING + 1, 1u << 31, ~0u };

static void b1_1_tx(struct front *f)
{
	for (uint32_t i = 0; i < LEN(jumps); i++) {
		start(f);
		force_tx(&f->q[0], f->q[0].tx_cons + jumps[i]);
		broken(f);
	}
}

static void b1_1_rx(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_RAW, 100, 1, true);

	for (uint32_t i = 0; i < LEN(jumps); i++) {
		start(f);
		f->q[0].rxs->req_prod = f->q[0].rxs->rsp_prod + jumps[i];
		peer_send(f, &spec, 1, 0);
		broken(f);
	}
}

static void b1_1_ctrl(struct front *f)
{
	const uint32_t by[] = { CTRL_RING + 1, 20000003, 1u << 31, ~0u };
	struct conf c = conf_default;

	c.ctrl = true;
	for (uint32_t i = 0; i < LEN(by); i++) {
		front_connect(f, &c);
		alive(f);
		f->ctrl_prod = f->ctrl_cons + by[i];
		ctrl_push(f);
		broken(f);
	}
}

/* What was seen once is what counts. */
static void b1_3(struct front *f)
{
	struct queue *q = &f->q[0];
	uint32_t first;
	uint64_t end;

	start(f);
	first = q->tx_prod;
	slot(q, 100, NETTXF_more_data, 0, 200);
	force_tx(q, q->tx_prod);
	/* It rests when it asks for an event. */
	for (end = now_ms() + COMES; q->txs->req_event != first + 2; usleep(1000))
		need(now_ms() < end, "L: the slot is not looked at");
	force_tx(q, first);
	q->txs->ring[first % RING].req.id = 200;
	q->txs->ring[first % RING].req.flags = 0;
	q->tx_led[first % RING].own = true;
	slot(q, 101, 0, 0, 100);
	force_tx(q, q->tx_prod);
	need(tx_wait(q, COMES), "L: no answer");
	need(q->txs->ring[first % RING].rsp.id == 100, "what was seen once is read again");
	need(tx_status(q, 0) == NETIF_RSP_OKAY, "answered %d", tx_status(q, 0));
	alive(f);
}

/* Any of these at any time; one of them may break the connection. */
static void b1_4(struct front *f)
{
	const uint32_t by[] = { 0, 1, 256, 300 };
	struct conf c = conf_default;
	uint64_t end;

	c.ctrl = true;
	for (int ring = 0; ring < 3; ring++) {
		front_connect(f, &c);
		alive(f);
		for (end = now_ms() + 1500; now_ms() < end;) {
			struct queue *q = &f->q[0];

			if (ring == 0)
				force_tx(q, q->txs->rsp_prod + by[rnd(4)]);
			else if (ring == 1)
				q->rxs->req_prod = q->rxs->rsp_prod + by[rnd(4)];
			else
				f->ctrls->req_prod = f->ctrls->rsp_prod + by[rnd(4)] / 2;
			port_try_kick(ring == 2 ? f->ctrl_port : q->rx_port);
		}
		again(f);
		front_end(f);
	}
}

static void twist_ahead(struct front *f)
{
	for (int i = 0; i < 16; i++)
		slot(&f->q[0], i, 0, 0, 0);
	f->q[0].txs->req_prod = f->q[0].tx_prod;
}

static void b1_5(struct front *f)
{
	struct conf c = conf_default;
	struct tx_frame t = plain(frame, FRAME_RAW, 80, 1);
	struct queue *q = &f->q[0];

	c.tx_start = 0xFFFFFFF0 - 16;
	c.rx_start = 0xFFFFFFF0;
	need(front_try(f, &c, twist_ahead), "no connection");
	need(tx_wait(q, COMES), "L: what was posted before is not answered");
	for (int i = 0; i < 16; i++)
		need(tx_status(q, i) == NETIF_RSP_ERROR, "an empty slot is answered %d",
		     tx_status(q, i));
	for (int i = 0; i < 2000; i++) {
		if (!tx_free(q))
			need(tx_wait(q, COMES), "L: frames are not answered");
		tx_frame(q, &t);
		if (i % 8 == 7)
			tx_push(q);
	}
	need(tx_wait(q, COMES), "L: frames are not answered");
	send_checked(q, &t);
	alive(f);
}

static uint32_t twist_by;
static void twist_tx(struct front *f) { f->q[0].txs->req_prod += twist_by; }
static void twist_rx(struct front *f) { f->q[0].rxs->req_prod += twist_by; }

static void b1_6(struct front *f)
{
	twist_by = RING + 1;
	no_connect(f, &conf_default, twist_tx);
	no_connect(f, &conf_default, twist_rx);
	twist_by = 1u << 31;
	no_connect(f, &conf_default, twist_tx);
	no_connect(f, &conf_default, twist_rx);
	wait_out();
	again(f);
}

static void b1_7(struct front *f)
{
	struct tx_frame t = plain(frame, FRAME_UDP4, 300, 1);
	struct queue *q = &f->q[0];
	uint32_t rsp;

	start(f);
	for (int i = 0; i < 500; i++) {
		rsp = q->tx_cons;
		tx_frame(q, &t);
		q->txs->rsp_prod = rnd(0x7FFFFFFF);
		q->txs->req_event = rnd(0x7FFFFFFF);
		memset(q->txs->__pad, rnd(256), sizeof(q->txs->__pad));
		q->txs->rsp_event = rsp + 1;
		q->txs->req_prod = q->tx_prod;
		port_kick(q->tx_port);
		for (uint64_t end = now_ms() + COMES; q->txs->rsp_prod != rsp + 1; port_wait(1))
			need(now_ms() < end, "L: rsp_prod is not set right");
		need(tx_wait(q, COMES), "L: no answer");
	}
	alive(f);
}

/* ---- B2: fields of a request ---- */

static void size_refused(struct queue *q, uint16_t offset, uint16_t size, const char *counter)
{
	struct tx_frame t = { .data = frame, .len = size, .n = 1, .offset = offset };

	refused(q, &t, counter);
}

static void b2_1(struct front *f)
{
	start(f);
	plain(frame, FRAME_RAW, 100, 1);
	size_refused(&f->q[0], 0, 0, "drop_short");
	size_refused(&f->q[0], 0, 1, "drop_short");
	size_refused(&f->q[0], 0, 13, "drop_short");
	again(f);
}

static void b2_2(struct front *f)
{
	static const uint8_t lens[] = { 14, 15, 59, 60 };

	start(f);
	for (int i = 0; i < 4; i++) {
		struct tx_frame t = plain(frame, FRAME_RAW, lens[i], i);

		send_checked(&f->q[0], &t);
		t.offset = PAGE - lens[i];
		send_checked(&f->q[0], &t);
	}
}

static void b2_3(struct front *f)
{
	struct tx_frame t;

	start(f);
	t = plain(frame, FRAME_RAW, PAGE, 1);
	send_checked(&f->q[0], &t);
	size_refused(&f->q[0], 0, PAGE + 1, "drop_range");
	size_refused(&f->q[0], 1, PAGE, "drop_range");
	size_refused(&f->q[0], PAGE, 100, "drop_range");
	size_refused(&f->q[0], PAGE - 10, 100, "drop_range");
	size_refused(&f->q[0], 0xFFFF, 0xFFFF, "drop_range");
	size_refused(&f->q[0], 0xFFFF, 100, "drop_range");
	size_refused(&f->q[0], 0, 0xFFFF, "drop_range");
	size_refused(&f->q[0], 0, 8900, "drop_range");
	alive(f);
}

static void b2_4(struct front *f)
{
	struct queue *q = &f->q[0];
	uint64_t count;

	start(f);
	for (int n = 17; n <= 19; n++) {
		struct tx_frame t = plain(frame, FRAME_UDP4, 65535, n);

		tx_cut(&t, n);
		send_checked(q, &t);
	}
	count = peer_stat(f, "tx_queue_0_drop_length");
	for (int i = 0; i < 18; i++)
		slot(q, i, i < 17 ? NETTXF_more_data : 0, 0, i ? PAGE : (18 * PAGE) & 0xFFFF);
	tx_push(q);
	need(tx_wait(q, COMES), "L: no answer");
	for (int i = 0; i < 18; i++)
		need(tx_status(q, i) == NETIF_RSP_ERROR, "18 full pages: slot answered %d",
		     tx_status(q, i));
	need(peer_stat(f, "tx_queue_0_drop_length") == count + 1, "not counted");
}

static void b2_5(struct front *f)
{
	struct queue *q = &f->q[0];

	start(f);
	for (int by = 1; by < 4000; by *= 13) {
		slot(q, 1, NETTXF_more_data, 0, 100);
		slot(q, 2, 0, 0, 100 + by);
		tx_push(q);
		need(tx_wait(q, COMES), "L: no answer");
		need(tx_status(q, 0) == NETIF_RSP_ERROR && tx_status(q, 1) == NETIF_RSP_ERROR,
		     "a second slot that is longer than the frame");
	}
	alive(f);
}

static void b2_6(struct front *f)
{
	struct tx_frame t = plain(frame, FRAME_UDP4, 200, 1);

	start(f);
	t.n = 2;
	for (int first = 0; first < 14; first++) {
		t.cut[0] = 200 - first;
		send_checked(&f->q[0], &t);
	}
}

static void b2_7(struct front *f)
{
	static const int counts[] = { 20, 21, 22, 100, 255, 256 };
	struct queue *q = &f->q[0];

	start(f);
	for (int n = 18; n <= 19; n++) {
		struct tx_frame t = plain(frame, FRAME_UDP4, 1200, n);

		tx_cut(&t, n);
		send_checked(q, &t);
	}
	for (uint32_t i = 0; i < LEN(counts); i++) {
		struct tx_frame t = plain(frame, FRAME_UDP4, 3000, i);

		tx_cut(&t, counts[i]);
		refused(q, &t, "drop_slots");
	}
	/* A frame that fills the ring and has no end. */
	for (int i = 0; i < RING; i++)
		slot(q, i, NETTXF_more_data, 0, i ? 1 : 1000);
	tx_push(q);
	broken(f);
}

static void b2_8(struct front *f)
{
	struct tx_frame t;

	start(f);
	for (int how = 0; how < 4; how++) {
		t = plain(frame, FRAME_UDP4, 600, how);
		t.n = 9;
		/* In the middle, the last, all but the first, every second. */
		for (int i = 0; i < 8; i++)
			t.cut[i] = how == 0 ? (i == 4 ? 0 : 50) : how == 1 ? (i == 7 ? 0 : 50) :
				   how == 2 ? 0 : (i & 1) * 70;
		send_checked(&f->q[0], &t);
	}
}

static void b2_9(struct front *f)
{
	start(f);
	for (int k = 1; k <= 18; k++) {
		struct tx_frame t = plain(frame, FRAME_UDP4, 600, k);

		t.n = 19;
		for (int i = 0; i < 18 - k; i++)
			t.cut[i] = 20;
		send_checked(&f->q[0], &t);
	}
}

static void b2_11(struct front *f)
{
	start(f);
	for (int len = 14 + 18; len <= 128 + 18; len += 3) {
		struct tx_frame t = plain(frame, FRAME_RAW, len, len);
		int part = (len - 14) / 18;

		t.n = 19;
		for (int i = 0; i < 18; i++)
			t.cut[i] = part < 7 ? part : 7;
		send_checked(&f->q[0], &t);
	}
}

/* Wherever the headers are cut, they end in the linear area: the host tells how
 * long that is for packets to be segmented.
 */
static void b2_12(struct front *f)
{
	struct seen seen;

	start(f);
	for (int v6 = 0; v6 < 2; v6++) {
		struct frame_spec spec = frame_spec(v6 ? FRAME_TCP6 : FRAME_TCP4, 3000, 1, false);
		struct tx_frame t = {
			.data = frame,
			.flags = NETTXF_csum_blank | NETTXF_data_validated,
			.n_extras = 1,
			.extra = { gso_extra(v6 ? XEN_NETIF_GSO_TYPE_TCPV6 :
						  XEN_NETIF_GSO_TYPE_TCPV4, 1000) },
		};
		uint32_t headers = frame_headers(spec.kind);

		spec.partial = 1;
		t.len = frame_make(frame, &spec);
		for (uint32_t at = 1; at <= headers; at += 1 + 2 * (at > 20 && at < 50)) {
			t.n = 2;
			t.cut[0] = t.len - at;
			seen = send_checked(&f->q[0], &t);
			need(seen.hdr_len >= headers, "cut at %u: %u bytes are linear", at,
			     seen.hdr_len);
		}
		/* As small as they can be. */
		t.n = 19;
		for (int i = 0; i < 17; i++)
			t.cut[i] = 1;
		t.cut[17] = t.len - 18;
		seen = send_checked(&f->q[0], &t);
		need(seen.hdr_len >= headers && seen.gso_size == 1000, "%u bytes are linear",
		     seen.hdr_len);
	}
}

static void b2_13(struct front *f)
{
	struct tx_frame t = plain(frame, FRAME_RAW, 200, 1);
	struct conf c = conf_default;
	struct queue *q = &f->q[1];
	uint64_t ticks;
	uint32_t prod;

	c.queues = 2;
	front_connect(f, &c);
	alive(f);
	t.n = 2;
	t.cut[0] = 100;
	tx_frame(q, &t);
	/* The last slot is there, and not told. */
	prod = q->tx_prod;
	force_tx(q, prod - 1);
	ticks = peer_value(f, PEER_CPU);
	for (uint64_t end = now_ms() + COMES; q->txs->req_event != prod; usleep(1000))
		need(now_ms() < end, "L: no event is asked for");
	usleep(1000000);
	need(q->txs->rsp_prod == q->tx_cons, "C: a frame without an end is answered");
	need(peer_value(f, PEER_CPU) - ticks < 20, "the vif's threads are busy");
	tx_push(q);
	need(tx_wait(q, COMES), "L: the frame is not answered");
	need(tx_status(q, 0) == NETIF_RSP_OKAY, "answered %d", tx_status(q, 0));
	alive(f);
}

static void b2_14(struct front *f)
{
	struct tx_frame t = plain(frame, FRAME_RAW, 200, 1);

	start(f);
	for (int bit = 4; bit < 16; bit++) {
		t.flags = 1 << bit;
		send_checked(&f->q[0], &t);
	}
}

static void b2_15(struct front *f)
{
	struct queue *q = &f->q[0];
	uint64_t count;

	start(f);
	count = peer_stat(f, "tx_queue_0_drop_extra");
	slot(q, 1, NETTXF_more_data, 0, 200);
	slot(q, 2, NETTXF_extra_info, 0, 100);
	tx_push(q);
	need(tx_wait(q, COMES), "L: no answer");
	need(tx_status(q, 0) == NETIF_RSP_ERROR && tx_status(q, 1) == NETIF_RSP_ERROR,
	     "answered %d, %d", tx_status(q, 1), tx_status(q, 0));
	need(peer_stat(f, "tx_queue_0_drop_extra") == count + 1, "not counted");
}

/* The ledger compares ids. */
static void b2_16(struct front *f)
{
	static const uint16_t ids[] = { 0, 0xFFFF, 7, 7, 7, 0, 0xFFFF };
	struct queue *q = &f->q[0];

	start(f);
	for (int turn = 0; turn < 10; turn++) {
		for (uint32_t i = 0; i < LEN(ids); i++)
			slot(q, ids[i], 0, 0, 100);
		tx_push(q);
		need(tx_wait(q, COMES), "L: no answer");
	}
	alive(f);
}

static void b2_17(struct front *f)
{
	struct queue *q = &f->q[0];

	start(f);
	for (int turn = 0; turn < 4; turn++) {
		while (tx_free(q) >= 16)
			for (int i = 0; i < 16; i++)
				slot(q, i, i < 15 ? NETTXF_more_data : 0, 0, i ? PAGE : 65000);
		tx_push(q);
		need(tx_wait(q, COMES), "L: no answer");
		for (int i = 0; i < 16; i++)
			need(tx_status(q, i) == NETIF_RSP_OKAY, "answered %d", tx_status(q, i));
	}
	alive(f);
}

/* Everything in the ring changes while it is looked at. */
static void b2_18(struct front *f)
{
	uint8_t *bytes;
	uint64_t end;

	rnd_seed(218);
	for (int turn = 0; turn < 4; turn++) {
		struct queue *q = &f->q[0];

		start(f);
		bytes = (uint8_t *)q->txs->ring;
		for (end = now_ms() + 1000; now_ms() < end;) {
			uint32_t rsp = *(volatile uint32_t *)&q->txs->rsp_prod;

			need(rsp - q->tx_cons <= q->tx_prod - q->tx_cons,
			     "C: more answers than slots");
			q->tx_cons = rsp;
			for (int i = 0; i < 32 && tx_free(q); i++)
				slot(q, rnd(65536), rnd(4) ? 0 : rnd(16), rnd(64), 60 + rnd(1000));
			force_tx(q, q->tx_prod);
			for (int i = 0; i < 500; i++)
				bytes[rnd(RING * 12)] = rnd(256);
			if (backend_state(f) != XenbusStateConnected)
				break;
		}
		again(f);
		front_end(f);
	}
}

/* And what it describes. */
static void b2_19(struct front *f)
{
	struct tx_frame t = plain(frame, FRAME_TCP4, 3000, 1);
	struct queue *q = &f->q[0];

	start(f);
	t.flags = NETTXF_csum_blank | NETTXF_data_validated;
	tx_cut(&t, 19);
	for (int i = 0; i < 150; i++) {
		uint32_t first = q->tx_prod;

		tx_frame(q, &t);
		tx_push(q);
		for (int k = 0; k < 300 && !tx_look(q); k++)
			q->tx[(first + rnd(19)) % RING].va[rnd(160)] = rnd(256);
		need(tx_wait(q, COMES), "L: no answer");
	}
	alive(f);
}

/* What costs the host most for a byte. */
static void b2_21(struct front *f)
{
	struct tx_frame t = plain(frame, FRAME_RAW, 32, 1);
	struct queue *q = &f->q[0];
	uint64_t end, n = 0;

	start(f);
	t.n = 19;
	for (int i = 0; i < 18; i++)
		t.cut[i] = 1;
	for (end = now_ms() + 3000; now_ms() < end; n++) {
		while (tx_free(q) < 19)
			need(tx_wait(q, COMES), "L: no answer");
		tx_frame(q, &t);
		tx_push(q);
	}
	need(tx_wait(q, COMES), "L: no answer");
	note("%lu frames of 19 slots in 3 s", n);
	alive(f);
}

static void b2_22(struct front *f)
{
	struct peer_msg msg = { .op = PEER_LINK, .gap_us = 1500000 };
	struct tx_frame test = plain(frame, FRAME_RAW, 200, 1);
	struct queue *q = &f->q[0];
	uint64_t drops, end;
	int n = 0;

	start(f);
	drops = peer_stat(f, "tx_queue_0_drop_down");
	peer_post(f, &msg);
	/* Until it has been down, and is up. */
	for (end = now_ms() + COMES; !n || tx_status(q, 0) == NETIF_RSP_DROPPED; usleep(20000)) {
		need(now_ms() < end, n ? "L: it does not come up" : "nothing is dropped");
		tx_frame(q, &test);
		tx_push(q);
		need(tx_wait(q, COMES), "L: no answer while the interface is down");
		n += tx_status(q, 0) == NETIF_RSP_DROPPED;
	}
	/* The vif is up some moments before the peer's socket hears of it. */
	for (end = now_ms() + COMES; !peer_told(&msg); xs_event(100))
		need(now_ms() < end, "L: the peer does not come back");
	alive(f);
	need(peer_stat(f, "tx_queue_0_drop_down") == drops + n, "%d dropped, %d counted", n,
	     (int)(peer_stat(f, "tx_queue_0_drop_down") - drops));
}

/* ---- B3: extra infos ---- */

static struct tx_frame with_extras(const uint8_t *types, int n)
{
	struct tx_frame t = plain(frame, FRAME_UDP4, 300, 1);

	t.n_extras = n;
	for (int i = 0; i < n; i++)
		t.extra[i].type = types[i];
	return t;
}

static void b3_1(struct front *f)
{
	static const uint8_t types[] = { 0, 6, 7, 128, 255 };

	start(f);
	for (uint32_t i = 0; i < LEN(types); i++) {
		struct tx_frame t = with_extras(&types[i], 1);

		refused(&f->q[0], &t, "drop_extra");
	}
}

static void b3_2(struct front *f)
{
	static uint8_t types[RING];
	struct queue *q = &f->q[0];
	struct tx_frame t;

	start(f);
	memset(types, XEN_NETIF_EXTRA_TYPE_HASH, sizeof(types));
	for (int n = 2; n < RING; n += n) {
		t = with_extras(types, n);
		refused(q, &t, "drop_extra");
	}
	t = with_extras(types, RING - 1);
	refused(q, &t, "drop_extra");
	/* One list without an end fills the ring. */
	slot(q, 1, NETTXF_extra_info, 0, 300);
	for (int i = 1; i < RING; i++)
		tx_put_extra(q, (netif_extra_info_t){ .type = 4,
						      .flags = XEN_NETIF_EXTRA_FLAG_MORE });
	tx_push(q);
	broken(f);
}

static void b3_3(struct front *f)
{
	struct tx_frame t = plain(frame, FRAME_TCP4, 3000, 1);

	start(f);
	t.n_extras = 2;
	t.extra[0] = gso_extra(XEN_NETIF_GSO_TYPE_TCPV4, 1000);
	t.extra[1] = gso_extra(XEN_NETIF_GSO_TYPE_TCPV6, 60);
	refused(&f->q[0], &t, "drop_extra");
}

/* Its slots are counted right: what follows is a frame again. */
static void b3_4(struct front *f)
{
	struct tx_frame good = plain(frame, FRAME_UDP4, 300, 1), t;
	struct queue *q = &f->q[0];
	uint64_t msgs;
	uint32_t first;

	start(f);
	msgs = peer_stat(f, "tx_queue_0_mcast_msgs");
	for (int how = 0; how < 4; how++) {
		t = good;
		t.n = 1 + (how & 1) * 5;
		for (int i = 0; i < 5; i++)
			t.cut[i] = 40;
		t.n_extras = 1 + (how > 1);
		t.extra[0] = (netif_extra_info_t){
			.type = how == 3 ? XEN_NETIF_EXTRA_TYPE_MCAST_DEL :
					   XEN_NETIF_EXTRA_TYPE_MCAST_ADD,
			.u.mcast.addr = { 1, 0, 0x5E, 0, 0, how },
		};
		t.extra[1] = gso_extra(XEN_NETIF_GSO_TYPE_TCPV4, 1000);
		first = q->tx_prod;
		tx_frame(q, &t);
		q->txs->ring[first % RING].req.gref = BAD_GREF;
		tx_push(q);
		need(tx_wait(q, COMES), "L: a message is not answered");
		send_checked(q, &good);
	}
	need(peer_stat(f, "tx_queue_0_mcast_msgs") == msgs + 4, "not counted");
}

static int16_t mcast(struct queue *q, uint8_t type, const uint8_t *addr)
{
	struct tx_frame t = { .data = frame, .len = 0, .n_extras = 1 };

	t.extra[0].type = type;
	memcpy(t.extra[0].u.mcast.addr, addr, 6);
	tx_frame(q, &t);
	tx_push(q);
	need(tx_wait(q, COMES), "L: a message is not answered");
	return tx_status(q, 1);
}

static void b3_5(struct front *f)
{
	static const uint8_t odd[][6] = { { 0 }, { 2, 1, 2, 3, 4, 5 }, { 0xFE, 0, 0, 0, 0, 1 } };
	uint8_t addr[6] = { 1, 0, 0x5E, 1, 0, 0 };
	struct queue *q = &f->q[0];

	start(f);
	for (uint32_t i = 0; i < LEN(odd); i++) {
		need(mcast(q, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, odd[i]) == NETIF_RSP_ERROR,
		     "an address that is not for many is taken");
		need(mcast(q, XEN_NETIF_EXTRA_TYPE_MCAST_DEL, odd[i]) == NETIF_RSP_OKAY,
		     "to delete what is not there is an error");
	}
	for (int i = 0; i < 200; i++) {
		addr[5] = i;
		need(mcast(q, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, addr) ==
		     (i < 64 ? NETIF_RSP_OKAY : NETIF_RSP_ERROR), "address %d of 64", i);
	}
	alive(f);
}

static void b3_6(struct front *f)
{
	struct tx_frame t = { .data = frame, .len = 0, .n_extras = 1 };
	struct queue *q = &f->q[0];
	uint64_t end, n = 0;

	start(f);
	for (end = now_ms() + 3000; now_ms() < end; n++) {
		while (tx_free(q) < 4 && now_ms() < end + COMES)
			tx_look(q);
		t.extra[0].type = 2 + (n & 1);
		memcpy(t.extra[0].u.mcast.addr, (uint8_t[]){ 1, 0, 0x5E, 2, 0, n % 70 }, 6);
		tx_frame(q, &t);
		tx_push(q);
	}
	need(tx_wait(q, COMES), "L: messages are not answered");
	note("%lu messages in 3 s", n);
	alive(f);
}

static void b3_7(struct front *f)
{
	struct tx_frame t = plain(frame, FRAME_TCP4, 300, 1);

	start(f);
	for (int i = 0; i < 64; i++) {
		t.n_extras = 2;
		t.extra[0] = (netif_extra_info_t){
			.type = XEN_NETIF_EXTRA_TYPE_HASH,
			.u.hash = { .type = i * 4, .algorithm = i,
				    .value = { i, 0xFF, 0, i } },
		};
		t.extra[1] = (netif_extra_info_t){ .type = EXTRA_XDP,
						   .u.pad = { i * 1000, 0xFFFF, 0xFFFF } };
		send_checked(&f->q[0], &t);
	}
}

static void b3_8(struct front *f)
{
	uint8_t addr[6] = { 1, 0, 0x5E, 1, 0, 0 };

	for (int turn = 0; turn < 8; turn++) {
		start(f);
		for (int i = 0; i < 64; i++) {
			addr[5] = i;
			addr[4] = turn;
			need(mcast(&f->q[0], XEN_NETIF_EXTRA_TYPE_MCAST_ADD, addr) ==
			     NETIF_RSP_OKAY, "address %d in connection %d", i, turn);
		}
		front_end(f);
	}
}

/* ---- B4: offloads and headers ---- */

static struct tx_frame gso_frame(uint32_t kind, uint32_t len, uint8_t type, uint16_t size)
{
	struct frame_spec spec = frame_spec(kind, len, 1, false);
	struct tx_frame t = { .data = frame, .n = 1, .n_extras = 1 };

	spec.partial = 1;
	t.len = frame_make(frame, &spec);
	tx_cut(&t, 1 + len / PAGE);
	t.extra[0] = gso_extra(type, size);
	t.flags = NETTXF_csum_blank | NETTXF_data_validated;
	return t;
}

static void b4_1(struct front *f)
{
	static const uint16_t sizes[] = { 0, 1, 7, 47, 0xFFFF };
	static const uint8_t types[] = { 0, 3, 4, 128, 255 };
	struct tx_frame t;

	start(f);
	for (uint32_t i = 0; i < LEN(sizes); i++) {
		t = gso_frame(FRAME_TCP4, 3000, XEN_NETIF_GSO_TYPE_TCPV4, sizes[i]);
		refused(&f->q[0], &t, "drop_gso");
	}
	for (uint32_t i = 0; i < LEN(types); i++) {
		t = gso_frame(FRAME_TCP4, 3000, types[i], 1000);
		refused(&f->q[0], &t, "drop_gso");
	}
	t = gso_frame(FRAME_TCP4, 3000, XEN_NETIF_GSO_TYPE_TCPV4, 48);
	send_checked(&f->q[0], &t);
}

static void b4_4(struct front *f)
{
	struct tx_frame t;

	start(f);
	for (uint32_t kind = 0; kind < FRAME_KINDS; kind++) {
		for (uint8_t type = 1; type <= 2; type++) {
			if ((kind == FRAME_TCP4 && type == 1) || (kind == FRAME_TCP6 && type == 2))
				continue;
			t = gso_frame(kind, 3000, type, 1000);
			dropped(&f->q[0], &t, "drop_header");
			t.flags = 0;
			dropped(&f->q[0], &t, "drop_header");
		}
	}
	/* ARP */
	t = gso_frame(FRAME_TCP4, 3000, 1, 1000);
	frame[13] = 6;
	dropped(&f->q[0], &t, "drop_header");
}

/* Headers that lie: answered, and the host lives. */
static void b4_5(struct front *f)
{
	static const uint8_t nibbles[] = { 0, 1, 4, 5, 6, 15 };
	static const uint32_t lens[] = { 14, 15, 33, 34, 35, 53, 54, 55, 3000 };
	struct tx_frame t;

	start(f);
	for (uint32_t l = 0; l < LEN(lens); l++) {
		for (uint32_t i = 0; i < LEN(nibbles); i++) {
			for (int where = 0; where < 3; where++) {
				t = gso_frame(FRAME_TCP4, 3000, 1, 100);
				t.len = lens[l];
				tx_cut(&t, 1);
				if (where == 0)
					frame[14] = 0x40 | nibbles[i];
				else if (where == 1)
					frame[46] = nibbles[i] << 4;
				else
					frame[16] = nibbles[i] << 4;
				t.flags = i & 1 ? NETTXF_csum_blank : 0;
				answered(&f->q[0], &t);
			}
		}
	}
	alive(f);
}

static void b4_6(struct front *f)
{
	struct tx_frame t;
	struct seen seen;

	start(f);
	t = gso_frame(FRAME_TCP4, 1000, 1, 1400);
	seen = send_checked(&f->q[0], &t);
	need(!seen.gso_size && !seen.gso_type, "GSO size %u of what is one segment", seen.gso_size);
}

static void b4_7(struct front *f)
{
	struct tx_frame t;

	start(f);
	for (int i = 0; i < 20; i++) {
		t = gso_frame(FRAME_TCP4, 65000, 1, 48);
		answered(&f->q[0], &t);
	}
	alive(f);
}

static void b4_8(struct front *f)
{
	static const uint8_t protos[] = { 0, 1, 2, 47, 50, 132, 255 };
	struct tx_frame t;

	start(f);
	for (uint32_t kind = FRAME_UDP4; kind < FRAME_KINDS; kind++) {
		uint32_t headers = frame_headers(kind);

		/* Up to the checksum, or short of it. */
		for (uint32_t len = 14; len < frame_l4(kind) + frame_csum_at(kind) + 2; len += 3) {
			t = plain(frame, kind, headers, 1);
			t.len = len;
			t.flags = NETTXF_csum_blank;
			dropped(&f->q[0], &t, "drop_header");
		}
		for (uint32_t i = 0; i < LEN(protos); i++) {
			t = plain(frame, kind, 200, 1);
			frame[kind >= FRAME_UDP6 ? 20 : 23] = protos[i];
			t.flags = NETTXF_csum_blank;
			answered(&f->q[0], &t);
		}
	}
	for (int type = 0; type < 65536; type += 1799) {
		t = plain(frame, FRAME_TCP4, 200, 1);
		frame[12] = type >> 8;
		frame[13] = type;
		t.flags = NETTXF_csum_blank;
		answered(&f->q[0], &t);
	}
	alive(f);
}

static void b4_9(struct front *f)
{
	static const uint16_t frags[] = { 0x2000, 0x2001, 0x0001, 0x1FFF, 0x3FFF };
	struct tx_frame t;

	start(f);
	for (uint32_t i = 0; i < LEN(frags); i++) {
		t = plain(frame, FRAME_UDP4, 300, i);
		frame[20] = frags[i] >> 8;
		frame[21] = frags[i];
		t.flags = NETTXF_csum_blank;
		dropped(&f->q[0], &t, "drop_header");
	}
}

static void b4_10(struct front *f)
{
	static const uint8_t next[] = { 0, 43, 44, 51, 60, 59, 135 };
	struct tx_frame t;

	start(f);
	for (uint32_t i = 0; i < LEN(next); i++) {
		for (int len = 100; len < 65535; len *= 5) {
			for (int hdrlen = 0; hdrlen < 256; hdrlen += 51) {
				t = plain(frame, FRAME_TCP6, len, 1);
				frame[20] = next[i];
				for (int at = 54; at + 8 <= len; at += 8) {
					frame[at] = next[i];
					frame[at + 1] = hdrlen;
				}
				tx_cut(&t, 1 + len / PAGE);
				t.flags = NETTXF_csum_blank;
				answered(&f->q[0], &t);
				t.flags = 0;
				answered(&f->q[0], &t);
			}
		}
	}
	t = plain(frame, FRAME_TCP6, 300, 1);
	frame[18] = frame[19] = 0;
	t.flags = NETTXF_csum_blank;
	answered(&f->q[0], &t);
	frame[18] = 0xFF;
	answered(&f->q[0], &t);
	alive(f);
}

static void b4_11(struct front *f)
{
	static const int counts[] = { 1, 2, 4, 5, 50, 300 };
	struct tx_frame t;

	start(f);
	for (uint32_t i = 0; i < LEN(counts); i++) {
		for (int flags = 0; flags < 4; flags++) {
			int shift = 4 * counts[i];

			t = plain(frame, FRAME_UDP4, 200, 1);
			memmove(frame + 12 + shift, frame + 12, 200 - 12);
			for (int k = 0; k < counts[i]; k++) {
				frame[12 + 4 * k] = k & 1 ? 0x88 : 0x81;
				frame[13 + 4 * k] = k & 1 ? 0xA8 : 0x00;
				frame[14 + 4 * k] = 0;
				frame[15 + 4 * k] = k;
			}
			t.len = 200 + shift;
			t.flags = flags;
			answered(&f->q[0], &t);
			t.len = 12 + shift - 1;
			if (t.len >= 14)
				answered(&f->q[0], &t);
		}
	}
	alive(f);
}

static void b4_12(struct front *f)
{
	struct tx_frame t;

	start(f);
	t = plain(frame, FRAME_UDP4, 300, 1);
	frame[40] ^= 0x55;
	t.flags = NETTXF_data_validated;
	send_checked(&f->q[0], &t);
}

/* Our own address, everybody's, nobody's; lengths for types. */
static void b4_13(struct front *f)
{
	static const uint8_t macs[][6] = { { 0 }, { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF },
		{ 1, 0x80, 0xC2 }, { 1, 0, 0x5E, 0, 0, 1 }, { 2, 0x78, 0x76, 0x66, 0, 2 },
		{ 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF } };
	struct tx_frame t;

	start(f);
	for (uint32_t i = 0; i < LEN(macs) * LEN(macs); i++) {
		t = plain(frame, FRAME_RAW, 300, i);
		memcpy(frame, macs[i % LEN(macs)], 6);
		memcpy(frame + 6, macs[i / LEN(macs)], 6);
		frame[12] = rnd(8);
		answered(&f->q[0], &t);
	}
	alive(f);
}

static void b4_14(struct front *f)
{
	struct tx_frame t;

	start(f);
	rnd_seed(414);
	for (int i = 0; i < 1500; i++) {
		uint32_t len = 14 + rnd(i % 50 ? 300 : 20000);

		t = plain(frame, 1 + rnd(4), len, i);
		for (int k = rnd(8); k >= 0; k--)
			frame[12 + rnd(60)] = rnd(256);
		t.flags = rnd(4);
		tx_cut(&t, 1 + len / PAGE);
		if (!rnd(3)) {
			t.n_extras = 1;
			t.extra[0] = gso_extra(1 + rnd(2), 48 + rnd(2000));
		}
		answered(&f->q[0], &t);
	}
	alive(f);
}

/* ---- B5: grants ---- */

/* Granted, but to others: a neighbour, nobody, the guest itself. */
static void granted_to_others(struct front *f)
{
	struct queue *q = &f->q[0];
	char *own = xs_get("domid");
	const uint16_t to[] = { own ? atoi(own) - 1 : 1, 30000, DOMID_SELF };
	uint64_t count;

	free(own);
	count = peer_stat(f, "tx_queue_0_drop_copy");
	for (uint32_t i = 0; i < LEN(to); i++) {
		struct page page;

		page_new(&page, 1, false, to[i]);
		tx_put(q, (netif_tx_request_t){ .gref = page.gref, .id = i, .size = 100 });
		tx_push(q);
		need(tx_wait(q, COMES), "L: no answer");
		need(tx_status(q, 0) == NETIF_RSP_ERROR, "a grant to domain %u: answered %d",
		     to[i], tx_status(q, 0));
		page_free(&page, 1);
	}
	need(peer_stat(f, "tx_queue_0_drop_copy") == count + LEN(to), "not counted");
}

static void b5_1(struct front *f)
{
	/* 0 and 1 are the console's and xenstore's, and granted to dom0 indeed. */
	static const uint32_t grefs[] = { 7, 0xFFFF, BAD_GREF, 0x7FFFFFFF, 0xFFFFFFFF };
	struct queue *q = &f->q[0];
	uint64_t count;

	start(f);
	count = peer_stat(f, "tx_queue_0_drop_copy");
	for (uint32_t i = 0; i < LEN(grefs); i++) {
		tx_put(q, (netif_tx_request_t){ .gref = grefs[i], .id = i, .size = 100 });
		tx_push(q);
		need(tx_wait(q, COMES), "L: no answer");
		need(tx_status(q, 0) == NETIF_RSP_ERROR, "grant %u: answered %d", grefs[i],
		     tx_status(q, 0));
	}
	need(peer_stat(f, "tx_queue_0_drop_copy") == count + LEN(grefs), "not counted");
	granted_to_others(f);
}

/* Wherever the bad one is, nothing of the frame is delivered. */
static void b5_2(struct front *f)
{
	static const int counts[] = { 1, 2, 5, 19 };
	struct queue *q = &f->q[0];

	start(f);
	for (uint32_t i = 0; i < LEN(counts); i++) {
		for (int bad = 0; bad < counts[i]; bad += 1 + counts[i] / 7) {
			uint64_t before, after;
			uint32_t at = q->tx_prod + bad;

			peer_seen(f, 0, &before);
			at = q->tx_prod + bad;
			for (int k = 0; k < counts[i]; k++)
				slot(q, k, k < counts[i] - 1 ? NETTXF_more_data : 0, 0,
				     k ? 30 : 1000);
			q->txs->ring[at % RING].req.gref = BAD_GREF;
			tx_push(q);
			need(tx_wait(q, COMES), "L: no answer");
			for (int k = 0; k < counts[i]; k++)
				need(tx_status(q, k) == NETIF_RSP_ERROR,
				     "slot %d of %d is bad, and one is answered %d", bad,
				     counts[i], tx_status(q, k));
			peer_seen(f, 0, &after);
			need(before == after, "a frame with a hole is delivered");
		}
	}
}

/* Taken back between the request and the copy, or just before. */
static void b5_6(struct front *f)
{
	struct tx_frame good = plain(frame, FRAME_UDP4, 300, 1);
	struct queue *q = &f->q[0];
	int refused_n = 0;

	start(f);
	for (int i = 0; i < 200; i++) {
		struct page page;

		page_new(&page, 1, false, f->backend_id);
		memcpy(page.va, frame, 300);
		tx_put(q, (netif_tx_request_t){ .gref = page.gref, .id = i, .size = 300 });
		if (i & 1)
			page_free(&page, 1);
		tx_push(q);
		if (!(i & 1))
			page_free(&page, 1);
		need(tx_wait(q, COMES), "L: no answer");
		refused_n += tx_status(q, 0) == NETIF_RSP_ERROR;
		need(!(i & 1) || tx_status(q, 0) == NETIF_RSP_ERROR, "a grant that is gone is used");
	}
	note("%d of 200 were refused", refused_n);
	send_checked(q, &good);
}

static void b5_9(struct front *f)
{
	struct tx_frame t;

	start(f);
	rnd_seed(59);
	for (int i = 0; i < 150; i++) {
		uint32_t len = 19 * 4 + rnd(i & 1 ? 1500 : 30000), rest = len;

		t = plain(frame, FRAME_RAW, len, i);
		t.n = 2 + rnd(17);
		/* Not more than a page in any slot. */
		for (int k = 0; k < t.n - 1; k++) {
			t.cut[k] = rnd(rest < PAGE ? rest : PAGE + 1);
			rest -= t.cut[k];
		}
		if (rest > PAGE)
			continue;
		send_checked(&f->q[0], &t);
	}
}

static void b5_10(struct front *f)
{
	struct queue *q = &f->q[0];

	start(f);
	plain(frame, FRAME_RAW, 100, 1);
	for (int turn = 0; turn < 10; turn++) {
		for (int i = 0; i < RING; i++) {
			struct page *p = &q->tx[q->tx_prod % RING];

			memcpy(p->va, frame, 100);
			tx_put(q, (netif_tx_request_t){ .gref = p->gref, .id = i, .size = 100 });
		}
		tx_push(q);
		need(tx_wait(q, COMES), "L: no answer");
		for (int i = 0; i < RING; i++)
			need(tx_status(q, i) == NETIF_RSP_OKAY, "answered %d", tx_status(q, i));
	}
	alive(f);
}

/* Granted, and of no use to the host. */
static void b5_11(struct front *f)
{
	static struct page pages[2000];

	start(f);
	page_new(pages, LEN(pages), true, f->backend_id);
	alive(f);
	front_end(f);
	start(f);
	page_free(pages, LEN(pages));
	alive(f);
}

/* A grant that gntalloc would not make: see forge/xvf_forge.c. */
static uint32_t forged(struct front *f, const char *kind)
{
	static const char path[] = "/sys/module/xvf_forge/parameters/grant";
	FILE *file = fopen(path, "w");
	uint32_t ref = 0;

	if (!file)
		skip("the module xvf_forge is not there");
	fprintf(file, "%s %u", kind, f->backend_id);
	need(!fclose(file), "no grant of kind %s: %s", kind, strerror(errno));
	file = fopen(path, "r");
	need(file && fscanf(file, "%u", &ref) == 1, "no number of a grant of kind %s", kind);
	fclose(file);
	return ref;
}

/* As what is sent, and as buffers. What the guest may read itself it may send. */
static void b5_4(struct front *f)
{
	static const char * const kinds[] = {
		"page", "nowhere", "mmio", "foreign", "gone", "table",
	};
	struct frame_spec spec = frame_spec(FRAME_UDP4, 300, 1, true);
	struct conf c = conf_default;
	struct queue *q = &f->q[0];
	static struct rx_packet p;

	for (uint32_t i = 0; i < LEN(kinds); i++) {
		uint32_t ref = forged(f, kinds[i]);
		bool good = !strcmp(kinds[i], "page");

		c.buffers = 0;
		front_connect(f, &c);
		tx_put(q, (netif_tx_request_t){ .gref = ref, .id = i, .size = 100 });
		tx_push(q);
		need(tx_wait(q, COMES), "L: no answer");
		need(tx_status(q, 0) == (good ? NETIF_RSP_OKAY : NETIF_RSP_ERROR) ||
		     !strcmp(kinds[i], "table"), "a grant of kind %s: answered %d", kinds[i],
		     tx_status(q, 0));
		for (int k = 0; k < 20; k++)
			rx_post_one(q, k, ref, true);
		rx_push(q);
		peer_send(f, &spec, 5, 0);
		for (int k = 0; k < 5; k++) {
			need(rx_any(f, &p, COMES), "L: a frame does not come");
			need(p.error != good, "C: a buffer of kind %s is %s", kinds[i],
			     good ? "not written" : "written");
		}
		front_end(f);
	}
	again(f);
}

static void version_two(struct front *f)
{
	(void)f;
	skip("parts of pages, and grants of grants, need version 2 of the table: a PV guest's "
	     "kernel has version 1, and both cannot be had at once");
}

const struct test attacks_tx[] = {
	{ "b1_1_tx", "B1.1, B1.2 impossible producer index, tx", b1_1_tx },
	{ "b1_1_rx", "B1.1, B1.2, B6.4 impossible producer index, rx", b1_1_rx },
	{ "b1_1_ctrl", "B1.2, B8.1 impossible producer index, control ring", b1_1_ctrl },
	{ "b1_3", "B1.3 a producer that goes back and comes again with something else", b1_3 },
	{ "b1_4", "B1.4 producers that jump about", b1_4 },
	{ "b1_5", "B1.5 indices that wrap, requests before the connection", b1_5 },
	{ "b1_6", "B1.6 rings that hold more than they can", b1_6 },
	{ "b1_7", "B1.7 our indices overwritten", b1_7 },
	{ "b2_1", "B2.1 frames shorter than their header", b2_1 },
	{ "b2_2", "B2.2 the shortest frames", b2_2 },
	{ "b2_3", "B2.3 data over the end of a page", b2_3 },
	{ "b2_4", "B2.4 65535 bytes, and more", b2_4 },
	{ "b2_5", "B2.5 a slot larger than its frame", b2_5 },
	{ "b2_6", "B2.6 an empty or tiny first slot", b2_6 },
	{ "b2_7", "B2.7 18 to 256 slots", b2_7 },
	{ "b2_8", "B2.8 slots without data", b2_8 },
	{ "b2_9", "B2.9 19 slots, the last ones empty", b2_9 },
	{ "b2_11", "B2.11 19 slots, a few bytes in each", b2_11 },
	{ "b2_12", "B2.12 headers cut anywhere", b2_12 },
	{ "b2_13", "B2.13 a frame whose end comes late", b2_13 },
	{ "b2_14", "B2.14 unknown flags", b2_14 },
	{ "b2_15", "B2.15 extra info announced in the middle", b2_15 },
	{ "b2_16", "B2.16, B2.20 any id, nothing but the answer is written", b2_16 },
	{ "b2_17", "B2.17 one grant for all slots", b2_17 },
	{ "b2_18", "B2.18 the ring rewritten while it is read", b2_18 },
	{ "b2_19", "B2.19 the data rewritten while they are copied", b2_19 },
	{ "b2_21", "B2.21 slots of one byte at full rate", b2_21 },
	{ "b2_22", "B2.22 frames while the interface is down", b2_22 },
	{ "b3_1", "B3.1 unknown extra infos", b3_1 },
	{ "b3_2", "B3.2 extra infos without end", b3_2 },
	{ "b3_3", "B3.3 extra infos that contradict each other", b3_3 },
	{ "b3_4", "B3.4 multicast messages with data, GSO, bad grants", b3_4 },
	{ "b3_5", "B3.5 too many multicast addresses, and wrong ones", b3_5 },
	{ "b3_6", "B3.6 a flood of multicast messages", b3_6 },
	{ "b3_7", "B3.7 any hash, any headroom", b3_7 },
	{ "b3_8", "B3.8 full multicast lists, connection after connection", b3_8 },
	{ "b4_1", "B4.1-4.3 segment sizes and types that are none", b4_1 },
	{ "b4_4", "B4.4 segmentation of what is no such TCP", b4_4 },
	{ "b4_5", "B4.5 headers that lie about lengths", b4_5 },
	{ "b4_6", "B4.6 segmentation of a single segment", b4_6 },
	{ "b4_7", "B4.7 65000 bytes in crumbs", b4_7 },
	{ "b4_8", "B4.8 open checksums without a place", b4_8 },
	{ "b4_9", "B4.9 open checksums in fragments", b4_9 },
	{ "b4_10", "B4.10 IPv6 extension headers without end", b4_10 },
	{ "b4_11", "B4.11 VLAN tags upon VLAN tags", b4_11 },
	{ "b4_12", "B4.12 a wrong checksum said to be right", b4_12 },
	{ "b4_13", "B4.13 addresses and types of all kinds", b4_13 },
	{ "b4_14", "B4.14 mutated frames", b4_14 },
	{ "b5_1", "B5.1, B5.3 grants that are none, or to others", b5_1 },
	{ "b5_2", "B5.2 one bad grant anywhere in a frame", b5_2 },
	{ "b5_4", "B5.4, B5.7, B10.14 forged grants", b5_4 },
	{ "b5_5", "B5.5 grants of parts of pages, and of grants", version_two },
	{ "b5_6", "B5.6 grants taken back", b5_6 },
	{ "b5_9", "B5.9 frames cut at random", b5_9 },
	{ "b5_10", "B5.10 a ring full of different grants", b5_10 },
	{ "b5_11", "B5.11 thousands of grants for nothing", b5_11 },
	{}
};
