// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Lies and sloth in the rx ring, event storms, the control ring. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cases.h"

#define BAD_GREF	0x00FFFFFF
#define LEN(a)		(sizeof(a) / sizeof(*(a)))

static struct rx_packet packet;
static uint8_t frame[FRAME_MAX];

/* ---- B6: the rx ring ---- */

static void need_silence(struct front *f)
{
	for (int i = 0; i < f->conf.queues; i++)
		need(f->q[i].rxs->rsp_prod == f->q[i].rx_cons, "C: answers without buffers");
}

/* The peer sends while there is nobody to take it, until that has grown too old. */
static void starve(struct front *f, int queues)
{
	struct frame_spec small = frame_spec(FRAME_UDP4, 60, 1, true);
	struct frame_spec large = frame_spec(FRAME_TCP4, 60000, 1, true);
	struct conf c = conf_default;
	uint64_t mem, before, after;

	c.queues = queues;
	front_connect(f, &c);
	mem = peer_value(f, PEER_MEM);
	before = peer_stat(f, "rx_queue_0_drop_expired");
	front_end(f);
	c.buffers = 0;
	front_connect(f, &c);
	large.partial = 1;
	peer_send(f, &small, 2000, 0);
	peer_send(f, &large, 500, 1400);
	peer_send(f, &small, 2000, 0);
	peer_await(f, "rx_queue_0_drop_expired", before, need_silence);
	for (int i = 0; i < queues; i++) {
		f->q[i].rx_target = 128;
		rx_post(&f->q[i], 128);
		port_kick(f->q[i].rx_port);
	}
	peer_back(f, &f->q[0]);
	after = peer_value(f, PEER_MEM);
	need(after + 32 * 1024 > mem, "dom0 has %d KiB less", (int)(mem - after));
	alive(f);
}

static void b6_1(struct front *f) { starve(f, 1); }
static void b6_1_q2(struct front *f) { starve(f, 2); }

/* Nearly enough buffers for the packet at the head, for ever. */
static void b6_2(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_TCP4, 60000, 1, true);
	struct conf c = conf_default;
	struct queue *q = &f->q[0];
	uint64_t stalls, end;

	front_connect(f, &c);
	stalls = peer_stat(f, "rx_queue_0_stalls");
	front_end(f);
	c.buffers = 0;
	front_connect(f, &c);
	rx_post(q, 15);
	spec.partial = 1;
	/* Again and again, so that there is always one when the last one is dropped;
	 * and nothing small in between, which would get through.
	 */
	peer_post(f, &(struct peer_msg){ .op = PEER_SEND, .spec = spec, .count = 24,
					 .gso_size = 1400, .gap_us = 300000 });
	for (end = now_ms() + 7500; now_ms() < end;)
		if (rx_any(f, &packet, 300))
			need(packet.len < 1000, "C: a packet comes that has no room");
	q->rx_target = 64;
	rx_post(q, 40);
	port_kick(q->rx_port);
	peer_back(f, q);
	need(peer_stat(f, "rx_queue_0_stalls") == stalls + 1, "the stall was not seen");
}

static void b6_3(struct front *f)
{
	struct conf c = conf_default;
	struct queue *q = &f->q[0];
	int n = 0;

	c.buffers = 0;
	front_connect(f, &c);
	for (int i = 0; i < 8; i++) {
		struct frame_spec spec = frame_spec(FRAME_UDP4, 300, i, true);

		peer_send(f, &spec, 1, 0);
	}
	/* One at a time; every second one without a word. */
	for (uint64_t end = now_ms() + 6000; now_ms() < end && n < 8;) {
		if (q->rx_prod == q->rx_cons) {
			rx_post_one(q, q->rx_prod, q->rx[q->rx_prod % RING].gref, false);
			q->rxs->req_prod = q->rx_prod;
			if (n & 1)
				port_kick(q->rx_port);
			else
				rx_push(q);
		}
		if (rx_any(f, &packet, 200))
			n += !memcmp(packet.data + 6, mac_peer, 6) && packet.len == 300;
		else
			port_kick(q->rx_port);
	}
	need(n == 8, "of 8 frames %d came", n);
	q->rx_target = 64;
	rx_post(q, 60);
	alive(f);
}

/* Takes buffers back that were posted, and posts them again. */
static void b6_4(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_UDP4, 300, 1, true);
	struct conf c = conf_default;
	struct queue *q = &f->q[0];

	front_connect(f, &c);
	alive(f);
	for (int i = 0; i < 20; i++) {
		q->rxs->req_prod = q->rx_prod - 100;
		port_kick(q->rx_port);
		peer_send(f, &spec, 5, 0);
		for (int k = 0; k < 5; k++)
			need(rx_test(f, &packet, COMES), "L: a frame does not come");
		q->rxs->req_prod = q->rx_prod;
		port_kick(q->rx_port);
	}
	alive(f);
}

static void b6_5(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_UDP4, 300, 1, true);
	struct conf c = conf_default;
	struct queue *q = &f->q[0];

	c.buffers = 0;
	front_connect(f, &c);
	for (int i = 0; i < 200; i++)
		rx_post_one(q, 7, q->rx[RING - 1].gref, false);
	rx_push(q);
	peer_send(f, &spec, 150, 0);
	for (int i = 0; i < 150; i++)
		need(rx_any(f, &packet, COMES), "L: of 150 frames %d came", i);
	again(f);
}

static void b6_6(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_TCP4, 30000, 1, true);
	struct conf c = conf_default;
	struct queue *q = &f->q[0];
	int errors = 0, whole = 0;
	uint64_t count;

	front_connect(f, &c);
	count = peer_stat(f, "rx_queue_0_copy_errors");
	front_end(f);
	c.buffers = 0;
	spec.partial = 1;
	for (int how = 0; how < 4; how++) {
		front_connect(f, &c);
		for (int i = 0; i < 200; i++) {
			/* First, middle, last slot of a packet, every second one. */
			bool bad = how == 3 ? i & 1 : i % 9 == how * 4;

			rx_post_one(q, i, bad ? BAD_GREF + (uint32_t)i : q->rx[q->rx_prod % RING].gref, bad);
		}
		rx_push(q);
		peer_send(f, &spec, 12, 1400);
		for (int i = 0; i < 12; i++) {
			need(rx_any(f, &packet, COMES), "L: %d of 12 came", i);
			errors += packet.error;
			whole += !packet.error;
		}
		front_end(f);
	}
	note("%d packets with errors, %d whole", errors, whole);
	need(errors > 12, "of 48 packets %d have errors", errors);
	again(f);
	need(peer_stat(f, "rx_queue_0_copy_errors") > count, "not counted");
}

static void b6_4_ro(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_UDP4, 300, 1, true);
	struct conf c = conf_default;
	struct queue *q = &f->q[0];

	c.buffers = 0;
	front_connect(f, &c);
	/* A page that the host may but read. */
	for (int i = 0; i < 64; i++)
		rx_post_one(q, i, q->tx[i].gref, true);
	rx_push(q);
	peer_send(f, &spec, 30, 0);
	for (int i = 0; i < 30; i++) {
		need(rx_any(f, &packet, COMES), "L: %d of 30 came", i);
		need(packet.error, "C: a page that may only be read is written");
	}
	again(f);
}

static void b6_7(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_UDP4, 1400, 1, true);
	struct conf c = conf_default;
	uint64_t stalls;

	front_connect(f, &c);
	stalls = peer_stat(f, "rx_queue_0_stalls");
	front_end(f);
	c.notify = false;
	c.buffers = 0;
	front_connect(f, &c);
	for (int i = 0; i < 10; i++) {
		peer_send(f, &spec, 200, 0);
		usleep(300000);
	}
	f->q[0].rx_target = 64;
	rx_post(&f->q[0], 64);
	peer_back(f, &f->q[0]);
	need(peer_stat(f, "rx_queue_0_stalls") == stalls, "one that cannot notify is stalled");
}

static void b6_8(struct front *f)
{
	static const int rooms[] = { 257, 4095, 4096, 65535 };
	struct frame_spec spec = frame_spec(FRAME_TCP4, 60000, 1, true);
	struct conf c = conf_default;

	spec.partial = 1;
	for (int room = 0; room <= 256; room += room ? 85 : 1) {
		c.headroom = room;
		front_connect(f, &c);
		peer_send(f, &spec, 3, 1400);
		for (int i = 0; i < 3; i++) {
			need(rx_test(f, &packet, COMES), "L: headroom %d: nothing comes", room);
			need(packet.len == 60000 && packet.offset == room,
			     "headroom %d: %u bytes at %u", room, packet.len, packet.offset);
		}
		front_end(f);
	}
	for (uint32_t i = 0; i < LEN(rooms); i++) {
		c.headroom = rooms[i];
		no_connect(f, &c, NULL);
	}
	wait_out();
	again(f);
}

static void b6_8_live(struct front *f)
{
	static const int rooms[] = { 0, 256, 4095, 1, 70000, 255 };
	struct frame_spec spec = frame_spec(FRAME_TCP4, 60000, 1, true);
	struct conf c = conf_default;

	c.headroom = 0;
	spec.partial = 1;
	front_connect(f, &c);
	for (int i = 0; i < 150; i++) {
		key_put(f, "xdp-headroom", "%d", rooms[i % LEN(rooms)]);
		front_state(f, XenbusStateReconfiguring);
		if (i % 5 == 0)
			peer_send(f, &spec, 2, 1400);
		front_state(f, XenbusStateConnected);
		while (rx_any(f, &packet, 0))
			;
	}
	while (rx_any(f, &packet, 1000))
		;
	need(backend_wait(f, XenbusStateConnected, COMES), "the backend's state is %d",
	     backend_state(f));
	alive(f);
}

/* What waits was made for a frontend that takes more than the next one does. */
static void b6_9(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_TCP4, 20000, 1, true);
	struct conf c = conf_default;

	spec.partial = 1;
	for (int i = 0; i < 4; i++) {
		c = conf_default;
		c.buffers = 0;
		front_connect(f, &c);
		peer_send(f, &spec, 300, 1400);
		front_end(f);
		c.buffers = 128;
		c.sg = c.gso4 = c.gso6 = c.csum4 = c.csum6 = false;
		front_connect(f, &c);
		while (rx_any(f, &packet, 300))
			need(packet.slots == 1 && !packet.gso &&
			     !(packet.flags & NETRXF_csum_blank),
			     "C: %d slots, GSO %d, flags %u", packet.slots, packet.gso,
			     packet.flags);
		alive(f);
		front_end(f);
	}
}

/* What the rings are full of but for requests and answers. */
#define FILL		0xB5

static void filled(struct queue *q)
{
	const uint8_t *rx = (void *)q->rxs, *tx = (void *)q->txs;
	const uint32_t head = (uint8_t *)q->rxs->ring - rx, slot = sizeof(q->rxs->ring[0]);

	/* The four indices are at the beginning. */
	for (uint32_t i = 4 * sizeof(RING_IDX); i < PAGE; i++) {
		uint8_t fill = lie == LIE_CONTENT ? FILL ^ 1 : FILL;

		need(i >= head || (rx[i] == fill && tx[i] == fill),
		     "C: byte %u of a ring's page is written", i);
		need(i < head + q->rx_prod * slot || rx[i] == fill,
		     "C: byte %u of the rx ring is written, with %u buffers posted", i,
		     q->rx_prod);
	}
}

/* Answers with all extra infos there are: nothing is written beside them, and the
 * ledger has seen that these have no byte that means nothing. The frames fit into a slot
 * behind their headroom, or they would be cut up before.
 */
static void b6_10(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_TCP4, 3500, 1, true);
	struct conf c = conf_default;
	struct queue *q = &f->q[0];
	int extras = 0;

	c.ctrl = true;
	c.buffers = 0;
	c.headroom = 256;
	spec.partial = 1;
	front_connect(f, &c);
	need(!ctrl_call(f, XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, 1, 0, 0, NULL), "algorithm");
	need(!ctrl_call(f, XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS, 15, 0, 0, NULL), "flags");
	memset((uint8_t *)q->rxs + 4 * sizeof(RING_IDX), FILL, PAGE - 4 * sizeof(RING_IDX));
	memset((uint8_t *)q->txs + 4 * sizeof(RING_IDX), FILL, PAGE - 4 * sizeof(RING_IDX));
	rx_post(q, 200);
	peer_send(f, &spec, 20, 1400);
	for (int i = 0; i < 20; i++) {
		need(rx_test(f, &packet, COMES), "L: %d of 20 come", i);
		extras += packet.extras;
	}
	need(extras == 60, "%d extra infos with 20 frames", extras);
	filled(q);
	alive(f);
}

static void b6_11(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_UDP4, 60000, 1, true);
	struct peer_msg msg = { .op = PEER_MTU, .count = 62000 };
	struct conf c = conf_default;
	uint64_t expired;

	c.buffers = 4;
	front_connect(f, &c);
	expired = peer_stat(f, "rx_queue_0_drop_expired");
	peer_call(f, &msg);
	peer_send(f, &spec, 1, 0);
	peer_back(f, &f->q[0]);
	need(peer_stat(f, "rx_queue_0_drop_expired") > expired, "it was not dropped");
	msg = (struct peer_msg){ .op = PEER_MTU, .count = 1500 };
	peer_call(f, &msg);
}

/* ---- B1.9: ring pages as buffers ---- */

static void b1_9(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_UDP4, 1400, 1, true);
	struct conf c = conf_default;
	struct queue *q = &f->q[0];

	c.buffers = 0;
	for (int how = 0; how < 3; how++) {
		front_connect(f, &c);
		/* Received data go into a ring; a ring is sent as data. What is to be
		 * received waits for buffers: once these are there, nothing that either
		 * ring says can be relied on.
		 */
		if (how < 2) {
			peer_send(f, &spec, 1, 0);
			for (int i = 0; i < 32; i++)
				rx_post_one(q, i, how ? q->tx_ring.gref : q->rx_ring.gref, true);
			rx_push(q);
			usleep(300000);
		} else {
			for (int i = 0; i < 32; i++)
				tx_put(q, (netif_tx_request_t){ .gref = q->tx_ring.gref,
								.id = i, .size = 1000 });
			tx_push(q);
			need(tx_wait(q, COMES), "L: no answer");
		}
		again(f);
		front_end(f);
	}
}

/* ---- B7: events ---- */

static uint64_t storm(struct front *f, uint32_t ms, bool work)
{
	struct tx_frame t = plain(frame, FRAME_RAW, 60, 1);
	struct queue *q = &f->q[0];
	uint64_t end = now_ms() + ms, n = 0, next = 0;

	for (; now_ms() < end; n++) {
		port_try_kick(q->tx_port);
		port_try_kick(q->rx_port);
		if (f->ctrls)
			port_try_kick(f->ctrl_port);
		if (work && now_ms() != next) {
			next = now_ms();
			tx_look(q);
			if (tx_free(q)) {
				tx_frame(q, &t);
				tx_push(q);
			}
		}
	}
	need(tx_wait(q, COMES), "L: no answer");
	return n;
}

static void storm_case(struct front *f, bool shared, bool work)
{
	struct conf c = conf_default;
	uint64_t begin;

	c.ctrl = true;
	c.shared = shared;
	front_connect(f, &c);
	alive(f);
	note("%lu events on each channel in 3 s", storm(f, 3000, work));
	begin = now_ms();
	alive(f);
	need(now_ms() - begin < 3000, "L: the first answer takes %lu ms", now_ms() - begin);
	begin = now_ms();
	for (int i = 0; i < 20; i++)
		alive(f);
	note("then %lu ms for 20 answers", now_ms() - begin);
	need(ctrl_call(f, XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE, 0, 0, 0, NULL) ==
	     XEN_NETIF_CTRL_STATUS_SUCCESS, "L: the control ring");
}

static void b7_1(struct front *f) { storm_case(f, false, false); }
static void b7_1_shared(struct front *f) { storm_case(f, true, false); }
static void b7_2(struct front *f) { storm_case(f, false, true); }

static void b7_4(struct front *f)
{
	for (int i = 0; i < 10; i++) {
		front_reset(f);
		front_alloc(f, &conf_default);
		port_try_kick(f->q[0].tx_port);
		front_keys(f);
		port_try_kick(f->q[0].rx_port);
		front_state(f, XenbusStateConnected);
		while (backend_state(f) == XenbusStateInitWait)
			port_try_kick(f->q[0].tx_port);
		front_state(f, XenbusStateClosing);
		while (backend_state(f) != XenbusStateClosing)
			port_try_kick(f->q[0].tx_port);
		for (int k = 0; k < 100; k++)
			port_try_kick(f->q[0].rx_port);
		front_end(f);
	}
	again(f);
}

static uint32_t twist_port;
static void twist_rx_port(struct front *f) { key_put(f, "event-channel-rx", "%u", twist_port); }
static void twist_same(struct front *f)
{
	key_put(f, "event-channel-rx", "%u", f->q[0].tx_port);
}
static void twist_queues(struct front *f)
{
	key_put(f, "queue-1/event-channel-tx", "%u", f->q[0].tx_port);
}

static void b7_8(struct front *f)
{
	static const uint32_t ports[] = { 0, 1, 1u << 31, 3000 };
	struct conf c = conf_default;

	/* The same one for both directions is a shared one. */
	need(front_try(f, &c, twist_same), "one channel given twice is refused");
	f->q[0].rx_port = f->q[0].tx_port;
	alive(f);
	front_end(f);
	for (uint32_t i = 0; i < LEN(ports); i++) {
		twist_port = ports[i];
		no_connect(f, &c, twist_rx_port);
	}
	c.queues = 2;
	no_connect(f, &c, twist_queues);
	wait_out();
	again(f);
}

static void b7_9(struct front *f)
{
	struct tx_frame t = plain(frame, FRAME_RAW, 60, 1);
	struct frame_spec spec = frame_spec(FRAME_UDP4, 300, 1, true);
	struct queue *q = &f->q[0];

	front_connect(f, &conf_default);
	alive(f);
	peer_send(f, &spec, 10, 0);
	tx_frame(q, &t);
	tx_push(q);
	/* Our ends are gone; others may get the numbers. */
	port_free(q->tx_port);
	port_free(q->rx_port);
	usleep(300000);
	q->tx_port = port_new(f->backend_id);
	q->rx_port = port_new(f->backend_id);
	port_try_kick(q->tx_port);
	again(f);
}

/* ---- B8: the control ring ---- */

static void with_ctrl(struct front *f, int queues)
{
	struct conf c = conf_default;

	c.ctrl = true;
	c.queues = queues;
	front_connect(f, &c);
	alive(f);
}

static void b8_2(struct front *f)
{
	struct xen_netif_ctrl_request req = { .type = XEN_NETIF_CTRL_TYPE_SET_HASH_KEY };
	struct xen_netif_ctrl_response rsp;
	uint64_t end, n = 0;

	with_ctrl(f, 1);
	req.data[0] = f->ctrl_page.gref;
	req.data[1] = 40;
	for (end = now_ms() + 3000; now_ms() < end;) {
		while (f->ctrl_prod - f->ctrl_cons < CTRL_RING)
			ctrl_put(f, &req);
		ctrl_push(f);
		while (ctrl_take(f, &rsp, 0))
			n++;
	}
	while (f->ctrl_cons != f->ctrl_prod)
		need(ctrl_take(f, &rsp, COMES), "L: messages are not answered");
	note("%lu messages in 3 s", n);
	alive(f);
}

static void b8_3(struct front *f)
{
	struct xen_netif_ctrl_response rsp;

	with_ctrl(f, 1);
	rnd_seed(83);
	for (int i = 0; i < 4000; i++) {
		struct xen_netif_ctrl_request req = {
			.id = i, .type = i & 1 ? rnd(12) : rnd(65536),
			.data = { rnd(2) ? f->ctrl_page.gref : rnd(~0u), rnd(2) ? rnd(200) : rnd(~0u),
				  rnd(2) ? rnd(200) : rnd(~0u) },
		};

		for (int k = 0; k < 64; k++)
			f->ctrl_page.va[rnd(PAGE)] = rnd(256);
		if (f->ctrl_prod - f->ctrl_cons >= 100) {
			ctrl_push(f);
			while (f->ctrl_cons != f->ctrl_prod)
				need(ctrl_take(f, &rsp, COMES), "L: no answer");
		}
		ctrl_put(f, &req);
		if (i % 7 == 0)
			ctrl_push(f);
	}
	ctrl_push(f);
	while (f->ctrl_cons != f->ctrl_prod) {
		need(ctrl_take(f, &rsp, COMES), "L: no answer");
		need(rsp.status <= 3, "C: status %u", rsp.status);
	}
	alive(f);
}

/* A mapping to the second of two queues is gone when there is but one. */
static void b8_5(struct front *f)
{
	uint32_t *map;

	with_ctrl(f, 2);
	map = (void *)f->ctrl_page.va;
	need(!ctrl_call(f, XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, 1, 0, 0, NULL), "algorithm");
	need(!ctrl_call(f, XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS, 15, 0, 0, NULL), "flags");
	need(!ctrl_call(f, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE, 128, 0, 0, NULL), "size");
	for (int i = 0; i < 128; i++)
		map[i] = 1;
	need(!ctrl_call(f, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, f->ctrl_page.gref, 128, 0, NULL),
	     "mapping");
	for (int i = 0; i < 128; i++)
		map[i] = i == 77 ? 2 : 0;
	need(ctrl_call(f, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, f->ctrl_page.gref, 128, 0, NULL) ==
	     XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER, "a mapping to queue 2 of 2 is taken");
	alive(f);
	front_end(f);
	with_ctrl(f, 1);
}

static void b8_6(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_TCP4, 300, 1, true);

	with_ctrl(f, 2);
	for (int i = 0; i < 15; i++) {
		peer_send(f, &spec, 50, 0);
		for (int k = 0; k < 10; k++) {
			ctrl_call(f, XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, k & 1, 0, 0, NULL);
			ctrl_call(f, XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS, k, 0, 0, NULL);
			ctrl_call(f, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE, k * 13, 0, 0, NULL);
			while (rx_any(f, &packet, 0))
				;
		}
	}
	while (rx_any(f, &packet, 500))
		;
	alive(f);
}

static void eagain(struct front *f)
{
	(void)f;
	skip("paged-out pages need a pager and an HVM guest; the unit tests answer GNTST_eagain");
}

const struct test attacks_rx[] = {
	{ "b1_9", "B1.9 rings as buffers", b1_9 },
	{ "b6_1", "B6.1 no buffers, one queue", b6_1 },
	{ "b6_1_q2", "B6.1 no buffers, two queues", b6_1_q2 },
	{ "b6_2", "B6.2 one buffer too few, for ever", b6_2 },
	{ "b6_3", "B6.3 one buffer at a time", b6_3 },
	{ "b6_4", "B6.4 buffers taken back", b6_4 },
	{ "b6_4_ro", "B5.4 buffers that the host may not write", b6_4_ro },
	{ "b6_5", "B6.5 one buffer for all, one id for all", b6_5 },
	{ "b6_6", "B6.6 bad grants among the buffers", b6_6 },
	{ "b6_7", "B6.7 no buffers and no word about it", b6_7 },
	{ "b6_8", "B6.8 any headroom", b6_8 },
	{ "b6_8_live", "B6.8 headroom changed again and again", b6_8_live },
	{ "b6_9", "B6.9 offloads gone while packets wait", b6_9 },
	{ "b6_10", "B6.10 every byte that is not the answer's", b6_10 },
	{ "b6_11", "B6.11 a packet that never fits", b6_11 },
	{ "b5_8", "B5.8 pages that are paged out", eagain },
	{ "b7_1", "B7.1, B7.3 a storm of events, split channels", b7_1 },
	{ "b7_1_shared", "B7.1, B7.3 a storm of events, one channel", b7_1_shared },
	{ "b7_2", "B7.2 a storm of events with a little work", b7_2 },
	{ "b7_4", "B7.4 events at the wrong time", b7_4 },
	{ "b7_8", "B7.8 channels that are none", b7_8 },
	{ "b7_9", "B7.9 channels closed on our side", b7_9 },
	{ "b8_2", "B8.2 a full control ring", b8_2 },
	{ "b8_3", "B8.3, B8.4, B8.7 any control message", b8_3 },
	{ "b8_5", "B8.5 mappings to queues that are not there", b8_5 },
	{ "b8_6", "B8.6 hash settings changed under traffic", b8_6 },
	{}
};
