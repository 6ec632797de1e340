# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Read twice: by kbuild (KERNELRELEASE is set), in the tree or out of it, and by
# a person, who gets the targets of tools/targets.mk ("make help" lists them).

ifneq ($(KERNELRELEASE),)

xen-netback-y := netback.o
xen-netback-y += xenbus.o
xen-netback-y += interface.o
xen-netback-y += ethtool.o
xen-netback-y += qstats.o
xen-netback-y += queue.o
xen-netback-y += guest_tx.o
xen-netback-y += guest_rx.o
xen-netback-y += tx_parse.o
xen-netback-y += mcast.o
xen-netback-y += hash.o
xen-netback-y += ctrl.o
xen-netback-y += grant.o
xen-netback-y += gref.o
xen-netback-$(CONFIG_DEBUG_FS) += debugfs.o

# Where trace/define_trace.h finds trace.h again.
CFLAGS_netback.o := -I$(src)

ifneq ($(KBUILD_EXTMOD),)
# Out of the tree: a module, whatever the kernel was configured for.
obj-m := xen-netback.o
else
obj-$(CONFIG_XEN_NETDEV_BACKEND) := xen-netback.o
endif

# All knowledge of older kernels. Where the tree is the newest it has no effect,
# and the directory can be left out.
compat := $(firstword $(wildcard $(src)/compat $(srctree)/$(src)/compat))
ifneq ($(compat),)
ccflags-y += -I$(compat)/include -include $(compat)/compat.h
include $(compat)/compat.mk
endif

else

include tools/targets.mk

endif
