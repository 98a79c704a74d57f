// SPDX-License-Identifier: Apache-2.0
/* The walker over every route of the domains: the client leaves at each wait of each step table, then the
 * deadline strikes at each; the house stays whole, and the next request works. On both engines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/support/house.h"
#include "test/support/walk.h"

#define PASSWORD "correct horse battery staple 42"

enum { TEXT_BYTES = 8192, ANSWER_BYTES = 65536, WAITS_MAX = 40 };

struct visitor {
	char email[64];
	char access_token[1024];
	char refresh_token[128];
	char user_id[40];
	char session_id[40];
};

static struct house house;
static char answer[ANSWER_BYTES];
static unsigned visitors;

static void write_request(
	char *out, const char *method, const char *path, const char *token, const char *body)
{
	snprintf(out, TEXT_BYTES,
		"%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n%s%s%s%sContent-Length: %zu\r\n\r\n%s",
		method, path, token[0] ? "Authorization: Bearer " : "", token,
		token[0] ? "\r\n" : "", body[0] ? "Content-Type: application/json\r\n" : "",
		strlen(body), body);
}

static int ask(const char *method, const char *path, const char *token, const char *body)
{
	char request[TEXT_BYTES];

	write_request(request, method, path, token, body);
	return house_ask(&house, request, answer, sizeof(answer));
}

/* The string behind "key":" in the last answer. */
static void pick(const char *key, char *out, size_t size)
{
	char needle[64];
	const char *at, *end;

	snprintf(needle, sizeof(needle), "\"%s\":\"", key);
	at = strstr(answer, needle);
	if (at == NULL)
		fail_msg("no %s in %s", key, answer);
	at += strlen(needle);
	end = strchr(at, '"');
	snprintf(out, size, "%.*s", (int)(end - at), at);
}

static void register_body(char *out, const char *email)
{
	snprintf(out, TEXT_BYTES,
		"{\"email\":\"%s\",\"password\":\"" PASSWORD
		"\",\"password_confirmation\":\"" PASSWORD "\"}",
		email);
}

static struct visitor new_visitor(void)
{
	struct visitor visitor;
	char body[TEXT_BYTES];

	snprintf(visitor.email, sizeof(visitor.email), "visitor-%u@example.com", ++visitors);
	register_body(body, visitor.email);
	assert_int_equal(ask("POST", "/auth/register", "", body), 201);
	pick("access_token", visitor.access_token, sizeof(visitor.access_token));
	pick("refresh_token", visitor.refresh_token, sizeof(visitor.refresh_token));
	pick("id", visitor.user_id, sizeof(visitor.user_id));
	assert_int_equal(ask("GET", "/auth/sessions", visitor.access_token, ""), 200);
	pick("id", visitor.session_id, sizeof(visitor.session_id));
	return visitor;
}

/* One way through the API: writes a request that would succeed, for a visitor of its own. */
typedef void prepare_fn(char *request, const struct visitor *visitor);

static void signup(char *request, const struct visitor *visitor)
{
	char body[TEXT_BYTES], email[64];

	(void)visitor;
	snprintf(email, sizeof(email), "newcomer-%u@example.com", ++visitors);
	register_body(body, email);
	write_request(request, "POST", "/auth/register", "", body);
}

static void login(char *request, const struct visitor *visitor)
{
	char body[TEXT_BYTES];

	snprintf(body, sizeof(body), "{\"email\":\"%s\",\"password\":\"" PASSWORD "\"}",
		visitor->email);
	write_request(request, "POST", "/auth/login", "", body);
}

static void refresh(char *request, const struct visitor *visitor)
{
	char body[TEXT_BYTES];

	snprintf(body, sizeof(body), "{\"refresh_token\":\"%s\"}", visitor->refresh_token);
	write_request(request, "POST", "/auth/refresh", "", body);
}

static void show_me(char *request, const struct visitor *visitor)
{
	write_request(request, "GET", "/auth/me", visitor->access_token, "");
}

static void rename_me(char *request, const struct visitor *visitor)
{
	write_request(request, "PATCH", "/auth/me", visitor->access_token, "{\"name\":\"Walker\"}");
}

static void change_password(char *request, const struct visitor *visitor)
{
	write_request(request, "POST", "/auth/password", visitor->access_token,
		"{\"current_password\":\"" PASSWORD "\",\"password\":\"quite another phrase 77\","
		"\"password_confirmation\":\"quite another phrase 77\"}");
}

static void list_sessions(char *request, const struct visitor *visitor)
{
	write_request(request, "GET", "/auth/sessions", visitor->access_token, "");
}

static void end_session(char *request, const struct visitor *visitor)
{
	char path[96];

	snprintf(path, sizeof(path), "/auth/sessions/%s", visitor->session_id);
	write_request(request, "DELETE", path, visitor->access_token, "");
}

static void logout(char *request, const struct visitor *visitor)
{
	write_request(request, "POST", "/auth/logout", visitor->access_token, "");
}

/* ---- watching a request from inside ---- */

struct visit {
	int fd;
	unsigned waits, leave_at;
	enum failure why; /* CLIENT_GONE: the socket is closed; else flow_stop */
	struct op *seen;
	uint64_t seen_ns;
	bool over;
	int status;
};

static void leave(struct visit *visit)
{
	if (visit->why == FAILURE_CLIENT_GONE) {
		close(visit->fd);
		visit->fd = -1;
	} else {
		flow_stop(house.loop.flows, visit->why);
	}
}

static bool look(void *context)
{
	struct visit *visit = context;
	struct flow *flow = house.loop.flows;
	char piece[4096];
	ssize_t got;

	if (flow != NULL && flow->pending != NULL &&
		(flow->pending != visit->seen || flow->pending->started_ns != visit->seen_ns)) {
		visit->seen = flow->pending;
		visit->seen_ns = flow->pending->started_ns;
		if (++visit->waits == visit->leave_at)
			leave(visit);
	}
	if (visit->fd < 0)
		return house.loop.flow_count == 0;
	got = recv(visit->fd, piece, sizeof(piece) - 1, 0);
	if (got > 0 && visit->status == 0) {
		piece[got] = '\0';
		sscanf(piece, "HTTP/1.1 %d", &visit->status);
	}
	return got == 0;
}

static struct visit run_visit(prepare_fn *prepare, unsigned leave_at, enum failure why)
{
	struct visit visit = {.leave_at = leave_at, .why = why};
	struct visitor visitor = new_visitor();
	char request[TEXT_BYTES];

	prepare(request, &visitor);
	visit.fd = house_connect(&house);
	assert_int_equal(send(visit.fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	assert_true(turn_until(&house.loop, look, &visit));
	if (visit.fd >= 0)
		close(visit.fd);
	turn_idle(&house.loop);
	return visit;
}

static void walk_route(const char *name, prepare_fn *prepare, unsigned waits_min)
{
	unsigned waits = run_visit(prepare, 0, FAILURE_NONE).waits;

	assert_in_range(waits, waits_min, WAITS_MAX);
	for (unsigned at = 1; at <= waits; at++) {
		struct visit visit;

		run_visit(prepare, at, FAILURE_CLIENT_GONE);
		assert_int_equal(house.loop.flow_count, 0);
		visit = run_visit(prepare, at, FAILURE_DEADLINE);
		if (visit.status != 504)
			fail_msg("%s: stopped at wait %u it answered %d", name, at, visit.status);
		assert_int_equal(house.loop.flow_count, 0);
	}
	print_message("%s: left at %u waits\n", name, waits);
}

static void walk_all(void)
{
	walk_route("signup", signup, 4);
	walk_route("login", login, 4);
	walk_route("refresh", refresh, 2);
	walk_route("show_me", show_me, 1);
	walk_route("rename_me", rename_me, 1);
	walk_route("change_password", change_password, 3);
	walk_route("list_sessions", list_sessions, 1);
	walk_route("end_session", end_session, 1);
	walk_route("logout", logout, 1);
	/* nothing is held any more: a write of each kind still works */
	assert_int_equal(
		ask("PATCH", "/auth/me", new_visitor().access_token, "{\"name\":\"Last\"}"), 200);
}

static void a_client_may_leave_at_every_wait_on_sqlite(void **state)
{
	(void)state;
	assert_true(house_open(&house, "sqlite"));
	walk_all();
	house_close(&house);
}

static void a_client_may_leave_at_every_wait_on_postgresql(void **state)
{
	(void)state;
	if (!house_open(&house, "postgresql"))
		skip();
	walk_all();
	house_close(&house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_may_leave_at_every_wait_on_sqlite),
		cmocka_unit_test(a_client_may_leave_at_every_wait_on_postgresql),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
