/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A vif on a test stand: the driver's own queue with a simulated frontend at its
 * rings, and a model of what must come out.
 *
 * After each push of responses the model looks at what the driver has taken from
 * the ring and says, slot by slot, what must have been answered; what is delivered
 * must be what the guest's pages hold. Any difference ends the program.
 */

#ifndef SIM_STAND_H
#define SIM_STAND_H

#include "common.h"

/* Pages of the guest's that hold what it sends; the others take what it gets. */
#define STAND_TX_PAGES	64

/* The most bytes that a packet of the host's has. */
#define STAND_SKB_MAX	(18 * 4096)

/**
 * struct model_packet - what the model sees at the head of a guest-TX ring
 * @whole: whether the packet's last slot is there; else nothing of it holds
 * @good: whether it must be delivered
 * @mcast: whether it is a good multicast message
 * @n_requests: slots that it took
 * @n_extras: of these, extra infos
 * @len: bytes
 * @n_slots: entries of @slot
 * @slot: where the bytes are; may have slots without
 * @flags: of the first slot
 * @gso_type: of the GSO extra
 * @gso_size: of the GSO extra
 */
struct model_packet {
	bool whole;
	bool good;
	bool mcast;
	u32 n_requests;
	u32 n_extras;
	u32 len;
	u32 n_slots;
	struct {
		u32 gref;
		u32 offset;
		u32 len;
	} slot[XENVIF_TX_RING_SIZE];
	u16 flags;
	u8 gso_type;
	u16 gso_size;
};

void model_parse(const union xen_netif_tx_sring_entry *ring, u32 ring_size, u32 cons,
		 u32 avail, struct model_packet *pkt);

struct stand_config {
	u32 tx_start;		/* index at which the TX ring begins */
	u32 rx_start;
	bool shared_channel;
	bool sg_only;		/* the frontend takes no GSO packets */
	bool hashing;		/* it wants to be told hashes */
	u32 rx_headroom;
	u32 rx_stall_ms;	/* 0: never */
	u32 static_grants;	/* pages that may be mapped */
};

struct stand {
	struct xenvif vif;
	struct net_device dev;
	struct xenbus_device xdev;
	struct xenvif_queues *queues;
	struct xenvif_queue *queue;

	/* The frontend's own. */
	struct xen_netif_tx_sring *tx_ring;
	struct xen_netif_rx_sring *rx_ring;
	struct xen_netif_tx_front_ring tx;
	struct xen_netif_rx_front_ring rx;
	struct xen_netif_rx_request posted[XENVIF_RX_RING_SIZE];

	/* It plays by the rules: contents and order are checked in full, and it
	 * raises events only when it was asked to.
	 */
	bool honest;
	/* Something failed that the model does not follow: the hypercall. */
	bool shaky;
	/* Called at each point where the guest may come in between. */
	void (*hostile)(enum sim_point point);

	/* Guest-TX. */
	RING_IDX tx_checked;
	u32 n_answered;
	u32 n_ok;
	u32 n_delivered;
	u32 n_lost;		/* answered with OKAY and not delivered */
	u32 n_mcast;
	s16 last_status;

	/* Guest-RX. */
	RING_IDX rx_checked;
	u32 n_sent;
	u32 n_received;
	u32 n_skipped;
	u32 n_rx_slots;
	u32 n_rx_errors;
	u32 last_slots;		/* data slots of the last packet */
	u16 last_flags;

	u32 n_fatal;
	u32 n_stalls;
};

extern struct stand *stand;

void stand_up(const struct stand_config *config);
void stand_down(void);

/* The frontend: requests are posted, then shown with stand_tx_push(). */
union xen_netif_tx_sring_entry *stand_tx_slot(void);
void stand_tx_request(u32 gref, u32 offset, u32 size, u32 flags, u32 id);
void stand_tx_extra(const struct xen_netif_extra_info *extra);
bool stand_tx_push(void);
void stand_rx_post(u32 n, u32 fate);

/* The host: how the packet is made is up to the caller. */
void stand_xmit(struct sk_buff *skb);

/* Let everybody run; then check that nothing is forgotten. */
void stand_run(void);
u64 stand_tx_stat(enum xenvif_tx_stat stat);
u64 stand_rx_stat(enum xenvif_rx_stat stat);

/* For a test that counts pages, or the memory that packets are charged for. */
#define wants_small_pages() do {							\
	if (PAGE_SIZE > XEN_PAGE_SIZE)							\
		skip();									\
} while (0)

#endif /* SIM_STAND_H */
