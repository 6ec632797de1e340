# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The frontend in user space, for the boots "frontend" and "hostile".

FRONTEND := $(ROOT)/tools/testing/frontend
XVF      := $(ROOT)/tools/testing/selftests/bin/xvf
XVF_CFLAGS ?= -O2 -std=gnu11 -Wall -Wextra -Wshadow

$(XVF): $(wildcard $(FRONTEND)/*.[ch])
	@mkdir -p $(@D)
	$(CC) $(XVF_CFLAGS) -o $@ $(FRONTEND)/*.c

# What the frontend cannot do in user space: a module for the guests' kernel.
FORGE    := $(ROOT)/tools/testing/selftests/bin/xvf_forge.ko

$(FORGE): $(wildcard $(FRONTEND)/forge/*) $(ROOT)/tools/testing/rig/build-module
	@mkdir -p $(@D)
	$(ROOT)/tools/testing/rig/build-module $(FRONTEND)/forge $@

.PHONY: frontend
frontend: $(XVF) $(FORGE) ## build the frontend in user space

TEST_DEPENDS += frontend
