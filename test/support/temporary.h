// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * temporary - what a test writes lies under $TMPDIR: ./dev test gives it a folder and removes that, also when
 * a test fails halfway.
 */

#include <stdio.h>
#include <stdlib.h>

enum { TEMPORARY_MAX = 128 };

/* A template for mkdtemp and mkstemp. */
static inline void temporary_template(char out[static TEMPORARY_MAX])
{
	const char *parent = getenv("TMPDIR");

	if (snprintf(out, TEMPORARY_MAX, "%s/millrace-XXXXXX", parent != NULL ? parent : "/tmp") >=
		TEMPORARY_MAX)
		abort();
}
