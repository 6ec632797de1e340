/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The multicast addresses that a guest wants to hear.
 *
 * A fixed table, so that a guest can neither make the host allocate nor wait for
 * a grace period, whatever it sends. An address keeps its place until it is
 * deleted, and each place is written at once: a reader without a lock sees every
 * address that was there all the time it looked.
 *
 * Pure; the unit tests compile mcast.c as it is.
 */

#ifndef XENVIF_MCAST_H
#define XENVIF_MCAST_H

#include <linux/types.h>

/* Addresses of a vif. */
#define XENVIF_MCAST_MAX	64

/**
 * struct xenvif_mcast - a vif's multicast addresses
 * @addr: each one as a number, ether_addr_to_u64(); 0: a free place
 * @end: the places from here on are free
 *
 * Writers (xenvif_mcast_add(), _del(), _clear()) are to be kept apart by their
 * callers. Readers need nothing.
 */
struct xenvif_mcast {
	u32 end;
	u64 addr[XENVIF_MCAST_MAX];
};

bool xenvif_mcast_add(struct xenvif_mcast *mcast, const u8 *addr);
void xenvif_mcast_del(struct xenvif_mcast *mcast, const u8 *addr);
void xenvif_mcast_clear(struct xenvif_mcast *mcast);
bool xenvif_mcast_has(const struct xenvif_mcast *mcast, const u8 *addr);

#endif /* XENVIF_MCAST_H */
