// SPDX-License-Identifier: Apache-2.0
/* Every SQL statement of every domain is prepared on both engines, on the migrated schema; its parameters
 * are as many as it says and its columns are fields of its row. */
#include <libpq-fe.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "db/postgres.h"
#include "test/support/house.h"

typedef void check_fn(const struct db_statement *statement, void *connection);

static size_t each_statement(check_fn *check, void *connection)
{
	size_t count = 0;

	for (size_t i = 0; domain_list[i] != NULL; i++) {
		const struct db_statement_list *statements = &domain_list[i]->statements;

		for (size_t j = 0; j < statements->count; j++, count++)
			check(statements->list[j], connection);
	}
	return count;
}

static size_t param_count(const struct db_statement *statement)
{
	size_t count = 0;

	while (count < DB_PARAMS_MAX && statement->params[count] != DB_NONE)
		count++;
	return count;
}

static void check_column(const struct db_statement *statement, const char *name)
{
	if (statement->row == NULL || schema_field(statement->row, text_from_c(name)) == NULL)
		fail_msg("%s: column %s is no field of its row", statement->name, name);
}

static void prepare_on_sqlite(const struct db_statement *statement, void *connection)
{
	const char *sql = statement->sqlite_sql ? statement->sqlite_sql : statement->sql;
	sqlite3_stmt *prepared;
	const char *tail;

	if (sqlite3_prepare_v2(connection, sql, -1, &prepared, &tail) != SQLITE_OK)
		fail_msg("%s: %s", statement->name, sqlite3_errmsg(connection));
	assert_int_equal(strspn(tail, " ;\n\t"), strlen(tail)); /* one statement, not two */
	if ((size_t)sqlite3_bind_parameter_count(prepared) != param_count(statement))
		fail_msg("%s: %d parameters, %zu declared", statement->name,
			sqlite3_bind_parameter_count(prepared), param_count(statement));
	for (int i = 0; i < sqlite3_column_count(prepared); i++)
		check_column(statement, sqlite3_column_name(prepared, i));
	if (statement->reads && !sqlite3_stmt_readonly(prepared))
		fail_msg("%s says that it reads, and writes", statement->name);
	sqlite3_finalize(prepared);
}

static void prepare_on_postgres(const struct db_statement *statement, void *connection)
{
	Oid types[DB_PARAMS_MAX];
	int count;
	PGresult *result;

	postgres_params_types(statement, types, &count);
	result = PQprepare(connection, statement->name, statement->sql, count, types);

	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", statement->name, PQresultErrorMessage(result));
	PQclear(result);
	result = PQdescribePrepared(connection, statement->name);
	assert_int_equal(PQnparams(result), param_count(statement));
	for (int i = 0; i < PQnfields(result); i++)
		check_column(statement, PQfname(result, i));
	PQclear(result);
}

static void every_statement_is_good_on_sqlite(void **state)
{
	struct house house;
	char path[TEMPORARY_MAX + 32];
	sqlite3 *connection;

	(void)state;
	assert_true(house_open(&house, "sqlite"));
	snprintf(path, sizeof(path), "%s/millrace.db", house.folder);
	assert_int_equal(sqlite3_open(path, &connection), SQLITE_OK);
	assert_in_range(each_statement(prepare_on_sqlite, connection), 20, 1000);
	sqlite3_close(connection);
	house_close(&house);
}

static void every_statement_is_good_on_postgresql(void **state)
{
	struct house house;
	PGconn *connection;

	(void)state;
	if (!house_open(&house, "postgresql"))
		skip();
	connection = PQconnectdb(house.url);
	assert_int_equal(PQstatus(connection), CONNECTION_OK);
	assert_in_range(each_statement(prepare_on_postgres, connection), 20, 1000);
	PQfinish(connection);
	house_close(&house);
}

static void names_are_unique(void **state)
{
	const char *names[512];
	size_t count = 0;

	(void)state;
	for (size_t i = 0; domain_list[i] != NULL; i++) {
		for (size_t j = 0; j < domain_list[i]->statements.count; j++) {
			const char *name = domain_list[i]->statements.list[j]->name;

			for (size_t k = 0; k < count; k++)
				assert_string_not_equal(name, names[k]);
			names[count++] = name;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_unique),
		cmocka_unit_test(every_statement_is_good_on_sqlite),
		cmocka_unit_test(every_statement_is_good_on_postgresql),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
