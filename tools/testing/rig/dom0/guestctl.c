// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * dom0's end of the conversation with a guest's agent (see guest/frame.h).
 *
 *   guestctl run NAME SECONDS TEXT	run TEXT in the guest by bash
 *   guestctl wait NAME SECONDS [OLD]	until NAME's agent answers, from
 *					another domain than OLD if given
 *   guestctl gone NAME SECONDS		until no domain has that name
 *   guestctl domid NAME
 *   guestctl xswait PATH SECONDS [VALUE]	until xenstore's PATH has VALUE,
 *					or is absent if VALUE is not given
 *
 * Requests go to the guest's console; answers are read from xenconsoled's log
 * of it, so any number of calls can be under way.  Exit status of "run": that
 * of TEXT, 124 when the time is up, 125 when there is no such guest (any more).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>

#include "frame.h"

#define LOG_DIR		"/var/log/xen/console"
#define STATUS_TIME	124
#define STATUS_GONE	125

static struct xs_handle *xs;
static const char *name;
static double deadline;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "guestctl: %s: %s\n", name ? name : "?", what);
	exit(STATUS_GONE);
}

static char *read_node(int domid, const char *node)
{
	char path[128];
	unsigned int len;

	snprintf(path, sizeof(path), "/local/domain/%d/%s", domid, node);
	return xs_read(xs, XBT_NULL, path, &len);
}

/* The youngest domain of that name; -1 if there is none. */
static int find_domid(int not)
{
	unsigned int i, num = 0;
	char **ids = xs_directory(xs, XBT_NULL, "/local/domain", &num);
	int best = -1;

	for (i = 0; ids && i < num; i++) {
		int id = atoi(ids[i]);
		char *got = read_node(id, "name");

		if (got && !strcmp(got, name) && id > best && id != not)
			best = id;
		free(got);
	}
	free(ids);
	return best;
}

struct talk {
	char id[40];
	int domid;
	int tty, log, notify;
	unsigned long next;	/* the answer we wait for */
	unsigned long asked;	/* the last one we asked for again */
	char *buf;
	size_t used, size;
	char *text;		/* base64 of what to run */
	int status;		/* -1 until the end */
	int out;		/* pass stdout and stderr on */
};

/* One whole line at a time, whoever else talks to this guest. */
static void say(struct talk *t, const char *body)
{
	char path[128], *line;
	int lock, len;
	char *p;

	len = asprintf(&line, "\n%s %08x\n", body,
		       frame_crc(body, strlen(body)));
	snprintf(path, sizeof(path), "/run/rig/%s.lock", name);
	lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (len < 0 || lock < 0 || flock(lock, LOCK_EX))
		die("cannot lock the console");
	for (p = line; len;) {
		ssize_t n = write(t->tty, p, len);
		struct pollfd w = { t->tty, POLLOUT, 0 };

		if (n > 0) {
			p += n;
			len -= n;
		} else if (errno != EAGAIN && errno != EINTR) {
			break;	/* gone: noticed elsewhere */
		} else if (poll(&w, 1, 2000) <= 0) {
			break;	/* stuck (paused?): said again later */
		}
	}
	close(lock);
	free(line);
}

static void say_run(struct talk *t)
{
	char *body;

	if (asprintf(&body, "run %s %s", t->id, t->text) < 0)
		die("no memory");
	say(t, body);
	free(body);
}

static void say_send(struct talk *t)
{
	char body[96];

	snprintf(body, sizeof(body), "send %s %lu", t->id, t->next);
	say(t, body);
}

static void frame(struct talk *t, char *body, size_t len)
{
	char *crc, *save, *id, *word, *type, *b64, data[FRAME_MAX];
	unsigned long seq;
	long n;

	body[len] = '\0';
	crc = strrchr(body, ' ');
	if (!crc || len > FRAME_MAX ||
	    strtoul(crc + 1, NULL, 16) != frame_crc(body, crc - body))
		return;
	*crc = '\0';
	id = strtok_r(body, " ", &save);
	word = strtok_r(NULL, " ", &save);
	type = strtok_r(NULL, " ", &save);
	b64 = strtok_r(NULL, " ", &save);
	if (!b64 || strcmp(id, t->id))
		return;
	seq = strtoul(word, NULL, 10);
	if (seq > t->next && t->asked != t->next) {
		t->asked = t->next;
		say_send(t);
	}
	if (seq != t->next)
		return;
	t->next++;
	n = frame_decode(b64, strlen(b64), data);
	if (n < 0)
		die("an answer that cannot be");
	if (*type == 'x') {
		data[n] = '\0';
		t->status = atoi(data);
	} else if (t->out && n) {
		FILE *to = *type == 'e' ? stderr : stdout;

		fwrite(data, 1, n, to);
		fflush(to);
	}
}

static void hear(struct talk *t)
{
	char *head, *end;
	ssize_t n;

	for (;;) {
		if (t->size - t->used < 8192) {
			t->size = t->size * 2 + 16384;
			t->buf = realloc(t->buf, t->size);
			if (!t->buf)
				die("no memory");
		}
		n = read(t->log, t->buf + t->used, t->size - t->used - 1);
		if (n <= 0)
			break;
		t->used += n;
	}
	for (;;) {
		head = memmem(t->buf, t->used, FRAME_HEAD, strlen(FRAME_HEAD));
		if (!head) {
			/* a head may be cut in two by the end */
			size_t keep = t->used < 8 ? t->used : 8;

			memmove(t->buf, t->buf + t->used - keep, keep);
			t->used = keep;
			break;
		}
		t->used -= head - t->buf;
		memmove(t->buf, head, t->used);
		head = t->buf + strlen(FRAME_HEAD);
		end = memchr(head, '@', t->buf + t->used - head);
		if (!end && t->used < 4 * FRAME_MAX)
			break;
		if (end && end - head < FRAME_MAX) {
			char body[FRAME_MAX + 1];

			memcpy(body, head, end - head);
			frame(t, body, end - head);
		}
		/* after a damaged frame the '@' may be the next one's head */
		t->used -= head - t->buf;
		memmove(t->buf, head, t->used);
	}
}

static void hang_up(struct talk *t)
{
	if (t->tty >= 0)
		close(t->tty);
	if (t->log >= 0)
		close(t->log);
	if (t->notify >= 0)
		close(t->notify);
	free(t->buf);
	free(t->text);
}

/* Returns 0, or -1 if the guest has no console (yet). */
static int dial(struct talk *t, int domid, const char *text)
{
	char path[256], *tty;
	static int count;
	size_t len = strlen(text);

	memset(t, 0, sizeof(*t));
	t->tty = t->log = t->notify = -1;
	t->domid = domid;
	t->status = -1;
	t->asked = -1;
	snprintf(t->id, sizeof(t->id), "%d.%d.%ld", getpid(), count++,
		 (long)(now() * 1000) & 0xffffff);
	tty = read_node(domid, "console/tty");
	if (!tty)
		return -1;
	t->tty = open(tty, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	free(tty);
	snprintf(path, sizeof(path), LOG_DIR "/guest-%s.log", name);
	t->log = open(path, O_RDONLY | O_CLOEXEC);
	t->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (t->tty < 0 || t->log < 0 ||
	    inotify_add_watch(t->notify, path, IN_MODIFY) < 0) {
		hang_up(t);
		return -1;
	}
	lseek(t->log, 0, SEEK_END);
	t->text = malloc(len * 4 / 3 + 8);
	frame_encode(text, len, t->text);
	return 0;
}

/*
 * Returns 0 when the call ended, else STATUS_TIME or STATUS_GONE.  xenstore
 * tells when a domain goes; a request or an answer that the console lost is
 * asked for again after a while.
 */
static int converse(struct talk *t)
{
	double again, pause = 2;
	char junk[4096];

	say_run(t);
	again = now() + pause;
	while (t->status < 0) {
		struct pollfd p[2] = {
			{ t->notify, POLLIN, 0 }, { xs_fileno(xs), POLLIN, 0 },
		};
		double left = (again < deadline ? again : deadline) - now();
		unsigned long before = t->next;
		char **event;

		if (left > 0)
			poll(p, 2, left * 1000 + 1);
		while (read(t->notify, junk, sizeof(junk)) > 0)
			;
		hear(t);
		if (t->next != before) {
			pause = 2;
			again = now() + pause;
			continue;
		}
		if (p[1].revents) {
			char *got;

			while ((event = xs_check_watch(xs)))
				free(event);
			got = read_node(t->domid, "name");
			if (!got || strcmp(got, name)) {
				free(got);
				return STATUS_GONE;
			}
			free(got);
		}
		if (now() >= deadline)
			return STATUS_TIME;
		if (now() >= again) {
			if (!t->next)
				say_run(t);
			say_send(t);
			pause = pause < 8 ? pause * 2 : 10;
			again = now() + pause;
		}
	}
	snprintf(junk, sizeof(junk), "done %s", t->id);
	say(t, junk);
	return 0;
}

static int do_run(const char *text)
{
	struct talk t;
	int domid, end;

	if (strlen(text) > REQUEST_MAX / 2)
		die("a command that is too long");
	xs_watch(xs, "@releaseDomain", "gone");
	domid = find_domid(-1);
	if (domid < 0)
		die("no such guest");
	if (dial(&t, domid, text))
		die("it has no console: was it started by guest_start?");
	t.out = 1;
	end = converse(&t);
	if (end == STATUS_TIME)
		fprintf(stderr, "guestctl: %s: no end within the time: %.60s\n",
			name, text);
	else if (end == STATUS_GONE)
		fprintf(stderr, "guestctl: %s: the guest went away during: %.60s\n",
			name, text);
	return end ? end : t.status;
}

static int do_wait(int old)
{
	struct pollfd p = { xs_fileno(xs), POLLIN, 0 };
	struct talk t;
	int domid, end;
	char **event;

	/* Everything that happens to any domain: its name, its console. */
	xs_watch(xs, "/local/domain", "any");
	while (now() < deadline) {
		domid = find_domid(old);
		if (domid >= 0 && !dial(&t, domid, "true")) {
			end = converse(&t);
			hang_up(&t);
			if (!end)
				return 0;
			continue;
		}
		/* the log file appears a moment after the console's node */
		poll(&p, 1, domid >= 0 ? 100 : (deadline - now()) * 1000 + 1);
		while ((event = xs_check_watch(xs)))
			free(event);
	}
	fprintf(stderr, "guestctl: %s: not ready within the time\n", name);
	return STATUS_TIME;
}

static int do_gone(void)
{
	struct pollfd p = { xs_fileno(xs), POLLIN, 0 };
	char **event;

	xs_watch(xs, "/local/domain", "any");
	while (find_domid(-1) >= 0) {
		if (now() >= deadline) {
			fprintf(stderr, "guestctl: %s: still there\n", name);
			return STATUS_TIME;
		}
		poll(&p, 1, (deadline - now()) * 1000 + 1);
		while ((event = xs_check_watch(xs)))
			free(event);
	}
	return 0;
}

static int do_xswait(const char *path, const char *value)
{
	struct pollfd p = { xs_fileno(xs), POLLIN, 0 };
	char **event, *got;
	int same;

	xs_watch(xs, path, "it");
	for (;;) {
		got = xs_read(xs, XBT_NULL, path, NULL);
		same = got && value ? !strcmp(got, value) : !got && !value;
		if (same)
			return 0;
		if (now() >= deadline) {
			fprintf(stderr, "guestctl: %s is %s, not %s\n", path,
				got ? got : "absent", value ? value : "absent");
			return STATUS_TIME;
		}
		free(got);
		poll(&p, 1, (deadline - now()) * 1000 + 1);
		while ((event = xs_check_watch(xs)))
			free(event);
	}
}

static const char usage[] =
	"usage: guestctl run|wait|gone|domid|xswait NAME ...\n";

int main(int argc, char **argv)
{
	if (argc < 3) {
		fputs(usage, stderr);
		return 2;
	}
	name = argv[2];
	deadline = now() + (argc > 3 ? atof(argv[3]) : 0);
	xs = xs_open(0);
	if (!xs)
		die("no xenstore");
	if (!strcmp(argv[1], "domid")) {
		int domid = find_domid(-1);

		if (domid >= 0)
			printf("%d\n", domid);
		return domid < 0;
	}
	if (!strcmp(argv[1], "run") && argc == 5)
		return do_run(argv[4]);
	if (!strcmp(argv[1], "wait") && argc >= 4)
		return do_wait(argc > 4 ? atoi(argv[4]) : -1);
	if (!strcmp(argv[1], "gone") && argc == 4)
		return do_gone();
	if (!strcmp(argv[1], "xswait") && argc >= 4)
		return do_xswait(argv[2], argc > 4 ? argv[4] : NULL);
	fputs(usage, stderr);
	return 2;
}
