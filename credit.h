/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A token bucket: so many bytes every so many nanoseconds. Pure; the time is
 * passed in, and the caller has a lock.
 *
 * Who finds too little in it pays at once, with what is yet to come, and is told when
 * that will have come. So all who wait have their turns in the order in which they
 * came: small packets do not take away, byte by byte, what a large one waits for.
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

/* The most that is promised: a packet of the largest size for each of the most queues.
 * Beyond it quotients would overflow.
 */
#define XENVIF_CREDIT_DEBT_MAX		((s64)64 * 65536)

/**
 * struct xenvif_credit - the bucket
 * @bytes: added each interval; 0: no limit
 * @interval: in ns; not 0 if @bytes is not 0
 * @tokens: bytes that may be sent now; below 0: that have been promised
 * @filled: when @tokens was last brought up to date, in ns
 * @rest: what was earned of the next byte till then, in @interval-ths of a byte
 * @era: how many limits there have been: a new one makes tickets void
 */
struct xenvif_credit {
	u64 bytes;
	u64 interval;
	s64 tokens;
	u64 filled;
	u64 rest;
	u32 era;
};

/**
 * struct xenvif_ticket - what a queue has paid for and not sent yet
 * @due: when it may, in ns
 * @len: the packet's bytes; 0: nothing
 * @era: of the limit by which it was paid
 */
struct xenvif_ticket {
	u64 due;
	u32 len;
	u32 era;
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
 * what it holds, up to that: a change does not hand out a burst. Who waits pays anew.
 * What is no change changes nothing, however often it comes.
 */
static inline void xenvif_credit_set(struct xenvif_credit *credit, u64 bytes,
				     u64 usecs, u64 now)
{
	if (credit->bytes == bytes && credit->interval == usecs * 1000)
		return;
	credit->tokens = credit->bytes ? clamp_t(s64, credit->tokens, 0, bytes) : bytes;
	credit->bytes = bytes;
	credit->interval = usecs * 1000;
	credit->filled = now;
	credit->rest = 0;
	credit->era++;
}

/* How long it takes to earn so much, in ns. */
static inline u64 xenvif_credit_time(const struct xenvif_credit *credit, u64 bytes)
{
	return mul_u64_u64_div_u64(bytes, credit->interval, credit->bytes);
}

static inline void xenvif_credit_fill(struct xenvif_credit *credit, u64 now)
{
	s64 burst = xenvif_credit_burst(credit);
	u64 elapsed = now - credit->filled;
	u64 gain;

	credit->filled = now;
	/* Idle for long enough to be full (and for the quotient to overflow). */
	if (elapsed > xenvif_credit_time(credit, burst - credit->tokens)) {
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
	credit->tokens = min(credit->tokens + (s64)gain, burst);
}

/* When the bucket will hold what it was promised to. */
static inline u64 xenvif_credit_due(const struct xenvif_credit *credit, u64 now)
{
	u64 due;

	if (credit->tokens >= 0)
		return now;
	due = now + xenvif_credit_time(credit, -credit->tokens) + 1;
	return due < now ? U64_MAX : due;
}

/**
 * xenvif_credit_take() - ask to send a packet
 * @credit: the bucket
 * @ticket: the queue's
 * @len: the packet's bytes, at most XENVIF_CREDIT_BURST_MIN
 * @now: the time, in ns
 *
 * Return: 0 if it may be sent; otherwise how long to wait before asking again, in ns,
 * and @ticket keeps its place till then.
 */
static inline u64 xenvif_credit_take(struct xenvif_credit *credit, struct xenvif_ticket *ticket,
				     u32 len, u64 now)
{
	if (!credit->bytes)
		return 0;

	if (ticket->len != len || ticket->era != credit->era) {
		xenvif_credit_fill(credit, now);
		credit->tokens = max(credit->tokens - len, -XENVIF_CREDIT_DEBT_MAX);
		ticket->due = xenvif_credit_due(credit, now);
		ticket->len = len;
		ticket->era = credit->era;
	}
	if (now < ticket->due)
		return ticket->due - now;
	ticket->len = 0;
	return 0;
}

/**
 * xenvif_credit_return() - give back what was paid for a packet that will not be sent
 * @credit: the bucket
 * @ticket: of a queue that goes
 */
static inline void xenvif_credit_return(struct xenvif_credit *credit,
					struct xenvif_ticket *ticket)
{
	s64 burst = xenvif_credit_burst(credit);

	if (ticket->len && ticket->era == credit->era)
		credit->tokens = min(credit->tokens + ticket->len, burst);
	ticket->len = 0;
}

#endif /* XENVIF_CREDIT_H */
