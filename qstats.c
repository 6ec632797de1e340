// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counters of each queue for netdev netlink (qstats-get), which speaks of the
 * netdev: its rx is the guest's tx.
 */

#include "common.h"

#include <net/netdev_queues.h>

static void xenvif_qstats_add(const struct xenvif_stats *s, struct netdev_queue_stats_rx *rx,
			      struct netdev_queue_stats_tx *tx)
{
	if (rx) {
		rx->packets += xenvif_stat_read(&s->tx_sync, &s->tx[XENVIF_TX_PACKETS]);
		rx->bytes += xenvif_stat_read(&s->tx_sync, &s->tx[XENVIF_TX_BYTES]);
		rx->alloc_fail += xenvif_stat_read(&s->tx_sync, &s->tx[XENVIF_TX_DROP_NOMEM]);
	}
	if (tx) {
		tx->packets += xenvif_stat_read(&s->rx_sync, &s->rx[XENVIF_RX_PACKETS]);
		tx->bytes += xenvif_stat_read(&s->rx_sync, &s->rx[XENVIF_RX_BYTES]);
	}
}

static void xenvif_qstats_clear(struct netdev_queue_stats_rx *rx,
				struct netdev_queue_stats_tx *tx)
{
	/* What is not set here is not collected. */
	if (rx) {
		rx->packets = 0;
		rx->bytes = 0;
		rx->alloc_fail = 0;
	}
	if (tx) {
		tx->packets = 0;
		tx->bytes = 0;
	}
}

static void xenvif_qstats_rx(struct net_device *dev, int i, struct netdev_queue_stats_rx *rx)
{
	struct xenvif *vif = netdev_priv(dev);

	xenvif_qstats_clear(rx, NULL);
	xenvif_qstats_add(&vif->stats[i], rx, NULL);
}

static void xenvif_qstats_tx(struct net_device *dev, int i, struct netdev_queue_stats_tx *tx)
{
	struct xenvif *vif = netdev_priv(dev);

	xenvif_qstats_clear(NULL, tx);
	xenvif_qstats_add(&vif->stats[i], NULL, tx);
}

/* What queues have done that are not there now. */
static void xenvif_qstats_base(struct net_device *dev, struct netdev_queue_stats_rx *rx,
			       struct netdev_queue_stats_tx *tx)
{
	struct xenvif *vif = netdev_priv(dev);
	u32 i;

	xenvif_qstats_clear(rx, tx);
	for (i = dev->real_num_rx_queues; i < vif->params.max_queues; i++)
		xenvif_qstats_add(&vif->stats[i], rx, tx);
}

static const struct netdev_stat_ops xenvif_stat_ops = {
	.get_queue_stats_rx	= xenvif_qstats_rx,
	.get_queue_stats_tx	= xenvif_qstats_tx,
	.get_base_stats		= xenvif_qstats_base,
};

/**
 * xenvif_qstats_init() - have a vif's netdev show counters of its queues
 * @dev: the netdev, not yet registered
 *
 * Context: process.
 */
void xenvif_qstats_init(struct net_device *dev)
{
	dev->stat_ops = &xenvif_stat_ops;
}
