// SPDX-License-Identifier: Apache-2.0
#include "domains/access/session.h"

#include "core/clock.h"
#include "domains/access/store.h"
#include "http/handler.h"

enum { USER_AGENT_MAX = 256 };

struct session_reply_data {
	struct text access_token;
	struct text refresh_token;
	struct text token_type;
	int64_t expires_in;
	struct user user;
};

static const struct field session_reply_fields[] = {
	FIELD(FIELD_TOKEN, session_reply_data, access_token,
		.about = "For the header Authorization: Bearer; a JWT",
		.example = "eyJhbGciOiJFZERTQSJ9..."),
	FIELD(FIELD_TOKEN, session_reply_data, refresh_token,
		.about = "Works once, at POST /auth/refresh",
		.example = "pVJ8kbM0yN5sQ3cT1uXoZrWfLhGdEaBi9w7v2KxRjUY"),
	FIELD(FIELD_TEXT, session_reply_data, token_type, .about = "Always Bearer",
		.example = "Bearer"),
	FIELD(FIELD_INT, session_reply_data, expires_in,
		.about = "Seconds until the access token expires", .example = "900"),
	FIELD_OBJECT_OF(&user_schema, session_reply_data, user, .about = "Who logged in"),
};
const struct schema session_reply_schema = {
	.name = "session_tokens",
	.about = "What a client needs to act as the user",
	.size = sizeof(struct session_reply_data),
	.fields = session_reply_fields,
	.field_count = sizeof(session_reply_fields) / sizeof(session_reply_fields[0]),
};

static bool is_printable(struct text text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
			return false;
	return text_is_utf8(text);
}

struct text request_user_agent(struct flow *flow)
{
	struct text agent = http_request_header(flow, TEXT("user-agent"));

	if (agent.len == 0 || !is_printable(agent))
		return TEXT_ABSENT;
	if (agent.len > USER_AGENT_MAX) {
		agent.len = USER_AGENT_MAX;
		while ((agent.data[agent.len] & 0xc0) == 0x80) /* not inside a character */
			agent.len--;
	}
	return agent;
}

struct text request_address(struct flow *flow)
{
	return http_request_address(flow);
}

static int64_t lesser(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

bool session_grant_tokens(struct flow *flow, const struct user *user,
	const struct refresh_token *refresh, struct session_grant *grant)
{
	const struct access *access = access_of(flow);
	int64_t issued_at_s = grant->now_ms / 1000;
	int64_t ttl_s = access->settings->access_ttl_ms / 1000;
	struct token_claims claims = {
		.user_id = user->id,
		.session_id = grant->session_id,
		.token_id = uuid_new(),
		.issued_at_s = issued_at_s,
		.expires_at_s = lesser(issued_at_s + ttl_s, grant->expires_at_ms / 1000),
		.roles = role_bit((enum role)user->role),
	};

	/* A session that ends within this second. */
	if (claims.expires_at_s <= issued_at_s)
		claims.expires_at_s = issued_at_s + 1;
	grant->user_id = user->id;
	grant->expires_in_s = claims.expires_at_s - issued_at_s;
	grant->refresh_expires_at_ms = lesser(
		grant->expires_at_ms, grant->now_ms + access->settings->idle_timeout_ms);
	grant->access_token = token_sign(&access->rules, &claims, &flow->arena);
	grant->refresh_token = refresh_token_text(refresh, &flow->arena);
	refresh_token_hash(refresh, grant->refresh_hash);
	return !text_is_absent(grant->access_token) && !text_is_absent(grant->refresh_token);
}

bool session_grant_new(struct flow *flow, const struct user *user, struct text user_agent,
	struct text address, struct session_grant *grant_out)
{
	struct refresh_token refresh;
	bool granted;

	*grant_out = (struct session_grant) {
		.session_id = uuid_new(),
		.now_ms = clock_unix_ms(),
		.user_agent = user_agent,
		.address = address,
	};
	grant_out->expires_at_ms = grant_out->now_ms + access_of(flow)->settings->session_ttl_ms;
	refresh_token_new(&refresh);
	granted = session_grant_tokens(flow, user, &refresh, grant_out);
	secret_wipe(&refresh, sizeof(refresh));
	return granted;
}

bool session_grant_for_request(
	struct flow *flow, const struct user *user, struct session_grant *grant_out)
{
	return session_grant_new(
		flow, user, request_user_agent(flow), request_address(flow), grant_out);
}

enum flow_verdict session_insert(struct flow *flow, const struct session_grant *grant)
{
	return db_query(flow, &session_insert_statement,
		DB_VALUES(db_uuid(grant->session_id), db_uuid(grant->user_id),
			db_time(grant->now_ms), db_time(grant->expires_at_ms),
			db_text(grant->user_agent), db_text(grant->address)));
}

enum flow_verdict session_insert_refresh_token(struct flow *flow, const struct session_grant *grant)
{
	return db_query(flow, &refresh_token_insert_statement,
		DB_VALUES(db_bytes(grant->refresh_hash, sizeof(grant->refresh_hash)),
			db_uuid(grant->session_id), db_time(grant->now_ms),
			db_time(grant->refresh_expires_at_ms)));
}

enum flow_verdict session_forget_expired(struct flow *flow, const struct uuid *user_id)
{
	return db_query(flow, &session_forget_statement,
		DB_VALUES(db_uuid(*user_id), db_time(clock_unix_ms())));
}

enum flow_verdict session_revoke_all(struct flow *flow, const struct uuid *user_id,
	const struct uuid *except, const char *reason)
{
	return db_query(flow, &session_revoke_all_statement,
		DB_VALUES(db_time(clock_unix_ms()), db_text(text_from_c(reason)), db_uuid(*user_id),
			db_uuid(*except)));
}

void session_ended(struct flow *flow, const struct uuid *user_or_session_id)
{
	revocations_add(&access_of(flow)->revocations, user_or_session_id, clock_now_ns());
}

enum flow_verdict session_reply(
	struct flow *flow, const struct session_grant *grant, const struct user *user)
{
	const struct session_reply_data data = {
		.access_token = grant->access_token,
		.refresh_token = grant->refresh_token,
		.token_type = TEXT("Bearer"),
		.expires_in = grant->expires_in_s,
		.user = *user,
	};

	active_users_see(&access_of(flow)->active, &user->id, grant->now_ms);
	return reply(flow, &data);
}
