// SPDX-License-Identifier: Apache-2.0
#pragma once

/* visitor - users of a house under test, and short ways to ask it things. Everything fails the test. */

#include <stddef.h>

#include "test/support/house.h"

#define VISITOR_PASSWORD "correct horse battery staple 42"

enum { VISITOR_ANSWER_BYTES = 65536, VISITOR_REQUEST_BYTES = 8192 };

struct visitor {
	char email[64];
	char access_token[1024];
	char refresh_token[64];
	char user_id[40];
};

/* The last answer of any ask, terminated. */
extern char visitor_answer[VISITOR_ANSWER_BYTES];

void write_request(char out[static VISITOR_REQUEST_BYTES], const char *method, const char *path,
	const char *token, const char *agent, const char *body);
int ask(struct house *house, const char *method, const char *path, const char *token,
	const char *body);
/* The string behind "key":" in `answer`. */
void pick(const char *answer, const char *key, char *out, size_t size);
/* Asserts status and, when not NULL, a piece of the last answer. */
void expect(int status, int expected, const char *piece);
struct visitor new_visitor(struct house *house);
int log_in(struct house *house, const char *email, const char *password);
