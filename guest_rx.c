// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Host to guest: from the netdev's transmit queue to the guest's buffers.
 *
 *   enqueue  the stack's context: bound the backlog, have somebody take it
 *   batch    take what fits the ring; cut each packet into slots, order its copies
 *   flush    one hypercall, responses, one push, at most one event, free packets
 *
 * The queue's thread does this, and whatever takes time: between batches packets
 * that waited too long are dropped, and a queue whose guest posts no buffers for
 * too long is declared stalled. While it sleeps, for want of packets, a few of them
 * are sent off by the queue's poll, or by the program that sends them, which saves
 * waking it: see struct xenvif_queue_rx, @turn.
 */

#include "common.h"

#include <linux/ip.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "pack.h"
#include "trace.h"

/* Extra infos that a packet can have: GSO, hash and XDP. */
#define XENVIF_RX_EXTRAS_MAX	3

/* The backlog is given room again when it has fallen to this. */
#define XENVIF_RX_BACKLOG_WAKE	(XENVIF_RX_BACKLOG_MAX / 2)

/**
 * struct xenvif_rx_cb - our part of skb->cb while a packet is ours
 * @expires: when it is dropped if it still waits, in jiffies
 * @truesize: what it was accounted with
 * @hash: what the guest is told of its hash
 * @hash_type: the type of @hash, or XENVIF_HASH_TYPE_NONE: it is told nothing
 */
struct xenvif_rx_cb {
	unsigned long expires;
	u32 truesize;
	u32 hash;
	u8 hash_type;
};

static_assert(sizeof(struct xenvif_rx_cb) <= sizeof_field(struct sk_buff, cb));
static_assert(XENVIF_RX_SLOTS_MAX + XENVIF_RX_EXTRAS_MAX <= XENVIF_RX_RING_SIZE);

static struct xenvif_rx_cb *xenvif_rx_cb(const struct sk_buff *skb)
{
	return (struct xenvif_rx_cb *)skb->cb;
}

/* What the stack's own means (drop_monitor, perf trace) are told of a refusal. */
static const enum skb_drop_reason xenvif_xmit_reason[XENVIF_XMIT_STAT_MAX] = {
	[XENVIF_XMIT_DROP_DISCONNECTED]	= SKB_DROP_REASON_DEV_READY,
	[XENVIF_XMIT_DROP_STALLED]	= SKB_DROP_REASON_DEV_READY,
	[XENVIF_XMIT_DROP_FULL]		= SKB_DROP_REASON_FULL_RING,
	[XENVIF_XMIT_DROP_FILTERED]	= SKB_DROP_REASON_NOT_SPECIFIED,
	[XENVIF_XMIT_DROP_UNFIT]	= SKB_DROP_REASON_PKT_TOO_BIG,
};

/**
 * xenvif_xmit_drop() - refuse a packet before it is queued
 * @vif: the vif
 * @queue: index of the queue it was for
 * @skb: the packet; consumed
 * @why: what it is counted as
 *
 * Context: ndo_start_xmit, bh off, under the netdev queue's lock.
 */
void xenvif_xmit_drop(struct xenvif *vif, u32 queue, struct sk_buff *skb,
		      enum xenvif_xmit_stat why)
{
	struct xenvif_stats *stats = &vif->stats[queue];

	u64_stats_update_begin(&stats->xmit_sync);
	u64_stats_inc(&stats->xmit[why]);
	u64_stats_update_end(&stats->xmit_sync);
	dev_kfree_skb_any_reason(skb, xenvif_xmit_reason[why]);
}

/* Data bytes that a slot takes. */
static u32 xenvif_rx_slot_size(u32 headroom)
{
	return XEN_PAGE_SIZE - headroom;
}

static u32 xenvif_rx_gso_type(const struct xenvif *vif, const struct sk_buff *skb)
{
	if (!skb_is_gso(skb))
		return XEN_NETIF_GSO_TYPE_NONE;
	if (vif->frontend.gso_tcpv4 && skb_shinfo(skb)->gso_type & SKB_GSO_TCPV4)
		return XEN_NETIF_GSO_TYPE_TCPV4;
	if (vif->frontend.gso_tcpv6 && skb_shinfo(skb)->gso_type & SKB_GSO_TCPV6)
		return XEN_NETIF_GSO_TYPE_TCPV6;
	return XEN_NETIF_GSO_TYPE_NONE;
}

static bool xenvif_rx_tells_hash(const struct xenvif_queue *queue, const struct sk_buff *skb)
{
	return queue->rx.hashing && xenvif_rx_cb(skb)->hash_type != XENVIF_HASH_TYPE_NONE;
}

static u32 xenvif_rx_extras(const struct xenvif_queue *queue, const struct sk_buff *skb)
{
	return (xenvif_rx_gso_type(queue->vif, skb) != XEN_NETIF_GSO_TYPE_NONE) +
	       xenvif_rx_tells_hash(queue, skb) + !!queue->rx.headroom;
}

/* The slots that a packet's data need at the least. */
static u32 xenvif_rx_need(const struct xenvif_queue *queue, const struct sk_buff *skb)
{
	u32 size = xenvif_rx_slot_size(queue->rx.headroom);

	/* Most packets: no need to divide. */
	return skb->len <= size ? 1 : DIV_ROUND_UP(skb->len, size);
}

/* Whether the frontend can take the packet. One that the stack made ready for the
 * frontend before this one may not be what this one takes.
 */
static bool xenvif_rx_fits(const struct xenvif *vif, const struct sk_buff *skb)
{
	u32 slot_size = xenvif_rx_slot_size(XENVIF_XDP_HEADROOM_MAX);
	u32 max_slots = vif->frontend.sg ? XENVIF_RX_SLOTS_MAX : 1;

	if (skb_is_gso(skb) && xenvif_rx_gso_type(vif, skb) == XEN_NETIF_GSO_TYPE_NONE)
		return false;
	return skb->len <= max_slots * slot_size;
}

/* Have a checksum filled in that the frontend does not fill in. The stack has done so
 * for most; here comes what waited for the frontend before this one. Returns whether
 * the packet can go.
 */
static noinline bool xenvif_rx_fill_csum(const struct xenvif *vif, struct sk_buff *skb)
{
	if (vlan_get_protocol(skb) == htons(ETH_P_IPV6) ? vif->frontend.ipv6_csum :
							  vif->frontend.ip_csum)
		return true;
	return !skb_is_gso(skb) && !skb_checksum_help(skb);
}

/* Whether the frontend fills in whatever checksum is missing. */
static bool xenvif_rx_fills_csums(const struct xenvif *vif)
{
	return vif->frontend.ip_csum && vif->frontend.ipv6_csum;
}

/**
 * xenvif_rx_csum_fits() - whether a frontend finds the checksum that is to be filled in
 * @skb: the packet, CHECKSUM_PARTIAL
 *
 * The guest is told no more than that it is missing, and looks for it: frontends
 * know TCP and UDP, right behind an IPv4 header or the fixed IPv6 header, and no
 * fragments.
 *
 * Context: any.
 * Return: whether it does.
 */
bool xenvif_rx_csum_fits(const struct sk_buff *skb)
{
	int off = skb_network_offset(skb);
	const u8 *ip;
	u8 copy[40];
	u32 hdr;
	u8 proto;

	if (skb->protocol == htons(ETH_P_IP)) {
		ip = skb_header_pointer(skb, off, 20, copy);
		/* The fragment's offset, and whether there are more. */
		if (!ip || (ip[6] & 0x3F) || ip[7])
			return false;
		hdr = (ip[0] & 0xF) * 4;
		proto = ip[9];
	} else if (skb->protocol == htons(ETH_P_IPV6)) {
		ip = skb_header_pointer(skb, off, 40, copy);
		if (!ip)
			return false;
		hdr = 40;
		proto = ip[6];
	} else {
		return false;
	}

	if (skb_checksum_start_offset(skb) != off + hdr)
		return false;
	return (proto == IPPROTO_TCP &&
		skb->csum_offset == offsetof(struct tcphdr, check)) ||
	       (proto == IPPROTO_UDP &&
		skb->csum_offset == offsetof(struct udphdr, check));
}

/**
 * xenvif_rx_hash() - the hash of a packet for the guest
 * @hash: what the guest has set
 * @skb: the packet, from its Ethernet header on
 * @value: where to put the hash; 0 if it has none
 *
 * Context: any, under RCU for @hash.
 * Return: its type, as of xenvif_hash_frame().
 */
u8 xenvif_rx_hash(const struct xenvif_hash *hash, const struct sk_buff *skb, u32 *value)
{
	u32 len = min_t(u32, skb->len, XENVIF_HASH_FRAME_MAX);
	u8 copy[XENVIF_HASH_FRAME_MAX];
	const u8 *frame;

	frame = skb_header_pointer(skb, 0, len, copy);
	return xenvif_hash_frame(hash, frame, frame ? len : 0, value);
}

/* Computed here and not in ndo_select_queue, which not all packets come through:
 * the guest is never told what others have made of skb->hash.
 */
static void xenvif_rx_set_hash(struct xenvif *vif, struct sk_buff *skb)
{
	const struct xenvif_hash *hash = rcu_dereference_bh(vif->hash);
	struct xenvif_rx_cb *cb = xenvif_rx_cb(skb);

	cb->hash_type = XENVIF_HASH_TYPE_NONE;
	if (unlikely(xenvif_hash_is_on(hash)))
		cb->hash_type = xenvif_rx_hash(hash, skb, &cb->hash);
}

/* Whether the guest wants to be told hashes now. */
static bool xenvif_rx_hashing(struct xenvif *vif)
{
	bool on;

	if (likely(!rcu_access_pointer(vif->hash)))
		return false;
	rcu_read_lock();
	on = xenvif_hash_is_on(rcu_dereference(vif->hash));
	rcu_read_unlock();
	return on;
}

/* Whether it is a multicast packet that the guest has not asked for. */
static bool xenvif_rx_filtered(const struct xenvif *vif, const struct sk_buff *skb)
{
	const u8 *addr = skb->data;

	return READ_ONCE(vif->mcast_control) && is_multicast_ether_addr(addr) &&
	       !is_broadcast_ether_addr(addr) && !xenvif_mcast_has(&vif->mcast, addr);
}

/* Whether packets come from a program's own call. If they come from a softirq, or from a
 * thread of the kernel's that does the same work, there are mostly more to come. Where a
 * program can be preempted here the thread might have to wait for it, and does not.
 */
static bool xenvif_rx_from_program(void)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT) && in_task() &&
	       !(current->flags & (PF_KTHREAD | PF_USER_WORKER));
}

/* There are packets: have them taken. If they are few they are sent off at once: in a
 * program's call, after which the poll would come right away, here; else by the poll,
 * unless the guest had an event for each: see xenvif_rx_told().
 */
static void xenvif_rx_call(struct xenvif_queue *queue, bool few)
{
	struct xenvif_queue_rx *rx = &queue->rx;

	smp_mb(); /* the packets before the turn: see xenvif_rx_sleep_idle() */
	if (READ_ONCE(rx->turn) == XENVIF_RX_TURN_THREAD)
		return;
	/* With interrupts off this is nobody who can free packets, nor whose end lets
	 * softirqs run.
	 */
	if (!few || irqs_disabled())
		wake_up(&rx->wait);
	else if (xenvif_rx_from_program() && xenvif_rx_send(queue))
		return;
	else if (time_before(jiffies, READ_ONCE(rx->gather)))
		wake_up(&rx->wait);
	else
		napi_schedule(&queue->tx.napi);
}

/**
 * xenvif_rx_enqueue() - take a packet for the guest
 * @queue: the queue
 * @skb: the packet; consumed
 *
 * The packet that fills the backlog stops the netdev queue, so that those to come
 * wait in the qdisc and their senders feel it. None is dropped but those of a
 * sender that does not heed the stop.
 *
 * Context: ndo_start_xmit: bh or interrupts off, under the netdev queue's lock.
 * Return: NETDEV_TX_OK.
 */
netdev_tx_t xenvif_rx_enqueue(struct xenvif_queue *queue, struct sk_buff *skb)
{
	struct net_device *dev = queue->vif->dev;
	struct netdev_queue *txq = netdev_get_tx_queue(dev, queue->id);
	struct xenvif_queue_rx *rx = &queue->rx;
	enum xenvif_xmit_stat why;
	u32 truesize = skb->truesize;
	unsigned long irq_flags;
	bool few;
	bool call;

	why = XENVIF_XMIT_DROP_FILTERED;
	if (unlikely(xenvif_rx_filtered(queue->vif, skb)))
		goto drop;
	why = XENVIF_XMIT_DROP_STALLED;
	if (unlikely(READ_ONCE(rx->stalled)))
		goto drop;
	why = XENVIF_XMIT_DROP_UNFIT;
	if (unlikely(!xenvif_rx_fits(queue->vif, skb)) ||
	    (skb->ip_summed == CHECKSUM_PARTIAL &&
	     unlikely(!xenvif_rx_fills_csums(queue->vif)) &&
	     !xenvif_rx_fill_csum(queue->vif, skb)) ||
	    unlikely(skb_orphan_frags(skb, GFP_ATOMIC)))
		goto drop;

	xenvif_rx_cb(skb)->expires = jiffies + queue->vif->rx_drain_timeout;
	xenvif_rx_cb(skb)->truesize = truesize;
	xenvif_rx_set_hash(queue->vif, skb);
	skb_tx_timestamp(skb);

	spin_lock_irqsave(&rx->lock, irq_flags);
	why = XENVIF_XMIT_DROP_FULL;
	if (unlikely(rx->bytes >= XENVIF_RX_BACKLOG_MAX)) {
		netif_tx_stop_queue(txq);
		spin_unlock_irqrestore(&rx->lock, irq_flags);
		goto drop;
	}
	rx->bytes += truesize;
	/* Before the thread can see the packet, and complete it. */
	call = __netdev_tx_sent_queue(txq, skb->len, netdev_xmit_more());
	__skb_queue_tail(&rx->backlog, skb);
	/* Under the lock, so that the thread's wake comes after and is not lost. */
	if (rx->bytes >= XENVIF_RX_BACKLOG_MAX)
		netif_tx_stop_queue(txq);
	few = rx->bytes <= XENVIF_RX_FEW;
	spin_unlock_irqrestore(&rx->lock, irq_flags);

	/* Once a burst is enough. */
	if (call || netif_xmit_stopped(txq))
		xenvif_rx_call(queue, few);
	return NETDEV_TX_OK;

drop:
	xenvif_xmit_drop(queue->vif, queue->id, skb, why);
	/* It may have been the last one of a burst that others began. */
	if (why != XENVIF_XMIT_DROP_STALLED && !netdev_xmit_more() &&
	    !skb_queue_empty_lockless(&rx->backlog))
		xenvif_rx_call(queue, READ_ONCE(rx->bytes) <= XENVIF_RX_FEW);
	return NETDEV_TX_OK;
}

/**
 * struct xenvif_rx_freed - packets that are no longer ours
 * @n: how many
 * @len: their bytes
 * @truesize: what they held of the backlog's bound
 */
struct xenvif_rx_freed {
	u32 n;
	u32 len;
	u32 truesize;
};

/* Count a packet that is about to be freed. */
static void xenvif_rx_free_one(struct xenvif_rx_freed *freed, const struct sk_buff *skb)
{
	freed->n++;
	freed->len += skb->len;
	freed->truesize += xenvif_rx_cb(skb)->truesize;
}

/* Give back what packets held of the backlog's bound and of the stack's own, and let
 * more come. With bottom halves off: what the last two raise runs when they are on.
 */
static void xenvif_rx_release(struct xenvif_queue *queue, const struct xenvif_rx_freed *freed)
{
	struct netdev_queue *txq = netdev_get_tx_queue(queue->vif->dev, queue->id);
	struct xenvif_queue_rx *rx = &queue->rx;
	bool wake;

	spin_lock_irq(&rx->lock);
	rx->bytes -= freed->truesize;
	wake = rx->bytes <= XENVIF_RX_BACKLOG_WAKE && netif_tx_queue_stopped(txq);
	spin_unlock_irq(&rx->lock);

	if (wake)
		netif_tx_wake_queue(txq);
	netdev_tx_completed_queue(txq, freed->n, freed->len);
}

/* The packet at the head, taken from the backlog if need be; NULL if none. */
static struct sk_buff *xenvif_rx_head(struct xenvif_queue_rx *rx)
{
	if (skb_queue_empty(&rx->todo) && !skb_queue_empty_lockless(&rx->backlog)) {
		spin_lock_irq(&rx->lock);
		skb_queue_splice_tail_init(&rx->backlog, &rx->todo);
		spin_unlock_irq(&rx->lock);
	}
	return skb_peek(&rx->todo);
}

/* A guest's page is paged out: the thread may wait a while for it. */
static void xenvif_rx_copy_again(struct gnttab_copy *op)
{
	struct xenvif_batch one = { .op = op, .n = 1, .max = 1 };
	u32 tries;

	for (tries = 0; op->status == GNTST_eagain && tries < 16 &&
	     !kthread_should_stop(); tries++) {
		schedule_timeout_idle(1);
		xenvif_batch_run(&one);
	}
}

/* Look what became of the copies, and mark the slots whose copy failed. Returns
 * whether that could be done: the poll leaves it to the thread to wait for a page.
 */
static bool xenvif_rx_check(struct xenvif_queue_rx *rx)
{
	struct xenvif_batch *batch = &rx->batch;
	u32 i;

	for (i = 0; i < batch->n; i++) {
		struct gnttab_copy *op = &batch->op[i];

		if (likely(op->status == GNTST_okay))
			continue;
		if (op->status == GNTST_eagain) {
			if (rx->turn != XENVIF_RX_TURN_THREAD)
				return false;
			xenvif_rx_copy_again(op);
			if (op->status == GNTST_okay)
				continue;
		}
		rx->rsp[rx->op_slot[i]].status = XEN_NETIF_RSP_ERROR;
		rx->counts[XENVIF_RX_COPY_ERRORS]++;
		/* Counted; the thread may come here again after the poll. */
		op->status = GNTST_okay;
	}
	batch->n = 0;
	return true;
}

/* Make the copies that are ordered. Returns as xenvif_rx_check(). */
static bool xenvif_rx_copy(struct xenvif_queue_rx *rx)
{
	struct xenvif_batch *batch = &rx->batch;

	xenvif_batch_run(batch);
	rx->counts[XENVIF_RX_COPIES] += batch->n;
	rx->counts[XENVIF_RX_BATCHES] += !!batch->n;
	return xenvif_rx_check(rx);
}

/* With bottom halves off: readers run there too. */
static void xenvif_rx_commit(struct xenvif_queue *queue)
{
	struct xenvif_stats *stats = &queue->vif->stats[queue->id];
	u32 *counts = queue->rx.counts;
	u32 i;

	u64_stats_update_begin(&stats->rx_sync);
	for (i = 0; i < XENVIF_RX_STAT_MAX; i++) {
		if (!counts[i])
			continue;
		u64_stats_add(&stats->rx[i], counts[i]);
		counts[i] = 0;
	}
	u64_stats_update_end(&stats->rx_sync);
}

/* The same where bottom halves are on. */
static void xenvif_rx_commit_bh(struct xenvif_queue *queue)
{
	local_bh_disable();
	xenvif_rx_commit(queue);
	local_bh_enable();
}

/* The poll sends the guest an event for n slots. If it had one a moment ago, has taken
 * what that was for already, sends nothing itself, and waits again, then it has a
 * processor of its own, and packets come one by one: sent off at once, each would cost
 * it an event. For a while they are left to the thread, and gather while that works.
 * Answers in a conversation are not held up: between two of them the guest sends. Nor is
 * a program's packet, for which waking the thread costs more than it saves.
 */
static void xenvif_rx_told(struct xenvif_queue *queue, u32 n)
{
	u32 heard = queue->tx.ring.fetched;
	struct xenvif_queue_rx *rx = &queue->rx;

	if (!time_after(jiffies, rx->told) && rx->heard == heard && n < XENVIF_RX_BURST)
		WRITE_ONCE(rx->gather, jiffies + XENVIF_RX_GATHER);
	rx->told = jiffies;
	rx->heard = heard;
}

/* The copies are made: tell the guest, then free the packets. */
static void xenvif_rx_finish(struct xenvif_queue *queue)
{
	struct xenvif_queue_rx *rx = &queue->rx;
	struct xenvif_rx_freed freed = {};
	struct sk_buff *skb;
	bool notify;

	if (rx->n_rsp) {
		rx->counts[XENVIF_RX_SLOTS] += rx->n_rsp;
		notify = xenvif_rx_ring_respond(&rx->ring, rx->rsp, rx->n_rsp);
		if (notify) {
			xenvif_notify(xenvif_rx_channel(queue));
			rx->counts[XENVIF_RX_NOTIFIES]++;
			if (rx->turn != XENVIF_RX_TURN_THREAD && !xenvif_rx_from_program())
				xenvif_rx_told(queue, rx->n_rsp);
		}
		trace_xenvif_rx_batch(queue, skb_queue_len(&rx->done),
				      rx->counts[XENVIF_RX_COPIES], rx->n_rsp, notify);
		rx->n_rsp = 0;
	}

	/* Who is told that a packet is free, or that the queue is, raises softirqs:
	 * they run at the end of this, and need not wake a thread.
	 */
	local_bh_disable();
	while ((skb = __skb_dequeue(&rx->done))) {
		xenvif_rx_free_one(&freed, skb);
		napi_consume_skb(skb, NAPI_POLL_WEIGHT);
	}
	if (freed.n)
		xenvif_rx_release(queue, &freed);
	xenvif_rx_commit(queue);
	local_bh_enable();
}

/* Take a buffer for data. Returns its entry in rx->rsp. */
static struct xen_netif_rx_response *
xenvif_rx_open_slot(struct xenvif_queue *queue, grant_ref_t *gref)
{
	struct xenvif_queue_rx *rx = &queue->rx;
	struct xen_netif_rx_response *rsp = &rx->rsp[rx->n_rsp++];
	struct xen_netif_rx_request req;

	xenvif_rx_ring_take(&rx->ring, &req);
	*gref = req.gref;
	*rsp = (struct xen_netif_rx_response){
		.id = req.id,
		.offset = rx->headroom,
	};
	return rsp;
}

static void xenvif_rx_add_extra(struct xenvif_queue *queue,
				const struct xen_netif_extra_info *extra)
{
	struct xenvif_queue_rx *rx = &queue->rx;
	struct xen_netif_rx_request req;

	/* It takes a buffer's place in the ring; the frontend gets that back. */
	xenvif_rx_ring_take(&rx->ring, &req);
	memcpy(&rx->rsp[rx->n_rsp++], extra, sizeof(*extra));
}

/* The extra infos that the packet needs, in the order of their types. */
static void xenvif_rx_add_extras(struct xenvif_queue *queue, const struct sk_buff *skb,
				 struct xen_netif_rx_response *first, u32 n)
{
	u32 gso_type = xenvif_rx_gso_type(queue->vif, skb);
	struct xen_netif_extra_info extra;

	first->flags |= XEN_NETRXF_extra_info;

	if (gso_type != XEN_NETIF_GSO_TYPE_NONE) {
		memset(&extra, 0, sizeof(extra));
		extra.type = XEN_NETIF_EXTRA_TYPE_GSO;
		extra.flags = --n ? XEN_NETIF_EXTRA_FLAG_MORE : 0;
		extra.u.gso.type = gso_type;
		extra.u.gso.size = skb_shinfo(skb)->gso_size;
		xenvif_rx_add_extra(queue, &extra);
	}
	if (xenvif_rx_tells_hash(queue, skb)) {
		const struct xenvif_rx_cb *cb = xenvif_rx_cb(skb);

		memset(&extra, 0, sizeof(extra));
		extra.type = XEN_NETIF_EXTRA_TYPE_HASH;
		extra.flags = --n ? XEN_NETIF_EXTRA_FLAG_MORE : 0;
		extra.u.hash.type = cb->hash_type;
		extra.u.hash.algorithm = XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ;
		put_unaligned_le32(cb->hash, extra.u.hash.value);
		xenvif_rx_add_extra(queue, &extra);
	}
	if (queue->rx.headroom) {
		memset(&extra, 0, sizeof(extra));
		extra.type = XEN_NETIF_EXTRA_TYPE_XDP;
		extra.u.xdp.headroom = queue->rx.headroom;
		xenvif_rx_add_extra(queue, &extra);
	}
}

/**
 * struct xenvif_rx_cut - a packet being cut into slots
 * @queue: the queue
 * @skb: the packet
 * @pack: where the next piece goes
 * @rsp: the open slot's response; NULL before the first one
 * @gref: the open slot's grant
 * @fill: data bytes in the open slot
 * @extras: its extra infos
 */
struct xenvif_rx_cut {
	struct xenvif_queue *queue;
	const struct sk_buff *skb;
	struct xenvif_pack pack;
	struct xen_netif_rx_response *rsp;
	grant_ref_t gref;
	u32 fill;
	u32 extras;
};

static void xenvif_rx_next_slot(struct xenvif_rx_cut *cut)
{
	struct xen_netif_rx_response *last = cut->rsp;

	cut->rsp = xenvif_rx_open_slot(cut->queue, &cut->gref);
	cut->fill = 0;
	if (last) {
		last->flags |= XEN_NETRXF_more_data;
		return;
	}
	if (cut->skb->ip_summed == CHECKSUM_PARTIAL)
		cut->rsp->flags = XEN_NETRXF_csum_blank | XEN_NETRXF_data_validated;
	else if (cut->skb->ip_summed == CHECKSUM_UNNECESSARY)
		cut->rsp->flags = XEN_NETRXF_data_validated;
	if (cut->extras)
		xenvif_rx_add_extras(cut->queue, cut->skb, cut->rsp, cut->extras);
}

/* Have a piece copied into the open slot: now if the guest's page is mapped, else
 * with the batch.
 */
static void xenvif_rx_copy_piece(struct xenvif_rx_cut *cut, struct page *page, u32 offset,
				 u32 len)
{
	struct xenvif_queue_rx *rx = &cut->queue->rx;
	u32 dst = rx->headroom + cut->fill;

	if (xenvif_gref_write(&cut->queue->grefs, cut->gref, dst, page, offset, len)) {
		rx->counts[XENVIF_RX_COPIES_SAVED]++;
		return;
	}
	/* The thread's only: see xenvif_rx_batch(). */
	if (!xenvif_batch_room(&rx->batch))
		xenvif_rx_copy(rx);
	rx->op_slot[rx->batch.n] = cut->rsp - rx->rsp;
	xenvif_batch_write(&rx->batch, page, offset, cut->queue->vif->domid, cut->gref, dst,
			   len);
}

/* Order the copies of a piece of the packet that lies within a page of ours. */
static void xenvif_rx_cut_chunk(struct xenvif_rx_cut *cut, struct page *page,
				u32 offset, u32 len)
{
	u32 piece;
	bool fresh;

	for (; len; len -= piece, offset += piece) {
		piece = xenvif_pack_next(&cut->pack, len, &fresh);
		if (fresh)
			xenvif_rx_next_slot(cut);
		xenvif_rx_copy_piece(cut, page, offset, piece);
		cut->fill += piece;
		/* An error stays, if a piece of this slot has already failed. */
		if (cut->rsp->status >= 0)
			cut->rsp->status = cut->fill;
	}
}

/* Cut a run of bytes at the page boundaries of Xen. */
static void xenvif_rx_cut_run(struct xenvif_rx_cut *cut, struct page *page,
			      u32 offset, u32 len)
{
	u32 chunk;

	for (; len; len -= chunk, offset += chunk) {
		page += offset >> PAGE_SHIFT;
		offset &= ~PAGE_MASK;
		chunk = min_t(u32, len, XEN_PAGE_SIZE - (offset & ~XEN_PAGE_MASK));
		xenvif_rx_cut_chunk(cut, page, offset, chunk);
	}
}

/* Cut one buffer of the packet; it may have others on its list. */
static void xenvif_rx_cut_buffer(struct xenvif_rx_cut *cut, const struct sk_buff *skb)
{
	u32 i;

	xenvif_rx_cut_run(cut, virt_to_page(skb->data), offset_in_page(skb->data),
			  skb_headlen(skb));
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		xenvif_rx_cut_run(cut, skb_frag_page(frag), skb_frag_off(frag),
				  skb_frag_size(frag));
	}
}

/* Order all of a packet's copies, into at most max_slots data slots. */
static void xenvif_rx_cut_packet(struct xenvif_queue *queue, struct sk_buff *skb,
				 u32 max_slots, u32 extras)
{
	struct xenvif_rx_cut cut = {
		.queue = queue,
		.skb = skb,
		.extras = extras,
		.pack = {
			.rest = skb->len,
			.bufs = max_slots,
			.size = xenvif_rx_slot_size(queue->rx.headroom),
		},
	};
	const struct sk_buff *part;

	xenvif_rx_cut_buffer(&cut, skb);
	skb_walk_frags(skb, part)
		xenvif_rx_cut_buffer(&cut, part);

	queue->rx.counts[XENVIF_RX_PACKETS]++;
	queue->rx.counts[XENVIF_RX_BYTES] += skb->len;
}

/* Whether buffers suffice for the next packet, or for any if there is none. */
static bool xenvif_rx_has_buffers(struct xenvif_queue *queue, int avail)
{
	struct sk_buff *skb = xenvif_rx_head(&queue->rx);
	int need = skb ? xenvif_rx_need(queue, skb) + xenvif_rx_extras(queue, skb) : 1;

	return avail >= need;
}

/* Drop what has waited too long. Also the way out for a packet that the
 * frontend's buffers can never take.
 */
static void xenvif_rx_expire(struct xenvif_queue *queue)
{
	struct xenvif_queue_rx *rx = &queue->rx;
	struct xenvif_rx_freed freed = {};
	struct sk_buff *skb;

	while ((skb = xenvif_rx_head(rx)) &&
	       time_after_eq(jiffies, xenvif_rx_cb(skb)->expires) &&
	       !xenvif_rx_has_buffers(queue, xenvif_rx_ring_avail(&rx->ring))) {
		__skb_unlink(skb, &rx->todo);
		xenvif_rx_free_one(&freed, skb);
		rx->counts[XENVIF_RX_DROP_EXPIRED]++;
		kfree_skb_reason(skb, SKB_DROP_REASON_QUEUE_PURGE);
	}
	if (!freed.n)
		return;
	local_bh_disable();
	xenvif_rx_release(queue, &freed);
	xenvif_rx_commit(queue);
	local_bh_enable();
}

/* Whether there is room for all of a packet's copies: at most two for the rest of a
 * page at either end of each of its parts, and one for each page and slot between.
 */
static bool xenvif_rx_batch_fits(const struct xenvif_queue_rx *rx, const struct sk_buff *skb)
{
	return !skb_has_frag_list(skb) &&
	       xenvif_batch_room(&rx->batch) >= 2 * (skb_shinfo(skb)->nr_frags + 1) +
						2 * XENVIF_RX_SLOTS_MAX;
}

/* Take packets as long as there are buffers for them, and send them off. */
static void xenvif_rx_batch(struct xenvif_queue *queue)
{
	struct xenvif_queue_rx *rx = &queue->rx;
	int avail = xenvif_rx_ring_avail(&rx->ring);
	struct sk_buff *skb;
	u32 extras, need;

	while (avail > 0 && (skb = xenvif_rx_head(rx))) {
		u32 taken = rx->n_rsp;

		extras = xenvif_rx_extras(queue, skb);
		need = xenvif_rx_need(queue, skb);
		if (need + extras > avail)
			break;
		/* Copies in the midst of a packet may have to be waited for. */
		if (rx->turn != XENVIF_RX_TURN_THREAD && !xenvif_rx_batch_fits(rx, skb))
			break;
		__skb_unlink(skb, &rx->todo);
		xenvif_rx_cut_packet(queue, skb,
				     min_t(u32, max_t(u32, need, XENVIF_RX_SLOTS_LIKED),
					   avail - extras), extras);
		__skb_queue_tail(&rx->done, skb);
		rx->starving = false;

		taken = rx->n_rsp - taken;
		trace_xenvif_rx_packet(queue, skb, taken - extras, extras);
		avail -= taken;
		/* Full enough: the guest can begin with these. */
		if (rx->batch.n + rx->counts[XENVIF_RX_COPIES_SAVED] > rx->batch.max / 2)
			break;
	}
	if (!skb_queue_empty(&rx->done) && xenvif_rx_copy(rx))
		xenvif_rx_finish(queue);
}

/* The frontend may change its mind, but not within a packet. */
static void xenvif_rx_begin(struct xenvif_queue *queue)
{
	queue->rx.headroom = READ_ONCE(queue->vif->xdp_headroom);
	queue->rx.hashing = xenvif_rx_hashing(queue->vif);
}

static void xenvif_rx_pass(struct xenvif_queue_rx *rx, u32 turn)
{
	/* What was done in this turn before the next one. */
	smp_store_release(&rx->turn, turn);
}

/**
 * xenvif_rx_send() - send off what there is for the guest, if it is little
 * @queue: the queue
 *
 * What cannot be done at once is left to the thread.
 *
 * A packet that is queued while a sender has the turn would be nobody's: the sender holds
 * the netdev queue's lock, under which packets are queued, so there is none. One that
 * is queued while the poll has it has the poll run again.
 *
 * Context: the queue's NAPI poll, or ndo_start_xmit, under the netdev queue's lock; bh
 * off, interrupts on.
 * Return: whether it was this one's turn; if not, the one whose turn it is may have
 * seen all packets, or not.
 */
bool xenvif_rx_send(struct xenvif_queue *queue)
{
	struct xenvif_queue_rx *rx = &queue->rx;

	if (unlikely(xenvif_is_fatal(queue->vif)) || skb_queue_empty_lockless(&rx->backlog) ||
	    cmpxchg(&rx->turn, XENVIF_RX_TURN_NONE, XENVIF_RX_TURN_POLL) != XENVIF_RX_TURN_NONE)
		return false;

	xenvif_rx_begin(queue);
	/* What comes from here on has the poll run again, or the thread wait for this turn. */
	xenvif_rx_head(rx);
	xenvif_rx_batch(queue);
	if (skb_queue_empty(&rx->done) && skb_queue_empty(&rx->todo)) {
		xenvif_rx_pass(rx, XENVIF_RX_TURN_NONE);
		return true;
	}
	xenvif_rx_pass(rx, XENVIF_RX_TURN_THREAD);
	wake_up(&rx->wait);
	return true;
}

/* A queue is stalled when its packets have waited for buffers for too long; then
 * they are dropped as they come, until there are buffers again.
 */
static void xenvif_rx_check_stall(struct xenvif_queue *queue)
{
	struct xenvif_queue_rx *rx = &queue->rx;
	unsigned long timeout = queue->vif->rx_stall_timeout;
	bool has_buffers = xenvif_rx_has_buffers(queue, xenvif_rx_ring_avail(&rx->ring));

	/* It starves from the first packet that waits until there are buffers,
	 * whether or not that packet is still there.
	 */
	if (has_buffers) {
		rx->starving = false;
	} else if (!rx->starving && xenvif_rx_head(rx)) {
		rx->starving = true;
		rx->starving_since = jiffies;
	}

	if (!rx->stalled && rx->starving && timeout &&
	    time_after_eq(jiffies, rx->starving_since + timeout)) {
		WRITE_ONCE(rx->stalled, true);
		rx->counts[XENVIF_RX_STALLS]++;
		/* Nothing else may happen here for long. */
		xenvif_rx_commit_bh(queue);
		xenvif_queue_stalled(queue, true);
	} else if (rx->stalled && has_buffers) {
		WRITE_ONCE(rx->stalled, false);
		xenvif_queue_stalled(queue, false);
	}
}

/* Whether the thread has something to do now; if not, an event is asked for. */
static bool xenvif_rx_ready(struct xenvif_queue *queue)
{
	struct xenvif_queue_rx *rx = &queue->rx;
	struct sk_buff *skb = xenvif_rx_head(rx);
	int avail, seen;

	if (unlikely(xenvif_is_fatal(queue->vif)))
		return false;
	/* Nothing to send: buffers are of no interest, unless for the carrier. */
	if (!skb && !rx->stalled)
		return false;
	if (skb && time_after_eq(jiffies, xenvif_rx_cb(skb)->expires))
		return true;

	avail = xenvif_rx_ring_avail(&rx->ring);
	seen = avail;
	if (avail >= 0 && !xenvif_rx_has_buffers(queue, avail))
		avail = xenvif_rx_ring_rest(&rx->ring, seen);
	if (unlikely(avail < 0)) {
		xenvif_fatal(queue->vif, "the RX ring is corrupt");
		return false;
	}
	/* More than before, and still too few: to be asked for anew. */
	return avail > seen || xenvif_rx_has_buffers(queue, avail);
}

/* How long the thread may sleep if nobody wakes it, in jiffies. Only for a packet that
 * xenvif_rx_ready() has seen: see xenvif_rx_sleep().
 */
static long xenvif_rx_patience(struct xenvif_queue *queue)
{
	struct xenvif_queue_rx *rx = &queue->rx;
	unsigned long stall = queue->vif->rx_stall_timeout;
	struct sk_buff *skb = skb_peek(&rx->todo);
	long patience = MAX_SCHEDULE_TIMEOUT;

	if (xenvif_is_fatal(queue->vif))
		return patience;
	if (skb)
		patience = xenvif_rx_cb(skb)->expires - jiffies;
	else if (rx->stalled)
		/* One may be queued that its sender had let pass just before. */
		patience = max_t(long, queue->vif->rx_drain_timeout, HZ);
	/* The queue stalls in time, even if nothing waits any more. */
	if (stall && rx->starving && !rx->stalled)
		patience = min_t(long, patience, rx->starving_since + stall - jiffies);
	return max(patience, 1L);
}

/* Sleep while there are no packets. Until then they are the poll's. */
static void xenvif_rx_sleep_idle(struct xenvif_queue_rx *rx, long patience)
{
	xenvif_rx_pass(rx, XENVIF_RX_TURN_NONE);
	smp_mb(); /* the turn before the last look: see xenvif_rx_call() */
	if (skb_queue_empty_lockless(&rx->backlog))
		schedule_timeout(patience);

	/* The poll does not take long. It may have left something. */
	while (cmpxchg(&rx->turn, XENVIF_RX_TURN_NONE, XENVIF_RX_TURN_THREAD) ==
	       XENVIF_RX_TURN_POLL) {
		/* Where the poll can be preempted this may be what keeps it from its end. */
		if (IS_ENABLED(CONFIG_PREEMPT_RT))
			schedule_timeout_idle(1);
		else
			cpu_relax();
	}
	/* If it has, a cmpxchg() that failed is all that came in between. */
	smp_acquire__after_ctrl_dep();
}

/* Sleep until there is something to do. Before it does the thread owes an end to
 * the interrupt that woke it.
 */
static void xenvif_rx_sleep(struct xenvif_queue *queue)
{
	struct xenvif_queue_rx *rx = &queue->rx;
	DEFINE_WAIT(wait);
	long patience;

	prepare_to_wait(&rx->wait, &wait, TASK_IDLE);
	if (!kthread_should_stop() && !xenvif_rx_ready(queue)) {
		xenvif_channel_done(xenvif_rx_channel(queue), XENVIF_OWED_RX, true);
		patience = xenvif_rx_patience(queue);
		/* Those that came since are not looked at here: for them nobody has
		 * asked for an event, and who sent them leaves them to the thread.
		 */
		if (!skb_queue_empty(&rx->todo) || rx->stalled || xenvif_is_fatal(queue->vif))
			schedule_timeout(patience);
		else
			xenvif_rx_sleep_idle(rx, patience);
	}
	finish_wait(&rx->wait, &wait);
}

/**
 * xenvif_rx_thread() - a queue's guest-RX thread
 * @data: the queue
 *
 * Follows xen/interface/io/netif.h, "Guest receive". It ends only when it is
 * stopped; after a fatal error it sleeps until then.
 *
 * Context: a thread of its own, bound to no processor.
 * Return: 0.
 */
int xenvif_rx_thread(void *data)
{
	struct xenvif_queue *queue = data;
	struct xenvif_queue_rx *rx = &queue->rx;

	while (!kthread_should_stop()) {
		xenvif_rx_sleep(queue);
		if (kthread_should_stop() || xenvif_is_fatal(queue->vif))
			continue;
		/* The poll had copies that must be waited for. */
		if (!skb_queue_empty(&rx->done) && xenvif_rx_check(rx))
			xenvif_rx_finish(queue);
		xenvif_rx_begin(queue);
		xenvif_rx_batch(queue);
		xenvif_rx_expire(queue);
		xenvif_rx_check_stall(queue);
		/* With a shared channel the other direction waits for this. */
		xenvif_channel_done(xenvif_rx_channel(queue), XENVIF_OWED_RX, true);
		cond_resched();
	}
	return 0;
}

/**
 * xenvif_rx_kick() - the guest may have posted buffers
 * @queue: the queue
 *
 * Context: any; the event handler's, mostly.
 * Return: whether the thread was woken for it, and will end the interrupt.
 */
bool xenvif_rx_kick(struct xenvif_queue *queue)
{
	struct xenvif_queue_rx *rx = &queue->rx;

	if (!wq_has_sleeper(&rx->wait))
		return false;
	if (skb_queue_empty_lockless(&rx->todo) && !READ_ONCE(rx->stalled))
		return false;
	wake_up(&rx->wait);
	return true;
}

/**
 * xenvif_rx_purge() - drop all that waits for the guest
 * @queue: a queue whose thread has ended, and that nobody can enqueue to
 *
 * Context: process.
 */
void xenvif_rx_purge(struct xenvif_queue *queue)
{
	struct xenvif_queue_rx *rx = &queue->rx;
	struct sk_buff *skb;

	skb_queue_splice_tail_init(&rx->backlog, &rx->todo);
	while ((skb = __skb_dequeue(&rx->todo))) {
		rx->counts[XENVIF_RX_DROP_PURGED]++;
		kfree_skb_reason(skb, SKB_DROP_REASON_QUEUE_PURGE);
	}
	while ((skb = __skb_dequeue(&rx->done)))
		consume_skb(skb);
	rx->bytes = 0;
	rx->batch.n = 0;
	rx->n_rsp = 0;
	/* The next connection's packets are not to be taken for these. */
	netdev_tx_reset_queue(netdev_get_tx_queue(queue->vif->dev, queue->id));
	xenvif_rx_commit_bh(queue);
}
