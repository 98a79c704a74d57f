// SPDX-License-Identifier: Apache-2.0
/*
 * url - what a postgresql:// URL says, and the parameters a connection is opened with. libpq parses the
 * URL (every option of it may be given); its error messages are not passed on, for they quote the URL.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/secret.h"
#include "db/postgres.h"

enum { KEYWORDS_MAX = 64, LIST_MAX = 2048 };

/* Unless the URL says otherwise. GSS is off because its start may block on a key distribution centre; the
 * rest finds a dead peer within about a minute. */
static const struct {
	const char *keyword, *value;
} defaults[] = {
	{"application_name", "millrace"},
	{"gssencmode", "disable"},
	{"keepalives_idle", "20"},
	{"keepalives_interval", "5"},
	{"keepalives_count", "3"},
	{"tcp_user_timeout", "30000"},
};

static const PQconninfoOption *find_option(const PQconninfoOption *options, const char *keyword)
{
	for (; options != NULL && options->keyword != NULL; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options;
	return NULL;
}

const char *postgres_option(const struct postgres *postgres, const char *keyword)
{
	const PQconninfoOption *option = find_option(postgres->options, keyword);

	return option == NULL || option->val == NULL || option->val[0] == '\0' ? NULL : option->val;
}

/* Item `index` of a comma-separated list; a list of one holds for every index, as in libpq. */
static bool list_item(const char *list, size_t index, char *out, size_t size)
{
	struct text item, rest = text_from_c(list);

	out[0] = '\0';
	if (list == NULL)
		return true;
	if (strchr(list, ',') == NULL)
		index = 0;
	do {
		if (text_is_absent(rest))
			return false;
		item = text_cut(rest, ',', &rest);
	} while (index-- > 0);
	if (item.len >= size)
		return false;
	memcpy(out, item.data, item.len);
	out[item.len] = '\0';
	return true;
}

static size_t list_length(const char *list)
{
	size_t count = 1;

	for (; list != NULL && *list != '\0'; list++)
		count += *list == ',';
	return count;
}

/* libpq would take the environment's PGHOST where the URL has no host, and look it up on the loop. */
static void default_host(char *out, size_t size)
{
	PQconninfoOption *all = PQconndefaults();
	const PQconninfoOption *host = find_option(all, "host");

	snprintf(out, size, "%s", host != NULL && host->val != NULL ? host->val : "");
	PQconninfoFree(all);
}

static bool is_port(const char *text)
{
	int64_t port;

	return text[0] == '\0' ||
		(text_to_int(text_from_c(text), &port) && port >= 1 && port <= 65535);
}

static bool read_hosts(struct postgres *postgres)
{
	const char *hosts = postgres_option(postgres, "host");
	const char *hostaddrs = postgres_option(postgres, "hostaddr");
	const char *ports = postgres_option(postgres, "port");
	size_t count = list_length(hostaddrs != NULL ? hostaddrs : hosts);

	if (count > HOSTS_MAX ||
		(hosts != NULL && hostaddrs != NULL && list_length(hosts) != count))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct postgres_host *host = &postgres->hosts[i];

		if (!list_item(hosts, i, host->host, sizeof(host->host)) ||
			!list_item(hostaddrs, i, host->hostaddr, sizeof(host->hostaddr)) ||
			!list_item(ports, i, host->port, sizeof(host->port)) ||
			!is_port(host->port))
			return false;
		if (host->host[0] == '\0' && host->hostaddr[0] == '\0')
			default_host(host->host, sizeof(host->host));
	}
	postgres->host_count = count;
	return true;
}

/* "user:pass@word@host" ends the password at its first @: what follows it would be shown as the host. A
 * leading one is the name of an abstract socket. */
static bool host_has_at_sign(const struct postgres *postgres)
{
	const char *host = postgres_option(postgres, "host");

	return host != NULL && strchr(host + 1, '@') != NULL;
}

bool postgres_url_parse(
	const char *url, struct postgres *postgres, struct arena *arena, struct text *error_out)
{
	char *message = NULL;

	postgres->options = PQconninfoParse(url, &message);
	PQfreemem(message);
	if (postgres->options == NULL || host_has_at_sign(postgres)) {
		postgres_url_free(postgres);
		*error_out = TEXT(
			"database.url is not a PostgreSQL URL that libpq can read: "
			"postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full, "
			"with characters such as @ : / ? # % written as %40 %3A %2F %3F %23 %25");
		return false;
	}
	if (postgres_option(postgres, "service") != NULL) {
		postgres_url_free(postgres);
		*error_out = TEXT(
			"database.url: service= is not read, for libpq would look its host "
			"up while requests wait: write host, port, user and database instead");
		return false;
	}
	if (!read_hosts(postgres)) {
		postgres_url_free(postgres);
		*error_out = arena_printf(arena,
			"database.url: at most %d hosts of 255 bytes, ports from 1 "
			"to 65535, and as many ports and hostaddrs as hosts",
			HOSTS_MAX);
		return false;
	}
	return true;
}

void postgres_url_free(struct postgres *postgres)
{
	for (PQconninfoOption *option = postgres->options;
		option != NULL && option->keyword != NULL; option++)
		if (option->val != NULL && option->dispchar[0] == '*')
			secret_wipe(option->val, strlen(option->val));
	PQconninfoFree(postgres->options);
	postgres->options = NULL;
}

struct text postgres_url_describe(const struct postgres *postgres, struct arena *arena)
{
	const struct postgres_host *host = &postgres->hosts[0];
	const char *name = host->host[0] != '\0' ? host->host : host->hostaddr;
	const char *user = postgres_option(postgres, "user");
	const char *database = postgres_option(postgres, "dbname");

	if (database == NULL)
		database = user;
	return arena_printf(arena, "PostgreSQL at %s:%s%s, database %s, user %s",
		name[0] != '\0' ? name : "the local socket",
		host->port[0] != '\0' ? host->port : "5432",
		postgres->host_count > 1 ? " (and others)" : "",
		database != NULL ? database : "(the user's own)",
		user != NULL ? user : "(the system's)");
}

struct keywords {
	const char *names[KEYWORDS_MAX + 1], *values[KEYWORDS_MAX + 1];
	size_t count;
	char hosts[LIST_MAX], ports[LIST_MAX], literals[LIST_MAX];
};

static void add_keyword(struct keywords *keywords, const char *name, const char *value)
{
	if (keywords->count == KEYWORDS_MAX)
		return;
	keywords->names[keywords->count] = name;
	keywords->values[keywords->count++] = value;
}

static bool is_address_keyword(const char *keyword)
{
	return strcmp(keyword, "host") == 0 || strcmp(keyword, "hostaddr") == 0 ||
		strcmp(keyword, "port") == 0;
}

static void append_item(char *list, size_t size, bool first, const char *item)
{
	size_t len = strlen(list);

	snprintf(list + len, size - len, "%s%s", first ? "" : ",", item);
}

static void add_addresses(
	struct keywords *keywords, const struct postgres_address *addresses, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		append_item(keywords->hosts, LIST_MAX, i == 0, addresses[i].host);
		append_item(keywords->ports, LIST_MAX, i == 0, addresses[i].port);
		append_item(keywords->literals, LIST_MAX, i == 0, addresses[i].literal);
	}
	add_keyword(keywords, "host", keywords->hosts);
	add_keyword(keywords, "port", keywords->ports);
	add_keyword(keywords, "hostaddr", keywords->literals);
}

PGconn *postgres_url_connect(const struct postgres *postgres,
	const struct postgres_address *addresses, size_t count,
	PGconn *connect(const char *const *, const char *const *, int))
{
	struct keywords keywords = {.count = 0};

	for (const PQconninfoOption *option = postgres->options; option->keyword != NULL; option++)
		if (option->val != NULL && (count == 0 || !is_address_keyword(option->keyword)))
			add_keyword(&keywords, option->keyword, option->val);
	if (count > 0)
		add_addresses(&keywords, addresses, count);
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (postgres_option(postgres, defaults[i].keyword) == NULL)
			add_keyword(&keywords, defaults[i].keyword, defaults[i].value);
	if (postgres_option(postgres, "connect_timeout") == NULL)
		add_keyword(&keywords, "connect_timeout", postgres->connect_timeout);
	add_keyword(&keywords, "client_encoding", "UTF8");
	return connect(keywords.names, keywords.values, 0);
}

void postgres_message_copy(char *out, size_t size, const char *message)
{
	size_t len = 0;

	for (; message != NULL && *message != '\0' && len + 1 < size; message++) {
		bool is_space = isspace((unsigned char)*message);

		if (is_space && (len == 0 || out[len - 1] == ' '))
			continue;
		out[len++] = is_space ? ' ' : *message;
	}
	while (len > 0 && out[len - 1] == ' ')
		len--;
	out[len] = '\0';
}

/* ---- the blocking look at the start ---------------------------------------------------------- */

static bool judge_server(
	PGconn *libpq, struct text where, struct arena *arena, struct text *error_out)
{
	const char *encoding = PQparameterStatus(libpq, "server_encoding");
	char message[CAUSE_MAX * 2];

	if (PQstatus(libpq) != CONNECTION_OK) {
		postgres_message_copy(message, sizeof(message), PQerrorMessage(libpq));
		*error_out = arena_printf(arena,
			"cannot connect to %.*s: %s. Start that server, or set database.url "
			"(DATABASE_URL) to postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or leave it "
			"empty for SQLite",
			TEXT_ARG(where), message[0] != '\0' ? message : "no answer");
		return false;
	}
	if (PQserverVersion(libpq) < 120000) {
		*error_out = arena_printf(arena, "%.*s is version %d; 12 or later is needed",
			TEXT_ARG(where), PQserverVersion(libpq) / 10000);
		return false;
	}
	if (encoding == NULL || strcmp(encoding, "UTF8") != 0) {
		*error_out = arena_printf(arena,
			"%.*s has encoding %s; it must be UTF8: create it with "
			"createdb --encoding=UTF8 --template=template0 NAME",
			TEXT_ARG(where), encoding != NULL ? encoding : "unknown");
		return false;
	}
	return true;
}

bool postgres_probe(const struct db_settings *settings, struct text data_dir, struct arena *arena,
	struct text *error_out)
{
	struct postgres postgres = {.db = NULL};
	struct text url = arena_text(arena, settings->url);
	struct text where;
	PGconn *libpq;
	bool is_good;

	*error_out = TEXT("the machine has no memory");
	if (text_is_absent(url) || !postgres_url_parse(url.data, &postgres, arena, error_out))
		return false;
	snprintf(postgres.connect_timeout, sizeof(postgres.connect_timeout), "%d",
		(int)(settings->connect_timeout_ms / 1000 + 1));
	where = postgres_url_describe(&postgres, arena);
	libpq = postgres_url_connect(&postgres, NULL, 0, PQconnectdbParams);
	is_good = judge_server(libpq, where, arena, error_out);
	PQfinish(libpq);
	postgres_url_free(&postgres);
	secret_wipe((char *)url.data, url.len);
	return is_good;
}
