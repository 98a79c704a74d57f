// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"
#include "domains/accounts/password.h"
#include "domains/accounts/routes.h"
#include "http/handler.h"

static flow_step_fn look_up_email, verify_password, judge_password, record_login,
	forget_old_sessions, insert_session, insert_refresh_token, commit_login, answer;

const struct flow_step login_steps[] = {
	STEP(look_up_email),
	STEP(verify_password),
	STEP(judge_password),
	STEP(record_login),
	STEP(forget_old_sessions),
	STEP(insert_session),
	STEP(insert_refresh_token),
	STEP_COMMITS(commit_login),
	STEP(answer),
	STEPS_END,
};

static const struct field login_fields[] = {
	FIELD(FIELD_EMAIL, login_body, email, .max = 254, .about = "The account's address",
		.example = "ada@example.com"),
	FIELD(FIELD_PASSWORD, login_body, password, .min = 1, .max = PASSWORD_MAX,
		.about = "The account's password", .example = "correct horse battery staple"),
};
const struct schema login_body_schema = SCHEMA(login_body, login_fields, "Who wants in");

static enum flow_verdict look_up_email(struct flow *flow)
{
	const struct login *login = flow->state;

	return db_query(
		flow, &credentials_by_email_statement, DB_VALUES(db_text(login->body.email)));
}

/* An unknown user costs one hash too: the time must not tell who has an account. */
static enum flow_verdict verify_password(struct flow *flow)
{
	struct login *login = flow->state;

	login->known = db_result(flow)->rows > 0;
	if (login->known && !db_row_copy(flow, 0, &login->row))
		return FLOW_DONE;
	return password_verify(flow, login->body.password, login->row.password_hash);
}

static enum flow_verdict refuse_login(
	struct flow *flow, enum attempt_result result, enum problem problem)
{
	access_attempt(flow, ATTEMPT_PASSWORD, result);
	return refuse(flow, problem);
}

static enum flow_verdict judge_password(struct flow *flow)
{
	const struct password_result *result = password_result(flow);
	struct login *login = flow->state;

	if (!result->worked)
		return flow_fail(
			flow, FAILURE_INTERNAL, "a stored password hash could not be computed");
	if (!result->matches || !login->known)
		return refuse_login(flow, ATTEMPT_FAILURE, PROBLEM_INVALID_CREDENTIALS);
	if (login->row.user.status == USER_SUSPENDED)
		return refuse_login(flow, ATTEMPT_SUSPENDED, PROBLEM_ACCOUNT_SUSPENDED);
	login->new_hash = arena_text(&flow->arena, result->hash);
	if (!session_grant_for_request(flow, &login->row.user, &login->grant))
		return flow_fail(flow, FAILURE_MEMORY, "tokens of a login");
	return db_begin(flow);
}

static enum flow_verdict record_login(struct flow *flow)
{
	struct login *login = flow->state;
	struct text hash = text_is_absent(login->new_hash) ? login->row.password_hash
							   : login->new_hash;

	login->row.user.last_login_at = login->grant.now_ms;
	return db_query(flow, &login_record_statement,
		DB_VALUES(db_time(login->grant.now_ms), db_text(hash), db_uuid(login->row.user.id),
			db_text(login->row.password_hash)));
}

static enum flow_verdict forget_old_sessions(struct flow *flow)
{
	const struct login *login = flow->state;

	/* Password or status changed while we hashed: what was right then is wrong now. */
	if (db_result(flow)->affected == 0)
		return refuse_login(flow, ATTEMPT_FAILURE, PROBLEM_INVALID_CREDENTIALS);
	return session_forget_expired(flow, &login->row.user.id);
}

static enum flow_verdict insert_session(struct flow *flow)
{
	return session_insert(flow, &((struct login *)flow->state)->grant);
}

static enum flow_verdict insert_refresh_token(struct flow *flow)
{
	return session_insert_refresh_token(flow, &((struct login *)flow->state)->grant);
}

static enum flow_verdict commit_login(struct flow *flow)
{
	return db_commit(flow);
}

static enum flow_verdict answer(struct flow *flow)
{
	const struct login *login = flow->state;

	access_attempt(flow, ATTEMPT_PASSWORD, ATTEMPT_SUCCESS);
	access_event(flow, EVENT_USER_LOGGED_IN, &login->row.user.id);
	return session_reply(flow, &login->grant, &login->row.user);
}
