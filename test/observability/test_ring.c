// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "observability/log_ring.h"

static const struct log_switches switches;

/* A record that carries a number where the event's name would stand. */
static bool push(struct log_ring *ring, size_t size, uintptr_t number)
{
	struct log_record *record = log_ring_reserve(ring, size);

	if (record == NULL)
		return false;
	*record = (struct log_record) {.size = (uint32_t)size, .unix_ms = (int64_t)number};
	log_ring_commit(ring, size);
	return true;
}

static int64_t pop(struct log_ring *ring)
{
	const struct log_record *record = log_ring_peek(ring);
	int64_t number;

	if (record == NULL)
		return -1;
	number = record->unix_ms;
	log_ring_release(ring, record);
	return number;
}

static void records_come_out_in_order_around_the_end(void **state)
{
	struct log_ring *ring = log_ring_alloc(NULL, &switches, 0);
	int64_t next = 0;

	/* Sizes that do not divide the ring: padding of every length is met. */
	for (unsigned i = 0; i < 10000; i++) {
		assert_true(push(ring, 24 + 8 * (i % 1000), i));
		if (i % 3 != 0)
			continue;
		while (pop(ring) == next)
			next++;
	}
	while (pop(ring) == next)
		next++;
	assert_int_equal(next, 10000);
	assert_int_equal(pop(ring), -1);
	log_ring_free(ring);
}

static void a_full_ring_refuses_counts_and_recovers(void **state)
{
	struct log_ring *ring = log_ring_alloc(NULL, &switches, 0);
	unsigned taken = 0;

	while (push(ring, 1024, taken))
		taken++;
	assert_int_equal(taken, ring->size / 1024);
	assert_false(push(ring, 1024, 0));
	assert_int_equal(atomic_load(&ring->dropped), 2);
	assert_int_equal(pop(ring), 0);
	assert_true(push(ring, 1024, taken));
	for (unsigned i = 1; i <= taken; i++)
		assert_int_equal(pop(ring), i);
	assert_int_equal(pop(ring), -1);
	log_ring_free(ring);
}

static void a_ring_is_a_power_of_two_that_holds_four_of_the_largest_lines(void **state)
{
	struct log_ring *small = log_ring_alloc(NULL, &switches, 1);
	struct log_ring *odd = log_ring_alloc(NULL, &switches, 100001);

	assert_int_equal(small->size, 4 * LOG_RECORD_MAX_BYTES);
	assert_int_equal(odd->size, 131072);
	log_ring_free(small);
	log_ring_free(odd);
}

enum { CROSSING = 200000 };

static void *produce(void *context)
{
	for (unsigned i = 0; i < CROSSING;)
		if (push(context, 24 + 8 * (i % 50), i))
			i++;
		else
			sched_yield();
	return NULL;
}

static void nothing_is_lost_or_torn_between_two_threads(void **state)
{
	struct log_ring *ring = log_ring_alloc(NULL, &switches, 0);
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, produce, ring), 0);
	for (int64_t next = 0; next < CROSSING;) {
		int64_t number = pop(ring);

		if (number < 0) {
			sched_yield();
			continue;
		}
		assert_int_equal(number, next);
		next++;
	}
	pthread_join(thread, NULL);
	log_ring_free(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_out_in_order_around_the_end),
		cmocka_unit_test(a_full_ring_refuses_counts_and_recovers),
		cmocka_unit_test(a_ring_is_a_power_of_two_that_holds_four_of_the_largest_lines),
		cmocka_unit_test(nothing_is_lost_or_torn_between_two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
