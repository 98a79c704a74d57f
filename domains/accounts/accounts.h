// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * accounts - users and their passwords: registering, logging in, the profile, and what admins do with users.
 * Sessions and tokens belong to domains/access.
 */

#include <stdbool.h>

#include "core/flow.h"
#include "domains/access/access.h"
#include "domains/domain.h"

extern const struct domain accounts_domain;

/* ---- for the command line -------------------------------------------------------------------- */

/* `millrace admin create EMAIL`: run admin_create_steps on a flow whose state is this struct. Makes a user with
 * the role admin, or makes an existing one (whose password stays) an admin and active. */
struct admin_create {
	struct text email; /* in */
	struct text password; /* in; of a new user. Wipe it afterwards. */
	struct text name; /* in; of a new user; may be absent */
	bool created; /* out: a new user */
	bool promoted; /* out: an existing one */
	const char *refusal; /* out: why neither, a sentence without a full stop; NULL when done */
	struct user user; /* out, when created or promoted; lives as long as the flow */
};
extern const struct flow_step admin_create_steps[];
