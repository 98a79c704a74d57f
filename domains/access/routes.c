// SPDX-License-Identifier: Apache-2.0
#include "domains/access/routes.h"

#include "domains/access/access.h"

static const struct route routes[] = {
	{
		.method = HTTP_POST,
		.path = "/refresh",
		.name = "refresh",
		.about = "Change a refresh token for new tokens",
		.details =
			"Each refresh token works once. The same client may send it again within ten seconds and "
			"gets the same successor; later it counts as stolen and the session ends.",
		STATE(refresh),
		BODY(refresh, body, &refresh_body_schema),
		.body_max_bytes = 8192,
		.reply = &session_reply_schema,
		.problems = PROBLEMS(PROBLEM_REFRESH_TOKEN_INVALID, PROBLEM_REFRESH_TOKEN_EXPIRED,
			PROBLEM_REFRESH_TOKEN_REUSED, PROBLEM_SESSION_REVOKED,
			PROBLEM_ACCOUNT_SUSPENDED),
		.steps = refresh_steps,
	},
	{
		.method = HTTP_POST,
		.path = "/logout",
		.name = "logout",
		.about = "End this session",
		.status = 204,
		.guards = {&bearer_guard},
		.steps = logout_steps,
	},
	{
		.method = HTTP_GET,
		.path = "/sessions",
		.name = "list_sessions",
		.about = "The user's living sessions, the one used last first",
		.reply = &sessions_reply_schema,
		.guards = {&bearer_guard},
		.steps = list_sessions_steps,
	},
	{
		.method = HTTP_DELETE,
		.path = "/sessions/{id}",
		.name = "revoke_session",
		.about = "End one of the user's sessions",
		STATE(revoke_session),
		PARAMETERS(revoke_session, parameters, &session_parameters_schema),
		.status = 204,
		.problems = PROBLEMS(PROBLEM_SESSION_NOT_FOUND),
		.guards = {&bearer_guard},
		.steps = revoke_session_steps,
	},
};

const struct scope access_scope = {
	.prefixes = {"/auth", "/api/v1/auth"},
	.tag = "sessions",
	.about = "Tokens and sessions",
	ROUTES(routes),
};
