// SPDX-License-Identifier: Apache-2.0

/*
 * Access tokens. Two ways in, by the first byte: the input as a token, which must be refused; or a good token
 * with the input's bytes laid over it, which must be refused unless it is still the same token. The input as
 * header and claims under a good signature must not crash.
 */

#include <stdlib.h>
#include <string.h>

#include "domains/access/access.h"
#include "domains/access/token.h"

static const int64_t now_s = 1800000000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void make_rules(struct token_key *key, struct token_rules *rules_out)
{
	token_key_from_secret(key, TEXT("a secret of the fuzzer, which nobody guesses"));
	*rules_out = (struct token_rules) {
		.key = key, .issuer = TEXT("millrace"), .audience = TEXT("millrace")};
}

static enum token_verdict verify(
	const struct token_rules *rules, struct text token, struct arena *arena)
{
	struct token_claims claims;

	return token_verify(rules, token, now_s, arena, &claims);
}

static void as_it_is(const struct token_rules *rules, struct text input, struct arena *arena)
{
	if (verify(rules, input, arena) != TOKEN_BAD)
		abort(); /* a forgery */
}

/* Each pair of bytes: where, and what to add there. */
static void mutated(const struct token_rules *rules, struct text input, struct arena *arena)
{
	const struct token_claims claims = {
		.issued_at_s = now_s, .expires_at_s = now_s + 900, .roles = role_bit(ROLE_ADMIN)};
	struct text token = token_sign(rules, &claims, arena);
	struct text copy = arena_text(arena, token);
	char *bytes = (char *)(uintptr_t)copy.data;

	if (verify(rules, token, arena) != TOKEN_OK)
		abort();
	for (size_t i = 0; i + 2 < input.len; i += 3) {
		size_t at = ((unsigned char)input.data[i] << 8 | (unsigned char)input.data[i + 1]) %
			copy.len;
		bytes[at] = (char)(bytes[at] + input.data[i + 2]);
	}
	if (verify(rules, copy, arena) != TOKEN_BAD && !text_equals(copy, token))
		abort();
}

static void signed_rightly(const struct token_rules *rules, struct text input, struct arena *arena)
{
	struct text header, claims = input;
	uint8_t signature[TOKEN_SIGNATURE_MAX];
	char *out = arena_alloc(arena, 2 * input.len + 128);
	size_t len;

	header = text_cut(input, '\n', &claims);
	if (text_is_absent(claims))
		return;
	len = base64url_encode(header.data, header.len, out);
	out[len++] = '.';
	len += base64url_encode(claims.data, claims.len, out + len);
	token_key_sign(rules->key, text_of(out, len), signature);
	out[len++] = '.';
	len += base64url_encode(signature, 32, out + len);
	verify(rules, text_of(out, len), arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct token_key key;
	struct token_rules rules;
	struct arena arena;
	struct text input;

	if (size < 1 || size > 8192)
		return 0;
	arena_init(&arena, NULL, 1024 * 1024);
	make_rules(&key, &rules);
	input = text_of((const char *)data + 1, size - 1);
	if (data[0] % 3 == 0)
		as_it_is(&rules, input, &arena);
	else if (data[0] % 3 == 1)
		mutated(&rules, input, &arena);
	else
		signed_rightly(&rules, input, &arena);
	token_key_close(&key);
	arena_deinit(&arena);
	return 0;
}
