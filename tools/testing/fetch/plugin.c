// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A plugin for QEMU's translator: which instruction of the driver's reads and writes
 * what of the memory that dom0 has mapped, a record for each access.
 *
 *   -plugin FILE,share=DIR[,kernel=on]
 *
 * DIR is /host of dom0. There "out/fetch/module" says where the driver is, "ADDRESS SIZE"
 * (see tell); "out/fetch/log" is written here.
 *
 * A ring is mapped into dom0's vmalloc area, and that is where the guest's pages are
 * not: a frontend reaches the same page by other addresses. So it is recorded what the
 * driver does to pages there, from where it reads one as an attach does, but for what an
 * instruction reaches relative to the stack pointer; judge.py knows which of them are
 * rings. A page is a pair of addresses, of the processor's and of the machine's, as the
 * former are used again.
 *
 * kernel=on: and what anybody else does to these pages: dom0's
 * kernel and other modules by the same address, the hypervisor by any.
 *
 * The interface is version 1 of QEMU's, of which Debian has no header.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is used of QEMU's interface ---- */

#define EXPORT	__attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;

struct qemu_info;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;

enum qemu_plugin_cb_flags { CB_NO_REGS };
enum qemu_plugin_mem_rw { MEM_RW = 3 };

typedef void (*tb_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*mem_cb)(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t vaddr,
		       void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_cb cb);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
				    void (*cb)(qemu_plugin_id_t id, void *data), void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, mem_cb cb,
				      enum qemu_plugin_cb_flags flags,
				      enum qemu_plugin_mem_rw rw, void *data);
unsigned int qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info);
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t info, uint64_t vaddr);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *addr);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *addr);

EXPORT int qemu_plugin_version = 1;

/* ---- the map of dom0, and of Xen ---- */

/* From the first to behind the last. */
struct range {
	uint64_t from, to;
};

static const struct range vmalloc_area = { 0xffffc90000000000, 0xffffe90000000000 };
static const struct range kernels = { 0xffffffff80000000, 0xffffffffff000000 };
static const struct range modules = { 0xffffffffa0000000, 0xffffffffff000000 };
static const struct range xen_text = { 0xffff82d040000000, 0xffff82d080000000 };
static const struct range xen_direct = { 0xffff830000000000, 0xffff880000000000 };

static bool in(const struct range *range, uint64_t addr)
{
	return addr >= range->from && addr < range->to;
}

/* ---- the log ---- */

/* judge.py has the same. */
struct record {
	uint8_t kind;
	uint8_t size;
	uint16_t offset;	/* in its page */
	uint32_t page;		/* number of a pair */
	uint64_t pc;
};

#define MAGIC		"xvfetch1"
#define LOAD		'L'
#define STORE		'S'
#define KERNEL_LOAD	'l'
#define KERNEL_STORE	's'
#define XEN_LOAD	'x'
#define XEN_STORE	'y'
#define PAGE_VIRT	'V'	/* pc: the processor's address of a new pair */
#define PAGE_MACH	'H'	/* pc: the machine's; follows it */
#define MODULE		'M'	/* pc: where the driver is; page: its size */
#define WATCHED		'K'	/* the kernel and Xen are recorded, too */
#define END		'E'	/* pc: how many records came before */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *out;
static uint64_t n_records;
static char *tell_path;
static bool watch_kernel;
/* Of the driver; empty as long as there is none. */
static struct range driver;

static void put(uint8_t kind, uint8_t size, uint16_t offset, uint32_t page, uint64_t pc)
{
	struct record record = { kind, size, offset, page, pc };

	if (fwrite(&record, sizeof(record), 1, out) != 1) {
		perror("fetch plugin: the log");
		abort();
	}
	n_records++;
}

/* ---- pairs of addresses: pages that may be rings ---- */

#define PAIRS		(1u << 20)
#define QUICK		(1u << 16)

struct pair {
	uint64_t virt, mach;
	uint32_t number;
};

static struct pair pairs[PAIRS], *by_number[PAIRS / 2];
static uint32_t n_pairs;
/* What may be one, by the lower bits of a page's number: for many a quick no. */
static uint8_t quick_virt[QUICK], quick_mach[QUICK];

static struct pair *pair_find(uint64_t virt, uint64_t mach)
{
	uint64_t hash = (virt ^ mach << 20) * 0x9e3779b97f4a7c15;
	struct pair *pair;

	for (uint32_t i = hash >> 44;; i++) {
		pair = &pairs[i % PAIRS];
		if (!pair->virt || (pair->virt == virt && pair->mach == mach))
			return pair;
	}
}

static struct pair *pair_get(uint64_t virt, uint64_t mach)
{
	struct pair *pair = pair_find(virt, mach);

	if (pair->virt)
		return pair;
	if (n_pairs == PAIRS / 2) {
		fprintf(stderr, "fetch plugin: too many pages\n");
		abort();
	}
	by_number[n_pairs] = pair;
	*pair = (struct pair){ virt, mach, n_pairs++ };
	quick_virt[virt % QUICK] = 1;
	quick_mach[mach % QUICK] = 1;
	put(PAGE_VIRT, 0, 0, pair->number, virt << 12);
	put(PAGE_MACH, 0, 0, pair->number, mach << 12);
	return pair;
}

/* The machine's page; 0 if it is none of its memory. */
static uint64_t machine_page(qemu_plugin_meminfo_t info, uint64_t vaddr)
{
	struct qemu_plugin_hwaddr *addr = qemu_plugin_get_hwaddr(info, vaddr);

	if (!addr || qemu_plugin_hwaddr_is_io(addr))
		return 0;
	return qemu_plugin_hwaddr_phys_addr(addr) >> 12;
}

/* ---- while the machine runs ---- */

static void driver_access(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t vaddr,
			  void *data)
{
	bool store = qemu_plugin_mem_is_store(info);
	uint8_t size = 1 << qemu_plugin_mem_size_shift(info);
	uint64_t pc = (uintptr_t)data, mach;
	struct pair *pair;
	/* What an attach begins with: the response producer. */
	bool first = !store && size == 4 && vaddr % 4096 == 8;

	(void)cpu;
	if (!in(&driver, pc) || !in(&vmalloc_area, vaddr) ||
	    (!first && !quick_virt[(vaddr >> 12) % QUICK]))
		return;
	mach = machine_page(info, vaddr);
	pthread_mutex_lock(&lock);
	pair = first ? pair_get(vaddr >> 12, mach) : pair_find(vaddr >> 12, mach);
	if (pair->virt)
		put(store ? STORE : LOAD, size, vaddr % 4096, pair->number, pc);
	pthread_mutex_unlock(&lock);
}

/* Somebody else; the driver's own accesses are recorded as such. */
static void kernel_access(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t vaddr,
			  void *data)
{
	uint64_t pc = (uintptr_t)data;
	struct pair *pair;

	(void)cpu;
	if (!in(&vmalloc_area, vaddr) || !quick_virt[(vaddr >> 12) % QUICK] || in(&driver, pc))
		return;
	pthread_mutex_lock(&lock);
	pair = pair_find(vaddr >> 12, machine_page(info, vaddr));
	if (pair->virt)
		put(qemu_plugin_mem_is_store(info) ? KERNEL_STORE : KERNEL_LOAD,
		    1 << qemu_plugin_mem_size_shift(info), vaddr % 4096, pair->number, pc);
	pthread_mutex_unlock(&lock);
}

static void xen_access(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *data)
{
	uint64_t mach;

	(void)cpu;
	if (in(&xen_text, vaddr))
		return;
	/* The direct map is in the order of the machine's memory. */
	if (in(&xen_direct, vaddr) && !quick_mach[(vaddr >> 12) % QUICK])
		return;
	mach = machine_page(info, vaddr);
	if (!quick_mach[mach % QUICK])
		return;
	pthread_mutex_lock(&lock);
	/* Seldom: one after the other will do, the last one first. */
	for (uint32_t i = n_pairs; i--;) {
		if (by_number[i]->mach != mach)
			continue;
		put(qemu_plugin_mem_is_store(info) ? XEN_STORE : XEN_LOAD,
		    1 << qemu_plugin_mem_size_shift(info), vaddr % 4096, by_number[i]->number,
		    (uintptr_t)data);
		break;
	}
	pthread_mutex_unlock(&lock);
}

/* ---- while it is translated ---- */

/*
 * Does an instruction reach memory relative to the stack pointer only? Where it is not
 * clear it does not: then it is recorded, and does no harm.
 */
static bool is_of_stack(const uint8_t *code, size_t size)
{
	size_t i = 0;
	uint8_t rex = 0, modrm;

	while (i < size && strchr("\x66\xf2\xf3\x2e\x36\x3e\x26\x64\x65\xf0", code[i]) && code[i])
		i++;
	if (i < size && (code[i] & 0xf0) == 0x40)
		rex = code[i++];
	if (i == size)
		return false;
	/* push, pop, call, ret, leave */
	if ((code[i] & 0xf0) == 0x50 || code[i] == 0xe8 || code[i] == 0xc3 || code[i] == 0xc9)
		return true;
	if (code[i] == 0x0f) {
		if (++i < size && (code[i] == 0x38 || code[i] == 0x3a))
			i++;
	} else if ((code[i] & 0xf0) == 0xa0 || code[i] == 0xc4 || code[i] == 0xc5 ||
		   code[i] == 0x62) {
		return false;	/* strings, fixed addresses, vectors: no such byte behind it */
	}
	if (i + 2 >= size)
		return false;
	modrm = code[i + 1];
	/* pop, call, jump, push by memory: two accesses, and one is the stack's anyhow */
	return modrm >> 6 != 3 && (modrm & 7) == 4 && (code[i + 2] & 7) == 4 && !(rex & 1);
}

/* Has dom0 said where the driver is? */
static void look_for_module(void)
{
	static struct timespec seen;
	static ino_t seen_inode;
	unsigned long long from, size;
	struct stat st;
	FILE *file;

	if (stat(tell_path, &st) ||
	    (st.st_ino == seen_inode && st.st_mtim.tv_sec == seen.tv_sec &&
	     st.st_mtim.tv_nsec == seen.tv_nsec))
		return;
	seen = st.st_mtim;
	seen_inode = st.st_ino;
	file = fopen(tell_path, "r");
	if (!file)
		return;
	if (fscanf(file, "%llx %llu", &from, &size) == 2) {
		driver = (struct range){ from, from + size };
		put(MODULE, 0, 0, size, from);
	}
	fclose(file);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint64_t start = qemu_plugin_tb_vaddr(tb);
	bool module = in(&modules, start);
	bool kernel = watch_kernel && in(&kernels, start);
	bool xen = watch_kernel && in(&xen_text, start);

	(void)id;
	if (!module && !kernel && !xen)
		return;
	if (module) {
		pthread_mutex_lock(&lock);
		look_for_module();
		pthread_mutex_unlock(&lock);
	}
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		void *pc = (void *)(uintptr_t)qemu_plugin_insn_vaddr(insn);

		if (is_of_stack(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn)))
			continue;
		if (module)
			qemu_plugin_register_vcpu_mem_cb(insn, driver_access, CB_NO_REGS,
							 MEM_RW, pc);
		if (kernel)
			qemu_plugin_register_vcpu_mem_cb(insn, kernel_access, CB_NO_REGS,
							 MEM_RW, pc);
		if (xen)
			qemu_plugin_register_vcpu_mem_cb(insn, xen_access, CB_NO_REGS, MEM_RW,
							 pc);
	}
}

static void ends(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	pthread_mutex_lock(&lock);
	put(END, 0, 0, 0, n_records);
	if (fclose(out))
		perror("fetch plugin: the log");
	/* Whoever comes now has nowhere to write to. */
	driver = (struct range){};
	memset(quick_virt, 0, sizeof(quick_virt));
	memset(quick_mach, 0, sizeof(quick_mach));
	pthread_mutex_unlock(&lock);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc,
			       char **argv)
{
	char *share = NULL, *path;

	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "share=", 6))
			share = argv[i] + 6;
		else if (!strcmp(argv[i], "kernel=on"))
			watch_kernel = true;
	}
	if (!share) {
		fprintf(stderr, "fetch plugin: no share=\n");
		return -1;
	}
	if (asprintf(&path, "%s/out/fetch", share) < 0)
		return -1;
	mkdir(path, 0777);
	free(path);
	if (asprintf(&tell_path, "%s/out/fetch/module", share) < 0 ||
	    asprintf(&path, "%s/out/fetch/log", share) < 0)
		return -1;
	out = fopen(path, "wb");
	free(path);
	if (out)
		setvbuf(out, NULL, _IOFBF, 1 << 20);
	if (!out || fwrite(MAGIC, 8, 1, out) != 1) {
		perror("fetch plugin: the log");
		return -1;
	}
	if (watch_kernel)
		put(WATCHED, 0, 0, 0, 0);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, ends, NULL);
	return 0;
}
