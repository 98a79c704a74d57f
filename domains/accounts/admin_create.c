// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "core/clock.h"
#include "domains/accounts/accounts.h"
#include "domains/accounts/password.h"
#include "domains/accounts/store.h"

enum { NAME_MAX_LENGTH = 200 };

/* `millrace admin create`: no request, no reply; what came of it stands in the state. */

static flow_step_fn promote, hash_password, insert_admin, finish;

const struct flow_step admin_create_steps[] = {
	STEP_COMMITS(promote),
	STEP(hash_password),
	STEP(insert_admin),
	STEP(finish),
	STEPS_END,
};

static enum flow_verdict refuse_admin(struct admin_create *create, const char *refusal)
{
	create->refusal = refusal;
	return FLOW_DONE;
}

/* As the body of a signup says of a name. */
static bool is_name(struct text name)
{
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.data[i] < 0x20 || name.data[i] == 0x7f)
			return false;
	return text_is_utf8(name) && name.len > 0 && text_code_points(name) <= NAME_MAX_LENGTH;
}

static enum flow_verdict promote(struct flow *flow)
{
	struct admin_create *create = flow->state;

	if (!text_is_absent(create->name) && !is_name(create->name))
		return refuse_admin(
			create, "the name must have 1 to 200 characters, none of them a control");
	create->email = email_normalise(&flow->arena, create->email);
	if (text_is_absent(create->email))
		return refuse_admin(create, "this is not an e-mail address");
	return db_query(flow, &user_promote_statement,
		DB_VALUES(db_time(clock_unix_ms()), db_text(create->email)));
}

static enum flow_verdict hash_password(struct flow *flow)
{
	struct admin_create *create = flow->state;
	size_t length;

	if (db_result(flow)->rows > 0) {
		if (!db_row_copy(flow, 0, &create->user))
			return FLOW_DONE;
		create->promoted = true;
		session_ended(flow, &create->user.id);
		access_event(flow, EVENT_ADMIN_CREATED, &create->user.id);
		return FLOW_DONE;
	}
	if (text_is_absent(create->password))
		return refuse_admin(create, "a new user needs a password");
	if (!text_is_utf8(create->password) ||
		memchr(create->password.data, 0, create->password.len))
		return refuse_admin(create, "the password must be UTF-8 text");
	length = text_code_points(create->password);
	if (length < PASSWORD_MIN || length > PASSWORD_MAX)
		return refuse_admin(create, "the password must have 8 to 128 characters");
	return password_make(flow, create->password, create->email);
}

static enum flow_verdict insert_admin(struct flow *flow)
{
	const struct password_result *result = password_result(flow);
	struct admin_create *create = flow->state;
	int64_t now_ms = clock_unix_ms();

	if (!result->worked)
		return flow_fail(flow, FAILURE_MEMORY, "hashing a password");
	if (result->too_common)
		return refuse_admin(create, "the password is too easy to guess");
	create->user = (struct user) {.id = uuid_new(),
		.email = create->email,
		.name = create->name,
		.role = ROLE_ADMIN,
		.created_at = now_ms,
		.updated_at = now_ms};
	return db_query(flow, &user_insert_statement,
		DB_VALUES(db_uuid(create->user.id), db_text(create->email), db_text(create->name),
			db_text(text_from_c(role_names[ROLE_ADMIN])), db_text(result->hash),
			db_time(now_ms), db_time_or_null(0)));
}

static enum flow_verdict finish(struct flow *flow)
{
	struct admin_create *create = flow->state;

	if (db_result(flow)->outcome == DB_UNIQUE_VIOLATION)
		return refuse_admin(create, "somebody registered this address just now; try again");
	create->created = true;
	access_event(flow, EVENT_ADMIN_CREATED, &create->user.id);
	return FLOW_DONE;
}
