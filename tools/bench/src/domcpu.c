// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What each domain's processors have done, to the nanosecond.
 *
 *   domcpu				a line "DOMID NS" for each domain
 *   domcpu OUT JOB...			run the jobs at once; print a line
 *					"cpu DOMID NS" for each domain with what
 *					it used meanwhile, and "wall NS"
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

struct sample {
	uint64_t ns;
	int n;
	xc_domaininfo_t dom[MAX_DOMAINS];
};

static xc_interface *xc;

static void die(const char *what)
{
	fprintf(stderr, "domcpu: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void take(struct sample *s)
{
	struct timespec t;

	s->n = xc_domain_getinfolist(xc, 0, MAX_DOMAINS, s->dom);
	if (s->n < 0)
		die("xc_domain_getinfolist");
	clock_gettime(CLOCK_MONOTONIC, &t);
	s->ns = t.tv_sec * 1000000000ull + t.tv_nsec;
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

int main(int argc, char **argv)
{
	static struct sample before, after;
	struct pollfd p[MAX_JOBS];
	int out[MAX_JOBS];
	int i, j, left, n = argc - 2;
	char buf[65536], *cut;
	ssize_t got;

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
	for (i = 0; i < n; i++) {
		char *job = argv[i + 2], path[256];

		cut = strchr(job, '=');
		if (!cut) {
			fprintf(stderr, "domcpu: what is %s?\n", job);
			return 2;
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
		if (read(p[i].fd, buf, 1) != 1)
			die("a job that did not start");
		snprintf(path, sizeof(path), "%s.%d", argv[1], i);
		out[i] = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (out[i] < 0)
			die(path);
	}
	usleep(20000);
	take(&before);
	for (i = 0; i < n; i++)
		if (write(p[i].fd, "\n", 1) != 1)
			die("a job that went away");
	for (left = n; left;) {
		if (poll(p, n, -1) < 0)
			die("poll");
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
	return 0;
}
