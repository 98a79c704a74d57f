// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * reply_check - does a reply keep what its schema promises? Test builds define REPLY_CHECKED and
 * stop at the first one that does not; others compile the check away.
 */

#include "core/schema.h"

#ifdef REPLY_CHECKED
/* `body` is the JSend envelope. Aborts with the bad fields on stderr. */
void reply_check(const struct schema *schema, struct text body);
#else
static inline void reply_check(const struct schema *schema, struct text body)
{
	(void)schema;
	(void)body;
}
#endif
