// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The net_device of a vif: its life, its connection, its features and counters.
 */

#include "common.h"

#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "trace.h"

#define XENVIF_QUEUE_LENGTH	1000

/* Lines that one vif may log: 10 in 5 s. */
#define XENVIF_LOG_INTERVAL	(5 * HZ)
#define XENVIF_LOG_BURST	10

#define XENVIF_FEATURES		(NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_IP_CSUM | \
				 NETIF_F_IPV6_CSUM | NETIF_F_TSO | NETIF_F_TSO6 |  \
				 NETIF_F_RXCSUM | NETIF_F_RXHASH)

/* The longest packet to be segmented: a guest has it in XENVIF_RX_SLOTS_MAX slots,
 * with headroom in each, and headers before what is counted. Of segments there may be
 * any number.
 */
#define XENVIF_TSO_SIZE_MAX	GSO_LEGACY_MAX_SIZE

static_assert(XENVIF_TSO_SIZE_MAX + VLAN_ETH_HLEN <=
	      XENVIF_RX_SLOTS_MAX * (XEN_PAGE_SIZE - XENVIF_XDP_HEADROOM_MAX));

/* A frontend without feature-rx-notify says nothing when it has posted buffers:
 * packets for it wait but a moment, and it cannot be told from a stalled one.
 */
#define XENVIF_QUIET_DRAIN_MSECS	30

static netdev_tx_t xenvif_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct xenvif *vif = netdev_priv(dev);
	u32 id = skb_get_queue_mapping(skb);
	struct xenvif_queues *queues;

	/* Bottom halves are off, or interrupts, and that is RCU enough. */
	queues = rcu_dereference_bh(vif->queues);
	if (unlikely(!queues || id >= queues->n)) {
		xenvif_xmit_drop(vif, id, skb, XENVIF_XMIT_DROP_DISCONNECTED);
		return NETDEV_TX_OK;
	}
	return xenvif_rx_enqueue(queues->queue[id], skb);
}

/* The host's choice, unless the guest has set a hash to choose by. */
static u16 xenvif_select_queue(struct net_device *dev, struct sk_buff *skb,
			       struct net_device *sb_dev)
{
	struct xenvif *vif = netdev_priv(dev);
	const struct xenvif_hash *hash;
	u32 value, id;

	rcu_read_lock();
	hash = rcu_dereference(vif->hash);
	if (likely(!xenvif_hash_is_on(hash))) {
		id = netdev_pick_tx(dev, skb, sb_dev);
	} else {
		xenvif_rx_hash(hash, skb, &value);
		id = xenvif_hash_queue(hash, value);
	}
	rcu_read_unlock();
	return id;
}

/* What a frontend may not take is made ready by the stack. The rest of what it can
 * take is among the features: see xenvif_fix_features(). Who asks for headroom may have an
 * XDP program, and Linux's frontend drops packets of more than one slot then. (After a
 * migration it asks if it ever had one. That cannot be told apart.)
 */
static netdev_features_t xenvif_features_check(struct sk_buff *skb, struct net_device *dev,
					       netdev_features_t features)
{
	const struct xenvif *vif = netdev_priv(dev);
	u32 headroom = READ_ONCE(vif->xdp_headroom);

	features = vlan_features_check(skb, features);
	if (unlikely(headroom) && skb->len > XEN_PAGE_SIZE - headroom)
		features &= ~NETIF_F_GSO_MASK;
	if (skb->ip_summed == CHECKSUM_PARTIAL && !xenvif_rx_csum_fits(skb))
		features &= ~(NETIF_F_CSUM_MASK | NETIF_F_GSO_MASK);
	return features;
}

static int xenvif_open(struct net_device *dev)
{
	struct xenvif *vif = netdev_priv(dev);

	netif_tx_start_all_queues(dev);
	WRITE_ONCE(vif->link_seen, true);
	xenvif_publish(vif);
	return 0;
}

/* Polls go on while the interface is down, and answer the guest without looking
 * at its packets. One that began before may still deliver some: each poll is
 * stopped (not only waited for: a busy guest can keep it going) and begun anew.
 */
static int xenvif_stop(struct net_device *dev)
{
	struct xenvif *vif = netdev_priv(dev);
	struct xenvif_queues *queues = rtnl_dereference(vif->queues);
	u32 i;

	netif_tx_stop_all_queues(dev);
	for (i = 0; queues && i < queues->n; i++)
		xenvif_tx_restart(queues->queue[i]);
	xenvif_publish(vif);
	return 0;
}

static bool xenvif_mtu_fits(struct xenvif *vif, int mtu)
{
	return mtu <= ETH_DATA_LEN || !rtnl_dereference(vif->queues) || vif->frontend.sg;
}

static int xenvif_change_mtu(struct net_device *dev, int mtu)
{
	struct xenvif *vif = netdev_priv(dev);

	if (!xenvif_mtu_fits(vif, mtu)) {
		netdev_info(dev, "MTU %d needs a frontend with feature-sg\n", mtu);
		return -EINVAL;
	}
	WRITE_ONCE(dev->mtu, mtu);
	vif->wanted_mtu = mtu;
	return 0;
}

static netdev_features_t xenvif_fix_features(struct net_device *dev,
					     netdev_features_t features)
{
	const struct xenvif_frontend *frontend = &((struct xenvif *)netdev_priv(dev))->frontend;

	if (!frontend->sg)
		features &= ~(NETIF_F_SG | NETIF_F_FRAGLIST);
	if (!frontend->gso_tcpv4)
		features &= ~NETIF_F_TSO;
	if (!frontend->gso_tcpv6)
		features &= ~NETIF_F_TSO6;
	if (!frontend->ip_csum)
		features &= ~NETIF_F_IP_CSUM;
	if (!frontend->ipv6_csum)
		features &= ~NETIF_F_IPV6_CSUM;
	return features;
}

/* The swap of views: what the guest transmits is what the netdev receives. */
static void xenvif_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *sum)
{
	struct xenvif *vif = netdev_priv(dev);
	u32 i, stat;

	for (i = 0; i < vif->params.max_queues; i++) {
		const struct xenvif_stats *s = &vif->stats[i];

		sum->rx_packets += xenvif_stat_read(&s->tx_sync, &s->tx[XENVIF_TX_PACKETS]);
		sum->rx_bytes += xenvif_stat_read(&s->tx_sync, &s->tx[XENVIF_TX_BYTES]);
		for (stat = XENVIF_TX_DROP_SHORT; stat <= XENVIF_TX_DROP_COPY; stat++)
			sum->rx_errors += xenvif_stat_read(&s->tx_sync, &s->tx[stat]);
		sum->rx_errors += xenvif_stat_read(&s->tx_sync,
						   &s->tx[XENVIF_TX_DROP_HEADER]);
		sum->rx_dropped += xenvif_stat_read(&s->tx_sync,
						    &s->tx[XENVIF_TX_DROP_NOMEM]);
		sum->rx_dropped += xenvif_stat_read(&s->tx_sync,
						    &s->tx[XENVIF_TX_DROP_DOWN]);

		sum->tx_packets += xenvif_stat_read(&s->rx_sync, &s->rx[XENVIF_RX_PACKETS]);
		sum->tx_bytes += xenvif_stat_read(&s->rx_sync, &s->rx[XENVIF_RX_BYTES]);
		sum->tx_errors += xenvif_stat_read(&s->rx_sync,
						   &s->rx[XENVIF_RX_COPY_ERRORS]);
		sum->tx_dropped += xenvif_stat_read(&s->rx_sync,
						    &s->rx[XENVIF_RX_DROP_EXPIRED]);
		sum->tx_dropped += xenvif_stat_read(&s->rx_sync,
						    &s->rx[XENVIF_RX_DROP_PURGED]);
		for (stat = 0; stat < XENVIF_XMIT_STAT_MAX; stat++)
			sum->tx_dropped += xenvif_stat_read(&s->xmit_sync, &s->xmit[stat]);
	}
}

static const struct net_device_ops xenvif_netdev_ops = {
	.ndo_open		= xenvif_open,
	.ndo_stop		= xenvif_stop,
	.ndo_select_queue	= xenvif_select_queue,
	.ndo_start_xmit		= xenvif_start_xmit,
	.ndo_features_check	= xenvif_features_check,
	.ndo_change_mtu		= xenvif_change_mtu,
	.ndo_fix_features	= xenvif_fix_features,
	.ndo_get_stats64	= xenvif_get_stats64,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
};

static int xenvif_alloc_stats(struct xenvif *vif)
{
	u32 i;

	vif->stats = kvcalloc(vif->params.max_queues, sizeof(*vif->stats), GFP_KERNEL);
	if (!vif->stats)
		return -ENOMEM;
	for (i = 0; i < vif->params.max_queues; i++) {
		u64_stats_init(&vif->stats[i].tx_sync);
		u64_stats_init(&vif->stats[i].rx_sync);
		u64_stats_init(&vif->stats[i].xmit_sync);
	}
	return 0;
}

static void xenvif_init_netdev(struct net_device *dev)
{
	static const u8 addr[ETH_ALEN] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff };
	u32 i;

	dev->netdev_ops = &xenvif_netdev_ops;
	dev->ethtool_ops = &xenvif_ethtool_ops;
	dev->hw_features = XENVIF_FEATURES;
	/* A guest looks at what it gets, whoever says that it is good. */
	dev->features = XENVIF_FEATURES | NETIF_F_GSO_ROBUST | NETIF_F_HIGHDMA;
	/* Frontends do not find their way to the checksum behind a tag. */
	dev->vlan_features = NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HIGHDMA;
	dev->tx_queue_len = XENVIF_QUEUE_LENGTH;
	/* Packets are linked into the backlog. */
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = XENVIF_MTU_MAX;
	netif_set_tso_max_size(dev, XENVIF_TSO_SIZE_MAX);
	netif_set_tso_max_segs(dev, TSO_MAX_SEGS);
	xenvif_qstats_init(dev);

	/* Small packets are sent off in bursts: the stack's limit is not to cut them. */
	for (i = 0; i < dev->num_tx_queues; i++)
		netdev_queue_set_dql_min_limit(netdev_get_tx_queue(dev, i), XENVIF_RX_FEW);

	/* The highest there is: a bridge takes the lowest of its ports' for its
	 * own, which must not be a guest's interface that comes and goes.
	 */
	eth_hw_addr_set(dev, addr);
	netif_carrier_off(dev);
}

/* Pages that idle queues keep go back, some time after their last packet. */
static void xenvif_trim_work(struct work_struct *work)
{
	struct xenvif *vif = container_of(to_delayed_work(work), struct xenvif, trim_work);
	struct xenvif_queues *queues;
	bool again = false;
	u32 i;

	rtnl_lock();
	queues = rtnl_dereference(vif->queues);
	for (i = 0; queues && i < queues->n; i++)
		again |= xenvif_queue_trim(queues->queue[i]);
	rtnl_unlock();
	if (again)
		queue_delayed_work(system_dfl_wq, &vif->trim_work, XENVIF_POOL_LOOK);
}

/**
 * xenvif_create() - make a vif and register its netdev
 * @xdev: its xenbus device
 * @handle: the guest's number for it
 *
 * Context: process; takes the RTNL.
 * Return: the vif, or an ERR_PTR(); -EEXIST if the name is taken.
 */
struct xenvif *xenvif_create(struct xenbus_device *xdev, u32 handle)
{
	struct xenvif_params params;
	struct net_device *dev;
	struct xenvif *vif;
	char name[IFNAMSIZ];
	int err;

	xenvif_params_get(&params);
	if (snprintf(name, sizeof(name), "vif%u.%u", xdev->otherend_id, handle) >= IFNAMSIZ)
		return ERR_PTR(-ENAMETOOLONG);
	dev = alloc_netdev_mqs(sizeof(*vif), name, NET_NAME_UNKNOWN, ether_setup,
			       params.max_queues, params.max_queues);
	if (!dev)
		return ERR_PTR(-ENOMEM);
	SET_NETDEV_DEV(dev, &xdev->dev);

	vif = netdev_priv(dev);
	vif->dev = dev;
	vif->xdev = xdev;
	vif->domid = xdev->otherend_id;
	vif->handle = handle;
	vif->params = params;
	vif->wanted_mtu = dev->mtu;
	vif->offered_queues = params.max_queues;
	spin_lock_init(&vif->credit_lock);
	spin_lock_init(&vif->stall_lock);
	spin_lock_init(&vif->mcast_lock);
	INIT_WORK(&vif->fatal_work, xenvif_fatal_work);
	INIT_WORK(&vif->publish_work, xenvif_publish_work);
	INIT_DELAYED_WORK(&vif->trim_work, xenvif_trim_work);
	ratelimit_state_init(&vif->log_limit, XENVIF_LOG_INTERVAL, XENVIF_LOG_BURST);

	err = xenvif_alloc_stats(vif);
	if (err)
		goto free_dev;
	xenvif_init_netdev(dev);
	err = register_netdev(dev);
	if (err)
		goto free_stats;
	return vif;

free_stats:
	kvfree(vif->stats);
free_dev:
	free_netdev(dev);
	return ERR_PTR(err);
}

/**
 * xenvif_destroy() - unregister a vif's netdev and free all of it
 * @vif: a vif that is disconnected, and whose fatal_work is cancelled
 *
 * Context: process; takes the RTNL.
 */
void xenvif_destroy(struct xenvif *vif)
{
	struct xenvif_stats *stats = vif->stats;
	struct net_device *dev = vif->dev;

	unregister_netdev(dev);
	cancel_work_sync(&vif->publish_work);
	cancel_delayed_work_sync(&vif->trim_work);
	kvfree(stats);
	free_netdev(dev);
}

/* The largest MTU that both the administrator and the frontend can have. */
static void xenvif_update_mtu(struct xenvif *vif)
{
	u32 wanted = vif->wanted_mtu;
	u32 mtu = vif->frontend.sg ? wanted : min_t(u32, wanted, ETH_DATA_LEN);

	if (vif->dev->mtu != mtu && dev_set_mtu(vif->dev, mtu))
		xenvif_warn(vif, "cannot set MTU %u\n", mtu);
	vif->wanted_mtu = wanted;
}

/* Which NAPI instance serves a queue of the netdev's, for netlink; or none. */
static void xenvif_link_napi(struct xenvif *vif, struct xenvif_queues *queues, bool link)
{
	u32 i;

	ASSERT_RTNL();
	for (i = 0; i < queues->n; i++)
		netif_queue_set_napi(vif->dev, i, NETDEV_QUEUE_TYPE_RX,
				     link ? &queues->queue[i]->tx.napi : NULL);
}

/* Everything about the new frontend that the netdev must know beforehand. */
static int xenvif_prepare_netdev(struct xenvif *vif,
				 const struct xenvif_frontend *frontend, u32 n_queues)
{
	int err;

	rtnl_lock();
	vif->frontend = *frontend;
	WRITE_ONCE(vif->xdp_headroom, frontend->xdp_headroom);
	WRITE_ONCE(vif->mcast_control, frontend->mcast_control);
	vif->rx_drain_timeout = vif->params.rx_drain_timeout;
	vif->rx_stall_timeout = vif->params.rx_stall_timeout;
	if (!frontend->rx_notify) {
		vif->rx_drain_timeout = msecs_to_jiffies(XENVIF_QUIET_DRAIN_MSECS);
		vif->rx_stall_timeout = 0;
	}
	vif->n_stalled = 0;
	clear_bit(XENVIF_FLAG_FATAL, &vif->flags);

	err = netif_set_real_num_queues(vif->dev, n_queues, n_queues);
	if (!err) {
		netdev_update_features(vif->dev);
		xenvif_update_mtu(vif);
	}
	rtnl_unlock();
	return err;
}

/* The end of a queue set that nobody can find, and of all that its guest said. */
static void xenvif_end_queues(struct xenvif *vif, struct xenvif_queues *queues)
{
	xenvif_queues_lower(queues);

	spin_lock_bh(&vif->mcast_lock);
	xenvif_mcast_clear(&vif->mcast);
	spin_unlock_bh(&vif->mcast_lock);

	/* A queue that just then was no longer stalled may have raised it. */
	netif_carrier_off(vif->dev);
	xenvif_queues_free(queues);
}

/* Let the stack send, and have it look for packets that wait already: their queue may
 * have been stopped when the last connection ended.
 */
static void xenvif_start_sending(struct xenvif *vif, u32 n_queues)
{
	struct netdev_queue *txq;
	u32 i;

	if (!netif_running(vif->dev))
		return;
	local_bh_disable();
	for (i = 0; i < n_queues; i++) {
		txq = netdev_get_tx_queue(vif->dev, i);
		netif_tx_start_queue(txq);
		netif_schedule_queue(txq);
	}
	local_bh_enable();
}

/**
 * xenvif_connect() - connect a vif to its frontend
 * @vif: a vif that is not connected
 * @frontend: what the frontend can take
 * @config: where its queues are
 * @n_queues: how many, 1 to vif->params.max_queues
 *
 * Context: process, under the backend's lock; takes the RTNL.
 * Return: 0, or an error; then the vif is not connected. Features, MTU and number
 * of real queues may be this frontend's already.
 */
int xenvif_connect(struct xenvif *vif, const struct xenvif_frontend *frontend,
		   const struct xenvif_queue_config *config, u32 n_queues)
{
	struct xenvif_queues *queues;
	int err;

	queues = xenvif_queues_alloc(vif, n_queues);
	if (IS_ERR(queues))
		return PTR_ERR(queues);
	err = xenvif_prepare_netdev(vif, frontend, n_queues);
	if (!err)
		err = xenvif_queues_raise(queues, config);
	if (!err)
		err = xenvif_ctrl_connect(vif, &frontend->ctrl, queues);
	if (err) {
		xenvif_end_queues(vif, queues);
		return err;
	}

	rtnl_lock();
	rcu_assign_pointer(vif->queues, queues);
	xenvif_link_napi(vif, queues, true);
	/* Somebody may have set another one meanwhile. */
	xenvif_update_mtu(vif);
	netif_carrier_on(vif->dev);
	xenvif_start_sending(vif, n_queues);
	rtnl_unlock();
	/* Queues that have had packets before they could be found. */
	queue_delayed_work(system_dfl_wq, &vif->trim_work, XENVIF_POOL_LOOK);
	xenvif_debugfs_add(vif, queues);
	return 0;
}

/**
 * xenvif_disconnect() - take a vif off its frontend
 * @vif: the vif; nothing happens if it is not connected
 *
 * First nobody finds the queues any more, then nobody uses them, then they go:
 * after synchronize_net() no packet of the host's is on its way to them, and
 * once lowered nothing of the guest's is.
 *
 * Context: process, under the backend's lock; takes the RTNL.
 */
void xenvif_disconnect(struct xenvif *vif)
{
	struct xenvif_queues *queues;

	xenvif_debugfs_del(vif);
	xenvif_ctrl_disconnect(vif);

	rtnl_lock();
	queues = rtnl_dereference(vif->queues);
	RCU_INIT_POINTER(vif->queues, NULL);
	if (queues)
		xenvif_link_napi(vif, queues, false);
	netif_carrier_off(vif->dev);
	rtnl_unlock();
	if (!queues)
		return;

	synchronize_net();
	xenvif_end_queues(vif, queues);
}

/**
 * xenvif_fatal() - the guest broke a ring: stop this vif
 * @vif: the vif
 * @why: for the log
 *
 * Only marks the vif and queues work, which disconnects it and lets the frontend
 * know; a new connection begins afresh.
 *
 * Context: any.
 */
void xenvif_fatal(struct xenvif *vif, const char *why)
{
	if (test_and_set_bit(XENVIF_FLAG_FATAL, &vif->flags))
		return;
	trace_xenvif_fatal(vif, why);
	xenvif_warn(vif, "guest error: %s; disconnecting\n", why);
	schedule_work(&vif->fatal_work);
}

/**
 * xenvif_queue_stalled() - a queue's guest takes no packets, or does again
 * @queue: the queue
 * @stalled: which of both
 *
 * The carrier falls when no queue is left that works.
 *
 * Context: the queue's thread; each change once.
 */
void xenvif_queue_stalled(struct xenvif_queue *queue, bool stalled)
{
	struct xenvif *vif = queue->vif;
	struct xenvif_queues *queues;

	trace_xenvif_stall(queue, stalled);
	xenvif_warn(vif, "guest RX %s on queue %u\n", stalled ? "stalled" : "ready",
		    queue->id);

	rcu_read_lock();
	spin_lock(&vif->stall_lock);
	vif->n_stalled += stalled ? 1 : -1;
	queues = rcu_dereference(vif->queues);
	if (queues && vif->n_stalled == queues->n)
		netif_carrier_off(vif->dev);
	else if (queues)
		netif_carrier_on(vif->dev);
	spin_unlock(&vif->stall_lock);
	rcu_read_unlock();
}

/**
 * xenvif_set_rate() - set or lift the limit of guest-TX
 * @vif: the vif
 * @bytes: bytes per interval, for all queues together; 0 for no limit
 * @usecs: the interval, in us
 *
 * Context: process.
 * Return: 0, or -ERANGE if the values are out of bounds; nothing changed then.
 */
int xenvif_set_rate(struct xenvif *vif, u64 bytes, u64 usecs)
{
	if (bytes > XENVIF_CREDIT_BYTES_MAX || usecs > XENVIF_CREDIT_USECS_MAX ||
	    (bytes && !usecs))
		return -ERANGE;

	spin_lock_bh(&vif->credit_lock);
	xenvif_credit_set(&vif->credit, bytes, usecs, ktime_get_ns());
	spin_unlock_bh(&vif->credit_lock);
	return 0;
}
