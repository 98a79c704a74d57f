// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "core/clock.h"
#include "domains/access/routes.h"
#include "domains/access/session.h"
#include "http/handler.h"

static flow_step_fn look_up_token, judge_token, open_transaction, claim_token, insert_successor,
	touch_session, commit_rotation, answer, leave_transaction, revoke_family, refuse_reuse;

/* judge_token goes on with one of the tables below, or refuses. */
const struct flow_step refresh_steps[] = {
	STEP(look_up_token),
	STEP(judge_token),
	STEPS_END,
};

static const struct flow_step rotate_steps[] = {
	STEP(open_transaction),
	STEP(claim_token),
	STEP(insert_successor),
	STEP(touch_session),
	STEP_COMMITS(commit_rotation),
	STEP(answer),
	STEPS_END,
};

/* Another request claimed the token between our look and our claim: look again. */
static const struct flow_step lost_race_steps[] = {
	STEP(leave_transaction),
	STEP(look_up_token),
	STEP(judge_token),
	STEPS_END,
};

static const struct flow_step replay_steps[] = {
	STEP(answer),
	STEPS_END,
};

static const struct flow_step reuse_steps[] = {
	STEP_COMMITS(revoke_family),
	STEP(refuse_reuse),
	STEPS_END,
};

enum { RACES_MAX = 3 };

static const struct field refresh_body_fields[] = {
	FIELD(FIELD_TOKEN, refresh_body, refresh_token, .min = 1, .max = 512,
		.about = "The token that register, login or the last refresh gave",
		.example = "pVJ8kbM0yN5sQ3cT1uXoZrWfLhGdEaBi9w7v2KxRjUY"),
};
const struct schema refresh_body_schema = SCHEMA(
	refresh_body, refresh_body_fields, "A refresh token");

static enum flow_verdict refuse_refresh(struct flow *flow, enum problem problem)
{
	access_attempt(flow, ATTEMPT_REFRESH,
		problem == PROBLEM_ACCOUNT_SUSPENDED ? ATTEMPT_SUSPENDED : ATTEMPT_FAILURE);
	return refuse(flow, problem);
}

static enum flow_verdict look_up_token(struct flow *flow)
{
	struct refresh *refresh = flow->state;

	if (!refresh_token_parse(refresh->body.refresh_token, &refresh->token))
		return refuse_refresh(flow, PROBLEM_REFRESH_TOKEN_INVALID);
	refresh_token_hash(&refresh->token, refresh->hash);
	refresh_client(request_user_agent(flow), request_address(flow), refresh->client);
	return db_query(flow, &refresh_token_find_statement,
		DB_VALUES(db_bytes(refresh->hash, sizeof(refresh->hash))));
}

/* Sets the grant for this successor up. */
static bool grant_successor(struct flow *flow, const uint8_t salt[static REFRESH_SALT_BYTES])
{
	struct refresh *refresh = flow->state;

	refresh->grant = (struct session_grant) {
		.session_id = refresh->row.session_id,
		.now_ms = clock_unix_ms(),
		.expires_at_ms = refresh->row.session_expires_at,
		.user_agent = request_user_agent(flow),
		.address = request_address(flow),
	};
	refresh_token_successor(
		&refresh->token, salt, access_of(flow)->key.refresh, &refresh->successor);
	return session_grant_tokens(flow, &refresh->row.user, &refresh->successor, &refresh->grant);
}

/* Is this the client that used the token, asking again before it had its answer? */
static bool is_replay(const struct flow *flow, int64_t now_ms)
{
	const struct refresh *refresh = flow->state;
	const struct refresh_row *row = &refresh->row;

	return now_ms - row->used_at <= access_of(flow)->settings->refresh_grace_ms &&
		row->used_by.len == SHA256_BYTES && row->successor_salt.len == REFRESH_SALT_BYTES &&
		secret_equals(row->used_by.data, refresh->client, SHA256_BYTES);
}

static enum flow_verdict judge_used_token(struct flow *flow, int64_t now_ms)
{
	struct refresh *refresh = flow->state;

	if (!is_replay(flow, now_ms))
		return flow_switch(flow, reuse_steps);
	memcpy(refresh->salt, refresh->row.successor_salt.data, sizeof(refresh->salt));
	if (!grant_successor(flow, refresh->salt))
		return flow_fail(flow, FAILURE_MEMORY, "tokens of a refresh");
	return flow_switch(flow, replay_steps);
}

static enum flow_verdict judge_token(struct flow *flow)
{
	struct refresh *refresh = flow->state;
	int64_t now_ms = clock_unix_ms();

	if (db_result(flow)->rows == 0)
		return refuse_refresh(flow, PROBLEM_REFRESH_TOKEN_INVALID);
	if (!db_row_copy(flow, 0, &refresh->row))
		return FLOW_DONE;
	if (refresh->row.revoked_at != 0)
		return refuse_refresh(flow, PROBLEM_SESSION_REVOKED);
	if (refresh->row.user.status == USER_SUSPENDED)
		return refuse_refresh(flow, PROBLEM_ACCOUNT_SUSPENDED);
	if (refresh->row.session_expires_at <= now_ms)
		return refuse_refresh(flow, PROBLEM_REFRESH_TOKEN_EXPIRED);
	if (refresh->row.used_at != 0)
		return judge_used_token(flow, now_ms);
	if (refresh->row.token_expires_at <= now_ms)
		return refuse_refresh(flow, PROBLEM_REFRESH_TOKEN_EXPIRED);
	return flow_switch(flow, rotate_steps);
}

static enum flow_verdict open_transaction(struct flow *flow)
{
	return db_begin(flow);
}

static enum flow_verdict claim_token(struct flow *flow)
{
	struct refresh *refresh = flow->state;

	secret_random(refresh->salt, sizeof(refresh->salt));
	if (!grant_successor(flow, refresh->salt))
		return flow_fail(flow, FAILURE_MEMORY, "tokens of a refresh");
	return db_query(flow, &refresh_token_claim_statement,
		DB_VALUES(db_time(refresh->grant.now_ms),
			db_bytes(refresh->client, sizeof(refresh->client)),
			db_bytes(refresh->salt, sizeof(refresh->salt)),
			db_bytes(refresh->hash, sizeof(refresh->hash))));
}

static enum flow_verdict insert_successor(struct flow *flow)
{
	struct refresh *refresh = flow->state;

	if (db_result(flow)->affected == 0)
		return flow_switch(flow, lost_race_steps);
	return session_insert_refresh_token(flow, &refresh->grant);
}

static enum flow_verdict touch_session(struct flow *flow)
{
	const struct session_grant *grant = &((struct refresh *)flow->state)->grant;

	return db_query(flow, &session_touch_statement,
		DB_VALUES(db_time(grant->now_ms), db_text(grant->user_agent),
			db_text(grant->address), db_uuid(grant->session_id)));
}

static enum flow_verdict commit_rotation(struct flow *flow)
{
	/* The session ended while we were at it; the flow's end rolls back. */
	if (db_result(flow)->affected == 0)
		return refuse_refresh(flow, PROBLEM_SESSION_REVOKED);
	return db_commit(flow);
}

static enum flow_verdict answer(struct flow *flow)
{
	struct refresh *refresh = flow->state;

	secret_wipe(&refresh->token, sizeof(refresh->token));
	secret_wipe(&refresh->successor, sizeof(refresh->successor));
	access_attempt(flow, ATTEMPT_REFRESH, ATTEMPT_SUCCESS);
	return session_reply(flow, &refresh->grant, &refresh->row.user);
}

static enum flow_verdict leave_transaction(struct flow *flow)
{
	struct refresh *refresh = flow->state;

	if (++refresh->races_lost > RACES_MAX)
		return flow_fail(
			flow, FAILURE_RETRY, "a refresh token changed each time it was read");
	return db_rollback(flow);
}

static enum flow_verdict revoke_family(struct flow *flow)
{
	const struct refresh_row *row = &((struct refresh *)flow->state)->row;

	return db_query(flow, &session_revoke_statement,
		DB_VALUES(db_time(clock_unix_ms()), db_text(TEXT("refresh_token_reused")),
			db_uuid(row->session_id), db_uuid(row->user.id)));
}

static enum flow_verdict refuse_reuse(struct flow *flow)
{
	const struct refresh_row *row = &((struct refresh *)flow->state)->row;

	session_ended(flow, &row->session_id);
	access_event(flow, EVENT_REFRESH_TOKEN_REUSED, &row->user.id);
	return refuse_refresh(flow, PROBLEM_REFRESH_TOKEN_REUSED);
}
