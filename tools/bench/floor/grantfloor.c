// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The cost of grant copies and nothing else: count operations of size bytes,
 * batch of them in a hypercall, from pages that this domain grants itself (or to
 * them).  Loading it does the work; parameter "ns" then says what it took.
 */

#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <xen/grant_table.h>
#include <xen/page.h>
#include <xen/xen.h>

#include <asm/xen/hypercall.h>

#define PAGES 256

static unsigned int count = 65536;
module_param(count, uint, 0444);
static unsigned int batch = 64;
module_param(batch, uint, 0444);
static unsigned int size = 4096;
module_param(size, uint, 0444);
static bool to_grant;
module_param(to_grant, bool, 0444);
static ulong ns;
module_param(ns, ulong, 0444);

static struct page *local[PAGES], *granted[PAGES];
static grant_ref_t ref[PAGES];
static struct gnttab_copy op[PAGES];

static int __init grantfloor_run(void)
{
	u32 i, done = 0;
	u64 start;

	start = ktime_get_ns();
	while (done < count) {
		u32 n = min(batch, count - done);

		for (i = 0; i < n; i++) {
			struct gnttab_copy *o = &op[i];
			unsigned long gfn = pfn_to_gfn(page_to_pfn(local[i]));

			if (to_grant) {
				o->flags = GNTCOPY_dest_gref;
				o->source.u.gmfn = gfn;
				o->source.domid = DOMID_SELF;
				o->dest.u.ref = ref[i];
				o->dest.domid = 0;
			} else {
				o->flags = GNTCOPY_source_gref;
				o->source.u.ref = ref[i];
				o->source.domid = 0;
				o->dest.u.gmfn = gfn;
				o->dest.domid = DOMID_SELF;
			}
			o->source.offset = 0;
			o->dest.offset = 0;
			o->len = size;
		}
		if (HYPERVISOR_grant_table_op(GNTTABOP_copy, op, n))
			return -EIO;
		for (i = 0; i < n; i++)
			if (op[i].status != GNTST_okay)
				return -EIO;
		done += n;
		if (!(done & 1023))
			cond_resched();
	}
	ns = ktime_get_ns() - start;
	return 0;
}

static int __init grantfloor_init(void)
{
	u32 n = 0, i;
	int err = -ENOMEM;

	if (!xen_initial_domain())
		return -ENODEV;
	if (!batch || batch > PAGES || !size || size > XEN_PAGE_SIZE)
		return -EINVAL;
	for (; n < batch; n++) {
		int got;

		local[n] = alloc_page(GFP_KERNEL);
		granted[n] = alloc_page(GFP_KERNEL);
		if (!local[n] || !granted[n])
			goto out;
		got = gnttab_grant_foreign_access(0, pfn_to_gfn(page_to_pfn(granted[n])),
						  !to_grant);
		if (got < 0)
			goto out;
		ref[n] = got;
	}
	n--;
	err = grantfloor_run();
out:
	for (i = 0; i <= n && i < batch; i++) {
		if (ref[i])
			gnttab_end_foreign_access_ref(ref[i]);
		if (local[i])
			__free_page(local[i]);
		if (granted[i])
			__free_page(granted[i]);
	}
	return err;
}
module_init(grantfloor_init);

static void __exit grantfloor_exit(void)
{
}
module_exit(grantfloor_exit);

MODULE_DESCRIPTION("The bare cost of grant copies");
MODULE_LICENSE("Dual BSD/GPL");
