# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What of the driver the suites reach, added up. Needs ROOT, the driver's directory;
# unit.mk and fuzz.mk come before this.
#
#   make coverage                   unit tests, the fuzzers' corpus, and the boots of
#                                   the debug kernel whose logs are there
#   make coverage COVERAGE='--missing --branches'   and what is not reached, by line
#   make coverage COVERAGE_BOOTS='DIR...'           boots whose logs are elsewhere
#   make unit-coverage              unit tests alone, with what is not reached

COVERAGE_REPORT := $(ROOT)/tools/testing/coverage/report
COVERAGE_UNIT := $(UNIT)/out/coverage
COVERAGE_BOOTS ?= $(wildcard $(ROOT)/tools/testing/selftests/out/*/out/gcov)

.PHONY: coverage unit-coverage coverage-unit

# Its verdicts are for make test; here a failure only ends the run.
coverage-unit:
	@mkdir -p $(COVERAGE_UNIT)
	@UNIT_COVERAGE=1 UNIT_OUT=$(COVERAGE_UNIT) nice $(UNIT)/run > $(COVERAGE_UNIT)/tap || \
		{ grep -v '^ok' $(COVERAGE_UNIT)/tap; exit 1; }

unit-coverage: coverage-unit ## lines and branches that the unit tests reach, and those that not
	@$(COVERAGE_REPORT) --missing --branches --unit $(COVERAGE_UNIT)

# The corpus is left out, and the report says so, where there is no clang for it.
coverage: coverage-unit ## lines of the driver that all suites together reach
	@if command -v $(FUZZ_CC) > /dev/null; then \
		nice $(MAKE) -s -f $(firstword $(MAKEFILE_LIST)) fuzz-lcov; \
	else \
		rm -f $(FUZZ_OUT)/all.lcov; \
	fi
	@corpus=; [ ! -e $(FUZZ_OUT)/all.lcov ] || corpus='--corpus $(FUZZ_OUT)/all.lcov'; \
		$(COVERAGE_REPORT) $(COVERAGE) --unit $(COVERAGE_UNIT) $$corpus $(COVERAGE_BOOTS)
