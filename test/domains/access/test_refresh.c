// SPDX-License-Identifier: Apache-2.0

/* Refreshing on the whole house, both engines: fifty tabs at once, replays, thieves. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "domains/access/state.h"
#include "test/domains/visitor.h"
#include "test/support/walk.h"

enum { TABS = 50 };

struct tab {
	int fd;
	char answer[4096];
	size_t len;
	bool over;
};

static struct house house;
static struct tab tabs[TABS];

static struct access *access_state(void)
{
	return domain_state(&house.loop, &access_domain);
}

/* Settings are read at each use: a test may set its own. */
static struct access_settings *settings(void)
{
	return (struct access_settings *)(uintptr_t)access_state()->settings;
}

static int refresh(const char *token, const char *agent)
{
	char request[VISITOR_REQUEST_BYTES], body[256];

	snprintf(body, sizeof(body), "{\"refresh_token\":\"%s\"}", token);
	write_request(request, "POST", "/auth/refresh", "", agent, body);
	return house_ask(&house, request, visitor_answer, sizeof(visitor_answer));
}

static void new_token(char out[static 64])
{
	pick(visitor_answer, "refresh_token", out, 64);
}

static bool all_answered(void *context)
{
	bool all = true;

	(void)context;
	for (size_t i = 0; i < TABS; i++) {
		struct tab *tab = &tabs[i];
		ssize_t got;

		while (!tab->over &&
			(got = recv(tab->fd, tab->answer + tab->len,
				 sizeof(tab->answer) - 1 - tab->len, 0)) >= 0) {
			tab->len += (size_t)got;
			tab->over = got == 0;
		}
		all &= tab->over;
	}
	return all;
}

static void fifty_tabs_that_refresh_at_once_get_one_successor(void **state)
{
	struct visitor visitor = new_visitor(&house);
	char request[VISITOR_REQUEST_BYTES], body[256], first[64], other[64];

	(void)state;
	snprintf(body, sizeof(body), "{\"refresh_token\":\"%s\"}", visitor.refresh_token);
	write_request(request, "POST", "/auth/refresh", "", "visitor/1", body);
	memset(tabs, 0, sizeof(tabs));
	for (size_t i = 0; i < TABS; i++) {
		tabs[i].fd = house_connect(&house);
		assert_int_equal(
			send(tabs[i].fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	}
	assert_true(turn_until(&house.loop, all_answered, NULL));
	for (size_t i = 0; i < TABS; i++) {
		close(tabs[i].fd);
		if (strncmp(tabs[i].answer, "HTTP/1.1 200", 12) != 0)
			fail_msg("tab %zu: %s", i, tabs[i].answer);
		pick(tabs[i].answer, "refresh_token", i == 0 ? first : other, 64);
		if (i > 0)
			assert_string_equal(first, other);
		pick(tabs[i].answer, "access_token", visitor.access_token,
			sizeof(visitor.access_token));
		expect(ask(&house, "GET", "/auth/me", visitor.access_token, ""), 200, NULL);
	}
	expect(refresh(first, "visitor/1"), 200, NULL);
}

static void a_replay_gets_the_same_successor_even_after_that_was_used(void **state)
{
	struct visitor visitor = new_visitor(&house);
	char second[64], third[64], again[64];

	(void)state;
	expect(refresh(visitor.refresh_token, "visitor/1"), 200, NULL);
	new_token(second);
	expect(refresh(second, "visitor/1"), 200, NULL);
	new_token(third);
	expect(refresh(visitor.refresh_token, "visitor/1"), 200, NULL);
	new_token(again);
	assert_string_equal(second, again);
	expect(refresh(second, "visitor/1"), 200, NULL);
	new_token(again);
	assert_string_equal(third, again);
}

static void a_replay_past_the_grace_ends_the_session_at_once(void **state)
{
	struct visitor visitor = new_visitor(&house);
	int64_t grace_ms = settings()->refresh_grace_ms;
	char second[64];

	(void)state;
	expect(ask(&house, "GET", "/auth/me", visitor.access_token, ""), 200, NULL);
	expect(refresh(visitor.refresh_token, "visitor/1"), 200, NULL);
	new_token(second);
	settings()->refresh_grace_ms = -1;
	expect(refresh(visitor.refresh_token, "visitor/1"), 401, "REFRESH_TOKEN_REUSED");
	settings()->refresh_grace_ms = grace_ms;
	expect(ask(&house, "GET", "/auth/me", visitor.access_token, ""), 401, "SESSION_REVOKED");
	expect(refresh(second, "visitor/1"), 401, "SESSION_REVOKED");
	expect(refresh(visitor.refresh_token, "visitor/1"), 401, "SESSION_REVOKED");
}

static void a_replay_by_another_client_ends_the_session(void **state)
{
	struct visitor visitor = new_visitor(&house);

	(void)state;
	expect(refresh(visitor.refresh_token, "visitor/1"), 200, NULL);
	expect(refresh(visitor.refresh_token, "thief/1"), 401, "REFRESH_TOKEN_REUSED");
	expect(ask(&house, "GET", "/auth/me", visitor.access_token, ""), 401, "SESSION_REVOKED");
	expect(log_in(&house, visitor.email, VISITOR_PASSWORD), 200, NULL);
}

static void a_session_ends_when_its_time_is_over(void **state)
{
	struct visitor visitor = new_visitor(&house);
	int64_t ttl_ms = settings()->session_ttl_ms, idle_ms = settings()->idle_timeout_ms;
	char token[64];

	(void)state;
	settings()->session_ttl_ms = 0;
	expect(log_in(&house, visitor.email, VISITOR_PASSWORD), 200, "\"expires_in\":1,");
	new_token(token);
	settings()->session_ttl_ms = ttl_ms;
	expect(refresh(token, "visitor/1"), 401, "REFRESH_TOKEN_EXPIRED");
	settings()->idle_timeout_ms = 0;
	expect(log_in(&house, visitor.email, VISITOR_PASSWORD), 200, NULL);
	new_token(token);
	settings()->idle_timeout_ms = idle_ms;
	expect(refresh(token, "visitor/1"), 401, "REFRESH_TOKEN_EXPIRED");
}

static void what_is_no_token_is_refused(void **state)
{
	(void)state;
	expect(refresh("x", "visitor/1"), 401, "REFRESH_TOKEN_INVALID");
	expect(refresh("", "visitor/1"), 422, "TOO_SHORT");
	expect(refresh("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "visitor/1"), 401,
		"REFRESH_TOKEN_INVALID");
}

static void a_strange_user_agent_is_left_out(void **state)
{
	struct visitor visitor = new_visitor(&house);
	char request[VISITOR_REQUEST_BYTES], body[256], long_agent[600];

	(void)state;
	memset(long_agent, 'x', sizeof(long_agent) - 1);
	long_agent[sizeof(long_agent) - 1] = '\0';
	memcpy(long_agent + 255, "\xc3\xa9", 2); /* the 256th byte would split a character */
	snprintf(body, sizeof(body), "{\"email\":\"%s\",\"password\":\"%s\"}", visitor.email,
		VISITOR_PASSWORD);
	write_request(request, "POST", "/auth/login", "", long_agent, body);
	assert_int_equal(house_ask(&house, request, visitor_answer, sizeof(visitor_answer)), 200);
	write_request(request, "POST", "/auth/login", "", "\xff\xfe", body);
	assert_int_equal(house_ask(&house, request, visitor_answer, sizeof(visitor_answer)), 200);
	expect(ask(&house, "GET", "/auth/sessions", visitor.access_token, ""), 200,
		"\"user_agent\":null");
	assert_null(strstr(visitor_answer, "\xc3"));
}

static void many_requests_of_one_token_are_counted_and_checked_once(void **state)
{
	struct visitor visitor = new_visitor(&house);
	struct text exposition;

	(void)state;
	for (int i = 0; i < 5; i++)
		expect(ask(&house, "GET", "/auth/me", visitor.access_token, ""), 200, NULL);
	exposition = metrics_expose(house.metrics, &house.arena);
	assert_non_null(
		memmem(exposition.data, exposition.len, "cache_hits_total{cache=\"token\"}", 31));
	assert_non_null(memmem(exposition.data, exposition.len, "\nactive_users ", 14));
	assert_non_null(memmem(exposition.data, exposition.len,
		"authentication_attempts_total{method=\"refresh\",result=\"failure\"}", 64));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(fifty_tabs_that_refresh_at_once_get_one_successor),
	cmocka_unit_test(a_replay_gets_the_same_successor_even_after_that_was_used),
	cmocka_unit_test(a_replay_past_the_grace_ends_the_session_at_once),
	cmocka_unit_test(a_replay_by_another_client_ends_the_session),
	cmocka_unit_test(a_session_ends_when_its_time_is_over),
	cmocka_unit_test(what_is_no_token_is_refused),
	cmocka_unit_test(a_strange_user_agent_is_left_out),
	cmocka_unit_test(many_requests_of_one_token_are_counted_and_checked_once),
};

int main(int argc, char **argv)
{
	int failed;

	if (!house_open(&house, argc > 1 ? argv[1] : "sqlite"))
		return 77;
	failed = cmocka_run_group_tests_name("domains/access refresh", tests, NULL, NULL);
	house_close(&house);
	return failed;
}
