// SPDX-License-Identifier: Apache-2.0

/* The guards on the whole house, both engines: which tokens open the door, and for how long. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "domains/access/state.h"
#include "domains/access/store.h"
#include "test/domains/visitor.h"
#include "test/support/walk.h"

static struct house house;

static struct access *access_state(void)
{
	return domain_state(&house.loop, &access_domain);
}

static struct access_settings *settings(void)
{
	return (struct access_settings *)(uintptr_t)access_state()->settings;
}

static int ask_with(const char *authorization)
{
	char request[VISITOR_REQUEST_BYTES];

	snprintf(request, sizeof(request),
		"GET /auth/me HTTP/1.1\r\nHost: test\r\nConnection: close\r\n%s\r\n",
		authorization);
	return house_ask(&house, request, visitor_answer, sizeof(visitor_answer));
}

/* What the session and the user of this token are. */
static struct token_claims claims_of(const struct visitor *visitor)
{
	struct token_claims claims;
	struct text token = text_from_c(visitor->access_token);

	assert_int_equal(token_verify(&access_state()->rules, token, clock_unix_ms() / 1000,
				 &house.arena, &claims),
		TOKEN_OK);
	return claims;
}

static int ask_signed(const char *path, const struct token_claims *claims)
{
	struct text token = token_sign(&access_state()->rules, claims, &house.arena);
	char terminated[TOKEN_MAX_BYTES + 1];

	snprintf(terminated, sizeof(terminated), "%.*s", TEXT_ARG(token));
	return ask(&house, "GET", path, terminated, "");
}

static void only_a_bearer_token_is_looked_at(void **state)
{
	struct visitor visitor = new_visitor(&house);
	char header[2048];

	(void)state;
	expect(ask_with(""), 401, "TOKEN_MISSING");
	assert_non_null(strstr(visitor_answer, "Bearer realm="));
	expect(ask_with("Authorization: Basic eDp5\r\n"), 401, "TOKEN_MISSING");
	expect(ask_with("Authorization: Bearer\r\n"), 401, "TOKEN_INVALID");
	expect(ask_with("Authorization: Bearer \r\n"), 401, "TOKEN_INVALID");
	expect(ask_with("Authorization: Bearer x y\r\n"), 401, "TOKEN_INVALID");
	assert_non_null(strstr(visitor_answer, "error=\"invalid_token\""));
	snprintf(header, sizeof(header), "Authorization: bEaReR   %s\r\n", visitor.access_token);
	expect(ask_with(header), 200, visitor.email);
	snprintf(header, sizeof(header), "Authorization: Bearer%s\r\n", visitor.access_token);
	expect(ask_with(header), 401, "TOKEN_MISSING");
}

static void an_expired_token_says_so_fresh_or_remembered(void **state)
{
	struct visitor visitor = new_visitor(&house);
	struct token_claims claims = claims_of(&visitor);

	(void)state;
	claims.issued_at_s -= 2000;
	claims.expires_at_s = claims.issued_at_s + 900;
	expect(ask_signed("/auth/me", &claims), 401, "TOKEN_EXPIRED");
	expect(ask_signed("/auth/me", &claims), 401, "TOKEN_EXPIRED");
	assert_non_null(strstr(visitor_answer, "The access token has expired"));
}

static void the_role_is_what_the_database_says(void **state)
{
	struct visitor visitor = new_visitor(&house);
	struct token_claims claims = claims_of(&visitor);

	(void)state;
	claims.roles = role_bit(ROLE_ADMIN) | role_bit(ROLE_USER);
	expect(ask_signed("/admin/users", &claims), 403, "FORBIDDEN");
	expect(ask_signed("/admin/users", &claims), 403, "FORBIDDEN");
}

static void a_session_is_its_users_own(void **state)
{
	struct visitor one = new_visitor(&house), other = new_visitor(&house);
	struct token_claims claims = claims_of(&one);

	(void)state;
	claims.session_id = claims_of(&other).session_id;
	expect(ask_signed("/auth/me", &claims), 401, "SESSION_REVOKED");
	claims = claims_of(&one);
	claims.session_id = uuid_new();
	expect(ask_signed("/auth/me", &claims), 401, "SESSION_REVOKED");
}

/* ---- another process ends the session: the row changes, nobody tells us ---- */

static struct uuid victim;

static enum flow_verdict revoke_silently(struct flow *flow)
{
	const struct uuid nobody = {0};

	return session_revoke_all(flow, &victim, &nobody, "elsewhere");
}

static enum flow_verdict finish(struct flow *flow)
{
	(void)flow;
	return FLOW_DONE;
}

static const struct flow_step revoke_steps[] = {STEP(revoke_silently), STEP(finish), STEPS_END};

static void on_end(struct flow *flow, enum failure failure, const char *cause)
{
	(void)flow, (void)cause;
	assert_int_equal(failure, FAILURE_NONE);
}

static const struct flow_owner owner = {.on_end = on_end};

static bool is_idle(void *context)
{
	return ((struct house *)context)->loop.flow_count == 0;
}

static void end_sessions_elsewhere(struct uuid user_id)
{
	victim = user_id;
	flow_start(flow_new(&house.loop, &owner, NULL, 10000, 65536), revoke_steps);
	assert_true(turn_until(&house.loop, is_idle, &house));
}

static void an_end_elsewhere_counts_when_the_check_is_due(void **state)
{
	struct visitor visitor = new_visitor(&house);
	int64_t check_ms = settings()->session_check_ms;

	(void)state;
	settings()->session_check_ms = 60 * 1000;
	expect(ask(&house, "GET", "/auth/me", visitor.access_token, ""), 200, NULL);
	end_sessions_elsewhere(claims_of(&visitor).user_id);
	expect(ask(&house, "GET", "/auth/me", visitor.access_token, ""), 200, NULL);
	settings()->session_check_ms = 0;
	expect(ask(&house, "GET", "/auth/me", visitor.access_token, ""), 401, "SESSION_REVOKED");
	settings()->session_check_ms = 60 * 1000;
	expect(ask(&house, "GET", "/auth/me", visitor.access_token, ""), 401, "SESSION_REVOKED");
	settings()->session_check_ms = check_ms;
}

static void an_end_here_counts_at_once(void **state)
{
	struct visitor visitor = new_visitor(&house);

	(void)state;
	expect(ask(&house, "GET", "/auth/me", visitor.access_token, ""), 200, NULL);
	expect(ask(&house, "POST", "/auth/logout", visitor.access_token, ""), 204, NULL);
	expect(ask(&house, "GET", "/auth/me", visitor.access_token, ""), 401, "SESSION_REVOKED");
	expect(ask(&house, "POST", "/auth/logout", visitor.access_token, ""), 401,
		"SESSION_REVOKED");
}

static void more_tokens_than_the_cache_holds_all_work(void **state)
{
	struct visitor visitor = new_visitor(&house);
	struct token_cache *cache = &access_state()->caches[0], full = *cache;
	struct token_claims claims = claims_of(&visitor);

	(void)state;
	assert_true(token_cache_init(cache, &house.arena, 4));
	for (int i = 0; i < 12; i++) {
		claims.token_id = uuid_new();
		expect(ask_signed("/auth/me", &claims), 200, NULL);
	}
	expect(ask(&house, "GET", "/auth/me", visitor.access_token, ""), 200, NULL);
	*cache = full;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(only_a_bearer_token_is_looked_at),
	cmocka_unit_test(an_expired_token_says_so_fresh_or_remembered),
	cmocka_unit_test(the_role_is_what_the_database_says),
	cmocka_unit_test(a_session_is_its_users_own),
	cmocka_unit_test(an_end_elsewhere_counts_when_the_check_is_due),
	cmocka_unit_test(an_end_here_counts_at_once),
	cmocka_unit_test(more_tokens_than_the_cache_holds_all_work),
};

int main(int argc, char **argv)
{
	int failed;

	if (!house_open(&house, argc > 1 ? argv[1] : "sqlite"))
		return 77;
	failed = cmocka_run_group_tests_name("domains/access guard", tests, NULL, NULL);
	house_close(&house);
	return failed;
}
