// SPDX-License-Identifier: Apache-2.0
#pragma once

/* state - what accounts keeps for the whole process, and its settings. Read-only once open. */

#include "domains/accounts/accounts.h"
#include "domains/accounts/phc.h"

struct worker_class;

struct accounts_settings {
	int64_t memory_bytes;
	int64_t iterations;
	int64_t queue_max;
	int64_t threads; /* 0: one a core */
	int64_t strength;
};
extern const struct setting_group accounts_setting_group;

struct accounts {
	const struct accounts_settings *settings;
	struct password_cost cost;
	struct worker_class *workers;
	/* What an unknown user's password is compared with: of the configured cost, of no password. */
	char nobodys_hash[PHC_MAX_BYTES];
	size_t nobodys_hash_len;
};

struct accounts *accounts_of(const struct flow *flow);
