// SPDX-License-Identifier: Apache-2.0

#include "http/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/loop.h"
#include "http/measure.h"
#include "observability/log.h"

enum {
	BACKLOG = 4096, /* cut to net.core.somaxconn by the kernel */
	BATCH_MAX = 64, /* so that a flood of newcomers does not starve those inside */
	PAUSE_MS = 100,
};

socklen_t listener_address_parse(struct text host, uint16_t port, union socket_address *address_out)
{
	char terminated[INET6_ADDRSTRLEN];

	memset(address_out, 0, sizeof(*address_out));
	if (text_equals(host, TEXT("localhost")))
		host = TEXT("127.0.0.1");
	if (host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
		host = text_of(host.data + 1, host.len - 2);
	if (host.len == 0 || host.len >= sizeof(terminated))
		return 0;
	memcpy(terminated, host.data, host.len);
	terminated[host.len] = '\0';
	if (inet_pton(AF_INET, terminated, &address_out->v4.sin_addr) == 1) {
		address_out->v4.sin_family = AF_INET;
		address_out->v4.sin_port = htons(port);
		return sizeof(address_out->v4);
	}
	if (inet_pton(AF_INET6, terminated, &address_out->v6.sin6_addr) == 1) {
		address_out->v6.sin6_family = AF_INET6;
		address_out->v6.sin6_port = htons(port);
		return sizeof(address_out->v6);
	}
	return 0;
}

static const char *advice(int error)
{
	switch (error) {
	case EADDRINUSE:
		return "another program listens there; stop it, choose another port from 1 to 65535, or 0 "
		       "for any free one";
	case EADDRNOTAVAIL:
		return "this machine has no such address; use 127.0.0.1, 0.0.0.0, ::1, :: or one of its own";
	case EACCES:
	case EPERM:
		return "ports below 1024 need a privilege (CAP_NET_BIND_SERVICE); choose one from 1024 to "
		       "65535";
	case EAFNOSUPPORT:
		return "this machine does not speak that address family; try 127.0.0.1 or 0.0.0.0";
	default:
		return strerror(error);
	}
}

static int listen_on(const union socket_address *address, socklen_t len)
{
	int on = 1, off = 0;
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, &address->any, len) != 0 || listen(fd, BACKLOG) != 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

bool gate_open(struct gate *gate, enum listener listener, struct text host, uint16_t port,
	const char *setting, struct arena *arena, struct text *error_out)
{
	union socket_address address;
	socklen_t len = listener_address_parse(host, port, &address);

	*gate = (struct gate) {.fd = -1, .listener = listener};
	if (len == 0) {
		*error_out = arena_printf(arena,
			"%s.host is \"%.*s\", which is no IP address; use 127.0.0.1, 0.0.0.0, ::1, :: "
			"or an address of this machine",
			setting, TEXT_ARG(host));
		return false;
	}
	gate->fd = listen_on(&address, len);
	if (gate->fd < 0) {
		*error_out = arena_printf(arena,
			"cannot listen on address %.*s, port %u (%s.host, %s.port): %s",
			TEXT_ARG(host), port, setting, setting, advice(errno));
		return false;
	}
	len = sizeof(address);
	if (getsockname(gate->fd, &address.any, &len) == 0)
		gate->port = ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port
								    : address.v6.sin6_port);
	return true;
}

static void on_ready(uv_poll_t *poll, int status, int events);

static void on_pause_over(struct timer *timer)
{
	struct gate *gate = (struct gate *)((char *)timer - offsetof(struct gate, pause));

	if (gate->is_polled)
		uv_poll_start(&gate->poll, UV_READABLE, on_ready);
}

/* Out of descriptors or memory: newcomers wait in the kernel's queue while others leave. */
static void pause_accepting(struct gate *gate, int error)
{
	measure_refusal(gate->http, REFUSAL_FILES);
	log_warn(gate->http->loop->log, "accept_paused", LOG_STRING("cause", strerror(error)),
		LOG_NUMBER("pause_ms", PAUSE_MS));
	uv_poll_stop(&gate->poll);
	timer_set(gate->http->loop, &gate->pause, PAUSE_MS);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct gate *gate = poll->data;

	for (unsigned i = 0; i < BATCH_MAX && gate->fd >= 0; i++) {
		union socket_address peer = {0};
		socklen_t len = sizeof(peer);
		int fd = accept4(gate->fd, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct client_address address;

		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED || errno == EPROTO))
			continue;
		if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (fd < 0) {
			pause_accepting(gate, errno);
			return;
		}
		address = client_address_of(&peer.storage);
		gate->accept(gate->http, gate->listener, fd, &address);
	}
}

int gate_attach(struct gate *gate, struct http_loop *http, gate_accept_fn *accept)
{
	int code = uv_poll_init(&http->loop->uv, &gate->poll, gate->fd);

	if (code != 0)
		return code;
	gate->http = http;
	gate->accept = accept;
	gate->poll.data = gate;
	gate->is_polled = true;
	timer_init(&gate->pause, on_pause_over);
	return uv_poll_start(&gate->poll, UV_READABLE, on_ready);
}

void gate_close(struct gate *gate)
{
	if (gate->is_polled) {
		gate->is_polled = false;
		timer_clear(&gate->pause);
		uv_close((uv_handle_t *)&gate->poll, NULL);
	}
	if (gate->fd >= 0)
		close(gate->fd);
	gate->fd = -1;
}
