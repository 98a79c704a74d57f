// SPDX-License-Identifier: Apache-2.0
#include "domains/access/access.h"

const char *const role_names[] = { [ROLE_USER] = "user", [ROLE_ADMIN] = "admin", NULL };
const char *const user_status_names[] = {
	[USER_ACTIVE] = "active",
	[USER_SUSPENDED] = "suspended",
	NULL,
};

static const struct field user_fields[] = {
	FIELD(FIELD_UUID, user, id, .about = "The user, for good"),
	FIELD(FIELD_EMAIL, user, email, .about = "Where the user is reached, in its normal form",
	      .example = "ada@example.com"),
	FIELD(FIELD_TEXT, user, name, .nullable = true, .about = "What the user wants to be called",
	      .example = "Ada Lovelace"),
	FIELD(FIELD_ENUM, user, role, .choices = role_names, .about = "What the user may do"),
	FIELD(FIELD_ENUM, user, status, .choices = user_status_names,
	      .about = "A suspended user cannot log in"),
	FIELD(FIELD_TIME, user, created_at, .about = "When the account was opened"),
	FIELD(FIELD_TIME, user, updated_at, .about = "When it last changed"),
	FIELD(FIELD_TIME, user, last_login_at, .nullable = true, .about = "When the user last logged in"),
};
const struct schema user_schema = SCHEMA(user, user_fields, "An account");
