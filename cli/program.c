// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/document.h"
#include "millrace_version.h"
#include "observability/process.h"

/* ---- settings ------------------------------------------------------------------------------- */

void program_input(const struct command *command, struct config_input *input_out,
	struct config_option options[static COMMAND_OPTIONS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < command->given_count; i++) {
		const struct given_option *given = &command->given[i];
		struct text value = text_from_c(given->value);
		struct text key = text_from_c(given->option->key);
		if (strcmp(given->option->name, "set") == 0) {
			key = text_trim(text_cut(value, '=', &value));
			if (text_is_absent(value))
				value = TEXT("");
		}
		if (text_is_absent(key))
			continue;
		options[count++] = (struct config_option) {
			key, value, arena_printf(command->arena, "--%s", given->option->name)};
	}
	*input_out = (struct config_input) {
		.options = options,
		.option_count = count,
		.environment = environ,
		.file = command_option(command, "config"),
		.search_file = true,
	};
}

struct configuration *program_configure(struct command *command, bool serves)
{
	struct config_option options[COMMAND_OPTIONS_MAX];
	struct configuration *config = arena_alloc(command->arena, sizeof(*config));
	struct config_input input;

	if (config == NULL) {
		command_failed(command, "no memory");
		return NULL;
	}
	program_input(command, &input, options);
	input.serves = serves;
	bool good = configuration_load(config, &input, command->arena);
	program_keep_private(config);
	if (good)
		return config;
	for (size_t i = 0; i < config->error_count; i++)
		command_failed(command, "%.*s", TEXT_ARG(config->errors[i]));
	return NULL;
}

void program_keep_private(const struct configuration *config)
{
	static const struct rlimit none = {0, 0};

	if (!config->production)
		return;
	/* the limit alone would not do: a core_pattern that pipes takes no notice of it */
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &none);
}

void program_init(struct program *program, struct command *command, struct configuration *config)
{
	*program = (struct program) {
		.arena = command->arena,
		.config = config,
		.app = configuration_of(config, &app_setting_group),
		.db_settings = configuration_of(config, &db_setting_group),
		.http_settings = configuration_of(config, &http_setting_group),
		.log_settings = configuration_of(config, &log_setting_group),
	};
	if (!wants_colour(STDERR_FILENO))
		program->log_settings->colour = false;
}

/* ---- the data folder ------------------------------------------------------------------------ */

static int make_folders(char *path)
{
	for (char *at = path + 1; *at != '\0'; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		int result = mkdir(path, 0755);
		*at = '/';
		if (result < 0 && errno != EEXIST)
			return -errno;
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

bool program_prepare_folder(struct program *program, struct text *error_out)
{
	struct text folder = arena_text(program->arena, program->app->data_dir);
	char *path = (char *)(uintptr_t)folder.data; /* our own copy */
	struct stat about;
	int result;

	if (folder.len == 0) {
		*error_out = TEXT(
			"data.dir must not be empty: name a folder by --data-dir or MILLRACE_DATA_DIR");
		return false;
	}
	result = make_folders(path);
	if (result == 0 && stat(path, &about) < 0)
		result = -errno;
	if (result == 0 && !S_ISDIR(about.st_mode))
		result = -ENOTDIR;
	if (result == 0 && access(path, R_OK | W_OK | X_OK) < 0)
		result = -errno;
	if (result == 0)
		return true;
	*error_out = arena_printf(program->arena,
		"data.dir: the folder \"%s\" cannot be used: %s; name one that this user may write to by "
		"--data-dir or MILLRACE_DATA_DIR",
		path, strerror(-result));
	return false;
}

/* ---- floors --------------------------------------------------------------------------------- */

bool program_open_log(struct program *program, struct text *error_out)
{
	program->log = log_open(program->log_settings);
	if (program->log == NULL) {
		*error_out = arena_printf(program->arena, "log.file: cannot write to \"%.*s\": %s",
			TEXT_ARG(program->log_settings->file), strerror(errno));
		return false;
	}
	program->ring = log_ring_new(program->log);
	program->metrics = metrics_new();
	if (program->ring == NULL || program->metrics == NULL) {
		*error_out = TEXT("no memory for the log and the metrics");
		return false;
	}
	log_expose(program->log, program->metrics);
	process_expose(program->metrics, MILLRACE_VERSION, MILLRACE_COMMIT);
	return true;
}

bool program_open_database(struct program *program, struct text *error_out)
{
	if (!db_probe(program->db_settings, program->app->data_dir, program->arena, error_out))
		return false;
	program->db = db_open(program->db_settings, program->metrics, program->log,
		program->app->data_dir, program->arena, error_out);
	return program->db != NULL;
}

void program_list_migrations(struct migration_list lists[static DOMAINS_MAX], size_t *count_out)
{
	size_t count = 0;

	for (size_t i = 0; domain_list[i] != NULL; i++)
		if (domain_list[i]->migrations.count > 0)
			lists[count++] = domain_list[i]->migrations;
	*count_out = count;
}

static void tell_migration(void *context, const char *version, bool up, uint64_t took_ms)
{
	struct program *program = context;

	log_info(program->ring, "migration_applied", LOG_STRING("version", version),
		LOG_STRING("direction", up ? "up" : "down"), LOG_NUMBER("took_ms", took_ms));
}

static bool is_migrated(struct program *program, const struct migration_list *lists, size_t count,
	struct text *error_out)
{
	struct migration_status *list;
	size_t list_count, pending = 0;

	if (!migrations_status(program->db_settings, program->app->data_dir, lists, count,
		    program->arena, &list, &list_count, error_out))
		return false;
	for (size_t i = 0; i < list_count; i++)
		pending += list[i].state == MIGRATION_PENDING;
	if (pending == 0)
		return true;
	*error_out = arena_printf(program->arena,
		"the database lacks %zu migration%s: run `millrace migrate up` first, or set "
		"database.auto_migrate to on",
		pending, pending == 1 ? "" : "s");
	return false;
}

bool program_migrate(struct program *program, struct text *error_out)
{
	struct migration_list lists[DOMAINS_MAX];
	bool automatic = program->app->auto_migrate == AUTO_MIGRATE_ON ||
		(program->app->auto_migrate == AUTO_MIGRATE_AUTO && !program->config->production);
	size_t count, done;

	program_list_migrations(lists, &count);
	if (!automatic)
		return is_migrated(program, lists, count, error_out);
	return migrations_up(program->db_settings, program->app->data_dir, lists, count, 0,
		tell_migration, program, program->arena, &done, error_out);
}

bool program_open_domains(struct program *program, unsigned loop_count, struct text *error_out)
{
	program->context = (struct domain_context) {
		.arena = program->arena,
		.metrics = program->metrics,
		.log = program->log,
		.log_ring = program->ring,
		.db = program->db,
		.loop_count = loop_count,
		.production = program->config->production,
		.data_dir = program->app->data_dir,
		.version = MILLRACE_VERSION,
	};
	program->domains.context = &program->context;
	for (; domain_list[program->open_domains] != NULL; program->open_domains++) {
		const struct domain *domain = domain_list[program->open_domains];
		const void *settings = domain->settings != NULL
			? configuration_of(program->config, domain->settings)
			: NULL;
		if (domain->open != NULL &&
			!domain->open(&program->context, settings,
				&program->domains.states[program->open_domains], error_out))
			return false;
	}
	return true;
}

void program_close_threads(struct program *program)
{
	while (program->open_domains > 0) {
		const struct domain *domain = domain_list[--program->open_domains];
		if (domain->close != NULL)
			domain->close(program->domains.states[program->open_domains]);
	}
	if (program->db != NULL)
		db_close(program->db);
	program->db = NULL;
}

void program_close(struct program *program)
{
	program_close_threads(program);
	if (program->log != NULL)
		log_close(program->log);
	if (program->metrics != NULL)
		metrics_free(program->metrics);
	program->log = NULL;
	program->ring = NULL;
	program->metrics = NULL;
}

const struct scope *const *program_scopes(struct arena *arena, size_t *count_out)
{
	size_t count = 1;

	for (size_t i = 0; domain_list[i] != NULL; i++)
		count += domain_list[i]->scope_count;
	const struct scope **list = arena_alloc(arena, count * sizeof(*list));
	*count_out = 0;
	if (list == NULL)
		return NULL;
	list[(*count_out)++] = &document_scope;
	for (size_t i = 0; domain_list[i] != NULL; i++)
		for (size_t scope = 0; scope < domain_list[i]->scope_count; scope++)
			list[(*count_out)++] = domain_list[i]->scopes[scope];
	return list;
}
