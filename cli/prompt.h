// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * prompt - a question on the terminal whose answer is not shown. Whatever ends the process meanwhile (Ctrl-C,
 * Ctrl-\, SIGTERM, SIGHUP) finds the terminal as it was.
 */

#include <stdbool.h>
#include <stddef.h>

/* One line of standard input, which is a terminal, without its end. False at the end of the input, when the
 * line is too long for `size`, and when it has a NUL. Main thread, before any other thread. */
bool prompt_silently(const char *question, char *out, size_t size);
