// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See frame.h. */
#include <arpa/inet.h>
#include <string.h>

#include "frame.h"

#define ETH_LEN		14

const uint8_t mac_peer[6] = { 0x02, 0x78, 0x76, 0x66, 0x00, 0x01 };
const uint8_t mac_guest[6] = { 0x02, 0x78, 0x76, 0x66, 0x00, 0x02 };

uint8_t pattern(uint32_t seed, uint32_t i)
{
	uint32_t x = (seed + 1) * 2654435761u ^ (i >> 2) * 2246822519u;

	x ^= x >> 15;
	x *= 3266489917u;
	return x >> (8 * (i & 3));
}

uint32_t crc(const void *data, uint32_t len)
{
	static uint32_t table[256];
	const uint8_t *p = data;
	uint32_t c = ~0u;

	if (!table[1]) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t v = i;

			for (int k = 0; k < 8; k++)
				v = v & 1 ? v >> 1 ^ 0xEDB88320 : v >> 1;
			table[i] = v;
		}
	}
	while (len--)
		c = table[(c ^ *p++) & 255] ^ c >> 8;
	return ~c;
}

static bool is_v6(uint32_t kind)
{
	return kind == FRAME_UDP6 || kind == FRAME_TCP6;
}

static bool is_tcp(uint32_t kind)
{
	return kind == FRAME_TCP4 || kind == FRAME_TCP6;
}

uint32_t frame_l4(uint32_t kind)
{
	if (kind == FRAME_RAW)
		return ETH_LEN;
	return ETH_LEN + (is_v6(kind) ? 40 : 20);
}

uint32_t frame_headers(uint32_t kind)
{
	if (kind == FRAME_RAW)
		return ETH_LEN;
	return frame_l4(kind) + (is_tcp(kind) ? 20 : 8);
}

uint32_t frame_csum_at(uint32_t kind)
{
	return is_tcp(kind) ? 16 : 6;
}

struct frame_spec frame_spec(uint32_t kind, uint32_t len, uint32_t seed, bool to_guest)
{
	struct frame_spec spec = { .kind = kind, .len = len, .seed = seed };
	uint8_t guest[4] = { 192, 0, 2, 1 }, peer[4] = { 192, 0, 2, 2 };

	memcpy(spec.dst, to_guest ? mac_guest : mac_peer, 6);
	memcpy(spec.src, to_guest ? mac_peer : mac_guest, 6);
	if (is_v6(kind)) {
		const uint8_t net[16] = { 0x20, 0x01, 0x0d, 0xb8 };

		memcpy(spec.saddr, net, 16);
		memcpy(spec.daddr, net, 16);
		spec.saddr[15] = to_guest ? 2 : 1;
		spec.daddr[15] = to_guest ? 1 : 2;
	} else {
		memcpy(spec.saddr, to_guest ? peer : guest, 4);
		memcpy(spec.daddr, to_guest ? guest : peer, 4);
	}
	spec.sport = 7000 + seed % 1000;
	spec.dport = 9;
	return spec;
}

static uint32_t sum(const uint8_t *p, uint32_t len, uint32_t acc)
{
	for (; len > 1; p += 2, len -= 2)
		acc += p[0] << 8 | p[1];
	return len ? acc + (p[0] << 8) : acc;
}

static uint16_t fold(uint32_t acc)
{
	while (acc >> 16)
		acc = (acc & 0xFFFF) + (acc >> 16);
	return acc;
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static uint8_t proto_of(const struct frame_spec *spec)
{
	return spec->proto ?: (is_tcp(spec->kind) ? 6 : 17);
}

static void make_ip(uint8_t *ip, const struct frame_spec *spec, uint32_t l4_len)
{
	uint8_t proto = proto_of(spec);

	if (is_v6(spec->kind)) {
		ip[0] = 0x60;
		put16(ip + 4, l4_len);
		ip[6] = proto;
		ip[7] = 64;
		memcpy(ip + 8, spec->saddr, 16);
		memcpy(ip + 24, spec->daddr, 16);
		return;
	}
	ip[0] = 0x45;
	put16(ip + 2, 20 + l4_len);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = proto;
	memcpy(ip + 12, spec->saddr, 4);
	memcpy(ip + 16, spec->daddr, 4);
	put16(ip + 10, ~fold(sum(ip, 20, 0)));
}

static void make_l4(uint8_t *l4, const struct frame_spec *spec, uint32_t len)
{
	bool v6 = is_v6(spec->kind), tcp = is_tcp(spec->kind);
	uint32_t acc = sum(spec->saddr, v6 ? 16 : 4, 0);
	uint8_t *check = l4 + frame_csum_at(spec->kind);

	acc = sum(spec->daddr, v6 ? 16 : 4, acc) + proto_of(spec) + len;
	put16(l4, spec->sport);
	put16(l4 + 2, spec->dport);
	if (tcp) {
		l4[7] = spec->seed;	/* sequence */
		l4[12] = 5 << 4;
		l4[13] = 0x10;		/* ACK */
		put16(l4 + 14, 1000);
	} else {
		put16(l4 + 4, len);
	}
	put16(check, 0);
	if (spec->partial)
		put16(check, fold(acc));
	else
		put16(check, ~fold(sum(l4, len, acc)));
}

/* Returns the frame's length. One that is too short for its headers has no more
 * of them than fit.
 */
uint32_t frame_make(uint8_t *buf, const struct frame_spec *spec)
{
	uint32_t headers = frame_headers(spec->kind), l4 = frame_l4(spec->kind);
	uint32_t len = spec->len < headers ? headers : spec->len;
	uint16_t proto = ETH_TEST;

	if (spec->kind != FRAME_RAW)
		proto = is_v6(spec->kind) ? 0x86DD : 0x0800;
	memset(buf, 0, headers);
	memcpy(buf, spec->dst, 6);
	memcpy(buf + 6, spec->src, 6);
	put16(buf + 12, proto);
	for (uint32_t i = headers; i < len; i++)
		buf[i] = pattern(spec->seed, i);
	if (spec->kind != FRAME_RAW) {
		make_ip(buf + ETH_LEN, spec, len - l4);
		make_l4(buf + l4, spec, len - l4);
	}
	return spec->len;
}
