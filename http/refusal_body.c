// SPDX-License-Identifier: Apache-2.0

/* refusal_body - one problem in the two forms that clients may ask for. */

#include "http/refusal.h"

/* Codes and messages are short; a field error takes about as much. */
enum { BODY_BYTES = 256, ERROR_BYTES = 128 };

static void write_member(struct json_writer *writer, struct text key, struct text value)
{
	if (text_is_absent(value))
		return;
	json_key(writer, key);
	json_string(writer, value);
}

static size_t error_count(const struct refusal_body *body)
{
	return body->errors ? body->errors->count : 0;
}

static void write_errors(struct json_writer *writer, const struct refusal_body *body)
{
	json_key(writer, TEXT("errors"));
	json_array(writer);
	for (size_t i = 0; i < error_count(body); i++) {
		const struct schema_error *error = &body->errors->list[i];

		json_object(writer);
		write_member(writer, TEXT("pointer"), error->pointer);
		write_member(writer, TEXT("code"), text_from_c(error->code));
		write_member(writer, TEXT("message"), error->message);
		json_object_end(writer);
	}
	json_array_end(writer);
}

struct text refusal_jsend(const struct refusal_body *body, struct arena *arena)
{
	const struct problem_row *row = problem_row(body->problem);
	struct json_writer writer;

	json_begin(&writer, arena, BODY_BYTES + ERROR_BYTES * error_count(body));
	json_object(&writer);
	write_member(&writer, TEXT("status"), row->status < 500 ? TEXT("fail") : TEXT("error"));
	write_member(&writer, TEXT("code"), text_from_c(row->code));
	write_member(&writer, TEXT("message"), text_from_c(row->message));
	if (error_count(body) > 0) {
		json_key(&writer, TEXT("data"));
		json_object(&writer);
		write_errors(&writer, body);
		json_object_end(&writer);
	}
	write_member(&writer, TEXT("request_id"), body->request_id);
	json_object_end(&writer);
	return json_text(&writer);
}

/* What this occurrence adds to the title: the first bad field, where there is one. */
static struct text detail_of(const struct refusal_body *body, struct arena *arena)
{
	if (error_count(body) == 0)
		return TEXT_ABSENT;
	return arena_printf(arena, "%.*s: %.*s", TEXT_ARG(body->errors->list[0].pointer),
		TEXT_ARG(body->errors->list[0].message));
}

struct text refusal_problem_json(const struct refusal_body *body, struct arena *arena)
{
	const struct problem_row *row = problem_row(body->problem);
	struct text detail = detail_of(body, arena);
	struct json_writer writer;

	json_begin(&writer, arena, BODY_BYTES + ERROR_BYTES * error_count(body));
	json_object(&writer);
	json_key(&writer, TEXT("type"));
	json_string(&writer, arena_printf(arena, "/docs/problems#%s", row->code));
	write_member(&writer, TEXT("title"), text_from_c(row->message));
	json_key(&writer, TEXT("status"));
	json_int(&writer, row->status);
	write_member(&writer, TEXT("detail"), detail);
	write_member(&writer, TEXT("instance"), body->instance);
	write_member(&writer, TEXT("code"), text_from_c(row->code));
	if (error_count(body) > 0)
		write_errors(&writer, body);
	write_member(&writer, TEXT("request_id"), body->request_id);
	json_object_end(&writer);
	return json_text(&writer);
}
