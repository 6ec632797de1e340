// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The guest's process 1 once its init has set things up: runs what dom0's
 * guestctl asks for over the console (see frame.h), any number at a time.
 * Called as "poweroff", "halt" or "reboot" it does that and nothing else: the
 * kernel calls these on `xl shutdown` and `xl reboot`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "frame.h"

#define MAX_CALLS	64	/* running at once */
#define MAX_OLD		64	/* finished, kept until dom0 says "done" */

struct call {
	struct call *next;
	char id[40];
	pid_t pid;		/* 0 once reaped */
	int status;
	int fd[2];		/* stdout, stderr; -1 once closed */
	int ended;		/* the 'x' frame was made */
	char **frame;
	size_t frames;
};

static struct call *calls;
static int console;

static void put(const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(console, text, len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			if (errno == EAGAIN) {
				struct pollfd p = { console, POLLOUT, 0 };

				poll(&p, 1, -1);
				continue;
			}
			return;
		}
		text += n;
		len -= n;
	}
}

static void answer(struct call *c, char type, const void *data, size_t len)
{
	char text[FRAME_MAX], b64[FRAME_DATA * 4 / 3 + 8];
	int head, n;

	frame_encode(data, len, b64);
	head = snprintf(text, sizeof(text), "\n" FRAME_HEAD "%s %zu %c %s",
			c->id, c->frames, type, b64);
	n = head + snprintf(text + head, sizeof(text) - head, " %08x@\n",
			    frame_crc(text + 1 + strlen(FRAME_HEAD),
				      head - 1 - strlen(FRAME_HEAD)));
	c->frame = realloc(c->frame, (c->frames + 1) * sizeof(*c->frame));
	c->frame[c->frames++] = strdup(text);
	put(text, n);
}

static void finish(struct call *c)
{
	char text[16];
	int code;

	if (c->ended || c->pid || c->fd[0] >= 0 || c->fd[1] >= 0)
		return;
	code = WIFSIGNALED(c->status) ? 128 + WTERMSIG(c->status)
				      : WEXITSTATUS(c->status);
	c->ended = 1;
	answer(c, 'x', text, snprintf(text, sizeof(text), "%d", code));
}

static void forget(struct call **link)
{
	struct call *c = *link;
	size_t i;

	*link = c->next;
	for (i = 0; i < c->frames; i++)
		free(c->frame[i]);
	free(c->frame);
	free(c);
}

static struct call *find(const char *id)
{
	struct call *c;

	for (c = calls; c; c = c->next)
		if (!strcmp(c->id, id))
			return c;
	return NULL;
}

static void run(const char *id, const char *b64)
{
	struct call *c, **link;
	int out[2], err[2], kept = 0;
	char *text;
	long len;

	if (find(id) || strlen(id) >= sizeof(c->id))
		return;		/* asked for twice */
	text = malloc(strlen(b64) + 1);
	len = frame_decode(b64, strlen(b64), text);
	if (len < 0)
		goto out;
	text[len] = '\0';

	for (link = &calls; *link;) {
		if ((*link)->ended && ++kept > MAX_OLD)
			forget(link);
		else
			link = &(*link)->next;
	}
	c = calloc(1, sizeof(*c));
	strcpy(c->id, id);
	c->next = calls;
	calls = c;
	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		abort();
	c->fd[0] = out[0];
	c->fd[1] = err[0];
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	c->pid = fork();
	if (!c->pid) {
		int null = open("/dev/null", O_RDONLY);
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		setsid();
		dup2(null, 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		execl("/bin/bash", "bash", "-c", text, NULL);
		_exit(127);
	}
	if (c->pid < 0) {
		c->pid = 0;
		c->status = 126 << 8;
	}
	close(out[1]);
	close(err[1]);
out:
	free(text);
}

static void request(char *line)
{
	char *save, *word, *crc = strrchr(line, ' ');
	char *id, *arg;
	struct call **link, *c;
	size_t seq;

	if (!crc || strtoul(crc + 1, NULL, 16) != frame_crc(line, crc - line))
		return;		/* damaged: it will come again */
	*crc = '\0';
	word = strtok_r(line, " ", &save);
	id = strtok_r(NULL, " ", &save);
	arg = strtok_r(NULL, " ", &save);
	if (!word || !id)
		return;
	if (!strcmp(word, "run") && arg) {
		run(id, arg);
	} else if (!strcmp(word, "send") && arg) {
		c = find(id);
		seq = strtoul(arg, NULL, 10);
		for (; c && seq < c->frames; seq++)
			put(c->frame[seq], strlen(c->frame[seq]));
	} else if (!strcmp(word, "done")) {
		for (link = &calls; *link; link = &(*link)->next) {
			if (strcmp((*link)->id, id))
				continue;
			if ((*link)->ended)
				forget(link);
			break;
		}
	}
}

static void hear(void)
{
	static char buf[REQUEST_MAX];
	static size_t used;
	char *end;
	ssize_t n;

	n = read(console, buf + used, sizeof(buf) - 1 - used);
	if (n <= 0)
		return;
	used += n;
	buf[used] = '\0';
	while ((end = memchr(buf, '\n', used))) {
		*end = '\0';
		request(buf);
		used -= end + 1 - buf;
		memmove(buf, end + 1, used);
	}
	if (used == sizeof(buf) - 1)
		used = 0;
}

/* Returns 0 when there is nothing more to read just now. */
static int listen_to(struct call *c, int which)
{
	char data[FRAME_DATA];
	ssize_t n = read(c->fd[which], data, sizeof(data));

	if (n > 0) {
		answer(c, which ? 'e' : 'o', data, n);
		return 1;
	}
	if (!n || errno != EAGAIN) {
		close(c->fd[which]);
		c->fd[which] = -1;
	}
	return 0;
}

/*
 * A call ends when its shell does: what that left in the background may hold
 * on to the pipes, but is not waited for.
 */
static void hang_up(struct call *c)
{
	int i;

	for (i = 0; i < 2; i++)
		while (c->fd[i] >= 0)
			if (!listen_to(c, i)) {
				close(c->fd[i]);
				c->fd[i] = -1;
			}
}

static void reap(void)
{
	struct call *c;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (c = calls; c; c = c->next)
			if (c->pid == pid) {
				c->pid = 0;
				c->status = status;
				hang_up(c);
			}
}

static int child_pipe[2];

static void on_child(int sig)
{
	int saved = errno;

	(void)sig;
	if (write(child_pipe[1], "", 1) < 0)
		errno = saved;
	errno = saved;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	struct termios tio;
	struct call *c;
	char drain[64];

	(void)argc;
	name = name ? name + 1 : argv[0];
	if (!strcmp(name, "poweroff") || !strcmp(name, "halt"))
		return reboot(RB_POWER_OFF);
	if (!strcmp(name, "reboot"))
		return reboot(RB_AUTOBOOT);

	console = open("/dev/hvc0", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (console < 0 || pipe2(child_pipe, O_CLOEXEC | O_NONBLOCK))
		return 1;
	if (!tcgetattr(console, &tio)) {
		cfmakeraw(&tio);
		tcsetattr(console, TCSANOW, &tio);
	}
	signal(SIGCHLD, on_child);
	signal(SIGPIPE, SIG_IGN);
	put("\nrig: agent ready\n", 18);

	for (;;) {
		struct pollfd p[2 + 2 * MAX_CALLS];
		struct call *of[2 + 2 * MAX_CALLS];
		int which[2 + 2 * MAX_CALLS];
		int i, n = 2;

		p[0] = (struct pollfd){ console, POLLIN, 0 };
		p[1] = (struct pollfd){ child_pipe[0], POLLIN, 0 };
		for (c = calls; c; c = c->next)
			for (i = 0; i < 2; i++) {
				if (c->fd[i] < 0 || n == 2 + 2 * MAX_CALLS)
					continue;
				of[n] = c;
				which[n] = i;
				p[n++] = (struct pollfd){ c->fd[i], POLLIN, 0 };
			}
		if (poll(p, n, -1) < 0 && errno != EINTR)
			return 1;
		for (i = 2; i < n; i++)
			if (p[i].revents)
				listen_to(of[i], which[i]);
		if (p[1].revents)
			while (read(child_pipe[0], drain, sizeof(drain)) > 0)
				;
		reap();
		for (c = calls; c; c = c->next)
			finish(c);
		if (p[0].revents & POLLIN)
			hear();
		else if (p[0].revents)
			return 1;
	}
}
