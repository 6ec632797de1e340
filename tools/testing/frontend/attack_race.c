// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What takes two processors of the guest's: one does as a frontend does, the other
 * changes what the first one has posted, or raises events, at any moment.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "cases.h"

#define BAD_GREF	0x00FFFFFF
#define LEN(a)		(sizeof(a) / sizeof(*(a)))

static uint8_t frame[FRAME_MAX];
static struct rx_packet packet;

/* ---- the second processor ---- */

static pthread_t other;
static volatile bool other_stops;
static void (*other_step)(struct front *f, uint32_t n);
static uint32_t other_n;

static void on_processor(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *other_main(void *f)
{
	on_processor(1);
	while (!other_stops)
		other_step(f, other_n++);
	return NULL;
}

/* step is called there again and again, until other_stop(). */
static void other_start(struct front *f, void (*step)(struct front *f, uint32_t n))
{
	if (get_nprocs() < 2)
		skip("the guest has one processor");
	on_processor(0);
	other_stops = false;
	other_step = step;
	other_n = 0;
	need(!pthread_create(&other, NULL, other_main, f), "no second thread");
}

static uint32_t other_stop(void)
{
	other_stops = true;
	pthread_join(other, NULL);
	return other_n;
}

/* Its own: rnd() is the other one's. */
static uint32_t other_rnd(uint32_t n)
{
	static uint32_t x = 88172645;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x % n;
}

/* ---- B2.18: the tx ring ---- */

/* What a request may say: whatever is read of it when, it is one of these. Id and size
 * are one word and change together, so a request that is copied once has the size that
 * goes with its id: the answer tells. The last one is too long.
 */
static const struct form { uint16_t id, size; } forms[] = {
	{ 0x1111, 100 }, { 0x2222, 1000 }, { 0x3333, 65535 },
};
static const uint16_t offsets[] = { 0, 2048 };

/* Slots that are posted at once: few, so that each changes often. */
#define RACE_SLOTS	8

/* All but the grant: where that was is the answer, once there is one. */
static void change_one(struct queue *q, uint32_t i, uint32_t n)
{
	volatile netif_tx_request_t *req = &q->txs->ring[i % RING].req;
	const struct form *form = &forms[other_rnd(LEN(forms))];
	volatile uint32_t *word = (volatile void *)&req->id;

	*word = form->id | (uint32_t)form->size << 16;
	if (n % 64)
		return;
	req->offset = offsets[other_rnd(2)];
	req->flags = other_rnd(2) ? NETTXF_data_validated : 0;
}

static void change_slot(struct front *f, uint32_t n)
{
	struct queue *q = &f->q[0];
	uint32_t prod = *(volatile uint32_t *)&q->tx_prod;

	change_one(q, prod - 1 - other_rnd(RACE_SLOTS), n);
}

static void change_slot_chained(struct front *f, uint32_t n)
{
	union netif_tx_sring_entry *ring = f->q[0].txs->ring;
	/* What says that there are more extra infos is a part of the grant. If it did
	 * none would be the last, and a ring full of such breaks the connection.
	 */
	bool endless = ring[(n + 1) % RING].req.gref >> 8 & XEN_NETIF_EXTRA_FLAG_MORE;

	change_one(&f->q[0], n, n);
	ring[n % RING].req.flags = other_rnd(4) ? NETTXF_more_data : other_rnd(endless ? 8 : 16);
}

/* Posts n slots of their own; they are not the ledger's, as they change. */
static void race_slots(struct queue *q, uint32_t n)
{
	netif_tx_request_t req = { .id = forms[0].id, .size = forms[0].size };

	while (n--) {
		req.gref = q->tx[q->tx_prod % RING].gref;
		tx_put(q, req);
		q->tx_led[(q->tx_prod - 1) % RING].own = true;
	}
	tx_push(q);
}

/* Each of the last n slots is answered with an id it has had; counts them by form. */
static void race_answers(struct queue *q, uint32_t n, bool whole, uint32_t count[])
{
	for (uint32_t i = q->tx_prod - n; i != q->tx_prod; i++) {
		netif_tx_response_t rsp = q->txs->ring[i % RING].rsp;
		bool good;
		uint32_t k;

		for (k = 0; k < LEN(forms) && forms[k].id != rsp.id; k++)
			;
		need(k < LEN(forms), "C: slot %u is answered with id %x", i, rsp.id);
		need(rsp.status == NETIF_RSP_OKAY || rsp.status == NETIF_RSP_ERROR ||
		     (!whole && rsp.status == NETIF_RSP_NULL), "C: slot %u: status %d", i,
		     rsp.status);
		good = (rsp.status == NETIF_RSP_OKAY) ^ (lie == LIE_STATUS);
		need(!whole || good == (k < 2), "C: slot %u has id %x and size %u: status %d", i,
		     rsp.id, forms[k].size, rsp.status);
		count[k]++;
	}
}

/* The same frame in all pages; messages have overwritten some. */
static void race_pages(struct queue *q)
{
	plain(frame, FRAME_RAW, 1000, 1);
	for (int i = 0; i < RING; i++)
		for (int k = 0; k < 2; k++)
			memcpy(q->tx[i].va + offsets[k], frame, 1000);
}

static void race_start(struct front *f)
{
	front_connect(f, &conf_default);
	alive(f);
	race_pages(&f->q[0]);
}

/* Of the last n frames that the host has got, those that are a form's, and whole. */
static uint32_t race_whole(struct front *f, uint32_t n, const struct form *form)
{
	struct peer_msg msg = { .op = PEER_SAME, .count = n };

	msg.seen.len = form->size;
	msg.seen.crc = crc(frame, form->size);
	peer_call(f, &msg);
	return msg.value[0];
}

/* Each slot a frame: as many as are answered OKAY arrive, and they are whole. */
static void race_tx(struct front *f)
{
	struct queue *q = &f->q[0];
	uint64_t before, after, end;
	uint32_t all = 0, changes = 0;

	race_start(f);
	for (end = now_ms() + times(3000); now_ms() < end; all += 1024) {
		uint32_t count[LEN(forms)] = {}, okay;

		peer_seen(f, 0, &before);
		race_pages(q);
		other_start(f, change_slot);
		/* As many as the peer remembers. */
		for (int i = 0; i < 1024 / RACE_SLOTS; i++) {
			race_slots(q, RACE_SLOTS);
			need(tx_wait(q, COMES), "L: no answer");
			race_answers(q, RACE_SLOTS, true, count);
		}
		changes += other_stop();
		peer_seen(f, 0, &after);
		okay = count[0] + count[1];
		need(after - before == okay, "%u frames are answered OKAY, %lu arrive", okay,
		     after - before);
		for (int k = 0; k < 2; k++) {
			uint32_t whole = race_whole(f, okay, &forms[k]);

			need(whole == count[k], "of %u bytes %u are answered for, %u arrive",
			     forms[k].size, count[k], whole);
		}
	}
	note("%u slots, changed %u times", all, changes);
	alive(f);
}

/* Frames and extra infos begin and end as the other one likes. */
static void race_ends(struct front *f)
{
	uint32_t count[LEN(forms)] = {};
	struct queue *q = &f->q[0];
	uint32_t n = 0, changes = 0;
	uint64_t end;

	for (int turn = 0; turn < times(1); turn++) {
		race_start(f);
		other_start(f, change_slot_chained);
		for (end = now_ms() + 1000; now_ms() < end; n++) {
			race_slots(q, tx_free(q));
			port_wait(5);
			tx_look(q);
		}
		changes += other_stop();
		/* The last one has an end now, however it was read. */
		for (end = now_ms() + COMES; tx_free(q) < RING / 2; tx_look(q)) {
			need(now_ms() < end, "L: no answers to %u slots", RING - tx_free(q));
			race_slots(q, tx_free(q));
			port_wait(5);
		}
		race_slots(q, 2);
		need(tx_wait(q, COMES), "L: no answer");
		race_answers(q, RING, false, count);
		need(backend_state(f) == XenbusStateConnected, "the connection breaks");
		alive(f);
		front_end(f);
	}
	note("%u times a full ring, changed %u times", n, changes);
}

/* Any byte of the ring, grants and indices included. The producer says nothing that
 * is impossible; whatever breaks the connection otherwise, the next one works.
 */
static void change_anything(struct front *f, uint32_t n)
{
	struct queue *q = &f->q[0];
	volatile uint8_t *bytes = (void *)q->txs->ring;

	bytes[other_rnd(RING * sizeof(q->txs->ring[0]))] = other_rnd(256);
	switch (n % 16) {
	case 0:
		*(volatile uint32_t *)&q->txs->req_event = n;
		break;
	case 4:
		*(volatile uint32_t *)&q->txs->rsp_event = n;
		break;
	case 8:
		*(volatile uint32_t *)&q->txs->req_prod = q->tx_prod - other_rnd(8);
		break;
	case 12:
		*(volatile uint32_t *)&q->txs->req_prod = q->tx_prod;
		break;
	}
}

static void race_any(struct front *f)
{
	uint32_t n = 0, changes = 0;
	uint64_t end;

	race_ends(f);
	for (int turn = 0; turn < times(1); turn++) {
		struct queue *q = &f->q[0];

		race_start(f);
		other_start(f, change_anything);
		for (end = now_ms() + 1000; now_ms() < end; n++) {
			race_slots(q, tx_free(q));
			port_try_kick(q->tx_port);
			port_wait(5);
			tx_look(q);
		}
		changes += other_stop();
		again(f);
		front_end(f);
	}
	note("%u times a full ring, %u bytes changed", n, changes);
}

/* ---- the rx ring ---- */

/* Not more than these are posted. */
#define RACE_BUFS	128

/* Grants that may be written, that may be read only, that are none; the id, too. */
static void change_buffer(struct front *f, uint32_t n)
{
	struct queue *q = &f->q[0];
	volatile netif_rx_request_t *req = &q->rxs->ring[n % RING].req;

	switch (other_rnd(4)) {
	case 0:
		req->gref = q->tx[other_rnd(RING)].gref;
		break;
	case 1:
		req->gref = BAD_GREF;
		break;
	default:
		req->gref = q->rx[other_rnd(RACE_BUFS)].gref;
	}
	req->id = other_rnd(65536);
}

static void rx_untouched(struct queue *q)
{
	for (int i = RACE_BUFS; i < RING; i++)
		for (int k = 0; k < PAGE; k++)
			need(q->rx[i].va[k] == CANARY && q->tx[i].va[k] == (uint8_t)(i ^ k),
			     "C: a page is written that was for nobody to write");
	need(lie != LIE_CONTENT, "C: a page is written, as it was to be");
}

static void race_rx(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_UDP4, 300, 1, true);
	struct conf c = conf_default;
	struct queue *q = &f->q[0];
	uint32_t got = 0, changes = 0;

	c.buffers = 0;
	for (int turn = 0; turn < times(3); turn++) {
		uint64_t end = now_ms() + COMES;

		front_connect(f, &c);
		peer_send(f, &spec, 600, 0);
		for (int i = 0; i < RING; i++) {
			memset(q->rx[i].va, CANARY, PAGE);
			for (int k = 0; k < PAGE; k++)
				q->tx[i].va[k] = i ^ k;
		}
		other_start(f, change_buffer);
		for (got = 0; got < 400; got = q->rxs->rsp_prod) {
			need(got <= q->rx_prod, "C: %u buffers posted, %u answered", q->rx_prod,
			     got);
			need(now_ms() < end, "L: %u buffers are taken", got);
			/* There is no reading what the other one has written over. */
			q->rx_cons = got;
			while (q->rx_prod - q->rx_cons < RACE_BUFS) {
				q->rxs->ring[q->rx_prod % RING].req.gref =
					q->rx[q->rx_prod % RACE_BUFS].gref;
				q->rx_prod++;
			}
			q->rxs->req_prod = q->rx_prod;
			port_kick(q->rx_port);
			port_wait(5);
		}
		changes += other_stop();
		rx_untouched(q);
		front_end(f);
	}
	note("changed %u times", changes);
	again(f);
}

/* ---- the control ring ---- */

/* The mapping, and how much of it there is said to be. */
static void change_mapping(struct front *f, uint32_t n)
{
	static const uint32_t queues[] = { 0, 1, 2, 255, ~0u };
	volatile struct xen_netif_ctrl_request *req = &f->ctrls->ring[n % CTRL_RING].req;
	volatile uint32_t *map = (void *)f->ctrl_page.va;

	map[n % 128] = other_rnd(3) ? n & 1 : queues[other_rnd(5)];
	if (n % 8)
		return;
	req->data[1] = other_rnd(4) ? 4 : other_rnd(200);
	req->data[2] = other_rnd(4) ? 0 : other_rnd(200);
}

static void race_ctrl(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_TCP4, 300, 1, true);
	uint32_t taken = 0, n = 0, changes;
	struct conf c = conf_default;
	uint64_t end;

	c.queues = 2;
	c.ctrl = true;
	front_connect(f, &c);
	alive(f);
	ctrl_call(f, XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, 1, 0, 0, NULL);
	ctrl_call(f, XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS, 15, 0, 0, NULL);
	ctrl_call(f, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE, 128, 0, 0, NULL);
	other_start(f, change_mapping);
	for (end = now_ms() + times(1000); now_ms() < end; n++) {
		uint32_t status = ctrl_call(f, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING,
					    f->ctrl_page.gref, 4, n % 125, NULL);

		need(status <= XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW, "C: status %u", status);
		taken += !status;
	}
	changes = other_stop();
	note("%u of %u mappings are taken, changed %u times", taken, n, changes);
	/* None of them leads anywhere else than to a queue. */
	for (int i = 0; i < 4; i++) {
		spec.seed = i * 100;
		peer_send(f, &spec, 60, 0);
		for (int k = 0; k < 60; k++)
			need(rx_test(f, &packet, COMES), "L: a frame is lost");
	}
	alive(f);
}

/* ---- B6.12: both post buffers ---- */

static struct rx_packet other_packet;
static volatile uint32_t other_got;

static void take_second(struct front *f, uint32_t n)
{
	(void)n;
	while (rx_take(&f->q[1], &other_packet))
		other_got = other_got + 1;
	usleep(200);
}

static void b6_12(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_UDP4, 300, 1, true);
	struct conf c = conf_default;
	uint32_t got = 0;

	c.queues = 2;
	for (int turn = 0; turn < times(2); turn++) {
		front_connect(f, &c);
		other_got = 0;
		other_start(f, take_second);
		spec.seed = turn * 100;
		peer_send(f, &spec, 600, 0);
		for (uint64_t end = now_ms() + COMES;
		     got + other_got < 600u * (turn + 1) && now_ms() < end; port_wait(5)) {
			tx_look(&f->q[0]);
			while (rx_take(&f->q[0], &packet))
				got++;
		}
		other_stop();
		got += other_got;
		alive(f);
		front_end(f);
	}
	note("%u frames", got);
	need(got > 100, "L: %u frames come", got);
	again(f);
}

/* ---- B7: events ---- */

static void kick_all(struct front *f, uint32_t n)
{
	(void)n;
	port_try_kick(f->q[0].tx_port);
	port_try_kick(f->q[0].rx_port);
}

/* The host takes the interface down and up meanwhile; and, see hostile.sh, moves the
 * interrupts about.
 */
static void b7_5(struct front *f)
{
	struct conf c = conf_default;
	uint32_t n = 0, events = 0;
	uint64_t begin;

	for (int shared = 0; shared < 2; shared++) {
		c.shared = shared;
		front_connect(f, &c);
		alive(f);
		other_start(f, kick_all);
		for (begin = now_ms(); now_ms() < begin + times(1000); n++) {
			struct peer_msg msg = { .op = PEER_LINK, .gap_us = n % 5 * 1000 };

			peer_call(f, &msg);
		}
		events += other_stop();
		begin = now_ms();
		alive(f);
		need(now_ms() - begin < 3000, "L: the first answer takes %lu ms",
		     now_ms() - begin);
		for (int i = 0; i < 10; i++)
			alive(f);
		front_end(f);
	}
	note("%u times down and up, %u events on each channel", n, events);
	again(f);
}

/* While what waits for buffers grows old, and while it goes one by one. */
static void b7_7(struct front *f)
{
	struct frame_spec large = frame_spec(FRAME_TCP4, 60000, 1, true);
	struct conf c = conf_default;
	struct queue *q = &f->q[0];
	uint64_t expired, end;
	uint32_t events;

	front_connect(f, &c);
	expired = peer_stat(f, "rx_queue_0_drop_expired");
	front_end(f);
	c.buffers = 0;
	large.partial = 1;
	front_connect(f, &c);
	other_start(f, kick_all);
	peer_send(f, &large, 20, 1400);
	for (end = now_ms() + 2500; now_ms() < end; usleep(10000))
		need(q->rxs->rsp_prod == q->rx_cons, "C: answers without buffers");
	q->rx_target = 1;
	rx_post(q, 1);
	for (int n = 0; n < 30;) {
		struct peer_msg msg = { .op = PEER_PING };

		/* It may have stalled, and then has no carrier at once. */
		if (peer_try(f, q, &msg, n ? COMES : 1000))
			n++;
		else
			need(!n && now_ms() < end + COMES, "L: %d messages come back", n);
	}
	events = other_stop();
	q->rx_target = 128;
	rx_post(q, 127);
	alive(f);
	note("%u events", events);
	need(peer_stat(f, "rx_queue_0_drop_expired") > expired, "nothing was dropped for its age");
}

const struct test attacks_race[] = {
	{ "race_tx", "B2.18 slots changed by a second processor", race_tx },
	{ "race_any", "B1.4, B2.18 a tx ring that a second processor scribbles over", race_any },
	{ "race_rx", "B5.6, B6.6 buffers exchanged by a second processor", race_rx },
	{ "race_ctrl", "B8.5 a mapping changed by a second processor", race_ctrl },
	{ "b6_12", "B6.12 two processors post buffers", b6_12 },
	{ "b7_5", "B7.5 a storm of events while the interface goes down and up", b7_5 },
	{ "b7_7", "B7.7 a storm of events while packets grow old", b7_7 },
	{}
};
