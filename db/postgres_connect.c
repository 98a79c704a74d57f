// SPDX-License-Identifier: Apache-2.0
/*
 * connect - from nothing to a connection in pipeline mode: names are looked up by libuv (libpq's own
 * lookup blocks), then libpq is driven by the readiness of its socket, which it may change underway.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/postgres.h"

static void resolve_next(struct postgres_connection *connection);

/* ---- watching libpq's socket ----------------------------------------------------------------- */

static void on_poll_closed(uv_handle_t *handle)
{
	free(handle);
}

void postgres_connect_unwatch(struct postgres_connection *connection)
{
	if (connection->poll == NULL)
		return;
	uv_close((uv_handle_t *)&connection->poll->handle, on_poll_closed);
	connection->poll = NULL;
}

static bool watch_new(struct postgres_connection *connection, int fd)
{
	struct postgres_poll *poll = calloc(1, sizeof(*poll));

	if (poll == NULL)
		return false;
	if (uv_poll_init(&connection->pool->base.loop->uv, &poll->handle, fd) != 0) {
		free(poll);
		return false;
	}
	poll->handle.data = connection;
	poll->fd = fd;
	connection->poll = poll;
	return true;
}

void postgres_connect_watch(struct postgres_connection *connection, int events, uv_poll_cb on_ready)
{
	int fd = PQsocket(connection->libpq);

	if (connection->poll != NULL && connection->poll->fd != fd)
		postgres_connect_unwatch(connection);
	if (fd < 0 || (connection->poll == NULL && !watch_new(connection, fd))) {
		postgres_connection_break(connection, "its socket cannot be watched");
		return;
	}
	if (connection->poll->events == events)
		return;
	connection->poll->events = events;
	uv_poll_start(&connection->poll->handle, events, on_ready);
}

/* ---- the handshake --------------------------------------------------------------------------- */

static void on_handshake(uv_poll_t *handle, int status, int events);

static void handshake_done(struct postgres_connection *connection)
{
	struct postgres_op *op;

	if (PQsetnonblocking(connection->libpq, 1) != 0 ||
		PQenterPipelineMode(connection->libpq) != 1) {
		postgres_connection_break(connection, PQerrorMessage(connection->libpq));
		return;
	}
	op = postgres_op_new(connection->pool, POSTGRES_SESSION);
	if (op == NULL) {
		postgres_connection_break(connection, "no memory");
		return;
	}
	postgres_connection_send(connection, op, NULL, 0);
}

static void handshake_goes_on(
	struct postgres_connection *connection, PostgresPollingStatusType status)
{
	switch (status) {
	case PGRES_POLLING_READING:
		postgres_connect_watch(connection, UV_READABLE, on_handshake);
		break;
	case PGRES_POLLING_WRITING:
		postgres_connect_watch(connection, UV_WRITABLE, on_handshake);
		break;
	case PGRES_POLLING_OK:
		handshake_done(connection);
		break;
	case PGRES_POLLING_FAILED:
	case PGRES_POLLING_ACTIVE:
		postgres_connection_break(connection, PQerrorMessage(connection->libpq));
		break;
	}
}

static void on_handshake(uv_poll_t *handle, int status, int events)
{
	struct postgres_connection *connection = handle->data;

	/* libpq may close its socket and open another, maybe of the same number: the watch must not
	 * outlive the descriptor. */
	uv_poll_stop(handle);
	connection->poll->events = 0;
	handshake_goes_on(connection, PQconnectPoll(connection->libpq));
	if (connection->is_broken)
		postgres_connection_close(connection, FAILURE_UNAVAILABLE);
}

/* libpq would print the server's notices on stderr. */
static void ignore_notice(void *context, const PGresult *notice)
{
}

static void start_handshake(struct postgres_connection *connection)
{
	connection->libpq = postgres_url_connect(connection->pool->postgres, connection->addresses,
		connection->address_count, PQconnectStartParams);
	if (connection->libpq == NULL || PQstatus(connection->libpq) == CONNECTION_BAD) {
		postgres_connection_break(connection,
			connection->libpq == NULL ? "no memory"
						  : PQerrorMessage(connection->libpq));
		return;
	}
	PQsetNoticeReceiver(connection->libpq, ignore_notice, NULL);
	postgres_connect_watch(connection, UV_WRITABLE, on_handshake);
}

/* ---- names to addresses ---------------------------------------------------------------------- */

static void add_address(struct postgres_connection *connection, const struct postgres_host *host,
	const char *literal)
{
	struct postgres_address *address;

	if (connection->address_count == ADDRESSES_MAX)
		return;
	address = &connection->addresses[connection->address_count++];
	memcpy(address->host, host->host, sizeof(address->host));
	memcpy(address->port, host->port, sizeof(address->port));
	snprintf(address->literal, sizeof(address->literal), "%s", literal);
}

static void add_found(struct postgres_connection *connection, const struct addrinfo *found)
{
	const struct postgres_host *host =
		&connection->pool->postgres->hosts[connection->host_index - 1];
	char literal[INET6_ADDRSTRLEN];

	for (; found != NULL; found = found->ai_next) {
		const void *address = found->ai_family == AF_INET6
			? (const void *)&((const struct sockaddr_in6 *)found->ai_addr)->sin6_addr
			: (const void *)&((const struct sockaddr_in *)found->ai_addr)->sin_addr;

		if (inet_ntop(found->ai_family, address, literal, sizeof(literal)) != NULL)
			add_address(connection, host, literal);
	}
}

static void on_found(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
	struct postgres_connection *connection = lookup->data;
	const struct postgres_host *host =
		&connection->pool->postgres->hosts[connection->host_index - 1];
	char cause[CAUSE_MAX];

	connection->is_looking_up = false;
	if (connection->state == POSTGRES_CLOSED) {
		uv_freeaddrinfo(found);
		postgres_connection_free(connection);
		return;
	}
	if (status == 0)
		add_found(connection, found);
	uv_freeaddrinfo(found);
	if (status != 0 && connection->host_index == connection->pool->postgres->host_count &&
		connection->address_count == 0) {
		snprintf(cause, sizeof(cause), "cannot find the address of %.120s: %s", host->host,
			uv_strerror(status));
		postgres_connection_break(connection, cause);
	} else {
		resolve_next(connection);
	}
	if (connection->is_broken)
		postgres_connection_close(connection, FAILURE_UNAVAILABLE);
}

static void look_up(struct postgres_connection *connection, const struct postgres_host *host)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

	connection->lookup.data = connection;
	if (uv_getaddrinfo(&connection->pool->base.loop->uv, &connection->lookup, on_found,
		    host->host, NULL, &hints) != 0)
		postgres_connection_break(connection, "the name lookup cannot be started");
	else
		connection->is_looking_up = true;
}

static bool is_literal(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static void resolve_next(struct postgres_connection *connection)
{
	const struct postgres *postgres = connection->pool->postgres;

	while (connection->host_index < postgres->host_count) {
		const struct postgres_host *host = &postgres->hosts[connection->host_index++];

		if (host->hostaddr[0] != '\0') {
			add_address(connection, host, host->hostaddr);
		} else if (host->host[0] == '\0' || host->host[0] == '/' || host->host[0] == '@') {
			add_address(connection, host, "");
		} else if (is_literal(host->host)) {
			add_address(connection, host, host->host);
		} else {
			look_up(connection, host);
			return;
		}
	}
	start_handshake(connection);
}

void postgres_connect_start(struct postgres_connection *connection)
{
	resolve_next(connection);
}
