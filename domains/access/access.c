// SPDX-License-Identifier: Apache-2.0
#include "domains/access/access.h"

#include "domains/access/migrations.h"
#include "domains/access/routes.h"
#include "domains/access/state.h"
#include "domains/access/store.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

static const struct setting setting_rows[] = {
	SETTING(SETTING_TEXT, access_settings, secret, "jwt.secret", "", .alias = "JWT_SECRET",
		.secret = true,
		.help = "Signs access tokens with HS256. At least 32 bytes in production. Unset: Ed25519 with "
			"a key of its own."),
	SETTING(SETTING_PATH, access_settings, private_key_file, "jwt.private_key_file", "",
		.help = "An Ed25519 private key (PKCS #8, PEM) that several replicas share. Unset: "
			"jwt_ed25519.pem in the data folder, made at the first start."),
	SETTING(SETTING_TEXT, access_settings, issuer, "jwt.issuer", "millrace",
		.help = "The claim iss of access tokens, and the only one accepted."),
	SETTING(SETTING_TEXT, access_settings, audience, "jwt.audience", "millrace",
		.help = "The claim aud of access tokens, and the only one accepted."),
	SETTING(SETTING_DURATION, access_settings, access_ttl_ms, "jwt.access_ttl", "15m",
		.min = 1000, .max = DAY_MS, .reloadable = true,
		.help = "How long an access token is good. Longer than an hour is unwise."),
	SETTING(SETTING_DURATION, access_settings, session_ttl_ms, "access.session_ttl", "30d",
		.min = 1000, .max = 366 * DAY_MS, .reloadable = true,
		.help = "How long a session lasts at most, however often it is refreshed."),
	SETTING(SETTING_DURATION, access_settings, idle_timeout_ms, "access.idle_timeout", "14d",
		.min = 1000, .max = 366 * DAY_MS, .reloadable = true,
		.help = "A session that is not refreshed for this long has ended."),
	SETTING(SETTING_DURATION, access_settings, refresh_grace_ms, "access.refresh_grace", "10s",
		.max = 60 * 1000, .reloadable = true,
		.help = "Within this time the same client may present a used refresh token again and gets "
			"the same successor. Later it counts as stolen and ends the session."),
	SETTING(SETTING_DURATION, access_settings, session_check_ms, "access.session_check", "5s",
		.max = 5 * 60 * 1000, .reloadable = true,
		.help = "How long a loop trusts its last look at a session: within this time other nodes obey "
			"a revocation. 0 asks the database on every request."),
	SETTING(SETTING_INT, access_settings, token_cache_places, "access.token_cache", "4096",
		.min = 4, .max = 1 << 20,
		.help = "Verified tokens that each loop remembers, at about 100 bytes."),
};

const struct setting_group access_setting_group = SETTING_GROUP(
	"access", access_settings, setting_rows, "Tokens and sessions");

struct access *access_of(const struct flow *flow)
{
	return domain_state(flow->loop, &access_domain);
}

static bool open_key(struct access *access, struct domain_context *context, struct text *error_out)
{
	const struct access_settings *settings = access->settings;
	const struct token_key_source source = {
		.secret = settings->secret,
		.private_file = settings->private_key_file,
		.data_dir = context->data_dir,
		.production = context->production,
	};
	const char *weakness = settings->secret.len > 0 ? token_secret_weakness(settings->secret)
							: NULL;

	if (!token_key_open(&access->key, &source, context->arena, error_out))
		return false;
	if (weakness != NULL && context->log_ring != NULL)
		log_warn(context->log_ring, "jwt_secret_weak", LOG_STRING("weakness", weakness));
	access->rules = (struct token_rules) {
		.key = &access->key,
		.issuer = settings->issuer,
		.audience = settings->audience,
	};
	return true;
}

static bool open_caches(struct access *access, struct domain_context *context)
{
	size_t places = (size_t)access->settings->token_cache_places;

	access->caches = arena_zalloc(
		context->arena, context->loop_count * sizeof(access->caches[0]));
	if (access->caches == NULL)
		return false;
	for (unsigned i = 0; i < context->loop_count; i++)
		if (!token_cache_init(&access->caches[i], context->arena, places))
			return false;
	return true;
}

static bool open_access(struct domain_context *context, const void *settings, void **state_out,
	struct text *error_out)
{
	struct access *access = arena_zalloc(context->arena, sizeof(*access));

	if (access == NULL) {
		*error_out = TEXT("no memory for the state of access");
		return false;
	}
	access->settings = settings;
	if (!open_key(access, context, error_out))
		return false;
	if (!open_caches(access, context)) {
		token_key_close(&access->key);
		*error_out = TEXT("no memory for access.token_cache");
		return false;
	}
	access_metrics_open(access, context->metrics);
	*state_out = access;
	return true;
}

static void close_access(void *state)
{
	struct access *access = state;

	token_key_close(&access->key);
}

static const struct scope *const scopes[] = {&access_scope};

const struct domain access_domain = {
	.name = "access",
	.scopes = scopes,
	.scope_count = sizeof(scopes) / sizeof(scopes[0]),
	.statements = {access_statements, ACCESS_STATEMENT_COUNT},
	.migrations = {access_migrations, ACCESS_MIGRATION_COUNT},
	.settings = &access_setting_group,
	.open = open_access,
	.close = close_access,
};
