/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * xen-netback: what its files share.
 *
 * tx and rx are the guest's words throughout, as in xen/interface/io/netif.h:
 * guest-TX is what the guest sends and the host receives. The two views meet in
 * one function, xenvif_get_stats64().
 *
 * Lifetimes
 *
 *   struct xenvif          netdev_priv(). From probe to remove of the xenbus
 *                          device; counters live as long.
 *   struct xenvif_queues   the set of queues of one connection. Built aside,
 *                          published in vif->queues when all of it runs, taken
 *                          out at disconnect, freed after synchronize_net().
 *   struct xenvif_queue    a member of a set, as long as the set.
 *
 * Locks
 *
 *   backend->lock (mutex)  xenbus.c: the state machine, connect and disconnect.
 *                          Outermost; the RTNL is taken inside it, so nobody
 *                          may ask for it while holding the RTNL.
 *   xenvif_transaction_lock  xenbus.c: inside backend->lock, over the requests of one
 *                          transaction with xenstore. Nothing is taken inside it.
 *   RTNL                   features, MTU, the number of real queues, carrier at
 *                          connect; publishing of vif->queues.
 *   RCU                    readers of vif->queues: ndo_start_xmit, ndo_get_stats64;
 *                          of vif->hash: ndo_select_queue, ndo_start_xmit;
 *                          of queue->grefs: whoever has copies made.
 *   vif->credit_lock       the token bucket; bh off.
 *   vif->stall_lock        which queues work; process context.
 *   vif->mcast_lock        writers of the multicast table, which are the NAPI
 *                          instances of all queues; bh off. Readers need none.
 *   queue->rx.lock         backlog of guest-RX packets: the netdev's transmit
 *                          path against the queue's thread; interrupts off,
 *                          as netpoll may transmit from anywhere.
 *   netdev tx queue lock   ndo_start_xmit of one queue, one at a time.
 *   NAPI                   all of queue->tx but what says otherwise.
 *   ctrl's work item       all of struct xenvif_ctrl; writing of queue->grefs.
 *   queue->rx.turn         all of queue->rx but what says otherwise.
 */

#ifndef XENVIF_COMMON_H
#define XENVIF_COMMON_H

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/etherdevice.h>
#include <linux/hrtimer.h>
#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/u64_stats_sync.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <net/page_pool/helpers.h>
#include <xen/events.h>
#include <xen/xen.h>
#include <xen/xenbus.h>

#include "credit.h"
#include "grant.h"
#include "gref.h"
#include "hash.h"
#include "mcast.h"
#include "ring.h"
#include "tx_parse.h"

/* Queues that a vif may have by default, if there are as many processors. */
#define XENVIF_QUEUES_DEFAULT	8

/* Upper bound of max_queues: a ring page and a channel each, for each guest. */
#define XENVIF_QUEUES_MAX	64

/* The largest MTU: a guest describes a frame's length with 16 bits, and a frame
 * may have a VLAN tag.
 */
#define XENVIF_MTU_MAX		(XEN_NETIF_MAX_TX_SIZE - VLAN_ETH_HLEN)

/* Packets of one NAPI poll. */
#define XENVIF_TX_BATCH		NAPI_POLL_WEIGHT

/* Grant copies of one NAPI poll: a ring full of slots, and what splitting adds. */
#define XENVIF_TX_OPS		(XENVIF_TX_RING_SIZE + XENVIF_TX_SLOTS_MAX)

/* Grant copies of one guest-RX batch. */
#define XENVIF_RX_OPS		128

/* Ring slots that a guest-RX packet's data may take: what every frontend takes. */
#define XENVIF_RX_SLOTS_MAX	XEN_NETIF_NR_SLOTS_MIN

/* The most that are used where fewer suffice. A Linux frontend makes a fragment of each
 * slot and has 17; an 18th finds room only if the first one's data, of which it pulls
 * 256 bytes, are gone by then, and else the packet is dropped. One with larger pages,
 * which x86 never has, had 16 before Linux 6.4.
 */
#define XENVIF_RX_SLOTS_LIKED	(XENVIF_RX_SLOTS_MAX - (IS_ENABLED(CONFIG_X86) ? 1 : 2))

/* Bytes of memory (truesize) at which a queue's backlog takes no more packets; so
 * it holds on to less than this and one packet.
 */
#define XENVIF_RX_BACKLOG_MAX	(1024 * 1024)

/* Bytes of memory (truesize) that are few enough to be sent off by the poll, instead
 * of waking the thread for them.
 */
#define XENVIF_RX_FEW		(64 * 1024)

/* Slots that are worth an event; and how long packets are left to the thread when events
 * come for fewer, in jiffies.
 */
#define XENVIF_RX_BURST		8
#define XENVIF_RX_GATHER	DIV_ROUND_UP(HZ, 100)

/* Times that a poll is repeated for a guest's page that is paged out. */
#define XENVIF_TX_EAGAIN_MAX	64

/* Headroom that a frontend may ask for. A page must still take data. */
#define XENVIF_XDP_HEADROOM_MAX	256

/**
 * enum xenvif_tx_stat - counters of a queue's guest-TX side
 * @XENVIF_TX_PACKETS: packets handed to the host
 * @XENVIF_TX_BYTES: their bytes, from the Ethernet header on
 * @XENVIF_TX_DROP_SHORT: dropped: shorter than an Ethernet header
 * @XENVIF_TX_DROP_RANGE: dropped: data over the end of a page
 * @XENVIF_TX_DROP_SLOTS: dropped: too many slots
 * @XENVIF_TX_DROP_LENGTH: dropped: slots longer than the packet
 * @XENVIF_TX_DROP_EXTRA: dropped: extra info unknown, repeated or out of place
 * @XENVIF_TX_DROP_GSO: dropped: impossible segment size or type
 * @XENVIF_TX_DROP_COPY: dropped: a grant copy failed
 * @XENVIF_TX_DROP_NOMEM: dropped: no memory
 * @XENVIF_TX_DROP_HEADER: dropped: offload asked for, and headers do not fit it
 * @XENVIF_TX_DROP_DOWN: dropped: the interface is down
 * @XENVIF_TX_CSUM_FIXUP: packets to be segmented that came with a checksum
 * @XENVIF_TX_MCAST_MSGS: multicast control messages
 * @XENVIF_TX_REQUESTS: ring slots consumed
 * @XENVIF_TX_COPIES: grant copies made
 * @XENVIF_TX_COPIES_SAVED: copies made from pages that are mapped
 * @XENVIF_TX_BATCHES: hypercalls that made them
 * @XENVIF_TX_NOTIFIES: events raised for the guest
 * @XENVIF_TX_THROTTLED: times that the rate limit ended a poll
 *
 * Written by the NAPI poll. The names that users see are in ethtool.c.
 */
enum xenvif_tx_stat {
	XENVIF_TX_PACKETS,
	XENVIF_TX_BYTES,
	XENVIF_TX_DROP_SHORT,
	XENVIF_TX_DROP_RANGE,
	XENVIF_TX_DROP_SLOTS,
	XENVIF_TX_DROP_LENGTH,
	XENVIF_TX_DROP_EXTRA,
	XENVIF_TX_DROP_GSO,
	XENVIF_TX_DROP_COPY,
	XENVIF_TX_DROP_NOMEM,
	XENVIF_TX_DROP_HEADER,
	XENVIF_TX_DROP_DOWN,
	XENVIF_TX_CSUM_FIXUP,
	XENVIF_TX_MCAST_MSGS,
	XENVIF_TX_REQUESTS,
	XENVIF_TX_COPIES,
	XENVIF_TX_COPIES_SAVED,
	XENVIF_TX_BATCHES,
	XENVIF_TX_NOTIFIES,
	XENVIF_TX_THROTTLED,
	/* private: */
	XENVIF_TX_STAT_MAX,
};

/**
 * enum xenvif_rx_stat - counters of a queue's guest-RX side
 * @XENVIF_RX_PACKETS: packets put into the guest's buffers
 * @XENVIF_RX_BYTES: their bytes, from the Ethernet header on
 * @XENVIF_RX_COPY_ERRORS: grant copies that failed; the guest got an error
 * @XENVIF_RX_DROP_EXPIRED: dropped: waited too long for buffers
 * @XENVIF_RX_DROP_PURGED: dropped: still waiting at disconnect
 * @XENVIF_RX_SLOTS: ring slots used
 * @XENVIF_RX_COPIES: grant copies made
 * @XENVIF_RX_COPIES_SAVED: copies made to pages that are mapped
 * @XENVIF_RX_BATCHES: hypercalls that made them
 * @XENVIF_RX_NOTIFIES: events raised for the guest
 * @XENVIF_RX_STALLS: times that the queue was declared stalled
 *
 * Written by the queue's thread.
 */
enum xenvif_rx_stat {
	XENVIF_RX_PACKETS,
	XENVIF_RX_BYTES,
	XENVIF_RX_COPY_ERRORS,
	XENVIF_RX_DROP_EXPIRED,
	XENVIF_RX_DROP_PURGED,
	XENVIF_RX_SLOTS,
	XENVIF_RX_COPIES,
	XENVIF_RX_COPIES_SAVED,
	XENVIF_RX_BATCHES,
	XENVIF_RX_NOTIFIES,
	XENVIF_RX_STALLS,
	/* private: */
	XENVIF_RX_STAT_MAX,
};

/**
 * enum xenvif_xmit_stat - counters of what is refused before it is queued
 * @XENVIF_XMIT_DROP_DISCONNECTED: dropped: no frontend, or not that many queues
 * @XENVIF_XMIT_DROP_STALLED: dropped: the queue is stalled
 * @XENVIF_XMIT_DROP_FULL: dropped: the backlog is full, and its stop not heeded
 * @XENVIF_XMIT_DROP_FILTERED: dropped: multicast that the guest has not asked for
 * @XENVIF_XMIT_DROP_UNFIT: dropped: more slots than a frontend takes
 *
 * Written by ndo_start_xmit under the netdev queue's lock.
 */
enum xenvif_xmit_stat {
	XENVIF_XMIT_DROP_DISCONNECTED,
	XENVIF_XMIT_DROP_STALLED,
	XENVIF_XMIT_DROP_FULL,
	XENVIF_XMIT_DROP_FILTERED,
	XENVIF_XMIT_DROP_UNFIT,
	/* private: */
	XENVIF_XMIT_STAT_MAX,
};

/**
 * struct xenvif_stats - all counters of one queue index
 * @tx: written by the NAPI poll
 * @rx: written by the queue's thread
 * @xmit: written by ndo_start_xmit
 * @tx_sync: guards @tx for readers on 32 bits
 * @rx_sync: the same for @rx
 * @xmit_sync: the same for @xmit
 *
 * They belong to the vif and not to the queue: a reconnect takes nothing back.
 */
struct xenvif_stats {
	struct u64_stats_sync tx_sync;
	u64_stats_t tx[XENVIF_TX_STAT_MAX];

	struct u64_stats_sync rx_sync ____cacheline_aligned_in_smp;
	u64_stats_t rx[XENVIF_RX_STAT_MAX];

	struct u64_stats_sync xmit_sync ____cacheline_aligned_in_smp;
	u64_stats_t xmit[XENVIF_XMIT_STAT_MAX];
};

/**
 * struct xenvif_channel - an event channel and what is owed to it
 * @irq: bound interrupt, 0 if none
 * @owed: XENVIF_OWED_*: sides that have yet to say they are done with the event
 *
 * The end of interrupt is sent late, once all sides have done their work, and is
 * marked spurious only if none of them had any: see xenvif_channel_done().
 */
struct xenvif_channel {
	unsigned int irq;
	atomic_t owed;
};

#define XENVIF_OWED_TX		BIT(0)
#define XENVIF_OWED_RX		BIT(1)
#define XENVIF_OWED_WORKED	BIT(2)
/* Of a channel of its own, so it is never owed beside others. */
#define XENVIF_OWED_CTRL	BIT(3)

/**
 * enum xenvif_queue_state - how far a queue has been raised
 * @XENVIF_QUEUE_NONE: memory only
 * @XENVIF_QUEUE_MAPPED: the frontend's rings are mapped
 * @XENVIF_QUEUE_BOUND: its event channels are bound, and masked
 * @XENVIF_QUEUE_RUNNING: NAPI, thread and interrupts are at work
 */
enum xenvif_queue_state {
	XENVIF_QUEUE_NONE,
	XENVIF_QUEUE_MAPPED,
	XENVIF_QUEUE_BOUND,
	XENVIF_QUEUE_RUNNING,
};

/**
 * struct xenvif_tx_work - a packet between its copy's order and its delivery
 * @head: the first buffer of its data; NULL if there is nothing to deliver
 * @size: bytes of @head, with what an skb has at its end
 * @linear: bytes of data in @head
 * @first_op: index of its first operation in the batch
 * @n_ops: how many there are
 * @n_requests: ring slots to answer for
 * @n_extras: of these, the extra infos
 * @status: XEN_NETIF_RSP_* to answer with
 * @flags: XEN_NETTXF_* of the first slot
 * @cold: its pages are not of the pool
 * @gso_size: payload bytes of a segment
 * @gso_type: XEN_NETIF_GSO_TYPE_*
 * @hash_type: _XEN_NETIF_CTRL_HASH_TYPE_*
 * @hash_alg: XEN_NETIF_CTRL_HASH_ALGORITHM_*
 * @n_frags: pages with data beside @head; they are where the skb's fragments will be
 * @hash: the guest's hash of the packet
 */
struct xenvif_tx_work {
	void *head;
	u32 size;
	u16 linear;
	u16 first_op;
	u16 n_ops;
	u16 n_requests;
	u16 n_extras;
	s16 status;
	u8 flags;
	bool cold;
	u16 gso_size;
	u8 gso_type;
	u8 hash_type;
	u8 hash_alg;
	u8 n_frags;
	u32 hash;
};

/* Whether a queue's pool has pages that are not in use: it has none; there were no
 * packets since somebody looked; there were.
 */
#define XENVIF_POOL_EMPTY	0
#define XENVIF_POOL_RESTED	1
#define XENVIF_POOL_USED	2

/* The first page that a pool is asked for has it take 64, and keep them; so it is not
 * asked before there were so many packets. Most of a host's queues say next to nothing.
 */
#define XENVIF_POOL_COLD	64

/* How often somebody looks, in jiffies. */
#define XENVIF_POOL_LOOK	(10 * HZ)

/**
 * struct xenvif_queue_tx - a queue's guest-TX side
 * @napi: its NAPI instance: what follows is touched by its poll alone, or while it
 *	is disabled
 * @pool: pages for the packets
 * @cold: how many more packets get pages that are not @pool's
 * @age: XENVIF_POOL_*: how long ago there were packets; shared with xenvif_queue_trim()
 * @batch: grant copies of the poll
 * @work: packets of the poll
 * @n_work: how many; not 0 between polls only while copies are being retried
 * @n_eagain: how often they have been
 * @stop: enum xenvif_tx_stop: why the poll took no more packets
 * @wait: how long until there is credit for the next one, in ns
 * @ticket: which that one has paid for; guarded by &xenvif.credit_lock
 * @worked: there was something to do since the last rest
 * @late: work was found in the last look before a rest, so an event for it may
 *	come that finds nothing left to do
 * @counts: counters of the poll, committed at its end
 * @throttle: wakes the poll when there is credit again; set by the poll
 * @ring: the shared ring and the copies of its requests
 */
struct xenvif_queue_tx {
	struct napi_struct napi;
	struct page_pool *pool;
	u32 cold;
	u8 age;
	struct xenvif_batch batch;
	struct xenvif_tx_work *work;
	u32 n_work;
	u32 n_eagain;
	u32 stop;
	u64 wait;
	struct xenvif_ticket ticket;
	bool worked;
	bool late;
	u32 counts[XENVIF_TX_STAT_MAX];
	struct hrtimer throttle;
	struct xenvif_tx_ring ring;
};

/* Whose turn it is on a queue's guest-RX side: see struct xenvif_queue_rx. */
#define XENVIF_RX_TURN_THREAD	0
#define XENVIF_RX_TURN_NONE	1
#define XENVIF_RX_TURN_POLL	2

/**
 * struct xenvif_queue_rx - a queue's guest-RX side
 *
 * Shared by ndo_start_xmit and the thread, under @lock:
 * @lock: see there
 * @backlog: packets from the host that the thread has not taken yet
 * @bytes: truesize of @backlog and of what the thread has taken and not freed
 *
 * Shared, without a lock:
 * @wait: the thread sleeps here
 * @turn: XENVIF_RX_TURN_*: who may touch what is below
 * @stalled: no buffers for too long: packets are dropped at once
 * @gather: until when the poll leaves packets to the thread even if they are few, in
 *	jiffies: see xenvif_rx_told()
 *
 * Of the one whose @turn it is. That is the thread, unless it sleeps for want of
 * packets; then the poll, or ndo_start_xmit, may take its turn if they are few, and
 * leaves to the thread what it cannot send off at once. Nobody waits but the thread
 * for these.
 * @task: the thread
 * @todo: packets taken from @backlog
 * @done: packets whose copies are made, to be freed
 * @batch: grant copies
 * @op_slot: for each operation the entry of @rsp that it fills
 * @rsp: responses, in ring order, not yet shown to the guest
 * @n_rsp: how many
 * @headroom: bytes in front of the data of a slot
 * @hashing: the guest is told the hash of its packets
 * @starving: packets wait, or waited, and there were no buffers since
 * @starving_since: since when, in jiffies
 * @told: when the guest was last sent an event by the poll, in jiffies
 * @heard: the TX requests that it had posted by then
 * @counts: counters since the last commit
 * @ring: the shared ring
 */
struct xenvif_queue_rx {
	spinlock_t lock; /* backlog, bytes */
	struct sk_buff_head backlog;
	u32 bytes;

	wait_queue_head_t wait ____cacheline_aligned_in_smp;
	u32 turn;
	bool stalled;
	unsigned long gather;

	struct task_struct *task ____cacheline_aligned_in_smp;
	struct sk_buff_head todo;
	struct sk_buff_head done;
	struct xenvif_batch batch;
	u16 *op_slot;
	struct xen_netif_rx_response *rsp;
	u32 n_rsp;
	u32 headroom;
	bool hashing;
	bool starving;
	unsigned long starving_since;
	unsigned long told;
	u32 heard;
	u32 counts[XENVIF_RX_STAT_MAX];
	struct xenvif_rx_ring ring;
};

/**
 * struct xenvif_queue - one queue of a connected vif
 * @vif: whose
 * @id: index in the set
 * @state: how far it has been raised; the control plane's
 * @grefs: pages that the guest wants mapped; NULL before it says so
 * @name: for its interrupts and its thread
 * @tx_channel: the guest's TX events; both directions' if there is but one
 * @rx_channel: the guest's RX events; unused if there is but one
 * @tx_irq_name: name of @tx_channel's interrupt
 * @rx_irq_name: name of @rx_channel's interrupt
 * @tx: guest to host
 * @rx: host to guest
 */
struct xenvif_queue {
	struct xenvif *vif;
	u32 id;
	enum xenvif_queue_state state;
	struct xenvif_grefs __rcu *grefs;
	char name[IFNAMSIZ + 8];
	char tx_irq_name[IFNAMSIZ + 12];
	char rx_irq_name[IFNAMSIZ + 12];
	/* Each channel with its side: they are busy on different processors. */
	struct xenvif_queue_tx tx ____cacheline_aligned_in_smp;
	struct xenvif_channel tx_channel;
	struct xenvif_queue_rx rx ____cacheline_aligned_in_smp;
	struct xenvif_channel rx_channel;
};

/**
 * struct xenvif_queues - the queues of one connection
 * @n: how many
 * @queue: these
 */
struct xenvif_queues {
	u32 n;
	struct xenvif_queue *queue[] __counted_by(n);
};

/**
 * struct xenvif_queue_config - where the frontend says a queue is
 * @tx_ref: grant of the TX ring
 * @rx_ref: grant of the RX ring
 * @tx_port: event channel of the TX ring
 * @rx_port: event channel of the RX ring; the same as @tx_port if shared
 */
struct xenvif_queue_config {
	grant_ref_t tx_ref;
	grant_ref_t rx_ref;
	evtchn_port_t tx_port;
	evtchn_port_t rx_port;
};

/**
 * struct xenvif_ctrl_config - where the frontend says its control ring is
 * @present: it has one
 * @ref: grant of the ring
 * @port: its event channel
 */
struct xenvif_ctrl_config {
	bool present;
	grant_ref_t ref;
	evtchn_port_t port;
};

/**
 * struct xenvif_frontend - what the connected frontend can take
 * @sg: packets of more than one slot
 * @gso_tcpv4: TCPv4 packets to be segmented
 * @gso_tcpv6: TCPv6 packets to be segmented
 * @ip_csum: IPv4 packets without a checksum
 * @ipv6_csum: IPv6 packets without a checksum
 * @rx_notify: it raises an event when it has posted buffers
 * @mcast_control: it wants but those multicast packets that it asks for, at first
 * @xdp_headroom: bytes that it wants in front of packets, at first
 * @ctrl: its control ring
 *
 * One frontend's answers; the next one's begin anew.
 */
struct xenvif_frontend {
	bool sg;
	bool gso_tcpv4;
	bool gso_tcpv6;
	bool ip_csum;
	bool ipv6_csum;
	bool rx_notify;
	bool mcast_control;
	u16 xdp_headroom;
	struct xenvif_ctrl_config ctrl;
};

/**
 * struct xenvif_params - the module parameters, as they were at a vif's creation
 * @max_queues: queues that a frontend may ask for
 * @rx_drain_timeout: age at which a queued guest-RX packet is dropped, in jiffies
 * @rx_stall_timeout: time without buffers that makes a queue stalled, in jiffies;
 *	0: never
 * @split_channels: offer an event channel for each direction
 * @xdp_headroom: offer headroom in front of guest-RX data
 * @static_grants: pages of the guest's that a queue may have mapped, at most
 *	XENVIF_GREF_MAX
 */
struct xenvif_params {
	u32 max_queues;
	unsigned long rx_drain_timeout;
	unsigned long rx_stall_timeout;
	bool split_channels;
	bool xdp_headroom;
	u32 static_grants;
};

/**
 * struct xenvif - a guest's network interface
 *
 * Set at creation:
 * @dev: its net_device
 * @xdev: its xenbus device
 * @domid: the guest
 * @handle: the guest's number for the interface
 * @params: see there
 * @stats: counters, for each of @params.max_queues queues
 *
 * Read by the data path:
 * @queues: the connected queues, NULL without a connection
 * @hash: how the guest wants its packets steered; NULL without a control ring
 * @flags: XENVIF_FLAG_*
 * @frontend: see there; stable while connected
 * @rx_drain_timeout: @params' or, without feature-rx-notify, a short one
 * @rx_stall_timeout: the same; 0 without feature-rx-notify
 * @xdp_headroom: bytes in front of guest-RX data, with an extra info saying so
 * @mcast_control: the guest gets multicast packets only if their address is in
 *	@mcast
 * @n_stalled: queues that are stalled
 * @stall_lock: guards @n_stalled, and the carrier that follows from it
 * @wanted_mtu: MTU that the administrator wants, kept over frontends that cannot
 *	have it; RTNL
 * @offered_queues: how many the next frontend is offered, 1 to @params.max_queues;
 *	written under RTNL
 * @link_seen: the interface has been up, and the guest is told when it is; written
 *	under RTNL
 *
 * The rate limit:
 * @credit: the bucket, one for all queues
 * @credit_lock: guards @credit and the queues' tickets
 *
 * The multicast filter:
 * @mcast: the addresses that the guest has asked for on this connection
 * @mcast_lock: keeps writers of @mcast apart
 *
 * @debugfs: its directory, while connected; under the backend's lock
 * @ctrl: the control ring, NULL if the frontend has none; under the backend's lock
 * @fatal_work: takes the connection down after a fatal error
 * @publish_work: writes to xenstore what is changed under the RTNL
 * @trim_work: has idle queues give back their pages
 * @log_limit: bounds what one guest can make the host log
 */
struct xenvif {
	struct net_device *dev;
	struct xenbus_device *xdev;
	domid_t domid;
	u32 handle;
	struct xenvif_params params;
	struct xenvif_stats *stats;

	struct xenvif_queues __rcu *queues ____cacheline_aligned_in_smp;
	struct xenvif_hash __rcu *hash;
	unsigned long flags;
	struct xenvif_frontend frontend;
	unsigned long rx_drain_timeout;
	unsigned long rx_stall_timeout;
	u16 xdp_headroom;
	u32 n_stalled;
	spinlock_t stall_lock; /* n_stalled, and the carrier that follows from it */
	bool mcast_control;
	u32 wanted_mtu;
	u32 offered_queues;
	bool link_seen;

	struct xenvif_credit credit ____cacheline_aligned_in_smp;
	spinlock_t credit_lock; /* credit, ticket */

	struct xenvif_mcast mcast ____cacheline_aligned_in_smp;
	spinlock_t mcast_lock; /* mcast, to write */

	struct dentry *debugfs;
	struct xenvif_ctrl *ctrl;
	struct work_struct fatal_work;
	struct work_struct publish_work;
	struct delayed_work trim_work;
	struct ratelimit_state log_limit;
};

/* Bits of xenvif.flags. FATAL: the guest broke a ring; the data path stands still
 * until the connection is gone.
 */
#define XENVIF_FLAG_FATAL	0

/**
 * xenvif_is_fatal() - whether the data path must stand still
 * @vif: the vif
 *
 * Return: whether the guest has broken a ring of this connection.
 */
static inline bool xenvif_is_fatal(const struct xenvif *vif)
{
	return test_bit(XENVIF_FLAG_FATAL, &vif->flags);
}

/* Log about a vif, within its share. */
#define xenvif_warn(vif, fmt, ...) do {					\
	struct xenvif *__vif = (vif);					\
									\
	if (__ratelimit(&__vif->log_limit))				\
		netdev_warn(__vif->dev, fmt, ##__VA_ARGS__);		\
} while (0)

/* netback.c */
void xenvif_params_get(struct xenvif_params *params);

/* xenbus.c */
int xenvif_xenbus_init(void);
void xenvif_xenbus_exit(void);
void xenvif_fatal_work(struct work_struct *work);
void xenvif_publish(struct xenvif *vif);
void xenvif_publish_work(struct work_struct *work);

/* interface.c */
struct xenvif *xenvif_create(struct xenbus_device *xdev, u32 handle);
void xenvif_destroy(struct xenvif *vif);
int xenvif_connect(struct xenvif *vif, const struct xenvif_frontend *frontend,
		   const struct xenvif_queue_config *config, u32 n_queues);
int xenvif_set_rate(struct xenvif *vif, u64 bytes, u64 usecs);
void xenvif_disconnect(struct xenvif *vif);
void xenvif_fatal(struct xenvif *vif, const char *why);
void xenvif_queue_stalled(struct xenvif_queue *queue, bool stalled);

/* ethtool.c */
extern const struct ethtool_ops xenvif_ethtool_ops;
u64 xenvif_stat_read(const struct u64_stats_sync *sync, const u64_stats_t *stat);

/* qstats.c */
void xenvif_qstats_init(struct net_device *dev);

/* queue.c */
struct xenvif_queues *xenvif_queues_alloc(struct xenvif *vif, u32 n);
void xenvif_queues_free(struct xenvif_queues *queues);
int xenvif_queues_raise(struct xenvif_queues *queues,
			const struct xenvif_queue_config *config);
void xenvif_queues_lower(struct xenvif_queues *queues);
int xenvif_channel_bind(struct xenvif_channel *channel, struct xenvif *vif,
			evtchn_port_t port, irq_handler_t handler, const char *name,
			void *data);
void xenvif_channel_unbind(struct xenvif_channel *channel, void *data);
bool xenvif_channel_done(struct xenvif_channel *channel, u32 side, bool worked);
void xenvif_queue_kick(struct xenvif_queue *queue);
bool xenvif_queue_trim(struct xenvif_queue *queue);
struct xenvif_channel *xenvif_rx_channel(struct xenvif_queue *queue);
void xenvif_notify(const struct xenvif_channel *channel);

/* ctrl.c */
int xenvif_ctrl_connect(struct xenvif *vif, const struct xenvif_ctrl_config *config,
			struct xenvif_queues *queues);
void xenvif_ctrl_disconnect(struct xenvif *vif);
void xenvif_ctrl_view(const struct xenvif_ctrl *ctrl, struct xenvif_ring_view *view);

/* debugfs.c */
#ifdef CONFIG_DEBUG_FS
void xenvif_debugfs_init(void);
void xenvif_debugfs_exit(void);
void xenvif_debugfs_add(struct xenvif *vif, struct xenvif_queues *queues);
void xenvif_debugfs_del(struct xenvif *vif);
#else
static inline void xenvif_debugfs_init(void) {}
static inline void xenvif_debugfs_exit(void) {}
static inline void xenvif_debugfs_add(struct xenvif *vif, struct xenvif_queues *queues) {}
static inline void xenvif_debugfs_del(struct xenvif *vif) {}
#endif

/* guest_tx.c */
int xenvif_tx_poll(struct napi_struct *napi, int budget);
enum hrtimer_restart xenvif_tx_unthrottle(struct hrtimer *timer);
void xenvif_tx_start_poll(struct xenvif_queue *queue);
void xenvif_tx_restart(struct xenvif_queue *queue);
void xenvif_tx_purge(struct xenvif_queue *queue);

/* guest_rx.c */
netdev_tx_t xenvif_rx_enqueue(struct xenvif_queue *queue, struct sk_buff *skb);
int xenvif_rx_thread(void *data);
bool xenvif_rx_send(struct xenvif_queue *queue);
bool xenvif_rx_kick(struct xenvif_queue *queue);
void xenvif_rx_purge(struct xenvif_queue *queue);
u8 xenvif_rx_hash(const struct xenvif_hash *hash, const struct sk_buff *skb, u32 *value);
bool xenvif_rx_csum_fits(const struct sk_buff *skb);
void xenvif_xmit_drop(struct xenvif *vif, u32 queue, struct sk_buff *skb,
		      enum xenvif_xmit_stat why);

#endif /* XENVIF_COMMON_H */
