// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * clock - the only place that reads time. Durations and deadlines use the monotonic clock in
 * nanoseconds; what is stored or shown is Unix time in milliseconds, UTC.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"

enum { CLOCK_RFC3339_LEN = 24 /* 2026-01-31T23:59:59.999Z */, CLOCK_HTTP_DATE_LEN = 29 };

uint64_t clock_now_ns(void); /* CLOCK_MONOTONIC */
int64_t clock_unix_ms(void); /* CLOCK_REALTIME */
uint64_t clock_thread_cpu_ns(void);
void clock_format_rfc3339(
	int64_t unix_ms, char out[static CLOCK_RFC3339_LEN]); /* RFC 3339, no NUL */
bool clock_parse_rfc3339(
	struct text text, int64_t *unix_ms_out); /* any offset; fraction optional */
void clock_format_http_date(
	int64_t unix_ms, char out[static CLOCK_HTTP_DATE_LEN]); /* RFC 9110, 5.6.7 */
