// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xen-netback: the network of Xen guests, served by the domain that has it.
 *
 * The front door: module parameters, init, exit. Where things are:
 *
 *   xenbus.c      the control plane: xenstore, the state machine
 *   interface.c   the net_device of a vif
 *   ethtool.c     what ethtool shows
 *   queue.c       queues: their rings, event channels and threads
 *   guest_tx.c    guest to host; tx_parse.c reads what the guest wrote
 *   guest_rx.c    host to guest; pack.h cuts packets into slots
 *   ctrl.c        the control ring; hash.c how a guest has its packets steered;
 *                 gref.c pages of the guest's that stay mapped
 *   debugfs.c     what a vif is at, in words
 *   trace.h       tracepoints, made in this file
 *   mcast.c       the multicast addresses that a guest asks for
 *   qstats.c      counters of each queue, by netlink
 *   ring.h        the shared rings; grant.c the grant copies; credit.h the rate limit
 *   compat/       what kernels that are older than the sources lack
 */

#include "common.h"

#include <linux/cpumask.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

static bool separate_tx_rx_irq = true;
module_param(separate_tx_rx_irq, bool, 0644);
MODULE_PARM_DESC(separate_tx_rx_irq,
		 "Offer frontends an event channel for each direction");

static unsigned int rx_drain_timeout_msecs = 10000;
module_param(rx_drain_timeout_msecs, uint, 0444);
MODULE_PARM_DESC(rx_drain_timeout_msecs,
		 "Age in ms at which a packet that the guest has no buffers for is dropped");

static unsigned int rx_stall_timeout_msecs = 60000;
module_param(rx_stall_timeout_msecs, uint, 0444);
MODULE_PARM_DESC(rx_stall_timeout_msecs,
		 "Time in ms without buffers that makes a queue stalled (0: never)");

static unsigned int max_queues;
module_param(max_queues, uint, 0644);
MODULE_PARM_DESC(max_queues,
		 "Queues that a vif may have (0: one for each processor, at most 8)");

static bool provides_xdp_headroom = true;
module_param(provides_xdp_headroom, bool, 0644);
MODULE_PARM_DESC(provides_xdp_headroom,
		 "Offer frontends headroom in front of received packets, for XDP");

static unsigned int static_grants = XENVIF_GREF_MAX;
module_param(static_grants, uint, 0644);
MODULE_PARM_DESC(static_grants,
		 "Pages that a guest may have mapped for each of its queues (at most 512)");

/* Kept so that an existing modprobe.d file does not make the load fail. */
static unsigned int fatal_skb_slots = 20;
module_param(fatal_skb_slots, uint, 0444);
MODULE_PARM_DESC(fatal_skb_slots,
		 "No effect: a packet with too many slots is dropped, and never fatal");

static unsigned int hash_cache_size = 64;
module_param(hash_cache_size, uint, 0644);
MODULE_PARM_DESC(hash_cache_size, "No effect: hashes are not cached");

/**
 * xenvif_params_get() - the module parameters as they are now
 * @params: where to put them, with odd values brought into range
 *
 * Context: process. Each vif gets its copy when it is made: a later change is for
 * vifs to come.
 */
void xenvif_params_get(struct xenvif_params *params)
{
	u32 queues = READ_ONCE(max_queues) ?:
		     min_t(u32, num_online_cpus(), XENVIF_QUEUES_DEFAULT);

	params->max_queues = min_t(u32, queues, XENVIF_QUEUES_MAX);
	params->rx_drain_timeout = msecs_to_jiffies(rx_drain_timeout_msecs);
	params->rx_stall_timeout = msecs_to_jiffies(rx_stall_timeout_msecs);
	params->split_channels = READ_ONCE(separate_tx_rx_irq);
	params->xdp_headroom = READ_ONCE(provides_xdp_headroom);
	params->static_grants = min_t(u32, READ_ONCE(static_grants), XENVIF_GREF_MAX);
}

static int __init xenvif_init(void)
{
	int err;

	if (!xen_domain())
		return -ENODEV;
	if (max_queues > XENVIF_QUEUES_MAX)
		pr_warn("max_queues=%u is too large, using %u\n", max_queues,
			XENVIF_QUEUES_MAX);
	xenvif_debugfs_init();
	err = xenvif_xenbus_init();
	if (err)
		xenvif_debugfs_exit();
	return err;
}
module_init(xenvif_init);

static void __exit xenvif_exit(void)
{
	xenvif_xenbus_exit();
	xenvif_debugfs_exit();
}
module_exit(xenvif_exit);

MODULE_DESCRIPTION("Xen backend network device");
MODULE_LICENSE("Dual BSD/GPL");
MODULE_ALIAS("xen-backend:vif");
