// SPDX-License-Identifier: Apache-2.0

#include "test/http/judge.h"

#include <stdlib.h>
#include <string.h>

#include "http/intake.h"

enum { PORTION_MAX = 40 };

struct http_settings judge_settings(void)
{
	struct http_settings settings = {0};
	struct arena arena;
	struct text error;

	arena_init(&arena, NULL, 1 << 20);
	for (size_t i = 0; i < http_setting_group.row_count; i++)
		if (!setting_parse(&http_setting_group.rows[i],
			    text_from_c(http_setting_group.rows[i].fallback), &settings, &arena,
			    &error))
			abort();
	settings.host = settings.ops_host = TEXT("127.0.0.1");
	arena_deinit(&arena);
	return settings;
}

/* FNV-1a */
static void digest(struct judgement *judgement, struct text text)
{
	for (size_t i = 0; i < text.len; i++)
		judgement->digest = (judgement->digest ^ (unsigned char)text.data[i]) *
			0x100000001b3u;
	judgement->digest = (judgement->digest ^ text.len ^ text_is_absent(text)) * 0x100000001b3u;
}

static void digest_request(struct judgement *judgement, const struct intake *intake)
{
	const struct http_request *request = &intake->exchange.request;

	digest(judgement, text_of((const char *)&request->method, sizeof(request->method)));
	digest(judgement, request->target);
	digest(judgement, request->path);
	digest(judgement, request->query);
	digest(judgement, request->host);
	for (size_t i = 0; i < request->header_count; i++) {
		digest(judgement, request->headers[i].name);
		digest(judgement, request->headers[i].value);
	}
	digest(judgement, text_of(intake->body, intake->body_len));
	judgement->requests++;
	judgement->last = !request->keep_alive;
}

struct feeding {
	const struct http_settings *settings;
	const char *data;
	size_t len, at;
	uint64_t split;
};

/* A heap copy of its own, so that reading past a portion is seen. */
static struct text portion(struct feeding *feeding, char **owned_out)
{
	size_t left = feeding->len - feeding->at, size = left;

	if (feeding->split > 1) {
		feeding->split = feeding->split * 6364136223846793005u + 1442695040888963407u;
		size = feeding->split >> 33;
		size = 1 + size % PORTION_MAX;
	}
	if (feeding->split == 1)
		size = 1;
	if (size > left)
		size = left;
	*owned_out = malloc(size);
	memcpy(*owned_out, feeding->data + feeding->at, size);
	return text_of(*owned_out, size);
}

static bool take_head(struct feeding *feeding, struct intake *intake, struct judgement *judgement)
{
	enum head_verdict verdict = HEAD_MORE;
	enum problem problem;

	while (verdict == HEAD_MORE && feeding->at < feeding->len) {
		char *owned;
		size_t taken;

		verdict = head_feed(&intake->head, intake->arena, feeding->settings,
			portion(feeding, &owned), &taken);
		feeding->at += taken;
		free(owned);
	}
	if (verdict == HEAD_REFUSED)
		judgement->problem = intake->head.problem;
	if (verdict != HEAD_COMPLETE)
		return false;
	if (!intake_parse_head(intake, &problem)) {
		judgement->problem = problem;
		return false;
	}
	return true;
}

static bool take_body(struct feeding *feeding, struct intake *intake, size_t body_max_bytes,
	struct judgement *judgement)
{
	const struct http_request *request = &intake->exchange.request;
	enum body_verdict verdict = BODY_MORE;

	if (!request->chunked && request->content_length == 0)
		return true;
	if (request->content_length > body_max_bytes) {
		judgement->problem = PROBLEM_BODY_TOO_LARGE;
		return false;
	}
	intake_begin_body(intake, body_max_bytes, false);
	while (verdict == BODY_MORE && feeding->at < feeding->len) {
		enum problem problem;
		char *owned;
		size_t taken;

		verdict = intake_take_body(intake, portion(feeding, &owned), &taken, &problem);
		feeding->at += taken;
		if (verdict == BODY_REFUSED)
			judgement->problem = problem;
		free(owned);
	}
	return verdict == BODY_COMPLETE;
}

struct judgement judge(const struct http_settings *settings, size_t body_max_bytes,
	const char *data, size_t len, uint64_t split)
{
	struct feeding feeding = {.settings = settings, .data = data, .len = len, .split = split};
	struct judgement judgement = {.digest = 0xcbf29ce484222325u, .problem = PROBLEM_COUNT};
	bool goes_on = true;

	while (goes_on && feeding.at < len && !judgement.last) {
		struct arena arena;
		struct intake *intake;

		arena_init(&arena, NULL, 8 << 20);
		intake = arena_zalloc(&arena, sizeof(*intake));
		intake->arena = &arena;
		goes_on = take_head(&feeding, intake, &judgement);
		/* What a refused head has already told is not compared: llhttp stops early. */
		goes_on = goes_on && take_body(&feeding, intake, body_max_bytes, &judgement);
		if (goes_on) {
			digest_request(&judgement, intake);
			judgement.left = len - feeding.at;
		}
		arena_deinit(&arena);
	}
	return judgement;
}
