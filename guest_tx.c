// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Guest to host: a queue's NAPI poll, its steps in the order of a packet's way.
 *
 *   build    fetch the ring's requests; for each packet: parse, ask for credit,
 *            find it pages, put its copies into the batch
 *   copy     one hypercall
 *   answer   all responses, one push, at most one event
 *   deliver  offloads, then up the stack
 *   rest     ask for an event, look a last time, end the interrupt
 *
 * The only file that makes an skb of what a guest sends.
 */

#include "common.h"

#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/ktime.h>
#include <linux/tcp.h>
#include <net/gro.h>
#include <net/tcp.h>
#include <uapi/linux/bpf.h>

#include "pack.h"
#include "trace.h"

/* Room for an XDP program in front of a packet's first byte. */
#define XENVIF_TX_HEADROOM	(XDP_PACKET_HEADROOM + NET_IP_ALIGN)

/* What the first buffer takes: a small packet goes there whole. */
#define XENVIF_TX_LINEAR	(SKB_WITH_OVERHEAD(XEN_PAGE_SIZE) - XENVIF_TX_HEADROOM)

/* Packets of at most this share pages. Xen keeps a page claimed from one copy to the
 * next, so that is cheaper than a page for each.
 */
#define XENVIF_TX_SMALL		(SKB_WITH_OVERHEAD(XEN_PAGE_SIZE / 2) - XENVIF_TX_HEADROOM)

/* The most operations that one packet can need: one for each slot, and one more
 * for each buffer that ends within a slot.
 */
#define XENVIF_TX_PACKET_OPS	(XENVIF_TX_SLOTS_MAX + MAX_SKB_FRAGS + 1)

/* Headers that cannot be made out are pulled up to here. */
#define XENVIF_TX_PULL		256

/* VLAN tags that are stepped over to find what checksum to fill in. */
#define XENVIF_TX_VLAN_MAX	4

/* Extension headers of IPv6 behind which a checksum may be missing. */
#define XENVIF_TX_EXTS_MAX	8

/* However low the limit, look again after so long: it may have been raised. */
#define XENVIF_TX_WAIT_MAX	(NSEC_PER_SEC / 4)

static_assert(XENVIF_TX_PACKET_OPS <= XENVIF_TX_OPS);
/* 65535 bytes find their place however they are cut. */
static_assert(XENVIF_TX_LINEAR + MAX_SKB_FRAGS * XEN_PAGE_SIZE >= XEN_NETIF_MAX_TX_SIZE);

/**
 * enum xenvif_tx_stop - why a poll took no more packets
 * @XENVIF_TX_STOP_EMPTY: nothing complete is left
 * @XENVIF_TX_STOP_FULL: the budget or the batch is used up
 * @XENVIF_TX_STOP_THROTTLED: the rate limit is reached
 * @XENVIF_TX_STOP_CORRUPT: the ring cannot be trusted any more
 */
enum xenvif_tx_stop {
	XENVIF_TX_STOP_EMPTY,
	XENVIF_TX_STOP_FULL,
	XENVIF_TX_STOP_THROTTLED,
	XENVIF_TX_STOP_CORRUPT,
};

/* Counter of each reason that the parser has for a drop. */
static const u8 xenvif_tx_bad_stat[XENVIF_TX_BAD_MAX] = {
	[XENVIF_TX_BAD_SHORT] = XENVIF_TX_DROP_SHORT,
	[XENVIF_TX_BAD_RANGE] = XENVIF_TX_DROP_RANGE,
	[XENVIF_TX_BAD_SLOTS] = XENVIF_TX_DROP_SLOTS,
	[XENVIF_TX_BAD_LENGTH] = XENVIF_TX_DROP_LENGTH,
	[XENVIF_TX_BAD_EXTRA] = XENVIF_TX_DROP_EXTRA,
	[XENVIF_TX_BAD_GSO] = XENVIF_TX_DROP_GSO,
};

/* Each queue has one ticket. */
static_assert(65535LL * XENVIF_QUEUES_MAX <= XENVIF_CREDIT_DEBT_MAX);

/* Bytes for the packet, or how long to wait for them, in ns. */
static u64 xenvif_tx_admit(struct xenvif_queue *queue, u32 len)
{
	struct xenvif *vif = queue->vif;
	u64 wait;

	if (!READ_ONCE(vif->credit.bytes))
		return 0;

	spin_lock(&vif->credit_lock);
	wait = xenvif_credit_take(&vif->credit, &queue->tx.ticket, len, ktime_get_ns());
	spin_unlock(&vif->credit_lock);
	return wait;
}

/* A buffer of XEN_PAGE_SIZE, which no copy crosses. Where pages are larger it is a part of
 * one, and whoever receives the packet is charged for that part alone.
 */
static struct page *xenvif_tx_page(struct xenvif_queue_tx *tx, const struct xenvif_tx_work *work,
				   u32 *offset)
{
	*offset = 0;
	if (unlikely(work->cold))
		return dev_alloc_page();
	if (XEN_PFN_PER_PAGE > 1)
		return page_pool_dev_alloc_frag(tx->pool, offset, XEN_PAGE_SIZE);
	return page_pool_dev_alloc_pages(tx->pool);
}

static void xenvif_tx_put_page(struct xenvif_queue_tx *tx, const struct xenvif_tx_work *work,
			       struct page *page)
{
	if (unlikely(work->cold))
		__free_page(page);
	else
		page_pool_put_full_page(tx->pool, page, false);
}

/* Find a first buffer for a packet of len bytes. Returns whether there was memory. */
static bool xenvif_tx_alloc(struct xenvif_queue_tx *tx, struct xenvif_tx_work *work, u32 len)
{
	struct page *page;
	u32 offset;

	work->cold = tx->cold;
	work->size = XEN_PAGE_SIZE;
	/* Parts of several sizes in a larger page may lie across two of Xen's. */
	if (XEN_PFN_PER_PAGE == 1 && len <= XENVIF_TX_SMALL && likely(!work->cold)) {
		work->size = SKB_DATA_ALIGN(XENVIF_TX_HEADROOM + len) +
			     SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
		page = page_pool_dev_alloc_frag(tx->pool, &offset, work->size);
	} else {
		page = xenvif_tx_page(tx, work, &offset);
	}
	if (unlikely(!page))
		return false;
	tx->cold -= work->cold;
	work->head = page_address(page) + offset;
	work->linear = 0;
	work->n_frags = 0;
	return true;
}

/* A packet's fragments are where the skb will have them, and napi_build_skb() leaves
 * them as they are.
 */
static skb_frag_t *xenvif_tx_frags(const struct xenvif_tx_work *work)
{
	struct skb_shared_info *info = work->head + SKB_WITH_OVERHEAD(work->size);

	return info->frags;
}

/* Make room for len more bytes of the packet, in a new page if fresh. Returns
 * the page and where in it; NULL without memory.
 */
static struct page *xenvif_tx_extend(struct xenvif_queue_tx *tx, struct xenvif_tx_work *work,
				     u32 len, bool fresh, u32 *offset)
{
	struct page *page;
	skb_frag_t *frag;

	if (fresh) {
		page = xenvif_tx_page(tx, work, offset);
		if (unlikely(!page))
			return NULL;
		frag = &xenvif_tx_frags(work)[work->n_frags++];
		skb_frag_fill_page_desc(frag, page, *offset, len);
	} else if (work->n_frags) {
		frag = &xenvif_tx_frags(work)[work->n_frags - 1];
		page = skb_frag_page(frag);
		*offset = skb_frag_off(frag) + skb_frag_size(frag);
		skb_frag_size_add(frag, len);
	} else {
		page = virt_to_page(work->head);
		*offset = offset_in_page(work->head) + XENVIF_TX_HEADROOM + work->linear;
		work->linear += len;
	}
	return page;
}

/* Give a packet's pages back, of which no skb was made. */
static void xenvif_tx_free(struct xenvif_queue_tx *tx, struct xenvif_tx_work *work)
{
	u32 i;

	for (i = 0; i < work->n_frags; i++)
		xenvif_tx_put_page(tx, work, skb_frag_page(&xenvif_tx_frags(work)[i]));
	xenvif_tx_put_page(tx, work, virt_to_page(work->head));
	work->head = NULL;
}

/* Have a piece of a slot copied: now if the guest's page is mapped, else with the
 * batch.
 */
static void xenvif_tx_copy_piece(struct xenvif_queue *queue, const struct xenvif_tx_slot *slot,
				 u32 done, struct page *page, u32 offset, u32 len)
{
	struct xenvif_queue_tx *tx = &queue->tx;

	if (xenvif_gref_read(&queue->grefs, slot->gref, slot->offset + done,
			     page_address(page) + offset, len))
		tx->counts[XENVIF_TX_COPIES_SAVED]++;
	else
		xenvif_batch_read(&tx->batch, queue->vif->domid, slot->gref,
				  slot->offset + done, page, offset, len);
}

/* Find the packet more pages, and order all of its copies. Returns whether there was
 * memory.
 */
static bool xenvif_tx_pack(struct xenvif_queue *queue, struct xenvif_tx_work *work,
			   const struct xenvif_tx_packet *pkt)
{
	struct xenvif_queue_tx *tx = &queue->tx;
	struct xenvif_pack pack = {
		.rest = pkt->len,
		.room = XENVIF_TX_LINEAR,
		.bufs = MAX_SKB_FRAGS,
		.size = XEN_PAGE_SIZE,
	};
	u32 i, done, len, offset;
	struct page *page;
	bool fresh;

	for (i = 0; i < pkt->n_slots; i++) {
		const struct xenvif_tx_slot *slot = &pkt->slot[i];

		for (done = 0; done < slot->len; done += len) {
			len = xenvif_pack_next(&pack, slot->len - done, &fresh);
			page = xenvif_tx_extend(tx, work, len, fresh, &offset);
			if (unlikely(!page))
				return false;
			xenvif_tx_copy_piece(queue, slot, done, page, offset, len);
		}
	}
	return true;
}

/* Find the packet pages and order its copies. Returns whether there was memory. */
static bool xenvif_tx_prepare(struct xenvif_queue *queue, struct xenvif_tx_work *work,
			      const struct xenvif_tx_packet *pkt)
{
	struct xenvif_queue_tx *tx = &queue->tx;
	struct page *page;
	u32 offset;

	if (unlikely(!xenvif_tx_alloc(tx, work, pkt->len)))
		return false;

	/* Most packets are one piece, and the first buffer takes it. */
	if (likely(pkt->n_slots == 1 && pkt->len <= XENVIF_TX_LINEAR)) {
		page = xenvif_tx_extend(tx, work, pkt->len, false, &offset);
		xenvif_tx_copy_piece(queue, &pkt->slot[0], 0, page, offset, pkt->len);
	} else if (unlikely(!xenvif_tx_pack(queue, work, pkt))) {
		tx->batch.n = work->first_op;
		xenvif_tx_free(tx, work);
		return false;
	}
	work->n_ops = tx->batch.n - work->first_op;
	return true;
}

/* A good packet: order its copies, or say why it is dropped. */
static void xenvif_tx_accept(struct xenvif_queue *queue, struct xenvif_tx_work *work,
			     const struct xenvif_tx_packet *pkt)
{
	struct xenvif_queue_tx *tx = &queue->tx;

	if (unlikely(!netif_running(queue->vif->dev))) {
		work->status = XEN_NETIF_RSP_DROPPED;
		tx->counts[XENVIF_TX_DROP_DOWN]++;
		return;
	}
	if (unlikely(!xenvif_tx_prepare(queue, work, pkt))) {
		work->status = XEN_NETIF_RSP_ERROR;
		tx->counts[XENVIF_TX_DROP_NOMEM]++;
		return;
	}
	work->flags = pkt->flags;
	work->gso_type = pkt->gso_type;
	work->gso_size = pkt->gso_size;
	work->hash_alg = pkt->hash_alg;
	work->hash_type = pkt->hash_type;
	work->hash = pkt->hash;
}

/* A message about the multicast filter, which is kept whether or not it is in use.
 * Returns what to answer.
 */
static s16 xenvif_tx_mcast(struct xenvif *vif, const struct xenvif_tx_packet *pkt)
{
	bool ok = true;

	spin_lock(&vif->mcast_lock);
	if (pkt->mcast_type == XEN_NETIF_EXTRA_TYPE_MCAST_ADD)
		ok = xenvif_mcast_add(&vif->mcast, pkt->mcast_addr);
	else
		xenvif_mcast_del(&vif->mcast, pkt->mcast_addr);
	spin_unlock(&vif->mcast_lock);
	return ok ? XEN_NETIF_RSP_OKAY : XEN_NETIF_RSP_ERROR;
}

static void xenvif_tx_start(struct xenvif_queue *queue, enum xenvif_tx_verdict verdict,
			    const struct xenvif_tx_packet *pkt)
{
	struct xenvif_queue_tx *tx = &queue->tx;
	struct xenvif_tx_work *work = &tx->work[tx->n_work++];

	work->head = NULL;
	work->first_op = tx->batch.n;
	work->n_ops = 0;
	work->n_requests = pkt->n_requests;
	work->n_extras = pkt->n_extras;
	work->status = XEN_NETIF_RSP_OKAY;

	switch (verdict) {
	case XENVIF_TX_PACKET:
		xenvif_tx_accept(queue, work, pkt);
		break;
	case XENVIF_TX_MCAST:
		work->status = xenvif_tx_mcast(queue->vif, pkt);
		tx->counts[XENVIF_TX_MCAST_MSGS]++;
		break;
	default:
		work->status = XEN_NETIF_RSP_ERROR;
		tx->counts[xenvif_tx_bad_stat[pkt->bad]]++;
		break;
	}
	tx->counts[XENVIF_TX_REQUESTS] += pkt->n_requests;
	trace_xenvif_tx_packet(queue, verdict, pkt, work->status);
}

/* Take packets from the ring until something ends it: see enum xenvif_tx_stop. */
static enum xenvif_tx_stop xenvif_tx_build(struct xenvif_queue *queue, u32 budget)
{
	struct xenvif_queue_tx *tx = &queue->tx;
	RING_IDX fetched = tx->ring.fetched;
	enum xenvif_tx_verdict verdict;
	struct xenvif_tx_packet pkt;
	int avail;

	avail = xenvif_tx_ring_fetch(&tx->ring);
	if (unlikely(avail < 0))
		return XENVIF_TX_STOP_CORRUPT;
	if (tx->ring.fetched != fetched)
		tx->worked = true;

	for (; avail; avail -= pkt.n_requests) {
		if (tx->n_work == budget ||
		    xenvif_batch_room(&tx->batch) < XENVIF_TX_PACKET_OPS)
			return XENVIF_TX_STOP_FULL;

		verdict = xenvif_tx_parse(tx->ring.copy, XENVIF_TX_RING_SIZE,
					  xenvif_tx_ring_head(&tx->ring), avail, &pkt);
		if (verdict == XENVIF_TX_WAIT)
			return XENVIF_TX_STOP_EMPTY;
		if (unlikely(verdict == XENVIF_TX_CORRUPT))
			return XENVIF_TX_STOP_CORRUPT;
		if (verdict == XENVIF_TX_PACKET) {
			tx->wait = xenvif_tx_admit(queue, pkt.len);
			if (tx->wait) {
				tx->counts[XENVIF_TX_THROTTLED]++;
				return XENVIF_TX_STOP_THROTTLED;
			}
		}
		xenvif_tx_start(queue, verdict, &pkt);
		xenvif_tx_ring_consume(&tx->ring, pkt.n_requests);
	}
	return XENVIF_TX_STOP_EMPTY;
}

/* What became of a packet's copies. Returns whether one must be tried again. */
static bool xenvif_tx_check(struct xenvif_queue_tx *tx, struct xenvif_tx_work *work,
			    bool last_try)
{
	struct gnttab_copy *op = &tx->batch.op[work->first_op];
	bool again = false;
	u32 i;

	for (i = 0; i < work->n_ops; i++) {
		if (likely(op[i].status == GNTST_okay))
			continue;
		if (op[i].status == GNTST_eagain && !last_try)
			again = true;
		else
			work->status = XEN_NETIF_RSP_ERROR;
	}
	return again;
}

/* Try those copies again whose page the guest's host had paged out. */
static void xenvif_tx_recopy(struct xenvif_queue_tx *tx)
{
	u32 i;

	for (i = 0; i < tx->batch.n; i++) {
		struct xenvif_batch one = { .op = &tx->batch.op[i], .n = 1, .max = 1 };

		if (one.op->status == GNTST_eagain)
			xenvif_batch_run(&one);
	}
}

/* Make the copies. Returns whether all of them have ended, well or not. */
static bool xenvif_tx_copy(struct xenvif_queue_tx *tx)
{
	bool last_try = tx->n_eagain >= XENVIF_TX_EAGAIN_MAX;
	bool again = false;
	u32 i;

	if (likely(!tx->n_eagain)) {
		xenvif_batch_run(&tx->batch);
		tx->counts[XENVIF_TX_COPIES] += tx->batch.n;
		tx->counts[XENVIF_TX_BATCHES] += !!tx->batch.n;
	} else {
		xenvif_tx_recopy(tx);
	}

	if (unlikely(!xenvif_batch_okay(&tx->batch)))
		for (i = 0; i < tx->n_work; i++)
			again |= xenvif_tx_check(tx, &tx->work[i], last_try);
	tx->n_eagain = again ? tx->n_eagain + 1 : 0;
	return !again;
}

/* Answer for all packets of the poll at once. The guest has its slots back before
 * the packets are even looked at.
 */
static void xenvif_tx_answer(struct xenvif_queue *queue)
{
	struct xenvif_queue_tx *tx = &queue->tx;
	u32 i, j, n = 0;
	bool notify;

	for (i = 0; i < tx->n_work; i++) {
		const struct xenvif_tx_work *work = &tx->work[i];

		/* The extra infos follow the first slot. */
		xenvif_tx_ring_respond(&tx->ring, work->status);
		for (j = 1; j < work->n_requests; j++)
			xenvif_tx_ring_respond(&tx->ring,
					       j <= work->n_extras ?
					       XEN_NETIF_RSP_NULL : work->status);
		n += work->n_requests;
	}
	notify = xenvif_tx_ring_push(&tx->ring, n);
	if (notify) {
		xenvif_notify(&queue->tx_channel);
		tx->counts[XENVIF_TX_NOTIFIES]++;
	}
	trace_xenvif_tx_batch(queue, tx->n_work, tx->batch.n, n, notify);
}

/* Protocol headers always end in the linear area: so drivers below expect it. */
static bool xenvif_tx_pull_headers(struct sk_buff *skb)
{
	u32 headlen = skb_headlen(skb);

	if (!skb_is_nonlinear(skb) || headlen >= XENVIF_TX_PULL ||
	    xenvif_tx_headers_len(skb->data, headlen))
		return true;
	return __pskb_pull_tail(skb, min_t(u32, skb->len, XENVIF_TX_PULL) - headlen);
}

/* What is behind the VLAN tags that the frame may have. @depth: their bytes. */
static __be16 xenvif_tx_inner_proto(const struct sk_buff *skb, u32 *depth)
{
	__be16 proto = skb->protocol;
	const struct vlan_hdr *tag;
	struct vlan_hdr copy;

	for (*depth = 0; eth_type_vlan(proto); *depth += VLAN_HLEN) {
		tag = skb_header_pointer(skb, *depth, sizeof(copy), &copy);
		if (!tag || *depth >= XENVIF_TX_VLAN_MAX * VLAN_HLEN)
			return 0;
		proto = tag->h_vlan_encapsulated_proto;
	}
	return proto;
}

/* How long an extension header of IPv6 is; 0 if it is none. */
static u32 xenvif_tx_ext_len(u8 type, const struct ipv6_opt_hdr *ext)
{
	switch (type) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		return ipv6_optlen(ext);
	case IPPROTO_AH:
		return ipv6_authlen(ext);
	case IPPROTO_FRAGMENT:
		return sizeof(struct frag_hdr);
	default:
		return 0;
	}
}

/* Whether a packet of IPv6 has as few extension headers as a packet may need. The
 * stack follows any number of them, and moves each into the linear part: a guest can
 * put eight thousand into a packet.
 */
static bool xenvif_tx_few_exts(const struct sk_buff *skb, u32 off)
{
	const struct ipv6_opt_hdr *ext;
	struct ipv6_opt_hdr ext_copy;
	const struct ipv6hdr *ip;
	struct ipv6hdr ip_copy;
	u32 i, len;
	u8 type;

	ip = skb_header_pointer(skb, off, sizeof(ip_copy), &ip_copy);
	if (!ip)
		return false;
	type = ip->nexthdr;
	off += sizeof(*ip);
	for (i = 0; i <= XENVIF_TX_EXTS_MAX; i++) {
		ext = skb_header_pointer(skb, off, sizeof(ext_copy), &ext_copy);
		if (!ext)
			return false;
		len = xenvif_tx_ext_len(type, ext);
		if (!len)
			return true;
		off += len;
		type = ext->nexthdr;
	}
	return false;
}

/* Have the transport header found and the checksum's place noted, behind VLAN
 * tags too. Returns whether it could be done.
 */
static bool xenvif_tx_csum_setup(struct sk_buff *skb, __be16 proto, u32 depth,
				 bool recalculate)
{
	__be16 outer = skb->protocol;
	bool ok;

	if (proto == htons(ETH_P_IPV6) && !xenvif_tx_few_exts(skb, depth))
		return false;
	if (!depth)
		return !skb_checksum_setup(skb, recalculate);

	if (!pskb_may_pull(skb, depth))
		return false;
	__skb_pull(skb, depth);
	skb_reset_network_header(skb);
	skb->protocol = proto;
	ok = !skb_checksum_setup(skb, recalculate);
	__skb_push(skb, depth);
	skb_reset_network_header(skb);
	skb->protocol = outer;
	return ok;
}

/* Make it a packet to be segmented, if it is really one. */
static bool xenvif_tx_gso_setup(struct sk_buff *skb, __be16 proto,
				const struct xenvif_tx_work *work)
{
	bool v4 = work->gso_type == XEN_NETIF_GSO_TYPE_TCPV4;
	u32 hdr_len = skb_transport_offset(skb) + sizeof(struct tcphdr);

	if (proto != (v4 ? htons(ETH_P_IP) : htons(ETH_P_IPV6)) ||
	    skb->csum_offset != offsetof(struct tcphdr, check) ||
	    !pskb_may_pull(skb, hdr_len) || tcp_hdrlen(skb) < sizeof(struct tcphdr))
		return false;

	hdr_len = skb_transport_offset(skb) + tcp_hdrlen(skb);
	if (!pskb_may_pull(skb, hdr_len))
		return false;
	if (skb->len - hdr_len <= work->gso_size)
		return true;

	skb_shinfo(skb)->gso_size = work->gso_size;
	skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(skb->len - hdr_len, work->gso_size);
	/* A guest says so: who sends it on has to look for himself. */
	skb_shinfo(skb)->gso_type = (v4 ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6) | SKB_GSO_DODGY;
	return true;
}

/* @proto: what is behind @depth bytes of VLAN tags. */
static bool xenvif_tx_offload(struct xenvif_queue *queue, struct sk_buff *skb,
			      const struct xenvif_tx_work *work, __be16 proto, u32 depth)
{
	bool blank = work->flags & XEN_NETTXF_csum_blank;

	if (!blank && work->gso_type == XEN_NETIF_GSO_TYPE_NONE) {
		if (work->flags & XEN_NETTXF_data_validated &&
		    queue->vif->dev->features & NETIF_F_RXCSUM)
			skb->ip_summed = CHECKSUM_UNNECESSARY;
		return true;
	}
	/* Segments need checksums of their own, whatever the guest has filled in. */
	if (!blank)
		queue->tx.counts[XENVIF_TX_CSUM_FIXUP]++;
	skb->ip_summed = CHECKSUM_PARTIAL;
	if (!xenvif_tx_csum_setup(skb, proto, depth, !blank))
		return false;
	return work->gso_type == XEN_NETIF_GSO_TYPE_NONE ||
	       xenvif_tx_gso_setup(skb, proto, work);
}

static void xenvif_tx_set_hash(struct sk_buff *skb, const struct xenvif_tx_work *work)
{
	bool l4;

	if (!(skb->dev->features & NETIF_F_RXHASH) ||
	    work->hash_alg != XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ ||
	    work->hash_type > _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)
		return;
	l4 = work->hash_type == _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP ||
	     work->hash_type == _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP;
	skb_set_hash(skb, work->hash, l4 ? PKT_HASH_TYPE_L4 : PKT_HASH_TYPE_L3);
}

/* Whether the stack may make one packet of this and others: of TCP. UDP is hardly ever
 * merged, and looking whether it could be costs more than the rest of a small datagram's
 * delivery: so that is done only where the administrator wants it, all UDP or none,
 * which keeps the order. Fragments, never merged, are most likely UDP. Of others there
 * is little to gain, and much to lose: the stack would follow IPv6 extension headers,
 * here too, and tunnels, to whatever end.
 */
static bool xenvif_tx_may_merge(const struct sk_buff *skb, __be16 proto, u32 depth)
{
	const u8 *ip = skb->data + depth;
	int len = skb_headlen(skb) - depth;
	u8 next;

	if (proto == htons(ETH_P_IP) && len >= (int)sizeof(struct iphdr))
		next = ((const struct iphdr *)ip)->protocol;
	else if (proto == htons(ETH_P_IPV6) && len >= (int)sizeof(struct ipv6hdr))
		next = ((const struct ipv6hdr *)ip)->nexthdr;
	else
		return false;
	if (proto == htons(ETH_P_IPV6) && next == IPPROTO_FRAGMENT)
		next = IPPROTO_UDP;
	return next == IPPROTO_TCP ||
	       (next == IPPROTO_UDP &&
		skb->dev->features & (NETIF_F_GRO_UDP_FWD | NETIF_F_GRO_FRAGLIST));
}

/* Make the skb. That is done no sooner than it goes up the stack: then there are but a
 * few at a time, and who makes and frees them has them at hand.
 */
static struct sk_buff *xenvif_tx_make(const struct xenvif_tx_work *work)
{
	struct sk_buff *skb = napi_build_skb(work->head, work->size);
	/* Of each buffer. */
	u32 held = work->cold ? PAGE_SIZE : XEN_PAGE_SIZE;
	u32 i;

	if (unlikely(!skb))
		return NULL;
	if (likely(!work->cold))
		skb_mark_for_recycle(skb);
	skb_reserve(skb, XENVIF_TX_HEADROOM);
	__skb_put(skb, work->linear);

	skb_shinfo(skb)->nr_frags = work->n_frags;
	for (i = 0; i < work->n_frags; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		skb->data_len += skb_frag_size(frag);
		skb_propagate_pfmemalloc(skb_frag_page(frag), skb);
	}
	skb->len += skb->data_len;
	skb->truesize += work->n_frags * held + (held - XEN_PAGE_SIZE);
	return skb;
}

/* Up the stack with it; the only place where a packet of the guest's is dropped
 * after it was copied.
 */
static void xenvif_tx_deliver(struct xenvif_queue *queue, struct xenvif_tx_work *work)
{
	struct sk_buff *skb = xenvif_tx_make(work);
	struct xenvif_queue_tx *tx = &queue->tx;
	u32 len, depth;
	__be16 proto;

	if (unlikely(!skb)) {
		xenvif_tx_free(tx, work);
		tx->counts[XENVIF_TX_DROP_NOMEM]++;
		return;
	}
	len = skb->len;
	if (unlikely(work->status != XEN_NETIF_RSP_OKAY)) {
		tx->counts[XENVIF_TX_DROP_COPY]++;
		kfree_skb_reason(skb, SKB_DROP_REASON_DEV_HDR);
		return;
	}
	if (unlikely(!xenvif_tx_pull_headers(skb)))
		goto bad_header;
	skb->protocol = eth_type_trans(skb, queue->vif->dev);
	skb_reset_network_header(skb);
	proto = xenvif_tx_inner_proto(skb, &depth);
	if (unlikely(!xenvif_tx_offload(queue, skb, work, proto, depth)))
		goto bad_header;

	xenvif_tx_set_hash(skb, work);
	skb_record_rx_queue(skb, queue->id);
	tx->counts[XENVIF_TX_PACKETS]++;
	tx->counts[XENVIF_TX_BYTES] += len;
	if (xenvif_tx_may_merge(skb, proto, depth))
		napi_gro_receive(&tx->napi, skb);
	else
		netif_receive_skb(skb);
	return;

bad_header:
	tx->counts[XENVIF_TX_DROP_HEADER]++;
	kfree_skb_reason(skb, SKB_DROP_REASON_PKT_TOO_SMALL);
}

static void xenvif_tx_commit(struct xenvif_queue *queue)
{
	struct xenvif_stats *stats = &queue->vif->stats[queue->id];
	u32 *counts = queue->tx.counts;
	u32 i;

	u64_stats_update_begin(&stats->tx_sync);
	for (i = 0; i < XENVIF_TX_STAT_MAX; i++) {
		if (!counts[i])
			continue;
		u64_stats_add(&stats->tx[i], counts[i]);
		counts[i] = 0;
	}
	u64_stats_update_end(&stats->tx_sync);
}

/* The poll is over: wait for the guest, or for the rate limit. Returns whether it
 * is; if not there is more to do. Comes before the instance is given up: from then
 * on nothing here is ours.
 */
static bool xenvif_tx_rest(struct xenvif_queue *queue)
{
	struct xenvif_queue_tx *tx = &queue->tx;
	/* One that comes behind the last look is for what that did not see. */
	bool owed = atomic_read(&queue->tx_channel.owed) & XENVIF_OWED_TX;
	bool worked = tx->worked;

	if (tx->stop == XENVIF_TX_STOP_THROTTLED) {
		hrtimer_start(&tx->throttle,
			      ns_to_ktime(min_t(u64, tx->wait, XENVIF_TX_WAIT_MAX)),
			      HRTIMER_MODE_REL);
	} else if (xenvif_tx_ring_rest(&tx->ring)) {
		tx->late = true;
		return false;
	}
	if (!worked && tx->late) {
		/* The event of what the last look had found. */
		tx->late = false;
		worked = true;
	}
	tx->worked = false;
	/* A poll for the other direction's sake has found what an event will be for. */
	if (!xenvif_channel_done(&queue->tx_channel, XENVIF_OWED_TX, worked || !owed) && worked)
		tx->late = true;
	return true;
}

/* The pool has pages, which are not to be kept for ever. */
static void xenvif_tx_used(struct xenvif_queue *queue)
{
	if (likely(READ_ONCE(queue->tx.age) == XENVIF_POOL_USED))
		return;
	WRITE_ONCE(queue->tx.age, XENVIF_POOL_USED);
	queue_delayed_work(system_dfl_wq, &queue->vif->trim_work, XENVIF_POOL_LOOK);
}

/**
 * xenvif_tx_poll() - a queue's NAPI poll
 * @napi: the queue's instance
 * @budget: packets that may be handled, good or bad
 *
 * Follows xen/interface/io/netif.h, "Guest transmit".
 *
 * Context: softirq, or the NAPI thread; never twice at a time.
 * Return: packets handled; @budget if there is more to do.
 */
int xenvif_tx_poll(struct napi_struct *napi, int budget)
{
	struct xenvif_queue *queue = container_of(napi, struct xenvif_queue, tx.napi);
	struct xenvif_queue_tx *tx = &queue->tx;
	int i, done;

	/* netpoll wants room to send, and guest-TX has none to give. */
	if (!budget)
		return 0;
	if (unlikely(xenvif_is_fatal(queue->vif))) {
		napi_complete(napi);
		return 0;
	}

	xenvif_rx_send(queue);

	if (likely(!tx->n_work))
		tx->stop = xenvif_tx_build(queue, min(budget, XENVIF_TX_BATCH));
	if (!xenvif_tx_copy(tx))
		return budget;

	done = tx->n_work;
	if (done) {
		if (likely(!tx->cold))
			xenvif_tx_used(queue);
		xenvif_tx_answer(queue);
		for (i = 0; i < done; i++)
			if (tx->work[i].head)
				xenvif_tx_deliver(queue, &tx->work[i]);
	}
	tx->n_work = 0;
	tx->batch.n = 0;
	/* A poll that was but for the other direction has counted nothing. */
	if (done || tx->stop == XENVIF_TX_STOP_THROTTLED)
		xenvif_tx_commit(queue);

	/* A shared channel is masked while the poll goes on, so buffers that the
	 * other direction waits for would go unnoticed.
	 */
	if (!queue->rx_channel.irq)
		xenvif_rx_kick(queue);

	if (tx->stop == XENVIF_TX_STOP_FULL || done >= budget)
		return budget;
	if (unlikely(tx->stop == XENVIF_TX_STOP_CORRUPT)) {
		xenvif_fatal(queue->vif, "the TX ring is corrupt");
		napi_complete_done(napi, done);
		return done;
	}
	if (!xenvif_tx_rest(queue))
		return budget;
	/* An event that comes before this has the core poll again. */
	napi_complete_done(napi, done);
	return done;
}

/**
 * xenvif_tx_unthrottle() - there may be credit again
 * @timer: the queue's
 *
 * Context: hard interrupt.
 * Return: HRTIMER_NORESTART.
 */
enum hrtimer_restart xenvif_tx_unthrottle(struct hrtimer *timer)
{
	struct xenvif_queue_tx *tx = container_of(timer, struct xenvif_queue_tx, throttle);

	napi_schedule(&tx->napi);
	return HRTIMER_NORESTART;
}

/**
 * xenvif_tx_start_poll() - let a queue be polled from now on
 * @queue: a queue whose NAPI is disabled
 *
 * The first poll looks for what the guest has posted already: the event for that
 * may be gone.
 *
 * Context: process.
 */
void xenvif_tx_start_poll(struct xenvif_queue *queue)
{
	/* An event that is pending already may find its work done by this poll. */
	queue->tx.late = true;
	napi_enable(&queue->tx.napi);
	local_bh_disable();
	napi_schedule(&queue->tx.napi);
	local_bh_enable();
}

/**
 * xenvif_tx_restart() - end the poll that may be going on, and begin anew
 * @queue: a queue that runs
 *
 * Context: process, under the RTNL: the queue is published, and stays so.
 */
void xenvif_tx_restart(struct xenvif_queue *queue)
{
	napi_disable(&queue->tx.napi);
	xenvif_tx_start_poll(queue);
}

/**
 * xenvif_tx_purge() - forget packets whose copies were still being retried
 * @queue: a queue whose NAPI is disabled
 *
 * And the one that waits for its turn under the rate limit: what it has paid goes back.
 *
 * Context: process; takes &xenvif.credit_lock.
 */
void xenvif_tx_purge(struct xenvif_queue *queue)
{
	struct xenvif_queue_tx *tx = &queue->tx;
	struct xenvif *vif = queue->vif;
	u32 i;

	for (i = 0; i < tx->n_work; i++)
		if (tx->work[i].head)
			xenvif_tx_free(tx, &tx->work[i]);
	tx->n_work = 0;
	tx->batch.n = 0;

	spin_lock_bh(&vif->credit_lock);
	xenvif_credit_return(&vif->credit, &tx->ticket);
	spin_unlock_bh(&vif->credit_lock);
}
