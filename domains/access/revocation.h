// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * revocation - when this process last ended a session, so that every loop obeys at once. A table of times, one
 * for all ids that share a slot: a check of a session counts only if it began later than the times of both its
 * session and its user. A shared slot costs a needless check, never a missed one.
 */

#include <stdatomic.h>
#include <stdint.h>

#include "core/uuid.h"

enum { REVOCATION_SLOTS = 4096 };

/* Zeroed by its owner. Any thread. */
struct revocations {
	_Atomic uint64_t ended_ns[REVOCATION_SLOTS]; /* monotonic; 0: never */
};

/* Once the end is committed: a check that begins later must see it. */
void revocations_add(struct revocations *revocations, const struct uuid *id, uint64_t now_ns);
uint64_t revocations_last(const struct revocations *revocations, const struct uuid *id);
