/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A batch of grant copies: add operations, run them in one hypercall, look at
 * the results.
 *
 * GNTTABOP_copy is issued by grant.c and not through gnttab_batch_copy(), which
 * sleeps when a guest's page is paged out: the one who runs a batch decides what to
 * do about that.
 *
 * Xen keeps the last source and the last destination of a batch claimed, so
 * operations on one grant or one page belong next to each other.
 */

#ifndef XENVIF_GRANT_H
#define XENVIF_GRANT_H

#include <linux/kasan-checks.h>
#include <linux/mm.h>
#include <xen/grant_table.h>
#include <xen/page.h>

int xenvif_grant_copy(struct gnttab_copy *op, u32 n);

/**
 * struct xenvif_batch - grant copies to be made together
 * @op: the operations
 * @n: how many
 * @max: places in @op
 *
 * Belongs to one context (a NAPI instance or a thread).
 */
struct xenvif_batch {
	struct gnttab_copy *op;
	u32 n;
	u32 max;
};

/**
 * xenvif_batch_room() - operations that can still be added
 * @batch: the batch
 *
 * Return: the number.
 */
static inline u32 xenvif_batch_room(const struct xenvif_batch *batch)
{
	return batch->max - batch->n;
}

/* Our own end of a copy: the frame that holds the byte at offset in page. */
static inline void xenvif_local_ptr(struct gnttab_copy_ptr *ptr,
				    struct page *page, u32 offset)
{
	phys_addr_t phys = page_to_phys(page) + offset;

	ptr->u.gmfn = pfn_to_gfn(XEN_PFN_DOWN(phys));
	ptr->domid = DOMID_SELF;
	ptr->offset = phys & ~XEN_PAGE_MASK;
}

/**
 * xenvif_batch_read() - add a copy from a guest's page to one of ours
 * @batch: the batch; it has room
 * @domid: the guest
 * @gref: its grant
 * @src: offset in its page
 * @page: our page, in the linear map
 * @dst: offset in @page
 * @len: bytes; within one Xen page on both sides
 */
static inline void xenvif_batch_read(struct xenvif_batch *batch, domid_t domid,
				     grant_ref_t gref, u32 src,
				     struct page *page, u32 dst, u32 len)
{
	struct gnttab_copy *op = &batch->op[batch->n++];

	/* Xen's own accesses go unseen by KASAN. */
	kasan_check_write(page_address(page) + dst, len);

	op->source.u.ref = gref;
	op->source.domid = domid;
	op->source.offset = src;
	xenvif_local_ptr(&op->dest, page, dst);
	op->len = len;
	op->flags = GNTCOPY_source_gref;
	op->status = GNTST_general_error;
}

/**
 * xenvif_batch_write() - add a copy from a page of ours to a guest's
 * @batch: the batch; it has room
 * @page: our page; it may be one that another driver has mapped from a guest
 * @src: offset in @page
 * @domid: the guest
 * @gref: its grant
 * @dst: offset in its page
 * @len: bytes; within one Xen page on both sides
 */
static inline void xenvif_batch_write(struct xenvif_batch *batch,
				      struct page *page, u32 src, domid_t domid,
				      grant_ref_t gref, u32 dst, u32 len)
{
	struct gnttab_copy *op = &batch->op[batch->n++];
	struct xen_page_foreign *foreign;

	/* Of a page in the page or the swap cache the flag says something else. Such a
	 * page has a mapping; a foreign one has none.
	 */
	foreign = page->mapping ? NULL : xen_page_foreign(page);
	op->dest.u.ref = gref;
	op->dest.domid = domid;
	op->dest.offset = dst;
	op->flags = GNTCOPY_dest_gref;
	if (foreign) {
		/* Not our frame to name, but its grant is. */
		op->source.u.ref = foreign->gref;
		op->source.domid = foreign->domid;
		op->source.offset = src & ~XEN_PAGE_MASK;
		op->flags |= GNTCOPY_source_gref;
	} else {
		xenvif_local_ptr(&op->source, page, src);
	}
	op->len = len;
	op->status = GNTST_general_error;
}

/**
 * xenvif_batch_run() - make the copies
 * @batch: the batch
 *
 * Afterwards each operation's status says what became of it. If the hypercall fails,
 * those that Xen did not get to keep the error that they had: the one that they were
 * added with, or that of their last try. So nobody need know that it did. Never
 * sleeps.
 */
static inline void xenvif_batch_run(struct xenvif_batch *batch)
{
	if (batch->n)
		xenvif_grant_copy(batch->op, batch->n);
}

/**
 * xenvif_batch_okay() - whether all copies were made
 * @batch: the batch, after it was run
 *
 * Return: whether none has an error.
 */
static inline bool xenvif_batch_okay(const struct xenvif_batch *batch)
{
	s16 bad = GNTST_okay;
	u32 i;

	for (i = 0; i < batch->n; i++)
		bad |= batch->op[i].status;
	return bad == GNTST_okay;
}

#endif /* XENVIF_GRANT_H */
