// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int run_nothing(struct command *command)
{
	return EXIT_DONE;
}

static const char *const choices[] = {"up", "down", NULL};
static const struct option own_options[] = {{"yes", NULL, NULL, "yes"}, {0}};
static const struct verb serve = {
	.name = "serve",
	.alias = "start",
	.arguments = "",
	.about = "Serve",
	.reads_settings = true,
	.run = run_nothing,
};
static const struct verb migrate = {
	.name = "migrate",
	.arguments = "up|down [COUNT]",
	.about = "Migrate",
	.choices = choices,
	.options = own_options,
	.words_min = 1,
	.words_max = 2,
	.run = run_nothing,
};
static const struct verb help = {
	.name = "help", .arguments = "", .about = "Help", .run = run_nothing};
const struct verb *const verbs[] = {&serve, &migrate, &help, NULL};
const struct option setting_options[] = {
	{"port", "PORT", "http.port", "port"},
	{"ops-port", "PORT", "ops.port", "ops port"},
	{"set", "KEY=VALUE", NULL, "any"},
	{0},
};
const struct option general_options[] = {
	{"json", NULL, NULL, "json"}, {"help", NULL, NULL, "help"}, {0}};

static struct command command;

static int parse(const char *const *words)
{
	char *arguments[80];
	int count = 0;

	command = (struct command) {0};
	for (; words[count] != NULL; count++)
		arguments[count] = (char *)(uintptr_t)words[count];
	return command_parse(&command, count, arguments);
}

#define PARSE(...) parse((const char *const[]) {__VA_ARGS__, NULL})

static void options_may_stand_anywhere_behind_the_verb(void **state)
{
	assert_int_equal(PARSE("migrate", "--json", "up", "--yes", "3"), EXIT_DONE);
	assert_ptr_equal(command.verb, &migrate);
	assert_int_equal(command.word_count, 2);
	assert_string_equal(command.words[1], "3");
	assert_non_null(command_option(&command, "yes"));
	assert_null(command_option(&command, "help"));
	assert_int_equal(PARSE("start", "--port", "1", "--port=2"), EXIT_DONE);
	assert_string_equal(command_option(&command, "port"), "2");
	assert_int_equal(PARSE("serve", "--set=a=b"), EXIT_DONE);
	assert_string_equal(command_option(&command, "set"), "a=b");
	assert_int_equal(PARSE("serve", "--po", "5"), EXIT_DONE);
	assert_string_equal(command_option(&command, "port"), "5");
	assert_int_equal(PARSE("migrate", "up", "--", "--yes"), EXIT_DONE);
	assert_string_equal(command.words[1], "--yes");
	assert_int_equal(PARSE("migrate", "-h"), EXIT_DONE);
	assert_non_null(command_option(&command, "help"));
}

static void no_word_at_all_asks_for_help(void **state)
{
	assert_int_equal(parse((const char *const[]) {NULL}), EXIT_DONE);
	assert_ptr_equal(command.verb, &help);
	assert_int_equal(PARSE("--help"), EXIT_DONE);
	assert_ptr_equal(command.verb, &help);
}

static void misuse_is_refused_with_its_own_exit_code(void **state)
{
	assert_int_equal(PARSE("serv"), EXIT_MISUSED);
	assert_int_equal(PARSE("--port"), EXIT_MISUSED);
	assert_int_equal(PARSE("serve", "--prot", "1"), EXIT_MISUSED);
	assert_int_equal(PARSE("serve", "--port"), EXIT_MISUSED);
	assert_int_equal(PARSE("serve", "--json=yes"), EXIT_MISUSED);
	assert_int_equal(PARSE("serve", "word"), EXIT_MISUSED);
	assert_int_equal(PARSE("serve", "-p"), EXIT_MISUSED);
	assert_int_equal(PARSE("serve", "--"), EXIT_DONE);
	assert_int_equal(PARSE("serve", "--="), EXIT_MISUSED);
	assert_int_equal(PARSE("migrate"), EXIT_MISUSED);
	assert_int_equal(PARSE("migrate", "pu"), EXIT_MISUSED);
	assert_int_equal(PARSE("migrate", "up", "1", "2"), EXIT_MISUSED);
	assert_int_equal(PARSE("migrate", "up", "--port", "1"), EXIT_MISUSED);
}

static void more_options_than_there_is_room_for_are_refused(void **state)
{
	const char *words[COMMAND_OPTIONS_MAX + 3] = {"serve"};

	for (size_t i = 1; i <= COMMAND_OPTIONS_MAX + 1; i++)
		words[i] = "--json";
	assert_int_equal(parse(words), EXIT_MISUSED);
	words[COMMAND_OPTIONS_MAX + 1] = NULL;
	assert_int_equal(parse(words), EXIT_DONE);
}

static void the_nearest_word_is_found_only_when_it_is_near(void **state)
{
	static const char *const words[] = {"serve", "status", "up", NULL};

	assert_string_equal(nearest_word("sreve", words), "serve");
	assert_string_equal(nearest_word("stat", words), "status");
	assert_null(nearest_word("elephant", words));
	assert_null(nearest_word("x", words));
}

/* The scripts that take --data-dir everywhere are told what to do about it. */
static void a_verb_without_settings_refuses_their_options(void **state)
{
	assert_int_equal(PARSE("help", "--port", "1"), EXIT_MISUSED);
	assert_int_equal(PARSE("help", "--set=a=b"), EXIT_MISUSED);
	assert_int_equal(PARSE("help", "--json"), EXIT_DONE);
}

static void assert_word(const char *word, const char *shown)
{
	struct arena arena;

	arena_init(&arena, NULL, SIZE_MAX);
	struct text quoted = shell_word(text_from_c(word), &arena);
	assert_int_equal(quoted.len, strlen(shown));
	assert_memory_equal(quoted.data, shown, quoted.len);
	arena_deinit(&arena);
}

static void a_word_is_quoted_for_a_shell_only_when_it_must_be(void **state)
{
	assert_word("build/millrace", "build/millrace");
	assert_word("/var/lib/x-1_2.d", "/var/lib/x-1_2.d");
	assert_word("", "''");
	assert_word("a b", "'a b'");
	assert_word("$(id)", "'$(id)'");
	assert_word("it's", "'it'\\''s'");
	assert_word("~/x", "'~/x'");
}

static void the_program_is_told_as_it_was_called(void **state)
{
	struct arena arena;
	struct command called = {.program = "./my build/millrace"};

	arena_init(&arena, NULL, SIZE_MAX);
	assert_true(text_equals(command_program(&called, &arena), TEXT("'./my build/millrace'")));
	called.program = NULL;
	assert_true(text_equals(command_program(&called, &arena), TEXT("millrace")));
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_may_stand_anywhere_behind_the_verb),
		cmocka_unit_test(no_word_at_all_asks_for_help),
		cmocka_unit_test(misuse_is_refused_with_its_own_exit_code),
		cmocka_unit_test(more_options_than_there_is_room_for_are_refused),
		cmocka_unit_test(the_nearest_word_is_found_only_when_it_is_near),
		cmocka_unit_test(a_verb_without_settings_refuses_their_options),
		cmocka_unit_test(a_word_is_quoted_for_a_shell_only_when_it_must_be),
		cmocka_unit_test(the_program_is_told_as_it_was_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
