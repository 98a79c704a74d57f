// SPDX-License-Identifier: Apache-2.0
#include "domains/access/token_key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/secret.h"
#include "core/uuid.h"

enum { PEM_MAX_BYTES = 16 * 1024 };

static EVP_PKEY *fail(
	struct arena *arena, struct text *error_out, const char *what, struct text path)
{
	*error_out = arena_printf(arena, "%s %.*s: %s", what, TEXT_ARG(path), strerror(errno));
	return NULL;
}

/* An encrypted key must not make OpenSSL ask on the terminal. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the library's type */
static int on_passphrase(char *buffer, int size, int is_writing, void *context)
{
	(void)buffer, (void)size, (void)is_writing, (void)context;
	return -1;
}

static EVP_PKEY *parse_pem(const char *pem, size_t len)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	EVP_PKEY *pair = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, NULL)
				     : NULL;

	BIO_free(bio);
	return pair;
}

static ptrdiff_t read_all(int fd, char *out, size_t size)
{
	size_t len = 0;

	for (;;) {
		ssize_t got = read(fd, out + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		len += (size_t)got;
		if (got == 0 || len == size)
			return (ptrdiff_t)len;
	}
}

/* Only a regular file: a FIFO would hold the start up for ever. -1 with errno. */
static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat info = {0};

	if (fd < 0)
		return -1;
	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
		return fd;
	errno = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
	close(fd);
	return -1;
}

EVP_PKEY *token_key_file_read(struct text path, struct arena *arena, struct text *error_out)
{
	struct text name = arena_text(arena, path);
	int fd = open_regular(name.data);
	char pem[PEM_MAX_BYTES];
	ptrdiff_t len;
	EVP_PKEY *pair;

	if (fd < 0)
		return fail(arena, error_out, "cannot read the signing key", name);
	len = read_all(fd, pem, sizeof(pem));
	close(fd);
	if (len < 0)
		return fail(arena, error_out, "cannot read the signing key", name);
	pair = parse_pem(pem, (size_t)len);
	secret_wipe(pem, (size_t)len);
	if (pair == NULL)
		*error_out = arena_printf(arena,
			"%.*s holds no unencrypted private key in PEM; make one with "
			"`openssl genpkey -algorithm ed25519`",
			TEXT_ARG(name));
	return pair;
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t put = write(fd, data, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		data += put;
		len -= (size_t)put;
	}
	return fsync(fd) == 0;
}

static bool write_new_file(const char *path, const char *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool written;

	if (fd < 0)
		return false;
	written = write_all(fd, data, len);
	return close(fd) == 0 && written;
}

/* A name of its own, then link(2): it fails when another process was first, and never shows half a file. */
static bool publish(struct text path, const char *pem, size_t len, struct arena *arena)
{
	struct uuid id = uuid_new();
	char id_text[UUID_TEXT_LEN];
	struct text draft;
	bool linked;
	int error;

	uuid_format(&id, id_text);
	draft = arena_printf(arena, "%.*s.%.*s", TEXT_ARG(path), UUID_TEXT_LEN, id_text);
	linked = write_new_file(draft.data, pem, len) &&
		(link(draft.data, path.data) == 0 || errno == EEXIST);
	error = errno;
	unlink(draft.data);
	errno = error;
	return linked;
}

static bool make(struct text path, struct arena *arena)
{
	EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_secmem());
	char *pem = NULL;
	long len = 0;
	bool made = false;

	errno = ENOMEM;
	if (pair != NULL && bio != NULL &&
		PEM_write_bio_PKCS8PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL) == 1)
		len = BIO_get_mem_data(bio, &pem);
	if (len > 0)
		made = publish(path, pem, (size_t)len, arena);
	BIO_free(bio);
	EVP_PKEY_free(pair);
	return made;
}

EVP_PKEY *token_key_file_keep(struct text data_dir, struct arena *arena, struct text *error_out)
{
	struct text path = arena_printf(arena, "%.*s/jwt_ed25519.pem", TEXT_ARG(data_dir));
	struct stat info;

	if (stat(path.data, &info) != 0) {
		if (errno != ENOENT)
			return fail(arena, error_out, "cannot read the signing key", path);
		if (!make(path, arena))
			return fail(arena, error_out, "cannot make the signing key", path);
	} else if (S_ISREG(info.st_mode) && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		*error_out = arena_printf(arena, "%.*s can be read by others; run `chmod 600 %.*s`",
			TEXT_ARG(path), TEXT_ARG(path));
		return NULL;
	}
	return token_key_file_read(path, arena, error_out);
}
