// SPDX-License-Identifier: Apache-2.0

/* Access tokens: the vectors of the RFCs, and everything that must not pass. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"
#include "domains/access/access.h"
#include "domains/access/token.h"

static const int64_t now_s = 1800000000;

struct fixture {
	struct arena arena;
	struct token_key ed25519, hmac;
	struct token_rules rules, hmac_rules;
	struct token_claims claims;
};

/* RFC 8037, A.1 */
static const char seed_text[] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
static const char secret_text[] = "0123456789abcdef0123456789abcdef-test";

static int set_up(void **state)
{
	static struct fixture fixture;
	uint8_t seed[32];

	fixture = (struct fixture) {0};
	arena_init(&fixture.arena, NULL, 4 * 1024 * 1024);
	assert_int_equal(base64url_decode(TEXT(seed_text), seed, sizeof(seed)), sizeof(seed));
	assert_true(token_key_from_seed(&fixture.ed25519, seed));
	token_key_from_secret(&fixture.hmac, TEXT(secret_text));
	fixture.rules = (struct token_rules) {
		.key = &fixture.ed25519, .issuer = TEXT("millrace"), .audience = TEXT("millrace")};
	fixture.hmac_rules = fixture.rules;
	fixture.hmac_rules.key = &fixture.hmac;
	fixture.claims = (struct token_claims) {
		.user_id = uuid_new(),
		.session_id = uuid_new(),
		.token_id = uuid_new(),
		.issued_at_s = now_s,
		.expires_at_s = now_s + 900,
		.roles = role_bit(ROLE_USER),
	};
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	token_key_close(&fixture->ed25519);
	token_key_close(&fixture->hmac);
	arena_deinit(&fixture->arena);
	return 0;
}

static enum token_verdict verify(struct fixture *fixture, struct text token)
{
	struct token_claims claims;

	return token_verify(&fixture->rules, token, now_s, &fixture->arena, &claims);
}

/* Signed as it should be, whatever stands in it. */
static struct text forge(struct fixture *fixture, const struct token_key *key, struct text header,
	struct text claims)
{
	char *out = arena_alloc(&fixture->arena, 16384);
	uint8_t signature[TOKEN_SIGNATURE_MAX];
	size_t len = base64url_encode(header.data, header.len, out), size;

	out[len++] = '.';
	len += base64url_encode(claims.data, claims.len, out + len);
	size = token_key_sign(key, text_of(out, len), signature);
	out[len++] = '.';
	len += base64url_encode(signature, size, out + len);
	return text_of(out, len);
}

static struct text good_header(struct fixture *fixture)
{
	return arena_printf(&fixture->arena,
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"%.*s\"}", TOKEN_KEY_ID_LEN,
		fixture->ed25519.id);
}

#define IDS \
	"\"sub\":\"0198a5d2-0000-7000-8000-000000000001\",\"sid\":\"0198a5d2-0000-7000-8000-000000000002\"," \
	"\"jti\":\"0198a5d2-0000-7000-8000-000000000003\","
#define NAMES "\"iss\":\"millrace\",\"aud\":\"millrace\","
#define TIMES "\"iat\":1800000000,\"exp\":1800000900,"
#define ROLES "\"roles\":[\"user\"]"

static enum token_verdict verify_claims(struct fixture *fixture, const char *claims)
{
	return verify(fixture,
		forge(fixture, &fixture->ed25519, good_header(fixture), text_from_c(claims)));
}

/* @ stands for the key id. */
static enum token_verdict verify_header(struct fixture *fixture, const char *pattern)
{
	char header[512];
	size_t len = 0;

	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '@') {
			header[len++] = *pattern;
			continue;
		}
		memcpy(header + len, fixture->ed25519.id, TOKEN_KEY_ID_LEN);
		len += TOKEN_KEY_ID_LEN;
	}
	return verify(fixture,
		forge(fixture, &fixture->ed25519, text_of(header, len),
			TEXT("{" NAMES IDS TIMES ROLES "}")));
}

static void ed25519_signs_as_rfc_8037_does(void **state)
{
	static const char input[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
	static const char expected[] =
		"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
	struct fixture *fixture = *state;
	uint8_t signature[TOKEN_SIGNATURE_MAX];
	char text[128];

	assert_int_equal(token_key_sign(&fixture->ed25519, TEXT(input), signature), 64);
	assert_int_equal(base64url_encode(signature, 64, text), sizeof(expected) - 1);
	assert_memory_equal(text, expected, sizeof(expected) - 1);
	assert_true(token_key_verify(&fixture->ed25519, TEXT(input), signature, 64));
	signature[63] ^= 1;
	assert_false(token_key_verify(&fixture->ed25519, TEXT(input), signature, 64));
}

static void the_key_id_is_the_thumbprint_of_rfc_8037(void **state)
{
	struct fixture *fixture = *state;

	assert_memory_equal(fixture->ed25519.id, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", 43);
}

static void hs256_signs_as_rfc_7515_does(void **state)
{
	static const char input[] =
		"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
		"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
	static const char key_text[] =
		"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
	uint8_t signature[TOKEN_SIGNATURE_MAX];
	char bytes[64], text[64];
	struct token_key key;

	(void)state;
	assert_int_equal(base64url_decode(TEXT(key_text), bytes, sizeof(bytes)), 64);
	token_key_from_secret(&key, text_of(bytes, sizeof(bytes)));
	assert_int_equal(token_key_sign(&key, TEXT(input), signature), 32);
	assert_int_equal(base64url_encode(signature, 32, text), 43);
	assert_memory_equal(text, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", 43);
	assert_true(token_key_verify(&key, TEXT(input), signature, 32));
	token_key_close(&key);
}

static void what_was_signed_is_read_back(void **state)
{
	struct fixture *fixture = *state;
	struct token_rules *both[] = {&fixture->rules, &fixture->hmac_rules};

	fixture->claims.roles = role_bit(ROLE_USER) | role_bit(ROLE_ADMIN);
	fixture->claims.not_before_s = now_s - 1;
	for (size_t i = 0; i < 2; i++) {
		struct text token = token_sign(both[i], &fixture->claims, &fixture->arena);
		struct token_claims claims;

		assert_int_equal(
			token_verify(both[i], token, now_s, &fixture->arena, &claims), TOKEN_OK);
		assert_memory_equal(&claims, &fixture->claims, sizeof(claims));
	}
}

static void a_key_does_not_take_the_other_algorithm(void **state)
{
	struct fixture *fixture = *state;
	struct text eddsa = token_sign(&fixture->rules, &fixture->claims, &fixture->arena);
	struct text hs256 = token_sign(&fixture->hmac_rules, &fixture->claims, &fixture->arena);
	struct token_claims claims;

	assert_int_equal(token_verify(&fixture->hmac_rules, eddsa, now_s, &fixture->arena, &claims),
		TOKEN_BAD);
	assert_int_equal(
		token_verify(&fixture->rules, hs256, now_s, &fixture->arena, &claims), TOKEN_BAD);
}

/* The classic: HS256 with the public key as the secret, under the real key id. */
static void a_public_key_is_no_secret(void **state)
{
	struct fixture *fixture = *state;
	uint8_t public[32];
	struct token_key confused;
	struct text header = arena_printf(&fixture->arena,
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"%.*s\"}", TOKEN_KEY_ID_LEN,
		fixture->ed25519.id);

	base64url_decode(
		TEXT("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"), public, sizeof(public));
	token_key_from_secret(&confused, text_of((char *)public, sizeof(public)));
	assert_int_equal(
		verify(fixture,
			forge(fixture, &confused, header, TEXT("{" NAMES IDS TIMES ROLES "}"))),
		TOKEN_BAD);
	token_key_close(&confused);
}

static void no_algorithm_is_no_token(void **state)
{
	struct fixture *fixture = *state;
	static const char *const names[] = {
		"none", "None", "NONE", "nOnE", "", "RS256", "eddsa", "Ed25519"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct text header = arena_printf(&fixture->arena,
			"{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"%.*s\"}", names[i],
			TOKEN_KEY_ID_LEN, fixture->ed25519.id);
		struct text token = forge(
			fixture, &fixture->ed25519, header, TEXT("{" NAMES IDS TIMES ROLES "}"));
		struct text rest, head = text_cut(token, '.', &rest),
				  body = text_cut(rest, '.', &rest);
		struct text bare = arena_printf(
			&fixture->arena, "%.*s.%.*s.", TEXT_ARG(head), TEXT_ARG(body));

		assert_int_equal(verify(fixture, token), TOKEN_BAD);
		assert_int_equal(verify(fixture, bare), TOKEN_BAD);
	}
}

static void a_header_we_would_not_write_is_refused(void **state)
{
	struct fixture *fixture = *state;
	static const char *const bad[] = {
		"{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"@\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"AT+JWT\",\"kid\":\"@\"}",
		"{\"alg\":\"EdDSA\",\"kid\":\"@\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"other\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"@\",\"crit\":[]}",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"@\",\"jku\":\"https://evil.example\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"@\",\"kid\":\"x\"}",
		"{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\",\"kid\":\"@\"}",
		"{\"alg\":[\"EdDSA\"],\"typ\":\"at+jwt\",\"kid\":\"@\"}",
		"[\"EdDSA\",\"at+jwt\",\"@\"]",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"@\"} ,",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"@\"",
		"null",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(verify_header(fixture, bad[i]), TOKEN_BAD);
	assert_int_equal(
		verify_header(fixture, "{\"kid\":\"@\", \"typ\":\"at+jwt\", \"alg\":\"EdDSA\"}"),
		TOKEN_OK);
}

static void claims_we_would_not_write_are_refused(void **state)
{
	struct fixture *fixture = *state;
	static const char *const bad[] = {
		"{" IDS TIMES ROLES "}",
		"{\"iss\":\"millrace\"," IDS TIMES ROLES "}",
		"{\"iss\":\"other\",\"aud\":\"millrace\"," IDS TIMES ROLES "}",
		"{\"iss\":\"millrace\",\"aud\":\"other\"," IDS TIMES ROLES "}",
		"{\"iss\":\"millrace\",\"aud\":[\"millrace\"]," IDS TIMES ROLES "}",
		"{" NAMES TIMES ROLES "}",
		"{" NAMES IDS ROLES "}",
		"{" NAMES IDS TIMES "\"roles\":\"admin\"}",
		"{" NAMES IDS TIMES "\"roles\":[1]}",
		"{" NAMES IDS "\"iat\":1800000000," ROLES "}",
		"{" NAMES IDS "\"exp\":1800000900," ROLES "}",
		"{" NAMES IDS "\"iat\":1800000000,\"exp\":\"1800000900\"," ROLES "}",
		"{" NAMES IDS "\"iat\":1800000000,\"exp\":1800000900.5," ROLES "}",
		"{" NAMES IDS "\"iat\":1800000000,\"exp\":1e400," ROLES "}",
		"{" NAMES IDS "\"iat\":1800000000,\"exp\":18446744073709551615," ROLES "}",
		"{" NAMES IDS "\"iat\":-1,\"exp\":1800000900," ROLES "}",
		"{" NAMES IDS TIMES ROLES ",\"exp\":1900000000}",
		"{" NAMES IDS TIMES ROLES ",\"e\\u0078p\":1900000000}",
		"{" NAMES IDS TIMES ROLES ",\"nbf\":null}",
		"{" NAMES IDS TIMES ROLES ",\"nbf\":\"1\"}",
		"{" NAMES "\"sub\":\"1\",\"sid\":\"2\",\"jti\":\"3\"," TIMES ROLES "}",
		"{" NAMES IDS TIMES ROLES "}}",
		"{}",
		"[]",
		"\"x\"",
		"1",
		"",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(verify_claims(fixture, bad[i]), TOKEN_BAD);
	assert_int_equal(verify_claims(fixture, "{" NAMES IDS TIMES ROLES "}"), TOKEN_OK);
	assert_int_equal(
		verify_claims(fixture, "{" NAMES IDS TIMES ROLES ",\"extra\":{\"a\":[1]}}"),
		TOKEN_OK);
}

static void a_role_that_we_do_not_know_grants_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct token_claims claims;
	struct text token = forge(fixture, &fixture->ed25519, good_header(fixture),
		TEXT("{" NAMES IDS TIMES "\"roles\":[\"owner\",\"user\",\"Admin\",\"\"]}"));

	assert_int_equal(
		token_verify(&fixture->rules, token, now_s, &fixture->arena, &claims), TOKEN_OK);
	assert_int_equal(claims.roles, role_bit(ROLE_USER));
}

static enum token_verdict verify_at(struct fixture *fixture, int64_t iat, int64_t nbf, int64_t exp)
{
	fixture->claims.issued_at_s = iat;
	fixture->claims.not_before_s = nbf;
	fixture->claims.expires_at_s = exp;
	return verify(fixture, token_sign(&fixture->rules, &fixture->claims, &fixture->arena));
}

static void a_token_is_good_in_its_time_and_five_seconds_around(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(verify_at(fixture, now_s - 900, 0, now_s + 1), TOKEN_OK);
	assert_int_equal(verify_at(fixture, now_s - 900, 0, now_s), TOKEN_OK);
	assert_int_equal(verify_at(fixture, now_s - 900, 0, now_s - 4), TOKEN_OK);
	assert_int_equal(verify_at(fixture, now_s - 900, 0, now_s - 5), TOKEN_LATE);
	assert_int_equal(verify_at(fixture, now_s + 5, 0, now_s + 900), TOKEN_OK);
	assert_int_equal(verify_at(fixture, now_s + 6, 0, now_s + 900), TOKEN_BAD);
	assert_int_equal(verify_at(fixture, now_s, now_s + 5, now_s + 900), TOKEN_OK);
	assert_int_equal(verify_at(fixture, now_s, now_s + 6, now_s + 900), TOKEN_BAD);
	assert_int_equal(verify_at(fixture, now_s, 0, now_s), TOKEN_BAD);
	assert_int_equal(verify_at(fixture, now_s, 0, now_s - 10), TOKEN_BAD);
}

static void no_single_bit_may_change(void **state)
{
	struct fixture *fixture = *state;
	struct text token = token_sign(&fixture->rules, &fixture->claims, &fixture->arena);
	char copy[TOKEN_MAX_BYTES];

	for (size_t i = 0; i < token.len; i++)
		for (unsigned bit = 0; bit < 8; bit += 3) {
			struct arena arena;
			struct token_claims claims;

			arena_init(&arena, NULL, 1024 * 1024);
			memcpy(copy, token.data, token.len);
			copy[i] = (char)(copy[i] ^ (1 << bit));
			assert_int_equal(token_verify(&fixture->rules, text_of(copy, token.len),
						 now_s, &arena, &claims),
				TOKEN_BAD);
			arena_deinit(&arena);
		}
}

static void a_token_has_three_parts_in_canonical_base64url(void **state)
{
	struct fixture *fixture = *state;
	struct text token = token_sign(&fixture->rules, &fixture->claims, &fixture->arena);
	struct text rest, head = text_cut(token, '.', &rest), body = text_cut(rest, '.', &rest),
			  tail = rest;
	struct text bad[] = {
		TEXT(""),
		TEXT("."),
		TEXT(".."),
		TEXT("..."),
		TEXT("a.b.c"),
		head,
		arena_printf(&fixture->arena, "%.*s.%.*s", TEXT_ARG(head), TEXT_ARG(body)),
		arena_printf(&fixture->arena, "%.*s.", TEXT_ARG(token)),
		arena_printf(&fixture->arena, ".%.*s", TEXT_ARG(token)),
		arena_printf(&fixture->arena, "%.*s.%.*s", TEXT_ARG(token), TEXT_ARG(tail)),
		arena_printf(&fixture->arena, "%.*s..%.*s", TEXT_ARG(head), TEXT_ARG(tail)),
		arena_printf(&fixture->arena, "%.*s==", TEXT_ARG(token)),
		arena_printf(&fixture->arena, "%.*s ", TEXT_ARG(token)),
		arena_printf(&fixture->arena, "%.*s=.%.*s.%.*s", TEXT_ARG(head), TEXT_ARG(body),
			TEXT_ARG(tail)),
	};

	assert_int_equal(verify(fixture, token), TOKEN_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(verify(fixture, bad[i]), TOKEN_BAD);
}

static void a_token_past_four_kib_is_refused_unread(void **state)
{
	struct fixture *fixture = *state;
	char claims[4096];
	int len = snprintf(
		claims, sizeof(claims), "{" NAMES IDS TIMES ROLES ",\"x\":\"%03200d\"}", 0);

	assert_int_equal(verify(fixture,
				 forge(fixture, &fixture->ed25519, good_header(fixture),
					 text_of(claims, (size_t)len))),
		TOKEN_BAD);
}

static void a_full_arena_makes_no_token_and_accepts_none(void **state)
{
	struct fixture *fixture = *state;
	struct text token = token_sign(&fixture->rules, &fixture->claims, &fixture->arena);
	struct token_claims claims;
	struct arena arena;

	arena_init(&arena, NULL, 0);
	assert_true(text_is_absent(token_sign(&fixture->rules, &fixture->claims, &arena)));
	assert_int_equal(token_verify(&fixture->rules, token, now_s, &arena, &claims), TOKEN_BAD);
	arena_deinit(&arena);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(ed25519_signs_as_rfc_8037_does),
		TEST(the_key_id_is_the_thumbprint_of_rfc_8037),
		TEST(hs256_signs_as_rfc_7515_does),
		TEST(what_was_signed_is_read_back),
		TEST(a_key_does_not_take_the_other_algorithm),
		TEST(a_public_key_is_no_secret),
		TEST(no_algorithm_is_no_token),
		TEST(a_header_we_would_not_write_is_refused),
		TEST(claims_we_would_not_write_are_refused),
		TEST(a_role_that_we_do_not_know_grants_nothing),
		TEST(a_token_is_good_in_its_time_and_five_seconds_around),
		TEST(no_single_bit_may_change),
		TEST(a_token_has_three_parts_in_canonical_base64url),
		TEST(a_token_past_four_kib_is_refused_unread),
		TEST(a_full_arena_makes_no_token_and_accepts_none),
	};

	return cmocka_run_group_tests_name("domains/access token", tests, NULL, NULL);
}
