// SPDX-License-Identifier: Apache-2.0
#include "domains/access/token_cache.h"

#include <string.h>

enum { WAYS = 4 };

bool token_cache_init(struct token_cache *cache, struct arena *arena, size_t places)
{
	size_t sets = 1;

	while (sets * WAYS < places)
		sets *= 2;
	*cache = (struct token_cache) {.set_count = sets};
	cache->places = arena_zalloc(arena, sets * WAYS * sizeof(cache->places[0]));
	return cache->places != NULL;
}

static struct seen_token *set_of(
	const struct token_cache *cache, const uint8_t digest[static SHA256_BYTES])
{
	uint64_t bits;

	memcpy(&bits, digest, sizeof(bits));
	return cache->places + (bits & (cache->set_count - 1)) * WAYS;
}

/* The clock marks uses; when it wraps the old marks would look new, so all are forgotten. */
static uint32_t tick(struct token_cache *cache)
{
	if (++cache->clock == 0) {
		for (size_t i = 0; i < cache->set_count * WAYS; i++)
			cache->places[i].used = 0;
		cache->clock = 1;
	}
	return cache->clock;
}

struct seen_token *token_cache_find(
	struct token_cache *cache, const uint8_t digest[static SHA256_BYTES])
{
	struct seen_token *set = set_of(cache, digest);

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].used == 0 || memcmp(set[i].digest, digest, SHA256_BYTES) != 0)
			continue;
		/* After a wrap the place itself may have been forgotten; it is as good as new. */
		set[i].used = tick(cache);
		return &set[i];
	}
	return NULL;
}

struct seen_token *token_cache_put(struct token_cache *cache, const struct seen_token *token)
{
	struct seen_token *place = token_cache_find(cache, token->digest);

	if (place == NULL) {
		struct seen_token *set = set_of(cache, token->digest);

		place = set;
		for (size_t i = 1; i < WAYS; i++)
			if (set[i].used < place->used)
				place = &set[i];
	}
	*place = *token;
	place->used = tick(cache);
	return place;
}
