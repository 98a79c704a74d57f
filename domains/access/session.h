// SPDX-License-Identifier: Apache-2.0
#pragma once

/* session - what the flows of access share beyond access.h. */

#include "domains/access/refresh_token.h"
#include "domains/access/state.h"

/* User agent (cut to 256 bytes, absent unless printable UTF-8) and address of the flow's request. */
struct text request_user_agent(struct flow *flow);
struct text request_address(struct flow *flow);

/* What session_grant_new does for a session that exists: session_id, user_id, expires_at_ms are set by the caller.
 * `refresh` is the token to hand out. */
bool session_grant_tokens(struct flow *flow, const struct user *user,
	const struct refresh_token *refresh, struct session_grant *grant);
