// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ctrl.c on the stand: every message once, many of them, none that is bad stops the
 * ring, a bad index does; connections that fail halfway.
 */

#include "test.h"

#include <ucontext.h>

#include "ctrl_stand.h"

#define SUCCESS		XEN_NETIF_CTRL_STATUS_SUCCESS
#define NOT_SUPPORTED	XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED
#define INVALID		XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER
#define OVERFLOW	XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW

#define SEND(type, d0, d1, d2) \
	ctrl_stand_send(XEN_NETIF_CTRL_TYPE_##type, d0, d1, d2)
#define POST(type, d0, d1, d2) \
	ctrl_stand_post(XEN_NETIF_CTRL_TYPE_##type, d0, d1, d2)

/* Entries of the mapping, in the page that the frontend lends. */
static void write_words(u32 n, u32 modulo)
{
	u32 *word = (u32 *)sim_guest_page(CTRL_STAND_PAGE), i;

	for (i = 0; i < n; i++)
		word[i] = i % modulo;
}

static void test_idle(void **state)
{
	UNUSED(state);
	ctrl_stand_up(0xFFFFFFFE, 4);
	assert_int_equal(ctrl_stand->n_answered, 0);
	/* Events for nothing cost nothing, and are told apart. */
	sim_event(0);
	ctrl_stand_run();
	assert_int_equal(sim.irq[0].n_eoi, sim.irq[0].n_spurious);
	ctrl_stand_down();
}

/* All that a guest can set, in the order in which one does. */
static void test_life(void **state)
{
	u32 spurious, i;

	UNUSED(state);
	ctrl_stand_up(0xFFFFFFFE, 4);
	/* But for the event that a channel begins with. */
	spurious = sim.irq[0].n_spurious;
	assert_int_equal(SEND(SET_HASH_ALGORITHM, 1, 0, 0), SUCCESS);
	assert_int_equal(SEND(GET_HASH_FLAGS, 0, 0, 0), SUCCESS);
	assert_int_equal(SEND(SET_HASH_FLAGS, 15, 0, 0), SUCCESS);
	for (i = 0; i < 40; i++)
		sim_guest_page(CTRL_STAND_PAGE)[i] = i * 7;
	assert_int_equal(SEND(SET_HASH_KEY, CTRL_STAND_GREF, 40, 0), SUCCESS);
	assert_int_equal(SEND(GET_HASH_MAPPING_SIZE, 0, 0, 0), SUCCESS);
	assert_int_equal(ctrl_stand->last_data, 128);
	assert_int_equal(SEND(SET_HASH_MAPPING_SIZE, 128, 0, 0), SUCCESS);
	write_words(128, 4);
	assert_int_equal(SEND(SET_HASH_MAPPING, CTRL_STAND_GREF, 128, 0), SUCCESS);
	assert_true(xenvif_hash_is_on(ctrl_stand->vif.hash));
	assert_int_equal(sim.irq[0].n_spurious, spurious);

	/* The next connection begins with nothing of that. */
	assert_int_equal(ctrl_stand_connect(2), 0);
	assert_false(xenvif_hash_is_on(ctrl_stand->vif.hash));
	ctrl_stand_check_hash();
	assert_int_equal(SEND(SET_HASH_MAPPING_SIZE, 4, 0, 0), SUCCESS);
	write_words(4, 4);
	assert_int_equal(SEND(SET_HASH_MAPPING, CTRL_STAND_GREF, 4, 0), INVALID);
	ctrl_stand_down();
}

/* Every type, known or not, is answered, whatever its data. */
static void test_all_types(void **state)
{
	u32 type;

	UNUSED(state);
	ctrl_stand_up(0, 4);
	for (type = 0; type < 0x10000; type += type < 32 ? 1 : 997)
		ctrl_stand_send(type, random_u32(), random_u32(), random_u32());
	assert_int_equal(ctrl_stand->n_fatal, 0);
	ctrl_stand_down();
}

/* Lengths and offsets at their bounds, and where their sum wraps. */
static void test_bounds(void **state)
{
	static const u32 values[] = { 0, 1, 39, 40, 41, 127, 128, 129, 1024, 1025, 1 << 30,
				      0x80000000, 0xFFFFFF80, 0xFFFFFFFF };
	u32 i, j, size;

	UNUSED(state);
	ctrl_stand_up(0, 4);
	write_words(1024, 4);
	for (size = 0; size < ARRAY_SIZE(values); size++) {
		SEND(SET_HASH_MAPPING_SIZE, values[size], 0, 0);
		for (i = 0; i < ARRAY_SIZE(values); i++) {
			SEND(SET_HASH_KEY, CTRL_STAND_GREF, values[i], 0);
			for (j = 0; j < ARRAY_SIZE(values); j++)
				SEND(SET_HASH_MAPPING, CTRL_STAND_GREF, values[i], values[j]);
		}
	}
	ctrl_stand_down();
}

/* A grant that is no good changes nothing; one that is paged out for a while is. */
static void test_grants(void **state)
{
	u32 calls;

	UNUSED(state);
	ctrl_stand_up(0, 4);
	write_words(128, 4);
	assert_int_equal(SEND(SET_HASH_MAPPING_SIZE, 128, 0, 0), SUCCESS);
	assert_int_equal(SEND(SET_HASH_MAPPING, CTRL_STAND_BAD_GREF, 128, 0), INVALID);
	assert_int_equal(SEND(SET_HASH_MAPPING, 0xFFFFFFFF, 128, 0), INVALID);
	assert_int_equal(SEND(SET_HASH_KEY, CTRL_STAND_BAD_GREF, 40, 0), INVALID);
	assert_int_equal(SEND(SET_HASH_KEY, SIM_GREF(CTRL_STAND_PAGE, 5), 40, 0), SUCCESS);
	/* For ever is too long, and the tries are counted. */
	calls = sim.n_hypercalls;
	assert_int_equal(SEND(SET_HASH_KEY, SIM_GREF(CTRL_STAND_PAGE, SIM_FATE_AGAIN), 40, 0),
			 INVALID);
	assert_in_range(sim.n_hypercalls - calls, 2, 64);
	/* No grant is looked at if there is nothing to read. */
	calls = sim.n_hypercalls;
	assert_int_equal(SEND(SET_HASH_KEY, 0xFFFFFFFF, 0, 0), SUCCESS);
	assert_int_equal(SEND(SET_HASH_MAPPING, 0xFFFFFFFF, 0, 5), SUCCESS);
	assert_int_equal(sim.n_hypercalls, calls);
	sim.fail_hypercall = true;
	assert_int_equal(SEND(SET_HASH_KEY, CTRL_STAND_GREF, 40, 0), INVALID);
	ctrl_stand_down();
}

/* A ring full of messages is served in slices, one for each grace period: the stand
 * sees to that.
 */
static void test_full_ring(void **state)
{
	unsigned long grace;
	u32 spurious, i;

	UNUSED(state);
	ctrl_stand_up(0x7FFFFFF0, 4);
	spurious = sim.irq[0].n_spurious;
	grace = sim.grace;
	for (i = 0; i < XENVIF_CTRL_RING_SIZE; i++)
		POST(SET_HASH_ALGORITHM, i & 1, 0, 0);
	ctrl_stand_push();
	ctrl_stand_run();
	assert_int_equal(ctrl_stand->n_answered, XENVIF_CTRL_RING_SIZE);
	assert_true(sim.grace - grace >= XENVIF_CTRL_RING_SIZE / CTRL_STAND_SLICE);
	assert_int_equal(sim.irq[0].n_spurious, spurious);
	ctrl_stand_down();
}

/* One message at a time over the wrap of the index; random ones in bursts. */
static void test_random(void **state)
{
	u32 i, n;

	UNUSED(state);
	ctrl_stand_up(0xFFFFFF00, 4);
	for (i = 0; i < 2000; i++) {
		write_words(64, random_in(3, 5));
		for (n = random_in(1, XENVIF_CTRL_RING_SIZE); n; n--)
			ctrl_stand_post(random_in(0, 8), random_in(0, 3) ? CTRL_STAND_GREF :
					random_in(0, 200), random_in(0, 130), random_in(0, 130));
		ctrl_stand_push();
		ctrl_stand_run();
	}
	assert_int_equal(ctrl_stand->n_fatal, 0);
	ctrl_stand_down();
}

/* An index that cannot be ends the connection at once: no message is served, and
 * nobody runs any more.
 */
static void test_corrupt_index(void **state)
{
	static const u32 beyond[] = { 129, 256, 20000000, 0x80000000, 0xFFFFFFFF };
	u32 i;

	UNUSED(state);
	for (i = 0; i < ARRAY_SIZE(beyond); i++) {
		ctrl_stand_up(0, 4);
		ctrl_stand->honest = false;
		ctrl_stand->ring->req_prod = beyond[i];
		sim_event(0);
		ctrl_stand_run();
		assert_int_equal(ctrl_stand->n_fatal, 1);
		assert_int_equal(ctrl_stand->n_answered, 0);
		sim_event(0);
		ctrl_stand_run();
		assert_int_equal(ctrl_stand->n_fatal, 1);
		ctrl_stand_down();
	}
}

/* The producer jumps while a slice is served. */
static void jump(enum sim_point point)
{
	if (point == SIM_POINT_WMB)
		ctrl_stand->ring->req_prod += 500;
}

static void test_corrupt_late(void **state)
{
	UNUSED(state);
	ctrl_stand_up(0, 4);
	ctrl_stand->honest = false;
	ctrl_stand->hostile = jump;
	POST(SET_HASH_ALGORITHM, 1, 0, 0);
	ctrl_stand_push();
	ctrl_stand_run();
	assert_int_equal(ctrl_stand->n_answered, 1);
	assert_int_equal(ctrl_stand->n_fatal, 1);
	ctrl_stand_down();
}

/* After a fatal error of whichever ring, no message is served any more. */
static void test_fatal(void **state)
{
	UNUSED(state);
	ctrl_stand_up(0, 4);
	ctrl_stand->honest = false;
	set_bit(XENVIF_FLAG_FATAL, &ctrl_stand->vif.flags);
	POST(SET_HASH_ALGORITHM, 1, 0, 0);
	ctrl_stand_push();
	ctrl_stand_run();
	assert_int_equal(ctrl_stand->n_answered, 0);
	assert_int_equal(ctrl_stand->vif.hash->algorithm, 0);
	assert_int_equal(ctrl_stand->n_fatal, 0);
	ctrl_stand_down();
}

/* What the other processor of the guest writes to the ring is never acted upon
 * twice: a request is good when it is checked and when it is used.
 */
static void flip(enum sim_point point)
{
	u32 i = random_u32() % XENVIF_CTRL_RING_SIZE, word = random_u32() % 4;

	(void)point;
	((u32 *)&ctrl_stand->ring->ring[i])[word] ^= 1U << random_in(0, 31);
	ctrl_stand->ring->rsp_prod = random_u32();
	ctrl_stand->ring->req_event = random_u32();
}

static void test_flipping(void **state)
{
	u32 i, n;

	UNUSED(state);
	ctrl_stand_up(0, 4);
	ctrl_stand->honest = false;
	ctrl_stand->hostile = flip;
	for (i = 0; i < 500; i++) {
		write_words(128, 4);
		for (n = random_in(1, XENVIF_CTRL_RING_SIZE); n; n--)
			ctrl_stand_post(random_in(1, 7), CTRL_STAND_GREF, random_in(0, 128),
					random_in(0, 128));
		ctrl_stand_push();
		sim_event(0);
		ctrl_stand_run();
		for (n = 0; n < XENVIF_HASH_MAPPING_MAX; n++)
			assert_in_range(ctrl_stand->vif.hash->mapping[n], 0, 3);
	}
	assert_int_equal(ctrl_stand->n_fatal, 0);
	ctrl_stand_down();
}

/* Each step of connecting fails once: nothing is left behind, and the next try is
 * good. What is left, the stand counts.
 */
static void test_connect_fails(void **state)
{
	u32 *const steps[] = { &sim.fail_alloc_in, &sim.fail_map_in, &sim.fail_bind_in };
	u32 i, n, failed = 0;

	UNUSED(state);
	ctrl_stand_up(0, 4);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		for (n = 1;; n++, failed++) {
			*steps[i] = n;
			if (!ctrl_stand_connect(4))
				break;
			assert_null(ctrl_stand->vif.hash);
		}
		*steps[i] = 0;
		assert_int_equal(SEND(SET_HASH_ALGORITHM, 1, 0, 0), SUCCESS);
	}
	assert_true(failed >= 4);

	/* A ring that claims what it cannot hold. */
	ctrl_stand->ring->req_prod = ctrl_stand->ring->rsp_prod + 129;
	assert_int_equal(ctrl_stand_connect(4), -EIO);
	ctrl_stand->ring->req_prod = ctrl_stand->ring->rsp_prod;
	assert_int_equal(ctrl_stand_connect(4), 0);
	ctrl_stand_down();
}

/* However often it fails, the log has its bound. */
static void test_connect_quiet(void **state)
{
	u32 i;

	UNUSED(state);
	ctrl_stand_up(0, 4);
	for (i = 0; i < 30; i++) {
		sim.fail_bind_in = 1;
		assert_int_not_equal(ctrl_stand_connect(4), 0);
		assert_int_equal(sim.n_log, i < 10 ? i + 1 : 10);
	}
	assert_int_equal(ctrl_stand_connect(4), 0);
	ctrl_stand_down();
}

/* No control ring is none, and leaving one twice is harmless. */
static void test_absent(void **state)
{
	struct xenvif_ctrl_config none = { 0 };

	UNUSED(state);
	ctrl_stand_up(0, 4);
	xenvif_ctrl_disconnect(&ctrl_stand->vif);
	xenvif_ctrl_disconnect(&ctrl_stand->vif);
	assert_int_equal(xenvif_ctrl_connect(&ctrl_stand->vif, &none, ctrl_stand->queues), 0);
	assert_null(ctrl_stand->vif.ctrl);
	assert_null(ctrl_stand->vif.hash);
	ctrl_stand_down();
}

/* It goes with messages waiting, and with an interrupt that has not ended. */
static void test_leave_busy(void **state)
{
	UNUSED(state);
	ctrl_stand_up(0, 4);
	POST(SET_HASH_ALGORITHM, 1, 0, 0);
	ctrl_stand_push();
	assert_int_equal(ctrl_stand_connect(4), 0);
	ctrl_stand_run();
	assert_int_equal(ctrl_stand->n_answered, 1);
	ctrl_stand_down();
}

/* Who takes it down waits for a message, not for all that the guest has posted. */
static void test_leave_at_once(void **state)
{
	RING_IDX answered;
	u32 i;

	UNUSED(state);
	ctrl_stand_up(0, 4);
	answered = ctrl_stand->ring->rsp_prod;
	for (i = 0; i < XENVIF_CTRL_RING_SIZE; i++)
		POST(SET_HASH_ALGORITHM, 1, 0, 0);
	ctrl_stand_push();
	assert_int_equal(ctrl_stand_connect(4), 0);
	sim.cancel_late = true;
	xenvif_ctrl_disconnect(&ctrl_stand->vif);
	sim.cancel_late = false;
	sim_page_writable(ctrl_stand->ring);
	assert_int_equal(ctrl_stand->ring->rsp_prod, answered);
	ctrl_stand_down();
}

/* The same with one that is being served: on a stack of his own he waits for its end. */
static ucontext_t work_context, leave_context;
static u32 points;

static void leave(void)
{
	xenvif_ctrl_disconnect(&ctrl_stand->vif);
}

static void work_goes_on(void)
{
	sim.on_cancel = NULL;
	swapcontext(&leave_context, &work_context);
}

static void leave_at_tenth(enum sim_point point)
{
	static u8 stack[256 * 1024];

	(void)point;
	if (++points != 10)
		return;
	getcontext(&leave_context);
	leave_context.uc_stack.ss_sp = stack;
	leave_context.uc_stack.ss_size = sizeof(stack);
	leave_context.uc_link = &work_context;
	makecontext(&leave_context, leave, 0);
	sim.on_cancel = work_goes_on;
	swapcontext(&work_context, &leave_context);
}

static void test_leave_midway(void **state)
{
	struct xen_netif_ctrl_sring *ring;
	u32 i;

	UNUSED(state);
	ctrl_stand_up(0, 4);
	ring = ctrl_stand->ring;
	ctrl_stand->honest = false;
	ctrl_stand->hostile = leave_at_tenth;
	for (i = 0; i < 16; i++)
		POST(SET_HASH_KEY, CTRL_STAND_GREF, 40, 0);
	ctrl_stand_push();
	points = 0;
	assert_int_equal(ctrl_stand_connect(4), 0);
	sim.work->queued = false;
	sim.work->function(sim.work);
	/* Some are answered, and of the rest none is taken. */
	assert_in_range(ring->rsp_prod, 1, 3);
	ctrl_stand->hostile = NULL;
	swapcontext(&work_context, &leave_context);
	assert_null(ctrl_stand->vif.ctrl);
	ctrl_stand_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_idle),
		TEST(test_life),
		TEST(test_all_types),
		TEST(test_bounds),
		TEST(test_grants),
		TEST(test_full_ring),
		TEST(test_random),
		TEST(test_corrupt_index),
		TEST(test_corrupt_late),
		TEST(test_fatal),
		TEST(test_flipping),
		TEST(test_connect_fails),
		TEST(test_connect_quiet),
		TEST(test_absent),
		TEST(test_leave_busy),
		TEST(test_leave_at_once),
		TEST(test_leave_midway),
	};

	return cmocka_run_group_tests_name("ctrl", tests, NULL, NULL);
}
