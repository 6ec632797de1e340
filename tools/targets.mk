# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What a person can ask for. Included by the top Makefile; "make help" lists it.

ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/..)
KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
INSTALL_MOD_DIR ?= updates

.DEFAULT_GOAL := modules
.PHONY: modules modules_install clean help

# $(KDIR)/Makefile is there when the kernel's headers are.
define need-headers
@test -e $(KDIR)/Makefile || { \
	echo "No kernel headers in $(KDIR)."; \
	echo "Install them (apt-get install linux-headers-$(KVER)), or name others:"; \
	echo "  make KDIR=/lib/modules/VERSION/build"; \
	exit 1; } >&2
endef

modules: ## build xen-netback.ko for the running kernel, or for KDIR=
	$(need-headers)
	@+$(MAKE) -C $(KDIR) M=$(ROOT) modules

modules_install: modules ## install it where modprobe prefers it
	@+$(MAKE) -C $(KDIR) M=$(ROOT) INSTALL_MOD_DIR=$(INSTALL_MOD_DIR) modules_install

clean: ## remove what was built
	$(need-headers)
	@+$(MAKE) -C $(KDIR) M=$(ROOT) clean

help: ## list the targets
	@grep -hE '^[a-z][a-z0-9_-]*:.*## ' $(MAKEFILE_LIST) | sort | \
		sed -E 's/^([a-z0-9_-]+):.*## /\1\t/' | expand -t 20

-include $(ROOT)/tools/testing/rig/rig.mk
-include $(ROOT)/tools/testing/check/check.mk
-include $(ROOT)/tools/testing/unit/unit.mk
-include $(ROOT)/tools/testing/fuzz/fuzz.mk
-include $(ROOT)/tools/testing/coverage/coverage.mk
-include $(ROOT)/tools/bench/bench.mk

# Tests that need no machine run beside those that do.
TEST_DEPENDS := packages
TEST_ALSO += unit='$(ROOT)/tools/testing/unit/run'
TEST_ALSO += fuzz='$(ROOT)/tools/testing/fuzz/run'
-include $(ROOT)/tools/testing/mutations/mutations.mk
-include $(ROOT)/tools/testing/frontend/frontend.mk
-include $(ROOT)/tools/testing/fetch/fetch.mk
-include $(ROOT)/tools/testing/selftests/selftests.mk
