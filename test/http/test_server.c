// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/http/judge.h"
#include "test/http/wire.h"

#define REQUEST(path_) "GET " path_ " HTTP/1.1\r\nHost: a\r\n\r\n"

enum { CLIENTS = 12, LOOPS = 3 };

static void expect_hello(struct client *client)
{
	client_send(client, REQUEST("/hello"));
	client_expect(client, 200);
}

static void connections_are_spread_evenly_over_the_loops(void **state)
{
	struct client clients[CLIENTS];
	struct wire wire;

	wire_init(&wire);
	wire.loop_count = LOOPS;
	wire_start(&wire);
	for (unsigned i = 0; i < CLIENTS; i++) {
		clients[i] = client_open(&wire, LISTENER_API);
		expect_hello(&clients[i]);
	}
	for (unsigned i = 0; i < LOOPS; i++)
		assert_int_equal(wire_connections_of(&wire, i), CLIENTS / LOOPS);
	for (unsigned i = 0; i < CLIENTS; i++)
		client_close(&clients[i]);
	wire_stop(&wire);
}

static void an_address_with_too_many_connections_gets_a_503(void **state)
{
	struct client first, second, third;
	struct wire wire;

	wire_init(&wire);
	wire.settings.connections_per_address = 2;
	wire_start(&wire);
	first = client_open(&wire, LISTENER_API);
	second = client_open(&wire, LISTENER_API);
	expect_hello(&first);
	expect_hello(&second);
	third = client_open(&wire, LISTENER_API);
	client_expect(&third, 503);
	client_expect_end(&third);
	client_close(&third);
	third = client_open(&wire, LISTENER_OPS); /* has seats of its own */
	client_send(&third, REQUEST("/ping"));
	client_expect(&third, 200);
	client_close(&third);
	client_close(&first);
	while (wire_connections(&wire) > 1)
		; /* until both are gone: the seat is free again */
	third = client_open(&wire, LISTENER_API);
	expect_hello(&third);
	client_close(&third);
	client_close(&second);
	wire_stop(&wire);
}

static void a_full_server_turns_newcomers_away_with_a_503(void **state)
{
	struct client first, second;
	char value[256];
	struct wire wire;

	wire_init(&wire);
	wire.settings.connections_max = 1;
	wire_start(&wire);
	first = client_open(&wire, LISTENER_API);
	expect_hello(&first);
	second = client_open(&wire, LISTENER_API);
	client_expect(&second, 503);
	assert_true(client_header(&second, "Retry-After", value));
	client_expect_end(&second);
	expect_hello(&first);
	client_close(&first);
	client_close(&second);
	wire_stop(&wire);
}

static void without_file_descriptors_newcomers_wait_until_there_are_some(void **state)
{
	struct rlimit before, tight;
	struct client first, second;
	struct wire wire;
	int next_fd;

	wire_init(&wire);
	wire_start(&wire);
	first = client_open(&wire, LISTENER_API);
	expect_hello(&first);
	getrlimit(RLIMIT_NOFILE, &before);
	next_fd = dup(0);
	close(next_fd);
	tight = (struct rlimit) {.rlim_cur = (rlim_t)next_fd + 1, .rlim_max = before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &tight);
	second = client_open(&wire, LISTENER_API); /* takes the last one */
	client_send(&second, REQUEST("/hello"));
	expect_hello(&first);
	setrlimit(RLIMIT_NOFILE, &before);
	client_expect(&second, 200);
	client_close(&first);
	client_close(&second);
	wire_stop(&wire);
}

static struct text start_error(const struct http_settings *settings, struct arena *arena)
{
	struct text error = TEXT_ABSENT;

	assert_null(http_server_new(settings, NULL, NULL, NULL, arena, &error));
	return error;
}

static bool says(struct text error, const char *word)
{
	return memmem(error.data, error.len, word, strlen(word)) != NULL;
}

static void a_taken_port_and_a_bad_address_stop_the_start_with_a_sentence(void **state)
{
	struct http_settings settings = judge_settings();
	struct arena arena;
	struct text error;
	struct wire wire;
	char port[8];

	arena_init(&arena, NULL, 1 << 20);
	wire_init(&wire);
	wire_start(&wire);
	settings.port = wire_port(&wire, LISTENER_API);
	settings.ops_port = 0;
	snprintf(port, sizeof(port), "%d", (int)settings.port);
	error = start_error(&settings, &arena);
	assert_true(says(error, "127.0.0.1") && says(error, port) && says(error, "another"));

	settings.port = 0;
	settings.host = TEXT("example.com");
	error = start_error(&settings, &arena);
	assert_true(says(error, "example.com") && says(error, "0.0.0.0"));

	settings.host = TEXT("192.0.2.1");
	error = start_error(&settings, &arena);
	assert_true(says(error, "192.0.2.1") && says(error, "no such address"));

	settings.host = TEXT("127.0.0.1");
	settings.ops_port = wire_port(&wire, LISTENER_OPS);
	error = start_error(&settings, &arena);
	assert_true(says(error, "ops.port"));
	wire_stop(&wire);
	arena_deinit(&arena);
}

static void a_drain_of_many_loops_leaves_no_connection_behind(void **state)
{
	struct client clients[CLIENTS];
	struct wire wire;

	wire_init(&wire);
	wire.loop_count = LOOPS;
	wire_start(&wire);
	for (unsigned i = 0; i < CLIENTS; i++) {
		clients[i] = client_open(&wire, i % 4 == 0 ? LISTENER_OPS : LISTENER_API);
		if (i % 4 == 1)
			client_send(&clients[i], "GET /hel");
		if (i % 4 == 2)
			client_send(&clients[i], REQUEST("/wait"));
	}
	wire_await_waiting(&wire, CLIENTS / 4);
	wire.settings.drain_timeout_ms = 50;
	wire_stop(&wire); /* asserts that none is left */
	for (unsigned i = 0; i < CLIENTS; i++)
		client_close(&clients[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_are_spread_evenly_over_the_loops),
		cmocka_unit_test(an_address_with_too_many_connections_gets_a_503),
		cmocka_unit_test(a_full_server_turns_newcomers_away_with_a_503),
		cmocka_unit_test(without_file_descriptors_newcomers_wait_until_there_are_some),
		cmocka_unit_test(a_taken_port_and_a_bad_address_stop_the_start_with_a_sentence),
		cmocka_unit_test(a_drain_of_many_loops_leaves_no_connection_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
