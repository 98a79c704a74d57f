// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "http/listener.h"

enum { ANSWER_WITHIN_MS = 1000 };

/* 0 when a listener could be opened there, or a negative errno. */
static int try_to_listen(const union socket_address *place, socklen_t len)
{
	int on = 1, off = 0, result = 0;
	int fd = socket(place->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (place->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, &place->any, len) != 0 || listen(fd, 1) != 0)
		result = -errno;
	close(fd);
	return result;
}

static bool wait_for(int fd, short events)
{
	struct pollfd wait = {.fd = fd, .events = events};

	return poll(&wait, 1, ANSWER_WITHIN_MS) == 1;
}

/* Does what listens there answer as the server does? Every interface (0.0.0.0, ::) is asked on this machine. */
static bool is_the_server(const union socket_address *place, socklen_t len)
{
	static const char question[] =
		"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	static const char expected[] = "HTTP/1.1 200 ";
	char answer[sizeof(expected) - 1];
	size_t got = 0;
	ssize_t part = 1;
	int fd = socket(place->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return false;
	if ((connect(fd, &place->any, len) == 0 || errno == EINPROGRESS) && wait_for(fd, POLLOUT) &&
		send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) ==
			(ssize_t)sizeof(question) - 1)
		while (part > 0 && got < sizeof(answer) && wait_for(fd, POLLIN)) {
			part = recv(fd, answer + got, sizeof(answer) - got, 0);
			got += part > 0 ? (size_t)part : 0;
		}
	close(fd);
	return got == sizeof(answer) && memcmp(answer, expected, sizeof(answer)) == 0;
}

static void check_port(struct doctor *doctor, const char *name, struct text host, int64_t port)
{
	struct arena *arena = doctor->program.arena;
	union socket_address place;
	socklen_t len = listener_address_parse(host, (uint16_t)port, &place);
	struct text shown = arena_printf(arena, "%.*s port %lld", TEXT_ARG(host), (long long)port);
	int result = len > 0 ? try_to_listen(&place, len) : -EADDRNOTAVAIL;

	if (result == 0)
		doctor_find(doctor, name, VERDICT_OK,
			port == 0 ? TEXT("the start picks a free one")
				  : arena_printf(arena, "%.*s is free", TEXT_ARG(shown)));
	else if (result == -EADDRINUSE && is_the_server(&place, len))
		doctor_find(doctor, name, VERDICT_OK,
			arena_printf(arena, "a server answers at %.*s", TEXT_ARG(shown)));
	else if (result == -EADDRINUSE)
		doctor_find(doctor, name, VERDICT_FAIL,
			arena_printf(arena, "%.*s is taken by another program", TEXT_ARG(shown)));
	else
		doctor_find(doctor, name, VERDICT_FAIL,
			arena_printf(arena, "%.*s: %s", TEXT_ARG(shown), strerror(-result)));
}

void doctor_check_ports(struct doctor *doctor)
{
	const struct http_settings *http = doctor->program.http_settings;

	check_port(doctor, "API port", http->host, http->port);
	check_port(doctor, "ops port", http->ops_host, http->ops_port);
	if (http->port != 0 && http->port == http->ops_port &&
		text_equals(http->host, http->ops_host))
		doctor_find(
			doctor, "ports", VERDICT_FAIL, TEXT("http.port and ops.port are the same"));
}
