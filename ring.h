/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The verbs over rings shared with a guest. Nobody else names a shared ring.
 *
 * The guest can write any byte of a ring page at any time. So each index is read
 * once and checked against private ones, each request is copied once into
 * private memory, and nothing that this side wrote is ever read back. The layout
 * and the notification protocol are those of Xen's public header, io/ring.
 *
 * Locking: none. Each ring has one consumer, which is also its only producer of
 * responses: the queue's NAPI instance (tx), the queue's thread (rx), the work item
 * (ctrl).
 */

#ifndef XENVIF_RING_H
#define XENVIF_RING_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <asm/barrier.h>
#include <xen/page.h>
#include <xen/interface/io/netif.h>

#define XENVIF_TX_RING_SIZE	__CONST_RING_SIZE(xen_netif_tx, XEN_PAGE_SIZE)
#define XENVIF_RX_RING_SIZE	__CONST_RING_SIZE(xen_netif_rx, XEN_PAGE_SIZE)
#define XENVIF_CTRL_RING_SIZE	__CONST_RING_SIZE(xen_netif_ctrl, XEN_PAGE_SIZE)

/* The wire. */
static_assert(sizeof(struct xen_netif_tx_request) == 12);
static_assert(sizeof(struct xen_netif_tx_response) == 4);
static_assert(sizeof(struct xen_netif_rx_request) == 8);
static_assert(sizeof(struct xen_netif_rx_response) == 8);
static_assert(sizeof(struct xen_netif_extra_info) == 8);
static_assert(XENVIF_TX_RING_SIZE == 256);
static_assert(XENVIF_RX_RING_SIZE == 256);
static_assert(sizeof(struct xen_netif_ctrl_request) == 16);
static_assert(sizeof(struct xen_netif_ctrl_response) == 12);
static_assert(XENVIF_CTRL_RING_SIZE == 128);

/* Copy a request, and hold on to the copy: RING_COPY_REQUEST() makes the pointer
 * volatile and not what it points to, so that the compiler might as well look at the
 * slot again where the copy is used.
 */
#define xenvif_ring_copy(ring, index, to) do {				\
	typeof(to) copy__ = (to);					\
									\
	RING_COPY_REQUEST(ring, index, copy__);				\
	barrier_data(copy__);						\
} while (0)

/**
 * struct xenvif_tx_ring - the backend's end of a guest-TX ring
 * @back: private indices, and the shared page
 * @fetched: requests before this index have been copied to @copy
 * @copy: the requests from @back.req_cons to @fetched, by index
 *
 * The copies stay until they are consumed, over polls if need be: so no request
 * is read from the ring a second time.
 */
struct xenvif_tx_ring {
	struct xen_netif_tx_back_ring back;
	RING_IDX fetched;
	union xen_netif_tx_sring_entry copy[XENVIF_TX_RING_SIZE];
};

/**
 * struct xenvif_rx_ring - the backend's end of a guest-RX ring
 * @back: private indices, and the shared page
 * @seen: the furthest producer index that an event came with; the event handler's
 * @pass: whether an event without news is let pass; the event handler's
 */
struct xenvif_rx_ring {
	struct xen_netif_rx_back_ring back;
	RING_IDX seen;
	bool pass;
};

/**
 * struct xenvif_ctrl_ring - the backend's end of a control ring
 * @back: private indices, and the shared page
 */
struct xenvif_ctrl_ring {
	struct xen_netif_ctrl_back_ring back;
};

/**
 * struct xenvif_ring_view - a ring's indices, for people to look at
 * @size: entries
 * @req_prod: requests that the guest has posted
 * @req_cons: of these, those that were taken
 * @req_event: the next one that raises an event
 * @rsp_prod: responses that the guest can see
 * @rsp_prod_pvt: those, and those to be shown
 * @rsp_event: the next one that the guest wants an event for
 */
struct xenvif_ring_view {
	u32 size;
	RING_IDX req_prod;
	RING_IDX req_cons;
	RING_IDX req_event;
	RING_IDX rsp_prod;
	RING_IDX rsp_prod_pvt;
	RING_IDX rsp_event;
};

#define __xenvif_ring_view(ring) ({					\
	typeof(ring) __r = (ring);					\
									\
	(struct xenvif_ring_view){					\
		.size = RING_SIZE(__r),					\
		.req_prod = READ_ONCE(__r->sring->req_prod),		\
		.req_cons = READ_ONCE(__r->req_cons),			\
		.req_event = READ_ONCE(__r->sring->req_event),		\
		.rsp_prod = READ_ONCE(__r->sring->rsp_prod),		\
		.rsp_prod_pvt = READ_ONCE(__r->rsp_prod_pvt),		\
		.rsp_event = READ_ONCE(__r->sring->rsp_event),		\
	}; })

/* A reconnect may find a ring in use: begin where the frontend expects it. */
#define __xenvif_ring_attach(ring, shared) ({				\
	typeof(ring) __r = (ring);					\
	typeof(shared) __s = (shared);					\
	RING_IDX __rsp = READ_ONCE(__s->rsp_prod);			\
	RING_IDX __req = READ_ONCE(__s->req_prod);			\
									\
	BACK_RING_ATTACH(__r, __s, __rsp, XEN_PAGE_SIZE);		\
	__req - __rsp > RING_SIZE(__r) ? -EIO : 0; })

/**
 * xenvif_tx_ring_attach() - take a guest-TX ring into use
 * @ring: to be initialised
 * @shared: the mapped page
 *
 * Return: 0, or -EIO if the ring claims more requests than it can hold.
 */
static inline int xenvif_tx_ring_attach(struct xenvif_tx_ring *ring,
					struct xen_netif_tx_sring *shared)
{
	int err = __xenvif_ring_attach(&ring->back, shared);

	ring->fetched = ring->back.req_cons;
	return err;
}

/**
 * xenvif_tx_ring_fetch() - copy in what the guest has posted
 * @ring: the ring
 *
 * Return: how many requests wait in @ring->copy, from @ring->back.req_cons on;
 * or -EPROTO if the producer index is impossible.
 */
static inline int xenvif_tx_ring_fetch(struct xenvif_tx_ring *ring)
{
	RING_IDX prod = READ_ONCE(ring->back.sring->req_prod);

	if (unlikely(prod - ring->back.req_cons > XENVIF_TX_RING_SIZE))
		return -EPROTO;

	/* The requests were written before the index was. */
	virt_rmb();

	/* A producer that went back finds its requests already taken. */
	if (prod - ring->back.req_cons > ring->fetched - ring->back.req_cons) {
		for (; ring->fetched != prod; ring->fetched++)
			xenvif_ring_copy(&ring->back, ring->fetched,
					 &ring->copy[ring->fetched &
						     (XENVIF_TX_RING_SIZE - 1)].req);
	}
	return ring->fetched - ring->back.req_cons;
}

/**
 * xenvif_tx_ring_head() - index of the oldest request not yet consumed
 * @ring: the ring
 *
 * Return: the index, free-running.
 */
static inline RING_IDX xenvif_tx_ring_head(const struct xenvif_tx_ring *ring)
{
	return ring->back.req_cons;
}

/**
 * xenvif_tx_ring_consume() - the next requests are dealt with
 * @ring: the ring
 * @n: how many; at most what the last fetch returned
 */
static inline void xenvif_tx_ring_consume(struct xenvif_tx_ring *ring, u32 n)
{
	ring->back.req_cons += n;
}

/**
 * xenvif_tx_ring_respond() - answer the oldest request not yet answered
 * @ring: the ring
 * @status: XEN_NETIF_RSP_*
 *
 * Requests are answered in their order, each once, with its own id. Nothing is
 * answered that was not consumed. The response is not seen before the push.
 */
static inline void xenvif_tx_ring_respond(struct xenvif_tx_ring *ring, s16 status)
{
	RING_IDX i = ring->back.rsp_prod_pvt;
	struct xen_netif_tx_response *rsp;

	if (WARN_ON_ONCE(i == ring->back.req_cons))
		return;
	rsp = RING_GET_RESPONSE(&ring->back, i);
	rsp->id = ring->copy[i & (XENVIF_TX_RING_SIZE - 1)].req.id;
	rsp->status = status;
	ring->back.rsp_prod_pvt = i + 1;
}

/* Publish responses from old to the private index; true: the guest wants an event. */
#define __xenvif_ring_push(ring, old) ({				\
	typeof(ring) __r = (ring);					\
	RING_IDX __old = (old);						\
	RING_IDX __new = __r->rsp_prod_pvt;				\
									\
	virt_wmb(); /* the responses before the index */		\
	WRITE_ONCE(__r->sring->rsp_prod, __new);			\
	virt_mb(); /* the index before looking who waits for it */	\
	(RING_IDX)(__new - READ_ONCE(__r->sring->rsp_event)) <		\
		(RING_IDX)(__new - __old); })

/**
 * xenvif_tx_ring_push() - show the guest the responses
 * @ring: the ring
 * @n: responses since the last push
 *
 * Return: whether the guest asked to be notified.
 */
static inline bool xenvif_tx_ring_push(struct xenvif_tx_ring *ring, u32 n)
{
	return __xenvif_ring_push(&ring->back, ring->back.rsp_prod_pvt - n);
}

/**
 * xenvif_tx_ring_rest() - ask for an event, then look a last time
 * @ring: the ring
 *
 * The next request after those already fetched raises an event: a packet whose
 * last slots are missing does not keep anybody awake.
 *
 * Return: whether there is something to fetch already (or the producer index
 * became impossible, which the next fetch reports).
 */
static inline bool xenvif_tx_ring_rest(struct xenvif_tx_ring *ring)
{
	RING_IDX fresh;

	WRITE_ONCE(ring->back.sring->req_event, ring->fetched + 1);
	virt_mb(); /* the wish for an event before the last look */
	fresh = READ_ONCE(ring->back.sring->req_prod) - ring->fetched;
	/* One that went back is left alone until it comes forward again. */
	return fresh && (s32)fresh > 0;
}

/**
 * xenvif_tx_ring_view() - look at a ring
 * @ring: the ring
 * @view: where to put what there is; nothing is decided by it
 *
 * Context: any that keeps the ring mapped; beside its consumer, too.
 */
static inline void xenvif_tx_ring_view(const struct xenvif_tx_ring *ring,
				       struct xenvif_ring_view *view)
{
	*view = __xenvif_ring_view(&ring->back);
}

/**
 * xenvif_rx_ring_attach() - take a guest-RX ring into use
 * @ring: to be initialised
 * @shared: the mapped page
 *
 * Return: 0, or -EIO if the ring claims more requests than it can hold.
 */
static inline int xenvif_rx_ring_attach(struct xenvif_rx_ring *ring,
					struct xen_netif_rx_sring *shared)
{
	int err = __xenvif_ring_attach(&ring->back, shared);

	ring->seen = ring->back.req_cons;
	/* A frontend may raise one to say that it is there. */
	ring->pass = true;
	return err;
}

/**
 * xenvif_rx_ring_avail() - how many buffers the guest has posted
 * @ring: the ring
 *
 * Return: the number, or -EPROTO if the producer index is impossible.
 */
static inline int xenvif_rx_ring_avail(struct xenvif_rx_ring *ring)
{
	RING_IDX avail = READ_ONCE(ring->back.sring->req_prod) - ring->back.req_cons;

	/* The requests were written before the index was. */
	virt_rmb();
	return unlikely(avail > XENVIF_RX_RING_SIZE) ? -EPROTO : (int)avail;
}

/**
 * xenvif_rx_ring_news() - whether the guest has posted buffers since last time
 * @ring: the ring
 *
 * An event without news is spurious. What was seen never goes back nor further
 * than the ring is large, so a guest has no more events with news than buffers.
 *
 * One event without news is let pass after one that had some: an honest guest may
 * have posted more, and be about to raise an event for it, just when this looked at
 * the ring for the first one.
 *
 * Context: the event handler; the one verb that may run beside the consumer.
 * Return: whether it has, or the event is let pass.
 */
static inline bool xenvif_rx_ring_news(struct xenvif_rx_ring *ring)
{
	RING_IDX cons = READ_ONCE(ring->back.req_cons);
	RING_IDX avail = READ_ONCE(ring->back.sring->req_prod) - cons;
	RING_IDX known = ring->seen - cons;
	bool pass = ring->pass;

	if (avail > XENVIF_RX_RING_SIZE)
		return false;
	/* If all that was known has been taken, and more, there were news. */
	if (known <= XENVIF_RX_RING_SIZE && avail <= known) {
		ring->pass = false;
		return pass;
	}
	ring->seen = cons + avail;
	ring->pass = true;
	return true;
}

/**
 * xenvif_rx_ring_take() - take the next buffer
 * @ring: the ring
 * @req: where to copy the request
 *
 * The caller has made sure with xenvif_rx_ring_avail() that there is one.
 */
static inline void xenvif_rx_ring_take(struct xenvif_rx_ring *ring,
				       struct xen_netif_rx_request *req)
{
	xenvif_ring_copy(&ring->back, ring->back.req_cons, req);
	/* The event handler reads it. */
	WRITE_ONCE(ring->back.req_cons, ring->back.req_cons + 1);
}

/**
 * xenvif_rx_ring_respond() - answer buffers in their order, and show the guest
 * @ring: the ring
 * @rsp: the responses, or extra infos in their place
 * @n: how many; not more than were taken and not yet answered
 *
 * Return: whether the guest asked to be notified.
 */
static inline bool xenvif_rx_ring_respond(struct xenvif_rx_ring *ring,
					  const struct xen_netif_rx_response *rsp, u32 n)
{
	RING_IDX old = ring->back.rsp_prod_pvt;
	u32 i;

	if (WARN_ON_ONCE(n > ring->back.req_cons - old))
		n = ring->back.req_cons - old;
	for (i = 0; i < n; i++)
		*RING_GET_RESPONSE(&ring->back, old + i) = rsp[i];
	ring->back.rsp_prod_pvt = old + n;
	return __xenvif_ring_push(&ring->back, old);
}

/**
 * xenvif_rx_ring_rest() - ask for an event, then look a last time
 * @ring: the ring
 * @seen: the number of buffers that were found to be too few
 *
 * The very next buffer after these raises an event, although more may be needed: a
 * guest that posts them one by one is not to be waited for longer than it takes. If
 * there are more than @seen now the guest may have passed that mark unseen, and there
 * may be no event, now or ever: look at them, and ask again.
 *
 * Return: the number of buffers as of xenvif_rx_ring_avail().
 */
static inline int xenvif_rx_ring_rest(struct xenvif_rx_ring *ring, u32 seen)
{
	WRITE_ONCE(ring->back.sring->req_event, ring->back.req_cons + seen + 1);
	virt_mb(); /* the wish for an event before the last look */
	return xenvif_rx_ring_avail(ring);
}

/**
 * xenvif_rx_ring_view() - look at a ring
 * @ring: the ring
 * @view: where to put what there is; nothing is decided by it
 *
 * Context: any that keeps the ring mapped; beside its consumer, too.
 */
static inline void xenvif_rx_ring_view(const struct xenvif_rx_ring *ring,
				       struct xenvif_ring_view *view)
{
	*view = __xenvif_ring_view(&ring->back);
}

/**
 * xenvif_ctrl_ring_attach() - take a control ring into use
 * @ring: to be initialised
 * @shared: the mapped page
 *
 * Return: 0, or -EIO if the ring claims more requests than it can hold.
 */
static inline int xenvif_ctrl_ring_attach(struct xenvif_ctrl_ring *ring,
					  struct xen_netif_ctrl_sring *shared)
{
	return __xenvif_ring_attach(&ring->back, shared);
}

/**
 * xenvif_ctrl_ring_avail() - how many requests wait
 * @ring: the ring
 *
 * Return: the number, or -EPROTO if the producer index is impossible.
 */
static inline int xenvif_ctrl_ring_avail(struct xenvif_ctrl_ring *ring)
{
	RING_IDX avail = READ_ONCE(ring->back.sring->req_prod) - ring->back.req_cons;

	/* The requests were written before the index was. */
	virt_rmb();
	return unlikely(avail > XENVIF_CTRL_RING_SIZE) ? -EPROTO : (int)avail;
}

/**
 * xenvif_ctrl_ring_take() - take the next request
 * @ring: the ring
 * @req: where to copy it
 *
 * The caller has made sure with xenvif_ctrl_ring_avail() that there is one.
 */
static inline void xenvif_ctrl_ring_take(struct xenvif_ctrl_ring *ring,
					 struct xen_netif_ctrl_request *req)
{
	xenvif_ring_copy(&ring->back, ring->back.req_cons, req);
	ring->back.req_cons++;
}

/**
 * xenvif_ctrl_ring_respond() - answer requests in their order, and show the guest
 * @ring: the ring
 * @rsp: the responses
 * @n: how many; not more than were taken and not yet answered
 *
 * Return: whether the guest asked to be notified.
 */
static inline bool xenvif_ctrl_ring_respond(struct xenvif_ctrl_ring *ring,
					    const struct xen_netif_ctrl_response *rsp, u32 n)
{
	RING_IDX old = ring->back.rsp_prod_pvt;
	u32 i;

	if (WARN_ON_ONCE(n > ring->back.req_cons - old))
		n = ring->back.req_cons - old;
	for (i = 0; i < n; i++)
		*RING_GET_RESPONSE(&ring->back, old + i) = rsp[i];
	ring->back.rsp_prod_pvt = old + n;
	return __xenvif_ring_push(&ring->back, old);
}

/**
 * xenvif_ctrl_ring_rest() - ask for an event, then look a last time
 * @ring: the ring
 *
 * Return: the number of requests as of xenvif_ctrl_ring_avail().
 */
static inline int xenvif_ctrl_ring_rest(struct xenvif_ctrl_ring *ring)
{
	WRITE_ONCE(ring->back.sring->req_event, ring->back.req_cons + 1);
	virt_mb(); /* the wish for an event before the last look */
	return xenvif_ctrl_ring_avail(ring);
}

/**
 * xenvif_ctrl_ring_view() - look at a ring
 * @ring: the ring
 * @view: where to put what there is; nothing is decided by it
 *
 * Context: any that keeps the ring mapped; beside its consumer, too.
 */
static inline void xenvif_ctrl_ring_view(const struct xenvif_ctrl_ring *ring,
					 struct xenvif_ring_view *view)
{
	*view = __xenvif_ring_view(&ring->back);
}

#endif /* XENVIF_RING_H */
