// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * problem - every refusal a client may meet, in one table (problem.def): id, status, code, message.
 * From it come the JSend body, the RFC 9457 body, the metric label, the OpenAPI responses and the
 * docs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/failure.h"

struct problem_list;

enum problem {
#define PROBLEM(id, status, code, message) PROBLEM_##id,
#include "http/problem.def"
#undef PROBLEM
	PROBLEM_COUNT,
};

struct problem_row {
	const char *code; /* stable, UPPER_SNAKE */
	const char *message;
	uint16_t status;
};

const struct problem_row *problem_row(enum problem problem);
/* The row a driver's failure is answered with. */
enum problem problem_of_failure(enum failure failure);
/* 5xx that a client should try again: the answer carries Retry-After. */
bool problem_is_retryable(enum problem problem);
/* Seconds for Retry-After: of the retryable ones, and of RATE_LIMITED when its guard did not say;
 * else 0. */
unsigned problem_retry_after_seconds(enum problem problem);
/* WWW-Authenticate of a 401 (RFC 9110, 11.6.1; error codes of RFC 6750, 3.1), else NULL. */
const char *problem_challenge(enum problem problem);
/* May be met on every route without being declared: the wire's, VALIDATION_FAILED, what failures
 * become. */
bool problem_is_general(enum problem problem);
bool problem_is_listed(const struct problem_list *list, enum problem problem);
