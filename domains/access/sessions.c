// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"
#include "domains/access/routes.h"
#include "domains/access/state.h"
#include "http/handler.h"

static flow_step_fn find_sessions, list_sessions, end_session, confirm_end;

const struct flow_step list_sessions_steps[] = {
	STEP(find_sessions),
	STEP(list_sessions),
	STEPS_END,
};

const struct flow_step revoke_session_steps[] = {
	STEP_COMMITS(end_session),
	STEP(confirm_end),
	STEPS_END,
};

static const struct field sessions_reply_fields[] = {
	FIELD_LIST_OF(&session_schema, sessions_reply, "sessions", sessions, session_count,
		.about = "At most 100"),
};
const struct schema sessions_reply_schema = SCHEMA(
	sessions_reply, sessions_reply_fields, "The user's sessions");

static const struct field session_parameters_fields[] = {
	FIELD(FIELD_UUID, session_parameters, id, .about = "The session"),
};
const struct schema session_parameters_schema = SCHEMA(
	session_parameters, session_parameters_fields, "Which session");

static enum flow_verdict find_sessions(struct flow *flow)
{
	int64_t now_ms = clock_unix_ms();
	int64_t idle_since_ms = now_ms - access_of(flow)->settings->idle_timeout_ms;

	return db_query(flow, &session_list_statement,
		DB_VALUES(db_uuid(flow->identity.session_id), db_uuid(flow->identity.user_id),
			db_time(now_ms), db_time(idle_since_ms)));
}

static enum flow_verdict list_sessions(struct flow *flow)
{
	struct sessions_reply data = {.session_count = db_result(flow)->rows};

	data.sessions = db_rows_copy(flow);
	if (data.sessions == NULL && data.session_count > 0)
		return FLOW_DONE;
	return reply(flow, &data);
}

static enum flow_verdict end_session(struct flow *flow)
{
	const struct revoke_session *revoke = flow->state;

	return db_query(flow, &session_revoke_statement,
		DB_VALUES(db_time(clock_unix_ms()), db_text(TEXT("revoked_by_user")),
			db_uuid(revoke->parameters.id), db_uuid(flow->identity.user_id)));
}

static enum flow_verdict confirm_end(struct flow *flow)
{
	const struct revoke_session *revoke = flow->state;

	/* Another user's session is as unknown as one that never was. */
	if (db_result(flow)->affected == 0)
		return refuse(flow, PROBLEM_SESSION_NOT_FOUND);
	session_ended(flow, &revoke->parameters.id);
	access_event(flow, EVENT_SESSION_REVOKED, &flow->identity.user_id);
	return reply_empty(flow);
}
