// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The life of a queue set: allocate, map rings, bind channels, run, and back.
 *
 * A queue is raised through its states, or lowered down to one; callers never
 * ask how far it had come. A set that is being lowered stops in the order: no new
 * interrupts, no poll, no thread; then the channels go, then the rings.
 */

#include "common.h"

#include <linux/kthread.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

/* Pages that a pool keeps for the next packets. */
#define XENVIF_POOL_SIZE	256

/**
 * xenvif_rx_channel() - the channel of a queue's guest-RX direction
 * @queue: the queue
 *
 * Context: any.
 * Return: the channel, which both directions may share.
 */
struct xenvif_channel *xenvif_rx_channel(struct xenvif_queue *queue)
{
	return queue->rx_channel.irq ? &queue->rx_channel : &queue->tx_channel;
}

/**
 * xenvif_notify() - raise an event for the guest
 * @channel: where
 *
 * Context: any.
 */
void xenvif_notify(const struct xenvif_channel *channel)
{
	notify_remote_via_irq(channel->irq);
}

/**
 * xenvif_channel_done() - one side has done its work for an event
 * @channel: the event channel
 * @side: XENVIF_OWED_TX, XENVIF_OWED_RX or XENVIF_OWED_CTRL
 * @worked: whether there was any
 *
 * The last side to say so ends the interrupt, which lets the next one in. If
 * nobody had any work the event was spurious, and Xen's event code slows down a
 * guest that has many of these.
 *
 * Context: any.
 * Return: whether it was owed anything by this side.
 */
bool xenvif_channel_done(struct xenvif_channel *channel, u32 side, bool worked)
{
	int old = atomic_read(&channel->owed);
	bool last;
	int new;

	do {
		/* Nothing was owed, or somebody else of this side has paid. */
		if (!(old & side))
			return false;
		new = old & ~side;
		if (worked)
			new |= XENVIF_OWED_WORKED;
		worked = new & XENVIF_OWED_WORKED;
		last = !(new & (XENVIF_OWED_TX | XENVIF_OWED_RX));
		if (last)
			new = 0;
	} while (!atomic_try_cmpxchg(&channel->owed, &old, new));

	if (last) {
		/* Xen's event code asks which processor this is, and keeps that. */
		migrate_disable();
		xen_irq_lateeoi(channel->irq, worked ? 0 : XEN_EOI_FLAG_SPURIOUS);
		migrate_enable();
	}
	return true;
}

static void xenvif_tx_event(struct xenvif_queue *queue)
{
	napi_schedule(&queue->tx.napi);
}

static void xenvif_rx_event(struct xenvif_queue *queue)
{
	bool news = xenvif_rx_ring_news(&queue->rx.ring);

	if (!news || !xenvif_rx_kick(queue))
		xenvif_channel_done(xenvif_rx_channel(queue), XENVIF_OWED_RX, news);
}

/**
 * xenvif_queue_kick() - look at a queue's rings, as if there were an event
 * @queue: a queue that runs
 *
 * Context: process.
 */
void xenvif_queue_kick(struct xenvif_queue *queue)
{
	local_bh_disable();
	xenvif_tx_event(queue);
	local_bh_enable();
	wake_up(&queue->rx.wait);
}

static irqreturn_t xenvif_tx_interrupt(int irq, void *data)
{
	struct xenvif_queue *queue = data;

	atomic_or(XENVIF_OWED_TX, &queue->tx_channel.owed);
	xenvif_tx_event(queue);
	return IRQ_HANDLED;
}

static irqreturn_t xenvif_rx_interrupt(int irq, void *data)
{
	struct xenvif_queue *queue = data;

	atomic_or(XENVIF_OWED_RX, &queue->rx_channel.owed);
	xenvif_rx_event(queue);
	return IRQ_HANDLED;
}

static irqreturn_t xenvif_shared_interrupt(int irq, void *data)
{
	struct xenvif_queue *queue = data;

	atomic_or(XENVIF_OWED_TX | XENVIF_OWED_RX, &queue->tx_channel.owed);
	xenvif_tx_event(queue);
	xenvif_rx_event(queue);
	return IRQ_HANDLED;
}

static void xenvif_queue_unmap(struct xenvif_queue *queue)
{
	struct xenbus_device *xdev = queue->vif->xdev;

	if (queue->tx.ring.back.sring)
		xenbus_unmap_ring_vfree(xdev, queue->tx.ring.back.sring);
	queue->tx.ring.back.sring = NULL;
	if (queue->rx.ring.back.sring)
		xenbus_unmap_ring_vfree(xdev, queue->rx.ring.back.sring);
	queue->rx.ring.back.sring = NULL;
}

static int xenvif_queue_map(struct xenvif_queue *queue,
			    const struct xenvif_queue_config *config)
{
	struct xenbus_device *xdev = queue->vif->xdev;
	grant_ref_t tx_ref = config->tx_ref;
	grant_ref_t rx_ref = config->rx_ref;
	void *shared;
	int err;

	err = xenbus_map_ring_valloc(xdev, &tx_ref, 1, &shared);
	if (err)
		return err;
	err = xenvif_tx_ring_attach(&queue->tx.ring, shared);
	if (err)
		goto unmap;

	err = xenbus_map_ring_valloc(xdev, &rx_ref, 1, &shared);
	if (err)
		goto unmap;
	err = xenvif_rx_ring_attach(&queue->rx.ring, shared);
	if (err)
		goto unmap;
	/* A ring in use: its guest has told another driver of the addresses that it wants,
	 * and gets all until it asks anew.
	 */
	if (queue->tx.ring.back.rsp_prod_pvt)
		WRITE_ONCE(queue->vif->mcast_control, false);
	return 0;

unmap:
	xenvif_queue_unmap(queue);
	return err;
}

/**
 * xenvif_channel_unbind() - have no event channel any more
 * @channel: the channel; nothing happens if it is not bound
 * @data: what its handler was given
 *
 * Context: process.
 */
void xenvif_channel_unbind(struct xenvif_channel *channel, void *data)
{
	if (channel->irq)
		unbind_from_irqhandler(channel->irq, data);
	channel->irq = 0;
	atomic_set(&channel->owed, 0);
}

/**
 * xenvif_channel_bind() - bind an event channel of the frontend's
 * @channel: to be bound
 * @vif: the vif
 * @port: the frontend's port
 * @handler: the handler, which sees to it that xenvif_channel_done() is called
 * @name: of the interrupt; kept
 * @data: for @handler
 *
 * The interrupt is disabled, and there is no event, until enable_irq().
 *
 * Context: process.
 * Return: 0 or an error.
 */
int xenvif_channel_bind(struct xenvif_channel *channel, struct xenvif *vif,
			evtchn_port_t port, irq_handler_t handler, const char *name,
			void *data)
{
	int irq;

	irq = bind_interdomain_evtchn_to_irqhandler_lateeoi(vif->xdev, port, handler,
							    IRQF_NO_AUTOEN, name, data);
	if (irq < 0)
		return irq;
	channel->irq = irq;
	return 0;
}

static int xenvif_queue_bind(struct xenvif_queue *queue,
			     const struct xenvif_queue_config *config)
{
	int err;

	if (config->tx_port == config->rx_port)
		return xenvif_channel_bind(&queue->tx_channel, queue->vif, config->tx_port,
					   xenvif_shared_interrupt, queue->name, queue);

	snprintf(queue->tx_irq_name, sizeof(queue->tx_irq_name), "%s-tx", queue->name);
	snprintf(queue->rx_irq_name, sizeof(queue->rx_irq_name), "%s-rx", queue->name);
	err = xenvif_channel_bind(&queue->tx_channel, queue->vif, config->tx_port,
				  xenvif_tx_interrupt, queue->tx_irq_name, queue);
	if (err)
		return err;
	err = xenvif_channel_bind(&queue->rx_channel, queue->vif, config->rx_port,
				  xenvif_rx_interrupt, queue->rx_irq_name, queue);
	if (err)
		xenvif_channel_unbind(&queue->tx_channel, queue);
	return err;
}

static void xenvif_queue_unbind(struct xenvif_queue *queue)
{
	xenvif_channel_unbind(&queue->rx_channel, queue);
	xenvif_channel_unbind(&queue->tx_channel, queue);
}

static int xenvif_queue_run(struct xenvif_queue *queue)
{
	struct task_struct *task;

	task = kthread_run(xenvif_rx_thread, queue, "%s-guest-rx", queue->name);
	if (IS_ERR(task))
		return PTR_ERR(task);
	queue->rx.task = task;

	xenvif_tx_start_poll(queue);
	enable_irq(queue->tx_channel.irq);
	if (queue->rx_channel.irq)
		enable_irq(queue->rx_channel.irq);
	return 0;
}

static void xenvif_queue_halt(struct xenvif_queue *queue)
{
	disable_irq(queue->tx_channel.irq);
	if (queue->rx_channel.irq)
		disable_irq(queue->rx_channel.irq);

	napi_disable(&queue->tx.napi);
	hrtimer_cancel(&queue->tx.throttle);
	xenvif_tx_purge(queue);

	kthread_stop(queue->rx.task);
	queue->rx.task = NULL;
	xenvif_rx_purge(queue);
}

static int xenvif_queue_raise(struct xenvif_queue *queue,
			      const struct xenvif_queue_config *config)
{
	int err = 0;

	while (queue->state < XENVIF_QUEUE_RUNNING) {
		switch (queue->state) {
		case XENVIF_QUEUE_NONE:
			err = xenvif_queue_map(queue, config);
			break;
		case XENVIF_QUEUE_MAPPED:
			err = xenvif_queue_bind(queue, config);
			break;
		default:
			err = xenvif_queue_run(queue);
			break;
		}
		if (err)
			return err;
		queue->state++;
	}
	pr_debug("%s running\n", queue->name);
	return 0;
}

static void xenvif_queue_lower(struct xenvif_queue *queue)
{
	switch (queue->state) {
	case XENVIF_QUEUE_RUNNING:
		xenvif_queue_halt(queue);
		xenvif_gref_free(queue);
		pr_debug("%s halted\n", queue->name);
		fallthrough;
	case XENVIF_QUEUE_BOUND:
		xenvif_queue_unbind(queue);
		fallthrough;
	case XENVIF_QUEUE_MAPPED:
		xenvif_queue_unmap(queue);
		fallthrough;
	case XENVIF_QUEUE_NONE:
		break;
	}
	queue->state = XENVIF_QUEUE_NONE;
}

static void xenvif_queue_free(struct xenvif_queue *queue)
{
	if (!queue)
		return;
	if (queue->tx.pool)
		page_pool_destroy(queue->tx.pool);
	kvfree(queue->tx.batch.op);
	kvfree(queue->tx.work);
	kvfree(queue->rx.batch.op);
	kvfree(queue->rx.op_slot);
	kvfree(queue->rx.rsp);
	pr_debug("%s destroyed\n", queue->name);
	kfree(queue);
}

static int xenvif_batch_alloc(struct xenvif_batch *batch, u32 max)
{
	batch->op = kvcalloc(max, sizeof(*batch->op), GFP_KERNEL);
	batch->max = max;
	return batch->op ? 0 : -ENOMEM;
}

static struct page_pool *xenvif_pool_create(struct xenvif_queue *queue)
{
	struct page_pool_params params = {
		.pool_size = XENVIF_POOL_SIZE,
		.nid = NUMA_NO_NODE,
		.napi = &queue->tx.napi,
		/* Whose it is, for netlink; and not to be reported as stuck while the
		 * host's stack keeps a page of it.
		 */
		.netdev = queue->vif->dev,
	};

	return page_pool_create(&params);
}

/**
 * xenvif_queue_trim() - give back the pages that a queue keeps for packets
 * @queue: a queue that runs
 *
 * ... if it had none since the last time. An idle guest costs the host no pages then,
 * whatever it did before. What the host's stack still has of them comes back later.
 *
 * Context: process, under the RTNL: the queue is published, and stays so.
 * Return: whether to look again, even if there are no more packets.
 */
bool xenvif_queue_trim(struct xenvif_queue *queue)
{
	struct xenvif_queue_tx *tx = &queue->tx;
	struct page_pool *pool;
	bool done;

	if (READ_ONCE(tx->age) == XENVIF_POOL_EMPTY)
		return false;
	if (READ_ONCE(tx->age) == XENVIF_POOL_USED) {
		WRITE_ONCE(tx->age, XENVIF_POOL_RESTED);
		return true;
	}

	/* There is no way to empty one. */
	pool = xenvif_pool_create(queue);
	if (IS_ERR(pool))
		return true;
	napi_disable(&tx->napi);
	/* Packets whose copies are being retried have pages of it. */
	done = !tx->n_work;
	if (done) {
		swap(tx->pool, pool);
		tx->cold = XENVIF_POOL_COLD;
		tx->age = XENVIF_POOL_EMPTY;
		pr_debug("%s gave its pages back\n", queue->name);
	}
	page_pool_destroy(pool);
	xenvif_tx_start_poll(queue);
	return !done;
}

static int xenvif_queue_alloc_tx(struct xenvif_queue *queue)
{
	struct xenvif_queue_tx *tx = &queue->tx;
	struct page_pool *pool;

	hrtimer_setup(&tx->throttle, xenvif_tx_unthrottle, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL);
	tx->work = kvcalloc(XENVIF_TX_BATCH, sizeof(*tx->work), GFP_KERNEL);
	if (!tx->work || xenvif_batch_alloc(&tx->batch, XENVIF_TX_OPS))
		return -ENOMEM;
	pool = xenvif_pool_create(queue);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	tx->pool = pool;
	tx->cold = XENVIF_POOL_COLD;
	return 0;
}

static int xenvif_queue_alloc_rx(struct xenvif_queue *queue)
{
	struct xenvif_queue_rx *rx = &queue->rx;

	spin_lock_init(&rx->lock);
	__skb_queue_head_init(&rx->backlog);
	__skb_queue_head_init(&rx->todo);
	__skb_queue_head_init(&rx->done);
	init_waitqueue_head(&rx->wait);
	rx->gather = jiffies;
	rx->told = jiffies - 1;
	rx->op_slot = kvcalloc(XENVIF_RX_OPS, sizeof(*rx->op_slot), GFP_KERNEL);
	rx->rsp = kvcalloc(XENVIF_RX_RING_SIZE, sizeof(*rx->rsp), GFP_KERNEL);
	if (!rx->op_slot || !rx->rsp)
		return -ENOMEM;
	return xenvif_batch_alloc(&rx->batch, XENVIF_RX_OPS);
}

static struct xenvif_queue *xenvif_queue_alloc(struct xenvif *vif, u32 id)
{
	struct xenvif_queue *queue = kzalloc(sizeof(*queue), GFP_KERNEL);
	int err;

	if (!queue)
		return ERR_PTR(-ENOMEM);
	queue->vif = vif;
	queue->id = id;
	snprintf(queue->name, sizeof(queue->name), "vif%u.%u-q%u",
		 vif->domid, vif->handle, id);
	pr_debug("%s created\n", queue->name);

	err = xenvif_queue_alloc_rx(queue) ?: xenvif_queue_alloc_tx(queue);
	if (err) {
		xenvif_queue_free(queue);
		return ERR_PTR(err);
	}
	return queue;
}

/**
 * xenvif_queues_free() - free a set
 * @queues: a set that is lowered, or that was never raised
 *
 * Pages that the host's stack still holds keep their pool until they come back.
 *
 * Context: process; takes the RTNL.
 */
void xenvif_queues_free(struct xenvif_queues *queues)
{
	u32 i;

	/* The list of instances is walked by others under the RTNL. */
	rtnl_lock();
	for (i = 0; i < queues->n; i++) {
		struct xenvif_queue *queue = queues->queue[i];

		if (!queue)
			continue;
		/* Who puts a page back may look at the pool's instance yet. */
		page_pool_destroy(queue->tx.pool);
		queue->tx.pool = NULL;
		__netif_napi_del(&queue->tx.napi);
	}
	rtnl_unlock();
	/* One wait for all of them. */
	synchronize_net();
	for (i = 0; i < queues->n; i++)
		xenvif_queue_free(queues->queue[i]);
	kfree(queues);
}

/**
 * xenvif_queues_alloc() - make a set of queues
 * @vif: for which vif
 * @n: how many, 1 to vif->params.max_queues
 *
 * Context: process; takes the RTNL.
 * Return: the set, not yet raised, or an ERR_PTR().
 */
struct xenvif_queues *xenvif_queues_alloc(struct xenvif *vif, u32 n)
{
	struct xenvif_queues *queues;
	struct xenvif_queue *queue;
	u32 i;

	queues = kzalloc(struct_size(queues, queue, n), GFP_KERNEL);
	if (!queues)
		return ERR_PTR(-ENOMEM);
	queues->n = n;
	for (i = 0; i < n; i++) {
		queue = xenvif_queue_alloc(vif, i);
		if (IS_ERR(queue)) {
			xenvif_queues_free(queues);
			return ERR_CAST(queue);
		}
		queues->queue[i] = queue;
		rtnl_lock();
		netif_napi_add(vif->dev, &queue->tx.napi, xenvif_tx_poll);
		rtnl_unlock();
	}
	return queues;
}

/**
 * xenvif_queues_raise() - connect all queues of a set and let them run
 * @queues: the set
 * @config: what the frontend says of each
 *
 * Context: process. The set is not published yet: no packets come from the host.
 * Return: 0, or the first error; then some are raised and the caller lowers the
 * set.
 */
int xenvif_queues_raise(struct xenvif_queues *queues,
			const struct xenvif_queue_config *config)
{
	int err = 0;
	u32 i;

	for (i = 0; i < queues->n && !err; i++)
		err = xenvif_queue_raise(queues->queue[i], &config[i]);
	return err;
}

/**
 * xenvif_queues_lower() - stop and disconnect all queues of a set
 * @queues: the set, raised however far
 *
 * Context: process; nobody can find the set any more (after synchronize_net(), if
 * it was published).
 */
void xenvif_queues_lower(struct xenvif_queues *queues)
{
	u32 i;

	for (i = 0; i < queues->n; i++)
		xenvif_queue_lower(queues->queue[i]);
}
