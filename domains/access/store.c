// SPDX-License-Identifier: Apache-2.0
#include "domains/access/store.h"

/* Parameters stand in the order in which the SQL first names them. */

static const struct field session_check_fields[] = {
	FIELD(FIELD_TIME, session_check_row, revoked_at, .nullable = true),
	FIELD(FIELD_TIME, session_check_row, expires_at),
	FIELD(FIELD_ENUM, session_check_row, role, .choices = role_names),
	FIELD(FIELD_ENUM, session_check_row, status, .choices = user_status_names),
};
static const struct schema session_check_schema = SCHEMA(
	session_check_row, session_check_fields, "A session and its user, for the guard");

const struct db_statement session_check_statement = {
	.name = "session_check",
	.sql = "SELECT s.revoked_at, s.expires_at, u.role, u.status "
	       "FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1 AND s.user_id = $2",
	.params = {DB_UUID, DB_UUID},
	.row = &session_check_schema,
	.reads = true,
};

const struct db_statement session_insert_statement = {
	.name = "session_insert",
	.sql = "INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, user_agent, address) "
	       "VALUES ($1, $2, $3, $3, $4, $5, $6)",
	.params = {DB_UUID, DB_UUID, DB_TIME, DB_TIME, DB_TEXT, DB_TEXT},
};

const struct db_statement session_touch_statement = {
	.name = "session_touch",
	.sql = "UPDATE sessions SET last_used_at = $1, user_agent = $2, address = $3 "
	       "WHERE id = $4 AND revoked_at IS NULL",
	.params = {DB_TIME, DB_TEXT, DB_TEXT, DB_UUID},
};

const struct db_statement session_revoke_statement = {
	.name = "session_revoke",
	.sql = "UPDATE sessions SET revoked_at = $1, revoked_reason = $2 "
	       "WHERE id = $3 AND user_id = $4 AND revoked_at IS NULL",
	.params = {DB_TIME, DB_TEXT, DB_UUID, DB_UUID},
};

const struct db_statement session_revoke_all_statement = {
	.name = "session_revoke_all",
	.sql = "UPDATE sessions SET revoked_at = $1, revoked_reason = $2 "
	       "WHERE user_id = $3 AND id <> $4 AND revoked_at IS NULL",
	.params = {DB_TIME, DB_TEXT, DB_UUID, DB_UUID},
};

const struct db_statement session_forget_statement = {
	.name = "session_forget",
	.sql = "DELETE FROM sessions WHERE user_id = $1 AND expires_at < $2",
	.params = {DB_UUID, DB_TIME},
};

static const struct field session_fields[] = {
	FIELD(FIELD_UUID, session_row, id, .about = "The session"),
	FIELD(FIELD_TIME, session_row, created_at, .about = "When the user logged in"),
	FIELD(FIELD_TIME, session_row, last_used_at,
		.about = "When its tokens were last refreshed"),
	FIELD(FIELD_TIME, session_row, expires_at, .about = "When it ends at the latest"),
	FIELD(FIELD_TEXT, session_row, user_agent, .nullable = true,
		.about = "What the client calls itself", .example = "Mozilla/5.0"),
	FIELD(FIELD_TEXT, session_row, address, .nullable = true,
		.about = "Where it was last refreshed from", .example = "203.0.113.7"),
	FIELD(FIELD_BOOL, session_row, current, .about = "True for the session that asks"),
};
const struct schema session_schema = {
	.name = "session",
	.about = "A login of the user on one client",
	.size = sizeof(struct session_row),
	.fields = session_fields,
	.field_count = sizeof(session_fields) / sizeof(session_fields[0]),
};

const struct db_statement session_list_statement = {
	.name = "session_list",
	.sql = "SELECT id, created_at, last_used_at, expires_at, user_agent, address, id = $1 AS current "
	       "FROM sessions WHERE user_id = $2 AND revoked_at IS NULL AND expires_at > $3 "
	       "AND last_used_at > $4 ORDER BY last_used_at DESC, id DESC LIMIT 100",
	.params = {DB_UUID, DB_UUID, DB_TIME, DB_TIME},
	.row = &session_schema,
	.reads = true,
};

static const struct field refresh_fields[] = {
	FIELD(FIELD_UUID, refresh_row, session_id),
	FIELD(FIELD_TIME, refresh_row, token_expires_at),
	FIELD(FIELD_TIME, refresh_row, used_at, .nullable = true),
	FIELD(FIELD_TEXT, refresh_row, used_by, .nullable = true),
	FIELD(FIELD_TEXT, refresh_row, successor_salt, .nullable = true, .secret = true),
	FIELD(FIELD_TIME, refresh_row, session_expires_at),
	FIELD(FIELD_TIME, refresh_row, revoked_at, .nullable = true),
	USER_FIELDS(refresh_row, user.),
};
static const struct schema refresh_schema = SCHEMA(
	refresh_row, refresh_fields, "A refresh token, its session and its user");

const struct db_statement refresh_token_find_statement = {
	.name = "refresh_token_find",
	.sql = "SELECT t.session_id, t.expires_at AS token_expires_at, t.used_at, t.used_by, "
	       "t.successor_salt, s.expires_at AS session_expires_at, s.revoked_at, u.id, u.email, u.name, "
	       "u.role, u.status, u.created_at, u.updated_at, u.last_login_at "
	       "FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id "
	       "JOIN users u ON u.id = s.user_id WHERE t.token_hash = $1",
	.params = {DB_BYTES},
	.row = &refresh_schema,
	.reads = true,
};

/* Of many that present a token at once this finds the row unused for one only. */
const struct db_statement refresh_token_claim_statement = {
	.name = "refresh_token_claim",
	.sql = "UPDATE refresh_tokens SET used_at = $1, used_by = $2, successor_salt = $3 "
	       "WHERE token_hash = $4 AND used_at IS NULL",
	.params = {DB_TIME, DB_BYTES, DB_BYTES, DB_BYTES},
};

const struct db_statement refresh_token_insert_statement = {
	.name = "refresh_token_insert",
	.sql = "INSERT INTO refresh_tokens (token_hash, session_id, created_at, expires_at) "
	       "VALUES ($1, $2, $3, $4)",
	.params = {DB_BYTES, DB_UUID, DB_TIME, DB_TIME},
};

const struct db_statement active_user_by_email_statement = {
	.name = "active_user_by_email",
	.sql = "SELECT " USER_COLUMNS " FROM users WHERE email = $1 AND status = 'active'",
	.params = {DB_TEXT},
	.row = &user_schema,
	.reads = true,
};

const struct db_statement *const access_statements[] = {
	&session_check_statement,
	&session_insert_statement,
	&session_touch_statement,
	&session_revoke_statement,
	&session_revoke_all_statement,
	&session_forget_statement,
	&session_list_statement,
	&refresh_token_find_statement,
	&refresh_token_claim_statement,
	&refresh_token_insert_statement,
	&active_user_by_email_statement,
};
_Static_assert(sizeof(access_statements) / sizeof(access_statements[0]) == ACCESS_STATEMENT_COUNT,
	"ACCESS_STATEMENT_COUNT");
