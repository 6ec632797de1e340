// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The multicast table: against a plain model, and for a reader beside writers.
 */

#include "test.h"

#include "mcast.h"

static const u8 *group(u32 n)
{
	static u8 addr[6] = { 0x01, 0x00, 0x5e };

	addr[3] = n >> 16;
	addr[4] = n >> 8;
	addr[5] = n;
	return addr;
}

static u32 count(const struct xenvif_mcast *m)
{
	u32 i, n = 0;

	for (i = 0; i < XENVIF_MCAST_MAX; i++)
		n += !!m->addr[i];
	for (i = m->end; i < XENVIF_MCAST_MAX; i++)
		assert_int_equal(m->addr[i], 0);
	if (m->end)
		assert_true(m->addr[m->end - 1]);
	return n;
}

static void test_limits(void **state)
{
	static const u8 unicast[6] = { 0x02, 1, 2, 3, 4, 5 };
	static const u8 zero[6];
	struct xenvif_mcast m = {};
	u32 i;

	(void)state;
	assert_false(xenvif_mcast_has(&m, group(0)));
	assert_false(xenvif_mcast_add(&m, unicast));
	assert_false(xenvif_mcast_add(&m, zero));
	xenvif_mcast_del(&m, zero);
	xenvif_mcast_del(&m, unicast);
	xenvif_mcast_del(&m, group(1));
	for (i = 0; i < XENVIF_MCAST_MAX; i++) {
		assert_true(xenvif_mcast_add(&m, group(i)));
		assert_true(xenvif_mcast_add(&m, group(i)));
		assert_int_equal(count(&m), i + 1);
	}
	assert_false(xenvif_mcast_add(&m, group(i)));
	assert_true(xenvif_mcast_add(&m, group(5)));
	xenvif_mcast_del(&m, zero);
	assert_int_equal(count(&m), XENVIF_MCAST_MAX);

	/* A gap is used again, and the others stay where they are. */
	xenvif_mcast_del(&m, group(5));
	assert_false(xenvif_mcast_has(&m, group(5)));
	assert_true(xenvif_mcast_has(&m, group(63)));
	assert_int_equal(m.end, XENVIF_MCAST_MAX);
	assert_true(xenvif_mcast_add(&m, group(100)));
	assert_true(xenvif_mcast_has(&m, group(100)));
	assert_false(xenvif_mcast_add(&m, group(5)));

	/* The last one goes like any other. */
	xenvif_mcast_clear(&m);
	assert_true(xenvif_mcast_add(&m, group(5)));
	xenvif_mcast_del(&m, group(5));
	assert_int_equal(m.end, 0);
	assert_true(xenvif_mcast_add(&m, group(6)));

	xenvif_mcast_clear(&m);
	assert_int_equal(count(&m), 0);
	assert_int_equal(m.end, 0);
	assert_false(xenvif_mcast_has(&m, group(63)));
}

static void test_model(void **state)
{
	struct xenvif_mcast m = {};
	bool has[100] = {};
	u32 round, n, i, total = 0;

	(void)state;
	srandom(3);
	for (round = 0; round < 100000; round++) {
		n = random() % 100;
		if (random() % (round / 1000 % 2 ? 3 : 2)) {
			bool ok = xenvif_mcast_add(&m, group(n));

			assert_int_equal(ok, has[n] || total < XENVIF_MCAST_MAX);
			total += ok && !has[n];
			has[n] = ok;
		} else {
			xenvif_mcast_del(&m, group(n));
			total -= has[n];
			has[n] = false;
		}
		assert_int_equal(count(&m), total);
		for (i = 0; i < 100; i++)
			assert_int_equal(xenvif_mcast_has(&m, group(i)), has[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests_name("mcast", tests, NULL, NULL);
}
