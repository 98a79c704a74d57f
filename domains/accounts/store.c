// SPDX-License-Identifier: Apache-2.0
#include "domains/accounts/store.h"

/* Parameters stand in the order in which the SQL first names them. */

static const struct field credentials_fields[] = {
	USER_FIELDS(credentials_row, user.),
	FIELD(FIELD_TEXT, credentials_row, password_hash, .secret = true),
};
static const struct schema credentials_schema = SCHEMA(
	credentials_row, credentials_fields, "A user and the hash of the password");

static const struct field admin_user_fields[] = {
	USER_FIELDS(admin_user, user.),
	FIELD(FIELD_TEXT, admin_user, status_reason, .nullable = true,
		.about = "Why the user was suspended", .example = "Spam"),
};
const struct schema admin_user_schema = SCHEMA(
	admin_user, admin_user_fields, "An account, for admins");

static const struct field id_fields[] = {FIELD(FIELD_UUID, id_row, id)};
static const struct schema id_schema = SCHEMA(id_row, id_fields, "An id");

static const struct field total_fields[] = {FIELD(FIELD_INT, total_row, total)};
static const struct schema total_schema = SCHEMA(total_row, total_fields, "A count");

const struct db_statement email_taken_statement = {
	.name = "email_taken",
	.sql = "SELECT id FROM users WHERE email = $1",
	.params = {DB_TEXT},
	.row = &id_schema,
	.reads = true,
};

const struct db_statement credentials_by_email_statement = {
	.name = "credentials_by_email",
	.sql = "SELECT " USER_COLUMNS ", password_hash FROM users WHERE email = $1",
	.params = {DB_TEXT},
	.row = &credentials_schema,
	.reads = true,
};

const struct db_statement credentials_by_id_statement = {
	.name = "credentials_by_id",
	.sql = "SELECT " USER_COLUMNS ", password_hash FROM users WHERE id = $1",
	.params = {DB_UUID},
	.row = &credentials_schema,
	.reads = true,
};

const struct db_statement user_by_id_statement = {
	.name = "user_by_id",
	.sql = "SELECT " USER_COLUMNS " FROM users WHERE id = $1",
	.params = {DB_UUID},
	.row = &user_schema,
	.reads = true,
};

const struct db_statement admin_user_by_id_statement = {
	.name = "admin_user_by_id",
	.sql = "SELECT " USER_COLUMNS ", status_reason FROM users WHERE id = $1",
	.params = {DB_UUID},
	.row = &admin_user_schema,
	.reads = true,
};

const struct db_statement user_insert_statement = {
	.name = "user_insert",
	.sql = "INSERT INTO users (id, email, name, role, password_hash, created_at, updated_at, "
	       "password_changed_at, last_login_at) VALUES ($1, $2, $3, $4, $5, $6, $6, $6, $7)",
	.params = {DB_UUID, DB_TEXT, DB_TEXT, DB_TEXT, DB_TEXT, DB_TIME, DB_TIME},
	.expects = DB_EXPECTS_UNIQUE,
};

/* Only if the password is still the one that was verified: of a login and a change of password at the same time
 * one sees the other. */
const struct db_statement login_record_statement = {
	.name = "login_record",
	.sql = "UPDATE users SET last_login_at = $1, password_hash = $2 "
	       "WHERE id = $3 AND password_hash = $4 AND status = 'active'",
	.params = {DB_TIME, DB_TEXT, DB_UUID, DB_TEXT},
};

const struct db_statement profile_update_statement = {
	.name = "profile_update",
	.sql = "UPDATE users SET name = $1, updated_at = $2 WHERE id = $3 RETURNING " USER_COLUMNS,
	.params = {DB_TEXT, DB_TIME, DB_UUID},
	.row = &user_schema,
};

const struct db_statement password_update_statement = {
	.name = "password_update",
	.sql = "UPDATE users SET password_hash = $1, password_changed_at = $2, updated_at = $2 "
	       "WHERE id = $3 AND password_hash = $4",
	.params = {DB_TEXT, DB_TIME, DB_UUID, DB_TEXT},
};

/* The active admins, held until the transaction ends: two of them cannot suspend each other at once. SQLite has one
 * writer anyway. */
const struct db_statement admins_lock_statement = {
	.name = "admins_lock",
	.sql = "SELECT id FROM users WHERE role = 'admin' AND status = 'active' ORDER BY id FOR UPDATE",
	.sqlite_sql = "SELECT id FROM users WHERE role = 'admin' AND status = 'active' ORDER BY id",
	.row = &id_schema,
};

const struct db_statement status_update_statement = {
	.name = "status_update",
	.sql = "UPDATE users SET status = $1, status_reason = $2, updated_at = $3 "
	       "WHERE id = $4 RETURNING " USER_COLUMNS ", status_reason",
	.params = {DB_TEXT, DB_TEXT, DB_TIME, DB_UUID},
	.row = &admin_user_schema,
};

const struct db_statement user_promote_statement = {
	.name = "user_promote",
	.sql = "UPDATE users SET role = 'admin', status = 'active', status_reason = NULL, updated_at = $1 "
	       "WHERE email = $2 RETURNING " USER_COLUMNS,
	.params = {DB_TIME, DB_TEXT},
	.row = &user_schema,
};

/* $1: a LIKE pattern, or NULL; $2: a status, or NULL. The engine lowers both sides: what is a capital beyond
 * ASCII only it knows of itself. Searching reads many rows: slow. */
#define FROM_FOUND_USERS \
	" FROM users WHERE ($1 IS NULL OR email LIKE lower($1) ESCAPE '!' " \
	"OR lower(name) LIKE lower($1) ESCAPE '!') " \
	"AND ($2 IS NULL OR status = $2)"

const struct db_statement users_count_statement = {
	.name = "users_count",
	.sql = "SELECT count(*) AS total" FROM_FOUND_USERS,
	.params = {DB_TEXT, DB_TEXT},
	.row = &total_schema,
	.reads = true,
	.slow = true,
};

#define USERS_LIST(name_, order_) \
	{ \
		.name = (name_), \
		.sql = "SELECT " USER_COLUMNS ", status_reason" FROM_FOUND_USERS \
		       " ORDER BY " order_ " LIMIT $3 OFFSET $4", \
		.params = {DB_TEXT, DB_TEXT, DB_INT, DB_INT}, .row = &admin_user_schema, \
		.reads = true, .slow = true \
	}

const struct db_statement users_list_statements[USER_SORT_COUNT] = {
	[SORT_NEWEST] = USERS_LIST("users_newest_first", "created_at DESC, id DESC"),
	[SORT_OLDEST] = USERS_LIST("users_oldest_first", "created_at, id"),
	[SORT_EMAIL] = USERS_LIST("users_by_email", "email"),
	[SORT_EMAIL_DOWN] = USERS_LIST("users_by_email_down", "email DESC"),
};

const struct db_statement *const accounts_statements[] = {
	&email_taken_statement,
	&credentials_by_email_statement,
	&credentials_by_id_statement,
	&user_by_id_statement,
	&admin_user_by_id_statement,
	&user_insert_statement,
	&login_record_statement,
	&profile_update_statement,
	&password_update_statement,
	&admins_lock_statement,
	&status_update_statement,
	&user_promote_statement,
	&users_count_statement,
	&users_list_statements[SORT_NEWEST],
	&users_list_statements[SORT_OLDEST],
	&users_list_statements[SORT_EMAIL],
	&users_list_statements[SORT_EMAIL_DOWN],
};
_Static_assert(
	sizeof(accounts_statements) / sizeof(accounts_statements[0]) == ACCOUNTS_STATEMENT_COUNT,
	"ACCOUNTS_STATEMENT_COUNT");
