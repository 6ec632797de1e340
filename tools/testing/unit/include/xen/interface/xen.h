/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The few types that the kernel's xen/interface/grant_table.h and io/ need. */

#ifndef SIM_XEN_INTERFACE_XEN_H
#define SIM_XEN_INTERFACE_XEN_H

#include <linux/build_bug.h>
#include <linux/string.h>
#include <linux/types.h>

typedef u16 domid_t;
typedef unsigned long xen_pfn_t;
typedef unsigned long xen_ulong_t;
typedef u32 evtchn_port_t;

#define DOMID_SELF	0x7FF0U

#define GUEST_HANDLE(name)			name *
#define DEFINE_GUEST_HANDLE_STRUCT(name)	struct name
#define DEFINE_GUEST_HANDLE(name)		extern int sim_no_handle

#endif /* SIM_XEN_INTERFACE_XEN_H */
