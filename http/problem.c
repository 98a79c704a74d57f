// SPDX-License-Identifier: Apache-2.0

/*
 * problem - the table of refusals, and what follows from a row alone: the failure it stands for,
 * when to come back, which challenge goes with it.
 */

#include "http/problem.h"

#include <assert.h>

#include "http/route.h"

static const struct problem_row rows[PROBLEM_COUNT] = {
#define PROBLEM(id, status_, code_, message_) \
	[PROBLEM_##id] = {.code = (code_), .message = (message_), .status = (status_)},
#include "http/problem.def"
#undef PROBLEM
};

const struct problem_row *problem_row(enum problem problem)
{
	assert((unsigned)problem < PROBLEM_COUNT);

	return &rows[(unsigned)problem < PROBLEM_COUNT ? problem : PROBLEM_INTERNAL];
}

enum problem problem_of_failure(enum failure failure)
{
	switch (failure) {
	case FAILURE_CLIENT_GONE: /* nobody reads it; the row keeps the map total */
		return PROBLEM_REQUEST_TIMEOUT;
	case FAILURE_DEADLINE:
		return PROBLEM_DEADLINE_EXCEEDED;
	case FAILURE_SHUTDOWN:
		return PROBLEM_SHUTTING_DOWN;
	case FAILURE_BUSY:
	case FAILURE_MEMORY:
		return PROBLEM_OVERLOADED;
	case FAILURE_UNAVAILABLE:
		return PROBLEM_UNAVAILABLE;
	case FAILURE_CONFLICT:
		return PROBLEM_CONFLICT;
	case FAILURE_INVALID:
		return PROBLEM_DATA_REFUSED;
	case FAILURE_RETRY:
		return PROBLEM_RETRY;
	case FAILURE_READ_ONLY:
		return PROBLEM_READ_ONLY;
	case FAILURE_STORAGE_FULL:
		return PROBLEM_STORAGE_FULL;
	case FAILURE_NONE: /* the steps ended without an answer: a defect */
	case FAILURE_INTERNAL:
	case FAILURE_COUNT:
		return PROBLEM_INTERNAL;
	}
	return PROBLEM_INTERNAL;
}

bool problem_is_retryable(enum problem problem)
{
	return problem_row(problem)->status == 503;
}

/* Short where another attempt is likely to pass at once, longer where a person or a restart is
 * awaited. */
unsigned problem_retry_after_seconds(enum problem problem)
{
	if (problem == PROBLEM_RATE_LIMITED)
		return 60;
	if (!problem_is_retryable(problem))
		return 0;
	if (problem == PROBLEM_READ_ONLY)
		return 30;
	if (problem == PROBLEM_RETRY || problem == PROBLEM_OVERLOADED)
		return 1;
	return 5;
}

const char *problem_challenge(enum problem problem)
{
	if (problem == PROBLEM_TOKEN_EXPIRED)
		return "Bearer realm=\"millrace\", error=\"invalid_token\", "
		       "error_description=\"The access token has expired\"";
	if (problem == PROBLEM_TOKEN_INVALID)
		return "Bearer realm=\"millrace\", error=\"invalid_token\", "
		       "error_description=\"The access token is not valid\"";
	if (problem == PROBLEM_SESSION_REVOKED)
		return "Bearer realm=\"millrace\", error=\"invalid_token\", "
		       "error_description=\"The session has ended\"";
	if (problem_row(problem)->status == 401)
		return "Bearer realm=\"millrace\"";
	return NULL;
}

bool problem_is_general(enum problem problem)
{
	if (problem <= PROBLEM_VERSION_NOT_SUPPORTED || problem == PROBLEM_VALIDATION_FAILED)
		return true;

	for (int failure = FAILURE_NONE; failure < FAILURE_COUNT; failure++) {
		if (problem_of_failure((enum failure)failure) == problem)
			return true;
	}
	return false;
}

bool problem_is_listed(const struct problem_list *list, enum problem problem)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->list[i] == problem)
			return true;
	}
	return false;
}
