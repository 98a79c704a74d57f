// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * token_cache - tokens this loop has verified, so that no signature is checked twice, and when their session
 * was last found alive. Four-way sets of fixed size, least recently used goes. One loop, no locks.
 * The key is a SHA-256: a client cannot aim at a set without work, nor read one out by timing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/secret.h"
#include "core/uuid.h"

struct seen_token {
	uint8_t digest[SHA256_BYTES];
	struct uuid user_id;
	struct uuid session_id;
	int64_t expires_at_s;
	uint64_t checked_ns; /* a check that found the session alive began after this; 0: never */
	uint32_t roles; /* as the database had them at that check */
	uint32_t used; /* the cache's clock at the last find; 0: an empty place */
	bool ended; /* the session is over, and sessions do not come back */
};

struct token_cache {
	struct seen_token *places;
	size_t set_count; /* a power of two */
	uint32_t clock;
};

/* Room for at least `places` tokens, in the arena. False when it is full. */
bool token_cache_init(struct token_cache *cache, struct arena *arena, size_t places);
/* NULL when it is not there. Good until the next token_cache_put. */
struct seen_token *token_cache_find(
	struct token_cache *cache, const uint8_t digest[static SHA256_BYTES]);
/* Copies `token` in, over the set's least recently used. */
struct seen_token *token_cache_put(struct token_cache *cache, const struct seen_token *token);
