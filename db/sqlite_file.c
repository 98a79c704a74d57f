// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool sqlite_path_is_memory(struct text path)
{
	return text_equals(path, TEXT(":memory:"));
}

static bool complain(
	struct arena *arena, struct text *error_out, const char *what, const char *path, int error)
{
	*error_out = arena_printf(arena, "cannot %s %s: %s", what, path, strerror(error));
	return false;
}

/* Every missing folder of `path`, which may be changed and is put back. */
static bool make_folders(char *path, struct arena *arena, struct text *error_out)
{
	for (char *slash = path; slash != NULL; slash = strchr(slash + 1, '/')) {
		int error = 0;

		if (slash == path)
			continue;
		*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			error = errno;
		if (error != 0) {
			complain(arena, error_out, "create the folder", path, error);
			*slash = '/';
			return false;
		}
		*slash = '/';
	}
	return true;
}

static bool is_inside(struct text path, struct text folder)
{
	return folder.len > 0 && path.len > folder.len && text_starts_with(path, folder) &&
		(path.data[folder.len] == '/' || folder.data[folder.len - 1] == '/');
}

/* Never opens a file that is there: closing it would drop the locks that SQLite holds on it in this
 * process (POSIX.1, fcntl). */
static bool make_file(const char *path, struct arena *arena, struct text *error_out)
{
	int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat status;

	if (file >= 0) {
		close(file);
		return true;
	}
	if (errno != EEXIST)
		return complain(arena, error_out, "create the database", path, errno);
	if (stat(path, &status) < 0)
		return complain(arena, error_out, "open the database", path, errno);
	if (!S_ISREG(status.st_mode))
		return complain(arena, error_out, "open the database", path,
			S_ISDIR(status.st_mode) ? EISDIR : EINVAL);
	return true;
}

bool sqlite_file_prepare(
	struct text path, struct text data_dir, struct arena *arena, struct text *error_out)
{
	char *copy;

	if (sqlite_path_is_memory(path))
		return true;
	/* SQLite would take "" for a temporary database and file: for a URI with options of its own. */
	copy = (char *)arena_text(arena, path).data;
	if (copy == NULL || path.len == 0 || strlen(copy) != path.len ||
		text_starts_with(path, TEXT("file:"))) {
		*error_out = TEXT(
			"database.url must name a file: sqlite:PATH, without file: before it");
		return false;
	}
	if (is_inside(path, data_dir) && !make_folders(copy, arena, error_out))
		return false;
	return make_file(copy, arena, error_out);
}
