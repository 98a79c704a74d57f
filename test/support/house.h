// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * house - the whole server on one loop that the test turns by itself: real settings' defaults, real
 * database, migrations, domains, router and sockets. Engine: "sqlite" in a temporary folder, or
 * "postgresql" in a database of its own (MILLRACE_TEST_POSTGRES_URL).
 */

#include "core/loop.h"
#include "domains/domain.h"
#include "test/support/temporary.h"

struct house {
	struct loop loop;
	struct arena arena;
	struct metrics *metrics;
	struct db *db;
	struct router *router;
	struct http_server *server;
	struct domains domains;
	struct domain_context context;
	struct db_settings db_settings;
	char folder[TEMPORARY_MAX];
	char url[512]; /* of the test's own database; "" for SQLite */
	char database[64];
	bool drained;
};

/* False when this engine is not to be had here (no PostgreSQL): the caller exits 77. Anything else that fails
 * fails the test. */
bool house_open(struct house *house, const char *engine);
void house_close(struct house *house);

/* A nonblocking socket that is connected to the API's listener. */
int house_connect(struct house *house);
/* Sends the bytes on a new connection and turns the loop until the server closes it (the request says
 * "Connection: close"). Returns the status; head and body stand terminated in `answer`. */
int house_ask(struct house *house, const char *request, char *answer, size_t answer_size);
