/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tracepoints that nobody listens to. */

#ifndef SIM_LINUX_TRACEPOINT_H
#define SIM_LINUX_TRACEPOINT_H

#include "simkernel.h"

#define TRACE_DEFINE_ENUM(name)	struct sim_no_such_enum
#define TP_PROTO(...)		__VA_ARGS__
#define TP_ARGS(...)		__VA_ARGS__
#define DECLARE_EVENT_CLASS(...)	struct sim_no_such_class
#define DEFINE_EVENT(class, name, proto, args)			\
	static inline void trace_##name(proto) {}		\
	static inline bool trace_##name##_enabled(void) { return false; }
#define TRACE_EVENT(name, proto, args, entry, assign, print)	\
	static inline void trace_##name(proto) {}		\
	static inline bool trace_##name##_enabled(void) { return false; }

#endif /* SIM_LINUX_TRACEPOINT_H */
