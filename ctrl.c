// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The control ring: messages of the guest about how its packets are steered, and
 * about pages of its own that stay mapped.
 *
 *   interrupt   note the event that is owed, queue the work
 *   slice       take some of the messages, apply them to a copy of what is set,
 *               publish the copy, answer, and go to the end of the line
 *
 * There are two copies of what is set. The transmit path reads one, under RCU; a
 * slice of messages is applied to the other, once nobody can read that any more.
 * So a guest that sends messages without end gets one slice served in each grace
 * period, and has no memory allocated for it. Static grants are not among that: they
 * are in tables of the queues, see gref.c.
 */

#include "common.h"

#include <linux/sched.h>
#include <linux/slab.h>

#include "trace.h"

/* Messages of a slice. */
#define XENVIF_CTRL_SLICE	16

/* Times that a copy is repeated for a guest's page that is paged out. */
#define XENVIF_CTRL_EAGAIN_MAX	16

/**
 * struct xenvif_ctrl - a connected control ring
 * @rcu: frees it after the last reader
 * @vif: whose
 * @queues: the connection's queues, which outlive it
 * @channel: its events
 * @name: for its interrupt
 * @ending: no further message is to be served
 * @work: serves the ring; what follows is its own
 * @ring: the shared ring
 * @page: for what messages keep in pages of the guest's
 * @now: index of the entry of @hash that is published
 * @grace: until this grace period has passed the other entry may still be read
 * @worked: there was a message since the last rest
 * @hash: what the guest has set
 */
struct xenvif_ctrl {
	struct rcu_head rcu;
	struct xenvif *vif;
	struct xenvif_queues *queues;
	struct xenvif_channel channel;
	char name[IFNAMSIZ + 8];
	bool ending;
	struct work_struct work;
	struct xenvif_ctrl_ring ring;
	struct page *page;
	u32 now;
	unsigned long grace;
	bool worked;
	struct xenvif_hash hash[2];
};

static_assert(XENVIF_HASH_MAPPING_MAX * sizeof(u32) <= XEN_PAGE_SIZE);

/* Make one copy between our page and one of the guest's. */
static bool xenvif_ctrl_copy(struct xenvif_batch *batch)
{
	u32 tries;

	xenvif_batch_run(batch);
	for (tries = 0; batch->op->status == GNTST_eagain && tries < XENVIF_CTRL_EAGAIN_MAX;
	     tries++) {
		schedule_timeout_idle(1);
		xenvif_batch_run(batch);
	}
	return batch->op->status == GNTST_okay;
}

/* Copy the first bytes of a page of the guest's. */
static const void *xenvif_ctrl_fetch(void *ctx, grant_ref_t gref, u32 len)
{
	struct xenvif_ctrl *ctrl = ctx;
	struct gnttab_copy op = {};
	struct xenvif_batch batch = { .op = &op, .max = 1 };

	xenvif_batch_read(&batch, ctrl->vif->domid, gref, 0, ctrl->page, 0, len);
	return xenvif_ctrl_copy(&batch) ? page_address(ctrl->page) : NULL;
}

/* Copy what was fetched back, as it was changed. */
static bool xenvif_ctrl_store(struct xenvif_ctrl *ctrl, grant_ref_t gref, u32 len)
{
	struct gnttab_copy op = {};
	struct xenvif_batch batch = { .op = &op, .max = 1 };

	xenvif_batch_write(&batch, ctrl->page, 0, ctrl->vif->domid, gref, 0, len);
	return xenvif_ctrl_copy(&batch);
}

/* Unmap the grants of a list that has been fetched. The guest gets the list back with
 * the status of each before anything is done: if it cannot, nothing is.
 */
static u32 xenvif_ctrl_unmap_grefs(struct xenvif_ctrl *ctrl, struct xenvif_queue *queue,
				   const struct xen_netif_ctrl_request *req, u32 *data)
{
	u32 n = req->data[2];
	u32 found = xenvif_gref_pick(queue, page_address(ctrl->page), n);

	if (!xenvif_ctrl_store(ctrl, req->data[1], n * sizeof(struct xen_netif_gref))) {
		xenvif_gref_unpick(queue);
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	}
	xenvif_gref_drop(queue);
	*data = found;
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

/* A message about static grants. */
static u32 xenvif_ctrl_gref(struct xenvif_ctrl *ctrl,
			    const struct xen_netif_ctrl_request *req, u32 *data)
{
	u32 max = ctrl->vif->params.static_grants;
	struct xenvif_queue *queue;
	u32 n = req->data[2];
	const void *list;

	if (!max)
		return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
	if (req->data[0] >= ctrl->queues->n)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	if (req->type == XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE) {
		*data = max;
		return XEN_NETIF_CTRL_STATUS_SUCCESS;
	}

	if (n > XENVIF_GREF_MAX)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	/* With nothing to read, the list may be anywhere. */
	if (!n)
		return XEN_NETIF_CTRL_STATUS_SUCCESS;
	list = xenvif_ctrl_fetch(ctrl, req->data[1], n * sizeof(struct xen_netif_gref));
	if (!list)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;

	queue = ctrl->queues->queue[req->data[0]];
	if (req->type == XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING)
		return xenvif_ctrl_unmap_grefs(ctrl, queue, req, data);
	return xenvif_gref_add(queue, list, n) ? XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER :
						 XEN_NETIF_CTRL_STATUS_SUCCESS;
}

/* Do what a message says; what is set goes to next. Returns the status. */
static u32 xenvif_ctrl_do(struct xenvif_ctrl *ctrl, struct xenvif_hash *next,
			  const struct xen_netif_ctrl_request *req, u32 *data)
{
	*data = 0;
	switch (req->type) {
	case XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE:
	case XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING:
	case XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING:
		return xenvif_ctrl_gref(ctrl, req, data);
	default:
		return xenvif_hash_request(next, req, xenvif_ctrl_fetch, ctrl, data);
	}
}

/* Serve some of the messages that wait. */
static void xenvif_ctrl_slice(struct xenvif_ctrl *ctrl, u32 n)
{
	struct xenvif_hash *next = &ctrl->hash[!ctrl->now];
	struct xen_netif_ctrl_response rsp[XENVIF_CTRL_SLICE];
	struct xen_netif_ctrl_request req;
	u32 i;

	cond_synchronize_rcu(ctrl->grace);
	*next = ctrl->hash[ctrl->now];
	for (i = 0; i < n && !READ_ONCE(ctrl->ending); i++) {
		xenvif_ctrl_ring_take(&ctrl->ring, &req);
		rsp[i].id = req.id;
		rsp[i].type = req.type;
		rsp[i].status = xenvif_ctrl_do(ctrl, next, &req, &rsp[i].data);
		trace_xenvif_ctrl(ctrl->vif, &req, &rsp[i]);
	}

	/* It takes effect before the guest hears so. */
	rcu_assign_pointer(ctrl->vif->hash, next);
	ctrl->now = !ctrl->now;
	ctrl->grace = get_state_synchronize_rcu();
	if (xenvif_ctrl_ring_respond(&ctrl->ring, rsp, i))
		xenvif_notify(&ctrl->channel);
}

static void xenvif_ctrl_work(struct work_struct *work)
{
	struct xenvif_ctrl *ctrl = container_of(work, struct xenvif_ctrl, work);
	int avail;

	if (xenvif_is_fatal(ctrl->vif) || READ_ONCE(ctrl->ending))
		return;

	avail = xenvif_ctrl_ring_avail(&ctrl->ring);
	if (avail > 0) {
		xenvif_ctrl_slice(ctrl, min(avail, XENVIF_CTRL_SLICE));
		ctrl->worked = true;
	}
	if (avail >= 0 && avail <= XENVIF_CTRL_SLICE)
		avail = xenvif_ctrl_ring_rest(&ctrl->ring);
	if (avail < 0) {
		xenvif_fatal(ctrl->vif, "the control ring is corrupt");
	} else if (avail) {
		queue_work(system_dfl_wq, &ctrl->work);
	} else {
		bool worked = ctrl->worked;

		ctrl->worked = false;
		xenvif_channel_done(&ctrl->channel, XENVIF_OWED_CTRL, worked);
	}
}

static irqreturn_t xenvif_ctrl_interrupt(int irq, void *data)
{
	struct xenvif_ctrl *ctrl = data;

	atomic_or(XENVIF_OWED_CTRL, &ctrl->channel.owed);
	queue_work(system_dfl_wq, &ctrl->work);
	return IRQ_HANDLED;
}

static void xenvif_ctrl_unmap(struct xenvif_ctrl *ctrl)
{
	xenbus_unmap_ring_vfree(ctrl->vif->xdev, ctrl->ring.back.sring);
	ctrl->ring.back.sring = NULL;
}

static int xenvif_ctrl_map(struct xenvif_ctrl *ctrl, const struct xenvif_ctrl_config *config)
{
	grant_ref_t ref = config->ref;
	void *shared;
	int err;

	err = xenbus_map_ring_valloc(ctrl->vif->xdev, &ref, 1, &shared);
	if (err)
		return err;
	err = xenvif_ctrl_ring_attach(&ctrl->ring, shared);
	if (err)
		xenvif_ctrl_unmap(ctrl);
	return err;
}

static void xenvif_ctrl_free(struct xenvif_ctrl *ctrl)
{
	if (ctrl->page)
		__free_page(ctrl->page);
	kvfree_rcu(ctrl, rcu);
}

static struct xenvif_ctrl *xenvif_ctrl_alloc(struct xenvif *vif,
					     struct xenvif_queues *queues)
{
	struct xenvif_ctrl *ctrl = kvzalloc(sizeof(*ctrl), GFP_KERNEL);

	if (!ctrl)
		return NULL;
	ctrl->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!ctrl->page) {
		xenvif_ctrl_free(ctrl);
		return NULL;
	}
	ctrl->vif = vif;
	ctrl->queues = queues;
	ctrl->grace = get_state_synchronize_rcu();
	INIT_WORK(&ctrl->work, xenvif_ctrl_work);
	snprintf(ctrl->name, sizeof(ctrl->name), "vif%u.%u-ctrl", vif->domid, vif->handle);
	xenvif_hash_init(&ctrl->hash[0], queues->n);
	return ctrl;
}

/**
 * xenvif_ctrl_view() - look at a control ring
 * @ctrl: the control ring
 * @view: where to put what there is
 *
 * Context: any that keeps the control ring connected.
 */
void xenvif_ctrl_view(const struct xenvif_ctrl *ctrl, struct xenvif_ring_view *view)
{
	xenvif_ctrl_ring_view(&ctrl->ring, view);
}

/**
 * xenvif_ctrl_connect() - serve a frontend's control ring
 * @vif: the vif
 * @config: where the ring is
 * @queues: queues of the connection, which run
 *
 * The frontend begins with nothing set, whatever the one before it had.
 *
 * Context: process, under the backend's lock.
 * Return: 0, also if the frontend has no control ring; or an error, and nothing is
 * connected.
 */
int xenvif_ctrl_connect(struct xenvif *vif, const struct xenvif_ctrl_config *config,
			struct xenvif_queues *queues)
{
	struct xenvif_ctrl *ctrl;
	int err;

	if (!config->present)
		return 0;
	ctrl = xenvif_ctrl_alloc(vif, queues);
	if (!ctrl)
		return -ENOMEM;

	err = xenvif_ctrl_map(ctrl, config);
	if (err)
		goto free;
	err = xenvif_channel_bind(&ctrl->channel, vif, config->port, xenvif_ctrl_interrupt,
				  ctrl->name, ctrl);
	if (err)
		goto unmap;

	rcu_assign_pointer(vif->hash, &ctrl->hash[0]);
	vif->ctrl = ctrl;
	enable_irq(ctrl->channel.irq);
	/* Whatever the guest has posted already, and its event may be gone. */
	queue_work(system_dfl_wq, &ctrl->work);
	return 0;

unmap:
	xenvif_ctrl_unmap(ctrl);
free:
	xenvif_warn(vif, "cannot connect the control ring: %pe\n", ERR_PTR(err));
	xenvif_ctrl_free(ctrl);
	return err;
}

/**
 * xenvif_ctrl_disconnect() - take leave of a frontend's control ring
 * @vif: the vif; nothing happens if it has no control ring
 *
 * Packets are steered as the host likes from now on.
 *
 * Context: process, under the backend's lock.
 */
void xenvif_ctrl_disconnect(struct xenvif *vif)
{
	struct xenvif_ctrl *ctrl = vif->ctrl;

	if (!ctrl)
		return;
	vif->ctrl = NULL;
	disable_irq(ctrl->channel.irq);
	/* Xenwatch waits here: for one message, not for all that are being served, each of
	 * which may wait for a grace period.
	 */
	WRITE_ONCE(ctrl->ending, true);
	cancel_work_sync(&ctrl->work);
	RCU_INIT_POINTER(vif->hash, NULL);
	xenvif_channel_unbind(&ctrl->channel, ctrl);
	xenvif_ctrl_unmap(ctrl);
	xenvif_ctrl_free(ctrl);
}
