// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * tx_parse.c against the model: whatever is in the ring, both see the same
 * packet, or none. The bytes are the ring's entries, and where the packet begins.
 */

#include <sanitizer/asan_interface.h>

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

/* Memory of exactly that size: a byte more is seen. From the same place each time,
 * as taking and giving back would cost more than the parser does.
 */
static void *exactly(u8 *memory, size_t memory_size, size_t size)
{
	u8 *at = memory + memory_size - size;

	/* It ends where the memory does; the byte behind is never anybody's. What is
	 * poisoned in front of it are units of eight bytes.
	 */
	ASAN_UNPOISON_MEMORY_REGION(memory, memory_size);
	ASAN_POISON_MEMORY_REGION(memory, memory_size - size);
	return at;
}

static void parse(struct input *in)
{
	static const u32 sizes[] = { 1, 2, 8, 32, 256, 256, 256, 256 };
	static u8 memory[256 * sizeof(union xen_netif_tx_sring_entry)]
		__attribute__((aligned(16)));
	u8 what = take8(in);
	u32 ring_size = sizes[what & 7], cons = take8(in), avail, i;
	union xen_netif_tx_sring_entry *ring, *entry, *last = NULL;
	static struct xenvif_tx_packet pkt;
	static struct model_packet model;
	enum xenvif_tx_verdict verdict;

	ring = exactly(memory, sizeof(memory), ring_size * sizeof(*ring));
	if (what & 8)
		cons = ~cons;
	avail = 1 + take8(in) % ring_size;
	if (what & 16)
		avail = ring_size;
	/* Nobody looks at what is not available. */
	memset(ring, 0xDD, ring_size * sizeof(*ring));
	/* The last entry goes on to the end: so a ring is filled by few bytes. */
	for (i = 0; i < avail; i++, last = entry) {
		entry = &ring[(cons + i) & (ring_size - 1)];
		if (in->left)
			take_entry(in, entry);
		else if (last)
			*entry = *last;
		else
			memset(entry, 0, sizeof(*entry));
	}
	memset(&pkt, 0xDD, sizeof(pkt));

	verdict = xenvif_tx_parse(ring, ring_size, cons, avail, &pkt);
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
		check(pkt.n_requests == model.n_requests);
		break;
	case XENVIF_TX_DROP:
		check(model.whole && !model.good && !model.mcast);
		check(pkt.n_requests == model.n_requests);
		check(pkt.n_extras == model.n_extras);
		check(pkt.bad > XENVIF_TX_BAD_NONE && pkt.bad < XENVIF_TX_BAD_MAX);
		break;
	case XENVIF_TX_PACKET:
		check(pkt.n_requests == model.n_requests);
		compare(&pkt, &model);
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u8 memory[4096] __attribute__((aligned(16)));
	struct input in = { data, size };
	u8 *frame;

	parse(&in);

	/* The same bytes, as a frame. */
	size = min(size, sizeof(memory));
	frame = exactly(memory, sizeof(memory), size);
	memcpy(frame, data, size);
	check(xenvif_tx_headers_len(frame, size) <= size);
	return 0;
}
