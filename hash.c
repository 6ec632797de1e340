// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The hash that a guest wants its packets steered by: see hash.h.
 */

#include <linux/build_bug.h>
#include <linux/string.h>

#include "hash.h"

#define ETH_HEADER		14
#define ETH_VLAN_TAG		4
#define ETH_VLAN_TAGS_MAX	2
#define ETH_PROTO_IPV4		0x0800
#define ETH_PROTO_IPV6		0x86DD
#define ETH_PROTO_8021Q		0x8100
#define ETH_PROTO_8021AD	0x88A8

#define IPV4_HEADER		20
#define IPV4_ADDRS		12	/* where they are, */
#define IPV4_ADDRS_LEN		8	/* and how long */
#define IPV4_FRAGMENT		0x3FFF	/* more fragments, or an offset */
#define IPV6_HEADER		40
#define IPV6_ADDRS		8
#define IPV6_ADDRS_LEN		32
#define IPV6_EXT_UNIT		8	/* unit of an extension header's length */
#define PORTS_LEN		4

#define NEXT_HOP_BY_HOP		0
#define NEXT_TCP		6
#define NEXT_ROUTING		43
#define NEXT_DEST_OPTIONS	60

static_assert(IPV6_ADDRS_LEN + PORTS_LEN == XENVIF_HASH_INPUT_MAX);
static_assert(XENVIF_HASH_INPUT_MAX + sizeof(u32) <= XENVIF_HASH_KEY_MAX);

static u32 be16_at(const u8 *data)
{
	return data[0] << 8 | data[1];
}

/* The 32 bits of the key from a bit on, the leftmost being the first. */
static u32 key_bits(const u8 *key, u32 bit)
{
	u64 bits = 0;
	u32 i;

	for (i = 0; i <= sizeof(u32); i++)
		bits = bits << 8 | key[bit / 8 + i];
	return bits >> (8 - bit % 8);
}

/**
 * xenvif_hash_set_key() - take a key into use
 * @hash: where
 * @key: the key
 * @len: its bytes, at most XENVIF_HASH_KEY_MAX; the others are 0
 *
 * Context: any; pure.
 */
void xenvif_hash_set_key(struct xenvif_hash *hash, const u8 *key, u32 len)
{
	u32 pos, bit, bits, value;

	memset(hash->key, 0, sizeof(hash->key));
	memcpy(hash->key, key, len);
	hash->key_len = len;

	memset(hash->table, 0, sizeof(hash->table));
	for (pos = 0; pos < 2 * XENVIF_HASH_INPUT_MAX; pos++) {
		for (bit = 0; bit < 4; bit++) {
			bits = key_bits(hash->key, 4 * pos + bit);
			for (value = 0; value < 16; value++)
				if (value & 8 >> bit)
					hash->table[pos][value] ^= bits;
		}
	}
}

/* What len bytes of input from a position on contribute. */
static u32 toeplitz(const struct xenvif_hash *hash, u32 pos, const u8 *data, u32 len)
{
	const u32 (*table)[16] = &hash->table[2 * pos];
	u32 value = 0;
	u32 i;

	for (i = 0; i < len; i++)
		value ^= table[2 * i][data[i] >> 4] ^ table[2 * i + 1][data[i] & 15];
	return value;
}

/* The frame's TCP ports if it has some that the guest wants hashed, or NULL. */
static const u8 *ipv4_ports(const u8 *ip, u32 len)
{
	u32 header = (ip[0] & 15) * 4;

	if (ip[9] != NEXT_TCP || be16_at(ip + 6) & IPV4_FRAGMENT)
		return NULL;
	return header >= IPV4_HEADER && len >= header + PORTS_LEN ? ip + header : NULL;
}

/* Behind extension headers too, as long as they are to be seen. */
static const u8 *ipv6_ports(const u8 *ip, u32 len)
{
	u32 off = IPV6_HEADER;
	u8 next = ip[6];

	while (next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_DEST_OPTIONS) {
		if (len < off + IPV6_EXT_UNIT)
			return NULL;
		next = ip[off];
		off += (ip[off + 1] + 1) * IPV6_EXT_UNIT;
	}
	return next == NEXT_TCP && len >= off + PORTS_LEN ? ip + off : NULL;
}

static u8 hash_ipv4(const struct xenvif_hash *hash, const u8 *ip, u32 len, u32 *value)
{
	const u8 *ports = NULL;

	if (len < IPV4_HEADER || ip[0] >> 4 != 4)
		return XENVIF_HASH_TYPE_NONE;
	if (hash->types & XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP)
		ports = ipv4_ports(ip, len);
	if (!ports && !(hash->types & XEN_NETIF_CTRL_HASH_TYPE_IPV4))
		return XENVIF_HASH_TYPE_NONE;

	*value = toeplitz(hash, 0, ip + IPV4_ADDRS, IPV4_ADDRS_LEN);
	if (!ports)
		return _XEN_NETIF_CTRL_HASH_TYPE_IPV4;
	*value ^= toeplitz(hash, IPV4_ADDRS_LEN, ports, PORTS_LEN);
	return _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP;
}

static u8 hash_ipv6(const struct xenvif_hash *hash, const u8 *ip, u32 len, u32 *value)
{
	const u8 *ports = NULL;

	if (len < IPV6_HEADER || ip[0] >> 4 != 6)
		return XENVIF_HASH_TYPE_NONE;
	if (hash->types & XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)
		ports = ipv6_ports(ip, len);
	if (!ports && !(hash->types & XEN_NETIF_CTRL_HASH_TYPE_IPV6))
		return XENVIF_HASH_TYPE_NONE;

	*value = toeplitz(hash, 0, ip + IPV6_ADDRS, IPV6_ADDRS_LEN);
	if (!ports)
		return _XEN_NETIF_CTRL_HASH_TYPE_IPV6;
	*value ^= toeplitz(hash, IPV6_ADDRS_LEN, ports, PORTS_LEN);
	return _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP;
}

/**
 * xenvif_hash_frame() - the hash of a frame
 * @hash: what the guest has set
 * @frame: the frame, from its Ethernet header on
 * @len: bytes of it that there are; XENVIF_HASH_FRAME_MAX are enough
 * @value: where to put the hash
 *
 * The best of the types that the guest wants: with the ports if it is TCP and no
 * fragment, of the addresses otherwise. VLAN tags are stepped over.
 *
 * Context: any; pure.
 * Return: _XEN_NETIF_CTRL_HASH_TYPE_*; or XENVIF_HASH_TYPE_NONE, and @value is 0.
 */
u8 xenvif_hash_frame(const struct xenvif_hash *hash, const u8 *frame, u32 len, u32 *value)
{
	u32 off = ETH_HEADER;
	u32 proto, tags;

	*value = 0;
	if (len < off)
		return XENVIF_HASH_TYPE_NONE;
	proto = be16_at(frame + off - 2);
	for (tags = 0; tags < ETH_VLAN_TAGS_MAX; tags++) {
		if (proto != ETH_PROTO_8021Q && proto != ETH_PROTO_8021AD)
			break;
		off += ETH_VLAN_TAG;
		if (len < off)
			return XENVIF_HASH_TYPE_NONE;
		proto = be16_at(frame + off - 2);
	}

	if (proto == ETH_PROTO_IPV4)
		return hash_ipv4(hash, frame + off, len - off, value);
	if (proto == ETH_PROTO_IPV6)
		return hash_ipv6(hash, frame + off, len - off, value);
	return XENVIF_HASH_TYPE_NONE;
}

/**
 * xenvif_hash_queue() - the queue for a hash
 * @hash: what the guest has set
 * @value: the frame's hash; 0 if it has none
 *
 * Context: any; pure.
 * Return: index of the queue, below @hash->n_queues.
 */
u32 xenvif_hash_queue(const struct xenvif_hash *hash, u32 value)
{
	if (hash->mapping_size)
		return hash->mapping[value % hash->mapping_size];
	return value % hash->n_queues;
}

/**
 * xenvif_hash_init() - begin with nothing set
 * @hash: to be initialised
 * @n_queues: queues that there are, 1 to 256
 *
 * Context: any; pure.
 */
void xenvif_hash_init(struct xenvif_hash *hash, u32 n_queues)
{
	memset(hash, 0, sizeof(*hash));
	hash->n_queues = n_queues;
}

static u32 set_algorithm(struct xenvif_hash *hash, u32 algorithm)
{
	if (algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_NONE &&
	    algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	hash->algorithm = algorithm;
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

static u32 get_types(const struct xenvif_hash *hash, u32 *data)
{
	if (hash->algorithm == XEN_NETIF_CTRL_HASH_ALGORITHM_NONE)
		return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
	*data = XENVIF_HASH_TYPES;
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

static u32 set_types(struct xenvif_hash *hash, u32 types)
{
	if (hash->algorithm == XEN_NETIF_CTRL_HASH_ALGORITHM_NONE ||
	    types & ~XENVIF_HASH_TYPES)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	hash->types = types;
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

static u32 set_mapping_size(struct xenvif_hash *hash, u32 size)
{
	if (size > XENVIF_HASH_MAPPING_MAX)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	hash->mapping_size = size;
	memset(hash->mapping, 0, sizeof(hash->mapping));
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

/* A part of the mapping: all of it good, or none of it taken. */
static u32 set_mapping(struct xenvif_hash *hash, const u32 *part, u32 n, u32 offset)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (part[i] >= hash->n_queues)
			return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	for (i = 0; i < n; i++)
		hash->mapping[offset + i] = part[i];
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

/* What of a page is to be copied for a request, before it is. */
static u32 check_size(const struct xenvif_hash *hash,
		      const struct xen_netif_ctrl_request *req, u32 *len)
{
	u32 n = req->data[1];
	u32 offset = req->data[2];

	if (req->type == XEN_NETIF_CTRL_TYPE_SET_HASH_KEY) {
		*len = n;
		return n > XENVIF_HASH_KEY_MAX ? XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW :
						 XEN_NETIF_CTRL_STATUS_SUCCESS;
	}
	if (n > XENVIF_HASH_MAPPING_MAX || offset > XENVIF_HASH_MAPPING_MAX - n)
		return XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW;
	*len = n * sizeof(u32);
	return offset + n > hash->mapping_size ? XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER :
						 XEN_NETIF_CTRL_STATUS_SUCCESS;
}

/* A request that comes with a page of the guest's. */
static u32 set_from_page(struct xenvif_hash *hash, const struct xen_netif_ctrl_request *req,
			 const void *(*fetch)(void *ctx, grant_ref_t gref, u32 len),
			 void *ctx)
{
	const void *page = NULL;
	u32 status, len;

	status = check_size(hash, req, &len);
	if (status != XEN_NETIF_CTRL_STATUS_SUCCESS)
		return status;
	/* With nothing to read, the grant may be anything. */
	if (len) {
		page = fetch(ctx, req->data[0], len);
		if (!page)
			return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	}
	if (req->type == XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING)
		return set_mapping(hash, page, req->data[1], req->data[2]);
	xenvif_hash_set_key(hash, page ?: hash->key, len);
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

/**
 * xenvif_hash_request() - do what a message of the control ring says
 * @hash: what the guest has set so far; changed only if the status is SUCCESS
 * @req: a private copy of the message
 * @fetch: copies the first @len bytes of a granted page into private memory;
 *	returns these, aligned for u32, or NULL
 * @ctx: for @fetch
 * @data: where to put the answer's data
 *
 * Follows xen/interface/io/netif.h, "Control messages".
 *
 * Context: that of @fetch; pure otherwise.
 * Return: the answer's XEN_NETIF_CTRL_STATUS_*.
 */
u32 xenvif_hash_request(struct xenvif_hash *hash, const struct xen_netif_ctrl_request *req,
			const void *(*fetch)(void *ctx, grant_ref_t gref, u32 len),
			void *ctx, u32 *data)
{
	*data = 0;
	switch (req->type) {
	case XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM:
		return set_algorithm(hash, req->data[0]);
	case XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS:
		return get_types(hash, data);
	case XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS:
		return set_types(hash, req->data[0]);
	case XEN_NETIF_CTRL_TYPE_SET_HASH_KEY:
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING:
		return set_from_page(hash, req, fetch, ctx);
	case XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE:
		*data = XENVIF_HASH_MAPPING_MAX;
		return XEN_NETIF_CTRL_STATUS_SUCCESS;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE:
		return set_mapping_size(hash, req->data[0]);
	default:
		return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
	}
}
