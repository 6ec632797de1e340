/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* User-space stand-in for the kernel's header: what the driver's pure files use. */

#ifndef SIM_LINUX_TYPES_H
#define SIM_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef u16 __be16;
typedef u32 __be32;
typedef u16 __le16;
typedef u32 __le32;
typedef u16 __sum16;
typedef u32 __wsum;
typedef u64 phys_addr_t;

#define __rcu
#define __force
#define __user
#define __iomem
#undef __counted_by
#define __counted_by(member)
#define ____cacheline_aligned_in_smp	__attribute__((aligned(64)))
#define fallthrough			__attribute__((fallthrough))
#define __printf(a, b)			__attribute__((format(printf, a, b)))

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

/*
 * Points at which somebody else may come in between: a test that plays a hostile
 * guest hooks in here, and changes the shared page under the driver's feet.
 */
enum sim_point {
	SIM_POINT_READ,
	SIM_POINT_RMB,
	SIM_POINT_WMB,
	SIM_POINT_MB,
	SIM_POINT_HYPERCALL,
};

extern void (*sim_hook)(enum sim_point point, const volatile void *addr);

static inline void sim_point(enum sim_point point, const volatile void *addr)
{
	if (sim_hook)
		sim_hook(point, addr);
}

#define READ_ONCE(x) ({							\
	sim_point(SIM_POINT_READ, &(x));				\
	*(const volatile typeof(x) *)&(x); })

#define WRITE_ONCE(x, val) (*(volatile typeof(x) *)&(x) = (val))

/* Reports what should never happen and ends the program. */
void sim_bug(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Nothing that a guest does may make the driver warn. */
#define WARN_ON_ONCE(cond) ({						\
	bool __warn = (cond);						\
									\
	if (__warn)							\
		sim_warn(__FILE__, __LINE__, #cond);			\
	__warn; })
#define WARN_ON(cond)	WARN_ON_ONCE(cond)

void sim_warn(const char *file, int line, const char *cond);

#endif /* SIM_LINUX_TYPES_H */
