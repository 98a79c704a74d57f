// SPDX-License-Identifier: Apache-2.0
/* PostgreSQL: connections that are lost, full, slow, old, refused, looked up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "db/postgres.h"
#include "test/db/postgres_fixture.h"

static struct postgres_fixture fixture;

static int set_up(void **state)
{
	postgres_fixture_init(&fixture);
	return 0;
}

static int tear_down(void **state)
{
	postgres_fixture_close(&fixture);
	return 0;
}

static const char sleepers_sql[] =
	"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
	" AND wait_event = 'PgSleep'";
static const char kill_sql[] =
	"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
	" WHERE datname = current_database() AND application_name = 'millrace'";

struct number_row {
	int64_t number;
};
static const struct field number_fields[] = {FIELD(FIELD_INT, number_row, number)};
static const struct schema number_row = SCHEMA(number_row, number_fields, "A number");

static const struct db_statement backend = {
	.name = "backend",
	.sql = "SELECT pg_backend_pid() AS number",
	.row = &number_row,
	.reads = true,
};
/* Not marked slow: it goes on a lane. */
static const struct db_statement sleep_on_lane = {
	.name = "sleep_on_lane",
	.sql = "SELECT $1::bigint AS number FROM pg_sleep($2)",
	.params = {DB_INT, DB_DOUBLE},
	.row = &number_row,
	.reads = true,
};
static const struct db_statement sleep_apart = {
	.name = "sleep_apart",
	.sql = "SELECT $1::bigint AS number FROM pg_sleep($2)",
	.params = {DB_INT, DB_DOUBLE},
	.row = &number_row,
	.reads = true,
	.slow = true,
};

static enum flow_verdict ask_backend(struct flow *flow)
{
	return db_query(flow, &backend, DB_NO_VALUES);
}

static enum flow_verdict keep_number(struct flow *flow)
{
	struct number_row row;

	db_row(flow, 0, &row);
	if (flow->state != NULL)
		*(int64_t *)flow->state = row.number;
	return FLOW_DONE;
}

static const struct flow_step ask_steps[] = {STEP(ask_backend), STEP(keep_number), STEPS_END};

static struct ending ask(void)
{
	return postgres_fixture_run(&fixture, ask_steps, 0, NULL);
}

struct sleeper {
	const struct db_statement *statement;
	double seconds;
};

static enum flow_verdict go_to_sleep(struct flow *flow)
{
	const struct sleeper *sleeper = flow->state;
	struct db_value seconds = {.kind = DB_DOUBLE, .number = sleeper->seconds};

	return db_query(flow, sleeper->statement, DB_VALUES(db_int(1), seconds));
}

static enum flow_verdict finish(struct flow *flow)
{
	return FLOW_DONE;
}

static const struct flow_step sleep_steps[] = {STEP(go_to_sleep), STEP(finish), STEPS_END};

static struct flow *start_sleeper(struct sleeper *sleeper, struct ending *ending)
{
	struct flow *flow = postgres_fixture_flow(&fixture, ending, 0, sleeper);

	flow_start(flow, sleep_steps);
	postgres_fixture_await_number(&fixture, sleepers_sql, 1);
	return flow;
}

/* ---- lost ---------------------------------------------------------------------------------------- */

static void a_connection_killed_in_a_query_is_unavailable_and_comes_back(void **state)
{
	struct sleeper sleeper = {&sleep_on_lane, 60};
	struct ending ending;

	postgres_fixture_start(&fixture);
	start_sleeper(&sleeper, &ending);
	postgres_fixture_number(&fixture, kill_sql);
	postgres_fixture_await(&fixture, &ending);
	assert_int_equal(ending.failure, FAILURE_UNAVAILABLE);
	assert_int_equal(ask().failure, FAILURE_NONE);
	assert_true(db_is_up(fixture.db));
}

static bool is_down(void *context)
{
	return !db_is_up(context);
}

static void allow_connections(bool allow)
{
	char sql[160];
	PGconn *libpq = PQconnectdb(getenv("MILLRACE_TEST_POSTGRES_URL"));

	snprintf(sql, sizeof(sql), "ALTER DATABASE %s ALLOW_CONNECTIONS %s", fixture.name,
		allow ? "true" : "false");
	PQclear(PQexec(libpq, sql));
	snprintf(sql, sizeof(sql),
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'",
		fixture.name);
	PQclear(PQexec(libpq, sql));
	PQfinish(libpq);
}

static bool answers(void *context)
{
	return ask().failure == FAILURE_NONE;
}

static void a_database_that_is_down_refuses_and_is_found_again(void **state)
{
	struct ending ending;

	postgres_fixture_start(&fixture);
	assert_int_equal(ask().failure, FAILURE_NONE);
	allow_connections(false);
	assert_true(turn_until(&fixture.loop, is_down, fixture.db));
	for (int i = 0; i < 5; i++) {
		ending = ask();
		assert_int_equal(ending.failure, FAILURE_UNAVAILABLE);
	}
	assert_false(db_is_up(fixture.db));
	allow_connections(true);
	assert_true(turn_until(&fixture.loop, answers, NULL));
	assert_true(db_is_up(fixture.db));
}

/* ---- time ---------------------------------------------------------------------------------------- */

static void a_statement_past_its_timeout_fails_with_deadline(void **state)
{
	struct sleeper sleeper = {&sleep_on_lane, 1.5};
	struct ending ending;

	fixture.settings.statement_timeout_ms = 300;
	postgres_fixture_start(&fixture);
	ending = postgres_fixture_run(&fixture, sleep_steps, 0, &sleeper);
	assert_int_equal(ending.failure, FAILURE_DEADLINE);
	assert_non_null(strstr(ending.cause, "sleep_on_lane"));
	assert_int_equal(ask().failure, FAILURE_NONE);
}

static void a_flow_past_its_deadline_leaves_the_statement_behind(void **state)
{
	struct sleeper sleeper = {&sleep_apart, 60};

	postgres_fixture_start(&fixture);
	assert_int_equal(postgres_fixture_run(&fixture, sleep_steps, 100, &sleeper).failure,
		FAILURE_DEADLINE);
	assert_int_equal(ask().failure, FAILURE_NONE);
	/* Its connection is closed after the drain, and the server notices. */
	postgres_fixture_await_number(&fixture, sleepers_sql, 0);
}

/* ---- full ---------------------------------------------------------------------------------------- */

static enum flow_verdict begin(struct flow *flow)
{
	return db_begin(flow);
}

static enum flow_verdict sleep_in_transaction(struct flow *flow)
{
	return go_to_sleep(flow);
}

static const struct flow_step transaction_steps[] = {
	STEP(begin), STEP(sleep_in_transaction), STEP(finish), STEPS_END};

static struct flow *hold_the_only_one(struct sleeper *sleeper, struct ending *ending)
{
	struct flow *flow = postgres_fixture_flow(&fixture, ending, 0, sleeper);

	flow_start(flow, transaction_steps);
	postgres_fixture_await_number(&fixture, sleepers_sql, 1);
	return flow;
}

static void a_transaction_that_finds_no_connection_in_time_is_busy(void **state)
{
	struct sleeper sleeper = {&sleep_apart, 60};
	struct ending holding, ending;
	struct flow *flow;

	fixture.settings.connections_max = 2;
	fixture.settings.acquire_timeout_ms = 100;
	fixture.settings.connect_timeout_ms = 20000;
	postgres_fixture_start(&fixture);
	while (ask().failure != FAILURE_NONE)
		continue; /* the first connection takes its time */
	flow = hold_the_only_one(&sleeper, &holding);
	ending = postgres_fixture_run(&fixture, transaction_steps, 0, &sleeper);
	assert_int_equal(ending.failure, FAILURE_BUSY);
	assert_non_null(strstr(ending.cause, "acquire_timeout"));
	/* Short statements have a lane all the same. */
	assert_int_equal(ask().failure, FAILURE_NONE);
	flow_stop(flow, FAILURE_CLIENT_GONE);
}

static void a_full_line_is_busy_at_once(void **state)
{
	struct sleeper sleeper = {&sleep_apart, 60};
	struct ending holding, waiting, ending;
	struct flow *flow, *second;

	fixture.settings.connections_max = 2;
	fixture.settings.queue_max = 1;
	postgres_fixture_start(&fixture);
	flow = hold_the_only_one(&sleeper, &holding);
	second = postgres_fixture_flow(&fixture, &waiting, 0, &sleeper);
	flow_start(second, transaction_steps);
	ending = postgres_fixture_run(&fixture, transaction_steps, 0, &sleeper);
	assert_int_equal(ending.failure, FAILURE_BUSY);
	assert_non_null(strstr(ending.cause, "queue_max"));
	assert_int_equal(waiting.count, 0);
	flow_stop(second, FAILURE_CLIENT_GONE);
	flow_stop(flow, FAILURE_CLIENT_GONE);
	assert_int_equal(waiting.failure, FAILURE_CLIENT_GONE);
}

static void one_that_waits_gets_the_connection_when_it_is_free(void **state)
{
	struct sleeper long_one = {&sleep_apart, 60}, short_one = {&sleep_apart, 0};
	struct ending holding, waiting;
	struct flow *flow;

	fixture.settings.connections_max = 2;
	postgres_fixture_start(&fixture);
	flow = hold_the_only_one(&long_one, &holding);
	flow_start(postgres_fixture_flow(&fixture, &waiting, 0, &short_one), transaction_steps);
	assert_int_equal(waiting.count, 0);
	flow_stop(flow, FAILURE_CLIENT_GONE);
	postgres_fixture_await(&fixture, &waiting);
	assert_int_equal(waiting.failure, FAILURE_NONE);
}

/* ---- slow ---------------------------------------------------------------------------------------- */

static void a_statement_marked_slow_delays_no_other(void **state)
{
	struct sleeper sleeper = {&sleep_apart, 60};
	struct ending sleeping;
	struct flow *flow;

	postgres_fixture_start(&fixture);
	flow = start_sleeper(&sleeper, &sleeping);
	for (int i = 0; i < 20; i++)
		assert_int_equal(ask().failure, FAILURE_NONE);
	assert_int_equal(sleeping.count, 0);
	flow_stop(flow, FAILURE_CLIENT_GONE);
}

static void a_lane_that_stalls_takes_no_new_statements(void **state)
{
	struct sleeper sleeper = {&sleep_on_lane, 60};
	struct ending sleeping;
	struct flow *flow;
	uint64_t stalled_ns;

	postgres_fixture_start(&fixture);
	flow = start_sleeper(&sleeper, &sleeping);
	stalled_ns = clock_now_ns() + 2 * LANE_STALL_MS * UINT64_C(1000000);
	while (clock_now_ns() < stalled_ns)
		turn_idle(&fixture.loop);
	for (int i = 0; i < 20; i++)
		assert_int_equal(ask().failure, FAILURE_NONE);
	assert_int_equal(sleeping.count, 0);
	flow_stop(flow, FAILURE_CLIENT_GONE);
}

static void a_statement_that_proves_slow_leaves_the_lanes(void **state)
{
	struct sleeper sleeper = {&sleep_on_lane, 0.05};
	const struct db_statement_info *info;

	fixture.settings.slow_query_ms = 5;
	postgres_fixture_start(&fixture);
	info = db_statement_info((struct db_loop *)fixture.loop.db, &sleep_on_lane);
	assert_false(info->is_slow);
	postgres_fixture_run(&fixture, sleep_steps, 0, &sleeper);
	assert_true(info->is_slow);
	assert_true(info->average_us >= 50000);
	sleeper.seconds = 0;
	for (int i = 0; i < 60 && info->is_slow; i++)
		postgres_fixture_run(&fixture, sleep_steps, 0, &sleeper);
	assert_false(info->is_slow);
}

/* ---- the client leaves ---------------------------------------------------------------------------- */

static void leaving_while_it_connects_harms_nobody(void **state)
{
	struct ending ending;
	struct flow *flow;

	postgres_fixture_start(&fixture);
	flow = postgres_fixture_flow(&fixture, &ending, 0, NULL);
	flow_start(flow, ask_steps);
	flow_stop(flow, FAILURE_CLIENT_GONE);
	assert_int_equal(ending.failure, FAILURE_CLIENT_GONE);
	assert_int_equal(ask().failure, FAILURE_NONE);
}

static void closing_while_flows_wait_ends_them(void **state)
{
	struct ending ending;

	postgres_fixture_start(&fixture);
	flow_start(postgres_fixture_flow(&fixture, &ending, 0, NULL), ask_steps);
	db_detach(&fixture.loop);
	db_detach(&fixture.loop);
	assert_int_equal(ending.failure, FAILURE_SHUTDOWN);
	assert_int_equal(ask().failure, FAILURE_SHUTDOWN);
}

/* The loop ends the flow after the detach, when no timer fires any more. */
static void a_loop_that_stops_does_not_wait_for_the_statement_of_its_flow(void **state)
{
	struct sleeper sleeper = {&sleep_on_lane, 600};
	struct ending ending;

	fixture.settings.statement_timeout_ms = 600000;
	postgres_fixture_start(&fixture);
	start_sleeper(&sleeper, &ending);
	db_detach(&fixture.loop);
	assert_int_equal(ending.count, 0);
	loop_stop(&fixture.loop);
	assert_int_equal(ending.failure, FAILURE_SHUTDOWN);
	loop_run(&fixture.loop);
	loop_deinit(&fixture.loop);
	fixture.has_loop = false;
}

static void a_loop_that_stops_does_not_wait_for_a_transaction(void **state)
{
	struct sleeper sleeper = {&sleep_apart, 600};
	struct ending ending;

	fixture.settings.statement_timeout_ms = 600000;
	postgres_fixture_start(&fixture);
	hold_the_only_one(&sleeper, &ending);
	db_detach(&fixture.loop);
	loop_stop(&fixture.loop);
	assert_int_equal(ending.failure, FAILURE_SHUTDOWN);
	loop_run(&fixture.loop);
	loop_deinit(&fixture.loop);
	fixture.has_loop = false;
}

/* libpq may have closed its socket by then, and the number be another one's. */
static void a_broken_connection_is_not_watched(void **state)
{
	struct postgres_pool *pool;
	struct postgres_connection *connection;

	postgres_fixture_start(&fixture);
	assert_int_equal(ask().failure, FAILURE_NONE);
	pool = (struct postgres_pool *)fixture.loop.db;
	connection = TAILQ_FIRST(&pool->lists[POSTGRES_IDLE]);
	assert_non_null(connection->poll);
	postgres_connection_break(connection, "on purpose");
	assert_null(connection->poll);
	assert_int_equal(ask().failure, FAILURE_NONE);
}

static void one_that_leaves_does_not_end_the_one_before_it(void **state)
{
	struct sleeper first = {&sleep_on_lane, 4}, behind = {&sleep_on_lane, 0};
	struct ending sleeping, waiting;
	struct flow *flow;

	postgres_fixture_start(&fixture);
	assert_int_equal(ask().failure, FAILURE_NONE);
	flow_start(postgres_fixture_flow(&fixture, &sleeping, 0, &first), sleep_steps);
	flow = postgres_fixture_flow(&fixture, &waiting, 0, &behind);
	flow_start(flow, sleep_steps);
	flow_stop(flow, FAILURE_CLIENT_GONE);
	/* Longer than the drain of the one behind. */
	postgres_fixture_await(&fixture, &sleeping);
	assert_string_equal(sleeping.cause, "");
	assert_int_equal(sleeping.failure, FAILURE_NONE);
}

/* Two seconds are the drain of one that has begun. */
static void one_that_left_and_has_only_begun_does_not_end_those_behind_it(void **state)
{
	struct sleeper sleepers[] = {
		{&sleep_on_lane, 1.5}, {&sleep_on_lane, 1}, {&sleep_on_lane, 0}};
	struct ending endings[3];
	struct flow *flows[3];

	postgres_fixture_start(&fixture);
	assert_int_equal(ask().failure, FAILURE_NONE);
	for (int i = 0; i < 3; i++) {
		flows[i] = postgres_fixture_flow(&fixture, &endings[i], 0, &sleepers[i]);
		flow_start(flows[i], sleep_steps);
	}
	flow_stop(flows[1], FAILURE_CLIENT_GONE);
	postgres_fixture_await(&fixture, &endings[2]);
	assert_string_equal(endings[2].cause, "");
	assert_int_equal(endings[0].failure, FAILURE_NONE);
}

/* ---- growing old ----------------------------------------------------------------------------------- */

struct turned {
	int64_t backend;
};

static bool has_another_backend(void *context)
{
	struct turned *turned = context;
	int64_t now = 0;

	assert_int_equal(postgres_fixture_run(&fixture, ask_steps, 0, &now).failure, FAILURE_NONE);
	return now != turned->backend;
}

static void an_old_connection_is_replaced_without_a_failure(void **state)
{
	struct turned turned = {0};

	fixture.settings.connection_lifetime_ms = 1000;
	postgres_fixture_start(&fixture);
	postgres_fixture_run(&fixture, ask_steps, 0, &turned.backend);
	assert_true(turn_until(&fixture.loop, has_another_backend, &turned));
}

/* ---- names and the look at the start ------------------------------------------------------------------ */

static void replace_authority(char *out, size_t size, const char *authority)
{
	const char *path = strchr(strstr(fixture.url, "://") + 3, '/');

	snprintf(out, size, "postgresql://%s%s", authority, path);
}

static const char *server_port(void)
{
	static char port[8];
	PGconn *libpq = postgres_fixture_stranger(&fixture);

	snprintf(port, sizeof(port), "%s", PQport(libpq));
	PQfinish(libpq);
	return port;
}

static void a_host_name_is_looked_up_off_the_loop(void **state)
{
	PGconn *stranger = postgres_fixture_stranger(&fixture);
	char authority[128], url[1200];

	snprintf(authority, sizeof(authority), "%s@localhost:%s", PQuser(stranger), server_port());
	PQfinish(stranger);
	replace_authority(url, sizeof(url), authority);
	fixture.settings.url = text_from_c(url);
	postgres_fixture_start(&fixture);
	assert_int_equal(ask().failure, FAILURE_NONE);
	postgres_fixture_stop(&fixture);
}

static void a_host_that_does_not_exist_is_named(void **state)
{
	char url[1200];
	struct ending ending;

	replace_authority(url, sizeof(url), "ann:s3cret@nowhere.invalid:5432");
	fixture.settings.url = text_from_c(url);
	postgres_fixture_start(&fixture);
	ending = ask();
	assert_int_equal(ending.failure, FAILURE_UNAVAILABLE);
	assert_non_null(strstr(ending.cause, "nowhere.invalid"));
	assert_null(strstr(ending.cause, "s3cret"));
	postgres_fixture_stop(&fixture);
}

static void closing_during_a_name_lookup_leaves_nothing_behind(void **state)
{
	char url[1200];

	replace_authority(url, sizeof(url), "nowhere.invalid:5432");
	fixture.settings.url = text_from_c(url);
	postgres_fixture_start(&fixture);
	uv_run(&fixture.loop.uv, UV_RUN_NOWAIT);
	postgres_fixture_stop(&fixture);
}

static void the_probe_says_yes_or_why_not(void **state)
{
	struct text error = TEXT_ABSENT;
	char sentence[800], url[1200];

	assert_true(db_probe(&fixture.settings, TEXT("."), &fixture.arena, &error));
	replace_authority(url, sizeof(url), "ann:s3cret@127.0.0.1:1");
	fixture.settings.url = text_from_c(url);
	assert_false(db_probe(&fixture.settings, TEXT("."), &fixture.arena, &error));
	snprintf(sentence, sizeof(sentence), "%.*s", TEXT_ARG(error));
	assert_non_null(strstr(sentence, "127.0.0.1:1"));
	assert_non_null(strstr(sentence, "user ann"));
	assert_non_null(strstr(sentence, fixture.name));
	assert_non_null(strstr(sentence, "DATABASE_URL"));
	assert_null(strstr(sentence, "s3cret"));
	fixture.settings.url = TEXT("mysql://x");
	assert_false(db_probe(&fixture.settings, TEXT("."), &fixture.arena, &error));
}

static void a_password_login_works(void **state)
{
	const char *url = getenv("MILLRACE_TEST_POSTGRES_SCRAM_URL");

	if (url == NULL)
		skip();
	fixture.settings.url = text_from_c(url);
	postgres_fixture_start(&fixture);
	assert_int_equal(ask().failure, FAILURE_NONE);
}

static void a_unix_socket_works(void **state)
{
	const char *url = getenv("MILLRACE_TEST_POSTGRES_SOCKET_URL");

	if (url == NULL)
		skip();
	fixture.settings.url = text_from_c(url);
	postgres_fixture_start(&fixture);
	assert_int_equal(ask().failure, FAILURE_NONE);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_connection_killed_in_a_query_is_unavailable_and_comes_back),
		TEST(a_database_that_is_down_refuses_and_is_found_again),
		TEST(a_statement_past_its_timeout_fails_with_deadline),
		TEST(a_flow_past_its_deadline_leaves_the_statement_behind),
		TEST(a_transaction_that_finds_no_connection_in_time_is_busy),
		TEST(a_full_line_is_busy_at_once),
		TEST(one_that_waits_gets_the_connection_when_it_is_free),
		TEST(a_statement_marked_slow_delays_no_other),
		TEST(a_lane_that_stalls_takes_no_new_statements),
		TEST(a_statement_that_proves_slow_leaves_the_lanes),
		TEST(leaving_while_it_connects_harms_nobody),
		TEST(one_that_leaves_does_not_end_the_one_before_it),
		TEST(one_that_left_and_has_only_begun_does_not_end_those_behind_it),
		TEST(closing_while_flows_wait_ends_them),
		TEST(a_loop_that_stops_does_not_wait_for_the_statement_of_its_flow),
		TEST(a_loop_that_stops_does_not_wait_for_a_transaction),
		TEST(a_broken_connection_is_not_watched),
		TEST(an_old_connection_is_replaced_without_a_failure),
		TEST(a_host_name_is_looked_up_off_the_loop),
		TEST(a_host_that_does_not_exist_is_named),
		TEST(closing_during_a_name_lookup_leaves_nothing_behind),
		TEST(the_probe_says_yes_or_why_not),
		TEST(a_password_login_works),
		TEST(a_unix_socket_works),
	};

	postgres_fixture_need_server();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
