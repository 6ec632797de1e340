/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What every unit test begins with. */

#ifndef UNIT_TEST_H
#define UNIT_TEST_H

#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Random numbers, the same in every run. */
static u64 random_state = 0x9E3779B97F4A7C15ULL;

static inline u32 random_u32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state >> 32;
}

/* From lo to hi, both included. */
static inline u32 random_in(u32 lo, u32 hi)
{
	return lo + random_u32() % (hi - lo + 1);
}

/* UNIT_FILTER=test_one has the program run but that one; "*" stands for anything. */
static void __attribute__((constructor)) set_filter(void)
{
	const char *filter = getenv("UNIT_FILTER");

	if (filter && *filter)
		cmocka_set_test_filter(filter);
}

#define TEST(name)	cmocka_unit_test(name)
#define UNUSED(x)	((void)(x))

#endif /* UNIT_TEST_H */
