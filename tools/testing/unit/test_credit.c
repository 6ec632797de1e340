// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* credit.h: the rate is kept, and nothing overflows. */

#include "test.h"

#include "credit.h"

#define NSEC_PER_SEC	1000000000ULL

/* The ticket of whoever is the only one. */
static struct xenvif_ticket ticket;

static u64 take(struct xenvif_credit *credit, u32 len, u64 now)
{
	return xenvif_credit_take(credit, &ticket, len, now);
}

static struct xenvif_credit make(u64 bytes, u64 usecs, u64 now)
{
	struct xenvif_credit credit = { 0 };

	ticket = (struct xenvif_ticket){ 0 };
	xenvif_credit_set(&credit, bytes, usecs, now);
	return credit;
}

static void test_no_limit(void **state)
{
	struct xenvif_credit credit = make(0, 0, 5);
	u32 i;

	UNUSED(state);
	for (i = 0; i < 1000; i++)
		assert_int_equal(take(&credit, 65535, 5), 0);
}

/* One interval's share at first, and then not a byte more without time. */
static void test_first_share(void **state)
{
	struct xenvif_credit credit = make(100000, 50000, 7);

	UNUSED(state);
	assert_int_equal(take(&credit, 65535, 7), 0);
	assert_int_equal(take(&credit, 34465, 7), 0);
	assert_int_not_equal(take(&credit, 1, 7), 0);
}

/* A share that is smaller than a packet: it is sent after several. */
static void test_tiny_share(void **state)
{
	struct xenvif_credit credit = make(1, 1, 0);
	u64 wait;

	UNUSED(state);
	wait = take(&credit, 65535, 0);
	/* 1 byte a microsecond, and one is there. */
	assert_in_range(wait, 65534 * 1000ULL, 65534 * 1000ULL + 1);
	assert_int_not_equal(take(&credit, 65535, wait - 1000), 0);
	assert_int_equal(take(&credit, 65535, wait), 0);
}

/* The wait that is named is enough. That it is not too long, test_rate() shows. */
static void test_wait_suffices(void **state)
{
	u32 i;

	UNUSED(state);
	for (i = 0; i < 100000; i++) {
		u64 bytes = 1 + (random_u32() >> random_in(0, 31));
		u64 usecs = 1 + ((random_u32() % XENVIF_CREDIT_USECS_MAX) >> random_in(0, 31));
		struct xenvif_credit credit;
		u64 now = random_u32(), wait;
		u32 len = random_in(14, 65535), n;

		credit = make(bytes, usecs, now);
		for (n = 0; n < 10; n++) {
			wait = take(&credit, len, now);
			if (!wait)
				continue;
			now += wait;
			assert_int_equal(take(&credit, len, now), 0);
		}
	}
}

struct run {
	u64 sent;
	u64 waits;
	u64 time;
};

/* A sender that sends whenever it may, and asks after pause ns otherwise. */
static struct run run(u64 bytes, u64 usecs, u32 len, u64 pause, u32 steps)
{
	u64 start = random_u32(), now = start, wait;
	struct xenvif_credit credit = make(bytes, usecs, now);
	struct run res = { 0 };
	u32 i;

	credit.tokens = 0;
	/* Up to a hundred years. */
	for (i = 0; i < steps && now < 1ULL << 61; i++) {
		wait = take(&credit, len, now);
		if (!wait) {
			res.sent += len;
			now += pause;
			continue;
		}
		res.waits++;
		now += wait;
	}
	res.time = now - start;
	return res;
}

static void check_rate(u64 bytes, u64 usecs, u32 len, u64 pause)
{
	struct run res = run(bytes, usecs, len, pause, 20000);
	/* What the limit allows in that time: not a byte more is sent, however often
	 * somebody asks.
	 */
	unsigned __int128 due = (unsigned __int128)res.time * bytes / (usecs * 1000);

	/* A nanosecond's worth less each time that it was waited for. */
	u64 slack = res.waits * (1 + bytes / (usecs * 1000));

	if (res.sent > due)
		print_error("%lu bytes each %lu us, packets of %u, pause %lu: %lu bytes, %lu due\n",
			    bytes, usecs, len, pause, res.sent, (u64)due);
	assert_true(res.sent <= due);

	/* Not below it either, if the sender always has something to send: the last
	 * packet may still wait.
	 */
	if (!pause)
		assert_true(res.sent + len + slack >= due);
}

static void test_rate(void **state)
{
	/* From 1 byte each hour to more than any machine copies. */
	static const struct { u64 bytes, usecs; } rate[] = {
		{ 1, 1000000 }, { 1, XENVIF_CREDIT_USECS_MAX }, { 1000, 1000000 },
		{ 12500, 1000 }, { 125000, 1000 }, { 1250, 10 }, { 1000003, 999983 },
		{ 131072, 50000 }, { 7, 3 }, { 125000000, 1000000 }, { 97, 101 },
		{ 10000000, 50000 }, { U32_MAX, XENVIF_CREDIT_USECS_MAX },
		{ 999999937, 1000003 },
	};
	static const u32 len[] = { 14, 60, 1514, 9014, 65535 };
	static const u64 pause[] = { 0, 1, 7, 100, 12345, 1000000 };
	u32 i, j, k;

	UNUSED(state);
	for (i = 0; i < sizeof(rate) / sizeof(rate[0]); i++)
		for (j = 0; j < sizeof(len) / sizeof(len[0]); j++)
			for (k = 0; k < sizeof(pause) / sizeof(pause[0]); k++)
				check_rate(rate[i].bytes, rate[i].usecs, len[j], pause[k]);
}

/* Who asks again and again before its time loses nothing by it. */
static void test_impatient(void **state)
{
	static const struct { u64 bytes, usecs; } rate[] = {
		{ 1000, 1000000 }, { 12500, 1000 }, { 97, 101 }, { 1250, 10 },
	};
	u32 i, n;

	UNUSED(state);
	for (i = 0; i < sizeof(rate) / sizeof(rate[0]); i++) {
		struct xenvif_credit credit = make(rate[i].bytes, rate[i].usecs, 0);
		u64 now = 0, sent = 0, due;

		credit.tokens = 0;
		for (n = 0; n < 1000000; n++, now += 37)
			if (!take(&credit, 60, now))
				sent += 60;
		due = now * rate[i].bytes / (rate[i].usecs * 1000);
		assert_true(sent + 60 + 1 >= min(due, 60ULL * 1000000));
		assert_true(sent <= due);
	}
}

/* Above one byte a nanosecond (8 Gbit/s) too. */
static void test_rate_fast(void **state)
{
	static const struct { u64 bytes, usecs; } rate[] = {
		{ 1250000, 1000 }, { 3000017, 1999 }, { 4999, 3 }, { U32_MAX, 1000000 },
		{ U32_MAX, 999983 }, { 1000003, 7 }, { U32_MAX, 3 },
	};
	static const u64 pause[] = { 1, 7, 100, 333, 12345 };
	u32 i, j;

	UNUSED(state);
	for (i = 0; i < sizeof(rate) / sizeof(rate[0]); i++)
		for (j = 0; j < sizeof(pause) / sizeof(pause[0]); j++)
			check_rate(rate[i].bytes, rate[i].usecs, 65535, pause[j]);
}

/* Idle time is worth a burst, and no more. */
static void test_burst(void **state)
{
	struct xenvif_credit credit = make(1000, 1000, 0);
	u64 now = 3600 * NSEC_PER_SEC, sent = 0;

	UNUSED(state);
	while (!take(&credit, 1000, now))
		sent += 1000;
	assert_in_range(sent, XENVIF_CREDIT_BURST_MIN - 1000, XENVIF_CREDIT_BURST_MIN);

	/* A share larger than that is the burst. */
	credit = make(1000000, 1000, 0);
	now *= 2;
	for (sent = 0; !take(&credit, 1000, now);)
		sent += 1000;
	assert_int_equal(sent, 1000000);
}

/* Whatever may be configured, at whatever time: mul_u64_u64_div_u64() of the test
 * ends the program if a quotient overflows.
 */
static void test_extremes(void **state)
{
	static const u64 bytes[] = { 1, 2, 131071, 131072, 131073, U32_MAX - 1, U32_MAX };
	static const u64 usecs[] = { 1, 2, 999, 1000000, XENVIF_CREDIT_USECS_MAX };
	static const u64 now[] = { 0, 1, 1000, NSEC_PER_SEC, 1ULL << 62, U64_MAX - 1, U64_MAX };
	static const u32 len[] = { 0, 14, 65535, 131072 };
	u32 i, j, k, l;

	UNUSED(state);
	for (i = 0; i < 7; i++) {
		for (j = 0; j < 5; j++) {
			struct xenvif_credit credit = make(bytes[i], usecs[j], 0);

			for (k = 0; k < 7; k++) {
				for (l = 0; l < 4; l++) {
					u64 wait = take(&credit, len[l], now[k]);

					assert_true(credit.tokens <=
						    (s64)xenvif_credit_burst(&credit));
					assert_true(credit.tokens >= -XENVIF_CREDIT_DEBT_MAX);
					assert_true(credit.filled <= now[k]);
					assert_true(wait <= XENVIF_CREDIT_DEBT_MAX * usecs[j] *
						    1000 / bytes[i] + 2);
				}
			}
		}
	}
}

/* A change of the limit is no gift: tokens never grow by it. */
static void test_change(void **state)
{
	struct xenvif_credit credit = make(100000, 1000, 0);
	u32 i;

	UNUSED(state);
	assert_int_equal(take(&credit, 60000, 0), 0);
	for (i = 0; i < 100; i++) {
		xenvif_credit_set(&credit, 200000, 1000, 0);
		assert_int_equal(credit.tokens, 40000);
	}
	xenvif_credit_set(&credit, 1000, 1000, 0);
	assert_int_equal(credit.tokens, 1000);
	/* Lifted, and set again: as new. */
	xenvif_credit_set(&credit, 0, 0, 0);
	assert_int_equal(take(&credit, 65535, 0), 0);
	xenvif_credit_set(&credit, 500, 1000, 0);
	assert_int_equal(credit.tokens, 500);
}

/* Two queues that always have something, one of them but small packets: who waits has
 * its turn, also if the other one is always the first to look.
 */
static void test_turns(void **state)
{
	static const u32 len[] = { 1514, 65000 };
	struct xenvif_credit credit = make(625000, 50000, 0);
	struct xenvif_ticket of[2] = { { 0 } };
	u64 next[2] = { 0 }, sent[2] = { 0 }, wait, now = 0;

	UNUSED(state);
	credit.tokens = 0;
	while (now < 10 * NSEC_PER_SEC) {
		u32 i = next[1] < next[0];

		now = next[i];
		wait = xenvif_credit_take(&credit, &of[i], len[i], now);
		if (!wait)
			sent[i]++;
		next[i] = now + wait;
	}
	assert_in_range(sent[0], sent[1] - 1, sent[1] + 1);
	/* A byte each 80 ns. */
	assert_in_range(sent[0] * len[0] + sent[1] * len[1], 124800000, now / 80);
}

/* A ticket of another limit, or for another packet, is worth nothing. */
static void test_void_ticket(void **state)
{
	struct xenvif_credit credit = make(1, XENVIF_CREDIT_USECS_MAX, 0);
	u64 wait;

	UNUSED(state);
	assert_int_not_equal(take(&credit, 65535, 0), 0);
	xenvif_credit_set(&credit, 1000, 1000, 0);
	wait = take(&credit, 65535, 0);
	assert_in_range(wait, 65534000, 65535001);
	assert_in_range(take(&credit, 60000, wait), 59990000, 60010000);
	assert_in_range(take(&credit, 65535, wait), 125000000, 126000000);
}

/* A queue that goes takes nothing with it, and a limit that is set to what it is is none
 * that is new.
 */
static void test_return(void **state)
{
	struct xenvif_credit credit = make(1000, 1000000, 0);
	u32 i;

	UNUSED(state);
	for (i = 0; i < 100; i++) {
		assert_int_not_equal(take(&credit, 65535, 0), 0);
		assert_int_equal(credit.tokens, 1000 - 65535);
		xenvif_credit_return(&credit, &ticket);
		assert_int_equal(credit.tokens, 1000);
		assert_int_equal(ticket.len, 0);
	}
	/* Of one that waits for nothing, and of another limit's, nothing comes back. */
	xenvif_credit_return(&credit, &ticket);
	assert_int_equal(credit.tokens, 1000);
	assert_int_not_equal(take(&credit, 65535, 0), 0);
	xenvif_credit_set(&credit, 2000, 1000000, 0);
	xenvif_credit_return(&credit, &ticket);
	assert_int_equal(credit.tokens, 0);
	/* The bucket does not run over. */
	assert_int_not_equal(take(&credit, 65535, 0), 0);
	credit.tokens = xenvif_credit_burst(&credit) - 1;
	xenvif_credit_return(&credit, &ticket);
	assert_int_equal(credit.tokens, xenvif_credit_burst(&credit));

	credit = make(1000, 1000000, 0);
	assert_int_equal(take(&credit, 65535, 0), 64535000001);
	for (i = 1; i <= 64; i++) {
		xenvif_credit_set(&credit, 1000, 1000000, i * NSEC_PER_SEC);
		assert_int_equal(take(&credit, 65535, i * NSEC_PER_SEC),
				 64535000001 - i * NSEC_PER_SEC);
	}
}

/* Promises are bounded. */
static void test_promises(void **state)
{
	struct xenvif_credit credit = make(1, XENVIF_CREDIT_USECS_MAX, 0);
	u64 most = (XENVIF_CREDIT_DEBT_MAX + 1) * XENVIF_CREDIT_USECS_MAX * 1000;
	u32 i;

	UNUSED(state);
	for (i = 0; i < 1000; i++) {
		ticket.len = 0;
		assert_in_range(take(&credit, 65535, i), 1, most);
		assert_true(credit.tokens >= -XENVIF_CREDIT_DEBT_MAX);
	}
	/* Nor does the time end. */
	credit.filled = U64_MAX - 9;
	ticket.len = 0;
	assert_int_equal(take(&credit, 65535, U64_MAX - 9), 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_limit),
		TEST(test_first_share),
		TEST(test_tiny_share),
		TEST(test_wait_suffices),
		TEST(test_rate),
		TEST(test_impatient),
		TEST(test_rate_fast),
		TEST(test_burst),
		TEST(test_extremes),
		TEST(test_change),
		TEST(test_turns),
		TEST(test_void_ticket),
		TEST(test_return),
		TEST(test_promises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
