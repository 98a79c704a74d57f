// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * routes - the scope of access and, for its table, what each flow shows: body, state and steps.
 */

#include "domains/access/refresh_token.h"
#include "domains/access/store.h"

extern const struct scope access_scope;

/* ---- refresh.c ---- */

struct refresh_body {
	struct text refresh_token;
};
extern const struct schema refresh_body_schema;

struct refresh {
	struct refresh_body body;
	struct refresh_token token;
	struct refresh_token successor;
	uint8_t hash[SHA256_BYTES];
	uint8_t client[SHA256_BYTES];
	uint8_t salt[REFRESH_SALT_BYTES];
	struct refresh_row row;
	struct session_grant grant;
	unsigned races_lost;
};
extern const struct flow_step refresh_steps[];

/* ---- logout.c ---- */

extern const struct flow_step logout_steps[];

/* ---- sessions.c ---- */

struct sessions_reply {
	struct session_row *sessions;
	size_t session_count;
};
extern const struct schema sessions_reply_schema;
extern const struct flow_step list_sessions_steps[];

struct session_parameters {
	struct uuid id;
};
extern const struct schema session_parameters_schema;

struct revoke_session {
	struct session_parameters parameters;
};
extern const struct flow_step revoke_session_steps[];
