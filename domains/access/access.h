// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * access - who is asking and what may they do: bearer and admin guards, sessions, access and refresh tokens.
 * This is all that other domains may use.
 *
 *   user     one account as clients see it; its rows are written by domains/accounts
 *   session  one login of one user on one client; ends by logout, revocation, suspension or time
 *   grant    a session to be: ids, tokens and what its two rows hold
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/flow.h"
#include "core/schema.h"
#include "core/secret.h"
#include "domains/domain.h"
#include "http/route.h"

extern const struct domain access_domain;

/* ---- users ----------------------------------------------------------------------------------- */

enum role { ROLE_USER, ROLE_ADMIN, ROLE_COUNT };
enum user_status { USER_ACTIVE, USER_SUSPENDED };

extern const char *const role_names[]; /* by enum role, ends with NULL */
extern const char *const user_status_names[]; /* by enum user_status, ends with NULL */

/* A bit of identity.roles. */
static inline uint32_t role_bit(enum role role)
{
	return UINT32_C(1) << role;
}

struct user {
	struct uuid id;
	struct text email;
	struct text name; /* absent: none given */
	int64_t role; /* enum role */
	int64_t status; /* enum user_status */
	int64_t created_at; /* Unix ms, as all times here */
	int64_t updated_at;
	int64_t last_login_at; /* 0: never */
};
extern const struct schema user_schema; /* reply and row in one: the columns of USER_COLUMNS */

#define USER_COLUMNS "id, email, name, role, status, created_at, updated_at, last_login_at"
/* The fields of USER_COLUMNS, for the schema of a struct that has a struct user at `at_`: `user.`, or nothing
 * for a user itself. */
#define USER_FIELDS(struct_, at_) \
	USER_FIELD_(struct_, at_ id, id, FIELD_UUID, .about = "The user, for good"), \
		USER_FIELD_(struct_, at_ email, email, FIELD_EMAIL, \
			.about = "Where the user is reached, in its normal form", \
			.example = "ada@example.com"), \
		USER_FIELD_(struct_, at_ name, name, FIELD_TEXT, .nullable = true, \
			.about = "What the user wants to be called", .example = "Ada Lovelace"), \
		USER_FIELD_(struct_, at_ role, role, FIELD_ENUM, .choices = role_names, \
			.about = "What the user may do"), \
		USER_FIELD_(struct_, at_ status, status, FIELD_ENUM, .choices = user_status_names, \
			.about = "A suspended user cannot log in"), \
		USER_FIELD_(struct_, at_ created_at, created_at, FIELD_TIME, \
			.about = "When the account was opened"), \
		USER_FIELD_(struct_, at_ updated_at, updated_at, FIELD_TIME, \
			.about = "When it last changed"), \
		USER_FIELD_(struct_, at_ last_login_at, last_login_at, FIELD_TIME, \
			.nullable = true, .about = "When the user last logged in")
#define USER_FIELD_(struct_, member_, name_, kind_, ...) \
	{ \
		.name = #name_, .kind = (kind_), .offset = offsetof(struct struct_, member_), \
		__VA_ARGS__ \
	}

/* ---- guards ---------------------------------------------------------------------------------- */

/* Needs a valid access token of a session that is alive; fills flow->identity in. A session ended by this
 * process is refused at once, one ended elsewhere within access.session_check. */
extern const struct guard bearer_guard;
/* After bearer_guard: needs the role admin, as the database has it. */
extern const struct guard admin_guard;

/* ---- sessions -------------------------------------------------------------------------------- */

struct session_grant {
	struct uuid session_id;
	struct uuid user_id;
	int64_t now_ms;
	int64_t expires_at_ms; /* of the session: absolute */
	int64_t refresh_expires_at_ms; /* idle timeout, never past the session's end */
	int64_t expires_in_s; /* of the access token */
	struct text access_token;
	struct text refresh_token;
	struct text user_agent; /* absent: unknown */
	struct text address;
	uint8_t refresh_hash[SHA256_BYTES];
};

/* A session for this user, made in the flow's arena; no I/O. False when the arena is full. The first takes
 * user agent and address from the request. */
bool session_grant_for_request(
	struct flow *flow, const struct user *user, struct session_grant *grant_out);
bool session_grant_new(struct flow *flow, const struct user *user, struct text user_agent,
	struct text address, struct session_grant *grant_out);
/* The grant's two rows: starters, within the transaction that the caller opened, in this order. */
enum flow_verdict session_insert(struct flow *flow, const struct session_grant *grant);
enum flow_verdict session_insert_refresh_token(
	struct flow *flow, const struct session_grant *grant);
/* Deletes the user's sessions that ended by time, and their refresh tokens. */
enum flow_verdict session_forget_expired(struct flow *flow, const struct uuid *user_id);
/* Answers with the tokens and the user: what register, login and refresh have in common. */
extern const struct schema session_reply_schema;
enum flow_verdict session_reply(
	struct flow *flow, const struct session_grant *grant, const struct user *user);

/* Ends every session of the user but `except` (nil: none is spared). `reason`: lower_snake, kept in the row. Once it is
 * committed, call session_ended so that this process obeys at once. */
enum flow_verdict session_revoke_all(struct flow *flow, const struct uuid *user_id,
	const struct uuid *except, const char *reason);
/* Every cached check of this user's sessions (or of this session) counts no more. Any loop. */
void session_ended(struct flow *flow, const struct uuid *user_or_session_id);

/* ---- counting -------------------------------------------------------------------------------- */

enum access_event {
	EVENT_USER_REGISTERED,
	EVENT_USER_LOGGED_IN,
	EVENT_USER_LOGGED_OUT,
	EVENT_USER_SUSPENDED,
	EVENT_USER_UNSUSPENDED,
	EVENT_PASSWORD_CHANGED,
	EVENT_SESSION_REVOKED,
	EVENT_REFRESH_TOKEN_REUSED,
	EVENT_ADMIN_CREATED,
	ACCESS_EVENT_COUNT,
};
enum attempt_method { ATTEMPT_PASSWORD, ATTEMPT_REFRESH, ATTEMPT_METHOD_COUNT };
enum attempt_result { ATTEMPT_SUCCESS, ATTEMPT_FAILURE, ATTEMPT_SUSPENDED, ATTEMPT_RESULT_COUNT };

/* business_events_total{event} and one audit line in the log, with the flow's ids. */
void access_event(struct flow *flow, enum access_event event, const struct uuid *user_id);
/* The same; the line carries why. At most LOG_TEXT_MAX_BYTES of `reason` are kept. */
void access_event_because(
	struct flow *flow, enum access_event event, const struct uuid *user_id, struct text reason);
/* authentication_attempts_total{method,result} */
void access_attempt(struct flow *flow, enum attempt_method method, enum attempt_result result);

/* ---- for the command line -------------------------------------------------------------------- */

/* `millrace token mint EMAIL`: run token_mint_steps on a flow whose state is this struct. A real session is
 * opened, so it shows in the user's list and can be revoked. */
struct token_mint {
	struct text email; /* in */
	bool found; /* out: there is such an active user */
	struct user user; /* out, when found */
	struct session_grant grant; /* out, when found: access_token, expires_in_s, refresh_token */
};
extern const struct flow_step token_mint_steps[];
