/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The fuzzer's bytes, taken one by one; none are left, and all is 0. */

#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <linux/types.h>

struct input {
	const u8 *data;
	size_t left;
};

static inline u8 take8(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

static inline u16 take16(struct input *in)
{
	u16 low = take8(in);

	return low | take8(in) << 8;
}

/* A number of bytes: mostly one at which something changes. */
static inline u16 take_size(struct input *in)
{
	static const u16 table[] = {
		0, 1, 2, 13, 14, 15, 18, 34, 42, 54, 59, 60, 66, 74, 255, 256, 257, 1000, 1514,
		2047, 2048, 2049, 3519, 3520, 3521, 3840, 4082, 4095, 4096, 4097, 8191, 8192,
		8193, 16384, 32767, 32768, 61440, 65483, 65534, 65535,
	};
	u8 what = take8(in);

	if (what < sizeof(table) / sizeof(table[0]))
		return table[what];
	return what < 160 ? take8(in) : take16(in);
}

/* Most of the time would go to remembering who has allocated what. Where a finding
 * needs that, the environment's ASAN_OPTIONS outrank these.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "malloc_context_size=0:quarantine_size_mb=4:detect_stack_use_after_return=0";
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#endif /* FUZZ_INPUT_H */
