// SPDX-License-Identifier: Apache-2.0

#include "http/server.h"

#define HTTP(kind_, member_, key_, fallback_, ...) \
	SETTING(kind_, http_settings, member_, key_, fallback_, __VA_ARGS__)

static const struct setting rows[] = {
	HTTP(SETTING_TEXT, host, "http.host", "127.0.0.1", .alias = "HOST",
		.help = "The address to listen on; 0.0.0.0 or :: for every interface."),
	HTTP(SETTING_INT, port, "http.port", "3000", .alias = "PORT", .max = 65535,
		.help = "The port of the API; 0 picks a free one."),
	HTTP(SETTING_TEXT, ops_host, "ops.host", "127.0.0.1",
		.help = "The address of the ops listener: metrics and health. Keep it off the internet."),
	HTTP(SETTING_INT, ops_port, "ops.port", "2112", .max = 65535,
		.help = "The port of the ops listener; 0 picks a free one."),
	HTTP(SETTING_SIZE, request_line_max_bytes, "http.request_line_max", "8KiB", .min = 256,
		.max = 65536, .reloadable = true,
		.help = "The longest request line; past it the answer is 414."),
	HTTP(SETTING_SIZE, headers_max_bytes, "http.headers_max", "32KiB", .min = 1024,
		.max = 1048576, .reloadable = true,
		.help = "All header lines of a request together; past it the answer is 431."),
	HTTP(SETTING_INT, headers_max_count, "http.headers_max_count", "100", .min = 8, .max = 1000,
		.reloadable = true, .help = "How many header lines; past it the answer is 431."),
	HTTP(SETTING_SIZE, body_max_bytes, "http.body_max", "1MiB", .min = 1024, .max = 67108864,
		.reloadable = true,
		.help = "The largest body of any route; a route may allow less. Past it the answer is 413."),
	HTTP(SETTING_DURATION, head_timeout_ms, "http.head_timeout", "5s", .min = 100,
		.max = 300000, .reloadable = true,
		.help = "How long the request line and headers may take to arrive; then 408."),
	HTTP(SETTING_SIZE, body_min_bytes_per_second, "http.body_min_rate", "1KiB", .max = 10485760,
		.reloadable = true,
		.help = "Bytes a second that a body must arrive with, after http.body_grace; then 408. 0 turns the "
			"rule off."),
	HTTP(SETTING_DURATION, body_grace_ms, "http.body_grace", "5s", .min = 10, .max = 300000,
		.reloadable = true,
		.help = "How long a body may take before http.body_min_rate is asked of it."),
	HTTP(SETTING_DURATION, idle_timeout_ms, "http.idle_timeout", "60s", .min = 100,
		.max = 3600000, .reloadable = true,
		.help = "How long a connection without a request is kept open."),
	HTTP(SETTING_DURATION, write_timeout_ms, "http.write_timeout", "30s", .min = 100,
		.max = 3600000, .reloadable = true,
		.help = "How long a client may take nothing of an answer before the connection is closed."),
	HTTP(SETTING_DURATION, request_timeout_ms, "http.request_timeout", "10s", .min = 10,
		.max = 3600000, .reloadable = true,
		.help = "How long a request may be worked on; a route may ask for another. Then 504."),
	HTTP(SETTING_INT, connections_max, "http.connections_max", "16384", .min = 1,
		.max = 10000000, .reloadable = true,
		.help = "Open connections of the API over all loops; past it a newcomer gets a 503."),
	HTTP(SETTING_INT, connections_per_address, "http.connections_per_address", "1000",
		.max = 10000000, .reloadable = true,
		.help = "Open connections of one address (IPv6: one /64); 0 means no limit, for a server "
			"behind a proxy."),
	HTTP(SETTING_INT, requests_per_connection, "http.requests_per_connection", "10000",
		.max = 1000000000, .reloadable = true,
		.help = "After so many requests the last answer closes the connection; 0 means never."),
	HTTP(SETTING_SIZE, flow_memory_max_bytes, "http.request_memory_max", "8MiB", .min = 65536,
		.max = 1073741824, .reloadable = true,
		.help = "Memory one request may use, its body included; at least three times http.body_max."),
	HTTP(SETTING_DURATION, drain_timeout_ms, "http.drain_timeout", "20s", .max = 3600000,
		.reloadable = true,
		.help = "How long requests may finish after SIGTERM before they are cut off."),
};

const struct setting_group http_setting_group = SETTING_GROUP(
	"http", http_settings, rows, "Listeners, limits and timeouts of the HTTP server.");
