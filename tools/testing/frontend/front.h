/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A Xen network frontend in user space.
 *
 * It keeps a ledger of each ring: what was posted in which slot. With every
 * response it checks that the backend answers each slot once, in its order, with
 * its id; that extra infos are answered NULL; that nothing but the response is
 * written into a slot; that received data lie where the response says and that
 * not a byte beside them has changed. What is wrong ends the case.
 *
 * Nothing here keeps a case from writing whatever it likes into rings and
 * xenstore: that is what many cases are about.
 */
#ifndef XVF_FRONT_H
#define XVF_FRONT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/io/ring.h>
#include <xen/io/netif.h>
#include <xen/io/xenbus.h>

#include "frame.h"
#include "xen.h"

/* Newer than the distribution's header. */
#define EXTRA_XDP	5

#define RING		256	/* slots of a tx or rx ring */
#define CTRL_RING	128
#define QUEUES_MAX	8
#define CANARY		0xC7	/* what a posted buffer is full of */

struct front;

/* What was posted in a slot of the tx ring. */
struct tx_entry {
	netif_tx_request_t req;
	bool extra;
	bool own;		/* the case has scribbled over it: look at the id alone */
	int16_t status;		/* once it is answered */
};

struct queue {
	struct front *front;
	int id;
	netif_tx_sring_t *txs;
	netif_rx_sring_t *rxs;
	uint32_t tx_port, rx_port;

	uint32_t tx_prod, tx_cons;
	struct tx_entry tx_led[RING];

	uint32_t rx_prod, rx_cons;
	struct { uint16_t id; bool bad; bool shared; } rx_led[RING];
	int rx_target;		/* buffers that are kept posted */

	/* As long as the program, connection after connection. Slot i of a ring
	 * describes page i, if told nothing else.
	 */
	struct page tx_ring, rx_ring, tx[RING], rx[RING];
};

/* A connection, as it is asked for. */
struct conf {
	int queues;
	bool shared;		/* one event channel for both directions */
	bool ctrl;
	bool sg, gso4, gso6, csum4, csum6, notify;
	int mcast;		/* request-multicast-control; -1: no such key */
	int headroom;		/* xdp-headroom; -1: no such key */
	int buffers;
	uint32_t tx_start, rx_start;	/* rsp_prod of the rings as they are found */
};

extern const struct conf conf_default;

struct front {
	int handle;
	char dir[64], *backend;
	uint16_t backend_id;
	bool connected;
	struct conf conf;
	struct queue q[QUEUES_MAX];
	struct page ctrl_ring, ctrl_page;
	struct xen_netif_ctrl_sring *ctrls;
	uint32_t ctrl_port, ctrl_prod, ctrl_cons;
	int via;		/* queue for messages to the peer */
};

/* A packet as it was received. */
struct rx_packet {
	uint8_t data[FRAME_MAX];
	uint32_t len;
	int q, slots, extras;
	uint16_t flags, offset;	/* the first slot's */
	bool error;		/* a slot had a negative status */
	bool gso, hash, xdp;
	uint16_t gso_size;
	uint8_t gso_type, hash_type, hash_alg;
	uint32_t hash_value;
	uint16_t headroom;
};

/* The case has failed, is skipped, or went well; front_end() first. */
void fail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void skip(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define need(what, fmt, ...) do { if (!(what)) fail(fmt, ##__VA_ARGS__); } while (0)

/* xenstore: keys of the frontend's directory, and the two states. */
void key_put(struct front *f, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void key_rm(struct front *f, const char *key);
int backend_number(struct front *f, const char *key, int absent);
int backend_state(struct front *f);
bool backend_wait(struct front *f, int state, int ms);
void front_state(struct front *f, int state);

/* Steps of a connection, for cases that leave the path. */
void front_open(struct front *f, int handle);
void front_reset(struct front *f);		/* until the backend waits for us */
void front_alloc(struct front *f, const struct conf *conf);
void front_keys(struct front *f);
void front_free(struct front *f);		/* the backend must have left */
/* twist may change what was prepared before the backend is told. */
bool front_try(struct front *f, const struct conf *conf, void (*twist)(struct front *f));
/* All of them. */
void front_connect(struct front *f, const struct conf *conf);
void front_end(struct front *f);

/* Sending. A slot is put into the ring, and nobody sees it until tx_push(). */
netif_tx_request_t *tx_put(struct queue *q, netif_tx_request_t req);
void tx_put_extra(struct queue *q, netif_extra_info_t extra);
void tx_push(struct queue *q);
bool tx_wait(struct queue *q, int ms);		/* until all is answered */
int tx_look(struct queue *q);			/* take answers there are */
int16_t tx_status(struct queue *q, int back);	/* 0: the last slot put */
uint32_t tx_free(struct queue *q);

/* A frame in n slots of given lengths (0: equal parts), with extras. */
struct tx_frame {
	const uint8_t *data;
	uint32_t len;
	int n;
	uint16_t cut[RING];	/* lengths of the slots after the first */
	uint16_t flags;
	int n_extras;
	netif_extra_info_t extra[RING];
	uint16_t offset;	/* of the data in each page */
};
void tx_cut(struct tx_frame *t, int n);		/* into n parts */
void tx_frame(struct queue *q, const struct tx_frame *t);

/* Receiving. */
void rx_post(struct queue *q, int n);
void rx_post_one(struct queue *q, uint16_t id, uint32_t gref, bool bad);
void rx_push(struct queue *q);
bool rx_take(struct queue *q, struct rx_packet *p);
bool rx_any(struct front *f, struct rx_packet *p, int ms);
/* The next frame that the peer has sent and that is no answer. */
bool rx_test(struct front *f, struct rx_packet *p, int ms);

/* The control ring. Returns the status; data may be NULL. */
uint32_t ctrl_call(struct front *f, uint16_t type, uint32_t a, uint32_t b, uint32_t c,
		   uint32_t *data);
void ctrl_put(struct front *f, const struct xen_netif_ctrl_request *req);
bool ctrl_take(struct front *f, struct xen_netif_ctrl_response *rsp, int ms);
void ctrl_push(struct front *f);

/* The peer. */
bool peer_try(struct front *f, struct queue *q, struct peer_msg *msg, int ms);
void peer_post(struct front *f, struct peer_msg *msg);	/* not waiting for anything */
void peer_call(struct front *f, struct peer_msg *msg);
/* Until the queue works again, whatever comes before that, if only something does. */
void peer_back(struct front *f, struct queue *q);
uint64_t peer_stat(struct front *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
uint64_t peer_sys(struct front *f, const char *file);
uint64_t peer_value(struct front *f, enum peer_op op);
void peer_send(struct front *f, const struct frame_spec *spec, uint32_t count,
	       uint32_t gso_size);
/* Until the counter is more than value; meanwhile() is called again and again. */
void peer_await(struct front *f, const char *stat, uint64_t value,
		void (*meanwhile)(struct front *f));
/* Whether the peer says, by xenstore, that what the message asked for has come to pass. */
bool peer_told(const struct peer_msg *msg);
struct seen peer_seen(struct front *f, uint32_t back, uint64_t *total);

/* L: a message goes there and back, on each queue. */
void alive(struct front *f);

/* How the checks are seen to fail: what the program has itself believe. Every tx
 * slot is answered OKAY; bytes change on the way; ids are wrong; no state is
 * reached, control messages have other answers, counters count what they like, the
 * vif is dead at the end.
 */
enum lie { LIE_NONE, LIE_STATUS, LIE_CONTENT, LIE_ID, LIE_STATE, LIE_CTRL, LIE_STAT,
	   LIE_DEAD };
extern enum lie lie;

#endif
