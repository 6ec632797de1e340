// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ctrl.c, hash.c and mcast.c under a guest that does what the bytes say. The stand's
 * model knows each answer and what is in force after it (see ctrl_stand.h); frames
 * are read a second time here, and the multicast table is compared with a list.
 */

#include <sanitizer/asan_interface.h>

#define XEN_NETIF_DEFINE_TOEPLITZ
#include "input.h"
#include "ctrl_stand.h"

#define check(cond) do {							\
	if (!(cond))								\
		sim_bug("%s:%d: not so: %s", __FILE__, __LINE__, #cond);	\
} while (0)

static u32 random_state;

static u32 random_u32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

/* The other processor of the guest. */
static void scribble(enum sim_point point)
{
	u32 r = random_u32();

	(void)point;
	switch (r & 15) {
	case 0:
		ctrl_stand->ring->req_prod += (r >> 8 & 15) - 7;
		break;
	case 1:
		ctrl_stand->ring->rsp_prod = r;
		ctrl_stand->ring->req_event = r;
		break;
	case 2:
		sim_guest_page(CTRL_STAND_PAGE)[r >> 8 & 0xFFF] ^= r >> 24;
		break;
	case 3:
	case 4:
	case 5:
		((u8 *)ctrl_stand->ring->ring)[(r >> 8) % (128 * 16)] ^= r >> 24;
		break;
	case 6:
		sim_grace_period();
		break;
	default:
		break;
	}
}

/* A number at which something changes, mostly. */
static u32 take_number(struct input *in)
{
	static const u32 table[] = {
		0, 1, 2, 3, 4, 7, 8, 15, 16, 39, 40, 41, 63, 64, 127, 128, 129, 1023, 1024, 1025,
		4096, 0x10000, 1 << 30, 0x7FFFFFFF, 0x80000000, 0xFFFFFF7F, 0xFFFFFF80, 0xFFFFFFFF,
	};
	u8 what = take8(in);

	if (what < ARRAY_SIZE(table))
		return table[what];
	return what < 192 ? what - ARRAY_SIZE(table) : take16(in) | (u32)take16(in) << 16;
}

static u32 take_gref(struct input *in)
{
	u8 what = take8(in);

	return what < 192 ? CTRL_STAND_GREF : SIM_GREF(CTRL_STAND_PAGE, what & 15);
}

static bool room(void)
{
	return !ctrl_stand->honest ||
	       ctrl_stand->front.req_prod_pvt - ctrl_stand->ring->rsp_prod <
	       XENVIF_CTRL_RING_SIZE;
}

static void post(struct input *in, u8 what)
{
	u16 type = what & 0x80 ? take16(in) : what & 15;
	bool page = type == XEN_NETIF_CTRL_TYPE_SET_HASH_KEY ||
		    type == XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING;
	u32 d0 = page ? take_gref(in) : take_number(in);
	u32 d1 = take_number(in), d2 = take_number(in), n = 1 + (what >> 4 & 7);

	while (n-- && room())
		ctrl_stand_post(type, d0, d1, d2);
}

/* Entries of a mapping, or the bytes of a key. */
static void write_page(struct input *in, u8 n)
{
	u32 *word = (u32 *)sim_guest_page(CTRL_STAND_PAGE), i;

	for (i = 0; i < n; i++)
		word[i] = in->left ? take8(in) : i % 4;
	if (n & 1)
		word[n / 2] = take_number(in);
}

/* What netif.h says of the hash, for whatever the frame is; bit by bit. */
static u32 hash_again(const struct ctrl_model *m, const u8 *frame, u32 len)
{
	u8 input[XENVIF_HASH_INPUT_MAX];
	u32 at = 12, n, ports, proto;
	bool v4;

	for (n = 0;; n++, at += 4) {
		if (len < at + 2)
			return 0;
		proto = frame[at] << 8 | frame[at + 1];
		if (n == 2 || (proto != 0x8100 && proto != 0x88A8))
			break;
	}
	frame += at + 2;
	len -= at + 2;
	v4 = proto == 0x0800;
	if (!(v4 || proto == 0x86DD) || len < (v4 ? 20 : 40) || frame[0] >> 4 != (v4 ? 4 : 6))
		return 0;
	n = v4 ? 8 : 32;
	memcpy(input, frame + (v4 ? 12 : 8), n);

	ports = v4 ? (frame[0] & 15) * 4 : 40;
	proto = frame[v4 ? 9 : 6];
	while (!v4 && (proto == 0 || proto == 43 || proto == 60) && len >= ports + 8) {
		proto = frame[ports];
		ports += 8 + frame[ports + 1] * 8;
	}
	if (proto == 6 && len >= ports + 4 && m->types & (v4 ? 2 : 8) &&
	    !(v4 && (ports < 20 || frame[6] & 0x3F || frame[7]))) {
		memcpy(input + n, frame + ports, 4);
		n += 4;
	} else if (!(m->types & (v4 ? 1 : 4))) {
		return 0;
	}
	return xen_netif_toeplitz_hash(m->key, sizeof(m->key), input, n);
}

/* The bytes that follow are a frame, with a header that leads somewhere. */
static void hash_frame(struct input *in, u8 what)
{
	static const u16 protos[] = { 0x0800, 0x86DD, 0x8100, 0x88A8, 0x0800, 0x86DD, 0x0806, 0 };
	static u8 memory[XENVIF_HASH_FRAME_MAX] __attribute__((aligned(16)));
	u32 len = min((u32)in->left, (u32)sizeof(memory)), queue, value;
	u8 *frame = memory + sizeof(memory) - len;

	ASAN_UNPOISON_MEMORY_REGION(memory, sizeof(memory));
	ASAN_POISON_MEMORY_REGION(memory, sizeof(memory) - len);
	for (u32 i = 0; i < len; i++)
		frame[i] = take8(in);
	if (len >= 24) {
		frame[12] = protos[what & 7] >> 8;
		frame[13] = protos[what & 7];
		if (what & 8)
			frame[what & 1 ? 20 : 23] = 6;
	}
	xenvif_hash_frame(ctrl_stand->vif.hash, frame, len, &value);
	if (ctrl_stand->honest)
		check(value == hash_again(&ctrl_stand->model, frame, len));
	queue = xenvif_hash_queue(ctrl_stand->vif.hash, value);
	check(queue < ctrl_stand->vif.hash->n_queues);
}

/* The table against a list: of addresses that differ in one byte. */
static void filter(struct input *in, u8 n)
{
	bool listed[256] = { false };
	u32 n_listed = 0;

	xenvif_mcast_clear(&ctrl_stand->vif.mcast);
	while (n-- && in->left) {
		u8 what = take8(in), last = take8(in);
		u8 addr[6] = { what & 1 ? 0x33 : 0x32, 0x33, 0, 0, what >> 7, last };
		bool good = addr[0] & 1 && !addr[4], add = what & 2;

		if (add && good) {
			check(xenvif_mcast_add(&ctrl_stand->vif.mcast, addr) ==
			      (listed[last] || n_listed < XENVIF_MCAST_MAX));
			if (n_listed < XENVIF_MCAST_MAX) {
				n_listed += !listed[last];
				listed[last] = true;
			}
		} else if (add && !(addr[0] & 1)) {
			check(!xenvif_mcast_add(&ctrl_stand->vif.mcast, addr));
		} else if (!add) {
			xenvif_mcast_del(&ctrl_stand->vif.mcast, addr);
			n_listed -= good && listed[last];
			listed[last] &= !good;
		}
		if (good)
			check(xenvif_mcast_has(&ctrl_stand->vif.mcast, addr) == listed[last]);
	}
}

static void act(struct input *in)
{
	u8 what = take8(in), arg = take8(in);

	switch (what % 16) {
	case 0:
	case 1:
	case 2:
	case 3:
		post(in, arg);
		break;
	case 4:
		ctrl_stand_push();
		break;
	case 5:
	case 6:
		ctrl_stand_push();
		ctrl_stand_run();
		break;
	case 7:
		sim_event(0);
		ctrl_stand_run();
		break;
	case 8:
		write_page(in, arg);
		break;
	case 9:
		ctrl_stand->ring->rsp_event = ctrl_stand->ring->rsp_prod + (s8)arg;
		break;
	case 10:
		sim.fail_hypercall = arg & 1;
		break;
	case 11:
		hash_frame(in, arg);
		break;
	case 12:
		filter(in, arg);
		break;
	case 13:
		/* The next frontend finds the ring as it is; who posted too much, none. */
		ctrl_stand->vif.flags = 0;
		ctrl_stand->hostile = NULL;
		if (ctrl_stand_connect(1 + arg % 64))
			check(ctrl_stand_connect(1) == -EIO || !ctrl_stand->honest);
		break;
	case 14:
		ctrl_stand->honest = false;
		ctrl_stand->ring->req_prod += arg & 0x80 ? (arg & 1 ? 129 : 0x80000000) :
						 (u32)(s8)(arg << 1) / 2;
		ctrl_stand->front.req_prod_pvt = ctrl_stand->ring->req_prod;
		break;
	case 15:
		ctrl_stand->honest = false;
		random_state = arg + 1;
		ctrl_stand->hostile = scribble;
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	u8 what = take8(&in);

	random_state = 1;
	/* As it was for the input before: small numbers. */
	for (u32 i = 0; i < 256; i++)
		((u32 *)sim_guest_page(CTRL_STAND_PAGE))[i] = i % 4;
	ctrl_stand_up(what & 1 ? 0xFFFFFFF0 : what & 2 ? 0x7FFFFFFF : 0, 1 + (what >> 2 & 7));
	while (in.left && ctrl_stand->vif.ctrl)
		act(&in);
	if (ctrl_stand->vif.ctrl) {
		ctrl_stand_push();
		ctrl_stand_run();
	}
	ctrl_stand_down();
	return 0;
}
