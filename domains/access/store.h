// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * store - the SQL of access, and the structs of its rows. sessions and refresh_tokens are written here only; of users
 * this domain reads what guards and replies need.
 */

#include "core/schema.h"
#include "db/db.h"
#include "domains/access/access.h"

/* What the bearer guard asks about a session. */
struct session_check_row {
	int64_t revoked_at; /* 0: alive */
	int64_t expires_at;
	int64_t role; /* enum role */
	int64_t status; /* enum user_status */
};

/* A refresh token with its session and its user. */
struct refresh_row {
	struct uuid session_id;
	int64_t token_expires_at;
	int64_t used_at; /* 0: not yet */
	struct text used_by; /* SHA256_BYTES, once used */
	struct text successor_salt; /* REFRESH_SALT_BYTES, once used */
	int64_t session_expires_at;
	int64_t revoked_at;
	struct user user;
};

/* As the list of sessions shows it. */
struct session_row {
	struct uuid id;
	int64_t created_at;
	int64_t last_used_at;
	int64_t expires_at;
	struct text user_agent;
	struct text address;
	bool current; /* the one that asks */
};
extern const struct schema session_schema;

extern const struct db_statement session_check_statement;
extern const struct db_statement session_insert_statement;
extern const struct db_statement session_touch_statement;
extern const struct db_statement session_revoke_statement;
extern const struct db_statement session_revoke_all_statement;
extern const struct db_statement session_forget_statement;
extern const struct db_statement session_list_statement;
extern const struct db_statement refresh_token_find_statement;
extern const struct db_statement refresh_token_claim_statement;
extern const struct db_statement refresh_token_insert_statement;
extern const struct db_statement active_user_by_email_statement;

enum { ACCESS_STATEMENT_COUNT = 11 };
extern const struct db_statement *const access_statements[];
