// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"
#include "domains/access/access.h"
#include "domains/access/state.h"
#include "domains/access/store.h"
#include "http/handler.h"

static flow_step_fn check_token, check_session, check_admin;

static const struct flow_step bearer_steps[] = {
	STEP(check_token),
	STEP(check_session),
	STEPS_END,
};

const struct guard bearer_guard = {
	.name = "bearer",
	.security = "bearer",
	.steps = bearer_steps,
	.problems = PROBLEMS(PROBLEM_TOKEN_MISSING, PROBLEM_TOKEN_INVALID, PROBLEM_TOKEN_EXPIRED,
		PROBLEM_SESSION_REVOKED, PROBLEM_ACCOUNT_SUSPENDED),
};

static const struct flow_step admin_steps[] = {
	STEP(check_admin),
	STEPS_END,
};

const struct guard admin_guard = {
	.name = "admin",
	.security = "bearer",
	.steps = admin_steps,
	.problems = PROBLEMS(PROBLEM_FORBIDDEN),
};

/* RFC 6750, 2.1; absent when there is no such header. */
static struct text bearer_token(const struct flow *flow)
{
	struct text header = http_request_header(flow, TEXT("authorization"));
	struct text token, scheme = text_cut(header, ' ', &token);

	if (text_is_absent(header) || !text_equals_ignore_case(scheme, TEXT("Bearer")))
		return TEXT_ABSENT;
	return text_is_absent(token) ? text_of("", 0) : text_trim(token);
}

static struct token_cache *cache_of(const struct flow *flow)
{
	return &access_of(flow)->caches[flow->loop->index];
}

static enum token_verdict verify(
	struct flow *flow, struct text token, int64_t now_s, struct seen_token *seen_out)
{
	struct token_claims claims;
	enum token_verdict verdict = token_verify(
		&access_of(flow)->rules, token, now_s, &flow->arena, &claims);

	if (verdict == TOKEN_OK) {
		seen_out->user_id = claims.user_id;
		seen_out->session_id = claims.session_id;
		seen_out->expires_at_s = claims.expires_at_s;
	}
	return verdict;
}

/* The token's place in the cache, verified now or before. NULL with a verdict when it is not good. */
static struct seen_token *see(struct flow *flow, struct text token, enum token_verdict *verdict_out)
{
	struct token_cache *cache = cache_of(flow);
	int64_t now_s = clock_unix_ms() / 1000;
	struct seen_token fresh = {0}, *seen;

	*verdict_out = TOKEN_BAD;
	if (token.len == 0 || token.len > TOKEN_MAX_BYTES)
		return NULL;
	secret_sha256(token.data, token.len, fresh.digest);
	seen = token_cache_find(cache, fresh.digest);
	access_count_cache(flow, seen != NULL);
	if (seen != NULL) {
		*verdict_out = now_s < seen->expires_at_s + TOKEN_LEEWAY_S ? TOKEN_OK : TOKEN_LATE;
		return *verdict_out == TOKEN_OK ? seen : NULL;
	}
	*verdict_out = verify(flow, token, now_s, &fresh);
	return *verdict_out == TOKEN_OK ? token_cache_put(cache, &fresh) : NULL;
}

/* Does what was found when the session was last looked at still count? */
static bool is_fresh(const struct flow *flow, const struct seen_token *seen)
{
	const struct access *access = access_of(flow);
	uint64_t trust_ns = (uint64_t)access->settings->session_check_ms * 1000000;

	return seen->checked_ns != 0 && clock_now_ns() - seen->checked_ns < trust_ns &&
		seen->checked_ns > revocations_last(&access->revocations, &seen->session_id) &&
		seen->checked_ns > revocations_last(&access->revocations, &seen->user_id);
}

static enum flow_verdict let_in(struct flow *flow, uint32_t roles)
{
	flow->identity.roles = roles;
	flow->identity.known = true;
	active_users_see(&access_of(flow)->active, &flow->identity.user_id, clock_unix_ms());
	return FLOW_NEXT;
}

static enum flow_verdict check_token(struct flow *flow)
{
	struct text token = bearer_token(flow);
	enum token_verdict verdict;
	struct seen_token *seen;

	if (text_is_absent(token))
		return refuse(flow, PROBLEM_TOKEN_MISSING);
	seen = see(flow, token, &verdict);
	if (seen == NULL)
		return refuse(flow,
			verdict == TOKEN_LATE ? PROBLEM_TOKEN_EXPIRED : PROBLEM_TOKEN_INVALID);
	flow->identity.user_id = seen->user_id;
	flow->identity.session_id = seen->session_id;
	if (seen->ended)
		return refuse(flow, PROBLEM_SESSION_REVOKED);
	if (is_fresh(flow, seen))
		return let_in(flow, seen->roles);
	return db_query(flow, &session_check_statement,
		DB_VALUES(db_uuid(seen->session_id), db_uuid(seen->user_id)));
}

/* Keeps what the database said for the token's next request. The check began after the flow did, so the
 * flow's start is a safe time for it. */
static void remember(struct flow *flow, uint32_t roles, bool ended)
{
	struct text token = bearer_token(flow);
	uint8_t digest[SHA256_BYTES];
	struct seen_token *seen;

	secret_sha256(token.data, token.len, digest);
	seen = token_cache_find(cache_of(flow), digest);
	if (seen == NULL)
		return;
	seen->roles = roles;
	seen->checked_ns = ended ? 0 : flow->started_ns;
	seen->ended = ended;
}

static enum flow_verdict check_session(struct flow *flow)
{
	struct session_check_row row;
	uint32_t roles;

	if (flow->identity.known) /* no question was asked */
		return FLOW_NEXT;
	if (db_result(flow)->rows == 0) {
		remember(flow, 0, true);
		return refuse(flow, PROBLEM_SESSION_REVOKED);
	}
	db_row(flow, 0, &row);
	if (row.revoked_at != 0 || row.expires_at <= clock_unix_ms()) {
		remember(flow, 0, true);
		return refuse(flow, PROBLEM_SESSION_REVOKED);
	}
	if (row.status == USER_SUSPENDED)
		return refuse(flow, PROBLEM_ACCOUNT_SUSPENDED);
	roles = role_bit((enum role)row.role);
	remember(flow, roles, false);
	return let_in(flow, roles);
}

static enum flow_verdict check_admin(struct flow *flow)
{
	if (!(flow->identity.roles & role_bit(ROLE_ADMIN)))
		return refuse(flow, PROBLEM_FORBIDDEN);
	return FLOW_NEXT;
}
