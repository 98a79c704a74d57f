// SPDX-License-Identifier: Apache-2.0
#include "cli/configuration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/db.h"
#include "http/server.h"
#include "observability/log.h"
#include "test/support/temporary.h"

enum { NAMES_MAX = 8 };

static struct arena arena;
static struct configuration config;
static char folder[TEMPORARY_MAX];

static int open_arena(void **state)
{
	arena_init(&arena, NULL, SIZE_MAX);
	temporary_template(folder);
	return mkdtemp(folder) == NULL;
}

static int close_arena(void **state)
{
	arena_deinit(&arena);
	return rmdir(folder);
}

static const char *write_file(const char *name, const char *content)
{
	struct text path = arena_printf(&arena, "%s/%s", folder, name);
	FILE *file = fopen(path.data, "w");

	assert_non_null(file);
	fputs(content, file);
	fclose(file);
	return path.data;
}

/* Environment, file and options of one load; all may be NULL. Names and values alternate. */
static bool load(const char *const *environment, const char *file, const char *const *options)
{
	char *names[NAMES_MAX + 1] = {NULL};
	struct config_option given[NAMES_MAX];
	struct config_input input = {.environment = names, .file = file, .options = given};

	for (size_t i = 0; environment != NULL && environment[i] != NULL; i++)
		names[i] = (char *)(uintptr_t)environment[i];
	for (size_t i = 0; options != NULL && options[i] != NULL; i += 2)
		given[input.option_count++] = (struct config_option) {
			text_from_c(options[i]), text_from_c(options[i + 1]), TEXT("--set")};
	return configuration_load(&config, &input, &arena);
}

#define LIST(...) \
	(const char *const[]) \
	{ \
		__VA_ARGS__, NULL \
	}

static void assert_value(const char *key, const char *shown, const char *origin)
{
	const struct config_value *value = configuration_find(&config, text_from_c(key));

	assert_non_null(value);
	assert_string_equal(arena_text(&arena, config_value_text(value, &arena)).data, shown);
	assert_string_equal(arena_text(&arena, config_value_origin(value, &arena)).data, origin);
}

/* One error, and it says all of these. */
static void assert_refused(const char *const *words)
{
	assert_int_equal(config.error_count, 1);
	for (; *words != NULL; words++)
		if (strstr(config.errors[0].data, *words) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", config.errors[0].data, *words);
}

static void every_default_is_valid_and_every_row_is_whole(void **state)
{
	assert_true(load(NULL, NULL, NULL));
	for (size_t i = 0; i < config.value_count; i++) {
		const struct setting *row = config.values[i].row;
		assert_non_null(strchr(row->key, '.'));
		assert_non_null(row->help);
		assert_int_equal(config.values[i].source, FROM_DEFAULT);
		for (size_t other = 0; other < i; other++) {
			const struct setting *before = config.values[other].row;
			assert_string_not_equal(before->key, row->key);
			assert_false(text_equals(
				config.values[other].variable, config.values[i].variable));
			if (row->alias != NULL && before->alias != NULL)
				assert_string_not_equal(before->alias, row->alias);
		}
	}
	assert_value("http.port", "3000", "default");
	assert_value("http.host", "127.0.0.1", "default");
	assert_value("ops.port", "2112", "default");
}

static void options_win_over_the_environment_over_the_file_over_the_default(void **state)
{
	const char *file = write_file(
		"a.yaml", "http:\n  port: 1111\n  idle_timeout: 11s\nlog:\n  level: warn\n");
	const struct http_settings *http;

	assert_true(load(LIST("PORT=2222", "LOG_LEVEL=error"), file, LIST("http.port", "3333")));
	assert_value("http.port", "3333", "option --set");
	assert_value("log.level", "error", "environment LOG_LEVEL");
	assert_string_equal(
		arena_text(&arena,
			config_value_text(
				configuration_find(&config, TEXT("http.idle_timeout")), &arena))
			.data,
		"11s");
	http = configuration_of(&config, &http_setting_group);
	assert_int_equal(http->port, 3333);
	assert_int_equal(http->idle_timeout_ms, 11000);
	assert_non_null(strstr(
		configuration_find(&config, TEXT("http.idle_timeout"))->where.data, "a.yaml:3"));
	unlink(file);
}

static void an_empty_variable_is_unset_and_the_full_name_wins_over_the_alias(void **state)
{
	assert_true(load(LIST("PORT=", "MILLRACE_HTTP_PORT=", "MILLRACE_NOTHING="), NULL, NULL));
	assert_value("http.port", "3000", "default");
	assert_true(load(LIST("MILLRACE_HTTP_PORT=4444", "PORT=5555"), NULL, NULL));
	assert_value("http.port", "4444", "environment MILLRACE_HTTP_PORT");
	assert_true(load(LIST("MILLRACE_OPS_PORT=1", "MILLRACE_DATA_DIR=/x", "APP_ENV=production"),
		NULL, NULL));
	assert_value("ops.port", "1", "environment MILLRACE_OPS_PORT");
	assert_value("data.dir", "/x", "environment MILLRACE_DATA_DIR");
	assert_true(config.production);
}

static void unknown_names_are_refused_with_the_nearest(void **state)
{
	assert_false(load(LIST("MILLRACE_HTTP_IDLE_TIMOUT=5s"), NULL, NULL));
	assert_refused(
		LIST("MILLRACE_HTTP_IDLE_TIMOUT", "did you mean MILLRACE_HTTP_IDLE_TIMEOUT?"));
	assert_false(load(NULL, NULL, LIST("http.prot", "1")));
	assert_refused(LIST("http.prot", "did you mean http.port?"));
	assert_false(load(NULL, NULL, LIST("port", "1")));
	assert_refused(LIST("did you mean"));
	assert_false(load(NULL, NULL, LIST("nothing.like.it", "1")));
	assert_refused(LIST("nothing.like.it", "is no setting"));
	const char *file = write_file("b.yaml", "http:\n\n  idle_timout: 5s\n");
	assert_false(load(NULL, file, NULL));
	assert_refused(LIST("b.yaml:3", "http.idle_timout", "did you mean http.idle_timeout?"));
	unlink(file);
}

static void what_the_surroundings_set_is_left_alone(void **state)
{
	assert_true(load(LIST("MILLRACE_TEST_BINARY=x", "MILLRACE_CONFIG=",
				 "MILLRACE_BENCH_POSTGRES_URL=x", "MILLRACE_SERVICE_HOST=10.0.0.1",
				 "MILLRACE_SERVICE_PORT_HTTP=80", "MILLRACE_PORT=tcp://10.0.0.1:80",
				 "MILLRACE_REDIS_PORT_6379_TCP_ADDR=10.0.0.2"),
		NULL, NULL));
}

static void a_bad_value_names_key_source_value_and_what_is_valid(void **state)
{
	assert_false(load(LIST("PORT=abc"), NULL, NULL));
	assert_refused(LIST("http.port", "environment PORT", "\"abc\"", "from 0 to 65535"));
	assert_value("http.port", "3000", "default");
	const char *file = write_file("c.yaml", "http: { idle_timeout: soon }\n");
	assert_false(load(NULL, file, NULL));
	assert_refused(LIST("http.idle_timeout", "c.yaml:1", "\"soon\"", "a duration"));
	unlink(file);
	assert_false(load(LIST("LOG_LEVEL=loud", "PORT=-1", "MILLRACE_X=1"), NULL,
		LIST("log.format", "xml")));
	assert_int_equal(config.error_count, 4);
	assert_false(load(LIST("REDIS_URL=http://:hunter2@x"), NULL, NULL));
	assert_refused(LIST("redis.url", "REDIS_URL", "redis: or rediss:"));
	assert_null(strstr(config.errors[0].data, "hunter2"));
	assert_false(load(LIST("DATABASE_URL=mysql://joe:hunter2@x"), NULL, NULL));
	assert_refused(LIST("database.url", "mysql", "postgresql"));
	assert_null(strstr(config.errors[0].data, "hunter2"));
}

static void a_secret_is_read_from_its_file_and_never_shown(void **state)
{
	const char *file = write_file("secret", "a secret that nobody may see\n");
	struct text variable = arena_printf(&arena, "JWT_SECRET_FILE=%s", file);
	struct text own = arena_printf(&arena, "MILLRACE_JWT_SECRET_FILE=%s", file);

	assert_true(load(LIST(variable.data), NULL, NULL));
	assert_value("jwt.secret", "[set]", "environment JWT_SECRET_FILE");
	const struct config_value *value = configuration_find(&config, TEXT("jwt.secret"));
	const struct text *secret = (const void *)((const char *)value->settings +
		value->row->offset);
	assert_true(text_equals(*secret, TEXT("a secret that nobody may see")));
	assert_true(load(LIST(own.data), NULL, NULL));
	assert_value("jwt.secret", "[set]", "environment MILLRACE_JWT_SECRET_FILE");

	assert_false(load(LIST("JWT_SECRET=x", variable.data), NULL, NULL));
	assert_refused(LIST("both JWT_SECRET and JWT_SECRET_FILE"));
	assert_false(load(LIST("JWT_SECRET_FILE=/nonexistent/secret"), NULL, NULL));
	assert_refused(LIST("JWT_SECRET_FILE", "/nonexistent/secret", "No such file"));
	assert_false(load(LIST("JWT_SECRET_FILE=/tmp"), NULL, NULL));
	assert_refused(LIST("it is a folder"));
	write_file("secret", "\n");
	assert_false(load(LIST(variable.data), NULL, NULL));
	assert_refused(LIST("is empty"));
	unlink(file);
}

static bool load_serving(const char *const *environment)
{
	char *names[NAMES_MAX + 1] = {NULL};
	struct config_input input = {.environment = names, .serves = true};

	for (size_t i = 0; environment[i] != NULL; i++)
		names[i] = (char *)(uintptr_t)environment[i];
	return configuration_load(&config, &input, &arena);
}

static void production_refuses_missing_short_and_well_known_secrets(void **state)
{
	assert_false(load_serving(LIST("APP_ENV=production")));
	assert_refused(LIST("JWT_SECRET", "missing"));
	assert_false(load_serving(LIST("APP_ENV=production", "JWT_SECRET=Development-Secret")));
	assert_refused(LIST("jwt.secret", "stands in examples"));
	assert_false(load_serving(
		LIST("APP_ENV=production", "JWT_SECRET=0123456789012345678901234567890")));
	assert_refused(LIST("31 bytes", "at least 32"));
	assert_null(strstr(config.errors[0].data, "0123456789"));
	assert_true(load_serving(
		LIST("APP_ENV=production", "JWT_SECRET=3Jq0Zb7w1xK9mT5vR2nYcL8dF6hG4sP0")));
	assert_true(load_serving(LIST("APP_ENV=production", "MILLRACE_JWT_PRIVATE_KEY_FILE=/x")));
	assert_true(load_serving(LIST("APP_ENV=development", "JWT_SECRET=secret")));
}

static void a_file_that_is_not_what_it_should_be_names_file_and_line(void **state)
{
	static const struct {
		const char *yaml, *says;
	} rows[] = {
		{"http:\n  port: [1\n", "d.yaml:"},
		{"http:\n  port: [1, 2]\n", "http.port (file"},
		{"- a\n- b\n", "sections"},
		{"port\n", "sections"},
		{"http: 5\n", "is no setting"},
		{"http:\n  port: 1\n  port: 2\n", "d.yaml"},
		{"a: &x 1\nhttp:\n  port: *x\n", "references"},
		{"http:\n  ? [a]\n  : b\n", "a key must be a short word"},
		{"http:\n\tport: 1\n", "d.yaml"},
		{"http:\n  port: \xFF\n", "UTF-8"},
		{"http:\n  port: 1\n---\nhttp:\n  port: 2\n", "one document"},
		{"http:\n  port: 1\n---\n[\n", "d.yaml"},
		{"a: {b: {c: {d: {e: {f: 1}}}}}\n", "single value"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *file = write_file("d.yaml", rows[i].yaml);
		if (load(NULL, file, NULL))
			fail_msg("taken: %s", rows[i].yaml);
		bool said = false;
		for (size_t at = 0; at < config.error_count; at++)
			said |= strstr(config.errors[at].data, rows[i].says) != NULL;
		if (!said)
			fail_msg("%s: %s", rows[i].yaml, config.errors[0].data);
		unlink(file);
	}
	assert_false(load(NULL, "/nonexistent/millrace.yaml", NULL));
	assert_refused(LIST("/nonexistent/millrace.yaml", "No such file"));
	assert_false(load(LIST("MILLRACE_CONFIG=/nonexistent/other.yaml"), NULL, NULL));
	assert_refused(LIST("/nonexistent/other.yaml"));
}

static void an_empty_file_and_empty_keys_set_nothing(void **state)
{
	static const char *const rows[] = {"", "\n", "# only a comment\n", "---\n", "http:\n",
		"http:\n  port:\n", "http:\n  port: \"\"\n"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *file = write_file("e.yaml", rows[i]);
		bool good = load(NULL, file, NULL);
		if (!good)
			fail_msg("%s: %s", rows[i], config.errors[0].data);
		assert_value("http.port", "3000", "default");
		unlink(file);
	}
}

/* 44 characters as `openssl rand -base64 32` makes them, 65 lower-case ones, and one with a digit. */
static void what_may_be_a_secret_in_the_place_of_a_key_is_not_echoed(void **state)
{
	static const char *const secrets[] = {
		"q2V1d/Zk9uSpT7+8bXyR0aLmN4cJ5hGfE1oWiQvKx3s=",
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklm",
		"hunter2pass",
		"Secret",
	};
	static const char *const values[] = {"x", "[x]", "*x", "&x y"};

	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++) {
		for (size_t at = 0; at < sizeof(values) / sizeof(*values); at++) {
			struct text yaml = arena_printf(
				&arena, "jwt:\n  %s: %s\n", secrets[i], values[at]);
			const char *file = write_file("f.yaml", yaml.data);
			assert_false(load(NULL, file, NULL));
			assert_refused(LIST("a key of jwt", "f.yaml:2"));
			assert_null(strstr(config.errors[0].data, secrets[i]));
			unlink(file);
		}
		assert_false(load(NULL, NULL, LIST(secrets[i], "")));
		assert_refused(LIST("a key (option --set) is no setting"));
		assert_null(strstr(config.errors[0].data, secrets[i]));
	}
	assert_false(load(NULL, NULL, LIST("http.Port", "1")));
	assert_refused(LIST("a key of http", "did you mean http.port?"));
}

static void an_anchor_or_a_tag_is_no_value(void **state)
{
	static const char *const rows[] = {"jwt:\n  secret: &x7Kq\n", "jwt:\n  secret: !x7Kq\n",
		"jwt:\n  secret: !x7Kq more\n", "jwt:\n  secret: &x7Kq more\n"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *file = write_file("g.yaml", rows[i]);
		assert_false(load(NULL, file, NULL));
		assert_refused(LIST("jwt.secret", "g.yaml:2", "quotes"));
		assert_null(strstr(config.errors[0].data, "x7Kq"));
		unlink(file);
	}
}

static void a_secret_in_the_place_of_its_file_is_not_echoed(void **state)
{
	assert_false(load(LIST("JWT_SECRET_FILE=q2V1d+Zk9uSpT7"), NULL, NULL));
	assert_refused(LIST("jwt.secret", "JWT_SECRET_FILE", "No such file"));
	assert_null(strstr(config.errors[0].data, "q2V1d"));
}

static void limits_that_do_not_fit_each_other_are_refused(void **state)
{
	assert_false(load(NULL, NULL, LIST("http.body_max", "64MiB")));
	assert_refused(LIST("http.request_memory_max", "three times", "http.body_max"));
	assert_true(load(
		NULL, NULL, LIST("http.body_max", "64MiB", "http.request_memory_max", "192MiB")));
}

static void values_compare_and_copy(void **state)
{
	static struct configuration other;
	struct config_value *mine, *theirs;

	assert_true(
		load(LIST("PORT=1", "JWT_SECRET=one", "MILLRACE_LOG_ACCESS=false"), NULL, NULL));
	other = config;
	assert_true(load(NULL, NULL, NULL));
	for (size_t i = 0; i < config.value_count; i++) {
		mine = &config.values[i];
		theirs = configuration_find(&other, text_from_c(mine->row->key));
		assert_int_equal(config_value_equals(mine, theirs), theirs->source == FROM_DEFAULT);
		config_value_copy(mine, theirs, &arena);
		assert_true(config_value_equals(mine, theirs));
	}
	assert_value("http.port", "1", "environment PORT");
	assert_value("log.access", "false", "environment MILLRACE_LOG_ACCESS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_default_is_valid_and_every_row_is_whole),
		cmocka_unit_test(options_win_over_the_environment_over_the_file_over_the_default),
		cmocka_unit_test(an_empty_variable_is_unset_and_the_full_name_wins_over_the_alias),
		cmocka_unit_test(unknown_names_are_refused_with_the_nearest),
		cmocka_unit_test(what_the_surroundings_set_is_left_alone),
		cmocka_unit_test(a_bad_value_names_key_source_value_and_what_is_valid),
		cmocka_unit_test(a_secret_is_read_from_its_file_and_never_shown),
		cmocka_unit_test(production_refuses_missing_short_and_well_known_secrets),
		cmocka_unit_test(a_file_that_is_not_what_it_should_be_names_file_and_line),
		cmocka_unit_test(an_empty_file_and_empty_keys_set_nothing),
		cmocka_unit_test(what_may_be_a_secret_in_the_place_of_a_key_is_not_echoed),
		cmocka_unit_test(an_anchor_or_a_tag_is_no_value),
		cmocka_unit_test(a_secret_in_the_place_of_its_file_is_not_echoed),
		cmocka_unit_test(limits_that_do_not_fit_each_other_are_refused),
		cmocka_unit_test(values_compare_and_copy),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
