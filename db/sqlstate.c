// SPDX-License-Identifier: Apache-2.0
#include "db/sqlstate.h"

#include <string.h>

struct sqlstate_row {
	const char *prefix; /* five letters: the code; two: its class */
	enum failure failure;
};

/* Codes before classes: the first row that fits is taken. */
static const struct sqlstate_row rows[] = {
	{"23505", FAILURE_CONFLICT}, /* unique_violation */
	{"23503", FAILURE_CONFLICT}, /* foreign_key_violation */
	{"23P01", FAILURE_CONFLICT}, /* exclusion_violation */
	{"23001", FAILURE_CONFLICT}, /* restrict_violation */
	{"23502", FAILURE_INVALID}, /* not_null_violation */
	{"23514", FAILURE_INVALID}, /* check_violation */
	{"22P02", FAILURE_INVALID}, /* invalid_text_representation */
	{"22001", FAILURE_INVALID}, /* string_data_right_truncation */
	{"22003", FAILURE_INVALID}, /* numeric_value_out_of_range */
	{"22008", FAILURE_INVALID}, /* datetime_field_overflow */
	{"22021", FAILURE_INVALID}, /* character_not_in_repertoire */
	{"40001", FAILURE_RETRY}, /* serialization_failure */
	{"40P01", FAILURE_RETRY}, /* deadlock_detected */
	{"55P03", FAILURE_RETRY}, /* lock_not_available */
	{"25006", FAILURE_READ_ONLY}, /* read_only_sql_transaction: a replica */
	{"25P03", FAILURE_DEADLINE}, /* idle_in_transaction_session_timeout */
	{"26000", FAILURE_UNAVAILABLE}, /* invalid_sql_statement_name: the prepared one was lost */
	{"53100", FAILURE_STORAGE_FULL}, /* disk_full */
	{"53200", FAILURE_UNAVAILABLE}, /* out_of_memory, the server's */
	{"53300", FAILURE_BUSY}, /* too_many_connections */
	{"57014", FAILURE_DEADLINE}, /* query_canceled: statement_timeout */
	{"57P01", FAILURE_UNAVAILABLE}, /* admin_shutdown */
	{"57P02", FAILURE_UNAVAILABLE}, /* crash_shutdown */
	{"57P03", FAILURE_UNAVAILABLE}, /* cannot_connect_now: it is starting */
	{"57P05", FAILURE_UNAVAILABLE}, /* idle_session_timeout */
	{"08", FAILURE_UNAVAILABLE}, /* connection exceptions */
	{"22", FAILURE_INVALID}, /* data exceptions */
	{"23", FAILURE_INVALID}, /* integrity constraint violations */
	{"40", FAILURE_RETRY}, /* transaction rollback */
	{"53", FAILURE_UNAVAILABLE}, /* insufficient resources */
	{"54", FAILURE_INVALID}, /* program limit exceeded: a row or an index entry too large */
	{"57", FAILURE_UNAVAILABLE}, /* operator intervention */
	{"58", FAILURE_UNAVAILABLE}, /* system errors outside PostgreSQL: I/O */
};

enum failure sqlstate_failure(const char *sqlstate)
{
	if (sqlstate == NULL || sqlstate[0] == '\0')
		return FAILURE_UNAVAILABLE;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strncmp(sqlstate, rows[i].prefix, strlen(rows[i].prefix)) == 0)
			return rows[i].failure;
	return FAILURE_INTERNAL;
}

enum db_outcome sqlstate_outcome(const char *sqlstate)
{
	if (sqlstate == NULL)
		return DB_OK;
	if (strcmp(sqlstate, "23505") == 0)
		return DB_UNIQUE_VIOLATION;
	if (strcmp(sqlstate, "23503") == 0)
		return DB_FOREIGN_KEY_VIOLATION;
	return DB_OK;
}

bool sqlstate_ends_connection(const char *sqlstate)
{
	if (sqlstate == NULL)
		return false;
	return strncmp(sqlstate, "57P", 3) == 0 || strncmp(sqlstate, "08", 2) == 0 ||
		strcmp(sqlstate, "25P03") == 0;
}

bool sqlstate_message_is_safe(const char *sqlstate)
{
	/* Data exceptions quote the value; user-defined errors (P0001) say whatever they like. */
	return sqlstate != NULL && strncmp(sqlstate, "22", 2) != 0 &&
		strncmp(sqlstate, "23", 2) != 0 && strncmp(sqlstate, "P0", 2) != 0;
}
