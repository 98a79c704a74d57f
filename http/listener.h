// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * listener - a listening socket (a gate) of the accepting loop. Sockets are accepted in batches by
 * our own accept4, not by uv_listen, because most of them belong to another loop at once.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "core/arena.h"
#include "core/text.h"
#include "core/timer.h"
#include "http/address.h"
#include "http/route.h"

struct http_loop;

/* Owns fd from here on. */
typedef void gate_accept_fn(struct http_loop *http, enum listener listener, int fd,
	const struct client_address *address);

struct gate {
	int fd; /* -1: closed */
	uint16_t port;
	enum listener listener;
	struct http_loop *http; /* the loop that accepts */
	gate_accept_fn *accept;
	uv_poll_t poll;
	struct timer pause; /* out of file descriptors */
	bool is_polled;
};

union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage storage;
};

/* An address as http.host and ops.host are written: IPv4, IPv6 with or without brackets, localhost. Its length, 0
 * when it is none. */
socklen_t listener_address_parse(
	struct text host, uint16_t port, union socket_address *address_out);
/* Binds and listens. False with a sentence that names address, port and what would be valid.
 * setting: its key. */
bool gate_open(struct gate *gate, enum listener listener, struct text host, uint16_t port,
	const char *setting, struct arena *arena, struct text *error_out);
/* Starts accepting on this loop. A negative uv error code on failure. */
int gate_attach(struct gate *gate, struct http_loop *http, gate_accept_fn *accept);
/* Loop thread, or before any loop runs: stops accepting; connections in the kernel's queue are
 * reset. */
void gate_close(struct gate *gate);
