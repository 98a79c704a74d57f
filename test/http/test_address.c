// SPDX-License-Identifier: Apache-2.0

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include <cmocka.h>

#include "http/address.h"

enum { THREADS = 4, ROUNDS = 2000 };

static struct client_address address(const char *text)
{
	struct sockaddr_storage storage = {.ss_family = AF_INET};
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&storage;

	if (inet_pton(AF_INET, text, &v4->sin_addr) != 1) {
		storage.ss_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
	}
	return client_address_of(&storage);
}

static void an_address_is_written_as_people_do(void **state)
{
	static const char *const rows[][2] = {
		{"203.0.113.7", "203.0.113.7"},
		{"2001:db8::1", "2001:db8::1"},
		{"::ffff:203.0.113.7", "203.0.113.7"},
	};
	char out[CLIENT_ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < 3; i++) {
		struct client_address parsed = address(rows[i][0]);

		assert_int_equal(client_address_format(&parsed, out), strlen(rows[i][1]));
		assert_string_equal(out, rows[i][1]);
	}
	struct client_address none = {.family = 0};
	assert_int_equal(client_address_format(&none, out), 0);
}

static void an_address_is_counted_up_to_its_limit(void **state)
{
	struct address_table *table = address_table_new();
	struct client_address a = address("203.0.113.7"), b = address("203.0.113.8");

	assert_true(address_table_add(table, &a, 2));
	assert_true(address_table_add(table, &a, 2));
	assert_false(address_table_add(table, &a, 2));
	assert_true(address_table_add(table, &b, 2));
	address_table_remove(table, &a);
	assert_true(address_table_add(table, &a, 2));
	assert_true(address_table_add(table, &a, 0));
	address_table_free(table);
}

static void ipv6_is_counted_by_network(void **state)
{
	struct address_table *table = address_table_new();
	struct client_address a = address("2001:db8:0:1::1"), b = address("2001:db8:0:1:ffff::2");
	struct client_address c = address("2001:db8:0:2::1");

	assert_true(address_table_add(table, &a, 1));
	assert_false(address_table_add(table, &b, 1));
	assert_true(address_table_add(table, &c, 1));
	address_table_free(table);
}

static void come_and_go(void *context)
{
	char text[32];

	for (unsigned i = 0; i < ROUNDS; i++) {
		snprintf(text, sizeof(text), "10.0.%u.%u", i % 3, i % 7);
		struct client_address visitor = address(text);
		if (address_table_add(context, &visitor, 0))
			address_table_remove(context, &visitor);
	}
}

static void many_threads_may_count_at_once(void **state)
{
	struct address_table *table = address_table_new();
	struct client_address a = address("10.0.0.0");
	uv_thread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(uv_thread_create(&threads[i], come_and_go, table), 0);
	for (unsigned i = 0; i < THREADS; i++)
		uv_thread_join(&threads[i]);
	assert_true(address_table_add(table, &a, 1)); /* nobody was left behind */
	address_table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_written_as_people_do),
		cmocka_unit_test(an_address_is_counted_up_to_its_limit),
		cmocka_unit_test(ipv6_is_counted_by_network),
		cmocka_unit_test(many_threads_may_count_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
