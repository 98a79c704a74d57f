// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * connection - one client's socket on one loop. Its state is the list it stands in, and
 * connection_move is the only function that moves it. It holds no buffer while idle: bytes are read
 * into the loop's buffer, a request in progress lives in its flow's arena, answers are staged in
 * the loop's buffer.
 *
 *   burst   what is done with one connection within one callback: from connection_begin to
 *           connection_end, which sends all answers of the burst in one write
 *   stash   bytes that came while a flow waits, or that follow it in the pipeline
 *
 * Loop thread only. Freed in the close callback.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "core/flow.h"
#include "core/timer.h"
#include "http/address.h"
#include "http/intake.h"

struct http_loop;
struct stash;

enum connection_state {
	CONNECTION_IDLE, /* between requests */
	CONNECTION_RESTING, /* has requests in its stash, after a burst that was long enough */
	CONNECTION_READING_HEAD, /* some bytes of a head are here */
	CONNECTION_READING_BODY,
	CONNECTION_WAITING, /* a flow runs */
	CONNECTION_WRITING, /* nothing to do before the client takes what was answered */
	CONNECTION_LINGERING, /* answered for good; reads and drops until the client closes too */
	CONNECTION_CLOSING, /* until the close callback */
	CONNECTION_STATES,
};

enum connection_timer {
	TIMER_NONE,
	TIMER_FIRST, /* nothing was ever sent */
	TIMER_IDLE,
	TIMER_HEAD,
	TIMER_BODY,
	TIMER_WRITE,
	TIMER_LINGER,
};

struct connection {
	uv_tcp_t tcp;
	struct http_loop *http;
	struct connection *next, **link;
	struct flow *flow; /* the request in progress; flow->owner_data is its intake */
	struct stash *stash;
	struct op piece; /* of a body in pieces: until the kernel has taken it */
	struct timer timer;
	size_t intake_bytes; /* of a body that is coming in */
	size_t pending_bytes; /* handed to uv_write, not yet taken by the kernel */
	size_t seen_bytes; /* pending at the last look of the write timer; lingering: dropped */
	uint32_t request_count;
	uint32_t burst_end; /* the request_count at which this burst has done its share */
	struct client_address address;
	uint8_t state; /* enum connection_state */
	uint8_t timer_for; /* enum connection_timer */
	uint8_t listener; /* enum listener */
	bool in_burst;
	bool is_reading;
	bool last; /* no request after this one is answered */
	bool lingers; /* the close is our idea: the client may still be sending */
};

extern const struct flow_owner http_flow_owner;

/* Takes the socket over, whatever it returns. False when it cannot be used. */
bool connection_open(struct http_loop *http, int fd, enum listener listener,
	const struct client_address *address);
/* Cuts everything off: the flow hears CLIENT_GONE. */
void connection_close(struct connection *connection);
/* The same, so that the client's system reports an error, not an end. */
void connection_reset(struct connection *connection);
void connection_move(struct connection *connection, enum connection_state state);
/* The server stops: an idle one closes, a busy one makes its next answer the last. */
void connection_drain(struct connection *connection);
/* The drain's time is up. */
void connection_cut(struct connection *connection);

/* The next turn of the loop, for one that rests. */
void connection_go_on(struct connection *connection);

void connection_begin(struct connection *connection);
/* Sends what was staged, then decides what to wait for: bytes, the client, a timer, the end. */
void connection_end(struct connection *connection);

/* The request in progress is answered and its flow is gone: the next one, or the end. */
void connection_next(struct connection *connection);
/* Works on stashed bytes, if the connection is free to. Within a burst. */
void connection_resume(struct connection *connection);

/* connection_read.c: bytes in. */
void connection_read(struct connection *connection, bool on);
void connection_refuse(struct connection *connection, enum problem problem);
void connection_drop_stash(struct connection *connection);

/* connection_write.c: bytes out. */
void connection_stage(struct connection *connection, struct text data);
/* Serialises the recorded answer of the request in progress. */
void connection_answer(struct connection *connection, struct flow *flow);
void connection_flush(struct connection *connection);
/* For a body in pieces. Stages the head of the recorded answer; false when the connection is lost. */
bool connection_stage_head(struct connection *connection, struct flow *flow, size_t *len_out);
/* What was staged, then these, copied, by one uv_write. False without memory. */
bool connection_send_later(struct connection *connection, struct text data, struct text end);

/* connection_stream.c: bodies in pieces. */
void connection_end_stream(struct connection *connection, struct flow *flow);
/* The kernel has taken all: the flow may make its next piece. Within a burst. */
void connection_piece_taken(struct connection *connection);
