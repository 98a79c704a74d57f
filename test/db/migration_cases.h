// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * migration_cases - what the migrator must do, the same on both engines. A test names its place and runs them
 * all with MIGRATION_CASES.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/migration.h"

struct migration_place {
	struct db_settings settings;
	struct text data_dir;
	struct arena arena;
	/* The first number that the query gives, on a connection of its own. */
	int64_t (*number)(const char *sql);
	/* Whether a table is there. */
	bool (*has_table)(const char *name);
};

extern struct migration_place migration_place;

void all_pending_migrations_are_applied_in_order(void **state);
void up_down_up_ends_where_up_ended(void **state);
void a_limit_applies_so_many(void **state);
void nothing_to_do_does_nothing(void **state);
void an_edited_migration_that_was_applied_is_refused(void **state);
void an_edited_migration_can_be_taken_back(void **state);
void a_migration_of_another_program_is_left_alone(void **state);
void two_migrations_with_one_version_are_refused(void **state);
void a_migration_that_fails_leaves_nothing_of_itself(void **state);
void a_migration_that_commits_is_refused(void **state);
void status_names_every_state_and_creates_nothing(void **state);
void processes_that_start_at_once_apply_each_migration_once(void **state);

#define MIGRATION_CASE(name, set_up, tear_down) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define MIGRATION_CASES(up, down) \
	MIGRATION_CASE(all_pending_migrations_are_applied_in_order, up, down), \
		MIGRATION_CASE(up_down_up_ends_where_up_ended, up, down), \
		MIGRATION_CASE(a_limit_applies_so_many, up, down), \
		MIGRATION_CASE(nothing_to_do_does_nothing, up, down), \
		MIGRATION_CASE(an_edited_migration_that_was_applied_is_refused, up, down), \
		MIGRATION_CASE(an_edited_migration_can_be_taken_back, up, down), \
		MIGRATION_CASE(a_migration_of_another_program_is_left_alone, up, down), \
		MIGRATION_CASE(two_migrations_with_one_version_are_refused, up, down), \
		MIGRATION_CASE(a_migration_that_fails_leaves_nothing_of_itself, up, down), \
		MIGRATION_CASE(a_migration_that_commits_is_refused, up, down), \
		MIGRATION_CASE(status_names_every_state_and_creates_nothing, up, down), \
		MIGRATION_CASE(processes_that_start_at_once_apply_each_migration_once, up, down)
