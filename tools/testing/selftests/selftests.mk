# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Functional tests. Included by tools/targets.mk.
#
#   make test               everything: other producers of TAP (TEST_ALSO,
#                           "NAME=COMMAND" each), then all boots
#   make test-NAME          one boot; "make test-list" names them
#   make test CASE='t_vlan*' NETBACK=distro
#
# What others add:
#   TEST_DEPENDS            targets to be made before a boot (module, images)
#   TEST_ALSO               more producers of TAP, each NAME='COMMAND'

SELFTESTS := $(dir $(lastword $(MAKEFILE_LIST)))
XVT       := $(SELFTESTS)bin/xvt
NETBACK   ?= ours
XVT_CFLAGS ?= -O2 -std=gnu11 -Wall -Wextra -Wshadow

SELFTEST_RUN = $(SELFTESTS)run --netback $(NETBACK) $(if $(CASE),--case '$(CASE)') \
	       $(if $(V),--verbose)

$(XVT): $(SELFTESTS)xvt.c
	@mkdir -p $(@D)
	$(CC) $(XVT_CFLAGS) -o $@ $<

.PHONY: selftests-build test test-list test-prove
selftests-build: $(XVT)

test: $(TEST_DEPENDS) $(XVT) ## all tests: in the rig, on the sources, in user space
	$(SELFTEST_RUN) $(foreach a,$(TEST_ALSO),--also $(a))

test-list: ## the boots that make test has
	@$(SELFTESTS)run --list

test-prove: $(TEST_DEPENDS) $(XVT) ## see the cases of the boots fail
	$(SELFTESTS)run --netback $(NETBACK) --prove

test-%: $(TEST_DEPENDS) $(XVT)
	$(SELFTEST_RUN) $*
