// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * wire - a real server on a thread of its own, with a tiny route table, and a client that speaks
 * bytes. The client blocks, with a limit of ten seconds, so that no test needs to sleep.
 *
 *   GET  /hello         "hello"
 *   GET  /big           BIG_BYTES times 'b', sent from where it stands
 *   GET  /wait          waits until wire_release
 *   GET  /commit        the same behind a point of no return
 *   GET  /silent        a flow that ends without an answer
 *   GET  /address       the client's address
 *   GET  /count         how often it was asked before, six digits
 *   POST /echo          {"text": "..."}: that text; at most ECHO_MAX_BYTES
 *   POST /bodiless      takes no body
 *   GET  /stream            STREAM_PIECES pieces of STREAM_PIECE_BYTES
 *   GET  /stream/endless    pieces until the client leaves
 *   GET  /stream/empty      none
 *   GET  /stream/held       a piece, waits until wire_release, a piece
 *   GET  /stream/committed  the same behind a point of no return
 *   GET  /stream/failing    a piece, then a failure
 *   GET  /stream/refused    a failure before the first piece
 *   GET  /ping          on the ops listener
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "http/server.h"

enum {
	BIG_BYTES = 4 * 1024 * 1024,
	ECHO_MAX_BYTES = 32768,
	STREAM_PIECES = 200,
	STREAM_PIECE_BYTES = 16384,
};

struct wire {
	struct http_settings settings;
	unsigned loop_count;
	uint64_t write_count; /* of all loops, once stopped */
	unsigned piece_count; /* made by /stream and /stream/endless, once stopped */
	struct metrics *metrics; /* may be set before the start; outlive the server */
	struct log *log;
	struct wire_state *state;
};

/* Defaults with short timeouts left to the test: change settings between the two. */
void wire_init(struct wire *wire);
void wire_start(struct wire *wire);
/* Drains and joins; asserts that no flow and no connection is left. */
void wire_stop(struct wire *wire);
void wire_drain(struct wire *wire); /* begins it, without waiting */
/* Keeps the first loop from everything until wire_unblock. */
void wire_block(struct wire *wire);
void wire_unblock(struct wire *wire);
size_t wire_connections(const struct wire *wire);
unsigned wire_connections_of(const struct wire *wire, unsigned loop);
uint16_t wire_port(const struct wire *wire, enum listener listener);

/* The flow of /wait or /commit waits: blocks until so many do, since the last call. */
void wire_await_waiting(struct wire *wire, unsigned count);
void wire_await_abandoned(struct wire *wire);
void wire_await_ended(struct wire *wire);
/* Lets every waiting flow go on. */
void wire_release(struct wire *wire);

struct client {
	int fd;
	char *data;
	size_t at, len;
	/* of the last reply */
	unsigned status;
	char head[8192];
	const char *body;
	size_t body_len;
};

struct client client_open(struct wire *wire, enum listener listener);
void client_close(struct client *client);
/* Closes with a reset instead of an end. */
void client_reset(struct client *client);
void client_send(struct client *client, const char *bytes);
void client_send_bytes(struct client *client, const char *bytes, size_t len);
/* One byte a segment. */
void client_trickle(struct client *client, const char *bytes);
/* One receive, as recv(2). */
ssize_t client_take(struct client *client, char *out, size_t size);
/* Waits for more bytes behind client->len: false at the end of the connection or when it was reset. */
bool client_read(struct client *client);
/* Reads one reply: false at the end of the connection. `without_body`: of a HEAD request. */
bool client_receive(struct client *client, bool without_body);
/* Asserts that a reply with this status comes. */
void client_expect(struct client *client, unsigned status);
/* Asserts that the server closes without another byte. */
void client_expect_end(struct client *client);
/* The header's value of the last reply in `out`, or false. */
bool client_header(const struct client *client, const char *name, char out[static 256]);
