// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/program.h"
#include "http/openapi.h"
#include "millrace_version.h"

int run_openapi(struct command *command)
{
	size_t count;
	const struct scope *const *scopes = program_scopes(command->arena, &count);
	struct text error = TEXT_ABSENT;
	struct router *router = scopes != NULL ? router_new(scopes, count, command->arena, &error)
					       : NULL;

	if (router == NULL)
		return command_failed(command, "%.*s", TEXT_ARG(error));
	struct text document = openapi_document(router, command->arena, MILLRACE_VERSION);
	router_free(router);
	if (text_is_absent(document))
		return command_failed(command, "no memory");
	fwrite(document.data, 1, document.len, stdout);
	putchar('\n');
	return EXIT_DONE;
}
