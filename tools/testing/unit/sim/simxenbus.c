// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The simulated xenbus: see simxenbus.h. */

#include <ctype.h>

#include "simkernel.h"

#define N_KEYS	256

struct sim_xs sim_xs;

static struct {
	char path[96];
	char *value;
} keys[N_KEYS];

/* What the transaction that is going on has written. */
static struct {
	char dir[64];
	char key[64];
	char value[256];
} written[16];
static u32 n_written;

/* And removed. */
static char removed[4][96];
static u32 n_removed;

/* The mutexes that are held, in their order. */
static const struct mutex *held[4];
static u32 n_held;

void sim_xs_reset(void)
{
	u32 i;

	for (i = 0; i < N_KEYS; i++) {
		free(keys[i].value);
		keys[i].value = NULL;
	}
	sim_xs = (struct sim_xs){ 0 };
}

/* The key's place, or a free one. */
static u32 place(const char *dir, const char *key, char path[96])
{
	u32 i, unused = N_KEYS;

	snprintf(path, 96, "%s/%s", dir, key);
	for (i = 0; i < N_KEYS; i++) {
		if (!keys[i].value)
			unused = i;
		else if (!strcmp(keys[i].path, path))
			return i;
	}
	if (unused == N_KEYS)
		sim_bug("xenstore is full");
	return unused;
}

void sim_xs_write(const char *dir, const char *key, const char *value)
{
	char path[96];
	u32 i = place(dir, key, path);

	free(keys[i].value);
	keys[i].value = value ? strdup(value) : NULL;
	strcpy(keys[i].path, path);
}

const char *sim_xs_get(const char *dir, const char *key)
{
	char path[96];

	return keys[place(dir, key, path)].value;
}

void mutex_lock(struct mutex *mutex)
{
	spin_lock(&mutex->lock);
	if (n_held == ARRAY_SIZE(held))
		sim_bug("too many mutexes");
	held[n_held++] = mutex;
}

void mutex_unlock(struct mutex *mutex)
{
	spin_unlock(&mutex->lock);
	if (held[--n_held] != mutex)
		sim_bug("another mutex was taken last");
}

/* There is to be one transaction at a time, whoever needs it: all begin under one lock, the
 * last that was taken.
 */
static void check_alone(void)
{
	const struct mutex *last = n_held ? held[n_held - 1] : NULL;

	if (!sim_xs.alone)
		sim_xs.alone = last;
	if (!last || sim_xs.alone != last)
		sim_bug("a transaction that may not be the only one");
}

static bool fails(u32 *countdown)
{
	return *countdown && !--*countdown;
}

/* "error/backend/vif/5/0/error" is within "error/backend/vif/5", and that is all of it. */
static bool within(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && (!path[len] || path[len] == '/');
}

static bool in_store(u32 i, const char *dir)
{
	u32 j;

	for (j = 0; keys[i].value && j < n_removed; j++) {
		if (within(keys[i].path, removed[j]))
			return false;
	}
	return keys[i].value && within(keys[i].path, dir);
}

static u32 count(const char *dir)
{
	u32 i, n = 0;

	for (i = 0; i < N_KEYS; i++)
		n += in_store(i, dir);
	return n;
}

static void clear(const char *dir)
{
	u32 i;

	for (i = 0; i < N_KEYS; i++) {
		if (!keys[i].value || !within(keys[i].path, dir))
			continue;
		free(keys[i].value);
		keys[i].value = NULL;
	}
}

int xenbus_transaction_start(struct xenbus_transaction *t)
{
	if (sim_xs.open)
		sim_bug("a transaction within another");
	check_alone();
	if (sim_xs.fail_begin) {
		sim_xs.n_tried++;
		return sim_xs.fail_begin;
	}
	t->id = ++sim_xs.n_begun;
	sim_xs.open = t->id;
	n_written = 0;
	n_removed = 0;
	return 0;
}

static void check_transaction(struct xenbus_transaction t)
{
	if (t.id && t.id != sim_xs.open)
		sim_bug("transaction %u is not going on", t.id);
}

int xenbus_transaction_end(struct xenbus_transaction t, int abort)
{
	u32 i;

	check_transaction(t);
	if (!t.id)
		sim_bug("the end of no transaction");
	sim_xs.open = 0;
	if (!abort && !sim_xs.n_again) {
		for (i = 0; i < n_written; i++)
			sim_xs_write(written[i].dir, written[i].key, written[i].value);
		for (i = 0; i < n_removed; i++)
			clear(removed[i]);
	}
	n_removed = 0;
	if (abort) {
		sim_xs.n_aborted++;
		return 0;
	}
	if (!sim_xs.n_again)
		return 0;
	sim_xs.n_again--;
	return -EAGAIN;
}

char *xenbus_read(struct xenbus_transaction transaction, const char *dir, const char *key, unsigned int *len)
{
	const char *value = sim_xs_get(dir, key);
	char *copy;

	check_transaction(transaction);
	(void)len;
	sim_xs.n_reads++;
	if (!value)
		return ERR_PTR(-ENOENT);
	copy = sim_zalloc(1, strlen(value) + 1);
	if (!copy)
		return ERR_PTR(-ENOMEM);
	return strcpy(copy, value);
}

int xenbus_printf(struct xenbus_transaction transaction, const char *dir, const char *key, const char *fmt, ...)
{
	char text[256];
	va_list args;

	check_transaction(transaction);
	if (fails(&sim_xs.fail_write_in))
		return sim_xs.fail_write ? sim_xs.fail_write : -EIO;
	sim_xs.n_states += !strcmp(key, "state");
	va_start(args, fmt);
	/* The only format of the kernel's own that is used here. */
	if (strcmp(fmt, "%d %pV"))
		vsnprintf(text, sizeof(text), fmt, args);
	else
		snprintf(text, sizeof(text), "%d", va_arg(args, int));
	va_end(args);
	if (!transaction.id) {
		sim_xs_write(dir, key, text);
		return 0;
	}
	if (n_written == ARRAY_SIZE(written))
		sim_bug("too much is written at once");
	snprintf(written[n_written].dir, sizeof(written[0].dir), "%s", dir);
	snprintf(written[n_written].key, sizeof(written[0].key), "%s", key);
	strcpy(written[n_written++].value, text);
	return 0;
}

/* With all that is in it; what is not there is no error if its directory is. */
int xenbus_rm(struct xenbus_transaction transaction, const char *dir, const char *key)
{
	char path[96];

	check_transaction(transaction);
	if (!count(dir))
		return -ENOENT;
	snprintf(path, sizeof(path), *key ? "%s/%s" : "%s", dir, key);
	if (!transaction.id) {
		clear(path);
		return 0;
	}
	if (n_removed == ARRAY_SIZE(removed))
		sim_bug("too much is removed at once");
	strcpy(removed[n_removed++], path);
	return 0;
}

/* A path that is a key itself is an empty directory. */
char **xenbus_directory(struct xenbus_transaction transaction, const char *dir, const char *key,
			unsigned int *n)
{
	char **names;
	u32 i;

	check_transaction(transaction);
	if (*key)
		sim_bug("a directory's key");
	*n = 0;
	for (i = 0; i < N_KEYS; i++)
		*n += in_store(i, dir) && strcmp(keys[i].path, dir);
	names = sim_zalloc(1, 1);
	return names ? names : ERR_PTR(-ENOMEM);
}

static char *print(const char *fmt, va_list args)
{
	char *text = sim_zalloc(1, 256);

	if (text)
		vsnprintf(text, 256, fmt, args);
	return text;
}

char *kasprintf(unsigned int gfp, const char *fmt, ...)
{
	va_list args;
	char *text;

	(void)gfp;
	va_start(args, fmt);
	text = print(fmt, args);
	va_end(args);
	return text;
}

int add_uevent_var(struct kobj_uevent_env *env, const char *fmt, ...)
{
	va_list args;

	if (env->n == ARRAY_SIZE(env->var))
		return -ENOMEM;
	va_start(args, fmt);
	vsnprintf(env->var[env->n++], sizeof(env->var[0]), fmt, args);
	va_end(args);
	return 0;
}

int xenbus_watch_pathfmt(struct xenbus_device *dev, struct xenbus_watch *watch,
			 bool (*will_handle)(struct xenbus_watch *watch, const char *path,
					     const char *token),
			 void (*callback)(struct xenbus_watch *watch, const char *path,
					  const char *token),
			 const char *fmt, ...)
{
	va_list args;
	int err;

	(void)dev;
	va_start(args, fmt);
	watch->node = print(fmt, args);
	va_end(args);
	if (!watch->node)
		return -ENOMEM;
	watch->will_handle = will_handle;
	watch->callback = callback;
	err = register_xenbus_watch(watch);
	if (err) {
		kfree(watch->node);
		watch->node = NULL;
	}
	return err;
}

int register_xenbus_watch(struct xenbus_watch *watch)
{
	if (fails(&sim_xs.fail_watch_in) ||
	    (sim_xs.watches_max && sim_xs.n_watches == sim_xs.watches_max))
		return -ENOSPC;
	if (sim_xs.n_watches == ARRAY_SIZE(sim_xs.watch))
		sim_bug("too many watches");
	sim_xs.watch[sim_xs.n_watches++] = watch;
	return 0;
}

void unregister_xenbus_watch(struct xenbus_watch *watch)
{
	u32 i;

	for (i = 0; i < sim_xs.n_watches; i++) {
		if (sim_xs.watch[i] == watch) {
			sim_xs.watch[i] = sim_xs.watch[--sim_xs.n_watches];
			sim_xs.n_given_up++;
			return;
		}
	}
	sim_bug("a watch is given up that there is not");
}

u32 sim_xs_event(const char *dir, const char *key)
{
	struct xenbus_watch *watch;
	u32 i, n = 0;
	char path[96];

	snprintf(path, sizeof(path), *key ? "%s/%s" : "%s", dir, key);
	for (i = 0; i < sim_xs.n_watches; i++) {
		size_t len = strlen(sim_xs.watch[i]->node);

		watch = sim_xs.watch[i];
		if (strncmp(path, watch->node, len) || (path[len] && path[len] != '/') ||
		    (watch->will_handle && !watch->will_handle(watch, path, "")))
			continue;
		n++;
		watch->nr_pending++;
	}
	return n;
}

void sim_xs_handle(void)
{
	u32 i;

	for (i = 0; i < sim_xs.n_watches; i++) {
		while (sim_xs.watch[i]->nr_pending) {
			sim_xs.watch[i]->nr_pending--;
			sim_xs.watch[i]->callback(sim_xs.watch[i], "", "");
		}
	}
}

/* As lax as the kernel's: a plus, and an end of line, are taken. */
int kstrtou64(const char *text, unsigned int base, u64 *value)
{
	u64 n = 0;

	if (base != 10)
		sim_bug("kstrto() to base %u", base);
	text += *text == '+';
	if (!isdigit(*text))
		return -EINVAL;
	for (; isdigit(*text); text++) {
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *text - '0', &n))
			return -ERANGE;
	}
	text += *text == '\n';
	if (*text)
		return -EINVAL;
	*value = n;
	return 0;
}

int kstrtou32(const char *text, unsigned int base, u32 *value)
{
	u64 n;
	int err = kstrtou64(text, base, &n);

	if (err)
		return err;
	if (n >> 32)
		return -ERANGE;
	*value = n;
	return 0;
}

bool mac_pton(const char *text, u8 *mac)
{
	u32 i;

	if (strlen(text) < 17)
		return false;
	for (i = 0; i < 17; i++)
		if (i % 3 == 2 ? text[i] != ':' : !isxdigit(text[i]))
			return false;
	for (i = 0; i < 6; i++)
		mac[i] = strtoul(text + 3 * i, NULL, 16);
	return true;
}
