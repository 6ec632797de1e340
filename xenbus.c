// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The control plane: xenstore keys, and the walk of states with the frontend.
 *
 * Keys, their meaning and their defaults are those of xen/interface/io/netif.h;
 * the states are xen/interface/io/xenbus.h's. Our states and the ways between:
 *
 *   Initialising -> InitWait -> Connected
 *                      |  ^         |
 *                      |  |         |
 *                      v  +-------+ v
 *                   Closing <---- | +
 *                      |          |
 *                      v          |
 *                    Closed ------+
 *
 * The shortest way is walked, and each step shown to the frontend. Data move as
 * soon as the frontend is Connected, but our own state says so only when the
 * hotplug script has put the interface where it belongs. Reconfigured stands for
 * Connected while the frontend is Reconfiguring.
 *
 * What the frontend writes is read once, by xenvif_read_*(), and checked there.
 */

#include "common.h"

#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

/* Connects that may fail in an interval before the next ones are refused unseen. */
#define XENVIF_FAILED_BURST	5
#define XENVIF_FAILED_INTERVAL	(10 * HZ)

/* How often writing a state is tried while there is no memory; and how long after any
 * failure it is tried again, in jiffies.
 */
#define XENVIF_SHOW_TRIES	3
#define XENVIF_SHOW_AGAIN	HZ

/**
 * struct xenvif_backend - the control plane's side of a vif
 * @xdev: the xenbus device
 * @vif: the data plane's side
 * @lock: guards the rest, and orders connect and disconnect
 * @state: where we are, whether or not it has been shown; Initialising to Closed
 * @shown: what the frontend has been shown of it, or was to be
 * @unshown: whether it could not be written, and the frontend does not see it yet
 * @show_work: tries that again
 * @script: the hotplug script, for udev
 * @watch: on the vif's directory, where the toolstack and the script write
 * @changed: XENVIF_CHANGED_*: what of it was written and not looked at yet
 * @n_failed: connects that failed since @failed_since
 * @failed_since: when the first of them did, in jiffies
 * @mcast_watch: on the frontend's wish for a multicast filter, once it was connected
 * @mcast: that wish, as it was read last
 */
struct xenvif_backend {
	struct xenbus_device *xdev;
	struct xenvif *vif;
	struct mutex lock; /* state, shown; connect and disconnect */
	enum xenbus_state state;
	enum xenbus_state shown;
	bool unshown;
	struct delayed_work show_work;
	const char *script;
	struct xenbus_watch watch;
	unsigned long changed;
	u32 n_failed;
	unsigned long failed_since;
	struct xenbus_watch mcast_watch;
	bool mcast;
};

/* Bits of xenvif_backend.changed. HOTPLUG: the script's word that it has done its work.
 * RATE: the rate limit.
 */
#define XENVIF_CHANGED_HOTPLUG	0
#define XENVIF_CHANGED_RATE	1

/* A driver domain may have some ten transactions at a time. With one at a time it has
 * enough, whatever its guests do to all of their vifs at once.
 */
static DEFINE_MUTEX(xenvif_transaction_lock);

/* Publishes for one vif after the other: they would wait for that lock. */
static struct workqueue_struct *xenvif_publish_queue;

/* Orders xenvif_uevent() and the end of a vif. */
static DEFINE_MUTEX(xenvif_uevent_lock);

/* Tell about an error, in the log and in xenstore, where the toolstack looks.
 * Within the vif's share: a guest can make any number of them.
 */
static __printf(3, 4) void
xenvif_xenbus_error(struct xenvif_backend *be, int err, const char *fmt, ...)
{
	struct va_format vaf;
	char path[64];
	va_list args;

	if (!__ratelimit(&be->vif->log_limit))
		return;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	netdev_err(be->vif->dev, "%pV: %pe\n", &vaf, ERR_PTR(err));
	snprintf(path, sizeof(path), "error/%s", be->xdev->nodename);
	xenbus_printf(XBT_NIL, path, "error", "%d %pV", -err, &vaf);
	va_end(args);
}

/* A decimal number and nothing else. Returns -ENOENT if there is no such key. */
static int xenvif_read_u32(const char *dir, const char *key, u32 *value)
{
	char *text = xenbus_read(XBT_NIL, dir, key, NULL);
	int err;

	if (IS_ERR(text))
		return PTR_ERR(text);
	/* kstrto would take a sign and an end of line, too. */
	err = text[strspn(text, "0123456789")] ? -EINVAL : kstrtou32(text, 10, value);
	kfree(text);
	return err;
}

static int xenvif_read_u32_or(const char *dir, const char *key, u32 *value, u32 absent)
{
	int err = xenvif_read_u32(dir, key, value);

	if (err != -ENOENT)
		return err;
	*value = absent;
	return 0;
}

/* A key of ours that the frontend reads. */
struct xenvif_offer {
	const char *key;
	u32 value;
};

/* -ENOENT: the toolstack has taken the vif's directory away. What is written into it then
 * would bring it back.
 */
static int xenvif_find_dir(struct xenbus_transaction t, const struct xenvif *vif)
{
	char *state = xenbus_read(t, vif->xdev->nodename, "state", NULL);

	if (IS_ERR(state))
		return PTR_ERR(state);
	kfree(state);
	return 0;
}

static int xenvif_put_offers(struct xenbus_transaction t, const struct xenvif *vif)
{
	const struct xenvif_params *params = &vif->params;
	const struct xenvif_offer offers[] = {
		{ "feature-sg", 1 },
		{ "feature-gso-tcpv4", 1 },
		{ "feature-gso-tcpv6", 1 },
		{ "feature-ipv6-csum-offload", 1 },
		{ "feature-rx-copy", 1 },
		/* Page flipping is gone, but some frontends ask for the key. */
		{ "feature-rx-flip", 0 },
		{ "feature-xdp-headroom", params->xdp_headroom },
		{ "feature-multicast-control", 1 },
		{ "feature-dynamic-multicast-control", 1 },
		{ "feature-ctrl-ring", 1 },
		{ "feature-split-event-channels", params->split_channels },
		{ "multi-queue-max-queues", READ_ONCE(vif->offered_queues) },
	};
	int err = xenvif_find_dir(t, vif);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(offers) && !err; i++)
		err = xenbus_printf(t, vif->xdev->nodename, offers[i].key, "%u",
				    offers[i].value);
	return err;
}

/* What may have changed since. */
static int xenvif_put_changes(struct xenbus_transaction t, const struct xenvif *vif)
{
	const char *dir = vif->xdev->nodename;
	int err = xenvif_find_dir(t, vif);

	if (!err)
		err = xenbus_printf(t, dir, "multi-queue-max-queues", "%u",
				    READ_ONCE(vif->offered_queues));
	if (!err && READ_ONCE(vif->link_seen))
		err = xenbus_printf(t, dir, "carrier", "%u", netif_running(vif->dev));
	return err;
}

static int xenvif_put_state(struct xenbus_transaction t, const struct xenvif *vif)
{
	const struct xenvif_backend *be = dev_get_drvdata(&vif->xdev->dev);
	int err = xenvif_find_dir(t, vif);

	return err ? err : xenbus_printf(t, vif->xdev->nodename, "state", "%d", be->shown);
}

/* What was told of the vif; and the directory of its domain there, if nothing is left in
 * it: a driver domain may not have many nodes either, and each guest that restarts is
 * another domain.
 */
static int xenvif_rm_error(struct xenbus_transaction t, const struct xenvif *vif)
{
	unsigned int n_left;
	char path[64];
	char **left;
	int err;

	snprintf(path, sizeof(path), "error/%s", vif->xdev->nodename);
	err = xenbus_rm(t, path, "");
	if (err)
		return err;
	*strrchr(path, '/') = '\0';
	left = xenbus_directory(t, path, "", &n_left);
	if (IS_ERR(left))
		return PTR_ERR(left);
	kfree(left);
	return n_left ? 0 : xenbus_rm(t, path, "");
}

/* Do all of it or nothing. */
static int xenvif_transact(const struct xenvif *vif,
			   int (*body)(struct xenbus_transaction t, const struct xenvif *vif))
{
	struct xenbus_transaction t;
	int err;

	mutex_lock(&xenvif_transaction_lock);
	do {
		err = xenbus_transaction_start(&t);
		if (err)
			break;
		err = body(t, vif);
		if (err)
			xenbus_transaction_end(t, 1);
		else
			err = xenbus_transaction_end(t, 0);
	} while (err == -EAGAIN);
	mutex_unlock(&xenvif_transaction_lock);
	return err;
}

static int xenvif_write_offers(struct xenvif_backend *be)
{
	int err = xenvif_transact(be->vif, xenvif_put_offers);

	if (err && err != -ENOENT)
		xenbus_dev_fatal(be->xdev, err, "writing features");
	return err;
}

/* A control ring, if the frontend has one, and then all of it. */
static int xenvif_read_ctrl(struct xenvif_backend *be, struct xenvif_ctrl_config *config)
{
	const char *dir = be->xdev->otherend;
	const char *key = "ctrl-ring-ref";
	int err;

	config->present = false;
	err = xenvif_read_u32(dir, key, &config->ref);
	if (err == -ENOENT)
		return 0;
	if (!err) {
		key = "event-channel-ctrl";
		err = xenvif_read_u32(dir, key, &config->port);
	}
	if (err) {
		xenvif_xenbus_error(be, err, "reading %s/%s", dir, key);
		return err;
	}
	config->present = true;
	return 0;
}

/* What the frontend can take. Absent keys have the defaults of netif.h. */
static int xenvif_read_frontend(struct xenvif_backend *be,
				struct xenvif_frontend *frontend)
{
	u32 rx_copy, rx_notify, sg, gso4, gso6, no_csum, csum6, mcast, headroom;
	const struct {
		const char *key;
		u32 *value;
	} keys[] = {
		{ "request-rx-copy", &rx_copy },
		{ "feature-rx-notify", &rx_notify },
		{ "feature-sg", &sg },
		{ "feature-gso-tcpv4", &gso4 },
		{ "feature-gso-tcpv6", &gso6 },
		{ "feature-no-csum-offload", &no_csum },
		{ "feature-ipv6-csum-offload", &csum6 },
		{ "request-multicast-control", &mcast },
		{ "xdp-headroom", &headroom },
	};
	const char *dir = be->xdev->otherend;
	u32 i;
	int err;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		err = xenvif_read_u32_or(dir, keys[i].key, keys[i].value, 0);
		if (err) {
			xenvif_xenbus_error(be, err, "reading %s/%s", dir, keys[i].key);
			return err;
		}
	}
	if (!rx_copy) {
		err = -EOPNOTSUPP;
		xenvif_xenbus_error(be, err, "%s has no request-rx-copy", dir);
		return err;
	}
	if (headroom > XENVIF_XDP_HEADROOM_MAX) {
		err = -ERANGE;
		xenvif_xenbus_error(be, err, "%s/xdp-headroom is %u, valid are 0 - %u", dir,
				    headroom, XENVIF_XDP_HEADROOM_MAX);
		return err;
	}

	*frontend = (struct xenvif_frontend){
		.sg = sg,
		/* A packet to be segmented is one of many slots. */
		.gso_tcpv4 = gso4 && sg,
		.gso_tcpv6 = gso6 && sg,
		.ip_csum = !no_csum,
		.ipv6_csum = csum6,
		.rx_notify = rx_notify,
		.mcast_control = mcast,
		.xdp_headroom = be->vif->params.xdp_headroom ? headroom : 0,
	};
	return xenvif_read_ctrl(be, &frontend->ctrl);
}

static int xenvif_read_queue(struct xenvif_backend *be, const char *dir,
			     struct xenvif_queue_config *config)
{
	struct {
		const char *key;
		u32 *value;
	} keys[] = {
		{ "tx-ring-ref", &config->tx_ref },
		{ "rx-ring-ref", &config->rx_ref },
		{ "event-channel-tx", &config->tx_port },
		{ "event-channel-rx", &config->rx_port },
	};
	u32 i;
	int err;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		err = xenvif_read_u32(dir, keys[i].key, keys[i].value);
		/* One channel for both, then: whatever was offered. */
		if (err == -ENOENT && keys[i].value == &config->tx_port) {
			keys[i].key = "event-channel";
			err = xenvif_read_u32(dir, keys[i].key, &config->tx_port);
			config->rx_port = config->tx_port;
			if (!err)
				return 0;
		}
		if (err) {
			xenvif_xenbus_error(be, err, "reading %s/%s", dir, keys[i].key);
			return err;
		}
	}
	return 0;
}

static int xenvif_read_queues(struct xenvif_backend *be,
			      struct xenvif_queue_config *config, u32 n)
{
	const char *dir = be->xdev->otherend;
	char *queue_dir;
	u32 i;
	int err;

	/* One queue alone has its keys where they were before there were more. */
	if (n == 1)
		return xenvif_read_queue(be, dir, config);

	for (i = 0; i < n; i++) {
		queue_dir = kasprintf(GFP_KERNEL, "%s/queue-%u", dir, i);
		if (!queue_dir) {
			xenvif_xenbus_error(be, -ENOMEM, "reading %s/queue-%u", dir, i);
			return -ENOMEM;
		}
		err = xenvif_read_queue(be, queue_dir, &config[i]);
		kfree(queue_dir);
		if (err)
			return err;
	}
	return 0;
}

static int xenvif_check_mac(struct xenvif_backend *be)
{
	char *text = xenbus_read(XBT_NIL, be->xdev->nodename, "mac", NULL);
	int err = PTR_ERR_OR_ZERO(text);
	u8 mac[ETH_ALEN];

	if (!err) {
		if (!mac_pton(text, mac) || text[strlen("xx:xx:xx:xx:xx:xx")])
			err = -EINVAL;
		kfree(text);
	}
	if (err)
		xenvif_xenbus_error(be, err, "reading %s/mac", be->xdev->nodename);
	return err;
}

static int xenvif_try_connect(struct xenvif_backend *be)
{
	struct xenvif_queue_config *config;
	struct xenvif *vif = be->vif;
	struct xenvif_frontend frontend;
	u32 n_queues;
	int err;

	err = xenvif_check_mac(be);
	if (err)
		return err;
	err = xenvif_read_frontend(be, &frontend);
	if (err)
		return err;
	be->mcast = frontend.mcast_control;
	err = xenvif_read_u32_or(be->xdev->otherend, "multi-queue-num-queues", &n_queues, 1);
	if (!err && (!n_queues || n_queues > vif->params.max_queues))
		err = -ERANGE;
	if (err) {
		xenvif_xenbus_error(be, err, "%s/multi-queue-num-queues must be 1 - %u",
				    be->xdev->otherend, vif->params.max_queues);
		return err;
	}

	config = kcalloc(n_queues, sizeof(*config), GFP_KERNEL);
	if (!config) {
		xenvif_xenbus_error(be, -ENOMEM, "connecting %u queues", n_queues);
		return -ENOMEM;
	}
	err = xenvif_read_queues(be, config, n_queues);
	if (!err) {
		err = xenvif_connect(vif, &frontend, config, n_queues);
		if (err)
			xenvif_xenbus_error(be, err,
					    "mapping rings or binding channels of %u queues",
					    n_queues);
	}
	kfree(config);
	return err;
}

/* One event that waits is enough: the handler looks at what is there then. */
static bool xenvif_watch_will_handle(struct xenbus_watch *watch, const char *path,
				     const char *token)
{
	return !watch->nr_pending;
}

/* The filter of a connection may be off for the driver's own reasons, so only a wish that
 * has changed is heeded.
 */
static void xenvif_mcast_changed(struct xenbus_watch *watch, const char *path,
				 const char *token)
{
	struct xenvif_backend *be = container_of(watch, struct xenvif_backend, mcast_watch);
	const char *dir = be->xdev->otherend;
	u32 mcast;
	int err;

	mutex_lock(&be->lock);
	if (be->state == XenbusStateConnected) {
		err = xenvif_read_u32_or(dir, "request-multicast-control", &mcast, 0);
		if (err) {
			xenvif_xenbus_error(be, err, "reading %s/request-multicast-control",
					    dir);
		} else if (!!mcast != be->mcast) {
			be->mcast = mcast;
			WRITE_ONCE(be->vif->mcast_control, be->mcast);
		}
	}
	mutex_unlock(&be->lock);
}

/* Without this watch the vif can do all but hear of a frontend that changes its mind
 * while it is connected. So it is the last one to be asked for, of the few that a driver
 * domain may have; and not by probe, which would have to wait for xenwatch to give it up,
 * while xenwatch may wait for probe to let the device go.
 */
static void xenvif_watch_mcast(struct xenvif_backend *be)
{
	struct xenbus_watch *watch = &be->mcast_watch;
	int err = -ENOMEM;

	if (watch->node)
		return;
	watch->will_handle = xenvif_watch_will_handle;
	watch->callback = xenvif_mcast_changed;
	watch->node = kasprintf(GFP_KERNEL, "%s/request-multicast-control",
				be->xdev->otherend);
	if (watch->node)
		err = register_xenbus_watch(watch);
	if (!err)
		return;
	xenvif_warn(be->vif, "cannot watch request-multicast-control: %pe\n", ERR_PTR(err));
	kfree(watch->node);
	watch->node = NULL;
}

/* A frontend may try again as it likes, but each failure costs lines in the log,
 * some of them written by others: too many, and it has to wait.
 */
static int xenvif_backend_connect(struct xenvif_backend *be)
{
	int err;

	if (!be->n_failed || time_after(jiffies, be->failed_since + XENVIF_FAILED_INTERVAL)) {
		be->n_failed = 0;
		be->failed_since = jiffies;
	}
	if (be->n_failed >= XENVIF_FAILED_BURST)
		return -EBUSY;

	err = xenvif_try_connect(be);
	if (err)
		be->n_failed++;
	else
		xenvif_watch_mcast(be);
	return err;
}

/* Not by xenbus_switch_state(), which takes a state for written that it had no memory to
 * write, or writes another: a frontend that waits for this one would wait for ever.
 */
static void xenvif_show_state(struct xenvif_backend *be, enum xenbus_state state)
{
	u32 tries = XENVIF_SHOW_TRIES;
	int err;

	be->shown = state;
	do {
		err = xenvif_transact(be->vif, xenvif_put_state);
	} while (err == -ENOMEM && --tries);
	be->unshown = err;
	if (!err) {
		be->xdev->state = state;
		return;
	}
	/* There is nobody any more to show it to. */
	if (err == -ENOENT)
		return;
	xenvif_xenbus_error(be, err, "writing %s/state %d", be->xdev->nodename, state);
	queue_delayed_work(system_dfl_wq, &be->show_work, XENVIF_SHOW_AGAIN);
}

/* A frontend that waits for a state writes nothing that would have it looked at. */
static void xenvif_show_work(struct work_struct *work)
{
	struct xenvif_backend *be = container_of(to_delayed_work(work), struct xenvif_backend,
						 show_work);

	mutex_lock(&be->lock);
	if (be->unshown)
		xenvif_show_state(be, be->shown);
	mutex_unlock(&be->lock);
}

/* Connected is shown once the hotplug script is done. */
static void xenvif_show_connected(struct xenvif_backend *be)
{
	char *text;

	if (be->state != XenbusStateConnected ||
	    (be->shown == XenbusStateConnected && !be->unshown))
		return;

	text = xenbus_read(XBT_NIL, be->xdev->nodename, "hotplug-status", NULL);
	if (IS_ERR(text)) {
		/* Whoever waits for it to be shown shall know why it is not. */
		if (PTR_ERR(text) != -ENOENT)
			xenvif_xenbus_error(be, PTR_ERR(text), "reading %s/hotplug-status",
					    be->xdev->nodename);
		return;
	}
	if (!strcmp(text, "connected"))
		xenvif_show_state(be, XenbusStateConnected);
	kfree(text);
}

static enum xenbus_state xenvif_next_state(enum xenbus_state from, enum xenbus_state to)
{
	switch (from) {
	case XenbusStateInitWait:
		return to == XenbusStateConnected ? to : XenbusStateClosing;
	case XenbusStateConnected:
		return XenbusStateClosing;
	case XenbusStateClosing:
		return XenbusStateClosed;
	case XenbusStateClosed:
	default:
		return XenbusStateInitWait;
	}
}

/* Walk to a state, doing on the way what each step is about. */
static void xenvif_set_state(struct xenvif_backend *be, enum xenbus_state to)
{
	lockdep_assert_held(&be->lock);

	/* Closing is on the way to Closed, and not to be gone back to. */
	if (to == XenbusStateClosing && be->state == XenbusStateClosed)
		return;

	while (be->state != to) {
		enum xenbus_state from = be->state;

		be->state = xenvif_next_state(from, to);
		if (be->state == XenbusStateConnected) {
			if (!xenvif_backend_connect(be)) {
				xenvif_show_connected(be);
				continue;
			}
			/* The error is told; the frontend may begin anew. */
			to = XenbusStateClosing;
			be->state = to;
		} else if (from == XenbusStateConnected) {
			xenvif_disconnect(be->vif);
		}
		xenvif_show_state(be, be->state);
	}
}

/* The frontend wants other headroom in front of what it receives, from now on. */
static void xenvif_read_headroom(struct xenvif_backend *be)
{
	u32 headroom;
	int err;

	err = xenvif_read_u32_or(be->xdev->otherend, "xdp-headroom", &headroom, 0);
	if (!err && headroom > XENVIF_XDP_HEADROOM_MAX)
		err = -ERANGE;
	if (err)
		xenvif_xenbus_error(be, err, "%s/xdp-headroom must be 0 - %u",
				    be->xdev->otherend, XENVIF_XDP_HEADROOM_MAX);
	else if (be->vif->params.xdp_headroom)
		WRITE_ONCE(be->vif->xdp_headroom, headroom);
}

/* A driver that was bound meanwhile may find the frontend waiting for this. */
static void xenvif_reconfigure(struct xenvif_backend *be)
{
	xenvif_set_state(be, XenbusStateConnected);
	if (be->state != XenbusStateConnected)
		return;
	xenvif_read_headroom(be);
	xenvif_show_state(be, XenbusStateReconfigured);
}

/* The frontend is, or again is, at work. */
static void xenvif_follow_connected(struct xenvif_backend *be)
{
	/* It may have written the key only after it had changed its state. */
	if (be->shown == XenbusStateReconfigured)
		xenvif_read_headroom(be);
	xenvif_set_state(be, XenbusStateConnected);
	xenvif_show_connected(be);
	/* The script is not done yet (or that cannot be told): what is shown then. */
	if (be->shown == XenbusStateReconfigured)
		xenvif_show_state(be, XenbusStateInitWait);
}

/* Whether the toolstack wants the vif to stay. It does if that cannot be told. */
static bool xenvif_is_online(struct xenvif_backend *be)
{
	u32 online;
	int err = xenvif_read_u32(be->xdev->nodename, "online", &online);

	return err ? err != -ENOENT : online;
}

/* The frontend has changed its state. Returns whether the device shall go. */
static bool xenvif_follow(struct xenvif_backend *be, enum xenbus_state state)
{
	lockdep_assert_held(&be->lock);

	switch (state) {
	case XenbusStateInitialising:
		xenvif_set_state(be, XenbusStateInitWait);
		return false;
	case XenbusStateInitialised:
		return false;
	case XenbusStateConnected:
		xenvif_follow_connected(be);
		return false;
	case XenbusStateReconfiguring:
		xenvif_reconfigure(be);
		return false;
	case XenbusStateClosing:
		xenvif_set_state(be, XenbusStateClosing);
		return false;
	case XenbusStateClosed:
		xenvif_set_state(be, XenbusStateClosed);
		return !xenvif_is_online(be);
	case XenbusStateUnknown:
		/* The frontend's keys are gone. */
		xenvif_set_state(be, XenbusStateClosed);
		return true;
	default:
		xenvif_xenbus_error(be, -EINVAL, "frontend has state %d", state);
		return false;
	}
}

static void xenvif_frontend_changed(struct xenbus_device *xdev, enum xenbus_state state)
{
	struct xenvif_backend *be = dev_get_drvdata(&xdev->dev);
	bool gone;

	mutex_lock(&be->lock);
	gone = xenvif_follow(be, state);
	mutex_unlock(&be->lock);
	/* Who unbinds the driver has the device locked, and waits for this thread: he
	 * must not be waited for. The device goes with its directory then. So it does if
	 * he who has it locked binds the driver.
	 */
	if (gone && device_trylock(&xdev->dev)) {
		device_unlock(&xdev->dev);
		device_unregister(&xdev->dev);
	}
}

/**
 * xenvif_fatal_work() - take down a connection whose guest broke a ring
 * @work: the vif's
 *
 * The frontend sees Closing, and may begin anew.
 *
 * Context: work item; takes the backend's lock.
 */
void xenvif_fatal_work(struct work_struct *work)
{
	struct xenvif *vif = container_of(work, struct xenvif, fatal_work);
	struct xenvif_backend *be = dev_get_drvdata(&vif->xdev->dev);

	mutex_lock(&be->lock);
	if (be->state == XenbusStateConnected && xenvif_is_fatal(vif))
		xenvif_set_state(be, XenbusStateClosing);
	mutex_unlock(&be->lock);
}

/**
 * xenvif_publish_work() - write to xenstore what was changed under the RTNL
 * @work: the vif's
 *
 * Nobody who holds the RTNL waits for xenstore.
 *
 * Context: work item.
 */
void xenvif_publish_work(struct work_struct *work)
{
	struct xenvif *vif = container_of(work, struct xenvif, publish_work);
	int err = xenvif_transact(vif, xenvif_put_changes);

	if (err && err != -ENOENT)
		xenvif_warn(vif, "cannot write to xenstore: %pe\n", ERR_PTR(err));
}

/**
 * xenvif_publish() - have what was changed under the RTNL written to xenstore
 * @vif: the vif
 *
 * Context: any.
 */
void xenvif_publish(struct xenvif *vif)
{
	queue_work(xenvif_publish_queue, &vif->publish_work);
}

/* "BYTES,USECS": so many bytes every so many microseconds. */
static int xenvif_parse_rate(char *text, u64 *bytes, u64 *usecs)
{
	char *comma = strchr(text, ',');

	if (!comma || text[strspn(text, "0123456789,")])
		return -EINVAL;
	*comma = '\0';
	if (kstrtou64(text, 10, bytes) || kstrtou64(comma + 1, 10, usecs))
		return -EINVAL;
	return *bytes && *usecs ? 0 : -ERANGE;
}

static void xenvif_read_rate(struct xenvif_backend *be)
{
	char *text = xenbus_read(XBT_NIL, be->xdev->nodename, "rate", NULL);
	u64 bytes = 0, usecs = 0;
	int err = 0;

	if (!IS_ERR(text)) {
		err = xenvif_parse_rate(text, &bytes, &usecs);
		kfree(text);
	} else if (PTR_ERR(text) != -ENOENT) {
		err = PTR_ERR(text);
	}
	if (!err)
		err = xenvif_set_rate(be->vif, bytes, usecs);
	if (err)
		xenvif_xenbus_error(be, err, "%s/rate is not BYTES,USECS; limit unchanged",
				    be->xdev->nodename);
}

/* One watch for all of the vif's directory: a driver domain may not have many either.
 * Most that is written there is our own. Who comes with the directory's own name says
 * that it is there, or gone, with whatever is in it.
 */
static bool xenvif_dir_will_handle(struct xenbus_watch *watch, const char *path,
				   const char *token)
{
	struct xenvif_backend *be = container_of(watch, struct xenvif_backend, watch);
	bool all = !strcmp(path, watch->node);
	const char *key = strrchr(path, '/');
	bool hotplug = all || (key && !strcmp(key, "/hotplug-status"));
	bool rate = all || (key && !strcmp(key, "/rate"));

	if (hotplug)
		set_bit(XENVIF_CHANGED_HOTPLUG, &be->changed);
	if (rate)
		set_bit(XENVIF_CHANGED_RATE, &be->changed);
	/* Before nr_pending is read, which is less by one before the handler clears bits:
	 * if an event still counts there its handler finds these.
	 */
	smp_mb__after_atomic();
	return (hotplug || rate) && !watch->nr_pending;
}

static void xenvif_dir_changed(struct xenbus_watch *watch, const char *path,
			       const char *token)
{
	struct xenvif_backend *be = container_of(watch, struct xenvif_backend, watch);

	mutex_lock(&be->lock);
	if (test_and_clear_bit(XENVIF_CHANGED_RATE, &be->changed))
		xenvif_read_rate(be);
	/* A frontend that reconfigures waits to see that, and tells when it is done. */
	if (test_and_clear_bit(XENVIF_CHANGED_HOTPLUG, &be->changed) &&
	    be->shown != XenbusStateReconfigured)
		xenvif_show_connected(be);
	mutex_unlock(&be->lock);
}

static void xenvif_unwatch(struct xenbus_watch *watch)
{
	if (!watch->node)
		return;
	unregister_xenbus_watch(watch);
	kfree(watch->node);
	watch->node = NULL;
}

/* Whoever asks udev to look again calls xenvif_uevent() at any time. From here on
 * that does not find the vif, and does not look at it any more.
 */
static void xenvif_backend_hide(struct xenvif_backend *be)
{
	mutex_lock(&xenvif_uevent_lock);
	dev_set_drvdata(&be->xdev->dev, NULL);
	mutex_unlock(&xenvif_uevent_lock);
}

static void xenvif_backend_free(struct xenvif_backend *be)
{
	xenvif_backend_hide(be);
	kfree(be->script);
	kfree(be);
}

/* What the toolstack must have written before the device came to be. */
static struct xenvif_backend *xenvif_backend_alloc(struct xenbus_device *xdev)
{
	struct xenvif_backend *be = kzalloc(sizeof(*be), GFP_KERNEL);
	const char *key = "script";
	const char *script;
	u32 handle;
	int err;

	if (!be) {
		xenbus_dev_fatal(xdev, -ENOMEM, "allocating backend");
		return ERR_PTR(-ENOMEM);
	}
	be->xdev = xdev;
	be->state = XenbusStateInitialising;
	mutex_init(&be->lock);
	INIT_DELAYED_WORK(&be->show_work, xenvif_show_work);
	dev_set_drvdata(&xdev->dev, be);

	script = xenbus_read(XBT_NIL, xdev->nodename, key, NULL);
	err = PTR_ERR_OR_ZERO(script);
	if (err)
		goto bad_key;
	be->script = script;
	key = "handle";
	err = xenvif_read_u32(xdev->nodename, key, &handle);
	if (err)
		goto bad_key;

	be->vif = xenvif_create(xdev, handle);
	if (IS_ERR(be->vif)) {
		err = PTR_ERR(be->vif);
		xenbus_dev_fatal(xdev, err, "creating interface vif%d.%u",
				 xdev->otherend_id, handle);
		goto free;
	}
	return be;

bad_key:
	xenbus_dev_fatal(xdev, err, "reading %s/%s", xdev->nodename, key);
free:
	xenvif_backend_free(be);
	return ERR_PTR(err);
}

static int xenvif_probe(struct xenbus_device *xdev, const struct xenbus_device_id *id)
{
	struct xenvif_backend *be;
	int err;

	/* A vif keeps the module: without it the guest's network would be gone. */
	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	be = xenvif_backend_alloc(xdev);
	if (IS_ERR(be)) {
		err = PTR_ERR(be);
		goto put_module;
	}

	err = xenvif_write_offers(be);
	if (err)
		goto destroy;
	err = xenbus_watch_pathfmt(xdev, &be->watch, xenvif_dir_will_handle,
				   xenvif_dir_changed, "%s", xdev->nodename);
	if (err)
		goto destroy;

	/* The interface is there: whoever waits for one of these two may use it. */
	kobject_uevent(&xdev->dev.kobj, KOBJ_ONLINE);
	mutex_lock(&be->lock);
	xenvif_set_state(be, XenbusStateInitWait);
	mutex_unlock(&be->lock);
	pr_debug("%s created\n", xdev->nodename);
	return 0;

destroy:
	xenvif_backend_hide(be);
	xenvif_destroy(be->vif);
	xenvif_backend_free(be);
put_module:
	module_put(THIS_MODULE);
	return err;
}

static void xenvif_remove(struct xenbus_device *xdev)
{
	struct xenvif_backend *be = dev_get_drvdata(&xdev->dev);

	kobject_uevent(&xdev->dev.kobj, KOBJ_OFFLINE);
	xenvif_unwatch(&be->mcast_watch);
	xenvif_unwatch(&be->watch);

	/* No state is shown: a driver that is bound again finds the frontend as it
	 * is, connected, and goes on with its rings.
	 */
	mutex_lock(&be->lock);
	xenvif_disconnect(be->vif);
	be->state = XenbusStateClosed;
	mutex_unlock(&be->lock);
	cancel_work_sync(&be->vif->fatal_work);
	cancel_delayed_work_sync(&be->show_work);

	xenbus_rm(XBT_NIL, xdev->nodename, "hotplug-status");
	xenvif_transact(be->vif, xenvif_rm_error);
	xenvif_backend_hide(be);
	pr_debug("%s destroyed\n", xdev->nodename);
	xenvif_destroy(be->vif);
	xenvif_backend_free(be);
	module_put(THIS_MODULE);
}

/* For udev, which may be the one to run the hotplug script. */
static int xenvif_uevent(const struct xenbus_device *xdev, struct kobj_uevent_env *env)
{
	const struct xenvif_backend *be;
	int err = 0;

	mutex_lock(&xenvif_uevent_lock);
	be = dev_get_drvdata(&xdev->dev);
	if (be && be->script)
		err = add_uevent_var(env, "script=%s", be->script);
	if (be && !err && !IS_ERR_OR_NULL(be->vif))
		err = add_uevent_var(env, "vif=%s", be->vif->dev->name);
	mutex_unlock(&xenvif_uevent_lock);
	return err;
}

static const struct xenbus_device_id xenvif_ids[] = {
	{ "vif" },
	{ "" }
};

static struct xenbus_driver xenvif_driver = {
	.ids			= xenvif_ids,
	.probe			= xenvif_probe,
	.remove			= xenvif_remove,
	.uevent			= xenvif_uevent,
	.otherend_changed	= xenvif_frontend_changed,
	.allow_rebind		= true,
};

/**
 * xenvif_xenbus_init() - serve vifs from now on
 *
 * Context: process.
 * Return: 0 or an error.
 */
int xenvif_xenbus_init(void)
{
	int err;

	xenvif_publish_queue = alloc_ordered_workqueue("xen-netback", 0);
	if (!xenvif_publish_queue)
		return -ENOMEM;
	err = xenbus_register_backend(&xenvif_driver);
	if (err)
		destroy_workqueue(xenvif_publish_queue);
	return err;
}

/**
 * xenvif_xenbus_exit() - serve vifs no more
 *
 * Context: process; no vif is left, as each of them holds the module.
 */
void xenvif_xenbus_exit(void)
{
	xenbus_unregister_driver(&xenvif_driver);
	destroy_workqueue(xenvif_publish_queue);
}
