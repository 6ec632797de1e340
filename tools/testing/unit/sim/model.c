// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Guest-TX requests, read a second time: what xen/interface/io/netif.h makes of
 * them, written with no regard to the driver's parser. First it finds the end of
 * the packet, then it looks whether it is good.
 */

#include "stand.h"

static bool good_gso(const struct xen_netif_extra_info *extra)
{
	return (extra->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV4 ||
		extra->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV6) &&
	       extra->u.gso.size >= XENVIF_TX_GSO_SIZE_MIN && extra->u.gso.size < 0xFFFF;
}

void model_parse(const union xen_netif_tx_sring_entry *ring, u32 ring_size, u32 cons,
		 u32 avail, struct model_packet *pkt)
{
#define ENTRY(i) (&ring[(cons + (i)) % ring_size])
	const struct xen_netif_tx_request *req = &ENTRY(0)->req;
	u32 i, n = 1, count[256] = { 0 }, rest = 0;
	bool good = true, good_extras = true, mcast;

	memset(pkt, 0, sizeof(*pkt));
	pkt->flags = req->flags;
	pkt->len = req->size;

	if (req->flags & XEN_NETTXF_extra_info) {
		struct xen_netif_extra_info extra;

		do {
			if (n == avail)
				return;
			memcpy(&extra, ENTRY(n++), sizeof(extra));
			pkt->n_extras++;
			count[extra.type]++;
			if (extra.type == XEN_NETIF_EXTRA_TYPE_GSO) {
				good &= good_gso(&extra);
				pkt->gso_type = extra.u.gso.type;
				pkt->gso_size = extra.u.gso.size;
			}
		} while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
	}
	for (i = 0; i < 256; i++)
		if (count[i] > (i >= 1 && i <= 5))
			good_extras = false;
	mcast = count[XEN_NETIF_EXTRA_TYPE_MCAST_ADD] ||
		count[XEN_NETIF_EXTRA_TYPE_MCAST_DEL];
	/* Either, but not both. */
	if (count[XEN_NETIF_EXTRA_TYPE_MCAST_ADD] && count[XEN_NETIF_EXTRA_TYPE_MCAST_DEL])
		good_extras = false;

	pkt->slot[0].gref = req->gref;
	pkt->slot[0].offset = req->offset;
	for (i = 1; req->flags & XEN_NETTXF_more_data; i++) {
		if (n == avail)
			return;
		req = &ENTRY(n++)->req;
		pkt->slot[i].gref = req->gref;
		pkt->slot[i].offset = req->offset;
		pkt->slot[i].len = req->size;
		rest += req->size;
		good_extras &= !(req->flags & XEN_NETTXF_extra_info);
	}
	pkt->n_slots = i;
	pkt->n_requests = n;
	pkt->whole = true;

	good &= pkt->n_slots <= 19 && rest <= pkt->len && pkt->len >= 14;
	pkt->slot[0].len = rest <= pkt->len ? pkt->len - rest : 0;
	for (i = 0; i < pkt->n_slots; i++)
		good &= !pkt->slot[i].len || pkt->slot[i].offset + pkt->slot[i].len <= 4096;
	/* Of a message only the extra infos count, and not one about segments. */
	pkt->mcast = mcast && good_extras;
	pkt->good = good && good_extras && !mcast;
#undef ENTRY
}
