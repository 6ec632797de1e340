// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One bug for each detector of the debug kernel, to see that it is reported and
 * that the report reaches the verdict. Loading the module commits the bug that
 * its parameter names; the load fails then, so that the next one can follow.
 */

#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>
#include <net/net_debug.h>

static char *bug = "";
module_param(bug, charp, 0);
MODULE_PARM_DESC(bug, "which one to commit");

/* Where the compiler cannot see what comes of a value. */
static int number;
static void *lost;

static void bug_use_after_free(void)
{
	char *p = kmalloc(64, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(p);
	kfree(p);
	WRITE_ONCE(number, READ_ONCE(p[8]));
}

static void bug_out_of_bounds(void)
{
	char *p = kmalloc(120, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(p);
	if (p)
		WRITE_ONCE(p[120], 1);
	kfree(p);
}

static void bug_stack(void)
{
	char buf[16];
	char *p = buf;

	OPTIMIZER_HIDE_VAR(p);
	WRITE_ONCE(number, READ_ONCE(p[16]));
}

static void bug_shift(void)
{
	WRITE_ONCE(number, 40);
	WRITE_ONCE(number, 1 << READ_ONCE(number));
}

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

static void bug_lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static DEFINE_SPINLOCK(spin);

static void bug_sleep_in_atomic(void)
{
	spin_lock(&spin);
	might_sleep();
	spin_unlock(&spin);
}

static int __rcu *published;

static void bug_rcu(void)
{
	WRITE_ONCE(lost, rcu_dereference(published));
}

static void bug_list(void)
{
	static LIST_HEAD(head);
	static struct list_head entry;

	list_add(&entry, &head);
	entry.prev = &entry;
	list_del(&entry);
	INIT_LIST_HEAD(&head);
}

struct timed {
	struct timer_list timer;
};

static void timed_out(struct timer_list *timer)
{
}

static void bug_active_object(void)
{
	struct timed *timed = kzalloc(sizeof(*timed), GFP_KERNEL);

	if (!timed)
		return;
	timer_setup(&timed->timer, timed_out, 0);
	mod_timer(&timed->timer, jiffies + 1000 * HZ);
	kfree(timed);
}

static void bug_refcount(void)
{
	refcount_t ref = REFCOUNT_INIT(1);

	refcount_dec(&ref);
	refcount_inc(&ref);
}

static void bug_net(void)
{
	DEBUG_NET_WARN_ON_ONCE(strlen(bug));
}

static void bug_leak(void)
{
	int i;

	for (i = 0; i < 8; i++)
		WRITE_ONCE(lost, kmalloc(200, GFP_KERNEL));
	WRITE_ONCE(lost, NULL);
}

static void bug_virtual(void)
{
	void *p = vmalloc(PAGE_SIZE);

	WRITE_ONCE(number, virt_to_phys(p) & 1);
	vfree(p);
}

static int hung_thread(void *data)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule();
	return 0;
}

static void bug_hung_task(void)
{
	kthread_run(hung_thread, NULL, "hung");
}

static void bug_soft_lockup(void)
{
	preempt_disable();
	mdelay(200 * 1000);
	preempt_enable();
}

static const struct {
	const char *name;
	void (*commit)(void);
} bugs[] = {
	{ "use_after_free", bug_use_after_free },
	{ "out_of_bounds", bug_out_of_bounds },
	{ "stack", bug_stack },
	{ "shift", bug_shift },
	{ "lock_order", bug_lock_order },
	{ "sleep_in_atomic", bug_sleep_in_atomic },
	{ "rcu", bug_rcu },
	{ "list", bug_list },
	{ "active_object", bug_active_object },
	{ "refcount", bug_refcount },
	{ "net", bug_net },
	{ "leak", bug_leak },
	{ "virtual", bug_virtual },
	{ "hung_task", bug_hung_task },
	{ "soft_lockup", bug_soft_lockup },
};

static int __init xenvif_bugs_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (strcmp(bug, bugs[i].name))
			continue;
		pr_info("xenvif_bugs: %s\n", bug);
		bugs[i].commit();
		/* Its thread lives in it. */
		return strcmp(bug, "hung_task") ? -EAGAIN : 0;
	}
	return -EINVAL;
}
module_init(xenvif_bugs_init);

MODULE_DESCRIPTION("Bugs for the detectors of the debug kernel to find");
MODULE_LICENSE("Dual BSD/GPL");
