// SPDX-License-Identifier: Apache-2.0

/* reply_check - reads a reply back by the schema it was written with. */

#include "http/reply_check.h"

#ifdef REPLY_CHECKED

#include <assert.h>
#include <stdlib.h>

/* The words an assertion prints are all a test sees of the reason. */
static void complain(
	const struct schema *schema, struct arena *arena, const struct schema_errors *errors)
{
	struct text words = arena_printf(
		arena, "a reply does not keep its schema %s:", schema->name);

	for (size_t i = 0; i < errors->count; i++)
		words = arena_printf(arena, "%.*s %.*s %s;", TEXT_ARG(words),
			TEXT_ARG(errors->list[i].pointer), errors->list[i].code);
	__assert_fail(words.data ? words.data : "a reply does not keep its schema", __FILE__,
		__LINE__, "reply_check");
}

void reply_check(const struct schema *schema, struct text body)
{
	enum { ENVELOPE = sizeof("{\"status\":\"success\",\"data\":") - 1 };
	struct schema_errors errors = {0};
	struct arena arena;
	void *out;

	arena_init(&arena, NULL, 64 * body.len + 1024 * 1024);
	out = arena_alloc(&arena, schema->size);
	if (out &&
		schema_decode_json(schema, text_of(body.data + ENVELOPE, body.len - ENVELOPE - 1),
			&arena, out, &errors) != SCHEMA_OK)
		complain(schema, &arena, &errors);
	arena_deinit(&arena);
}

#endif
