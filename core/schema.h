// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * schema - a table of fields that describes one C struct: decoder (offset), validator (bounds,
 * format), encoder, column map, document and log filter in one. Nothing is declared twice.
 *
 *   struct signup_body { struct text email, password; };
 *   static const struct field signup_fields[] = {
 *           FIELD(FIELD_EMAIL, signup_body, email, .max = 254, .about = "...", .example = "..."),
 *           FIELD(FIELD_PASSWORD, signup_body, password, .min = 8, .max = 128, .about = "..."),
 *   };
 *   const struct schema signup_body = SCHEMA(signup_body, signup_fields, "What a newcomer sends");
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/json.h"
#include "core/text.h"
#include "core/uuid.h"

/* kind             C member                    JSON                          min/max mean */
enum field_kind {
	FIELD_TEXT, /* struct text          string                        code points */
	FIELD_EMAIL, /* struct text          string, trimmed, lower-cased,  bytes (RFC 5321 4.5.3.1: 254)
			 *                      domain to ASCII by IDNA 2008 */
	FIELD_PASSWORD, /* struct text          string, taken as it is; secret code points */
	FIELD_TOKEN, /* struct text          string, opaque; secret         bytes */
	FIELD_UUID, /* struct uuid          string; absent: nil */
	FIELD_INT, /* int64_t              integer                       value */
	FIELD_DOUBLE, /* double               number                        - */
	FIELD_BOOL, /* bool                 true or false */
	FIELD_TIME, /* int64_t unix ms      RFC 3339 string; 0: absent     - */
	FIELD_ENUM, /* int64_t index        one of `choices` */
	FIELD_OBJECT, /* struct of `schema`, embedded in place; absent: all bytes 0 */
	FIELD_LIST, /* T *items + size_t count at `count_offset`; `schema` describes one item;
			 * schema->size is the stride                          items */
};

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;
	size_t count_offset; /* FIELD_LIST */
	const struct schema *schema; /* FIELD_OBJECT, FIELD_LIST */
	const char *const *choices; /* FIELD_ENUM, ends with NULL */
	int64_t min, max; /* both 0: unbounded (text: 64 KiB); max 0 beside a positive min: no
				      * upper bound */
	int64_t fallback; /* FIELD_INT, FIELD_BOOL, FIELD_ENUM when absent and optional */
	bool optional; /* may be left out: text absent, uuid nil, numbers `fallback` */
	bool nullable; /* may be null: text_is_null(); encoders write null for absent text, nil
				      * uuid and time 0 */
	bool secret; /* never logged; implied by FIELD_PASSWORD and FIELD_TOKEN */
	const char *same_as; /* must equal this other text field (password_confirmation) */
	const char *about; /* one sentence, for the document */
	const char *example; /* as JSON text without quotes for strings */
};

struct schema {
	const char *name; /* component name in OpenAPI */
	const char *about;
	size_t size; /* of the struct */
	const struct field *fields;
	size_t field_count;
};

#define FIELD(kind_, struct_, member_, ...) \
	{ \
		.name = #member_, .kind = (kind_), .offset = offsetof(struct struct_, member_), \
		__VA_ARGS__ \
	}
/* items_ and count_ are members of struct_; the JSON name is name_ */
#define FIELD_LIST_OF(schema_, struct_, name_, items_, count_, ...) \
	{ \
		.name = (name_), .kind = FIELD_LIST, .offset = offsetof(struct struct_, items_), \
		.count_offset = offsetof(struct struct_, count_), .schema = (schema_), __VA_ARGS__ \
	}
#define FIELD_OBJECT_OF(schema_, struct_, member_, ...) \
	{ \
		.name = #member_, .kind = FIELD_OBJECT, \
		.offset = offsetof(struct struct_, member_), .schema = (schema_), __VA_ARGS__ \
	}
#define SCHEMA(struct_, fields_, about_) \
	{ \
		.name = #struct_, .about = (about_), .size = sizeof(struct struct_), \
		.fields = (fields_), .field_count = sizeof(fields_) / sizeof((fields_)[0]) \
	}

/* One bad field. SCHEMA_BAD_SYNTAX has SYNTAX, NOT_UTF8 or TOO_DEEP. Codes are stable: REQUIRED, TYPE,
 * TOO_SHORT, TOO_LONG, TOO_SMALL, TOO_LARGE, EMAIL_INVALID, UUID_INVALID, TIME_INVALID,
 * NOT_A_CHOICE, NOT_THE_SAME, UNKNOWN_FIELD, DUPLICATE_FIELD, NULL_NOT_ALLOWED, CONTROL_CHARACTER,
 * TOO_MANY, TOO_FEW; of a query parameter also NOT_UTF8. */
struct schema_error {
	struct text pointer; /* RFC 6901; a query parameter's is its bare name */
	const char *code;
	struct text message; /* English, names the bound; never repeats a secret value */
};

struct schema_errors {
	struct schema_error *list; /* in the arena */
	size_t count; /* at most SCHEMA_ERRORS_MAX are kept */
};

enum { SCHEMA_ERRORS_MAX = 32, SCHEMA_DEPTH_MAX = 16 };

enum schema_verdict {
	SCHEMA_OK,
	SCHEMA_BAD_SYNTAX, /* not JSON, not UTF-8, too deep: errors has one entry with the byte offset */
	SCHEMA_BAD_FIELDS, /* every bad field is listed */
	SCHEMA_NO_MEMORY,
};

/* Decodes one JSON object into `out` (schema->size bytes, cleared first). Texts point into the arena.
 * Rejects unknown and duplicate keys, lone surrogates, NUL in texts, numbers out of range. */
enum schema_verdict schema_decode_json(const struct schema *schema, struct text json,
	struct arena *arena, void *out, struct schema_errors *errors_out);

struct schema_pair {
	struct text name, value; /* percent-decoded, UTF-8 not yet checked */
};
/* The same from query parameters or path parameters: scalar kinds only. */
enum schema_verdict schema_decode_pairs(const struct schema *schema,
	const struct schema_pair *pairs, size_t count, struct arena *arena, void *out,
	struct schema_errors *errors_out);

/* Writes the struct as a JSON object. Optional absent fields are left out, nullable ones null (also
 * those that are both). An embedded object is absent when all its bytes are 0. */
void schema_encode_json(const struct schema *schema, const void *in, struct json_writer *writer);
/* The same for a log line or an error report: secret fields become "[redacted]". */
void schema_encode_redacted(
	const struct schema *schema, const void *in, struct json_writer *writer);
/* JSON Schema 2020-12 of the struct: what OpenAPI 3.1 puts under components.schemas. Nested schemas
 * become {"$ref": "#/components/schemas/NAME"}. */
void schema_document(const struct schema *schema, struct json_writer *writer);
/* The same of one field: what a parameter puts under `schema`. */
void field_document(const struct field *field, struct json_writer *writer);
const struct field *schema_field(const struct schema *schema, struct text name); /* or NULL */
bool field_is_secret(const struct field *field);

/* An e-mail address in the form it is stored and compared: trimmed, lower case, domain in A-labels (RFC 5890),
 * words of the local part beyond ASCII as UTS 46 maps them. Absent when it is not an address (RFC 5321 4.1.2
 * without quoting or literals; RFC 6531 for UTF-8 local parts) or has signs that no name needs. */
struct text email_normalise(struct arena *arena, struct text address);
