// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * guest_tx.c and queue.c on the stand, under a guest that does what the bytes say.
 * The stand's model checks every answer and every packet; see stand.h.
 */

#include "input.h"
#include "stand.h"

#define FRAME_PAGE	60

static u32 random_state;

static u32 random_u32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

/* At each point where it could: the other processor of the guest. */
static void scribble(enum sim_point point)
{
	u32 r = random_u32();

	(void)point;
	switch (r & 15) {
	case 0:
		stand->tx_ring->req_prod += (r >> 8 & 15) - 7;
		break;
	case 1:
		stand->tx_ring->rsp_event = stand->tx_ring->rsp_prod + (r >> 8 & 3);
		break;
	case 2:
		stand->tx_ring->rsp_prod = r;
		stand->tx_ring->req_event = r;
		break;
	case 3:
	case 4:
	case 5:
		((u8 *)stand->tx_ring->ring)[(r >> 8) % (256 * 12)] ^= r >> 24;
		break;
	case 6:
		memset(&stand->tx_ring->ring[r >> 8 & 255], r >> 16, 12);
		break;
	default:
		break;
	}
}

static bool room(void)
{
	return !stand->honest ||
	       stand->tx.req_prod_pvt - stand->tx_ring->rsp_prod < XENVIF_TX_RING_SIZE;
}

static u32 take_gref(struct input *in)
{
	u8 what = take8(in);

	/* Mostly good ones, and the page that frames are written to. */
	if (what < 64)
		return SIM_GREF(what, SIM_FATE_OK);
	if (what < 192)
		return SIM_GREF(FRAME_PAGE, SIM_FATE_OK);
	return SIM_GREF(what & 63, take8(in) & 15);
}

static void post_request(struct input *in, u8 flags, u32 n)
{
	u32 offset = flags & 0x10 ? take_size(in) : 0, size = take_size(in);
	u32 gref = take_gref(in), id = take8(in) * 257;

	/* Unknown flags too. */
	if (flags & 0x20)
		flags |= 0xC0;
	while (n-- && room())
		stand_tx_request(gref, offset, size, flags & ~0x30, id++);
}

static void post_extra(struct input *in, u8 what)
{
	struct xen_netif_extra_info extra = {
		.type = what & 7,
		.flags = what >> 3 & 1,
	};

	if (extra.type == XEN_NETIF_EXTRA_TYPE_GSO) {
		extra.u.gso.size = take_size(in);
		extra.u.gso.type = take8(in) & 3;
	} else {
		for (u32 i = 0; i < 6; i++)
			extra.u.mcast.addr[i] = take8(in);
	}
	if (room())
		stand_tx_extra(&extra);
}

/* A frame with headers as they are sent, or as the bytes will have them. */
static void write_frame(struct input *in)
{
	static const u16 protos[] = { 0x0800, 0x86DD, 0x8100, 0x88A8, 0x0806, 0x0004 };
	u8 *frame = sim_guest_page(FRAME_PAGE), what;
	u32 at = 12;

	do {
		u16 proto;

		what = take8(in);
		proto = protos[what % 6];
		frame[at++] = proto >> 8;
		frame[at++] = proto;
		if (proto != 0x8100 && proto != 0x88A8)
			break;
		at += 2;
	} while (at < 100);

	what = take8(in);
	frame[at] = what;
	frame[at + 6] = what & 0x80 ? take8(in) : 17;
	frame[at + 7] = 0;
	frame[at + 9] = take8(in) & 1 ? 6 : 17;
	if (what >> 4 == 6 && !(what & 0x80))
		frame[at + 6] = frame[at + 9];
	at += what >> 4 == 6 ? 40 : (what & 15) * 4;
	frame[at + 12] = take8(in);
}

static void act(struct input *in)
{
	u8 what = take8(in), arg = take8(in);

	switch (what % 20) {
	case 0:
	case 1:
	case 2:
	case 3:
		post_request(in, arg & 0x3F, 1);
		break;
	case 4:
		post_request(in, take8(in) & 0x3F, arg);
		break;
	case 5:
		post_extra(in, arg);
		break;
	case 6:
	case 7:
		stand_tx_push();
		break;
	case 8:
	case 9:
		stand_tx_push();
		stand_run();
		break;
	case 10:
		sim_run(1 + arg % 64);
		break;
	case 11:
		sim_event(0);
		break;
	case 12:
		stand->tx_ring->rsp_event = stand->tx_ring->rsp_prod + (s8)arg;
		break;
	case 13:
		sim_advance((u64)arg * arg * 1000000);
		break;
	case 14:
		xenvif_credit_set(&stand->vif.credit, arg ? take_size(in) + 1 : 0,
				  arg * 100 + 1, sim.now);
		break;
	case 15:
		sim.fail_alloc_in = arg;
		break;
	case 16:
		if (arg & 1)
			stand->shaky = true;
		sim.fail_hypercall = arg & 1;
		stand->dev.running = !(arg & 2);
		break;
	case 17:
		write_frame(in);
		break;
	case 18:
		/* Somewhere it may be, or may not. */
		stand->honest = false;
		stand->tx_ring->req_prod += arg & 0x80 ? (arg & 1 ? 257 : 0x80000000) :
						(u32)(s8)(arg << 1) / 2;
		stand->tx.req_prod_pvt = stand->tx_ring->req_prod;
		break;
	case 19:
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
	u8 what = take8(&in), page[XEN_PAGE_SIZE];

	memcpy(page, sim_guest_page(FRAME_PAGE), sizeof(page));
	config.tx_start = what & 1 ? 0xFFFFFFF0 : what & 2 ? 0x7FFFFFFF : 0;
	config.shared_channel = what & 4;
	stand_up(&config);
	while (in.left)
		act(&in);
	stand_tx_push();
	stand_run();
	stand_down();
	memcpy(sim_guest_page(FRAME_PAGE), page, sizeof(page));
	return 0;
}
