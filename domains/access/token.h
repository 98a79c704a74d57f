// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * token - access tokens: JWS compact (RFC 7515) with the claims of RFC 9068, signed with Ed25519 (RFC 8037)
 * or HS256. Verification is strict: one key, one algorithm, one type; whatever this server would not have
 * written is refused (RFC 8725).
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/text.h"
#include "core/uuid.h"
#include "domains/access/token_key.h"

enum { TOKEN_MAX_BYTES = 4096, TOKEN_LEEWAY_S = 5 };

struct token_rules {
	const struct token_key *key;
	struct text issuer;
	struct text audience;
};

struct token_claims {
	struct uuid user_id; /* sub */
	struct uuid session_id; /* sid */
	struct uuid token_id; /* jti */
	int64_t issued_at_s; /* iat, Unix seconds */
	int64_t not_before_s; /* nbf; 0: none */
	int64_t expires_at_s; /* exp */
	uint32_t roles; /* role_bit() of each name in roles */
};

enum token_verdict { TOKEN_OK, TOKEN_BAD, TOKEN_LATE };

/* In the arena; absent when it is full. Any thread. */
struct text token_sign(
	const struct token_rules *rules, const struct token_claims *claims, struct arena *arena);
/* The arena is scratch. TOKEN_LATE only for a token that is valid but for its time. Any thread. */
enum token_verdict token_verify(const struct token_rules *rules, struct text token, int64_t now_s,
	struct arena *arena, struct token_claims *claims_out);
