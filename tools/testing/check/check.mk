# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

.PHONY: check
check: ## builds without a warning everywhere; sparse, checkpatch, kernel-doc
	@$(ROOT)/tools/testing/check/run $(CASE)

TEST_ALSO += check='$(ROOT)/tools/testing/check/run'
