// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * refresh_token - opaque tokens of 256 random bits; only their SHA-256 is stored. The successor of a token is an HMAC
 * of it under the server's key and a salt drawn at its first use: a client that asks twice within the grace gets the
 * same successor, though nothing that could be presented is ever stored.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/secret.h"
#include "core/text.h"

enum { REFRESH_TOKEN_BYTES = 32, REFRESH_TOKEN_LEN = 43, REFRESH_SALT_BYTES = 16 };

struct refresh_token {
	uint8_t bytes[REFRESH_TOKEN_BYTES];
};

void refresh_token_new(struct refresh_token *token);
/* False when it is not the text of one. */
bool refresh_token_parse(struct text text, struct refresh_token *token_out);
struct text refresh_token_text(const struct refresh_token *token, struct arena *arena);
void refresh_token_hash(const struct refresh_token *token, uint8_t out[static SHA256_BYTES]);
void refresh_token_successor(const struct refresh_token *token,
	const uint8_t salt[static REFRESH_SALT_BYTES], const uint8_t key[static SHA256_BYTES],
	struct refresh_token *successor_out);

/* Who presented a token: a digest of the user agent and the address's network (IPv4 /24, IPv6 /48), so that a
 * client whose privacy address changes stays itself. */
void refresh_client(struct text user_agent, struct text address, uint8_t out[static SHA256_BYTES]);
