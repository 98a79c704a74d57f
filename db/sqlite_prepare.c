// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_prepare - statements compiled once per connection, found by address.
 */
#include "db/sqlite.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { PREPARED_FIRST_SLOTS = 64 };

static struct sqlite_prepared *find_slot(
	struct sqlite_prepared *table, size_t slots, const struct db_statement *statement)
{
	/* Fibonacci hashing (Knuth, TAOCP 3, 6.4). */
	size_t slot = (size_t)(((uintptr_t)statement >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
		(slots - 1);

	while (table[slot].statement != NULL && table[slot].statement != statement)
		slot = (slot + 1) & (slots - 1);
	return &table[slot];
}

static bool grow_table(struct sqlite_connection *connection)
{
	size_t slots = connection->prepared_slots == 0 ? PREPARED_FIRST_SLOTS
						       : connection->prepared_slots * 2;
	struct sqlite_prepared *table = calloc(slots, sizeof(*table));

	if (table == NULL)
		return false;
	for (size_t i = 0; i < connection->prepared_slots; i++) {
		const struct sqlite_prepared *old = &connection->prepared[i];

		if (old->statement != NULL)
			*find_slot(table, slots, old->statement) = *old;
	}
	free(connection->prepared);
	connection->prepared = table;
	connection->prepared_slots = slots;
	return true;
}

/* $1, $2 ... by name, so that their order in the text does not matter. */
static bool map_parameters(struct sqlite_prepared *prepared, char *cause)
{
	int known = 0;

	for (size_t i = 0; i < DB_PARAMS_MAX && prepared->statement->params[i] != DB_NONE; i++) {
		char name[8];

		snprintf(name, sizeof(name), "$%zu", i + 1);
		prepared->parameters[i] = sqlite3_bind_parameter_index(prepared->handle, name);
		known += prepared->parameters[i] > 0;
	}
	if (known == sqlite3_bind_parameter_count(prepared->handle))
		return true;
	snprintf(cause, SQLITE_CAUSE_MAX, "statement %s has a parameter that is not in params",
		prepared->statement->name);
	return false;
}

static bool map_columns(struct sqlite_prepared *prepared, char *cause)
{
	int count = sqlite3_column_count(prepared->handle);

	for (int i = 0; i < count; i++)
		if (!db_columns_add(&prepared->columns, prepared->statement,
			    sqlite3_column_name(prepared->handle, i), cause, SQLITE_CAUSE_MAX))
			return false;
	return true;
}

static bool is_blank(const char *text)
{
	while (isspace((unsigned char)*text) || *text == ';')
		text++;
	return *text == '\0';
}

static int compile(
	struct sqlite_connection *connection, struct sqlite_prepared *prepared, char *cause)
{
	const struct db_statement *statement = prepared->statement;
	const char *sql = statement->sqlite_sql != NULL ? statement->sqlite_sql : statement->sql;
	const char *tail = "";
	int code = sqlite3_prepare_v3(
		connection->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared->handle, &tail);

	if (code != SQLITE_OK) {
		snprintf(cause, SQLITE_CAUSE_MAX, "statement %s: %s", statement->name,
			sqlite3_errmsg(connection->handle));
		return code;
	}
	if (prepared->handle == NULL || !is_blank(tail)) {
		snprintf(cause, SQLITE_CAUSE_MAX, "statement %s must be exactly one statement",
			statement->name);
		return SQLITE_ERROR;
	}
	if (statement->reads && !sqlite3_stmt_readonly(prepared->handle)) {
		snprintf(cause, SQLITE_CAUSE_MAX, "statement %s says that it reads, but writes",
			statement->name);
		return SQLITE_ERROR;
	}
	return map_parameters(prepared, cause) && map_columns(prepared, cause) ? SQLITE_OK
									       : SQLITE_ERROR;
}

struct sqlite_prepared *sqlite_connection_prepare(struct sqlite_connection *connection,
	const struct db_statement *statement, int *code_out, char cause[static SQLITE_CAUSE_MAX])
{
	struct sqlite_prepared made = {.statement = statement};
	struct sqlite_prepared *slot;

	if (connection->prepared_slots > 0) {
		slot = find_slot(connection->prepared, connection->prepared_slots, statement);
		if (slot->statement != NULL)
			return slot;
	}
	*code_out = SQLITE_NOMEM;
	snprintf(cause, SQLITE_CAUSE_MAX, "no memory");
	if ((connection->prepared_count + 1) * 2 > connection->prepared_slots &&
		!grow_table(connection))
		return NULL;
	*code_out = compile(connection, &made, cause);
	if (*code_out != SQLITE_OK) {
		sqlite3_finalize(made.handle);
		return NULL;
	}
	slot = find_slot(connection->prepared, connection->prepared_slots, statement);
	*slot = made;
	connection->prepared_count++;
	return slot;
}
