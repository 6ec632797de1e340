// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Guest-TX requests in, a packet and a verdict out: see tx_parse.h.
 *
 * The wire format is xen/interface/io/netif.h: a packet is a first request whose
 * size is the whole packet's, then the extra infos if it announces some, then
 * further requests, each with its own size, as long as the one before says that
 * more data follow. What the further ones do not cover is the first one's share.
 */

#include <linux/string.h>

#include "tx_parse.h"

#define XENVIF_TX_PAGE		4096U
#define XENVIF_ETH_P_IP		0x0800
#define XENVIF_ETH_P_IPV6	0x86DD
#define XENVIF_ETH_P_8021Q	0x8100
#define XENVIF_ETH_P_8021AD	0x88A8
#define XENVIF_IPPROTO_TCP	6
#define XENVIF_IPPROTO_UDP	17

/**
 * struct parser - a walk over the ring's private copy
 * @ring: the copies
 * @size: entries of @ring, a power of two
 * @next: index of the next one, free-running
 * @left: how many there are from @next on
 */
struct parser {
	const union xen_netif_tx_sring_entry *ring;
	u32 size;
	u32 next;
	u32 left;
};

static const union xen_netif_tx_sring_entry *take(struct parser *p)
{
	if (!p->left)
		return NULL;
	p->left--;
	return &p->ring[p->next++ & (p->size - 1)];
}

/* The first fault found is the one that is counted. */
static void mark_bad(struct xenvif_tx_packet *pkt, enum xenvif_tx_bad why)
{
	if (pkt->bad == XENVIF_TX_BAD_NONE)
		pkt->bad = why;
}

/* This one outranks the others: it is the only fault that a message can have. */
static void mark_bad_extra(struct xenvif_tx_packet *pkt)
{
	pkt->bad = XENVIF_TX_BAD_EXTRA;
}

static void parse_gso(struct xenvif_tx_packet *pkt,
		      const struct xen_netif_extra_info *extra)
{
	u16 size = extra->u.gso.size;
	u8 type = extra->u.gso.type;

	/* 0xFFFF has a meaning of its own inside Linux (GSO_BY_FRAGS). */
	if ((type != XEN_NETIF_GSO_TYPE_TCPV4 && type != XEN_NETIF_GSO_TYPE_TCPV6) ||
	    size < XENVIF_TX_GSO_SIZE_MIN || size == 0xFFFF) {
		mark_bad(pkt, XENVIF_TX_BAD_GSO);
		return;
	}
	pkt->gso_type = type;
	pkt->gso_size = size;
}

static void parse_extra(struct xenvif_tx_packet *pkt,
			const struct xen_netif_extra_info *extra)
{
	switch (extra->type) {
	case XEN_NETIF_EXTRA_TYPE_GSO:
		parse_gso(pkt, extra);
		break;
	case XEN_NETIF_EXTRA_TYPE_MCAST_ADD:
	case XEN_NETIF_EXTRA_TYPE_MCAST_DEL:
		if (pkt->mcast_type)
			mark_bad_extra(pkt);
		pkt->mcast_type = extra->type;
		memcpy(pkt->mcast_addr, extra->u.mcast.addr, sizeof(pkt->mcast_addr));
		break;
	case XEN_NETIF_EXTRA_TYPE_HASH:
		pkt->hash_type = extra->u.hash.type;
		pkt->hash_alg = extra->u.hash.algorithm;
		/* Least significant byte first, says netif.h. */
		pkt->hash = extra->u.hash.value[0] |
			    (u32)extra->u.hash.value[1] << 8 |
			    (u32)extra->u.hash.value[2] << 16 |
			    (u32)extra->u.hash.value[3] << 24;
		break;
	case XEN_NETIF_EXTRA_TYPE_XDP:
		/* Means nothing in this direction. */
		break;
	default:
		mark_bad_extra(pkt);
		break;
	}
}

/* Returns whether the list of extra infos ended before the requests did. */
static bool parse_extras(struct parser *p, struct xenvif_tx_packet *pkt)
{
	const union xen_netif_tx_sring_entry *entry;
	struct xen_netif_extra_info extra;
	u32 seen = 0;

	do {
		entry = take(p);
		if (!entry)
			return false;
		memcpy(&extra, entry, sizeof(extra));
		pkt->n_extras++;

		if (extra.type < XEN_NETIF_EXTRA_TYPE_MAX) {
			if (seen & (1U << extra.type))
				mark_bad_extra(pkt);
			seen |= 1U << extra.type;
		}
		parse_extra(pkt, &extra);
	} while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);

	return true;
}

static void add_slot(struct xenvif_tx_packet *pkt,
		     const struct xen_netif_tx_request *req, u32 len)
{
	/* Legal and empty: answered like any other, but nothing to copy. */
	if (!len)
		return;

	/* Filled in although it may be bad: the array has its place, and the
	 * verdict keeps anybody from using it.
	 */
	if (req->offset > XENVIF_TX_PAGE || len > XENVIF_TX_PAGE - req->offset)
		mark_bad(pkt, XENVIF_TX_BAD_RANGE);

	pkt->slot[pkt->n_slots].gref = req->gref;
	pkt->slot[pkt->n_slots].offset = req->offset;
	pkt->slot[pkt->n_slots].len = len;
	pkt->n_slots++;
}

/* Returns whether the chain of data slots ended before the requests did. */
static bool parse_data(struct parser *p, const struct xen_netif_tx_request *first,
		       struct xenvif_tx_packet *pkt)
{
	const union xen_netif_tx_sring_entry *entry;
	u32 rest = first->size;
	u16 flags = first->flags;
	u32 n = 1;

	/* The first slot's place: its length is known when all others are. */
	pkt->n_slots = 1;

	while (flags & XEN_NETTXF_more_data) {
		entry = take(p);
		if (!entry)
			return false;
		flags = entry->req.flags;

		if (flags & XEN_NETTXF_extra_info)
			mark_bad_extra(pkt);
		if (++n > XENVIF_TX_SLOTS_MAX)
			mark_bad(pkt, XENVIF_TX_BAD_SLOTS);
		if (entry->req.size > rest)
			mark_bad(pkt, XENVIF_TX_BAD_LENGTH);
		if (pkt->bad != XENVIF_TX_BAD_NONE)
			continue;

		rest -= entry->req.size;
		add_slot(pkt, &entry->req, entry->req.size);
	}

	if (pkt->bad != XENVIF_TX_BAD_NONE)
		return true;

	if (rest) {
		u32 n_slots = pkt->n_slots;

		pkt->n_slots = 0;
		add_slot(pkt, first, rest);
		pkt->n_slots = n_slots;
	} else {
		/* All data are in the others: close the gap. */
		pkt->n_slots--;
		memmove(&pkt->slot[0], &pkt->slot[1],
			pkt->n_slots * sizeof(pkt->slot[0]));
	}
	return true;
}

/**
 * xenvif_tx_parse() - parse the packet at the head of a guest-TX ring
 * @ring: private copies of the requests
 * @ring_size: entries of @ring, a power of two
 * @cons: index of the packet's first request, free-running
 * @avail: requests in @ring from @cons on, 1 to @ring_size
 * @pkt: where to put the packet
 *
 * Follows xen/interface/io/netif.h, "Guest transmit". Looks at no more than
 * @avail requests and writes nothing but @pkt.
 *
 * Context: any; pure.
 * Return: the verdict. @pkt->n_requests says how many requests to answer for
 * PACKET, MCAST and DROP; all of @pkt holds for PACKET, the mcast fields for
 * MCAST, @bad for DROP. Nothing of @pkt holds for WAIT and CORRUPT.
 */
enum xenvif_tx_verdict
xenvif_tx_parse(const union xen_netif_tx_sring_entry *ring, u32 ring_size,
		u32 cons, u32 avail, struct xenvif_tx_packet *pkt)
{
	struct parser p = { .ring = ring, .size = ring_size, .next = cons, .left = avail };
	const struct xen_netif_tx_request *first = &take(&p)->req;
	bool whole = true;

	/* The slots are filled one by one, and counted. */
	memset(pkt, 0, offsetof(struct xenvif_tx_packet, slot));
	pkt->flags = first->flags;
	pkt->len = first->size;

	if (first->flags & XEN_NETTXF_extra_info)
		whole = parse_extras(&p, pkt);
	/* Its data, if any, are walked over for the sake of the count. */
	if (pkt->mcast_type)
		pkt->len = 0;
	else if (pkt->len < XENVIF_TX_LEN_MIN)
		mark_bad(pkt, XENVIF_TX_BAD_SHORT);
	if (whole)
		whole = parse_data(&p, first, pkt);

	if (!whole)
		return avail >= ring_size ? XENVIF_TX_CORRUPT : XENVIF_TX_WAIT;

	pkt->n_requests = p.next - cons;
	/* No grant of a message is looked at, so only its extras can be bad. */
	if (pkt->mcast_type && pkt->bad != XENVIF_TX_BAD_EXTRA)
		return XENVIF_TX_MCAST;
	return pkt->bad == XENVIF_TX_BAD_NONE ? XENVIF_TX_PACKET : XENVIF_TX_DROP;
}

static u16 be16_at(const u8 *data)
{
	return data[0] << 8 | data[1];
}

/**
 * xenvif_tx_headers_len() - where a frame's protocol headers end
 * @data: the frame's first bytes, from the Ethernet header on
 * @len: how many there are
 *
 * Knows what nearly every frame is: Ethernet, at most one VLAN tag, IPv4 or
 * IPv6 without extension headers, TCP or UDP.
 *
 * Context: any; pure.
 * Return: bytes up to the end of the last header, at most @len; 0 if that is not
 * to be seen in @data, or if a header says that it is shorter than it can be.
 */
u32 xenvif_tx_headers_len(const u8 *data, u32 len)
{
	u32 off = XENVIF_TX_LEN_MIN;
	u32 header;
	u16 proto;
	u8 next;

	if (len < off)
		return 0;
	proto = be16_at(data + off - 2);
	if (proto == XENVIF_ETH_P_8021Q || proto == XENVIF_ETH_P_8021AD) {
		off += 4;
		if (len < off)
			return 0;
		proto = be16_at(data + off - 2);
	}

	if (proto == XENVIF_ETH_P_IP) {
		if (len < off + 20)
			return 0;
		next = data[off + 9];
		header = (data[off] & 0xF) * 4;
		if (header < 20)
			return 0;
		off += header;
	} else if (proto == XENVIF_ETH_P_IPV6) {
		if (len < off + 40)
			return 0;
		next = data[off + 6];
		off += 40;
	} else {
		return 0;
	}

	if (next == XENVIF_IPPROTO_UDP) {
		off += 8;
	} else if (next == XENVIF_IPPROTO_TCP) {
		if (len < off + 20)
			return 0;
		header = (data[off + 12] >> 4) * 4;
		if (header < 20)
			return 0;
		off += header;
	} else {
		return 0;
	}
	return off <= len ? off : 0;
}
