// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * active_users - how many different users this process served within the last five minutes. Linear counting
 * (Whang, Vander-Zanden and Taylor 1990) over slots that hold the minute of the last visit: 2 % off at 50,000
 * users, one relaxed load a request.
 */

#include <stdatomic.h>
#include <stdint.h>

#include "core/uuid.h"

enum { ACTIVE_SLOTS = 65536, ACTIVE_WINDOW_MINUTES = 5 };

/* Zeroed by its owner. Any thread. */
struct active_users {
	_Atomic uint32_t minutes[ACTIVE_SLOTS]; /* since 1970, plus one; 0: never */
};

void active_users_see(struct active_users *active, const struct uuid *user_id, int64_t unix_ms);
double active_users_count(const struct active_users *active, int64_t unix_ms);
