// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domains/access/refresh_token.h"

static const uint8_t key[SHA256_BYTES] = "a key of thirty-two bytes, 12345";
static const uint8_t salt[REFRESH_SALT_BYTES] = "sixteen of salt";

static void a_token_survives_its_text(void **state)
{
	struct refresh_token token, again;
	struct arena arena;
	struct text text;

	(void)state;
	arena_init(&arena, NULL, 65536);
	refresh_token_new(&token);
	text = refresh_token_text(&token, &arena);
	assert_int_equal(text.len, REFRESH_TOKEN_LEN);
	assert_true(refresh_token_parse(text, &again));
	assert_memory_equal(&token, &again, sizeof(token));
	arena_deinit(&arena);
}

static void what_is_no_token_is_not_parsed(void **state)
{
	static const char *const bad[] = {"", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
		"AAAAAAAAAAAAAAAAAAAAA+AAAAAAAAAAAAAAAAAAAAA"};
	struct refresh_token token;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(refresh_token_parse(text_from_c(bad[i]), &token));
}

static void the_successor_depends_on_token_salt_and_key_alone(void **state)
{
	struct refresh_token token, other, first, second;
	uint8_t other_salt[REFRESH_SALT_BYTES], other_key[SHA256_BYTES];

	(void)state;
	refresh_token_new(&token);
	refresh_token_new(&other);
	secret_random(other_salt, sizeof(other_salt));
	secret_random(other_key, sizeof(other_key));
	refresh_token_successor(&token, salt, key, &first);
	refresh_token_successor(&token, salt, key, &second);
	assert_memory_equal(&first, &second, sizeof(first));
	assert_memory_not_equal(&first, &token, sizeof(first));
	refresh_token_successor(&other, salt, key, &second);
	assert_memory_not_equal(&first, &second, sizeof(first));
	refresh_token_successor(&token, other_salt, key, &second);
	assert_memory_not_equal(&first, &second, sizeof(first));
	refresh_token_successor(&token, salt, other_key, &second);
	assert_memory_not_equal(&first, &second, sizeof(first));
}

static bool is_same_client(
	const char *agent_a, const char *address_a, const char *agent_b, const char *address_b)
{
	uint8_t a[SHA256_BYTES], b[SHA256_BYTES];

	refresh_client(text_from_c(agent_a), text_from_c(address_a), a);
	refresh_client(text_from_c(agent_b), text_from_c(address_b), b);
	return secret_equals(a, b, sizeof(a));
}

static void a_client_is_its_agent_and_its_network(void **state)
{
	(void)state;
	assert_true(is_same_client("x/1", "192.0.2.1", "x/1", "192.0.2.254"));
	assert_false(is_same_client("x/1", "192.0.2.1", "x/1", "192.0.3.1"));
	assert_false(is_same_client("x/1", "192.0.2.1", "x/2", "192.0.2.1"));
	assert_true(is_same_client("x/1", "2001:db8:1:2::3", "x/1", "2001:db8:1:9:8:7:6:5"));
	assert_false(is_same_client("x/1", "2001:db8:1::1", "x/1", "2001:db8:2::1"));
	assert_true(is_same_client("x/1", "::ffff:192.0.2.1", "x/1", "192.0.2.9"));
	assert_true(is_same_client(NULL, NULL, NULL, "not an address"));
	assert_false(is_same_client(NULL, NULL, NULL, "192.0.2.1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_survives_its_text),
		cmocka_unit_test(what_is_no_token_is_not_parsed),
		cmocka_unit_test(the_successor_depends_on_token_salt_and_key_alone),
		cmocka_unit_test(a_client_is_its_agent_and_its_network),
	};

	return cmocka_run_group_tests_name("domains/access refresh_token", tests, NULL, NULL);
}
