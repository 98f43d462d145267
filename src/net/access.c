/* Access lists; see access.h. */
#include "net/access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sys/sys.h"

/* No name or network is longer, an interface's name included. */
#define ACCESS_WORD_MAX 400

/* So many networks are compared to find out that a list is in vain, which is a courtesy. */
#define ACCESS_COMPARE_MAX ((size_t)1 << 24)

static const char *const access_options[ACCESS_KINDS] = {
	[ACCESS_ALLOW] = "--allow",
	[ACCESS_DENY] = "--deny",
};

/* Adds to a fault where in the lists its cause stands. */
static void
access_fault_place(const struct access_source *source, size_t line, struct fault *fault)
{
	if (source->file)
		fault_add(fault, " (line %zu of %s)", line, source->text);
	else
		fault_add(fault, " (%s)", access_options[source->kind]);
}

/* Makes room for one more in an array of which `count` of `*capacity` are used. */
static bool
access_grow(void **array, size_t count, size_t *capacity, size_t size, struct fault *fault)
{
	if (count == ACCESS_MAX)
		return fault_set(fault, STATUS_VALUE, 0,
			"access list: it has more than %zu addresses", ACCESS_MAX);
	if (count < *capacity)
		return true;
	size_t more = *capacity == 0 ? 16 : *capacity * 2;
	void *longer = realloc(*array, more * size);
	if (longer == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "access list");
	*array = longer;
	*capacity = more;
	return true;
}

static bool
access_add_network(struct access_part *part, const struct network *network, struct fault *fault)
{
	void *list = part->list;
	if (!access_grow(&list, part->count, &part->capacity, sizeof *part->list, fault))
		return false;
	part->list = list;
	part->list[part->count++] = *network;
	return true;
}

/* The name is taken over, also when there is no room. */
static bool
access_add_name(struct access_list *list, char *host, const struct access_source *source,
	size_t line, struct fault *fault)
{
	void *names = list->names;
	if (!access_grow(
		    &names, list->name_count, &list->name_capacity, sizeof *list->names, fault)) {
		free(host);
		return false;
	}
	list->names = names;
	list->names[list->name_count++] = (struct access_name){ host, source, line };
	return true;
}

static bool
access_add_word(struct access_list *list, const struct access_config *config,
	const struct access_source *source, size_t line, const char *bytes, size_t n,
	struct fault *fault)
{
	struct network network;
	bool good = false;
	/* What is no text must not be cut at its first NUL, or fill the screen. */
	if (n > ACCESS_WORD_MAX || memchr(bytes, '\0', n) != NULL)
		return fault_set(fault, STATUS_VALUE, 0, "access list: no address looks like that");
	char *word = strndup(bytes, n);
	if (word == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "access list");
	switch (network_parse(&network, word, config->numeric_only, fault)) {
	case NETWORK_IS_ONE:
		good = access_add_network(&list->parts[source->kind], &network, fault);
		break;
	case NETWORK_IS_NAME:
		return access_add_name(list, word, source, line, fault);
	case NETWORK_IS_BAD:
		break;
	}
	free(word);
	return good;
}

static bool
access_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == ',' || c == '\r' || c == '\n';
}

bool
access_list_add(struct access_list *list, const struct access_config *config,
	const struct access_source *source, const char *bytes, size_t n, struct fault *fault)
{
	size_t line = 1, words = 0, end = 0;
	list->parts[source->kind].given = true;
	for (size_t at = 0; at < n; at = end) {
		end = at + 1;
		if (bytes[at] == '\n')
			line++;
		if (access_is_blank(bytes[at]))
			continue;
		if (bytes[at] == '#' && source->file) {
			while (end < n && bytes[end] != '\n')
				end++;
			continue;
		}
		while (end < n && !access_is_blank(bytes[end]) &&
			!(bytes[end] == '#' && source->file))
			end++;
		words++;
		if (!access_add_word(list, config, source, line, bytes + at, end - at, fault)) {
			access_fault_place(source, line, fault);
			return false;
		}
	}
	return words > 0 || source->file ||
		fault_set(fault, STATUS_VALUE, 0, "option %s '%s': it has no address",
			access_options[source->kind], source->text);
}

void
access_list_close(struct access_list *list)
{
	for (size_t i = 0; i < list->name_count; i++)
		free(list->names[i].host);
	free(list->names);
	for (unsigned kind = 0; kind < ACCESS_KINDS; kind++)
		free(list->parts[kind].list);
	memset(list, 0, sizeof *list);
}

bool
access_config_add(struct access_config *config, enum access_kind kind, bool file, const char *text,
	struct fault *fault)
{
	const struct access_source source = { .kind = kind, .file = file, .text = text };
	struct access_list list = { .name_count = 0 };
	bool good = file || access_list_add(&list, config, &source, text, strlen(text), fault);
	access_list_close(&list);
	if (!good)
		return false;
	struct access_source *longer =
		realloc(config->sources, (config->count + 1) * sizeof *config->sources);
	if (longer == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "access list");
	config->sources = longer;
	config->sources[config->count++] = source;
	return true;
}

void
access_config_close(struct access_config *config)
{
	for (size_t i = 0; i < config->count; i++)
		free(config->sources[i].bytes);
	free(config->sources);
	*config = (struct access_config){ .sources = NULL };
}

/* Reads all that the descriptor gives into *bytes, which is owned whatever happens. */
static bool
access_read_all(int fd, const char *path, char **bytes, size_t *n, struct fault *fault)
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
		if (*n > ACCESS_FILE_MAX)
			return fault_set(fault, STATUS_VALUE, 0,
				"access list %s: it is longer than %zu bytes", path,
				ACCESS_FILE_MAX);
		if (got == 0)
			return true;
	}
}

bool
access_config_read(struct access_config *config, struct fault *fault)
{
	for (size_t i = 0; i < config->count; i++) {
		struct access_source *source = &config->sources[i];
		struct stat status;
		if (!source->file || stat(source->text, &status) == -1 || S_ISREG(status.st_mode))
			continue;
		int fd = sys_open(source->text, O_RDONLY);
		if (fd == -1)
			return fault_set(fault, STATUS_INPUT, errno, "open %s", source->text);
		bool good = access_read_all(fd, source->text, &source->bytes, &source->n, fault);
		(void)sys_close(&fd);
		if (!good)
			return false;
	}
	return true;
}

/* A pipe, as a shell's <(command), can be read once; its end the next time is not an empty list. */
static bool
access_read(struct access *access, const struct access_source *source, struct fault *fault)
{
	const char *path = source->text;
	struct stat status;
	char *bytes = NULL;
	size_t n = 0;
	if (source->bytes != NULL && !access->loaded)
		return access_list_add(
			&access->fresh, access->config, source, source->bytes, source->n, fault);
	/* Without O_NONBLOCK it might wait for ever for who fills a pipe. */
	int fd = sys_open(path, O_RDONLY | O_NONBLOCK);
	if (fd == -1)
		return fault_set(fault, STATUS_INPUT, errno, "open %s", path);
	bool good = false;
	if (fstat(fd, &status) == -1 || !S_ISREG(status.st_mode))
		(void)fault_set(fault, STATUS_INPUT, 0,
			"read %s: it is no plain file, and cannot be read again", path);
	else
		good = access_read_all(fd, path, &bytes, &n, fault) &&
			access_list_add(&access->fresh, access->config, source, bytes, n, fault);
	free(bytes);
	(void)sys_close(&fd);
	return good;
}

static bool
access_add_source(struct access *access, const struct access_source *source, struct fault *fault)
{
	if (source->file)
		return access_read(access, source, fault);
	return access_list_add(
		&access->fresh, access->config, source, source->text, strlen(source->text), fault);
}

/* The addresses of the name that has been looked up. A list that is short of some is none. */
static bool
access_add_found(struct access *access, struct fault *fault)
{
	struct access_list *list = &access->fresh;
	const struct access_name *name = &list->names[list->looked_up];
	const struct resolve *resolve = &access->resolve;
	struct network network;
	if (resolve->left_out > 0)
		return fault_set(fault, STATUS_VALUE, 0,
			"resolve %s: it has more than %d addresses, too many for an access list",
			name->host, RESOLVE_MAX);
	for (size_t i = 0; i < resolve->count; i++)
		if (network_of(&network, &resolve->addresses[i]) &&
			!access_add_network(&list->parts[name->source->kind], &network, fault))
			return false;
	return true;
}

/* The new list is given up. */
static enum io
access_give_up(struct access *access)
{
	resolve_close(&access->resolve);
	access_list_close(&access->fresh);
	access->loading = false;
	return IO_FAIL;
}

/* Begins to look up the next name; after the last one the new list comes into force. */
static enum io
access_go_on(struct access *access, struct fault *fault)
{
	struct access_list *fresh = &access->fresh;
	if (fresh->looked_up < fresh->name_count) {
		const struct access_name *name = &fresh->names[fresh->looked_up];
		access->endpoint = (struct endpoint){ .names = TRANSPORT_INET, .host = name->host };
		if (resolve_start(&access->resolve, &access->endpoint, fault) != IO_FAIL)
			return IO_AGAIN;
		access_fault_place(name->source, name->line, fault);
		return access_give_up(access);
	}
	access_list_close(&access->list);
	access->list = *fresh;
	*fresh = (struct access_list){ .names = NULL };
	access->loading = false;
	access->loaded = true;
	return IO_OK;
}

enum io
access_reload(struct access *access, struct fault *fault)
{
	(void)access_give_up(access);
	access->loading = true;
	for (size_t i = 0; i < access->config->count; i++)
		if (!access_add_source(access, &access->config->sources[i], fault))
			return access_give_up(access);
	return access_go_on(access, fault);
}

enum io
access_start(struct access *access, const struct access_config *config, struct fault *fault)
{
	*access = (struct access){ .config = config };
	return access_reload(access, fault);
}

void
access_ask(struct access *access, struct interest *interest)
{
	resolve_ask(&access->resolve, interest);
}

enum io
access_step(struct access *access, const struct interest *interest, struct fault *fault)
{
	struct access_list *fresh = &access->fresh;
	const struct access_name *name = &fresh->names[fresh->looked_up];
	enum io result = resolve_step(&access->resolve, &access->endpoint, interest, fault);
	if (result == IO_AGAIN)
		return IO_AGAIN;
	if (result == IO_FAIL || !access_add_found(access, fault)) {
		access_fault_place(name->source, name->line, fault);
		return access_give_up(access);
	}
	resolve_close(&access->resolve);
	fresh->looked_up++;
	return access_go_on(access, fault);
}

const char *
access_awaits(const struct access *access)
{
	return access->loading ? access->endpoint.host : NULL;
}

static bool
access_part_holds(const struct access_part *part, const struct network *peer)
{
	for (size_t i = 0; i < part->count; i++)
		if (network_holds(&part->list[i], peer))
			return true;
	return false;
}

bool
access_permits(const struct access *access, const struct address *peer)
{
	struct network network;
	if (access == NULL || access->config == NULL || access->config->count == 0)
		return true;
	const struct access_part *parts = access->list.parts;
	bool known = network_of(&network, peer);
	if (!access->loaded || (known && access_part_holds(&parts[ACCESS_DENY], &network)))
		return false;
	return !parts[ACCESS_ALLOW].given ||
		(known && access_part_holds(&parts[ACCESS_ALLOW], &network));
}

bool
access_permits_nobody(const struct access *access)
{
	static const struct network everybody[] = { { .size = 4 }, { .size = 16 } };
	const struct access_part *allowed = &access->list.parts[ACCESS_ALLOW];
	const struct access_part *denied = &access->list.parts[ACCESS_DENY];
	const struct network *list = allowed->given ? allowed->list : everybody;
	size_t count = allowed->given ? allowed->count : sizeof everybody / sizeof everybody[0];
	if (count > ACCESS_COMPARE_MAX / (denied->count + 1))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!access_part_holds(denied, &list[i]))
			return false;
	return true;
}

void
access_close(struct access *access)
{
	(void)access_give_up(access);
	access_list_close(&access->list);
	*access = (struct access){ .config = NULL };
}
