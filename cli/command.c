// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool wants_colour(int fd)
{
	const char *plain = getenv("NO_COLOR");

	return isatty(fd) && (plain == NULL || *plain == '\0');
}

/* What no shell takes for more than itself. */
static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		strchr("/._-+:@%,=", c) != NULL;
}

struct text shell_word(struct text word, struct arena *arena)
{
	size_t len = 0, plain = 0;

	while (plain < word.len && word.data[plain] != '\0' && is_plain(word.data[plain]))
		plain++;
	if (word.len > 0 && plain == word.len)
		return word;
	char *out = arena_alloc(arena, word.len * 4 + 2);
	if (out == NULL)
		return word;
	out[len++] = '\'';
	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] == '\'') { /* ends the quotes, stands alone, begins them again */
			memcpy(out + len, "'\\'", 3);
			len += 3;
		}
		out[len++] = word.data[i];
	}
	out[len++] = '\'';
	return text_of(out, len);
}

struct text command_program(const struct command *command, struct arena *arena)
{
	const char *typed = command->program;

	return shell_word(text_from_c(typed != NULL && *typed != '\0' ? typed : "millrace"), arena);
}

__attribute__((format(printf, 2, 0))) static void say(
	const struct command *command, const char *format, va_list arguments)
{
	const char *verb = command->verb != NULL ? command->verb->name : NULL;

	fprintf(stderr, "millrace%s%s: ", verb != NULL ? " " : "", verb != NULL ? verb : "");
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

int command_failed(const struct command *command, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(command, format, arguments);
	va_end(arguments);
	return EXIT_FAILED;
}

int command_misused(const struct command *command, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(command, format, arguments);
	va_end(arguments);
	fprintf(stderr, "Try: %s help%s%s\n",
		command->program != NULL ? command->program : "millrace",
		command->verb != NULL ? " " : "", command->verb != NULL ? command->verb->name : "");
	return EXIT_MISUSED;
}

const char *nearest_word(const char *typed, const char *const *candidates)
{
	struct text wanted = text_from_c(typed);
	size_t nearest_distance = wanted.len < 4 ? 2 : 3;
	const char *nearest = NULL;

	for (; *candidates != NULL; candidates++) {
		size_t distance = text_distance(wanted, text_from_c(*candidates));
		if (wanted.len > 1 && strncmp(typed, *candidates, wanted.len) == 0)
			distance = 1;
		if (distance < nearest_distance) {
			nearest_distance = distance;
			nearest = *candidates;
		}
	}
	return nearest;
}

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; verbs[i] != NULL; i++)
		if (strcmp(verbs[i]->name, name) == 0 ||
			(verbs[i]->alias != NULL && strcmp(verbs[i]->alias, name) == 0))
			return verbs[i];
	return NULL;
}

const char *command_option(const struct command *command, const char *name)
{
	for (size_t i = command->given_count; i > 0; i--)
		if (strcmp(command->given[i - 1].option->name, name) == 0)
			return command->given[i - 1].value;
	return NULL;
}

/* ---- options -------------------------------------------------------------------------------- */

enum { TABLES = 3 };

static void option_tables(const struct command *command, const struct option *tables[static TABLES])
{
	tables[0] = command->verb->options;
	tables[1] = command->verb->reads_settings ? setting_options : NULL;
	tables[2] = general_options;
}

/* Exact, or the only one that begins so. *many_out tells that several do. */
static const struct option *find_option(
	const struct command *command, struct text name, bool *many_out)
{
	const struct option *tables[TABLES], *found = NULL;

	*many_out = false;
	option_tables(command, tables);
	for (int table = 0; table < TABLES; table++)
		for (const struct option *row = tables[table]; row != NULL && row->name != NULL;
			row++) {
			if (text_equals(text_from_c(row->name), name))
				return row;
			if (name.len > 0 && text_starts_with(text_from_c(row->name), name)) {
				*many_out = found != NULL;
				found = row;
			}
		}
	return found;
}

static const char *nearest_option(const struct command *command, const char *typed)
{
	const struct option *tables[TABLES];
	const char *names[COMMAND_OPTIONS_MAX + 1];
	size_t count = 0;

	option_tables(command, tables);
	for (int table = 0; table < TABLES; table++)
		for (const struct option *row = tables[table]; row != NULL && row->name != NULL;
			row++)
			if (count < COMMAND_OPTIONS_MAX)
				names[count++] = row->name;
	names[count] = NULL;
	return nearest_word(typed, names);
}

static bool is_option_of_settings(struct text name)
{
	for (const struct option *row = setting_options; row->name != NULL; row++)
		if (text_equals(text_from_c(row->name), name))
			return true;
	return false;
}

static int refuse_option(const struct command *command, struct text name, bool many)
{
	char typed[64];

	snprintf(typed, sizeof(typed), "%.*s", TEXT_ARG(name));
	if (many)
		return command_misused(command, "--%s is the beginning of several options", typed);
	if (!command->verb->reads_settings && is_option_of_settings(name))
		return command_misused(command,
			"it reads no settings and says the same with all of them: leave --%s out",
			typed);
	const char *nearest = nearest_option(command, typed);
	if (nearest == NULL)
		return command_misused(command, "there is no option --%s", typed);
	return command_misused(
		command, "there is no option --%s; did you mean --%s?", typed, nearest);
}

/* `at` is "--name" or "--name=value"; *next is the argument behind, taken when it is the value. */
static int take_option(struct command *command, const char *at, char ***next, char **end)
{
	struct text value, name = text_cut(text_from_c(at + 2), '=', &value);
	bool many;
	const struct option *option = find_option(command, name, &many);
	const char *given = value.data;

	if (option == NULL || many)
		return refuse_option(command, name, many);
	if (option->argument == NULL && given != NULL)
		return command_misused(command, "--%s takes no value", option->name);
	if (option->argument != NULL && given == NULL) {
		if (*next == end)
			return command_misused(command, "--%s needs a value: --%s %s", option->name,
				option->name, option->argument);
		given = *(*next)++;
	}
	if (command->given_count == COMMAND_OPTIONS_MAX)
		return command_misused(
			command, "that is more than %d options", COMMAND_OPTIONS_MAX);
	command->given[command->given_count++] = (struct given_option) {
		option, given != NULL ? given : ""};
	return EXIT_DONE;
}

static int take_word(struct command *command, const char *word)
{
	if (command->word_count == command->verb->words_max)
		return command_misused(command, "'%s' is one word too many", word);
	command->words[command->word_count++] = word;
	return EXIT_DONE;
}

static bool is_one_of(const char *word, const char *const *choices)
{
	for (; *choices != NULL; choices++)
		if (strcmp(word, *choices) == 0)
			return true;
	return false;
}

static int check_words(const struct command *command)
{
	const struct verb *verb = command->verb;

	if (command_option(command, "help") != NULL)
		return EXIT_DONE;
	if (command->word_count > 0 && verb->choices != NULL &&
		!is_one_of(command->words[0], verb->choices)) {
		const char *nearest = nearest_word(command->words[0], verb->choices);
		if (nearest == NULL)
			return command_misused(
				command, "'%s' is none of %s", command->words[0], verb->arguments);
		return command_misused(command, "'%s' is none of %s; did you mean %s?",
			command->words[0], verb->arguments, nearest);
	}
	if (command->word_count < verb->words_min)
		return command_misused(command, "something is missing: millrace %s %s", verb->name,
			verb->arguments);
	return EXIT_DONE;
}

static int refuse_verb(const struct command *command, const char *typed)
{
	const char *names[32];
	size_t count = 0;

	for (size_t i = 0; verbs[i] != NULL && count < 31; i++)
		names[count++] = verbs[i]->name;
	names[count] = NULL;
	const char *nearest = nearest_word(typed, names);
	if (nearest == NULL)
		return command_misused(command, "there is no verb '%s'", typed);
	return command_misused(command, "there is no verb '%s'; did you mean %s?", typed, nearest);
}

int command_parse(struct command *command, int argument_count, char **arguments)
{
	char **next = arguments, **end = arguments + argument_count;
	bool options_over = false;

	const char *first = next == end ? "help" : *next++;
	if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
		first = "help";
	else if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0)
		first = "version";
	command->verb = verb_find(first);
	if (command->verb == NULL && first[0] == '-')
		return command_misused(command, "a verb comes first, then %s", first);
	if (command->verb == NULL)
		return refuse_verb(command, first);
	while (next != end) {
		const char *at = *next++;
		int result;
		if (!options_over && strcmp(at, "--") == 0) {
			options_over = true;
			continue;
		}
		if (!options_over && strcmp(at, "-h") == 0)
			at = "--help";
		if (!options_over && strncmp(at, "--", 2) == 0)
			result = take_option(command, at, &next, end);
		else if (!options_over && at[0] == '-' && at[1] != '\0')
			result = command_misused(command, "options are long here: %s is none", at);
		else
			result = take_word(command, at);
		if (result != EXIT_DONE)
			return result;
	}
	return check_words(command);
}
