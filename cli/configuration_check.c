// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cli/configuration.h"

/* Production refuses secrets that stand in examples, and signing secrets shorter than the digest they key
 * (RFC 7518, 3.2). */
enum { SIGNING_SECRET_MIN_BYTES = 32 };

static const char *const well_known[] = {
	"development-secret", "secret", "changeme", "change-me", "change_me", "password", "default", "test",
	"admin", "example", "jwt-secret", "jwt_secret", "your-secret", "your-secret-key", "supersecret",
	"super-secret", "millrace", "postgres", "12345678", "123456", NULL,
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

	return value != NULL && ((const struct text *)(const void *)((const char *)value->settings +
				 value->row->offset))->len > 0;
}

void configuration_check_secrets(struct configuration *config)
{
	if (!is_set(config, "jwt.secret") && !is_set(config, "jwt.private_key_file"))
		configuration_fail(config, "jwt.secret (environment JWT_SECRET) is missing: production wants "
			"a secret of at least %d bytes, made by `openssl rand -base64 48`, or a key of its own in "
			"jwt.private_key_file, made by `openssl genpkey -algorithm ed25519`",
			SIGNING_SECRET_MIN_BYTES);
	for (size_t i = 0; i < config->value_count; i++) {
		const struct config_value *value = &config->values[i];
		if (!value->row->secret || value->row->kind != SETTING_TEXT)
			continue;
		const struct text *secret = (const void *)((const char *)value->settings + value->row->offset);
		bool signs = text_ends_with(text_from_c(value->row->key), TEXT(".secret"));
		if (secret->len == 0)
			continue;
		if (is_well_known(*secret))
			configuration_fail(config, "%s (%s %.*s): the value stands in examples, and production "
				"refuses it; make one by: openssl rand -base64 48", value->row->key,
				value_source_name(value->source), TEXT_ARG(value->where));
		else if (signs && secret->len < SIGNING_SECRET_MIN_BYTES)
			configuration_fail(config, "%s (%s %.*s): the value has %zu bytes, and production wants "
				"at least %d; make one by: openssl rand -base64 48", value->row->key,
				value_source_name(value->source), TEXT_ARG(value->where), secret->len,
				SIGNING_SECRET_MIN_BYTES);
	}
}
