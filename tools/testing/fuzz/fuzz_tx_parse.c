// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * tx_parse.c against the model: whatever is in the ring, both see the same
 * packet, or none. The bytes are the ring's entries, and where the packet begins.
 */

#include "input.h"
#include "stand.h"

void sim_warn(const char *file, int line, const char *cond)
{
	sim_bug("WARN_ON(%s) at %s:%d", cond, file, line);
}

#define check(cond) do {							\
	if (!(cond))								\
		sim_bug("%s:%d: not so: %s", __FILE__, __LINE__, #cond);	\
} while (0)

static void take_entry(struct input *in, union xen_netif_tx_sring_entry *entry)
{
	struct xen_netif_extra_info extra = { 0 };
	u8 what = take8(in);

	memset(entry, 0, sizeof(*entry));
	switch (what & 3) {
	case 0:
	case 1:
		entry->req.flags = what >> 2 & 0xF;
		entry->req.offset = what & 0x40 ? take_size(in) : 0;
		entry->req.size = take_size(in);
		entry->req.gref = take8(in);
		break;
	case 2:
		extra.type = what >> 2 & 7;
		extra.flags = what >> 5 & 1;
		extra.u.gso.size = take_size(in);
		extra.u.gso.type = take8(in) & 3;
		memcpy(entry, &extra, sizeof(extra));
		break;
	default:
		for (u32 i = 0; i < sizeof(*entry); i++)
			((u8 *)entry)[i] = take8(in);
		break;
	}
}

static void compare(const struct xenvif_tx_packet *pkt, const struct model_packet *model)
{
	u32 i, n = 0;

	check(model->good);
	check(pkt->len == model->len);
	check(pkt->flags == model->flags);
	check(pkt->n_extras == model->n_extras);
	check(pkt->gso_type == model->gso_type);
	check(pkt->gso_size == model->gso_size);
	for (i = 0; i < model->n_slots; i++) {
		if (!model->slot[i].len)
			continue;
		check(n < pkt->n_slots);
		check(pkt->slot[n].gref == model->slot[i].gref);
		check(pkt->slot[n].offset == model->slot[i].offset);
		check(pkt->slot[n].len == model->slot[i].len);
		n++;
	}
	check(n == pkt->n_slots && n <= XENVIF_TX_SLOTS_MAX);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u32 sizes[] = { 1, 2, 8, 32, 256, 256, 256, 256 };
	struct input in = { data, size };
	u8 what = take8(&in);
	u32 ring_size = sizes[what & 7], cons = take8(&in), avail, i;
	union xen_netif_tx_sring_entry *ring = malloc(ring_size * sizeof(*ring));
	enum xenvif_tx_verdict verdict;
	struct model_packet model;
	struct xenvif_tx_packet *pkt = malloc(sizeof(*pkt));
	u8 *frame;

	if (what & 8)
		cons = ~cons;
	avail = 1 + take8(&in) % ring_size;
	if (what & 16)
		avail = ring_size;
	/* The last entry goes on to the end: so a ring is filled by few bytes. */
	for (i = 0; i < ring_size; i++) {
		if (in.left)
			take_entry(&in, &ring[(cons + i) % ring_size]);
		else
			ring[(cons + i) % ring_size] =
				i ? ring[(cons + i - 1) % ring_size] :
				    (union xen_netif_tx_sring_entry){ 0 };
	}
	memset(pkt, 0xDD, sizeof(*pkt));

	verdict = xenvif_tx_parse(ring, ring_size, cons, avail, pkt);
	model_parse(ring, ring_size, cons, avail, &model);

	switch (verdict) {
	case XENVIF_TX_WAIT:
		check(!model.whole && avail < ring_size);
		break;
	case XENVIF_TX_CORRUPT:
		check(!model.whole && avail == ring_size);
		break;
	case XENVIF_TX_MCAST:
		check(model.whole && model.mcast);
		check(pkt->n_requests == model.n_requests);
		break;
	case XENVIF_TX_DROP:
		check(model.whole && !model.good && !model.mcast);
		check(pkt->n_requests == model.n_requests);
		check(pkt->n_extras == model.n_extras);
		check(pkt->bad > XENVIF_TX_BAD_NONE && pkt->bad < XENVIF_TX_BAD_MAX);
		break;
	case XENVIF_TX_PACKET:
		check(pkt->n_requests == model.n_requests);
		compare(pkt, &model);
		break;
	}
	free(ring);
	free(pkt);

	/* The same bytes, as a frame. */
	frame = malloc(size ? size : 1);
	memcpy(frame, data, size);
	check(xenvif_tx_headers_len(frame, size) <= size);
	free(frame);
	return 0;
}
