// SPDX-License-Identifier: Apache-2.0

#include "http/parser.h"

#include <llhttp.h>
#include <string.h>

_Static_assert(
	sizeof(llhttp_t) <= sizeof(((struct parser *)0)->state), "parser.state is too small");
#if LLHTTP_VERSION_MAJOR * 10000 + LLHTTP_VERSION_MINOR * 100 + LLHTTP_VERSION_PATCH < 90402
#error "llhttp before 9.4.2 accepts smuggled requests"
#endif

enum {
	EXTENSION_BYTES_MAX = 1024,
	TRAILER_BYTES_MAX = 8192,
	/* One byte a chunk costs six on the wire ("1\r\nx\r\n"); more is not honest. */
	CHUNK_OVERHEAD_PER_BYTE = 8,
	CHUNK_OVERHEAD_BYTES = 16384,
	CHUNK_SLICE_BYTES = 4096,
};

static llhttp_t *llhttp_of(struct parser *parser)
{
	return (llhttp_t *)parser->state;
}

static struct parser *parser_of(llhttp_t *llhttp)
{
	return llhttp->data;
}

static void extend(struct text *text, const char *at, size_t len)
{
	if (text->data == NULL)
		*text = text_of(at, len);
	else
		text->len += len; /* spans of one contiguous head follow each other */
}

static int on_header_field(llhttp_t *llhttp, const char *at, size_t len)
{
	struct parser *parser = parser_of(llhttp);

	if (parser->in_body) {
		parser->trailer_bytes += (uint32_t)len;
		return parser->trailer_bytes > TRAILER_BYTES_MAX ? -1 : 0;
	}
	if (parser->header_count == parser->header_max)
		return -1;
	extend(&parser->headers[parser->header_count].name, at, len);
	return 0;
}

static int on_header_value(llhttp_t *llhttp, const char *at, size_t len)
{
	struct parser *parser = parser_of(llhttp);

	if (parser->in_body) {
		parser->trailer_bytes += (uint32_t)len;
		return parser->trailer_bytes > TRAILER_BYTES_MAX ? -1 : 0;
	}
	extend(&parser->headers[parser->header_count].value, at, len);
	return 0;
}

/* Eight letters at once. No byte of a name is above 0x7f, so that no sum carries into the next. */
static void lower_case_word(char *at)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t word, from_a, past_z;

	memcpy(&word, at, sizeof(word));
	from_a = word + ones * (0x80 - 'A');
	past_z = word + ones * (0x80 - ('Z' + 1));
	word |= (from_a & ~past_z & ones * 0x80) >> 2;
	memcpy(at, &word, sizeof(word));
}

static void lower_case(struct text name)
{
	char *data = (char *)(uintptr_t)name.data; /* into the head, which is ours to change */
	size_t at = 0;

	for (; name.len - at >= sizeof(uint64_t); at += sizeof(uint64_t))
		lower_case_word(data + at);
	for (; at < name.len; at++)
		if (data[at] >= 'A' && data[at] <= 'Z')
			data[at] |= 0x20;
}

static int on_header_value_complete(llhttp_t *llhttp)
{
	struct parser *parser = parser_of(llhttp);
	struct http_header *header;

	if (parser->in_body)
		return 0;
	header = &parser->headers[parser->header_count++];
	lower_case(header->name);
	/* An empty value is a value; llhttp leaves trailing white space in. */
	header->value = header->value.data ? text_trim(header->value) : TEXT("");
	return 0;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t len)
{
	struct parser *parser = parser_of(llhttp);

	parser->body_bytes += len;
	if (parser->on_body != NULL && !parser->on_body(parser->context, text_of(at, len))) {
		parser->too_large = true;
		return -1;
	}
	return 0;
}

static int on_chunk_extension(llhttp_t *llhttp, const char *at, size_t len)
{
	struct parser *parser = parser_of(llhttp);

	parser->extension_bytes += (uint32_t)len;
	return parser->extension_bytes > EXTENSION_BYTES_MAX ? -1 : 0;
}

static int on_message_complete(llhttp_t *llhttp)
{
	parser_of(llhttp)->done = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_header_value_complete = on_header_value_complete,
	.on_body = on_body,
	.on_chunk_extension_name = on_chunk_extension,
	.on_chunk_extension_value = on_chunk_extension,
	.on_message_complete = on_message_complete,
};

bool parser_head(
	struct parser *parser, struct arena *arena, char *head, size_t len, size_t field_count)
{
	llhttp_errno_t code;

	*parser = (struct parser) {.header_max = field_count};
	if (field_count > 0) {
		parser->headers = arena_zalloc(arena, field_count * sizeof(parser->headers[0]));
		if (parser->headers == NULL)
			return false;
	}
	llhttp_init(llhttp_of(parser), HTTP_REQUEST, &callbacks);
	llhttp_of(parser)->data = parser;
	code = llhttp_execute(llhttp_of(parser), head, len);
	/* A head without a body completes its message; an Upgrade header, ignored here, pauses
	 * too. */
	return code == HPE_OK || code == HPE_PAUSED || code == HPE_PAUSED_UPGRADE;
}

bool parser_agrees(const struct parser *parser, bool chunked, uint64_t content_length)
{
	const llhttp_t *llhttp = (const llhttp_t *)parser->state;
	bool is_chunked = (llhttp->flags & F_CHUNKED) != 0;
	bool has_length = (llhttp->flags & F_CONTENT_LENGTH) != 0;

	if (parser->done)
		return !chunked && content_length == 0;
	return is_chunked == chunked && (!has_length || llhttp->content_length == content_length);
}

void parser_chunked_begin(
	struct parser *parser, bool (*on_piece)(void *context, struct text piece), void *context)
{
	parser->on_body = on_piece;
	parser->context = context;
	parser->in_body = true;
}

static bool overhead_is_honest(const struct parser *parser)
{
	return parser->raw_bytes - parser->body_bytes <=
		CHUNK_OVERHEAD_BYTES + parser->body_bytes * CHUNK_OVERHEAD_PER_BYTE;
}

enum chunked_verdict parser_chunked(struct parser *parser, struct text data, size_t *taken_out)
{
	llhttp_t *llhttp = llhttp_of(parser);
	size_t at = 0;

	/* In slices of the stream, not of the reads: the bound must not depend on how bytes were
	 * split. */
	while (at < data.len) {
		size_t len = CHUNK_SLICE_BYTES - parser->raw_bytes % CHUNK_SLICE_BYTES;
		llhttp_errno_t code;

		if (len > data.len - at)
			len = data.len - at;
		code = llhttp_execute(llhttp, data.data + at, len);
		if (parser->done) {
			*taken_out = (size_t)(llhttp_get_error_pos(llhttp) - data.data);
			return CHUNKED_DONE;
		}
		at += len;
		parser->raw_bytes += len;
		*taken_out = at;
		if (parser->too_large)
			return CHUNKED_TOO_LARGE;
		if (code != HPE_OK)
			return CHUNKED_MALFORMED;
		if (parser->raw_bytes % CHUNK_SLICE_BYTES == 0 && !overhead_is_honest(parser))
			return CHUNKED_MALFORMED;
	}
	return CHUNKED_MORE;
}
