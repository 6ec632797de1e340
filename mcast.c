// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The multicast addresses that a guest wants to hear: see mcast.h.
 */

#include <linux/compiler.h>
#include <linux/etherdevice.h>

#include "mcast.h"

/* The place of an address, or where places end if it has none. Writers only. */
static u32 xenvif_mcast_find(const struct xenvif_mcast *mcast, u64 addr)
{
	u32 i;

	for (i = 0; i < mcast->end; i++)
		if (mcast->addr[i] == addr)
			break;
	return i;
}

/**
 * xenvif_mcast_add() - add an address
 * @mcast: the table
 * @addr: the address; six bytes
 *
 * One that is there already stays there once.
 *
 * Context: any; the only writer.
 * Return: whether it is in the table now; false if that is full, or if the
 * address is not a multicast one.
 */
bool xenvif_mcast_add(struct xenvif_mcast *mcast, const u8 *addr)
{
	u64 value = ether_addr_to_u64(addr);
	u32 i;

	if (!is_multicast_ether_addr(addr))
		return false;
	if (xenvif_mcast_find(mcast, value) < mcast->end)
		return true;

	/* The first free place, be it a gap or the end. */
	i = xenvif_mcast_find(mcast, 0);
	if (i == XENVIF_MCAST_MAX)
		return false;
	WRITE_ONCE(mcast->addr[i], value);
	if (i == mcast->end)
		WRITE_ONCE(mcast->end, i + 1);
	return true;
}

/**
 * xenvif_mcast_del() - delete an address
 * @mcast: the table
 * @addr: the address; six bytes. It need not be there.
 *
 * Context: any; the only writer.
 */
void xenvif_mcast_del(struct xenvif_mcast *mcast, const u8 *addr)
{
	u32 i = xenvif_mcast_find(mcast, ether_addr_to_u64(addr));

	if (!is_multicast_ether_addr(addr) || i == mcast->end)
		return;
	WRITE_ONCE(mcast->addr[i], 0);
	while (mcast->end && !mcast->addr[mcast->end - 1])
		WRITE_ONCE(mcast->end, mcast->end - 1);
}

/**
 * xenvif_mcast_clear() - forget all addresses
 * @mcast: the table
 *
 * Context: any; the only writer.
 */
void xenvif_mcast_clear(struct xenvif_mcast *mcast)
{
	u32 i;

	for (i = 0; i < XENVIF_MCAST_MAX; i++)
		WRITE_ONCE(mcast->addr[i], 0);
	WRITE_ONCE(mcast->end, 0);
}

/**
 * xenvif_mcast_has() - whether a guest wants to hear an address
 * @mcast: the table
 * @addr: a multicast address; six bytes
 *
 * Context: any; beside writers, too.
 * Return: whether the address is in the table.
 */
bool xenvif_mcast_has(const struct xenvif_mcast *mcast, const u8 *addr)
{
	u64 value = ether_addr_to_u64(addr);
	u32 end = READ_ONCE(mcast->end);
	u32 i;

	for (i = 0; i < end; i++)
		if (READ_ONCE(mcast->addr[i]) == value)
			return true;
	return false;
}
