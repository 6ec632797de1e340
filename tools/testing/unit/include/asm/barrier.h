/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SIM_ASM_BARRIER_H
#define SIM_ASM_BARRIER_H

#include <linux/types.h>

#define sim_barrier(point) do {						\
	__sync_synchronize();						\
	sim_point(point, NULL);						\
	__sync_synchronize();						\
} while (0)

#define virt_rmb()	sim_barrier(SIM_POINT_RMB)
#define virt_wmb()	sim_barrier(SIM_POINT_WMB)
#define virt_mb()	sim_barrier(SIM_POINT_MB)
#define smp_rmb()	__sync_synchronize()
#define smp_wmb()	__sync_synchronize()
#define smp_mb()	__sync_synchronize()
#define smp_acquire__after_ctrl_dep()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define cmpxchg(p, old, new)	__sync_val_compare_and_swap(p, old, new)

#endif /* SIM_ASM_BARRIER_H */
