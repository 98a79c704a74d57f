// SPDX-License-Identifier: Apache-2.0
/*
 * codec - values to and from PostgreSQL's binary formats (src/backend/utils/adt/ *_send and *_recv):
 * integers big-endian, times in microseconds since 2000-01-01 UTC, uuids as 16 bytes.
 */
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "db/postgres.h"

/* pg_type.dat; fixed for ever. */
enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_CHAR = 18,
	OID_NAME = 19,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_OID = 26,
	OID_JSON = 114,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_UNKNOWN = 705,
	OID_BPCHAR = 1042,
	OID_VARCHAR = 1043,
	OID_DATE = 1082,
	OID_TIMESTAMP = 1114,
	OID_TIMESTAMPTZ = 1184,
	OID_UUID = 2950,
	OID_JSONB = 3802,
	OID_FIRST_OF_USERS = 16384, /* FirstNormalObjectId: enums, citext and other extensions */
};

static const int64_t epoch_2000_ms = INT64_C(946684800000); /* 2000-01-01 in Unix time */
static const int64_t ms_per_day = 86400000;

static Oid type_of(enum db_kind kind)
{
	switch (kind) {
	case DB_TEXT:
		return OID_TEXT;
	case DB_INT:
		return OID_INT8;
	case DB_BOOL:
		return OID_BOOL;
	case DB_UUID:
		return OID_UUID;
	case DB_TIME:
		return OID_TIMESTAMPTZ;
	case DB_BYTES:
		return OID_BYTEA;
	case DB_DOUBLE:
		return OID_FLOAT8;
	case DB_NONE:
		break;
	}
	return 0;
}

void postgres_params_types(
	const struct db_statement *statement, Oid types[static DB_PARAMS_MAX], int *count_out)
{
	int count = 0;

	while (count < DB_PARAMS_MAX && statement->params[count] != DB_NONE) {
		types[count] = type_of(statement->params[count]);
		count++;
	}
	*count_out = count;
}

/* Past what a timestamptz holds it is clamped to a time the server refuses (22008). */
static int64_t time_to_postgres(int64_t unix_ms)
{
	int64_t us;

	if (__builtin_sub_overflow(unix_ms, epoch_2000_ms, &us) ||
		__builtin_mul_overflow(us, 1000, &us))
		return unix_ms < 0 ? INT64_MIN + 1 : INT64_MAX - 1;
	return us;
}

static int64_t time_from_postgres(int64_t us)
{
	if (us == INT64_MAX || us == INT64_MIN) /* 'infinity', '-infinity' */
		return us;
	/* Rounds down, also before 2000. */
	return epoch_2000_ms + us / 1000 - (us % 1000 < 0);
}

static size_t put_fixed(char out[static 16], const struct db_value *value)
{
	uint64_t wire = (uint64_t)value->integer;

	if (value->kind == DB_BOOL) {
		out[0] = value->integer != 0;
		return 1;
	}
	if (value->kind == DB_UUID) {
		memcpy(out, value->uuid.bytes, sizeof(value->uuid.bytes));
		return sizeof(value->uuid.bytes);
	}
	if (value->kind == DB_TIME)
		wire = (uint64_t)time_to_postgres(value->integer);
	else if (value->kind == DB_DOUBLE)
		memcpy(&wire, &value->number, sizeof(wire));
	wire = htobe64(wire);
	memcpy(out, &wire, sizeof(wire));
	return sizeof(wire);
}

void postgres_params_encode(
	struct postgres_params *params, const struct db_value *values, size_t count)
{
	params->count = (int)count;
	for (size_t i = 0; i < count; i++) {
		const struct db_value *value = &values[i];

		params->formats[i] = 1;
		params->lengths[i] = 0;
		params->types[i] = type_of(value->kind);
		if (value->is_null) {
			params->values[i] = NULL;
		} else if (value->kind == DB_TEXT || value->kind == DB_BYTES) {
			params->values[i] = value->text.data;
			params->lengths[i] = (int)value->text.len;
		} else {
			params->lengths[i] = (int)put_fixed(params->fixed[i], value);
			params->values[i] = params->fixed[i];
		}
	}
}

enum db_kind postgres_kind_of(Oid type)
{
	switch (type) {
	case OID_BOOL:
		return DB_BOOL;
	case OID_INT2:
	case OID_INT4:
	case OID_INT8:
	case OID_OID:
		return DB_INT;
	case OID_CHAR:
	case OID_NAME:
	case OID_TEXT:
	case OID_JSON:
	case OID_JSONB:
	case OID_UNKNOWN:
	case OID_BPCHAR:
	case OID_VARCHAR:
		return DB_TEXT;
	case OID_BYTEA:
		return DB_BYTES;
	case OID_FLOAT4:
	case OID_FLOAT8:
		return DB_DOUBLE;
	case OID_DATE:
	case OID_TIMESTAMP:
	case OID_TIMESTAMPTZ:
		return DB_TIME;
	case OID_UUID:
		return DB_UUID;
	}
	return type >= OID_FIRST_OF_USERS ? DB_TEXT : DB_NONE;
}

static uint16_t read_16(const char *data)
{
	uint16_t wire;

	memcpy(&wire, data, sizeof(wire));
	return be16toh(wire);
}

static uint32_t read_32(const char *data)
{
	uint32_t wire;

	memcpy(&wire, data, sizeof(wire));
	return be32toh(wire);
}

static uint64_t read_64(const char *data)
{
	uint64_t wire;

	memcpy(&wire, data, sizeof(wire));
	return be64toh(wire);
}

static bool decode_int(Oid type, const char *data, size_t len, int64_t *out)
{
	if (type == OID_INT8 && len == 8)
		*out = (int64_t)read_64(data);
	else if (type == OID_INT4 && len == 4)
		*out = (int32_t)read_32(data);
	else if (type == OID_OID && len == 4)
		*out = read_32(data);
	else if (type == OID_INT2 && len == 2)
		*out = (int16_t)read_16(data);
	else
		return false;
	return true;
}

static bool decode_double(Oid type, const char *data, size_t len, double *out)
{
	if (type == OID_FLOAT8 && len == 8) {
		uint64_t bits = read_64(data);

		memcpy(out, &bits, sizeof(bits));
		return true;
	}
	if (type == OID_FLOAT4 && len == 4) {
		uint32_t bits = read_32(data);
		float number;

		memcpy(&number, &bits, sizeof(bits));
		*out = (double)number;
		return true;
	}
	return false;
}

static bool decode_time(Oid type, const char *data, size_t len, int64_t *out)
{
	if (type == OID_DATE) {
		if (len != 4)
			return false;
		*out = epoch_2000_ms + (int32_t)read_32(data) * ms_per_day;
		return true;
	}
	if (len != 8)
		return false;
	*out = time_from_postgres((int64_t)read_64(data));
	return true;
}

static bool decode_text(Oid type, const char *data, size_t len, struct text *out)
{
	if (type == OID_JSONB) { /* a version byte, then the text */
		if (len == 0 || data[0] != 1)
			return false;
		data++;
		len--;
	}
	*out = text_of(data, len);
	/* The server checks text; what an extension sends may be anything. */
	return type < OID_FIRST_OF_USERS ||
		(text_is_utf8(*out) && (len == 0 || memchr(data, '\0', len) == NULL));
}

bool postgres_value_decode(Oid type, const char *data, size_t len, struct db_value *out)
{
	*out = (struct db_value) {.kind = postgres_kind_of(type)};
	switch (out->kind) {
	case DB_INT:
		return decode_int(type, data, len, &out->integer);
	case DB_BOOL:
		out->integer = len == 1 && data[0] != 0;
		return len == 1;
	case DB_TIME:
		return decode_time(type, data, len, &out->integer);
	case DB_DOUBLE:
		return decode_double(type, data, len, &out->number);
	case DB_TEXT:
		return decode_text(type, data, len, &out->text);
	case DB_BYTES:
		out->text = text_of(data, len);
		return true;
	case DB_UUID:
		if (len != sizeof(out->uuid.bytes))
			return false;
		memcpy(out->uuid.bytes, data, len);
		return true;
	case DB_NONE:
		break;
	}
	return false;
}

static bool cell(const PGresult *rows, int row, int column, struct db_value *out)
{
	if (PQgetisnull(rows, row, column)) {
		*out = (struct db_value) {
			.kind = postgres_kind_of(PQftype(rows, column)), .is_null = true};
		return true;
	}
	return postgres_value_decode(PQftype(rows, column), PQgetvalue(rows, row, column),
		(size_t)PQgetlength(rows, row, column), out);
}

static bool map_columns(
	struct db_statement_info *info, const PGresult *rows, char *cause, size_t cause_size)
{
	int count = PQnfields(rows);

	if (info->columns_known && info->columns.count == (size_t)count)
		return true;
	info->columns_known = false;
	info->columns.count = 0;
	for (int column = 0; column < count; column++)
		if (!db_columns_add(&info->columns, info->statement, PQfname(rows, column), cause,
			    cause_size))
			return false;
	info->columns_known = true;
	return true;
}

/* May values of the column's type always be put in the field, or does it depend on the value? */
enum fit { FITS, FITS_SOME, FITS_NOT };

static enum fit column_fit(const struct field *field, Oid type)
{
	struct db_value probe = {.kind = postgres_kind_of(type)};

	if (field->kind == FIELD_ENUM)
		return probe.kind == DB_TEXT || probe.kind == DB_INT ? FITS_SOME : FITS_NOT;
	if (probe.kind == DB_NONE)
		return FITS_NOT;
	if (field->kind == FIELD_UUID && probe.kind == DB_BYTES)
		return FITS_SOME;
	if (field->kind == FIELD_BOOL && probe.kind == DB_INT)
		return FITS_SOME;
	if (!db_field_takes(field, &probe))
		return FITS_NOT;
	return type >= OID_FIRST_OF_USERS ? FITS_SOME : FITS;
}

static bool values_fit(const struct field *field, const PGresult *rows, int column)
{
	struct db_value value;

	for (int row = 0; row < PQntuples(rows); row++)
		if (!cell(rows, row, column, &value) || !db_field_takes(field, &value))
			return false;
	return true;
}

bool postgres_rows_check(
	struct db_statement_info *info, const PGresult *rows, char *cause, size_t cause_size)
{
	if (info->statement->row == NULL)
		return true;
	if (!map_columns(info, rows, cause, cause_size))
		return false;
	for (size_t i = 0; i < info->columns.count; i++) {
		const struct field *field = info->columns.fields[i];
		Oid type = PQftype(rows, (int)i);
		enum fit fit = column_fit(field, type);

		if (fit == FITS || (fit == FITS_SOME && values_fit(field, rows, (int)i)))
			continue;
		snprintf(cause, cause_size,
			"statement %s: column %s (type %u) does not fit its field",
			info->statement->name, field->name, type);
		return false;
	}
	return true;
}

static void read_row(const struct db_result *result, size_t index, void *out)
{
	const struct postgres_op *op = (const struct postgres_op *)((const char *)result -
		offsetof(struct postgres_op, result));
	const struct db_columns *columns = &op->info->columns;
	struct db_value value;

	for (size_t i = 0; i < columns->count; i++)
		if (cell(op->rows, (int)index, (int)i, &value))
			db_field_put(columns->fields[i], &value, out);
}

const struct db_result_driver postgres_rows = {.row = read_row};
