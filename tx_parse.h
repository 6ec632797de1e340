/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Guest-TX requests in, a packet and a verdict out.
 *
 * Pure: what the guest wrote comes in as private copies, is checked once, and
 * leaves as values. No skb, no lock, no log; the fuzzer and the unit tests
 * compile tx_parse.c as it is.
 */

#ifndef XENVIF_TX_PARSE_H
#define XENVIF_TX_PARSE_H

#include <linux/types.h>
#include <xen/interface/io/netif.h>

/* Data slots that a packet may have: a frontend may use XEN_NETIF_NR_SLOTS_MIN,
 * and one more for the first one's sake, as Linux's netfront does towards us.
 */
#define XENVIF_TX_SLOTS_MAX	(XEN_NETIF_NR_SLOTS_MIN + 1)

/* Smallest segment that a guest may ask for: TCP's own lower bound for the MSS.
 * What is below is only good for making the host cut 64 KiB into crumbs.
 */
#define XENVIF_TX_GSO_SIZE_MIN	48

/* Ethernet header, in bytes: the least that makes a packet. */
#define XENVIF_TX_LEN_MIN	14

/**
 * enum xenvif_tx_verdict - what to do with the requests at the ring's head
 * @XENVIF_TX_WAIT: the packet's last slots are not posted yet; nothing consumed
 * @XENVIF_TX_PACKET: a good packet
 * @XENVIF_TX_MCAST: a multicast control message, no data
 * @XENVIF_TX_DROP: a bad packet: answer every slot with an error, count why
 * @XENVIF_TX_CORRUPT: one unfinished packet fills the ring: it can never end
 */
enum xenvif_tx_verdict {
	XENVIF_TX_WAIT,
	XENVIF_TX_PACKET,
	XENVIF_TX_MCAST,
	XENVIF_TX_DROP,
	XENVIF_TX_CORRUPT,
};

/**
 * enum xenvif_tx_bad - why a packet is bad
 * @XENVIF_TX_BAD_NONE: it is not
 * @XENVIF_TX_BAD_SHORT: shorter than an Ethernet header
 * @XENVIF_TX_BAD_RANGE: a slot's data reach over the end of its page
 * @XENVIF_TX_BAD_SLOTS: more data slots than XENVIF_TX_SLOTS_MAX
 * @XENVIF_TX_BAD_LENGTH: the slots hold more than the packet's length
 * @XENVIF_TX_BAD_EXTRA: an extra info of unknown type, twice, or out of place
 * @XENVIF_TX_BAD_GSO: an impossible segment size or type
 */
enum xenvif_tx_bad {
	XENVIF_TX_BAD_NONE,
	XENVIF_TX_BAD_SHORT,
	XENVIF_TX_BAD_RANGE,
	XENVIF_TX_BAD_SLOTS,
	XENVIF_TX_BAD_LENGTH,
	XENVIF_TX_BAD_EXTRA,
	XENVIF_TX_BAD_GSO,
	/* private: */
	XENVIF_TX_BAD_MAX,
};

/**
 * struct xenvif_tx_slot - one piece of a guest's page
 * @gref: grant of the page
 * @offset: of the data in the page, in bytes
 * @len: bytes, 1 to XEN_PAGE_SIZE - @offset
 */
struct xenvif_tx_slot {
	grant_ref_t gref;
	u16 offset;
	u16 len;
};

/**
 * struct xenvif_tx_packet - a packet as the guest described it, checked
 * @len: bytes, XENVIF_TX_LEN_MIN to 65535; the sum of all @slot's
 * @n_requests: ring slots that it used, extra infos included
 * @n_extras: of these, how many are extra infos (they follow the first slot)
 * @n_slots: entries of @slot; slots without data are left out
 * @bad: why, if the verdict is XENVIF_TX_DROP
 * @flags: XEN_NETTXF_* of the first slot
 * @gso_type: XEN_NETIF_GSO_TYPE_*, NONE without a GSO extra
 * @gso_size: payload bytes of a segment, if @gso_type is not NONE
 * @hash_type: _XEN_NETIF_CTRL_HASH_TYPE_* of the hash extra
 * @hash_alg: XEN_NETIF_CTRL_HASH_ALGORITHM_*, NONE without a hash extra
 * @hash: the hash extra's value
 * @mcast_type: XEN_NETIF_EXTRA_TYPE_MCAST_ADD or _DEL, or 0
 * @mcast_addr: the multicast message's address
 * @slot: where the data are
 */
struct xenvif_tx_packet {
	u16 len;
	u16 n_requests;
	u16 n_extras;
	u8 n_slots;
	u8 bad;
	u16 flags;
	u16 gso_size;
	u8 gso_type;
	u8 hash_type;
	u8 hash_alg;
	u8 mcast_type;
	u32 hash;
	u8 mcast_addr[6];
	struct xenvif_tx_slot slot[XENVIF_TX_SLOTS_MAX];
};

enum xenvif_tx_verdict
xenvif_tx_parse(const union xen_netif_tx_sring_entry *ring, u32 ring_size,
		u32 cons, u32 avail, struct xenvif_tx_packet *pkt);

u32 xenvif_tx_headers_len(const u8 *data, u32 len);

#endif /* XENVIF_TX_PARSE_H */
