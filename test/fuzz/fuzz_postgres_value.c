// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a column of any type, put into a field of every kind. */
#include <string.h>

#include "db/postgres.h"

static const char *const choices[] = {"low", "high", NULL};

struct row {
	struct text a_text;
	struct uuid a_uuid;
	int64_t an_int, a_time, a_choice;
	double a_double;
	bool a_bool;
};

static const struct field fields[] = {
	FIELD(FIELD_TEXT, row, a_text),
	FIELD(FIELD_UUID, row, a_uuid),
	FIELD(FIELD_INT, row, an_int),
	FIELD(FIELD_TIME, row, a_time),
	FIELD(FIELD_DOUBLE, row, a_double),
	FIELD(FIELD_ENUM, row, a_choice, .choices = choices),
	FIELD(FIELD_BOOL, row, a_bool),
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct postgres_params params;
	struct db_value value;
	uint16_t type;

	if (size < sizeof(type))
		return 0;
	memcpy(&type, data, sizeof(type));
	if (!postgres_value_decode(type, (const char *)data + 2, size - 2, &value))
		return 0;
	postgres_params_encode(&params, &value, 1);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct row row = {.an_int = 0};

		if (db_field_takes(&fields[i], &value))
			db_field_put(&fields[i], &value, &row);
	}
	return 0;
}
