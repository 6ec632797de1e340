# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Functional tests. Included by tools/targets.mk.
#
#   make test               everything: other producers of TAP (TEST_ALSO,
#                           "NAME=COMMAND" each), then all boots
#   make test-NAME          one boot; "make test-list" names them
#   make test CASE='t_vlan*' NETBACK=distro
#   make test-debug         the boots with the detectors on (hours, and half an
#                           hour more where the debug kernel is not built yet),
#                           then the lines that they reached
#   make test-debug-prove   see each detector fail a run
#   make test-more          the boots that make test's hour has no room for
#   make test-cost          what a guest that lies can cost the host and a neighbour
#   make soak               long runs: SOAK="SOAK_CYCLES=100 SOAK_SAVES=2"
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

# Errors from what the driver calls, for the boot "hostcalls".
FAULTS    := $(SELFTESTS)bin/xenvif_faults.ko

$(FAULTS): $(wildcard $(SELFTESTS)faults/*) $(ROOT)/tools/testing/rig/build-module
	@mkdir -p $(@D)
	$(ROOT)/tools/testing/rig/build-module $(SELFTESTS)faults $@

test-hostcalls test-more test-prove: $(FAULTS)

# What domains' processors do, for the boot "cost".
DOMCPU    := $(SELFTESTS)bin/domcpu

$(DOMCPU): $(ROOT)/tools/bench/src/domcpu.c $(ROOT)/tools/bench/src/xserve.h
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE $(XVT_CFLAGS) -o $@ $< -lxenctrl

test-cost test-prove: $(DOMCPU)

.PHONY: selftests-build test test-list test-prove
selftests-build: $(XVT) $(FAULTS) $(DOMCPU)

test: $(TEST_DEPENDS) $(XVT) ## all tests: in the rig, on the sources, in user space
	$(SELFTEST_RUN) $(foreach a,$(TEST_ALSO),--also $(a))

test-list: ## the boots that there are, and their suites
	@$(SELFTESTS)run --list

.PHONY: test-more test-debug test-debug-prove soak
test-more: $(TEST_DEPENDS) $(XVT) ## the boots that make test's hour has no room for
	$(SELFTEST_RUN) --suite more

test-debug: $(TEST_DEPENDS) $(XVT) ## the tests on a dom0 kernel with the detectors on
	$(SELFTEST_RUN) --suite debug; r=$$?; \
		$(SELFTESTS)../coverage/report $(SELFTESTS)out/debug-*; exit $$r

test-debug-prove: $(TEST_DEPENDS) ## see each detector of the debug kernel fail a run
	$(SELFTESTS)bugs/prove

soak: $(TEST_DEPENDS) $(XVT) ## long runs: 1000 attaches, 1000 flaps, 10 saves
	$(SELFTEST_RUN) --suite soak $(foreach s,$(SOAK),--rig=--env --rig=$(s))

test-prove: $(TEST_DEPENDS) $(XVT) ## see the cases of the boots fail
	$(SELFTESTS)run --netback $(NETBACK) --prove

test-%: $(TEST_DEPENDS) $(XVT)
	$(SELFTEST_RUN) $*
