// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <libfyaml.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/configuration.h"

enum { CONFIG_FILE_MAX_BYTES = 1 << 20, KEY_DEPTH_MAX = 4, KEY_MAX_BYTES = 128 };

struct text read_whole_file(
	const char *path, size_t max, struct arena *arena, const char **error_out)
{
	struct text result = TEXT_ABSENT;
	struct stat about;
	size_t len = 0;
	ssize_t got = 0;

	/* a fifo must not block the start */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &about) < 0) {
		*error_out = strerror(errno);
		goto done;
	}
	if (!S_ISREG(about.st_mode)) {
		*error_out = S_ISDIR(about.st_mode) ? "it is a folder" : "it is not a regular file";
		goto done;
	}
	char *data = arena_alloc(arena, max + 1);
	while (data != NULL && len <= max && (got = read(fd, data + len, max + 1 - len)) > 0)
		len += (size_t)got;
	if (data == NULL)
		*error_out = "no memory";
	else if (got < 0)
		*error_out = strerror(errno);
	else if (len > max)
		*error_out = "it is too large";
	else
		result = text_of(data, len);
done:
	if (fd >= 0)
		close(fd);
	return result;
}

/* ---- YAML ----------------------------------------------------------------------------------- */

struct walk {
	struct configuration *config;
	struct text name; /* of the file, for messages */
};

static int line_of(struct fy_node *node)
{
	struct fy_token *token = node != NULL ? fy_node_get_scalar_token(node) : NULL;
	const struct fy_mark *mark = token != NULL ? fy_token_start_mark(token) : NULL;

	return mark != NULL ? mark->line + 1 : 0;
}

static struct text scalar_of(struct fy_node *node)
{
	size_t len = 0;
	const char *data = node != NULL ? fy_node_get_scalar(node, &len) : NULL;

	return text_of(data != NULL ? data : "", len);
}

/* Empty is unset: a key, or a section whose keys are all commented out. */
static bool may_be_empty(struct walk *walk, struct text key)
{
	struct configuration *config = walk->config;

	for (size_t i = 0; i < config->value_count; i++) {
		struct text own = text_from_c(config->values[i].row->key);
		if (text_starts_with(own, key) && (own.len == key.len || own.data[key.len] == '.'))
			return true;
	}
	return false;
}

/* "secret: &x7Kq" and "secret: !x7Kq" are an anchor and a tag on nothing: unquoted, a password would be lost
 * unseen. */
static bool is_decorated(struct fy_node *node)
{
	size_t len = 0;

	return node != NULL &&
		(fy_node_get_anchor(node) != NULL || fy_node_get_tag(node, &len) != NULL);
}

static void take_scalar(struct walk *walk, struct text key, struct fy_node *node, int line)
{
	struct text where = arena_printf(
		walk->config->arena, "%.*s:%d", TEXT_ARG(walk->name), line);
	struct text value = scalar_of(node);

	if (node != NULL && fy_node_is_alias(node)) {
		configuration_fail(walk->config,
			"%.*s (file %.*s): references (*name) are not read here",
			TEXT_ARG(configuration_key_shown(walk->config, key)), TEXT_ARG(where));
		return;
	}
	if (is_decorated(node)) {
		configuration_fail(walk->config,
			"%.*s (file %.*s): anchors (&name) and tags (!name) are not read here; put quotes around "
			"a value that begins so",
			TEXT_ARG(configuration_key_shown(walk->config, key)), TEXT_ARG(where));
		return;
	}
	if (value.len == 0 && may_be_empty(walk, key))
		return;
	configuration_set_key(walk->config, key, value, FROM_FILE, where);
}

static void take_mapping(struct walk *walk, struct text above, struct fy_node *mapping, int depth);

static void take_pair(struct walk *walk, struct text above, struct fy_node_pair *pair, int depth)
{
	struct fy_node *key_node = fy_node_pair_key(pair), *value = fy_node_pair_value(pair);
	struct text name = scalar_of(key_node), key = name;
	int line = line_of(key_node);

	if (key_node == NULL || !fy_node_is_scalar(key_node) || name.len == 0 ||
		name.len + above.len > KEY_MAX_BYTES || !text_is_utf8(name)) {
		configuration_fail(walk->config, "%.*s:%d: a key must be a short word",
			TEXT_ARG(walk->name), line);
		return;
	}
	if (above.len > 0)
		key = arena_printf(
			walk->config->arena, "%.*s.%.*s", TEXT_ARG(above), TEXT_ARG(name));
	if (value != NULL && fy_node_is_mapping(value) && depth < KEY_DEPTH_MAX)
		take_mapping(walk, key, value, depth + 1);
	else if (value == NULL || fy_node_is_scalar(value))
		take_scalar(walk, key, value, line);
	else
		configuration_fail(walk->config, "%.*s (file %.*s:%d) must be a single value",
			TEXT_ARG(configuration_key_shown(walk->config, key)), TEXT_ARG(walk->name),
			line);
}

static void take_mapping(struct walk *walk, struct text above, struct fy_node *mapping, int depth)
{
	struct fy_node_pair *pair;
	void *at = NULL;

	while ((pair = fy_node_mapping_iterate(mapping, &at)) != NULL)
		take_pair(walk, above, pair, depth);
}

static void tell_syntax(struct walk *walk, struct fy_diag *diag)
{
	void *at = NULL;
	struct fy_diag_error *error = fy_diag_errors_iterate(diag, &at);

	if (error == NULL || error->msg == NULL)
		configuration_fail(walk->config, "%.*s: this is not YAML", TEXT_ARG(walk->name));
	else
		configuration_fail(walk->config, "%.*s:%d: this is not YAML: %s",
			TEXT_ARG(walk->name), error->line, error->msg);
}

/* One document; none at all (an empty file, comments only) is fine too. */
static void read_documents(struct walk *walk, struct fy_parser *parser, struct fy_diag *diag)
{
	struct fy_document *document = fy_parse_load_document(parser);
	struct fy_node *root = document != NULL ? fy_document_root(document) : NULL;

	if (root != NULL && fy_node_is_mapping(root))
		take_mapping(walk, TEXT(""), root, 1);
	else if (root != NULL && (!fy_node_is_scalar(root) || scalar_of(root).len > 0))
		configuration_fail(walk->config,
			"%.*s: sections with keys are expected, such as http: { port: 3000 }",
			TEXT_ARG(walk->name));
	fy_parse_document_destroy(parser, document);
	if (document != NULL) {
		document = fy_parse_load_document(parser);
		if (document != NULL)
			configuration_fail(walk->config,
				"%.*s: one document is expected, not several",
				TEXT_ARG(walk->name));
		fy_parse_document_destroy(parser, document);
	}
	if (fy_parser_get_stream_error(parser))
		tell_syntax(walk, diag);
}

void configuration_read_yaml(struct configuration *config, struct text yaml, struct text name)
{
	struct walk walk = {.config = config, .name = name};
	struct fy_diag_cfg diag_options;

	if (!text_is_utf8(yaml) || (yaml.len > 0 && memchr(yaml.data, '\0', yaml.len) != NULL)) {
		configuration_fail(config, "%.*s: this is not UTF-8 text", TEXT_ARG(name));
		return;
	}
	fy_diag_cfg_default(&diag_options);
	diag_options.fp = NULL;
	struct fy_diag *diag = fy_diag_create(&diag_options);
	struct fy_parse_cfg options = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG, .diag = diag};
	if (diag != NULL)
		fy_diag_set_collect_errors(diag, true);
	struct fy_parser *parser = diag != NULL ? fy_parser_create(&options) : NULL;
	if (parser == NULL)
		configuration_fail(config, "%.*s: no memory", TEXT_ARG(name));
	else if (yaml.len > 0 && fy_parser_set_string(parser, yaml.data, yaml.len) == 0)
		read_documents(&walk, parser, diag);
	if (parser != NULL)
		fy_parser_destroy(parser);
	if (diag != NULL)
		fy_diag_destroy(diag);
}

/* ---- which file ----------------------------------------------------------------------------- */

static bool read_if_there(struct configuration *config, const char *path, bool must)
{
	const char *error = NULL;

	if (!must && access(path, F_OK) != 0)
		return false;
	struct text yaml = read_whole_file(path, CONFIG_FILE_MAX_BYTES, config->arena, &error);
	if (text_is_absent(yaml)) {
		configuration_fail(
			config, "cannot read the configuration file %s: %s", path, error);
		return true;
	}
	config->file = text_from_c(path);
	configuration_read_yaml(config, yaml, text_from_c(path));
	return true;
}

void configuration_read_file(struct configuration *config, const struct config_input *input)
{
	static const char *const usual[] = {"./millrace.yaml", "/etc/millrace/millrace.yaml"};
	const char *path = input->file;

	if (path == NULL)
		path = environment_value(input->environment, TEXT("MILLRACE_CONFIG"));
	if (path != NULL) {
		read_if_there(config, path, true);
		return;
	}
	for (size_t i = 0; i < 2 && input->search_file; i++)
		if (read_if_there(config, usual[i], false))
			return;
}
