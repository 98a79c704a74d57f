// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "cli/program.h"
#include "core/json.h"

/* One line of the list: a route under one of its scope's prefixes. */
struct line {
	const struct route *route;
	const struct scope *scope;
	const char *prefix;
};

typedef void line_fn(const struct line *line, void *context);

static void each_line(const struct scope *const *scopes, size_t count, line_fn *run, void *context)
{
	for (size_t i = 0; i < count; i++)
		for (size_t at = 0; at < scopes[i]->route_count; at++)
			for (size_t prefix = 0; prefix < 3; prefix++) {
				struct line line = {&scopes[i]->routes[at], scopes[i],
					scopes[i]->prefixes[prefix]};
				if (line.prefix == NULL && prefix > 0)
					break;
				if (line.prefix == NULL)
					line.prefix = "";
				run(&line, context);
			}
}

static const char *listener_name(const struct line *line)
{
	unsigned listeners = line->scope->listeners;

	if (listeners == 0 || listeners == LISTENER_API)
		return "api";
	return listeners == LISTENER_OPS ? "ops" : "api, ops";
}

/* Scope's guards, then the route's. */
static void list_guards(const struct line *line, char *out, size_t size)
{
	const struct guard *const *lists[] = {line->scope->guards, line->route->guards};
	size_t len = 0;

	out[0] = '\0';
	for (size_t list = 0; list < 2; list++)
		for (size_t i = 0; i < ROUTE_GUARDS_MAX && lists[list][i] != NULL && len < size;
			i++)
			len += (size_t)snprintf(out + len, size - len, "%s%s", len > 0 ? ", " : "",
				lists[list][i]->name);
}

static void print_line(const struct line *line, void *context)
{
	char path[160], guards[128];
	const bool *markdown = context;

	snprintf(path, sizeof(path), "%s%s", line->prefix, line->route->path);
	list_guards(line, guards, sizeof(guards));
	printf(*markdown ? "| %s | `%s` | %s | %s | %s |\n" : "%-7s %-42s %-26s %-16s %s\n",
		http_method_name(line->route->method), path, line->route->name, guards,
		listener_name(line));
}

static void write_line(const struct line *line, void *context)
{
	struct json_writer *writer = context;
	const struct guard *const *lists[] = {line->scope->guards, line->route->guards};

	json_object(writer);
	json_key(writer, TEXT("method"));
	json_string(writer, text_from_c(http_method_name(line->route->method)));
	json_key(writer, TEXT("path"));
	json_string(writer, arena_printf(writer->arena, "%s%s", line->prefix, line->route->path));
	json_key(writer, TEXT("name"));
	json_string(writer, text_from_c(line->route->name));
	json_key(writer, TEXT("about"));
	json_string(writer, text_from_c(line->route->about));
	json_key(writer, TEXT("guards"));
	json_array(writer);
	for (size_t list = 0; list < 2; list++)
		for (size_t i = 0; i < ROUTE_GUARDS_MAX && lists[list][i] != NULL; i++)
			json_string(writer, text_from_c(lists[list][i]->name));
	json_array_end(writer);
	json_key(writer, TEXT("listener"));
	json_string(writer, text_from_c(listener_name(line)));
	json_key(writer, TEXT("documented"));
	json_bool(writer, !line->route->hidden);
	json_object_end(writer);
}

static int print_json(struct command *command, const struct scope *const *scopes, size_t count)
{
	struct json_writer writer;

	json_begin(&writer, command->arena, 4096);
	json_array(&writer);
	each_line(scopes, count, write_line, &writer);
	json_array_end(&writer);
	printf("%.*s\n", TEXT_ARG(json_text(&writer)));
	return EXIT_DONE;
}

int run_routes(struct command *command)
{
	bool markdown = command_option(command, "markdown") != NULL;
	size_t count;
	const struct scope *const *scopes = program_scopes(command->arena, &count);

	if (command_option(command, "json") != NULL)
		return print_json(command, scopes, count);
	if (markdown)
		fputs("# Routes\n\nWritten by `./dev docs` from the rows that the server runs; `/docs` "
		      "of a running server explains each.\n\n"
		      "| method | path | name | guards | listener |\n|---|---|---|---|---|\n",
			stdout);
	else
		printf("%-7s %-42s %-26s %-16s %s\n", "METHOD", "PATH", "NAME", "GUARDS",
			"LISTENER");
	each_line(scopes, count, print_line, &markdown);
	return EXIT_DONE;
}
