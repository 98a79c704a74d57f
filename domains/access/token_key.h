// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * token_key - the key that signs access tokens, and the key derived from it that makes refresh tokens'
 * successors. Ed25519 from a PEM file, made at the first start; HMAC-SHA256 when a secret is configured.
 * Read-only after opening: every thread may use it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/secret.h"
#include "core/text.h"

struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

enum token_algorithm { TOKEN_EDDSA, TOKEN_HS256 };
enum { TOKEN_SIGNATURE_MAX = 64, TOKEN_KEY_ID_LEN = 43 };

struct token_key {
	enum token_algorithm algorithm;
	struct evp_pkey_st *pair; /* Ed25519 */
	struct text secret; /* HS256; borrowed from the settings */
	char id[TOKEN_KEY_ID_LEN]; /* kid: RFC 7638 thumbprint, or a digest made with the secret */
	uint8_t refresh[SHA256_BYTES]; /* see refresh_token.h */
};

struct token_key_source {
	struct text secret; /* not empty: HS256 */
	struct text
		private_file; /* else this PEM file; empty: data_dir/jwt_ed25519.pem, made when missing */
	struct text data_dir;
	bool production;
};

/* False with a sentence in *error_out. `source` texts must outlive the key. */
bool token_key_open(struct token_key *key, const struct token_key_source *source,
	struct arena *arena, struct text *error_out);
/* From the 32 bytes of an Ed25519 seed or from a secret; for tests and tools. */
bool token_key_from_seed(struct token_key *key, const uint8_t seed[static 32]);
void token_key_from_secret(struct token_key *key, struct text secret);
void token_key_close(struct token_key *key);

const char *token_key_algorithm(const struct token_key *key); /* the JOSE name: "EdDSA", "HS256" */
/* Writes the signature of data and returns its length (0: OpenSSL failed). */
size_t token_key_sign(
	const struct token_key *key, struct text data, uint8_t out[static TOKEN_SIGNATURE_MAX]);
bool token_key_verify(const struct token_key *key, struct text data, const uint8_t *signature,
	size_t signature_size);
/* Why this secret must not be used in production ("is a well-known example"...), or NULL. */
const char *token_secret_weakness(struct text secret);
