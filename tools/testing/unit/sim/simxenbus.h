/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The simulated kernel's xenbus, and a xenstore that is a list of keys. */

#ifndef SIM_SIMXENBUS_H
#define SIM_SIMXENBUS_H

#include <stdarg.h>

/* As in xen/interface/io/xenbus.h. */
enum xenbus_state {
	XenbusStateUnknown,
	XenbusStateInitialising,
	XenbusStateInitWait,
	XenbusStateInitialised,
	XenbusStateConnected,
	XenbusStateClosing,
	XenbusStateClosed,
	XenbusStateReconfiguring,
	XenbusStateReconfigured,
};

struct kobject {
	u32 n_online;
	u32 n_offline;
};

#define KOBJ_ONLINE			1
#define KOBJ_OFFLINE			2
#define kobject_uevent(kobj, what) \
	((what) == KOBJ_ONLINE ? (kobj)->n_online++ : (kobj)->n_offline++)

struct device {
	void *driver_data;
	struct kobject kobj;
	u32 n_unregistered;
	bool locked;
};

#define dev_set_drvdata(dev, data)	((void)((dev)->driver_data = (data)))
#define dev_get_drvdata(dev)		((dev)->driver_data)
#define device_trylock(dev)		(!(dev)->locked)
#define device_unlock(dev)		((void)(dev))
/* Waits for the device's lock. */
#define device_unregister(dev) do {						\
	if ((dev)->locked)							\
		sim_bug("who has locked the device waits for this thread");	\
	(dev)->n_unregistered++;						\
} while (0)

struct xenbus_device {
	void *page[3];
	u32 n_mapped[3];

	const char *nodename;
	const char *otherend;
	int otherend_id;
	struct device dev;
	enum xenbus_state state;
};

struct xenbus_watch {
	const char *node;
	unsigned int nr_pending;
	bool (*will_handle)(struct xenbus_watch *watch, const char *path, const char *token);
	void (*callback)(struct xenbus_watch *watch, const char *path, const char *token);
};

struct xenbus_device_id {
	char devicetype[32];
};

/* Variables for udev, as many as there is room for. */
struct kobj_uevent_env {
	u32 n;
	char var[4][64];
};

struct xenbus_driver {
	const struct xenbus_device_id *ids;
	bool allow_rebind;
	int (*probe)(struct xenbus_device *dev, const struct xenbus_device_id *id);
	void (*otherend_changed)(struct xenbus_device *dev, enum xenbus_state state);
	void (*remove)(struct xenbus_device *dev);
	int (*uevent)(const struct xenbus_device *dev, struct kobj_uevent_env *env);
};

struct va_format {
	const char *fmt;
	va_list *va;
};

struct xenbus_transaction {
	u32 id;
};

#define XBT_NIL				((struct xenbus_transaction){ 0 })

/* One at a time. What is written in it is there when it has ended well. */
int xenbus_transaction_start(struct xenbus_transaction *t);
int xenbus_transaction_end(struct xenbus_transaction t, int abort);

#define THIS_MODULE			NULL
#define try_module_get(module)		((void)(module), sim_xs.n_module++, true)
#define module_put(module)		((void)(module), sim_xs.n_module--)
#define xenbus_dev_fatal(dev, err, ...)	((void)(dev), (void)(err), sim_log(__VA_ARGS__))
#define xenbus_register_backend(drv)	(sim_xs.driver = (drv), sim_xs.fail_register)
#define xenbus_unregister_driver(drv)	((void)(drv), sim_xs.driver = NULL)
#define netdev_err(dev, fmt, ...)	sim_log(fmt, ##__VA_ARGS__)
#define PTR_ERR_OR_ZERO(p)		(IS_ERR(p) ? PTR_ERR(p) : 0)
#define IS_ERR_OR_NULL(p)		(!(p) || IS_ERR(p))

#define alloc_ordered_workqueue(name, flags) \
	(sim_xs.fail_queue ? NULL : (sim_xs.n_queues++, &sim_xs.queue))
#define destroy_workqueue(queue)	((void)(queue), sim_xs.n_queues--)

struct mutex {
	spinlock_t lock;
};

#define DEFINE_MUTEX(name)		struct mutex name
#define mutex_init(mutex)		spin_lock_init(&(mutex)->lock)
void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);
#define lockdep_assert_held(mutex) do {						\
	if (!(mutex)->lock.held)						\
		sim_bug("the backend's lock is not held");			\
} while (0)

/* What a test sees of xenstore. */
struct sim_xs {
	const struct xenbus_driver *driver;
	int n_module;
	u32 n_reads;
	u32 n_watches;
	u32 n_given_up;
	u32 n_states;		/* states that were written */
	struct xenbus_watch *watch[8];
	u32 watches_max;	/* so many can be had; 0: all */

	/* Nothing can be written, no watch be had, if they count down to 0. */
	u32 fail_write_in;
	int fail_write;		/* with this, or EIO if 0 */
	u32 fail_watch_in;
	int fail_register;
	bool fail_queue;
	u32 n_queues;
	struct workqueue_struct queue;
	/* Transactions: none begins, if not 0; so many do not end well. */
	int fail_begin;
	u32 n_again;
	u32 n_begun;
	u32 n_tried;		/* of those that did not begin */
	u32 n_aborted;
	u32 open;		/* the one that is going on */
	const struct mutex *alone;	/* under which all begin */
};

extern struct sim_xs sim_xs;

void sim_xs_reset(void);
/* NULL removes the key. */
void sim_xs_write(const char *dir, const char *key, const char *value);
const char *sim_xs_get(const char *dir, const char *key);

/* A key was written, or, with "", the directory came or went. Returns how many events
 * wait for it anew; they are handled by the other.
 */
u32 sim_xs_event(const char *dir, const char *key);
void sim_xs_handle(void);

char *xenbus_read(struct xenbus_transaction transaction, const char *dir, const char *key, unsigned int *len);
int xenbus_printf(struct xenbus_transaction transaction, const char *dir, const char *key, const char *fmt, ...);
int xenbus_rm(struct xenbus_transaction transaction, const char *dir, const char *key);
char **xenbus_directory(struct xenbus_transaction transaction, const char *dir, const char *key,
			unsigned int *n);
int xenbus_watch_pathfmt(struct xenbus_device *dev, struct xenbus_watch *watch,
			 bool (*will_handle)(struct xenbus_watch *watch, const char *path,
					     const char *token),
			 void (*callback)(struct xenbus_watch *watch, const char *path,
					  const char *token),
			 const char *fmt, ...) __printf(5, 6);
int register_xenbus_watch(struct xenbus_watch *watch);
void unregister_xenbus_watch(struct xenbus_watch *watch);
int add_uevent_var(struct kobj_uevent_env *env, const char *fmt, ...) __printf(2, 3);
char *kasprintf(unsigned int gfp, const char *fmt, ...) __printf(2, 3);
int kstrtou32(const char *text, unsigned int base, u32 *value);
int kstrtou64(const char *text, unsigned int base, u64 *value);
bool mac_pton(const char *text, u8 *mac);

#endif /* SIM_SIMXENBUS_H */
