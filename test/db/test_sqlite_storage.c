// SPDX-License-Identifier: Apache-2.0
/* SQLite: the file it lives in - made, refused, full, read-only, broken. */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/db/sqlite_fixture.h"

enum { NOBODY = 65534 };

static struct sqlite_fixture fixture;

static int set_up(void **state)
{
	sqlite_fixture_init(&fixture);
	return 0;
}

static int tear_down(void **state)
{
	sqlite_fixture_close(&fixture);
	return 0;
}

static void expect_refusal(const char *part)
{
	char message[512];

	assert_false(sqlite_fixture_start(&fixture));
	snprintf(message, sizeof(message), "%.*s", TEXT_ARG(fixture.error));
	if (strstr(message, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", message, part);
}

static mode_t mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 07777;
}

static void write_file(const char *path, const char *data, size_t len, off_t offset)
{
	int file = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(file >= 0);
	assert_int_equal(pwrite(file, data, len, offset), len);
	close(file);
}

/* ---- made ------------------------------------------------------------------------------------ */

static void a_missing_database_is_made_for_its_owner_alone(void **state)
{
	char folder[TEMPORARY_MAX + 32], path[TEMPORARY_MAX + 64];

	snprintf(folder, sizeof(folder), "%s/deep/data", fixture.folder);
	snprintf(path, sizeof(path), "%s/millrace.db", folder);
	fixture.settings.url = TEXT("");
	fixture.db = db_open(
		&fixture.settings, NULL, NULL, text_from_c(folder), &fixture.arena, &fixture.error);
	if (fixture.db == NULL)
		fail_msg("%.*s", TEXT_ARG(fixture.error));
	assert_int_equal(mode_of(folder), 0700);
	assert_int_equal(mode_of(path), 0600);
	snprintf(path, sizeof(path), "%s/millrace.db-wal", folder);
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(db_engine(fixture.db), DB_SQLITE);
	assert_true(db_is_up(fixture.db));
	assert_true(text_ends_with(db_describe(fixture.db, &fixture.arena), TEXT("millrace.db")));
}

static void a_closed_database_leaves_no_log_beside_it(void **state)
{
	char path[TEMPORARY_MAX + 64];
	struct stat status;

	assert_true(sqlite_fixture_start(&fixture));
	sqlite_fixture_stop(&fixture);
	snprintf(path, sizeof(path), "%s-wal", fixture.path);
	assert_int_equal(stat(path, &status), -1);
	assert_int_equal(stat(fixture.path, &status), 0);
}

/* ---- refused --------------------------------------------------------------------------------- */

static void a_folder_that_does_not_exist_is_named(void **state)
{
	fixture.settings.url = TEXT("sqlite:/nowhere/at/all.db");
	expect_refusal("/nowhere/at/all.db");
}

static void a_url_without_a_file_is_refused(void **state)
{
	fixture.settings.url = TEXT("sqlite:");
	expect_refusal("must name a file");
	fixture.settings.url = TEXT("sqlite:file:x.db?mode=memory");
	expect_refusal("must name a file");
}

static void a_folder_in_place_of_the_file_is_named(void **state)
{
	assert_int_equal(mkdir(fixture.path, 0700), 0);
	expect_refusal("Is a directory");
}

static void a_file_that_is_no_database_is_refused(void **state)
{
	char text[4096];

	memset(text, 'x', sizeof(text));
	write_file(fixture.path, text, sizeof(text), 0);
	expect_refusal("not a database");
}

static void the_database_of_another_program_is_refused_untouched(void **state)
{
	sqlite3 *stranger = sqlite_fixture_stranger(&fixture);

	assert_int_equal(sqlite3_exec(stranger, "PRAGMA application_id=1234; CREATE TABLE t (x)",
				 NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(stranger);
	expect_refusal("another program");
	assert_int_equal(sqlite_fixture_number(&fixture, "PRAGMA application_id"), 1234);
}

/* ---- in use ---------------------------------------------------------------------------------- */

struct count_row {
	int64_t count;
};
static const struct field count_fields[] = {FIELD(FIELD_INT, count_row, count)};
static const struct schema count_row = SCHEMA(count_row, count_fields, "A number");

static const struct db_statement make_table = {
	.name = "make_table",
	.sql = "CREATE TABLE IF NOT EXISTS t (x BLOB) STRICT",
};
static const struct db_statement fill = {
	.name = "fill",
	.sql = "INSERT INTO t (x) VALUES (randomblob($1))",
	.params = {DB_INT},
};
static const struct db_statement sum_up = {
	.name = "sum_up",
	.sql = "SELECT sum(length(hex(x))) AS count FROM t",
	.row = &count_row,
	.reads = true,
};

static enum flow_verdict run_make_table(struct flow *flow)
{
	return db_query(flow, &make_table, DB_NO_VALUES);
}

static enum flow_verdict run_fill(struct flow *flow)
{
	return db_query(flow, &fill, DB_VALUES(db_int((int64_t)(intptr_t)flow->state)));
}

static enum flow_verdict run_sum_up(struct flow *flow)
{
	return db_query(flow, &sum_up, DB_NO_VALUES);
}

static enum flow_verdict begin(struct flow *flow)
{
	return db_begin(flow);
}

static enum flow_verdict commit(struct flow *flow)
{
	return db_commit(flow);
}

static const struct flow_step make_steps[] = {STEP(run_make_table), STEPS_END};
static const struct flow_step fill_steps[] = {STEP(run_fill), STEPS_END};
static const struct flow_step sum_steps[] = {STEP(run_sum_up), STEPS_END};
static const struct flow_step transaction_steps[] = {
	STEP(begin), STEP(run_fill), STEP(commit), STEPS_END};

static enum failure run(const struct flow_step *steps, int64_t bytes)
{
	return sqlite_fixture_run(&fixture, steps, 0, (void *)(intptr_t)bytes).failure;
}

static bool write_line(const char *path, const char *line)
{
	int file = open(path, O_WRONLY);
	bool ok = file >= 0 && write(file, line, strlen(line)) == (ssize_t)strlen(line);

	if (file >= 0)
		close(file);
	return ok;
}

/* A file system table of this process's own; without root in a user namespace, where the kernel lets us. */
static bool leave_mounts(void)
{
	char users[32], groups[32];

	if (geteuid() == 0)
		return unshare(CLONE_NEWNS) == 0;
	snprintf(users, sizeof(users), "0 %d 1", (int)geteuid());
	snprintf(groups, sizeof(groups), "0 %d 1", (int)getegid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
		write_line("/proc/self/setgroups", "deny") &&
		write_line("/proc/self/uid_map", users) && write_line("/proc/self/gid_map", groups);
}

/* A file system of 1 MiB over the fixture's folder. */
static bool mount_small(void)
{
	return leave_mounts() && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		mount("tmpfs", fixture.folder, "tmpfs", 0, "size=1m") == 0;
}

static void a_full_disk_fails_what_does_not_fit_and_nothing_else(void **state)
{
	struct ending endings[8];
	unsigned full = 0;

	if (!mount_small())
		skip();
	assert_true(sqlite_fixture_start(&fixture));
	assert_int_equal(run(make_steps, 0), FAILURE_NONE);
	assert_int_equal(run(fill_steps, 1 << 21), FAILURE_STORAGE_FULL);
	assert_int_equal(run(transaction_steps, 1 << 21), FAILURE_STORAGE_FULL);
	/* one that does not fit in a group of those that do */
	for (int i = 0; i < 8; i++)
		flow_start(sqlite_fixture_flow(&fixture, &endings[i], 0,
				   (void *)(intptr_t)(i == 4 ? 1 << 21 : 10)),
			fill_steps);
	for (int i = 0; i < 8; i++) {
		sqlite_fixture_await(&fixture, &endings[i]);
		assert_int_equal(endings[i].failure, i == 4 ? FAILURE_STORAGE_FULL : FAILURE_NONE);
	}
	/* to the brim: whatever is answered with success is there */
	for (int i = 0; i < 64 && full == 0; i++)
		full += run(fill_steps, 50000) == FAILURE_STORAGE_FULL;
	assert_int_equal(full, 1);
	assert_int_equal(run(sum_steps, 0), FAILURE_NONE);
	assert_true(db_is_up(fixture.db));
	sqlite_fixture_stop(&fixture);
	umount2(fixture.folder, MNT_DETACH);
}

static void a_file_that_may_not_be_written_fails_writes_alone(void **state)
{
	bool is_root = geteuid() == 0;
	sqlite3 *stranger = sqlite_fixture_stranger(&fixture);

	assert_int_equal(sqlite3_exec(stranger, "CREATE TABLE t (x BLOB) STRICT", NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(stranger);
	assert_int_equal(chmod(fixture.path, 0444), 0);
	if (is_root) {
		assert_int_equal(chown(fixture.folder, NOBODY, NOBODY), 0);
		assert_int_equal(chown(fixture.path, NOBODY, NOBODY), 0);
		assert_int_equal(seteuid(NOBODY), 0);
	}
	assert_true(sqlite_fixture_start(&fixture));
	assert_int_equal(run(sum_steps, 0), FAILURE_NONE);
	assert_int_equal(run(fill_steps, 1), FAILURE_READ_ONLY);
	assert_int_equal(run(transaction_steps, 1), FAILURE_READ_ONLY);
	assert_int_equal(run(sum_steps, 0), FAILURE_NONE);
	sqlite_fixture_stop(&fixture);
	if (is_root)
		assert_int_equal(seteuid(0), 0);
}

/* SQLite would go on in a file without a name, and what it answers would be gone at the next start. */
static void a_file_that_was_moved_away_is_unavailable_until_it_is_back(void **state)
{
	char elsewhere[TEMPORARY_MAX + 64];

	snprintf(elsewhere, sizeof(elsewhere), "%s.old", fixture.path);
	assert_true(sqlite_fixture_start(&fixture));
	assert_int_equal(run(make_steps, 0), FAILURE_NONE);
	assert_int_equal(rename(fixture.path, elsewhere), 0);
	assert_int_equal(run(fill_steps, 1), FAILURE_UNAVAILABLE);
	assert_int_equal(run(transaction_steps, 1), FAILURE_UNAVAILABLE);
	assert_int_equal(run(sum_steps, 0), FAILURE_UNAVAILABLE);
	assert_false(db_is_up(fixture.db));
	assert_int_equal(rename(elsewhere, fixture.path), 0);
	assert_int_equal(run(fill_steps, 1), FAILURE_NONE);
	assert_int_equal(run(sum_steps, 0), FAILURE_NONE);
	assert_true(db_is_up(fixture.db));
}

static void a_broken_file_is_unavailable_and_says_so(void **state)
{
	char noise[4096];

	memset(noise, 0xa5, sizeof(noise));
	assert_true(sqlite_fixture_start(&fixture));
	assert_int_equal(run(make_steps, 0), FAILURE_NONE);
	for (int i = 0; i < 20; i++)
		assert_int_equal(run(fill_steps, 3000), FAILURE_NONE);
	sqlite_fixture_stop(&fixture);
	for (off_t page = 3; page < 10; page++)
		write_file(fixture.path, noise, sizeof(noise), page * 4096);
	assert_true(sqlite_fixture_start(&fixture));
	assert_int_equal(run(sum_steps, 0), FAILURE_UNAVAILABLE);
	assert_false(db_is_up(fixture.db));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_missing_database_is_made_for_its_owner_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_closed_database_leaves_no_log_beside_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_folder_that_does_not_exist_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_url_without_a_file_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_folder_in_place_of_the_file_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_is_no_database_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_database_of_another_program_is_refused_untouched, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_may_not_be_written_fails_writes_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_was_moved_away_is_unavailable_until_it_is_back, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_broken_file_is_unavailable_and_says_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_full_disk_fails_what_does_not_fit_and_nothing_else, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("sqlite storage", tests, NULL, NULL);
}
