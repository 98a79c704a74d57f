// SPDX-License-Identifier: Apache-2.0
#include "domains/access/token_key.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "domains/access/token_key_file.h"

enum { ED25519_BYTES = 32, SECRET_MIN_BYTES = 32 };

/* RFC 5869 with an empty salt and one block of output. */
static void derive(
	const void *input, size_t input_size, const char *purpose, uint8_t out[static SHA256_BYTES])
{
	uint8_t extracted[SHA256_BYTES], info[64];
	size_t len = strlen(purpose);

	secret_hmac_sha256("", 0, input, input_size, extracted);
	memcpy(info, purpose, len);
	info[len] = 1;
	secret_hmac_sha256(extracted, sizeof(extracted), info, len + 1, out);
	secret_wipe(extracted, sizeof(extracted));
}

static const char refresh_purpose[] = "millrace refresh-token successor v1";
static const char key_id_purpose[] = "millrace jwt key id v1";

/* RFC 7638 over the members that RFC 8037, 2 asks for, in their order. */
static void write_thumbprint(struct token_key *key, const uint8_t public[static ED25519_BYTES])
{
	char x[48], json[128];
	uint8_t digest[SHA256_BYTES];
	size_t x_len = base64url_encode(public, ED25519_BYTES, x);
	int len = snprintf(json, sizeof(json),
		"{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%.*s\"}", (int)x_len, x);

	secret_sha256(json, (size_t)len, digest);
	base64url_encode(digest, sizeof(digest), key->id);
}

/* Takes `pair`. */
static bool use_pair(struct token_key *key, EVP_PKEY *pair)
{
	uint8_t seed[ED25519_BYTES], public[ED25519_BYTES];
	size_t seed_size = sizeof(seed), public_size = sizeof(public);

	*key = (struct token_key) {.algorithm = TOKEN_EDDSA, .pair = pair};
	if (pair == NULL || EVP_PKEY_get_base_id(pair) != EVP_PKEY_ED25519 ||
		EVP_PKEY_get_raw_private_key(pair, seed, &seed_size) != 1 ||
		EVP_PKEY_get_raw_public_key(pair, public, &public_size) != 1)
		return false;
	write_thumbprint(key, public);
	derive(seed, sizeof(seed), refresh_purpose, key->refresh);
	secret_wipe(seed, sizeof(seed));
	return true;
}

bool token_key_from_seed(struct token_key *key, const uint8_t seed[static 32])
{
	return use_pair(
		key, EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_BYTES));
}

void token_key_from_secret(struct token_key *key, struct text secret)
{
	uint8_t digest[SHA256_BYTES];

	*key = (struct token_key) {.algorithm = TOKEN_HS256, .secret = secret};
	derive(secret.data, secret.len, key_id_purpose, digest);
	base64url_encode(digest, sizeof(digest), key->id);
	derive(secret.data, secret.len, refresh_purpose, key->refresh);
}

void token_key_close(struct token_key *key)
{
	EVP_PKEY_free(key->pair);
	secret_wipe(key, sizeof(*key));
}

const char *token_secret_weakness(struct text secret)
{
	static const char *const examples[] = {
		"development-secret",
		"secret",
		"changeme",
		"change-me",
		"change-this",
		"changethis",
		"jwt-secret",
		"jwt_secret",
		"your-secret",
		"your-256-bit-secret",
		"supersecret",
		"super-secret",
		"my-secret",
		"mysecret",
		"default",
		"example",
		"insecure",
		"password",
		"test-secret",
		"a-string-secret-at-least-256-bits-long",
		"your-super-secret-jwt-token-with-at-least-32-characters-long",
		"your-super-secret-key-change-in-production",
		"please-change-me-in-production",
	};
	size_t same = 0;

	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		if (text_equals_ignore_case(secret, text_from_c(examples[i])))
			return "is a well-known example";
	if (secret.len < SECRET_MIN_BYTES)
		return "is shorter than 32 bytes (RFC 7518, 3.2)";
	for (size_t i = 1; i < secret.len; i++)
		same += secret.data[i] == secret.data[0];
	return same + 1 == secret.len ? "is one character repeated" : NULL;
}

static bool open_secret(struct token_key *key, const struct token_key_source *source,
	struct arena *arena, struct text *error_out)
{
	const char *weakness = token_secret_weakness(source->secret);

	if (source->production && weakness != NULL) {
		*error_out = arena_printf(arena,
			"jwt.secret (JWT_SECRET) %s, which production refuses; make one with "
			"`openssl rand -base64 48`, or leave it unset for an Ed25519 key",
			weakness);
		return false;
	}
	token_key_from_secret(key, source->secret);
	return true;
}

bool token_key_open(struct token_key *key, const struct token_key_source *source,
	struct arena *arena, struct text *error_out)
{
	struct evp_pkey_st *pair;

	if (source->secret.len > 0)
		return open_secret(key, source, arena, error_out);
	if (source->private_file.len > 0)
		pair = token_key_file_read(source->private_file, arena, error_out);
	else
		pair = token_key_file_keep(source->data_dir, arena, error_out);
	if (pair == NULL)
		return false;
	if (!use_pair(key, pair)) {
		EVP_PKEY_free(pair);
		*error_out = arena_printf(
			arena, "jwt.private_key_file must hold an Ed25519 private key");
		return false;
	}
	return true;
}

const char *token_key_algorithm(const struct token_key *key)
{
	switch (key->algorithm) {
	case TOKEN_EDDSA:
		return "EdDSA";
	case TOKEN_HS256:
		return "HS256";
	}
	return "";
}

static size_t sign_ed25519(
	EVP_PKEY *pair, struct text data, uint8_t out[static TOKEN_SIGNATURE_MAX])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size = TOKEN_SIGNATURE_MAX;
	bool signed_ = context != NULL &&
		EVP_DigestSignInit(context, NULL, NULL, NULL, pair) == 1 &&
		EVP_DigestSign(context, out, &size, (const uint8_t *)data.data, data.len) == 1;

	EVP_MD_CTX_free(context);
	return signed_ ? size : 0;
}

static bool verify_ed25519(EVP_PKEY *pair, struct text data, const uint8_t *signature, size_t size)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool valid = context != NULL &&
		EVP_DigestVerifyInit(context, NULL, NULL, NULL, pair) == 1 &&
		EVP_DigestVerify(context, signature, size, (const uint8_t *)data.data, data.len) ==
			1;

	EVP_MD_CTX_free(context);
	return valid;
}

size_t token_key_sign(
	const struct token_key *key, struct text data, uint8_t out[static TOKEN_SIGNATURE_MAX])
{
	switch (key->algorithm) {
	case TOKEN_EDDSA:
		return sign_ed25519(key->pair, data, out);
	case TOKEN_HS256:
		secret_hmac_sha256(key->secret.data, key->secret.len, data.data, data.len, out);
		return SHA256_BYTES;
	}
	return 0;
}

bool token_key_verify(const struct token_key *key, struct text data, const uint8_t *signature,
	size_t signature_size)
{
	uint8_t expected[SHA256_BYTES];
	bool valid;

	switch (key->algorithm) {
	case TOKEN_EDDSA:
		return signature_size == 64 &&
			verify_ed25519(key->pair, data, signature, signature_size);
	case TOKEN_HS256:
		if (signature_size != sizeof(expected))
			return false;
		secret_hmac_sha256(
			key->secret.data, key->secret.len, data.data, data.len, expected);
		valid = secret_equals(expected, signature, sizeof(expected));
		secret_wipe(expected, sizeof(expected));
		return valid;
	}
	return false;
}
