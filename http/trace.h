// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * trace - who a request is: its request id (X-Request-ID, else a UUIDv7) and its place in a trace
 * (traceparent, W3C Trace Context level 1; else a new trace). Sets flow->trace.
 */

#include <stdbool.h>

#include "core/flow.h"
#include "core/text.h"

void trace_begin(struct flow *flow);
/* 1 to 64 of A-Z a-z 0-9 . _ - */
bool request_id_is_valid(struct text id);
/* Version 00, or a later one that starts like it; ids must not be all zeros (W3C Trace Context,
 * 3.2.2). */
bool traceparent_parse(struct text header, struct trace *trace_out);
