// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * debugfs: what a connected vif is at, in words.
 *
 *   xen-netback/vifD.H/io_ring_qN   a queue; "kick" written to it is an interrupt
 *   xen-netback/vifD.H/ctrl         the control ring, if there is one
 *
 * The files come after a connection's queues and go before them, and debugfs
 * waits for those that are being read: so what they show is there. No lock keeps
 * it still, though: each number is right, but they need not fit each other.
 */

#include "common.h"

#include <linux/debugfs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

/* What is written to a queue's file must be shorter. */
#define XENVIF_DEBUGFS_TEXT	32

/* Entries of the mapping in a line. */
#define XENVIF_DEBUGFS_LINE	16

static struct dentry *xenvif_debugfs_root;

static void xenvif_show_ring(struct seq_file *m, const char *name,
			     const struct xenvif_ring_view *view)
{
	seq_printf(m, "%s ring: %u entries, %u to do, %u to answer\n", name, view->size,
		   view->req_prod - view->req_cons, view->req_cons - view->rsp_prod_pvt);
	seq_printf(m, "  requests:  producer %u, consumer %u, event at %u\n",
		   view->req_prod, view->req_cons, view->req_event);
	seq_printf(m, "  responses: producer %u, private %u, event at %u\n",
		   view->rsp_prod, view->rsp_prod_pvt, view->rsp_event);
}

static void xenvif_show_channel(struct seq_file *m, const char *name,
				const struct xenvif_channel *channel)
{
	seq_printf(m, "%s channel: irq %u, owed %#x\n", name, channel->irq,
		   atomic_read(&channel->owed));
}

static void xenvif_show_credit(struct seq_file *m, struct xenvif *vif)
{
	struct xenvif_credit credit;

	spin_lock_bh(&vif->credit_lock);
	credit = vif->credit;
	spin_unlock_bh(&vif->credit_lock);

	if (!credit.bytes) {
		seq_puts(m, "tx credit: no limit\n");
		return;
	}
	seq_printf(m, "tx credit: %llu bytes every %llu us, %lld left (all queues)\n",
		   credit.bytes, div_u64(credit.interval, NSEC_PER_USEC), credit.tokens);
}

static void xenvif_show_tx(struct seq_file *m, struct xenvif_queue *queue)
{
	struct xenvif_queue_tx *tx = &queue->tx;
	struct xenvif_ring_view view;

	xenvif_tx_ring_view(&tx->ring, &view);
	xenvif_show_ring(m, "tx", &view);
	xenvif_show_channel(m, "tx", &queue->tx_channel);
	seq_printf(m, "tx napi: state %#lx, weight %d, packets in work %u, retries %u, throttle timer %s\n",
		   READ_ONCE(tx->napi.state), tx->napi.weight, READ_ONCE(tx->n_work),
		   READ_ONCE(tx->n_eagain), hrtimer_active(&tx->throttle) ? "on" : "off");
	xenvif_show_credit(m, queue->vif);
}

static void xenvif_show_rx(struct seq_file *m, struct xenvif_queue *queue)
{
	struct netdev_queue *txq = netdev_get_tx_queue(queue->vif->dev, queue->id);
	struct xenvif_queue_rx *rx = &queue->rx;
	struct xenvif_ring_view view;
	u32 bytes, packets;

	spin_lock_irq(&rx->lock);
	bytes = rx->bytes;
	packets = skb_queue_len(&rx->backlog);
	spin_unlock_irq(&rx->lock);

	xenvif_rx_ring_view(&rx->ring, &view);
	xenvif_show_ring(m, "rx", &view);
	if (queue->rx_channel.irq)
		xenvif_show_channel(m, "rx", &queue->rx_channel);
	seq_printf(m, "rx thread: pid %d, state %c%s%s\n", task_pid_nr(rx->task),
		   task_state_to_char(rx->task), READ_ONCE(rx->stalled) ? ", stalled" : "",
		   READ_ONCE(rx->starving) ? ", starving" : "");
	seq_printf(m, "rx backlog: %u packets, and %u with the thread; %u of %u bytes; netdev queue %s\n",
		   packets, skb_queue_len_lockless(&rx->todo), bytes, XENVIF_RX_BACKLOG_MAX,
		   netif_xmit_stopped(txq) ? "stopped" : "open");
}

static void xenvif_show_grefs(struct seq_file *m, struct xenvif_queue *queue)
{
	const struct xenvif_grefs *grefs;
	u32 n;

	rcu_read_lock();
	grefs = rcu_dereference(queue->grefs);
	n = grefs ? READ_ONCE(grefs->n) : 0;
	rcu_read_unlock();
	seq_printf(m, "static grants: %u of %u\n", n, queue->vif->params.static_grants);
}

static int xenvif_queue_show(struct seq_file *m, void *unused)
{
	struct xenvif_queue *queue = m->private;

	seq_printf(m, "%s%s\n", queue->name,
		   xenvif_is_fatal(queue->vif) ? ": stopped by a fatal error" : "");
	xenvif_show_tx(m, queue);
	xenvif_show_rx(m, queue);
	xenvif_show_grefs(m, queue);
	return 0;
}

static int xenvif_queue_open(struct inode *inode, struct file *file)
{
	return single_open(file, xenvif_queue_show, inode->i_private);
}

static ssize_t xenvif_queue_write(struct file *file, const char __user *buf, size_t count,
				  loff_t *ppos)
{
	struct xenvif_queue *queue = file_inode(file)->i_private;
	char text[XENVIF_DEBUGFS_TEXT];

	if (count >= sizeof(text))
		return -ENOSPC;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	text[count] = '\0';
	if (!sysfs_streq(text, "kick"))
		return -EINVAL;
	xenvif_queue_kick(queue);
	return count;
}

static const struct file_operations xenvif_queue_fops = {
	.owner		= THIS_MODULE,
	.open		= xenvif_queue_open,
	.read		= seq_read,
	.write		= xenvif_queue_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static void xenvif_show_hash(struct seq_file *m, const struct xenvif_hash *hash)
{
	u32 i;

	seq_printf(m, "hash: %s%s\n",
		   hash->algorithm == XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ ?
		   "toeplitz" : "none", xenvif_hash_is_on(hash) ? "" : " (off)");
	seq_printf(m, "types:%s%s%s%s\n",
		   hash->types & XEN_NETIF_CTRL_HASH_TYPE_IPV4 ? " ipv4" : "",
		   hash->types & XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP ? " ipv4+tcp" : "",
		   hash->types & XEN_NETIF_CTRL_HASH_TYPE_IPV6 ? " ipv6" : "",
		   hash->types & XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP ? " ipv6+tcp" : "");
	seq_printf(m, "key: %u bytes: %*ph\n", hash->key_len, XENVIF_HASH_KEY_MAX, hash->key);

	if (!hash->mapping_size) {
		seq_printf(m, "mapping: modulo %u\n", hash->n_queues);
		return;
	}
	seq_printf(m, "mapping: %u entries\n", hash->mapping_size);
	for (i = 0; i < hash->mapping_size; i++) {
		if (i % XENVIF_DEBUGFS_LINE == 0)
			seq_printf(m, "%5u:", i);
		seq_printf(m, " %u", hash->mapping[i]);
		if (i % XENVIF_DEBUGFS_LINE == XENVIF_DEBUGFS_LINE - 1 ||
		    i == hash->mapping_size - 1)
			seq_putc(m, '\n');
	}
}

static int xenvif_ctrl_show(struct seq_file *m, void *unused)
{
	struct xenvif *vif = m->private;
	const struct xenvif_hash *hash;
	struct xenvif_ring_view view;

	xenvif_ctrl_view(vif->ctrl, &view);
	xenvif_show_ring(m, "ctrl", &view);

	rcu_read_lock();
	hash = rcu_dereference(vif->hash);
	if (hash)
		xenvif_show_hash(m, hash);
	rcu_read_unlock();
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(xenvif_ctrl);

/**
 * xenvif_debugfs_add() - show a connection
 * @vif: the vif
 * @queues: its queues, which run
 *
 * Context: process, under the backend's lock.
 */
void xenvif_debugfs_add(struct xenvif *vif, struct xenvif_queues *queues)
{
	char name[IFNAMSIZ + 8];
	u32 i;

	/* By the guest's number: the interface may be renamed. */
	snprintf(name, sizeof(name), "vif%u.%u", vif->domid, vif->handle);
	vif->debugfs = debugfs_create_dir(name, xenvif_debugfs_root);
	for (i = 0; i < queues->n; i++) {
		snprintf(name, sizeof(name), "io_ring_q%u", i);
		debugfs_create_file(name, 0600, vif->debugfs, queues->queue[i],
				    &xenvif_queue_fops);
	}
	if (vif->ctrl)
		debugfs_create_file("ctrl", 0400, vif->debugfs, vif, &xenvif_ctrl_fops);
}

/**
 * xenvif_debugfs_del() - show a connection no more
 * @vif: the vif; nothing happens if nothing is shown
 *
 * Nobody reads a file when this returns.
 *
 * Context: process, under the backend's lock.
 */
void xenvif_debugfs_del(struct xenvif *vif)
{
	debugfs_remove(vif->debugfs);
	vif->debugfs = NULL;
}

/**
 * xenvif_debugfs_init() - make the directory of all vifs
 *
 * Context: process.
 */
void xenvif_debugfs_init(void)
{
	xenvif_debugfs_root = debugfs_create_dir("xen-netback", NULL);
}

/**
 * xenvif_debugfs_exit() - remove it
 *
 * Context: process; no vif is left.
 */
void xenvif_debugfs_exit(void)
{
	debugfs_remove(xenvif_debugfs_root);
}
