# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The rig's targets. Included by tools/targets.mk.

RIG := $(ROOT)/tools/testing/rig/rig

.PHONY: packages demo shell

packages: ## fetch and install what the rig and the tests need (as root)
	@$(ROOT)/tools/testing/rig/bootstrap
	@$(RIG) packages

demo: packages ## from nothing to a guest that passes traffic on our module
	@$(RIG) run --name demo --mode steady --timeout 900 $(if $(DOM0),--dom0 $(DOM0)) \
		$(if $(GUEST),--guest $(GUEST)) -- $(ROOT)/tools/testing/rig/demo.sh

shell: packages ## a shell in dom0; DOM0=6.1 GUEST=6.1 NETBACK=distro CPUS=4
	@$(RIG) shell $(if $(DOM0),--dom0 $(DOM0)) $(if $(GUEST),--guest $(GUEST)) \
		$(if $(NETBACK),--netback $(NETBACK)) $(if $(CPUS),--cpus $(CPUS))

TEST_ALSO += rig='$(ROOT)/tools/testing/rig/selftest'
