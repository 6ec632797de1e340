// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The control ring's test stand: see ctrl_stand.h. */

#include "ctrl_stand.h"

#define check(cond, fmt, ...) do {						\
	if (!(cond))								\
		sim_bug("%s:%d: not so: %s: " fmt, __FILE__, __LINE__, #cond,	\
			##__VA_ARGS__);						\
} while (0)

#define STATUS(s)	XEN_NETIF_CTRL_STATUS_##s

struct ctrl_stand *ctrl_stand;

/* What a reader may hold, and what it held when it was published. */
static struct {
	const struct xenvif_hash *hash;
	struct xenvif_hash copy;
} held[2];

/* What other files of the driver would do. */

void xenvif_fatal(struct xenvif *vif, const char *why)
{
	if (ctrl_stand->honest)
		sim_bug("fatal with an honest frontend: %s", why);
	set_bit(XENVIF_FLAG_FATAL, &vif->flags);
	ctrl_stand->n_fatal++;
}

void xenvif_queue_stalled(struct xenvif_queue *queue, bool stalled)
{
	(void)queue;
	(void)stalled;
}

/* The readers. */

static void check_held(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(held); i++)
		check(!held[i].hash ||
		      !memcmp(held[i].hash, &held[i].copy, sizeof(held[i].copy)),
		      "what is being read has changed");
}

static void see_published(void)
{
	const struct xenvif_hash *hash = ctrl_stand->vif.hash;
	u32 i;

	if (!hash || held[0].hash == hash || held[1].hash == hash)
		return;
	i = held[0].hash ? 1 : 0;
	check(!held[i].hash, "a third one is published before a grace period has ended");
	held[i].hash = hash;
	held[i].copy = *hash;
}

static void on_grace(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(held); i++)
		if (held[i].hash != ctrl_stand->vif.hash)
			held[i].hash = NULL;
}

/* The model. */

static bool read_page(u32 gref, void *data, u32 len)
{
	if (SIM_GREF_PAGE(gref) >= SIM_GUEST_PAGES ||
	    SIM_GREF_FATE(gref) > SIM_FATE_AGAIN_MAX || sim.fail_hypercall)
		return false;
	memcpy(data, sim_guest_page(SIM_GREF_PAGE(gref)), len);
	return true;
}

static u32 model_key(struct ctrl_model *m, const u32 *data)
{
	u8 key[XENVIF_HASH_KEY_MAX] = { 0 };

	if (data[1] > sizeof(key))
		return STATUS(BUFFER_OVERFLOW);
	if (data[1] && !read_page(data[0], key, data[1]))
		return STATUS(INVALID_PARAMETER);
	memcpy(m->key, key, sizeof(key));
	return STATUS(SUCCESS);
}

static u32 model_mapping(struct ctrl_model *m, const u32 *data)
{
	u32 part[XENVIF_HASH_MAPPING_MAX], i;
	u64 end = (u64)data[1] + data[2];

	if (end > XENVIF_HASH_MAPPING_MAX)
		return STATUS(BUFFER_OVERFLOW);
	if (end > m->mapping_size || (data[1] && !read_page(data[0], part, data[1] * 4)))
		return STATUS(INVALID_PARAMETER);
	for (i = 0; i < data[1]; i++)
		if (part[i] >= m->n_queues)
			return STATUS(INVALID_PARAMETER);
	memcpy(m->mapping + data[2], part, data[1] * 4);
	return STATUS(SUCCESS);
}

static u32 model_message(struct ctrl_model *m, const struct xen_netif_ctrl_request *req,
			 u32 *data)
{
	*data = 0;
	switch (req->type) {
	case XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS:
		if (!m->algorithm)
			return STATUS(NOT_SUPPORTED);
		*data = 15;
		return STATUS(SUCCESS);
	case XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS:
		if (!m->algorithm || req->data[0] > 15)
			return STATUS(INVALID_PARAMETER);
		m->types = req->data[0];
		return STATUS(SUCCESS);
	case XEN_NETIF_CTRL_TYPE_SET_HASH_KEY:
		return model_key(m, req->data);
	case XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE:
		*data = XENVIF_HASH_MAPPING_MAX;
		return STATUS(SUCCESS);
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE:
		if (req->data[0] > XENVIF_HASH_MAPPING_MAX)
			return STATUS(INVALID_PARAMETER);
		m->mapping_size = req->data[0];
		memset(m->mapping, 0, sizeof(m->mapping));
		return STATUS(SUCCESS);
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING:
		return model_mapping(m, req->data);
	case XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM:
		if (req->data[0] > XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ)
			return STATUS(INVALID_PARAMETER);
		m->algorithm = req->data[0];
		return STATUS(SUCCESS);
	default:
		return STATUS(NOT_SUPPORTED);
	}
}

void ctrl_stand_check_hash(void)
{
	const struct xenvif_hash *hash = ctrl_stand->vif.hash;
	const struct ctrl_model *m = &ctrl_stand->model;
	u32 i;

	check(hash, "");
	check(hash->algorithm == m->algorithm, "%u", hash->algorithm);
	check(hash->types == m->types, "%u", hash->types);
	check(hash->n_queues == m->n_queues, "%u", hash->n_queues);
	check(hash->mapping_size == m->mapping_size, "%u", hash->mapping_size);
	check(!memcmp(hash->key, m->key, sizeof(m->key)), "another key");
	for (i = 0; i < XENVIF_HASH_MAPPING_MAX; i++)
		check(hash->mapping[i] == m->mapping[i], "entry %u", i);
}

/* Answers are about to be shown: one for each message that was taken, in their
 * order, and what they say is in force already.
 */
static void check_responses(void)
{
	struct xenvif_ring_view view;
	u32 n, data, status;

	xenvif_ctrl_view(ctrl_stand->vif.ctrl, &view);
	n = view.rsp_prod_pvt - ctrl_stand->checked;
	if (!n)
		return;
	check(view.req_cons == view.rsp_prod_pvt, "taken and not answered");
	check(n <= CTRL_STAND_SLICE, "%u in a slice", n);
	check(sim.grace != ctrl_stand->grace, "two slices within one grace period");
	ctrl_stand->grace = sim.grace;
	ctrl_stand->n_answered += n;

	for (; n; n--, ctrl_stand->checked++) {
		u32 at = ctrl_stand->checked % XENVIF_CTRL_RING_SIZE;
		const struct xen_netif_ctrl_request *req = &ctrl_stand->posted[at];
		const struct xen_netif_ctrl_response *rsp = &ctrl_stand->ring->ring[at].rsp;

		check(rsp->status <= STATUS(BUFFER_OVERFLOW), "%u", rsp->status);
		ctrl_stand->last_status = rsp->status;
		ctrl_stand->last_data = rsp->data;
		if (!ctrl_stand->honest)
			continue;
		status = model_message(&ctrl_stand->model, req, &data);
		check(rsp->id == req->id && rsp->type == req->type, "of another message");
		check(rsp->status == status, "type %u: %u in place of %u", req->type,
		      rsp->status, status);
		check(rsp->data == data, "type %u: %u in place of %u", req->type, rsp->data, data);
	}
	if (ctrl_stand->honest)
		ctrl_stand_check_hash();
}

static void on_point(enum sim_point point, const volatile void *addr)
{
	(void)addr;
	/* The stand's own looks are no points. */
	sim_hook = NULL;
	check_held();
	see_published();
	if (point == SIM_POINT_WMB && ctrl_stand->vif.ctrl)
		check_responses();
	if (ctrl_stand->hostile)
		ctrl_stand->hostile(point);
	sim_hook = on_point;
}

/* The frontend. */

void ctrl_stand_post(u16 type, u32 d0, u32 d1, u32 d2)
{
	RING_IDX at = ctrl_stand->front.req_prod_pvt++;
	struct xen_netif_ctrl_request req = {
		.id = at * 40503,
		.type = type,
		.data = { d0, d1, d2 },
	};

	ctrl_stand->posted[at % XENVIF_CTRL_RING_SIZE] = req;
	ctrl_stand->ring->ring[at % XENVIF_CTRL_RING_SIZE].req = req;
}

bool ctrl_stand_push(void)
{
	bool notify;

	sim_hook = NULL;
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&ctrl_stand->front, notify);
	sim_hook = on_point;
	if (notify)
		sim_event(0);
	return notify;
}

u32 ctrl_stand_send(u16 type, u32 d0, u32 d1, u32 d2)
{
	u32 before = ctrl_stand->n_answered;

	ctrl_stand_post(type, d0, d1, d2);
	ctrl_stand_push();
	ctrl_stand_run();
	check(ctrl_stand->n_answered == before + 1, "no answer");
	return ctrl_stand->last_status;
}

void ctrl_stand_run(void)
{
	sim_run(NAPI_POLL_WEIGHT);
	if (!ctrl_stand->honest || ctrl_stand->n_fatal || !ctrl_stand->vif.ctrl)
		return;
	check(ctrl_stand->ring->rsp_prod == ctrl_stand->ring->req_prod,
	      "a message was left in the ring");
	check(!sim.irq[0].active, "an interrupt that does not end");
}

/* Up and down. */

int ctrl_stand_connect(u32 n_queues)
{
	struct xenvif_ctrl_config config = { .present = true };
	int err;

	xenvif_ctrl_disconnect(&ctrl_stand->vif);
	check(!ctrl_stand->vif.hash && !ctrl_stand->vif.ctrl, "");
	check(!ctrl_stand->xdev.n_mapped[0] && !sim.irq[0].handler, "the ring is still ours");
	memset(held, 0, sizeof(held));
	sim_page_writable(ctrl_stand->ring);

	ctrl_stand->checked = ctrl_stand->ring->rsp_prod;
	ctrl_stand->grace = sim.grace - 1;
	ctrl_stand->model = (struct ctrl_model){ .n_queues = n_queues };
	/* Only their number is of interest: no grants are mapped here. */
	free(ctrl_stand->queues);
	ctrl_stand->queues = calloc(1, sizeof(*ctrl_stand->queues));
	ctrl_stand->queues->n = n_queues;
	err = xenvif_ctrl_connect(&ctrl_stand->vif, &config, ctrl_stand->queues);
	check(!err == !!ctrl_stand->vif.ctrl && !err == !!ctrl_stand->vif.hash, "%d", err);
	if (err)
		sim_page_writable(ctrl_stand->ring);
	return err;
}

void ctrl_stand_up(RING_IDX start, u32 n_queues)
{
	static u8 page[XEN_PAGE_SIZE] __attribute__((aligned(4096)));

	sim_reset();
	sim.on_grace = on_grace;
	ctrl_stand = calloc(1, sizeof(*ctrl_stand));
	ctrl_stand->honest = true;
	ctrl_stand->vif.dev = &ctrl_stand->dev;
	ctrl_stand->vif.xdev = &ctrl_stand->xdev;
	ctrl_stand->vif.domid = SIM_DOMID;
	ctrl_stand->vif.log_limit.left = 10;

	sim_page_writable(page);
	memset(page, 0xCC, sizeof(page));
	ctrl_stand->ring = (void *)page;
	SHARED_RING_INIT(ctrl_stand->ring);
	ctrl_stand->ring->req_prod = start;
	ctrl_stand->ring->rsp_prod = start;
	ctrl_stand->ring->req_event = start + 1;
	ctrl_stand->ring->rsp_event = start + 1;
	FRONT_RING_ATTACH(&ctrl_stand->front, ctrl_stand->ring, start, XEN_PAGE_SIZE);
	ctrl_stand->xdev.page[0] = page;
	sim_hook = on_point;
	check(!ctrl_stand_connect(n_queues), "");
	ctrl_stand_run();
}

void ctrl_stand_down(void)
{
	ctrl_stand->hostile = NULL;
	xenvif_ctrl_disconnect(&ctrl_stand->vif);
	check(!ctrl_stand->xdev.n_mapped[0] && !sim.irq[0].handler, "the ring is still ours");
	sim_hook = NULL;
	memset(held, 0, sizeof(held));
	free(ctrl_stand->queues);
	free(ctrl_stand);
	ctrl_stand = NULL;
	sim_reset();
}
