/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a program in a guest can have of Xen through its kernel's devices:
 * xenstore, event channels, pages granted to another domain.
 *
 * What cannot fail in a healthy guest ends the program with a word if it does.
 */
#ifndef XVF_XEN_H
#define XVF_XEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096

/* A page of ours that another domain may use. */
struct page {
	uint8_t *va;
	uint32_t gref;
	uint64_t index;		/* gntalloc's name for it */
};

void xen_open(void);

/* Paths are relative to the domain's own directory unless they begin with '/'. */
char *xs_get(const char *path);			/* malloc'ed; NULL: not there */
int xs_put(const char *path, const void *data, size_t len);	/* 0 or an errno */
int xs_putf(const char *path, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int xs_rm(const char *path);
void xs_watch(const char *path);
/* A transaction: its number, or 0 and errno. What follows is a part of transaction id,
 * until it is 0. There is no end but the program's.
 */
uint32_t xs_begin(void);
void xs_within(uint32_t id);
void xs_again(void);				/* in a child: a connection of its own */
bool xs_event(int ms);				/* has anything watched changed? */

uint32_t port_new(uint16_t domid);
void port_free(uint32_t port);
void port_kick(uint32_t port);			/* raise an event there */
int port_try_kick(uint32_t port);		/* the same; 0 or an errno */
uint32_t port_wait(int ms);			/* which had an event; 0: none */

void page_new(struct page *page, int n, bool writable, uint16_t domid);
void page_free(struct page *page, int n);

/* Ends the program; the first says where, as errno has it. */
void sys_die(const char *what) __attribute__((noreturn));
uint64_t now_ms(void);

#endif
