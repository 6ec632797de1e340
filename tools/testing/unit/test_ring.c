// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ring.h: the verbs, against a shared page that somebody else writes to. */

#include "test.h"

#include "ring.h"

static struct xen_netif_tx_sring *tx_page;
static struct xen_netif_rx_sring *rx_page;
static struct xenvif_tx_ring *tx;
static struct xenvif_rx_ring *rx;
static u32 n_warn;

void sim_warn(const char *file, int line, const char *cond)
{
	UNUSED(file);
	UNUSED(line);
	UNUSED(cond);
	n_warn++;
}

static int setup(void **state)
{
	UNUSED(state);
	tx_page = aligned_alloc(XEN_PAGE_SIZE, XEN_PAGE_SIZE);
	rx_page = aligned_alloc(XEN_PAGE_SIZE, XEN_PAGE_SIZE);
	tx = malloc(sizeof(*tx));
	rx = malloc(sizeof(*rx));
	memset(tx_page, 0xCC, XEN_PAGE_SIZE);
	memset(rx_page, 0xCC, XEN_PAGE_SIZE);
	memset(tx, 0xDD, sizeof(*tx));
	memset(rx, 0xDD, sizeof(*rx));
	SHARED_RING_INIT(tx_page);
	SHARED_RING_INIT(rx_page);
	n_warn = 0;
	sim_hook = NULL;
	return 0;
}

static int teardown(void **state)
{
	UNUSED(state);
	sim_hook = NULL;
	free(tx_page);
	free(rx_page);
	free(tx);
	free(rx);
	return 0;
}

static void attach_at(u32 start)
{
	tx_page->req_prod = start;
	tx_page->rsp_prod = start;
	rx_page->req_prod = start;
	rx_page->rsp_prod = start;
	assert_int_equal(xenvif_tx_ring_attach(tx, tx_page), 0);
	assert_int_equal(xenvif_rx_ring_attach(rx, rx_page), 0);
}

static u16 id_of(u32 index)
{
	return index * 40503 + 1;
}

static void tx_write(u32 index, u16 id)
{
	tx_page->ring[index % 256].req = (struct xen_netif_tx_request){
		.gref = index, .id = id, .size = 100,
	};
}

static void tx_post(u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		tx_write(tx_page->req_prod + i, id_of(tx_page->req_prod + i));
	tx_page->req_prod += n;
}

static void test_attach(void **state)
{
	static const u32 start[] = { 0, 1, 255, 256, 12345, 0x7FFFFFFF, 0x80000000,
				     0xFFFFFF00, 0xFFFFFFF0, 0xFFFFFFFF };
	u32 i;

	UNUSED(state);
	for (i = 0; i < sizeof(start) / sizeof(start[0]); i++) {
		attach_at(start[i]);
		assert_int_equal(xenvif_tx_ring_head(tx), start[i]);
		assert_int_equal(xenvif_tx_ring_fetch(tx), 0);
		assert_int_equal(xenvif_rx_ring_avail(rx), 0);
		assert_int_equal(tx->back.rsp_prod_pvt, start[i]);
		assert_int_equal(rx->back.rsp_prod_pvt, start[i]);
		assert_int_equal(RING_SIZE(&tx->back), 256);
	}
}

/* Found in use: the outstanding requests are there to be taken. */
static void test_attach_in_use(void **state)
{
	static const struct { u32 rsp, req; int ret; } table[] = {
		{ 0, 1, 0 }, { 0, 256, 0 }, { 0, 257, -EIO }, { 0xFFFFFFF0, 0, 0 },
		{ 0xFFFFFFF0, 0xF0, 0 }, { 0xFFFFFFF0, 0xF1, -EIO }, { 1, 0, -EIO },
		{ 0, 0x80000000, -EIO }, { 5, 4, -EIO }, { 0, 0xFFFFFFFF, -EIO },
	};
	u32 i;

	UNUSED(state);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		tx_page->rsp_prod = table[i].rsp;
		tx_page->req_prod = table[i].req;
		rx_page->rsp_prod = table[i].rsp;
		rx_page->req_prod = table[i].req;
		assert_int_equal(xenvif_tx_ring_attach(tx, tx_page), table[i].ret);
		assert_int_equal(xenvif_rx_ring_attach(rx, rx_page), table[i].ret);
		if (table[i].ret)
			continue;
		assert_int_equal(xenvif_tx_ring_fetch(tx), table[i].req - table[i].rsp);
		assert_int_equal(xenvif_rx_ring_avail(rx), table[i].req - table[i].rsp);
	}
}

static void test_fetch_overflow(void **state)
{
	static const u32 ahead[] = { 257, 300, 512, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE,
				     0xFFFFFFFF };
	static const u32 start[] = { 0, 0xFFFFFFF8 };
	u32 i, j;

	UNUSED(state);
	for (j = 0; j < 2; j++) {
		attach_at(start[j]);
		for (i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++) {
			tx_page->req_prod = start[j] + ahead[i];
			rx_page->req_prod = start[j] + ahead[i];
			assert_int_equal(xenvif_tx_ring_fetch(tx), -EPROTO);
			assert_int_equal(xenvif_rx_ring_avail(rx), -EPROTO);
			assert_int_equal(tx->fetched, start[j]);
		}
		tx_page->req_prod = start[j] + 256;
		rx_page->req_prod = start[j] + 256;
		assert_int_equal(xenvif_tx_ring_fetch(tx), 256);
		assert_int_equal(xenvif_rx_ring_avail(rx), 256);
	}
}

/* What was copied once is not looked at again. */
static void test_fetch_once(void **state)
{
	u32 i;

	UNUSED(state);
	attach_at(0xFFFFFFF0);
	tx_post(100);
	assert_int_equal(xenvif_tx_ring_fetch(tx), 100);
	for (i = 0; i < 256; i++)
		memset(&tx_page->ring[i], 0x77, sizeof(tx_page->ring[i]));
	assert_int_equal(xenvif_tx_ring_fetch(tx), 100);
	tx_post(20);
	assert_int_equal(xenvif_tx_ring_fetch(tx), 120);
	for (i = 0; i < 120; i++)
		assert_int_equal(tx->copy[(0xFFFFFFF0 + i) % 256].req.id,
				 id_of(0xFFFFFFF0 + i));

	/* Nor is its id, when it is answered. */
	xenvif_tx_ring_consume(tx, 120);
	memset(tx_page->ring, 0x77, 256 * sizeof(tx_page->ring[0]));
	for (i = 0; i < 120; i++)
		xenvif_tx_ring_respond(tx, XEN_NETIF_RSP_OKAY);
	for (i = 0; i < 120; i++)
		assert_int_equal(tx_page->ring[(0xFFFFFFF0 + i) % 256].rsp.id,
				 id_of(0xFFFFFFF0 + i));
}

static void test_producer_back_and_forth(void **state)
{
	u32 i;

	UNUSED(state);
	attach_at(250);
	tx_post(50);
	assert_int_equal(xenvif_tx_ring_fetch(tx), 50);

	/* Back over what is not consumed: it stays. */
	tx_page->req_prod = 260;
	assert_int_equal(xenvif_tx_ring_fetch(tx), 50);
	tx_page->req_prod = 250;
	assert_int_equal(xenvif_tx_ring_fetch(tx), 50);
	assert_false(xenvif_tx_ring_rest(tx));

	/* Forward with other contents: only what is beyond is new. */
	for (i = 250; i < 310; i++)
		tx_write(i, 7);
	tx_page->req_prod = 310;
	assert_int_equal(xenvif_tx_ring_fetch(tx), 60);
	for (i = 250; i < 300; i++)
		assert_int_equal(tx->copy[i % 256].req.id, id_of(i));
	for (; i < 310; i++)
		assert_int_equal(tx->copy[i % 256].req.id, 7);

	/* Back over what is consumed: impossible. */
	xenvif_tx_ring_consume(tx, 60);
	tx_page->req_prod = 309;
	assert_int_equal(xenvif_tx_ring_fetch(tx), -EPROTO);
	tx_page->req_prod = 310;
	assert_int_equal(xenvif_tx_ring_fetch(tx), 0);
}

/* The producer moves on while requests are copied: that is for the next time. */
static void move_on(enum sim_point point, const volatile void *addr)
{
	if (point == SIM_POINT_RMB || (point == SIM_POINT_READ && addr != &tx_page->req_prod))
		tx_page->req_prod += 1000;
}

static void test_index_read_once(void **state)
{
	UNUSED(state);
	attach_at(0);
	tx_post(10);
	rx_page->req_prod = 10;
	sim_hook = move_on;
	assert_int_equal(xenvif_tx_ring_fetch(tx), 10);
	assert_int_equal(xenvif_rx_ring_avail(rx), 10);
	sim_hook = NULL;
	assert_int_equal(xenvif_tx_ring_fetch(tx), -EPROTO);
}

/* 100000 packets over the wrap of the index: order, ids, and one answer each. */
static void test_wrap(void **state)
{
	u32 consumed = 0, answered = 0, posted = 0, rounds;
	const u32 start = 0xFFFFFFFF - 50000;

	UNUSED(state);
	attach_at(start);
	for (rounds = 0; posted < 100000; rounds++) {
		u32 n = random_in(0, 256 - (posted - answered)), i, k;
		int avail;

		tx_post(n);
		posted += n;
		avail = xenvif_tx_ring_fetch(tx);
		assert_int_equal(avail, posted - consumed);
		n = random_in(0, avail);
		for (i = 0; i < n; i++)
			assert_int_equal(tx->copy[(start + consumed + i) % 256].req.id,
					 id_of(start + consumed + i));
		xenvif_tx_ring_consume(tx, n);
		consumed += n;

		k = random_in(0, consumed - answered);
		for (i = 0; i < k; i++)
			xenvif_tx_ring_respond(tx, (s16)(answered + i));
		/* Not seen before the push. */
		assert_int_equal(tx_page->rsp_prod, start + answered);
		xenvif_tx_ring_push(tx, k);
		assert_int_equal(tx_page->rsp_prod, start + answered + k);
		for (i = 0; i < k; i++, answered++) {
			u32 at = (start + answered) % 256;

			assert_int_equal(tx_page->ring[at].rsp.id, id_of(start + answered));
			assert_int_equal(tx_page->ring[at].rsp.status, (s16)answered);
		}
		assert_int_equal(n_warn, 0);
	}
	assert_true(rounds > 500);
}

/* Nothing is answered that was not consumed. */
static void test_no_answer_too_many(void **state)
{
	struct xen_netif_rx_response rsp[4] = { { .id = 1 }, { .id = 2 }, { .id = 3 }, { .id = 4 } };
	struct xen_netif_rx_request req;

	UNUSED(state);
	attach_at(77);
	tx_post(3);
	xenvif_tx_ring_fetch(tx);
	xenvif_tx_ring_respond(tx, 0);
	assert_int_equal(n_warn, 1);
	assert_int_equal(tx->back.rsp_prod_pvt, 77);
	assert_int_equal(tx_page->ring[77].req.id, id_of(77));
	xenvif_tx_ring_consume(tx, 1);
	xenvif_tx_ring_respond(tx, 0);
	xenvif_tx_ring_respond(tx, 0);
	assert_int_equal(n_warn, 2);
	assert_int_equal(tx->back.rsp_prod_pvt, 78);

	rx_page->req_prod += 2;
	xenvif_rx_ring_take(rx, &req);
	xenvif_rx_ring_take(rx, &req);
	xenvif_rx_ring_respond(rx, rsp, 4);
	assert_int_equal(n_warn, 3);
	assert_int_equal(rx_page->rsp_prod, 79);
}

static void test_no_answer_too_many_ctrl(void **state)
{
	struct xen_netif_ctrl_response rsp[4] = { { .id = 1 }, { .id = 2 }, { .id = 3 } };
	struct xen_netif_ctrl_sring *page = (void *)tx_page;
	struct xenvif_ctrl_ring ctrl;
	struct xen_netif_ctrl_request req;

	UNUSED(state);
	SHARED_RING_INIT(page);
	page->req_prod = 79;
	page->rsp_prod = 77;
	assert_int_equal(xenvif_ctrl_ring_attach(&ctrl, page), 0);
	assert_int_equal(xenvif_ctrl_ring_avail(&ctrl), 2);
	xenvif_ctrl_ring_take(&ctrl, &req);
	xenvif_ctrl_ring_take(&ctrl, &req);
	page->ring[79].rsp.id = 0x5A5A;
	xenvif_ctrl_ring_respond(&ctrl, rsp, 4);
	assert_int_equal(n_warn, 1);
	assert_int_equal(page->rsp_prod, 79);
	assert_int_equal(page->ring[78].rsp.id, 2);
	assert_int_equal(page->ring[79].rsp.id, 0x5A5A);
}

/* What people are shown: each index as it is, whatever the guest has made of it. */
static void test_view(void **state)
{
	struct xenvif_ring_view view;
	struct xen_netif_rx_request req;

	UNUSED(state);
	attach_at(0xFFFFFFFE);
	tx_post(3);
	xenvif_tx_ring_fetch(tx);
	xenvif_tx_ring_consume(tx, 2);
	xenvif_tx_ring_respond(tx, 0);
	tx_page->req_event = 11;
	tx_page->rsp_event = 22;
	tx_page->rsp_prod = 33;
	xenvif_tx_ring_view(tx, &view);
	assert_int_equal(view.size, 256);
	assert_int_equal(view.req_prod, 1);
	assert_int_equal(view.req_cons, 0);
	assert_int_equal(view.req_event, 11);
	assert_int_equal(view.rsp_prod, 33);
	assert_int_equal(view.rsp_prod_pvt, 0xFFFFFFFF);
	assert_int_equal(view.rsp_event, 22);

	rx_page->req_prod = 0x80000000;
	xenvif_rx_ring_take(rx, &req);
	rx_page->req_event = 44;
	rx_page->rsp_event = 55;
	xenvif_rx_ring_view(rx, &view);
	assert_int_equal(view.size, 256);
	assert_int_equal(view.req_prod, 0x80000000);
	assert_int_equal(view.req_cons, 0xFFFFFFFF);
	assert_int_equal(view.req_event, 44);
	assert_int_equal(view.rsp_prod, 0xFFFFFFFE);
	assert_int_equal(view.rsp_prod_pvt, 0xFFFFFFFE);
	assert_int_equal(view.rsp_event, 55);
}

/* Bytes of a slot that the response does not take are not written. */
static void test_rest_of_slot_untouched(void **state)
{
	const u8 *slot;
	u32 i;

	UNUSED(state);
	attach_at(0);
	memset(tx_page->ring, 0x3C, 256 * sizeof(tx_page->ring[0]));
	tx_page->req_prod = 256;
	xenvif_tx_ring_fetch(tx);
	xenvif_tx_ring_consume(tx, 256);
	for (i = 0; i < 256; i++)
		xenvif_tx_ring_respond(tx, 0);
	xenvif_tx_ring_push(tx, 256);
	slot = (const u8 *)&tx_page->ring[9];
	for (i = sizeof(struct xen_netif_tx_response); i < sizeof(tx_page->ring[0]); i++)
		assert_int_equal(slot[i], 0x3C);
	/* Nor is anything of the page's head but the two indices of ours. */
	for (i = 0; i < sizeof(tx_page->__pad); i++)
		assert_int_equal(tx_page->__pad[i], 0);
	assert_int_equal(tx_page->rsp_event, 1);
	assert_int_equal(tx_page->req_prod, 256);
}

/* The event is raised when rsp_event is among the responses of this push. */
static void test_notify(void **state)
{
	static const struct { u32 start, n, event; bool notify; } table[] = {
		{ 0, 1, 1, true }, { 0, 1, 2, false }, { 0, 1, 0, false },
		{ 0, 5, 1, true }, { 0, 5, 5, true }, { 0, 5, 6, false },
		{ 10, 5, 10, false }, { 10, 5, 11, true }, { 10, 0, 10, false },
		{ 10, 0, 11, false },
		{ 0xFFFFFFFE, 4, 0xFFFFFFFF, true }, { 0xFFFFFFFE, 4, 0, true },
		{ 0xFFFFFFFE, 4, 2, true }, { 0xFFFFFFFE, 4, 3, false },
		{ 0xFFFFFFFE, 4, 0xFFFFFFFE, false },
		/* far away in either direction */
		{ 100, 5, 100 + 0x7FFFFFFFU, false }, { 100, 5, 100 - 0x7FFFFFFFU, false },
	};
	u32 i, k;

	UNUSED(state);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct xen_netif_rx_response rsp[5] = { 0 };
		struct xen_netif_rx_request req;

		attach_at(table[i].start);
		tx_page->rsp_event = table[i].event;
		rx_page->rsp_event = table[i].event;
		tx_post(table[i].n);
		rx_page->req_prod += table[i].n;
		xenvif_tx_ring_fetch(tx);
		xenvif_tx_ring_consume(tx, table[i].n);
		for (k = 0; k < table[i].n; k++) {
			xenvif_tx_ring_respond(tx, 0);
			xenvif_rx_ring_take(rx, &req);
		}
		assert_int_equal(xenvif_tx_ring_push(tx, table[i].n), table[i].notify);
		assert_int_equal(xenvif_rx_ring_respond(rx, rsp, table[i].n), table[i].notify);
	}
}

/* A guest that raises its wish between the push and the look is seen: the index
 * is written first, then a full barrier, then the wish is read.
 */
static void wish(enum sim_point point, const volatile void *addr)
{
	UNUSED(addr);
	if (point == SIM_POINT_MB && tx_page->rsp_prod == 1)
		tx_page->rsp_event = 1;
}

static void test_notify_late_wish(void **state)
{
	UNUSED(state);
	attach_at(0);
	tx_page->rsp_event = 100;
	tx_post(1);
	xenvif_tx_ring_fetch(tx);
	xenvif_tx_ring_consume(tx, 1);
	xenvif_tx_ring_respond(tx, 0);
	sim_hook = wish;
	assert_true(xenvif_tx_ring_push(tx, 1));
}

/* Responses are in the page before the index says so. */
static void before_index(enum sim_point point, const volatile void *addr)
{
	UNUSED(addr);
	if (point == SIM_POINT_WMB) {
		assert_int_equal(tx_page->rsp_prod, 0);
		assert_int_equal(tx_page->ring[0].rsp.id, id_of(0));
		n_warn++;
	}
}

static void test_push_order(void **state)
{
	UNUSED(state);
	attach_at(0);
	tx_post(1);
	xenvif_tx_ring_fetch(tx);
	xenvif_tx_ring_consume(tx, 1);
	xenvif_tx_ring_respond(tx, 0);
	sim_hook = before_index;
	xenvif_tx_ring_push(tx, 1);
	assert_int_equal(n_warn, 1);
}

static void post_at_last_moment(enum sim_point point, const volatile void *addr)
{
	UNUSED(addr);
	if (point != SIM_POINT_MB)
		return;
	/* The wish for an event is there before the last look. */
	assert_int_equal(tx_page->req_event, tx->fetched + 1);
	tx_page->req_prod++;
}

static void test_rest(void **state)
{
	static const u32 start[] = { 0, 0xFFFFFFFF };
	u32 i;

	UNUSED(state);
	for (i = 0; i < 2; i++) {
		sim_hook = NULL;
		attach_at(start[i]);
		assert_false(xenvif_tx_ring_rest(tx));
		assert_int_equal(tx_page->req_event, start[i] + 1);
		tx_post(3);
		assert_true(xenvif_tx_ring_rest(tx));
		xenvif_tx_ring_fetch(tx);
		/* Half a packet that was looked at is no reason to stay awake. */
		assert_false(xenvif_tx_ring_rest(tx));
		assert_int_equal(tx_page->req_event, start[i] + 4);
		sim_hook = post_at_last_moment;
		assert_true(xenvif_tx_ring_rest(tx));
	}
	/* One that became impossible is to be fetched, so that somebody says so. */
	sim_hook = NULL;
	tx_page->req_prod = tx->fetched + 1000;
	assert_true(xenvif_tx_ring_rest(tx));
}

static void rx_post_at_last_moment(enum sim_point point, const volatile void *addr)
{
	UNUSED(addr);
	if (point == SIM_POINT_MB)
		rx_page->req_prod += 2;
}

static void test_rx_rest(void **state)
{
	UNUSED(state);
	attach_at(0xFFFFFFFE);
	assert_int_equal(xenvif_rx_ring_rest(rx, 0), 0);
	assert_int_equal(rx_page->req_event, 0xFFFFFFFF);
	sim_hook = rx_post_at_last_moment;
	assert_int_equal(xenvif_rx_ring_rest(rx, 0), 2);
	sim_hook = NULL;
	/* They passed it: it is not asked for more than was seen. */
	assert_int_equal(rx_page->req_event, 0xFFFFFFFF);
	assert_int_equal(xenvif_rx_ring_rest(rx, 2), 2);
	assert_int_equal(rx_page->req_event, 1);
	rx_page->req_prod = 0xFFFFFFFE + 257;
	assert_int_equal(xenvif_rx_ring_rest(rx, 2), -EPROTO);
}

static void test_rx_take(void **state)
{
	struct xen_netif_rx_response rsp[256];
	struct xen_netif_rx_request req;
	u32 i, round;

	UNUSED(state);
	attach_at(0xFFFFFF80);
	for (round = 0; round < 5; round++) {
		u32 base = rx_page->req_prod;

		for (i = 0; i < 256; i++)
			rx_page->ring[(base + i) % 256].req =
				(struct xen_netif_rx_request){ .id = id_of(base + i), .gref = i };
		rx_page->req_prod += 256;
		assert_int_equal(xenvif_rx_ring_avail(rx), 256);
		for (i = 0; i < 256; i++) {
			xenvif_rx_ring_take(rx, &req);
			assert_int_equal(req.id, id_of(base + i));
			assert_int_equal(req.gref, i);
			rsp[i] = (struct xen_netif_rx_response){ .id = req.id, .status = i + 1 };
		}
		assert_int_equal(xenvif_rx_ring_avail(rx), 0);
		xenvif_rx_ring_respond(rx, rsp, 200);
		xenvif_rx_ring_respond(rx, rsp + 200, 56);
		assert_int_equal(rx_page->rsp_prod, base + 256);
		for (i = 0; i < 256; i++)
			assert_memory_equal(&rx_page->ring[(base + i) % 256].rsp, &rsp[i],
					    sizeof(rsp[i]));
	}
	assert_int_equal(n_warn, 0);
}

/* Events with news are no more than buffers, whatever the index does. */
static void test_rx_news(void **state)
{
	u32 i, news = 0;

	UNUSED(state);
	attach_at(0xFFFFFFFE);
	/* The connection's own. */
	assert_true(xenvif_rx_ring_news(rx));
	assert_false(xenvif_rx_ring_news(rx));
	rx_page->req_prod++;
	assert_true(xenvif_rx_ring_news(rx));
	/* The one that was under way; and no more. */
	assert_true(xenvif_rx_ring_news(rx));
	assert_false(xenvif_rx_ring_news(rx));
	rx_page->req_prod--;
	assert_false(xenvif_rx_ring_news(rx));
	rx_page->req_prod += 2;
	assert_true(xenvif_rx_ring_news(rx));
	rx_page->req_prod = 0xFFFFFFFE + 257;
	assert_false(xenvif_rx_ring_news(rx));
	for (i = 0; i < 100000; i++) {
		rx_page->req_prod = 0xFFFFFFFE + random_in(0, 300) - 20;
		news += xenvif_rx_ring_news(rx);
	}
	/* Each buffer is news once, and lets one more pass. */
	assert_in_range(news, 1, 2 * 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		RING_TEST(test_attach),
		RING_TEST(test_attach_in_use),
		RING_TEST(test_view),
		RING_TEST(test_no_answer_too_many_ctrl),
		RING_TEST(test_fetch_overflow),
		RING_TEST(test_fetch_once),
		RING_TEST(test_producer_back_and_forth),
		RING_TEST(test_index_read_once),
		RING_TEST(test_wrap),
		RING_TEST(test_no_answer_too_many),
		RING_TEST(test_rest_of_slot_untouched),
		RING_TEST(test_notify),
		RING_TEST(test_notify_late_wish),
		RING_TEST(test_push_order),
		RING_TEST(test_rest),
		RING_TEST(test_rx_rest),
		RING_TEST(test_rx_take),
		RING_TEST(test_rx_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
