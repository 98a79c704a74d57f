// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * process - what Prometheus expects to know of every process (process_*), and which build it is
 * (millrace_build_info). Read at the scrape, in microseconds, from getrusage and /proc/self.
 */

struct metrics;

/* Once, at the start. Both texts outlive the metrics. */
void process_expose(struct metrics *metrics, const char *version, const char *commit);
