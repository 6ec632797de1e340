/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* <net/page_pool.h> was split in two with 6.6; before that it stands in for both. */

#ifndef XENVIF_COMPAT_PAGE_POOL_HELPERS_H
#define XENVIF_COMPAT_PAGE_POOL_HELPERS_H

#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#include_next <net/page_pool/helpers.h>
#else
#include <net/page_pool.h>
#endif

#endif /* XENVIF_COMPAT_PAGE_POOL_HELPERS_H */
