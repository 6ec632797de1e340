# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Weaknesses on purpose: see that each is noticed. Needs ROOT, the driver's directory.
#
#   make mutations [MUTATIONS='xsa-155-double-fetch ...'] [MUTATIONS_JOBS=2]
#   make mutations-rig

MUTATIONS_RUN := $(ROOT)/tools/testing/mutations/run

.PHONY: mutations mutations-rig mutations-list

mutations: ## see that the tests notice each weakness they are there for
	@$(MUTATIONS_RUN) $(if $(MUTATIONS_JOBS),-j $(MUTATIONS_JOBS)) $(MUTATIONS)

mutations-rig: $(TEST_DEPENDS) ## the same for what only a machine can see
	@$(MUTATIONS_RUN) --rig $(MUTATIONS)

mutations-list: ## which there are
	@$(MUTATIONS_RUN) --list
