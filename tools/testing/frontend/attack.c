// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What cases demand: see cases.h. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cases.h"

/* A backend takes this many bad connections in this time, and then no good one. */
#define REFUSALS	5
#define REFUSALS_MS	10500

static uint64_t first_refusal;
static int refusals;
static uint64_t state = 1;

void rnd_seed(uint32_t seed)
{
	state = seed * 2685821657736338717ull + 1;
}

uint32_t rnd(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return n ? (state >> 11) % n : 0;
}

int times(int n)
{
	const char *text = getenv("XVF_TIMES");
	int factor = text ? atoi(text) : 1;

	return n * (factor > 0 ? factor : 1);
}

struct tx_frame plain(uint8_t *data, uint32_t kind, uint32_t len, uint32_t seed)
{
	struct frame_spec spec = frame_spec(kind, len, seed, false);

	return (struct tx_frame){ .data = data, .len = frame_make(data, &spec), .n = 1 };
}

netif_extra_info_t gso_extra(uint8_t type, uint16_t size)
{
	return (netif_extra_info_t){
		.type = XEN_NETIF_EXTRA_TYPE_GSO,
		.u.gso = { .size = size, .type = type },
	};
}

/* Sends a frame. All its slots have the same answer, which is returned. */
static int16_t send_frame(struct queue *q, const struct tx_frame *t)
{
	int n = t->n ?: 1;
	int16_t status;

	tx_frame(q, t);
	tx_push(q);
	need(tx_wait(q, COMES), "L: a frame of %u bytes in %d slots, %d extras, is not answered for",
	     t->len, n, t->n_extras);
	status = tx_status(q, n - 1 + t->n_extras);
	for (int i = 0; i < n - 1; i++)
		need(tx_status(q, i) == status, "C: a frame in %d slots is answered both %d and %d",
		     n, status, tx_status(q, i));
	return status;
}

/* Frames that the host has got meanwhile. */
static uint64_t arrived(struct queue *q)
{
	uint64_t total;

	peer_seen(q->front, 0, &total);
	return total;
}

struct seen send_checked(struct queue *q, const struct tx_frame *t)
{
	uint64_t before, after;
	struct seen seen;
	int16_t status;

	/* By the same queue, so that it comes after the frame. */
	q->front->via = q->id;
	before = arrived(q);
	status = send_frame(q, t);
	seen = peer_seen(q->front, 0, &after);
	q->front->via = 0;

	need(status == NETIF_RSP_OKAY, "a good frame of %u bytes in %d slots is answered %d",
	     t->len, t->n, status);
	need(after == before + 1, "a frame of %u bytes in %d slots arrives %d times", t->len,
	     t->n, (int)(after - before));
	need(seen.len == t->len && seen.crc == crc(t->data, t->len),
	     "a frame of %u bytes in %d slots arrives as %u others", t->len, t->n, seen.len);
	return seen;
}

static uint64_t counted(struct queue *q, const char *counter)
{
	return peer_stat(q->front, "tx_queue_%d_%s", q->id, counter);
}

static void not_delivered(struct queue *q, const struct tx_frame *t, const char *counter,
			  int16_t want)
{
	uint64_t before = arrived(q), count = counted(q, counter);
	int16_t status = send_frame(q, t);

	need(status == want, "a bad frame of %u bytes in %d slots is answered %d, and not %d",
	     t->len, t->n, status, want);
	need(arrived(q) == before, "a bad frame of %u bytes in %d slots is delivered", t->len,
	     t->n);
	need(counted(q, counter) == count + 1, "a bad frame: %s grows by %d", counter,
	     (int)(counted(q, counter) - count));
}

void refused(struct queue *q, const struct tx_frame *t, const char *counter)
{
	not_delivered(q, t, counter, NETIF_RSP_ERROR);
}

void dropped(struct queue *q, const struct tx_frame *t, const char *counter)
{
	not_delivered(q, t, counter, NETIF_RSP_OKAY);
}

void answered(struct queue *q, const struct tx_frame *t)
{
	send_frame(q, t);
}

void again(struct front *f)
{
	need(lie != LIE_DEAD, "L: dead, as it was to be");
	front_end(f);
	front_connect(f, &conf_default);
	alive(f);
}

void broken(struct front *f)
{
	need(backend_wait(f, XenbusStateClosing, COMES),
	     "X: the connection does not break; the backend's state is %d", backend_state(f));
	again(f);
	front_end(f);
}

void wait_out(void)
{
	while (refusals && now_ms() < first_refusal + REFUSALS_MS)
		usleep(50000);
	refusals = 0;
}

void no_connect(struct front *f, const struct conf *c, void (*twist)(struct front *f))
{
	if (refusals == REFUSALS)
		wait_out();
	need(!front_try(f, c, twist), "the backend takes a connection that is none");
	/* The backend's time has begun by now. */
	if (!refusals++)
		first_refusal = now_ms();
	front_end(f);
}
