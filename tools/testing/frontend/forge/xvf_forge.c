// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Grants that no honest guest makes, for the frontend in user space: what is written
 * to the parameter "grant" says of what and to whom, "KIND DOMAIN"; what is read from
 * it is the reference. They stay until the guest ends.
 *
 *   page      an ordinary page, to see that the others fail for what they are
 *   nowhere   a frame that the machine does not have
 *   mmio      a frame that is no memory
 *   foreign   a frame of another domain's, or of Xen's
 *   table     a page table that is in use: the writer's own
 *   gone      a page that the guest has given back to Xen since
 */

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>

#include <xen/grant_table.h>
#include <xen/interface/memory.h>
#include <xen/page.h>
#include <xen/xen.h>

#include <asm/xen/hypercall.h>
#include <asm/xen/page.h>

#define FRAME_NOWHERE	0x7ffffffUL
#define FRAME_MMIO	0xfee00UL

/* In search of a frame; ours are many, and side by side. */
#define FRAME_STEP	4099

static int reference = -1;

/* A frame not far from one of ours that is not ours. */
static unsigned long frame_foreign(unsigned long frame)
{
	while (pfn_to_mfn(mfn_to_pfn(frame)) == frame)
		frame -= FRAME_STEP;
	return frame;
}

/* Nobody will touch the page again: it has no frame now, and is not given back. */
static int give_back(struct page *page, xen_pfn_t frame)
{
	struct xen_memory_reservation reservation = {
		.nr_extents = 1,
		.domid = DOMID_SELF,
	};
	int err;

	err = HYPERVISOR_update_va_mapping((unsigned long)page_address(page), __pte_ma(0),
					   UVMF_TLB_FLUSH | UVMF_ALL);
	if (err)
		return err;
	set_xen_guest_handle(reservation.extent_start, &frame);
	return HYPERVISOR_memory_op(XENMEM_decrease_reservation, &reservation) == 1 ? 0 : -EIO;
}

static int grant(const char *kind, domid_t domid)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	unsigned long frame;
	int ref, err;

	if (!page)
		return -ENOMEM;
	frame = virt_to_gfn(page_address(page));
	if (!strcmp(kind, "nowhere"))
		frame = FRAME_NOWHERE;
	else if (!strcmp(kind, "mmio"))
		frame = FRAME_MMIO;
	else if (!strcmp(kind, "foreign"))
		frame = frame_foreign(frame);
	else if (!strcmp(kind, "table"))
		frame = virt_to_gfn(current->mm->pgd);
	else if (strcmp(kind, "page") && strcmp(kind, "gone"))
		return -EINVAL;
	ref = gnttab_grant_foreign_access(domid, frame, 0);
	if (ref >= 0 && !strcmp(kind, "gone")) {
		err = give_back(page, frame);
		if (err)
			return err;
	}
	return ref;
}

static int grant_set(const char *text, const struct kernel_param *param)
{
	unsigned int domid;
	char kind[16];

	if (sscanf(text, "%15s %u", kind, &domid) != 2)
		return -EINVAL;
	reference = grant(kind, domid);
	return min(reference, 0);
}

static int grant_get(char *buf, const struct kernel_param *param)
{
	return sprintf(buf, "%d\n", reference);
}

static const struct kernel_param_ops grant_ops = {
	.set = grant_set,
	.get = grant_get,
};
module_param_cb(grant, &grant_ops, NULL, 0600);
MODULE_PARM_DESC(grant, "KIND DOMAIN; then the reference");

static int __init xvf_forge_init(void)
{
	return xen_pv_domain() ? 0 : -ENODEV;
}
module_init(xvf_forge_init);

static void __exit xvf_forge_exit(void)
{
}
module_exit(xvf_forge_exit);

MODULE_DESCRIPTION("Grants that no honest guest makes, for tests");
MODULE_LICENSE("Dual BSD/GPL");
