// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * command - one call of the program: verb, options, words. The tables of verbs and options drive
 * parsing, help and did-you-mean alike.
 *
 *   verb     the first word: serve, migrate ...; one file each
 *   option   --name or --name=VALUE, anywhere behind the verb; unique beginnings will do
 *   word     what is left: "up", an e-mail address
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/text.h"

enum { EXIT_DONE, EXIT_FAILED, EXIT_MISUSED };
enum { COMMAND_WORDS_MAX = 8, COMMAND_OPTIONS_MAX = 64 };

struct option {
	const char *name;
	const char *argument; /* "PORT"; NULL: a switch */
	const char *key; /* the setting it sets, or NULL */
	const char *about;
};

struct command;

struct verb {
	const char *name;
	const char *alias; /* or NULL */
	const char
		*arguments; /* for the synopsis: "up|down|status [COUNT]"; "" when there are none */
	const char *about; /* a sentence */
	const char *details; /* paragraphs, or NULL */
	const char *const *choices; /* of the first word, ends with NULL; NULL: free or none */
	const struct option *options; /* its own; ends with a row without name; or NULL */
	bool reads_settings; /* takes the options of settings too */
	size_t words_min, words_max;
	int (*run)(struct command *command); /* returns the exit code */
};

struct given_option {
	const struct option *option;
	const char *value; /* "" for a switch */
};

struct command {
	const char *program; /* as it was called: "build/millrace"; NULL: millrace */
	const struct verb *verb;
	struct arena *arena; /* lives as long as the process */
	const char *words[COMMAND_WORDS_MAX];
	size_t word_count;
	struct given_option given[COMMAND_OPTIONS_MAX];
	size_t given_count;
};

extern const struct verb *const verbs[]; /* ends with NULL */
extern const struct option setting_options[]; /* ends with a row without name */
extern const struct option general_options[];

/* The program as its user typed it, for commands that are to be pasted. */
struct text command_program(const struct command *command, struct arena *arena);
/* One word of a shell's line: quoted where it must be. */
struct text shell_word(struct text word, struct arena *arena);

/* Parses what follows the program's name. EXIT_DONE, or the exit code after it has said what is wrong. */
int command_parse(struct command *command, int argument_count, char **arguments);
const char *command_option(
	const struct command *command, const char *name); /* the last; NULL: not given */
const struct verb *verb_find(const char *name);

/* Write one line to standard error and return the exit code. */
int command_failed(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int command_misused(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The candidate that `typed` was meant to be, or NULL. */
const char *nearest_word(const char *typed, const char *const *candidates);

void help_overview(void);
void help_verb(const struct verb *verb);
/* Colours only for a terminal that nobody asked to be plain (NO_COLOR). */
bool wants_colour(int fd);

int run_serve(struct command *command);
int run_migrate(struct command *command);
int run_routes(struct command *command);
int run_openapi(struct command *command);
int run_config(struct command *command);
int run_admin(struct command *command);
int run_token(struct command *command);
int run_doctor(struct command *command);
int run_version(struct command *command);
int run_help(struct command *command);
