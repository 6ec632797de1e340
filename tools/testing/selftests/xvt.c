// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xvt - traffic whose content is checked where it arrives
 *
 * One daemon (xvt serve) answers every client below, on one port, TCP and UDP,
 * IPv4 and IPv6:
 *
 *   xvt tcp    streams of pseudo-random bytes, both ways at once, any number of
 *              connections; each end compares every byte with what it must be
 *   xvt udp    one datagram of each length, echoed and compared
 *   xvt steady datagrams at a steady rate for a fixed time, echoed and compared: how many
 *              are back within it, and how long that took
 *   xvt cast   broadcast or multicast datagrams, echoed by every receiver
 *   xvt put    a file to the other end's sha256sum, whose answer is printed
 *   xvt get    a file of the other end to standard output
 *   xvt gen    pseudo-random bytes to standard output
 *   xvt watch  wait until a running "xvt tcp stat=FILE" has moved on
 *   xvt qstats what netdev netlink has of an interface's queues, a line each:
 *              rx|tx QUEUE PACKETS BYTES napi ID, then of the device:
 *              all rx PACKETS BYTES tx PACKETS BYTES
 *   xvt pools  ... of its page pools: pool napi ID inflight PAGES bytes N
 *   xvt rss    ... ethtool netlink of all devices' hashes: rss IFACE function BITS
 *
 * Exit status: 0 all content was right, 1 it was not, 2 the test could not run.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HELLO_MAGIC	0x78767431u
#define ENDLESS		UINT64_MAX
#define NO_ERROR	UINT64_MAX
#define RECORD_MAX	65536
/* Bytes that a flow receives, and about as many it sends, before it does the other. */
#define FLOW_TURN	(256 * 1024)
#define DGRAM_MAX	65536
#define MAX_FLOWS	256
#define SERVER_IDLE_S	900
#define SERVER_LOG	"/tmp/xvt.log"
#define GROUP4		"239.192.77.1"
#define GROUP6		"ff15::77:1"

enum hello_mode {
	MODE_STREAM = 1,
	MODE_PUT,
	MODE_GET,
};

/* First bytes of each connection, client to server; host byte order. */
struct hello {
	uint32_t magic;
	uint32_t mode;
	uint64_t seed;
	uint64_t up;
	uint64_t down;
	char path[96];
};

/* Last bytes of each direction of a stream: what that end has seen. */
struct trailer {
	uint64_t received;
	uint64_t bad_at;
};

/* Shared with "xvt watch" through a file. */
struct progress {
	uint64_t up;
	uint64_t down;
};

enum tx_state { TX_DATA, TX_WAIT, TX_TRAILER, TX_DONE };
enum rx_state { RX_HEAD, RX_DATA, RX_TRAILER, RX_DONE };

/*
 * One connection, seen from either end. A direction is a row of records (a
 * length, then that many bytes of the pattern), an empty record, and a trailer
 * once the other direction has ended.
 */
struct flow {
	int fd;
	bool answering;		/* ends an endless stream when the peer does */
	uint64_t tx_seed, tx_off, tx_limit, tx_records;
	uint64_t rx_seed, rx_off, rx_limit, rx_bad;
	enum tx_state tx;
	enum rx_state rx;
	bool rx_ended;
	uint32_t rec_left;
	unsigned char head[sizeof(struct trailer)];
	size_t head_len;
	unsigned char *out;
	size_t out_len, out_done;
	struct trailer peer;
};

static volatile sig_atomic_t stop_asked;

static void on_stop(int sig)
{
	(void)sig;
	stop_asked = 1;
}

__attribute__((format(printf, 1, 2), noreturn))
static void die(const char *fmt, ...)
{
	va_list ap;

	fputs("xvt: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- the pattern: any byte of it can be computed from its offset alone ---- */

static inline uint64_t pattern_word(uint64_t seed, uint64_t i)
{
	uint64_t z = seed + (i + 1) * 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static void pattern_fill(uint64_t seed, uint64_t off, unsigned char *p,
			 size_t len)
{
	uint64_t i = off / 8, w;
	size_t skip = off % 8, n;

	if (skip && len) {
		w = pattern_word(seed, i++);
		n = 8 - skip < len ? 8 - skip : len;
		memcpy(p, (unsigned char *)&w + skip, n);
		p += n;
		len -= n;
	}
	for (; len >= 8; p += 8, len -= 8) {
		w = pattern_word(seed, i++);
		memcpy(p, &w, 8);
	}
	if (len) {
		w = pattern_word(seed, i);
		memcpy(p, &w, len);
	}
}

/* Offset of the first wrong byte, or -1. */
static ssize_t pattern_check(uint64_t seed, uint64_t off,
			     const unsigned char *p, size_t len)
{
	static unsigned char want[DGRAM_MAX];
	size_t done, n, i;

	for (done = 0; done < len; done += n) {
		n = len - done < sizeof(want) ? len - done : sizeof(want);
		pattern_fill(seed, off + done, want, n);
		if (!memcmp(want, p + done, n))
			continue;
		for (i = 0; i < n; i++)
			if (want[i] != p[done + i])
				return done + i;
	}
	return -1;
}

/* ---- arguments ---- */

static uint64_t parse_size(const char *s)
{
	char *end;
	uint64_t v;

	if (!strcmp(s, "endless"))
		return ENDLESS;
	errno = 0;
	v = strtoull(s, &end, 0);
	if (errno || end == s)
		die("bad number '%s'", s);
	switch (*end) {
	case 'k':
	case 'K':
		v <<= 10;
		end++;
		break;
	case 'm':
	case 'M':
		v <<= 20;
		end++;
		break;
	}
	if (*end)
		die("bad number '%s'", s);
	return v;
}

/* "key=value" among the arguments from argv[from] on; NULL if not there. */
static const char *option(char **argv, int from, const char *key)
{
	size_t n = strlen(key);
	int i;

	for (i = from; argv[i]; i++)
		if (!strncmp(argv[i], key, n) && argv[i][n] == '=')
			return argv[i] + n + 1;
	return NULL;
}

static uint64_t option_num(char **argv, int from, const char *key, uint64_t def)
{
	const char *v = option(argv, from, key);

	return v ? parse_size(v) : def;
}

/* A misspelt option must not silently make a test weaker. */
static void options_known(char **argv, int from, const char *known)
{
	char key[32];
	int i, n;

	for (i = from; argv[i]; i++) {
		n = strcspn(argv[i], "=");
		if (!argv[i][n] || n > 20)
			die("unexpected argument '%s'", argv[i]);
		snprintf(key, sizeof(key), " %.*s ", n, argv[i]);
		if (!strstr(known, key))
			die("unknown option '%s'", argv[i]);
	}
}

static struct addrinfo *resolve(const char *host, const char *port, int type)
{
	struct addrinfo hints = {
		.ai_socktype = type,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *ai;
	int err = getaddrinfo(host, port, &hints, &ai);

	if (err)
		die("%s port %s: %s", host, port, gai_strerror(err));
	return ai;
}

static int dial(const char *host, const char *port, int type)
{
	struct addrinfo *ai = resolve(host, port, type);
	int fd = socket(ai->ai_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket: %s", strerror(errno));
	if (connect(fd, ai->ai_addr, ai->ai_addrlen))
		die("connect to %s port %s: %s", host, port, strerror(errno));
	freeaddrinfo(ai);
	return fd;
}

static void send_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;
	ssize_t n;

	for (; len; p += n, len -= n) {
		n = write(fd, p, len);
		if (n < 0)
			die("write: %s", strerror(errno));
	}
}

static void set_nonblock(int fd)
{
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK))
		die("fcntl: %s", strerror(errno));
}

/* ---- streams ---- */

static void flow_init(struct flow *f, int fd, bool answering, uint64_t tx_seed,
		      uint64_t tx_limit, uint64_t rx_seed, uint64_t rx_limit)
{
	*f = (struct flow) {
		.fd = fd,
		.answering = answering,
		.tx_seed = tx_seed,
		.tx_limit = tx_limit,
		.rx_seed = rx_seed,
		.rx_limit = rx_limit,
		.rx_bad = NO_ERROR,
	};
	f->out = malloc(sizeof(uint32_t) + RECORD_MAX);
	if (!f->out)
		die("out of memory");
	set_nonblock(fd);
}

static bool flow_tx_over(const struct flow *f)
{
	if (f->tx_limit == ENDLESS)
		return f->answering ? f->rx_ended : stop_asked;
	/* To say so would end the peer's endless stream. */
	if (!f->answering && f->rx_limit == ENDLESS && !stop_asked)
		return false;
	return f->tx_off >= f->tx_limit;
}

/* Record sizes vary, so that the packets' layouts do. */
static uint32_t flow_record_len(struct flow *f)
{
	uint64_t r = pattern_word(f->tx_seed ^ 0x5eed, f->tx_records++);
	uint64_t len = 1 + (r >> 8) % (r & 3 ? RECORD_MAX : 2048);

	if (f->tx_limit != ENDLESS && len > f->tx_limit - f->tx_off)
		len = f->tx_limit - f->tx_off;
	return len;
}

/* Make the next bytes to send; false when there are none for now. */
static bool flow_compose(struct flow *f)
{
	struct trailer mine = { f->rx_off, f->rx_bad };
	uint32_t len = 0;

	f->out_done = 0;
	f->out_len = 0;
	switch (f->tx) {
	case TX_DATA:
		if (flow_tx_over(f))
			f->tx = TX_WAIT;
		else if (f->tx_limit != ENDLESS && f->tx_off >= f->tx_limit)
			return false;
		else
			len = flow_record_len(f);
		memcpy(f->out, &len, sizeof(len));
		pattern_fill(f->tx_seed, f->tx_off, f->out + sizeof(len), len);
		f->tx_off += len;
		f->out_len = sizeof(len) + len;
		return true;
	case TX_WAIT:
		if (!f->rx_ended)
			return false;
		memcpy(f->out, &mine, sizeof(mine));
		f->out_len = sizeof(mine);
		f->tx = TX_TRAILER;
		return true;
	case TX_TRAILER:
		f->tx = TX_DONE;
		return false;
	case TX_DONE:
		break;
	}
	return false;
}

/* Returns 0, or -errno when the connection is gone. Sends no more at a time than is
 * received: a peer that takes it as fast as it is made would never be read from.
 */
static int flow_send(struct flow *f)
{
	size_t sent = 0;
	ssize_t n;

	for (;;) {
		if (f->out_done == f->out_len && (sent >= FLOW_TURN || !flow_compose(f)))
			return 0;
		n = write(f->fd, f->out + f->out_done, f->out_len - f->out_done);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		f->out_done += n;
		sent += n;
	}
}

/* What a poll() for it would wait for, and not spin. */
static bool flow_wants_out(const struct flow *f)
{
	if (f->out_done < f->out_len)
		return true;
	if (f->tx == TX_DATA)
		return f->tx_limit == ENDLESS || f->tx_off < f->tx_limit || flow_tx_over(f);
	return f->tx == TX_WAIT && f->rx_ended;
}

static size_t flow_take_head(struct flow *f, const unsigned char *p, size_t len,
			     size_t want)
{
	size_t n = want - f->head_len < len ? want - f->head_len : len;

	memcpy(f->head + f->head_len, p, n);
	f->head_len += n;
	return n;
}

static size_t flow_take_data(struct flow *f, const unsigned char *p, size_t len)
{
	size_t n = f->rec_left < len ? f->rec_left : len;
	ssize_t bad;

	if (f->rx_bad == NO_ERROR) {
		bad = pattern_check(f->rx_seed, f->rx_off, p, n);
		if (bad >= 0)
			f->rx_bad = f->rx_off + bad;
	}
	f->rx_off += n;
	f->rec_left -= n;
	if (!f->rec_left)
		f->rx = RX_HEAD;
	return n;
}

/* Returns false if the bytes cannot belong to a stream. */
static bool flow_take(struct flow *f, const unsigned char *p, size_t len)
{
	size_t n;

	for (; len; p += n, len -= n) {
		switch (f->rx) {
		case RX_HEAD:
			n = flow_take_head(f, p, len, sizeof(f->rec_left));
			if (f->head_len < sizeof(f->rec_left))
				break;
			memcpy(&f->rec_left, f->head, sizeof(f->rec_left));
			f->head_len = 0;
			f->rx = f->rec_left ? RX_DATA : RX_TRAILER;
			f->rx_ended = !f->rec_left;
			if (f->rec_left > RECORD_MAX) {
				f->rx_bad = f->rx_off;
				return false;
			}
			break;
		case RX_DATA:
			n = flow_take_data(f, p, len);
			break;
		case RX_TRAILER:
			n = flow_take_head(f, p, len, sizeof(f->peer));
			if (f->head_len < sizeof(f->peer))
				break;
			memcpy(&f->peer, f->head, sizeof(f->peer));
			f->rx = RX_DONE;
			break;
		default:
			return false;
		}
	}
	return true;
}

/* Returns bytes taken, 0 for none now, or -errno when the connection is gone. */
static int flow_recv(struct flow *f)
{
	static unsigned char buf[FLOW_TURN];
	ssize_t n = recv(f->fd, buf, sizeof(buf), 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (!n)
		return f->rx == RX_DONE ? 0 : -ECONNRESET;
	return flow_take(f, buf, n) ? n : -EPROTO;
}

static bool flow_done(const struct flow *f)
{
	return f->tx == TX_DONE && f->rx == RX_DONE;
}

static uint64_t flow_acked(const struct flow *f)
{
	int queued = 0;

	if (ioctl(f->fd, SIOCOUTQ, &queued))
		queued = 0;
	return f->tx_off > (uint64_t)queued ? f->tx_off - queued : 0;
}

/* Says what was wrong with a finished flow; true if nothing was. */
static bool flow_verdict(const struct flow *f, int nr)
{
	bool ok = true;

	if (f->rx_bad != NO_ERROR) {
		printf("flow %d: received byte %" PRIu64 " is wrong\n", nr,
		       f->rx_bad);
		ok = false;
	}
	if (f->peer.bad_at != NO_ERROR) {
		printf("flow %d: sent byte %" PRIu64 " arrived wrong\n", nr,
		       f->peer.bad_at);
		ok = false;
	}
	if (f->peer.received != f->tx_off) {
		printf("flow %d: sent %" PRIu64 " bytes, %" PRIu64 " arrived\n",
		       nr, f->tx_off, f->peer.received);
		ok = false;
	}
	if (f->rx_limit != ENDLESS && f->rx_off != f->rx_limit) {
		printf("flow %d: received %" PRIu64 " of %" PRIu64 " bytes\n",
		       nr, f->rx_off, f->rx_limit);
		ok = false;
	}
	return ok;
}

/* Runs all flows to their end; false if one broke or all of them stood still. */
static bool flows_run(struct flow *f, int nr, uint64_t idle_ms,
		      struct progress *shared)
{
	struct pollfd p[MAX_FLOWS];
	uint64_t last = now_ms(), seen = 0, up, down;
	int i, left, err;

	for (;;) {
		left = 0;
		up = 0;
		down = 0;
		for (i = 0; i < nr; i++) {
			bool done = flow_done(&f[i]);

			p[i].fd = done ? -1 : f[i].fd;
			p[i].events = POLLIN;
			if (flow_wants_out(&f[i]))
				p[i].events |= POLLOUT;
			p[i].revents = 0;
			left += !done;
			up += flow_acked(&f[i]);
			down += f[i].rx_off;
		}
		if (shared) {
			shared->up = up;
			shared->down = down;
		}
		if (up + down != seen) {
			seen = up + down;
			last = now_ms();
		}
		if (!left)
			return true;
		if (now_ms() - last > idle_ms) {
			printf("no progress for %" PRIu64 " ms: up %" PRIu64
			       " down %" PRIu64 " bytes\n", idle_ms, up, down);
			return false;
		}
		if (poll(p, nr, 100) < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		for (i = 0; i < nr; i++) {
			if (p[i].fd < 0)
				continue;
			err = 0;
			if (p[i].revents & (POLLIN | POLLHUP | POLLERR))
				err = flow_recv(&f[i]);
			if (err >= 0)
				err = flow_send(&f[i]);
			if (err < 0 && !flow_done(&f[i])) {
				printf("flow %d: %s; sent %" PRIu64
				       " received %" PRIu64 "\n", i,
				       strerror(-err), f[i].tx_off, f[i].rx_off);
				return false;
			}
		}
	}
}

static struct progress *progress_map(const char *path, bool create)
{
	int fd = open(path, create ? O_RDWR | O_CREAT | O_TRUNC : O_RDONLY, 0600);
	struct progress *p;

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	if (create && ftruncate(fd, sizeof(*p)))
		die("%s: %s", path, strerror(errno));
	p = mmap(NULL, sizeof(*p), PROT_READ | (create ? PROT_WRITE : 0),
		 MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("mmap %s: %s", path, strerror(errno));
	close(fd);
	return p;
}

static int cmd_tcp(int argc, char **argv)
{
	uint64_t seed, up, down, idle, total_up = 0, total_down = 0, start;
	static struct flow flows[MAX_FLOWS];
	struct progress *shared = NULL;
	bool ok = true;
	int i, nr;

	if (argc < 2)
		die("usage: xvt tcp HOST PORT [up=N|endless] [down=N|endless] [flows=N] [seed=N] [timeout=SECS] [stat=FILE]");
	options_known(argv, 2, " up down flows seed timeout stat ");
	up = option_num(argv, 2, "up", 0);
	down = option_num(argv, 2, "down", 0);
	nr = option_num(argv, 2, "flows", 1);
	seed = option_num(argv, 2, "seed", now_ms() * 2654435761u + getpid());
	idle = option_num(argv, 2, "timeout", 60) * 1000;
	if (nr < 1 || nr > MAX_FLOWS)
		die("flows: 1 to %d", MAX_FLOWS);
	if (option(argv, 2, "stat"))
		shared = progress_map(option(argv, 2, "stat"), true);
	signal(SIGTERM, on_stop);
	signal(SIGINT, on_stop);

	start = now_ms();
	for (i = 0; i < nr; i++) {
		struct hello h = {
			.magic = HELLO_MAGIC,
			.mode = MODE_STREAM,
			.seed = seed + i,
			.up = up,
			.down = down,
		};
		int fd = dial(argv[0], argv[1], SOCK_STREAM);

		send_all(fd, &h, sizeof(h));
		flow_init(&flows[i], fd, false, h.seed, up, ~h.seed, down);
	}
	ok = flows_run(flows, nr, idle, shared);
	for (i = 0; i < nr; i++) {
		if (ok)
			ok = flow_verdict(&flows[i], i);
		total_up += flows[i].tx_off;
		total_down += flows[i].rx_off;
	}
	printf("tcp %s: flows %d up %" PRIu64 " down %" PRIu64 " ms %" PRIu64
	       " %s\n", argv[0], nr, total_up, total_down, now_ms() - start,
	       ok ? "right" : "WRONG");
	return !ok;
}

static void hello_path(struct hello *h, const char *path)
{
	if (strlen(path) >= sizeof(h->path))
		die("path too long");
	strcpy(h->path, path);
}

static void file_to_socket(int file, int sock)
{
	ssize_t n;

	do {
		n = sendfile(sock, file, NULL, 1 << 20);
		if (n < 0)
			die("sendfile: %s", strerror(errno));
	} while (n);
	shutdown(sock, SHUT_WR);
}

static void socket_to_stdout(int sock)
{
	static char buf[256 * 1024];
	ssize_t n;

	while ((n = read(sock, buf, sizeof(buf))) > 0)
		send_all(STDOUT_FILENO, buf, n);
	if (n < 0)
		die("read: %s", strerror(errno));
}

static int cmd_put(int argc, char **argv)
{
	struct hello h = { .magic = HELLO_MAGIC, .mode = MODE_PUT };
	int file, fd;

	if (argc != 3)
		die("usage: xvt put HOST PORT FILE");
	file = open(argv[2], O_RDONLY);
	if (file < 0)
		die("%s: %s", argv[2], strerror(errno));
	fd = dial(argv[0], argv[1], SOCK_STREAM);
	send_all(fd, &h, sizeof(h));
	file_to_socket(file, fd);
	socket_to_stdout(fd);
	return 0;
}

static int cmd_get(int argc, char **argv)
{
	struct hello h = { .magic = HELLO_MAGIC, .mode = MODE_GET };
	int fd;

	if (argc != 3)
		die("usage: xvt get HOST PORT PATH-THERE");
	hello_path(&h, argv[2]);
	fd = dial(argv[0], argv[1], SOCK_STREAM);
	send_all(fd, &h, sizeof(h));
	socket_to_stdout(fd);
	return 0;
}

/* ---- datagrams ---- */

enum dgram_state { D_UNSENT, D_SENT, D_OK, D_BAD, D_LOST };

struct sweep {
	int fd;
	uint64_t seed;
	uint32_t lo, hi, step;
	unsigned char state[DGRAM_MAX];
	uint32_t next, sent, ok, bad, lost, stray;
	uint32_t inflight, inflight_bytes;
};

static void sweep_send(struct sweep *s)
{
	static unsigned char buf[DGRAM_MAX];

	pattern_fill(s->seed + s->next, 0, buf, s->next);
	if (send(s->fd, buf, s->next, 0) != (ssize_t)s->next)
		die("send of %u bytes: %s", s->next, strerror(errno));
	s->state[s->next] = D_SENT;
	s->sent++;
	s->inflight++;
	s->inflight_bytes += s->next;
	s->next += s->step;
}

static void sweep_settle(struct sweep *s, uint32_t len, enum dgram_state how)
{
	s->state[len] = how;
	s->inflight--;
	s->inflight_bytes -= len;
}

static void sweep_recv(struct sweep *s)
{
	static unsigned char buf[DGRAM_MAX];
	ssize_t n = recv(s->fd, buf, sizeof(buf), 0);
	ssize_t bad;

	if (n < 0)
		die("recv: %s", strerror(errno));
	if (s->state[n] != D_SENT) {
		printf("udp: unexpected datagram of %zd bytes\n", n);
		s->stray++;
		return;
	}
	bad = pattern_check(s->seed + n, 0, buf, n);
	if (bad < 0) {
		s->ok++;
		sweep_settle(s, n, D_OK);
		return;
	}
	printf("udp: length %zd: byte %zd is wrong\n", n, bad);
	s->bad++;
	sweep_settle(s, n, D_BAD);
}

static void sweep_give_up(struct sweep *s)
{
	uint32_t len;

	for (len = s->lo; len < s->next; len += s->step) {
		if (s->state[len] != D_SENT)
			continue;
		printf("udp: length %u lost\n", len);
		s->lost++;
		sweep_settle(s, len, D_LOST);
	}
}

/* A datagram that does not fit the MTU is then an error of send(). */
static void dont_fragment(int fd)
{
	int v4 = IP_PMTUDISC_DO, v6 = IPV6_PMTUDISC_DO;

	if (setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof(v4)) &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof(v6)))
		die("cannot forbid fragments: %s", strerror(errno));
	setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof(v6));
}

/*
 * Few datagrams and few bytes are under way at any time, so that no socket
 * overflows: what is lost was lost by the path.
 */
static int cmd_udp(int argc, char **argv)
{
	static struct sweep s;
	uint32_t window, max_lost = 20, bytes = 32768;
	uint64_t wait_ms;
	struct pollfd p = { .events = POLLIN };
	int n;

	if (argc < 5)
		die("usage: xvt udp HOST PORT LO HI STEP [window=N] [timeout=SECS] [seed=N] [df=1]");
	options_known(argv, 5, " window timeout seed df ");
	s.lo = parse_size(argv[2]);
	s.hi = parse_size(argv[3]);
	s.step = parse_size(argv[4]);
	if (s.lo > s.hi || s.hi >= DGRAM_MAX || !s.step)
		die("lengths: 0 <= LO <= HI < %d, STEP > 0", DGRAM_MAX);
	window = option_num(argv, 5, "window", 8);
	wait_ms = option_num(argv, 5, "timeout", 10) * 1000;
	s.seed = option_num(argv, 5, "seed", now_ms() << 20);
	s.fd = dial(argv[0], argv[1], SOCK_DGRAM);
	if (option_num(argv, 5, "df", 0))
		dont_fragment(s.fd);
	s.next = s.lo;
	p.fd = s.fd;

	while (s.next <= s.hi || s.inflight) {
		while (s.next <= s.hi && s.inflight < window &&
		       (!s.inflight || s.inflight_bytes + s.next < bytes))
			sweep_send(&s);
		n = poll(&p, 1, wait_ms);
		if (n < 0)
			die("poll: %s", strerror(errno));
		if (n)
			sweep_recv(&s);
		else
			sweep_give_up(&s);
		if (s.lost > max_lost || s.stray > max_lost) {
			printf("udp: too many are lost, stopped at %u\n", s.next);
			break;
		}
	}
	printf("udp %s: lengths %u..%u step %u sent %u right %u bad %u lost %u stray %u\n",
	       argv[0], s.lo, s.hi, s.step, s.sent, s.ok, s.bad, s.lost,
	       s.stray);
	return s.next <= s.hi || s.ok != s.sent || s.stray;
}

/* A datagram of a steady flow: this, and then the pattern of seed + nr. */
struct steady_head {
	uint64_t seed;
	uint64_t nr;
	uint64_t sent_ns;
};

struct steady {
	int fd;
	uint64_t seed, start, end, rate;
	uint32_t len, due, next, sent, came, bad;
	uint32_t *us;		/* of each that came: how long it took */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static uint64_t steady_when(const struct steady *s, uint32_t nr)
{
	return s->start + nr * 1000000000ull / s->rate;
}

/* Those whose time has come, however late it is, but for a flow whose time is over. */
static void steady_send(struct steady *s)
{
	static unsigned char buf[DGRAM_MAX];
	struct steady_head head = { .seed = s->seed };

	while (s->next < s->due && steady_when(s, s->next) <= now_ns() && now_ns() < s->end) {
		head.nr = s->next++;
		head.sent_ns = now_ns();
		memcpy(buf, &head, sizeof(head));
		pattern_fill(s->seed + head.nr, 0, buf + sizeof(head), s->len - sizeof(head));
		/* Where there is no room for one it is lost. */
		s->sent += send(s->fd, buf, s->len, MSG_DONTWAIT) == (ssize_t)s->len;
	}
}

static void steady_recv(struct steady *s)
{
	static unsigned char buf[DGRAM_MAX];
	struct steady_head head;
	ssize_t n;

	while ((n = recv(s->fd, buf, sizeof(buf), MSG_DONTWAIT)) >= 0) {
		memcpy(&head, buf, sizeof(head));
		if (n != (ssize_t)s->len || head.seed != s->seed || head.nr >= s->next ||
		    s->came == s->due ||
		    pattern_check(s->seed + head.nr, 0, buf + sizeof(head),
				  n - sizeof(head)) >= 0) {
			s->bad++;
			continue;
		}
		s->us[s->came++] = (now_ns() - head.sent_ns) / 1000;
	}
}

static int us_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void steady_report(struct steady *s, const char *host)
{
	qsort(s->us, s->came, sizeof(*s->us), us_order);
	if (!s->came)
		s->us[0] = 0;
	printf("steady %s: due %u sent %u came %u bad %u us median %u 99%% %u most %u\n", host,
	       s->due, s->sent, s->came, s->bad, s->us[s->came / 2],
	       s->us[(uint64_t)s->came * 99 / 100], s->us[s->came ? s->came - 1 : 0]);
}

/* Does not wait for answers: what is not back when the time is over does not count. */
static int cmd_steady(int argc, char **argv)
{
	struct steady s = {};
	struct pollfd p = { .events = POLLIN };
	uint64_t now, then, secs;

	if (argc < 2)
		die("usage: xvt steady HOST PORT [rate=PER-SECOND] [len=N] [secs=N]");
	options_known(argv, 2, " rate len secs ");
	s.rate = option_num(argv, 2, "rate", 1000);
	s.len = option_num(argv, 2, "len", 200);
	secs = option_num(argv, 2, "secs", 4);
	if (!s.rate || !secs || s.rate * secs > 10000000)
		die("rate * secs: 1 to 10000000");
	if (s.len < sizeof(struct steady_head) || s.len >= DGRAM_MAX)
		die("len: %zu to %d", sizeof(struct steady_head), DGRAM_MAX - 1);
	s.due = s.rate * secs;
	s.us = calloc(s.due + 1, sizeof(*s.us));
	s.fd = dial(argv[0], argv[1], SOCK_DGRAM);
	s.seed = now_ns();
	p.fd = s.fd;

	s.start = now_ns();
	s.end = s.start + secs * 1000000000ull;
	while ((now = now_ns()) < s.end) {
		struct timespec wait = {};

		steady_send(&s);
		steady_recv(&s);
		then = s.next < s.due ? steady_when(&s, s.next) : s.end;
		now = now_ns();
		if (then > now) {
			wait.tv_sec = (then - now) / 1000000000;
			wait.tv_nsec = (then - now) % 1000000000;
			ppoll(&p, 1, &wait, NULL);
		}
	}
	steady_report(&s, argv[0]);
	return s.bad != 0;
}

static bool same_host(const struct sockaddr *a, const struct sockaddr *b)
{
	if (a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return ((struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((struct sockaddr_in *)b)->sin_addr.s_addr;
	return !memcmp(&((struct sockaddr_in6 *)a)->sin6_addr,
		       &((struct sockaddr_in6 *)b)->sin6_addr,
		       sizeof(struct in6_addr));
}

static bool is_own_address(const struct sockaddr *sa)
{
	struct ifaddrs *all, *i;
	bool own = false;

	if (getifaddrs(&all))
		die("getifaddrs: %s", strerror(errno));
	for (i = all; i && !own; i = i->ifa_next)
		own = i->ifa_addr && same_host(i->ifa_addr, sa);
	freeifaddrs(all);
	return own;
}

static int cast_socket(struct addrinfo *ai, const char *iface)
{
	int fd = socket(ai->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int one = 1, zero = 0, idx = if_nametoindex(iface);

	if (fd < 0 || !idx)
		die("%s: %s", iface, strerror(errno));
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, iface, strlen(iface)))
		die("bind to %s: %s", iface, strerror(errno));
	if (ai->ai_family == AF_INET) {
		struct ip_mreqn m = { .imr_ifindex = idx };

		setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m));
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &zero, sizeof(zero));
	} else {
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &idx, sizeof(idx));
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &zero,
			   sizeof(zero));
		((struct sockaddr_in6 *)ai->ai_addr)->sin6_scope_id = idx;
	}
	return fd;
}

/* Echoes of datagram nr by other hosts, each host counted once. */
static unsigned int cast_echoes(int fd, uint64_t seed, unsigned int nr, unsigned int len,
				unsigned int expect, int wait_ms)
{
	static unsigned char buf[DGRAM_MAX];
	struct sockaddr_storage from[16];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned int n = 0, i;

	while (n < expect && n < 16 && poll(&p, 1, wait_ms) > 0) {
		socklen_t flen = sizeof(from[n]);
		ssize_t got = recvfrom(fd, buf, sizeof(buf), 0,
				       (struct sockaddr *)&from[n], &flen);

		/* One that comes late, from a host not waited for, is no answer. */
		for (i = 1; i <= nr && got == (ssize_t)len; i++)
			if (pattern_check(seed - i, 0, buf, len) < 0)
				break;
		if (i <= nr && got == (ssize_t)len)
			continue;
		if (got != (ssize_t)len || pattern_check(seed, 0, buf, len) >= 0) {
			printf("cast: wrong answer of %zd bytes\n", got);
			return 0;
		}
		if (is_own_address((struct sockaddr *)&from[n]))
			continue;
		for (i = 0; i < n; i++)
			if (same_host((struct sockaddr *)&from[i],
				      (struct sockaddr *)&from[n]))
				break;
		n += i == n;
	}
	return n;
}

static int cmd_cast(int argc, char **argv)
{
	static unsigned char buf[DGRAM_MAX];
	unsigned int i, count, expect, len, n, ok = 0;
	struct addrinfo *ai;
	uint64_t seed;
	int fd, wait_ms;

	if (argc < 4)
		die("usage: xvt cast ADDRESS PORT IFACE COUNT [expect=HOSTS] [len=N] [timeout=SECS]");
	options_known(argv, 4, " expect len timeout ");
	ai = resolve(argv[0], argv[1], SOCK_DGRAM);
	fd = cast_socket(ai, argv[2]);
	count = parse_size(argv[3]);
	expect = option_num(argv, 4, "expect", 1);
	len = option_num(argv, 4, "len", 200);
	wait_ms = option_num(argv, 4, "timeout", 5) * 1000;
	seed = now_ms() << 20;
	if (!len || len >= DGRAM_MAX)
		die("len: 1 to %d", DGRAM_MAX - 1);
	for (i = 0; i < count; i++) {
		pattern_fill(seed + i, 0, buf, len);
		if (sendto(fd, buf, len, 0, ai->ai_addr, ai->ai_addrlen) < 0)
			die("send to %s: %s", argv[0], strerror(errno));
		n = cast_echoes(fd, seed + i, i, len, expect, wait_ms);
		if (n == expect)
			ok++;
		else
			printf("cast: datagram %u: %u of %u hosts answered\n",
			       i, n, expect);
		if (n != expect && i - ok > 5)
			break;
	}
	printf("cast %s on %s: sent %u, answered by all %u hosts %u\n", argv[0],
	       argv[2], count, expect, ok);
	return ok != count;
}

/* ---- the daemon ---- */

static int listen_on(int family, int type, uint16_t port)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0), one = 1;
	int big = 4 << 20;
	struct sockaddr_in6 a6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
	};
	struct sockaddr_in a4 = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	int err;

	if (fd < 0)
		die("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (type == SOCK_DGRAM)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	if (family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
		err = bind(fd, (struct sockaddr *)&a6, sizeof(a6));
	} else {
		err = bind(fd, (struct sockaddr *)&a4, sizeof(a4));
	}
	if (err || (type == SOCK_STREAM && listen(fd, MAX_FLOWS)))
		die("port %u: %s", port, strerror(errno));
	return fd;
}

static void join_groups(int udp4, int udp6, const char *iface)
{
	struct ip_mreqn m4 = { .imr_ifindex = if_nametoindex(iface) };
	struct ipv6_mreq m6 = { .ipv6mr_interface = if_nametoindex(iface) };

	inet_pton(AF_INET, GROUP4, &m4.imr_multiaddr);
	inet_pton(AF_INET6, GROUP6, &m6.ipv6mr_multiaddr);
	if (setsockopt(udp4, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m4, sizeof(m4)))
		die("join %s on %s: %s", GROUP4, iface, strerror(errno));
	if (setsockopt(udp6, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m6, sizeof(m6)))
		die("join %s on %s: %s", GROUP6, iface, strerror(errno));
}

static void serve_datagram(int fd)
{
	static unsigned char buf[DGRAM_MAX];
	struct sockaddr_storage from;
	socklen_t flen = sizeof(from);
	ssize_t n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT,
			     (struct sockaddr *)&from, &flen);

	if (n >= 0)
		sendto(fd, buf, n, 0, (struct sockaddr *)&from, flen);
}

static void serve_connection(int fd)
{
	struct hello h;
	struct flow f;
	int file;

	if (recv(fd, &h, sizeof(h), MSG_WAITALL) != sizeof(h) ||
	    h.magic != HELLO_MAGIC) {
		printf("bad first bytes: %s\n", strerror(errno));
		exit(1);
	}
	switch (h.mode) {
	case MODE_STREAM:
		flow_init(&f, fd, true, ~h.seed, h.down, h.seed, h.up);
		exit(!flows_run(&f, 1, SERVER_IDLE_S * 1000ull, NULL));
	case MODE_PUT:
		dup2(fd, STDIN_FILENO);
		dup2(fd, STDOUT_FILENO);
		execlp("sha256sum", "sha256sum", NULL);
		exit(2);
	case MODE_GET:
		h.path[sizeof(h.path) - 1] = 0;
		file = open(h.path, O_RDONLY);
		if (file < 0)
			exit(1);
		file_to_socket(file, fd);
		exit(0);
	}
	exit(1);
}

static int cmd_serve(int argc, char **argv)
{
	struct pollfd p[4];
	uint16_t port;
	pid_t child;
	int i, fd;

	if (argc < 1)
		die("usage: xvt serve PORT [IFACE]...");
	port = parse_size(argv[0]);
	p[0].fd = listen_on(AF_INET, SOCK_STREAM, port);
	p[1].fd = listen_on(AF_INET6, SOCK_STREAM, port);
	p[2].fd = listen_on(AF_INET, SOCK_DGRAM, port);
	p[3].fd = listen_on(AF_INET6, SOCK_DGRAM, port);
	for (i = 1; i < argc; i++)
		join_groups(p[2].fd, p[3].fd, argv[i]);
	/* The caller may go on when we return: every socket listens by now. */
	if (daemon(1, 1) || !freopen("/dev/null", "r", stdin) ||
	    !freopen(SERVER_LOG, "w", stdout) || dup2(1, 2) < 0)
		die("daemon: %s", strerror(errno));
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);

	for (;;) {
		for (i = 0; i < 4; i++)
			p[i].events = POLLIN;
		if (poll(p, 4, -1) < 0)
			continue;
		for (i = 0; i < 2; i++) {
			if (!(p[i].revents & POLLIN))
				continue;
			fd = accept4(p[i].fd, NULL, NULL, SOCK_CLOEXEC);
			if (fd < 0)
				continue;
			child = fork();
			if (!child)
				serve_connection(fd);
			if (child < 0)
				printf("fork: %s\n", strerror(errno));
			close(fd);
		}
		for (i = 2; i < 4; i++)
			if (p[i].revents & POLLIN)
				serve_datagram(p[i].fd);
	}
}

/* ---- small helpers of the scripts ---- */

static int cmd_gen(int argc, char **argv)
{
	static unsigned char buf[65536];
	uint64_t seed, len, off;
	size_t n;

	if (argc != 2)
		die("usage: xvt gen SEED BYTES");
	seed = parse_size(argv[0]);
	len = parse_size(argv[1]);
	for (off = 0; off < len; off += n) {
		n = len - off < sizeof(buf) ? len - off : sizeof(buf);
		pattern_fill(seed, off, buf, n);
		send_all(STDOUT_FILENO, buf, n);
	}
	return 0;
}

static int cmd_watch(int argc, char **argv)
{
	volatile struct progress *p;
	uint64_t up, down, more, end;

	if (argc < 3)
		die("usage: xvt watch FILE MORE-BYTES SECS");
	p = progress_map(argv[0], false);
	more = parse_size(argv[1]);
	end = now_ms() + parse_size(argv[2]) * 1000;
	up = p->up;
	down = p->down;
	while (p->up - up < more || p->down - down < more) {
		if (now_ms() > end) {
			printf("watch: up %" PRIu64 " and down %" PRIu64
			       " more bytes in %s s, wanted %" PRIu64 " each\n",
			       p->up - up, p->down - down, argv[2], more);
			return 1;
		}
		poll(NULL, 0, 20);
	}
	return 0;
}

/* Of linux/netdev.h, which is newer than what this is built with. */
enum {
	NETDEV_PAGE_POOL_GET = 5,
	NETDEV_QUEUE_GET = 10,
	NETDEV_QSTATS_GET = 12,
	QUEUE_ID = 1,
	QUEUE_IFINDEX,
	QUEUE_TYPE,
	QUEUE_NAPI_ID,
	POOL_IFINDEX = 2,
	POOL_NAPI_ID,
	POOL_INFLIGHT,
	POOL_INFLIGHT_MEM,
	POOL_DETACH_TIME,
	QSTATS_IFINDEX = 1,
	QSTATS_QUEUE_TYPE,
	QSTATS_QUEUE_ID,
	QSTATS_SCOPE,
	QSTATS_RX_PACKETS = 8,
	QSTATS_RX_BYTES,
	QSTATS_TX_PACKETS,
	QSTATS_TX_BYTES,
	ETHTOOL_RSS_GET = 38,
	RSS_HEADER = 1,
	RSS_HFUNC = 3,
	HEADER_DEV_INDEX = 1,
	NL_ATTRS = 32,
};

struct nl_request {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	unsigned char attrs[64];
};

static void nl_put(struct nl_request *req, unsigned int type, const void *data, size_t len)
{
	struct nlattr *attr = (void *)((char *)req + NLMSG_ALIGN(req->nlh.nlmsg_len));

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	memcpy((char *)attr + NLA_HDRLEN, data, len);
	req->nlh.nlmsg_len = NLMSG_ALIGN(req->nlh.nlmsg_len) + NLA_ALIGN(attr->nla_len);
}

static uint64_t nl_number(const struct nlattr *attr)
{
	uint64_t n64;
	uint32_t n32;
	uint16_t n16;

	if (!attr)
		return 0;
	switch (attr->nla_len - NLA_HDRLEN) {
	case sizeof(n16):
		memcpy(&n16, (const char *)attr + NLA_HDRLEN, sizeof(n16));
		return n16;
	case sizeof(n32):
		memcpy(&n32, (const char *)attr + NLA_HDRLEN, sizeof(n32));
		return n32;
	default:
		memcpy(&n64, (const char *)attr + NLA_HDRLEN, sizeof(n64));
		return n64;
	}
}

/* Sends a request and calls back for each answer, until the last one. */
static void nl_ask(int fd, struct nl_request *req, unsigned int family, unsigned int cmd,
		   bool dump, void (*each)(const struct nlattr **attrs))
{
	static unsigned char buf[65536] __attribute__((aligned(8)));
	struct nlmsghdr *nlh;
	ssize_t len;

	req->nlh.nlmsg_type = family;
	req->nlh.nlmsg_flags = NLM_F_REQUEST | (dump ? NLM_F_DUMP : 0);
	req->genl.cmd = cmd;
	req->genl.version = 1;
	if (send(fd, req, req->nlh.nlmsg_len, 0) < 0)
		die("netlink: %s", strerror(errno));
	do {
		len = recv(fd, buf, sizeof(buf), 0);
		if (len <= 0)
			die("netlink: %s", strerror(errno));
		for (nlh = (void *)buf; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
			const struct nlattr *attrs[NL_ATTRS] = { NULL };
			char *p = (char *)NLMSG_DATA(nlh) + GENL_HDRLEN;

			if (nlh->nlmsg_type == NLMSG_DONE && !*(int *)NLMSG_DATA(nlh))
				return;
			if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE)
				die("netlink: %s", strerror(-*(int *)NLMSG_DATA(nlh)));
			while (p < (char *)nlh + nlh->nlmsg_len) {
				const struct nlattr *attr = (void *)p;
				unsigned int type = attr->nla_type & NLA_TYPE_MASK;

				if (type < NL_ATTRS)
					attrs[type] = attr;
				p += NLA_ALIGN(attr->nla_len);
			}
			each(attrs);
		}
	} while (dump);
}

static uint16_t nl_family;
static uint64_t nl_napi[2][256];

static void got_family(const struct nlattr **attrs)
{
	nl_family = nl_number(attrs[CTRL_ATTR_FAMILY_ID]);
}

static void got_queue(const struct nlattr **attrs)
{
	nl_napi[nl_number(attrs[QUEUE_TYPE]) & 1][nl_number(attrs[QUEUE_ID]) & 255] =
		nl_number(attrs[QUEUE_NAPI_ID]);
}

static void got_qstats(const struct nlattr **attrs)
{
	unsigned int tx = nl_number(attrs[QSTATS_QUEUE_TYPE]) & 1;
	unsigned int id = nl_number(attrs[QSTATS_QUEUE_ID]) & 255;

	printf("%s %u %" PRIu64 " %" PRIu64 " napi %" PRIu64 "\n", tx ? "tx" : "rx", id,
	       nl_number(attrs[tx ? QSTATS_TX_PACKETS : QSTATS_RX_PACKETS]),
	       nl_number(attrs[tx ? QSTATS_TX_BYTES : QSTATS_RX_BYTES]), nl_napi[tx][id]);
}

static void got_total(const struct nlattr **attrs)
{
	printf("all rx %" PRIu64 " %" PRIu64 " tx %" PRIu64 " %" PRIu64 "\n",
	       nl_number(attrs[QSTATS_RX_PACKETS]), nl_number(attrs[QSTATS_RX_BYTES]),
	       nl_number(attrs[QSTATS_TX_PACKETS]), nl_number(attrs[QSTATS_TX_BYTES]));
}

static const struct nl_request nl_empty = { .nlh.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN) };
static uint32_t nl_ifindex;

/* Returns a socket on which a family can be asked about nl_ifindex. */
static int nl_open(const char *family, const char *iface)
{
	struct nl_request req = nl_empty;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);

	nl_ifindex = if_nametoindex(iface);
	if (!nl_ifindex || fd < 0)
		die("%s: %s", iface, strerror(errno));
	nl_put(&req, CTRL_ATTR_FAMILY_NAME, family, strlen(family) + 1);
	nl_ask(fd, &req, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, false, got_family);
	return fd;
}

/* "xvt WHAT IFACE": a dump of what a family has, which may be of all interfaces. */
static int nl_dump(int argc, char **argv, const char *what, const char *family, unsigned int cmd,
		   void (*each)(const struct nlattr **attrs))
{
	struct nl_request req = nl_empty;
	int fd;

	if (argc != 1)
		die("usage: xvt %s IFACE", what);
	fd = nl_open(family, argv[0]);
	nl_ask(fd, &req, nl_family, cmd, true, each);
	close(fd);
	return 0;
}

static void got_pool(const struct nlattr **attrs)
{
	if (nl_number(attrs[POOL_IFINDEX]) != nl_ifindex)
		return;
	printf("pool napi %" PRIu64 " inflight %" PRIu64 " bytes %" PRIu64 "%s\n",
	       nl_number(attrs[POOL_NAPI_ID]), nl_number(attrs[POOL_INFLIGHT]),
	       nl_number(attrs[POOL_INFLIGHT_MEM]), attrs[POOL_DETACH_TIME] ? " leaving" : "");
}

static int cmd_pools(int argc, char **argv)
{
	return nl_dump(argc, argv, "pools", "netdev", NETDEV_PAGE_POOL_GET, got_pool);
}

static int cmd_qstats(int argc, char **argv)
{
	struct nl_request req = nl_empty;
	uint64_t scope = 1;	/* each queue */
	int fd;

	if (argc != 1)
		die("usage: xvt qstats IFACE");
	fd = nl_open("netdev", argv[0]);
	nl_put(&req, QUEUE_IFINDEX, &nl_ifindex, sizeof(nl_ifindex));
	nl_ask(fd, &req, nl_family, NETDEV_QUEUE_GET, true, got_queue);
	req = nl_empty;
	nl_put(&req, QSTATS_IFINDEX, &nl_ifindex, sizeof(nl_ifindex));
	nl_put(&req, QSTATS_SCOPE, &scope, sizeof(scope));
	nl_ask(fd, &req, nl_family, NETDEV_QSTATS_GET, true, got_qstats);
	req = nl_empty;
	nl_put(&req, QSTATS_IFINDEX, &nl_ifindex, sizeof(nl_ifindex));
	nl_ask(fd, &req, nl_family, NETDEV_QSTATS_GET, true, got_total);
	close(fd);
	return 0;
}

/* A device names itself in an attribute within an attribute. */
static void got_rss(const struct nlattr **attrs)
{
	const struct nlattr *header = attrs[RSS_HEADER];
	const struct nlattr *dev = header ? header + 1 : NULL;
	char name[IF_NAMESIZE];

	if (dev && dev->nla_type == HEADER_DEV_INDEX && if_indextoname(nl_number(dev), name))
		printf("rss %s function %" PRIu64 "\n", name, nl_number(attrs[RSS_HFUNC]));
}

static int cmd_rss(int argc, char **argv)
{
	return nl_dump(argc, argv, "rss", "ethtool", ETHTOOL_RSS_GET, got_rss);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} cmds[] = {
		{ "serve", cmd_serve },
		{ "tcp", cmd_tcp },
		{ "udp", cmd_udp },
		{ "steady", cmd_steady },
		{ "cast", cmd_cast },
		{ "put", cmd_put },
		{ "get", cmd_get },
		{ "gen", cmd_gen },
		{ "watch", cmd_watch },
		{ "qstats", cmd_qstats },
		{ "pools", cmd_pools },
		{ "rss", cmd_rss },
	};
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; argc > 1 && i < sizeof(cmds) / sizeof(cmds[0]); i++)
		if (!strcmp(argv[1], cmds[i].name))
			return cmds[i].run(argc - 2, argv + 2);
	die("usage: xvt serve|tcp|udp|steady|cast|put|get|gen|watch|qstats|pools|rss ...");
}
