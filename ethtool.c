// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ethtool: counters of each queue, how many there are, how the frontend has packets
 * steered. Names, in tx and rx, are the guest's; Documentation/xen-netback.rst says
 * what each counts.
 */

#include "common.h"

#include <linux/ethtool.h>

static const char * const xenvif_tx_stat_name[] = {
	[XENVIF_TX_PACKETS]	= "packets",
	[XENVIF_TX_BYTES]	= "bytes",
	[XENVIF_TX_DROP_SHORT]	= "drop_short",
	[XENVIF_TX_DROP_RANGE]	= "drop_range",
	[XENVIF_TX_DROP_SLOTS]	= "drop_slots",
	[XENVIF_TX_DROP_LENGTH]	= "drop_length",
	[XENVIF_TX_DROP_EXTRA]	= "drop_extra",
	[XENVIF_TX_DROP_GSO]	= "drop_gso",
	[XENVIF_TX_DROP_COPY]	= "drop_copy",
	[XENVIF_TX_DROP_NOMEM]	= "drop_nomem",
	[XENVIF_TX_DROP_HEADER]	= "drop_header",
	[XENVIF_TX_DROP_DOWN]	= "drop_down",
	[XENVIF_TX_CSUM_FIXUP]	= "gso_csum_fixup",
	[XENVIF_TX_MCAST_MSGS]	= "mcast_msgs",
	[XENVIF_TX_REQUESTS]	= "requests",
	[XENVIF_TX_COPIES]	= "copies",
	[XENVIF_TX_COPIES_SAVED] = "copies_saved",
	[XENVIF_TX_BATCHES]	= "batches",
	[XENVIF_TX_NOTIFIES]	= "notifies",
	[XENVIF_TX_THROTTLED]	= "throttled",
};

static const char * const xenvif_rx_stat_name[] = {
	[XENVIF_RX_PACKETS]	 = "packets",
	[XENVIF_RX_BYTES]	 = "bytes",
	[XENVIF_RX_COPY_ERRORS]	 = "copy_errors",
	[XENVIF_RX_DROP_EXPIRED] = "drop_expired",
	[XENVIF_RX_DROP_PURGED]	 = "drop_purged",
	[XENVIF_RX_SLOTS]	 = "slots",
	[XENVIF_RX_COPIES]	 = "copies",
	[XENVIF_RX_COPIES_SAVED] = "copies_saved",
	[XENVIF_RX_BATCHES]	 = "batches",
	[XENVIF_RX_NOTIFIES]	 = "notifies",
	[XENVIF_RX_STALLS]	 = "stalls",
};

static const char * const xenvif_xmit_stat_name[] = {
	[XENVIF_XMIT_DROP_DISCONNECTED]	= "drop_disconnected",
	[XENVIF_XMIT_DROP_STALLED]	= "drop_stalled",
	[XENVIF_XMIT_DROP_FULL]		= "drop_full",
	[XENVIF_XMIT_DROP_FILTERED]	= "drop_filtered",
	[XENVIF_XMIT_DROP_UNFIT]	= "drop_unfit",
};

/* A new counter cannot be forgotten. */
static_assert(ARRAY_SIZE(xenvif_tx_stat_name) == XENVIF_TX_STAT_MAX);
static_assert(ARRAY_SIZE(xenvif_rx_stat_name) == XENVIF_RX_STAT_MAX);
static_assert(ARRAY_SIZE(xenvif_xmit_stat_name) == XENVIF_XMIT_STAT_MAX);

#define XENVIF_QUEUE_STATS	(XENVIF_TX_STAT_MAX + XENVIF_RX_STAT_MAX + \
				 XENVIF_XMIT_STAT_MAX)

/**
 * xenvif_stat_read() - read one counter
 * @sync: its guard
 * @stat: the counter
 *
 * Context: any.
 * Return: its value.
 */
u64 xenvif_stat_read(const struct u64_stats_sync *sync, const u64_stats_t *stat)
{
	unsigned int start;
	u64 value;

	do {
		start = u64_stats_fetch_begin(sync);
		value = u64_stats_read(stat);
	} while (u64_stats_fetch_retry(sync, start));
	return value;
}

static int xenvif_get_sset_count(struct net_device *dev, int set)
{
	struct xenvif *vif = netdev_priv(dev);

	/* Of all queues that there may be: who asks how many there are, and then for them,
	 * must not find more because a guest has connected with more meanwhile.
	 */
	return set == ETH_SS_STATS ? vif->params.max_queues * XENVIF_QUEUE_STATS :
				     -EOPNOTSUPP;
}

static void xenvif_get_strings(struct net_device *dev, u32 set, u8 *data)
{
	struct xenvif *vif = netdev_priv(dev);
	u32 q, i;

	if (set != ETH_SS_STATS)
		return;
	for (q = 0; q < vif->params.max_queues; q++) {
		for (i = 0; i < XENVIF_TX_STAT_MAX; i++)
			ethtool_sprintf(&data, "tx_queue_%u_%s", q, xenvif_tx_stat_name[i]);
		for (i = 0; i < XENVIF_RX_STAT_MAX; i++)
			ethtool_sprintf(&data, "rx_queue_%u_%s", q, xenvif_rx_stat_name[i]);
		for (i = 0; i < XENVIF_XMIT_STAT_MAX; i++)
			ethtool_sprintf(&data, "rx_queue_%u_%s", q,
					xenvif_xmit_stat_name[i]);
	}
}

static void xenvif_get_ethtool_stats(struct net_device *dev,
				     struct ethtool_stats *stats, u64 *data)
{
	struct xenvif *vif = netdev_priv(dev);
	u32 q, i;

	for (q = 0; q < vif->params.max_queues; q++) {
		const struct xenvif_stats *s = &vif->stats[q];

		for (i = 0; i < XENVIF_TX_STAT_MAX; i++)
			*data++ = xenvif_stat_read(&s->tx_sync, &s->tx[i]);
		for (i = 0; i < XENVIF_RX_STAT_MAX; i++)
			*data++ = xenvif_stat_read(&s->rx_sync, &s->rx[i]);
		for (i = 0; i < XENVIF_XMIT_STAT_MAX; i++)
			*data++ = xenvif_stat_read(&s->xmit_sync, &s->xmit[i]);
	}
}

static void xenvif_get_channels(struct net_device *dev, struct ethtool_channels *channels)
{
	struct xenvif *vif = netdev_priv(dev);

	/* What was set, not what is in use: a request for what is shown does not get here,
	 * so the number in use could not be made what is offered.
	 */
	channels->max_combined = vif->params.max_queues;
	channels->combined_count = vif->offered_queues;
}

/* The frontend chooses how many it uses, when it connects: what can be set is how many
 * the next one is offered.
 */
static int xenvif_set_channels(struct net_device *dev, struct ethtool_channels *channels)
{
	struct xenvif *vif = netdev_priv(dev);

	/* The core has seen to the upper bound. */
	if (!channels->combined_count)
		return -EINVAL;
	WRITE_ONCE(vif->offered_queues, channels->combined_count);
	xenvif_publish(vif);
	return 0;
}

static int xenvif_get_rxnfc(struct net_device *dev, struct ethtool_rxnfc *rxnfc, u32 *rules)
{
	if (rxnfc->cmd != ETHTOOL_GRXRINGS)
		return -EOPNOTSUPP;
	rxnfc->data = dev->real_num_tx_queues;
	return 0;
}

static u32 xenvif_get_rxfh_key_size(struct net_device *dev)
{
	return XENVIF_HASH_KEY_MAX;
}

static u32 xenvif_get_rxfh_indir_size(struct net_device *dev)
{
	return XENVIF_HASH_MAPPING_MAX;
}

/* What the frontend has set. A mapping that is shorter is repeated. While it has set none
 * the stack takes a queue by its own hash: no function is named then. That is no error: it
 * would be the end of netlink's dump for all that come behind this device.
 */
static int xenvif_get_rxfh(struct net_device *dev, struct ethtool_rxfh_param *rxfh)
{
	struct xenvif *vif = netdev_priv(dev);
	const struct xenvif_hash *hash;
	bool on;
	u32 i;

	rcu_read_lock();
	hash = rcu_dereference(vif->hash);
	on = xenvif_hash_is_on(hash);
	rxfh->hfunc = on ? ETH_RSS_HASH_TOP : 0;
	for (i = 0; rxfh->indir && i < XENVIF_HASH_MAPPING_MAX; i++)
		rxfh->indir[i] = on ? xenvif_hash_queue(hash, i) :
				      ethtool_rxfh_indir_default(i, dev->real_num_tx_queues);
	if (rxfh->key && on)
		memcpy(rxfh->key, hash->key, sizeof(hash->key));
	rcu_read_unlock();
	return 0;
}

static void xenvif_get_ringparam(struct net_device *dev, struct ethtool_ringparam *ring,
				 struct kernel_ethtool_ringparam *kernel_ring,
				 struct netlink_ext_ack *extack)
{
	/* One page each: the protocol knows no other size. */
	ring->rx_max_pending = XENVIF_TX_RING_SIZE;
	ring->rx_pending = XENVIF_TX_RING_SIZE;
	ring->tx_max_pending = XENVIF_RX_RING_SIZE;
	ring->tx_pending = XENVIF_RX_RING_SIZE;
}

/* All that ethtool can ask; driver and bus name come from the parent device. */
const struct ethtool_ops xenvif_ethtool_ops = {
	.get_link		= ethtool_op_get_link,
	.get_ts_info		= ethtool_op_get_ts_info,
	.get_sset_count		= xenvif_get_sset_count,
	.get_strings		= xenvif_get_strings,
	.get_ethtool_stats	= xenvif_get_ethtool_stats,
	.get_channels		= xenvif_get_channels,
	.set_channels		= xenvif_set_channels,
	.get_rxnfc		= xenvif_get_rxnfc,
	.get_rxfh_key_size	= xenvif_get_rxfh_key_size,
	.get_rxfh_indir_size	= xenvif_get_rxfh_indir_size,
	.get_rxfh		= xenvif_get_rxfh,
	.get_ringparam		= xenvif_get_ringparam,
};
