/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A kernel in user space, as much of it as the driver's data path asks for: so
 * guest_tx.c, guest_rx.c and queue.c are compiled as they are, and run under the
 * sanitizers. All of linux/, net/ and xen/ that include/ does not have leads here.
 *
 * One thread, and a clock that moves when it is told to. Memory is an arena of
 * pages that are filled when they are taken and poisoned when they are given
 * back, so a byte too far is seen.
 */

#ifndef SIM_SIMKERNEL_H
#define SIM_SIMKERNEL_H

#include <endian.h>
#include <inttypes.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <asm/barrier.h>
#include <xen/interface/grant_table.h>
#include <xen/page.h>

/* Basics. */
#define KBUILD_MODNAME		"xen_netback"
#define BIT(n)			(1UL << (n))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define round_up(x, y)		((((x) - 1) | ((typeof(x))(y) - 1)) + 1)
#define ALIGN(x, a)		round_up(x, a)
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define sizeof_field(type, member) sizeof(((type *)0)->member)
#define struct_size(p, member, n) \
	(sizeof(*(p)) + sizeof((p)->member[0]) * (size_t)(n))
#define swap(a, b) do { typeof(a) __t = (a); (a) = (b); (b) = __t; } while (0)

#define pr_debug(fmt, ...)		do { } while (0)
#define netdev_warn(dev, fmt, ...)	sim_log(fmt, ##__VA_ARGS__)

void sim_log(const char *fmt, ...);
void sim_may_sleep(void);

static inline bool test_bit(int nr, const unsigned long *addr)
{
	return *addr & BIT(nr);
}

static inline void set_bit(int nr, unsigned long *addr)
{
	*addr |= BIT(nr);
}

static inline bool test_and_clear_bit(int nr, unsigned long *addr)
{
	bool was = test_bit(nr, addr);

	*addr &= ~BIT(nr);
	return was;
}

#define smp_mb__after_atomic()	__sync_synchronize()

typedef struct {
	int counter;
} atomic_t;

/* Somebody comes in between just before. */
extern void (*sim_atomic_hook)(const atomic_t *v);

static inline int atomic_read(const atomic_t *v)
{
	if (sim_atomic_hook)
		sim_atomic_hook(v);
	return v->counter;
}

static inline void atomic_set(atomic_t *v, int i)
{
	v->counter = i;
}

#define ATOMIC_INIT(i)		{ i }

static inline int atomic_inc_return(atomic_t *v)
{
	return ++v->counter;
}

static inline void atomic_sub(int i, atomic_t *v)
{
	v->counter -= i;
}

static inline void atomic_dec(atomic_t *v)
{
	v->counter--;
}

static inline void atomic_or(int i, atomic_t *v)
{
	v->counter |= i;
}

static inline bool atomic_try_cmpxchg(atomic_t *v, int *old, int new)
{
	return __atomic_compare_exchange_n(&v->counter, old, new, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static inline int atomic_fetch_andnot(int i, atomic_t *v)
{
	int old = v->counter;

	v->counter &= ~i;
	return old;
}

static inline void *ERR_PTR(long err)
{
	return (void *)err;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return (unsigned long)ptr >= (unsigned long)-4095;
}

static inline void *ERR_CAST(const void *ptr)
{
	return (void *)ptr;
}

/* Locks: one thread, so it is enough that they are balanced. */
typedef struct {
	bool held;
} spinlock_t;

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->held = false;
}

static inline void spin_lock(spinlock_t *lock)
{
	if (lock->held)
		sim_bug("a lock is taken twice");
	lock->held = true;
}

static inline void spin_unlock(spinlock_t *lock)
{
	if (!lock->held)
		sim_bug("a lock is released that is not held");
	lock->held = false;
}

void sim_irqs_off(bool off);
void sim_no_irq(void);

#define spin_lock_irq(lock)			(sim_no_irq(), spin_lock_irqsave(lock, sim.flags))
#define spin_unlock_irq(lock)			spin_unlock_irqrestore(lock, sim.flags)
#define spin_lock_bh(lock)			spin_lock(lock)
#define spin_unlock_bh(lock)			spin_unlock(lock)
#define spin_lock_irqsave(lock, flags)		((flags) = 0, sim_irqs_off(true), spin_lock(lock))
#define spin_unlock_irqrestore(lock, flags)	((void)(flags), spin_unlock(lock), \
						 sim_irqs_off(false))
#define migrate_disable()			do { } while (0)
#define migrate_enable()			do { } while (0)
#define local_bh_disable()			do { } while (0)
#define local_bh_enable()			do { } while (0)

struct u64_stats_sync {
	bool updating;
};

typedef struct {
	u64 v;
} u64_stats_t;

#define u64_stats_init(sync)	((sync)->updating = false)

static inline void u64_stats_update_begin(struct u64_stats_sync *sync)
{
	if (sync->updating)
		sim_bug("counters are updated by two");
	sync->updating = true;
}

static inline void u64_stats_update_end(struct u64_stats_sync *sync)
{
	sync->updating = false;
}

#define u64_stats_add(stat, n)	((stat)->v += (n))
#define u64_stats_inc(stat)	((stat)->v++)
#define u64_stats_read(stat)	((stat)->v)

/* Time. */
#define HZ			1000
#define NSEC_PER_SEC		1000000000L
#define NSEC_PER_USEC		1000L
#define NSEC_PER_MSEC		1000000L
#define MAX_SCHEDULE_TIMEOUT	((long)(~0UL >> 1))
#define jiffies			(sim.ticks)
#define time_after_eq(a, b)	((long)((a) - (b)) >= 0)
#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_before(a, b)	time_after(b, a)
#define msecs_to_jiffies(ms)	((unsigned long)(ms))

typedef s64 ktime_t;

#define ktime_get_ns()		(sim.now)
#define ns_to_ktime(ns)		((ktime_t)(ns))

enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };
enum hrtimer_mode { HRTIMER_MODE_REL };

#ifndef CLOCK_MONOTONIC
#define CLOCK_MONOTONIC 1
#endif

struct hrtimer {
	enum hrtimer_restart (*function)(struct hrtimer *timer);
	u64 expires;
	bool armed;
};

#define hrtimer_setup(timer, func, clock, mode) \
	(*(timer) = (struct hrtimer){ .function = (func) })

static inline int hrtimer_cancel(struct hrtimer *timer)
{
	bool was = timer->armed;

	timer->armed = false;
	return was;
}

void hrtimer_start(struct hrtimer *timer, ktime_t in, enum hrtimer_mode mode);

/* Memory. */
#define GFP_KERNEL	0
#define GFP_ATOMIC	0
#define __GFP_ZERO	1
#define NUMA_NO_NODE	(-1)
#ifndef PAGE_SHIFT
#define PAGE_SHIFT	12
#endif
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define offset_in_page(p) ((unsigned long)(p) & ~PAGE_MASK)

#define kzalloc(size, gfp)	sim_zalloc(1, size)
#define kvzalloc(size, gfp)	sim_zalloc(1, size)
#define kvcalloc(n, size, gfp)	sim_zalloc(n, size)
#define kcalloc(n, size, gfp)	sim_zalloc(n, size)
#define kfree(p)		sim_free(p)
#define kvfree(p)		sim_free(p)
#define kvfree_rcu(p, field)	((void)(p)->field, sim_free(p))

void *sim_zalloc(size_t n, size_t size);
void sim_free(const void *p);

struct xen_page_foreign {
	domid_t domid;
	grant_ref_t gref;
};

struct page_pool;

/* refs is 0 for a free page. With a mapping, foreign is what a cache keeps there. A page
 * of a pool goes back to it, or else leaks; so do its fragments, each of which has a
 * reference.
 */
struct page {
	u32 refs;
	u32 run;
	bool mapped;
	struct page_pool *pool;
	const void *mapping;
	struct xen_page_foreign foreign;
};

struct page *sim_pages_alloc(u32 n);
void sim_page_put(struct page *page);
u32 sim_pages_used(void);
u32 sim_page_number(const struct page *page);
void *page_address(const struct page *page);
struct page *alloc_page(unsigned int gfp);
#define dev_alloc_page()		alloc_page(0)
#define __free_page(page)	sim_page_put(page)
#define memcpy_from_page(to, page, offset, len) \
	memcpy(to, (u8 *)page_address(page) + (offset), len)

/* Grants of the guest's that are mapped: see sim.c. */
#define INVALID_GRANT_HANDLE	((grant_handle_t)-1)

int gnttab_alloc_pages(int n, struct page **pages);
void gnttab_free_pages(int n, struct page **pages);
int gnttab_map_refs(struct gnttab_map_grant_ref *map, struct gnttab_map_grant_ref *kmap,
		    struct page **pages, unsigned int n);
int gnttab_unmap_refs(struct gnttab_unmap_grant_ref *unmap,
		      struct gnttab_unmap_grant_ref *kunmap, struct page **pages,
		      unsigned int n);

static inline void gnttab_set_map_op(struct gnttab_map_grant_ref *op, phys_addr_t addr,
				     u32 flags, grant_ref_t ref, domid_t domid)
{
	*op = (struct gnttab_map_grant_ref){
		.host_addr = addr,
		.flags = flags,
		.ref = ref,
		.dom = domid,
	};
}

static inline void gnttab_set_unmap_op(struct gnttab_unmap_grant_ref *op, phys_addr_t addr,
				       u32 flags, grant_handle_t handle)
{
	*op = (struct gnttab_unmap_grant_ref){ .host_addr = addr, .handle = handle };
}

struct page *virt_to_page(const void *addr);

/* What a page holds until somebody writes there. */
#define SIM_FILL	0xA5

#define page_to_phys(page)	((phys_addr_t)(unsigned long)page_address(page))
#define kasan_check_write(p, n)	do { (void)(p); (void)(n); } while (0)
#define kasan_check_read(p, n)	do { (void)(p); (void)(n); } while (0)

static inline struct xen_page_foreign *xen_page_foreign(struct page *page)
{
	return page->foreign.domid ? &page->foreign : NULL;
}

struct page_pool_params {
	unsigned int flags;
	unsigned int order;
	unsigned int pool_size;
	int nid;
	void *dev;
	struct napi_struct *napi;
	struct net_device *netdev;
};

struct page_pool *page_pool_create(const struct page_pool_params *params);
void page_pool_destroy(struct page_pool *pool);
struct page *page_pool_dev_alloc_pages(struct page_pool *pool);
struct page *page_pool_dev_alloc_frag(struct page_pool *pool, unsigned int *offset,
				      unsigned int size);
void page_pool_put_full_page(struct page_pool *pool, struct page *page, bool allow_direct);

/* Hypercalls and events. */
#define GNTTABOP_copy	5

int HYPERVISOR_grant_table_op(unsigned int cmd, void *uop, unsigned int count);

#define noinline	__attribute__((__noinline__))
#define ALLOW_ERROR_INJECTION(function, type)	static_assert(1)

typedef int irqreturn_t;
typedef irqreturn_t (*irq_handler_t)(int irq, void *data);

#define IRQ_HANDLED		1
#define IRQF_NO_AUTOEN		1
#define XEN_EOI_FLAG_SPURIOUS	1

struct xenbus_device;

int bind_interdomain_evtchn_to_irqhandler_lateeoi(struct xenbus_device *dev,
						  evtchn_port_t port,
						  irq_handler_t handler,
						  unsigned long flags,
						  const char *name, void *data);
void unbind_from_irqhandler(unsigned int irq, void *data);
void xen_irq_lateeoi(unsigned int irq, unsigned int flags);
void notify_remote_via_irq(int irq);
void enable_irq(unsigned int irq);
void disable_irq(unsigned int irq);

int xenbus_map_ring_valloc(struct xenbus_device *dev, grant_ref_t *gref,
			   unsigned int n, void **vaddr);
int xenbus_unmap_ring_vfree(struct xenbus_device *dev, void *vaddr);

/* Threads. One runs at a time, so nobody is ever waited for like this. */
#define irqs_disabled()	false
#define cpu_relax()	sim_bug("waiting for one who does not run")
#define TASK_IDLE	1

struct task_struct {
	int (*function)(void *data);
	void *data;
	u32 flags;
};

#define PF_KTHREAD	0x00200000
#define PF_USER_WORKER	0x00004000
/* Of the kernel's options the driver asks for these. Where pages are larger it is not x86. */
#define IS_ENABLED(option)	SIM_##option
#define SIM_CONFIG_PREEMPT_RT	0
#define SIM_CONFIG_X86		(PAGE_SHIFT == 12)
/* Who sends packets: a softirq, unless the test says otherwise. */
extern struct task_struct sim_sender;
#define current		(&sim_sender)
bool in_task(void);

typedef struct {
	bool sleeping;
	bool woken;
} wait_queue_head_t;

struct task_struct *sim_kthread_run(int (*function)(void *data), void *data);
int kthread_stop(struct task_struct *task);
bool kthread_should_stop(void);
long schedule_timeout(long timeout);
long schedule_timeout_idle(long timeout);
void cond_resched(void);
void wake_up(wait_queue_head_t *wait);
void sim_prepare_to_wait(wait_queue_head_t *wait, int *entry);

#define kthread_run(function, data, fmt, ...) sim_kthread_run(function, data)
#define init_waitqueue_head(wait)	(*(wait) = (wait_queue_head_t){ 0 })
#define DEFINE_WAIT(name)		int name = 0
#define prepare_to_wait(wait, w, state) sim_prepare_to_wait(wait, w)
#define finish_wait(wait, w)		(*(w) = 0, (wait)->sleeping = false)
#define wq_has_sleeper(wait)		((wait)->sleeping)

/* Grace periods: who reads under RCU does so until one ends. */
struct rcu_head {
	int none;
};

unsigned long get_state_synchronize_rcu(void);
void cond_synchronize_rcu(unsigned long state);

struct work_struct {
	void (*function)(struct work_struct *work);
	bool queued;
};

struct workqueue_struct {
	int none;
};

#define system_dfl_wq		NULL
#define INIT_WORK(work, func)		(*(work) = (struct work_struct){ .function = (func) })
#define queue_work(wq, work)		sim_queue_work(work)

/* Later, which is when a test says so. */
struct delayed_work {
	struct work_struct work;
};

#define INIT_DELAYED_WORK(later, func)	INIT_WORK(&(later)->work, func)
#define to_delayed_work(w)		container_of(w, struct delayed_work, work)
#define cancel_delayed_work_sync(later)	cancel_work_sync(&(later)->work)

/* The last one that was queued. */
extern struct delayed_work *sim_delayed;

static inline bool queue_delayed_work(void *wq, struct delayed_work *work, unsigned long delay)
{
	bool was = work->work.queued;

	(void)wq;
	(void)delay;
	work->work.queued = true;
	sim_delayed = work;
	return !was;
}

void sim_queue_work(struct work_struct *work);
bool cancel_work_sync(struct work_struct *work);

struct ratelimit_state {
	u32 left;
};

#define __ratelimit(rs)	((rs)->left ? (rs)->left-- : 0)

/* Ethernet. */
#define htons(x)		((__be16)htobe16(x))
#define ntohs(x)		((u16)be16toh(x))
#define cpu_to_be16(x)		htons(x)
#define be16_to_cpu(x)		ntohs(x)
#define ETH_HLEN		14
#define ETH_ALEN		6
#define ETH_P_IP		0x0800
#define ETH_P_8021Q		0x8100
#define ETH_P_8021AD		0x88A8
#define ETH_P_IPV6		0x86DD
#define VLAN_HLEN		4
#define VLAN_ETH_HLEN		18
#define IFNAMSIZ		16

struct ethhdr {
	u8 h_dest[ETH_ALEN];
	u8 h_source[ETH_ALEN];
	__be16 h_proto;
} __attribute__((packed));

struct vlan_hdr {
	__be16 h_vlan_TCI;
	__be16 h_vlan_encapsulated_proto;
};

static inline bool eth_type_vlan(__be16 proto)
{
	return proto == htons(ETH_P_8021Q) || proto == htons(ETH_P_8021AD);
}

#define IPPROTO_HOPOPTS		0
#define IPPROTO_TCP		6
#define IPPROTO_UDP		17
#define IPPROTO_ROUTING		43
#define IPPROTO_FRAGMENT	44
#define IPPROTO_AH		51
#define IPPROTO_DSTOPTS		60

struct iphdr {
	u8 ignored[9];
	u8 protocol;
	u8 more[10];
};

struct ipv6hdr {
	u8 ignored[6];
	u8 nexthdr;
	u8 more[33];
};

struct ipv6_opt_hdr {
	u8 nexthdr;
	u8 hdrlen;
};

struct frag_hdr {
	u8 nexthdr;
	u8 more[7];
};

#define ipv6_optlen(ext)	(((ext)->hdrlen + 1) * 8)
#define ipv6_authlen(ext)	(((ext)->hdrlen + 2) * 4)

struct tcphdr {
	u8 ports[4];
	u8 seq[8];
	u8 doff;
	u8 flags;
	u8 window[2];
	u16 check;
	u8 urg[2];
};

struct udphdr {
	u8 ports[4];
	u8 len[2];
	u16 check;
};

/* Packets. */
#define XDP_PACKET_HEADROOM	256
#define NET_IP_ALIGN		0
#define MAX_SKB_FRAGS		17
#define GSO_LEGACY_MAX_SIZE	65536
#define SKB_DATA_ALIGN(size)	round_up(size, 64)
#define SKB_WITH_OVERHEAD(size)	((size) - SKB_DATA_ALIGN(sizeof(struct skb_shared_info)))

enum { CHECKSUM_NONE, CHECKSUM_UNNECESSARY, CHECKSUM_COMPLETE, CHECKSUM_PARTIAL };
enum { SKB_GSO_TCPV4 = 1, SKB_GSO_DODGY = 2, SKB_GSO_TCPV6 = 16 };
enum pkt_hash_types { PKT_HASH_TYPE_NONE, PKT_HASH_TYPE_L2, PKT_HASH_TYPE_L3, PKT_HASH_TYPE_L4 };
enum skb_drop_reason {
	SKB_CONSUMED,
	SKB_DROP_REASON_NOT_SPECIFIED,
	SKB_DROP_REASON_NOMEM,
	SKB_DROP_REASON_FULL_RING,
	SKB_DROP_REASON_DEV_READY,
	SKB_DROP_REASON_QUEUE_PURGE,
	SKB_DROP_REASON_PKT_TOO_SMALL,
	SKB_DROP_REASON_PKT_TOO_BIG,
	SKB_DROP_REASON_DEV_HDR,
	SKB_DROP_REASON_HDR_TRUNC,
};

typedef struct {
	struct page *page;
	u32 offset;
	u32 len;
} skb_frag_t;

struct net_device;

struct sk_buff {
	struct sk_buff *next;
	struct sk_buff *prev;
	struct net_device *dev;
	u32 len;
	u32 data_len;
	u32 truesize;
	u8 *head;
	u8 *data;
	u32 tail;
	u32 end;
	u16 mac_header;
	u16 network_header;
	u16 transport_header;
	u16 csum_start;
	u16 csum_offset;
	u16 rx_queue;
	__be16 protocol;
	u8 ip_summed;
	u8 hash_type;
	bool pp_recycle;
	u32 hash;
	char cb[48] __attribute__((aligned(8)));
};

/* At the end of the head, as in the kernel: what overruns the head hits it. */
struct skb_shared_info {
	u8 nr_frags;
	u16 gso_size;
	u16 gso_segs;
	u32 gso_type;
	u32 magic;
	struct sk_buff *frag_list;
	skb_frag_t frags[MAX_SKB_FRAGS];
};

#define SIM_SHINFO_MAGIC	0x5EED5EED

struct sk_buff_head {
	struct sk_buff *next;
	struct sk_buff *prev;
	u32 qlen;
};

static inline u8 *skb_end_pointer(const struct sk_buff *skb)
{
	return skb->head + skb->end;
}

static inline struct skb_shared_info *skb_shinfo(const struct sk_buff *skb)
{
	struct skb_shared_info *info = (struct skb_shared_info *)skb_end_pointer(skb);

	if (info->magic != SIM_SHINFO_MAGIC)
		sim_bug("a packet's head was overrun");
	return info;
}

struct sk_buff *napi_build_skb(void *data, unsigned int size);
void sim_skb_free(struct sk_buff *skb);
void *__pskb_pull_tail(struct sk_buff *skb, int delta);
int skb_copy_bits(const struct sk_buff *skb, int offset, void *to, int len);
int skb_checksum_setup(struct sk_buff *skb, bool recalculate);
__be16 eth_type_trans(struct sk_buff *skb, struct net_device *dev);
void skb_add_rx_frag(struct sk_buff *skb, int i, struct page *page, int off,
		     int size, unsigned int truesize);
void skb_coalesce_rx_frag(struct sk_buff *skb, int i, int size, unsigned int truesize);
void *__skb_put(struct sk_buff *skb, unsigned int len);

void sim_skb_free_now(struct sk_buff *skb);

#define kfree_skb(skb)			sim_skb_free_now(skb)
#define kfree_skb_reason(skb, why)	((void)(why), sim_skb_free_now(skb))
#define consume_skb(skb)		sim_skb_free_now(skb)
#define napi_consume_skb(skb, budget)	sim_skb_free_now(skb)
#define dev_kfree_skb_any_reason(skb, why) ((void)(why), sim_skb_free(skb))
#define dev_kfree_skb_any(skb)		sim_skb_free(skb)
#define skb_mark_for_recycle(skb)	((skb)->pp_recycle = true)
#define skb_tx_timestamp(skb)		do { (void)(skb); } while (0)
#define skb_orphan_frags(skb, gfp)	((void)(skb), 0)
#define skb_record_rx_queue(skb, q)	((skb)->rx_queue = (q) + 1)
#define skb_walk_frags(skb, iter) \
	for (iter = skb_shinfo(skb)->frag_list; iter; iter = iter->next)

static inline void skb_reserve(struct sk_buff *skb, int len)
{
	skb->data += len;
	skb->tail += len;
}

static inline u32 skb_headlen(const struct sk_buff *skb)
{
	return skb->len - skb->data_len;
}

static inline bool skb_is_nonlinear(const struct sk_buff *skb)
{
	return skb->data_len;
}

static inline bool skb_has_frag_list(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->frag_list;
}

static inline u32 skb_headroom(const struct sk_buff *skb)
{
	return skb->data - skb->head;
}

static inline bool skb_is_gso(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->gso_size;
}

static inline struct page *skb_frag_page(const skb_frag_t *frag)
{
	return frag->page;
}

static inline u32 skb_frag_size(const skb_frag_t *frag)
{
	return frag->len;
}

static inline void skb_frag_size_add(skb_frag_t *frag, int delta)
{
	frag->len += delta;
}

static inline void skb_frag_fill_page_desc(skb_frag_t *frag, struct page *page, int off,
					   int size)
{
	*frag = (skb_frag_t){ page, off, size };
}

#define skb_propagate_pfmemalloc(page, skb)	do { (void)(page); (void)(skb); } while (0)

static inline u32 skb_frag_off(const skb_frag_t *frag)
{
	return frag->offset;
}

static inline void skb_set_hash(struct sk_buff *skb, u32 hash, enum pkt_hash_types type)
{
	skb->hash = hash;
	skb->hash_type = type;
}

static inline void *__skb_pull(struct sk_buff *skb, unsigned int len)
{
	if (len > skb_headlen(skb))
		sim_bug("a pull of more than the head has");
	skb->len -= len;
	return skb->data += len;
}

static inline void *__skb_push(struct sk_buff *skb, unsigned int len)
{
	if (len > skb_headroom(skb))
		sim_bug("a push into no headroom");
	skb->len += len;
	return skb->data -= len;
}

static inline bool pskb_may_pull(struct sk_buff *skb, unsigned int len)
{
	if (len <= skb_headlen(skb))
		return true;
	if (len > skb->len)
		return false;
	return __pskb_pull_tail(skb, len - skb_headlen(skb));
}

static inline void *skb_header_pointer(const struct sk_buff *skb, int offset, int len,
				       void *buffer)
{
	if ((int)skb_headlen(skb) - offset >= len)
		return skb->data + offset;
	return skb_copy_bits(skb, offset, buffer, len) < 0 ? NULL : buffer;
}

#define vlan_get_protocol(skb)	((skb)->protocol)

/* Not for what is to be segmented. */
int skb_checksum_help(struct sk_buff *skb);

static inline void skb_reset_network_header(struct sk_buff *skb)
{
	skb->network_header = skb->data - skb->head;
}

static inline void skb_reset_mac_header(struct sk_buff *skb)
{
	skb->mac_header = skb->data - skb->head;
}

static inline int skb_network_offset(const struct sk_buff *skb)
{
	return skb->head + skb->network_header - skb->data;
}

static inline int skb_transport_offset(const struct sk_buff *skb)
{
	return skb->head + skb->transport_header - skb->data;
}

static inline int skb_checksum_start_offset(const struct sk_buff *skb)
{
	return skb->head + skb->csum_start - skb->data;
}

static inline struct tcphdr *tcp_hdr(const struct sk_buff *skb)
{
	return (struct tcphdr *)(skb->head + skb->transport_header);
}

static inline unsigned int tcp_hdrlen(const struct sk_buff *skb)
{
	return (tcp_hdr(skb)->doff >> 4) * 4;
}

/* Queues of packets. */
static inline void __skb_queue_head_init(struct sk_buff_head *list)
{
	*list = (struct sk_buff_head){ 0 };
}

static inline bool skb_queue_empty(const struct sk_buff_head *list)
{
	return !list->next;
}

#define skb_queue_empty_lockless(list)	sim_looked(skb_queue_empty(list))
#define skb_queue_len(list)		((list)->qlen)

static inline struct sk_buff *skb_peek(const struct sk_buff_head *list)
{
	return list->next;
}

static inline void __skb_queue_tail(struct sk_buff_head *list, struct sk_buff *skb)
{
	skb->next = NULL;
	skb->prev = list->prev;
	if (list->prev)
		list->prev->next = skb;
	else
		list->next = skb;
	list->prev = skb;
	list->qlen++;
}

static inline void __skb_unlink(struct sk_buff *skb, struct sk_buff_head *list)
{
	if (skb->prev)
		skb->prev->next = skb->next;
	else
		list->next = skb->next;
	if (skb->next)
		skb->next->prev = skb->prev;
	else
		list->prev = skb->prev;
	skb->next = NULL;
	skb->prev = NULL;
	list->qlen--;
}

static inline struct sk_buff *__skb_dequeue(struct sk_buff_head *list)
{
	struct sk_buff *skb = list->next;

	if (skb)
		__skb_unlink(skb, list);
	return skb;
}

static inline void skb_queue_splice_tail_init(struct sk_buff_head *from,
					      struct sk_buff_head *to)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(from)))
		__skb_queue_tail(to, skb);
}

/* Devices. */
#define NAPI_POLL_WEIGHT	64
#define NETIF_F_RXCSUM		BIT(0)
#define NETIF_F_GRO_UDP_FWD	BIT(1)
#define NETIF_F_GRO_FRAGLIST	BIT(2)
#define NETIF_F_RXHASH		BIT(3)

typedef int netdev_tx_t;
#define NETDEV_TX_OK	0

struct netdev_queue {
	bool stopped;
	/* What the stack has been told of bytes under way, and thinks is too much. */
	u32 in_flight;
	bool full;
};

struct net_device {
	char name[IFNAMSIZ];
	unsigned long features;
	bool running;
	struct netdev_queue txq;
};

struct ethtool_ops {
	int none;
};

struct napi_struct {
	int (*poll)(struct napi_struct *napi, int budget);
	bool scheduled;
	bool disabled;
};

static inline bool netif_running(const struct net_device *dev)
{
	return dev->running;
}

static inline struct netdev_queue *netdev_get_tx_queue(struct net_device *dev, u32 i)
{
	if (i)
		sim_bug("no such queue");
	return &dev->txq;
}

#define netif_tx_stop_queue(txq)	((txq)->stopped = true)
#define netif_tx_wake_queue(txq)	((txq)->stopped = false)
#define netif_tx_queue_stopped(txq)	((txq)->stopped)
#define netif_xmit_stopped(txq)		((txq)->stopped || (txq)->full)
#define netdev_xmit_more()		(sim.xmit_more)
#define synchronize_net()		sim_may_sleep()
#define rtnl_lock()			sim_may_sleep()
#define rtnl_unlock()			do { } while (0)

void netif_napi_add(struct net_device *dev, struct napi_struct *napi,
		    int (*poll)(struct napi_struct *napi, int budget));
void __netif_napi_del(struct napi_struct *napi);
void napi_enable(struct napi_struct *napi);
void napi_disable(struct napi_struct *napi);
bool napi_schedule(struct napi_struct *napi);
bool napi_complete_done(struct napi_struct *napi, int done);
#define napi_complete(napi) napi_complete_done(napi, 0)
int napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb);
int netif_receive_skb(struct sk_buff *skb);

#include "simxenbus.h"
#include "sim.h"

static inline bool sim_looked(bool empty)
{
	if (sim.on_look)
		sim.on_look();
	return empty;
}

/* There is one processor, and nobody else on it. */
#define rcu_dereference(p)		(p)
#define rcu_dereference_bh(p)		(p)
#define rcu_assign_pointer(p, value)	((p) = (value))
#define RCU_INIT_POINTER(p, value)	((p) = (value))
#define rcu_dereference_protected(p, c)	(p)
#define rcu_access_pointer(p)		(p)
#define synchronize_rcu()		sim_grace_period()
#define smp_load_acquire(p)		READ_ONCE(*(p))

/* Chains. */
struct hlist_node {
	struct hlist_node *next;
	struct hlist_node **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

static inline void hlist_add_head_rcu(struct hlist_node *node, struct hlist_head *head)
{
	node->next = head->first;
	if (node->next)
		node->next->pprev = &node->next;
	node->pprev = &head->first;
	head->first = node;
}

static inline void hlist_del_rcu(struct hlist_node *node)
{
	if (*node->pprev != node)
		sim_bug("what is taken out is in no chain");
	*node->pprev = node->next;
	if (node->next)
		node->next->pprev = node->pprev;
}

#define hlist_entry_or_null(node, type, member) \
	((node) ? container_of(node, type, member) : NULL)
#define hlist_for_each_entry_rcu(pos, head, member, ...)				\
	for (pos = hlist_entry_or_null((head)->first, typeof(*(pos)), member); pos;	\
	     pos = hlist_entry_or_null((pos)->member.next, typeof(*(pos)), member))
#define hlist_for_each_entry_safe(pos, n, head, member)					\
	for (pos = hlist_entry_or_null((head)->first, typeof(*(pos)), member);		\
	     pos && ({ n = (pos)->member.next; 1; });					\
	     pos = hlist_entry_or_null(n, typeof(*(pos)), member))

/* All in one chain: so it must work, too. */
#define jhash_1word(word, seed)		(sim.one_chain ? 0 : (word) * 2654435761U ^ (seed))
#define get_random_u32()		0x1234567U
#define rcu_read_lock()			do { } while (0)
#define rcu_read_unlock()		do { } while (0)

static inline void put_unaligned_le32(u32 value, void *at)
{
	u8 *byte = at;

	byte[0] = value;
	byte[1] = value >> 8;
	byte[2] = value >> 16;
	byte[3] = value >> 24;
}

/* Byte queue limits: the kernel stops at a mismatch, and so does this. */
static inline bool __netdev_tx_sent_queue(struct netdev_queue *txq, u32 bytes, bool more)
{
	txq->in_flight += bytes;
	if (more)
		return txq->stopped;
	txq->full = txq->in_flight > sim.bql_limit;
	return true;
}

static inline void netdev_tx_completed_queue(struct netdev_queue *txq, u32 packets, u32 bytes)
{
	if (bytes > txq->in_flight || !packets)
		sim_bug("%u bytes completed of %u", bytes, txq->in_flight);
	txq->in_flight -= bytes;
	if (txq->in_flight <= sim.bql_limit)
		txq->full = false;
}

static inline void netdev_tx_reset_queue(struct netdev_queue *txq)
{
	txq->in_flight = 0;
	txq->full = false;
}

/* Ethernet addresses. */
static inline u64 ether_addr_to_u64(const u8 *addr)
{
	u64 n = 0;
	int i;

	for (i = 0; i < 6; i++)
		n = n << 8 | addr[i];
	return n;
}

static inline bool is_broadcast_ether_addr(const u8 *addr)
{
	return (addr[0] & addr[1] & addr[2] & addr[3] & addr[4] & addr[5]) == 0xff;
}

static inline bool is_multicast_ether_addr(const u8 *addr)
{
	return addr[0] & 1;
}

#endif /* SIM_SIMKERNEL_H */
