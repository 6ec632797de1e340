/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SIM_LINUX_COMPILER_H
#define SIM_LINUX_COMPILER_H

#include <linux/types.h>

/* What p points to is in memory now, and all memory may have changed. */
#define barrier_data(p)	__asm__ volatile("" : : "r" (p) : "memory")

#endif /* SIM_LINUX_COMPILER_H */
