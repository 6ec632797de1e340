/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hash that a guest wants its packets steered by: what it has set, the value
 * for a frame, the queue for a value. xen/interface/io/netif.h says what each is.
 *
 * Pure: no skb, no lock, no log; the unit tests compile hash.c as it is.
 */

#ifndef XENVIF_HASH_H
#define XENVIF_HASH_H

#include <linux/types.h>
#include <xen/interface/io/netif.h>

/* Key bytes that can matter: 32 bits more than the longest input. */
#define XENVIF_HASH_KEY_MAX	40

/* The longest input: two IPv6 addresses and two ports. */
#define XENVIF_HASH_INPUT_MAX	36

/* Entries of the table that maps values to queues. */
#define XENVIF_HASH_MAPPING_MAX	128

/* Bytes of a frame that are looked at. */
#define XENVIF_HASH_FRAME_MAX	128

/* In place of a _XEN_NETIF_CTRL_HASH_TYPE_*: the frame has no hash. */
#define XENVIF_HASH_TYPE_NONE	0xFF

/* Types of hash that are known. */
#define XENVIF_HASH_TYPES	(XEN_NETIF_CTRL_HASH_TYPE_IPV4 |	\
				 XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP |	\
				 XEN_NETIF_CTRL_HASH_TYPE_IPV6 |	\
				 XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)

/* Half bytes of the longest input. */
#define XENVIF_HASH_NIBBLES	(2 * XENVIF_HASH_INPUT_MAX)

/**
 * struct xenvif_hash - how a guest wants its packets to be steered
 * @algorithm: XEN_NETIF_CTRL_HASH_ALGORITHM_*
 * @types: XEN_NETIF_CTRL_HASH_TYPE_* that are wanted
 * @n_queues: queues that there are, at most 256
 * @mapping_size: entries of @mapping in use; 0: queues by modulo
 * @mapping: queue of each value, modulo @mapping_size; each below @n_queues
 * @key_len: bytes of @key that the guest has set
 * @key: these, and zeros behind
 * @table: the hash of each value of each half byte of the input
 *
 * As the hash is linear, it is the XOR of what the input's half bytes contribute,
 * and that is known once the key is: 4.5 KiB in place of a loop over bits, few
 * enough to stay in the first cache while packets flow.
 */
struct xenvif_hash {
	u32 algorithm;
	u32 types;
	u32 n_queues;
	u32 mapping_size;
	u8 mapping[XENVIF_HASH_MAPPING_MAX];
	u32 key_len;
	u8 key[XENVIF_HASH_KEY_MAX];
	u32 table[XENVIF_HASH_NIBBLES][16];
};

/**
 * xenvif_hash_is_on() - whether packets are hashed
 * @hash: what the guest has set, or NULL
 *
 * Return: whether they are. If not, the host may steer them as it likes, and the
 * guest is told no hash.
 */
static inline bool xenvif_hash_is_on(const struct xenvif_hash *hash)
{
	return hash && hash->algorithm == XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ &&
	       hash->types;
}

void xenvif_hash_init(struct xenvif_hash *hash, u32 n_queues);
void xenvif_hash_set_key(struct xenvif_hash *hash, const u8 *key, u32 len);
u8 xenvif_hash_frame(const struct xenvif_hash *hash, const u8 *frame, u32 len, u32 *value);
u32 xenvif_hash_queue(const struct xenvif_hash *hash, u32 value);
u32 xenvif_hash_request(struct xenvif_hash *hash, const struct xen_netif_ctrl_request *req,
			const void *(*fetch)(void *ctx, grant_ref_t gref, u32 len),
			void *ctx, u32 *data);

#endif /* XENVIF_HASH_H */
