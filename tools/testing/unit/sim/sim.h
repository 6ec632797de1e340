/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a test sees of the simulated kernel: its knobs, and its records. */

#ifndef SIM_SIM_H
#define SIM_SIM_H

/* A grant of the simulated guest says what becomes of a copy that names it:
 * bits 0 to 9 its page, bits 12 to 15 one of these (others: that many times
 * "again", then fine). The other bits mean nothing.
 */
#define SIM_GUEST_PAGES		320
#define SIM_GREF(page, fate)	((page) | (u32)(fate) << 12)
#define SIM_GREF_PAGE(gref)	((gref) & 0x3FF)
#define SIM_GREF_FATE(gref)	((gref) >> 12 & 0xF)
#define SIM_FATE_OK		0
#define SIM_FATE_AGAIN_MAX	12
#define SIM_FATE_ODD		13	/* no error, and not fine either */
#define SIM_FATE_AGAIN		14
#define SIM_FATE_ERROR		15

#define SIM_GREF_READONLY	BIT(31)	/* for reading alone */

#define SIM_DOMID		5	/* the guest under test */
#define SIM_OTHER_DOMID		9	/* whose pages the host has mapped */

#define SIM_IRQ_BASE		100

struct sim_irq {
	irq_handler_t handler;
	void *data;
	bool enabled;
	bool active;
	bool pending;
	u32 n_eoi;
	u32 n_spurious;
	u32 n_notify;
};

struct sim {
	unsigned long ticks;
	u64 now;
	/* Who runs now must not sleep; or must not free a packet the ordinary way. */
	u32 atomic;
	bool in_irq;
	bool irqs_off;
	unsigned long flags;
	bool xmit_more;
	bool from_task;		/* packets come from a task */
	u32 bql_limit;

	/* Memory: whatever allocates fails when this counts down to 0. */
	u32 fail_alloc_in;
	u32 n_alloc_failed;
	u32 n_pages;		/* given out by pools */
	u32 n_unmade;		/* heads that no skb was made of, for want of memory */

	/* The hypercall: fails as a whole if set. */
	bool fail_hypercall;
	/* No port can be bound, no page mapped, no thread made, if they count down to 0. */
	u32 fail_bind_in;
	/* Work that is cancelled has just begun; or goes on, and ends in this. */
	bool cancel_late;
	void (*on_cancel)(void);
	u32 fail_map_in;
	u32 fail_thread_in;
	/* If not 0: bad grants are fine after so many of them. */
	u32 mend_after;
	u32 n_hypercalls;
	u32 n_ops;

	/* Mappings: how many there are, and what is to fail. */
	u32 n_mapped;
	u32 n_mapped_ro;
	bool fail_map_alloc;
	bool fail_map_hypercall;
	bool fail_unmap;
	u32 fail_unmap_in;
	bool fail_unmap_hypercall;
	bool one_chain;
	void (*on_unmap)(void);

	struct work_struct *work;
	/* Grace periods that have ended, and who wants to know. */
	unsigned long grace;
	void (*on_grace)(void);

	struct sim_irq irq[3];
	struct napi_struct *napi;
	bool napi_missed;
	bool napi_completed;
	struct hrtimer *timer;

	struct task_struct *task;
	wait_queue_head_t *wait;
	bool stop;
	/* Somebody has looked whether a queue of packets is empty, without its lock:
	 * what other processors do then, he does not see.
	 */
	void (*on_look)(void);
	u32 n_turns;
	u32 n_resumed;
	unsigned long wake_at;
	bool wake_timed;

	u32 n_warn;
	u32 n_log;
	bool warn_expected;
	u32 n_skbs;
	u32 n_gro;		/* delivered by way of it */
	u32 n_objects;
};

extern struct sim sim;

void sim_reset(void);

/* Pages that could not be unmapped: nobody may have freed them. They go now; returns how
 * many there were.
 */
u32 sim_unmap_lost(void);

/* The guest's memory. */
u8 *sim_guest_page(u32 page);
/* A page that is not mapped any more is still the guest's to write to. */
void sim_page_writable(void *page);

/* A packet from the host: its head takes linear bytes, from offset in its run of
 * pages on.
 */
struct sk_buff *sim_skb_alloc(u32 linear, u32 offset);
void sim_skb_add_frag(struct sk_buff *skb, u32 offset, u32 len);

/* Called for each packet that the driver delivers; consumes it. */
extern void (*sim_deliver)(struct sk_buff *skb);

/* An event from the guest. */
void sim_event(u32 port);
/* Now, whatever goes on. Returns whether one was there to run. */
bool sim_interrupt(u32 port);
void sim_advance(u64 ns);
/* A grace period ends. */
void sim_grace_period(void);
/* Lets everybody run who has something to do, until nobody has. */
void sim_run(int budget);

#endif /* SIM_SIM_H */
