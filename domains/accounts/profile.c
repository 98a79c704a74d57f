// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"
#include "domains/accounts/routes.h"
#include "http/handler.h"

static flow_step_fn find_profile, update_profile, answer;

const struct flow_step show_profile_steps[] = {
	STEP(find_profile),
	STEP(answer),
	STEPS_END,
};

const struct flow_step change_profile_steps[] = {
	STEP_COMMITS(update_profile),
	STEP(answer),
	STEPS_END,
};

static const struct field profile_fields[] = {
	FIELD(FIELD_TEXT, profile_body, name, .min = 1, .max = 200, .optional = true,
		.nullable = true, .about = "What the user wants to be called; null: nothing",
		.example = "Ada Lovelace"),
};
const struct schema profile_body_schema = SCHEMA(profile_body, profile_fields, "What changes");

static enum flow_verdict find_profile(struct flow *flow)
{
	return db_query(flow, &user_by_id_statement, DB_VALUES(db_uuid(flow->identity.user_id)));
}

static enum flow_verdict update_profile(struct flow *flow)
{
	const struct text name = ((struct change_profile *)flow->state)->body.name;

	if (text_is_absent(name)) /* nothing changes: not even updated_at */
		return find_profile(flow);
	return db_query(flow, &profile_update_statement,
		DB_VALUES(
			db_text(name), db_time(clock_unix_ms()), db_uuid(flow->identity.user_id)));
}

static enum flow_verdict answer(struct flow *flow)
{
	struct user user;

	/* Deleted since the guard looked. */
	if (db_result(flow)->rows == 0)
		return refuse(flow, PROBLEM_USER_NOT_FOUND);
	db_row(flow, 0, &user);
	return reply(flow, &user);
}
