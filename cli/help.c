// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"

static void print_heading(const char *text)
{
	printf(wants_colour(STDOUT_FILENO) ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text);
}

static void print_options(const char *heading, const struct option *options)
{
	char synopsis[64];

	if (options == NULL)
		return;
	print_heading(heading);
	for (; options->name != NULL; options++) {
		snprintf(synopsis, sizeof(synopsis), "--%s%s%s", options->name,
			options->argument != NULL ? " " : "",
			options->argument != NULL ? options->argument : "");
		printf("  %-24s %s\n", synopsis, options->about);
	}
}

void help_overview(void)
{
	printf("Millrace: a backend for APIs in one binary.\n");
	print_heading("Usage");
	printf("  millrace VERB [OPTION...] [WORD...]\n");
	print_heading("Verbs");
	for (size_t i = 0; verbs[i] != NULL; i++)
		printf("  %-9s %s\n", verbs[i]->name, verbs[i]->about);
	print_heading("First steps");
	printf("  millrace serve                   start on 127.0.0.1:3000, data in ./data\n"
	       "  millrace help serve              its options\n"
	       "  millrace config explain KEY      all about one setting\n");
}

void help_verb(const struct verb *verb)
{
	printf("%s.\n", verb->about);
	print_heading("Usage");
	printf("  millrace %s%s%s [OPTION...]\n", verb->name, verb->arguments[0] != '\0' ? " " : "",
		verb->arguments);
	if (verb->alias != NULL)
		printf("  millrace %s is the same\n", verb->alias);
	if (verb->details != NULL)
		printf("\n%s\n", verb->details);
	print_options("Options", verb->options);
	if (verb->reads_settings)
		print_options("Settings (all of them: millrace config show)", setting_options);
	print_options("General", general_options);
}

int run_help(struct command *command)
{
	const char *names[32];
	size_t count = 0;

	if (command->word_count == 0) {
		help_overview();
		return EXIT_DONE;
	}
	const struct verb *verb = verb_find(command->words[0]);
	if (verb != NULL) {
		help_verb(verb);
		return EXIT_DONE;
	}
	for (size_t i = 0; verbs[i] != NULL && count < 31; i++)
		names[count++] = verbs[i]->name;
	names[count] = NULL;
	const char *nearest = nearest_word(command->words[0], names);
	if (nearest == NULL)
		return command_misused(command, "there is no verb '%s'", command->words[0]);
	return command_misused(
		command, "there is no verb '%s'; did you mean %s?", command->words[0], nearest);
}
