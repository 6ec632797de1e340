// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xvf - a Xen network frontend in user space, for tests
 *
 *   xvf list [feature|hostile|flood]
 *                                  cases: id, title
 *   xvf run ID [HANDLE]            in a guest, on its vif HANDLE (0)
 *   xvf random SEED SECONDS [HANDLE]
 *   xvf flood ID [QUEUES]          one thing without end, until SIGTERM; then how often
 *   xvf peer DEVICE                in dom0, on the vif's netdev
 *   xvf xdp DEVICE pass|drop       an XDP program, while this one runs
 *
 * XVF_LIE=status|content|id|state|ctrl|stat|dead has the program see what is not so:
 * a case that looks at that must fail.
 *
 * XVF_TIMES=N has cases that last, or do something often, do so N times as long.
 *
 * Exit status: 0 passed, 1 failed, 77 skipped, 2 could not run.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"

/* Seconds after which a case has failed that has not ended. */
#define CASE_TIMEOUT	100

static struct front front;
static bool ending;

static void end(int status)
{
	if (!ending) {
		ending = true;
		lie = LIE_NONE;
		front_end(&front);
	}
	fflush(stdout);
	_exit(status);
}

void note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

void fail(const char *fmt, ...)
{
	va_list args;

	printf(ending ? "FAIL: and then: " : "FAIL: ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	end(1);
	__builtin_unreachable();
}

void skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	end(77);
	__builtin_unreachable();
}

static void too_late(int sig)
{
	(void)sig;
	/* The ending has its own limits. */
	if (!ending)
		fail("not finished after %d s", times(CASE_TIMEOUT));
}

static void list(const struct test *t)
{
	for (; t->id; t++)
		printf("%s %s\n", t->id, t->title);
}

static const struct test *find(const char *id)
{
	const struct test *tables[] = { features, attacks_tx, attacks_rx, attacks_state,
					      attacks_race };

	for (int i = 0; i < 5; i++)
		for (const struct test *t = tables[i]; t->id; t++)
			if (!strcmp(t->id, id))
				return t;
	fprintf(stderr, "xvf: there is no case %s\n", id);
	exit(2);
}

static void set_lie(const char *text)
{
	static const char * const names[] = { "", "status", "content", "id", "state", "ctrl",
					      "stat", "dead" };

	for (int i = 1; text && i < 8; i++)
		if (!strcmp(text, names[i]))
			lie = i;
}

static void open_vif(const char *handle)
{
	set_lie(getenv("XVF_LIE"));
	xen_open();
	front_open(&front, handle ? atoi(handle) : 0);
	signal(SIGALRM, too_late);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (!strcmp(verb, "list")) {
		if (argc < 3 || !strcmp(argv[2], "feature"))
			list(features);
		if (argc < 3 || !strcmp(argv[2], "hostile"))
			list(attacks_tx), list(attacks_rx), list(attacks_state),
				list(attacks_race);
		if (argc > 2 && !strcmp(argv[2], "flood"))
			flood_list();
		return 0;
	}
	if (!strcmp(verb, "peer") && argc == 3)
		return peer_main(argv[2]);
	if (!strcmp(verb, "xdp") && argc == 4)
		return xdp_main(argv[2], argv[3]);
	if (!strcmp(verb, "run") && argc >= 3) {
		const struct test *t = find(argv[2]);

		open_vif(argv[3]);
		alarm(times(CASE_TIMEOUT));
		t->run(&front);
		alarm(0);
		end(0);
	}
	if (!strcmp(verb, "flood") && argc >= 3) {
		open_vif(NULL);
		flood_run(&front, argv[2], argc > 3 ? atoi(argv[3]) : 1);
		end(0);
	}
	if (!strcmp(verb, "random") && argc >= 4) {
		open_vif(argv[4]);
		random_walk(&front, strtoul(argv[2], NULL, 0), strtoul(argv[3], NULL, 0));
		end(0);
	}
	fprintf(stderr, "usage: xvf list [feature|hostile|flood] | run ID [HANDLE] | "
			"random SEED SECONDS [HANDLE] | flood ID [QUEUES] | peer DEVICE | "
			"xdp DEVICE pass|drop\n");
	return 2;
}
