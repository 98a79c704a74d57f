// SPDX-License-Identifier: Apache-2.0
#include "domains/access/token.h"

#include <string.h>
#include <yyjson.h>

#include "core/json.h"
#include "domains/access/access.h"

/* Members of one JSON object: ours has eleven; more than this is not ours. */
enum { MEMBERS_MAX = 24 };

/* 2^53 - 1: past it JSON numbers are not safe between implementations (RFC 8259, 6). */
static const int64_t time_max_s = INT64_C(9007199254740991);

struct token_parts {
	struct text header, claims, signature;
	struct text signed_data; /* header.claims, as it came */
};

/* ---- writing --------------------------------------------------------------------------------- */

static struct text header_json(const struct token_key *key, struct arena *arena)
{
	struct json_writer writer;

	json_begin(&writer, arena, 128);
	json_object(&writer);
	json_key(&writer, TEXT("alg"));
	json_string(&writer, text_from_c(token_key_algorithm(key)));
	json_key(&writer, TEXT("typ"));
	json_string(&writer, TEXT("at+jwt"));
	json_key(&writer, TEXT("kid"));
	json_string(&writer, text_of(key->id, sizeof(key->id)));
	json_object_end(&writer);
	return json_text(&writer);
}

static void write_roles(struct json_writer *writer, uint32_t roles)
{
	json_key(writer, TEXT("roles"));
	json_array(writer);
	for (enum role role = ROLE_USER; role < ROLE_COUNT; role++)
		if (roles & role_bit(role))
			json_string(writer, text_from_c(role_names[role]));
	json_array_end(writer);
}

static void write_time(struct json_writer *writer, struct text name, int64_t unix_s)
{
	json_key(writer, name);
	json_int(writer, unix_s);
}

static void write_id(struct json_writer *writer, struct text name, const struct uuid *id)
{
	json_key(writer, name);
	json_uuid(writer, id);
}

static struct text claims_json(
	const struct token_rules *rules, const struct token_claims *claims, struct arena *arena)
{
	struct json_writer writer;

	json_begin(&writer, arena, 512);
	json_object(&writer);
	json_key(&writer, TEXT("iss"));
	json_string(&writer, rules->issuer);
	json_key(&writer, TEXT("aud"));
	json_string(&writer, rules->audience);
	write_id(&writer, TEXT("sub"), &claims->user_id);
	write_id(&writer, TEXT("sid"), &claims->session_id);
	write_id(&writer, TEXT("jti"), &claims->token_id);
	write_time(&writer, TEXT("iat"), claims->issued_at_s);
	if (claims->not_before_s != 0)
		write_time(&writer, TEXT("nbf"), claims->not_before_s);
	write_time(&writer, TEXT("exp"), claims->expires_at_s);
	write_roles(&writer, claims->roles);
	json_object_end(&writer);
	return json_text(&writer);
}

struct text token_sign(
	const struct token_rules *rules, const struct token_claims *claims, struct arena *arena)
{
	struct text header = header_json(rules->key, arena);
	struct text body = claims_json(rules, claims, arena);
	uint8_t signature[TOKEN_SIGNATURE_MAX];
	size_t len, size;
	char *out;

	if (text_is_absent(header) || text_is_absent(body))
		return TEXT_ABSENT;
	out = arena_alloc(arena,
		base64url_encoded_len(header.len) + base64url_encoded_len(body.len) +
			base64url_encoded_len(sizeof(signature)) + 2);
	if (out == NULL)
		return TEXT_ABSENT;
	len = base64url_encode(header.data, header.len, out);
	out[len++] = '.';
	len += base64url_encode(body.data, body.len, out + len);
	size = token_key_sign(rules->key, text_of(out, len), signature);
	if (size == 0)
		return TEXT_ABSENT;
	out[len++] = '.';
	len += base64url_encode(signature, size, out + len);
	return len <= TOKEN_MAX_BYTES ? text_of(out, len) : TEXT_ABSENT;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool split(struct text token, struct token_parts *parts_out)
{
	struct text rest, tail;

	if (token.len == 0 || token.len > TOKEN_MAX_BYTES)
		return false;
	parts_out->header = text_cut(token, '.', &rest);
	if (text_is_absent(rest))
		return false;
	parts_out->claims = text_cut(rest, '.', &rest);
	if (text_is_absent(rest))
		return false;
	parts_out->signature = text_cut(rest, '.', &tail);
	if (!text_is_absent(tail))
		return false;
	parts_out->signed_data = text_of(
		token.data, parts_out->header.len + 1 + parts_out->claims.len);
	return parts_out->header.len > 0 && parts_out->claims.len > 0 &&
		parts_out->signature.len > 0;
}

static struct text decode(struct text part, struct arena *arena)
{
	size_t size = part.len / 4 * 3 + 3;
	char *out = arena_alloc(arena, size);
	ptrdiff_t len = out != NULL ? base64url_decode(part, out, size) : -1;

	return len > 0 ? text_of(out, (size_t)len) : TEXT_ABSENT;
}

static bool has_twins(yyjson_val *object)
{
	const char *names[MEMBERS_MAX];
	size_t lens[MEMBERS_MAX], count = 0, index, max;
	yyjson_val *key, *value;

	yyjson_obj_foreach(object, index, max, key, value)
	{
		(void)value;
		names[count] = yyjson_get_str(key);
		lens[count] = yyjson_get_len(key);
		for (size_t i = 0; i < count; i++)
			if (lens[i] == lens[count] && memcmp(names[i], names[count], lens[i]) == 0)
				return true;
		count++;
	}
	return false;
}

/* The root of one JSON object, with no name twice (RFC 7515, 4). NULL when it is anything else. Lives in
 * the arena. */
static yyjson_val *parse_object(struct text json, struct arena *arena)
{
	size_t size = yyjson_read_max_memory_usage(json.len, YYJSON_READ_NOFLAG);
	void *memory = arena_alloc(arena, size);
	yyjson_alc pool;
	yyjson_doc *document;
	yyjson_val *root;

	if (memory == NULL || !yyjson_alc_pool_init(&pool, memory, size))
		return NULL;
	/* Without YYJSON_READ_INSITU the input is not written to, whatever the signature says. */
	document = yyjson_read_opts(
		(char *)(uintptr_t)json.data, json.len, YYJSON_READ_NOFLAG, &pool, NULL);
	root = yyjson_doc_get_root(document);
	if (!yyjson_is_obj(root) || yyjson_obj_size(root) > MEMBERS_MAX || has_twins(root))
		return NULL;
	return root;
}

static struct text text_member(yyjson_val *object, const char *name)
{
	yyjson_val *value = yyjson_obj_get(object, name);

	if (!yyjson_is_str(value))
		return TEXT_ABSENT;
	return text_of(yyjson_get_str(value), yyjson_get_len(value));
}

static bool member_equals(yyjson_val *object, const char *name, struct text expected)
{
	struct text value = text_member(object, name);

	return !text_is_absent(value) && text_equals(value, expected);
}

static bool id_member(yyjson_val *object, const char *name, struct uuid *id_out)
{
	struct text value = text_member(object, name);

	return !text_is_absent(value) && uuid_parse(value, id_out);
}

static bool time_member(yyjson_val *object, const char *name, int64_t *unix_s_out)
{
	yyjson_val *value = yyjson_obj_get(object, name);

	if (!yyjson_is_uint(value) || yyjson_get_uint(value) > (uint64_t)time_max_s)
		return false;
	*unix_s_out = (int64_t)yyjson_get_uint(value);
	return true;
}

/* Exactly the three members we write: anything else (crit, jwk, jku, x5u ...) would ask for a meaning
 * that we do not give it. */
static bool header_is_ours(const struct token_key *key, struct text part, struct arena *arena)
{
	struct text json = decode(part, arena);
	yyjson_val *header = text_is_absent(json) ? NULL : parse_object(json, arena);

	return header != NULL && yyjson_obj_size(header) == 3 &&
		member_equals(header, "alg", text_from_c(token_key_algorithm(key))) &&
		member_equals(header, "typ", TEXT("at+jwt")) &&
		member_equals(header, "kid", text_of(key->id, sizeof(key->id)));
}

static bool signature_is_ours(const struct token_key *key, const struct token_parts *parts)
{
	uint8_t signature[TOKEN_SIGNATURE_MAX];
	ptrdiff_t size = base64url_decode(parts->signature, signature, sizeof(signature));

	return size > 0 && token_key_verify(key, parts->signed_data, signature, (size_t)size);
}

/* Names that we do not know grant nothing. */
static bool read_roles(yyjson_val *object, uint32_t *roles_out)
{
	yyjson_val *list = yyjson_obj_get(object, "roles"), *value;
	size_t index, max;

	*roles_out = 0;
	if (!yyjson_is_arr(list))
		return false;
	yyjson_arr_foreach(list, index, max, value)
	{
		if (!yyjson_is_str(value))
			return false;
		for (enum role role = ROLE_USER; role < ROLE_COUNT; role++)
			if (yyjson_equals_str(value, role_names[role]))
				*roles_out |= role_bit(role);
	}
	return true;
}

static bool read_claims(const struct token_rules *rules, struct text part, struct arena *arena,
	struct token_claims *claims_out)
{
	struct text json = decode(part, arena);
	yyjson_val *object = text_is_absent(json) ? NULL : parse_object(json, arena);

	*claims_out = (struct token_claims) {0};
	if (object == NULL || !member_equals(object, "iss", rules->issuer) ||
		!member_equals(object, "aud", rules->audience))
		return false;
	if (yyjson_obj_get(object, "nbf") != NULL &&
		!time_member(object, "nbf", &claims_out->not_before_s))
		return false;
	return id_member(object, "sub", &claims_out->user_id) &&
		id_member(object, "sid", &claims_out->session_id) &&
		id_member(object, "jti", &claims_out->token_id) &&
		time_member(object, "iat", &claims_out->issued_at_s) &&
		time_member(object, "exp", &claims_out->expires_at_s) &&
		read_roles(object, &claims_out->roles);
}

static enum token_verdict judge_times(const struct token_claims *claims, int64_t now_s)
{
	if (claims->issued_at_s > now_s + TOKEN_LEEWAY_S ||
		claims->not_before_s > now_s + TOKEN_LEEWAY_S ||
		claims->expires_at_s <= claims->issued_at_s)
		return TOKEN_BAD;
	return now_s >= claims->expires_at_s + TOKEN_LEEWAY_S ? TOKEN_LATE : TOKEN_OK;
}

enum token_verdict token_verify(const struct token_rules *rules, struct text token, int64_t now_s,
	struct arena *arena, struct token_claims *claims_out)
{
	struct token_parts parts;

	/* Claims are parsed only once the signature says that we wrote them. */
	if (!split(token, &parts) || !header_is_ours(rules->key, parts.header, arena) ||
		!signature_is_ours(rules->key, &parts) ||
		!read_claims(rules, parts.claims, arena, claims_out))
		return TOKEN_BAD;
	return judge_times(claims_out, now_s);
}
