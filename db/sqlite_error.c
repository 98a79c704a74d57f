// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite.h"

#include <stdio.h>
#include <string.h>

/* Extended codes first, then primary ones: https://www.sqlite.org/rescode.html */
static const struct {
	int code;
	enum failure failure;
} failures[] = {
	{SQLITE_CONSTRAINT_UNIQUE, FAILURE_CONFLICT},
	{SQLITE_CONSTRAINT_PRIMARYKEY, FAILURE_CONFLICT},
	{SQLITE_CONSTRAINT_ROWID, FAILURE_CONFLICT},
	{SQLITE_CONSTRAINT_FOREIGNKEY, FAILURE_CONFLICT},
	{SQLITE_BUSY_SNAPSHOT, FAILURE_RETRY},
	{SQLITE_READONLY_DBMOVED, FAILURE_UNAVAILABLE},
	{SQLITE_IOERR_NOMEM, FAILURE_MEMORY},
	{SQLITE_CONSTRAINT,
		FAILURE_INVALID}, /* check, not null, a STRICT table's type, a trigger's raise */
	{SQLITE_MISMATCH, FAILURE_INVALID},
	{SQLITE_TOOBIG, FAILURE_INVALID},
	{SQLITE_BUSY, FAILURE_BUSY},
	{SQLITE_LOCKED, FAILURE_BUSY},
	{SQLITE_NOMEM, FAILURE_MEMORY},
	{SQLITE_READONLY, FAILURE_READ_ONLY},
	{SQLITE_INTERRUPT, FAILURE_DEADLINE},
	{SQLITE_IOERR, FAILURE_UNAVAILABLE},
	{SQLITE_CORRUPT, FAILURE_UNAVAILABLE},
	{SQLITE_NOTADB, FAILURE_UNAVAILABLE},
	{SQLITE_CANTOPEN, FAILURE_UNAVAILABLE},
	{SQLITE_PROTOCOL, FAILURE_UNAVAILABLE},
	{SQLITE_FULL, FAILURE_STORAGE_FULL},
	{SQLITE_SCHEMA, FAILURE_RETRY},
};

enum failure sqlite_failure(int extended_code)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		int code = failures[i].code;

		if (code == extended_code || (code < 256 && code == (extended_code & 0xff)))
			return failures[i].failure;
	}
	return FAILURE_INTERNAL;
}

enum db_outcome sqlite_expected(const struct db_statement *statement, int extended_code)
{
	switch (extended_code) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return statement->expects & DB_EXPECTS_UNIQUE ? DB_UNIQUE_VIOLATION : DB_OK;
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return statement->expects & DB_EXPECTS_FOREIGN_KEY ? DB_FOREIGN_KEY_VIOLATION
								   : DB_OK;
	}
	return DB_OK;
}

void sqlite_constraint(const char *message, char *out, size_t size)
{
	const char *colon = strstr(message, ": ");

	snprintf(out, size, "%s", colon != NULL ? colon + 2 : "");
}
