# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Included by tools/targets.mk.

BENCH := $(ROOT)/tools/bench/bench
BENCH_KERNEL ?= 6.12

.PHONY: bench bench-quick bench-profile

bench: ## our module against the distribution's: all workloads (some three hours)
	$(BENCH) run --dom0 $(BENCH_KERNEL)

bench-quick: ## the main workloads, in at most ten minutes
	$(BENCH) quick --dom0 $(BENCH_KERNEL)

bench-profile: ## where dom0's time goes, by perf; WORKLOADS= names some
	$(BENCH) profile --dom0 $(BENCH_KERNEL) $(WORKLOADS)

# Has dom0's CPU time grown? One machine, in the deterministic mode.
TEST_ALSO += guard='$(ROOT)/tools/bench/guard'
