// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * gref.c on the stand: a frontend sends messages about static grants, and packets
 * whose pages are mapped or not. The stand checks by itself that every byte arrives
 * and every slot is answered; that nothing is left mapped or allocated; and an access
 * to a page that is no longer mapped, or to a read-only one to write, ends the program.
 */

#include "test.h"

#include "stand.h"

#define MORE	XEN_NETTXF_more_data

#define STATUS(name)	XEN_NETIF_CTRL_STATUS_##name
#define RO		XEN_NETIF_CTRLF_GREF_readonly

/* The guest's page with the list. */
#define LIST_PAGE	63
#define LIST_REF	SIM_GREF(LIST_PAGE, SIM_FATE_OK)

/* Grants of one page that differ in what means nothing. */
#define REF(page, nr)	(SIM_GREF(page, SIM_FATE_OK) | (u32)(nr) << 16)

static struct stand_config config;
static struct xenvif_queues *queues;
static struct xen_netif_ctrl_sring *ring;
static struct xen_netif_ctrl_front_ring front;
static u32 answer;

static void connect_ctrl(RING_IDX start)
{
	const struct xenvif_ctrl_config where = { true, 2, 2 };

	sim_page_writable(ring);
	SHARED_RING_INIT(ring);
	ring->req_prod = start;
	ring->rsp_prod = start;
	ring->rsp_event = start + 1;
	FRONT_RING_ATTACH(&front, ring, start, XEN_PAGE_SIZE);
	assert_int_equal(xenvif_ctrl_connect(&stand->vif, &where, queues), 0);
	stand_run();
}

static int setup(void **state)
{
	UNUSED(state);
	if (!config.static_grants)
		config.static_grants = 512;
	stand_up(&config);
	queues = calloc(1, sizeof(*queues) + 2 * sizeof(queues->queue[0]));
	queues->n = 2;
	queues->queue[0] = stand->queue;
	queues->queue[1] = calloc(1, sizeof(*stand->queue));
	queues->queue[1]->vif = &stand->vif;
	ring = aligned_alloc(XEN_PAGE_SIZE, XEN_PAGE_SIZE);
	stand->xdev.page[2] = ring;
	connect_ctrl(0xFFFFFFC0);
	return 0;
}

static int teardown(void **state)
{
	UNUSED(state);
	xenvif_ctrl_disconnect(&stand->vif);
	xenvif_gref_free(queues->queue[1]);
	stand_down();
	free(queues->queue[1]);
	free(queues);
	sim_page_writable(ring);
	free(ring);
	assert_int_equal(atomic_read(&xenvif_gref_all), 0);
	config = (struct stand_config){ 0 };
	return 0;
}

static int setup_none(void **state)
{
	setup(state);
	stand->vif.params.static_grants = 0;
	return 0;
}

static int setup_few(void **state)
{
	config.static_grants = 3;
	return setup(state);
}

static int setup_headroom(void **state)
{
	config.rx_headroom = 256;
	return setup(state);
}

/* A message's place in the ring; shown to the driver with push(). */
static void post(u32 id, u32 type, u32 a, u32 b, u32 c)
{
	ring->ring[front.req_prod_pvt++ % XENVIF_CTRL_RING_SIZE].req =
		(struct xen_netif_ctrl_request){ id, type, { a, b, c } };
}

static void push(void)
{
	WRITE_ONCE(ring->req_prod, front.req_prod_pvt);
	sim_event(2);
	stand_run();
	assert_false(sim.irq[2].active);
}

static u32 take(u32 id, u32 type)
{
	struct xen_netif_ctrl_response rsp;

	assert_int_not_equal(front.rsp_cons, ring->rsp_prod);
	rsp = ring->ring[front.rsp_cons++ % XENVIF_CTRL_RING_SIZE].rsp;
	assert_int_equal(rsp.id, id);
	assert_int_equal(rsp.type, type);
	answer = rsp.data;
	return rsp.status;
}

static u32 message(u32 type, u32 a, u32 b, u32 c)
{
	static u16 id = 0xFFF0;
	u32 status;

	post(++id, type, a, b, c);
	push();
	status = take(id, type);
	assert_int_equal(front.rsp_cons, ring->rsp_prod);
	return status;
}

#define SEND(name, a, b, c) message(XEN_NETIF_CTRL_TYPE_##name, a, b, c)

/* Static grants: messages. */

static struct xen_netif_gref *list(void)
{
	return (void *)sim_guest_page(LIST_PAGE);
}

static void entry(u32 i, u32 ref, u32 flags)
{
	list()[i] = (struct xen_netif_gref){ ref, flags, 0xAAAA };
}

static u32 add(u32 queue, u32 n)
{
	return SEND(ADD_GREF_MAPPING, queue, LIST_REF, n);
}

static u32 del(u32 queue, u32 n)
{
	return SEND(DEL_GREF_MAPPING, queue, LIST_REF, n);
}

static bool is_mapped(u32 queue, u32 ref)
{
	struct xenvif_grefs *grefs = queues->queue[queue]->grefs;
	struct xenvif_gref *gref = grefs ? xenvif_gref_find(grefs, ref) : NULL;

	return gref && gref->addr;
}

static void test_size(void **state)
{
	UNUSED(state);
	assert_int_equal(SEND(GET_GREF_MAPPING_SIZE, 0, 0, 0), STATUS(SUCCESS));
	assert_int_equal(answer, 512);
	assert_int_equal(SEND(GET_GREF_MAPPING_SIZE, 1, 0, 0), STATUS(SUCCESS));
	assert_int_equal(SEND(GET_GREF_MAPPING_SIZE, 2, 0, 0), STATUS(INVALID_PARAMETER));
	assert_int_equal(answer, 0);
	assert_int_equal(SEND(GET_GREF_MAPPING_SIZE, 0xFFFFFFFF, 0, 0),
			 STATUS(INVALID_PARAMETER));
	/* Nothing is allocated for one who only asks. */
	assert_null(queues->queue[0]->grefs);
}

/* All guests together have a limit, too: others need mappings as well. */
static void test_all_guests(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 0; i < 512; i++)
		entry(i, REF(i % 64, i), 0);
	atomic_set(&xenvif_gref_all, XENVIF_GREF_ALL_MAX - 300);
	assert_int_equal(add(0, 301), STATUS(INVALID_PARAMETER));
	assert_int_equal(sim.n_mapped, 0);
	assert_int_equal(add(0, 200), STATUS(SUCCESS));
	assert_int_equal(add(1, 101), STATUS(INVALID_PARAMETER));
	assert_int_equal(add(1, 100), STATUS(SUCCESS));
	assert_int_equal(sim.n_mapped, 300);
	assert_int_equal(del(0, 1), STATUS(SUCCESS));
	entry(0, REF(0, 600), 0);
	assert_int_equal(add(1, 1), STATUS(SUCCESS));
	atomic_sub(XENVIF_GREF_ALL_MAX - 300, &xenvif_gref_all);
	assert_int_equal(atomic_read(&xenvif_gref_all), 300);
}

static void test_none(void **state)
{
	UNUSED(state);
	entry(0, REF(1, 0), 0);
	assert_int_equal(SEND(GET_GREF_MAPPING_SIZE, 0, 0, 0), STATUS(NOT_SUPPORTED));
	assert_int_equal(answer, 0);
	assert_int_equal(add(0, 1), STATUS(NOT_SUPPORTED));
	assert_int_equal(del(0, 1), STATUS(NOT_SUPPORTED));
	assert_int_equal(sim.n_mapped, 0);
}

static void test_add(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 0; i < 512; i++)
		entry(i, REF(i % 64, i), i & 1 ? RO : 0);
	assert_int_equal(add(2, 1), STATUS(INVALID_PARAMETER));
	assert_int_equal(add(0, 513), STATUS(INVALID_PARAMETER));
	assert_int_equal(add(0, 0xFFFFFFFF), STATUS(INVALID_PARAMETER));
	assert_int_equal(add(0, 0x80000000), STATUS(INVALID_PARAMETER));
	assert_int_equal(sim.n_mapped, 0);
	assert_int_equal(add(0, 0), STATUS(SUCCESS));
	assert_int_equal(SEND(ADD_GREF_MAPPING, 0, SIM_GREF(LIST_PAGE, SIM_FATE_ERROR), 1),
			 STATUS(INVALID_PARAMETER));

	assert_int_equal(add(0, 512), STATUS(SUCCESS));
	assert_int_equal(answer, 0);
	assert_int_equal(sim.n_mapped, 512);
	assert_int_equal(sim.n_mapped_ro, 256);
	/* Its list is left as it was. */
	assert_int_equal(list()[511].status, 0xAAAA);
	/* A queue's limit is its own. */
	entry(0, REF(0, 600), 0);
	assert_int_equal(add(0, 1), STATUS(INVALID_PARAMETER));
	assert_int_equal(add(1, 1), STATUS(SUCCESS));
	assert_int_equal(sim.n_mapped, 513);

	entry(0, REF(5, 5), 0);
	assert_int_equal(del(0, 1), STATUS(SUCCESS));
	assert_int_equal(answer, 1);
	assert_false(is_mapped(0, REF(5, 5)));
	assert_true(is_mapped(0, REF(6, 6)));
	assert_int_equal(add(0, 1), STATUS(SUCCESS));
	assert_true(is_mapped(0, REF(5, 5)));
}

static void test_limit(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 0; i < 4; i++)
		entry(i, REF(i, 0), 0);
	assert_int_equal(SEND(GET_GREF_MAPPING_SIZE, 0, 0, 0), STATUS(SUCCESS));
	assert_int_equal(answer, 3);
	assert_int_equal(add(0, 4), STATUS(INVALID_PARAMETER));
	assert_int_equal(sim.n_mapped, 0);
	assert_int_equal(add(0, 3), STATUS(SUCCESS));
	assert_int_equal(sim.n_mapped, 3);
}

/* One bad entry among many, each time another one: none is mapped. */
static void test_all_or_none(void **state)
{
	static const struct xen_netif_gref bad[] = {
		{ SIM_GREF(0x3FF, SIM_FATE_OK), 0, 0 },		/* no such grant */
		{ SIM_GREF(1, SIM_FATE_ERROR), 0, 0 },		/* not for us */
		{ SIM_GREF(1, SIM_FATE_AGAIN), RO, 0 },		/* paged out for good */
		{ REF(1, 0x8000), 0, 0 },			/* for reading alone */
		{ REF(1, 1000), 2, 0 },				/* unknown flag */
		{ REF(1, 1000), 0x8000 | RO, 0 },		/* unknown flag */
		{ REF(1, 3), RO, 0 },				/* twice in the list */
		{ REF(1, 999), 0, 0 },				/* mapped already */
		{ REF(1, 999), RO, 0 },				/* the same, to read */
	};
	static const u32 where[] = { 0, 1, 63, 64, 65, 199 };
	u32 i, j, k;

	UNUSED(state);
	entry(0, REF(1, 999), 0);
	assert_int_equal(add(0, 1), STATUS(SUCCESS));

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (j = 0; j < ARRAY_SIZE(where); j++) {
			for (k = 0; k < 200; k++)
				entry(k, REF(1, k), 0);
			list()[where[j]] = bad[i];
			if (bad[i].ref == REF(1, 3))
				entry((where[j] + 1) % 200, REF(1, 3), 0);
			assert_int_equal(add(0, 200), STATUS(INVALID_PARAMETER));
			assert_int_equal(sim.n_mapped, 1);
			assert_true(is_mapped(0, REF(1, 999)));
			for (k = 0; k < 200; k++)
				assert_false(is_mapped(0, REF(1, k)));
		}
	}

	/* Reading alone is fine for a grant that is for that. */
	entry(0, REF(1, 0x8000), RO);
	assert_int_equal(add(0, 1), STATUS(SUCCESS));
	/* Nothing was lost by all this. */
	for (k = 0; k < 510; k++)
		entry(k, REF(1, k), 0);
	assert_int_equal(add(0, 510), STATUS(SUCCESS));
}

static void test_no_memory(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 0; i < 100; i++)
		entry(i, REF(i % 64, i), 0);
	sim.fail_map_alloc = true;
	assert_int_equal(add(0, 100), STATUS(INVALID_PARAMETER));
	sim.fail_map_alloc = false;
	sim.fail_map_hypercall = true;
	assert_int_equal(add(0, 100), STATUS(INVALID_PARAMETER));
	sim.fail_map_hypercall = false;
	assert_int_equal(sim.n_mapped, 0);
	assert_int_equal(add(0, 100), STATUS(SUCCESS));
}

/* The table itself cannot be had. */
static void test_no_table(void **state)
{
	u32 n;

	UNUSED(state);
	entry(0, REF(1, 1), 0);
	for (n = 1;; n++) {
		sim.fail_alloc_in = n;
		if (add(0, 1) == STATUS(SUCCESS))
			break;
		assert_null(queues->queue[0]->grefs);
		assert_int_equal(sim.n_mapped, 0);
	}
	sim.fail_alloc_in = 0;
	assert_true(n > 1);
	assert_true(is_mapped(0, REF(1, 1)));
}

/* Where Xen does not unmap, the page stays the guest's, and nobody is given it again:
 * that the simulated kernel sees. All else goes on.
 */
static void test_unmap_refused(void **state)
{
	u32 i, used, logged;

	UNUSED(state);
	for (i = 0; i < 10; i++)
		entry(i, REF(i, i), RO);
	used = sim_pages_used();
	assert_int_equal(add(0, 10), STATUS(SUCCESS));
	sim.fail_unmap = true;
	assert_int_equal(del(0, 10), STATUS(SUCCESS));
	sim.fail_unmap = false;
	assert_int_equal(answer, 10);
	assert_int_equal(sim.n_mapped, 10);
	assert_int_equal(sim_pages_used(), used + 10);
	assert_false(is_mapped(0, REF(3, 3)));

	/* The table has its places back. */
	for (i = 0; i < 512; i++)
		entry(i, REF(i % 60, i), 0);
	assert_int_equal(add(0, 512), STATUS(SUCCESS));
	logged = sim.n_log;
	sim.fail_unmap_hypercall = true;
	assert_int_equal(del(0, 1), STATUS(SUCCESS));
	sim.fail_unmap_hypercall = false;
	assert_int_equal(sim.n_log, logged + 1);
	assert_int_equal(sim.n_mapped, 522);
	assert_false(is_mapped(0, REF(0, 0)));
	for (i = 0; i < 512; i++)
		entry(i, REF(i % 60, i), 0);
	assert_int_equal(del(0, 512), STATUS(SUCCESS));
	assert_int_equal(answer, 511);
	assert_int_equal(sim.n_mapped, 11);
	/* They count for good: each has its place in Xen's table. */
	assert_int_equal(atomic_read(&xenvif_gref_all), 11);
	assert_int_equal(sim_unmap_lost(), 11);
	atomic_set(&xenvif_gref_all, 0);
}

/* Nobody looks at a page any more when it is unmapped. */
static unsigned long grace_at_del;

static void after_grace(void)
{
	assert_true(sim.grace > grace_at_del);
}

static void not_found(void)
{
	assert_false(is_mapped(0, REF(3, 3)));
	assert_int_equal(sim.n_mapped, 10);
}

static void test_del(void **state)
{
	u32 i;

	UNUSED(state);
	assert_int_equal(del(0, 0), STATUS(SUCCESS));
	assert_int_equal(answer, 0);
	entry(0, REF(3, 3), 0);
	assert_int_equal(del(0, 1), STATUS(SUCCESS));
	assert_int_equal(answer, 0);
	assert_int_equal(list()[0].status, STATUS(INVALID_PARAMETER));
	/* The same, with a list that cannot be given back. */
	assert_int_equal(SEND(DEL_GREF_MAPPING, 1, LIST_REF | SIM_GREF_READONLY, 1),
			 STATUS(INVALID_PARAMETER));

	for (i = 0; i < 10; i++)
		entry(i, REF(i, i), RO);
	assert_int_equal(add(0, 10), STATUS(SUCCESS));

	/* What is there, what is not, what is named twice; the flags mean nothing. */
	entry(0, REF(3, 3), 0xFFFF);
	entry(1, REF(3, 4), 0);
	entry(2, REF(3, 3), RO);
	entry(3, REF(9, 9), 0);
	assert_int_equal(del(1, 4), STATUS(SUCCESS));
	assert_int_equal(answer, 0);
	assert_int_equal(del(2, 4), STATUS(INVALID_PARAMETER));
	assert_int_equal(del(0, 513), STATUS(INVALID_PARAMETER));
	assert_int_equal(sim.n_mapped, 10);

	/* A list that cannot be given back. */
	list()[0].status = 0xAAAA;
	assert_int_equal(SEND(DEL_GREF_MAPPING, 0, LIST_REF | SIM_GREF_READONLY, 4),
			 STATUS(INVALID_PARAMETER));
	assert_int_equal(answer, 0);
	assert_int_equal(list()[0].status, 0xAAAA);
	assert_int_equal(sim.n_mapped, 10);
	assert_true(is_mapped(0, REF(3, 3)));

	sim.on_grace = NULL;
	grace_at_del = sim.grace + 1;		/* the slice's own */
	sim.on_unmap = after_grace;
	assert_int_equal(del(0, 4), STATUS(SUCCESS));
	sim.on_unmap = NULL;
	assert_int_equal(answer, 2);
	assert_int_equal(list()[0].status, STATUS(SUCCESS));
	assert_int_equal(list()[0].flags, 0xFFFF);
	assert_int_equal(list()[1].status, STATUS(INVALID_PARAMETER));
	assert_int_equal(list()[2].status, STATUS(INVALID_PARAMETER));
	assert_int_equal(list()[3].status, STATUS(SUCCESS));
	assert_int_equal(sim.n_mapped, 8);
	assert_false(is_mapped(0, REF(3, 3)));
	assert_true(is_mapped(0, REF(4, 4)));
}

/* What cannot be unmapped stays the guest's, is not used any more, and the log says so,
 * once for each hypercall.
 */
static void test_unmap_fails(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 0; i < 10; i++)
		entry(i, REF(i, i), RO);
	assert_int_equal(add(0, 10), STATUS(SUCCESS));

	sim.fail_unmap_in = 2;
	entry(0, REF(0, 0), 0);
	entry(1, REF(1, 1), 0);
	entry(2, REF(2, 2), 0);
	assert_int_equal(del(0, 3), STATUS(SUCCESS));
	assert_int_equal(answer, 3);
	assert_int_equal(sim.n_mapped, 8);
	assert_int_equal(sim.n_log, 1);
	assert_false(is_mapped(0, REF(1, 1)));
	/* It can be mapped again, somewhere else. */
	entry(0, REF(1, 1), RO);
	assert_int_equal(add(0, 1), STATUS(SUCCESS));

	sim.fail_unmap_hypercall = true;
	entry(0, REF(4, 4), 0);
	entry(1, REF(5, 5), 0);
	assert_int_equal(del(0, 2), STATUS(SUCCESS));
	sim.fail_unmap_hypercall = false;
	assert_int_equal(sim.n_mapped, 9);
	assert_int_equal(sim.n_log, 2);
	assert_false(is_mapped(0, REF(4, 4)));
	assert_true(is_mapped(0, REF(6, 6)));
	atomic_sub(sim_unmap_lost(), &xenvif_gref_all);
}

/* It is gone from the table before the grace period, and mapped until after it. */
static void test_del_order(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 0; i < 10; i++)
		entry(i, REF(i, i), RO);
	assert_int_equal(add(0, 10), STATUS(SUCCESS));
	entry(0, REF(3, 3), 0);
	/* The slice would wait for readers of the hash first. */
	sim.grace += 10;
	post(1, XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING, 0, LIST_REF, 1);
	
	sim.on_grace = not_found;
	push();
	sim.on_grace = NULL;
	assert_int_equal(take(1, XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING), STATUS(SUCCESS));
	assert_int_equal(sim.n_mapped, 9);
}

/* Any messages, against a set. */
static void random_messages(void)
{
	static bool there[200];
	u32 round, i, n, found, free_places = 512;
	bool good, twice[200];

	memset(there, 0, sizeof(there));
	for (round = 0; round < 1000; round++) {
		bool adding = random_u32() & 1;

		n = random_in(1, random_u32() & 1 ? 5 : 100);
		good = true;
		found = 0;
		memset(twice, 0, sizeof(twice));
		for (i = 0; i < n; i++) {
			u32 k = random_u32() % 200;

			while (adding && n < 100 && random_in(0, 20) && (there[k] || twice[k]))
				k = random_u32() % 200;
			entry(i, REF(k % 60, k), 0);
			good &= !there[k] && !twice[k];
			found += there[k] && !twice[k];
			twice[k] = true;
		}
		if (adding) {
			good &= n <= free_places;
			assert_int_equal(add(0, n), good ? STATUS(SUCCESS) :
							   STATUS(INVALID_PARAMETER));
		} else {
			assert_int_equal(del(0, n), STATUS(SUCCESS));
			assert_int_equal(answer, found);
		}
		for (i = 0; i < 200; i++) {
			if (twice[i] && (good || !adding)) {
				free_places += adding ? -1 : there[i];
				there[i] = adding;
			}
			assert_int_equal(is_mapped(0, REF(i % 60, i)), there[i]);
		}
		assert_int_equal(sim.n_mapped, 512 - free_places);
	}
}

static void test_random(void **state)
{
	UNUSED(state);
	random_messages();
}

/* Grants that share a chain. */
static void test_chain(void **state)
{
	UNUSED(state);
	sim.one_chain = true;
	random_messages();
}

/* Static grants: packets. */

static void send_packet(u32 ref, u32 size)
{
	stand_tx_request(ref, 7, size, 0, 1);
	stand_tx_push();
	stand_run();
}

static void test_tx(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 0; i < 10; i++)
		entry(i, REF(i, 0), RO);
	assert_int_equal(add(0, 10), STATUS(SUCCESS));
	/* For the other queue they are not. */
	entry(0, REF(20, 0), RO);
	assert_int_equal(add(1, 1), STATUS(SUCCESS));

	sim.n_hypercalls = 0;
	send_packet(REF(3, 0), 60);
	send_packet(REF(4, 0), 4000);
	assert_int_equal(stand->n_delivered, 2);
	assert_int_equal(sim.n_hypercalls, 0);
	assert_int_equal(stand_tx_stat(XENVIF_TX_COPIES_SAVED), 2);
	assert_int_equal(stand_tx_stat(XENVIF_TX_COPIES), 0);
	assert_int_equal(stand_tx_stat(XENVIF_TX_BATCHES), 0);

	/* Some of its slots are mapped. */
	stand_tx_request(REF(0, 0), 0, 14000, MORE, 1);
	stand_tx_request(REF(30, 0), 96, 4000, MORE, 2);
	stand_tx_request(REF(1, 0), 0, 4096, MORE, 3);
	stand_tx_request(REF(20, 0), 5, 2000, 0, 4);
	stand_tx_push();
	stand_run();
	assert_int_equal(stand->n_delivered, 3);
	assert_int_equal(sim.n_hypercalls, 1);
	assert_int_equal(sim.n_ops, stand_tx_stat(XENVIF_TX_COPIES) + 4 /* lists */ - 2);

	/* One that fails beside them. */
	stand_tx_request(REF(0, 0), 0, 5000, MORE, 1);
	stand_tx_request(SIM_GREF(30, SIM_FATE_ERROR), 96, 4000, 0, 2);
	stand_tx_push();
	stand_run();
	assert_int_equal(stand->last_status, XEN_NETIF_RSP_ERROR);
	assert_int_equal(stand_tx_stat(XENVIF_TX_DROP_COPY), 1);

	/* No longer mapped. */
	entry(0, REF(3, 0), 0);
	assert_int_equal(del(0, 1), STATUS(SUCCESS));
	sim.n_hypercalls = 0;
	send_packet(REF(3, 0), 60);
	assert_int_equal(stand->n_delivered, 4);
	assert_int_equal(sim.n_hypercalls, 1);
}

/* Random packets over random pages, while grants come and go. */
static void test_tx_random(void **state)
{
	u32 round, i, n;

	UNUSED(state);
	for (round = 0; round < 500; round++) {
		u32 len[18], sum = 0;

		entry(0, REF(random_u32() % 60, 0), random_u32() & 1 ? RO : 0);
		if (random_u32() & 1)
			add(0, 1);
		else
			del(0, 1);
		n = random_in(1, 15);
		for (i = 0; i < n; i++)
			sum += len[i] = random_in(14, 4000);
		for (i = 0; i < n; i++)
			stand_tx_request(REF(random_u32() % 60, 0), random_u32() % 96,
					 i ? len[i] : sum, i < n - 1 ? MORE : 0, i);
		stand_tx_push();
		stand_run();
		assert_int_equal(stand->n_delivered, round + 1);
	}
	assert_true(stand_tx_stat(XENVIF_TX_COPIES_SAVED) > 100);
	assert_true(stand_tx_stat(XENVIF_TX_COPIES) > 100);
}

/* The grant that the stand posts for a buffer. */
static u32 rx_ref(u32 i)
{
	return SIM_GREF(STAND_TX_PAGES + i, SIM_FATE_OK);
}

static void test_rx(void **state)
{
	u32 i;

	UNUSED(state);
	/* Buffers 0 to 9 for writing, 10 to 19 for reading alone, the rest not. */
	for (i = 0; i < 20; i++)
		entry(i, rx_ref(i), i < 10 ? 0 : RO);
	assert_int_equal(add(0, 20), STATUS(SUCCESS));
	sim.n_hypercalls = 0;

	stand_rx_post(10, SIM_FATE_OK);
	for (i = 0; i < 4; i++)
		stand_xmit(sim_skb_alloc(1000 + i, 64));
	stand_run();
	assert_int_equal(stand->n_received, 4);
	assert_int_equal(sim.n_hypercalls, 0);
	assert_int_equal(stand_rx_stat(XENVIF_RX_COPIES), 0);
	assert_true(stand_rx_stat(XENVIF_RX_COPIES_SAVED) >= 4);

	/* A packet over buffers of all three kinds. */
	stand_rx_post(60, SIM_FATE_OK);
	for (i = 0; i < 4; i++) {
		struct sk_buff *skb = sim_skb_alloc(200, 64);

		sim_skb_add_frag(skb, 0, 20000);
		stand_xmit(skb);
	}
	stand_run();
	assert_int_equal(stand->n_received, 8);
	assert_int_equal(stand->n_rx_errors, 0);
	assert_true(sim.n_hypercalls > 0);
	assert_true(stand_rx_stat(XENVIF_RX_COPIES) > 10);
}

/* All buffers of the ring mapped: packets go out without a hypercall, and the guest
 * need not wait for the last one to have the first.
 */
static u32 n_pushes;

static void count_pushes(enum sim_point point)
{
	n_pushes += point == SIM_POINT_WMB;
}

static void test_rx_all(void **state)
{
	u32 i;

	UNUSED(state);
	wants_small_pages();
	for (i = 0; i < 256; i++)
		entry(i, rx_ref(i), 0);
	assert_int_equal(add(0, 256), STATUS(SUCCESS));
	sim.n_hypercalls = 0;
	stand_rx_post(256, SIM_FATE_OK);
	n_pushes = 0;
	stand->hostile = count_pushes;
	for (i = 0; i < 200; i++)
		stand_xmit(sim_skb_alloc(100 + i, 64));
	stand_run();
	assert_int_equal(stand->n_received, 200);
	assert_int_equal(sim.n_hypercalls, 0);
	stand->hostile = NULL;
	assert_true(n_pushes > 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_size),
		CASE(test_all_guests),
		cmocka_unit_test_setup_teardown(test_none, setup_none, teardown),
		CASE(test_add),
		cmocka_unit_test_setup_teardown(test_limit, setup_few, teardown),
		CASE(test_all_or_none),
		CASE(test_no_memory),
		CASE(test_no_table),
		CASE(test_unmap_refused),
		CASE(test_del),
		CASE(test_unmap_fails),
		CASE(test_del_order),
		CASE(test_random),
		CASE(test_chain),
		CASE(test_tx),
		CASE(test_tx_random),
		CASE(test_rx),
		cmocka_unit_test_setup_teardown(test_rx, setup_headroom, teardown),
		CASE(test_rx_all),
	};

	return cmocka_run_group_tests_name("gref", tests, NULL, NULL);
}
