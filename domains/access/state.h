// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * state - what access keeps for the whole process, and its settings. Read-only once open, but for the parts that
 * say otherwise.
 */

#include "domains/access/access.h"
#include "domains/access/active_users.h"
#include "domains/access/revocation.h"
#include "domains/access/token.h"
#include "domains/access/token_cache.h"
#include "domains/access/token_key.h"

struct access_settings {
	struct text secret;
	struct text private_key_file;
	struct text issuer;
	struct text audience;
	int64_t access_ttl_ms;
	int64_t session_ttl_ms;
	int64_t idle_timeout_ms;
	int64_t refresh_grace_ms;
	int64_t session_check_ms;
	int64_t token_cache_places;
};
extern const struct setting_group access_setting_group;

struct access {
	const struct access_settings *settings;
	struct token_key key;
	struct token_rules rules;
	struct token_cache *caches; /* one a loop, by loop->index; each its loop's own */
	struct revocations revocations; /* any thread */
	struct active_users active; /* any thread */
	metric_id attempts[ATTEMPT_METHOD_COUNT][ATTEMPT_RESULT_COUNT];
	metric_id events[ACCESS_EVENT_COUNT];
	metric_id cache_hits, cache_misses; /* of the token caches */
};

struct access *access_of(const struct flow *flow);
/* events.c: finds the series, registers the gauge. */
void access_metrics_open(struct access *access, struct metrics *metrics);
void access_count_cache(struct flow *flow, bool hit);
