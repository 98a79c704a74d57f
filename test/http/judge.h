// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * judge - what the parser and our rules make of a connection's bytes, without a socket: requests
 * one after the other, as long as they are sound and keep the connection alive.
 */

#include <stddef.h>
#include <stdint.h>

#include "http/problem.h"
#include "http/server.h"

struct judgement {
	unsigned requests; /* that were complete */
	uint64_t digest; /* of everything they said */
	enum problem problem; /* PROBLEM_COUNT: none */
	size_t left; /* bytes behind the last request that was taken */
	bool last; /* the last request asked to close */
};

/* The defaults of the settings. */
struct http_settings judge_settings(void);
/* Feeds portions whose sizes come from `split` (0: all at once; else a seed; 1: byte by byte). */
struct judgement judge(const struct http_settings *settings, size_t body_max_bytes,
	const char *data, size_t len, uint64_t split);
