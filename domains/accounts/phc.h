// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * phc - Argon2id hashes as text: $argon2id$v=19$m=19456,t=2,p=1$salt$hash, salt and hash in base64
 * without padding. One spelling only: no leading zeros, no other order, no other version.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"

enum { PHC_SALT_MAX = 48, PHC_HASH_MAX = 64, PHC_MAX_BYTES = 256 };

/* What a hash costs; RFC 9106, 3.1 names them m, t and p. */
struct password_cost {
	uint32_t memory_kib;
	uint32_t iterations;
	uint32_t lanes;
};

struct phc {
	struct password_cost cost;
	uint8_t salt[PHC_SALT_MAX];
	uint8_t hash[PHC_HASH_MAX];
	uint32_t salt_size, hash_size;
};

/* False for anything that phc_write does not write, or whose cost is beyond what this server would spend
 * (1 GiB, 64 iterations, 16 lanes). */
bool phc_read(struct text text, struct phc *phc_out);
/* Returns the length; no NUL. */
size_t phc_write(const struct phc *phc, char out[static PHC_MAX_BYTES]);
