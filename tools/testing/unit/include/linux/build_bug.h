/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SIM_LINUX_BUILD_BUG_H
#define SIM_LINUX_BUILD_BUG_H

#undef static_assert
#define __static_assert(cond, msg, ...)	_Static_assert(cond, msg)
#define static_assert(cond, ...)	__static_assert(cond, ##__VA_ARGS__, #cond)
#define BUILD_BUG_ON(cond)		_Static_assert(!(cond), #cond)

#endif /* SIM_LINUX_BUILD_BUG_H */
