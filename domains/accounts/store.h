// SPDX-License-Identifier: Apache-2.0
#pragma once

/* store - the SQL of accounts, and the structs of its rows. users is written here only. */

#include "core/schema.h"
#include "db/db.h"
#include "domains/access/access.h"

/* A user with the hash of the password: never leaves a flow. */
struct credentials_row {
	struct user user;
	struct text password_hash;
};

/* A user as admins see one. */
struct admin_user {
	struct user user;
	struct text status_reason; /* why the status is what it is; absent: none was given */
};
extern const struct schema admin_user_schema;

struct id_row {
	struct uuid id;
};

struct total_row {
	int64_t total;
};

enum user_sort { SORT_NEWEST, SORT_OLDEST, SORT_EMAIL, SORT_EMAIL_DOWN, USER_SORT_COUNT };

extern const struct db_statement email_taken_statement;
extern const struct db_statement credentials_by_email_statement;
extern const struct db_statement credentials_by_id_statement;
extern const struct db_statement user_by_id_statement;
extern const struct db_statement admin_user_by_id_statement;
extern const struct db_statement user_insert_statement;
extern const struct db_statement login_record_statement;
extern const struct db_statement profile_update_statement;
extern const struct db_statement password_update_statement;
extern const struct db_statement admins_lock_statement;
extern const struct db_statement status_update_statement;
extern const struct db_statement user_promote_statement;
extern const struct db_statement users_count_statement;
extern const struct db_statement users_list_statements[USER_SORT_COUNT];

enum { ACCOUNTS_STATEMENT_COUNT = 13 + USER_SORT_COUNT };
extern const struct db_statement *const accounts_statements[];
