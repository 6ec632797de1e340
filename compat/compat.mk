# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Parts of the driver that a kernel is too old for.

compat-version := $(shell echo $$(($(VERSION) * 1000 + $(PATCHLEVEL))))

# struct netdev_stat_ops came with 6.9; see compat.h.
ifeq ($(shell test $(compat-version) -lt 6009 && echo y),y)
xen-netback-y := $(filter-out qstats.o,$(xen-netback-y))
endif
