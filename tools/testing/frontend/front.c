// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See front.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "front.h"

/* How long anything may take that is not an attack. The machine may be slow. */
#define PATIENCE	10000

const struct conf conf_default = {
	.queues = 1, .sg = true, .gso4 = true, .gso6 = true, .csum4 = true, .csum6 = true,
	.notify = true, .mcast = -1, .headroom = -1, .buffers = 128,
};

enum lie lie;

/* ---- xenstore ---- */

static void key_path(const struct front *f, char *path, size_t len, const char *key)
{
	snprintf(path, len, "%s/%s", f->dir, key);
}

void key_put(struct front *f, const char *key, const char *fmt, ...)
{
	char path[160], text[256];
	va_list args;
	int err;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	key_path(f, path, sizeof(path), key);
	err = xs_put(path, text, strlen(text));
	need(!err, "writing %s: %s", path, strerror(err));
}

void key_rm(struct front *f, const char *key)
{
	char path[160];

	key_path(f, path, sizeof(path), key);
	xs_rm(path);
}

int backend_number(struct front *f, const char *key, int absent)
{
	char path[160], *text;
	int value = absent;

	snprintf(path, sizeof(path), "%s/%s", f->backend, key);
	text = xs_get(path);
	if (text)
		value = atoi(text);
	free(text);
	return value;
}

int backend_state(struct front *f)
{
	return backend_number(f, "state", 0);
}

bool backend_wait(struct front *f, int state, int ms)
{
	uint64_t end = now_ms() + ms;

	/* But for the way to a connection. */
	if (lie == LIE_STATE && f->connected && state == XenbusStateClosing)
		return false;
	while (backend_state(f) != state) {
		if (now_ms() >= end)
			return false;
		xs_event(end - now_ms());
	}
	return true;
}

void front_state(struct front *f, int state)
{
	key_put(f, "state", "%d", state);
}

void front_open(struct front *f, int handle)
{
	char path[160], *text;

	memset(f, 0, sizeof(*f));
	f->handle = handle;
	snprintf(f->dir, sizeof(f->dir), "device/vif/%d", handle);
	key_path(f, path, sizeof(path), "backend");
	f->backend = xs_get(path);
	key_path(f, path, sizeof(path), "backend-id");
	text = xs_get(path);
	if (!f->backend || !text)
		sys_die("no such vif");
	f->backend_id = atoi(text);
	free(text);
	snprintf(path, sizeof(path), "%s/state", f->backend);
	xs_watch(path);
}

/* ---- connect and disconnect ---- */

static void wait_for(struct front *f, int state)
{
	if (!backend_wait(f, state, PATIENCE))
		fail("the backend's state is %d, and not %d within %d s", backend_state(f),
		     state, PATIENCE / 1000);
}

/* As a driver does it that is unloaded, wherever we are. */
void front_reset(struct front *f)
{
	int state = backend_state(f);

	if (state == XenbusStateInitWait) {
		front_state(f, XenbusStateInitialising);
		return;
	}
	if (state == XenbusStateConnected || state == XenbusStateReconfigured) {
		front_state(f, XenbusStateClosing);
		wait_for(f, XenbusStateClosing);
	}
	if (backend_state(f) != XenbusStateClosed) {
		front_state(f, XenbusStateClosed);
		wait_for(f, XenbusStateClosed);
	}
	front_state(f, XenbusStateInitialising);
	wait_for(f, XenbusStateInitWait);
	f->connected = false;
}

static void queue_alloc(struct front *f, int id)
{
	struct queue *q = &f->q[id];

	memset(q, 0, offsetof(struct queue, tx_ring));
	q->front = f;
	q->id = id;
	if (!q->tx_ring.va) {
		page_new(&q->tx_ring, 1, true, f->backend_id);
		page_new(&q->rx_ring, 1, true, f->backend_id);
		/* The host may not write what we send: Xen sees to that. */
		page_new(q->tx, RING, false, f->backend_id);
		page_new(q->rx, RING, true, f->backend_id);
	}
	memset(q->tx_ring.va, 0, PAGE);
	memset(q->rx_ring.va, 0, PAGE);
	q->txs = (void *)q->tx_ring.va;
	q->rxs = (void *)q->rx_ring.va;
	SHARED_RING_INIT(q->txs);
	SHARED_RING_INIT(q->rxs);
	q->tx_prod = q->tx_cons = f->conf.tx_start;
	q->rx_prod = q->rx_cons = f->conf.rx_start;
	q->txs->rsp_prod = q->txs->req_prod = q->tx_prod;
	q->rxs->rsp_prod = q->rxs->req_prod = q->rx_prod;
	q->txs->rsp_event = q->tx_prod + 1;
	q->rxs->rsp_event = q->rx_prod + 1;
	q->tx_port = port_new(f->backend_id);
	q->rx_port = f->conf.shared ? q->tx_port : port_new(f->backend_id);
	q->rx_target = f->conf.buffers;
}

void front_alloc(struct front *f, const struct conf *conf)
{
	f->conf = *conf;
	for (int i = 0; i < conf->queues; i++)
		queue_alloc(f, i);
	if (!conf->ctrl)
		return;
	if (!f->ctrl_ring.va) {
		page_new(&f->ctrl_ring, 1, true, f->backend_id);
		page_new(&f->ctrl_page, 1, false, f->backend_id);
	}
	memset(f->ctrl_ring.va, 0, PAGE);
	f->ctrls = (void *)f->ctrl_ring.va;
	SHARED_RING_INIT(f->ctrls);
	f->ctrl_prod = f->ctrl_cons = 0;
	f->ctrl_port = port_new(f->backend_id);
}

void front_free(struct front *f)
{
	for (int i = 0; i < f->conf.queues; i++) {
		struct queue *q = &f->q[i];

		if (!q->front)
			continue;
		if (q->rx_port != q->tx_port)
			port_free(q->rx_port);
		port_free(q->tx_port);
		q->front = NULL;
	}
	if (f->ctrls)
		port_free(f->ctrl_port);
	f->ctrls = NULL;
}

static void queue_keys(struct front *f, struct queue *q)
{
	char key[64];
	const char *dir = "";
	char buf[16];

	if (f->conf.queues > 1) {
		snprintf(buf, sizeof(buf), "queue-%d/", q->id);
		dir = buf;
	}
#define PUT(name, value) do {						\
		snprintf(key, sizeof(key), "%s%s", dir, name);		\
		key_put(f, key, "%u", value);				\
	} while (0)
	PUT("tx-ring-ref", q->tx_ring.gref);
	PUT("rx-ring-ref", q->rx_ring.gref);
	if (f->conf.shared) {
		PUT("event-channel", q->tx_port);
	} else {
		PUT("event-channel-tx", q->tx_port);
		PUT("event-channel-rx", q->rx_port);
	}
#undef PUT
}

/* Everything of an earlier connection goes, whatever it was. */
static void clear_keys(struct front *f)
{
	static const char * const keys[] = {
		"tx-ring-ref", "rx-ring-ref", "event-channel", "event-channel-tx",
		"event-channel-rx", "ctrl-ring-ref", "event-channel-ctrl",
		"multi-queue-num-queues", "request-multicast-control", "xdp-headroom",
		"feature-no-csum-offload", "feature-gso-tcpv4-prefix",
		"feature-gso-tcpv6-prefix", "feature-ipv6-csum-offload", "xvf",
		"queue-0", "queue-1", "queue-2", "queue-3", "queue-4", "queue-5",
		"queue-6", "queue-7",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		key_rm(f, keys[i]);
}

void front_keys(struct front *f)
{
	const struct conf *c = &f->conf;

	clear_keys(f);
	for (int i = 0; i < c->queues; i++)
		queue_keys(f, &f->q[i]);
	if (c->queues > 1)
		key_put(f, "multi-queue-num-queues", "%d", c->queues);
	if (c->ctrl) {
		key_put(f, "ctrl-ring-ref", "%u", f->ctrl_ring.gref);
		key_put(f, "event-channel-ctrl", "%u", f->ctrl_port);
	}
	key_put(f, "request-rx-copy", "1");
	key_put(f, "feature-rx-notify", "%d", c->notify);
	key_put(f, "feature-sg", "%d", c->sg);
	key_put(f, "feature-gso-tcpv4", "%d", c->gso4);
	key_put(f, "feature-gso-tcpv6", "%d", c->gso6);
	if (!c->csum4)
		key_put(f, "feature-no-csum-offload", "1");
	key_put(f, "feature-ipv6-csum-offload", "%d", c->csum6);
	if (c->mcast >= 0)
		key_put(f, "request-multicast-control", "%d", c->mcast);
	if (c->headroom >= 0)
		key_put(f, "xdp-headroom", "%d", c->headroom);
}

/* Whether the backend takes it. */
bool front_try(struct front *f, const struct conf *conf, void (*twist)(struct front *f))
{
	uint64_t end = now_ms() + PATIENCE;
	int state;

	front_reset(f);
	front_alloc(f, conf);
	front_keys(f);
	if (twist)
		twist(f);
	front_state(f, XenbusStateConnected);
	while ((state = backend_state(f)) != XenbusStateConnected) {
		if (state == XenbusStateClosing || state == XenbusStateClosed)
			return false;
		need(now_ms() < end, "the backend's state is %d for %d s after ours is 4",
		     state, PATIENCE / 1000);
		xs_event(end - now_ms());
	}
	f->connected = true;
	for (int i = 0; i < conf->queues; i++)
		if (conf->buffers)
			rx_post(&f->q[i], conf->buffers);
	return true;
}

void front_connect(struct front *f, const struct conf *conf)
{
	need(front_try(f, conf, NULL), "the backend refuses a good connection");
}

void front_end(struct front *f)
{
	front_reset(f);
	front_free(f);
}

/* ---- sending ---- */

uint32_t tx_free(struct queue *q)
{
	return RING - (q->tx_prod - q->tx_cons);
}

static struct tx_entry *tx_entry(struct queue *q, uint32_t i)
{
	return &q->tx_led[i % RING];
}

static union netif_tx_sring_entry *tx_slot(struct queue *q, uint32_t i)
{
	return &q->txs->ring[i % RING];
}

netif_tx_request_t *tx_put(struct queue *q, netif_tx_request_t req)
{
	struct tx_entry *e = tx_entry(q, q->tx_prod);

	need(tx_free(q), "the case has filled the tx ring");
	*e = (struct tx_entry){ .req = req };
	tx_slot(q, q->tx_prod)->req = req;
	return &tx_slot(q, q->tx_prod++)->req;
}

void tx_put_extra(struct queue *q, netif_extra_info_t extra)
{
	netif_tx_request_t req = {};

	memcpy(&req, &extra, sizeof(extra));
	tx_put(q, req);
	tx_entry(q, q->tx_prod - 1)->extra = true;
}

void tx_push(struct queue *q)
{
	uint32_t old = q->txs->req_prod;

	__sync_synchronize();
	q->txs->req_prod = q->tx_prod;
	__sync_synchronize();
	if (q->tx_prod - *(volatile uint32_t *)&q->txs->req_event < q->tx_prod - old)
		port_kick(q->tx_port);
}

/* A slot's answer against what was posted there. */
static void tx_check(struct queue *q, uint32_t i)
{
	struct tx_entry *e = tx_entry(q, i);
	union netif_tx_sring_entry slot = *(volatile union netif_tx_sring_entry *)tx_slot(q, i);

	if (lie == LIE_ID)
		slot.rsp.id ^= 1;
	if (lie == LIE_STATUS && slot.rsp.status < 0)
		slot.rsp.status = NETIF_RSP_OKAY;
	e->status = slot.rsp.status;
	if (e->own)
		return;
	if (e->extra) {
		need(e->status == NETIF_RSP_NULL,
		     "C: tx slot %u is an extra info and was answered %d", i, e->status);
		return;
	}
	need(slot.rsp.id == e->req.id, "C: tx slot %u had id %u and was answered with %u", i,
	     e->req.id, slot.rsp.id);
	need(e->status <= NETIF_RSP_OKAY, "C: tx slot %u was answered %d", i, e->status);
	need(!memcmp((uint8_t *)&slot + 4, (uint8_t *)&e->req + 4, 8),
	     "C: tx slot %u has more written to it than the answer", i);
}

int tx_look(struct queue *q)
{
	uint32_t rsp = *(volatile uint32_t *)&q->txs->rsp_prod;
	uint32_t had = q->tx_cons;

	__sync_synchronize();
	need(rsp - q->tx_cons <= q->tx_prod - q->tx_cons,
	     "C: %u slots are posted, and rsp_prod is %u further on", q->tx_prod - q->tx_cons,
	     rsp - q->tx_cons);
	while (q->tx_cons != rsp)
		tx_check(q, q->tx_cons++);
	return q->tx_cons - had;
}

bool tx_wait(struct queue *q, int ms)
{
	uint64_t end = now_ms() + ms;

	for (;;) {
		tx_look(q);
		if (q->tx_cons == q->tx_prod)
			return true;
		if (now_ms() >= end)
			return false;
		q->txs->rsp_event = q->tx_cons + 1;
		__sync_synchronize();
		if (*(volatile uint32_t *)&q->txs->rsp_prod == q->tx_cons)
			port_wait(20);
	}
}

int16_t tx_status(struct queue *q, int back)
{
	return tx_entry(q, q->tx_prod - 1 - back)->status;
}

void tx_cut(struct tx_frame *t, int n)
{
	uint32_t part = t->len / n;

	t->n = n;
	for (int i = 0; i < n - 1; i++)
		t->cut[i] = part;
}

/* The first slot takes what the others do not; its size is the whole frame's. */
void tx_frame(struct queue *q, const struct tx_frame *t)
{
	static uint16_t id;
	uint32_t rest = 0, done;
	int n = t->n ?: 1;

	for (int i = 0; i < n - 1; i++)
		rest += t->cut[i];
	done = t->len - rest;
	for (int i = 0; i < n; i++) {
		struct page *page = &q->tx[q->tx_prod % RING];
		uint32_t len = i ? t->cut[i - 1] : done;
		netif_tx_request_t req = {
			.gref = page->gref,
			.offset = t->offset,
			.flags = i < n - 1 ? NETTXF_more_data : 0,
			.id = id++,
			.size = i ? len : t->len,
		};

		if (len && t->offset + len <= PAGE)
			memcpy(page->va + t->offset, t->data + (i ? done : 0), len);
		if (i)
			done += len;
		else
			req.flags |= t->flags | (t->n_extras ? NETTXF_extra_info : 0);
		tx_put(q, req);
		for (int k = 0; !i && k < t->n_extras; k++) {
			netif_extra_info_t extra = t->extra[k];

			if (k < t->n_extras - 1)
				extra.flags |= XEN_NETIF_EXTRA_FLAG_MORE;
			tx_put_extra(q, extra);
		}
	}
}

/* ---- receiving ---- */

void rx_post_one(struct queue *q, uint16_t id, uint32_t gref, bool bad)
{
	netif_rx_request_t req = { .id = id, .gref = gref };

	need(q->rx_prod - q->rx_cons < RING, "the case has filled the rx ring");
	q->rx_led[q->rx_prod % RING].id = id;
	q->rx_led[q->rx_prod % RING].bad = bad;
	q->rx_led[q->rx_prod % RING].shared = gref != q->rx[q->rx_prod % RING].gref;
	memset(q->rx[q->rx_prod % RING].va, CANARY, PAGE);
	q->rxs->ring[q->rx_prod % RING].req = req;
	q->rx_prod++;
}

/* As ring.h has it: an event only if the backend has asked for one. */
void rx_push(struct queue *q)
{
	uint32_t old = q->rxs->req_prod;

	__sync_synchronize();
	q->rxs->req_prod = q->rx_prod;
	__sync_synchronize();
	if (q->rx_prod - *(volatile uint32_t *)&q->rxs->req_event < q->rx_prod - old)
		port_kick(q->rx_port);
}

void rx_post(struct queue *q, int n)
{
	for (int i = 0; i < n; i++)
		rx_post_one(q, q->rx_prod * 7 + 3, q->rx[q->rx_prod % RING].gref, false);
	rx_push(q);
}

static void rx_extra(struct rx_packet *p, const netif_extra_info_t *e, uint32_t i)
{
	switch (e->type) {
	case XEN_NETIF_EXTRA_TYPE_GSO:
		need(!p->gso && !e->u.gso.pad && !e->u.gso.features, "C: rx GSO extra in %u", i);
		p->gso = true;
		p->gso_size = e->u.gso.size;
		p->gso_type = e->u.gso.type;
		break;
	case XEN_NETIF_EXTRA_TYPE_HASH:
		need(!p->hash, "C: two hash extras, in %u", i);
		p->hash = true;
		p->hash_type = e->u.hash.type;
		p->hash_alg = e->u.hash.algorithm;
		/* Least significant byte first. */
		p->hash_value = e->u.hash.value[0] | e->u.hash.value[1] << 8 |
				e->u.hash.value[2] << 16 | (uint32_t)e->u.hash.value[3] << 24;
		break;
	case EXTRA_XDP:
		need(!p->xdp && !e->u.pad[1] && !e->u.pad[2], "C: rx XDP extra in %u", i);
		p->xdp = true;
		p->headroom = e->u.pad[0];
		break;
	default:
		fail("C: an extra info of type %u, in rx slot %u", e->type, i);
	}
}

/* Everything but the data is as it was posted. */
static void rx_canary(const uint8_t *page, uint32_t from, uint32_t to, uint32_t slot)
{
	for (uint32_t i = 0; i < PAGE; i++)
		if ((i < from || i >= to) && page[i] != CANARY)
			fail("C: rx slot %u has data from %u to %u, and byte %u is %02x", slot,
			     from, to, i, page[i]);
}

static void rx_data(struct queue *q, struct rx_packet *p, uint32_t i)
{
	netif_rx_response_t rsp = *(volatile netif_rx_response_t *)&q->rxs->ring[i % RING].rsp;
	const uint8_t *page = q->rx[i % RING].va;

	if (lie == LIE_ID)
		rsp.id ^= 1;
	need(rsp.id == q->rx_led[i % RING].id, "C: rx slot %u had id %u and was answered with %u",
	     i, q->rx_led[i % RING].id, rsp.id);
	if (!p->slots) {
		p->flags = rsp.flags;
		p->offset = rsp.offset;
	}
	p->slots++;
	if (rsp.status < 0) {
		need(q->rx_led[i % RING].bad, "C: a good buffer in rx slot %u is answered %d", i,
		     rsp.status);
		p->error = true;
		return;
	}
	need(rsp.offset + rsp.status <= PAGE && p->len + rsp.status <= FRAME_MAX,
	     "C: rx slot %u: offset %u, %d bytes", i, rsp.offset, rsp.status);
	if (!q->rx_led[i % RING].shared)
		rx_canary(page, rsp.offset, rsp.offset + rsp.status, i);
	memcpy(p->data + p->len, page + rsp.offset, rsp.status);
	p->len += rsp.status;
}

bool rx_take(struct queue *q, struct rx_packet *p)
{
	uint32_t rsp = *(volatile uint32_t *)&q->rxs->rsp_prod;
	bool more, extras;

	__sync_synchronize();
	need(rsp - q->rx_cons <= q->rx_prod - q->rx_cons,
	     "C: %u buffers are posted, and rsp_prod is %u further on",
	     q->rx_prod - q->rx_cons, rsp - q->rx_cons);
	if (rsp == q->rx_cons) {
		q->rxs->rsp_event = rsp + 1;
		__sync_synchronize();
		return *(volatile uint32_t *)&q->rxs->rsp_prod != rsp && rx_take(q, p);
	}

	memset((uint8_t *)p + offsetof(struct rx_packet, len), 0,
	       sizeof(*p) - offsetof(struct rx_packet, len));
	p->q = q->id;
	do {
		uint16_t flags;

		need(q->rx_cons != rsp, "C: the end of an rx packet is missing");
		flags = q->rxs->ring[q->rx_cons % RING].rsp.flags;
		rx_data(q, p, q->rx_cons++);
		more = flags & NETRXF_more_data;
		extras = flags & NETRXF_extra_info;
		need(!extras || p->slots == 1, "C: extra infos after the first rx slot");
		while (extras) {
			netif_extra_info_t e;

			need(q->rx_cons != rsp, "C: an rx extra info is missing");
			memcpy(&e, &q->rxs->ring[q->rx_cons % RING], sizeof(e));
			rx_extra(p, &e, q->rx_cons++);
			p->extras++;
			extras = e.flags & XEN_NETIF_EXTRA_FLAG_MORE;
		}
	} while (more);
	if (q->rx_target && (int)(q->rx_prod - q->rx_cons) < q->rx_target)
		rx_post(q, q->rx_target - (q->rx_prod - q->rx_cons));
	if (lie == LIE_CONTENT && p->len > 20 && (p->data[12] << 8 | p->data[13]) != ETH_MSG)
		p->data[20] ^= 1;
	return true;
}

bool rx_any(struct front *f, struct rx_packet *p, int ms)
{
	uint64_t end = now_ms() + ms;

	for (;;) {
		for (int i = 0; i < f->conf.queues; i++)
			if (rx_take(&f->q[i], p))
				return true;
		if (now_ms() >= end)
			return false;
		port_wait(20);
	}
}

bool rx_test(struct front *f, struct rx_packet *p, int ms)
{
	uint64_t end = now_ms() + ms;

	do {
		if (!rx_any(f, p, end > now_ms() ? end - now_ms() : 0))
			return false;
		/* dom0 and the neighbours have things to say, too. */
	} while (!p->error && (p->len < 14 || memcmp(p->data + 6, mac_peer, 6) ||
			       (p->data[12] << 8 | p->data[13]) == ETH_MSG));
	return true;
}

/* ---- the control ring ---- */

void ctrl_put(struct front *f, const struct xen_netif_ctrl_request *req)
{
	f->ctrls->ring[f->ctrl_prod++ % CTRL_RING].req = *req;
}

void ctrl_push(struct front *f)
{
	__sync_synchronize();
	f->ctrls->req_prod = f->ctrl_prod;
	__sync_synchronize();
	port_kick(f->ctrl_port);
}

bool ctrl_take(struct front *f, struct xen_netif_ctrl_response *rsp, int ms)
{
	uint64_t end = now_ms() + ms;
	uint32_t prod;

	for (;;) {
		prod = *(volatile uint32_t *)&f->ctrls->rsp_prod;
		__sync_synchronize();
		need(prod - f->ctrl_cons <= f->ctrl_prod - f->ctrl_cons,
		     "C: more answers than messages on the control ring");
		if (prod != f->ctrl_cons) {
			*rsp = f->ctrls->ring[f->ctrl_cons++ % CTRL_RING].rsp;
			return true;
		}
		if (now_ms() >= end)
			return false;
		f->ctrls->rsp_event = f->ctrl_cons + 1;
		__sync_synchronize();
		if (*(volatile uint32_t *)&f->ctrls->rsp_prod == f->ctrl_cons)
			port_wait(20);
	}
}

uint32_t ctrl_call(struct front *f, uint16_t type, uint32_t a, uint32_t b, uint32_t c,
		   uint32_t *data)
{
	struct xen_netif_ctrl_request req = { .id = f->ctrl_prod * 3 + 1, .type = type,
				     .data = { a, b, c } };
	struct xen_netif_ctrl_response rsp;

	ctrl_put(f, &req);
	ctrl_push(f);
	need(ctrl_take(f, &rsp, PATIENCE), "no answer to control message %u", type);
	need(rsp.id == req.id && rsp.type == type, "C: control message %u, id %u: answer %u, %u",
	     type, req.id, rsp.type, rsp.id);
	if (data)
		*data = rsp.data;
	return lie == LIE_CTRL ? rsp.status ^ 1 : rsp.status;
}

/* ---- the peer ---- */

static bool used;		/* something else has been asked than a sign of life */

void peer_post(struct front *f, struct peer_msg *msg)
{
	struct tx_frame t = { .data = (void *)msg, .len = sizeof(*msg) };
	static uint32_t seq;

	used |= msg->op != PEER_PING;
	memcpy(msg->dst, mac_peer, 6);
	memcpy(msg->src, mac_guest, 6);
	msg->proto = __builtin_bswap16(ETH_MSG);
	msg->answer = 0;
	if (!seq)
		seq = getpid() << 12;
	msg->seq = ++seq;
	tx_frame(&f->q[f->via], &t);
	tx_push(&f->q[f->via]);
}

/* Answers to what was given up may come late: the number tells. */
bool peer_try(struct front *f, struct queue *q, struct peer_msg *msg, int ms)
{
	static struct rx_packet p;
	struct peer_msg *got = (void *)p.data;
	uint64_t end = now_ms() + ms;
	int via = f->via;

	if (lie == LIE_DEAD && used && msg->op == PEER_PING)
		return false;
	f->via = q->id;
	peer_post(f, msg);
	f->via = via;
	while (now_ms() < end && rx_any(f, &p, end - now_ms())) {
		if (p.len == sizeof(*msg) && got->proto == msg->proto && got->answer &&
		    got->seq == msg->seq) {
			memcpy(msg, got, sizeof(*msg));
			return tx_wait(q, PATIENCE);
		}
	}
	return false;
}

/* Where a message may have got stuck. */
static void note_rings(struct front *f)
{
	for (int i = 0; i < f->conf.queues; i++) {
		struct queue *q = &f->q[i];

		note("queue %d: %u tx slots posted, %u answered; %u rx buffers posted, %u used; events at %u and %u",
		     i, q->tx_prod, q->txs->rsp_prod, q->rx_prod, q->rxs->rsp_prod,
		     q->txs->req_event, q->rxs->req_event);
	}
}

void peer_call(struct front *f, struct peer_msg *msg)
{
	if (peer_try(f, &f->q[f->via], msg, PATIENCE))
		return;
	note_rings(f);
	fail("L: no answer from the peer within %d s (backend state %d)", PATIENCE / 1000,
	     backend_state(f));
}

void peer_back(struct front *f, struct queue *q)
{
	uint64_t end = now_ms() + PATIENCE;
	uint32_t cons = q->rx_cons;

	for (;;) {
		struct peer_msg msg = { .op = PEER_PING };

		if (peer_try(f, q, &msg, 1000))
			return;
		if (q->rx_cons != cons)
			end = now_ms() + PATIENCE;
		cons = q->rx_cons;
		need(now_ms() < end, "L: queue %d does not come back", q->id);
	}
}

uint64_t peer_stat(struct front *f, const char *fmt, ...)
{
	static uint64_t lies;
	struct peer_msg msg = { .op = PEER_STAT };
	va_list args;

	va_start(args, fmt);
	vsnprintf(msg.name, sizeof(msg.name), fmt, args);
	va_end(args);
	peer_call(f, &msg);
	need(msg.state, "the vif has no counter %s", msg.name);
	return lie == LIE_STAT ? msg.value[0] + 1000003 * ++lies : msg.value[0];
}

uint64_t peer_sys(struct front *f, const char *file)
{
	struct peer_msg msg = { .op = PEER_SYS };

	snprintf(msg.name, sizeof(msg.name), "%s", file);
	peer_call(f, &msg);
	need(msg.state, "the vif has no number in %s", file);
	return msg.value[0];
}

uint64_t peer_value(struct front *f, enum peer_op op)
{
	struct peer_msg msg = { .op = op };

	peer_call(f, &msg);
	return msg.value[0];
}

void peer_send(struct front *f, const struct frame_spec *spec, uint32_t count,
	       uint32_t gso_size)
{
	struct peer_msg msg = { .op = PEER_SEND, .spec = *spec, .count = count,
				.gso_size = gso_size };

	/* Its answer comes after the frames, and is passed over. */
	peer_post(f, &msg);
	need(tx_wait(&f->q[f->via], PATIENCE), "L: a message is not answered for");
}

void peer_await(struct front *f, const char *stat, uint64_t value,
		void (*meanwhile)(struct front *f))
{
	struct peer_msg msg = { .op = PEER_AWAIT, .value = { value } };
	uint64_t end = now_ms() + PEER_AWAITS + PATIENCE;

	snprintf(msg.name, sizeof(msg.name), "%s", stat);
	peer_post(f, &msg);
	while (!peer_told(&msg)) {
		need(now_ms() < end, "%s does not rise above %lu", stat, value);
		meanwhile(f);
		xs_event(100);
	}
}

bool peer_told(const struct peer_msg *msg)
{
	char *told = xs_get(PEER_AWAITED);
	bool is = told && strtoul(told, NULL, 10) == msg->seq;

	free(told);
	return is;
}

struct seen peer_seen(struct front *f, uint32_t back, uint64_t *total)
{
	struct peer_msg msg = { .op = PEER_SEEN, .back = back };

	peer_call(f, &msg);
	if (total)
		*total = msg.value[0];
	if (!msg.state)
		memset(&msg.seen, 0, sizeof(msg.seen));
	if (lie == LIE_CONTENT)
		msg.seen.crc ^= 1;
	return msg.seen;
}

void alive(struct front *f)
{
	static int calls;

	need(lie != LIE_DEAD || (!calls++ && !used), "L: dead, as it was to be");
	for (int i = 0; i < f->conf.queues; i++) {
		struct peer_msg msg = { .op = PEER_PING };

		if (peer_try(f, &f->q[i], &msg, PATIENCE))
			continue;
		note_rings(f);
		fail("L: nothing comes back on queue %d (backend state %d)", i,
		     backend_state(f));
	}
}
