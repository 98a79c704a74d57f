// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domains/access/token_cache.h"

static struct arena arena;

static struct seen_token token_of(unsigned number)
{
	struct seen_token token = {.expires_at_s = number};

	secret_sha256(&number, sizeof(number), token.digest);
	return token;
}

static struct token_cache cache_of(size_t places)
{
	struct token_cache cache;

	arena_deinit(&arena);
	arena_init(&arena, NULL, 16 * 1024 * 1024);
	assert_true(token_cache_init(&cache, &arena, places));
	return cache;
}

static void what_was_put_is_found(void **state)
{
	struct token_cache cache = cache_of(4096);

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		struct seen_token token = token_of(i);
		assert_null(token_cache_find(&cache, token.digest));
		token_cache_put(&cache, &token);
	}
	for (unsigned i = 0; i < 500; i++) {
		struct seen_token token = token_of(i),
				  *found = token_cache_find(&cache, token.digest);
		assert_non_null(found);
		assert_int_equal(found->expires_at_s, i);
	}
}

static void a_token_put_twice_has_one_place(void **state)
{
	struct token_cache cache = cache_of(4);
	struct seen_token token = token_of(1);

	(void)state;
	token_cache_put(&cache, &token);
	token.roles = 7;
	token_cache_put(&cache, &token);
	assert_int_equal(token_cache_find(&cache, token.digest)->roles, 7);
	assert_int_equal(cache.set_count, 1);
	assert_int_equal(cache.places[1].used, 0);
}

static void the_least_recently_used_goes(void **state)
{
	struct token_cache cache = cache_of(4); /* one set of four */
	struct seen_token tokens[5];

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		tokens[i] = token_of(i);
	for (unsigned i = 0; i < 4; i++)
		token_cache_put(&cache, &tokens[i]);
	token_cache_find(&cache, tokens[0].digest);
	token_cache_put(&cache, &tokens[4]);
	assert_non_null(token_cache_find(&cache, tokens[0].digest));
	assert_null(token_cache_find(&cache, tokens[1].digest));
	assert_non_null(token_cache_find(&cache, tokens[4].digest));
}

static void a_clock_that_wraps_forgets_and_goes_on(void **state)
{
	struct token_cache cache = cache_of(4);
	struct seen_token first = token_of(1), second = token_of(2);

	(void)state;
	token_cache_put(&cache, &first);
	cache.clock = UINT32_MAX;
	token_cache_put(&cache, &second);
	assert_null(token_cache_find(&cache, first.digest));
	assert_non_null(token_cache_find(&cache, second.digest));
}

static void no_memory_is_told(void **state)
{
	struct token_cache cache;

	(void)state;
	arena_deinit(&arena);
	arena_init(&arena, NULL, 1024);
	assert_false(token_cache_init(&cache, &arena, 4096));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_found),
		cmocka_unit_test(a_token_put_twice_has_one_place),
		cmocka_unit_test(the_least_recently_used_goes),
		cmocka_unit_test(a_clock_that_wraps_forgets_and_goes_on),
		cmocka_unit_test(no_memory_is_told),
	};
	int failed;

	arena_init(&arena, NULL, 0);
	failed = cmocka_run_group_tests_name("domains/access token_cache", tests, NULL, NULL);
	arena_deinit(&arena);
	return failed;
}
