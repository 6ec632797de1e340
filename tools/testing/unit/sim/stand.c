// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The test stand: see stand.h. */

#include "stand.h"

#define EXPECT_MAX	1024

/* A packet that must be delivered to the host, in its turn. */
struct expected_tx {
	u32 len;
	u16 flags;
	u8 gso_type;
	u16 gso_size;
	u8 *data;
};

/* A packet that must reach the guest. */
struct expected_rx {
	u32 len;
	u8 ip_summed;
	u16 gso_size;
	u32 gso_type;
	u8 *data;
};

struct stand *stand;

static struct expected_tx exp_tx[EXPECT_MAX];
static u32 n_exp_tx, next_exp_tx;
static struct expected_rx exp_rx[EXPECT_MAX];
static u32 n_exp_rx, next_exp_rx;

#define check(cond, fmt, ...) do {						\
	if (!(cond))								\
		sim_bug("%s:%d: not so: %s: " fmt, __FILE__, __LINE__, #cond,	\
			##__VA_ARGS__);						\
} while (0)

/* What other files of the driver would do. */

/* One packet fills the ring and has no end. */
static bool tx_is_endless(void)
{
	const struct xenvif_tx_ring *ring = &stand->queue->tx.ring;
	struct model_packet pkt;

	if (ring->fetched - ring->back.req_cons < XENVIF_TX_RING_SIZE)
		return false;
	model_parse(ring->copy, XENVIF_TX_RING_SIZE, ring->back.req_cons,
		    XENVIF_TX_RING_SIZE, &pkt);
	return !pkt.whole;
}

void xenvif_fatal(struct xenvif *vif, const char *why)
{
	if (stand->honest && !tx_is_endless())
		sim_bug("fatal with an honest frontend: %s", why);
	set_bit(XENVIF_FLAG_FATAL, &vif->flags);
	stand->n_fatal++;
}

void xenvif_queue_stalled(struct xenvif_queue *queue, bool stalled)
{
	(void)queue;
	stand->n_stalls += stalled;
}

/* Guest-TX: responses. */

/* Whether all of the packet's copies come out well in the end. */
static bool copies_end_well(const struct model_packet *pkt)
{
	u32 i;

	for (i = 0; i < pkt->n_slots; i++) {
		u32 gref = pkt->slot[i].gref;

		if (pkt->slot[i].len && (SIM_GREF_PAGE(gref) >= SIM_GUEST_PAGES ||
					 SIM_GREF_FATE(gref) > SIM_FATE_AGAIN_MAX))
			return false;
	}
	return true;
}

static void expect_delivery(const struct model_packet *pkt)
{
	struct expected_tx *exp = &exp_tx[n_exp_tx % EXPECT_MAX];
	u32 i, done = 0;

	check(n_exp_tx - next_exp_tx < EXPECT_MAX, "");
	n_exp_tx++;
	free(exp->data);
	*exp = (struct expected_tx){
		.len = pkt->len,
		.flags = pkt->flags,
		.gso_type = pkt->gso_type,
		.gso_size = pkt->gso_size,
		.data = malloc(pkt->len),
	};
	for (i = 0; i < pkt->n_slots; i++) {
		if (!pkt->slot[i].len)
			continue;
		memcpy(exp->data + done, sim_guest_page(SIM_GREF_PAGE(pkt->slot[i].gref)) +
		       pkt->slot[i].offset, pkt->slot[i].len);
		done += pkt->slot[i].len;
	}
	check(done == pkt->len, "");
}

static void check_status(const struct model_packet *pkt, s16 status)
{
	stand->last_status = status;
	if (pkt->mcast) {
		stand->n_mcast++;
		check(status == XEN_NETIF_RSP_OKAY || status == XEN_NETIF_RSP_ERROR ||
		      status == XEN_NETIF_RSP_DROPPED, "%d", status);
		return;
	}
	if (!pkt->good) {
		check(status == XEN_NETIF_RSP_ERROR, "%d", status);
		return;
	}
	if (status == XEN_NETIF_RSP_OKAY) {
		stand->n_ok++;
		check(copies_end_well(pkt), "a failed copy is answered with OKAY");
		expect_delivery(pkt);
		return;
	}
	if (status == XEN_NETIF_RSP_DROPPED) {
		check(!stand->dev.running, "dropped although the device is up");
		return;
	}
	check(status == XEN_NETIF_RSP_ERROR, "%d", status);
	check(stand->shaky || sim.n_alloc_failed || !copies_end_well(pkt),
	      "a good packet is answered with an error");
}

/* All between what was seen before and the private index is about to be pushed:
 * whole packets, answered in order, each slot with its id.
 */
static void check_tx_responses(void)
{
	const struct xenvif_tx_ring *ring = &stand->queue->tx.ring;
	RING_IDX end = ring->back.rsp_prod_pvt;
	struct model_packet pkt;
	u32 i;

	check(ring->back.req_cons - end <= XENVIF_TX_RING_SIZE,
	      "more answered than taken");
	while (stand->tx_checked != end) {
		model_parse(ring->copy, XENVIF_TX_RING_SIZE, stand->tx_checked,
			    end - stand->tx_checked, &pkt);
		check(pkt.whole, "half a packet is answered");

		for (i = 0; i < pkt.n_requests; i++) {
			u32 at = (stand->tx_checked + i) % XENVIF_TX_RING_SIZE;
			const struct xen_netif_tx_response *rsp = &stand->tx_ring->ring[at].rsp;

			check(rsp->id == ring->copy[at].req.id, "slot %u", i);
			if (!i)
				check_status(&pkt, rsp->status);
			else if (i <= pkt.n_extras)
				check(rsp->status == XEN_NETIF_RSP_NULL, "slot %u", i);
			else
				check(rsp->status == stand->last_status, "slot %u", i);
		}
		stand->tx_checked += pkt.n_requests;
		stand->n_answered += pkt.n_requests;
	}
}

/* Guest-TX: packets. */

static bool is_fill(const u8 *data, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		if (data[i] != SIM_FILL)
			return false;
	return true;
}

/* Whether that is what becomes of what the guest has said of the packet. */
static bool offload_fits(const struct sk_buff *skb, const struct expected_tx *exp)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	bool blank = exp->flags & XEN_NETTXF_csum_blank;
	u32 hdr;

	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		if (!blank && !exp->gso_type)
			return false;
	} else if (blank || exp->gso_type ||
		   (skb->ip_summed != CHECKSUM_NONE &&
		    (skb->ip_summed != CHECKSUM_UNNECESSARY ||
		     !(exp->flags & XEN_NETTXF_data_validated)))) {
		return false;
	}

	if (!info->gso_size)
		return !info->gso_segs && !info->gso_type;
	hdr = skb->head + skb->transport_header - skb->data +
	      (skb->head[skb->transport_header + 12] >> 4) * 4;
	return exp->gso_type && info->gso_size == exp->gso_size &&
	       hdr < skb->len && hdr <= skb_headlen(skb) &&
	       info->gso_segs == DIV_ROUND_UP(skb->len - hdr, info->gso_size) &&
	       info->gso_type == ((exp->gso_type == XEN_NETIF_GSO_TYPE_TCPV4 ?
				   SKB_GSO_TCPV4 : SKB_GSO_TCPV6) | SKB_GSO_DODGY);
}

static void check_layout(const struct sk_buff *skb)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	u32 i;

	check(!info->frag_list, "");
	/* All pages of a packet are the pool's, or none. */
	check(skb->pp_recycle == !!virt_to_page(skb->head)->pool, "");
	for (i = 0; i < info->nr_frags; i++)
		check(skb->pp_recycle == !!info->frags[i].page->pool, "");
	check(skb->ip_summed != CHECKSUM_PARTIAL ||
	      skb->head + skb->csum_start + skb->csum_offset + 2 <= skb->data + skb_headlen(skb),
	      "the checksum is not in the head");
	check(skb->truesize >= skb->len, "");
	/* Of two buffers in a row one is half full, or they were one. */
	check(!skb->pp_recycle || skb->truesize <= 2 * skb->len + 3 * XEN_PAGE_SIZE,
	      "%u bytes are charged for %u", skb->truesize, skb->len);
	/* Pages that are nobody else's are charged whole. */
	check(skb->pp_recycle || skb->truesize >= (info->nr_frags + 1) * PAGE_SIZE,
	      "%u bytes are charged for %u pages", skb->truesize, info->nr_frags + 1);
	check(skb->data - skb->head >= XDP_PACKET_HEADROOM, "");
	check(is_fill(skb->head, skb->data - skb->head), "headroom was written to");
	check(is_fill(skb->head + skb->tail, skb->end - skb->tail),
	      "tailroom was written to");
	for (i = 0; i < info->nr_frags; i++) {
		const skb_frag_t *frag = &info->frags[i];
		u8 *page = page_address(frag->page);

		u32 end = frag->offset % XEN_PAGE_SIZE + frag->len;

		check(frag->len && end <= XEN_PAGE_SIZE, "");
		check(is_fill(page + frag->offset + frag->len, XEN_PAGE_SIZE - end),
		      "a page was written to behind its data");
	}
}

static void deliver(struct sk_buff *skb)
{
	static u8 data[65536];
	struct expected_tx *exp;
	u32 headers;

	check(skb->data == skb->head + skb->mac_header + ETH_HLEN &&
	      skb->network_header == skb->data - skb->head,
	      "the packet does not begin behind its Ethernet header");
	/* The offset of csum_start is to the head, so it stays where it is. */
	__skb_push(skb, skb->data - skb->head - skb->mac_header);
	check(skb->len < sizeof(data), "");
	check(!skb_copy_bits(skb, 0, data, skb->len), "");
	check_layout(skb);

	/* One that had bad headers is left out; never is the order changed. */
	for (;; next_exp_tx++, stand->n_lost++) {
		check(next_exp_tx != n_exp_tx, "a packet that was not expected");
		exp = &exp_tx[next_exp_tx % EXPECT_MAX];
		if (exp->len == skb->len && !memcmp(exp->data, data, exp->len) &&
		    offload_fits(skb, exp))
			break;
	}
	next_exp_tx++;
	stand->n_delivered++;
	headers = xenvif_tx_headers_len(data, skb->len);
	check(headers <= skb_headlen(skb), "%u bytes of headers, %u in the head",
	      headers, skb_headlen(skb));
	check(skb->rx_queue == 1, "");
	sim_skb_free(skb);
}

/* Guest-RX. */

static u8 *rx_page(u32 index)
{
	return sim_guest_page(STAND_TX_PAGES + index % XENVIF_RX_RING_SIZE);
}

#define RX_CANARY	0x5A

static bool is_canary(const u8 *data, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		if (data[i] != RX_CANARY)
			return false;
	return true;
}

static bool is_zero(const void *data, u32 len)
{
	const u8 *byte = data;

	while (len)
		if (byte[--len])
			return false;
	return true;
}

/* The extra infos behind the first slot: each at most once, in their order. Returns
 * whether more are to come.
 */
static bool check_rx_extra(const struct xen_netif_extra_info *extra,
			   const struct xen_netif_extra_info *found[XEN_NETIF_EXTRA_TYPE_MAX])
{
	u32 i;

	check(extra->type == XEN_NETIF_EXTRA_TYPE_GSO || extra->type == XEN_NETIF_EXTRA_TYPE_HASH ||
	      extra->type == XEN_NETIF_EXTRA_TYPE_XDP, "%u", extra->type);
	for (i = extra->type; i < XEN_NETIF_EXTRA_TYPE_MAX; i++)
		check(!found[i], "%u", extra->type);
	found[extra->type] = extra;
	/* Behind what each of them says. */
	check(extra->type != XEN_NETIF_EXTRA_TYPE_GSO || is_zero(&extra->u.gso.pad, 3),
	      "something of the host's");
	check(extra->type != XEN_NETIF_EXTRA_TYPE_XDP || is_zero(extra->u.xdp.pad, 4),
	      "something of the host's");
	check(!(extra->flags & ~XEN_NETIF_EXTRA_FLAG_MORE), "%x", extra->flags);
	return extra->flags & XEN_NETIF_EXTRA_FLAG_MORE;
}

/* Whether these are the extra infos that such a packet must have. */
static void check_rx_extras(const struct expected_rx *exp,
			    const struct xen_netif_extra_info *const found[])
{
	const struct xen_netif_extra_info *gso = found[XEN_NETIF_EXTRA_TYPE_GSO];
	const struct xen_netif_extra_info *hash = found[XEN_NETIF_EXTRA_TYPE_HASH];
	u32 value;
	u8 type;

	check(!!gso == !!exp->gso_size, "");
	if (gso) {
		check(gso->u.gso.size == exp->gso_size, "");
		check(gso->u.gso.type == (exp->gso_type & SKB_GSO_TCPV4 ?
					  XEN_NETIF_GSO_TYPE_TCPV4 :
					  XEN_NETIF_GSO_TYPE_TCPV6), "");
	}
	if (!stand->vif.hash) {
		check(!hash, "");
		return;
	}
	type = xenvif_hash_frame(stand->vif.hash, exp->data,
				 min(exp->len, XENVIF_HASH_FRAME_MAX), &value);
	check(!!hash == (type != XENVIF_HASH_TYPE_NONE), "");
	if (hash) {
		check(hash->u.hash.type == type, "");
		check(hash->u.hash.algorithm == XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ, "");
		check(hash->u.hash.value[0] == (u8)value && hash->u.hash.value[3] == value >> 24, "");
	}
}

/* Match a packet as the guest got it to one that was sent. Bytes of slots that
 * failed are known to be missing.
 */
static bool rx_match(const struct expected_rx *exp, const u8 *data, const u8 *known, u32 len)
{
	u32 i;

	if (exp->len != len)
		return false;
	for (i = 0; i < len; i++)
		if (known[i] && exp->data[i] != data[i])
			return false;
	return true;
}

static void check_rx_packet(RING_IDX *at, RING_IDX end)
{
	static u8 data[STAND_SKB_MAX + XEN_PAGE_SIZE], known[STAND_SKB_MAX + XEN_PAGE_SIZE];
	const struct xen_netif_extra_info *found[XEN_NETIF_EXTRA_TYPE_MAX] = { NULL }, *xdp;
	u32 headroom = stand->queue->rx.headroom, len = 0, n_slots = 0, n_errors = 0;
	const struct expected_rx *exp;
	u16 flags, first_flags = 0;

	do {
		struct xen_netif_rx_response rsp;
		u8 *page = rx_page(*at);

		check(*at != end, "a packet is pushed in halves");
		rsp = stand->rx_ring->ring[*at % XENVIF_RX_RING_SIZE].rsp;
		check(rsp.id == stand->posted[*at % XENVIF_RX_RING_SIZE].id, "");
		check(rsp.offset == headroom, "%u", rsp.offset);
		flags = rsp.flags;
		if (!n_slots++)
			first_flags = flags;
		else
			check(!(flags & ~XEN_NETRXF_more_data), "%x", flags);

		if (rsp.status < 0) {
			/* Fill it up to what makes the packet whole. */
			n_errors++;
			check(rsp.status == XEN_NETIF_RSP_ERROR, "%d", rsp.status);
		} else {
			check(rsp.status && headroom + rsp.status <= XEN_PAGE_SIZE,
			      "%d", rsp.status);
			check(is_canary(page, headroom), "headroom was written to");
			check(is_canary(page + headroom + rsp.status,
					XEN_PAGE_SIZE - headroom - rsp.status),
			      "a buffer was written to behind its data");
			check(len + rsp.status <= STAND_SKB_MAX, "");
			memcpy(data + len, page + headroom, rsp.status);
			memset(known + len, 1, rsp.status);
			len += rsp.status;
		}
		memset(page, RX_CANARY, XEN_PAGE_SIZE);
		++*at;

		if (n_slots == 1 && flags & XEN_NETRXF_extra_info) {
			bool more;

			do {
				u32 i = *at % XENVIF_RX_RING_SIZE;

				check(*at != end, "a list of extra infos without an end");
				more = check_rx_extra((const void *)&stand->rx_ring->ring[i], found);
				check(is_canary(rx_page((*at)++), XEN_PAGE_SIZE), "");
			} while (more);
		}
	} while (flags & XEN_NETRXF_more_data);

	/* A Linux guest has 17 fragments for them, and pulls no more than 256 bytes of
	 * the first. With headroom, what is long may need one more.
	 */
	check(n_slots <= 17 + !!headroom, "%u slots", n_slots);
	/* One whose pages are large has 16. */
	check(PAGE_SIZE == XEN_PAGE_SIZE || n_errors || n_slots <= 16 ||
	      n_slots == DIV_ROUND_UP(len, XEN_PAGE_SIZE - headroom), "%u slots", n_slots);
	xdp = found[XEN_NETIF_EXTRA_TYPE_XDP];
	check(!!xdp == !!headroom, "");
	check(!xdp || xdp->u.xdp.headroom == headroom, "");
	stand->last_slots = n_slots;
	stand->last_flags = first_flags;
	stand->n_rx_errors += n_errors;
	stand->n_received++;

	/* With an error inside, what is left tells nothing of the contents. */
	for (;; next_exp_rx++, stand->n_skipped++) {
		check(next_exp_rx != n_exp_rx, "a packet that was not sent");
		exp = &exp_rx[next_exp_rx % EXPECT_MAX];
		if (n_errors ? exp->len >= len : rx_match(exp, data, known, len))
			break;
	}
	next_exp_rx++;
	/* Which of them it was is not sure then. */
	if (n_errors)
		return;
	check(!!(first_flags & XEN_NETRXF_csum_blank) ==
	      (exp->ip_summed == CHECKSUM_PARTIAL), "");
	check(!!(first_flags & XEN_NETRXF_data_validated) ==
	      (exp->ip_summed == CHECKSUM_PARTIAL ||
	       exp->ip_summed == CHECKSUM_UNNECESSARY), "");
	check_rx_extras(exp, found);
}

static void check_rx_responses(void)
{
	const struct xen_netif_rx_back_ring *back = &stand->queue->rx.ring.back;
	RING_IDX at = stand->rx_checked, end = back->rsp_prod_pvt;

	check(back->req_cons - end <= XENVIF_RX_RING_SIZE, "more answered than taken");
	stand->n_rx_slots += end - at;
	if (stand->honest)
		while (at != end)
			check_rx_packet(&at, end);
	stand->rx_checked = end;
}

/* The frontend. */

static void on_point(enum sim_point point, const volatile void *addr)
{
	(void)addr;
	if (point == SIM_POINT_WMB) {
		if (stand->queue->tx.ring.back.sring)
			check_tx_responses();
		if (stand->queue->rx.ring.back.sring)
			check_rx_responses();
	}
	if (stand->hostile)
		stand->hostile(point);
}

union xen_netif_tx_sring_entry *stand_tx_slot(void)
{
	return &stand->tx_ring->ring[stand->tx.req_prod_pvt++ % XENVIF_TX_RING_SIZE];
}

void stand_tx_request(u32 gref, u32 offset, u32 size, u32 flags, u32 id)
{
	stand_tx_slot()->req = (struct xen_netif_tx_request){
		.gref = gref,
		.offset = offset,
		.flags = flags,
		.id = id,
		.size = size,
	};
}

void stand_tx_extra(const struct xen_netif_extra_info *extra)
{
	union xen_netif_tx_sring_entry *entry = stand_tx_slot();

	memset(entry, 0xEE, sizeof(*entry));
	memcpy(entry, extra, sizeof(*extra));
}

bool stand_tx_push(void)
{
	void (*hook)(enum sim_point, const volatile void *) = sim_hook;
	bool notify;

	sim_hook = NULL;
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&stand->tx, notify);
	sim_hook = hook;
	if (notify)
		sim_event(0);
	return notify;
}

static u32 rx_port(void)
{
	return stand->queue->rx_channel.irq ? 1 : 0;
}

void stand_rx_post(u32 n, u32 fate)
{
	void (*hook)(enum sim_point, const volatile void *) = sim_hook;
	bool notify;
	u32 i;

	for (i = 0; i < n; i++) {
		RING_IDX at = stand->rx.req_prod_pvt++;
		struct xen_netif_rx_request req = {
			.id = at * 40503,
			.gref = SIM_GREF(STAND_TX_PAGES + at % XENVIF_RX_RING_SIZE, fate),
		};

		memset(rx_page(at), RX_CANARY, XEN_PAGE_SIZE);
		stand->posted[at % XENVIF_RX_RING_SIZE] = req;
		stand->rx_ring->ring[at % XENVIF_RX_RING_SIZE].req = req;
	}
	sim_hook = NULL;
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&stand->rx, notify);
	sim_hook = hook;
	if (notify)
		sim_event(rx_port());
}

void stand_xmit(struct sk_buff *skb)
{
	struct expected_rx *exp = &exp_rx[n_exp_rx % EXPECT_MAX];
	u64 before = 0;
	u32 i;

	check(n_exp_rx - next_exp_rx < EXPECT_MAX, "");
	free(exp->data);
	*exp = (struct expected_rx){
		.len = skb->len,
		.ip_summed = skb->ip_summed,
		.gso_size = skb_shinfo(skb)->gso_size,
		.gso_type = skb_shinfo(skb)->gso_type,
		.data = malloc(skb->len + 1),
	};
	check(!skb_copy_bits(skb, 0, exp->data, skb->len), "");
	/* What the frontend does not fill in is filled in before. */
	if (exp->ip_summed == CHECKSUM_PARTIAL &&
	    !(skb->protocol == htons(ETH_P_IPV6) ? stand->vif.frontend.ipv6_csum :
						   stand->vif.frontend.ip_csum))
		exp->ip_summed = CHECKSUM_NONE;

	for (i = 0; i < XENVIF_XMIT_STAT_MAX; i++)
		before += stand->vif.stats[0].xmit[i].v;
	/* The guest may have it before the call is over. */
	n_exp_rx++;
	stand->n_sent++;
	sim.atomic++;
	xenvif_rx_enqueue(stand->queue, skb);
	sim.atomic--;
	for (i = 0; i < XENVIF_XMIT_STAT_MAX; i++)
		before -= stand->vif.stats[0].xmit[i].v;
	if (before) {
		/* Refused. */
		n_exp_rx--;
		stand->n_sent--;
	}
}

u64 stand_tx_stat(enum xenvif_tx_stat stat)
{
	return stand->vif.stats[0].tx[stat].v;
}

u64 stand_rx_stat(enum xenvif_rx_stat stat)
{
	return stand->vif.stats[0].rx[stat].v;
}

static void check_tx_rest(void)
{
	const struct xenvif_queue_tx *tx = &stand->queue->tx;
	struct model_packet pkt;
	u32 avail, unmade;

	/* Nothing is in flight. */
	if (tx->n_work)
		return;
	check(tx->ring.back.rsp_prod_pvt == tx->ring.back.req_cons,
	      "something was taken and not answered");
	check(stand->tx_checked == tx->ring.back.rsp_prod_pvt, "");

	check(stand_tx_stat(XENVIF_TX_PACKETS) == stand->n_delivered, "");
	/* An answered packet may also find no skb. */
	unmade = stand->n_ok - stand->n_delivered - stand_tx_stat(XENVIF_TX_DROP_HEADER);
	check(unmade <= sim.n_unmade && unmade <= stand_tx_stat(XENVIF_TX_DROP_NOMEM),
	      "%u are missing", unmade);
	check(stand_tx_stat(XENVIF_TX_DROP_HEADER) + unmade ==
	      stand->n_lost + (n_exp_tx - next_exp_tx), "");
	check(stand_tx_stat(XENVIF_TX_REQUESTS) == stand->n_answered, "");
	stand->n_lost += n_exp_tx - next_exp_tx;
	next_exp_tx = n_exp_tx;

	if (!stand->honest || stand->n_fatal || tx->throttle.armed)
		return;
	avail = stand->tx.sring->req_prod - tx->ring.back.req_cons;
	if (!avail)
		return;
	model_parse(stand->tx_ring->ring, XENVIF_TX_RING_SIZE, tx->ring.back.req_cons,
		    avail, &pkt);
	check(!pkt.whole, "a whole packet was left in the ring");
}

static void check_rx_rest(void)
{
	const struct xenvif_queue_rx *rx = &stand->queue->rx;
	u32 queued = skb_queue_len(&rx->backlog) + skb_queue_len(&rx->todo);
	u64 dropped = stand_rx_stat(XENVIF_RX_DROP_EXPIRED) +
		      stand_rx_stat(XENVIF_RX_DROP_PURGED);
	const struct sk_buff *skb;
	u32 bytes = 0, len = 0;

	if (!stand->honest)
		return;
	check(skb_queue_empty(&rx->done) && !rx->n_rsp && !rx->batch.n, "");
	check(rx->ring.back.rsp_prod_pvt == rx->ring.back.req_cons, "");
	check(stand->n_sent == stand->n_received + queued + dropped, "%u %u %u %u",
	      stand->n_sent, stand->n_received, queued, (u32)dropped);
	check(stand_rx_stat(XENVIF_RX_PACKETS) == stand->n_received, "");
	check(stand_rx_stat(XENVIF_RX_SLOTS) == stand->n_rx_slots, "");
	for (skb = rx->backlog.next; skb; skb = skb->next) {
		bytes += skb->truesize;
		len += skb->len;
	}
	for (skb = rx->todo.next; skb; skb = skb->next) {
		bytes += skb->truesize;
		len += skb->len;
	}
	check(stand->dev.txq.in_flight == len, "%u told, %u there", stand->dev.txq.in_flight,
	      len);
	check(!stand->dev.txq.full || len > sim.bql_limit, "full with %u bytes", len);
	check(rx->bytes == bytes, "%u accounted for, %u there", rx->bytes, bytes);
	check(!stand->dev.txq.stopped || queued, "stopped with an empty backlog");
	if (queued && !rx->stalled && !sim.xmit_more && !stand->n_fatal) {
		u32 avail = stand->rx.sring->req_prod - rx->ring.back.req_cons;
		u32 need;

		skb = rx->todo.next ? rx->todo.next : rx->backlog.next;
		need = DIV_ROUND_UP(skb->len, XEN_PAGE_SIZE - rx->headroom) + 3;
		check(avail < need, "a packet of %u bytes waits although there are %u buffers",
		      skb->len, avail);
	}
}

void stand_run(void)
{
	sim_run(NAPI_POLL_WEIGHT);
	check_tx_rest();
	check_rx_rest();
}

/* Up and down. */

static void *ring_page(u32 which, u32 start)
{
	static u8 page[2][XEN_PAGE_SIZE] __attribute__((aligned(4096)));
	struct xen_netif_tx_sring *ring = (void *)page[which];

	sim_page_writable(ring);
	memset(ring, 0xCC, XEN_PAGE_SIZE);
	SHARED_RING_INIT(ring);
	ring->req_prod = start;
	ring->rsp_prod = start;
	ring->req_event = start + 1;
	ring->rsp_event = start + 1;
	return ring;
}

static void fill_guest_memory(void)
{
	u32 x = 12345, i, j;

	for (i = 0; i < STAND_TX_PAGES; i++) {
		u8 *page = sim_guest_page(i);

		for (j = 0; j < XEN_PAGE_SIZE; j += 4) {
			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			memcpy(page + j, &x, 4);
		}
	}
}

void stand_up(const struct stand_config *config)
{
	static bool filled;
	struct xenvif_queue_config where = { 0, 1, 0, config->shared_channel ? 0 : 1 };

	sim_reset();
	if (!filled)
		fill_guest_memory();
	filled = true;
	stand = calloc(1, sizeof(*stand));
	stand->honest = true;
	stand->dev.running = true;
	stand->dev.features = NETIF_F_RXCSUM | NETIF_F_RXHASH;
	stand->vif.dev = &stand->dev;
	stand->vif.xdev = &stand->xdev;
	stand->vif.domid = SIM_DOMID;
	stand->vif.stats = calloc(1, sizeof(*stand->vif.stats));
	stand->vif.log_limit.left = 10;
	stand->vif.frontend = (struct xenvif_frontend){
		.sg = true,
		.gso_tcpv4 = !config->sg_only,
		.gso_tcpv6 = !config->sg_only,
		.ip_csum = true,
		.ipv6_csum = true,
		.rx_notify = true,
	};
	stand->vif.params.static_grants = config->static_grants;
	stand->vif.rx_drain_timeout = 10 * HZ;
	stand->vif.rx_stall_timeout = config->rx_stall_ms;
	stand->vif.xdp_headroom = config->rx_headroom;
	if (config->hashing) {
		static const u8 key[XENVIF_HASH_KEY_MAX] = { 0x6D, 0x5A, 0x56, 0xDA, 0x25, 0x5B };

		stand->vif.hash = malloc(sizeof(*stand->vif.hash));
		xenvif_hash_init(stand->vif.hash, 1);
		xenvif_hash_set_key(stand->vif.hash, key, sizeof(key));
		stand->vif.hash->algorithm = XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ;
		stand->vif.hash->types = XENVIF_HASH_TYPES;
	}

	stand->tx_ring = ring_page(0, config->tx_start);
	stand->rx_ring = ring_page(1, config->rx_start);
	stand->xdev.page[0] = stand->tx_ring;
	stand->xdev.page[1] = stand->rx_ring;
	FRONT_RING_ATTACH(&stand->tx, stand->tx_ring, config->tx_start, XEN_PAGE_SIZE);
	FRONT_RING_ATTACH(&stand->rx, stand->rx_ring, config->rx_start, XEN_PAGE_SIZE);
	stand->tx_checked = config->tx_start;
	stand->rx_checked = config->rx_start;
	sim_deliver = deliver;

	stand->queues = xenvif_queues_alloc(&stand->vif, 1);
	check(!IS_ERR(stand->queues), "");
	stand->queue = stand->queues->queue[0];
	check(!xenvif_queues_raise(stand->queues, &where), "");
	sim_hook = on_point;
	stand_run();
}

void stand_down(void)
{
	u32 i;

	sim_hook = on_point;
	xenvif_queues_lower(stand->queues);
	check(!stand->queue->rx.bytes, "");
	check(!stand->dev.txq.in_flight && !stand->dev.txq.full, "");
	xenvif_queues_free(stand->queues);
	check(!stand->xdev.n_mapped[0] && !stand->xdev.n_mapped[1], "a ring is still mapped");
	sim_hook = NULL;
	for (i = 0; i < min(n_exp_tx, EXPECT_MAX); i++) {
		free(exp_tx[i].data);
		exp_tx[i].data = NULL;
	}
	/* One that was refused has left its data here, too. */
	for (i = 0; i < min(n_exp_rx + 1, EXPECT_MAX); i++) {
		free(exp_rx[i].data);
		exp_rx[i].data = NULL;
	}
	n_exp_tx = 0;
	next_exp_tx = 0;
	n_exp_rx = 0;
	next_exp_rx = 0;
	free(stand->vif.hash);
	free(stand->vif.stats);
	free(stand);
	stand = NULL;
	sim_reset();
}
