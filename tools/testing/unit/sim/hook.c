// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The part of the simulated kernel that the pure files need too. */

#include <linux/types.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void (*sim_hook)(enum sim_point point, const volatile void *addr);

void sim_bug(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("BUG: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}
