// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * sqlstate - what PostgreSQL's five-letter codes mean to a flow. Source: PostgreSQL 15 manual,
 * appendix A; an exact code wins over its class (the first two letters).
 */

#include <stdbool.h>

#include "db/db.h"

/* Unknown codes are FAILURE_INTERNAL; NULL or "" (libpq's own errors) FAILURE_UNAVAILABLE. */
enum failure sqlstate_failure(const char *sqlstate);
/* DB_OK when the code is no violation that a statement may expect. */
enum db_outcome sqlstate_outcome(const char *sqlstate);
/* The connection itself is over: whatever is in flight on it will not be answered. */
bool sqlstate_ends_connection(const char *sqlstate);
/* May the server's message stand in a log? Not where it quotes values. */
bool sqlstate_message_is_safe(const char *sqlstate);
