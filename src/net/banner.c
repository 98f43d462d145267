/* Banners; see banner.h. */
#include "net/banner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "frame/escape.h"

bool
banner_parse(struct banner_config *config, const char *text, struct fault *fault)
{
	static const char send[] = "send:";
	size_t size = sizeof send - 1;
	config->wanted = true;
	if (text == NULL)
		return true;
	if (strncmp(text, send, size) != 0 || text[size] == '\0')
		return fault_set(
			fault, STATUS_VALUE, 0, "invalid --banner '%s': expected send:TEXT", text);
	const unsigned char *in = (const unsigned char *)text + size;
	size_t n = strlen(text + size);
	config->request = malloc(n);
	if (config->request == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "--banner");
	for (size_t taken = 0, used; taken < n; taken += used) {
		used = escape_read(in + taken, n - taken, &config->request[config->length++]);
		if (used == 0)
			return fault_set(fault, STATUS_VALUE, 0,
				"invalid --banner '%s': expected \\n, \\r, \\t, \\0, \\\\ or \\xHH "
				"after a backslash",
				text);
	}
	return true;
}

void
banner_close(struct banner_config *config)
{
	free(config->request);
	config->request = NULL;
}

static bool
banner_is_break(unsigned char byte)
{
	return byte == '\r' || byte == '\n';
}

/* The length of the empty lines before the banner. */
static size_t
banner_start(const struct banner *banner)
{
	size_t start = 0;
	while (start < banner->length && banner_is_break(banner->bytes[start]))
		start++;
	return start;
}

/* The end of the line, or of the bytes. */
static size_t
banner_end(const struct banner *banner)
{
	size_t start = banner_start(banner), rest = banner->length - start;
	const unsigned char *line = banner->bytes + start;
	const unsigned char *lf = memchr(line, '\n', rest);
	if (lf == NULL || memchr(line, '\0', (size_t)(lf - line)) != NULL)
		return banner->length;
	return (size_t)(lf - banner->bytes);
}

bool
banner_is_complete(const struct banner *banner)
{
	return banner->length == BANNER_MAX || banner_end(banner) < banner->length;
}

size_t
banner_add(struct banner *banner, const unsigned char *bytes, size_t n)
{
	size_t taken = 0;
	while (taken < n && !banner_is_complete(banner))
		banner->bytes[banner->length++] = bytes[taken++];
	return taken;
}

char *
banner_text(const struct banner *banner)
{
	static const char more[] = "...";
	size_t start = banner_start(banner), end = banner_end(banner);
	bool cut = end == BANNER_MAX;
	while (end > start && banner_is_break(banner->bytes[end - 1]))
		end--;
	if (end == start)
		return NULL;
	char *text = text_escape((const char *)banner->bytes + start, end - start);
	if (text == NULL || !cut)
		return text;
	size_t length = strlen(text);
	char *longer = realloc(text, length + sizeof more);
	if (longer == NULL) {
		free(text);
		return NULL;
	}
	memcpy(longer + length, more, sizeof more);
	return longer;
}
