// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"
#include "domains/accounts/password.h"
#include "domains/accounts/routes.h"
#include "http/handler.h"

static flow_step_fn find_hash, verify_current, hash_new, open_transaction, update_password,
	end_other_sessions, commit_change, confirm;

const struct flow_step change_password_steps[] = {
	STEP(find_hash),
	STEP(verify_current),
	STEP(hash_new),
	STEP(open_transaction),
	STEP(update_password),
	STEP(end_other_sessions),
	STEP_COMMITS(commit_change),
	STEP(confirm),
	STEPS_END,
};

static const struct field change_password_fields[] = {
	FIELD(FIELD_PASSWORD, change_password_body, current_password, .min = 1, .max = PASSWORD_MAX,
		.about = "The password until now", .example = "correct horse battery staple"),
	FIELD(FIELD_PASSWORD, change_password_body, password, .min = PASSWORD_MIN,
		.max = PASSWORD_MAX, .about = "The password from now on",
		.example = "another wise old passphrase"),
	FIELD(FIELD_PASSWORD, change_password_body, password_confirmation, .min = PASSWORD_MIN,
		.max = PASSWORD_MAX, .same_as = "password", .about = "The new password once more",
		.example = "another wise old passphrase"),
};
const struct schema change_password_body_schema = SCHEMA(
	change_password_body, change_password_fields, "The old password and the new one");

static enum flow_verdict find_hash(struct flow *flow)
{
	return db_query(
		flow, &credentials_by_id_statement, DB_VALUES(db_uuid(flow->identity.user_id)));
}

static enum flow_verdict verify_current(struct flow *flow)
{
	struct change_password *change = flow->state;

	if (db_result(flow)->rows == 0)
		return refuse(flow, PROBLEM_USER_NOT_FOUND);
	if (!db_row_copy(flow, 0, &change->row))
		return FLOW_DONE;
	return password_verify(flow, change->body.current_password, change->row.password_hash);
}

static enum flow_verdict hash_new(struct flow *flow)
{
	const struct password_result *result = password_result(flow);
	const struct change_password *change = flow->state;

	if (!result->worked)
		return flow_fail(
			flow, FAILURE_INTERNAL, "a stored password hash could not be computed");
	if (!result->matches)
		return refuse(flow, PROBLEM_PASSWORD_WRONG);
	return password_make(flow, change->body.password, change->row.user.email);
}

static enum flow_verdict open_transaction(struct flow *flow)
{
	const struct password_result *result = password_result(flow);
	struct change_password *change = flow->state;

	if (!result->worked)
		return flow_fail(flow, FAILURE_MEMORY, "hashing a password");
	if (result->too_common)
		return refuse(flow, PROBLEM_PASSWORD_TOO_COMMON);
	change->new_hash = arena_text(&flow->arena, result->hash);
	return db_begin(flow);
}

static enum flow_verdict update_password(struct flow *flow)
{
	const struct change_password *change = flow->state;

	return db_query(flow, &password_update_statement,
		DB_VALUES(db_text(change->new_hash), db_time(clock_unix_ms()),
			db_uuid(flow->identity.user_id), db_text(change->row.password_hash)));
}

static enum flow_verdict end_other_sessions(struct flow *flow)
{
	/* Another change of password was faster; what the client knows of the old one is out of date. */
	if (db_result(flow)->affected == 0)
		return flow_fail(flow, FAILURE_RETRY, "the password changed meanwhile");
	return session_revoke_all(
		flow, &flow->identity.user_id, &flow->identity.session_id, "password_changed");
}

static enum flow_verdict commit_change(struct flow *flow)
{
	return db_commit(flow);
}

static enum flow_verdict confirm(struct flow *flow)
{
	session_ended(flow, &flow->identity.user_id);
	access_event(flow, EVENT_PASSWORD_CHANGED, &flow->identity.user_id);
	return reply_empty(flow);
}
