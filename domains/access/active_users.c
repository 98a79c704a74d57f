// SPDX-License-Identifier: Apache-2.0
#include "domains/access/active_users.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum { MINUTE_MS = 60000 };

static uint32_t minute_of(int64_t unix_ms)
{
	return (uint32_t)(unix_ms / MINUTE_MS) + 1;
}

void active_users_see(struct active_users *active, const struct uuid *user_id, int64_t unix_ms)
{
	uint32_t minute = minute_of(unix_ms), bits;
	_Atomic uint32_t *slot;

	/* The last bytes of a version 7 id are random (RFC 9562, 5.7). */
	memcpy(&bits, user_id->bytes + sizeof(user_id->bytes) - sizeof(bits), sizeof(bits));
	slot = &active->minutes[bits % ACTIVE_SLOTS];
	/* Writing only what changes leaves the cache line shared between the cores. */
	if (atomic_load_explicit(slot, memory_order_relaxed) != minute)
		atomic_store_explicit(slot, minute, memory_order_relaxed);
}

double active_users_count(const struct active_users *active, int64_t unix_ms)
{
	uint32_t now = minute_of(unix_ms);
	size_t empty = 0;

	for (size_t i = 0; i < ACTIVE_SLOTS; i++) {
		uint32_t minute = atomic_load_explicit(&active->minutes[i], memory_order_relaxed);
		empty += minute == 0 || minute + ACTIVE_WINDOW_MINUTES <= now;
	}
	if (empty == 0)
		empty = 1;
	return round(-(double)ACTIVE_SLOTS * log((double)empty / ACTIVE_SLOTS));
}
