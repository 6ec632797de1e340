// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Lies in xenstore, states that flap, closing at the wrong time. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"

#define LEN(a)		(sizeof(a) / sizeof(*(a)))

static uint8_t frame[FRAME_MAX];
static struct rx_packet packet;

static void raw_key(struct front *f, const char *key, const void *value, size_t len)
{
	char path[160];
	int err;

	snprintf(path, sizeof(path), "%s/%s", f->dir, key);
	err = xs_put(path, value, len);
	need(!err, "writing %s: %s", path, strerror(err));
}

/* ---- B9: xenstore ---- */

static const char *bad_key, *bad_value;
static size_t bad_len;
static void twist_bad(struct front *f) { raw_key(f, bad_key, bad_value, bad_len); }

static void b9_1(struct front *f)
{
	static char large[1000];
	const struct { const char *key, *value; size_t len; } bad[] = {
		{ "tx-ring-ref", "5abc", 4 },
		{ "feature-sg", "-1", 2 },
		{ "event-channel-tx", "4294967297", 10 },
		{ "rx-ring-ref", "", 0 },
		{ "feature-rx-notify", "1\0002", 3 },
		{ "tx-ring-ref", large, sizeof(large) - 1 },
	};

	memset(large, '9', sizeof(large));
	for (uint32_t i = 0; i < LEN(bad); i++) {
		bad_key = bad[i].key;
		bad_value = bad[i].value;
		bad_len = bad[i].len;
		/* What follows a NUL is not looked at. */
		if (memchr(bad_value, 0, bad_len)) {
			need(front_try(f, &conf_default, twist_bad), "a number before a NUL");
			front_end(f);
			continue;
		}
		no_connect(f, &conf_default, twist_bad);
	}
	wait_out();
	again(f);
}

static void b9_3(struct front *f)
{
	int max = backend_number(f, "multi-queue-max-queues", 1);
	char text[5][24] = { "0", "", "65535", "4294967297", "-1" };
	struct conf c = conf_default;

	sprintf(text[1], "%d", max + 1);
	bad_key = "multi-queue-num-queues";
	for (int i = 0; i < 5; i++) {
		bad_value = text[i];
		bad_len = strlen(text[i]);
		no_connect(f, &c, twist_bad);
	}
	wait_out();
	/* As many as there may be, and one that says so. */
	c.queues = max;
	front_connect(f, &c);
	alive(f);
	again(f);
}

/* A second program of the guest's takes keys away and puts them back. */
static pid_t keys_flicker(struct front *f)
{
	static const char * const keys[] = {
		"tx-ring-ref", "feature-sg", "event-channel-rx", "request-rx-copy",
		"rx-ring-ref", "event-channel-tx", "feature-gso-tcpv4", "feature-rx-notify",
	};
	const struct queue *q = &f->q[0];
	const uint32_t values[] = { q->tx_ring.gref, 1, q->rx_port, 1,
				    q->rx_ring.gref, q->tx_port, 1, 1 };
	pid_t pid = fork();
	char path[160];

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	xs_again();
	/* One of them is always missing. */
	for (uint32_t i = 0;; i = (i + 1) % LEN(keys)) {
		uint32_t back = (i + 7) % LEN(keys);

		snprintf(path, sizeof(path), "%s/%s", f->dir, keys[i]);
		xs_rm(path);
		snprintf(path, sizeof(path), "%s/%s", f->dir, keys[back]);
		if (xs_putf(path, "%u", values[back]))
			_exit(1);
	}
}

/* The backend takes all of it or nothing, and is there afterwards. */
static void b9_2(struct front *f)
{
	int taken = 0, n = times(4), state;

	for (int i = 0; i < n; i++) {
		uint64_t end = now_ms() + COMES;
		pid_t pid;

		/* So many may be refused at a time. */
		if (i && i % 4 == 0)
			usleep(FAILED_INTERVAL_US);
		front_reset(f);
		front_alloc(f, &conf_default);
		front_keys(f);
		pid = keys_flicker(f);
		usleep(rnd(20000));
		front_state(f, XenbusStateConnected);
		do {
			state = backend_state(f);
			need(now_ms() < end, "the backend's state is %d", state);
			xs_event(20);
		} while (state == XenbusStateInitWait);
		need(!waitpid(pid, NULL, WNOHANG), "the second program has given up");
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		taken += state == XenbusStateConnected;
		front_end(f);
	}
	note("%d of %d connections are taken", taken, n);
	again(f);
}

static void twist_no_queue(struct front *f) { key_rm(f, "queue-1"); }
static void twist_twice(struct front *f)
{
	key_put(f, "queue-1/tx-ring-ref", "%u", f->q[0].tx_ring.gref);
	key_put(f, "queue-1/rx-ring-ref", "%u", f->q[0].rx_ring.gref);
}
static void twist_one_page(struct front *f)
{
	key_put(f, "rx-ring-ref", "%u", f->q[0].tx_ring.gref);
}
static void twist_read_only(struct front *f)
{
	key_put(f, "tx-ring-ref", "%u", f->q[0].tx[0].gref);
}
static void twist_gone(struct front *f)
{
	struct page page;

	page_new(&page, 1, true, f->backend_id);
	key_put(f, "rx-ring-ref", "%u", page.gref);
	page_free(&page, 1);
}
static void twist_ctrl(struct front *f)
{
	key_put(f, "ctrl-ring-ref", "%u", f->q[0].tx[0].gref);
}

/* What fits nowhere, and what is bad for the guest alone. */
static void b9_4(struct front *f)
{
	struct tx_frame t = plain(frame, FRAME_RAW, 60, 1);
	struct conf c = conf_default;

	no_connect(f, &c, twist_read_only);
	no_connect(f, &c, twist_gone);
	c.queues = 2;
	no_connect(f, &c, twist_no_queue);
	c.queues = 1;
	c.ctrl = true;
	no_connect(f, &c, twist_ctrl);
	wait_out();
	again(f);
	front_end(f);

	c = conf_default;
	c.queues = 2;
	c.buffers = 0;
	if (front_try(f, &c, twist_twice)) {
		for (int i = 0; i < 50; i++)
			tx_frame(&f->q[0], &t);
		f->q[0].txs->req_prod = f->q[0].tx_prod;
		port_kick(f->q[0].tx_port);
		port_kick(f->q[1].tx_port);
		usleep(300000);
	}
	again(f);
	front_end(f);
	c.queues = 1;
	if (front_try(f, &c, twist_one_page)) {
		f->q[0].txs->req_prod = 50;
		port_kick(f->q[0].tx_port);
		port_kick(f->q[0].rx_port);
		usleep(300000);
	}
	again(f);
}

static void b9_6(struct front *f)
{
	for (int i = 0; i < 20; i++) {
		front_reset(f);
		front_alloc(f, &conf_default);
		front_keys(f);
		key_put(f, i & 1 ? "event-channel-rx" : "rx-ring-ref", "%d", 3000 + i);
		front_state(f, XenbusStateConnected);
		need(backend_wait(f, XenbusStateClosing, COMES), "connection %d is taken", i);
		front_end(f);
	}
	usleep(FAILED_INTERVAL_US);
	again(f);
}

static void b9_7(struct front *f)
{
	static const char * const keys[] = {
		"tx-ring-ref", "rx-ring-ref", "event-channel-tx", "event-channel-rx",
		"feature-sg", "feature-gso-tcpv4", "multi-queue-num-queues", "xdp-headroom",
		"ctrl-ring-ref", "feature-rx-notify", "request-rx-copy", "queue-0/tx-ring-ref",
	};
	struct tx_frame t = plain(frame, FRAME_UDP4, 500, 1);

	front_connect(f, &conf_default);
	for (int i = 0; i < 10; i++) {
		for (uint32_t k = 0; k < LEN(keys); k++)
			raw_key(f, keys[k], i & 1 ? "garbage" : "4096", i & 1 ? 7 : 4);
		/* What is read in the backend's directory, written in ours. */
		raw_key(f, "online", "0", 1);
		raw_key(f, "hotplug-status", "error", 5);
		raw_key(f, "rate", "1,1", 3);
		send_checked(&f->q[0], &t);
		alive(f);
	}
	key_rm(f, "online");
	key_rm(f, "hotplug-status");
	key_rm(f, "rate");
	again(f);
}

/* The administrator wants more than every second frontend can take. */
static void b9_8(struct front *f)
{
	struct peer_msg msg = { .op = PEER_MTU, .count = 65000 };
	struct frame_spec spec = frame_spec(FRAME_TCP4, 20000, 1, true);
	struct conf c = conf_default;

	spec.partial = 1;
	front_connect(f, &c);
	peer_call(f, &msg);
	need(msg.state, "the MTU cannot be set");
	front_end(f);
	for (int i = 0; i < times(4); i++) {
		uint64_t mtu;

		c.sg = !(i & 1);
		c.gso4 = c.sg && rnd(2);
		c.gso6 = c.sg && rnd(2);
		c.csum4 = rnd(2);
		c.csum6 = rnd(2);
		front_connect(f, &c);
		mtu = peer_sys(f, "mtu");
		need(mtu == (c.sg ? 65000 : 1500), "feature-sg %d: the MTU is %lu", c.sg, mtu);
		peer_send(f, &spec, 5, 1400);
		while (rx_any(f, &packet, 100)) {
			need(c.sg || packet.slots == 1, "C: %d slots", packet.slots);
			need(c.gso4 || !packet.gso, "C: a GSO frame");
			need(c.csum4 || !(packet.flags & NETRXF_csum_blank) ||
			     packet.data[12] != 8, "C: an open checksum");
		}
		alive(f);
		front_end(f);
	}
	again(f);
	msg = (struct peer_msg){ .op = PEER_MTU, .count = 1500 };
	peer_call(f, &msg);
}

static void b9_9(struct front *f)
{
	static const char * const states[] = {
		"0", "2", "3", "7", "8", "9", "90", "-1", "2147483648", "x", "", "4 ", "4294967300",
	};
	uint64_t end, n = 0;

	front_connect(f, &conf_default);
	alive(f);
	for (end = now_ms() + 4000; now_ms() < end; n++) {
		const char *s = states[rnd(LEN(states))];

		/* 0 would be the end of the vif: it says that there is no frontend. */
		if (*s == '0' || *s == 'x' || !*s)
			continue;
		raw_key(f, "state", s, strlen(s));
	}
	note("%lu states in 4 s", n);
	front_state(f, XenbusStateConnected);
	usleep(500000);
	again(f);
}

static void b9_10(struct front *f)
{
	static const int cycle[] = { 1, 4, 5, 6 };

	front_reset(f);
	front_alloc(f, &conf_default);
	front_keys(f);
	for (int i = 0; i < 200; i++)
		front_state(f, cycle[i % 4]);
	/* It comes to rest where we do. */
	need(backend_wait(f, XenbusStateClosed, 30000), "the backend's state is %d",
	     backend_state(f));
	again(f);
}

static void b9_11(struct front *f)
{
	struct tx_frame t = plain(frame, FRAME_UDP4, 500, 1);
	uint64_t end, n = 0;

	front_connect(f, &conf_default);
	alive(f);
	for (end = now_ms() + 4000; now_ms() < end; n++)
		key_put(f, "request-multicast-control", "%s", n % 3 ? (n & 1 ? "1" : "0") : "?");
	note("%lu writes in 4 s", n);
	key_put(f, "request-multicast-control", "0");
	send_checked(&f->q[0], &t);
	alive(f);
}

/* Transactions without an end over what the backend reads and watches, and watches
 * on all that it writes.
 */
static void b9_13(struct front *f)
{
	struct tx_frame t = plain(frame, FRAME_UDP4, 500, 1);
	uint32_t id, n = 0;
	char path[160];
	uint64_t begin;

	while (n < 20 && (id = xs_begin())) {
		xs_within(id);
		raw_key(f, "request-multicast-control", "1", 1);
		backend_state(f);
		xs_within(0);
		n++;
	}
	snprintf(path, sizeof(path), "%s/mac", f->backend);
	need(xs_putf(path, "00:16:3e:00:00:01") == EACCES, "the backend's keys can be written");
	for (int i = 0; i < 60; i++) {
		snprintf(path, sizeof(path), "%s/%d", f->backend, i);
		xs_watch(path);
	}
	begin = now_ms();
	for (int i = 0; i < times(3); i++) {
		front_connect(f, &conf_default);
		for (int k = 0; k < 20; k++)
			key_put(f, "request-multicast-control", "%d", k & 1);
		key_put(f, "request-multicast-control", "0");
		send_checked(&f->q[0], &t);
		alive(f);
		front_end(f);
	}
	note("%u transactions open; %d connections in %lu ms", n, times(3), now_ms() - begin);
	again(f);
}

/* ---- B10: life and its ends ---- */

static void b10_1(struct front *f)
{
	struct tx_frame t = plain(frame, FRAME_UDP4, 300, 1);

	for (int i = 0; i < 10; i++) {
		front_connect(f, &conf_default);
		while (tx_free(&f->q[0]) > 1)
			tx_frame(&f->q[0], &t);
		tx_push(&f->q[0]);
		front_end(f);
	}
	again(f);
}

static void b10_2(struct front *f)
{
	struct conf c = conf_default;

	c.queues = 2;
	c.ctrl = true;
	for (int i = 0; i < 20; i++) {
		front_reset(f);
		front_alloc(f, &c);
		front_keys(f);
		front_state(f, XenbusStateConnected);
		if (i & 1)
			backend_wait(f, XenbusStateConnected, COMES);
		front_state(f, XenbusStateClosing);
		need(backend_wait(f, XenbusStateClosing, COMES), "the backend's state is %d",
		     backend_state(f));
		front_end(f);
	}
	again(f);
}

static void b10_3(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_UDP4, 1400, 1, true);
	struct conf c = conf_default;

	c.queues = 2;
	for (int i = 0; i < 8; i++) {
		front_connect(f, &c);
		peer_send(f, &spec, 1500, 0);
		for (int k = 0; k < i * 20; k++)
			rx_any(f, &packet, 50);
		front_end(f);
	}
	again(f);
}

static void b10_4(struct front *f)
{
	for (int i = 0; i < 10; i++) {
		front_connect(f, &conf_default);
		front_state(f, XenbusStateClosing);
		for (uint64_t end = now_ms() + COMES; backend_state(f) != XenbusStateClosing;) {
			need(now_ms() < end, "the backend's state is %d", backend_state(f));
			for (int k = 0; k < 200; k++) {
				port_try_kick(f->q[0].tx_port);
				port_try_kick(f->q[0].rx_port);
			}
		}
		front_end(f);
	}
	again(f);
}

static void b10_5(struct front *f)
{
	front_connect(f, &conf_default);
	for (int i = 0; i < 5; i++) {
		front_state(f, XenbusStateConnected);
		alive(f);
	}
	/* From the start again without a word in between. */
	front_state(f, XenbusStateInitialising);
	need(backend_wait(f, XenbusStateInitWait, COMES), "the backend's state is %d",
	     backend_state(f));
	again(f);
}

static void b10_6(struct front *f)
{
	struct conf c = conf_default;
	struct queue *q = &f->q[1];

	c.queues = 2;
	for (int ring = 0; ring < 2; ring++) {
		front_connect(f, &c);
		alive(f);
		if (ring) {
			struct frame_spec spec = frame_spec(FRAME_UDP4, 100, 1, true);

			for (int i = 0; i < 2; i++)
				f->q[i].rxs->req_prod = f->q[i].rx_cons + 1000;
			peer_send(f, &spec, 1, 0);
		} else {
			q->txs->req_prod = q->tx_cons + 1000;
			port_kick(q->tx_port);
		}
		need(backend_wait(f, XenbusStateClosing, COMES), "X: it does not break");
		usleep(2000000);
		broken(f);
	}
}

/* It breaks while the interface goes down and up, and, see hostile.sh, while others
 * hold the lock that this takes.
 */
static void b10_7(struct front *f)
{
	for (int i = 0; i < times(2); i++) {
		struct peer_msg msg = { .op = PEER_LINK, .gap_us = 200000 };
		struct queue *q = &f->q[0];

		front_connect(f, &conf_default);
		alive(f);
		/* There is no answer where the connection is gone. */
		peer_post(f, &msg);
		need(tx_wait(q, COMES), "L: a message is not answered for");
		usleep(i % 3 * 80000);
		q->txs->req_prod = q->tx_cons + 1000;
		port_kick(q->tx_port);
		need(backend_wait(f, XenbusStateClosing, COMES), "X: it does not break");
		front_end(f);
		usleep(250000);
	}
	again(f);
}

/* A frontend that knows nothing of the one before it, as after kexec: its rings are
 * still granted. Then the host must have let go of them.
 */
static void b10_12(struct front *f)
{
	static struct front old;

	front_connect(f, &conf_default);
	alive(f);
	old = *f;
	memset(&f->q[0], 0, sizeof(f->q[0]));
	/* Without a word of farewell. */
	front_state(f, XenbusStateInitialising);
	need(backend_wait(f, XenbusStateInitWait, COMES), "the backend's state is %d",
	     backend_state(f));
	front_connect(f, &conf_default);
	alive(f);
	/* Nobody listens there any more. */
	old.q[0].txs->req_prod += 5000;
	port_try_kick(old.q[0].tx_port);
	port_free(old.q[0].tx_port);
	port_free(old.q[0].rx_port);
	page_free(&old.q[0].tx_ring, 1);
	page_free(&old.q[0].rx_ring, 1);
	page_free(old.q[0].tx, RING);
	page_free(old.q[0].rx, RING);
	alive(f);
	again(f);
}

/* Killed with half a frame in the ring, and packets on their way. The case that comes
 * after it sees the vif work.
 */
static void b10_15_dies(struct front *f)
{
	struct frame_spec spec = frame_spec(FRAME_UDP4, 1400, 1, true);
	struct tx_frame t = plain(frame, FRAME_UDP4, 3000, 1);
	struct queue *q = &f->q[0];

	front_connect(f, &conf_default);
	alive(f);
	peer_send(f, &spec, 500, 0);
	tx_cut(&t, 6);
	tx_frame(q, &t);
	q->tx_prod -= 2;
	tx_push(q);
	raise(SIGKILL);
}

static void b10_15(struct front *f)
{
	struct tx_frame t = plain(frame, FRAME_UDP4, 500, 1);

	need(backend_state(f) == XenbusStateConnected, "it is connected no more");
	front_connect(f, &conf_default);
	send_checked(&f->q[0], &t);
	again(f);
}

/* Whatever the thread is about, it is stopped soon. */
static void b10_16(struct front *f)
{
	static const char * const what[] = {
		"has not run", "waits for packets", "waits for buffers", "copies",
	};
	struct frame_spec large = frame_spec(FRAME_TCP4, 60000, 1, true);
	struct frame_spec small = frame_spec(FRAME_UDP4, 1400, 1, true);
	uint64_t begin, took, most = 0;

	large.partial = 1;
	for (int i = 0; i < times(4); i++) {
		struct conf c = conf_default;

		c.buffers = i % 4 == 2 ? 0 : 128;
		front_connect(f, &c);
		if (i % 4 == 1)
			alive(f);
		if (i % 4 == 2)
			peer_send(f, &large, 100, 1400);
		if (i % 4 == 3) {
			peer_send(f, &small, 1500, 0);
			for (int k = 0; k < 50; k++)
				need(rx_any(f, &packet, COMES), "L: nothing comes");
		}
		begin = now_ms();
		front_end(f);
		took = now_ms() - begin;
		most = took > most ? took : most;
		need(took < 3000, "L: the thread %s: %lu ms to the end", what[i % 4], took);
	}
	note("%lu ms at most", most);
	again(f);
}

/* One vif of the guest's breaks, and the other one does not notice. */
static void b10_17(struct front *f)
{
	struct tx_frame t = plain(frame, FRAME_UDP4, 500, 1);
	static struct front second;

	front_open(&second, 1);
	front_connect(&second, &conf_default);
	alive(&second);
	for (int i = 0; i < times(2); i++) {
		struct queue *q = &f->q[0];

		front_connect(f, &conf_default);
		alive(f);
		q->txs->req_prod = q->tx_cons + 1000;
		port_kick(q->tx_port);
		for (int k = 0; k < 5; k++)
			send_checked(&second.q[0], &t);
		need(backend_wait(f, XenbusStateClosing, COMES), "X: it does not break");
		for (int k = 0; k < 5; k++)
			send_checked(&second.q[0], &t);
		front_end(f);
		alive(&second);
	}
	front_end(&second);
	again(f);
}

/* ---- B11: anything ---- */

static void random_slot(struct queue *q)
{
	netif_tx_request_t req = {
		.gref = rnd(8) ? q->tx[rnd(RING)].gref : rnd(~0u),
		.offset = rnd(4) ? rnd(64) : rnd(65536),
		.size = rnd(4) ? rnd(2000) : rnd(65536),
		.flags = rnd(3) ? rnd(4) : rnd(65536),
		.id = rnd(65536),
	};

	if (!tx_free(q))
		return;
	tx_put(q, req);
	q->tx_led[(q->tx_prod - 1) % RING].own = true;
}

static void random_ctrl(struct front *f)
{
	struct xen_netif_ctrl_request req = { .id = rnd(65536), .type = rnd(12) };
	struct xen_netif_ctrl_response rsp;

	for (int i = 0; i < 3; i++)
		req.data[i] = rnd(2) ? f->ctrl_page.gref : rnd(2) ? rnd(200) : rnd(~0u);
	while (ctrl_take(f, &rsp, 0))
		;
	if (f->ctrl_prod - f->ctrl_cons >= CTRL_RING)
		return;
	ctrl_put(f, &req);
	ctrl_push(f);
}

/* One step. Returns whether the connection may be broken by it. */
static bool random_step(struct front *f, struct queue *q)
{
	struct frame_spec spec = frame_spec(1 + rnd(4), 60 + rnd(1400), rnd(1000), true);
	struct tx_frame t;

	switch (rnd(16)) {
	case 0 ... 4:
		for (int n = rnd(24); n >= 0; n--)
			random_slot(q);
		tx_push(q);
		return true;
	case 5 ... 7:
		t = plain(frame, rnd(FRAME_KINDS), 60 + rnd(3000), rnd(1000));
		tx_cut(&t, 1 + rnd(20));
		t.flags = rnd(4);
		t.n_extras = rnd(3);
		for (int i = 0; i < t.n_extras; i++)
			t.extra[i] = gso_extra(rnd(4), rnd(3000));
		if (tx_free(q) > 25)
			tx_frame(q, &t);
		tx_push(q);
		return false;
	case 8:
		random_ctrl(f);
		return false;
	case 9:
		if (q->rx_prod - q->rx_cons < 200)
			rx_post_one(q, rnd(65536), rnd(4) ? q->rx[q->rx_prod % RING].gref :
				    rnd(~0u), true);
		rx_push(q);
		return false;
	case 10:
		for (int i = rnd(200); i >= 0; i--)
			port_try_kick(rnd(2) ? q->tx_port : q->rx_port);
		return false;
	case 11:
		key_put(f, "request-multicast-control", "%u", rnd(3));
		return false;
	case 12:
		raw_key(f, "xdp-headroom", "300x", rnd(5));
		front_state(f, XenbusStateReconfiguring);
		front_state(f, XenbusStateConnected);
		return true;
	case 13:
		if (tx_free(&f->q[0]) > 4)
			peer_post(f, &(struct peer_msg){ .op = PEER_SEND, .spec = spec,
							 .count = rnd(20) });
		return false;
	case 14:
		if (rnd(20))
			return false;
		q->txs->req_prod = q->tx_prod + rnd(600);
		port_kick(q->tx_port);
		return true;
	default:
		q->txs->req_event = rnd(~0u);
		q->rxs->rsp_event = rnd(~0u);
		return false;
	}
}

/* A step may be taken for a connection, whose keys are bad then; after some of those the
 * backend wants to be left alone for a while, and takes a good one after that.
 */
static void random_connect(struct front *f, const struct conf *c)
{
	if (front_try(f, c, NULL))
		return;
	note("refused for a while");
	front_end(f);
	usleep(FAILED_INTERVAL_US);
	front_connect(f, c);
}

/* Whatever the steps, the vif is there afterwards. What the host sends may be
 * hidden from the ledger by what was written over it, so that is not kept.
 */
void random_walk(struct front *f, uint32_t seed, uint32_t seconds)
{
	uint64_t end = now_ms() + seconds * 1000ull, n = 0;
	struct conf c = conf_default;
	int connections = 0;

	rnd_seed(seed);
	note("seed %u", seed);
	while (now_ms() < end) {
		c.queues = 1 + rnd(2);
		c.ctrl = true;
		c.shared = rnd(2);
		c.sg = rnd(4);
		c.gso4 = rnd(2);
		c.headroom = rnd(2) ? (int)rnd(257) : -1;
		c.buffers = rnd(2) ? 4 : 128;
		random_connect(f, &c);
		connections++;
		for (int i = 0; i < 300 && now_ms() < end; i++, n++) {
			struct queue *q = &f->q[rnd(c.queues)];

			for (int k = 0; k < c.queues; k++) {
				uint32_t rsp = f->q[k].txs->rsp_prod;

				need(rsp - f->q[k].tx_cons <= f->q[k].tx_prod - f->q[k].tx_cons + 600,
				     "C: tx rsp_prod %u, posted %u", rsp, f->q[k].tx_prod);
				if (rsp - f->q[k].tx_cons <= f->q[k].tx_prod - f->q[k].tx_cons)
					f->q[k].tx_cons = rsp;
				rsp = f->q[k].rxs->rsp_prod;
				need(rsp - f->q[k].rx_cons <= f->q[k].rx_prod - f->q[k].rx_cons,
				     "C: rx rsp_prod %u, posted %u", rsp, f->q[k].rx_prod);
				f->q[k].rx_cons = rsp;
			}
			if (random_step(f, q) && backend_state(f) != XenbusStateConnected)
				break;
		}
		front_end(f);
	}
	note("%lu steps in %d connections", n, connections);
	usleep(FAILED_INTERVAL_US);
	again(f);
}

const struct test attacks_state[] = {
	{ "b9_1", "B9.1 numbers that are none", b9_1 },
	{ "b9_2", "B9.2 keys that go while they are read", b9_2 },
	{ "b9_3", "B9.3 any number of queues", b9_3 },
	{ "b9_4", "B9.4, B9.5, B1.9, B1.11 rings that are none, or of others", b9_4 },
	{ "b9_6", "B9.6 connection after connection fails", b9_6 },
	{ "b9_7", "B9.7, B9.14 keys written while connected", b9_7 },
	{ "b9_8", "B9.8 other features with each connection, and a large MTU", b9_8 },
	{ "b9_9", "B9.9 states that are none, without a pause", b9_9 },
	{ "b9_10", "B9.10 all states in turn, without waiting", b9_10 },
	{ "b9_11", "B9.11 a watched key written without a pause", b9_11 },
	{ "b9_13", "B9.13 transactions without an end, watches on everything", b9_13 },
	{ "b10_1", "B10.1 closing with a full ring", b10_1 },
	{ "b10_2", "B10.2 closing at once", b10_2 },
	{ "b10_3", "B10.3 closing while the host sends", b10_3 },
	{ "b10_4", "B10.4 closing in a storm of events", b10_4 },
	{ "b10_5", "B10.5 connecting twice", b10_5 },
	{ "b10_6", "B10.6 one of two queues breaks", b10_6 },
	{ "b10_7", "B10.7 a ring breaks while the interface changes", b10_7 },
	{ "b10_12", "B10.12 a frontend that knows nothing of the last one", b10_12 },
	{ "b10_15_dies", "B10.15 killed in the midst of a frame; the first half", b10_15_dies },
	{ "b10_15", "B10.15 killed in the midst of a frame; the second half", b10_15 },
	{ "b10_16", "B10.16 closing whatever the thread is about", b10_16 },
	{ "b10_17", "B10.17 one vif of two breaks", b10_17 },
	{}
};
