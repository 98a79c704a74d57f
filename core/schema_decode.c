// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "core/schema_check.h"

/* ---- yyjson reads into the arena ------------------------------------------------------------ */

static void *on_malloc(void *context, size_t size)
{
	return arena_alloc(context, size);
}

static void *on_realloc(void *context, void *old, size_t old_size, size_t size)
{
	return arena_grow(context, old, old_size, size);
}

static void on_free(void *context, void *memory)
{
	(void)context;
	(void)memory; /* dies with the arena */
}

static struct text string_of(yyjson_val *value)
{
	return text_of(unsafe_yyjson_get_str(value), unsafe_yyjson_get_len(value));
}

/* ---- depth ---------------------------------------------------------------------------------- */

/* Recursion ends at the first level that is one too many, however deep the input is. */
static bool is_deeper_than(yyjson_val *value, unsigned levels)
{
	yyjson_val *child;
	size_t i, max;

	if (!yyjson_is_ctn(value))
		return false;
	if (levels == 0)
		return true;
	if (yyjson_is_arr(value)) {
		yyjson_arr_foreach(
			value, i, max, child) if (is_deeper_than(child, levels - 1)) return true;
		return false;
	}
	yyjson_obj_iter members = yyjson_obj_iter_with(value);
	for (yyjson_val *key; (key = yyjson_obj_iter_next(&members)) != NULL;)
		if (is_deeper_than(yyjson_obj_iter_get_val(key), levels - 1))
			return true;
	return false;
}

/* ---- values --------------------------------------------------------------------------------- */

static bool decode_object(struct schema_decoder *decoder, const struct schema *schema,
	yyjson_val *object, char *out, const struct schema_path *path);

static bool decode_int(struct schema_decoder *decoder, const struct field *field, yyjson_val *value,
	char *out, const struct schema_path *path)
{
	if (yyjson_is_sint(value))
		return schema_put_int(decoder, field, unsafe_yyjson_get_sint(value), out, path);
	if (yyjson_is_uint(value)) {
		uint64_t number = unsafe_yyjson_get_uint(value);
		if (number > INT64_MAX)
			return schema_fail_huge(decoder, field, false, path);
		return schema_put_int(decoder, field, (int64_t)number, out, path);
	}
	if (yyjson_is_raw(value)) { /* a number beyond 64 bits: whole when digits are all it has */
		struct text digits = text_of(
			unsafe_yyjson_get_raw(value), unsafe_yyjson_get_len(value));
		bool negative = digits.len > 0 && digits.data[0] == '-';
		if (strspn(digits.data + negative, "0123456789") >= digits.len - negative)
			return schema_fail_huge(decoder, field, negative, path);
	}
	return schema_fail_type(decoder, field, path);
}

static bool decode_double(struct schema_decoder *decoder, const struct field *field,
	yyjson_val *value, char *out, const struct schema_path *path)
{
	if (yyjson_is_raw(value))
		return schema_put_double(
			decoder, field, strtod(unsafe_yyjson_get_raw(value), NULL), out, path);
	if (!yyjson_is_num(value))
		return schema_fail_type(decoder, field, path);
	return schema_put_double(decoder, field, yyjson_get_num(value), out, path);
}

static bool decode_bool(struct schema_decoder *decoder, const struct field *field,
	yyjson_val *value, char *out, const struct schema_path *path)
{
	if (!yyjson_is_bool(value))
		return schema_fail_type(decoder, field, path);
	*(bool *)(void *)(out + field->offset) = unsafe_yyjson_get_bool(value);
	return true;
}

static bool check_count(struct schema_decoder *decoder, const struct field *field, size_t count,
	const struct schema_path *path)
{
	if ((int64_t)count < field_min(field))
		return schema_fail(decoder, path, "TOO_FEW", "must have at least %lld items",
			(long long)field_min(field));
	if ((int64_t)count > field_max(field))
		return schema_fail(decoder, path, "TOO_MANY", "must have at most %lld items",
			(long long)field_max(field));
	return true;
}

static bool decode_list(struct schema_decoder *decoder, const struct field *field, yyjson_val *list,
	char *out, const struct schema_path *path)
{
	static const struct field item_field = {.kind = FIELD_OBJECT};
	size_t i, count, stride = field->schema->size;
	yyjson_val *item;
	bool good = true;

	if (!yyjson_is_arr(list))
		return schema_fail_type(decoder, field, path);
	count = yyjson_arr_size(list);
	if (!check_count(decoder, field, count, path))
		return false;
	char *items = count <= SIZE_MAX / stride ? arena_zalloc(decoder->arena, count * stride)
						 : NULL;
	if (items == NULL) {
		decoder->no_memory = true;
		return false;
	}
	yyjson_arr_foreach(list, i, count, item)
	{
		struct schema_path at = {.up = path, .index = i};
		if (yyjson_is_obj(item))
			good &= decode_object(
				decoder, field->schema, item, items + i * stride, &at);
		else
			good = schema_fail_type(decoder, &item_field, &at);
	}
	*(void **)(void *)(out + field->offset) = items;
	*(size_t *)(void *)(out + field->count_offset) = count;
	return good;
}

static bool decode_value(struct schema_decoder *decoder, const struct field *field,
	yyjson_val *value, char *out, const struct schema_path *path)
{
	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_EMAIL:
	case FIELD_PASSWORD:
	case FIELD_TOKEN:
	case FIELD_UUID:
	case FIELD_TIME:
	case FIELD_ENUM:
		if (!yyjson_is_str(value))
			return schema_fail_type(decoder, field, path);
		return schema_put_string(decoder, field, string_of(value), out, path);
	case FIELD_INT:
		return decode_int(decoder, field, value, out, path);
	case FIELD_DOUBLE:
		return decode_double(decoder, field, value, out, path);
	case FIELD_BOOL:
		return decode_bool(decoder, field, value, out, path);
	case FIELD_OBJECT:
		if (!yyjson_is_obj(value))
			return schema_fail_type(decoder, field, path);
		return decode_object(decoder, field->schema, value, out + field->offset, path);
	case FIELD_LIST:
		return decode_list(decoder, field, value, out, path);
	}
	return false;
}

static bool decode_member(struct schema_decoder *decoder, const struct field *field,
	yyjson_val *value, char *out, const struct schema_path *path)
{
	if (!yyjson_is_null(value))
		return decode_value(decoder, field, value, out, path);
	if (!field->nullable)
		return schema_fail(decoder, path, "NULL_NOT_ALLOWED", "must not be null");
	schema_put_null(field, out);
	return true;
}

static bool decode_object(struct schema_decoder *decoder, const struct schema *schema,
	yyjson_val *object, char *out, const struct schema_path *path)
{
	struct schema_marks marks = {0};
	size_t failures_before = decoder->failures, hint = 0;
	yyjson_obj_iter members = yyjson_obj_iter_with(object);

	assert(schema->field_count <= SCHEMA_FIELDS_MAX);
	for (yyjson_val *key; (key = yyjson_obj_iter_next(&members)) != NULL;) {
		size_t index = schema_find(schema, string_of(key), hint);
		struct schema_path at = {.up = path, .name = string_of(key)};
		if (index == SIZE_MAX) {
			schema_fail_unknown(decoder, schema, string_of(key), path);
			continue;
		}
		hint = index + 1 < schema->field_count ? index + 1 : 0;
		if (!schema_mark_seen(&marks, index))
			schema_fail(decoder, &at, "DUPLICATE_FIELD", "must stand only once");
		else if (decode_member(decoder, &schema->fields[index],
				 yyjson_obj_iter_get_val(key), out, &at))
			schema_mark_good(&marks, index);
	}
	schema_finish_object(decoder, schema, &marks, out, path);
	return decoder->failures == failures_before;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static enum schema_verdict refuse_syntax(
	struct schema_decoder *decoder, struct text json, const yyjson_read_err *error)
{
	if (error->code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
		return SCHEMA_NO_MEMORY;
	if (!text_is_utf8(json))
		schema_fail(decoder, NULL, "NOT_UTF8", "is not UTF-8, at or after byte %zu",
			error->pos);
	else
		schema_fail(decoder, NULL, "SYNTAX", "is not JSON: %s, at byte %zu", error->msg,
			error->pos);
	return decoder->no_memory ? SCHEMA_NO_MEMORY : SCHEMA_BAD_SYNTAX;
}

enum schema_verdict schema_decode_json(const struct schema *schema, struct text json,
	struct arena *arena, void *out, struct schema_errors *errors_out)
{
	yyjson_alc allocator = {on_malloc, on_realloc, on_free, arena};
	struct schema_decoder decoder = {.arena = arena, .errors = errors_out};
	yyjson_read_err error;

	*errors_out = (struct schema_errors) {0};
	memset(out, 0, schema->size);
	/* yyjson wants a char *, and without YYJSON_READ_INSITU does not write to it */
	yyjson_doc *document = yyjson_read_opts((char *)(uintptr_t)(json.len > 0 ? json.data : ""),
		json.len, YYJSON_READ_BIGNUM_AS_RAW, &allocator, &error);
	if (document == NULL)
		return refuse_syntax(&decoder, json, &error);

	yyjson_val *root = yyjson_doc_get_root(document);
	if (yyjson_doc_get_val_count(document) > SCHEMA_DEPTH_MAX &&
		is_deeper_than(root, SCHEMA_DEPTH_MAX)) {
		decoder.too_deep = true;
		schema_fail(&decoder, NULL, "TOO_DEEP", "must not nest deeper than %d levels",
			SCHEMA_DEPTH_MAX);
	} else if (!yyjson_is_obj(root)) {
		schema_fail(&decoder, NULL, "TYPE", "must be an object");
	} else {
		decode_object(&decoder, schema, root, out, NULL);
	}
	return schema_verdict(&decoder);
}
