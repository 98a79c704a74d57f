// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * problem - every refusal a client may meet, in one table (problem.def): id, status, code, message.
 * From it come the JSend body, the RFC 9457 body, the metric label, the OpenAPI responses and the docs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/failure.h"

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
