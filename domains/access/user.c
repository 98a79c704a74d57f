// SPDX-License-Identifier: Apache-2.0
#include "domains/access/access.h"

const char *const role_names[] = {[ROLE_USER] = "user", [ROLE_ADMIN] = "admin", NULL};
const char *const user_status_names[] = {
	[USER_ACTIVE] = "active",
	[USER_SUSPENDED] = "suspended",
	NULL,
};

static const struct field user_fields[] = {USER_FIELDS(user, )};
const struct schema user_schema = SCHEMA(user, user_fields, "An account");
