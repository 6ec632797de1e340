// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * guest_rx.c and queue.c on the stand: packets as the bytes describe them, to a
 * guest that does what the bytes say. The stand's model checks every answer and
 * every byte of the buffers; see stand.h.
 */

#include "input.h"
#include "stand.h"

static u32 random_state;

static u32 random_u32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

static void scribble(enum sim_point point)
{
	u32 r = random_u32();

	(void)point;
	switch (r & 15) {
	case 0:
		stand->rx_ring->req_prod += (r >> 8 & 15) - 7;
		break;
	case 1:
		stand->rx_ring->rsp_event = stand->rx_ring->rsp_prod + (r >> 8 & 3);
		break;
	case 2:
		stand->rx_ring->rsp_prod = r;
		stand->rx_ring->req_event = r;
		break;
	case 3:
	case 4:
		((u8 *)stand->rx_ring->ring)[(r >> 8) % (256 * 8)] ^= r >> 24;
		break;
	default:
		break;
	}
}

static void fill(u8 *data, u32 len)
{
	u32 r = 0;

	for (; len; len--, r >>= 8) {
		if (!r)
			r = random_u32();
		*data++ = r;
	}
}

static void add_frags(struct input *in, struct sk_buff *skb, u32 n, u32 *budget)
{
	while (n-- && skb_shinfo(skb)->nr_frags < MAX_SKB_FRAGS && *budget) {
		u32 len = take_size(in), offset = take_size(in) % 12288;
		const skb_frag_t *frag;

		len = min(len, *budget);
		if (!len)
			continue;
		sim_skb_add_frag(skb, offset, len);
		*budget -= len;
		frag = &skb_shinfo(skb)->frags[skb_shinfo(skb)->nr_frags - 1];
		fill((u8 *)page_address(frag->page) + frag->offset, frag->len);
	}
}

static void send(struct input *in, u8 what)
{
	u32 linear = take_size(in), budget = 72000;
	struct sk_buff *skb, *part, **next;
	struct page *page;

	linear = max(linear, 14U);
	skb = sim_skb_alloc(linear, take_size(in) % 5000);
	fill(skb->data, linear);
	/* Ethernet headers that lead somewhere. */
	if (linear >= 40) {
		skb->data[12] = what & 1 ? 0x08 : what & 2 ? 0x86 : 0x81;
		skb->data[13] = what & 1 ? 0x00 : what & 2 ? 0xDD : 0x00;
		skb->data[14] = what & 1 ? 0x45 : 0x60;
		skb->data[what & 1 ? 23 : 20] = 6;
	}
	budget -= linear;
	add_frags(in, skb, what & 31, &budget);

	next = &skb_shinfo(skb)->frag_list;
	for (u32 n = what & 0x20 ? take8(in) & 7 : 0; n && budget; n--) {
		linear = min(take_size(in) & 0xFFF, budget);
		part = sim_skb_alloc(linear, take8(in));
		fill(part->data, linear);
		budget -= linear;
		add_frags(in, part, take8(in) & 15, &budget);
		*next = part;
		next = &part->next;
		skb->len += part->len;
		skb->data_len += part->len;
		skb->truesize += part->truesize;
	}

	if (what & 0x40) {
		u8 gso = take8(in);

		skb_shinfo(skb)->gso_type = gso & 1 ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6;
		if (gso & 2)
			skb_shinfo(skb)->gso_type |= SKB_GSO_DODGY;
		skb_shinfo(skb)->gso_size = take_size(in) | 1;
		skb->ip_summed = CHECKSUM_PARTIAL;
	} else if (what & 0x80) {
		u8 how = take8(in);

		skb->ip_summed = how & 3;
		/* A page that is another guest's. */
		if (how & 4 && skb_shinfo(skb)->nr_frags) {
			page = skb_frag_page(&skb_shinfo(skb)->frags[0]);
			if (page->run == 1) {
				page->foreign.domid = SIM_OTHER_DOMID;
				page->foreign.gref = sim_page_number(page);
			}
		}
	}
	/* What is not sent counts, too. */
	stand_xmit(skb);
}

static void post(u32 n, u32 fate)
{
	u32 free = XENVIF_RX_RING_SIZE - (stand->rx.req_prod_pvt - stand->rx_ring->rsp_prod);

	if (stand->honest)
		n = min(n, free);
	stand_rx_post(n, fate);
}

static void act(struct input *in)
{
	u8 what = take8(in), arg = take8(in);

	switch (what % 16) {
	case 0:
	case 1:
	case 2:
	case 3:
		send(in, arg);
		break;
	case 4:
		for (u32 n = arg & 31; n && in->left; n--)
			send(in, take8(in));
		break;
	case 5:
	case 6:
		post(arg, SIM_FATE_OK);
		break;
	case 7:
		post(arg & 15, arg >> 4);
		break;
	case 8:
		post(arg & 31, SIM_FATE_OK);
		stand_run();
		break;
	case 9:
		stand_run();
		break;
	case 10:
		sim_event(stand->queue->rx_channel.irq ? 1 : 0);
		break;
	case 11:
		sim_advance((u64)arg * arg * 1000000);
		break;
	case 12:
		stand->vif.xdp_headroom = arg & 0x80 ? arg * 2 & 0x1FF : 0;
		if (stand->vif.xdp_headroom > XENVIF_XDP_HEADROOM_MAX)
			stand->vif.xdp_headroom = XENVIF_XDP_HEADROOM_MAX;
		break;
	case 13:
		/* The stack announces no more than it sends. */
		if (sim.xmit_more && !(arg & 1)) {
			sim.xmit_more = false;
			send(in, 0);
		}
		sim.xmit_more = arg & 1;
		stand->rx_ring->rsp_event = stand->rx_ring->rsp_prod + (arg >> 1 & 7);
		break;
	case 14:
		stand->honest = false;
		stand->rx_ring->req_prod += arg & 0x80 ? (arg & 1 ? 257 : 0x80000000) :
						(u32)(s8)(arg << 1) / 2;
		stand->rx.req_prod_pvt = stand->rx_ring->req_prod;
		break;
	case 15:
		stand->honest = false;
		random_state = arg + 1;
		stand->hostile = arg & 0x80 ? NULL : scribble;
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct stand_config config = { 0 };
	u8 what = take8(&in);

	random_state = 0x12345678;
	config.rx_start = what & 1 ? 0xFFFFFFF0 : what & 2 ? 0x7FFFFFFF : 0;
	config.shared_channel = what & 4;
	config.sg_only = what & 8;
	config.rx_headroom = what & 16 ? 256 : 0;
	config.rx_stall_ms = what & 32 ? 1000 : 0;
	config.hashing = what & 64;
	stand_up(&config);
	while (in.left)
		act(&in);
	if (sim.xmit_more) {
		sim.xmit_more = false;
		send(&in, 0);
	}
	stand_run();
	stand_down();
	return 0;
}
