// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "core/clock.h"
#include "core/json.h"

/* A clock that stands before this was never set; tokens would be refused. */
static const int64_t clock_plausible_ms = INT64_C(1767225600000); /* 2026-01-01 */
static const uint64_t disk_low_bytes = UINT64_C(256) << 20;
static const rlim_t files_low = 4096;

void doctor_find(struct doctor *doctor, const char *name, enum verdict verdict, struct text detail)
{
	if (doctor->count < FINDINGS_MAX)
		doctor->findings[doctor->count++] = (struct finding) {name, verdict, detail};
}

static void check_folder(struct doctor *doctor)
{
	struct program *program = &doctor->program;
	struct text error = TEXT_ABSENT;
	struct statvfs disk;

	if (!program_prepare_folder(program, &error)) {
		doctor_find(doctor, "data folder", VERDICT_FAIL, error);
		return;
	}
	doctor_find(doctor, "data folder", VERDICT_OK, program->app->data_dir);
	if (statvfs(arena_text(program->arena, program->app->data_dir).data, &disk) != 0)
		return;
	uint64_t left = (uint64_t)disk.f_bavail * disk.f_frsize;
	doctor_find(doctor, "disk", left < disk_low_bytes ? VERDICT_WARN : VERDICT_OK,
		arena_printf(program->arena, "%llu MiB free", (unsigned long long)(left >> 20)));
}

static void check_migrations(struct doctor *doctor)
{
	struct program *program = &doctor->program;
	struct migration_list lists[DOMAINS_MAX];
	struct migration_status *list;
	size_t list_count, count, pending = 0, odd = 0;
	struct text error = TEXT_ABSENT;

	program_list_migrations(lists, &list_count);
	if (!migrations_status(program->db_settings, program->app->data_dir, lists, list_count,
		    program->arena, &list, &count, &error)) {
		doctor_find(doctor, "migrations", VERDICT_FAIL, error);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		pending += list[i].state == MIGRATION_PENDING;
		odd += list[i].state == MIGRATION_CHANGED || list[i].state == MIGRATION_UNKNOWN;
	}
	if (odd > 0)
		doctor_find(doctor, "migrations", VERDICT_FAIL,
			arena_printf(program->arena,
				"%zu changed or unknown: see millrace migrate status", odd));
	else if (pending > 0)
		doctor_find(doctor, "migrations",
			program->config->production ? VERDICT_FAIL : VERDICT_WARN,
			arena_printf(program->arena,
				"%zu pending: millrace migrate up applies them", pending));
	else
		doctor_find(doctor, "migrations", VERDICT_OK,
			arena_printf(program->arena, "all %zu applied", count));
}

static void check_database(struct doctor *doctor)
{
	struct program *program = &doctor->program;
	struct text error = TEXT_ABSENT;

	if (!db_probe(program->db_settings, program->app->data_dir, program->arena, &error)) {
		doctor_find(doctor, "database", VERDICT_FAIL, error);
		return;
	}
	doctor_find(doctor, "database", VERDICT_OK, TEXT("reachable"));
	check_migrations(doctor);
}

static void check_tokens(struct doctor *doctor)
{
	struct configuration *config = doctor->program.config;
	const struct config_value *life = configuration_find(config, TEXT("jwt.access_ttl"));

	if (life != NULL &&
		*(const int64_t *)(const void *)((const char *)life->settings + life->row->offset) >
			INT64_C(3600000))
		doctor_find(doctor, "access tokens", VERDICT_WARN,
			TEXT("jwt.access_ttl is longer than an hour: a stolen token is good for as long"));
}

static void check_machine(struct doctor *doctor)
{
	struct arena *arena = doctor->command->arena;
	char now[CLOCK_RFC3339_LEN];
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		doctor_find(doctor, "open files",
			files.rlim_cur < files_low ? VERDICT_WARN : VERDICT_OK,
			arena_printf(arena, "limit %llu (ulimit -n)",
				(unsigned long long)files.rlim_cur));
	clock_format_rfc3339(clock_unix_ms(), now);
	doctor_find(doctor, "clock",
		clock_unix_ms() < clock_plausible_ms ? VERDICT_WARN : VERDICT_OK,
		arena_text(arena, text_of(now, sizeof(now))));
	doctor_find(doctor, "cores", VERDICT_OK,
		arena_printf(arena, "%ld", sysconf(_SC_NPROCESSORS_ONLN)));
}

static const char *verdict_name(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_OK:
		return "ok";
	case VERDICT_WARN:
		return "warn";
	case VERDICT_FAIL:
		return "fail";
	}
	return "fail";
}

static void print_json(const struct doctor *doctor, bool healthy)
{
	struct json_writer writer;

	json_begin(&writer, doctor->command->arena, 2048);
	json_object(&writer);
	json_key(&writer, TEXT("healthy"));
	json_bool(&writer, healthy);
	json_key(&writer, TEXT("checks"));
	json_array(&writer);
	for (size_t i = 0; i < doctor->count; i++) {
		json_object(&writer);
		json_key(&writer, TEXT("name"));
		json_string(&writer, text_from_c(doctor->findings[i].name));
		json_key(&writer, TEXT("verdict"));
		json_string(&writer, text_from_c(verdict_name(doctor->findings[i].verdict)));
		json_key(&writer, TEXT("detail"));
		json_string(&writer, doctor->findings[i].detail);
		json_object_end(&writer);
	}
	json_array_end(&writer);
	json_object_end(&writer);
	printf("%.*s\n", TEXT_ARG(json_text(&writer)));
}

static int report(const struct doctor *doctor)
{
	static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m"};
	bool healthy = true, colour = wants_colour(STDOUT_FILENO);

	for (size_t i = 0; i < doctor->count; i++)
		healthy &= doctor->findings[i].verdict != VERDICT_FAIL;
	if (command_option(doctor->command, "json") != NULL) {
		print_json(doctor, healthy);
		return healthy ? EXIT_DONE : EXIT_FAILED;
	}
	for (size_t i = 0; i < doctor->count; i++) {
		const struct finding *finding = &doctor->findings[i];
		printf("%s%-5s%s %-20s %.*s\n", colour ? colours[finding->verdict] : "",
			verdict_name(finding->verdict), colour ? "\033[0m" : "", finding->name,
			TEXT_ARG(finding->detail));
	}
	return healthy ? EXIT_DONE : EXIT_FAILED;
}

/* What is wrong with the settings is a finding like any other. */
static bool check_settings(struct doctor *doctor, struct configuration *config)
{
	struct config_option options[COMMAND_OPTIONS_MAX + 1];
	struct config_input input;

	program_input(doctor->command, &input, options);
	if (command_option(doctor->command, "prod") != NULL)
		options[input.option_count++] = (struct config_option) {
			TEXT("app.env"), TEXT("production"), TEXT("--prod")};
	input.serves = true;
	bool good = configuration_load(config, &input, doctor->command->arena);
	program_keep_private(config);
	if (good) {
		doctor_find(doctor, "settings", VERDICT_OK,
			text_is_absent(config->file) ? TEXT("no file") : config->file);
		return true;
	}
	for (size_t i = 0; i < config->error_count; i++)
		doctor_find(doctor, "settings", VERDICT_FAIL, config->errors[i]);
	return false;
}

int run_doctor(struct command *command)
{
	struct configuration *config = arena_alloc(command->arena, sizeof(*config));
	struct doctor doctor = {.command = command};

	if (config == NULL)
		return command_failed(command, "no memory");
	if (check_settings(&doctor, config)) {
		program_init(&doctor.program, command, config);
		check_folder(&doctor);
		check_database(&doctor);
		doctor_check_files(&doctor);
		doctor_check_ports(&doctor);
		check_tokens(&doctor);
	}
	check_machine(&doctor);
	return report(&doctor);
}
