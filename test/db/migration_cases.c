// SPDX-License-Identifier: Apache-2.0
#include "test/db/migration_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"

enum { PROCESSES = 4 };

#define BOTH(version_, up_, down_) \
	{ \
		.version = (version_), .up = (up_), .down = (down_), .sqlite_up = (up_), \
		.sqlite_down = (down_) \
	}

static const struct migration shelves[] = {
	BOTH("20260102_0002_rooms",
		"CREATE TABLE rooms (id int PRIMARY KEY);\nINSERT INTO rooms VALUES (1);\n"
		"INSERT INTO rooms VALUES (2);",
		"DROP TABLE rooms;"),
	BOTH("20260104_0001_lamps",
		"CREATE TABLE lamps (room int REFERENCES rooms (id));"
		"INSERT INTO lamps SELECT id FROM rooms",
		"DROP TABLE lamps;"),
};
static const struct migration people[] = {
	BOTH("20260101_0001_users", "CREATE TABLE users (id int PRIMARY KEY)", "DROP TABLE users"),
	BOTH("20260103_0001_keys", "CREATE TABLE keys (room int REFERENCES rooms (id))",
		"DROP TABLE keys"),
};
static const struct migration_list lists[] = {{shelves, 2}, {people, 2}};

struct seen {
	char text[512];
};

static void see(void *context, const char *version, bool up, uint64_t took_ms)
{
	struct seen *seen = context;
	size_t len = strlen(seen->text);

	assert_true(took_ms < 3600000);
	snprintf(seen->text + len, sizeof(seen->text) - len, "%c%.13s ", up ? '+' : '-', version);
}

/* ---- the three calls, short ------------------------------------------------------------------ */

static struct text error;

static bool up_lists(const struct migration_list *some, size_t count, size_t limit, size_t *done)
{
	return migrations_up(&migration_place.settings, migration_place.data_dir, some, count,
		limit, NULL, NULL, &migration_place.arena, done, &error);
}

static void up(size_t limit, size_t expected)
{
	size_t done = 99;

	if (!up_lists(lists, 2, limit, &done))
		fail_msg("%.*s", TEXT_ARG(error));
	assert_int_equal(done, expected);
}

static bool down_lists(const struct migration_list *some, size_t count, size_t limit, size_t *done)
{
	return migrations_down(&migration_place.settings, migration_place.data_dir, some, count,
		limit, NULL, NULL, &migration_place.arena, done, &error);
}

static void down(size_t limit, size_t expected)
{
	size_t done = 99;

	if (!down_lists(lists, 2, limit, &done))
		fail_msg("%.*s", TEXT_ARG(error));
	assert_int_equal(done, expected);
}

static void expect_error(const char *part)
{
	char message[1024];

	snprintf(message, sizeof(message), "%.*s", TEXT_ARG(error));
	if (strstr(message, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", message, part);
}

static int64_t applied(void)
{
	return migration_place.number("SELECT count(*) FROM schema_migrations");
}

/* ---- cases ----------------------------------------------------------------------------------- */

void all_pending_migrations_are_applied_in_order(void **state)
{
	struct seen seen = {""};
	size_t done;

	assert_true(migrations_up(&migration_place.settings, migration_place.data_dir, lists, 2, 0,
		see, &seen, &migration_place.arena, &done, &error));
	assert_int_equal(done, 4);
	assert_string_equal(
		seen.text, "+20260101_0001 +20260102_0002 +20260103_0001 +20260104_0001 ");
	assert_int_equal(migration_place.number("SELECT count(*) FROM lamps"), 2);
	assert_int_equal(applied(), 4);
}

void up_down_up_ends_where_up_ended(void **state)
{
	struct seen seen = {""};
	size_t done;

	up(0, 4);
	assert_true(migrations_down(&migration_place.settings, migration_place.data_dir, lists, 2,
		0, see, &seen, &migration_place.arena, &done, &error));
	assert_int_equal(done, 4);
	assert_string_equal(
		seen.text, "-20260104_0001 -20260103_0001 -20260102_0002 -20260101_0001 ");
	assert_false(migration_place.has_table("rooms"));
	assert_int_equal(applied(), 0);
	up(0, 4);
	assert_int_equal(migration_place.number("SELECT count(*) FROM lamps"), 2);
}

void a_limit_applies_so_many(void **state)
{
	up(3, 3);
	assert_false(migration_place.has_table("lamps"));
	up(3, 1);
	down(1, 1);
	assert_false(migration_place.has_table("lamps"));
	assert_true(migration_place.has_table("keys"));
}

void nothing_to_do_does_nothing(void **state)
{
	down(1, 0);
	up(0, 4);
	up(0, 0);
	up(1, 0);
}

static struct migration_list edited_list(struct migration *copy)
{
	memcpy(copy, people, sizeof(people));
	copy[0].up = copy[0].sqlite_up = "CREATE TABLE users (id int PRIMARY KEY, edited int)";
	return (struct migration_list) {copy, 2};
}

void an_edited_migration_that_was_applied_is_refused(void **state)
{
	struct migration copy[2];
	struct migration_list edited[2] = {edited_list(copy), lists[0]};
	size_t done = 99;

	up(1, 1);
	assert_false(up_lists(edited, 2, 0, &done));
	assert_int_equal(done, 0);
	expect_error("20260101_0001_users");
	expect_error("edited");
	/* not even what comes after it */
	assert_false(migration_place.has_table("rooms"));
	up(0, 3);
}

void an_edited_migration_can_be_taken_back(void **state)
{
	struct migration copy[2];
	struct migration_list edited[2] = {edited_list(copy), lists[0]};
	size_t done;

	up(1, 1);
	assert_true(down_lists(edited, 2, 1, &done));
	assert_int_equal(done, 1);
	assert_true(up_lists(edited, 2, 1, &done));
	assert_int_equal(migration_place.number("SELECT count(edited) FROM users"), 0);
}

void a_migration_of_another_program_is_left_alone(void **state)
{
	size_t done = 99;

	up(0, 4);
	/* a program that knows the people only: rooms and lamps were applied by a newer one */
	assert_true(up_lists(&lists[1], 1, 0, &done));
	assert_int_equal(done, 0);
	assert_false(down_lists(&lists[1], 1, 1, &done));
	expect_error("20260104_0001_lamps");
	expect_error("another version");
	assert_int_equal(applied(), 4);
}

void two_migrations_with_one_version_are_refused(void **state)
{
	const struct migration_list twice[] = {lists[0], lists[0]};
	size_t done = 99;

	assert_false(up_lists(twice, 2, 0, &done));
	expect_error("two migrations have the version 20260102_0002_rooms");
	assert_int_equal(done, 0);
}

void a_migration_that_fails_leaves_nothing_of_itself(void **state)
{
	static const struct migration bad[] = {
		BOTH("20260105_0001_good", "CREATE TABLE good (id int)", "DROP TABLE good"),
		BOTH("20260106_0001_bad",
			"CREATE TABLE half (id int);\nINSERT INTO half VALUES (1);\n"
			"INSERT INTO nowhere VALUES (1);",
			"DROP TABLE missing"),
		BOTH("20260107_0001_never", "CREATE TABLE never (id int)", "DROP TABLE never"),
	};
	const struct migration_list list = {bad, 3};
	size_t done = 99;

	assert_false(up_lists(&list, 1, 0, &done));
	assert_int_equal(done, 1);
	expect_error("20260106_0001_bad");
	expect_error("nowhere");
	assert_true(migration_place.has_table("good"));
	assert_false(migration_place.has_table("half"));
	assert_false(migration_place.has_table("never"));
	assert_int_equal(applied(), 1);
}

void a_migration_that_commits_is_refused(void **state)
{
	static const struct migration sly[] = {
		BOTH("20260105_0001_sly", "CREATE TABLE sly (id int); COMMIT; SELECT 1",
			"DROP TABLE sly"),
	};
	const struct migration_list list = {sly, 1};
	size_t done;

	assert_false(up_lists(&list, 1, 0, &done));
	expect_error("20260105_0001_sly");
	expect_error("transaction");
	assert_int_equal(done, 0);
}

void status_names_every_state_and_creates_nothing(void **state)
{
	static const enum migration_state expected[] = {
		MIGRATION_CHANGED, MIGRATION_UNKNOWN, MIGRATION_PENDING};
	struct migration copy[2];
	struct migration_list edited = edited_list(copy);
	struct migration_status *list;
	size_t count;

	assert_true(migrations_status(&migration_place.settings, migration_place.data_dir, lists, 2,
		&migration_place.arena, &list, &count, &error));
	assert_int_equal(count, 4);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(list[i].state, MIGRATION_PENDING);
	assert_false(migration_place.has_table("schema_migrations"));

	up(2, 2);
	assert_true(migrations_status(&migration_place.settings, migration_place.data_dir, &edited,
		1, &migration_place.arena, &list, &count, &error));
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(list[i].state, expected[i]);
		assert_true((list[i].applied_at_ms == 0) == (expected[i] == MIGRATION_PENDING));
		if (list[i].applied_at_ms != 0)
			assert_in_range(clock_unix_ms() - list[i].applied_at_ms, 0, 600000);
	}
	assert_true(text_equals(list[1].version, TEXT("20260102_0002_rooms")));
}

static void migrate_and_exit(void)
{
	size_t done;

	if (!up_lists(lists, 2, 0, &done)) {
		fprintf(stderr, "%.*s\n", TEXT_ARG(error));
		_exit(100);
	}
	_exit((int)done);
}

void processes_that_start_at_once_apply_each_migration_once(void **state)
{
	pid_t children[PROCESSES];
	int total = 0;

	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			migrate_and_exit();
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status));
		total += WEXITSTATUS(status);
	}
	assert_int_equal(total, 4);
	assert_int_equal(applied(), 4);
	assert_int_equal(migration_place.number("SELECT count(*) FROM lamps"), 2);
}
