/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A token bucket: so many bytes every so many nanoseconds. Pure; the time is
 * passed in, and the caller has a lock.
 */

#ifndef XENVIF_CREDIT_H
#define XENVIF_CREDIT_H

#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/types.h>

/* The bucket holds at least two packets of the largest size. */
#define XENVIF_CREDIT_BURST_MIN	131072ULL

/* Bounds of what xenstore may ask for. Products need more than 64 bits, which
 * mul_u64_u64_div_u64() has; quotients do not.
 */
#define XENVIF_CREDIT_BYTES_MAX		((u64)U32_MAX)
#define XENVIF_CREDIT_USECS_MAX		3600000000ULL

/**
 * struct xenvif_credit - the bucket
 * @bytes: added each interval; 0: no limit
 * @interval: in ns; not 0 if @bytes is not 0
 * @tokens: bytes that may be sent now
 * @filled: when @tokens was last brought up to date, in ns
 * @rest: what was earned of the next byte till then, in @interval-ths of a byte
 */
struct xenvif_credit {
	u64 bytes;
	u64 interval;
	u64 tokens;
	u64 filled;
	u64 rest;
};

static inline u64 xenvif_credit_burst(const struct xenvif_credit *credit)
{
	return max(credit->bytes, XENVIF_CREDIT_BURST_MIN);
}

/**
 * xenvif_credit_set() - set or lift the limit
 * @credit: the bucket
 * @bytes: bytes per interval, 0 for no limit; at most XENVIF_CREDIT_BYTES_MAX
 * @usecs: the interval, in us; not 0 if @bytes is not 0
 * @now: the time, in ns
 *
 * A bucket that is made anew holds one interval's share; one that is changed keeps
 * what it holds, up to that: a change does not hand out a burst.
 */
static inline void xenvif_credit_set(struct xenvif_credit *credit, u64 bytes,
				     u64 usecs, u64 now)
{
	credit->tokens = credit->bytes ? min(credit->tokens, bytes) : bytes;
	credit->bytes = bytes;
	credit->interval = usecs * 1000;
	credit->filled = now;
	credit->rest = 0;
}

static inline void xenvif_credit_fill(struct xenvif_credit *credit, u64 now)
{
	u64 burst = xenvif_credit_burst(credit);
	u64 elapsed = now - credit->filled;
	u64 gain;

	credit->filled = now;
	/* Idle for long enough to be full (and for the quotient to overflow). */
	if (elapsed > mul_u64_u64_div_u64(burst, credit->interval, credit->bytes)) {
		credit->tokens = burst;
		credit->rest = 0;
		return;
	}
	gain = mul_u64_u64_div_u64(elapsed, credit->bytes, credit->interval);
	/* The remainder of this, which fits 64 bits, so that overflows do not matter;
	 * kept, nothing is lost nor earned twice, however often somebody asks.
	 */
	credit->rest += elapsed * credit->bytes - gain * credit->interval;
	gain += div64_u64_rem(credit->rest, credit->interval, &credit->rest);
	credit->tokens = min(credit->tokens + gain, burst);
}

/**
 * xenvif_credit_take() - ask to send a packet
 * @credit: the bucket
 * @len: its bytes, at most XENVIF_CREDIT_BURST_MIN
 * @now: the time, in ns
 *
 * Return: 0 if it may be sent, and is now accounted for; otherwise how long to
 * wait before asking again, in ns.
 */
static inline u64 xenvif_credit_take(struct xenvif_credit *credit, u32 len, u64 now)
{
	if (!credit->bytes)
		return 0;

	xenvif_credit_fill(credit, now);
	if (len <= credit->tokens) {
		credit->tokens -= len;
		return 0;
	}
	return mul_u64_u64_div_u64(len - credit->tokens, credit->interval,
				   credit->bytes) + 1;
}

#endif /* XENVIF_CREDIT_H */
