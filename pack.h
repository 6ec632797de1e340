/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packing chunks of data into buffers of equal size.
 *
 * Both directions have the same problem: a packet lies in chunks (the guest's
 * slots; an skb's fragments, cut at page boundaries) and must move to buffers of
 * at most a page (our pages; the guest's receive slots) of which only so many
 * may be used. Each piece placed costs one grant copy, so a chunk must not be
 * split without need; each buffer costs too, so a chunk joins the one before it
 * where it fits.
 *
 * Pure: no kernel service is used, and the unit tests compile it as it is.
 */

#ifndef XENVIF_PACK_H
#define XENVIF_PACK_H

#include <linux/types.h>

/**
 * struct xenvif_pack - where the next chunk of a packet goes
 * @rest: bytes of the packet not yet placed
 * @room: bytes free in the current buffer
 * @bufs: buffers that may still be opened
 * @size: size of each of these, in bytes; not 0
 *
 * As long as @rest <= @room + @bufs * @size when the packet begins, every packet
 * finds its place however it is cut: that is the invariant that
 * xenvif_pack_next() keeps.
 */
struct xenvif_pack {
	u32 rest;
	u32 room;
	u32 bufs;
	u32 size;
};

/**
 * xenvif_pack_fits() - whether a packet can be packed at all
 * @pack: the state before the first chunk
 *
 * Return: whether the invariant of struct xenvif_pack holds.
 */
static inline bool xenvif_pack_fits(const struct xenvif_pack *pack)
{
	return pack->rest <= pack->room + (u64)pack->bufs * pack->size;
}

/**
 * xenvif_pack_next() - place the next piece of a chunk
 * @pack: the state
 * @chunk: bytes of the chunk not yet placed; not 0 and at most @pack->rest
 * @fresh: set to whether the piece opens a new buffer
 *
 * A chunk joins the current buffer if it fits there whole. Otherwise the room
 * left over is given up and the chunk begins a buffer of its own, unless all the
 * room is needed for the rest of the packet.
 *
 * Return: the piece's length in bytes, 1 to @chunk.
 */
static inline u32 xenvif_pack_next(struct xenvif_pack *pack, u32 chunk, bool *fresh)
{
	u32 len = chunk;

	*fresh = !pack->room ||
		 (chunk > pack->room &&
		  pack->rest <= (u64)pack->bufs * pack->size);
	if (*fresh) {
		pack->bufs--;
		pack->room = pack->size;
	}
	if (len > pack->room)
		len = pack->room;
	pack->room -= len;
	pack->rest -= len;
	return len;
}

#endif /* XENVIF_PACK_H */
