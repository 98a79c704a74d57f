// SPDX-License-Identifier: Apache-2.0

/* Where the signing key comes from: a file made once, a file that is shared, a secret. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "domains/access/token_key.h"
#include "test/support/temporary.h"

static struct arena arena;
static char folder[TEMPORARY_MAX];

static int set_up(void **state)
{
	(void)state;
	temporary_template(folder);
	arena_init(&arena, NULL, 1024 * 1024);
	return mkdtemp(folder) == NULL;
}

static int tear_down(void **state)
{
	char path[TEMPORARY_MAX + 32];

	(void)state;
	snprintf(path, sizeof(path), "%s/jwt_ed25519.pem", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/shared.pem", folder);
	unlink(path);
	arena_deinit(&arena);
	return rmdir(folder); /* fails when a draft was left behind */
}

static bool open_key(struct token_key *key, struct token_key_source source, struct text *error_out)
{
	source.data_dir = text_from_c(folder);
	*error_out = TEXT("");
	return token_key_open(key, &source, &arena, error_out);
}

static void a_key_is_made_once_for_its_user_only(void **state)
{
	struct token_key first, second;
	struct text error, path = arena_printf(&arena, "%s/jwt_ed25519.pem", folder);
	struct stat info;

	(void)state;
	assert_true(open_key(&first, (struct token_key_source) {0}, &error));
	assert_int_equal(stat(path.data, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	assert_true(open_key(&second, (struct token_key_source) {.production = true}, &error));
	assert_memory_equal(first.id, second.id, sizeof(first.id));
	assert_memory_equal(first.refresh, second.refresh, sizeof(first.refresh));
	token_key_close(&first);
	token_key_close(&second);
}

static void *open_in_thread(void *argument)
{
	struct token_key_source source = {.data_dir = text_from_c(folder)};
	struct arena mine;
	struct text error;
	bool opened;

	arena_init(&mine, NULL, 1024 * 1024);
	opened = token_key_open(argument, &source, &mine, &error);
	arena_deinit(&mine);
	return opened ? argument : NULL;
}

static void starters_at_the_same_time_share_one_key(void **state)
{
	struct token_key keys[8];
	pthread_t threads[8];

	(void)state;
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_in_thread, &keys[i]), 0);
	for (size_t i = 0; i < 8; i++) {
		void *opened;
		pthread_join(threads[i], &opened);
		assert_non_null(opened);
	}
	for (size_t i = 1; i < 8; i++)
		assert_memory_equal(keys[0].id, keys[i].id, sizeof(keys[0].id));
	for (size_t i = 0; i < 8; i++)
		token_key_close(&keys[i]);
}

static void a_key_that_others_can_read_stops_the_start(void **state)
{
	struct token_key key;
	struct text error, path = arena_printf(&arena, "%s/jwt_ed25519.pem", folder);

	(void)state;
	assert_true(open_key(&key, (struct token_key_source) {0}, &error));
	token_key_close(&key);
	chmod(path.data, 0644);
	assert_false(open_key(&key, (struct token_key_source) {0}, &error));
	assert_non_null(strstr(error.data, "chmod 600"));
}

static void what_is_no_file_stops_the_start_at_once(void **state)
{
	struct token_key key;
	struct text error, path = arena_printf(&arena, "%s/jwt_ed25519.pem", folder);

	(void)state;
	assert_int_equal(mkdir(path.data, 0755), 0);
	assert_false(open_key(&key, (struct token_key_source) {0}, &error));
	assert_non_null(strstr(error.data, "directory"));
	rmdir(path.data);
	assert_int_equal(mkfifo(path.data, 0600), 0); /* nobody will ever write to it */
	assert_false(open_key(&key, (struct token_key_source) {0}, &error));
	assert_non_null(strstr(error.data, "cannot read the signing key"));
	assert_false(open_key(&key, (struct token_key_source) {.private_file = path}, &error));
	assert_non_null(strstr(error.data, "cannot read the signing key"));
	unlink(path.data);
}

static bool open_file_with(const char *content, struct text *error_out)
{
	struct text path = arena_printf(&arena, "%s/shared.pem", folder);
	FILE *file = fopen(path.data, "w");
	struct token_key key;
	bool opened;

	fputs(content, file);
	fclose(file);
	opened = open_key(&key, (struct token_key_source) {.private_file = path}, error_out);
	if (opened)
		token_key_close(&key);
	return opened;
}

static void only_an_ed25519_key_is_taken_from_a_file(void **state)
{
	struct text error;
	struct token_key key;

	(void)state;
	/* RFC 8410, 10.3 */
	assert_true(
		open_file_with("-----BEGIN PRIVATE KEY-----\n"
			       "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
			       "-----END PRIVATE KEY-----\n",
			&error));
	/* X25519 */
	assert_false(
		open_file_with("-----BEGIN PRIVATE KEY-----\n"
			       "MC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkXfTC+H68CZKrF3+6UduSwq\n"
			       "-----END PRIVATE KEY-----\n",
			&error));
	assert_non_null(strstr(error.data, "Ed25519"));
	assert_false(open_file_with("", &error));
	assert_false(open_file_with(
		"-----BEGIN PRIVATE KEY-----\nxx\n-----END PRIVATE KEY-----\n", &error));
	assert_non_null(strstr(error.data, "openssl genpkey"));
	assert_false(open_key(&key,
		(struct token_key_source) {.private_file = TEXT("/nowhere/key.pem")}, &error));
	assert_non_null(strstr(error.data, "/nowhere/key.pem"));
}

static void production_refuses_secrets_that_others_know(void **state)
{
	static const char *const bad[] = {"development-secret", "Development-Secret", "secret",
		"short", "0123456789012345678901234567890",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"your-super-secret-jwt-token-with-at-least-32-characters-long"};
	struct token_key key;
	struct text error;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct token_key_source source = {
			.secret = text_from_c(bad[i]), .production = true};
		assert_false(open_key(&key, source, &error));
		assert_non_null(strstr(error.data, "JWT_SECRET"));
		if (strlen(bad[i]) > 10) /* "secret" is part of the setting's name */
			assert_null(strstr(error.data, bad[i]));
		source.production = false;
		assert_true(open_key(&key, source, &error));
		token_key_close(&key);
	}
	assert_true(open_key(&key,
		(struct token_key_source) {
			.secret = TEXT("k7Qm2vXz9Lr4Tn8Wb3Yc6Hd1Jf5Gp0Sa"), .production = true},
		&error));
	assert_int_equal(key.algorithm, TOKEN_HS256);
	token_key_close(&key);
}

static void one_secret_makes_the_same_keys_everywhere(void **state)
{
	struct token_key first, second, other;

	(void)state;
	token_key_from_secret(&first, TEXT("k7Qm2vXz9Lr4Tn8Wb3Yc6Hd1Jf5Gp0Sa"));
	token_key_from_secret(&second, TEXT("k7Qm2vXz9Lr4Tn8Wb3Yc6Hd1Jf5Gp0Sa"));
	token_key_from_secret(&other, TEXT("k7Qm2vXz9Lr4Tn8Wb3Yc6Hd1Jf5Gp0Sb"));
	assert_memory_equal(first.refresh, second.refresh, sizeof(first.refresh));
	assert_memory_equal(first.id, second.id, sizeof(first.id));
	assert_memory_not_equal(first.refresh, other.refresh, sizeof(first.refresh));
	assert_memory_not_equal(first.id, other.id, sizeof(first.id));
	token_key_close(&first);
	token_key_close(&second);
	token_key_close(&other);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_key_is_made_once_for_its_user_only),
		TEST(starters_at_the_same_time_share_one_key),
		TEST(a_key_that_others_can_read_stops_the_start),
		TEST(what_is_no_file_stops_the_start_at_once),
		TEST(only_an_ed25519_key_is_taken_from_a_file),
		TEST(production_refuses_secrets_that_others_know),
		TEST(one_secret_makes_the_same_keys_everywhere),
	};

	return cmocka_run_group_tests_name("domains/access token_key", tests, NULL, NULL);
}
