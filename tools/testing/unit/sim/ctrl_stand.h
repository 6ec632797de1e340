/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A control ring on a test stand: ctrl.c and hash.c as they are, a simulated
 * frontend, and a model that says what each message must be answered with and what
 * must be in force afterwards. Any difference ends the program.
 *
 * There are readers too, who hold on to what they have seen published until a grace
 * period ends: it must not change while they do.
 */

#ifndef SIM_CTRL_STAND_H
#define SIM_CTRL_STAND_H

#include "common.h"

/* Messages that may be served between two grace periods. */
#define CTRL_STAND_SLICE	16

/* The grant of a page that the frontend may write to, and one that is no good. */
#define CTRL_STAND_PAGE		3
#define CTRL_STAND_GREF		SIM_GREF(CTRL_STAND_PAGE, SIM_FATE_OK)
#define CTRL_STAND_BAD_GREF	SIM_GREF(CTRL_STAND_PAGE, SIM_FATE_ERROR)

/**
 * struct ctrl_model - what a guest has set, as the messages say
 * @algorithm: XEN_NETIF_CTRL_HASH_ALGORITHM_*
 * @types: XEN_NETIF_CTRL_HASH_TYPE_*
 * @n_queues: queues of the connection
 * @mapping_size: entries of @mapping in use
 * @mapping: the queues
 * @key: the key, zeros behind
 */
struct ctrl_model {
	u32 algorithm;
	u32 types;
	u32 n_queues;
	u32 mapping_size;
	u32 mapping[XENVIF_HASH_MAPPING_MAX];
	u8 key[XENVIF_HASH_KEY_MAX];
};

struct ctrl_stand {
	struct xenvif vif;
	struct net_device dev;
	struct xenbus_device xdev;
	struct xenvif_queues *queues;
	struct xen_netif_ctrl_sring *ring;
	struct xen_netif_ctrl_front_ring front;
	struct xen_netif_ctrl_request posted[XENVIF_CTRL_RING_SIZE];
	struct ctrl_model model;

	/* It plays by the rules, so every answer is known. */
	bool honest;
	/* Called at each point where the guest may come in between. */
	void (*hostile)(enum sim_point point);

	RING_IDX checked;
	unsigned long grace;	/* of the last slice */
	u32 n_answered;
	u32 n_fatal;
	u32 last_status;
	u32 last_data;
};

extern struct ctrl_stand *ctrl_stand;

void ctrl_stand_up(RING_IDX start, u32 n_queues);
void ctrl_stand_down(void);
/* The frontend goes and comes again, on the ring as it is. */
int ctrl_stand_connect(u32 n_queues);

void ctrl_stand_post(u16 type, u32 d0, u32 d1, u32 d2);
bool ctrl_stand_push(void);
/* One message, and its answer's status. */
u32 ctrl_stand_send(u16 type, u32 d0, u32 d1, u32 d2);
/* Let everybody run; then check that nothing is forgotten. */
void ctrl_stand_run(void);
/* What must be published now. */
void ctrl_stand_check_hash(void);

#endif /* SIM_CTRL_STAND_H */
