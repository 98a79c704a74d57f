// SPDX-License-Identifier: Apache-2.0

/* Admins on the whole house, both engines: made by the command's flow, they find users and suspend them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/secret.h"
#include "core/worker.h"
#include "domains/accounts/accounts.h"
#include "domains/accounts/state.h"
#include "domains/accounts/store.h"
#include "test/domains/visitor.h"
#include "test/support/walk.h"

#define ADMIN_EMAIL "boss@example.com"

static struct house house;

static bool is_idle(void *context)
{
	return ((struct house *)context)->loop.flow_count == 0;
}

static void on_end(struct flow *flow, enum failure failure, const char *cause)
{
	(void)cause;
	*(enum failure *)flow->owner_data = failure;
}

static const struct flow_owner owner = {.on_end = on_end};

/* As a command would: a flow of its own on the loop. Texts in `state` that the flow made are gone afterwards. */
static void run_steps(const struct flow_step *steps, void *flow_state)
{
	enum failure failure = FAILURE_INTERNAL;
	struct flow *flow = flow_new(&house.loop, &owner, &failure, 10000, 1024 * 1024);

	flow->state = flow_state;
	flow_start(flow, steps);
	assert_true(turn_until(&house.loop, is_idle, &house));
	assert_int_equal(failure, FAILURE_NONE);
}

static struct admin_create create_admin(const char *email, const char *password)
{
	struct admin_create create = {
		.email = text_from_c(email), .password = text_from_c(password)};

	run_steps(admin_create_steps, &create);
	return create;
}

static void admin_token(char out[static 1024])
{
	expect(log_in(&house, ADMIN_EMAIL, VISITOR_PASSWORD), 200, "\"role\":\"admin\"");
	pick(visitor_answer, "access_token", out, 1024);
}

static int ask_about(const char *method, const char *user_id, const char *action, const char *token,
	const char *body)
{
	char path[128];

	snprintf(path, sizeof(path), "/admin/users/%s%s", user_id, action);
	return ask(&house, method, path, token, body);
}

static void an_admin_is_made_with_a_good_password_only(void **state)
{
	static const struct {
		const char *email, *password;
	} bad[] = {
		{"not an address", VISITOR_PASSWORD},
		{ADMIN_EMAIL, NULL},
		{ADMIN_EMAIL, "short"},
		{ADMIN_EMAIL, "password123"},
		{ADMIN_EMAIL, "\xff\xff\xff\xff\xff\xff\xff\xff"},
		{ADMIN_EMAIL, "x" ADMIN_EMAIL "x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct admin_create create = create_admin(bad[i].email, bad[i].password);
		assert_non_null(create.refusal);
		assert_false(create.created || create.promoted);
	}
	assert_true(create_admin("  BOSS@Example.com ", VISITOR_PASSWORD).created);
}

static void an_admin_made_twice_is_promoted_and_keeps_the_password(void **state)
{
	(void)state;
	assert_true(create_admin(ADMIN_EMAIL, "another long passphrase").promoted);
	expect(log_in(&house, ADMIN_EMAIL, "another long passphrase"), 401, "INVALID_CREDENTIALS");
	expect(log_in(&house, ADMIN_EMAIL, VISITOR_PASSWORD), 200, "\"role\":\"admin\"");
}

static void a_token_is_minted_for_who_exists(void **state)
{
	struct visitor visitor = new_visitor(&house);
	struct token_mint mint = {.email = text_from_c(visitor.email)};

	(void)state;
	run_steps(token_mint_steps, &mint);
	assert_true(mint.found);
	assert_int_equal(mint.grant.expires_in_s, 900);
	expect(ask(&house, "GET", "/auth/sessions", visitor.access_token, ""), 200,
		"millrace token mint");
	mint = (struct token_mint) {.email = TEXT("nobody@example.com")};
	run_steps(token_mint_steps, &mint);
	assert_false(mint.found);
	mint = (struct token_mint) {.email = TEXT("@@")};
	run_steps(token_mint_steps, &mint);
	assert_false(mint.found);
}

static void a_promoted_user_is_an_admin_with_the_token_at_hand(void **state)
{
	struct visitor visitor = new_visitor(&house);

	(void)state;
	expect(ask(&house, "GET", "/admin/users", visitor.access_token, ""), 403, "FORBIDDEN");
	assert_true(create_admin(visitor.email, NULL).promoted);
	expect(ask(&house, "GET", "/admin/users", visitor.access_token, ""), 200, "\"total\":");
	/* the admin made first is the only one again */
	char boss[1024];
	admin_token(boss);
	expect(ask_about("POST", visitor.user_id, "/suspend", boss, "{\"reason\":\"test\"}"), 200,
		NULL);
}

static void a_suspended_user_is_out_until_unsuspended(void **state)
{
	struct visitor visitor = new_visitor(&house);
	char token[1024];

	(void)state;
	admin_token(token);
	expect(ask(&house, "GET", "/auth/me", visitor.access_token, ""), 200, NULL);
	expect(ask_about("POST", visitor.user_id, "/suspend", token, "{\"reason\":\"Spam\"}"), 200,
		"\"status_reason\":\"Spam\"");
	expect(ask(&house, "GET", "/auth/me", visitor.access_token, ""), 401, "SESSION_REVOKED");
	expect(log_in(&house, visitor.email, VISITOR_PASSWORD), 403, "ACCOUNT_SUSPENDED");
	expect(log_in(&house, visitor.email, "wrong password 77"), 401, "INVALID_CREDENTIALS");
	expect(ask_about("POST", visitor.user_id, "/unsuspend", token, ""), 200,
		"\"status\":\"active\"");
	expect(ask(&house, "GET", "/auth/me", visitor.access_token, ""), 401, "SESSION_REVOKED");
	expect(log_in(&house, visitor.email, VISITOR_PASSWORD), 200, NULL);
}

static void nobody_can_suspend_the_last_admin_or_an_unknown_user(void **state)
{
	char token[1024], id[40];

	(void)state;
	admin_token(token);
	expect(ask(&house, "GET", "/auth/me", token, ""), 200, NULL);
	pick(visitor_answer, "id", id, sizeof(id));
	expect(ask_about("POST", id, "/suspend", token, "{\"reason\":\"oops\"}"), 409,
		"ADMIN_REQUIRED");
	expect(ask_about("POST", id, "/suspend", token, "{}"), 422, "REQUIRED");
	expect(ask_about("POST", "0198a5d2-0000-7000-8000-000000000000", "/suspend", token,
		       "{\"reason\":\"x\"}"),
		404, "USER_NOT_FOUND");
	expect(ask_about("POST", "0198a5d2-0000-7000-8000-000000000000", "/unsuspend", token, ""),
		404, "USER_NOT_FOUND");
	expect(ask_about("GET", "0198a5d2-0000-7000-8000-000000000000", "", token, ""), 404,
		"USER_NOT_FOUND");
	expect(ask_about("GET", "1", "", token, ""), 404, NULL);
	expect(ask(&house, "GET", "/auth/me", token, ""), 200, NULL);
}

static void the_list_is_searched_filtered_and_sorted(void **state)
{
	struct visitor first = new_visitor(&house), second = new_visitor(&house);
	char token[1024], path[256];

	(void)state;
	admin_token(token);
	snprintf(path, sizeof(path), "/admin/users?q=%s", first.email);
	expect(ask(&house, "GET", path, token, ""), 200,
		"\"total\":1,\"page\":1,\"page_size\":20,\"total_pages\":1");
	expect(ask(&house, "GET", "/admin/users?q=VISITOR-&page_size=1&sort=-created_at", token,
		       ""),
		200, second.email);
	expect(ask(&house, "GET", "/admin/users?page_size=1&sort=email", token, ""), 200,
		ADMIN_EMAIL);
	expect(ask(&house, "GET", "/admin/users?status=suspended", token, ""), 200,
		"\"status\":\"suspended\"");
	assert_null(strstr(visitor_answer, "\"status\":\"active\""));
	expect(ask(&house, "GET", "/admin/users?page=999999&page_size=100", token, ""), 200,
		"\"data\":[]");
	expect(ask(&house, "GET", "/admin/users?q=%25zz", token, ""), 200, "\"total\":0,");
	expect(ask(&house, "GET", "/admin/users?q=_isitor", token, ""), 200, "\"total\":0,");
	expect(ask(&house, "GET", "/admin/users?q=!", token, ""), 200, "\"total\":0,");
	expect(ask(&house, "PATCH", "/auth/me", first.access_token, "{\"name\":\"Ada Lovelace\"}"),
		200, NULL);
	expect(ask(&house, "GET", "/admin/users?q=lOVE", token, ""), 200, first.email);
	expect(ask(&house, "GET", "/admin/users?sort=password_hash", token, ""), 422,
		"NOT_A_CHOICE");
	assert_null(strstr(visitor_answer, "argon2"));
}

static uint64_t jobs_done(void)
{
	struct accounts *accounts = domain_state(&house.loop, &accounts_domain);

	return worker_class_stats(accounts->workers).done_total;
}

/* What could be told by a clock is told by counting: each answer costs one hash. */
static void an_unknown_user_costs_the_same_hash_as_a_wrong_password(void **state)
{
	struct visitor visitor = new_visitor(&house);
	uint64_t before = jobs_done();

	(void)state;
	expect(log_in(&house, visitor.email, "wrong password 77"), 401, "INVALID_CREDENTIALS");
	assert_int_equal(jobs_done() - before, 1);
	expect(log_in(&house, "nobody@example.com", "wrong password 77"), 401,
		"INVALID_CREDENTIALS");
	assert_int_equal(jobs_done() - before, 2);
}

struct stored {
	struct text email;
	char hash[256];
};

static enum flow_verdict find_hash(struct flow *flow)
{
	const struct stored *stored = flow->state;

	return db_query(flow, &credentials_by_email_statement, DB_VALUES(db_text(stored->email)));
}

static enum flow_verdict keep_hash(struct flow *flow)
{
	struct stored *stored = flow->state;
	struct credentials_row row;

	db_row(flow, 0, &row);
	snprintf(stored->hash, sizeof(stored->hash), "%.*s", TEXT_ARG(row.password_hash));
	return FLOW_DONE;
}

static const struct flow_step read_hash_steps[] = {STEP(find_hash), STEP(keep_hash), STEPS_END};

/* A hash that costs less than what is configured is renewed by the next login, and still matches. */
static void a_login_renews_a_cheap_hash(void **state)
{
	struct accounts *accounts = domain_state(&house.loop, &accounts_domain);
	struct visitor visitor = new_visitor(&house);
	struct password_cost cost = accounts->cost;
	struct stored stored = {.email = text_from_c(visitor.email)};

	(void)state;
	run_steps(read_hash_steps, &stored);
	assert_non_null(strstr(stored.hash, ",t=2,"));
	accounts->cost.iterations++;
	expect(log_in(&house, visitor.email, VISITOR_PASSWORD), 200, NULL);
	run_steps(read_hash_steps, &stored);
	assert_non_null(strstr(stored.hash, ",t=3,"));
	expect(log_in(&house, visitor.email, VISITOR_PASSWORD), 200, NULL);
	accounts->cost = cost;
	expect(log_in(&house, visitor.email, VISITOR_PASSWORD), 200, NULL);
	expect(log_in(&house, visitor.email, "wrong password 77"), 401, "INVALID_CREDENTIALS");
}

struct walked {
	struct admin_create create;
	struct token_mint mint;
	char email[64];
	unsigned count;
};

static void prepare_create(struct flow *flow, void *context)
{
	struct walked *walked = context;

	snprintf(walked->email, sizeof(walked->email), "walked-%u@example.com", ++walked->count);
	walked->create = (struct admin_create) {
		.email = text_from_c(walked->email), .password = TEXT(VISITOR_PASSWORD)};
	flow->state = &walked->create;
}

static void prepare_mint(struct flow *flow, void *context)
{
	struct walked *walked = context;

	walked->mint = (struct token_mint) {.email = TEXT(ADMIN_EMAIL)};
	flow->state = &walked->mint;
}

static void commands_may_be_stopped_at_every_wait(void **state)
{
	struct walked walked = {0};
	struct walk walk = {.loop = &house.loop,
		.steps = admin_create_steps,
		.deadline_ms = 10000,
		.prepare = prepare_create,
		.context = &walked};
	struct walk_counts counts = walk_steps(&walk);

	(void)state;
	assert_int_equal(counts.waits, 3);
	assert_int_equal(counts.ended, counts.runs);
	walk.steps = token_mint_steps;
	walk.prepare = prepare_mint;
	counts = walk_steps(&walk);
	assert_int_equal(counts.waits, 5);
	assert_int_equal(counts.ended, counts.runs);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(an_admin_is_made_with_a_good_password_only),
	cmocka_unit_test(an_admin_made_twice_is_promoted_and_keeps_the_password),
	cmocka_unit_test(a_token_is_minted_for_who_exists),
	cmocka_unit_test(a_promoted_user_is_an_admin_with_the_token_at_hand),
	cmocka_unit_test(a_suspended_user_is_out_until_unsuspended),
	cmocka_unit_test(nobody_can_suspend_the_last_admin_or_an_unknown_user),
	cmocka_unit_test(the_list_is_searched_filtered_and_sorted),
	cmocka_unit_test(an_unknown_user_costs_the_same_hash_as_a_wrong_password),
	cmocka_unit_test(a_login_renews_a_cheap_hash),
	cmocka_unit_test(commands_may_be_stopped_at_every_wait),
};

int main(int argc, char **argv)
{
	int failed;

	if (!house_open(&house, argc > 1 ? argv[1] : "sqlite"))
		return 77;
	failed = cmocka_run_group_tests_name("domains/accounts admin", tests, NULL, NULL);
	house_close(&house);
	return failed;
}
