// SPDX-License-Identifier: Apache-2.0
#include "domains/domain.h"

#include <assert.h>

#include "domains/access/access.h"
#include "domains/accounts/accounts.h"
#include "domains/ops/ops.h"

const struct domain *const domain_list[] = {
	&access_domain,
	&accounts_domain,
	&ops_domain,
	NULL,
};

void *domain_state(const struct loop *loop, const struct domain *domain)
{
	for (size_t i = 0; domain_list[i] != NULL; i++)
		if (domain_list[i] == domain)
			return loop->domains->states[i];
	assert(!"domain is not in domain_list");
	return NULL;
}
