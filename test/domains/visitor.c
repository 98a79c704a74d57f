// SPDX-License-Identifier: Apache-2.0
#include "test/domains/visitor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

char visitor_answer[VISITOR_ANSWER_BYTES];

void write_request(char out[static VISITOR_REQUEST_BYTES], const char *method, const char *path,
	const char *token, const char *agent, const char *body)
{
	int len = snprintf(out, VISITOR_REQUEST_BYTES,
		"%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\nUser-Agent: %s\r\n"
		"%s%s%s%sContent-Length: %zu\r\n\r\n%s",
		method, path, agent, token[0] ? "Authorization: Bearer " : "", token,
		token[0] ? "\r\n" : "", body[0] ? "Content-Type: application/json\r\n" : "",
		strlen(body), body);

	assert_in_range(len, 1, VISITOR_REQUEST_BYTES - 1);
}

int ask(struct house *house, const char *method, const char *path, const char *token,
	const char *body)
{
	char request[VISITOR_REQUEST_BYTES];

	write_request(request, method, path, token, "visitor/1", body);
	return house_ask(house, request, visitor_answer, sizeof(visitor_answer));
}

void pick(const char *answer, const char *key, char *out, size_t size)
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

void expect(int status, int expected, const char *piece)
{
	if (status != expected || (piece != NULL && strstr(visitor_answer, piece) == NULL))
		fail_msg("expected %d %s, got %d: %s", expected, piece ? piece : "", status,
			visitor_answer);
}

struct visitor new_visitor(struct house *house)
{
	static unsigned count;
	struct visitor visitor;
	char body[512];

	snprintf(visitor.email, sizeof(visitor.email), "visitor-%u@example.com", ++count);
	snprintf(body, sizeof(body),
		"{\"email\":\"%s\",\"password\":\"%s\",\"password_confirmation\":\"%s\"}",
		visitor.email, VISITOR_PASSWORD, VISITOR_PASSWORD);
	expect(ask(house, "POST", "/auth/register", "", body), 201, "\"token_type\":\"Bearer\"");
	pick(visitor_answer, "access_token", visitor.access_token, sizeof(visitor.access_token));
	pick(visitor_answer, "refresh_token", visitor.refresh_token, sizeof(visitor.refresh_token));
	pick(visitor_answer, "id", visitor.user_id, sizeof(visitor.user_id));
	return visitor;
}

int log_in(struct house *house, const char *email, const char *password)
{
	char body[512];

	snprintf(body, sizeof(body), "{\"email\":\"%s\",\"password\":\"%s\"}", email, password);
	return ask(house, "POST", "/auth/login", "", body);
}
