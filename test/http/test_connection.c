// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "test/http/wire.h"

#define REQUEST(path_) "GET " path_ " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST_ECHO(headers_, body_) \
	"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" headers_ "\r\n" body_

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
	wire.settings.head_timeout_ms = wire.settings.idle_timeout_ms = 100;
	wire.settings.write_timeout_ms = wire.settings.body_grace_ms = 100;
	wire_start(&wire);
	return 0;
}

static int start_narrow(void **state)
{
	wire_init(&wire);
	wire.settings.requests_per_connection = 3;
	wire.settings.body_max_bytes = 1024;
	wire.settings.drain_timeout_ms = 100;
	wire_start(&wire);
	return 0;
}

static int stop(void **state)
{
	wire_stop(&wire);
	return 0;
}

static void expect_text(struct client *client, const char *text)
{
	client_expect(client, 200);
	assert_int_equal(client->body_len, strlen(text));
	assert_memory_equal(client->body, text, strlen(text));
}

static void expect_header(const struct client *client, const char *name, const char *value)
{
	char found[256];

	assert_true(client_header(client, name, found));
	assert_string_equal(found, value);
}

static void expect_no_header(const struct client *client, const char *name)
{
	char found[256];

	assert_false(client_header(client, name, found));
}

/* ---- answers ---- */

static void a_request_gets_its_answer_with_the_usual_headers(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);
	char value[256];

	client_send(&client, REQUEST("/hello"));
	expect_text(&client, "hello");
	expect_header(&client, "Content-Type", "text/plain");
	expect_header(&client, "Content-Length", "5");
	expect_no_header(&client, "Connection");
	assert_true(client_header(&client, "Date", value));
	assert_int_equal(strlen(value), 29);
	assert_true(client_header(&client, "X-Request-ID", value));
	assert_int_equal(strlen(value), 36);
	client_close(&client);
}

static void a_connection_serves_one_request_after_the_other(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	for (unsigned i = 0; i < 100; i++) {
		client_send(&client, REQUEST("/hello"));
		expect_text(&client, "hello");
	}
	client_close(&client);
}

static void a_request_in_single_bytes_is_understood(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_trickle(&client, POST_ECHO("Content-Length: 15\r\n", "{\"text\":\"slow\"}"));
	expect_text(&client, "slow");
	client_close(&client);
}

static void sixteen_pipelined_requests_get_sixteen_answers_in_one_write(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);
	char all[16 * sizeof(REQUEST("/hello"))] = "";

	for (unsigned i = 0; i < 16; i++)
		strcat(all, REQUEST("/hello"));
	client_send(&client, all);
	for (unsigned i = 0; i < 16; i++)
		expect_text(&client, "hello");
	client_close(&client);
	wire_stop(&wire);
	assert_int_equal(wire.write_count, 1);
}

static void pipelined_requests_wait_for_the_flow_before_them(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client,
		REQUEST("/hello") REQUEST("/wait") REQUEST("/address") REQUEST("/wait")
			POST_ECHO("Content-Length: 14\r\n", "{\"text\":\"end\"}"));
	expect_text(&client, "hello");
	wire_await_waiting(&wire, 1);
	wire_release(&wire);
	expect_text(&client, "hello");
	expect_text(&client, "127.0.0.1");
	wire_await_waiting(&wire, 1);
	wire_release(&wire);
	expect_text(&client, "hello");
	expect_text(&client, "end");
	client_close(&client);
}

static void a_flood_behind_a_waiting_flow_is_taken_later_and_whole(void **state)
{
	enum { COUNT = 6000 };
	static const char one[] = REQUEST("/hello");
	struct client client = client_open(&wire, LISTENER_API);
	size_t len = sizeof(one) - 1;
	char *all = malloc(len * COUNT);

	for (unsigned i = 0; i < COUNT; i++)
		memcpy(all + i * len, one, len);
	client_send(&client, REQUEST("/wait"));
	wire_await_waiting(&wire, 1);
	client_send_bytes(&client, all, len * COUNT); /* more than the stash holds */
	wire_release(&wire);
	for (unsigned i = 0; i < COUNT + 1; i++)
		expect_text(&client, "hello");
	free(all);
	client_close(&client);
}

static void many_small_portions_behind_a_waiting_flow_are_kept_whole(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, REQUEST("/wait"));
	wire_await_waiting(&wire, 1);
	for (unsigned i = 0; i < 32; i++)
		client_trickle(&client, REQUEST("/address"));
	client_trickle(&client, REQUEST("/wait") REQUEST("/hello"));
	wire_release(&wire);
	expect_text(&client, "hello");
	for (unsigned i = 0; i < 32; i++)
		expect_text(&client, "127.0.0.1");
	wire_await_waiting(&wire, 1);
	wire_release(&wire);
	expect_text(&client, "hello");
	expect_text(&client, "hello");
	client_close(&client);
}

/* Both are here before the loop looks: the pipeline must not be answered whole before the other. */
static void a_long_pipeline_lets_others_have_their_turn(void **state)
{
	enum { COUNT = 2000 };
	static const char one[] = "GET /count HTTP/1.1\r\nHost:a\r\n\r\n";
	struct client busy = client_open(&wire, LISTENER_API);
	struct client other = client_open(&wire, LISTENER_API);
	char *all = malloc((sizeof(one) - 1) * COUNT);

	for (unsigned i = 0; i < COUNT; i++)
		memcpy(all + i * (sizeof(one) - 1), one, sizeof(one) - 1);
	client_send(&busy, REQUEST("/hello"));
	expect_text(&busy, "hello");
	client_send(&other, REQUEST("/hello"));
	expect_text(&other, "hello");
	wire_block(&wire);
	client_send_bytes(&busy, all, (sizeof(one) - 1) * COUNT);
	client_send(&other, REQUEST("/count"));
	wire_unblock(&wire);
	client_expect(&other, 200);
	assert_true(strtoul(other.body, NULL, 10) < COUNT / 2);
	for (unsigned i = 0; i < COUNT; i++)
		client_expect(&busy, 200);
	free(all);
	client_close(&busy);
	client_close(&other);
}

static void a_large_answer_arrives_whole_and_the_next_one_behind_it(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, REQUEST("/big") REQUEST("/hello"));
	client_expect(&client, 200);
	assert_int_equal(client.body_len, BIG_BYTES);
	assert_int_equal(client.body[0], 'b');
	assert_int_equal(client.body[BIG_BYTES - 1], 'b');
	expect_text(&client, "hello");
	client_close(&client);
}

static void head_is_answered_like_get_without_the_body(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n" REQUEST("/hello"));
	assert_true(client_receive(&client, true));
	assert_int_equal(client.status, 200);
	expect_header(&client, "Content-Length", "5");
	expect_text(&client, "hello");
	client_close(&client);
}

static void options_names_the_methods_of_a_path_and_of_the_server(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);
	char allow[256];

	client_send(&client,
		"OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n"
		"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
	client_expect(&client, 204);
	assert_true(client_header(&client, "Allow", allow));
	assert_non_null(strstr(allow, "POST"));
	expect_no_header(&client, "Content-Length");
	client_expect(&client, 204);
	assert_true(client_header(&client, "Allow", allow));
	client_close(&client);
}

static void an_unknown_path_is_a_404_and_an_unknown_method_of_it_a_405(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);
	char allow[256];

	client_send(&client, REQUEST("/nothing") "DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	client_expect(&client, 404);
	client_expect(&client, 405);
	assert_true(client_header(&client, "Allow", allow));
	assert_non_null(strstr(allow, "GET"));
	client_close(&client);
}

static void a_flow_that_says_nothing_is_a_500(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, REQUEST("/silent") REQUEST("/hello"));
	client_expect(&client, 500);
	expect_text(&client, "hello");
	client_close(&client);
}

static void a_good_request_id_comes_back_and_a_bad_one_is_replaced(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);
	char id[256];

	client_send(&client, "GET /hello HTTP/1.1\r\nHost: a\r\nX-Request-ID: my-id_1.2\r\n\r\n");
	client_expect(&client, 200);
	expect_header(&client, "X-Request-ID", "my-id_1.2");
	client_send(&client, "GET /hello HTTP/1.1\r\nHost: a\r\nX-Request-ID: <script>\r\n\r\n");
	client_expect(&client, 200);
	assert_true(client_header(&client, "X-Request-ID", id));
	assert_int_equal(strlen(id), 36);
	client_close(&client);
}

static void the_ops_listener_has_routes_of_its_own(void **state)
{
	struct client ops = client_open(&wire, LISTENER_OPS);
	struct client api = client_open(&wire, LISTENER_API);

	client_send(&ops, REQUEST("/ping") REQUEST("/hello"));
	expect_text(&ops, "hello");
	client_expect(&ops, 404);
	client_send(&api, REQUEST("/ping"));
	client_expect(&api, 404);
	client_close(&ops);
	client_close(&api);
}

/* ---- bodies ---- */

static void a_body_of_known_length_and_a_chunked_one_are_read(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, POST_ECHO("Content-Length: 14\r\n", "{\"text\":\"one\"}"));
	expect_text(&client, "one");
	client_send(&client,
		POST_ECHO("Transfer-Encoding: chunked\r\n",
			"8\r\n{\"text\":\r\n6;x=y\r\n\"two\"}\r\n0\r\nX-T: 1\r\n\r\n"));
	expect_text(&client, "two");
	client_close(&client);
}

static void a_body_of_the_routes_limit_passes(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);
	size_t text_len = ECHO_MAX_BYTES - strlen("{\"text\":\"\"}");
	char head[256], *body = malloc(ECHO_MAX_BYTES);

	memcpy(body, "{\"text\":\"", 9);
	memset(body + 9, 'x', text_len);
	memcpy(body + 9 + text_len, "\"}", 2);
	snprintf(head, sizeof(head), POST_ECHO("Content-Length: %u\r\n", ""), ECHO_MAX_BYTES);
	client_send(&client, head);
	client_send_bytes(&client, body, ECHO_MAX_BYTES);
	client_expect(&client, 200);
	assert_int_equal(client.body_len, text_len);
	free(body);
	client_close(&client);
}

static void a_body_that_is_too_large_is_refused_and_a_small_rest_is_dropped(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);
	char *body = calloc(1, ECHO_MAX_BYTES + 1), head[256];

	memset(body, 'G', ECHO_MAX_BYTES + 1);
	snprintf(head, sizeof(head), POST_ECHO("Content-Length: %u\r\n", ""), ECHO_MAX_BYTES + 1);
	client_send(&client, head);
	client_expect(&client, 413);
	client_send_bytes(&client, body, ECHO_MAX_BYTES + 1);
	client_send(&client, REQUEST("/hello"));
	expect_text(&client, "hello");
	free(body);
	client_close(&client);
}

static void a_body_that_is_far_too_large_ends_the_connection_after_the_answer(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, POST_ECHO("Content-Length: 100000000\r\n", "GET / HTTP/1.1\r\n"));
	client_expect(&client, 413);
	expect_header(&client, "Connection", "close");
	client_expect_end(&client);
	client_close(&client);
}

static void a_chunked_body_that_grows_too_large_is_refused(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);
	char chunk[4096 + 16];

	client_send(&client, POST_ECHO("Transfer-Encoding: chunked\r\n", ""));
	memset(chunk, 'x', sizeof(chunk));
	memcpy(chunk, "1000\r\n", 6);
	memcpy(chunk + 6 + 4096, "\r\n", 2);
	for (unsigned i = 0; i < 9; i++)
		client_send_bytes(&client, chunk, 6 + 4096 + 2);
	client_expect(&client, 413);
	client_expect_end(&client);
	client_close(&client);
}

static void a_refused_request_never_has_its_body_taken_for_a_request(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client,
		"POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 39\r\n\r\n"
		"GET /hello HTTP/1.1\r\nHost: smuggled\r\n\r\n"
		"POST /nothing HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"27\r\nGET /hello HTTP/1.1\r\nHost: smuggled\r\n\r\n\r\n0\r\n\r\n" REQUEST(
			"/address"));
	client_expect(&client, 404);
	client_expect(&client, 404);
	expect_text(&client, "127.0.0.1");
	client_close(&client);
}

static void a_route_without_a_body_drops_a_small_one(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client,
		"POST /bodiless HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
		"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nworld" REQUEST(
			"/address"));
	expect_text(&client, "hello");
	expect_text(&client, "hello");
	expect_text(&client, "127.0.0.1");
	client_close(&client);
}

static void a_body_where_none_belongs_is_dropped_whatever_the_answer(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client,
		"OPTIONS /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 17\r\n\r\nGET / HTTP/1.1\r\n\r"
		"OPTIONS * HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3\r\nGET\r\n0\r\nHost: b\r\n\r\n"
		"DELETE /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nGET"
		"HEAD /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nGET" REQUEST(
			"/address"));
	client_expect(&client, 204);
	client_expect(&client, 204);
	client_expect(&client, 405);
	assert_true(client_receive(&client, true));
	assert_int_equal(client.status, 200);
	expect_text(&client, "127.0.0.1");
	client_close(&client);
}

static void only_a_1_1_client_that_waits_with_a_body_is_told_to_continue(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client,
		"GET /hello HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"
		"POST /bodiless HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
		"Expect: 100-continue\r\n\r\n");
	expect_text(&client, "hello");
	expect_text(&client, "hello");
	client_send(&client, REQUEST("/wait"));
	wire_await_waiting(&wire, 1);
	client_send(
		&client, POST_ECHO("Transfer-Encoding: chunked\r\nExpect: 100-Continue\r\n", ""));
	wire_release(&wire);
	expect_text(&client, "hello"); /* in order: first the answer, then the word */
	client_expect(&client, 100);
	client_send(&client, "e\r\n{\"text\":\"now\"}\r\n0\r\n\r\n");
	expect_text(&client, "now");
	client_send(&client,
		"POST /echo HTTP/1.0\r\nContent-Type: application/json\r\n"
		"Content-Length: 14\r\nExpect: 100-continue\r\n\r\n");
	client_send(&client, "{\"text\":\"old\"}");
	expect_text(&client, "old");
	client_expect_end(&client);
	client_close(&client);
}

static void a_client_that_expects_it_is_told_to_continue(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, POST_ECHO("Content-Length: 14\r\nExpect: 100-continue\r\n", ""));
	client_expect(&client, 100);
	client_send(&client, "{\"text\":\"now\"}");
	expect_text(&client, "now");
	/* one that does not wait for it needs none */
	client_send(&client,
		POST_ECHO("Content-Length: 14\r\nExpect: 100-continue\r\n", "{\"text\":\"now\"}"));
	expect_text(&client, "now");
	client_close(&client);
}

static void a_refused_client_is_never_told_to_continue(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, POST_ECHO("Content-Length: 40000\r\nExpect: 100-continue\r\n", ""));
	client_expect(&client, 413);
	expect_header(&client, "Connection", "close");
	client_expect_end(&client);
	client_close(&client);

	client = client_open(&wire, LISTENER_API);
	client_send(&client,
		"POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
		"Expect: 100-continue\r\n\r\n");
	client_expect(&client, 404);
	client_expect_end(&client);
	client_close(&client);

	client = client_open(&wire, LISTENER_API);
	client_send(&client, POST_ECHO("Content-Length: 5\r\nExpect: a miracle\r\n", "hello"));
	client_expect(&client, 417);
	client_expect_end(&client);
	client_close(&client);
}

/* ---- the connection's life ---- */

static void a_1_0_client_is_closed_unless_it_asks_to_stay(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, "GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
	expect_text(&client, "hello");
	expect_header(&client, "Connection", "keep-alive");
	client_send(&client, "GET /hello HTTP/1.0\r\n\r\n");
	expect_text(&client, "hello");
	expect_header(&client, "Connection", "close");
	client_expect_end(&client);
	client_close(&client);
}

static void connection_close_is_honoured_whatever_follows(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client,
		"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" REQUEST("/hello"));
	expect_text(&client, "hello");
	expect_header(&client, "Connection", "close");
	client_expect_end(&client);
	client_close(&client);
}

static void malformed_bytes_are_answered_and_the_answer_survives_what_follows(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);
	char junk[200000];

	memset(junk, 'x', sizeof(junk));
	client_send(&client, REQUEST("/hello") "GET / HTTP/1.1\r\nHost : a\r\n\r\n");
	client_send_bytes(&client, junk, sizeof(junk));
	expect_text(&client, "hello");
	client_expect(&client, 400);
	expect_header(&client, "Connection", "close");
	client_expect_end(&client);
	client_close(&client);
}

static void upgrades_are_ignored(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client,
		"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
		"Upgrade: websocket\r\n\r\n" REQUEST("/hello"));
	expect_text(&client, "hello");
	expect_text(&client, "hello");
	client_close(&client);
}

static void after_so_many_requests_the_last_answer_closes(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(
		&client, REQUEST("/hello") REQUEST("/hello") REQUEST("/hello") REQUEST("/hello"));
	expect_text(&client, "hello");
	expect_text(&client, "hello");
	expect_no_header(&client, "Connection");
	expect_text(&client, "hello");
	expect_header(&client, "Connection", "close");
	client_expect_end(&client);
	client_close(&client);
}

static void the_servers_body_limit_stands_above_the_routes(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, POST_ECHO("Content-Length: 1025\r\n", ""));
	client_expect(&client, 413);
	client_close(&client);
}

/* ---- leaving ---- */

static void a_client_that_leaves_while_its_flow_waits_stops_it(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, REQUEST("/wait"));
	wire_await_waiting(&wire, 1);
	client_close(&client);
	wire_await_abandoned(&wire);

	client = client_open(&wire, LISTENER_API);
	client_send(&client, REQUEST("/wait") REQUEST("/hello"));
	wire_await_waiting(&wire, 1);
	client_reset(&client);
	wire_await_abandoned(&wire);
}

static void past_the_commit_the_work_goes_on_without_the_client(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, REQUEST("/commit"));
	wire_await_waiting(&wire, 1);
	client_close(&client);
	while (wire_connections(&wire) > 0)
		; /* until the server has seen it */
	wire_release(&wire);
	wire_await_ended(&wire);
}

static void a_client_may_leave_at_every_byte_of_a_request(void **state)
{
	static const char bytes[] = REQUEST("/hello") POST_ECHO("Transfer-Encoding: chunked\r\n",
		"8\r\n{\"text\":\r\n6;x=y\r\n\"two\"}\r\n0\r\n\r\n") REQUEST("/wait");
	struct client client;

	for (size_t len = 0; len < sizeof(bytes); len++) {
		client = client_open(&wire, LISTENER_API);
		client_send_bytes(&client, bytes, len);
		if (len % 2 == 0)
			client_close(&client);
		else
			client_reset(&client);
	}
	client = client_open(&wire, LISTENER_API);
	client_send(&client, REQUEST("/hello"));
	expect_text(&client, "hello");
	client_close(&client);
}

static void a_client_may_leave_in_the_middle_of_a_large_answer(void **state)
{
	for (unsigned i = 0; i < 8; i++) {
		struct client client = client_open(&wire, LISTENER_API);

		client_send(&client, REQUEST("/big") REQUEST("/big") REQUEST("/big"));
		assert_true(client_take(&client, client.data, 1000) > 0);
		client_reset(&client);
	}
}

static void a_client_may_end_its_input_behind_what_is_answered_at_once(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, REQUEST("/hello") REQUEST("/big") REQUEST("/hello"));
	shutdown(client.fd, SHUT_WR);
	expect_text(&client, "hello");
	client_expect(&client, 200);
	assert_int_equal(client.body_len, BIG_BYTES);
	expect_text(&client, "hello");
	client_expect_end(&client);
	client_close(&client);
}

static void a_client_may_reset_a_connection_that_lingers_or_drains(void **state)
{
	struct client lingering = client_open(&wire, LISTENER_API);
	struct client waiting = client_open(&wire, LISTENER_API);
	struct client writing = client_open(&wire, LISTENER_API);

	client_send(&lingering, "nonsense\r\n\r\n");
	client_expect(&lingering, 400);
	client_send(&waiting, REQUEST("/wait"));
	wire_await_waiting(&wire, 1);
	client_send(&writing, REQUEST("/big") REQUEST("/big"));
	assert_true(client_read(&writing));
	wire_drain(&wire);
	client_reset(&lingering);
	client_reset(&waiting);
	client_reset(&writing);
	wire_await_abandoned(&wire);
}

/* ---- slowness ---- */

static void a_head_that_does_not_arrive_is_a_408(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, "GET /hello HTTP/1.1\r\nHost: a\r\nX: ");
	client_expect(&client, 408);
	expect_header(&client, "Connection", "close");
	client_expect_end(&client);
	client_close(&client);
}

static void a_body_that_does_not_keep_up_is_a_408(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, POST_ECHO("Content-Length: 14\r\n", "{\"te"));
	client_expect(&client, 408);
	expect_header(&client, "Connection", "close");
	client_expect_end(&client);
	client_close(&client);
}

static void a_large_head_buys_no_time_for_a_slow_body(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);
	char padding[24 * 1024];

	memset(padding, 'x', sizeof(padding));
	padding[sizeof(padding) - 1] = '\0';
	client_send(&client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\nX: ");
	client_send(&client, padding);
	client_send(&client, "\r\n\r\n");
	client_expect(&client, 408);
	client_close(&client);
}

static void a_refused_body_that_does_not_come_ends_the_connection(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	client_send(&client, "POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
	client_expect(&client, 404);
	client_expect_end(&client);
	client_close(&client);
}

static void a_connection_that_says_nothing_is_closed_silently(void **state)
{
	struct client fresh = client_open(&wire, LISTENER_API);
	struct client used = client_open(&wire, LISTENER_API);
	struct client blank = client_open(&wire, LISTENER_API);

	client_send(&used, REQUEST("/hello"));
	expect_text(&used, "hello");
	client_send(&blank, "\r\n");
	client_expect_end(&fresh);
	client_expect_end(&used);
	client_expect_end(&blank);
	client_close(&fresh);
	client_close(&used);
	client_close(&blank);
}

static void a_client_that_takes_nothing_is_cut_off(void **state)
{
	struct client client = client_open(&wire, LISTENER_API);

	for (unsigned i = 0; i < 8; i++)
		client_send(&client, REQUEST("/big"));
	while (wire_connections(&wire) > 0)
		; /* until the write timeout */
	client_close(&client);
}

/* ---- draining ---- */

static void a_drain_closes_idle_connections_and_lets_the_busy_finish(void **state)
{
	struct client idle = client_open(&wire, LISTENER_API);
	struct client busy = client_open(&wire, LISTENER_API);
	struct client ops = client_open(&wire, LISTENER_OPS);

	client_send(&idle, REQUEST("/hello"));
	expect_text(&idle, "hello");
	client_send(&busy, REQUEST("/wait"));
	wire_await_waiting(&wire, 1);
	wire_drain(&wire);
	client_expect_end(&idle);
	client_send(&ops, REQUEST("/ping"));
	expect_text(&ops, "hello");
	wire_release(&wire);
	expect_text(&busy, "hello");
	expect_header(&busy, "Connection", "close");
	client_expect_end(&busy);
	client_close(&idle);
	client_close(&busy);
	client_expect_end(&ops);
	client_close(&ops);
}

static void a_request_that_has_arrived_when_the_drain_begins_is_answered(void **state)
{
	struct client idle = client_open(&wire, LISTENER_API);

	client_send(&idle, REQUEST("/hello"));
	expect_text(&idle, "hello");
	wire_block(&wire);
	client_send(&idle, REQUEST("/hello"));
	wire_drain(&wire);
	wire_unblock(&wire);
	expect_text(&idle, "hello");
	expect_header(&idle, "Connection", "close");
	client_expect_end(&idle);
	client_close(&idle);
}

static void when_the_drain_is_over_a_request_half_here_gets_a_503(void **state)
{
	struct client head = client_open(&wire, LISTENER_API);
	struct client body = client_open(&wire, LISTENER_API);

	client_send(&head, REQUEST("/hello") "GET /hel");
	expect_text(&head, "hello");
	client_send(&body, POST_ECHO("Content-Length: 14\r\nExpect: 100-continue\r\n", ""));
	client_expect(&body, 100);
	wire_drain(&wire);
	client_expect(&head, 503);
	client_expect(&body, 503);
	client_expect_end(&head);
	client_expect_end(&body);
	client_close(&head);
	client_close(&body);
}

static void when_the_drain_is_over_the_rest_gets_a_503(void **state)
{
	struct client busy = client_open(&wire, LISTENER_API);

	client_send(&busy, REQUEST("/wait"));
	wire_await_waiting(&wire, 1);
	wire_drain(&wire);
	client_expect(&busy, 503);
	expect_header(&busy, "Connection", "close");
	wire_await_abandoned(&wire);
	client_expect_end(&busy);
	client_close(&busy);
}

#define TEST(name_)           cmocka_unit_test_setup_teardown(name_, start, stop)
#define TEST_IMPATIENT(name_) cmocka_unit_test_setup_teardown(name_, start_impatient, stop)
#define TEST_NARROW(name_)    cmocka_unit_test_setup_teardown(name_, start_narrow, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_gets_its_answer_with_the_usual_headers),
		TEST(a_connection_serves_one_request_after_the_other),
		TEST(a_request_in_single_bytes_is_understood),
		cmocka_unit_test_setup(
			sixteen_pipelined_requests_get_sixteen_answers_in_one_write, start),
		TEST(pipelined_requests_wait_for_the_flow_before_them),
		TEST(a_flood_behind_a_waiting_flow_is_taken_later_and_whole),
		TEST(many_small_portions_behind_a_waiting_flow_are_kept_whole),
		TEST(a_long_pipeline_lets_others_have_their_turn),
		TEST(a_large_answer_arrives_whole_and_the_next_one_behind_it),
		TEST(head_is_answered_like_get_without_the_body),
		TEST(options_names_the_methods_of_a_path_and_of_the_server),
		TEST(an_unknown_path_is_a_404_and_an_unknown_method_of_it_a_405),
		TEST(a_flow_that_says_nothing_is_a_500),
		TEST(a_good_request_id_comes_back_and_a_bad_one_is_replaced),
		TEST(the_ops_listener_has_routes_of_its_own),
		TEST(a_body_of_known_length_and_a_chunked_one_are_read),
		TEST(a_body_of_the_routes_limit_passes),
		TEST(a_body_that_is_too_large_is_refused_and_a_small_rest_is_dropped),
		TEST(a_body_that_is_far_too_large_ends_the_connection_after_the_answer),
		TEST(a_chunked_body_that_grows_too_large_is_refused),
		TEST(a_refused_request_never_has_its_body_taken_for_a_request),
		TEST(a_route_without_a_body_drops_a_small_one),
		TEST(a_body_where_none_belongs_is_dropped_whatever_the_answer),
		TEST(only_a_1_1_client_that_waits_with_a_body_is_told_to_continue),
		TEST(a_client_that_expects_it_is_told_to_continue),
		TEST(a_refused_client_is_never_told_to_continue),
		TEST(a_1_0_client_is_closed_unless_it_asks_to_stay),
		TEST(connection_close_is_honoured_whatever_follows),
		TEST(malformed_bytes_are_answered_and_the_answer_survives_what_follows),
		TEST(upgrades_are_ignored),
		TEST_NARROW(after_so_many_requests_the_last_answer_closes),
		TEST_NARROW(the_servers_body_limit_stands_above_the_routes),
		TEST(a_client_that_leaves_while_its_flow_waits_stops_it),
		TEST(past_the_commit_the_work_goes_on_without_the_client),
		TEST(a_client_may_leave_at_every_byte_of_a_request),
		TEST(a_client_may_leave_in_the_middle_of_a_large_answer),
		TEST(a_client_may_end_its_input_behind_what_is_answered_at_once),
		TEST(a_client_may_reset_a_connection_that_lingers_or_drains),
		TEST_IMPATIENT(a_head_that_does_not_arrive_is_a_408),
		TEST_IMPATIENT(a_body_that_does_not_keep_up_is_a_408),
		TEST_IMPATIENT(a_large_head_buys_no_time_for_a_slow_body),
		TEST_IMPATIENT(a_refused_body_that_does_not_come_ends_the_connection),
		TEST_IMPATIENT(a_connection_that_says_nothing_is_closed_silently),
		TEST_IMPATIENT(a_client_that_takes_nothing_is_cut_off),
		TEST(a_drain_closes_idle_connections_and_lets_the_busy_finish),
		TEST(a_request_that_has_arrived_when_the_drain_begins_is_answered),
		TEST_NARROW(when_the_drain_is_over_a_request_half_here_gets_a_503),
		TEST(when_the_drain_is_over_the_rest_gets_a_503),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
