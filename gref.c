// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Static grants: the table of a queue, and the mappings that it holds.
 *
 * A message's grants are put into the table first and mapped then: so one that
 * comes twice is found before anything is mapped, and the data path passes over
 * what is not mapped yet. The memory comes with a guest's first message, not with
 * the connection, which must not fail for want of it.
 */

#include "common.h"

#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

atomic_t xenvif_gref_all = ATOMIC_INIT(0);

/* The control ring's work item is the only one to write, and nobody takes the table
 * away before that has ended.
 */
static struct xenvif_grefs *xenvif_grefs_of(struct xenvif_queue *queue)
{
	return rcu_dereference_protected(queue->grefs, true);
}

static struct xenvif_grefs *xenvif_grefs_get(struct xenvif_queue *queue)
{
	struct xenvif_grefs *grefs = xenvif_grefs_of(queue);
	u32 i;

	if (grefs)
		return grefs;
	grefs = kvzalloc(sizeof(*grefs), GFP_KERNEL);
	if (!grefs)
		return NULL;
	grefs->seed = get_random_u32();
	for (i = 0; i < queue->vif->params.static_grants; i++)
		grefs->free[grefs->n_free++] = i;
	rcu_assign_pointer(queue->grefs, grefs);
	return grefs;
}

/* Map those that were picked from the given one on, as many as one hypercall may.
 * Returns how many, or an error; then some of them may be mapped.
 */
static int xenvif_gref_map(struct xenvif_grefs *grefs, domid_t domid, u32 first)
{
	u32 n = min_t(u32, grefs->n_picked - first, XENVIF_GREF_BATCH);
	struct xenvif_gref *gref;
	int err;
	u32 i;

	err = gnttab_alloc_pages(n, grefs->page);
	if (err)
		return err;
	for (i = 0; i < n; i++) {
		u32 flags = GNTMAP_host_map;

		gref = &grefs->gref[grefs->picked[first + i]];
		gref->page = grefs->page[i];
		gref->handle = INVALID_GRANT_HANDLE;
		if (!gref->writable)
			flags |= GNTMAP_readonly;
		gnttab_set_map_op(&grefs->map[i], (unsigned long)page_address(gref->page),
				  flags, gref->ref, domid);
		/* Should Xen not get to it. */
		grefs->map[i].status = GNTST_general_error;
	}

	err = gnttab_map_refs(grefs->map, NULL, grefs->page, n);
	for (i = 0; i < n; i++) {
		gref = &grefs->gref[grefs->picked[first + i]];
		if (grefs->map[i].status == GNTST_okay)
			gref->handle = grefs->map[i].handle;
		else
			err = err ?: -EFAULT;
	}
	return err ?: n;
}

/* Give back the pages of those that were picked, mapped or not, as many as one
 * hypercall may. Nobody finds them any more. Returns how many.
 */
static u32 xenvif_gref_unmap(struct xenvif *vif, struct xenvif_grefs *grefs, u32 first)
{
	u32 left = grefs->n_picked - first;
	u32 i, n_mapped = 0, n_lost = 0;

	for (i = 0; i < left && n_mapped < XENVIF_GREF_BATCH; i++) {
		struct xenvif_gref *gref = &grefs->gref[grefs->picked[first + i]];

		if (gref->page && gref->handle == INVALID_GRANT_HANDLE) {
			gnttab_free_pages(1, &gref->page);
		} else if (gref->page) {
			gnttab_set_unmap_op(&grefs->unmap[n_mapped],
					    (unsigned long)page_address(gref->page),
					    GNTMAP_host_map, gref->handle);
			grefs->unmap[n_mapped].status = GNTST_general_error;
			grefs->page[n_mapped++] = gref->page;
		}
		gref->page = NULL;
		grefs->free[grefs->n_free++] = gref - grefs->gref;
	}
	if (!n_mapped)
		goto out;

	/* If it fails as a whole, each has kept its error. */
	gnttab_unmap_refs(grefs->unmap, NULL, grefs->page, n_mapped);
	while (n_mapped--) {
		/* A page that the guest still has behind it is nobody's any more. */
		if (grefs->unmap[n_mapped].status == GNTST_okay)
			gnttab_free_pages(1, &grefs->page[n_mapped]);
		else
			n_lost++;
	}
	if (n_lost)
		xenvif_warn(vif, "cannot unmap %u static grants; their pages are lost\n",
			    n_lost);
out:
	/* What is lost still takes a place in Xen's table. */
	atomic_sub(i - n_lost, &xenvif_gref_all);
	return i;
}

/* Take what was picked out of the table, and give it back once nobody uses it. */
static void xenvif_gref_remove(struct xenvif_queue *queue, struct xenvif_grefs *grefs)
{
	u32 i;

	if (!grefs->n_picked)
		return;
	for (i = 0; i < grefs->n_picked; i++)
		hlist_del_rcu(&grefs->gref[grefs->picked[i]].node);
	grefs->n -= grefs->n_picked;
	synchronize_rcu();
	for (i = 0; i < grefs->n_picked; cond_resched())
		i += xenvif_gref_unmap(queue->vif, grefs, i);
	grefs->n_picked = 0;
}

/* Put a grant into the table, to be mapped. */
static int xenvif_gref_insert(struct xenvif_grefs *grefs, const struct xen_netif_gref *entry)
{
	struct xenvif_gref *gref;
	u16 i;

	if (entry->flags & ~XEN_NETIF_CTRLF_GREF_readonly)
		return -EINVAL;
	if (xenvif_gref_find(grefs, entry->ref))
		return -EEXIST;
	if (!grefs->n_free)
		return -ENOSPC;
	if (atomic_inc_return(&xenvif_gref_all) > XENVIF_GREF_ALL_MAX) {
		atomic_dec(&xenvif_gref_all);
		return -ENOSPC;
	}

	i = grefs->free[--grefs->n_free];
	grefs->picked[grefs->n_picked++] = i;
	gref = &grefs->gref[i];
	*gref = (struct xenvif_gref){
		.ref = entry->ref,
		.handle = INVALID_GRANT_HANDLE,
		.writable = !(entry->flags & XEN_NETIF_CTRLF_GREF_readonly),
	};
	hlist_add_head_rcu(&gref->node, &grefs->bucket[xenvif_gref_bucket(grefs, gref->ref)]);
	grefs->n++;
	return 0;
}

/**
 * xenvif_gref_add() - map grants of the guest's
 * @queue: for which queue
 * @list: a private copy of the guest's list
 * @n: its entries
 *
 * Context: the control ring's work item.
 * Return: 0, and the data path may use all of them; or an error, and none of them
 * is mapped.
 */
int xenvif_gref_add(struct xenvif_queue *queue, const struct xen_netif_gref *list, u32 n)
{
	struct xenvif_grefs *grefs = xenvif_grefs_get(queue);
	int err = 0, done;
	u32 i;

	if (!grefs)
		return -ENOMEM;
	for (i = 0; i < n && !err; i++)
		err = xenvif_gref_insert(grefs, &list[i]);
	for (i = 0; i < n && !err; i += done) {
		done = xenvif_gref_map(grefs, queue->vif->domid, i);
		err = min(done, 0);
		cond_resched();
	}
	if (err) {
		xenvif_gref_remove(queue, grefs);
		return err;
	}

	for (i = 0; i < n; i++) {
		struct xenvif_gref *gref = &grefs->gref[grefs->picked[i]];

		/* What is said of it is there before it is. */
		smp_store_release(&gref->addr, page_address(gref->page));
	}
	grefs->n_picked = 0;
	return 0;
}

/**
 * xenvif_gref_pick() - find the grants that the guest wants unmapped
 * @queue: of which queue
 * @list: a private copy of the guest's list; the status of each entry is set
 * @n: its entries
 *
 * They stay in use until xenvif_gref_drop(), or for good: xenvif_gref_unpick().
 *
 * Context: the control ring's work item.
 * Return: how many were found.
 */
u32 xenvif_gref_pick(struct xenvif_queue *queue, struct xen_netif_gref *list, u32 n)
{
	struct xenvif_grefs *grefs = xenvif_grefs_of(queue);
	struct xenvif_gref *gref;
	u32 i;

	for (i = 0; i < n; i++) {
		list[i].status = XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
		gref = grefs ? xenvif_gref_find(grefs, list[i].ref) : NULL;
		/* One that is named twice goes but once. */
		if (!gref || gref->picked)
			continue;
		gref->picked = true;
		grefs->picked[grefs->n_picked++] = gref - grefs->gref;
		list[i].status = XEN_NETIF_CTRL_STATUS_SUCCESS;
	}
	return grefs ? grefs->n_picked : 0;
}

/**
 * xenvif_gref_unpick() - leave mapped what was picked
 * @queue: of which queue
 *
 * Context: the control ring's work item.
 */
void xenvif_gref_unpick(struct xenvif_queue *queue)
{
	struct xenvif_grefs *grefs = xenvif_grefs_of(queue);

	while (grefs && grefs->n_picked)
		grefs->gref[grefs->picked[--grefs->n_picked]].picked = false;
}

/**
 * xenvif_gref_drop() - unmap what was picked
 * @queue: of which queue
 *
 * When this returns the data path does not use them any more.
 *
 * Context: the control ring's work item.
 */
void xenvif_gref_drop(struct xenvif_queue *queue)
{
	struct xenvif_grefs *grefs = xenvif_grefs_of(queue);

	if (grefs)
		xenvif_gref_remove(queue, grefs);
}

/**
 * xenvif_gref_free() - unmap all of a queue's static grants
 * @queue: a queue that nobody uses, and whose vif has no control ring any more
 *
 * Context: process.
 */
void xenvif_gref_free(struct xenvif_queue *queue)
{
	struct xenvif_grefs *grefs = xenvif_grefs_of(queue);
	struct xenvif_gref *gref;
	struct hlist_node *next;
	u32 i;

	if (!grefs)
		return;
	RCU_INIT_POINTER(queue->grefs, NULL);
	for (i = 0; i < XENVIF_GREF_BUCKETS; i++)
		hlist_for_each_entry_safe(gref, next, &grefs->bucket[i], node)
			grefs->picked[grefs->n_picked++] = gref - grefs->gref;
	for (i = 0; i < grefs->n_picked; cond_resched())
		i += xenvif_gref_unmap(queue->vif, grefs, i);
	kvfree(grefs);
}
