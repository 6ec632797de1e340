// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What each domain's processors have done, to the nanosecond.
 *
 *   domcpu				a line "DOMID NS" for each domain
 *   domcpu [-u N] [-w FILE]... OUT JOB...
 *					run the jobs at once; print a line
 *					"cpu DOMID NS" for each domain with what
 *					it used meanwhile, and "wall NS"
 *
 * With -w also a line "moved FILE N" for each counter that FILE holds: how much
 * it grew from the time when all of them were under way (had grown by N, 1 MiB if
 * it is not given) until the first job was done, so while all ran; and "window NS",
 * how long that was.
 *
 * A JOB is "ADDRESS=COMMAND", run by the xserve at that address, or
 * "=COMMAND", run here; its output goes to the file OUT.N.  The connections
 * are made and the shells are started before the first sample is taken, and
 * wait for it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <xenctrl.h>

#include "xserve.h"

#define MAX_DOMAINS	256
#define MAX_JOBS	64
#define MAX_WATCHED	16

/* Counters are looked at this often, in ms. */
#define WATCH_EVERY	50

struct sample {
	uint64_t ns;
	int n;
	xc_domaininfo_t dom[MAX_DOMAINS];
};

struct watched {
	const char *path;
	uint64_t first, begin, end;
};

static xc_interface *xc;
static struct watched watched[MAX_WATCHED];
static int n_watched;
static uint64_t under_way = 1 << 20;
static uint64_t window_begin, window_end;

static void die(const char *what)
{
	fprintf(stderr, "domcpu: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void take(struct sample *s)
{
	s->n = xc_domain_getinfolist(xc, 0, MAX_DOMAINS, s->dom);
	if (s->n < 0)
		die("xc_domain_getinfolist");
	s->ns = clock_ns();
}

static int local(const char *command)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		die("socketpair");
	xserve_run(pair[1], command);
	close(pair[1]);
	return pair[0];
}

static int remote(const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(XSERVE_PORT) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || !inet_aton(address, &in.sin_addr))
		die(address);
	if (connect(fd, (struct sockaddr *)&in, sizeof(in)))
		die(address);
	return fd;
}

static uint64_t counter(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		die(path);
	close(fd);
	return strtoull(text, NULL, 10);
}

/* Looks at all counters; whether they are under way. */
static int watch(int begun)
{
	uint64_t now[MAX_WATCHED];
	int i, slow = 0;

	for (i = 0; i < n_watched; i++) {
		now[i] = counter(watched[i].path);
		slow |= now[i] < watched[i].first + under_way;
	}
	if (slow)
		return 0;
	for (i = 0; i < n_watched; i++) {
		if (!begun)
			watched[i].begin = now[i];
		watched[i].end = now[i];
	}
	window_end = clock_ns();
	if (!begun)
		window_begin = window_end;
	return 1;
}

static void watch_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+u:w:")) != -1) {
		if (option == 'u') {
			under_way = strtoull(optarg, NULL, 10);
			continue;
		}
		if (option != 'w' || n_watched == MAX_WATCHED)
			exit(2);
		watched[n_watched].path = optarg;
		watched[n_watched].first = counter(optarg);
		n_watched++;
	}
}

/* Starts the jobs; each waits for a line then. */
static void start(int n, const char *prefix, char **jobs, struct pollfd *p, int *out)
{
	char *cut, ready;
	int i;

	for (i = 0; i < n; i++) {
		char *job = jobs[i], path[256];

		cut = strchr(job, '=');
		if (!cut) {
			fprintf(stderr, "domcpu: what is %s?\n", job);
			exit(2);
		}
		*cut = '\0';
		if (*job) {
			p[i].fd = remote(job);
			dprintf(p[i].fd, "%s\n", cut + 1);
		} else {
			p[i].fd = local(cut + 1);
		}
		p[i].events = POLLIN;
		/* it says when it is ready to go */
		if (read(p[i].fd, &ready, 1) != 1)
			die("a job that did not start");
		snprintf(path, sizeof(path), "%s.%d", prefix, i);
		out[i] = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (out[i] < 0)
			die(path);
	}
}

int main(int argc, char **argv)
{
	static struct sample before, after;
	struct pollfd p[MAX_JOBS];
	int out[MAX_JOBS];
	int i, j, left, n, begun = 0;
	char buf[65536];
	ssize_t got;

	watch_options(argc, argv);
	argc -= optind - 1;
	argv += optind - 1;
	n = argc - 2;

	xc = xc_interface_open(NULL, NULL, 0);
	if (!xc)
		die("xc_interface_open");
	if (argc < 3) {
		take(&before);
		for (i = 0; i < before.n; i++)
			printf("%u %llu\n", before.dom[i].domain,
			       (unsigned long long)before.dom[i].cpu_time);
		return 0;
	}
	if (n > MAX_JOBS)
		return 2;
	start(n, argv[1], argv + 2, p, out);
	usleep(20000);
	take(&before);
	for (i = 0; i < n; i++)
		if (write(p[i].fd, "\n", 1) != 1)
			die("a job that went away");
	for (left = n; left;) {
		if (poll(p, n, n_watched && left == n ? WATCH_EVERY : -1) < 0)
			die("poll");
		/* a job that is done closes its end, and speaks before that */
		if (n_watched && left == n)
			begun = watch(begun);
		for (i = 0; i < n; i++) {
			if (p[i].fd < 0 || !p[i].revents)
				continue;
			got = read(p[i].fd, buf, sizeof(buf));
			if (got > 0) {
				if (write(out[i], buf, got) != got)
					die("write");
				continue;
			}
			p[i].fd = -1;
			left--;
		}
	}
	take(&after);
	for (i = 0; i < after.n; i++)
		for (j = 0; j < before.n; j++)
			if (after.dom[i].domain == before.dom[j].domain)
				printf("cpu %u %llu\n", after.dom[i].domain,
				       (unsigned long long)
				       (after.dom[i].cpu_time -
					before.dom[j].cpu_time));
	printf("wall %llu\n", (unsigned long long)(after.ns - before.ns));
	if (n_watched)
		printf("window %llu\n", (unsigned long long)(window_end - window_begin));
	for (i = 0; i < n_watched; i++)
		printf("moved %s %llu\n", watched[i].path,
		       (unsigned long long)(watched[i].end - watched[i].begin));
	return 0;
}
