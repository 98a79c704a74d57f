// SPDX-License-Identifier: Apache-2.0
#include "domains/accounts/accounts.h"

#include "core/worker.h"
#include "domains/accounts/migrations.h"
#include "domains/accounts/password_hash.h"
#include "domains/accounts/routes.h"
#include "domains/accounts/state.h"
#include "domains/accounts/store.h"

enum { MIB = 1024 * 1024, THREADS_MAX = 256 };

/* What the weakest of OWASP's equal choices costs: 7 MiB five times (Password Storage Cheat Sheet). */
enum { PRODUCTION_MIN_KIB_ITERATIONS = 7168 * 5 };

static const struct setting setting_rows[] = {
	SETTING(SETTING_SIZE, accounts_settings, memory_bytes, "password.memory", "19MiB",
		.min = MIB, .max = 1024 * MIB,
		.help = "Memory of one Argon2id hash, and of each hashing thread. Stored hashes that cost less "
			"are renewed at the next login."),
	SETTING(SETTING_INT, accounts_settings, iterations, "password.iterations", "2", .min = 1,
		.max = 64, .help = "Passes of Argon2id over that memory."),
	SETTING(SETTING_INT, accounts_settings, queue_max, "password.queue_max", "64", .min = 1,
		.max = 65536,
		.help = "Password jobs that may wait for a thread; one more is answered 503 at once."),
	SETTING(SETTING_INT, accounts_settings, threads, "password.threads", "0",
		.max = THREADS_MAX, .min = 0,
		.help = "Threads that hash passwords. 0: one for each core."),
	SETTING(SETTING_INT, accounts_settings, strength, "password.strength", "3", .min = 0,
		.max = 4,
		.help = "How hard a new password must be to guess, from 0 (anything) to 4, as zxcvbn scores it."),
};

const struct setting_group accounts_setting_group = SETTING_GROUP(
	"password", accounts_settings, setting_rows, "How passwords are judged and hashed");

static const struct metric jobs_metric = {
	.name = "password_jobs",
	.kind = METRIC_GAUGE,
	.help = "Password jobs by what they do now",
	.labels = {"state"},
};
static const struct metric refused_metric = {
	.name = "password_jobs_refused",
	.kind = METRIC_GAUGE,
	.help = "Password jobs refused since the start because the queue was full",
};

struct accounts *accounts_of(const struct flow *flow)
{
	return domain_state(flow->loop, &accounts_domain);
}

static bool check_cost(const struct password_cost *cost, bool production, struct arena *arena,
	struct text *error_out)
{
	if (!production ||
		(uint64_t)cost->memory_kib * cost->iterations >= PRODUCTION_MIN_KIB_ITERATIONS)
		return true;
	*error_out = arena_printf(arena,
		"password.memory (%u KiB) times password.iterations (%u) is too cheap for production; "
		"take at least 19MiB and 2, 12MiB and 3 or 7MiB and 5",
		cost->memory_kib, cost->iterations);
	return false;
}

static void make_nobodys_hash(struct accounts *accounts)
{
	struct phc phc = {.cost = accounts->cost, .salt_size = 16, .hash_size = 32};

	secret_random(phc.salt, phc.salt_size);
	secret_random(phc.hash, phc.hash_size);
	accounts->nobodys_hash_len = phc_write(&phc, accounts->nobodys_hash);
}

static bool open_workers(struct accounts *accounts, struct text *error_out)
{
	int64_t threads = accounts->settings->threads;

	if (threads == 0)
		threads = uv_available_parallelism();
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	accounts->workers = worker_class_open("argon2", (unsigned)threads,
		(size_t)accounts->settings->queue_max, password_scratch_bytes(&accounts->cost));
	if (accounts->workers == NULL)
		*error_out = TEXT(
			"cannot start the threads that hash passwords (password.threads)");
	return accounts->workers != NULL;
}

static double count_queued(void *workers)
{
	return (double)worker_class_stats(workers).queued;
}

static double count_running(void *workers)
{
	return (double)worker_class_stats(workers).running;
}

static double count_refused(void *workers)
{
	return (double)worker_class_stats(workers).refused_total;
}

static void open_metrics(struct accounts *accounts, struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	metric_gauge_callback(metrics, &jobs_metric, METRIC_LABELS(TEXT("queued")), count_queued,
		accounts->workers);
	metric_gauge_callback(metrics, &jobs_metric, METRIC_LABELS(TEXT("running")), count_running,
		accounts->workers);
	metric_gauge_callback(metrics, &refused_metric, NULL, 0, count_refused, accounts->workers);
}

static bool open_accounts(struct domain_context *context, const void *settings, void **state_out,
	struct text *error_out)
{
	struct accounts *accounts = arena_zalloc(context->arena, sizeof(*accounts));

	if (accounts == NULL) {
		*error_out = TEXT("no memory for the state of accounts");
		return false;
	}
	accounts->settings = settings;
	accounts->cost = (struct password_cost) {
		.memory_kib = (uint32_t)(accounts->settings->memory_bytes / 1024),
		.iterations = (uint32_t)accounts->settings->iterations,
		.lanes = 1,
	};
	if (!check_cost(&accounts->cost, context->production, context->arena, error_out) ||
		!open_workers(accounts, error_out))
		return false;
	make_nobodys_hash(accounts);
	open_metrics(accounts, context->metrics);
	*state_out = accounts;
	return true;
}

static void close_accounts(void *state)
{
	struct accounts *accounts = state;

	worker_class_close(accounts->workers);
}

static const struct scope *const scopes[] = {&accounts_scope, &admin_scope};

const struct domain accounts_domain = {
	.name = "accounts",
	.scopes = scopes,
	.scope_count = sizeof(scopes) / sizeof(scopes[0]),
	.statements = {accounts_statements, ACCOUNTS_STATEMENT_COUNT},
	.migrations = {accounts_migrations, ACCOUNTS_MIGRATION_COUNT},
	.settings = &accounts_setting_group,
	.open = open_accounts,
	.close = close_accounts,
};
