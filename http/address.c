// SPDX-License-Identifier: Apache-2.0

#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "core/secret.h"

enum { BUCKETS = 4096, IPV6_NETWORK_BYTES = 8 };

struct entry {
	struct entry *next;
	uint8_t key[IPV6_NETWORK_BYTES];
	uint8_t family;
	unsigned count;
};

/* Taken once when a connection opens and once when it closes, never for a request. */
struct address_table {
	uv_mutex_t lock;
	uint64_t seed; /* so that nobody can aim at one bucket */
	struct entry *buckets[BUCKETS];
};

struct client_address client_address_of(const struct sockaddr_storage *socket_address)
{
	struct client_address address = {.family = 0};

	if (socket_address->ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)socket_address;

		address.family = AF_INET;
		memcpy(address.bytes, &v4->sin_addr, 4);
	} else if (socket_address->ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)socket_address;
		bool is_mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);

		address.family = is_mapped ? AF_INET : AF_INET6;
		if (is_mapped)
			memcpy(address.bytes, v6->sin6_addr.s6_addr + 12, 4);
		else
			memcpy(address.bytes, &v6->sin6_addr, 16);
	}
	return address;
}

size_t client_address_format(
	const struct client_address *address, char out[static CLIENT_ADDRESS_TEXT_MAX])
{
	out[0] = '\0';
	if (address->family != 0)
		inet_ntop(address->family, address->bytes, out, CLIENT_ADDRESS_TEXT_MAX);
	return strlen(out);
}

struct address_table *address_table_new(void)
{
	struct address_table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	if (uv_mutex_init(&table->lock) != 0) {
		free(table);
		return NULL;
	}
	secret_random(&table->seed, sizeof(table->seed));
	return table;
}

void address_table_free(struct address_table *table)
{
	if (table == NULL)
		return;
	for (unsigned i = 0; i < BUCKETS; i++) {
		while (table->buckets[i] != NULL) {
			struct entry *entry = table->buckets[i];

			table->buckets[i] = entry->next;
			free(entry);
		}
	}
	uv_mutex_destroy(&table->lock);
	free(table);
}

/* The link that points to the entry, or to the end of its chain. Mixing: Stafford's variant 13
 * of the MurmurHash3 finalizer, as in splitmix64. */
static struct entry **find(struct address_table *table, const struct client_address *address)
{
	struct entry **link;
	uint64_t hash;

	memcpy(&hash, address->bytes, sizeof(hash));
	hash = (hash ^ table->seed ^ address->family) * 0xbf58476d1ce4e5b9u;
	hash = (hash ^ hash >> 27 ^ table->seed >> 32) * 0x94d049bb133111ebu;
	link = &table->buckets[(hash ^ hash >> 31) % BUCKETS];
	while (*link != NULL &&
		((*link)->family != address->family ||
			memcmp((*link)->key, address->bytes, IPV6_NETWORK_BYTES) != 0))
		link = &(*link)->next;
	return link;
}

bool address_table_add(
	struct address_table *table, const struct client_address *address, unsigned max)
{
	struct entry **link, *entry;
	bool added = false;

	uv_mutex_lock(&table->lock);
	link = find(table, address);
	entry = *link;
	if (entry == NULL) {
		entry = calloc(1, sizeof(*entry));
		if (entry != NULL) {
			memcpy(entry->key, address->bytes, IPV6_NETWORK_BYTES);
			entry->family = address->family;
			*link = entry;
		}
	}
	if (entry != NULL && (max == 0 || entry->count < max)) {
		entry->count++;
		added = true;
	}
	uv_mutex_unlock(&table->lock);
	return added;
}

void address_table_remove(struct address_table *table, const struct client_address *address)
{
	struct entry **link, *entry;

	uv_mutex_lock(&table->lock);
	link = find(table, address);
	entry = *link;
	if (entry != NULL && --entry->count == 0) {
		*link = entry->next;
		free(entry);
	}
	uv_mutex_unlock(&table->lock);
}
