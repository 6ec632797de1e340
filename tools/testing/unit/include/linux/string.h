/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SIM_LINUX_STRING_H
#define SIM_LINUX_STRING_H

#include <linux/types.h>
#include <string.h>

#endif /* SIM_LINUX_STRING_H */
