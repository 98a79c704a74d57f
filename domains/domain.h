// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * domain - what a domain shows to the program: its scopes, statements, migrations, settings and its
 * process-wide state. domains/domains.c lists them; adding a domain is a folder and a line there.
 */

#include "core/setting.h"
#include "db/db.h"
#include "db/migration.h"
#include "http/route.h"
#include "observability/log.h"
#include "observability/metrics.h"

enum { DOMAINS_MAX = 32 };

struct http_server;
struct router;

/* What a domain may use while it opens. Everything outlives the domain's state. */
struct domain_context {
	struct arena *arena; /* lives as long as the process */
	struct metrics *metrics;
	struct log *log;
	struct log_ring *log_ring; /* of the main thread: only while opening */
	struct db *db;
	struct router *router; /* set once all domains are open: see domain.ready */
	unsigned loop_count;
	bool production;
	struct text data_dir;
	const char *version;
};

struct domain {
	const char *name;
	const struct scope *const *scopes;
	size_t scope_count;
	struct db_statement_list statements;
	struct migration_list migrations;
	const struct setting_group *settings; /* NULL: none */
	/* Once, before the loops run; `settings` is this domain's struct, valid for the process's life (a reload
	 * changes it in place). On failure false and a sentence in *error_out. May be NULL. */
	bool (*open)(struct domain_context *context, const void *settings, void **state_out,
		struct text *error_out);
	/* After the loops have stopped. May be NULL. */
	void (*close)(void *state);
};

struct domains {
	const struct domain_context *context;
	void *states[DOMAINS_MAX]; /* in the order of domain_list */
};

extern const struct domain *const domain_list[]; /* ends with NULL */

/* The state that this domain's open() gave. */
void *domain_state(const struct loop *loop, const struct domain *domain);
