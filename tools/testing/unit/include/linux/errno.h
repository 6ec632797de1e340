/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SIM_LINUX_ERRNO_H
#define SIM_LINUX_ERRNO_H

#include <asm/errno.h>

#endif /* SIM_LINUX_ERRNO_H */
