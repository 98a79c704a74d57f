// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "core/secret.h"

/* Like realloc, but leaves nothing readable behind: rows may hold hashes and tokens. */
static void *grow(void *old, size_t used_bytes, size_t new_bytes)
{
	void *new = malloc(new_bytes);

	if (new == NULL)
		return NULL;
	if (used_bytes > 0) {
		memcpy(new, old, used_bytes);
		secret_wipe(old, used_bytes);
	}
	free(old);
	return new;
}

static size_t wider(size_t capacity, size_t least, size_t first)
{
	size_t new_capacity = capacity == 0 ? first : capacity * 2;

	return new_capacity < least ? least : new_capacity;
}

static bool reserve_cells(struct sqlite_rows *rows, size_t more)
{
	size_t needed = rows->cell_count + more;
	size_t capacity;
	void *cells;

	if (needed <= rows->cell_capacity)
		return true;
	capacity = wider(rows->cell_capacity, needed, 16);
	cells = grow(rows->cells, rows->cell_count * sizeof(*rows->cells),
		capacity * sizeof(*rows->cells));
	if (cells == NULL)
		return false;
	rows->cells = cells;
	rows->cell_capacity = capacity;
	return true;
}

static bool reserve_bytes(struct sqlite_rows *rows, size_t more)
{
	size_t needed = rows->byte_count + more;
	size_t capacity;
	void *bytes;

	if (needed <= rows->byte_capacity)
		return true;
	capacity = wider(rows->byte_capacity, needed, 256);
	bytes = grow(rows->bytes, rows->byte_count, capacity);
	if (bytes == NULL)
		return false;
	rows->bytes = bytes;
	rows->byte_capacity = capacity;
	return true;
}

static int add_bytes(struct sqlite_rows *rows, struct sqlite_cell *cell, const void *data, int len)
{
	size_t size = (size_t)len;

	if (rows->byte_count + size > SQLITE_RESULT_MAX_BYTES)
		return SQLITE_TOOBIG;
	if (!reserve_bytes(rows, size))
		return SQLITE_NOMEM;
	cell->offset = rows->byte_count;
	cell->len = (uint32_t)size;
	if (size > 0)
		memcpy(rows->bytes + rows->byte_count, data, size);
	rows->byte_count += size;
	return SQLITE_OK;
}

static int add_cell(struct sqlite_rows *rows, sqlite3_stmt *statement, int column)
{
	struct sqlite_cell *cell = &rows->cells[rows->cell_count];
	const void *data;
	int code = SQLITE_OK;

	*cell = (struct sqlite_cell) {.type = (uint8_t)sqlite3_column_type(statement, column)};
	switch (cell->type) {
	case SQLITE_INTEGER:
		cell->integer = sqlite3_column_int64(statement, column);
		break;
	case SQLITE_FLOAT:
		cell->number = sqlite3_column_double(statement, column);
		break;
	case SQLITE_TEXT:
		data = sqlite3_column_text(statement, column);
		if (data == NULL)
			return SQLITE_NOMEM;
		code = add_bytes(rows, cell, data, sqlite3_column_bytes(statement, column));
		break;
	case SQLITE_BLOB:
		data = sqlite3_column_blob(statement, column); /* NULL when empty */
		code = add_bytes(rows, cell, data, sqlite3_column_bytes(statement, column));
		break;
	}
	if (code == SQLITE_OK)
		rows->cell_count++;
	return code;
}

int sqlite_rows_add(struct sqlite_rows *rows, sqlite3_stmt *statement)
{
	int columns = (int)rows->columns.count;

	if ((rows->cell_count + (size_t)columns) * sizeof(*rows->cells) > SQLITE_RESULT_MAX_BYTES)
		return SQLITE_TOOBIG;
	if (!reserve_cells(rows, (size_t)columns))
		return SQLITE_NOMEM;
	for (int column = 0; column < columns; column++) {
		int code = add_cell(rows, statement, column);

		if (code != SQLITE_OK)
			return code;
	}
	return SQLITE_OK;
}

static struct db_value read_cell(const struct sqlite_rows *rows, const struct sqlite_cell *cell)
{
	switch (cell->type) {
	case SQLITE_INTEGER:
		return (struct db_value) {.kind = DB_INT, .integer = cell->integer};
	case SQLITE_FLOAT:
		return (struct db_value) {.kind = DB_DOUBLE, .number = cell->number};
	case SQLITE_TEXT:
	case SQLITE_BLOB:
		return (struct db_value) {
			.kind = cell->type == SQLITE_TEXT ? DB_TEXT : DB_BYTES,
			.text = text_of(cell->len > 0 ? rows->bytes + cell->offset : "", cell->len),
		};
	}
	return (struct db_value) {.kind = DB_TEXT, .is_null = true};
}

const struct field *sqlite_rows_misfit(const struct sqlite_rows *rows)
{
	for (size_t i = 0; i < rows->cell_count; i++) {
		const struct field *field = rows->columns.fields[i % rows->columns.count];
		struct db_value value = read_cell(rows, &rows->cells[i]);

		if (!db_field_takes(field, &value))
			return field;
	}
	return NULL;
}

void sqlite_rows_read(const struct sqlite_rows *rows, size_t index, void *out)
{
	const struct sqlite_cell *cells = rows->cells + index * rows->columns.count;

	for (size_t column = 0; column < rows->columns.count; column++) {
		struct db_value value = read_cell(rows, &cells[column]);

		db_field_put(rows->columns.fields[column], &value, out);
	}
}

void sqlite_rows_clear(struct sqlite_rows *rows)
{
	if (rows->byte_count > 0)
		secret_wipe(rows->bytes, rows->byte_count);
	if (rows->cell_count > 0)
		secret_wipe(rows->cells, rows->cell_count * sizeof(*rows->cells));
	rows->cell_count = 0;
	rows->byte_count = 0;
}

void sqlite_rows_free(struct sqlite_rows *rows)
{
	sqlite_rows_clear(rows);
	free(rows->cells);
	free(rows->bytes);
	*rows = (struct sqlite_rows) {0};
}
