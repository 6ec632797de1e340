# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Unit tests: the driver's files as they are, compiled for user space under the
# sanitizers. Needs ROOT, the driver's directory. XENVIF_SRC names another place
# to take the driver's files from, which is how a test is shown to fail. With
# UNIT_COVERAGE=1 gcc counts the lines and branches that they reach: UNIT_OUT then
# has the counters. UBSAN is left out there, whose checks would be branches.
# UNIT_PAGE_SHIFT=16: as where the host's pages are 64 KiB.

UNIT := $(ROOT)/tools/testing/unit
UNIT_OUT ?= $(UNIT)/out$(if $(UNIT_COVERAGE),/coverage)
XENVIF_SRC ?= $(ROOT)

UNIT_CC ?= gcc
ifneq ($(UNIT_COVERAGE),)
UNIT_SAN := -fsanitize=address -fno-sanitize-recover=all --coverage
UNIT_OPT := -O0
else
UNIT_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
UNIT_OPT := -O1
endif
UNIT_CFLAGS := -std=gnu11 -g $(UNIT_OPT) -fno-omit-frame-pointer -Wall -Wextra -Werror \
	-Wno-sign-compare -Wno-unused-parameter -Wno-unused-function $(UNIT_SAN) \
	$(if $(UNIT_PAGE_SHIFT),-DPAGE_SHIFT=$(UNIT_PAGE_SHIFT)) \
	-I$(XENVIF_SRC) -I$(UNIT)/include -I$(UNIT_OUT)/include -I$(UNIT)/sim
# What kbuild does not ask of the driver either.
UNIT_DRIVER_CFLAGS := $(UNIT_CFLAGS) -Wno-missing-field-initializers

UNIT_PURE := test_pack test_credit test_tx_parse test_ring
UNIT_ALONE := test_mcast test_hash
UNIT_STAND := test_guest_tx test_guest_rx test_queue
UNIT_CTRL := test_ctrl
UNIT_GREF := test_gref
UNIT_XENBUS := test_xenbus
UNIT_TESTS := $(addprefix $(UNIT_OUT)/,$(UNIT_PURE) $(UNIT_ALONE) $(UNIT_STAND) $(UNIT_CTRL) \
	$(UNIT_XENBUS) $(UNIT_GREF))
UNIT_DRIVER_OBJS := $(addprefix $(UNIT_OUT)/driver/,tx_parse.o guest_tx.o guest_rx.o queue.o \
	mcast.o hash.o grant.o gref.o)
UNIT_SIM_OBJS := $(addprefix $(UNIT_OUT)/sim/,sim.o hook.o)
UNIT_DEPS := $(UNIT_OUT)/include/stamp $(wildcard $(XENVIF_SRC)/*.h $(UNIT)/*.h $(UNIT)/sim/*.h) \
	$(shell find $(UNIT)/include -name '*.h')

.PHONY: test-unit test-unit-64k unit-tests

test-unit: ## run the unit tests
	@$(UNIT)/run

test-unit-64k: ## ... as where the host's pages are 64 KiB
	@UNIT_PAGE_SHIFT=16 UNIT_OUT=$(UNIT_OUT)/64k $(UNIT)/run

unit-tests: $(UNIT_TESTS)

# Anew when the driver includes something new.
$(UNIT_OUT)/include/stamp: $(UNIT)/headers $(wildcard $(XENVIF_SRC)/*.c $(XENVIF_SRC)/*.h)
	@$(UNIT)/headers $(UNIT_OUT)/include $(XENVIF_SRC)

$(UNIT_OUT)/driver/%.o: $(XENVIF_SRC)/%.c $(UNIT_DEPS)
	@mkdir -p $(@D)
	$(UNIT_CC) $(UNIT_DRIVER_CFLAGS) -c $< -o $@

$(UNIT_OUT)/sim/%.o: $(UNIT)/sim/%.c $(UNIT_DEPS)
	@mkdir -p $(@D)
	$(UNIT_CC) $(UNIT_CFLAGS) -c $< -o $@

$(UNIT_OUT)/%.o: $(UNIT)/%.c $(UNIT_DEPS)
	@mkdir -p $(@D)
	$(UNIT_CC) $(UNIT_CFLAGS) -c $< -o $@

$(addprefix $(UNIT_OUT)/,$(UNIT_PURE)): $(UNIT_OUT)/%: $(UNIT_OUT)/%.o \
		$(UNIT_OUT)/driver/tx_parse.o $(UNIT_OUT)/sim/hook.o
	$(UNIT_CC) $(UNIT_SAN) $^ -lcmocka -o $@

$(addprefix $(UNIT_OUT)/,$(UNIT_ALONE)): $(UNIT_OUT)/test_%: $(UNIT_OUT)/test_%.o \
		$(UNIT_OUT)/driver/%.o $(UNIT_OUT)/sim/hook.o
	$(UNIT_CC) $(UNIT_SAN) $^ -lcmocka -o $@

$(addprefix $(UNIT_OUT)/,$(UNIT_STAND)): $(UNIT_OUT)/%: $(UNIT_OUT)/%.o \
		$(UNIT_DRIVER_OBJS) $(UNIT_SIM_OBJS) $(UNIT_OUT)/sim/stand.o $(UNIT_OUT)/sim/model.o
	$(UNIT_CC) $(UNIT_SAN) $^ -lcmocka -o $@

$(addprefix $(UNIT_OUT)/,$(UNIT_CTRL)): $(UNIT_OUT)/%: $(UNIT_OUT)/%.o \
		$(UNIT_DRIVER_OBJS) $(UNIT_OUT)/driver/ctrl.o $(UNIT_SIM_OBJS) \
		$(UNIT_OUT)/sim/ctrl_stand.o
	$(UNIT_CC) $(UNIT_SAN) $^ -lcmocka -o $@

$(addprefix $(UNIT_OUT)/,$(UNIT_GREF)): $(UNIT_OUT)/%: $(UNIT_OUT)/%.o \
		$(UNIT_DRIVER_OBJS) $(UNIT_OUT)/driver/ctrl.o $(UNIT_SIM_OBJS) \
		$(UNIT_OUT)/sim/stand.o $(UNIT_OUT)/sim/model.o
	$(UNIT_CC) $(UNIT_SAN) $^ -lcmocka -o $@

$(addprefix $(UNIT_OUT)/,$(UNIT_XENBUS)): $(UNIT_OUT)/%: $(UNIT_OUT)/%.o \
		$(UNIT_OUT)/driver/xenbus.o $(UNIT_SIM_OBJS) $(UNIT_OUT)/sim/simxenbus.o
	$(UNIT_CC) $(UNIT_SAN) $^ -lcmocka -o $@

.SECONDARY:
