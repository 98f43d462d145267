/* Access lists; see acl.h. */
#include "net/acl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/event.h"
#include "sys/sys.h"

/* Longer than any name, or address with interface. */
#define ACL_WORD_MAX 400

/* The most comparisons of networks to detect that no peer can be permitted. */
#define ACL_COMPARE_MAX ((size_t)1 << 24)

static const char *const acl_options[ACL_KINDS] = {
	[ACL_ALLOW] = "--allow", [ACL_DENY] = "--deny"
};

/* Adds the position of the entry to a fault. */
static void
acl_fault_place(const struct acl_source *source, size_t line, struct fault *fault)
{
	if (source->file)
		fault_add(fault, " (line %zu of %s)", line, source->text);
	else
		fault_add(fault, " (%s)", acl_options[source->kind]);
}

/* Makes room for another element: doubles the array when `count` is a power of two. NULL: failed,
 * and the array is unchanged. */
static void *
acl_grow(void *array, size_t count, size_t size, struct fault *fault)
{
	void *longer = array;
	if (count == ACL_MAX) {
		(void)fault_set(
			fault, STATUS_VALUE, 0, "access list: more than %zu addresses", ACL_MAX);
		return NULL;
	}
	if ((count & (count - 1)) == 0)
		longer = realloc(array, (count == 0 ? 1 : 2 * count) * size);
	if (longer == NULL)
		(void)fault_set(fault, STATUS_MEMORY, ENOMEM, "access list");
	return longer;
}

static bool
acl_add_network(struct acl_part *part, const struct cidr *network, struct fault *fault)
{
	struct cidr *list = acl_grow(part->list, part->count, sizeof *list, fault);
	if (list == NULL)
		return false;
	part->list = list;
	part->list[part->count++] = *network;
	return true;
}

/* Takes ownership of the name, even on failure. */
static bool
acl_add_name(struct acl_list *list, char *host, const struct acl_source *source, size_t line,
	struct fault *fault)
{
	struct acl_name *names = acl_grow(list->names, list->name_count, sizeof *names, fault);
	if (names == NULL) {
		free(host);
		return false;
	}
	list->names = names;
	list->names[list->name_count++] = (struct acl_name){ host, source, line };
	return true;
}

static bool
acl_add_word(struct acl_list *list, const struct acl_config *config,
	const struct acl_source *source, size_t line, const char *bytes, size_t n,
	struct fault *fault)
{
	struct cidr network;
	bool good = false;
	/* Binary data: a NUL would truncate the text, and the message would be too long. */
	if (n > ACL_WORD_MAX || memchr(bytes, '\0', n) != NULL)
		return fault_set(fault, STATUS_VALUE, 0, "access list: not an address or a name");
	char *word = strndup(bytes, n);
	if (word == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "access list");
	switch (cidr_parse(&network, word, config->numeric_only, fault)) {
	case CIDR_NETWORK:
		good = acl_add_network(&list->parts[source->kind], &network, fault);
		break;
	case CIDR_NAME:
		return acl_add_name(list, word, source, line, fault);
	case CIDR_BAD:
		break;
	}
	free(word);
	return good;
}

static bool
acl_is_blank(char c)
{
	return c != '\0' && strchr(" \t,\r\n", c) != NULL;
}

bool
acl_list_add(struct acl_list *list, const struct acl_config *config,
	const struct acl_source *source, const char *bytes, size_t n, struct fault *fault)
{
	size_t line = 1, words = 0, end = 0;
	list->parts[source->kind].given = true;
	for (size_t at = 0; at < n; at = end) {
		end = at + 1;
		if (bytes[at] == '\n')
			line++;
		if (acl_is_blank(bytes[at]))
			continue;
		if (bytes[at] == '#' && source->file) {
			while (end < n && bytes[end] != '\n')
				end++;
			continue;
		}
		while (end < n && !acl_is_blank(bytes[end]) && !(bytes[end] == '#' && source->file))
			end++;
		words++;
		if (!acl_add_word(list, config, source, line, bytes + at, end - at, fault)) {
			acl_fault_place(source, line, fault);
			return false;
		}
	}
	return words > 0 || source->file ||
		fault_set(fault, STATUS_VALUE, 0, "invalid %s '%s': no address",
			acl_options[source->kind], source->text);
}

void
acl_list_close(struct acl_list *list)
{
	for (size_t i = 0; i < list->name_count; i++)
		free(list->names[i].host);
	free(list->names);
	for (unsigned kind = 0; kind < ACL_KINDS; kind++)
		free(list->parts[kind].list);
	memset(list, 0, sizeof *list);
}

bool
acl_config_add(struct acl_config *config, enum acl_kind kind, bool file, const char *text,
	struct fault *fault)
{
	const struct acl_source source = { .kind = kind, .file = file, .text = text };
	struct acl_list list = { .name_count = 0 };
	bool good = file || acl_list_add(&list, config, &source, text, strlen(text), fault);
	acl_list_close(&list);
	if (!good)
		return false;
	struct acl_source *longer = acl_grow(config->sources, config->count, sizeof *longer, fault);
	if (longer == NULL)
		return false;
	config->sources = longer;
	config->sources[config->count++] = source;
	return true;
}

void
acl_config_close(struct acl_config *config)
{
	for (size_t i = 0; i < config->count; i++)
		free(config->sources[i].bytes);
	free(config->sources);
	*config = (struct acl_config){ .sources = NULL };
}

/* Reads to the end of the file into *bytes, which the caller frees even on failure. */
static bool
acl_read_all(int fd, const char *path, char **bytes, size_t *n, struct fault *fault)
{
	size_t capacity = 0;
	for (;;) {
		if (*n == capacity) {
			capacity = capacity == 0 ? 16384 : capacity * 2;
			char *longer = realloc(*bytes, capacity);
			if (longer == NULL)
				return fault_set(fault, STATUS_MEMORY, ENOMEM, "read %s", path);
			*bytes = longer;
		}
		struct iovec piece = { *bytes + *n, capacity - *n };
		ssize_t got = sys_readv(fd, &piece, 1);
		if (got == -1)
			return fault_set(fault, STATUS_INPUT, errno, "read %s", path);
		*n += (size_t)got;
		if (*n > ACL_FILE_MAX)
			return fault_set(fault, STATUS_VALUE, 0,
				"access list %s: longer than %zu bytes", path, ACL_FILE_MAX);
		if (got == 0)
			return true;
	}
}

bool
acl_config_read(struct acl_config *config, struct fault *fault)
{
	for (size_t i = 0; i < config->count; i++) {
		struct acl_source *source = &config->sources[i];
		struct stat status;
		if (!source->file || stat(source->text, &status) == -1 || S_ISREG(status.st_mode))
			continue;
		int fd = sys_open(source->text, O_RDONLY);
		if (fd == -1)
			return fault_set(fault, STATUS_INPUT, errno, "open %s", source->text);
		bool good = acl_read_all(fd, source->text, &source->bytes, &source->n, fault);
		(void)sys_close(&fd);
		if (!good)
			return false;
	}
	return true;
}

/* Reads a source. A pipe, such as a shell's <(command), can be read only once: on a reload it is an
 * error, not an empty list. */
static bool
acl_read(struct acl *acl, const struct acl_source *source, struct fault *fault)
{
	const char *path = source->text;
	struct stat status;
	char *bytes = NULL;
	struct acl_list *fresh = &acl->fresh;
	const size_t *networks = &fresh->parts[source->kind].count;
	size_t n = 0, before = *networks + fresh->name_count;
	if (!source->file)
		return acl_list_add(fresh, acl->config, source, path, strlen(path), fault);
	if (source->bytes != NULL && !acl->loaded)
		return acl_list_add(fresh, acl->config, source, source->bytes, source->n, fault);
	/* Without O_NONBLOCK opening a FIFO blocks until it has a writer. */
	int fd = sys_open(path, O_RDONLY | O_NONBLOCK);
	if (fd == -1)
		return fault_set(fault, STATUS_INPUT, errno, "open %s", path);
	bool good = false;
	if (fstat(fd, &status) == -1 || !S_ISREG(status.st_mode))
		(void)fault_set(fault, STATUS_INPUT, 0,
			"read %s: not a regular file, cannot be read again", path);
	else
		good = acl_read_all(fd, path, &bytes, &n, fault) &&
			acl_list_add(fresh, acl->config, source, bytes, n, fault);
	/* The file may just be being rewritten: an empty deny list permits all. */
	if (good && acl->loaded && *networks + fresh->name_count == before)
		event_emit(&(struct event){ .kind = EVENT_acl_empty,
			.object = path,
			.detail = source->kind == ACL_ALLOW ? "allowed" : "denied" });
	free(bytes);
	(void)sys_close(&fd);
	return good;
}

/* Adds the addresses of a resolved name; fails if they are incomplete. */
static bool
acl_add_found(struct acl *acl, struct fault *fault)
{
	struct acl_list *list = &acl->fresh;
	const struct acl_name *name = &list->names[list->looked_up];
	const struct resolve *resolve = &acl->resolve;
	struct cidr network;
	if (resolve->left_out > 0)
		return fault_set(fault, STATUS_VALUE, 0,
			"resolve %s: more than %d addresses, too many for an access list",
			name->host, RESOLVE_MAX);
	for (size_t i = 0; i < resolve->count; i++)
		if (cidr_from(&network, &resolve->addresses[i]) &&
			!acl_add_network(&list->parts[name->source->kind], &network, fault))
			return false;
	return true;
}

/* Abandons loading. */
static enum io
acl_abandon(struct acl *acl)
{
	resolve_close(&acl->resolve);
	acl_list_close(&acl->fresh);
	acl->loading = false;
	return IO_FAIL;
}

/* Starts to resolve the next name; after the last one the new list takes effect. */
static enum io
acl_continue(struct acl *acl, struct fault *fault)
{
	struct acl_list *fresh = &acl->fresh;
	if (fresh->looked_up < fresh->name_count) {
		const struct acl_name *name = &fresh->names[fresh->looked_up];
		acl->endpoint = (struct endpoint){ .names = TRANSPORT_INET, .host = name->host };
		if (resolve_start(&acl->resolve, &acl->endpoint, fault) != IO_FAIL)
			return IO_AGAIN;
		acl_fault_place(name->source, name->line, fault);
		return acl_abandon(acl);
	}
	acl_list_close(&acl->list);
	acl->list = *fresh;
	*fresh = (struct acl_list){ .names = NULL };
	acl->loading = false;
	acl->loaded = true;
	return IO_OK;
}

enum io
acl_reload(struct acl *acl, struct fault *fault)
{
	(void)acl_abandon(acl);
	acl->loading = true;
	for (size_t i = 0; i < acl->config->count; i++)
		if (!acl_read(acl, &acl->config->sources[i], fault))
			return acl_abandon(acl);
	return acl_continue(acl, fault);
}

enum io
acl_start(struct acl *acl, const struct acl_config *config, struct fault *fault)
{
	*acl = (struct acl){ .config = config };
	return acl_reload(acl, fault);
}

void
acl_ask(struct acl *acl, struct pollset *pollset)
{
	resolve_ask(&acl->resolve, pollset);
}

enum io
acl_step(struct acl *acl, const struct pollset *pollset, struct fault *fault)
{
	struct acl_list *fresh = &acl->fresh;
	const struct acl_name *name = &fresh->names[fresh->looked_up];
	enum io result = resolve_step(&acl->resolve, &acl->endpoint, pollset, fault);
	if (result == IO_AGAIN)
		return IO_AGAIN;
	if (result == IO_FAIL || !acl_add_found(acl, fault)) {
		acl_fault_place(name->source, name->line, fault);
		return acl_abandon(acl);
	}
	resolve_close(&acl->resolve);
	fresh->looked_up++;
	return acl_continue(acl, fault);
}

const char *
acl_awaits(const struct acl *acl)
{
	return acl->loading ? acl->endpoint.host : NULL;
}

static bool
acl_part_contains(const struct acl_part *part, const struct cidr *peer)
{
	for (size_t i = 0; i < part->count; i++)
		if (cidr_contains(&part->list[i], peer))
			return true;
	return false;
}

bool
acl_permits(const struct acl *acl, const struct address *peer)
{
	struct cidr network;
	if (acl == NULL || acl->config == NULL || acl->config->count == 0)
		return true;
	const struct acl_part *parts = acl->list.parts;
	bool known = cidr_from(&network, peer);
	if (!acl->loaded || (known && acl_part_contains(&parts[ACL_DENY], &network)))
		return false;
	return !parts[ACL_ALLOW].given || (known && acl_part_contains(&parts[ACL_ALLOW], &network));
}

bool
acl_permits_none(const struct acl *acl)
{
	static const struct cidr any[] = { { .size = 4 }, { .size = 16 } };
	const struct acl_part *allowed = &acl->list.parts[ACL_ALLOW];
	const struct acl_part *denied = &acl->list.parts[ACL_DENY];
	const struct cidr *list = allowed->given ? allowed->list : any;
	size_t count = allowed->given ? allowed->count : sizeof any / sizeof any[0];
	if (count > ACL_COMPARE_MAX / (denied->count + 1))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!acl_part_contains(denied, &list[i]))
			return false;
	return true;
}

void
acl_close(struct acl *acl)
{
	(void)acl_abandon(acl);
	acl_list_close(&acl->list);
	*acl = (struct acl){ .config = NULL };
}
