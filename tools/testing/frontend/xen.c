// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See xen.h. The devices are /dev/xen/xenbus, evtchn and gntalloc. */
#define _GNU_SOURCE
#include "xen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/evtchn.h>
#include <xen/gntalloc.h>
#include <xen/io/xs_wire.h>

/* Pages that one program may grant: gntalloc's own limit is too low for two queues. */
#define GRANT_LIMIT	"8192"

static int store = -1, events = -1, grants = -1;
static bool changed;
static uint32_t transaction;

void sys_die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

void xen_open(void)
{
	int limit = open("/sys/module/xen_gntalloc/parameters/limit", O_WRONLY);

	if (limit < 0 || write(limit, GRANT_LIMIT, strlen(GRANT_LIMIT)) < 0)
		sys_die("raising gntalloc's limit (is the module there?)");
	close(limit);
	store = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC);
	events = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	grants = open("/dev/xen/gntalloc", O_RDWR | O_CLOEXEC);
	if (store < 0 || events < 0 || grants < 0)
		sys_die("/dev/xen/{xenbus,evtchn,gntalloc}");
}

static void read_all(void *buf, size_t len)
{
	for (size_t got = 0; got < len;) {
		ssize_t n = read(store, (char *)buf + got, len - got);

		if (n <= 0)
			sys_die("reading from xenstore");
		got += n;
	}
}

/* One message of xenstore's; the body is the caller's to free. */
static char *read_msg(struct xsd_sockmsg *head)
{
	char *body;

	read_all(head, sizeof(*head));
	body = calloc(1, head->len + 1);
	read_all(body, head->len);
	return body;
}

static int errno_of(const char *name)
{
	static const struct { const char *name; int value; } known[] = {
		{ "ENOENT", ENOENT }, { "EACCES", EACCES }, { "EINVAL", EINVAL },
		{ "ENOSPC", ENOSPC }, { "EQUOTA", ENOSPC }, { "E2BIG", E2BIG },
		{ "EEXIST", EEXIST }, { "EAGAIN", EAGAIN },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(name, known[i].name))
			return known[i].value;
	return EIO;
}

/* A request and its answer: the answer's body, or NULL and errno. */
static char *call(uint32_t type, const void *a, size_t a_len, const void *b, size_t b_len)
{
	char buf[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX];
	struct xsd_sockmsg head = { .type = type, .tx_id = transaction,
				    .len = a_len + b_len };
	char *body;

	if (sizeof(head) + a_len + b_len > sizeof(buf)) {
		errno = E2BIG;
		return NULL;
	}
	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), a, a_len);
	if (b_len)
		memcpy(buf + sizeof(head) + a_len, b, b_len);
	if (write(store, buf, sizeof(head) + a_len + b_len) < 0) {
		if (errno == E2BIG || errno == EINVAL)
			return NULL;
		sys_die("writing to xenstore");
	}

	for (;;) {
		body = read_msg(&head);
		if (head.type == XS_WATCH_EVENT) {
			changed = true;
			free(body);
			continue;
		}
		if (head.type != XS_ERROR)
			return body;
		errno = errno_of(body);
		free(body);
		return NULL;
	}
}

static int call_only(uint32_t type, const void *a, size_t a_len, const void *b, size_t b_len)
{
	char *body = call(type, a, a_len, b, b_len);

	if (!body)
		return errno;
	free(body);
	return 0;
}

char *xs_get(const char *path)
{
	return call(XS_READ, path, strlen(path) + 1, NULL, 0);
}

int xs_put(const char *path, const void *data, size_t len)
{
	return call_only(XS_WRITE, path, strlen(path) + 1, data, len);
}

int xs_putf(const char *path, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return xs_put(path, text, strlen(text));
}

int xs_rm(const char *path)
{
	return call_only(XS_RM, path, strlen(path) + 1, NULL, 0);
}

void xs_watch(const char *path)
{
	if (call_only(XS_WATCH, path, strlen(path) + 1, "x", 2))
		sys_die("watching xenstore");
}

uint32_t xs_begin(void)
{
	char *text = call(XS_TRANSACTION_START, "", 1, NULL, 0);
	uint32_t id = text ? strtoul(text, NULL, 10) : 0;

	free(text);
	return id;
}

void xs_within(uint32_t id)
{
	transaction = id;
}

void xs_again(void)
{
	close(store);
	store = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC);
	if (store < 0)
		sys_die("/dev/xen/xenbus");
}

bool xs_event(int ms)
{
	struct pollfd p = { store, POLLIN, 0 };
	bool had = changed;

	changed = false;
	while (poll(&p, 1, had ? 0 : ms) > 0) {
		struct xsd_sockmsg head;

		free(read_msg(&head));
		had = true;
	}
	return had;
}

uint32_t port_new(uint16_t domid)
{
	struct ioctl_evtchn_bind_unbound_port arg = { .remote_domain = domid };
	int port = ioctl(events, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &arg);

	if (port < 0)
		sys_die("making an event channel");
	return port;
}

void port_free(uint32_t port)
{
	struct ioctl_evtchn_unbind arg = { .port = port };

	ioctl(events, IOCTL_EVTCHN_UNBIND, &arg);
}

int port_try_kick(uint32_t port)
{
	struct ioctl_evtchn_notify arg = { .port = port };

	return ioctl(events, IOCTL_EVTCHN_NOTIFY, &arg) ? errno : 0;
}

void port_kick(uint32_t port)
{
	if (port_try_kick(port))
		sys_die("raising an event");
}

uint32_t port_wait(int ms)
{
	struct pollfd p = { events, POLLIN, 0 };
	uint32_t port;

	if (poll(&p, 1, ms) <= 0 || read(events, &port, sizeof(port)) != sizeof(port))
		return 0;
	/* It is masked until we say that we have seen it. */
	if (write(events, &port, sizeof(port)) != sizeof(port))
		sys_die("unmasking an event channel");
	return port;
}

static void page_one(struct page *page, bool writable, uint16_t domid)
{
	struct ioctl_gntalloc_alloc_gref arg = {
		.domid = domid,
		.flags = writable ? GNTALLOC_FLAG_WRITABLE : 0,
		.count = 1,
	};

	if (ioctl(grants, IOCTL_GNTALLOC_ALLOC_GREF, &arg))
		sys_die("granting a page");
	page->gref = arg.gref_ids[0];
	page->index = arg.index;
	page->va = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, grants, arg.index);
	if (page->va == MAP_FAILED)
		sys_die("mapping a page that was granted");
	memset(page->va, 0, PAGE);
}

/* One by one: so that one alone can be taken back. */
void page_new(struct page *page, int n, bool writable, uint16_t domid)
{
	for (int i = 0; i < n; i++)
		page_one(&page[i], writable, domid);
}

void page_free(struct page *page, int n)
{
	for (int i = 0; i < n; i++) {
		struct ioctl_gntalloc_dealloc_gref arg = {
			.index = page[i].index,
			.count = 1,
		};

		if (!page[i].va)
			continue;
		munmap(page[i].va, PAGE);
		if (ioctl(grants, IOCTL_GNTALLOC_DEALLOC_GREF, &arg))
			sys_die("taking a grant back");
		page[i].va = NULL;
	}
}
