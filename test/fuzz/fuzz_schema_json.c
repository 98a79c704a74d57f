// SPDX-License-Identifier: Apache-2.0

/* A body against a schema of every kind: what is taken encodes to a body that decodes to the same. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "test/core/sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct text encode(const struct sample *sample, struct arena *arena)
{
	struct json_writer writer;

	json_begin(&writer, arena, 256);
	schema_encode_json(&sample_schema, sample, &writer);
	return json_text(&writer);
}

static void check_errors(const struct schema_errors *errors)
{
	assert(errors->count > 0 && errors->count <= SCHEMA_ERRORS_MAX);
	for (size_t i = 0; i < errors->count; i++) {
		assert(errors->list[i].code != NULL);
		assert(text_is_utf8(errors->list[i].pointer) &&
			text_is_utf8(errors->list[i].message));
	}
}

/* What an optional list or text without value means is not kept apart from its absence. */
static void check_round_trip(const struct sample *sample, struct arena *arena)
{
	struct schema_errors errors;
	struct sample back;
	struct text once = encode(sample, arena);

	assert(!text_is_absent(once));
	if (sample->limit == 0)
		return; /* absent, but written: below its minimum */
	assert(schema_decode_json(&sample_schema, once, arena, &back, &errors) == SCHEMA_OK);
	assert(text_equals(once, encode(&back, arena)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct sample sample;
	struct schema_errors errors;

	arena_init(&arena, NULL, 64 << 20);
	enum schema_verdict verdict = schema_decode_json(
		&sample_schema, text_of((const char *)data, size), &arena, &sample, &errors);
	if (verdict == SCHEMA_OK)
		check_round_trip(&sample, &arena);
	else if (verdict != SCHEMA_NO_MEMORY)
		check_errors(&errors);
	arena_deinit(&arena);
	return 0;
}
