// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/program.h"
#include "cli/prompt.h"
#include "core/json.h"
#include "core/secret.h"
#include "domains/accounts/accounts.h"

enum { PASSWORD_LINE_MAX = 1024, GENERATED_BYTES = 18 };

struct admin_task {
	struct admin_create create; /* first: the state of the steps */
	char password[PASSWORD_LINE_MAX];
	bool generated;
};

/* One line without its end. False at the end of the input, when the line is too long, and when it has a NUL,
 * behind which a password would be lost unseen. */
static bool read_line(char out[static PASSWORD_LINE_MAX])
{
	size_t len = 0;
	int c;

	while ((c = getc(stdin)) != EOF && c != '\n') {
		if (c == '\0' || len == PASSWORD_LINE_MAX - 1)
			return false;
		out[len++] = (char)c;
	}
	if (len > 0 && out[len - 1] == '\r')
		len--;
	out[len] = '\0';
	return len > 0 || c == '\n';
}

static bool ask_twice(struct command *command, char out[static PASSWORD_LINE_MAX])
{
	char again[PASSWORD_LINE_MAX];
	bool same;

	if (!prompt_silently("Password: ", out, PASSWORD_LINE_MAX) ||
		!prompt_silently("The same again: ", again, sizeof(again))) {
		command_failed(command, "no password was given");
		return false;
	}
	same = strcmp(out, again) == 0;
	secret_wipe(again, sizeof(again));
	if (!same)
		command_failed(command, "the two passwords differ");
	return same;
}

static void generate(char out[static PASSWORD_LINE_MAX])
{
	unsigned char random[GENERATED_BYTES];

	secret_random(random, sizeof(random));
	out[base64url_encode(random, sizeof(random), out)] = '\0';
	secret_wipe(random, sizeof(random));
}

static bool get_password(struct command *command, struct admin_task *task)
{
	if (command_option(command, "password-stdin") != NULL) {
		if (read_line(task->password) && task->password[0] != '\0')
			return true;
		command_failed(command,
			"standard input has no password in its first line, or one with a NUL or too long");
		return false;
	}
	if (command_option(command, "generate-password") == NULL && isatty(STDIN_FILENO))
		return ask_twice(command, task->password);
	generate(task->password);
	task->generated = true;
	return true;
}

static void print_json(struct command *command, const struct admin_task *task)
{
	struct json_writer writer;

	json_begin(&writer, command->arena, 512);
	json_object(&writer);
	json_key(&writer, TEXT("created"));
	json_bool(&writer, task->create.created);
	json_key(&writer, TEXT("user"));
	schema_encode_json(&user_schema, &task->create.user, &writer);
	if (task->create.created && task->generated) {
		json_key(&writer, TEXT("password"));
		json_string(&writer, task->create.password);
	}
	json_object_end(&writer);
	printf("%.*s\n", TEXT_ARG(json_text(&writer)));
}

static int print_admin(struct command *command, void *state)
{
	const struct admin_task *task = state;
	const struct user *user = &task->create.user;

	if (task->create.refusal != NULL)
		return command_failed(command, "%s: %s", command->words[1], task->create.refusal);
	if (command_option(command, "json") != NULL) {
		print_json(command, task);
	} else if (task->create.promoted) {
		printf("%.*s is an admin now; the password is as it was.\n", TEXT_ARG(user->email));
	} else {
		printf("%.*s is an admin.\n", TEXT_ARG(user->email));
		if (task->generated)
			printf("The password, shown only now: %.*s\n",
				TEXT_ARG(task->create.password));
	}
	return EXIT_DONE;
}

int run_admin(struct command *command)
{
	struct admin_task task = {.create = {.email = text_from_c(command->words[1]),
					  .name = text_from_c(command_option(command, "name"))}};
	int exit_code = EXIT_FAILED;

	if (get_password(command, &task)) {
		task.create.password = text_from_c(task.password);
		exit_code = program_run_task(command, admin_create_steps, &task, print_admin);
	}
	secret_wipe(task.password, sizeof(task.password));
	return exit_code;
}
