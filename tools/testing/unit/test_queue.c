// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * queue.c: queues come up and go down, from wherever they are, and leave nothing
 * behind. What is left, what is used after it went and what happens in the wrong
 * order, the simulated kernel tells.
 */

#include "test.h"

#include "stand.h"

static struct xenvif_queue_config good = { 0, 1, 0, 1 };

/* On the stand's vif, whose own queue has left. */
static int setup(void **state)
{
	struct stand_config config = { .rx_stall_ms = 1000 };

	UNUSED(state);
	stand_up(&config);
	xenvif_queues_lower(stand->queues);
	return 0;
}

static int teardown(void **state)
{
	UNUSED(state);
	stand_down();
	return 0;
}

static bool nothing_is_left(void)
{
	return !stand->xdev.n_mapped[0] && !stand->xdev.n_mapped[1] &&
	       !sim.irq[0].handler && !sim.irq[1].handler && !sim.task;
}

/* Tries to connect the set once more. */
static int raise(const struct xenvif_queue_config *config)
{
	int err = xenvif_queues_raise(stand->queues, config);

	if (!err)
		return 0;
	xenvif_queues_lower(stand->queues);
	assert_true(nothing_is_left());
	return err;
}

/* Each step of connecting fails once. */
static void test_raise_fails(void **state)
{
	u32 *const steps[] = { &sim.fail_map_in, &sim.fail_bind_in, &sim.fail_thread_in };
	static const u32 often[] = { 2, 2, 1 };
	u32 i, n;

	UNUSED(state);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		for (n = 1; n <= often[i]; n++) {
			*steps[i] = n;
			assert_int_not_equal(raise(&good), 0);
		}
		*steps[i] = 0;
		assert_int_equal(raise(&good), 0);
		xenvif_queues_lower(stand->queues);
		assert_true(nothing_is_left());
	}
}

/* One queue of a set cannot be connected: those behind it are not tried. */
static void test_raise_one_fails(void **state)
{
	const struct xenvif_queue_config config[] = { good, { 2, 1, 1, 1 }, { 1, 0, 1, 1 } };
	struct xenvif_queues *queues = xenvif_queues_alloc(&stand->vif, 3);

	UNUSED(state);
	assert_false(IS_ERR(queues));
	/* There is no such page. */
	assert_int_equal(xenvif_queues_raise(queues, config), -ENOENT);
	assert_int_equal(queues->queue[0]->state, XENVIF_QUEUE_RUNNING);
	assert_int_equal(queues->queue[1]->state, XENVIF_QUEUE_NONE);
	assert_int_equal(queues->queue[2]->state, XENVIF_QUEUE_NONE);
	assert_int_equal(stand->xdev.n_mapped[0], 1);
	xenvif_queues_lower(queues);
	assert_true(nothing_is_left());
	xenvif_queues_free(queues);
}

/* Frontends that say nonsense: of rings, of channels, of both the same. */
static void test_bad_config(void **state)
{
	static const struct xenvif_queue_config bad[] = {
		{ 2, 1, 0, 1 }, { 0, 2, 0, 1 }, { 0xFFFFFFFF, 1, 0, 1 },
		{ 0, 1, 3, 1 }, { 0, 1, 0, 3 }, { 0, 1, 0xFFFFFFFF, 0xFFFFFFFF },
	};
	u32 i;

	UNUSED(state);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_not_equal(raise(&bad[i]), 0);
		assert_int_equal(raise(&good), 0);
		xenvif_queues_lower(stand->queues);
	}
}

/* Rings whose indices cannot be are refused, and taken again once they can. */
static void test_bad_ring(void **state)
{
	static const u32 beyond[] = { 257, 0x80000000, 0xFFFFFFFF };
	u32 i;

	UNUSED(state);
	for (i = 0; i < ARRAY_SIZE(beyond); i++) {
		/* The pages are the frontend's, mapped or not. */
		assert_int_equal(raise(&good), 0);
		stand->tx_ring->req_prod = stand->tx_ring->rsp_prod + beyond[i];
		xenvif_queues_lower(stand->queues);
		assert_int_equal(raise(&good), -EIO);

		sim_page_writable(stand->tx_ring);
		stand->tx_ring->req_prod = stand->tx_ring->rsp_prod;
		assert_int_equal(raise(&good), 0);
		stand->rx_ring->req_prod = stand->rx_ring->rsp_prod + beyond[i];
		xenvif_queues_lower(stand->queues);
		assert_int_equal(raise(&good), -EIO);

		sim_page_writable(stand->rx_ring);
		stand->rx_ring->req_prod = stand->rx_ring->rsp_prod;
	}
}

/* Of what the guest has told another driver nothing is known: it gets all multicast. */
static void test_ring_in_use(void **state)
{
	u32 used;

	UNUSED(state);
	for (used = 0; used <= 1; used++) {
		assert_int_equal(raise(&good), 0);
		stand->tx_ring->rsp_prod += used;
		stand->tx_ring->req_prod = stand->tx_ring->rsp_prod;
		xenvif_queues_lower(stand->queues);
		stand->vif.mcast_control = true;
		assert_int_equal(raise(&good), 0);
		assert_int_equal(stand->vif.mcast_control, !used);
		xenvif_queues_lower(stand->queues);
	}
}

/* Going down twice is going down. */
static void test_lower_twice(void **state)
{
	UNUSED(state);
	xenvif_queues_lower(stand->queues);
	assert_int_equal(raise(&good), 0);
	xenvif_queues_lower(stand->queues);
	xenvif_queues_lower(stand->queues);
	assert_true(nothing_is_left());
	assert_null(stand->queue->tx.ring.back.sring);
	assert_null(stand->queue->rx.ring.back.sring);
	assert_null(stand->queue->rx.task);
}

/* Nobody has run yet when it goes; and once with an event that waits. */
static void test_lower_at_once(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 0; i < 4; i++) {
		assert_int_equal(raise(&good), 0);
		if (i & 1)
			sim_event(0);
		if (i & 2)
			sim_event(1);
		xenvif_queues_lower(stand->queues);
		assert_true(nothing_is_left());
	}
}

/* It goes with requests, packets and interrupts unfinished. */
static void test_lower_busy(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 0; i < 20; i++) {
		struct sk_buff *skb = sim_skb_alloc(1000, 0);

		assert_int_equal(raise(&good), 0);
		stand_tx_request(SIM_GREF(1, SIM_FATE_AGAIN), 0, 100, 0, i);
		stand_tx_push();
		stand_xmit(skb);
		if (i & 1)
			sim_run(NAPI_POLL_WEIGHT);
		xenvif_queues_lower(stand->queues);
		assert_true(nothing_is_left());
		assert_int_equal(stand->queue->rx.bytes, 0);
		/* The next frontend begins afresh. */
		sim_page_writable(stand->tx_ring);
		sim_page_writable(stand->rx_ring);
		stand->tx_ring->rsp_prod = stand->tx_ring->req_prod;
		stand->tx_checked = stand->tx_ring->req_prod;
	}
	/* What was on its way is lost, and the stand has not kept count. */
	stand->honest = false;
}

/* Memory runs out at each place where a set is made. */
static void test_alloc_fails(void **state)
{
	struct xenvif_queues *queues;
	u32 objects = sim.n_objects, n;

	UNUSED(state);
	for (n = 1;; n++) {
		sim.fail_alloc_in = n;
		queues = xenvif_queues_alloc(&stand->vif, 3);
		if (!IS_ERR(queues))
			break;
		assert_int_equal(PTR_ERR(queues), -ENOMEM);
		assert_int_equal(sim.n_objects, objects);
	}
	sim.fail_alloc_in = 0;
	assert_true(n > 3 * 7);
	xenvif_queues_free(queues);
	assert_int_equal(sim.n_objects, objects);
}

int main(void)
{
#define QUEUE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		QUEUE_TEST(test_raise_fails),
		QUEUE_TEST(test_raise_one_fails),
		QUEUE_TEST(test_bad_config),
		QUEUE_TEST(test_bad_ring),
		QUEUE_TEST(test_ring_in_use),
		QUEUE_TEST(test_lower_twice),
		QUEUE_TEST(test_lower_at_once),
		QUEUE_TEST(test_lower_busy),
		QUEUE_TEST(test_alloc_fails),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
