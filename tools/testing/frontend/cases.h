/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tables of cases. A case gets a vif that nobody is connected to. */
#ifndef XVF_CASES_H
#define XVF_CASES_H

#include "front.h"

struct test {
	const char *id, *title;
	void (*run)(struct front *f);
};

extern const struct test features[], attacks_tx[], attacks_rx[], attacks_state[],
			 attacks_race[];

/* How long what must happen may take. */
#define COMES		10000

/* us. The backend counts connections that fail, and looks at none after five of them until
 * ten seconds have gone since the first.
 */
#define FAILED_INTERVAL_US	10500000

/* attack.c: what cases demand. A frame is delivered: once, and unchanged. */
struct seen send_checked(struct queue *q, const struct tx_frame *t);
/* E: all its slots are answered with an error, a counter says why, nothing is
 * delivered, the vif goes on.
 */
void refused(struct queue *q, const struct tx_frame *t, const char *counter);
/* Answered for, and then dropped by the host: nothing is delivered. */
void dropped(struct queue *q, const struct tx_frame *t, const char *counter);
/* Answered for, whatever becomes of it. */
void answered(struct queue *q, const struct tx_frame *t);
/* X: the connection breaks, and the next one works. */
void broken(struct front *f);
/* The backend does not take the connection; and the next one works. */
void no_connect(struct front *f, const struct conf *c, void (*twist)(struct front *f));
/* After refusals: until the backend does not count them any more. */
void wait_out(void);
/* Leave, whatever the state, connect as usual, and see that it works. */
void again(struct front *f);
/* A plain frame of len bytes in data. */
struct tx_frame plain(uint8_t *data, uint32_t kind, uint32_t len, uint32_t seed);
netif_extra_info_t gso_extra(uint8_t type, uint16_t size);
uint32_t rnd(uint32_t n);		/* 0 to n - 1 */
void rnd_seed(uint32_t seed);
/* n, or as many times that as XVF_TIMES says: milliseconds, rounds. */
int times(int n);

int xdp_main(const char *device, const char *what);
void random_walk(struct front *f, uint32_t seed, uint32_t seconds);

/* flood.c: until SIGTERM. */
void flood_run(struct front *f, const char *id, int n_queues);
void flood_list(void);

#endif
