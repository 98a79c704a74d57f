// SPDX-License-Identifier: Apache-2.0
#include "core/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void allocations_are_aligned_and_do_not_overlap(void **state)
{
	struct arena arena;
	char *all[500];

	arena_init(&arena, NULL, SIZE_MAX);
	for (size_t i = 0; i < 500; i++) {
		all[i] = arena_alloc(&arena, i);
		assert_non_null(all[i]);
		assert_int_equal((uintptr_t)all[i] % 16, 0);
		memset(all[i], (int)i, i);
	}
	for (size_t i = 0; i < 500; i++)
		for (size_t at = 0; at < i; at++)
			assert_int_equal((unsigned char)all[i][at], (unsigned char)i);
	arena_deinit(&arena);
}

static void an_arena_past_its_cap_returns_null(void **state)
{
	struct arena arena;
	size_t got = 0;

	arena_init(&arena, NULL, 20000);
	assert_null(arena_alloc(&arena, 20001));
	while (arena_alloc(&arena, 1000) != NULL)
		got += 1000;
	assert_in_range(got, 15000, 20000);
	assert_in_range(arena.used_bytes, got, 20000);
	assert_null(arena_zalloc(&arena, 5000));
	assert_true(text_is_absent(arena_printf(&arena, "%5000d", 1)));
	assert_true(text_is_absent(arena_text(&arena, text_of((char[5000]) {"x"}, 5000))));
	arena_deinit(&arena);
	assert_non_null(arena_alloc(&arena, 10000));
	arena_deinit(&arena);
}

static void absurd_sizes_are_refused(void **state)
{
	struct arena arena;

	arena_init(&arena, NULL, SIZE_MAX);
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 7));
	assert_null(arena_alloc(&arena, (size_t)PTRDIFF_MAX));
	void *small = arena_alloc(&arena, 8);
	assert_null(arena_grow(&arena, small, 8, SIZE_MAX - 3));
	assert_true(text_is_absent(arena_text(&arena, text_of("x", SIZE_MAX))));
	arena_deinit(&arena);
}

static void blocks_come_back_to_their_pool_up_to_its_bound(void **state)
{
	struct arena_pool pool;
	struct arena arena;

	arena_pool_init(&pool, 3);
	arena_init(&arena, &pool, SIZE_MAX);
	for (int i = 0; i < 12; i++)
		assert_non_null(arena_alloc(&arena, 3000));
	assert_non_null(arena_alloc(&arena, 100000));
	arena_deinit(&arena);
	assert_int_equal(pool.count, 3);
	assert_non_null(arena_zalloc(&arena, 100));
	assert_int_equal(pool.count, 2);
	arena_deinit(&arena);
	arena_pool_deinit(&pool);
	assert_int_equal(pool.count, 0);
}

static void what_held_a_secret_comes_back_wiped(void **state)
{
	static const char password[] = "correct horse battery staple";
	struct arena_pool pool;
	struct arena arena;

	arena_pool_init(&pool, 1);
	for (int wiped = 0; wiped < 2; wiped++) {
		arena_init(&arena, &pool, SIZE_MAX);
		memcpy(arena_alloc(&arena, sizeof(password)), password, sizeof(password));
		arena.has_secrets = wiped;
		arena_deinit(&arena);
		assert_false(arena.has_secrets);
		const char *again = arena_alloc(&arena, sizeof(password));
		assert_int_equal(memcmp(again, password, sizeof(password)) == 0, !wiped);
		arena_deinit(&arena);
	}
	arena_pool_deinit(&pool);
}

static void the_newest_allocation_grows_in_place(void **state)
{
	struct arena arena;

	arena_init(&arena, NULL, SIZE_MAX);
	char *first = arena_alloc(&arena, 20);
	memcpy(first, "keep me", 8);
	assert_ptr_equal(arena_grow(&arena, first, 20, 30), first);
	assert_ptr_equal(arena_grow(&arena, first, 30, 3000), first);
	assert_ptr_equal(arena_grow(&arena, first, 3000, 10), first);
	arena_alloc(&arena, 1);
	char *moved = arena_grow(&arena, first, 3000, 3100);
	assert_ptr_not_equal(moved, first);
	assert_string_equal(moved, "keep me");
	assert_non_null(arena_grow(&arena, NULL, 0, 10));
	arena_deinit(&arena);
}

static void a_large_buffer_that_grows_keeps_its_bytes_and_wastes_none(void **state)
{
	struct arena arena;
	size_t size = 64;

	arena_init(&arena, NULL, 4 << 20);
	arena_alloc(&arena, 16);
	unsigned char *data = arena_alloc(&arena, size);
	memset(data, 7, size);
	for (; size < 1 << 20; size *= 2) {
		data = arena_grow(&arena, data, size, size * 2);
		assert_non_null(data);
		memset(data + size, 7, size);
	}
	for (size_t i = 0; i < size; i++)
		assert_int_equal(data[i], 7);
	assert_true(arena.used_bytes < (1 << 20) + 40000);
	assert_null(arena_grow(&arena, data, size, 8 << 20));
	assert_int_equal(data[0], 7);
	arena_deinit(&arena);
}

static void a_copied_text_is_terminated_and_marks_stay_marks(void **state)
{
	struct arena arena;

	arena_init(&arena, NULL, SIZE_MAX);
	struct text copy = arena_text(&arena, text_of("abcdef", 3));
	assert_string_equal(copy.data, "abc");
	assert_true(text_is_absent(arena_text(&arena, TEXT_ABSENT)));
	assert_true(text_is_null(arena_text(&arena, text_of(text_null_mark, 0))));
	assert_false(text_is_absent(arena_text(&arena, TEXT(""))));
	assert_string_equal(arena_printf(&arena, "%d-%s", 7, "x").data, "7-x");
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocations_are_aligned_and_do_not_overlap),
		cmocka_unit_test(an_arena_past_its_cap_returns_null),
		cmocka_unit_test(absurd_sizes_are_refused),
		cmocka_unit_test(blocks_come_back_to_their_pool_up_to_its_bound),
		cmocka_unit_test(what_held_a_secret_comes_back_wiped),
		cmocka_unit_test(the_newest_allocation_grows_in_place),
		cmocka_unit_test(a_large_buffer_that_grows_keeps_its_bytes_and_wastes_none),
		cmocka_unit_test(a_copied_text_is_terminated_and_marks_stay_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
