// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Errors for xen-netback from what it calls, by probes, on a kernel without fault
 * injection. As long as this module is loaded,
 *
 *   status=S                 of the grant copies some are not made, and get status S
 *   call=FUNCTION error=E    of the calls of FUNCTION by xen-netback, some return E
 *
 * Which ones: the first is number "nth", from there on one in "every" of them, "times"
 * in all (0: no end). With
 *
 *   from=1, to=1             copies from the guest, to it; or else both
 *   whole=1                  batches are counted, and all copies of one get the status
 *   retries=N                a copy that has got GNTST_eagain gets it again when it is
 *                            tried again, N times (-1: each time)
 *   after=1                  FUNCTION does its work, and returns E then
 *   null=1                   FUNCTION does its work, with 0 for its second argument
 *
 * "seen", "hits" and "again" say how many there were, how many got an error, and how
 * many copies got it when they were tried again. "missed" are calls that went past the
 * probe, as they interrupted another one's look at it. If the probe cannot be placed, the
 * module does not load.
 */

#include <linux/atomic.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/spinlock.h>

#include <xen/grant_table.h>
#include <xen/xen.h>

#define COPY	"xen_netback:xenvif_grant_copy"

static int status;
module_param(status, int, 0444);
MODULE_PARM_DESC(status, "GNTST_* that copies get");

static char *call = "";
module_param(call, charp, 0444);
MODULE_PARM_DESC(call, "function that returns an error");

static long error;
module_param(error, long, 0444);
MODULE_PARM_DESC(error, "what it returns");

static int nth = 1;
module_param(nth, int, 0444);
MODULE_PARM_DESC(nth, "number of the first one");

static int every = 1;
module_param(every, int, 0444);
MODULE_PARM_DESC(every, "from there on, one in so many");

static int times;
module_param(times, int, 0444);
MODULE_PARM_DESC(times, "how many in all; 0: no end");

static bool from;
module_param(from, bool, 0444);
MODULE_PARM_DESC(from, "copies from the guest");

static bool to;
module_param(to, bool, 0444);
MODULE_PARM_DESC(to, "copies to the guest");

static bool whole;
module_param(whole, bool, 0444);
MODULE_PARM_DESC(whole, "all copies of a batch");

static int retries;
module_param(retries, int, 0444);
MODULE_PARM_DESC(retries, "times that a copy is to be tried again in vain; -1: always");

static bool after;
module_param(after, bool, 0444);
MODULE_PARM_DESC(after, "the function does its work before");

static bool null;
module_param(null, bool, 0444);
MODULE_PARM_DESC(null, "the function's second argument is 0");

/* Guards what follows. Probes run with interrupts on or off. */
static DEFINE_RAW_SPINLOCK(lock);
static unsigned int seen, hits, again;

module_param(seen, uint, 0444);
module_param(hits, uint, 0444);
module_param(again, uint, 0444);

/* Copies that are to be tried again some more times in vain. */
static struct {
	const struct gnttab_copy *op;
	int left;
} stuck[64];

/* Whether this one of what is counted gets the error. */
static bool hit(void)
{
	lockdep_assert_held(&lock);
	seen++;
	if (seen < nth || (seen - nth) % every || (times && hits >= times))
		return false;
	hits++;
	return true;
}

/* Keep in mind that a copy is to fail again; whether there was a place for it. */
static bool stick(const struct gnttab_copy *op)
{
	int i, place = -1;

	if (status != GNTST_eagain || retries < 0)
		return true;
	for (i = 0; i < ARRAY_SIZE(stuck); i++) {
		if (stuck[i].op == op) {
			place = i;
			break;
		}
		if (!stuck[i].op)
			place = i;
	}
	if (place < 0)
		return false;
	stuck[place].op = op;
	stuck[place].left = retries;
	return true;
}

/* Whether a copy that is tried again fails again. */
static bool sticks(const struct gnttab_copy *op)
{
	int i;

	if (retries < 0)
		return true;
	for (i = 0; i < ARRAY_SIZE(stuck); i++) {
		if (stuck[i].op != op)
			continue;
		if (stuck[i].left-- > 0)
			return true;
		stuck[i].op = NULL;
	}
	return false;
}

/* A call of xenvif_grant_copy(). */
struct copies {
	struct gnttab_copy *op;
	u32 n;
};

/* Domains have small numbers, and those with this bit are none: Xen refuses the copy. */
#define NOBODY	0x4000

/* The guest's end of a copy. */
static struct gnttab_copy_ptr *guests(struct gnttab_copy *op)
{
	return op->flags & GNTCOPY_dest_gref ? &op->dest : &op->source;
}

static bool concerned(const struct gnttab_copy *op)
{
	return from == to || (from ? !(op->flags & GNTCOPY_dest_gref) :
				     op->flags & GNTCOPY_dest_gref);
}

/* Whether a copy that is about to be made shall fail. */
static bool fails(const struct gnttab_copy *op, bool retried, bool all)
{
	if (!concerned(op))
		return false;
	if (!retried)
		return (all || (!whole && hit())) && stick(op);
	if (!sticks(op))
		return false;
	again++;
	return true;
}

static int copy_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct copies *copies = (struct copies *)ri->data;
	bool all, retried;
	unsigned long flags;
	u32 i;

	copies->op = (struct gnttab_copy *)regs_get_kernel_argument(regs, 0);
	copies->n = regs_get_kernel_argument(regs, 1);
	/* A new one has another error. */
	retried = copies->n == 1 && copies->op->status == GNTST_eagain;

	raw_spin_lock_irqsave(&lock, flags);
	all = whole && !retried && concerned(copies->op) && hit();
	for (i = 0; i < copies->n; i++)
		if (fails(&copies->op[i], retried, all))
			guests(&copies->op[i])->domid ^= NOBODY;
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

NOKPROBE_SYMBOL(copy_entry);

static int copy_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct copies *copies = (struct copies *)ri->data;
	struct gnttab_copy_ptr *ptr;
	u32 i;

	for (i = 0; i < copies->n; i++) {
		ptr = guests(&copies->op[i]);
		if (!(ptr->domid & NOBODY))
			continue;
		ptr->domid ^= NOBODY;
		copies->op[i].status = status;
	}
	return 0;
}

NOKPROBE_SYMBOL(copy_return);

/* Whether the function that has just been entered was called by xen-netback. */
static bool called_by_netback(struct pt_regs *regs)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol(name, *(unsigned long *)kernel_stack_pointer(regs));
	return strstr(name, " [xen_netback]");
}

static bool call_hit(struct pt_regs *regs)
{
	unsigned long flags;
	bool yes;

	if (!called_by_netback(regs))
		return false;
	raw_spin_lock_irqsave(&lock, flags);
	yes = hit();
	raw_spin_unlock_irqrestore(&lock, flags);
	return yes;
}

/* Where a function goes on that returns at once. */
static noinline notrace void nothing(void)
{
	asm volatile("");
}

static int call_pre(struct kprobe *probe, struct pt_regs *regs)
{
	if (!call_hit(regs))
		return 0;
	if (null) {
		regs->si = 0;
		return 0;
	}
	regs_set_return_value(regs, error);
	instruction_pointer_set(regs, (unsigned long)nothing);
	return 1;
}

NOKPROBE_SYMBOL(call_pre);

/* With one of these a probe does not become a jump, which could not change where the
 * function goes on.
 */
static void call_post(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static int call_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	/* If not 0, the return is left alone. */
	return !call_hit(regs);
}

NOKPROBE_SYMBOL(call_entry);

static int call_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	regs_set_return_value(regs, error);
	return 0;
}

NOKPROBE_SYMBOL(call_return);

static struct kprobe at_entry = {
	.pre_handler = call_pre,
	.post_handler = call_post,
};

static struct kretprobe at_return = {
	.data_size = sizeof(struct copies),
	.maxactive = 64,
};

static int missed_get(char *buf, const struct kernel_param *param)
{
	return sprintf(buf, "%lu\n",
		       at_entry.nmissed + at_return.nmissed + at_return.kp.nmissed);
}

static const struct kernel_param_ops missed_ops = {
	.get = missed_get,
};
module_param_cb(missed, &missed_ops, NULL, 0444);

static bool probes_return(void)
{
	return !*call || after;
}

static int __init xenvif_faults_init(void)
{
	if (every < 1 || !*call == !status)
		return -EINVAL;
	if (!probes_return()) {
		at_entry.symbol_name = call;
		return register_kprobe(&at_entry);
	}
	at_return.kp.symbol_name = *call ? call : COPY;
	at_return.entry_handler = *call ? call_entry : copy_entry;
	at_return.handler = *call ? call_return : copy_return;
	return register_kretprobe(&at_return);
}
module_init(xenvif_faults_init);

static void __exit xenvif_faults_exit(void)
{
	if (probes_return())
		unregister_kretprobe(&at_return);
	else
		unregister_kprobe(&at_entry);
}
module_exit(xenvif_faults_exit);

MODULE_DESCRIPTION("Errors for xen-netback from what it calls, for tests");
MODULE_LICENSE("Dual BSD/GPL");
