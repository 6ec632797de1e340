// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xenbus.c with a xenstore that a frontend and a toolstack write what they like
 * into: which numbers are numbers, what refuses a connection, what is logged, and
 * the walk of states.
 */

#include "test.h"

#include "common.h"

#define BACK	"backend/vif/5/0"
#define FRONT	"device/vif/0"
#define ERRORS	"error/backend/vif"

static struct xenbus_device xdev;
static struct net_device netdev;
static struct xenvif vif;

/* What the other files were asked to do. */
static struct {
	u32 n_created;
	u32 n_connects;
	u32 n_connected;
	u32 n_disconnects;
	u32 n_rates;
	bool connected;
	int fail_create;
	int fail_connect;
	struct kobj_uevent_env early;
	u32 n_queues;
	u64 bytes, usecs;
	struct xenvif_frontend frontend;
	struct xenvif_queue_config config[XENVIF_QUEUES_MAX];
} seen;

struct xenvif *xenvif_create(struct xenbus_device *dev, u32 handle)
{
	/* udev may ask before there is an interface. */
	memset(&seen.early, 0, sizeof(seen.early));
	assert_int_equal(sim_xs.driver->uevent(dev, &seen.early), 0);
	if (seen.fail_create)
		return ERR_PTR(seen.fail_create);

	snprintf(netdev.name, sizeof(netdev.name), "vif%d.%u", dev->otherend_id, handle);
	vif.dev = &netdev;
	vif.xdev = dev;
	vif.handle = handle;
	vif.log_limit.left = 10;
	vif.params = (struct xenvif_params){
		.max_queues = 4,
		.split_channels = true,
		.xdp_headroom = true,
	};
	vif.offered_queues = vif.params.max_queues;
	seen.n_created++;
	return &vif;
}

void xenvif_destroy(struct xenvif *what)
{
	assert_ptr_equal(what, &vif);
	assert_false(seen.connected);
	seen.n_created--;
}

int xenvif_connect(struct xenvif *what, const struct xenvif_frontend *frontend,
		   const struct xenvif_queue_config *config, u32 n_queues)
{
	assert_ptr_equal(what, &vif);
	assert_false(seen.connected);
	seen.n_connects++;
	if (seen.fail_connect)
		return seen.fail_connect;
	assert_in_range(n_queues, 1, 4);
	seen.frontend = *frontend;
	seen.n_queues = n_queues;
	memcpy(seen.config, config, n_queues * sizeof(*config));
	vif.xdp_headroom = frontend->xdp_headroom;
	vif.mcast_control = frontend->mcast_control;
	vif.flags = 0;
	seen.n_connected++;
	seen.connected = true;
	return 0;
}

void xenvif_disconnect(struct xenvif *what)
{
	assert_ptr_equal(what, &vif);
	seen.n_disconnects += seen.connected;
	seen.connected = false;
}

int xenvif_set_rate(struct xenvif *what, u64 bytes, u64 usecs)
{
	assert_ptr_equal(what, &vif);
	seen.n_rates++;
	seen.bytes = bytes;
	seen.usecs = usecs;
	return 0;
}

/* Up and down. */

static void front(const char *key, const char *value)
{
	sim_xs_write(FRONT, key, value);
}

static void good_queue(const char *dir)
{
	sim_xs_write(dir, "tx-ring-ref", "8");
	sim_xs_write(dir, "rx-ring-ref", "9");
	sim_xs_write(dir, "event-channel-tx", "10");
	sim_xs_write(dir, "event-channel-rx", "11");
}

static int setup(void **state)
{
	UNUSED(state);
	sim_reset();
	sim_xs_reset();
	memset(&seen, 0, sizeof(seen));
	memset(&vif, 0, sizeof(vif));
	xdev = (struct xenbus_device){
		.nodename = BACK, .otherend = FRONT, .otherend_id = 5,
	};
	sim_xs_write(BACK, "state", "1");
	sim_xs_write(BACK, "online", "1");
	sim_xs_write(BACK, "script", "/etc/xen/scripts/vif-bridge");
	sim_xs_write(BACK, "handle", "0");
	sim_xs_write(BACK, "mac", "00:16:3e:00:00:01");
	front("request-rx-copy", "1");
	front("feature-rx-notify", "1");
	front("feature-sg", "1");
	good_queue(FRONT);
	assert_int_equal(xenvif_xenbus_init(), 0);
	assert_int_equal(sim_xs.driver->probe(&xdev, sim_xs.driver->ids), 0);
	assert_int_equal(xdev.state, XenbusStateInitWait);
	return 0;
}

static int teardown(void **state)
{
	UNUSED(state);
	if (dev_get_drvdata(&xdev.dev))
		sim_xs.driver->remove(&xdev);
	assert_int_equal(sim_xs.n_module, 0);
	assert_int_equal(sim_xs.n_watches, 0);
	assert_int_equal(seen.n_created, 0);
	assert_false(seen.connected);
	xenvif_xenbus_exit();
	assert_int_equal(sim_xs.n_queues, 0);
	sim_xs_reset();
	sim_reset();
	return 0;
}

/* What others see is what the driver takes for seen. */
static void assert_shown(void)
{
	const char *text = sim_xs_get(BACK, "state");

	if (text && !sim_xs.fail_write)
		assert_int_equal(atoi(text), xdev.state);
}

static void follow(enum xenbus_state state)
{
	sim_xs.driver->otherend_changed(&xdev, state);
	assert_shown();
}

/* Refuses with a line in the log and an error node; and then is as good as new. */
static void assert_refused(void)
{
	u32 logged = sim.n_log, connected = seen.n_connected;

	sim_advance(11 * NSEC_PER_SEC);
	vif.log_limit.left = 10;
	sim_xs_write("error/" BACK, "error", NULL);
	follow(XenbusStateConnected);
	assert_int_equal(xdev.state, XenbusStateClosing);
	assert_int_equal(seen.n_connected, connected);
	assert_int_equal(sim.n_log, logged + 1);
	assert_non_null(sim_xs_get("error/" BACK, "error"));
	follow(XenbusStateClosed);
	assert_int_equal(xdev.state, XenbusStateClosed);
	follow(XenbusStateInitialising);
	assert_int_equal(xdev.state, XenbusStateInitWait);
}

static void assert_accepted(void)
{
	u32 connected = seen.n_connected;

	follow(XenbusStateConnected);
	assert_int_equal(seen.n_connected, connected + 1);
	assert_true(seen.connected);
	follow(XenbusStateClosing);
	follow(XenbusStateClosed);
	assert_false(seen.connected);
	follow(XenbusStateInitialising);
	assert_int_equal(xdev.state, XenbusStateInitWait);
}

static void test_offers(void **state)
{
	UNUSED(state);
	assert_string_equal(sim_xs_get(BACK, "feature-sg"), "1");
	assert_string_equal(sim_xs_get(BACK, "feature-rx-copy"), "1");
	assert_string_equal(sim_xs_get(BACK, "feature-split-event-channels"), "1");
	assert_string_equal(sim_xs_get(BACK, "multi-queue-max-queues"), "4");
	assert_int_equal(xdev.dev.kobj.n_online, 1);
	assert_accepted();
	assert_int_equal(seen.config[0].tx_ref, 8);
	assert_int_equal(seen.config[0].rx_port, 11);
	assert_true(seen.frontend.sg);
	assert_true(seen.frontend.ip_csum);
	assert_false(seen.frontend.ctrl.present);
}

/* What is not digits, or too many of them, is no number, in any key. */
static void test_numbers(void **state)
{
	static const char *const numbers[] = {
		"request-rx-copy", "feature-rx-notify", "feature-sg", "feature-gso-tcpv4",
		"feature-gso-tcpv6", "feature-no-csum-offload", "feature-ipv6-csum-offload",
		"request-multicast-control", "xdp-headroom", "multi-queue-num-queues",
		"tx-ring-ref", "rx-ring-ref", "event-channel-tx", "event-channel-rx",
	};
	static const char *const bad[] = {
		"", " ", "abc", " 5", "5 ", "0x10", "5abc", "-1", "+1", "1\n", "1.0", "1e3",
		"4294967296", "4294967297", "18446744073709551616", "18446744073709551617",
		"9999999999999999999999999999999999999999", "\xD9\xA1",
	};
	const char *was;
	u32 i, j;

	UNUSED(state);
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		was = sim_xs_get(FRONT, numbers[i]);
		was = was ? strdup(was) : NULL;
		for (j = 0; j < ARRAY_SIZE(bad); j++) {
			front(numbers[i], bad[j]);
			assert_refused();
		}
		front(numbers[i], was);
		free((void *)was);
		assert_accepted();
	}
	/* Zeros in front are digits. */
	front("tx-ring-ref", "0000000008");
	assert_accepted();
	front("tx-ring-ref", "4294967295");
	assert_accepted();
	assert_int_equal(seen.config[0].tx_ref, 0xFFFFFFFF);
}

static void test_n_queues(void **state)
{
	static const char *const bad[] = { "0", "5", "65", "256", "65535", "65537", "4294967295" };
	u32 i;

	UNUSED(state);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		front("multi-queue-num-queues", bad[i]);
		assert_refused();
	}
	front("multi-queue-num-queues", "1");
	assert_accepted();
	/* Any that is missing is all that are. */
	front("multi-queue-num-queues", "4");
	assert_refused();
	good_queue(FRONT "/queue-0");
	good_queue(FRONT "/queue-1");
	good_queue(FRONT "/queue-3");
	assert_refused();
	good_queue(FRONT "/queue-2");
	assert_accepted();
	assert_int_equal(seen.n_queues, 4);
	sim_xs_write(FRONT "/queue-3", "rx-ring-ref", NULL);
	assert_refused();
	/* More than were offered, and all of them there. */
	good_queue(FRONT "/queue-3");
	good_queue(FRONT "/queue-4");
	front("multi-queue-num-queues", "5");
	assert_refused();
}

/* One channel for both directions. */
static void test_shared_channel(void **state)
{
	UNUSED(state);
	front("event-channel-tx", NULL);
	front("event-channel-rx", NULL);
	assert_refused();
	front("event-channel", "12");
	assert_accepted();
	assert_int_equal(seen.config[0].tx_port, 12);
	assert_int_equal(seen.config[0].rx_port, 12);
	front("event-channel-tx", "10");
	assert_refused();
}

static void test_ctrl_ring(void **state)
{
	UNUSED(state);
	front("ctrl-ring-ref", "x");
	front("event-channel-ctrl", "21");
	assert_refused();
	front("ctrl-ring-ref", "20");
	front("event-channel-ctrl", NULL);
	assert_refused();
	front("event-channel-ctrl", "x");
	assert_refused();
	front("event-channel-ctrl", "21");
	assert_accepted();
	assert_true(seen.frontend.ctrl.present);
	assert_int_equal(seen.frontend.ctrl.ref, 20);
	assert_int_equal(seen.frontend.ctrl.port, 21);
}

/* Headroom is bounded at the connection and whenever it is changed. */
static void test_headroom(void **state)
{
	static const char *const bad[] = { "257", "4095", "4096", "32767", "65535", "-1" };
	u32 i;

	UNUSED(state);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		front("xdp-headroom", bad[i]);
		assert_refused();
	}
	front("xdp-headroom", "256");
	assert_accepted();
	follow(XenbusStateConnected);
	assert_int_equal(vif.xdp_headroom, 256);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		front("xdp-headroom", bad[i]);
		follow(XenbusStateReconfiguring);
		assert_int_equal(xdev.state, XenbusStateReconfigured);
		follow(XenbusStateConnected);
		assert_int_equal(vif.xdp_headroom, 256);
	}
	front("xdp-headroom", "0");
	follow(XenbusStateReconfiguring);
	assert_int_equal(vif.xdp_headroom, 0);
}

/* Where the administrator has none, the frontend need not know. */
static void test_no_headroom(void **state)
{
	UNUSED(state);
	vif.params.xdp_headroom = false;
	front("xdp-headroom", "257");
	assert_refused();
	front("xdp-headroom", "100");
	follow(XenbusStateConnected);
	assert_true(seen.connected);
	assert_int_equal(seen.frontend.xdp_headroom, 0);
	front("xdp-headroom", "50");
	follow(XenbusStateReconfiguring);
	assert_int_equal(xdev.state, XenbusStateReconfigured);
	assert_int_equal(vif.xdp_headroom, 0);
}

/* What the frontend can do is what is said of it, and nothing else is. */
static void test_features(void **state)
{
	static const struct {
		const char *key;
		bool sg;
		struct xenvif_frontend is;
	} feature[] = {
		{ "feature-rx-notify", false, { .ip_csum = true, .rx_notify = true } },
		{ "feature-sg", false, { .ip_csum = true, .sg = true } },
		{ "feature-gso-tcpv4", true, { .ip_csum = true, .sg = true, .gso_tcpv4 = true } },
		{ "feature-gso-tcpv6", true, { .ip_csum = true, .sg = true, .gso_tcpv6 = true } },
		/* A packet to be segmented does not fit one slot. */
		{ "feature-gso-tcpv4", false, { .ip_csum = true } },
		{ "feature-gso-tcpv6", false, { .ip_csum = true } },
		{ "feature-no-csum-offload", false, { 0 } },
		{ "feature-ipv6-csum-offload", false, { .ip_csum = true, .ipv6_csum = true } },
		{ "request-multicast-control", false, { .ip_csum = true, .mcast_control = true } },
	};
	u32 i;

	UNUSED(state);
	front("feature-rx-notify", NULL);
	for (i = 0; i < ARRAY_SIZE(feature); i++) {
		const struct xenvif_frontend *is = &seen.frontend, *must = &feature[i].is;

		front("feature-sg", feature[i].sg ? "1" : NULL);
		front(feature[i].key, "1");
		assert_accepted();
		front(feature[i].key, NULL);
		assert_int_equal(is->sg, must->sg);
		assert_int_equal(is->gso_tcpv4, must->gso_tcpv4);
		assert_int_equal(is->gso_tcpv6, must->gso_tcpv6);
		assert_int_equal(is->ip_csum, must->ip_csum);
		assert_int_equal(is->ipv6_csum, must->ipv6_csum);
		assert_int_equal(is->rx_notify, must->rx_notify);
		assert_int_equal(is->mcast_control, must->mcast_control);
	}
}

static void test_mandatory(void **state)
{
	UNUSED(state);
	front("request-rx-copy", "0");
	assert_refused();
	front("request-rx-copy", NULL);
	assert_refused();
	front("request-rx-copy", "1");
	sim_xs_write(BACK, "mac", "00:16:3e:00:00:0");
	assert_refused();
	sim_xs_write(BACK, "mac", "00:16:3e:00:00:011");
	assert_refused();
	sim_xs_write(BACK, "mac", NULL);
	assert_refused();
	sim_xs_write(BACK, "mac", "00:16:3e:00:00:01");
	assert_accepted();
	/* What the guest writes of that in its own directory does not count. */
	front("mac", "xx");
	front("rate", "1,1");
	front("online", "0");
	assert_accepted();
	assert_int_equal(seen.n_rates, 0);
}

/* Keys that are changed while it is connected change nothing. */
static void test_changed_later(void **state)
{
	UNUSED(state);
	follow(XenbusStateConnected);
	front("tx-ring-ref", "77");
	front("feature-sg", "0");
	front("multi-queue-num-queues", "4");
	follow(XenbusStateConnected);
	assert_int_equal(seen.n_connects, 1);
	assert_int_equal(seen.config[0].tx_ref, 8);
}

/* Written, and what comes of it. */
static void write_back(const char *key, const char *value)
{
	sim_xs_write(BACK, key, value);
	sim_xs_event(BACK, key);
	sim_xs_handle();
}

static void write_front(const char *key, const char *value)
{
	front(key, value);
	sim_xs_event(FRONT, key);
	sim_xs_handle();
}

static void test_watches(void **state)
{
	static const char *const others[] = { "state", "feature-sg", "rates", "x-rate", "hotplug",
					      "hotplug-status/x" };
	u32 i, reads;

	UNUSED(state);
	assert_int_equal(sim_xs.n_watches, 1);
	follow(XenbusStateConnected);
	assert_int_equal(sim_xs.n_watches, 2);
	/* One that waits is enough for either key, and both are looked at. */
	assert_int_equal(sim_xs_event(BACK, "rate"), 1);
	assert_int_equal(sim_xs_event(BACK, "rate"), 0);
	assert_int_equal(sim_xs_event(BACK, "hotplug-status"), 0);
	sim_xs_write(BACK, "rate", "3,4");
	sim_xs_write(BACK, "hotplug-status", "connected");
	sim_xs_handle();
	assert_int_equal(seen.bytes, 3);
	assert_int_equal(xdev.state, XenbusStateConnected);
	/* What is not looked for costs nothing. */
	reads = sim_xs.n_reads;
	for (i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_equal(sim_xs_event(BACK, others[i]), 0);
	assert_int_equal(sim_xs_event(BACK, "rate"), 1);
	sim_xs_handle();
	assert_int_equal(sim_xs.n_reads, reads + 1);
	/* All of it may have changed. */
	sim_xs_write(BACK, "rate", NULL);
	assert_int_equal(sim_xs_event(BACK, ""), 1);
	sim_xs_handle();
	assert_int_equal(seen.bytes, 0);
}

static void test_watch_mcast(void **state)
{
	UNUSED(state);
	/* What it wants is read when it connects, and not before. */
	write_front("request-multicast-control", "1");
	assert_false(vif.mcast_control);
	front("request-multicast-control", NULL);
	follow(XenbusStateConnected);
	front("request-multicast-control", "1");
	assert_int_equal(sim_xs_event(FRONT, "request-multicast-control"), 1);
	assert_int_equal(sim_xs_event(FRONT, "request-multicast-control"), 0);
	sim_xs_handle();
	assert_true(vif.mcast_control);
	/* The rings are in use: there is no filter, and the wish is no other one. */
	vif.mcast_control = false;
	write_front("request-multicast-control", "7");
	assert_false(vif.mcast_control);
	write_front("request-multicast-control", "0");
	write_front("request-multicast-control", "1");
	assert_true(vif.mcast_control);
	write_front("request-multicast-control", "2x");
	assert_true(vif.mcast_control);
	write_front("request-multicast-control", NULL);
	assert_false(vif.mcast_control);
}

static void test_rate(void **state)
{
	static const char *const bad[] = { "", ",", "1", "1,", ",1", "a,b", "1,2,3", "0,1", "1,0",
					   "-1,1", "1, 2", "18446744073709551616,1" };
	u32 i, logged;

	UNUSED(state);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		vif.log_limit.left = 10;
		logged = sim.n_log;
		write_back("rate", bad[i]);
		assert_int_equal(seen.n_rates, 0);
		assert_int_equal(sim.n_log, logged + 1);
	}
	/* One that cannot be read is not one that is gone. */
	vif.log_limit.left = 10;
	logged = sim.n_log;
	sim.fail_alloc_in = 1;
	write_back("rate", "10000000,50000");
	sim.fail_alloc_in = 0;
	assert_int_equal(seen.n_rates, 0);
	assert_int_equal(sim.n_log, logged + 1);

	write_back("rate", "10000000,50000");
	assert_int_equal(seen.bytes, 10000000);
	assert_int_equal(seen.usecs, 50000);
	write_back("rate", NULL);
	assert_int_equal(seen.bytes, 0);
}

/* The script's word decides when the frontend is told, not when data move. */
static void test_hotplug(void **state)
{
	UNUSED(state);
	follow(XenbusStateConnected);
	assert_true(seen.connected);
	assert_int_equal(xdev.state, XenbusStateInitWait);
	write_back("hotplug-status", "error");
	assert_int_equal(xdev.state, XenbusStateInitWait);
	assert_int_equal(sim.n_log, 0);
	/* What cannot be read is told, and is there the next time. */
	sim.fail_alloc_in = 1;
	write_back("hotplug-status", "connected");
	assert_int_equal(xdev.state, XenbusStateInitWait);
	assert_int_equal(sim.n_log, 1);
	write_back("hotplug-status", "connected");
	assert_int_equal(xdev.state, XenbusStateConnected);
	write_back("hotplug-status", "connected");
	assert_int_equal(sim_xs.n_states, 2);
	assert_int_equal(sim.n_log, 1);
}

/* A frontend that reconfigures waits for the answer without an end: the script does not
 * take it away.
 */
static void test_hotplug_reconfigured(void **state)
{
	UNUSED(state);
	follow(XenbusStateConnected);
	assert_int_equal(xdev.state, XenbusStateInitWait);
	follow(XenbusStateReconfiguring);
	assert_int_equal(xdev.state, XenbusStateReconfigured);
	write_back("hotplug-status", "connected");
	assert_int_equal(xdev.state, XenbusStateReconfigured);
	/* It may write the key after its state. */
	front("xdp-headroom", "100");
	follow(XenbusStateConnected);
	assert_int_equal(xdev.state, XenbusStateConnected);
	assert_int_equal(vif.xdp_headroom, 100);
}

/* Or it is done before the script is: it is not Reconfigured any more, and is shown
 * Connected when the script says so.
 */
static void test_hotplug_late(void **state)
{
	UNUSED(state);
	follow(XenbusStateConnected);
	follow(XenbusStateReconfiguring);
	assert_int_equal(xdev.state, XenbusStateReconfigured);
	follow(XenbusStateConnected);
	assert_int_equal(xdev.state, XenbusStateInitWait);
	assert_true(seen.connected);
	write_back("hotplug-status", "connected");
	assert_int_equal(xdev.state, XenbusStateConnected);
}

/* However fast a frontend writes states that there are not, or keys that are no
 * good, the log has its bound; and connections that fail are soon refused unseen.
 */
static void test_quiet(void **state)
{
	u32 i, connects, reads;

	UNUSED(state);
	for (i = 0; i < 3000; i++)
		follow(i % 90 + 9);
	follow(-1);
	assert_int_equal(sim.n_log, 10);
	assert_int_equal(xdev.state, XenbusStateInitWait);

	seen.fail_connect = -ENOSPC;
	for (i = 0; i < 1000; i++) {
		follow(XenbusStateConnected);
		follow(XenbusStateClosed);
		follow(XenbusStateInitialising);
	}
	assert_int_equal(sim.n_log, 10);
	assert_int_equal(seen.n_connects, 5);
	reads = sim_xs.n_reads;
	follow(XenbusStateConnected);
	/* The one before Closing is written. */
	assert_int_equal(sim_xs.n_reads, reads + 1);

	/* Who waits may try again, and who succeeds is not held up. */
	seen.fail_connect = 0;
	sim_advance(11 * NSEC_PER_SEC);
	connects = seen.n_connects;
	for (i = 0; i < 100; i++) {
		follow(XenbusStateConnected);
		assert_true(seen.connected);
		follow(XenbusStateClosed);
		follow(XenbusStateInitialising);
	}
	assert_int_equal(seen.n_connects, connects + 100);
}

/* Any walk of the frontend's ends where it should, with one connection at a time. */
static void test_walk(void **state)
{
	u32 i, n;

	UNUSED(state);
	for (i = 0; i < 20000; i++) {
		enum xenbus_state to = random_in(1, 7);

		if (!(i % 100))
			vif.log_limit.left = 10;
		n = random_in(0, 9);
		seen.fail_connect = n ? 0 : -ENOMEM;
		sim_advance(3 * NSEC_PER_SEC);
		follow(to);
		assert_int_equal(seen.n_connected - seen.n_disconnects, seen.connected);
		switch (to) {
		case XenbusStateInitialising:
			assert_int_equal(xdev.state, XenbusStateInitWait);
			assert_false(seen.connected);
			break;
		case XenbusStateConnected:
		case XenbusStateReconfiguring:
			if (!seen.fail_connect)
				assert_true(seen.connected);
			else if (!seen.connected)
				assert_int_equal(xdev.state, XenbusStateClosing);
			break;
		case XenbusStateClosing:
		case XenbusStateClosed:
			assert_false(seen.connected);
			break;
		default:
			break;
		}
	}
	assert_int_equal(xdev.dev.n_unregistered, 0);
}

static void show_again(void)
{
	struct delayed_work *work = sim_delayed;

	assert_non_null(work);
	assert_true(work->work.queued);
	sim_delayed = NULL;
	work->work.queued = false;
	work->work.function(&work->work);
}

/* A state that cannot be written for want of memory is written all the same; one that
 * cannot be written at all is told, and written with what comes next.
 */
static void test_state_fails(void **state)
{
	u32 logged = sim.n_log, begun;

	UNUSED(state);
	sim_xs.fail_write = -ENOMEM;
	sim_xs.fail_write_in = 1;
	sim_xs_write(BACK, "hotplug-status", "connected");
	follow(XenbusStateConnected);
	sim_xs.fail_write = 0;
	assert_shown();
	assert_int_equal(xdev.state, XenbusStateConnected);
	assert_int_equal(sim.n_log, logged);

	/* Not for ever. */
	begun = sim_xs.n_begun;
	sim_xs.fail_begin = -ENOMEM;
	sim_xs.fail_write = -ENOMEM;
	follow(XenbusStateClosed);
	assert_in_range(sim_xs.n_tried, 2, 10);
	assert_int_equal(sim_xs.n_begun, begun);
	assert_int_equal(sim.n_log, logged + 2);
	assert_false(seen.connected);
	sim_xs.fail_begin = 0;
	sim_xs.fail_write = 0;
	follow(XenbusStateInitialising);
	assert_int_equal(xdev.state, XenbusStateInitWait);

	/* Connected is shown when the frontend's state is looked at again. */
	sim_xs.fail_begin = -ENOSPC;
	sim_xs.fail_write = -ENOSPC;
	follow(XenbusStateConnected);
	assert_true(seen.connected);
	assert_int_equal(xdev.state, XenbusStateInitWait);
	assert_true(sim.n_log > logged + 2);
	sim_xs.fail_begin = 0;
	sim_xs.fail_write = 0;
	follow(XenbusStateConnected);
	assert_int_equal(xdev.state, XenbusStateConnected);

	/* A frontend that waits does nothing: in a while it is tried again, and again. */
	vif.log_limit.left = 10;
	sim_xs.fail_begin = -ENOSPC;
	sim_xs.fail_write = -ENOSPC;
	follow(XenbusStateReconfiguring);
	show_again();
	assert_int_equal(xdev.state, XenbusStateConnected);
	sim_xs.fail_begin = 0;
	sim_xs.fail_write = 0;
	/* It waits for Reconfigured, and for nothing else: the script changes nothing. */
	begun = sim_xs.n_begun;
	write_back("hotplug-status", "connected");
	assert_int_equal(sim_xs.n_begun, begun);
	show_again();
	assert_int_equal(xdev.state, XenbusStateReconfigured);
	assert_shown();
	assert_null(sim_delayed);
}

/* Only who has gone for good, or whose keys are gone, is let go. */
static void test_gone(void **state)
{
	UNUSED(state);
	follow(XenbusStateConnected);
	follow(XenbusStateClosed);
	assert_int_equal(xdev.dev.n_unregistered, 0);
	/* That nothing is known is no reason. */
	sim.fail_alloc_in = 1;
	follow(XenbusStateClosed);
	assert_int_equal(sim.fail_alloc_in, 0);
	assert_int_equal(xdev.dev.n_unregistered, 0);
	sim_xs_write(BACK, "online", "0");
	follow(XenbusStateClosed);
	assert_int_equal(xdev.dev.n_unregistered, 1);
	follow(XenbusStateUnknown);
	assert_int_equal(xdev.dev.n_unregistered, 2);
	/* Who unbinds waits for this, and is not waited for. */
	xdev.dev.locked = true;
	follow(XenbusStateUnknown);
	assert_int_equal(xdev.state, XenbusStateClosed);
	assert_int_equal(xdev.dev.n_unregistered, 2);
}

/* A broken ring is followed by Closing, once; an old word about it by nothing. */
static void test_fatal(void **state)
{
	UNUSED(state);
	xenvif_fatal_work(&vif.fatal_work);
	assert_int_equal(xdev.state, XenbusStateInitWait);
	follow(XenbusStateConnected);
	xenvif_fatal_work(&vif.fatal_work);
	assert_true(seen.connected);
	set_bit(XENVIF_FLAG_FATAL, &vif.flags);
	xenvif_fatal_work(&vif.fatal_work);
	assert_false(seen.connected);
	assert_int_equal(xdev.state, XenbusStateClosing);
	follow(XenbusStateClosed);
	follow(XenbusStateInitialising);
	assert_accepted();
}

/* Memory runs out at each place of a probe and of a connection. */
static void test_no_memory(void **state)
{
	u32 objects, n;

	UNUSED(state);
	front("multi-queue-num-queues", "2");
	good_queue(FRONT "/queue-0");
	good_queue(FRONT "/queue-1");
	objects = sim.n_objects;
	for (n = 1; !seen.connected; n++) {
		sim_advance(11 * NSEC_PER_SEC);
		vif.log_limit.left = 10;
		sim.fail_alloc_in = n;
		follow(XenbusStateConnected);
		sim.fail_alloc_in = 0;
		assert_int_equal(sim.n_objects, objects);
		if (!seen.connected) {
			assert_int_equal(xdev.state, XenbusStateClosing);
			follow(XenbusStateInitialising);
		}
		assert_true(n < 100);
	}
	assert_true(n > 15);

	sim_xs.driver->remove(&xdev);
	assert_int_equal(sim.n_objects, 0);
	for (n = 1;; n++) {
		sim.fail_alloc_in = n;
		if (!sim_xs.driver->probe(&xdev, sim_xs.driver->ids))
			break;
		assert_int_equal(sim.n_objects, 0);
		assert_int_equal(seen.n_created, 0);
		assert_int_equal(sim_xs.n_module, 0);
		assert_int_equal(sim_xs.n_watches, 0);
		assert_null(dev_get_drvdata(&xdev.dev));
	}
	sim.fail_alloc_in = 0;
	assert_true(n > 5);
}

/* A probe that fails, at whatever it asks of others, leaves nothing and says so. */
static void assert_probe_fails(int err, u32 says)
{
	u32 logged = sim.n_log;

	assert_int_equal(sim_xs.driver->probe(&xdev, sim_xs.driver->ids), err);
	assert_null(dev_get_drvdata(&xdev.dev));
	assert_int_equal(sim.n_objects, 0);
	assert_int_equal(sim_xs.n_module, 0);
	assert_int_equal(sim_xs.n_watches, 0);
	assert_int_equal(seen.n_created, 0);
	assert_int_equal(xdev.dev.kobj.n_online, 1);
	assert_int_equal(sim.n_log, logged + says);
}

static void test_probe_fails(void **state)
{
	u32 n;

	UNUSED(state);
	sim_xs.driver->remove(&xdev);
	seen.fail_create = -EEXIST;
	assert_probe_fails(-EEXIST, 1);
	seen.fail_create = 0;
	for (n = 1; n <= 12; n++) {
		sim_xs.fail_write_in = n;
		assert_probe_fails(-EIO, 1);
	}
	sim_xs.fail_begin = -ENOSPC;
	assert_probe_fails(-ENOSPC, 1);
	sim_xs.fail_begin = 0;
	/* Xenbus itself tells of that one. */
	sim_xs.fail_watch_in = 1;
	assert_probe_fails(-ENOSPC, 0);
	/* The toolstack has taken it away: nothing comes back by the attempt. */
	sim_xs_write(BACK, "state", NULL);
	sim_xs_write(BACK, "feature-sg", NULL);
	assert_probe_fails(-ENOENT, 0);
	assert_null(sim_xs_get(BACK, "feature-sg"));
	sim_xs_write(BACK, "state", "1");
	sim_xs_write(BACK, "handle", "0x0");
	assert_probe_fails(-EINVAL, 1);
	sim_xs_write(BACK, "handle", NULL);
	assert_probe_fails(-ENOENT, 1);
	sim_xs_write(BACK, "handle", "0");
	sim_xs_write(BACK, "script", NULL);
	assert_probe_fails(-ENOENT, 1);

	sim_xs_write(BACK, "script", "s");
	/* All that a probe writes has failed, but for its state. */
	sim_xs.fail_write_in = 14;
	assert_int_equal(sim_xs.driver->probe(&xdev, sim_xs.driver->ids), 0);
	assert_int_equal(sim_xs.fail_write_in, 1);
	sim_xs.fail_write_in = 0;
}

/* A domain has but so many watches: what can do without one does, and asks again when it
 * connects. Nor does a probe give a watch up: that would wait for xenwatch, which may wait
 * for the probe.
 */
static void test_few_watches(void **state)
{
	u32 logged = sim.n_log;

	UNUSED(state);
	assert_int_equal(sim_xs.n_given_up, 0);
	sim_xs.watches_max = 1;
	front("request-multicast-control", "1");
	follow(XenbusStateConnected);
	assert_true(vif.mcast_control);
	assert_int_equal(sim.n_log, logged + 1);
	write_front("request-multicast-control", "0");
	assert_true(vif.mcast_control);

	sim_xs.watches_max = 0;
	follow(XenbusStateClosed);
	follow(XenbusStateInitialising);
	follow(XenbusStateConnected);
	assert_false(vif.mcast_control);
	write_front("request-multicast-control", "1");
	assert_true(vif.mcast_control);
	assert_int_equal(sim.n_log, logged + 1);

	/* One is enough for a vif, however often it connects. */
	follow(XenbusStateClosed);
	follow(XenbusStateInitialising);
	follow(XenbusStateConnected);
	assert_int_equal(sim_xs.n_watches, 2);
}

/* What was told of a vif goes with it, and its domain's directory with the last. */
static void test_error_forgotten(void **state)
{
	UNUSED(state);
	front("request-rx-copy", "x");
	sim_xs_write(ERRORS, "5", "");
	sim_xs_write(ERRORS "/5/1", "error", "another vif's");
	sim_xs_write(ERRORS "/55/0", "error", "another domain's");
	assert_refused();
	sim_xs.n_again = 2;
	sim_xs.driver->remove(&xdev);
	assert_null(sim_xs_get("error/" BACK, "error"));
	assert_non_null(sim_xs_get(ERRORS "/5/1", "error"));
	assert_non_null(sim_xs_get(ERRORS, "5"));

	sim_xs_write(ERRORS "/5/1", "error", NULL);
	assert_int_equal(sim_xs.driver->probe(&xdev, sim_xs.driver->ids), 0);
	assert_refused();
	sim_xs.n_again = 2;
	sim_xs.driver->remove(&xdev);
	assert_null(sim_xs_get(ERRORS, "5"));
	assert_non_null(sim_xs_get(ERRORS "/55/0", "error"));
}

static void test_init_fails(void **state)
{
	UNUSED(state);
	sim_xs.driver->remove(&xdev);
	xenvif_xenbus_exit();
	sim_xs.fail_queue = true;
	assert_int_equal(xenvif_xenbus_init(), -ENOMEM);
	sim_xs.fail_queue = false;
	sim_xs.fail_register = -EEXIST;
	assert_int_equal(xenvif_xenbus_init(), -EEXIST);
	assert_int_equal(sim_xs.n_queues, 0);
	sim_xs.fail_register = 0;
	assert_int_equal(xenvif_xenbus_init(), 0);
}

/* udev is told what there is, and nothing of what is gone. */
static void test_uevent(void **state)
{
	struct kobj_uevent_env env = { 0 };

	UNUSED(state);
	assert_int_equal(seen.early.n, 1);
	assert_string_equal(seen.early.var[0], "script=/etc/xen/scripts/vif-bridge");
	assert_int_equal(sim_xs.driver->uevent(&xdev, &env), 0);
	assert_int_equal(env.n, 2);
	assert_string_equal(env.var[0], "script=/etc/xen/scripts/vif-bridge");
	assert_string_equal(env.var[1], "vif=vif5.0");

	/* Room for one more, and for none. */
	env.n = ARRAY_SIZE(env.var) - 1;
	assert_int_equal(sim_xs.driver->uevent(&xdev, &env), -ENOMEM);
	assert_int_equal(sim_xs.driver->uevent(&xdev, &env), -ENOMEM);

	sim_xs.driver->remove(&xdev);
	env.n = 0;
	assert_int_equal(sim_xs.driver->uevent(&xdev, &env), 0);
	assert_int_equal(env.n, 0);
}

/* What the toolstack sees of what the administrator changes: all of it or nothing,
 * and not in a directory that is gone.
 */
static void test_publish(void **state)
{
	u32 begun, logged, n;

	UNUSED(state);
	sim_xs_write(BACK, "state", "4");
	vif.offered_queues = 2;
	xenvif_publish_work(&vif.publish_work);
	assert_string_equal(sim_xs_get(BACK, "multi-queue-max-queues"), "2");
	assert_null(sim_xs_get(BACK, "carrier"));
	vif.link_seen = true;
	xenvif_publish_work(&vif.publish_work);
	assert_string_equal(sim_xs_get(BACK, "carrier"), "0");
	netdev.running = true;
	xenvif_publish_work(&vif.publish_work);
	assert_string_equal(sim_xs_get(BACK, "carrier"), "1");

	/* Others write, too: begun anew until it ends well. */
	begun = sim_xs.n_begun;
	vif.offered_queues = 3;
	sim_xs.n_again = 3;
	xenvif_publish_work(&vif.publish_work);
	assert_int_equal(sim_xs.n_begun, begun + 4);
	assert_string_equal(sim_xs_get(BACK, "multi-queue-max-queues"), "3");

	/* No half of it. */
	logged = sim.n_log;
	netdev.running = false;
	vif.offered_queues = 4;
	for (n = 1; n <= 2; n++) {
		sim_xs.fail_write_in = n;
		xenvif_publish_work(&vif.publish_work);
		assert_string_equal(sim_xs_get(BACK, "multi-queue-max-queues"), "3");
		assert_string_equal(sim_xs_get(BACK, "carrier"), "1");
		assert_int_equal(sim.n_log, logged + n);
		assert_int_equal(sim_xs.open, 0);
	}
	sim_xs.fail_begin = -ENOMEM;
	xenvif_publish_work(&vif.publish_work);
	assert_int_equal(sim.n_log, logged + 3);
	vif.log_limit.left = 0;
	xenvif_publish_work(&vif.publish_work);
	assert_int_equal(sim.n_log, logged + 3);
	sim_xs.fail_begin = 0;

	/* Gone: that is no error, and nothing comes back by this. */
	vif.log_limit.left = 10;
	sim_xs_write(BACK, "state", NULL);
	sim_xs_write(BACK, "carrier", NULL);
	xenvif_publish_work(&vif.publish_work);
	assert_null(sim_xs_get(BACK, "carrier"));
	assert_string_equal(sim_xs_get(BACK, "multi-queue-max-queues"), "3");
	assert_int_equal(sim.n_log, logged + 3);
	assert_int_equal(sim_xs.open, 0);
	netdev.running = false;
}

/* The next driver finds the frontend as it is. */
static void test_rebind(void **state)
{
	u32 switched;

	UNUSED(state);
	follow(XenbusStateConnected);
	switched = sim_xs.n_states;
	sim_xs.driver->remove(&xdev);
	assert_int_equal(sim_xs.n_states, switched);
	assert_false(seen.connected);
	assert_int_equal(sim_xs.driver->probe(&xdev, sim_xs.driver->ids), 0);
	follow(XenbusStateConnected);
	assert_true(seen.connected);
}

int main(void)
{
#define XENBUS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		XENBUS_TEST(test_offers),
		XENBUS_TEST(test_numbers),
		XENBUS_TEST(test_n_queues),
		XENBUS_TEST(test_shared_channel),
		XENBUS_TEST(test_ctrl_ring),
		XENBUS_TEST(test_headroom),
		XENBUS_TEST(test_no_headroom),
		XENBUS_TEST(test_features),
		XENBUS_TEST(test_mandatory),
		XENBUS_TEST(test_changed_later),
		XENBUS_TEST(test_watches),
		XENBUS_TEST(test_watch_mcast),
		XENBUS_TEST(test_rate),
		XENBUS_TEST(test_hotplug),
		XENBUS_TEST(test_hotplug_reconfigured),
		XENBUS_TEST(test_hotplug_late),
		XENBUS_TEST(test_quiet),
		XENBUS_TEST(test_walk),
		XENBUS_TEST(test_state_fails),
		XENBUS_TEST(test_gone),
		XENBUS_TEST(test_fatal),
		XENBUS_TEST(test_no_memory),
		XENBUS_TEST(test_probe_fails),
		XENBUS_TEST(test_few_watches),
		XENBUS_TEST(test_error_forgotten),
		XENBUS_TEST(test_init_fails),
		XENBUS_TEST(test_uevent),
		XENBUS_TEST(test_publish),
		XENBUS_TEST(test_rebind),
	};

	return cmocka_run_group_tests_name("xenbus", tests, NULL, NULL);
}
