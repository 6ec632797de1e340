// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The simulated kernel: see simkernel.h and sim.h. */

#define _GNU_SOURCE
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "simkernel.h"

/* Pages of the arena: single ones, and a part for runs of several. */
#define N_SINGLE	2048
#define N_RUNS		512
#define N_PAGES		(N_SINGLE + N_RUNS)

#define N_TRIES		65536

/* The thread and the poll must rest after so many turns. */
#define TURNS_MAX	20000

struct sim sim;
void (*sim_deliver)(struct sk_buff *skb);

struct page_pool {
	u32 n_out;
	bool destroyed;
	struct page *frag_page;
	u32 frag_offset;
};

static u8 *arena;
static struct page pages[N_PAGES];
static u32 free_single[N_SINGLE];
static u32 n_free_single;
static u32 n_used;
static u8 tries[N_TRIES];
static bool tried;
static u8 (*guest)[XEN_PAGE_SIZE];
static int guest_fd;

/* A file, so that the driver can have a page of it mapped, too. It may be filled before
 * anything else is there.
 */
static void guest_memory(void)
{
	if (guest)
		return;
	guest_fd = memfd_create("guest", 0);
	if (guest_fd < 0 || ftruncate(guest_fd, SIM_GUEST_PAGES * XEN_PAGE_SIZE))
		sim_bug("no memory for the guest");
	guest = mmap(NULL, SIM_GUEST_PAGES * XEN_PAGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_SHARED, guest_fd, 0);
	if (guest == MAP_FAILED)
		sim_bug("no memory for the guest");
}

void sim_reset(void)
{
	u32 i;

	if (!arena) {
		arena = mmap(NULL, N_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (arena == MAP_FAILED)
			sim_bug("no memory for the arena");
		ASAN_POISON_MEMORY_REGION(arena, N_PAGES * PAGE_SIZE);
		for (i = 0; i < N_SINGLE; i++)
			free_single[n_free_single++] = N_SINGLE - 1 - i;
	}
	guest_memory();
	if (sim.n_mapped)
		sim_bug("%u grants are still mapped", sim.n_mapped);
	if (n_used)
		sim_bug("%u pages have leaked", n_used);
	if (sim.n_skbs)
		sim_bug("%u packets have leaked", sim.n_skbs);
	if (sim.n_objects)
		sim_bug("%u objects have leaked", sim.n_objects);

	memset(&sim, 0, sizeof(sim));
	if (tried)
		memset(tries, 0, sizeof(tries));
	tried = false;
	/* Both clocks begin near a wrap of something. */
	sim.ticks = -300000UL;
	sim.now = 4294000000ULL;
	sim.bql_limit = -1;
	sim_sender.flags = 0;
	sim_hook = NULL;
	sim_atomic_hook = NULL;
	sim_delayed = NULL;
	sim_deliver = NULL;
}

void sim_warn(const char *file, int line, const char *cond)
{
	sim.n_warn++;
	if (!sim.warn_expected)
		sim_bug("WARN_ON(%s) at %s:%d", cond, file, line);
}

void sim_log(const char *fmt, ...)
{
	(void)fmt;
	sim.n_log++;
}

void sim_may_sleep(void)
{
	if (sim.atomic || sim.irqs_off)
		sim_bug("sleeping where nobody may");
}

/* Interrupts would be on afterwards. */
void sim_no_irq(void)
{
	if (sim.in_irq)
		sim_bug("an interrupt handler takes what turns interrupts on");
}

void sim_irqs_off(bool off)
{
	if (sim.irqs_off == off)
		sim_bug("interrupts are off, or on, twice");
	sim.irqs_off = off;
}

/* Memory. */

static bool fails(u32 *countdown)
{
	return *countdown && !--*countdown;
}

static bool alloc_fails(void)
{
	if (!fails(&sim.fail_alloc_in))
		return false;
	sim.n_alloc_failed++;
	return true;
}

void *sim_zalloc(size_t n, size_t size)
{
	if (alloc_fails())
		return NULL;
	sim.n_objects++;
	return calloc(n, size);
}

void sim_free(const void *p)
{
	if (p)
		sim.n_objects--;
	free((void *)p);
}

struct page *alloc_page(unsigned int gfp)
{
	struct page *page;

	if (alloc_fails())
		return NULL;
	page = sim_pages_alloc(1);
	if (gfp & __GFP_ZERO)
		memset(page_address(page), 0, PAGE_SIZE);
	return page;
}

static u32 find_run(u32 n)
{
	u32 i, have = 0;

	for (i = N_SINGLE; i < N_PAGES; i++) {
		have = pages[i].refs ? 0 : have + 1;
		if (have == n)
			return i + 1 - n;
	}
	sim_bug("the arena has no run of %u pages", n);
}

struct page *sim_pages_alloc(u32 n)
{
	u32 first, i;

	if (n == 1 && !n_free_single)
		sim_bug("the arena is used up");
	first = n == 1 ? free_single[--n_free_single] : find_run(n);
	for (i = first; i < first + n; i++) {
		pages[i] = (struct page){ .refs = 1 };
		n_used++;
	}
	pages[first].run = n;
	ASAN_UNPOISON_MEMORY_REGION(arena + first * PAGE_SIZE, n * PAGE_SIZE);
	memset(arena + first * PAGE_SIZE, SIM_FILL, n * PAGE_SIZE);
	return &pages[first];
}

void sim_page_put(struct page *page)
{
	u32 first = page - pages, i, n = page->run;

	if (!page->refs || !n)
		sim_bug("a page is put that is free, or in a run");
	if (--page->refs)
		return;
	if (page->pool) {
		if (!page->pool->n_out)
			sim_bug("a pool gets more than it gave");
		if (!--page->pool->n_out && page->pool->destroyed)
			sim_free(page->pool);
	}
	for (i = first; i < first + n; i++) {
		pages[i] = (struct page){ 0 };
		n_used--;
	}
	ASAN_POISON_MEMORY_REGION(arena + first * PAGE_SIZE, n * PAGE_SIZE);
	if (first < N_SINGLE)
		free_single[n_free_single++] = first;
}

u32 sim_pages_used(void)
{
	return n_used;
}

u32 sim_page_number(const struct page *page)
{
	return page - pages;
}

void *page_address(const struct page *page)
{
	return arena + (page - pages) * PAGE_SIZE;
}

struct page *virt_to_page(const void *addr)
{
	unsigned long offset = (const u8 *)addr - arena;

	if (offset >= N_PAGES * PAGE_SIZE)
		sim_bug("virt_to_page() of what is in no page");
	return &pages[offset / PAGE_SIZE];
}

struct page_pool *page_pool_create(const struct page_pool_params *params)
{
	if (params->order)
		sim_bug("a pool of runs");
	if (alloc_fails())
		return ERR_PTR(-ENOMEM);
	sim.n_objects++;
	return calloc(1, sizeof(struct page_pool));
}

void page_pool_destroy(struct page_pool *pool)
{
	if (!pool)
		return;
	if (pool->frag_page)
		sim_page_put(pool->frag_page);
	pool->destroyed = true;
	if (!pool->n_out)
		sim_free(pool);
}

struct page *page_pool_dev_alloc_pages(struct page_pool *pool)
{
	struct page *page;

	if (alloc_fails())
		return NULL;
	page = sim_pages_alloc(1);
	page->pool = pool;
	pool->n_out++;
	sim.n_pages++;
	return page;
}

/* As many as go into a page, the next ones in a new page. */
struct page *page_pool_dev_alloc_frag(struct page_pool *pool, unsigned int *offset,
				      unsigned int size)
{
	struct page *page = pool->frag_page;

	if (!size || size > PAGE_SIZE)
		sim_bug("a fragment of %u bytes", size);
	if (page && pool->frag_offset + size > PAGE_SIZE) {
		pool->frag_page = NULL;
		sim_page_put(page);
		page = NULL;
	}
	if (!page) {
		page = page_pool_dev_alloc_pages(pool);
		if (!page)
			return NULL;
		pool->frag_page = page;
		pool->frag_offset = 0;
	}
	page->refs++;
	*offset = pool->frag_offset;
	pool->frag_offset += size;
	return page;
}

void page_pool_put_full_page(struct page_pool *pool, struct page *page, bool allow_direct)
{
	(void)allow_direct;
	if (page->pool != pool)
		sim_bug("a page goes to another's pool");
	sim_page_put(page);
}

u8 *sim_guest_page(u32 page)
{
	guest_memory();
	return guest[page];
}

/* The hypercall: as strict as Xen, and stricter about what the driver says of
 * its own memory. The guest's word on lengths and offsets has been checked before.
 */

static s16 resolve(const struct gnttab_copy_ptr *ptr, bool gref, bool write, u16 len,
		   u8 **addr)
{
	struct page *page;
	u32 fate;

	if (!len || ptr->offset + (u32)len > XEN_PAGE_SIZE)
		sim_bug("a copy over the end of a page: %u + %u", ptr->offset, len);

	if (!gref) {
		if (ptr->domid != DOMID_SELF)
			sim_bug("a frame of another domain's");
		*addr = (u8 *)(ptr->u.gmfn << XEN_PAGE_SHIFT) + ptr->offset;
		page = virt_to_page(*addr);
		if (!page->refs)
			sim_bug("a copy from or to a free page");
		if (page->foreign.domid && !page->mapping)
			sim_bug("a foreign page is named by its frame");
		return GNTST_okay;
	}
	if (ptr->domid == SIM_OTHER_DOMID) {
		page = &pages[ptr->u.ref];
		if (ptr->u.ref >= N_PAGES || page->foreign.gref != ptr->u.ref)
			sim_bug("no such foreign page");
		*addr = (u8 *)page_address(page) + ptr->offset;
		return GNTST_okay;
	}
	if (ptr->domid != SIM_DOMID)
		sim_bug("a grant of an unknown domain");
	if (SIM_GREF_PAGE(ptr->u.ref) >= SIM_GUEST_PAGES)
		return GNTST_bad_gntref;
	fate = SIM_GREF_FATE(ptr->u.ref);
	if (sim.mend_after && sim.n_hypercalls > sim.mend_after)
		fate = SIM_FATE_OK;
	if (fate == SIM_FATE_ERROR || (write && ptr->u.ref & SIM_GREF_READONLY))
		return GNTST_permission_denied;
	/* Some versions of Xen were known to say so. */
	if (fate == SIM_FATE_ODD)
		return 1;
	if (fate == SIM_FATE_AGAIN ||
	    (fate && tries[ptr->u.ref % N_TRIES] < fate)) {
		tries[ptr->u.ref % N_TRIES]++;
		tried = true;
		return GNTST_eagain;
	}
	*addr = guest[SIM_GREF_PAGE(ptr->u.ref)] + ptr->offset;
	return GNTST_okay;
}

int HYPERVISOR_grant_table_op(unsigned int cmd, void *uop, unsigned int count)
{
	struct gnttab_copy *op = uop;
	u8 *from, *to;
	u32 i;

	if (cmd != GNTTABOP_copy || !count)
		sim_bug("hypercall %u with %u operations", cmd, count);
	sim_point(SIM_POINT_HYPERCALL, NULL);
	sim.n_hypercalls++;
	sim.n_ops += count;
	if (sim.fail_hypercall)
		return -EFAULT;

	for (i = 0; i < count; i++, op++) {
		s16 a, b;

		a = resolve(&op->source, op->flags & GNTCOPY_source_gref, false, op->len, &from);
		b = resolve(&op->dest, op->flags & GNTCOPY_dest_gref, true, op->len, &to);
		op->status = a != GNTST_okay ? a : b;
		if (op->status == GNTST_okay)
			memcpy(to, from, op->len);
	}
	return 0;
}

/* Mapped grants: the same memory at two addresses, with the rights that were asked
 * for, and nothing at all where one has been unmapped.
 */

#define HANDLE_BASE	1000

static struct page *lost[16];
static u32 n_lost;

static void set_mapping(struct page *page, int prot, int flags, int fd, off_t offset)
{
	void *addr = page_address(page);

	if (mmap(addr, PAGE_SIZE, prot, flags | MAP_FIXED, fd, offset) != addr)
		sim_bug("mmap");
}

int gnttab_alloc_pages(int n, struct page **pages)
{
	int i;

	if (sim.fail_map_alloc)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		pages[i] = sim_pages_alloc(1);
		/* There is no memory behind it before something is mapped. */
		set_mapping(pages[i], PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
	return 0;
}

void gnttab_free_pages(int n, struct page **pages)
{
	int i;

	for (i = 0; i < n; i++) {
		if (pages[i]->mapped)
			sim_bug("a page is freed that is still the guest's");
		set_mapping(pages[i], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);
		sim_page_put(pages[i]);
	}
}

static s16 map_one(struct gnttab_map_grant_ref *op, struct page *page)
{
	bool ro = op->flags & GNTMAP_readonly;

	if (op->host_addr != (unsigned long)page_address(page) || op->dom != SIM_DOMID ||
	    (op->flags & ~GNTMAP_readonly) != GNTMAP_host_map || page->mapped)
		sim_bug("a grant is mapped to where it should not be");
	if (SIM_GREF_PAGE(op->ref) >= SIM_GUEST_PAGES)
		return GNTST_bad_gntref;
	if (SIM_GREF_FATE(op->ref) || (op->ref & SIM_GREF_READONLY && !ro))
		return GNTST_permission_denied;
	set_mapping(page, ro ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, guest_fd,
		    SIM_GREF_PAGE(op->ref) * XEN_PAGE_SIZE);
	page->mapped = true;
	op->handle = HANDLE_BASE + sim_page_number(page);
	sim.n_mapped++;
	sim.n_mapped_ro += ro;
	return GNTST_okay;
}

int gnttab_map_refs(struct gnttab_map_grant_ref *map, struct gnttab_map_grant_ref *kmap,
		    struct page **pages, unsigned int n)
{
	u32 i;

	if (!n || kmap)
		sim_bug("%u grants to be mapped", n);
	if (sim.fail_map_hypercall)
		return -EFAULT;
	for (i = 0; i < n; i++)
		map[i].status = map_one(&map[i], pages[i]);
	return 0;
}

int gnttab_unmap_refs(struct gnttab_unmap_grant_ref *unmap,
		      struct gnttab_unmap_grant_ref *kunmap, struct page **pages,
		      unsigned int n)
{
	u32 i;

	if (!n || kunmap)
		sim_bug("%u grants to be unmapped", n);
	if (sim.on_unmap)
		sim.on_unmap();
	for (i = 0; i < n; i++) {
		if (unmap[i].handle != HANDLE_BASE + sim_page_number(pages[i]) ||
		    unmap[i].host_addr != (unsigned long)page_address(pages[i]) ||
		    !pages[i]->mapped)
			sim_bug("what is unmapped is not mapped");
		if (sim.fail_unmap_hypercall || sim.fail_unmap ||
		    fails(&sim.fail_unmap_in)) {
			if (!sim.fail_unmap_hypercall)
				unmap[i].status = GNTST_general_error;
			if (n_lost == ARRAY_SIZE(lost))
				sim_bug("too many pages are lost");
			lost[n_lost++] = pages[i];
			continue;
		}
		set_mapping(pages[i], PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		pages[i]->mapped = false;
		sim.n_mapped--;
		unmap[i].status = GNTST_okay;
	}
	return sim.fail_unmap_hypercall ? -EFAULT : 0;
}

u32 sim_unmap_lost(void)
{
	u32 n = n_lost;

	while (n_lost) {
		lost[--n_lost]->mapped = false;
		sim.n_mapped--;
		gnttab_free_pages(1, &lost[n_lost]);
	}
	return n;
}

/* Packets. */

static struct sk_buff *make_skb(void *head, u32 size)
{
	struct sk_buff *skb = calloc(1, sizeof(*skb));

	if (!skb)
		sim_bug("no memory");
	skb->head = head;
	skb->data = head;
	skb->end = SKB_WITH_OVERHEAD(size);
	skb->truesize = size + sizeof(*skb);
	memset(skb_end_pointer(skb), 0, offsetof(struct skb_shared_info, frags));
	((struct skb_shared_info *)skb_end_pointer(skb))->magic = SIM_SHINFO_MAGIC;
	sim.n_skbs++;
	return skb;
}

struct sk_buff *napi_build_skb(void *data, unsigned int size)
{
	u32 i;

	/* Counts as an allocation of its own. */
	if (alloc_fails()) {
		sim.n_unmade++;
		return NULL;
	}
	if (!size || offset_in_page(data) % 64 || size % 64 ||
	    offset_in_page(data) + size > PAGE_SIZE)
		sim_bug("a head that is not a fragment of a page");
	/* Its data are there already: none where its end will be. */
	for (i = 0; i < offsetof(struct skb_shared_info, frags); i++)
		if (((u8 *)data)[SKB_WITH_OVERHEAD(size) + i] != SIM_FILL)
			sim_bug("a packet's head was overrun");
	return make_skb(data, size);
}

struct sk_buff *sim_skb_alloc(u32 linear, u32 offset)
{
	u32 need = offset + linear + PAGE_SIZE - SKB_WITH_OVERHEAD(PAGE_SIZE);
	/* Of memory a multiple of 4 KiB, whatever a page is. */
	u32 size = round_up(need, XEN_PAGE_SIZE);
	struct page *page = sim_pages_alloc(DIV_ROUND_UP(size, PAGE_SIZE));
	struct sk_buff *skb = make_skb(page_address(page), size);

	skb_reserve(skb, offset);
	__skb_put(skb, linear);
	return skb;
}

void sim_skb_add_frag(struct sk_buff *skb, u32 offset, u32 len)
{
	u32 n = DIV_ROUND_UP(offset + len, PAGE_SIZE);

	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, sim_pages_alloc(n), offset, len,
			round_up(offset + len, XEN_PAGE_SIZE));
}

/* Only a packet that says so gives its pages back to a pool. */
static void put_page_of(const struct sk_buff *skb, struct page *page)
{
	if (page->pool && !skb->pp_recycle)
		sim_bug("a pool's page is lost");
	sim_page_put(page);
}

/* What may run a destructor is for where interrupts are on. */
void sim_skb_free_now(struct sk_buff *skb)
{
	if (sim.irqs_off)
		sim_bug("a packet is freed with interrupts off");
	sim_skb_free(skb);
}

void sim_skb_free(struct sk_buff *skb)
{
	struct sk_buff *part, *next;
	u32 i;

	if (!skb)
		return;
	for (part = skb_shinfo(skb)->frag_list; part; part = next) {
		next = part->next;
		sim_skb_free(part);
	}
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++)
		put_page_of(skb, skb_shinfo(skb)->frags[i].page);
	put_page_of(skb, virt_to_page(skb->head));
	sim.n_skbs--;
	free(skb);
}

void *__skb_put(struct sk_buff *skb, unsigned int len)
{
	u8 *tail = skb->head + skb->tail;

	if (skb_is_nonlinear(skb))
		sim_bug("bytes put between head and fragments");
	skb->tail += len;
	skb->len += len;
	if (skb->tail > skb->end)
		sim_bug("a packet's head is too small");
	return tail;
}

void skb_add_rx_frag(struct sk_buff *skb, int i, struct page *page, int off,
		     int size, unsigned int truesize)
{
	if (i != skb_shinfo(skb)->nr_frags || i >= MAX_SKB_FRAGS)
		sim_bug("fragment %d of %u", i, skb_shinfo(skb)->nr_frags);
	skb_shinfo(skb)->frags[i] = (skb_frag_t){ page, off, size };
	skb_shinfo(skb)->nr_frags++;
	skb->len += size;
	skb->data_len += size;
	skb->truesize += truesize;
}

void skb_coalesce_rx_frag(struct sk_buff *skb, int i, int size, unsigned int truesize)
{
	skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

	frag->len += size;
	if (frag->offset + frag->len > PAGE_SIZE)
		sim_bug("a fragment longer than its page");
	skb->len += size;
	skb->data_len += size;
	skb->truesize += truesize;
}

static int copy_range(u8 **to, int *offset, int *len, const u8 *from, int have)
{
	int n;

	if (*offset >= have) {
		*offset -= have;
		return 0;
	}
	n = min(have - *offset, *len);
	memcpy(*to, from + *offset, n);
	*to += n;
	*offset = 0;
	*len -= n;
	return n;
}

int skb_copy_bits(const struct sk_buff *skb, int offset, void *to, int len)
{
	const struct sk_buff *part;
	u8 *out = to;
	u32 i;

	if (offset < 0 || len < 0 || offset + len > (int)skb->len)
		return -EFAULT;
	copy_range(&out, &offset, &len, skb->data, skb_headlen(skb));
	for (i = 0; i < skb_shinfo(skb)->nr_frags && len; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		copy_range(&out, &offset, &len,
			   (u8 *)page_address(frag->page) + frag->offset, frag->len);
	}
	skb_walk_frags(skb, part) {
		int n = min((int)part->len - offset, len);

		if (offset >= (int)part->len) {
			offset -= part->len;
			continue;
		}
		if (skb_copy_bits(part, offset, out, n))
			return -EFAULT;
		out += n;
		len -= n;
		offset = 0;
	}
	return len ? -EFAULT : 0;
}

void *__pskb_pull_tail(struct sk_buff *skb, int delta)
{
	struct skb_shared_info *info = skb_shinfo(skb);
	u32 i, eat = delta, kept = 0;

	if (delta <= 0 || delta > (int)skb->data_len)
		sim_bug("a pull of %d of %u bytes", delta, skb->data_len);
	/* The driver packs so that there is always room for headers. */
	if (skb->tail + delta > skb->end)
		sim_bug("a pull of %d bytes has no room", delta);
	if (skb_copy_bits(skb, skb_headlen(skb), skb->head + skb->tail, delta))
		return NULL;

	for (i = 0; i < info->nr_frags; i++) {
		skb_frag_t frag = info->frags[i];
		u32 n = min(frag.len, eat);

		eat -= n;
		frag.offset += n;
		frag.len -= n;
		if (!frag.len)
			put_page_of(skb, frag.page);
		else
			info->frags[kept++] = frag;
	}
	info->nr_frags = kept;
	skb->tail += delta;
	skb->data_len -= delta;
	return skb->head + skb->tail;
}

__be16 eth_type_trans(struct sk_buff *skb, struct net_device *dev)
{
	__be16 proto;

	if (skb_headlen(skb) < ETH_HLEN)
		sim_bug("eth_type_trans() of %u bytes", skb_headlen(skb));
	skb->dev = dev;
	skb_reset_mac_header(skb);
	memcpy(&proto, skb->data + 12, sizeof(proto));
	__skb_pull(skb, ETH_HLEN);
	return ntohs(proto) >= 0x600 ? proto : htons(4);
}

int skb_checksum_help(struct sk_buff *skb)
{
	if (skb_is_gso(skb))
		sim_bug("the checksum of a packet that is to be segmented");
	if (alloc_fails())
		return -ENOMEM;
	skb->ip_summed = CHECKSUM_NONE;
	return 0;
}

/* Where the transport header of an IPv6 packet is; each header on the way is pulled, as
 * the kernel does. 0: not in this packet.
 */
static u32 skip_ipv6(struct sk_buff *skb, u8 *proto)
{
	u32 off = 40, n;
	u8 *ext;

	for (n = 0;; n++) {
		if (*proto != 0 && *proto != 43 && *proto != 44 && *proto != 51 && *proto != 60)
			return off;
		if (n == 8)
			sim_bug("more than %u extension headers are followed", n);
		if (!pskb_may_pull(skb, off + 8))
			return 0;
		ext = skb->data + off;
		if (*proto == 44 && (ext[2] || ext[3] & 0xF9))
			return 0;
		off += *proto == 44 ? 8 : *proto == 51 ? (ext[1] + 2) * 4 : (ext[1] + 1) * 8;
		*proto = ext[0];
	}
}

/* What the kernel's does, but for the pseudo header. */
int skb_checksum_setup(struct sk_buff *skb, bool recalculate)
{
	u32 off, hdr;
	u8 proto;

	(void)recalculate;
	if (skb->protocol == htons(ETH_P_IP)) {
		if (!pskb_may_pull(skb, 20))
			return -EPROTO;
		off = (skb->data[0] & 0xF) * 4;
		if (off < 20 || (skb->data[6] & 0x3F) || skb->data[7])
			return -EPROTO;
		proto = skb->data[9];
	} else if (skb->protocol == htons(ETH_P_IPV6)) {
		if (!pskb_may_pull(skb, 40))
			return -EPROTO;
		proto = skb->data[6];
		off = skip_ipv6(skb, &proto);
		if (!off)
			return -EPROTO;
	} else {
		return -EPROTO;
	}

	if (proto == 6)
		hdr = sizeof(struct tcphdr);
	else if (proto == 17)
		hdr = sizeof(struct udphdr);
	else
		return -EPROTO;
	if (!pskb_may_pull(skb, off + hdr))
		return -EPROTO;
	skb->transport_header = skb->data - skb->head + off;
	skb->csum_start = skb->transport_header;
	skb->csum_offset = proto == 6 ? offsetof(struct tcphdr, check) :
					offsetof(struct udphdr, check);
	skb->ip_summed = CHECKSUM_PARTIAL;
	return 0;
}

/* NAPI. */

void netif_napi_add(struct net_device *dev, struct napi_struct *napi,
		    int (*poll)(struct napi_struct *napi, int budget))
{
	(void)dev;
	*napi = (struct napi_struct){ .poll = poll, .disabled = true };
	sim.napi = napi;
}

void __netif_napi_del(struct napi_struct *napi)
{
	if (!napi->disabled)
		sim_bug("an enabled poll is deleted");
	sim.napi = NULL;
}

void napi_enable(struct napi_struct *napi)
{
	if (!napi->disabled)
		sim_bug("a poll is enabled twice");
	napi->disabled = false;
}

void napi_disable(struct napi_struct *napi)
{
	sim_may_sleep();
	if (napi->disabled)
		sim_bug("a poll is disabled twice");
	napi->disabled = true;
	napi->scheduled = false;
	sim.napi_missed = false;
}

bool napi_schedule(struct napi_struct *napi)
{
	if (napi->disabled)
		return false;
	if (napi->scheduled) {
		sim.napi_missed = true;
		return false;
	}
	napi->scheduled = true;
	return true;
}

bool napi_complete_done(struct napi_struct *napi, int done)
{
	(void)done;
	if (!napi->scheduled)
		sim_bug("a poll is completed that is not going on");
	sim.napi_completed = true;
	if (sim.napi_missed) {
		sim.napi_missed = false;
		return false;
	}
	napi->scheduled = false;
	return true;
}

int napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb)
{
	(void)napi;
	sim.n_gro++;
	return netif_receive_skb(skb);
}

int netif_receive_skb(struct sk_buff *skb)
{
	if (sim_deliver)
		sim_deliver(skb);
	else
		sim_skb_free(skb);
	return 0;
}

void hrtimer_start(struct hrtimer *timer, ktime_t in, enum hrtimer_mode mode)
{
	(void)mode;
	if (in < 0)
		sim_bug("a timer in the past");
	timer->expires = sim.now + in;
	timer->armed = true;
	sim.timer = timer;
}

/* Events. */

int xenbus_map_ring_valloc(struct xenbus_device *dev, grant_ref_t *gref,
			   unsigned int n, void **vaddr)
{
	if (n != 1 || *gref >= ARRAY_SIZE(dev->page))
		return -EINVAL;
	if (fails(&sim.fail_map_in))
		return -ENOMEM;
	*vaddr = dev->page[*gref];
	if (!*vaddr)
		return -ENOENT;
	dev->n_mapped[*gref]++;
	ASAN_UNPOISON_MEMORY_REGION(*vaddr, XEN_PAGE_SIZE);
	return 0;
}

void sim_page_writable(void *page)
{
	ASAN_UNPOISON_MEMORY_REGION(page, XEN_PAGE_SIZE);
}

int xenbus_unmap_ring_vfree(struct xenbus_device *dev, void *vaddr)
{
	u32 i = vaddr == dev->page[0] ? 0 : vaddr == dev->page[1] ? 1 : 2;

	sim_may_sleep();
	if (vaddr != dev->page[i] || !dev->n_mapped[i])
		sim_bug("what is unmapped was never mapped");
	/* Nobody looks there any more. */
	if (!--dev->n_mapped[i])
		ASAN_POISON_MEMORY_REGION(vaddr, XEN_PAGE_SIZE);
	return 0;
}

static struct sim_irq *irq_of(int irq)
{
	if (irq < SIM_IRQ_BASE || irq >= SIM_IRQ_BASE + (int)ARRAY_SIZE(sim.irq))
		sim_bug("no such interrupt: %d", irq);
	return &sim.irq[irq - SIM_IRQ_BASE];
}

int bind_interdomain_evtchn_to_irqhandler_lateeoi(struct xenbus_device *dev,
						  evtchn_port_t port,
						  irq_handler_t handler,
						  unsigned long flags,
						  const char *name, void *data)
{
	(void)dev;
	(void)flags;
	(void)name;
	if (port >= ARRAY_SIZE(sim.irq) || sim.irq[port].handler)
		return -EINVAL;
	if (fails(&sim.fail_bind_in))
		return -ENOSPC;
	/* A channel is pending when it is bound. */
	sim.irq[port] = (struct sim_irq){ handler, data, .pending = true };
	return SIM_IRQ_BASE + port;
}

void unbind_from_irqhandler(unsigned int irq, void *data)
{
	sim_may_sleep();
	if (!irq_of(irq)->handler)
		sim_bug("a channel is unbound twice");
	(void)data;
	irq_of(irq)->handler = NULL;
	irq_of(irq)->enabled = false;
}

void enable_irq(unsigned int irq)
{
	irq_of(irq)->enabled = true;
}

void disable_irq(unsigned int irq)
{
	sim_may_sleep();
	irq_of(irq)->enabled = false;
}

void notify_remote_via_irq(int irq)
{
	irq_of(irq)->n_notify++;
}

void xen_irq_lateeoi(unsigned int irq, unsigned int flags)
{
	if (!irq_of(irq)->active)
		sim_bug("an end of an interrupt that nobody waits for");
	irq_of(irq)->active = false;
	irq_of(irq)->n_eoi++;
	if (flags & XEN_EOI_FLAG_SPURIOUS)
		irq_of(irq)->n_spurious++;
}

void (*sim_atomic_hook)(const atomic_t *v);

void sim_event(u32 port)
{
	sim.irq[port].pending = true;
}

static bool run_irq(struct sim_irq *irq, int nr)
{
	if (!irq->handler || !irq->enabled || irq->active || !irq->pending)
		return false;
	irq->pending = false;
	irq->active = true;
	sim.atomic++;
	sim.in_irq = true;
	irq->handler(nr, irq->data);
	sim.in_irq = false;
	sim.atomic--;
	return true;
}

bool sim_interrupt(u32 port)
{
	return run_irq(&sim.irq[port], SIM_IRQ_BASE + port);
}

/* Threads: there is one, on a stack of its own. */

#define STACK_SIZE	(512 * 1024)

static ucontext_t main_context, thread_context;
static u8 *thread_stack;
static const void *main_stack;
static size_t main_stack_size;
static bool thread_ended;

static void switch_to(ucontext_t *from, ucontext_t *to, const void *stack, size_t size)
{
	void *fake = NULL;

	__sanitizer_start_switch_fiber(&fake, stack, size);
	swapcontext(from, to);
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

static void thread_main(void)
{
	__sanitizer_finish_switch_fiber(NULL, &main_stack, &main_stack_size);
	sim.task->function(sim.task->data);
	thread_ended = true;
	__sanitizer_start_switch_fiber(NULL, main_stack, main_stack_size);
	setcontext(&main_context);
}

static void resume_thread(void)
{
	sim.n_turns = 0;
	sim.n_resumed++;
	switch_to(&main_context, &thread_context, thread_stack, STACK_SIZE);
}

struct task_struct sim_sender;

bool in_task(void)
{
	return sim.from_task;
}

struct task_struct *sim_kthread_run(int (*function)(void *data), void *data)
{
	if (fails(&sim.fail_thread_in))
		return ERR_PTR(-EINTR);
	if (!thread_stack)
		thread_stack = malloc(STACK_SIZE);
	sim.task = calloc(1, sizeof(*sim.task));
	*sim.task = (struct task_struct){ .function = function, .data = data };
	sim.stop = false;
	sim.wake_timed = true;
	sim.wake_at = jiffies;
	thread_ended = false;
	getcontext(&thread_context);
	thread_context.uc_stack.ss_sp = thread_stack;
	thread_context.uc_stack.ss_size = STACK_SIZE;
	thread_context.uc_link = NULL;
	makecontext(&thread_context, thread_main, 0);
	return sim.task;
}

int kthread_stop(struct task_struct *task)
{
	u32 i;

	sim_may_sleep();
	if (task != sim.task)
		sim_bug("a thread is stopped that is not there");
	if (thread_ended)
		sim_bug("the thread has ended by itself");
	/* Their handlers would wake it. */
	for (i = 0; i < ARRAY_SIZE(sim.irq); i++)
		if (sim.irq[i].enabled)
			sim_bug("the thread is stopped while there may be events");
	sim.stop = true;
	resume_thread();
	if (!thread_ended)
		sim_bug("the thread does not stop");
	free(task);
	sim.task = NULL;
	sim.wait = NULL;
	return 0;
}

bool kthread_should_stop(void)
{
	return sim.stop;
}

void cond_resched(void)
{
	if (++sim.n_turns > TURNS_MAX)
		sim_bug("the thread never rests");
}

long schedule_timeout(long timeout)
{
	sim_may_sleep();
	if (timeout <= 0)
		sim_bug("a sleep of %ld", timeout);
	sim.wake_timed = timeout != MAX_SCHEDULE_TIMEOUT;
	sim.wake_at = jiffies + timeout;
	switch_to(&thread_context, &main_context, main_stack, main_stack_size);
	return 0;
}

long schedule_timeout_idle(long timeout)
{
	sim_may_sleep();
	sim_advance(timeout * (NSEC_PER_SEC / HZ));
	return 0;
}

void sim_prepare_to_wait(wait_queue_head_t *wait, int *entry)
{
	*entry = 1;
	wait->sleeping = true;
	sim.wait = wait;
}

void wake_up(wait_queue_head_t *wait)
{
	if (wait->sleeping)
		wait->woken = true;
}

static bool run_thread(void)
{
	if (!sim.task)
		return false;
	if (!(sim.wait && sim.wait->woken) &&
	    !(sim.wake_timed && time_after_eq(jiffies, sim.wake_at)))
		return false;
	if (sim.wait)
		sim.wait->woken = false;
	sim.wake_timed = false;
	resume_thread();
	return true;
}

void sim_advance(u64 ns)
{
	u64 ms = sim.now / NSEC_PER_MSEC;

	sim.now += ns;
	sim.ticks += sim.now / NSEC_PER_MSEC - ms;
}

unsigned long get_state_synchronize_rcu(void)
{
	return sim.grace;
}

void sim_grace_period(void)
{
	sim.grace++;
	if (sim.on_grace)
		sim.on_grace();
}

void cond_synchronize_rcu(unsigned long state)
{
	sim_may_sleep();
	if (state == sim.grace)
		sim_grace_period();
}

void sim_queue_work(struct work_struct *work)
{
	if (sim.work && sim.work != work)
		sim_bug("there is another work");
	work->queued = true;
	sim.work = work;
}

struct delayed_work *sim_delayed;

bool cancel_work_sync(struct work_struct *work)
{
	bool was = work->queued;

	sim_may_sleep();
	work->queued = false;
	if (sim.on_cancel)
		sim.on_cancel();
	/* It has just begun, and is waited for. */
	if (was && sim.cancel_late)
		work->function(work);
	sim.work = NULL;
	return was;
}

static bool run_work(void)
{
	if (!sim.work || !sim.work->queued)
		return false;
	sim.work->queued = false;
	sim.work->function(sim.work);
	return true;
}

static bool run_timer(void)
{
	if (!sim.timer || !sim.timer->armed || sim.now < sim.timer->expires)
		return false;
	sim.timer->armed = false;
	sim.atomic++;
	sim.in_irq = true;
	if (sim.timer->function(sim.timer) != HRTIMER_NORESTART)
		sim_bug("a timer that begins anew by itself");
	sim.in_irq = false;
	sim.atomic--;
	return true;
}

static bool run_poll(int budget)
{
	int done;

	if (!sim.napi || sim.napi->disabled || !sim.napi->scheduled)
		return false;
	sim.napi_completed = false;
	sim.atomic++;
	done = sim.napi->poll(sim.napi, budget);
	sim.atomic--;
	if (done > budget)
		sim_bug("a poll did %d of %d", done, budget);
	if (done == budget && sim.napi_completed && budget)
		sim_bug("a poll used its budget up and is complete too");
	if (done < budget && !sim.napi_completed)
		sim_bug("a poll ended and was not completed");
	return true;
}

void sim_run(int budget)
{
	bool again;
	u32 i, n = 0;

	do {
		again = false;
		for (i = 0; i < ARRAY_SIZE(sim.irq); i++)
			again |= run_irq(&sim.irq[i], SIM_IRQ_BASE + i);
		again |= run_timer();
		again |= run_work();
		again |= run_poll(budget);
		again |= run_thread();
		if (++n > TURNS_MAX)
			sim_bug("the driver never rests");
	} while (again);
}
