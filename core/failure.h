// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * failure - how the world can fail a flow. A driver reports one of these, the engine ends the
 * flow, and whoever owns the flow (HTTP: the problem table) turns it into an answer.
 * Steps never see them: a step sees only success.
 */

enum failure {
	FAILURE_NONE,
	FAILURE_CLIENT_GONE, /* nobody is left to answer */
	FAILURE_DEADLINE, /* the flow's time is up */
	FAILURE_SHUTDOWN, /* the process is stopping */
	FAILURE_BUSY, /* a bounded queue or pool is full: come back later */
	FAILURE_UNAVAILABLE, /* a dependency is down or the connection to it was lost */
	FAILURE_CONFLICT, /* a unique or foreign key constraint that the step did not expect */
	FAILURE_INVALID, /* the data was refused: check, not-null, out of range, bad encoding */
	FAILURE_RETRY, /* serialization failure or deadlock: the same request may succeed */
	FAILURE_READ_ONLY, /* the database accepts no writes now */
	FAILURE_STORAGE_FULL,
	FAILURE_MEMORY, /* the arena's cap or the machine's end */
	FAILURE_INTERNAL, /* a defect of ours: syntax error in SQL, undefined table ... */
	FAILURE_COUNT,
};

const char *failure_name(enum failure failure); /* lower_snake, for logs and metric labels */
