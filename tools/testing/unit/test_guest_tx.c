// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * guest_tx.c and queue.c on the stand: a frontend posts, the driver polls. That
 * every slot is answered once, in order, with its id, and that what is delivered
 * is what the guest's pages hold, the stand checks by itself.
 */

#include "test.h"

#include "stand.h"

#define MORE	XEN_NETTXF_more_data
#define EXTRA	XEN_NETTXF_extra_info

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
	config.tx_start = 0xFFFFFFF0;
	return setup(state);
}

static int setup_shared(void **state)
{
	config.shared_channel = true;
	return setup(state);
}

static void go(void)
{
	stand_tx_push();
	stand_run();
}

static void assert_ended(u32 answered, u32 delivered)
{
	assert_int_equal(stand->n_answered, answered);
	assert_int_equal(stand->n_delivered, delivered);
	assert_int_equal(stand->tx_ring->rsp_prod, config.tx_start + answered);
	/* An event for the guest, who had asked for one, and the interrupt ended. */
	assert_false(sim.irq[0].active);
}

static void test_empty(void **state)
{
	UNUSED(state);
	go();
	assert_ended(0, 0);
	assert_int_equal(sim.irq[0].n_notify, 0);
	assert_int_equal(sim.n_hypercalls, 0);
}

/* Events for nothing are ended, too, and soon told apart. */
static void test_idle_events(void **state)
{
	u32 eoi, spurious, i;

	UNUSED(state);
	go();
	eoi = sim.irq[0].n_eoi;
	spurious = sim.irq[0].n_spurious;
	for (i = 0; i < 5; i++) {
		sim_event(0);
		stand_run();
		assert_false(sim.irq[0].active);
	}
	assert_int_equal(sim.irq[0].n_eoi, eoi + 5);
	assert_true(sim.irq[0].n_spurious >= spurious + 4);
}

static void test_one(void **state)
{
	UNUSED(state);
	stand_tx_request(SIM_GREF(3, 0), 100, 60, 0, 0x1234);
	go();
	assert_ended(1, 1);
	assert_int_equal(stand->tx_ring->ring[config.tx_start % 256].rsp.id, 0x1234);
	assert_int_equal(sim.irq[0].n_notify, 1);
	assert_int_equal(sim.n_hypercalls, 1);
	assert_int_equal(sim.n_ops, 1);
	assert_int_equal(stand_tx_stat(XENVIF_TX_PACKETS), 1);
	assert_int_equal(stand_tx_stat(XENVIF_TX_BYTES), 60);
}

static void send_one(void)
{
	u32 n = stand->n_answered + 1;

	stand_tx_request(SIM_GREF(3, 0), 100, 60, 0, 0x1234);
	go();
	assert_ended(n, n);
}

/* A queue that says next to nothing asks its pool for nothing. */
static void test_cold(void **state)
{
	struct xenvif_queue *queue = stand->queue;
	u32 i;

	UNUSED(state);
	sim.n_pages = 0;
	for (i = 0; i < XENVIF_POOL_COLD - 1; i++)
		send_one();
	assert_int_equal(sim.n_pages, 0);
	assert_false(stand->vif.trim_work.work.queued);
	assert_false(xenvif_queue_trim(queue));
	/* What is cold about a packet is all of it, and goes back if it comes to nothing. */
	sim.fail_alloc_in = 3;
	stand_tx_request(SIM_GREF(1, 0), 0, 4096, XEN_NETTXF_more_data, 0);
	stand_tx_request(SIM_GREF(2, 0), 0, 4096, 0, 0);
	go();
	sim.fail_alloc_in = 0;
	assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_NOMEM), 1);
	assert_int_equal(sim.n_pages, 0);

	stand_tx_request(SIM_GREF(3, 0), 0, 60, 0, 0);
	go();
	assert_int_equal(sim.n_pages, 1);
	assert_true(stand->vif.trim_work.work.queued);
	assert_true(xenvif_queue_trim(queue));
	assert_false(xenvif_queue_trim(queue));
	assert_int_equal(queue->tx.cold, XENVIF_POOL_COLD);
}

/* Idle pages go back when there were no packets from one look to the next. */
static void test_trim(void **state)
{
	struct xenvif_queue *queue = stand->queue;
	struct page_pool *pool = queue->tx.pool;

	UNUSED(state);
	queue->tx.cold = 0;
	assert_false(stand->vif.trim_work.work.queued);
	assert_false(xenvif_queue_trim(queue));
	assert_ptr_equal(queue->tx.pool, pool);

	send_one();
	assert_true(stand->vif.trim_work.work.queued);
	assert_true(xenvif_queue_trim(queue));
	send_one();
	assert_true(xenvif_queue_trim(queue));
	assert_ptr_equal(queue->tx.pool, pool);

	/* Without memory for another pool: the next time. */
	sim.fail_alloc_in = 1;
	assert_true(xenvif_queue_trim(queue));
	sim.fail_alloc_in = 0;
	assert_ptr_equal(queue->tx.pool, pool);

	assert_false(xenvif_queue_trim(queue));
	assert_ptr_not_equal(queue->tx.pool, pool);
	stand->vif.trim_work.work.queued = false;
	assert_false(xenvif_queue_trim(queue));
	queue->tx.cold = 0;
	send_one();
	assert_true(stand->vif.trim_work.work.queued);
}

/* Not while copies are being retried: their packets have pages. */
static void test_trim_retrying(void **state)
{
	struct xenvif_queue *queue = stand->queue;
	struct page_pool *pool = queue->tx.pool;

	UNUSED(state);
	queue->tx.cold = 0;
	stand_tx_request(SIM_GREF(3, 0), 100, 60, 0, 0);
	go();
	assert_true(xenvif_queue_trim(queue));
	stand_tx_request(SIM_GREF(2, SIM_FATE_AGAIN), 0, 100, 0, 0);
	stand_tx_push();
	queue->tx.napi.scheduled = true;
	queue->tx.napi.poll(&queue->tx.napi, NAPI_POLL_WEIGHT);
	assert_int_equal(queue->tx.n_work, 1);
	assert_true(xenvif_queue_trim(queue));
	assert_ptr_equal(queue->tx.pool, pool);
	stand_run();
	assert_ended(2, 1);
}

static void test_extra(void **state)
{
	struct xen_netif_extra_info hash = { .type = XEN_NETIF_EXTRA_TYPE_HASH };

	UNUSED(state);
	stand_tx_request(SIM_GREF(3, 0), 100, 100, EXTRA | MORE, 1);
	stand_tx_extra(&hash);
	stand_tx_request(SIM_GREF(4, 0), 0, 50, 0, 2);
	go();
	assert_ended(3, 1);
}

/* A packet of 19 slots, with holes. */
static void test_long(void **state)
{
	u32 i;

	UNUSED(state);
	stand_tx_request(SIM_GREF(0, 0), 1000, 3000 + 9 * 2000, MORE, 0);
	for (i = 1; i < 19; i++)
		stand_tx_request(SIM_GREF(i, 0), i, i & 1 ? 2000 : 0, i < 18 ? MORE : 0, i);
	go();
	assert_ended(19, 1);
}

/* 64 KiB, however it is cut, is one packet of at most 17 fragments. */
static void test_64k(void **state)
{
	u32 i, round, rest;

	UNUSED(state);
	for (round = 0; round < 500; round++) {
		u32 n = random_in(17, 19), max;

		rest = 65535;
		stand_tx_request(SIM_GREF(0, 0), 0, rest, MORE, round);
		/* Each at most a page, and what is left fits the first one. */
		for (i = 1; i < n; i++) {
			u32 after = (n - i) * 4096;
			u32 min = rest > after ? rest - after : 0;

			max = rest < 4096 ? rest : 4096;
			min = min > max ? max : min;
			max = random_in(min, max);
			stand_tx_request(SIM_GREF(i, 0), random_in(0, 4096 - max), max,
					 i < n - 1 ? MORE : 0, i);
			rest -= max;
		}
		go();
		assert_false(sim.irq[0].active);
	}
	assert_int_equal(stand->n_delivered, 500);
	assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_COPY), 0);
}

/* A full page is one operation: 64 KiB of aligned pages is 16. */
static void test_few_ops(void **state)
{
	u32 i;

	UNUSED(state);
	stand_tx_request(SIM_GREF(0, 0), 0, 66 + 15 * 4096, MORE, 0);
	for (i = 0; i < 15; i++)
		stand_tx_request(SIM_GREF(i, 0), 0, 4096, i < 14 ? MORE : 0, 0);
	go();
	assert_ended(16, 1);
	assert_int_equal(sim.n_ops, 16);
	assert_int_equal(sim.n_hypercalls, 1);
}

static void test_invalid(void **state)
{
	struct xen_netif_extra_info bad = { .type = 77 };
	u32 i;

	UNUSED(state);
	stand_tx_request(SIM_GREF(3, 0), 0, 13, 0, 0);
	stand_tx_request(SIM_GREF(3, 0), 4000, 100, 0, 1);
	stand_tx_request(SIM_GREF(3, 0), 0, 100, MORE, 2);
	stand_tx_request(SIM_GREF(3, 0), 0, 101, 0, 3);
	stand_tx_request(SIM_GREF(3, 0), 0, 100, EXTRA | MORE, 4);
	stand_tx_extra(&bad);
	stand_tx_request(SIM_GREF(3, 0), 0, 10, 0, 5);
	for (i = 0; i < 20; i++)
		stand_tx_request(SIM_GREF(3, 0), 0, i ? 5 : 100, i < 19 ? MORE : 0, i);
	bad.type = XEN_NETIF_EXTRA_TYPE_GSO;
	stand_tx_request(SIM_GREF(3, 0), 0, 100, EXTRA, 6);
	stand_tx_extra(&bad);
	stand_tx_request(SIM_GREF(3, 0), 0, 100, 0, 7);
	go();
	assert_ended(30, 1);
	assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_SHORT), 1);
	assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_RANGE), 1);
	assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_LENGTH), 1);
	assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_EXTRA), 1);
	assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_SLOTS), 1);
	assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_GSO), 1);
	assert_int_equal(stand->n_fatal, 0);
	/* Nothing was copied for them. */
	assert_int_equal(sim.n_ops, 1);
}

/* Grants that cannot be copied from: the packet is lost, its neighbours are not. */
static void test_copy_error(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 0; i < 10; i++) {
		stand_tx_request(SIM_GREF(1, 0), 0, 100, 0, i);
		stand_tx_request(SIM_GREF(2, 0), 0, 200, MORE, i);
		stand_tx_request(i & 1 ? SIM_GREF(3, SIM_FATE_ERROR) : 0x3FF, 0, 100, MORE, i);
		stand_tx_request(SIM_GREF(4, 0), 0, 50, 0, i);
	}
	go();
	assert_ended(40, 10);
	assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_COPY), 10);
}

/* Whichever slot it is, of however many; and whatever is not fine is an error. */
static void test_copy_error_anywhere(void **state)
{
	static const u32 fates[] = { SIM_FATE_ERROR, SIM_FATE_ODD };
	u32 n, bad, i, f;

	UNUSED(state);
	for (f = 0; f < ARRAY_SIZE(fates); f++) {
		for (n = 1; n <= 19; n++) {
			for (bad = 0; bad < n; bad++) {
				u32 before = stand->n_answered;

				for (i = 0; i < n; i++)
					stand_tx_request(SIM_GREF(i, i == bad ? fates[f] : 0), 0,
							 i ? 100 : 100 * n, i < n - 1 ? MORE : 0, i);
				go();
				assert_ended(before + n, 0);
			}
		}
	}
}

static void test_hypercall_error(void **state)
{
	UNUSED(state);
	sim.fail_hypercall = true;
	stand->shaky = true;
	stand_tx_request(SIM_GREF(1, 0), 0, 100, 0, 0);
	go();
	assert_ended(1, 0);
	sim.fail_hypercall = false;
	stand_tx_request(SIM_GREF(1, 0), 0, 100, 0, 0);
	go();
	assert_ended(2, 1);
}

static void later_hypercalls_fail(enum sim_point point)
{
	if (point == SIM_POINT_HYPERCALL)
		sim.fail_hypercall = sim.n_hypercalls;
}

/* A page of the guest's is paged out, and then the hypercall fails, too. */
static void test_hypercall_error_again(void **state)
{
	UNUSED(state);
	stand->shaky = true;
	stand->hostile = later_hypercalls_fail;
	stand_tx_request(SIM_GREF(1, 3), 0, 100, 0, 0);
	stand_tx_request(SIM_GREF(2, 0), 0, 100, 0, 0);
	go();
	stand->hostile = NULL;
	assert_ended(2, 1);
	assert_int_equal(sim.n_hypercalls, 1 + XENVIF_TX_EAGAIN_MAX);
	assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_COPY), 1);
}

/* Pages of the guest's that come back, and such that do not. */
static void test_again(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 1; i <= SIM_FATE_AGAIN_MAX; i++) {
		stand_tx_request(SIM_GREF(i, i), 0, 100, MORE, i);
		stand_tx_request(SIM_GREF(i + 20, 0), 0, 50, 0, i);
	}
	go();
	assert_ended(2 * SIM_FATE_AGAIN_MAX, SIM_FATE_AGAIN_MAX);
	stand_tx_request(SIM_GREF(1, 0), 0, 100, 0, 0);
	stand_tx_request(SIM_GREF(2, SIM_FATE_AGAIN), 0, 100, 0, 0);
	stand_tx_request(SIM_GREF(3, 5), 0, 100, 0, 0);
	stand_tx_request(SIM_GREF(4, SIM_FATE_ERROR), 0, 100, 0, 0);
	go();
	assert_ended(2 * SIM_FATE_AGAIN_MAX + 4, SIM_FATE_AGAIN_MAX + 2);
	assert_true(sim.n_hypercalls < 200);
}

static void test_no_memory(void **state)
{
	u32 i, round;

	UNUSED(state);
	wants_small_pages();
	for (round = 1; round < 60; round++) {
		sim.fail_alloc_in = round;
		for (i = 0; i < 4; i++) {
			stand_tx_request(SIM_GREF(1, 0), 0, 65535, MORE, 0);
			for (u32 k = 0; k < 16; k++)
				stand_tx_request(SIM_GREF(k, 0), 0, 4000, k < 15 ? MORE : 0, 0);
		}
		go();
	}
	assert_true(stand_tx_stat(XENVIF_TX_DROP_NOMEM) >= 50);
	assert_int_equal(stand->n_answered, 59 * 4 * 17);
}

/* No memory for the skb alone: that is seen when the packet is answered already. */
static void test_no_skb(void **state)
{
	UNUSED(state);
	wants_small_pages();
	stand->queue->tx.cold = 0;
	stand_tx_request(SIM_GREF(1, 0), 0, 60, 0, 0);
	go();
	assert_ended(1, 1);
	/* The page is there, and has room. */
	sim.fail_alloc_in = 1;
	stand_tx_request(SIM_GREF(1, 0), 0, 60, 0, 0);
	stand_tx_request(SIM_GREF(2, 0), 0, 60, 0, 1);
	go();
	assert_ended(3, 2);
	assert_int_equal(sim.n_unmade, 1);
	assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_NOMEM), 1);

	/* ... and for that of a long one, whose pages go back. */
	sim.fail_alloc_in = 1 + 3;
	stand_tx_request(SIM_GREF(1, 0), 0, 8000, MORE, 0);
	stand_tx_request(SIM_GREF(2, 0), 0, 4000, 0, 1);
	go();
	assert_ended(5, 2);
	assert_int_equal(sim.n_unmade, 2);
	assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_NOMEM), 2);
}

/* An interface that is down takes, answers, and delivers nothing. */
static void test_down(void **state)
{
	UNUSED(state);
	stand->dev.running = false;
	stand_tx_request(SIM_GREF(1, 0), 0, 100, 0, 0);
	go();
	assert_ended(1, 0);
	assert_int_equal(stand->last_status, XEN_NETIF_RSP_DROPPED);
	assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_DOWN), 1);
}

/* The last slots come later: nothing is taken, nobody spins, nothing is lost. */
static void test_partial(void **state)
{
	struct xen_netif_extra_info hash = { .type = XEN_NETIF_EXTRA_TYPE_HASH };

	UNUSED(state);
	stand_tx_request(SIM_GREF(1, 0), 0, 300, MORE | EXTRA, 1);
	go();
	assert_ended(0, 0);
	stand_tx_extra(&hash);
	go();
	assert_ended(0, 0);
	stand_tx_request(SIM_GREF(2, 0), 0, 100, MORE, 2);
	go();
	assert_ended(0, 0);
	stand_tx_request(SIM_GREF(3, 0), 0, 100, 0, 3);
	go();
	assert_ended(4, 1);
	/* Nor is that of the binding: the first poll was there before it. */
	assert_int_equal(sim.irq[0].n_spurious, 0);
}

/* The ring full of small packets, of large ones, again and again over the wrap;
 * and of ones that are one byte each in 18 slots.
 */
static void test_full_ring(void **state)
{
	u32 round, i, k;

	UNUSED(state);
	for (round = 0; round < 50; round++) {
		for (i = 0; i < 256; i++)
			stand_tx_request(SIM_GREF(i % 64, 0), 0, 60 + i, 0, i * 77);
		go();
		for (i = 0; i + 19 <= 256; i += 19)
			for (k = 0; k < 19; k++)
				stand_tx_request(SIM_GREF(k, 0), k, k ? 1 : 32,
						 k < 18 ? MORE : 0, i + k);
		go();
		for (i = 0; i + 18 <= 256; i += 18)
			for (k = 0; k < 18; k++)
				stand_tx_request(SIM_GREF(k, 0), 0, k ? 3800 : 65000,
						 k < 17 ? MORE : 0, i + k);
		go();
	}
	assert_int_equal(stand->n_delivered, 50 * (256 + 13 + 14));
	assert_false(sim.irq[0].active);
}

/* Random honest traffic: sizes, cuts, extra infos, pauses. */
static void test_random(void **state)
{
	u32 round, i, k, packets = 0;

	UNUSED(state);
	for (round = 0; round < 3000; round++) {
		for (i = random_in(0, 8); i; i--) {
			struct xen_netif_extra_info hash = { .type = XEN_NETIF_EXTRA_TYPE_HASH };
			bool with_extra = !random_in(0, 3);
			u32 slots = random_in(1, 19), size[19], total = 0;

			for (k = 0; k < slots; k++) {
				size[k] = random_in(0, 3) ? random_in(0, 200) : random_in(0, 4096);
				if (total + size[k] > 65535)
					size[k] = 0;
				total += size[k];
			}
			if (total < 14) {
				total += 14;
				size[0] += 14;
			}
			if (size[0] > 4096)
				continue;
			if (stand->tx.req_prod_pvt - stand->tx_ring->rsp_prod + slots + 1 > 256)
				break;
			for (k = 0; k < slots; k++) {
				stand_tx_request(SIM_GREF(random_in(0, 63), 0),
						 random_in(0, 4096 - size[k]), k ? size[k] : total,
						 (k < slots - 1 ? MORE : 0) |
						 (!k && with_extra ? EXTRA : 0), random_u32());
				if (!k && with_extra)
					stand_tx_extra(&hash);
			}
			packets++;
			if (!random_in(0, 2))
				stand_tx_push();
		}
		if (random_in(0, 3))
			go();
	}
	go();
	assert_int_equal(stand->n_delivered, packets);
	assert_false(sim.irq[0].active);
}

/* The rate limit: what is above it waits, and goes on in its time. */
static void test_throttle(void **state)
{
	u32 i;

	UNUSED(state);
	xenvif_credit_set(&stand->vif.credit, 10000, 1000, sim.now);
	for (i = 0; i < 100; i++)
		stand_tx_request(SIM_GREF(1, 0), 0, 1000, 0, i);
	go();
	assert_int_equal(stand->n_delivered, 10);
	assert_true(stand->queue->tx.throttle.armed);
	/* The interrupt is ended: the timer goes on with it. */
	assert_false(sim.irq[0].active);
	for (i = 1; i <= 9; i++) {
		sim_advance(1001000);
		stand_run();
		assert_in_range(stand->n_delivered, 10 + i * 10 - 1, 10 + i * 10 + 1);
	}
	sim_advance(1000000);
	stand_run();
	assert_ended(100, 100);
}

/* A packet that waits for its turn gives it back when its queue goes. */
static void test_throttle_purged(void **state)
{
	UNUSED(state);
	xenvif_credit_set(&stand->vif.credit, 10000, 1000000, sim.now);
	stand_tx_request(SIM_GREF(1, 0), 0, 4000, 0, 0);
	stand_tx_request(SIM_GREF(1, 0), 0, 4000, 0, 1);
	stand_tx_request(SIM_GREF(1, 0), 0, 4000, 0, 2);
	go();
	assert_int_equal(stand->n_delivered, 2);
	assert_int_equal(stand->vif.credit.tokens, -2000);
	xenvif_tx_purge(stand->queue);
	assert_int_equal(stand->vif.credit.tokens, 2000);
}

/* The limit is not for what is dropped. */
static void test_throttle_bad(void **state)
{
	u32 i;

	UNUSED(state);
	xenvif_credit_set(&stand->vif.credit, 100, 1000000, sim.now);
	for (i = 0; i < 50; i++)
		stand_tx_request(SIM_GREF(1, 0), 4000, 1000, 0, i);
	stand_tx_request(SIM_GREF(1, 0), 0, 100, 0, i);
	go();
	assert_ended(51, 1);
}

static void assert_fatal(u32 answered)
{
	stand->honest = false;
	sim_event(0);
	stand_run();
	assert_int_equal(stand->n_fatal, 1);
	assert_int_equal(stand->n_answered, answered);
	/* Dead: not a word more, whatever comes. */
	sim_event(0);
	stand_run();
	assert_int_equal(stand->n_answered, answered);
	assert_int_equal(stand->n_fatal, 1);
}

static void test_corrupt_index(void **state)
{
	UNUSED(state);
	stand_tx_request(SIM_GREF(1, 0), 0, 100, 0, 0);
	go();
	stand->tx_ring->req_prod += 257;
	assert_fatal(1);
}

static void test_corrupt_index_back(void **state)
{
	UNUSED(state);
	stand_tx_request(SIM_GREF(1, 0), 0, 100, 0, 0);
	go();
	stand->tx_ring->req_prod--;
	assert_fatal(1);
}

static void test_endless_packet(void **state)
{
	u32 i;

	UNUSED(state);
	stand_tx_request(SIM_GREF(1, 0), 0, 100, 0, 0);
	for (i = 0; i < 255; i++)
		stand_tx_request(SIM_GREF(1, 0), 0, 1, MORE, 0);
	go();
	assert_ended(1, 1);
	/* The good one has given its slot back: so the bad one fills the ring. */
	stand_tx_request(SIM_GREF(1, 0), 0, 1, MORE, 0);
	stand_tx_push();
	assert_fatal(1);
}

static void send_mcast(u8 type, u8 first, u8 last)
{
	struct xen_netif_extra_info extra = { .type = type };

	extra.u.mcast.addr[0] = first;
	extra.u.mcast.addr[5] = last;
	stand_tx_request(SIM_GREF(0x3FF, SIM_FATE_ERROR), 65535, 0, EXTRA, 9);
	stand_tx_extra(&extra);
	go();
}

/* Messages to the multicast filter: answered, kept, bounded; no grant is touched. */
static void test_mcast(void **state)
{
	u8 addr[6] = { 0x33 };
	u32 i;

	UNUSED(state);
	for (i = 0; i < 70; i++) {
		send_mcast(XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 0x33, i);
		assert_int_equal(stand->last_status,
				 i < XENVIF_MCAST_MAX ? XEN_NETIF_RSP_OKAY : XEN_NETIF_RSP_ERROR);
	}
	send_mcast(XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 0x32, 0);
	assert_int_equal(stand->last_status, XEN_NETIF_RSP_ERROR);
	assert_true(xenvif_mcast_has(&stand->vif.mcast, addr));
	send_mcast(XEN_NETIF_EXTRA_TYPE_MCAST_DEL, 0x33, 0);
	assert_int_equal(stand->last_status, XEN_NETIF_RSP_OKAY);
	assert_false(xenvif_mcast_has(&stand->vif.mcast, addr));
	assert_ended(72 * 2, 0);
	assert_int_equal(stand_tx_stat(XENVIF_TX_MCAST_MSGS), 72);
	assert_int_equal(sim.n_ops, 0);
}

static u32 seen_hash;
static u8 seen_type;

static void note_hash(struct sk_buff *skb)
{
	seen_hash = skb->hash;
	seen_type = skb->hash_type;
	sim_skb_free(skb);
}

/* What the guest says of the hash: taken only as far as it is known. */
static void test_hash(void **state)
{
	u32 type, alg;

	UNUSED(state);
	sim_deliver = note_hash;
	for (alg = 0; alg <= 2; alg++) {
		for (type = 0; type <= 255; type++) {
			struct xen_netif_extra_info hash = { .type = XEN_NETIF_EXTRA_TYPE_HASH };
			u8 expect = PKT_HASH_TYPE_NONE;

			hash.u.hash.type = type;
			hash.u.hash.algorithm = alg;
			memcpy(hash.u.hash.value, "\x04\x03\x02\x01", 4);
			stand_tx_request(SIM_GREF(3, 0), 0, 100, EXTRA, 0);
			stand_tx_extra(&hash);
			stand_tx_push();
			sim_run(64);
			if (alg == XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ && type <= 3)
				expect = type & 1 ? PKT_HASH_TYPE_L4 : PKT_HASH_TYPE_L3;
			assert_int_equal(seen_type, expect);
			assert_int_equal(seen_hash, expect ? 0x01020304 : 0);
		}
	}
}

/* The guest posts while the driver looks a last time: seen without an event. */
static u32 late_posts;

static void post_late(enum sim_point point)
{
	if (point != SIM_POINT_MB || !late_posts ||
	    stand->tx_ring->req_event != stand->tx_ring->req_prod + 1)
		return;
	late_posts--;
	stand_tx_request(SIM_GREF(1, 0), 0, 100, 0, 0);
	stand->tx_ring->req_prod = stand->tx.req_prod_pvt;
}

static void test_late_post(void **state)
{
	UNUSED(state);
	late_posts = 20;
	stand->hostile = post_late;
	stand_tx_request(SIM_GREF(1, 0), 0, 100, 0, 0);
	go();
	stand->hostile = NULL;
	assert_int_equal(late_posts, 0);
	assert_ended(21, 21);
}

/* A poll that is ended and begun anew, as ifdown does: nothing is lost. */
static void test_restart(void **state)
{
	UNUSED(state);
	stand_tx_request(SIM_GREF(2, SIM_FATE_AGAIN), 0, 100, 0, 0);
	stand_tx_request(SIM_GREF(1, 0), 0, 100, 0, 0);
	stand_tx_push();
	stand->queue->tx.napi.scheduled = true;
	stand->queue->tx.napi.poll(&stand->queue->tx.napi, 64);
	assert_int_equal(stand->queue->tx.n_work, 2);
	xenvif_tx_restart(stand->queue);
	stand_run();
	assert_ended(2, 1);
	stand_tx_request(SIM_GREF(1, 0), 0, 100, 0, 0);
	go();
	assert_ended(3, 2);
}

/* The driver stops in the middle of retries: nothing leaks, nothing is delivered. */
static void test_purge(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 0; i < 20; i++)
		stand_tx_request(SIM_GREF(2, SIM_FATE_AGAIN), 0, 100, 0, 0);
	/* A bad one behind them, which has no pages. */
	stand_tx_request(SIM_GREF(1, 0), 4000, 1000, 0, 0);
	stand_tx_push();
	/* One turn only. */
	stand->queue->tx.napi.scheduled = true;
	stand->queue->tx.napi.poll(&stand->queue->tx.napi, 64);
	assert_int_equal(stand->queue->tx.n_work, 21);
	/* teardown sees to it */
}

/* netpoll, with interrupts off, asks for room to send: nothing is moved, either way. */
static void test_netpoll(void **state)
{
	struct napi_struct *napi = &stand->queue->tx.napi;

	UNUSED(state);
	wants_small_pages();
	stand_rx_post(1, SIM_FATE_OK);
	stand_run();
	stand_tx_request(SIM_GREF(1, 0), 0, 100, 0, 0);
	stand_tx_push();
	stand_xmit(sim_skb_alloc(100, 0));
	assert_true(napi->scheduled);
	sim.napi_completed = false;
	assert_int_equal(napi->poll(napi, 0), 0);
	assert_false(sim.napi_completed);
	assert_int_equal(stand->n_received, 0);
	assert_int_equal(stand->n_answered, 0);
	stand_run();
	assert_int_equal(stand->n_received, 1);
	assert_ended(1, 1);
}

/* Frames: headers end in the head, and offloads are set up, or the frame is lost. */

static u32 make_frame(u8 *frame, u32 tags, bool v6, u8 proto, u32 ihl, u32 doff, u32 payload)
{
	u32 at = 12, l4;

	memset(frame, 0x42, 4096);
	while (tags--) {
		frame[at++] = 0x81;
		frame[at++] = 0;
		frame[at++] = 0;
		frame[at++] = 5;
	}
	frame[at++] = v6 ? 0x86 : 0x08;
	frame[at++] = v6 ? 0xDD : 0x00;
	if (v6) {
		frame[at] = 0x60;
		frame[at + 6] = proto;
		at += 40;
	} else {
		frame[at] = 0x40 | ihl;
		frame[at + 6] = 0x40;
		frame[at + 7] = 0;
		frame[at + 9] = proto;
		at += ihl * 4;
	}
	l4 = at;
	if (proto == 6) {
		frame[l4 + 12] = doff << 4;
		at += doff * 4;
	} else {
		at += 8;
	}
	return at + payload;
}

/* Headers cut at every byte, in slots of one byte and of two halves. */
static void test_headers_cut(void **state)
{
	u32 tags, v6, cut, len, hdr, i;
	u8 keep[4096];

	UNUSED(state);
	memcpy(keep, sim_guest_page(60), 4096);
	for (tags = 0; tags <= 1; tags++) {
		for (v6 = 0; v6 <= 1; v6++) {
			hdr = make_frame(sim_guest_page(60), tags, v6, 6, 15, 15, 0);
			len = hdr + 1000;
			for (cut = 1; cut < hdr + 5; cut++) {
				stand_tx_request(SIM_GREF(60, 0), 0, len, MORE, 0);
				stand_tx_request(SIM_GREF(60, 0), cut, len - cut, 0, 0);
				go();
			}
			/* 17 slots of one byte, from each byte on */
			for (cut = 1; cut < hdr + 5; cut++) {
				stand_tx_request(SIM_GREF(60, 0), 0, len, MORE, 0);
				for (i = 0; i < 17; i++)
					stand_tx_request(SIM_GREF(60, 0), cut + i, 1, MORE, 0);
				stand_tx_request(SIM_GREF(60, 0), cut + 17, len - cut - 17, 0, 0);
				go();
			}
			/* a head of one byte, then full pages of the rest */
			stand_tx_request(SIM_GREF(60, 0), 0, 4096, MORE, 0);
			stand_tx_request(SIM_GREF(60, 0), 1, 4095, 0, 0);
			go();
		}
	}
	assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_HEADER), 0);
	memcpy(sim_guest_page(60), keep, 4096);
}

/* All of the packet is in pages behind a head that cannot take a page whole. */
static void test_headers_in_fragment(void **state)
{
	u8 keep[4096];

	UNUSED(state);
	memcpy(keep, sim_guest_page(60), 4096);
	make_frame(sim_guest_page(60), 0, false, 6, 5, 5, 0);
	stand_tx_request(SIM_GREF(1, 0), 0, 8192, MORE, 0);
	stand_tx_request(SIM_GREF(2, 0), 0, 4096, 0, 0);
	/* the first slot is the page with the headers */
	stand->tx_ring->ring[(config.tx_start) % 256].req.gref = SIM_GREF(60, 0);
	go();
	assert_ended(2, 1);
	memcpy(sim_guest_page(60), keep, 4096);
}

static void send_frame(u32 len, u16 flags, u8 gso_type, u16 gso_size)
{
	struct xen_netif_extra_info gso = { .type = XEN_NETIF_EXTRA_TYPE_GSO };

	gso.u.gso.type = gso_type;
	gso.u.gso.size = gso_size;
	stand_tx_request(SIM_GREF(60, 0), 0, len, flags | (gso_type ? EXTRA : 0), 0);
	if (gso_type)
		stand_tx_extra(&gso);
	go();
}

/* Headers that are in the head, all of them: nothing more is moved there. */
static u32 seen_headlen;
static u8 seen_summed;

static void note_skb(struct sk_buff *skb)
{
	seen_headlen = skb_headlen(skb);
	seen_summed = skb->ip_summed;
	sim_skb_free(skb);
}

static void test_headers_alone(void **state)
{
	u8 keep[4096];
	u32 hdr;

	UNUSED(state);
	memcpy(keep, sim_guest_page(60), 4096);
	hdr = make_frame(sim_guest_page(60), 0, false, 6, 5, 5, 0);
	sim_deliver = note_skb;
	stand_tx_request(SIM_GREF(60, 0), 0, hdr + 4096, MORE, 0);
	stand_tx_request(SIM_GREF(1, 0), 0, 4096, 0, 0);
	stand_tx_push();
	sim_run(64);
	assert_int_equal(seen_headlen, hdr - ETH_HLEN);
	/* One byte less, and they are not. */
	stand_tx_request(SIM_GREF(60, 0), 0, hdr - 1 + 4096, MORE, 0);
	stand_tx_request(SIM_GREF(1, 0), 0, 4096, 0, 0);
	stand_tx_push();
	sim_run(64);
	assert_int_equal(seen_headlen, 256 - ETH_HLEN);
	memcpy(sim_guest_page(60), keep, 4096);
}

/* Checksums that the guest vouches for: taken where the administrator does. */
static void test_validated(void **state)
{
	UNUSED(state);
	sim_deliver = note_skb;
	stand_tx_request(SIM_GREF(1, 0), 0, 100, XEN_NETTXF_data_validated, 0);
	stand_tx_push();
	sim_run(64);
	assert_int_equal(seen_summed, CHECKSUM_UNNECESSARY);
	stand->dev.features &= ~NETIF_F_RXCSUM;
	stand_tx_request(SIM_GREF(1, 0), 0, 100, XEN_NETTXF_data_validated, 0);
	stand_tx_push();
	sim_run(64);
	assert_int_equal(seen_summed, CHECKSUM_NONE);
}

static void test_offloads(void **state)
{
	static const u16 flags[] = { 0, XEN_NETTXF_csum_blank, XEN_NETTXF_data_validated,
				     XEN_NETTXF_csum_blank | XEN_NETTXF_data_validated };
	u8 keep[4096], *frame = sim_guest_page(60);
	u32 i, tags, v6, proto, gso, len, lost = 0, good = 0;

	UNUSED(state);
	memcpy(keep, frame, 4096);
	for (i = 0; i < 4; i++) {
		for (tags = 0; tags <= 3; tags++) {
			for (v6 = 0; v6 <= 1; v6++) {
				for (proto = 6; proto <= 17; proto += 11) {
					len = make_frame(frame, tags, v6, proto, 5, 5, 1000);
					/* no GSO, GSO of the right and of the wrong kind,
					 * and one that is but one segment
					 */
					for (gso = 0; gso <= 2; gso++) {
						bool right = !gso || (proto == 6 && gso == v6 + 1);

						send_frame(len, flags[i], gso, 100);
						send_frame(len, flags[i], gso, 1000);
						if (right)
							good += 2;
						else
							lost += 2;
						assert_int_equal(stand->n_delivered, good);
						assert_int_equal(stand->n_lost, lost);
					}
				}
			}
		}
	}
	memcpy(frame, keep, 4096);
}

/* What is merged: TCP, and UDP if the administrator wants that. */
static void test_merge(void **state)
{
	static const struct {
		u32 tags, features;
		u8 proto;
		bool merge;
	} kind[] = {
		{ 0, 0, 6, true },
		{ 0, 0, 17, false },
		{ 1, 0, 6, true },
		{ 1, 0, 17, false },
		{ 1, NETIF_F_GRO_UDP_FWD, 17, true },
		{ 0, NETIF_F_GRO_UDP_FWD, 17, true },
		{ 0, NETIF_F_GRO_FRAGLIST, 17, true },
		/* What the stack would follow: IPv6's headers, tunnels, no end of tags. */
		{ 0, NETIF_F_GRO_UDP_FWD, 0, false },
		{ 1, 0, 43, false },
		{ 0, 0, 60, false },
		{ 0, 0, 51, false },
		{ 0, 0, 41, false },
		{ 0, 0, 47, false },
		{ 5, 0, 6, false },
	};
	u8 keep[4096], *frame = sim_guest_page(60);
	u32 i, v6, len;

	UNUSED(state);
	memcpy(keep, frame, 4096);
	for (i = 0; i < ARRAY_SIZE(kind); i++) {
		for (v6 = 0; v6 <= 1; v6++) {
			stand->dev.features = kind[i].features;
			sim.n_gro = 0;
			len = make_frame(frame, kind[i].tags, v6, kind[i].proto, 5, 5, 30);
			send_frame(len, 0, 0, 0);
			assert_int_equal(sim.n_gro, kind[i].merge);
		}
	}
	/* The rest of a large datagram, with IPv6, goes as it does. */
	for (i = 0; i <= 1; i++) {
		stand->dev.features = i ? NETIF_F_GRO_UDP_FWD : 0;
		sim.n_gro = 0;
		send_frame(make_frame(frame, 0, true, 44, 5, 5, 30), 0, 0, 0);
		assert_int_equal(sim.n_gro, i);
	}
	/* Nothing that is not there is looked at. */
	stand->dev.features = 0;
	sim.n_gro = 0;
	make_frame(frame, 0, false, 6, 5, 5, 30);
	send_frame(ETH_HLEN + 19, 0, 0, 0);
	make_frame(frame, 0, true, 6, 5, 5, 30);
	send_frame(ETH_HLEN + 39, 0, 0, 0);
	assert_int_equal(sim.n_gro, 0);
	assert_int_equal(stand->n_delivered, 2 * ARRAY_SIZE(kind) + 4);
	memcpy(frame, keep, 4096);
}

/* Small packets share pages; larger ones have theirs. */
static void count_pages(u32 len, u32 n, u32 pages)
{
	u32 before = stand->n_delivered, i;

	sim.n_pages = 0;
	for (i = 0; i < n; i++)
		stand_tx_request(SIM_GREF(i % 10, 0), 0, len, 0, i);
	go();
	assert_int_equal(stand->n_delivered, before + n);
	assert_in_range(sim.n_pages, pages - 1, pages);
}

static void test_pages(void **state)
{
	UNUSED(state);
	wants_small_pages();
	stand->queue->tx.cold = 0;
	count_pages(60, 60, 60 / ((u32)PAGE_SIZE / (256 + 64 + 320)));
	count_pages(SKB_WITH_OVERHEAD(2048) - 256, 60, 30);
	count_pages(SKB_WITH_OVERHEAD(2048) - 255, 60, 60);
}

/* Frames that are shorter than their headers, and headers that lie: lost at worst. */
static void test_bad_headers(void **state)
{
	u8 keep[4096], *frame = sim_guest_page(60);
	u32 v6, proto, ihl, doff, len, full;

	UNUSED(state);
	memcpy(keep, frame, 4096);
	for (v6 = 0; v6 <= 1; v6++) {
		for (proto = 6; proto <= 17; proto += 11) {
			full = make_frame(frame, 1, v6, proto, 5, 5, 10);
			for (len = 14; len <= full; len++) {
				send_frame(len, XEN_NETTXF_csum_blank, 0, 0);
				send_frame(len, XEN_NETTXF_csum_blank, 1, 100);
				send_frame(len, XEN_NETTXF_csum_blank, 2, 100);
			}
			for (ihl = 0; ihl <= 15; ihl++) {
				for (doff = 0; doff <= 15; doff++) {
					full = make_frame(frame, 0, v6, proto, ihl, doff, 500);
					send_frame(full, 0, v6 + 1, 60);
					send_frame(full, XEN_NETTXF_csum_blank, v6 + 1, 60);
					send_frame(full, XEN_NETTXF_csum_blank, 0, 0);
					/* ends with the lie */
					send_frame(full > 560 ? full - 500 : 60, 0, v6 + 1, 60);
				}
			}
		}
	}
	/* no end of tags, an unknown protocol, one that is too small for one */
	full = make_frame(frame, 50, false, 6, 5, 5, 10);
	send_frame(full, XEN_NETTXF_csum_blank, 0, 0);
	make_frame(frame, 0, false, 132, 5, 5, 10);
	send_frame(100, XEN_NETTXF_csum_blank, 0, 0);
	memset(frame, 0, 4096);
	send_frame(100, XEN_NETTXF_csum_blank, 1, 60);
	assert_int_equal(stand->n_answered,
			 stand_tx_stat(XENVIF_TX_REQUESTS));
	memcpy(frame, keep, 4096);
}

/* A frame of IPv6 with so many extension headers, of these kinds in turn, before TCP. */
static u32 make_exts(u8 *frame, u32 tags, const u8 *type, u32 n_types, u32 n)
{
	u32 at = ETH_HLEN + 4 * tags + 40, i;

	make_frame(frame, tags, true, n ? type[0] : 6, 5, 5, 0);
	for (i = 0; i < n; i++) {
		bool auth = type[i % n_types] == 51;
		u32 more = type[i % n_types] == 44 ? 0 : i % 3;

		frame[at] = i + 1 < n ? type[(i + 1) % n_types] : 6;
		frame[at + 1] = auth ? 2 * more : more;
		frame[at + 2] = 0;
		frame[at + 3] = 0;
		at += 8 * (more + 1);
	}
	frame[at + 12] = 5 << 4;
	return at + 20 + 100;
}

/* Behind some of them a checksum may be missing; behind many it may not, and nobody
 * goes through them.
 */
static void test_exts(void **state)
{
	static const u8 types[] = { 0, 60, 43, 44, 51 };
	u32 kind, tags, n, delivered, dropped;
	u8 keep[4096], *frame = sim_guest_page(60);

	UNUSED(state);
	memcpy(keep, frame, 4096);
	for (kind = 0; kind <= ARRAY_SIZE(types); kind++) {
		for (tags = 0; tags <= 1; tags++) {
			for (n = 0; n <= 60; n++) {
				u32 len = kind < ARRAY_SIZE(types) ?
					  make_exts(frame, tags, &types[kind], 1, n) :
					  make_exts(frame, tags, types, ARRAY_SIZE(types), n);

				delivered = stand->n_delivered;
				dropped = stand_tx_stat(XENVIF_TX_DROP_HEADER);
				send_frame(len, XEN_NETTXF_csum_blank, 0, 0);
				assert_int_equal(stand->n_delivered - delivered, n <= 8);
				assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_HEADER) - dropped,
						 n > 8);
				/* Without anything to be filled in it is nobody's business. */
				send_frame(len, 0, 0, 0);
				assert_int_equal(stand->n_delivered - delivered, (n <= 8) + 1);
			}
		}
	}
	/* Cut anywhere. */
	for (n = make_exts(frame, 0, types, ARRAY_SIZE(types), 8) - 101; n >= 54; n--) {
		dropped = stand_tx_stat(XENVIF_TX_DROP_HEADER);
		send_frame(n, XEN_NETTXF_csum_blank, 0, 0);
		assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_HEADER) - dropped, 1);
	}
	memcpy(frame, keep, 4096);
}

/* A header that says it is longer than the packet: there is nothing to segment. */
static void test_gso_header_beyond(void **state)
{
	u8 keep[4096], *frame = sim_guest_page(60);
	u32 v6, l4;

	UNUSED(state);
	memcpy(keep, frame, 4096);
	for (v6 = 0; v6 <= 1; v6++) {
		l4 = make_frame(frame, 0, v6, 6, 5, 15, 0) - 60;
		send_frame(l4 + 59, XEN_NETTXF_csum_blank, v6 + 1, 60);
		assert_int_equal(stand->n_delivered, v6);
		assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_HEADER), v6 + 1);
		/* All of it, and no data. */
		send_frame(l4 + 60, XEN_NETTXF_csum_blank, v6 + 1, 60);
		assert_int_equal(stand->n_delivered, v6 + 1);
	}
	memcpy(frame, keep, 4096);
}

int main(void)
{
#define STAND_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		STAND_TEST(test_empty),
		STAND_TEST(test_idle_events),
		STAND_TEST(test_one),
		STAND_TEST(test_cold),
		STAND_TEST(test_trim),
		STAND_TEST(test_trim_retrying),
		STAND_TEST(test_extra),
		STAND_TEST(test_long),
		STAND_TEST(test_64k),
		STAND_TEST(test_few_ops),
		STAND_TEST(test_invalid),
		STAND_TEST(test_copy_error),
		STAND_TEST(test_copy_error_anywhere),
		STAND_TEST(test_hypercall_error),
		STAND_TEST(test_hypercall_error_again),
		STAND_TEST(test_again),
		STAND_TEST(test_no_memory),
		STAND_TEST(test_no_skb),
		STAND_TEST(test_down),
		STAND_TEST(test_partial),
		cmocka_unit_test_setup_teardown(test_full_ring, setup_wrap, teardown),
		STAND_TEST(test_random),
		{ "test_random_shared_channel", test_random, setup_shared, teardown, NULL },
		STAND_TEST(test_throttle),
		STAND_TEST(test_throttle_purged),
		STAND_TEST(test_throttle_bad),
		STAND_TEST(test_corrupt_index),
		STAND_TEST(test_corrupt_index_back),
		STAND_TEST(test_endless_packet),
		STAND_TEST(test_mcast),
		STAND_TEST(test_hash),
		STAND_TEST(test_late_post),
		STAND_TEST(test_restart),
		STAND_TEST(test_purge),
		STAND_TEST(test_netpoll),
		STAND_TEST(test_headers_cut),
		STAND_TEST(test_headers_in_fragment),
		STAND_TEST(test_headers_alone),
		STAND_TEST(test_validated),
		STAND_TEST(test_offloads),
		STAND_TEST(test_merge),
		STAND_TEST(test_pages),
		STAND_TEST(test_bad_headers),
		STAND_TEST(test_exts),
		STAND_TEST(test_gso_header_beyond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
