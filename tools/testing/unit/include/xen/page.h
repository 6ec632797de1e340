/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SIM_XEN_PAGE_H
#define SIM_XEN_PAGE_H

#include <linux/types.h>

#define XEN_PAGE_SHIFT		12
#define XEN_PAGE_SIZE		(1UL << XEN_PAGE_SHIFT)
#define XEN_PFN_PER_PAGE	(PAGE_SIZE / XEN_PAGE_SIZE)
#define XEN_PAGE_MASK		(~(XEN_PAGE_SIZE - 1))
#define XEN_PFN_DOWN(x)		((x) >> XEN_PAGE_SHIFT)
#define XEN_PFN_UP(x)		(((x) + XEN_PAGE_SIZE - 1) >> XEN_PAGE_SHIFT)

static inline unsigned long pfn_to_gfn(unsigned long pfn)
{
	return pfn;
}

#endif /* SIM_XEN_PAGE_H */
