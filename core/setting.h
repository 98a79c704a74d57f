// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * setting - one row declares a setting: key, type, range, default, help, secrecy, reload. From the
 * rows come parsing, validation, `millrace config explain` and docs/configuration.md. Each floor
 * declares its own rows over its own struct; cli/ joins them and is the only reader of the
 * environment.
 *
 *   struct http_settings { int64_t idle_timeout_ms; struct text host; };
 *   static const struct setting rows[] = {
 *           SETTING(SETTING_DURATION, http_settings, idle_timeout_ms, "http.idle_timeout", "60s",
 *                   .min = 1000, .max = 3600000, .reloadable = true, .help = "..."),
 *   };
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/text.h"

/* kind                 C member      written as */
enum setting_kind {
	SETTING_TEXT, /* struct text   any; empty means unset */
	SETTING_INT, /* int64_t       42 */
	SETTING_BOOL, /* bool          true false yes no on off 1 0 */
	SETTING_DURATION, /* int64_t ms    250ms 5s 15m 24h 7d; a bare number is seconds */
	SETTING_SIZE, /* int64_t bytes 512 64KiB 10MiB 1GiB (also KB MB GB: decimal) */
	SETTING_CHOICE, /* int64_t index one of `choices` */
	SETTING_PATH, /* struct text   a file or folder */
	SETTING_URL, /* struct text   scheme://...; schemes in `choices` when given */
};

struct setting {
	const char *key; /* "section.name"; the environment's MILLRACE_SECTION_NAME */
	enum setting_kind kind;
	size_t offset;
	const char *fallback; /* the default, written like a value; "" is unset */
	int64_t min, max; /* both 0: unbounded; a max below the min: no upper bound. Texts: bytes */
	const char *const *choices; /* ends with NULL */
	const char *alias; /* a well-known environment name: PORT, DATABASE_URL ...; or NULL */
	const char *help; /* one or two sentences */
	bool secret; /* shown as "[set]"; also read from NAME_FILE */
	bool reloadable; /* SIGHUP applies it */
};

#define SETTING(kind_, struct_, member_, key_, fallback_, ...) \
	{ \
		.key = (key_), .kind = (kind_), .offset = offsetof(struct struct_, member_), \
		.fallback = (fallback_), __VA_ARGS__ \
	}

/* All the rows of one floor or domain. */
struct setting_group {
	const char *section; /* for headings */
	const char *about;
	const struct setting *rows;
	size_t row_count;
	size_t size; /* of the struct the rows describe */
};

#define SETTING_GROUP(section_, struct_, rows_, about_) \
	{ \
		.section = (section_), .about = (about_), .rows = (rows_), \
		.row_count = sizeof(rows_) / sizeof((rows_)[0]), .size = sizeof(struct struct_) \
	}

/* Parses one written value into the member at settings + row->offset. Texts are copied to the arena.
 * On failure nothing is written and *error_out says what is wrong and what would be valid
 * ("must be a duration from 1s to 1h, such as 250ms, 5s, 15m"), without the name and the value. */
bool setting_parse(const struct setting *row, struct text value, void *settings,
	struct arena *arena, struct text *error_out);
/* The member written back in its canonical form ("1m30s", "64KiB"); a secret as "[set]" or "". */
struct text setting_format(const struct setting *row, const void *settings, struct arena *arena);
/* "a whole number from 1 to 65535", "one of debug, info, warn, error" ... */
struct text setting_expects(const struct setting *row, struct arena *arena);
/* The environment's name for a key: "http.idle_timeout" gives MILLRACE_HTTP_IDLE_TIMEOUT. */
struct text setting_environment_name(const struct setting *row, struct arena *arena);
