// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The hypercall that makes grant copies, where all of them pass.
 */

#include "common.h"

#include <linux/error-injection.h>
#include <asm/xen/hypercall.h>

/**
 * xenvif_grant_copy() - have Xen make grant copies
 * @op: the copies, their status preset to an error
 * @n: how many; at least one
 *
 * A function of its own, so that errors can be injected and a probe can see each
 * copy's status.
 *
 * Context: any; never sleeps.
 * Return: 0, and each status says what became of that copy; or an error, and those
 * that Xen did not get to have the status that was preset.
 */
noinline int xenvif_grant_copy(struct gnttab_copy *op, u32 n)
{
	return HYPERVISOR_grant_table_op(GNTTABOP_copy, op, n);
}
ALLOW_ERROR_INJECTION(xenvif_grant_copy, ERRNO);
