// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * secret - randomness, digests, encodings and the care secrets need, on OpenSSL.
 * Safe on every thread: no shared mutable state.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/text.h"

enum { SHA256_BYTES = 32 };

void secret_random(void *out, size_t size); /* getrandom(2); aborts when the kernel has none */
void secret_wipe(void *data, size_t size); /* not optimised away */
bool secret_equals(const void *a, const void *b, size_t size); /* constant time */
void secret_sha256(const void *data, size_t size, uint8_t out[static SHA256_BYTES]);
void secret_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
	uint8_t out[static SHA256_BYTES]); /* RFC 2104 */

/* Base64url without padding, RFC 4648 section 5. */
size_t base64url_encoded_len(size_t size);
size_t base64url_encode(const void *data, size_t size, char *out); /* returns the length; no NUL */
/* Returns the byte count, or -1 for a bad character, padding, non-canonical tail bits or a full `out`. */
ptrdiff_t base64url_decode(struct text text, void *out, size_t out_size);
