// SPDX-License-Identifier: Apache-2.0
#include <libfyaml.h>
#include <libpq-fe.h>
#include <llhttp.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdio.h>
#include <uv.h>
#include <yyjson.h>

#include "cli/command.h"
#include "core/json.h"
#include "millrace_version.h"

struct library {
	const char *name;
	char version[32];
};

enum { LIBRARIES = 7 };

static void ask_libraries(struct library list[static LIBRARIES])
{
	int pq = PQlibVersion();
	uint32_t json = yyjson_version();

	list[0].name = "libuv";
	snprintf(list[0].version, sizeof(list[0].version), "%s", uv_version_string());
	list[1].name = "llhttp";
	snprintf(list[1].version, sizeof(list[1].version), "%d.%d.%d", LLHTTP_VERSION_MAJOR,
		LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH);
	list[2].name = "yyjson";
	snprintf(list[2].version, sizeof(list[2].version), "%u.%u.%u", json >> 16, json >> 8 & 255,
		json & 255);
	list[3].name = "libpq";
	snprintf(list[3].version, sizeof(list[3].version), "%d.%d", pq / 10000, pq % 10000);
	list[4].name = "sqlite";
	snprintf(list[4].version, sizeof(list[4].version), "%s", sqlite3_libversion());
	list[5].name = "openssl";
	snprintf(list[5].version, sizeof(list[5].version), "%s",
		OpenSSL_version(OPENSSL_VERSION_STRING));
	list[6].name = "libfyaml";
	snprintf(list[6].version, sizeof(list[6].version), "%s", fy_library_version());
}

static int print_json(struct command *command, const struct library list[static LIBRARIES])
{
	struct json_writer writer;

	json_begin(&writer, command->arena, 512);
	json_object(&writer);
	json_key(&writer, TEXT("version"));
	json_string(&writer, TEXT(MILLRACE_VERSION));
	json_key(&writer, TEXT("commit"));
	json_string(&writer, TEXT(MILLRACE_COMMIT));
	json_key(&writer, TEXT("libraries"));
	json_object(&writer);
	for (size_t i = 0; i < LIBRARIES; i++) {
		json_key(&writer, text_from_c(list[i].name));
		json_string(&writer, text_from_c(list[i].version));
	}
	json_object_end(&writer);
	json_object_end(&writer);
	printf("%.*s\n", TEXT_ARG(json_text(&writer)));
	return EXIT_DONE;
}

int run_version(struct command *command)
{
	struct library list[LIBRARIES];

	ask_libraries(list);
	if (command_option(command, "json") != NULL)
		return print_json(command, list);
	printf("millrace %s (%s)\n", MILLRACE_VERSION, MILLRACE_COMMIT);
	for (size_t i = 0; i < LIBRARIES; i++)
		printf("%-9s %s\n", list[i].name, list[i].version);
	return EXIT_DONE;
}
