// SPDX-License-Identifier: Apache-2.0
#pragma once

/* sample - one schema with every kind of field, for the tests and the fuzzers of schemas. */

#include "core/schema.h"

struct sample_item {
	struct text label;
	int64_t amount;
};

struct sample_address {
	struct text city;
	int64_t number;
};

struct sample {
	struct text title;
	struct text email;
	struct text password;
	struct text password_confirmation;
	struct text token;
	struct uuid id;
	int64_t count;
	double ratio;
	bool active;
	int64_t born_at;
	int64_t colour;
	struct sample_address address;
	struct sample_item *items;
	size_t item_count;
	struct text note;
	int64_t limit;
};

static const char *const sample_colours[] = {"red", "green", "blue", NULL};

static const struct field sample_item_fields[] = {
	FIELD(FIELD_TEXT, sample_item, label, .min = 1, .max = 10),
	FIELD(FIELD_INT, sample_item, amount, .min = 1, .max = 9, .optional = true, .fallback = 1),
};
static const struct schema sample_item_schema = SCHEMA(sample_item, sample_item_fields, "An item");

static const struct field sample_address_fields[] = {
	FIELD(FIELD_TEXT, sample_address, city, .max = 20),
	FIELD(FIELD_INT, sample_address, number, .optional = true, .fallback = 5),
};
static const struct schema sample_address_schema = SCHEMA(
	sample_address, sample_address_fields, "A place");

static const struct field sample_fields[] = {
	FIELD(FIELD_TEXT, sample, title, .min = 2, .max = 5, .about = "What it is",
		.example = "abc"),
	FIELD(FIELD_EMAIL, sample, email, .max = 254, .optional = true),
	FIELD(FIELD_PASSWORD, sample, password, .min = 8, .max = 128, .optional = true),
	FIELD(FIELD_PASSWORD, sample, password_confirmation, .same_as = "password",
		.optional = true),
	FIELD(FIELD_TOKEN, sample, token, .max = 64, .optional = true),
	FIELD(FIELD_UUID, sample, id, .optional = true),
	FIELD(FIELD_INT, sample, count, .min = -5, .max = 100, .optional = true, .fallback = 7),
	FIELD(FIELD_DOUBLE, sample, ratio, .optional = true),
	FIELD(FIELD_BOOL, sample, active, .optional = true, .fallback = true),
	FIELD(FIELD_TIME, sample, born_at, .optional = true, .nullable = true),
	FIELD(FIELD_ENUM, sample, colour, .choices = sample_colours, .optional = true,
		.fallback = 2),
	FIELD_OBJECT_OF(&sample_address_schema, sample, address, .optional = true),
	FIELD_LIST_OF(&sample_item_schema, sample, "items", items, item_count, .max = 3,
		.optional = true),
	FIELD(FIELD_TEXT, sample, note, .optional = true, .nullable = true),
	FIELD(FIELD_INT, sample, limit, .min = 1, .optional = true),
};
static const struct schema sample_schema = SCHEMA(sample, sample_fields, "A sample");
