// SPDX-License-Identifier: Apache-2.0

/*
 * problem_page - the table of refusals as a page: the `type` of a problem body (RFC 9457, 3.1.1)
 * leads to its row. The JSON writer serves as a growing buffer.
 */

#include <string.h>

#include "core/json.h"
#include "http/document.h"
#include "http/problem.h"

enum { PAGE_BYTES = 16 * 1024 };

static const char head[] =
	"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>Problems - Millrace</title>\n<style>\n"
	"body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\n"
	"table{border-collapse:collapse;width:100%}\n"
	"td,th{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #8884;vertical-align:top}\n"
	"tr:target{background:#ffe08a66}\n@media(prefers-color-scheme:dark){body{background:#15191b;"
	"color:#dde3e6}a{color:#7fc4dd}}\n</style>\n</head>\n<body>\n<h1>Problems</h1>\n"
	"<p>Every refusal of this server. Match on the code: it never changes; the message may. "
	"The operations that can meet a problem list it in <a href=\"/docs\">the API explorer</a>.</p>\n"
	"<table>\n<thead><tr><th>Code</th><th>Status</th><th>Message</th><th>Again?</th></tr></thead>\n"
	"<tbody>\n";

static const char tail[] = "</tbody>\n</table>\n</body>\n</html>\n";

static void put(struct json_writer *page, const char *words)
{
	json_append(page, words, strlen(words));
}

static void put_escaped(struct json_writer *page, const char *words)
{
	for (; *words; words++) {
		if (*words == '&')
			put(page, "&amp;");
		else if (*words == '<')
			put(page, "&lt;");
		else if (*words == '>')
			put(page, "&gt;");
		else
			json_append(page, words, 1);
	}
}

static void put_row(struct json_writer *page, enum problem problem)
{
	const struct problem_row *row = problem_row(problem);
	char status[4] = {(char)('0' + row->status / 100), (char)('0' + row->status / 10 % 10),
		(char)('0' + row->status % 10)};

	put(page, "<tr id=\"");
	put(page, row->code);
	put(page, "\"><td><a href=\"#");
	put(page, row->code);
	put(page, "\"><code>");
	put(page, row->code);
	put(page, "</code></a></td><td>");
	put(page, status);
	put(page, "</td><td>");
	put_escaped(page, row->message);
	put(page, "</td><td>");
	put(page, problem_retry_after_seconds(problem) ? "after Retry-After" : "no");
	put(page, "</td></tr>\n");
}

struct text problem_page(struct arena *arena)
{
	struct json_writer page;

	json_begin(&page, arena, PAGE_BYTES);
	put(&page, head);
	for (unsigned problem = 0; problem < PROBLEM_COUNT; problem++)
		put_row(&page, (enum problem)problem);
	put(&page, tail);
	return json_text(&page);
}
