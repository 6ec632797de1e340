// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a guest can keep up without end, good or bad, until it is told to stop: what
 * that costs the host is measured meanwhile from outside (selftests/cost.sh).
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"

#define BAD_GREF	0x00FFFFFF
#define LEN(a)		(sizeof(a) / sizeof(*(a)))

/* Where it says, in the guest's directory, that it is under way. */
#define FLOOD_KEY	"data/flood"

/* Of a page each, in one packet. */
#define LARGE_SLOTS	16
#define LARGE_SLOT	4000

/* More slots than a packet may have. */
#define MANY_SLOTS	64

struct flood {
	const char *id, *title;
	void (*begin)(struct front *f);		/* NULL: connect */
	/* Returns how much of it was done. */
	uint64_t (*step)(struct front *f);	/* NULL: fill the tx ring */
	void (*put)(struct queue *q, uint32_t i);
	uint32_t slots;				/* that put takes */
	void (*end)(struct front *f);
};

static const struct flood *flood;
static volatile sig_atomic_t stopped;
static uint8_t frame[FRAME_MAX];
static int queues;

static void on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static struct conf conf(void)
{
	struct conf c = conf_default;

	c.queues = queues;
	return c;
}

static void begin(struct front *f)
{
	struct conf c = conf();

	front_connect(f, &c);
}

static void begin_ctrl(struct front *f)
{
	struct conf c = conf();

	c.ctrl = true;
	front_connect(f, &c);
}

static uint64_t nothing(struct front *f)
{
	(void)f;
	port_wait(20);
	return 0;
}

/* ---- the tx ring ---- */

/* Until there is room, or for a moment. One event tells of many answers. */
static void tx_room(struct queue *q, uint32_t slots)
{
	uint32_t open;

	tx_look(q);
	open = q->tx_prod - q->tx_cons;
	if (RING - open >= slots)
		return;
	q->txs->rsp_event = q->tx_cons + (open > RING / 2 ? RING / 2 : open);
	__sync_synchronize();
	if (!tx_look(q))
		port_wait(20);
}

/* As many as fit. */
static uint64_t tx_fill(struct front *f)
{
	struct queue *q = &f->q[0];
	static uint32_t i;
	uint64_t n = 0;

	for (; tx_free(q) >= flood->slots; n++)
		flood->put(q, i++);
	if (n)
		tx_push(q);
	tx_room(q, flood->slots);
	return n;
}

static void slot(struct queue *q, uint32_t gref, uint16_t flags, uint16_t offset, uint16_t size)
{
	netif_tx_request_t req = { .gref = gref, .flags = flags, .offset = offset,
				   .size = size, .id = q->tx_prod };

	tx_put(q, req);
}

/* More data in further slots, each of so many bytes. */
static void slots(struct queue *q, uint16_t size, uint32_t n, uint16_t each)
{
	for (uint32_t i = 0; i < n; i++)
		slot(q, q->tx[0].gref, i < n - 1 ? NETTXF_more_data : 0, 0, i ? each : size);
}

static void put_honest(struct queue *q, uint32_t i)
{
	static struct tx_frame t;

	(void)i;
	if (!t.len)
		t = plain(frame, FRAME_UDP4, 64, 1);
	tx_frame(q, &t);
}

static void put_grant(struct queue *q, uint32_t i) { slot(q, BAD_GREF + i % 64, 0, 0, 64); }

static void put_range(struct queue *q, uint32_t i)
{
	(void)i;
	slot(q, q->tx[0].gref, 0, PAGE - 100, 200);
}

static void put_short(struct queue *q, uint32_t i)
{
	(void)i;
	slot(q, q->tx[0].gref, 0, 0, 0);
}

static void put_slots(struct queue *q, uint32_t i)
{
	(void)i;
	slots(q, 1000, MANY_SLOTS, 1);
}

static void put_empty(struct queue *q, uint32_t i)
{
	(void)i;
	slots(q, 64, 18, 0);
}

static void put_crumbs(struct queue *q, uint32_t i)
{
	(void)i;
	slots(q, 82, 19, 1);
}

static void put_large(struct queue *q, uint32_t i)
{
	(void)i;
	slots(q, LARGE_SLOTS * LARGE_SLOT, LARGE_SLOTS, LARGE_SLOT);
}

/* All is copied, but for the last piece. */
static void put_wasted(struct queue *q, uint32_t i)
{
	put_large(q, i);
	q->tx_led[(q->tx_prod - 1) % RING].req.gref = BAD_GREF;
	q->txs->ring[(q->tx_prod - 1) % RING].req.gref = BAD_GREF;
}

static void put_extra(struct queue *q, uint32_t i)
{
	slot(q, q->tx[0].gref, NETTXF_extra_info, 0, 64);
	tx_put_extra(q, (netif_extra_info_t){ .type = 6 + i % 200 });
}

static void put_mcast(struct queue *q, uint32_t i)
{
	netif_extra_info_t extra = {
		.type = i & 1 ? XEN_NETIF_EXTRA_TYPE_MCAST_DEL : XEN_NETIF_EXTRA_TYPE_MCAST_ADD,
		.u.mcast.addr = { 1, 0, 0x5E, 2, 0, i % 70 },
	};

	slot(q, 0, NETTXF_extra_info, 0, 0);
	tx_put_extra(q, extra);
}

static void put_gso(struct queue *q, uint32_t i)
{
	(void)i;
	slot(q, q->tx[0].gref, NETTXF_extra_info | NETTXF_csum_blank | NETTXF_data_validated, 0,
	     3000);
	tx_put_extra(q, gso_extra(XEN_NETIF_GSO_TYPE_TCPV4, 48));
}

/* What slot() sends is a TCP frame, as far as it goes. */
static void begin_raw(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_TCP4, 3000, 1, false);

	begin(f);
	spec.partial = 1;
	frame_make(f->q[0].tx[0].va, &spec);
}

/* One frame whose IPv6 header is followed by nothing but empty extension headers; every
 * other one wants a checksum filled in.
 */
static void put_exts(struct queue *q, uint32_t i)
{
	uint16_t blank = i & 1 ? NETTXF_csum_blank : 0;

	for (uint32_t n = 0; n < LARGE_SLOTS; n++)
		slot(q, q->tx[!!n].gref,
		     blank | (n < LARGE_SLOTS - 1 ? NETTXF_more_data : 0), 0,
		     n ? LARGE_SLOT : LARGE_SLOTS * LARGE_SLOT);
}

static void begin_exts(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_TCP6, LARGE_SLOTS * LARGE_SLOT, 1, false);

	begin(f);
	spec.partial = 1;
	frame_make(frame, &spec);
	memcpy(f->q[0].tx[0].va, frame, 54);
	f->q[0].tx[0].va[20] = 0;
	memset(f->q[0].tx[0].va + 54, 0, PAGE - 54);
	memset(f->q[0].tx[1].va, 0, PAGE);
}

/* ---- events ---- */

static uint64_t kick(uint32_t port)
{
	for (int i = 0; i < 100; i++)
		port_try_kick(port);
	return 100;
}

static uint64_t kick_tx(struct front *f) { return kick(f->q[0].tx_port); }
static uint64_t kick_rx(struct front *f) { return kick(f->q[0].rx_port); }
static uint64_t kick_ctrl(struct front *f) { return kick(f->ctrl_port); }

static void begin_shared(struct front *f)
{
	struct conf c = conf();

	c.shared = true;
	front_connect(f, &c);
}

/* An event for each packet, asked for or not. */
static uint64_t kick_work(struct front *f)
{
	struct queue *q = &f->q[0];

	if (!tx_free(q)) {
		tx_room(q, 1);
		return 0;
	}
	put_honest(q, 0);
	__sync_synchronize();
	q->txs->req_prod = q->tx_prod;
	port_try_kick(q->tx_port);
	tx_look(q);
	return 1;
}

/* ---- the control ring ---- */

static uint64_t ctrl_fill(struct front *f)
{
	struct xen_netif_ctrl_request req = {
		.type = XEN_NETIF_CTRL_TYPE_SET_HASH_KEY,
		.data = { f->ctrl_page.gref, 40 },
	};
	struct xen_netif_ctrl_response rsp;
	uint64_t n = 0;

	while (f->ctrl_prod - f->ctrl_cons < CTRL_RING)
		ctrl_put(f, &req);
	ctrl_push(f);
	while (ctrl_take(f, &rsp, n ? 0 : 20))
		n++;
	return n;
}

static struct page list;

static void list_make(struct front *f, const struct queue *q)
{
	struct xen_netif_gref *entry;

	if (!list.va)
		page_new(&list, 1, true, f->backend_id);
	entry = (void *)list.va;
	for (int i = 0; i < RING; i++) {
		entry[i] = (struct xen_netif_gref){ .ref = q->tx[i].gref,
						    .flags = XEN_NETIF_CTRLF_GREF_readonly };
		entry[RING + i] = (struct xen_netif_gref){ .ref = q->rx[i].gref };
	}
}

static void list_call(struct front *f, uint16_t type, const struct queue *q)
{
	list_make(f, q);
	need(!ctrl_call(f, type, q->id, list.gref, 2 * RING, NULL), "%u grants: message %u fails",
	     2 * RING, type);
}

/* All pages that a queue may have mapped, again and again. */
static uint64_t maps(struct front *f)
{
	list_call(f, XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING, &f->q[0]);
	list_call(f, XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING, &f->q[0]);
	return 2;
}

/* ---- xenstore, and connections ---- */

static uint64_t states(struct front *f)
{
	static const char * const odd[] = { "2", "3", "7", "9", "90", "-1", "4 ", "4294967300" };

	key_put(f, "state", "%s", odd[rnd(LEN(odd))]);
	return 1;
}

static void connected(struct front *f)
{
	front_state(f, XenbusStateConnected);
	/* What it has been told before that takes its time. */
	usleep(500000);
}

static uint64_t watched(struct front *f)
{
	static uint32_t i;

	key_put(f, "request-multicast-control", "%u", i++ & 1);
	return 1;
}

static uint64_t reconnect(struct front *f)
{
	struct conf c = conf();

	front_end(f);
	front_connect(f, &c);
	return 1;
}

static uint64_t corrupt(struct front *f)
{
	struct queue *q = &f->q[0];

	q->txs->req_prod = q->tx_cons + RING + 1;
	__sync_synchronize();
	port_kick(q->tx_port);
	need(backend_wait(f, XenbusStateClosing, COMES), "X: the connection does not break");
	return reconnect(f);
}

static void bad_port(struct front *f) { key_put(f, "event-channel-rx", "%u", 3000); }

static void leave(struct front *f) { front_end(f); }

static uint64_t unconnected(struct front *f)
{
	struct conf c = conf();

	need(!front_try(f, &c, bad_port), "the backend takes a connection that is none");
	front_end(f);
	return 1;
}

/* Until the backend looks at connections again. */
static void refused_out(struct front *f)
{
	(void)f;
	usleep(FAILED_INTERVAL_US);
}

/* ---- the rx ring ---- */

static void begin_starved(struct front *f)
{
	struct conf c = conf();

	c.buffers = 0;
	front_connect(f, &c);
}

static void rx_give(struct queue *q, bool bad)
{
	uint32_t i = q->rx_prod++ % RING;

	q->rxs->ring[i].req = (netif_rx_request_t){
		.id = i, .gref = bad ? BAD_GREF : q->rx[i].gref,
	};
}

/* Takes what comes and looks at none of it; most buffers there are at a time. */
static uint64_t rx_keep(struct front *f, uint32_t most, bool bad)
{
	struct queue *q = &f->q[0];
	uint32_t rsp = *(volatile uint32_t *)&q->rxs->rsp_prod;
	uint64_t n = rsp - q->rx_cons;

	q->rx_cons = rsp;
	while (q->rx_prod - q->rx_cons < most)
		rx_give(q, bad);
	rx_push(q);
	if (n)
		return n;
	q->rxs->rsp_event = rsp + 1;
	__sync_synchronize();
	if (*(volatile uint32_t *)&q->rxs->rsp_prod == rsp)
		port_wait(20);
	return 0;
}

static uint64_t rx_all(struct front *f) { return rx_keep(f, RING, false); }
static uint64_t rx_one(struct front *f) { return rx_keep(f, 1, false); }
static uint64_t rx_bad(struct front *f) { return rx_keep(f, RING, true); }

/* ---- memory ---- */

static void map_all(struct front *f)
{
	for (int i = 0; i < f->conf.queues; i++)
		list_call(f, XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING, &f->q[i]);
}

static void begin_maps(struct front *f)
{
	begin_ctrl(f);
	map_all(f);
}

/* A few buffers, and no more: the host's byte queue limits take note of what is sent, and
 * would have all other packets wait elsewhere if none were.
 */
static void begin_hoard(struct front *f)
{
	struct conf c = conf();

	c.ctrl = true;
	c.buffers = 32;
	front_connect(f, &c);
	map_all(f);
}

/* Large packets from each queue, so often that none of its memory goes back. */
static uint64_t pools(struct front *f)
{
	uint64_t n = 0;

	for (int i = 0; i < f->conf.queues; i++) {
		struct queue *q = &f->q[i];

		for (; tx_free(q) >= LARGE_SLOTS; n++)
			put_large(q, 0);
		tx_push(q);
		need(tx_wait(q, COMES), "L: no answer");
	}
	usleep(100000);
	return n;
}

static const struct flood floods[] = {
	{ "idle", "a connection", .step = nothing },
	{ "honest", "64 byte packets", .put = put_honest, .slots = 1 },
	{ "grant", "grants that are none", .put = put_grant, .slots = 1 },
	{ "range", "data over the end of a page", .put = put_range, .slots = 1 },
	{ "short", "packets of no bytes", .put = put_short, .slots = 1 },
	{ "slots", "64 slots in a packet", .put = put_slots, .slots = MANY_SLOTS },
	{ "empty", "17 slots without data", .begin = begin_raw, .put = put_empty, .slots = 18 },
	{ "crumbs", "18 slots of one byte", .begin = begin_raw, .put = put_crumbs, .slots = 19 },
	{ "large", "64000 bytes", .begin = begin_raw, .put = put_large, .slots = LARGE_SLOTS },
	{ "wasted", "64000 bytes, the last grant is none",
	  .begin = begin_raw, .put = put_wasted, .slots = LARGE_SLOTS },
	{ "extra", "unknown extra infos", .put = put_extra, .slots = 2 },
	{ "mcast", "multicast messages", .put = put_mcast, .slots = 2 },
	{ "gso", "segments of 48 bytes", .begin = begin_raw, .put = put_gso, .slots = 2 },
	{ "exts", "IPv6 extension headers without end",
	  .begin = begin_exts, .put = put_exts, .slots = LARGE_SLOTS },
	{ "kick_tx", "events, tx", .step = kick_tx },
	{ "kick_rx", "events, rx", .step = kick_rx },
	{ "kick_ctrl", "events, control", .begin = begin_ctrl, .step = kick_ctrl },
	{ "kick_both", "events, one channel", .begin = begin_shared, .step = kick_tx },
	{ "kick_work", "an event for each packet", .step = kick_work },
	{ "ctrl", "control messages", .begin = begin_ctrl, .step = ctrl_fill },
	{ "maps", "512 grants mapped and unmapped", .begin = begin_ctrl, .step = maps },
	{ "states", "states in xenstore", .step = states, .end = connected },
	{ "watched", "a watched key", .step = watched },
	{ "reconnect", "connections", .step = reconnect },
	{ "corrupt", "broken connections", .step = corrupt },
	{ "refused", "refused connections",
	  .begin = leave, .step = unconnected, .end = refused_out },
	{ "rx_all", "packets taken", .begin = begin_starved, .step = rx_all },
	{ "rx_none", "no buffers", .begin = begin_starved, .step = nothing },
	{ "rx_one", "one buffer at a time", .begin = begin_starved, .step = rx_one },
	{ "rx_bad", "buffers that are none", .begin = begin_starved, .step = rx_bad },
	{ "pools", "all pages of the queues' pools", .begin = begin_raw, .step = pools },
	{ "mapped", "all grants mapped", .begin = begin_maps, .step = nothing },
	{ "hoard", "few buffers, all pages, all grants", .begin = begin_hoard, .step = pools },
	{}
};

void flood_list(void)
{
	for (const struct flood *l = floods; l->id; l++)
		printf("%s %s\n", l->id, l->title);
}

void flood_run(struct front *f, const char *id, int n_queues)
{
	uint64_t start, n = 0;

	for (flood = floods; flood->id && strcmp(flood->id, id);)
		flood++;
	need(flood->id, "there is no flood %s", id);
	queues = n_queues;
	signal(SIGTERM, on_stop);
	(flood->begin ?: begin)(f);
	xs_putf(FLOOD_KEY, "%s", id);
	start = now_ms();
	while (!stopped)
		n += (flood->step ?: tx_fill)(f);
	note("flood %s: %lu in %lu ms: %s", id, n, now_ms() - start, flood->title);
	if (flood->end)
		flood->end(f);
}
