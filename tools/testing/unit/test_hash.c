// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The hash that a guest sets: its values (the published verification suite for
 * receive side scaling, and netif.h's own definition), what of a frame is hashed,
 * and every status that its messages can have.
 */

#include <arpa/inet.h>

#include "test.h"

#define XEN_NETIF_DEFINE_TOEPLITZ
#include "hash.h"

#define N_VECTORS (sizeof(rss_vectors) / sizeof(*rss_vectors))
#define TYPE(t)	_XEN_NETIF_CTRL_HASH_TYPE_##t
#define STATUS(s) XEN_NETIF_CTRL_STATUS_##s

static const u8 rss_key[40] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
	0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
	0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
	0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

static const struct vector {
	int family;
	const char *dst;
	u16 dport;
	const char *src;
	u16 sport;
	u32 ip;
	u32 tcp;
} rss_vectors[] = {
	{ AF_INET, "161.142.100.80", 1766, "66.9.149.187", 2794, 0x323e8fc2, 0x51ccc178 },
	{ AF_INET, "65.69.140.83", 4739, "199.92.111.2", 14230, 0xd718262a, 0xc626b0ea },
	{ AF_INET, "12.22.207.184", 38024, "24.19.198.95", 12898, 0xd2d0a5de, 0x5c2b394a },
	{ AF_INET, "209.142.163.6", 2217, "38.27.205.30", 48228, 0x82989176, 0xafc7327f },
	{ AF_INET, "202.188.127.2", 1303, "153.39.163.191", 44251, 0x5d1809c5, 0x10e828a2 },
	{ AF_INET6, "3ffe:2501:200:3::1", 1766, "3ffe:2501:200:1fff::7", 2794,
	  0x2cc18cd5, 0x40207d3d },
	{ AF_INET6, "ff02::1", 4739, "3ffe:501:8::260:97ff:fe40:efab", 14230,
	  0x0f0c461c, 0xdde51bbf },
	{ AF_INET6, "fe80::200:f8ff:fe21:67cf", 38024,
	  "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, 0x4b61e985, 0x02d1feef },
};

/* A frame being made. */
struct frame {
	u8 data[256];
	u32 len;
};

static void put16(struct frame *f, u16 value)
{
	f->data[f->len++] = value >> 8;
	f->data[f->len++] = value;
}

/* Ethernet with n_tags tags; then IP of a protocol, optlen bytes of options or of
 * extension headers, and ports.
 */
static void make(struct frame *f, const struct vector *v, u32 n_tags, u8 proto, u32 optlen)
{
	bool v4 = v->family == AF_INET;
	u32 ip, i;

	memset(f, 0, sizeof(*f));
	f->len = 12;
	for (i = 0; i < n_tags; i++) {
		put16(f, i ? 0x8100 : 0x88A8);
		put16(f, 7);
	}
	put16(f, v4 ? 0x0800 : 0x86DD);
	ip = f->len;
	if (v4) {
		assert_int_equal(inet_pton(AF_INET, v->src, f->data + ip + 12), 1);
		assert_int_equal(inet_pton(AF_INET, v->dst, f->data + ip + 16), 1);
		f->data[ip] = 0x40 | (20 + optlen) / 4;
		f->data[ip + 9] = proto;
		f->len += 20 + optlen;
	} else {
		assert_int_equal(inet_pton(AF_INET6, v->src, f->data + ip + 8), 1);
		assert_int_equal(inet_pton(AF_INET6, v->dst, f->data + ip + 24), 1);
		f->data[ip] = 0x60;
		f->data[ip + 6] = optlen ? 60 : proto;
		if (optlen) {
			f->data[ip + 40] = proto;
			f->data[ip + 41] = optlen / 8 - 1;
		}
		f->len += 40 + optlen;
	}
	put16(f, v->sport);
	put16(f, v->dport);
	f->len += 16;
}

static struct xenvif_hash *new_hash(u32 types)
{
	struct xenvif_hash *hash = malloc(sizeof(*hash));

	assert_non_null(hash);
	xenvif_hash_init(hash, 4);
	hash->algorithm = XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ;
	hash->types = types;
	xenvif_hash_set_key(hash, rss_key, sizeof(rss_key));
	return hash;
}

/* On a buffer of exactly its length, so that the sanitizer sees a look too far. */
static u8 hash_of(const struct xenvif_hash *hash, const struct frame *f, u32 len, u32 *value)
{
	u8 *exact = malloc(len ?: 1);
	u8 type;

	memcpy(exact, f->data, len);
	type = xenvif_hash_frame(hash, exact, len, value);
	free(exact);
	return type;
}

static void test_vectors(void **state)
{
	struct xenvif_hash *hash = new_hash(XENVIF_HASH_TYPES);
	struct frame f;
	u32 i, tags, value;

	(void)state;
	for (i = 0; i < N_VECTORS; i++) {
		const struct vector *v = &rss_vectors[i];
		bool v4 = v->family == AF_INET;

		for (tags = 0; tags <= 2; tags++) {
			make(&f, v, tags, 6, 0);
			assert_int_equal(hash_of(hash, &f, f.len, &value),
					 v4 ? TYPE(IPV4_TCP) : TYPE(IPV6_TCP));
			assert_int_equal(value, v->tcp);

			/* Options, or an extension header, in between. */
			make(&f, v, tags, 6, 16);
			assert_int_equal(hash_of(hash, &f, f.len, &value),
					 v4 ? TYPE(IPV4_TCP) : TYPE(IPV6_TCP));
			assert_int_equal(value, v->tcp);

			/* UDP is hashed by its addresses. */
			make(&f, v, tags, 17, 0);
			assert_int_equal(hash_of(hash, &f, f.len, &value),
					 v4 ? TYPE(IPV4) : TYPE(IPV6));
			assert_int_equal(value, v->ip);
		}
		make(&f, v, 3, 6, 0);
		assert_int_equal(hash_of(hash, &f, f.len, &value), XENVIF_HASH_TYPE_NONE);
		assert_int_equal(value, 0);
	}
	free(hash);
}

static void test_definition(void **state)
{
	u8 key[XENVIF_HASH_KEY_MAX], input[XENVIF_HASH_INPUT_MAX];
	struct xenvif_hash *hash = new_hash(XENVIF_HASH_TYPES);
	u32 round, i, len, value;
	struct frame f;

	(void)state;
	srandom(1);
	for (round = 0; round < 20000; round++) {
		len = random() % (XENVIF_HASH_KEY_MAX + 1);
		for (i = 0; i < sizeof(key); i++)
			key[i] = random();
		for (i = 0; i < sizeof(input); i++)
			input[i] = random();
		xenvif_hash_set_key(hash, key, len);
		assert_int_equal(hash->key_len, len);

		make(&f, &rss_vectors[5], 0, 6, 0);
		memcpy(f.data + 14 + 8, input, 32);
		memcpy(f.data + 14 + 40, input + 32, 4);
		assert_int_equal(hash_of(hash, &f, f.len, &value), TYPE(IPV6_TCP));
		assert_int_equal(value, xen_netif_toeplitz_hash(key, len, input, 36));

		make(&f, &rss_vectors[0], 0, 6, 0);
		memcpy(f.data + 14 + 12, input, 8);
		memcpy(f.data + 14 + 20, input + 8, 4);
		assert_int_equal(hash_of(hash, &f, f.len, &value), TYPE(IPV4_TCP));
		assert_int_equal(value, xen_netif_toeplitz_hash(key, len, input, 12));
	}
	free(hash);
}

static void test_types(void **state)
{
	struct frame tcp4, udp4, tcp6, frag;
	struct xenvif_hash *hash;
	u32 types, value;

	(void)state;
	make(&tcp4, &rss_vectors[0], 0, 6, 0);
	make(&udp4, &rss_vectors[0], 0, 17, 0);
	make(&tcp6, &rss_vectors[5], 0, 6, 0);
	for (types = 0; types <= XENVIF_HASH_TYPES; types++) {
		bool l3 = types & XEN_NETIF_CTRL_HASH_TYPE_IPV4;
		bool l4 = types & XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP;
		u8 v6 = types & XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP ? TYPE(IPV6_TCP) :
			types & XEN_NETIF_CTRL_HASH_TYPE_IPV6 ? TYPE(IPV6) :
			XENVIF_HASH_TYPE_NONE;
		u8 l3_type = l3 ? TYPE(IPV4) : XENVIF_HASH_TYPE_NONE;

		hash = new_hash(types);
		assert_int_equal(xenvif_hash_is_on(hash), !!types);
		assert_int_equal(hash_of(hash, &tcp4, tcp4.len, &value),
				 l4 ? TYPE(IPV4_TCP) : l3_type);
		assert_int_equal(hash_of(hash, &udp4, udp4.len, &value), l3_type);
		assert_int_equal(hash_of(hash, &tcp6, tcp6.len, &value), v6);

		/* Fragments have no ports: the first one, and the others. */
		frag = tcp4;
		frag.data[14 + 6] = 0x20;
		assert_int_equal(hash_of(hash, &frag, frag.len, &value), l3_type);
		frag.data[14 + 6] = 0;
		frag.data[14 + 7] = 1;
		assert_int_equal(hash_of(hash, &frag, frag.len, &value), l3_type);
		/* "Do not fragment" makes none. */
		frag.data[14 + 6] = 0x40;
		frag.data[14 + 7] = 0;
		assert_int_equal(hash_of(hash, &frag, frag.len, &value),
				 l4 ? TYPE(IPV4_TCP) : l3_type);
		free(hash);
	}
	assert_false(xenvif_hash_is_on(NULL));
}

static void test_short(void **state)
{
	struct xenvif_hash *hash = new_hash(XENVIF_HASH_TYPES);
	u32 v, tags, opt, len, value, round, i;
	struct frame f;

	(void)state;
	for (v = 0; v < 6; v += 5)
		for (tags = 0; tags <= 2; tags++)
			for (opt = 0; opt <= 40; opt += 8) {
				make(&f, &rss_vectors[v], tags, 6, opt);
				for (len = 0; len <= f.len; len++)
					hash_of(hash, &f, len, &value);
			}
	srandom(2);
	for (round = 0; round < 200000; round++) {
		make(&f, &rss_vectors[round & 1 ? 5 : 0], 0, 6, 0);
		for (i = 14; i < 128; i++)
			if (random() % 4 == 0)
				f.data[i] = random();
		hash_of(hash, &f, random() % 129, &value);
	}
	/* An IP version that is not the frame's. */
	make(&f, &rss_vectors[0], 0, 6, 0);
	f.data[14] = 0x65;
	assert_int_equal(hash_of(hash, &f, f.len, &value), XENVIF_HASH_TYPE_NONE);
	free(hash);
}

static void test_queue(void **state)
{
	struct xenvif_hash *hash = new_hash(XENVIF_HASH_TYPES);
	u32 i;

	(void)state;
	for (i = 0; i < 1000; i++)
		assert_int_equal(xenvif_hash_queue(hash, i * 77777), i * 77777 % 4);
	hash->mapping_size = 3;
	hash->mapping[1] = 3;
	hash->mapping[2] = 1;
	assert_int_equal(xenvif_hash_queue(hash, 0), 0);
	assert_int_equal(xenvif_hash_queue(hash, 4), 3);
	assert_int_equal(xenvif_hash_queue(hash, 0xFFFFFFFE), 1 * (0xFFFFFFFEu % 3 == 2) +
			 3 * (0xFFFFFFFEu % 3 == 1));
	free(hash);
}

/* The guest's page. */
static struct {
	u32 gref;
	u32 len;
	u32 calls;
	union {
		u8 bytes[4096];
		u32 words[1024];
	};
} guest;

static const void *fetch(void *ctx, grant_ref_t gref, u32 len)
{
	assert_ptr_equal(ctx, &guest);
	guest.calls++;
	guest.len = len;
	return gref == guest.gref ? guest.bytes : NULL;
}

static u32 message(struct xenvif_hash *hash, u16 type, u32 d0, u32 d1, u32 d2, u32 *data)
{
	struct xen_netif_ctrl_request req = { .type = type, .data = { d0, d1, d2 } };
	struct xenvif_hash before = *hash;
	u32 status;

	*data = 0xDEAD;
	guest.calls = 0;
	guest.len = 0;
	status = xenvif_hash_request(hash, &req, fetch, &guest, data);
	if (status != STATUS(SUCCESS)) {
		assert_memory_equal(&before, hash, sizeof(before));
		assert_int_equal(*data, 0);
	}
	return status;
}

#define SEND(type, ...)	message(&hash, XEN_NETIF_CTRL_TYPE_##type, __VA_ARGS__, &data)

static void test_messages(void **state)
{
	struct xenvif_hash hash;
	u32 data, i;

	(void)state;
	xenvif_hash_init(&hash, 4);
	guest.gref = 99;

	/* Nothing but the algorithm and the sizes before there is an algorithm. */
	assert_int_equal(SEND(GET_HASH_FLAGS, 0, 0, 0), STATUS(NOT_SUPPORTED));
	assert_int_equal(SEND(SET_HASH_FLAGS, 1, 0, 0), STATUS(INVALID_PARAMETER));
	assert_int_equal(SEND(SET_HASH_FLAGS, 0, 0, 0), STATUS(INVALID_PARAMETER));
	assert_int_equal(SEND(SET_HASH_ALGORITHM, 2, 0, 0), STATUS(INVALID_PARAMETER));
	assert_int_equal(SEND(SET_HASH_ALGORITHM, 1, 0, 0), STATUS(SUCCESS));
	assert_false(xenvif_hash_is_on(&hash));
	assert_int_equal(SEND(GET_HASH_FLAGS, 0, 0, 0), STATUS(SUCCESS));
	assert_int_equal(data, 15);
	assert_int_equal(SEND(SET_HASH_FLAGS, 16, 0, 0), STATUS(INVALID_PARAMETER));
	assert_int_equal(SEND(SET_HASH_FLAGS, 1u << 31, 0, 0), STATUS(INVALID_PARAMETER));
	assert_int_equal(SEND(SET_HASH_FLAGS, 15, 0, 0), STATUS(SUCCESS));
	assert_true(xenvif_hash_is_on(&hash));

	/* The key. */
	memcpy(guest.bytes, rss_key, sizeof(rss_key));
	assert_int_equal(SEND(SET_HASH_KEY, 98, 40, 0), STATUS(INVALID_PARAMETER));
	assert_int_equal(SEND(SET_HASH_KEY, 99, 41, 0), STATUS(BUFFER_OVERFLOW));
	assert_int_equal(SEND(SET_HASH_KEY, 99, 0xFFFFFFFF, 0), STATUS(BUFFER_OVERFLOW));
	assert_int_equal(guest.calls, 0);
	assert_int_equal(SEND(SET_HASH_KEY, 99, 40, 0), STATUS(SUCCESS));
	assert_int_equal(guest.len, 40);
	assert_memory_equal(hash.key, rss_key, 40);
	assert_int_equal(SEND(SET_HASH_KEY, 99, 3, 0), STATUS(SUCCESS));
	for (i = 3; i < 40; i++)
		assert_int_equal(hash.key[i], 0);
	assert_int_equal(SEND(SET_HASH_KEY, 12345, 0, 0), STATUS(SUCCESS));
	assert_int_equal(guest.calls, 0);
	assert_int_equal(hash.key_len, 0);
	for (i = 0; i < sizeof(hash.table) / 4; i++)
		assert_int_equal((&hash.table[0][0])[i], 0);

	/* The mapping. */
	assert_int_equal(SEND(GET_HASH_MAPPING_SIZE, 0, 0, 0), STATUS(SUCCESS));
	assert_int_equal(data, 128);
	for (i = 0; i < 1024; i++)
		guest.words[i] = i % 4;
	assert_int_equal(SEND(SET_HASH_MAPPING, 99, 1, 0), STATUS(INVALID_PARAMETER));
	assert_int_equal(SEND(SET_HASH_MAPPING_SIZE, 129, 0, 0), STATUS(INVALID_PARAMETER));
	assert_int_equal(SEND(SET_HASH_MAPPING_SIZE, 100, 0, 0), STATUS(SUCCESS));
	assert_int_equal(SEND(SET_HASH_MAPPING, 99, 129, 0), STATUS(BUFFER_OVERFLOW));
	assert_int_equal(SEND(SET_HASH_MAPPING, 99, 1, 128), STATUS(BUFFER_OVERFLOW));
	assert_int_equal(SEND(SET_HASH_MAPPING, 99, 2, 0xFFFFFFFF), STATUS(BUFFER_OVERFLOW));
	assert_int_equal(SEND(SET_HASH_MAPPING, 99, 0xFFFFFFFF, 2), STATUS(BUFFER_OVERFLOW));
	assert_int_equal(SEND(SET_HASH_MAPPING, 99, 0x80000000, 0x80000000),
			 STATUS(BUFFER_OVERFLOW));
	assert_int_equal(SEND(SET_HASH_MAPPING, 99, 50, 51), STATUS(INVALID_PARAMETER));
	assert_int_equal(guest.calls, 0);
	assert_int_equal(SEND(SET_HASH_MAPPING, 98, 50, 50), STATUS(INVALID_PARAMETER));
	assert_int_equal(SEND(SET_HASH_MAPPING, 99, 50, 50), STATUS(SUCCESS));
	assert_int_equal(guest.len, 200);
	for (i = 0; i < 128; i++)
		assert_int_equal(hash.mapping[i], i < 50 || i >= 100 ? 0 : (i - 50) % 4);
	guest.words[9] = 4;
	assert_int_equal(SEND(SET_HASH_MAPPING, 99, 10, 0), STATUS(INVALID_PARAMETER));
	guest.words[9] = 0x101;
	assert_int_equal(SEND(SET_HASH_MAPPING, 99, 10, 0), STATUS(INVALID_PARAMETER));
	assert_int_equal(SEND(SET_HASH_MAPPING, 99, 9, 0), STATUS(SUCCESS));
	assert_int_equal(SEND(SET_HASH_MAPPING, 98, 0, 100), STATUS(SUCCESS));
	assert_int_equal(SEND(SET_HASH_MAPPING_SIZE, 128, 0, 0), STATUS(SUCCESS));
	for (i = 0; i < 128; i++)
		assert_int_equal(hash.mapping[i], 0);
	assert_int_equal(SEND(SET_HASH_MAPPING_SIZE, 0, 0, 0), STATUS(SUCCESS));
	assert_int_equal(hash.mapping_size, 0);

	assert_int_equal(SEND(SET_HASH_ALGORITHM, 0, 0, 0), STATUS(SUCCESS));
	assert_false(xenvif_hash_is_on(&hash));
}

static void test_unknown(void **state)
{
	struct xenvif_hash hash;
	u32 type, data;

	(void)state;
	xenvif_hash_init(&hash, 1);
	for (type = 0; type <= 0xFFFF; type++)
		if (type < 1 || type > 7)
			assert_int_equal(message(&hash, type, 1, 2, 3, &data),
					 STATUS(NOT_SUPPORTED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_definition),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
