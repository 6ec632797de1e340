# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Is a byte of a shared ring read twice? A plugin of QEMU's sees each access.
#
#   make test-fetch                     the boots that are looked at so
#   make test-fetch-hostile CASE='t_race_*'

FETCH ?= $(ROOT)/tools/testing/fetch/
FETCH_PLUGIN := $(FETCH)bin/plugin.so
FETCH_CFLAGS ?= -O2 -std=gnu11 -Wall -Wextra -Wshadow -Werror

$(FETCH_PLUGIN): $(FETCH)plugin.c
	@mkdir -p $(@D)
	$(CC) $(FETCH_CFLAGS) -shared -fPIC -fvisibility=hidden -o $@.$$$$ $< && mv $@.$$$$ $@

ifneq ($(ROOT),)
TEST_ALSO += fetch='$(FETCH)selftest'

.PHONY: test-fetch
test-fetch: $(TEST_DEPENDS) $(FETCH_PLUGIN) $(ROOT)/tools/testing/selftests/bin/xvt ## see that no byte of a ring is read twice
	$(ROOT)/tools/testing/selftests/run --suite fetch $(if $(CASE),--case '$(CASE)') \
		$(if $(V),--verbose)
endif
