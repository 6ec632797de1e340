# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Fuzzers: the driver's files as they are, under libFuzzer and the sanitizers, with
# the unit tests' simulated kernel around them. Needs ROOT, the driver's directory.
#
#   make test-fuzz                 a minute in all, from the corpus on, as TAP
#   make fuzz [FUZZ=guest_tx] [FUZZ_TIME=600 | FUZZ_RUNS=1000000]
#   make fuzz-merge                take what is new into the corpus, the least of it
#   make fuzz-coverage             lines and branches that the corpus reaches
#   make fuzz-lcov                 the same as out/all.lcov
#
# Debian's packages: clang-14, libclang-rt-14-dev, llvm-14.

FUZZ_DIR := $(ROOT)/tools/testing/fuzz
FUZZ_UNIT := $(ROOT)/tools/testing/unit
FUZZ_OUT ?= $(FUZZ_DIR)/out
XENVIF_SRC ?= $(ROOT)

FUZZ_CC ?= clang-14
FUZZ_TIME ?= 600
FUZZ_CFLAGS := -std=gnu11 -g -O1 -fno-omit-frame-pointer -Wall -Wextra -Werror \
	-Wno-sign-compare -Wno-unused-parameter -Wno-unused-function -I$(XENVIF_SRC) -I$(FUZZ_UNIT)/include -I$(FUZZ_OUT)/include \
	-I$(FUZZ_UNIT)/sim -I$(FUZZ_DIR)
FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
# Where the harness branches guides the fuzzer too, but not what it compares.
FUZZ_HARNESS := $(FUZZ_SAN) -fsanitize-coverage=inline-8bit-counters,pc-table
FUZZ_COV := -fsanitize=address -fprofile-instr-generate -fcoverage-mapping
# What kbuild does not ask of the driver either.
FUZZ_DRIVER_CFLAGS := $(FUZZ_CFLAGS) -Wno-missing-field-initializers \
	-Wno-gnu-folding-constant

FUZZ_ALL := tx_parse guest_tx guest_rx ctrl
FUZZ ?= $(FUZZ_ALL)
FUZZ_DRIVER := tx_parse guest_tx guest_rx queue hash mcast grant gref
FUZZ_SIM := hook sim
FUZZ_DEPS := $(FUZZ_OUT)/include/stamp $(FUZZ_DIR)/input.h \
	$(wildcard $(XENVIF_SRC)/*.h $(FUZZ_UNIT)/sim/*.h) \
	$(shell find $(FUZZ_UNIT)/include -name '*.h')

.PHONY: test-fuzz fuzz fuzz-programs fuzz-merge fuzz-corpus fuzz-coverage fuzz-lcov

test-fuzz: ## fuzz for a minute
	@$(FUZZ_DIR)/run

fuzz: fuzz-programs ## fuzz until FUZZ_TIME (seconds) or FUZZ_RUNS; keep what is new
	@set -e; for f in $(FUZZ); do \
		mkdir -p $(FUZZ_OUT)/new/$$f $(FUZZ_OUT)/artifacts; \
		nice -n 10 $(FUZZ_OUT)/fuzz_$$f -max_len=1024 -timeout=20 \
			-artifact_prefix=$(FUZZ_OUT)/artifacts/$$f- -print_final_stats=1 \
			$(if $(FUZZ_RUNS),-runs=$(FUZZ_RUNS),-max_total_time=$(FUZZ_TIME)) \
			$(FUZZ_OUT)/new/$$f $(FUZZ_DIR)/corpus/$$f; \
	done

# The smallest inputs that together reach all that the corpus and the new ones do.
fuzz-merge: fuzz-programs ## minimise the corpus, with what make fuzz has found
	@set -e; for f in $(FUZZ); do \
		mkdir -p $(FUZZ_OUT)/new/$$f; rm -rf $(FUZZ_OUT)/merged; mkdir $(FUZZ_OUT)/merged; \
		nice -n 10 $(FUZZ_OUT)/fuzz_$$f -merge=1 -max_len=1024 $(FUZZ_OUT)/merged \
			$(FUZZ_OUT)/new/$$f $(FUZZ_DIR)/corpus/$$f; \
		rm -rf $(FUZZ_DIR)/corpus/$$f; mv $(FUZZ_OUT)/merged $(FUZZ_DIR)/corpus/$$f; \
	done

fuzz-programs: $(FUZZ_ALL:%=$(FUZZ_OUT)/fuzz_%)

# Each input of the corpus once.
fuzz-corpus: $(FUZZ_ALL:%=$(FUZZ_OUT)/cov_%)
	@set -e; for f in $(FUZZ_ALL); do \
		LLVM_PROFILE_FILE=$(FUZZ_OUT)/$$f.profraw $(FUZZ_OUT)/cov_$$f -runs=0 \
			$(FUZZ_DIR)/corpus/$$f 2> /dev/null; \
	done
	@llvm-profdata-14 merge -o $(FUZZ_OUT)/all.profdata $(FUZZ_ALL:%=$(FUZZ_OUT)/%.profraw)

FUZZ_PROFILE := -instr-profile=$(FUZZ_OUT)/all.profdata $(FUZZ_OUT)/cov_guest_tx \
	-object $(FUZZ_OUT)/cov_guest_rx -object $(FUZZ_OUT)/cov_tx_parse \
	-object $(FUZZ_OUT)/cov_ctrl

fuzz-lcov: fuzz-corpus
	@llvm-cov-14 export -format=lcov $(FUZZ_PROFILE) > $(FUZZ_OUT)/all.lcov

fuzz-coverage: fuzz-corpus ## lines and branches that the corpus reaches
	@llvm-cov-14 report -show-functions=false -show-branch-summary $(FUZZ_PROFILE) \
		$(FUZZ_DRIVER:%=$(XENVIF_SRC)/%.c) $(XENVIF_SRC)/ctrl.c \
		$(XENVIF_SRC)/ring.h $(XENVIF_SRC)/pack.h $(XENVIF_SRC)/credit.h $(XENVIF_SRC)/grant.h

$(FUZZ_OUT)/include/stamp: $(FUZZ_UNIT)/headers $(wildcard $(XENVIF_SRC)/*.c $(XENVIF_SRC)/*.h)
	@$(FUZZ_UNIT)/headers $(FUZZ_OUT)/include $(XENVIF_SRC)

# The driver and the harness guide the fuzzer; the stand does not.
$(FUZZ_OUT)/fuzz/%.o: $(XENVIF_SRC)/%.c $(FUZZ_DEPS)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_DRIVER_CFLAGS) $(FUZZ_SAN) -fsanitize=fuzzer-no-link -c $< -o $@

$(FUZZ_OUT)/fuzz/%.o: $(FUZZ_DIR)/%.c $(FUZZ_DEPS)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_HARNESS) -c $< -o $@

$(FUZZ_OUT)/fuzz/%.o: $(FUZZ_UNIT)/sim/%.c $(FUZZ_DEPS)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_SAN) -c $< -o $@

$(FUZZ_OUT)/cov/%.o: $(XENVIF_SRC)/%.c $(FUZZ_DEPS)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_DRIVER_CFLAGS) $(FUZZ_COV) -c $< -o $@

$(FUZZ_OUT)/cov/%.o: $(FUZZ_DIR)/%.c $(FUZZ_DEPS)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=address -c $< -o $@

$(FUZZ_OUT)/cov/%.o: $(FUZZ_UNIT)/sim/%.c $(FUZZ_DEPS)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=address -c $< -o $@

# The parser's harness needs no kernel around it.
$(FUZZ_OUT)/fuzz_tx_parse: $(addprefix $(FUZZ_OUT)/fuzz/,fuzz_tx_parse.o tx_parse.o hook.o model.o)
$(FUZZ_OUT)/cov_tx_parse: $(addprefix $(FUZZ_OUT)/cov/,fuzz_tx_parse.o tx_parse.o hook.o model.o)

$(FUZZ_OUT)/fuzz_guest_tx $(FUZZ_OUT)/fuzz_guest_rx: $(FUZZ_OUT)/fuzz_%: $(FUZZ_OUT)/fuzz/fuzz_%.o \
	$(FUZZ_DRIVER:%=$(FUZZ_OUT)/fuzz/%.o) $(FUZZ_SIM:%=$(FUZZ_OUT)/fuzz/%.o) \
	$(FUZZ_OUT)/fuzz/stand.o $(FUZZ_OUT)/fuzz/model.o
$(FUZZ_OUT)/cov_guest_tx $(FUZZ_OUT)/cov_guest_rx: $(FUZZ_OUT)/cov_%: $(FUZZ_OUT)/cov/fuzz_%.o \
	$(FUZZ_DRIVER:%=$(FUZZ_OUT)/cov/%.o) $(FUZZ_SIM:%=$(FUZZ_OUT)/cov/%.o) \
	$(FUZZ_OUT)/cov/stand.o $(FUZZ_OUT)/cov/model.o

$(FUZZ_OUT)/fuzz_ctrl: $(addprefix $(FUZZ_OUT)/fuzz/,fuzz_ctrl.o ctrl.o ctrl_stand.o) \
	$(FUZZ_DRIVER:%=$(FUZZ_OUT)/fuzz/%.o) $(FUZZ_SIM:%=$(FUZZ_OUT)/fuzz/%.o)
$(FUZZ_OUT)/cov_ctrl: $(addprefix $(FUZZ_OUT)/cov/,fuzz_ctrl.o ctrl.o ctrl_stand.o) \
	$(FUZZ_DRIVER:%=$(FUZZ_OUT)/cov/%.o) $(FUZZ_SIM:%=$(FUZZ_OUT)/cov/%.o)

$(FUZZ_ALL:%=$(FUZZ_OUT)/fuzz_%):
	$(FUZZ_CC) $(FUZZ_SAN) -fsanitize=fuzzer $^ -o $@

$(FUZZ_ALL:%=$(FUZZ_OUT)/cov_%):
	$(FUZZ_CC) $(FUZZ_COV) -fsanitize=fuzzer $^ -o $@
