#include "plugin/psk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "frame/hex.h"
#include "net/secret_file.h"

/* Decodes hexadecimal digits in place. False: it is malformed, or too short or long. */
static bool
psk_decode(char *text, size_t *size)
{
	size_t length = strlen(text);
	*size = length / 2;
	return length % 2 == 0 && *size >= PSK_KEY_MIN && *size <= PSK_KEY_MAX &&
		hex_read(text, *size, (unsigned char *)text);
}

/* Takes a line. */
static bool
psk_take(struct psk_list *list, char *line, size_t number, const char *chosen, const char *source,
	struct fault *fault)
{
	size_t size;
	char *colon = strrchr(line, ':');
	const char *identity = colon != NULL ? line : chosen;
	char *key = colon != NULL ? colon + 1 : line;
	if (identity == NULL || colon == line ||
		(colon != NULL && (size_t)(colon - line) > PSK_IDENTITY_MAX) ||
		!psk_decode(key, &size))
		return fault_set(fault, STATUS_CREDENTIALS, 0,
			"read %s: line %zu: expected IDENTITY:KEY with a key of %zu to %zu "
			"hexadecimal digits",
			source, number, 2 * PSK_KEY_MIN, 2 * PSK_KEY_MAX);
	if (colon != NULL)
		*colon = '\0';
	if (psk_find(list, identity, strlen(identity)) != NULL)
		return fault_set(fault, STATUS_CREDENTIALS, 0,
			"read %s: line %zu: a second key for '%s'", source, number, identity);
	list->keys[list->count++] = (struct psk){ identity, (const unsigned char *)key, size };
	return true;
}

static size_t
psk_lines(const char *text)
{
	size_t lines = 1;
	for (; (text = strchr(text, '\n')) != NULL; text++)
		lines++;
	return lines;
}

/* Makes the key of the identity the first. */
static bool
psk_choose(struct psk_list *list, const char *chosen, const char *source, struct fault *fault)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct psk psk = list->keys[i];
		if (strcmp(psk.identity, chosen) != 0)
			continue;
		list->keys[i] = list->keys[0];
		list->keys[0] = psk;
		return true;
	}
	return fault_set(fault, STATUS_CREDENTIALS, 0, "read %s: no key for '%s'", source, chosen);
}

bool
psk_parse(struct psk_list *list, char *text, const char *chosen, const char *source,
	struct fault *fault)
{
	*list = (struct psk_list){ .text = text,
		.keys = calloc(psk_lines(text), sizeof(struct psk)) };
	if (list->keys == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "%s", source);
	char *next = text, *line;
	size_t number = 0;
	while ((line = secret_file_line(&next, &number)) != NULL)
		if (!psk_take(list, line, number, chosen, source, fault))
			return false;
	if (list->count == 0)
		return fault_set(fault, STATUS_CREDENTIALS, 0,
			"read %s: no key (expected lines IDENTITY:KEY)", source);
	return chosen == NULL || psk_choose(list, chosen, source, fault);
}

const struct psk *
psk_find(const struct psk_list *list, const void *identity, size_t size)
{
	for (size_t i = 0; i < list->count; i++)
		if (strlen(list->keys[i].identity) == size &&
			memcmp(list->keys[i].identity, identity, size) == 0)
			return &list->keys[i];
	return NULL;
}

void
psk_close(struct psk_list *list)
{
	free(list->keys);
	free(list->text);
	*list = (struct psk_list){ .count = 0 };
}
