/* Endpoints as one word; see word.h. */
#include "net/word.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *prefix;
	enum word_scheme scheme;
	bool port; /* host and port follow */
} word_schemes[] = {
	{ "tcp://", WORD_TCP, true },
	{ "udp://", WORD_UDP, true },
	{ "unix:", WORD_UNIX, false },
	{ "vsock://", WORD_VSOCK, true },
	{ "fd://", WORD_FD, false },
};

bool
word_is_one(const char *text)
{
	return strchr(text, ':') != NULL;
}

bool
word_has_scheme(const char *text)
{
	size_t length = strspn(text,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789+-.");
	return strncmp(text, "unix:", 5) == 0 ||
		(length > 0 && strncmp(text + length, "://", 3) == 0);
}

/* One half is missing, and what is there tells which. */
static bool
word_lacks(const struct word *word, const char *text, struct fault *fault)
{
	const char *digits = "0123456789";
	if (strchr(text, '/') != NULL)
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint '%s%s': that is no host and port; a path is written unix:/path",
			word->prefix, text);
	if (word->scheme != WORD_VSOCK && text[0] != '\0' && text[strspn(text, digits)] == '\0')
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint '%s%s': the host is missing, as in %slocalhost:%s", word->prefix,
			text, word->prefix, text);
	return fault_set(fault, STATUS_VALUE, 0,
		"endpoint '%s%s': the port is missing, as in %s%s:80", word->prefix, text,
		word->prefix, text);
}

/* Host and port, which the last colon parts. */
static bool
word_split_port(struct word *word, char *text, struct fault *fault)
{
	char *end = text[0] == '[' ? strchr(text, ']') : NULL;
	char *colon = strchr(end != NULL ? end : text, ':');
	word->host = text;
	if (text[0] == '[' && end == NULL)
		return fault_set(fault, STATUS_VALUE, 0, "endpoint '%s%s': the ']' is missing",
			word->prefix, text);
	if (end != NULL && end[1] != ':' && end[1] != '\0')
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint '%s%s': a ':' and the port follow behind the ']'", word->prefix,
			text);
	if (colon == NULL)
		return word_lacks(word, text, fault);
	if (end == NULL && strchr(colon + 1, ':') != NULL)
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint '%s%s': an IPv6 address stands in brackets, and the port "
			"follows, "
			"as in [::1]:80",
			word->prefix, text);
	if (colon == text)
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint '%s%s': it has no host (to listen on every address: *:80)",
			word->prefix, text);
	*colon = '\0';
	word->port = colon + 1;
	return true;
}

bool
word_split(struct word *word, char *text, struct fault *fault)
{
	*word = (struct word){ .scheme = WORD_PLAIN, .prefix = "" };
	for (size_t i = 0; i < sizeof word_schemes / sizeof word_schemes[0]; i++) {
		size_t length = strlen(word_schemes[i].prefix);
		if (strncmp(text, word_schemes[i].prefix, length) != 0)
			continue;
		word->scheme = word_schemes[i].scheme;
		word->prefix = word_schemes[i].prefix;
		word->host = text + length;
		if (!word_schemes[i].port)
			return true;
		text += length;
		break;
	}
	const char *at = strrchr(text, '@');
	if (at != NULL)
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint '%s...%s': a user or a password has no place here", word->prefix,
			at);
	if (word->scheme == WORD_PLAIN && word_has_scheme(text))
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint '%s': it begins with tcp://, udp://, unix:, vsock:// or fd://, "
			"if "
			"with anything",
			text);
	return word_split_port(word, text, fault);
}
