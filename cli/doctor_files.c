// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor.h"

static bool is_open_to_others(const struct stat *info)
{
	return (info->st_mode & (S_IRGRP | S_IROTH)) != 0;
}

/* A file that holds a secret. */
static void check_secret_file(
	struct doctor *doctor, const char *name, struct text path, enum verdict if_open)
{
	struct arena *arena = doctor->program.arena;
	struct stat info;

	path = arena_text(arena, path);
	if (stat(path.data, &info) != 0)
		doctor_find(doctor, name, VERDICT_FAIL,
			arena_printf(arena, "%.*s: %s", TEXT_ARG(path), strerror(errno)));
	else if (is_open_to_others(&info))
		doctor_find(doctor, name, if_open,
			arena_printf(arena,
				"%.*s can be read by its group or by others (%03o): chmod 600 %.*s",
				TEXT_ARG(path), (unsigned)(info.st_mode & 0777),
				TEXT_ARG(shell_word(path, arena))));
	else
		doctor_find(doctor, name, VERDICT_OK,
			arena_printf(arena, "%.*s is private", TEXT_ARG(path)));
}

static const struct config_value *find_value(const struct doctor *doctor, struct text key)
{
	return configuration_find(doctor->program.config, key);
}

static struct text text_value(const struct config_value *value)
{
	return *(const struct text *)(const void *)((const char *)value->settings +
		value->row->offset);
}

/* ---- the signing key ------------------------------------------------------------------------ */

static void check_own_key(struct doctor *doctor)
{
	struct arena *arena = doctor->program.arena;
	struct text path = arena_printf(
		arena, "%.*s/jwt_ed25519.pem", TEXT_ARG(doctor->program.app->data_dir));

	if (access(path.data, F_OK) != 0) {
		doctor_find(doctor, "signing key", VERDICT_OK,
			arena_printf(arena, "%.*s, which the first start makes", TEXT_ARG(path)));
		return;
	}
	doctor_find(doctor, "signing key", VERDICT_OK, path);
	check_secret_file(doctor, "key file", path, VERDICT_FAIL); /* the start refuses it */
}

/* In the order in which access looks for it. */
static void check_key(struct doctor *doctor)
{
	struct arena *arena = doctor->program.arena;
	const struct config_value *secret = find_value(doctor, TEXT("jwt.secret"));
	const struct config_value *file = find_value(doctor, TEXT("jwt.private_key_file"));

	if (text_value(secret).len > 0) {
		struct text origin = config_value_origin(secret, arena);
		doctor_find(doctor, "signing key", VERDICT_OK,
			arena_printf(arena, "jwt.secret (%.*s)%s", TEXT_ARG(origin),
				text_value(file).len > 0 ? "; jwt.private_key_file is not used"
							 : ""));
	} else if (text_value(file).len > 0) {
		doctor_find(doctor, "signing key", VERDICT_OK, text_value(file));
		check_secret_file(doctor, "key file", text_value(file), VERDICT_WARN);
	} else {
		check_own_key(doctor);
	}
}

/* ---- secrets -------------------------------------------------------------------------------- */

static void check_secret(struct doctor *doctor, const struct config_value *value, bool *in_file_out)
{
	struct arena *arena = doctor->program.arena;
	const char *path = NULL;

	switch (value->source) {
	case FROM_DEFAULT:
		return;
	case FROM_FILE:
		*in_file_out = true;
		doctor_find(doctor, "secret in the file", VERDICT_WARN,
			arena_printf(arena,
				"%s stands in the configuration file; %.*s_FILE keeps it apart",
				value->row->key, TEXT_ARG(value->variable)));
		return;
	case FROM_OPTION:
		doctor_find(doctor, "secret in the command", VERDICT_WARN,
			arena_printf(arena,
				"%s is an option, which everybody sees in ps; use %.*s_FILE",
				value->row->key, TEXT_ARG(value->variable)));
		return;
	case FROM_ENVIRONMENT:
		if (text_ends_with(value->where, TEXT("_FILE")))
			path = environment_value(environ, value->where);
		if (path != NULL)
			check_secret_file(doctor, arena_text(arena, value->where).data,
				text_from_c(path), VERDICT_WARN);
		return;
	}
}

void doctor_check_files(struct doctor *doctor)
{
	const struct configuration *config = doctor->program.config;
	bool in_file = false;

	check_key(doctor);
	for (size_t i = 0; i < config->value_count; i++)
		if (config->values[i].row->secret && text_value(&config->values[i]).len > 0)
			check_secret(doctor, &config->values[i], &in_file);
	/* without a secret anybody may read it */
	if (in_file && !text_is_absent(config->file))
		check_secret_file(doctor, "configuration file", config->file, VERDICT_WARN);
}
