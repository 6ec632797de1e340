/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SIM_LINUX_MATH64_H
#define SIM_LINUX_MATH64_H

#include <linux/types.h>

/* As on x86, where a quotient over 64 bits is a trap. */
static inline u64 mul_u64_u64_div_u64(u64 a, u64 b, u64 c)
{
	unsigned __int128 quotient;

	if (!c)
		sim_bug("mul_u64_u64_div_u64: division by 0");
	quotient = (unsigned __int128)a * b / c;
	if (quotient >> 64)
		sim_bug("mul_u64_u64_div_u64: the quotient overflows");
	return quotient;
}

static inline u64 div64_u64(u64 a, u64 b)
{
	if (!b)
		sim_bug("div64_u64: division by 0");
	return a / b;
}

static inline u64 div64_u64_rem(u64 a, u64 b, u64 *rem)
{
	if (!b)
		sim_bug("div64_u64_rem: division by 0");
	*rem = a % b;
	return a / b;
}

static inline u64 div_u64(u64 a, u32 b)
{
	return div64_u64(a, b);
}

#endif /* SIM_LINUX_MATH64_H */
