/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Frames that both ends can build from a few numbers, and so compare byte by
 * byte; and the messages between the frontend in a guest and its peer in dom0,
 * which looks at the vif's netdev from outside (peer.c).
 */
#ifndef XVF_FRAME_H
#define XVF_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#define FRAME_MAX	65600
#define ETH_MSG		0x88B5	/* a message */
#define ETH_TEST	0x88B6	/* a frame that is nothing else */

enum frame_kind { FRAME_RAW, FRAME_UDP4, FRAME_TCP4, FRAME_UDP6, FRAME_TCP6, FRAME_KINDS };

/* What a frame is made of. Addresses and ports can be chosen, for the hash. */
struct frame_spec {
	uint32_t kind;
	uint32_t len;
	uint32_t seed;
	uint32_t partial;	/* the checksum is the pseudo header's alone */
	uint32_t proto;		/* of IP, if it is to be another than its kind's */
	uint8_t dst[6];
	uint8_t src[6];
	uint8_t saddr[16], daddr[16];
	uint16_t sport, dport;
};

extern const uint8_t mac_peer[6], mac_guest[6];

struct frame_spec frame_spec(uint32_t kind, uint32_t len, uint32_t seed, bool to_guest);
uint32_t frame_make(uint8_t *buf, const struct frame_spec *spec);
uint32_t frame_l4(uint32_t kind);		/* where the transport header is */
uint32_t frame_headers(uint32_t kind);		/* where it ends */
uint32_t frame_csum_at(uint32_t kind);		/* offset of its checksum in it */
uint32_t crc(const void *data, uint32_t len);
uint8_t pattern(uint32_t seed, uint32_t i);

enum peer_op {
	PEER_PING = 1,
	PEER_STAT,	/* name: a counter of ethtool -S; value[0], state: found */
	PEER_SYS,	/* name: a file below /sys/class/net/DEVICE, a number */
	PEER_SEEN,	/* back: how many frames ago; seen, value[0]: frames so far */
	PEER_SEND,	/* spec, count, gso_size, gap_us: send frames; answered after */
	PEER_LINK,	/* gap_us: take the device down for so long */
	PEER_CPU,	/* value[0]: ticks that the vif's threads have used */
	PEER_MTU,	/* count: the device's new MTU */
	PEER_SAME,	/* seen, count: value[0]: of the last count frames, those of this
			 * length and with this crc
			 */
	PEER_MEM,	/* value[0]: dom0's MemAvailable in KiB */
	PEER_AWAIT,	/* name, value[0]: until that counter is more; says so in xenstore */
};

/* A frame as the host has got it. */
struct seen {
	uint32_t len, crc;
	uint32_t flags, gso_type, gso_size, csum_start, csum_offset, hdr_len;
};

struct peer_msg {
	uint8_t dst[6], src[6];
	uint16_t proto;
	uint16_t answer;
	uint32_t op, seq, state;
	uint32_t count, back, gso_size, gap_us;
	struct frame_spec spec;
	struct seen seen;
	uint64_t value[2];
	char name[64];
};

_Static_assert(sizeof(struct peer_msg) == 224, "no padding: both ends are one program");

/* How long the peer waits for a counter, in ms, and where it tells the message's seq,
 * in the guest's directory.
 */
#define PEER_AWAITS	20000
#define PEER_AWAITED	"data/xvf"

int peer_main(const char *device);

#endif
