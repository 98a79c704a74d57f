// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"
#include "domains/accounts/routes.h"
#include "http/handler.h"

static flow_step_fn open_transaction, lock_admins, suspend, end_sessions, commit_suspension,
	confirm, unsuspend, confirm_unsuspended;

const struct flow_step suspend_user_steps[] = {
	STEP(open_transaction),
	STEP(lock_admins),
	STEP(suspend),
	STEP(end_sessions),
	STEP_COMMITS(commit_suspension),
	STEP(confirm),
	STEPS_END,
};

const struct flow_step unsuspend_user_steps[] = {
	STEP_COMMITS(unsuspend),
	STEP(confirm_unsuspended),
	STEPS_END,
};

static const struct field suspension_fields[] = {
	FIELD(FIELD_TEXT, suspension_body, reason, .min = 1, .max = 500,
		.about = "Why; admins see it, the user does not", .example = "Spam"),
};
const struct schema suspension_body_schema = SCHEMA(suspension_body, suspension_fields, "Why");

static enum flow_verdict set_status(struct flow *flow, enum user_status status, struct text reason)
{
	const struct suspension *suspension = flow->state;

	return db_query(flow, &status_update_statement,
		DB_VALUES(db_text(text_from_c(user_status_names[status])), db_text(reason),
			db_time(clock_unix_ms()), db_uuid(suspension->parameters.id)));
}

static enum flow_verdict open_transaction(struct flow *flow)
{
	return db_begin(flow);
}

static enum flow_verdict lock_admins(struct flow *flow)
{
	return db_query(flow, &admins_lock_statement, DB_NO_VALUES);
}

static enum flow_verdict suspend(struct flow *flow)
{
	const struct suspension *suspension = flow->state;
	struct id_row only;

	if (db_result(flow)->rows == 1) {
		db_row(flow, 0, &only);
		if (uuid_equals(&only.id, &suspension->parameters.id))
			return refuse(flow, PROBLEM_ADMIN_REQUIRED);
	}
	return set_status(flow, USER_SUSPENDED, suspension->body.reason);
}

static enum flow_verdict end_sessions(struct flow *flow)
{
	struct suspension *suspension = flow->state;
	const struct uuid nobody = {0};

	if (db_result(flow)->rows == 0)
		return refuse(flow, PROBLEM_USER_NOT_FOUND);
	if (!db_row_copy(flow, 0, &suspension->target))
		return FLOW_DONE;
	return session_revoke_all(flow, &suspension->parameters.id, &nobody, "suspended");
}

static enum flow_verdict commit_suspension(struct flow *flow)
{
	return db_commit(flow);
}

static enum flow_verdict confirm(struct flow *flow)
{
	const struct suspension *suspension = flow->state;

	session_ended(flow, &suspension->parameters.id);
	access_event_because(
		flow, EVENT_USER_SUSPENDED, &suspension->parameters.id, suspension->body.reason);
	return reply(flow, &suspension->target);
}

static enum flow_verdict unsuspend(struct flow *flow)
{
	return set_status(flow, USER_ACTIVE, TEXT_ABSENT);
}

static enum flow_verdict confirm_unsuspended(struct flow *flow)
{
	struct admin_user target;

	if (db_result(flow)->rows == 0)
		return refuse(flow, PROBLEM_USER_NOT_FOUND);
	db_row(flow, 0, &target);
	access_event(flow, EVENT_USER_UNSUSPENDED, &target.user.id);
	return reply(flow, &target);
}
