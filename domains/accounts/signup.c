// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"
#include "domains/accounts/password.h"
#include "domains/accounts/routes.h"
#include "http/handler.h"

static flow_step_fn look_up_email, hash_password, open_transaction, insert_user, insert_session,
	insert_refresh_token, commit_signup, welcome;

const struct flow_step signup_steps[] = {
	STEP(look_up_email),
	STEP(hash_password),
	STEP(open_transaction),
	STEP(insert_user),
	STEP(insert_session),
	STEP(insert_refresh_token),
	STEP_COMMITS(commit_signup),
	STEP(welcome),
	STEPS_END,
};

static const struct field signup_fields[] = {
	FIELD(FIELD_EMAIL, signup_body, email, .max = 254, .about = "Unique, whatever its case",
		.example = "ada@example.com"),
	FIELD(FIELD_PASSWORD, signup_body, password, .min = PASSWORD_MIN, .max = PASSWORD_MAX,
		.about = "Any characters; must not be easy to guess",
		.example = "correct horse battery staple"),
	FIELD(FIELD_PASSWORD, signup_body, password_confirmation, .min = PASSWORD_MIN,
		.max = PASSWORD_MAX, .same_as = "password", .about = "The password once more",
		.example = "correct horse battery staple"),
	FIELD(FIELD_TEXT, signup_body, name, .min = 1, .max = 200, .optional = true,
		.nullable = true, .about = "What the user wants to be called",
		.example = "Ada Lovelace"),
};
const struct schema signup_body_schema = SCHEMA(
	signup_body, signup_fields, "What a newcomer sends");

static enum flow_verdict look_up_email(struct flow *flow)
{
	const struct signup *signup = flow->state;

	return db_query(flow, &email_taken_statement, DB_VALUES(db_text(signup->body.email)));
}

static enum flow_verdict hash_password(struct flow *flow)
{
	const struct signup *signup = flow->state;

	if (db_result(flow)->rows > 0)
		return refuse(flow, PROBLEM_EMAIL_TAKEN);
	return password_make(flow, signup->body.password, signup->body.email);
}

static void fill_user(struct signup *signup)
{
	int64_t now_ms = clock_unix_ms();

	signup->user = (struct user) {
		.id = uuid_new(),
		.email = signup->body.email,
		.name = text_is_null(signup->body.name) ? TEXT_ABSENT : signup->body.name,
		.role = ROLE_USER,
		.status = USER_ACTIVE,
		.created_at = now_ms,
		.updated_at = now_ms,
		.last_login_at = now_ms,
	};
}

static enum flow_verdict open_transaction(struct flow *flow)
{
	const struct password_result *result = password_result(flow);
	struct signup *signup = flow->state;

	if (!result->worked)
		return flow_fail(flow, FAILURE_MEMORY, "hashing a password");
	if (result->too_common)
		return refuse(flow, PROBLEM_PASSWORD_TOO_COMMON);
	signup->password_hash = arena_text(&flow->arena, result->hash);
	fill_user(signup);
	if (!session_grant_for_request(flow, &signup->user, &signup->grant))
		return flow_fail(flow, FAILURE_MEMORY, "tokens of a signup");
	return db_begin(flow);
}

static enum flow_verdict insert_user(struct flow *flow)
{
	const struct signup *signup = flow->state;
	const struct user *user = &signup->user;

	return db_query(flow, &user_insert_statement,
		DB_VALUES(db_uuid(user->id), db_text(user->email), db_text(user->name),
			db_text(text_from_c(role_names[user->role])),
			db_text(signup->password_hash), db_time(user->created_at),
			db_time_or_null(user->last_login_at)));
}

static enum flow_verdict insert_session(struct flow *flow)
{
	const struct signup *signup = flow->state;

	/* Somebody else took the address since we looked. */
	if (db_result(flow)->outcome == DB_UNIQUE_VIOLATION)
		return refuse(flow, PROBLEM_EMAIL_TAKEN);
	return session_insert(flow, &signup->grant);
}

static enum flow_verdict insert_refresh_token(struct flow *flow)
{
	return session_insert_refresh_token(flow, &((struct signup *)flow->state)->grant);
}

static enum flow_verdict commit_signup(struct flow *flow)
{
	return db_commit(flow);
}

static enum flow_verdict welcome(struct flow *flow)
{
	const struct signup *signup = flow->state;

	access_event(flow, EVENT_USER_REGISTERED, &signup->user.id);
	return session_reply(flow, &signup->grant, &signup->user);
}
