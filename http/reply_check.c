// SPDX-License-Identifier: Apache-2.0

/* reply_check - reads a reply back by the schema it was written with. */

#include "http/reply_check.h"

#ifdef REPLY_CHECKED

#include <stdio.h>
#include <stdlib.h>

static void complain(const struct schema *schema, struct text body, const struct schema_errors *errors)
{
	fprintf(stderr, "a reply does not keep its schema %s: %.*s\n", schema->name, TEXT_ARG(body));
	for (size_t i = 0; i < errors->count; i++)
		fprintf(stderr, "  %.*s %s: %.*s\n", TEXT_ARG(errors->list[i].pointer),
			errors->list[i].code, TEXT_ARG(errors->list[i].message));
	abort();
}

void reply_check(const struct schema *schema, struct text body)
{
	enum { ENVELOPE = sizeof("{\"status\":\"success\",\"data\":") - 1 };
	struct schema_errors errors = { 0 };
	struct arena arena;
	void *out;

	arena_init(&arena, NULL, 64 * body.len + 1024 * 1024);
	out = arena_alloc(&arena, schema->size);
	if (out && schema_decode_json(schema, text_of(body.data + ENVELOPE, body.len - ENVELOPE - 1),
			   &arena, out, &errors) != SCHEMA_OK)
		complain(schema, body, &errors);
	arena_deinit(&arena);
}

#endif
