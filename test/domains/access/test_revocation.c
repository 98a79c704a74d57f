// SPDX-License-Identifier: Apache-2.0

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/secret.h"
#include "domains/access/active_users.h"
#include "domains/access/revocation.h"

static struct revocations revocations;
static struct active_users active;

static void an_id_that_never_ended_has_no_time(void **state)
{
	struct uuid id = uuid_new();

	(void)state;
	revocations = (struct revocations) {0};
	assert_int_equal(revocations_last(&revocations, &id), 0);
}

static void the_latest_end_counts_whatever_the_order(void **state)
{
	struct uuid id = uuid_new();

	(void)state;
	revocations_add(&revocations, &id, 50);
	revocations_add(&revocations, &id, 70);
	revocations_add(&revocations, &id, 60);
	assert_int_equal(revocations_last(&revocations, &id), 70);
}

enum { ENDS = 20000 };

static void *end_many(void *argument)
{
	const struct uuid *id = argument;

	for (uint64_t i = 1; i <= ENDS; i++)
		revocations_add(&revocations, id, i);
	return NULL;
}

static void threads_that_end_at_once_lose_nothing(void **state)
{
	struct uuid id = uuid_new();
	pthread_t threads[4];

	(void)state;
	revocations = (struct revocations) {0};
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, end_many, &id), 0);
	for (uint64_t last = 0; last < ENDS;) {
		uint64_t now = revocations_last(&revocations, &id);
		assert_true(now >= last);
		last = now;
	}
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(revocations_last(&revocations, &id), ENDS);
}

static void users_count_once_and_for_five_minutes(void **state)
{
	const int64_t minute = 60000, start = 1800000000000;
	struct uuid users[1000];

	(void)state;
	assert_true(active_users_count(&active, start) == 0);
	for (size_t i = 0; i < 1000; i++) {
		secret_random(users[i].bytes, sizeof(users[i].bytes));
		for (int visit = 0; visit < 3; visit++)
			active_users_see(&active, &users[i], start);
	}
	assert_in_range((long)active_users_count(&active, start + 4 * minute), 970, 1030);
	active_users_see(&active, &users[0], start + 4 * minute);
	assert_int_equal((long)active_users_count(&active, start + 5 * minute), 1);
	assert_int_equal((long)active_users_count(&active, start + 9 * minute), 0);
}

static void a_full_table_still_gives_a_number(void **state)
{
	const int64_t start = 1800000000000;
	struct uuid user = {0};

	(void)state;
	for (uint32_t i = 0; i < ACTIVE_SLOTS; i++) {
		user.bytes[12] = (uint8_t)i;
		user.bytes[13] = (uint8_t)(i >> 8);
		active_users_see(&active, &user, start);
	}
	assert_true(active_users_count(&active, start) > ACTIVE_SLOTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_that_never_ended_has_no_time),
		cmocka_unit_test(the_latest_end_counts_whatever_the_order),
		cmocka_unit_test(threads_that_end_at_once_lose_nothing),
		cmocka_unit_test(users_count_once_and_for_five_minutes),
		cmocka_unit_test(a_full_table_still_gives_a_number),
	};

	return cmocka_run_group_tests_name("domains/access revocation", tests, NULL, NULL);
}
