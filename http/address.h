// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * address - whom a connection comes from, and how many connections each address has open over the
 * whole process. IPv6 is counted by /64: a host has a whole one (RFC 6177).
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/text.h"

struct client_address {
	uint8_t bytes[16];
	uint8_t family; /* AF_INET, AF_INET6; an IPv4-mapped one is AF_INET; 0: none */
};

enum { CLIENT_ADDRESS_TEXT_MAX = 46 /* INET6_ADDRSTRLEN */ };

struct client_address client_address_of(const struct sockaddr_storage *socket_address);
/* Writes it with a NUL; returns the length. */
size_t client_address_format(
	const struct client_address *address, char out[static CLIENT_ADDRESS_TEXT_MAX]);

struct address_table;
struct address_table *address_table_new(void);
void address_table_free(struct address_table *table);
/* Any thread. False when the address has `max` already (0: no limit) or there is no memory. */
bool address_table_add(
	struct address_table *table, const struct client_address *address, unsigned max);
void address_table_remove(struct address_table *table, const struct client_address *address);
