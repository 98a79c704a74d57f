// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/http/wire.h"

#define REQUEST(path_)       "GET " path_ " HTTP/1.1\r\nHost: a\r\n\r\n"
#define OLD_REQUEST(path_)   "GET " path_ " HTTP/1.0\r\n\r\n"
#define KERNEL_BUFFERS_BYTES (32u << 20) /* more than the two sockets ever hold */

static struct wire wire;

static int start(void **state)
{
	wire_init(&wire);
	wire_start(&wire);
	return 0;
}

static int start_impatient(void **state)
{
	wire_init(&wire);
	wire.settings.write_timeout_ms = 100;
	wire.settings.drain_timeout_ms = 100;
	wire_start(&wire);
	return 0;
}

static int start_patient(void **state)
{
	wire_init(&wire);
	wire.settings.write_timeout_ms = 300; /* far more than the reader below ever pauses */
	wire_start(&wire);
	return 0;
}

static int start_hurried(void **state)
{
	wire_init(&wire);
	wire.settings.request_timeout_ms = 100;
	wire_start(&wire);
	return 0;
}

static int stop(void **state)
{
	wire_stop(&wire);
	return 0;
}

/* ---- reading chunks ---- */

static const char *rest_of(struct client *client, size_t needed)
{
	while (client->len - client->at < needed)
		assert_true(client_read(client));
	return client->data + client->at;
}

/* The size of the next chunk, whose line is taken. */
static size_t chunk_size(struct client *client)
{
	const char *line = rest_of(client, 3);
	char *end;
	size_t size = strtoul(line, &end, 16);

	while (client->len - client->at < (size_t)(end - line) + 2)
		assert_true(client_read(client));
	assert_memory_equal(end, "\r\n", 2);
	client->at += (size_t)(end - line) + 2;
	return size;
}

static void expect_chunk(struct client *client, const char *text)
{
	assert_int_equal(chunk_size(client), strlen(text));
	assert_memory_equal(rest_of(client, strlen(text) + 2), text, strlen(text));
	client->at += strlen(text);
	assert_memory_equal(client->data + client->at, "\r\n", 2);
	client->at += 2;
}

static void expect_last_chunk(struct client *client)
{
	assert_int_equal(chunk_size(client), 0);
	assert_memory_equal(rest_of(client, 2), "\r\n", 2);
	client->at += 2;
}

static void expect_stream(struct client *client)
{
	char value[256];

	client_expect(client, 200);
	assert_true(client_header(client, "Transfer-Encoding", value));
	assert_string_equal(value, "chunked");
	assert_false(client_header(client, "Content-Length", value));
}

static void expect_pieces(struct client *client)
{
	for (unsigned i = 0; i < STREAM_PIECES; i++) {
		assert_int_equal(chunk_size(client), STREAM_PIECE_BYTES);
		rest_of(client, STREAM_PIECE_BYTES + 2);
		assert_int_equal(client->data[client->at], 'a' + (int)(i % 26));
		client->at += STREAM_PIECE_BYTES + 2;
	}
	expect_last_chunk(client);
}

static void expect_hello(struct client *client)
{
	client_expect(client, 200);
	assert_int_equal(client->body_len, 5);
	assert_memory_equal(client->body, "hello", 5);
}

/* ---- tests ---- */

static void a_body_in_pieces_arrives_in_chunks_and_the_connection_lives_on(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, REQUEST("/hello") REQUEST("/stream") REQUEST("/hello"));
	expect_hello(&client);
	expect_stream(&client);
	expect_pieces(&client);
	expect_hello(&client);
	client_send(&client, REQUEST("/stream/empty"));
	expect_stream(&client);
	expect_last_chunk(&client);
	client_close(&client);
}

static void a_piece_leaves_when_it_is_made(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	for (unsigned i = 0; i < 2; i++) {
		client_send(&client, REQUEST("/stream/held") REQUEST("/hello"));
		expect_stream(&client);
		expect_chunk(&client, "word");
		wire_await_waiting(&wire, 1);
		wire_release(&wire);
		expect_chunk(&client, "word");
		expect_last_chunk(&client);
		expect_hello(&client);
	}
	client_close(&client);
}

static void pipelined_bodies_in_pieces_follow_each_other(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	for (unsigned i = 0; i < 32; i++)
		client_send(&client, REQUEST("/stream/empty") REQUEST("/hello"));
	for (unsigned i = 0; i < 32; i++) {
		expect_stream(&client);
		expect_last_chunk(&client);
		expect_hello(&client);
	}
	client_close(&client);
}

static void to_a_1_0_client_the_end_of_the_connection_is_the_end(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);
	char value[256];

	client_send(&client, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	client_expect(&client, 200);
	assert_false(client_header(&client, "Transfer-Encoding", value));
	assert_false(client_header(&client, "Content-Length", value));
	assert_true(client_header(&client, "Connection", value));
	assert_string_equal(value, "close");
	while (client_read(&client))
		;
	assert_int_equal(client.len - client.at, STREAM_PIECES * STREAM_PIECE_BYTES);
	assert_int_equal(client.data[client.at], 'a');
	client_close(&client);
}

static void head_gets_the_head_alone(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n" REQUEST("/hello"));
	expect_stream(&client);
	expect_hello(&client);
	client_close(&client);
	wire_stop(&wire);
	assert_int_equal(wire.piece_count, 0);
}

static void a_failure_before_the_first_piece_is_answered_as_ever(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);
	char value[256];

	client_send(&client, REQUEST("/stream/refused") REQUEST("/hello"));
	client_expect(&client, 503);
	assert_false(client_header(&client, "Transfer-Encoding", value));
	assert_true(client.body_len > 0);
	expect_hello(&client);
	client_close(&client);
}

static void a_failure_behind_a_piece_cuts_the_connection_without_the_last_chunk(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, REQUEST("/stream/failing") REQUEST("/hello"));
	expect_stream(&client);
	expect_chunk(&client, "word");
	client_expect_end(&client);
	client_close(&client);
}

static void a_1_0_client_hears_of_a_failure_by_a_reset(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, OLD_REQUEST("/stream/failing"));
	errno = 0;
	while (client_read(&client))
		;
	assert_int_equal(errno, ECONNRESET);
	client_close(&client);
}

static void the_deadline_covers_the_whole_body(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, REQUEST("/stream/held"));
	expect_stream(&client);
	expect_chunk(&client, "word");
	client_expect_end(&client);
	client_close(&client);
	wire_await_abandoned(&wire);
}

static void a_client_that_leaves_stops_the_flow(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, REQUEST("/stream/held"));
	wire_await_waiting(&wire, 1);
	client_close(&client);
	wire_await_abandoned(&wire);

	for (unsigned i = 0; i < 8; i++) {
		client = client_open(&wire, LISTENER_API);
		client_send(&client, REQUEST("/stream/endless") REQUEST("/hello"));
		client_expect(&client, 200);
		if (i % 2 == 0)
			client_close(&client);
		else
			client_reset(&client);
	}
	while (wire_connections(&wire) > 0)
		; /* until the server has seen it */
}

static void past_the_commit_the_pieces_are_dropped_and_the_work_goes_on(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, REQUEST("/stream/committed"));
	wire_await_waiting(&wire, 1);
	client_reset(&client);
	while (wire_connections(&wire) > 0)
		;
	wire_release(&wire);
	wire_await_ended(&wire);
}

static void a_client_that_takes_nothing_holds_little_and_is_cut_off(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, REQUEST("/stream/endless"));
	while (wire_connections(&wire) == 0)
		; /* until it was accepted */
	while (wire_connections(&wire) > 0)
		; /* until the write timeout */
	client_close(&client);
	wire_stop(&wire);
	assert_true(wire.piece_count < KERNEL_BUFFERS_BYTES / STREAM_PIECE_BYTES);
}

/* The kernel takes each piece late, but it takes it: longer than any write timeout. */
static void a_slow_reader_is_not_cut_off(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);
	size_t wanted = (size_t)5 * KERNEL_BUFFERS_BYTES, got = 0;

	client_send(&client, REQUEST("/stream/endless"));
	while (got < wanted) {
		ssize_t size = client_take(&client, client.data, KERNEL_BUFFERS_BYTES / 64);

		assert_true(size > 0);
		got += (size_t)size;
		usleep(5000); /* its pace, which nobody waits for */
	}
	client_close(&client);
}

static void a_drain_lets_a_body_in_pieces_end(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, REQUEST("/stream/held"));
	wire_await_waiting(&wire, 1);
	wire_drain(&wire);
	wire_release(&wire);
	expect_stream(&client);
	expect_chunk(&client, "word");
	expect_chunk(&client, "word");
	expect_last_chunk(&client);
	client_expect_end(&client);
	client_close(&client);
}

static void when_the_drain_is_over_a_body_in_pieces_is_cut_off(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);
	struct client endless = client_open(&wire, LISTENER_API);

	client_send(&client, REQUEST("/stream/held"));
	client_send(&endless, REQUEST("/stream/endless"));
	client_expect(&endless, 200);
	wire_await_waiting(&wire, 1);
	wire_drain(&wire);
	wire_await_abandoned(&wire);
	expect_stream(&client);
	expect_chunk(&client, "word");
	client_expect_end(&client);
	client_close(&client);
	client_close(&endless);
}

#define TEST(name_)           cmocka_unit_test_setup_teardown(name_, start, stop)
#define TEST_STOPPED(name_)   cmocka_unit_test_setup(name_, start)
#define TEST_IMPATIENT(name_) cmocka_unit_test_setup_teardown(name_, start_impatient, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_body_in_pieces_arrives_in_chunks_and_the_connection_lives_on),
		TEST(a_piece_leaves_when_it_is_made),
		TEST(pipelined_bodies_in_pieces_follow_each_other),
		TEST(to_a_1_0_client_the_end_of_the_connection_is_the_end),
		TEST_STOPPED(head_gets_the_head_alone),
		TEST(a_failure_before_the_first_piece_is_answered_as_ever),
		TEST(a_failure_behind_a_piece_cuts_the_connection_without_the_last_chunk),
		TEST(a_1_0_client_hears_of_a_failure_by_a_reset),
		cmocka_unit_test_setup_teardown(
			the_deadline_covers_the_whole_body, start_hurried, stop),
		TEST(a_client_that_leaves_stops_the_flow),
		TEST(past_the_commit_the_pieces_are_dropped_and_the_work_goes_on),
		cmocka_unit_test_setup(
			a_client_that_takes_nothing_holds_little_and_is_cut_off, start_impatient),
		cmocka_unit_test_setup_teardown(a_slow_reader_is_not_cut_off, start_patient, stop),
		TEST(a_drain_lets_a_body_in_pieces_end),
		TEST_IMPATIENT(when_the_drain_is_over_a_body_in_pieces_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
