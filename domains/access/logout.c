// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"
#include "domains/access/routes.h"
#include "domains/access/state.h"
#include "http/handler.h"

static flow_step_fn end_session, confirm_logout;

const struct flow_step logout_steps[] = {
	STEP_COMMITS(end_session),
	STEP(confirm_logout),
	STEPS_END,
};

static enum flow_verdict end_session(struct flow *flow)
{
	return db_query(flow, &session_revoke_statement,
		DB_VALUES(db_time(clock_unix_ms()), db_text(TEXT("logout")),
			db_uuid(flow->identity.session_id), db_uuid(flow->identity.user_id)));
}

static enum flow_verdict confirm_logout(struct flow *flow)
{
	session_ended(flow, &flow->identity.session_id);
	access_event(flow, EVENT_USER_LOGGED_OUT, &flow->identity.user_id);
	return reply_empty(flow);
}
