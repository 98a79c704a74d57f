// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cli/configuration.h"
#include "db/db.h"
#include "http/server.h"

/* Production refuses secrets that stand in examples, and signing secrets shorter than the digest they key
 * (RFC 7518, 3.2). */
enum { SIGNING_SECRET_MIN_BYTES = 32 };

static const char *const well_known[] = {
	"development-secret",
	"secret",
	"changeme",
	"change-me",
	"change_me",
	"password",
	"default",
	"test",
	"admin",
	"example",
	"jwt-secret",
	"jwt_secret",
	"your-secret",
	"your-secret-key",
	"supersecret",
	"super-secret",
	"millrace",
	"postgres",
	"12345678",
	"123456",
	NULL,
};

static bool is_well_known(struct text secret)
{
	for (size_t i = 0; well_known[i] != NULL; i++)
		if (text_equals_ignore_case(secret, text_from_c(well_known[i])))
			return true;
	return false;
}

static bool is_set(struct configuration *config, const char *key)
{
	const struct config_value *value = configuration_find(config, text_from_c(key));

	return value != NULL &&
		((const struct text *)(const void *)((const char *)value->settings +
			 value->row->offset))
			->len > 0;
}

void configuration_check_secrets(struct configuration *config)
{
	if (!is_set(config, "jwt.secret") && !is_set(config, "jwt.private_key_file"))
		configuration_fail(config,
			"jwt.secret (environment JWT_SECRET) is missing: production wants "
			"a secret of at least %d bytes, made by `openssl rand -base64 48`, or a key of its own in "
			"jwt.private_key_file, made by `openssl genpkey -algorithm ed25519`",
			SIGNING_SECRET_MIN_BYTES);
	for (size_t i = 0; i < config->value_count; i++) {
		const struct config_value *value = &config->values[i];
		if (!value->row->secret || value->row->kind != SETTING_TEXT)
			continue;
		const struct text *secret = (const void *)((const char *)value->settings +
			value->row->offset);
		bool signs = text_ends_with(text_from_c(value->row->key), TEXT(".secret"));
		if (secret->len == 0)
			continue;
		if (is_well_known(*secret))
			configuration_fail(config,
				"%s (%s %.*s): the value stands in examples, and production "
				"refuses it; make one by: openssl rand -base64 48",
				value->row->key, value_source_name(value->source),
				TEXT_ARG(value->where));
		else if (signs && secret->len < SIGNING_SECRET_MIN_BYTES)
			configuration_fail(config,
				"%s (%s %.*s): the value has %zu bytes, and production wants "
				"at least %d; make one by: openssl rand -base64 48",
				value->row->key, value_source_name(value->source),
				TEXT_ARG(value->where), secret->len, SIGNING_SECRET_MIN_BYTES);
	}
}

/* The scheme as it was written, when it can be nothing else: what has no scheme may begin with a password. */
static struct text scheme_of(struct text url)
{
	enum { SCHEME_MAX = 20 };
	struct text rest, scheme = text_cut(url, ':', &rest);

	if (text_is_absent(rest) || !text_starts_with(rest, TEXT("//")) || scheme.len > SCHEME_MAX)
		return TEXT_ABSENT;
	return scheme;
}

void configuration_check_database(struct configuration *config)
{
	static const char *const schemes[] = {"sqlite", "postgresql", "postgres", NULL};
	const struct db_settings *database = configuration_of(config, &db_setting_group);
	const struct config_value *value = configuration_find(config, TEXT("database.url"));
	struct text rest, scheme = text_cut(database->url, ':', &rest);

	if (database->url.len == 0 || value == NULL)
		return;
	for (size_t i = 0; schemes[i] != NULL; i++)
		if (!text_is_absent(rest) && text_equals(scheme, text_from_c(schemes[i])))
			return;
	scheme = scheme_of(database->url);
	configuration_fail(config,
		"database.url (%s %.*s): %s%.*s%sit must be empty (SQLite in the data folder), "
		"sqlite:PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
		value_source_name(value->source), TEXT_ARG(value->where),
		scheme.len > 0 ? "\"" : "", TEXT_ARG(scheme),
		scheme.len > 0 ? "\" is no engine of ours: " : "");
}

void configuration_check_limits(struct configuration *config)
{
	const struct http_settings *http = configuration_of(config, &http_setting_group);

	if (http->flow_memory_max_bytes / 3 < http->body_max_bytes)
		configuration_fail(config,
			"http.request_memory_max is %lld bytes and must be at least three times "
			"http.body_max, which is %lld bytes",
			(long long)http->flow_memory_max_bytes, (long long)http->body_max_bytes);
}
