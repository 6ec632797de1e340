/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Static grants: pages of the guest's that stay mapped, at its wish, so that data
 * in them are moved by memcpy() and not by the hypervisor.
 *
 * A queue's table is written by the control ring's work item alone. The data path
 * looks a grant up and is done with the page before it leaves the RCU section, so
 * a grant that was taken out is nobody's after a grace period.
 *
 * The guest may write to such a page at any time: what is in it is copied once,
 * and only the copy is looked at.
 */

#ifndef XENVIF_GREF_H
#define XENVIF_GREF_H

#include <linux/atomic.h>
#include <linux/jhash.h>
#include <linux/rculist.h>
#include <linux/string.h>
#include <linux/types.h>
#include <xen/grant_table.h>
#include <xen/page.h>
#include <xen/interface/io/netif.h>

/* Of Xen's public netif.h; Linux's does not have them yet. */
#ifndef XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE
#define XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE	8
#define XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING		9
#define XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING		10

#define XEN_NETIF_CTRLF_GREF_readonly			BIT(0)

/**
 * struct xen_netif_gref - an entry of the list that a message comes with
 * @ref: the grant
 * @flags: XEN_NETIF_CTRLF_GREF_*
 * @status: XEN_NETIF_CTRL_STATUS_*, of a grant to be unmapped
 */
struct xen_netif_gref {
	grant_ref_t ref;
	u16 flags;
	u16 status;
};
#endif

/* Pages that a queue may have mapped: as many as a list can name, and two for each
 * place of the TX and the RX ring.
 */
#define XENVIF_GREF_MAX		512

/* Pages that all queues together may have mapped: a quarter of the mappings that Xen
 * lets a domain have if it is not told otherwise, which others need, too.
 */
#define XENVIF_GREF_ALL_MAX	65536

/* Heads of the table's chains. */
#define XENVIF_GREF_BUCKETS	512

/* Grants that are mapped or unmapped by one hypercall. */
#define XENVIF_GREF_BATCH	64

static_assert(sizeof(struct xen_netif_gref) == 8);
static_assert(XENVIF_GREF_MAX * sizeof(struct xen_netif_gref) <= XEN_PAGE_SIZE);

/**
 * struct xenvif_gref - a page of the guest's that is mapped
 * @node: in its chain
 * @addr: where it is mapped; NULL: not yet, it is as if it were not there
 * @page: the page of ours that stands for it
 * @ref: its grant
 * @handle: Xen's name for the mapping
 * @writable: it may be written to
 * @picked: it is about to be taken out
 */
struct xenvif_gref {
	struct hlist_node node;
	void *addr;
	struct page *page;
	grant_ref_t ref;
	grant_handle_t handle;
	bool writable;
	bool picked;
};

/**
 * struct xenvif_grefs - the static grants of a queue
 * @seed: of the hash, so that a guest cannot choose grants that share a chain
 * @n: how many there are
 * @n_free: entries of @free
 * @n_picked: entries of @picked
 * @bucket: the chains, by the grant's hash
 * @gref: the places; those that are free are in @free
 * @free: indices of places
 * @picked: indices of those that a message is about
 * @map: for the hypercall
 * @unmap: for the hypercall
 * @page: for the hypercall
 *
 * Readers look at @seed, @bucket and what hangs there. The rest is the work item's.
 */
struct xenvif_grefs {
	u32 seed;
	u32 n;
	u32 n_free;
	u32 n_picked;
	struct hlist_head bucket[XENVIF_GREF_BUCKETS];
	struct xenvif_gref gref[XENVIF_GREF_MAX];
	u16 free[XENVIF_GREF_MAX];
	u16 picked[XENVIF_GREF_MAX];
	union {
		struct gnttab_map_grant_ref map[XENVIF_GREF_BATCH];
		struct gnttab_unmap_grant_ref unmap[XENVIF_GREF_BATCH];
	};
	struct page *page[XENVIF_GREF_BATCH];
};

struct xenvif_queue;

/* How many are mapped, or about to be, of all queues of all guests; and how many are
 * lost.
 */
extern atomic_t xenvif_gref_all;

static inline u32 xenvif_gref_bucket(const struct xenvif_grefs *grefs, grant_ref_t ref)
{
	return jhash_1word(ref, grefs->seed) % XENVIF_GREF_BUCKETS;
}

/**
 * xenvif_gref_find() - look a grant up
 * @grefs: the queue's
 * @ref: the grant
 *
 * Context: under RCU, or the only writer.
 * Return: what is mapped, or about to be; NULL if there is nothing.
 */
static inline struct xenvif_gref *xenvif_gref_find(struct xenvif_grefs *grefs,
						   grant_ref_t ref)
{
	struct xenvif_gref *gref;

	hlist_for_each_entry_rcu(gref, &grefs->bucket[xenvif_gref_bucket(grefs, ref)], node,
				 true)
		if (gref->ref == ref)
			return gref;
	return NULL;
}

/**
 * xenvif_gref_read() - copy from a page of the guest's, if it is mapped
 * @at: the queue's table, or NULL
 * @ref: the page's grant
 * @offset: where in the page
 * @to: private memory
 * @len: bytes; within the page
 *
 * Context: any; the data path.
 * Return: whether it was mapped and the copy is made.
 */
static inline bool xenvif_gref_read(struct xenvif_grefs __rcu *const *at, grant_ref_t ref,
				    u32 offset, void *to, u32 len)
{
	struct xenvif_gref *gref;
	const void *addr;

	if (likely(!rcu_access_pointer(*at)))
		return false;
	rcu_read_lock();
	gref = xenvif_gref_find(rcu_dereference(*at), ref);
	/* Mapped, all of it, before it is seen. */
	addr = gref ? smp_load_acquire(&gref->addr) : NULL;
	if (addr)
		memcpy(to, addr + offset, len);
	rcu_read_unlock();
	return addr;
}

/**
 * xenvif_gref_write() - copy to a page of the guest's, if it is mapped for that
 * @at: the queue's table, or NULL
 * @ref: the page's grant
 * @offset: where in the page
 * @page: where the data are; it may be one that has no address of its own
 * @src: where in @page
 * @len: bytes; within a page on both sides
 *
 * Context: any; the data path.
 * Return: whether it was mapped and the copy is made.
 */
static inline bool xenvif_gref_write(struct xenvif_grefs __rcu *const *at, grant_ref_t ref,
				     u32 offset, struct page *page, u32 src, u32 len)
{
	struct xenvif_gref *gref;
	void *addr;

	if (likely(!rcu_access_pointer(*at)))
		return false;
	rcu_read_lock();
	gref = xenvif_gref_find(rcu_dereference(*at), ref);
	/* The same. */
	addr = gref && gref->writable ? smp_load_acquire(&gref->addr) : NULL;
	if (addr)
		memcpy_from_page(addr + offset, page, src, len);
	rcu_read_unlock();
	return addr;
}

int xenvif_gref_add(struct xenvif_queue *queue, const struct xen_netif_gref *list, u32 n);
u32 xenvif_gref_pick(struct xenvif_queue *queue, struct xen_netif_gref *list, u32 n);
void xenvif_gref_unpick(struct xenvif_queue *queue);
void xenvif_gref_drop(struct xenvif_queue *queue);
void xenvif_gref_free(struct xenvif_queue *queue);

#endif /* XENVIF_GREF_H */
