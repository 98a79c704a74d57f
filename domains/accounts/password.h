// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * password - password work as operations of a flow, on a worker class of its own: bounded queue, one thread a
 * core, memory kept per thread. A full queue ends the flow with FAILURE_BUSY. Passwords are copied into the
 * job and wiped with it.
 */

#include <stdbool.h>

#include "core/flow.h"
#include "domains/accounts/phc.h"

/* Code points; the row of a body says the same. */
enum { PASSWORD_MIN = 8, PASSWORD_MAX = 128, PASSWORD_MAX_BYTES = 4 * PASSWORD_MAX };

struct password_result {
	bool worked; /* false: no memory for the hash */
	bool matches; /* password_verify */
	bool too_common; /* password_make: guessable, or it holds the e-mail address; nothing was made */
	struct text
		hash; /* PHC; made, or remade because the stored one is weaker than configured */
};

/* Does the password belong to this hash? An absent hash (unknown user) costs the same and never matches. */
enum flow_verdict password_verify(struct flow *flow, struct text password, struct text hash);
/* Judges the password, then hashes it. */
enum flow_verdict password_make(struct flow *flow, struct text password, struct text email);
/* In the step after the wait; borrowed until the step returns. */
const struct password_result *password_result(struct flow *flow);
