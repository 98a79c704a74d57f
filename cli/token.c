// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/program.h"
#include "core/json.h"
#include "domains/access/access.h"

static void print_json(struct command *command, const struct token_mint *mint)
{
	struct json_writer writer;

	json_begin(&writer, command->arena, 1024);
	json_object(&writer);
	json_key(&writer, TEXT("access_token"));
	json_string(&writer, mint->grant.access_token);
	json_key(&writer, TEXT("token_type"));
	json_string(&writer, TEXT("Bearer"));
	json_key(&writer, TEXT("expires_in"));
	json_int(&writer, mint->grant.expires_in_s);
	json_key(&writer, TEXT("user"));
	schema_encode_json(&user_schema, &mint->user, &writer);
	json_object_end(&writer);
	printf("%.*s\n", TEXT_ARG(json_text(&writer)));
}

static int print_token(struct command *command, void *state)
{
	const struct token_mint *mint = state;

	if (!mint->found)
		return command_failed(
			command, "there is no active user %.*s", TEXT_ARG(mint->email));
	if (command_option(command, "json") != NULL)
		print_json(command, mint);
	else
		printf("%.*s\n", TEXT_ARG(mint->grant.access_token));
	return EXIT_DONE;
}

static bool is_production(struct command *command, bool *production_out)
{
	struct configuration *config = program_configure(command, true);

	*production_out = config != NULL && config->production;
	return config != NULL;
}

int run_token(struct command *command)
{
	struct token_mint mint = {.email = text_from_c(command->words[1])};
	bool production;

	if (!is_production(command, &production))
		return EXIT_FAILED;
	if (production)
		return command_failed(
			command, "tokens are not minted in production (app.env): log in instead");
	return program_run_task(command, token_mint_steps, &mint, print_token);
}
