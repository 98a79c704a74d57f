// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * password_hash - Argon2id (RFC 9106) in memory that the caller keeps, and how guessable a password is. Takes tens
 * of milliseconds: for worker threads only. `scratch` may be NULL or too small: the library then allocates.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/text.h"
#include "domains/accounts/phc.h"

struct scratch {
	void *memory;
	size_t size;
};

size_t password_scratch_bytes(const struct password_cost *cost);
/* Fills salt (16 random bytes) and hash (32 bytes). False: no memory. */
bool password_hash_make(const struct password_cost *cost, struct text password,
	struct scratch scratch, struct phc *phc_out);
/* Compares in constant time. False in *worked_out: no memory. */
bool password_hash_matches(
	const struct phc *phc, struct text password, struct scratch scratch, bool *worked_out);
/* Is `cost` cheaper than `wanted` in any way? */
bool password_cost_is_weaker(const struct password_cost *cost, const struct password_cost *wanted);

/* 0 (guessed within a thousand tries) to 4 (more than ten thousand millions), as zxcvbn counts (Wheeler 2016);
 * 0 when it holds the e-mail address. Both texts are NUL-terminated. */
int password_strength(struct text password, struct text email);
