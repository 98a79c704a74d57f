// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "observability/log.h"
#include "observability/metrics.h"
#include "test/http/wire.h"
#include "test/support/temporary.h"

#define REQUEST(path_) "GET " path_ " HTTP/1.1\r\nHost: a\r\nUser-Agent: tester\r\n\r\n"

#define LONGEST_ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct text exposed(struct metrics *metrics, struct arena *arena)
{
	arena_init(arena, NULL, 4 << 20);
	return metrics_expose(metrics, arena);
}

static bool says(struct text text, const char *line)
{
	return memmem(text.data, text.len, line, strlen(line)) != NULL;
}

static void requests_are_counted_by_method_template_and_status(void **state)
{
	struct wire wire;
	struct client client;
	struct arena arena;
	struct text text;

	wire_init(&wire);
	wire.metrics = metrics_new();
	wire_start(&wire);
	client = client_open(&wire, LISTENER_API);
	client_send(&client,
		REQUEST("/hello") REQUEST("/hello?page=2")
			REQUEST("/nothing") "POST /hello HTTP/1.1\r\nHost: a\r\n\r\n"
					    "BREW / HTTP/1.1\r\nHost: a\r\n\r\n");
	client_expect(&client, 200);
	client_expect(&client, 200);
	client_expect(&client, 404);
	client_expect(&client, 405);
	client_expect(&client, 501);
	client_close(&client);
	client = client_open(&wire, LISTENER_API);
	client_send(&client, REQUEST("/wait"));
	wire_await_waiting(&wire, 1);
	client_close(&client);
	wire_await_abandoned(&wire);
	wire_stop(&wire);

	text = exposed(wire.metrics, &arena);
#define COUNTED(labels_, value_) \
	assert_true(says(text, "http_requests_total{" labels_ "} " value_ "\n"))
	COUNTED("method=\"GET\",endpoint=\"/hello\",status=\"200\"", "2");
	COUNTED("method=\"GET\",endpoint=\"none\",status=\"404\"", "1");
	COUNTED("method=\"POST\",endpoint=\"none\",status=\"405\"", "1");
	COUNTED("method=\"other\",endpoint=\"none\",status=\"501\"", "1");
	COUNTED("method=\"GET\",endpoint=\"/wait\",status=\"499\"", "1");
	assert_true(says(text,
		"http_request_duration_seconds_count{method=\"GET\",endpoint=\"/hello\"} 2\n"));
	assert_true(says(text,
		"http_request_size_bytes_bucket{method=\"GET\",endpoint=\"/hello\",le=\"100\"} 2\n"));
	assert_true(says(
		text, "http_response_size_bytes_count{method=\"GET\",endpoint=\"/hello\"} 2\n"));
	assert_true(says(text, "http_connections 0\n"));
	arena_deinit(&arena);
	metrics_free(wire.metrics);
}

static size_t series_count(struct metrics *metrics)
{
	struct arena arena;
	struct text text = exposed(metrics, &arena);
	size_t lines = 0;

	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	arena_deinit(&arena);
	return lines;
}

static void random_paths_add_no_series(void **state)
{
	char request[128];
	struct wire wire;
	struct client client;
	size_t before;

	wire_init(&wire);
	wire.metrics = metrics_new();
	wire_start(&wire);
	client = client_open(&wire, LISTENER_API);
	client_send(&client, REQUEST("/nothing"));
	client_expect(&client, 404);
	before = series_count(wire.metrics);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(request, sizeof(request), REQUEST("/random/%u"), i * 7919);
		client_send(&client, request);
		client_expect(&client, 404);
	}
	assert_int_equal(series_count(wire.metrics), before);
	client_close(&client);
	wire_stop(&wire);
	metrics_free(wire.metrics);
}

static void refused_connections_are_counted_by_reason(void **state)
{
	struct wire wire;
	struct client first, second;
	struct arena arena;

	wire_init(&wire);
	wire.metrics = metrics_new();
	wire.settings.connections_max = 1;
	wire_start(&wire);
	first = client_open(&wire, LISTENER_API);
	client_send(&first, REQUEST("/hello"));
	client_expect(&first, 200);
	second = client_open(&wire, LISTENER_API);
	client_expect(&second, 503);
	client_close(&first);
	client_close(&second);
	wire_stop(&wire);
	assert_true(says(exposed(wire.metrics, &arena),
		"http_connections_refused_total{reason=\"connections_max\"} 1\n"));
	arena_deinit(&arena);
	metrics_free(wire.metrics);
}

/* A server with an access log and figures, and what they say once it has stopped. */
struct observed {
	struct wire wire;
	int fd;
	char file[TEMPORARY_MAX];
	char log[8192];
	struct arena arena;
	struct text metrics;
};

static void observe(struct observed *observed)
{
	struct log_settings settings = {
		.level = LOG_INFO,
		.format = LOG_FORMAT_JSON,
		.access = true,
		.ring_bytes = 65536,
	};

	temporary_template(observed->file);
	observed->fd = mkstemp(observed->file);
	assert_true(observed->fd >= 0);
	settings.file = text_from_c(observed->file);
	wire_init(&observed->wire);
	observed->wire.metrics = metrics_new();
	observed->wire.log = log_open(&settings);
	assert_non_null(observed->wire.log);
}

static void conclude(struct observed *observed)
{
	ssize_t size;

	wire_stop(&observed->wire);
	log_close(observed->wire.log);
	size = read(observed->fd, observed->log, sizeof(observed->log) - 1);
	assert_true(size >= 0);
	observed->log[size] = '\0';
	observed->metrics = exposed(observed->wire.metrics, &observed->arena);
	close(observed->fd);
	unlink(observed->file);
}

static void forget(struct observed *observed)
{
	arena_deinit(&observed->arena);
	metrics_free(observed->wire.metrics);
}

/* The access line that has this. */
static bool logged(const struct observed *observed, const char *path, const char *rest)
{
	char wanted[256];
	const char *line;

	snprintf(wanted, sizeof(wanted), "\"path\":\"%s\",%s", path, rest);
	line = strstr(observed->log, wanted);
	if (line == NULL)
		print_error("no %s in:\n%s\n", wanted, observed->log);
	return line != NULL;
}

#define ECHOED(headers_, body_) \
	"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" headers_ "\r\n" body_

static void a_request_that_dies_while_its_body_arrives_is_counted_and_logged(void **state)
{
	struct observed observed;
	struct client client;

	observe(&observed);
	observed.wire.settings.body_grace_ms = 100;
	wire_start(&observed.wire);
	client = client_open(&observed.wire, LISTENER_API);
	client_send(&client,
		ECHOED("Content-Length: 14\r\nExpect: 100-continue\r\nX-Request-ID: gone\r\n", ""));
	client_expect(&client, 100);
	client_close(&client);
	client = client_open(&observed.wire, LISTENER_API);
	client_send(&client, ECHOED("Content-Length: 14\r\n", "{\"te"));
	client_expect(&client, 408);
	client_close(&client);
	while (wire_connections(&observed.wire) > 0)
		;
	conclude(&observed);
	assert_true(logged(&observed, "/echo", "\"status\":499"));
	assert_true(logged(&observed, "/echo", "\"status\":408"));
	assert_non_null(strstr(observed.log, "\"request_id\":\"gone\""));
	assert_true(says(observed.metrics,
		"http_requests_total{method=\"POST\",endpoint=\"/echo\",status=\"499\"} 1\n"));
	assert_true(says(observed.metrics,
		"http_requests_total{method=\"POST\",endpoint=\"/echo\",status=\"408\"} 1\n"));
	forget(&observed);
}

static void a_body_in_pieces_is_counted_whole_and_a_cut_one_by_its_reason(void **state)
{
	struct observed observed;
	struct client client;

	observe(&observed);
	wire_start(&observed.wire);
	client = client_open(&observed.wire, LISTENER_API);
	client_send(&client, "GET /stream HTTP/1.0\r\n\r\n");
	while (client_read(&client))
		;
	assert_int_equal(client.len >> 10, STREAM_PIECES * STREAM_PIECE_BYTES >> 10);
	client_close(&client);
	client = client_open(&observed.wire, LISTENER_API);
	client_send(&client, REQUEST("/stream/failing"));
	client_expect(&client, 200);
	while (client_read(&client))
		;
	client_close(&client);
	client = client_open(&observed.wire, LISTENER_API);
	client_send(&client, REQUEST("/stream/held"));
	client_expect(&client, 200);
	wire_await_waiting(&observed.wire, 1);
	client_close(&client);
	wire_await_abandoned(&observed.wire);
	conclude(&observed);
	assert_true(logged(&observed, "/stream/failing", "\"status\":503"));
	assert_true(logged(&observed, "/stream/held", "\"status\":499"));
	assert_non_null(strstr(observed.log, "\"answer_cut_off\""));
	assert_true(says(observed.metrics,
		"http_requests_total{method=\"GET\",endpoint=\"/stream/failing\",status=\"503\"} 1\n"));
	assert_true(says(observed.metrics,
		"http_response_size_bytes_sum{method=\"GET\",endpoint=\"/stream\"} 32769"));
	forget(&observed);
}

static void the_access_line_has_the_path_without_the_query(void **state)
{
	struct observed observed;
	struct client client;
	const char *line = observed.log;

	observe(&observed);
	wire_start(&observed.wire);
	client = client_open(&observed.wire, LISTENER_API);
	client_send(&client,
		"GET /hello?token=secret HTTP/1.1\r\nHost: a\r\nUser-Agent: tester\r\n"
		"X-Request-ID: " LONGEST_ID "\r\n\r\n");
	client_expect(&client, 200);
	client_close(&client);
	conclude(&observed);
	assert_non_null(strstr(line, "\"request\""));
	assert_non_null(strstr(line, "\"endpoint\":\"/hello\""));
	assert_non_null(strstr(line, "\"path\":\"/hello\""));
	assert_non_null(strstr(line, "\"status\":200"));
	assert_non_null(strstr(line, "\"address\":\"127.0.0.1\""));
	assert_non_null(strstr(line, "\"user_agent\":\"tester\""));
	assert_non_null(strstr(line, "\"request_id\":\"" LONGEST_ID "\""));
	assert_null(strstr(line, "secret"));
	forget(&observed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_counted_by_method_template_and_status),
		cmocka_unit_test(random_paths_add_no_series),
		cmocka_unit_test(refused_connections_are_counted_by_reason),
		cmocka_unit_test(a_request_that_dies_while_its_body_arrives_is_counted_and_logged),
		cmocka_unit_test(a_body_in_pieces_is_counted_whole_and_a_cut_one_by_its_reason),
		cmocka_unit_test(the_access_line_has_the_path_without_the_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
