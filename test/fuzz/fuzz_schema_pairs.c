// SPDX-License-Identifier: Apache-2.0

/* Parameters against a schema: the input is name=value lines, as they stand after percent-decoding. */

#include <assert.h>
#include <math.h>
#include <stdint.h>

#include "core/schema.h"

struct query {
	struct text search, email, token;
	int64_t page;
	double ratio;
	bool all;
	struct uuid id;
	int64_t since;
	int64_t order;
};

static const char *const orders[] = {"up", "down", NULL};
static const struct field query_fields[] = {
	FIELD(FIELD_TEXT, query, search, .max = 5, .optional = true),
	FIELD(FIELD_EMAIL, query, email, .optional = true),
	FIELD(FIELD_TOKEN, query, token, .max = 9, .optional = true),
	FIELD(FIELD_INT, query, page, .min = 1, .max = 100, .optional = true, .fallback = 1),
	FIELD(FIELD_DOUBLE, query, ratio, .optional = true),
	FIELD(FIELD_BOOL, query, all, .optional = true),
	FIELD(FIELD_UUID, query, id, .optional = true),
	FIELD(FIELD_TIME, query, since, .optional = true),
	FIELD(FIELD_ENUM, query, order, .choices = orders, .optional = true, .fallback = 1),
};
static const struct schema query_schema = SCHEMA(query, query_fields, "A query");

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text line, rest = text_of((const char *)data, size);
	struct schema_pair pairs[40];
	struct schema_errors errors;
	struct query query;
	struct arena arena;
	size_t count = 0;

	while (count < 40 && !text_is_absent(rest)) {
		line = text_cut(rest, '\n', &rest);
		pairs[count].name = text_cut(line, '=', &pairs[count].value);
		count++;
	}
	arena_init(&arena, NULL, 1 << 20);
	if (schema_decode_pairs(&query_schema, pairs, count, &arena, &query, &errors) ==
		SCHEMA_OK) {
		assert(query.page >= 1 && query.page <= 100);
		assert(query.order >= 0 && query.order < 2);
		assert(isfinite(query.ratio));
		assert(text_is_utf8(query.search) && text_code_points(query.search) <= 5);
	} else {
		assert(errors.count > 0);
	}
	arena_deinit(&arena);
	return 0;
}
