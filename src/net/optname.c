/* Names of socket options; see optname.h. */
#include "net/optname.h"

#include <string.h>

#include "base/parse.h"

static const struct {
	const char *name;
	int level;
} optname_levels[] = {
	{ "SOCKET", SOL_SOCKET },
	{ "IP", IPPROTO_IP },
	{ "IPV6", IPPROTO_IPV6 },
	{ "TCP", IPPROTO_TCP },
	{ "UDP", IPPROTO_UDP },
};

static const struct {
	int level;
	const char *prefix, *name;
	const char *option; /* an OPTNAME_TEXT */
} optname_rows[] = {
#define OPTNAME(level, prefix, name) { level, #prefix, #name, OPTNAME_TEXT(prefix##name) },
#include "net/optname.def"
#undef OPTNAME
};

static bool
optname_is(const char *name, const char *text, size_t length)
{
	return strlen(name) == length && memcmp(name, text, length) == 0;
}

/* Parses a number that is the whole of a piece. */
static bool
optname_number(const char *text, size_t length, uint64_t max, int *number)
{
	char piece[32];
	uint64_t value;
	if (length >= sizeof piece)
		return false;
	memcpy(piece, text, length);
	piece[length] = '\0';
	if (parse_number(piece, max, &value) != PARSE_OK)
		return false;
	*number = (int)(uint32_t)value;
	return true;
}

int
optname_value(const char *text)
{
	int number;
	return optname_number(text, strlen(text), INT32_MAX, &number) ? number : OPTNAME_MISSING;
}

static bool
optname_find_level(const char *text, size_t length, int *level)
{
	for (size_t i = 0; i < sizeof optname_levels / sizeof optname_levels[0]; i++) {
		if (optname_is(optname_levels[i].name, text, length)) {
			*level = optname_levels[i].level;
			return true;
		}
	}
	return optname_number(text, length, INT32_MAX, level);
}

static bool
optname_find_option(int level, const char *text, size_t length, int *option)
{
	for (size_t i = 0; i < sizeof optname_rows / sizeof optname_rows[0]; i++) {
		size_t prefix = strlen(optname_rows[i].prefix);
		bool whole = length > prefix && memcmp(text, optname_rows[i].prefix, prefix) == 0;
		size_t skip = whole ? prefix : 0;
		if (optname_rows[i].level == level &&
			optname_is(optname_rows[i].name, text + skip, length - skip)) {
			*option = optname_value(optname_rows[i].option);
			return true;
		}
	}
	return optname_number(text, length, INT32_MAX, option);
}

bool
optname_parse(struct optname *parsed, const char *text, struct fault *fault)
{
	size_t level = strcspn(text, ":");
	const char *name = text + level + (text[level] == ':');
	size_t length = strcspn(name, ":");
	const char *value = name + length + (name[length] == ':');

	*parsed = (struct optname){ .text = NULL };
	if (text[level] != ':' || name[length] != ':' || value[0] == '\0')
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --sockopt '%s': expected LEVEL:NAME:VALUE, as in "
			"SOCKET:PRIORITY:6",
			text);
	if (!optname_find_level(text, level, &parsed->level))
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --sockopt '%s': expected the level SOCKET, IP, IPV6, TCP, UDP or "
			"a number",
			text);
	if (!optname_find_option(parsed->level, name, length, &parsed->option))
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --sockopt '%s': unknown option name for %.*s; it can be given by "
			"number",
			text, (int)level, text);
	if (parsed->option == OPTNAME_MISSING)
		return fault_set(fault, STATUS_MISSING, 0,
			"invalid --sockopt '%s': not supported by this system", text);
	if (value[0] == '-' &&
		optname_number(value + 1, strlen(value + 1), INT32_MAX, &parsed->number))
		parsed->number = -parsed->number;
	else if (!optname_number(value, strlen(value), UINT32_MAX, &parsed->number))
		parsed->text = value;
	return true;
}
