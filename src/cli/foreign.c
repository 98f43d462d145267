/* The syntax of other tools; see foreign.h. */
#include "cli/foreign.h"

#include <string.h>
#include <strings.h>

#include "cli/operands.h"
#include "net/endpoint_uri.h"
#include "net/targets.h"

static const struct {
	int letter;
	const char *hint;
} foreign_letters[] = {
#define LETTER(letter, hint) { letter, hint },
#include "cli/foreign.def"
};

static const struct {
	const char *name, *hint;
} foreign_names[] = {
#define NAME(name, hint) { name, hint },
#include "cli/foreign.def"
};

enum foreign_network {
	FOREIGN_CONNECT,
	FOREIGN_LISTEN,
	FOREIGN_COMMAND,
	FOREIGN_STDIO,
	FOREIGN_OTHER
};

struct foreign_row {
	const char *word;
	enum foreign_network network;
	const char *flags, *prefix;
};

static const struct foreign_row foreign_rows[] = {
#define ADDRESS(word, network, flags, prefix) { word, FOREIGN_##network, flags, prefix },
#include "cli/foreign.def"
};

static const struct {
	const char *name;
	unsigned port;
	const char *tls_port;
} foreign_schemes[] = {
#define SCHEME(name, port, tls_port) { name, port, tls_port },
#include "cli/foreign.def"
};

#define FOREIGN_COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

const char *
foreign_letter(int letter)
{
	for (size_t i = 0; i < FOREIGN_COUNT(foreign_letters); i++)
		if (foreign_letters[i].letter == letter)
			return foreign_letters[i].hint;
	return NULL;
}

const char *
foreign_name(const char *name)
{
	size_t length = strcspn(name, "=");
	for (size_t i = 0; i < FOREIGN_COUNT(foreign_names); i++) {
		const char *known = foreign_names[i].name;
		size_t size = strcspn(known, "*");
		if (strncmp(known, name, size) == 0 && (known[size] == '*' || size == length))
			return foreign_names[i].hint;
	}
	return NULL;
}

static bool
foreign_is_port(const char *text)
{
	size_t length = strspn(text, "0123456789");
	return length > 0 && length <= 5 && text[length] == '\0';
}

/* --- addresses of socat --- */

/* The parts of "WORD:host:port,option,...": the row, and what is between the first colon and the
 * options. */
struct foreign_address {
	const struct foreign_row *row;
	const char *rest;
	int length;
	bool forks;
};

/* Whether the comma-separated options include the word. */
static bool
foreign_has_option(const char *text, const char *word)
{
	size_t length = strlen(word);
	for (; *text == ','; text += 1 + strcspn(text + 1, ","))
		if (strncmp(text + 1, word, length) == 0 && strchr(",=", text[1 + length]) != NULL)
			return true;
	return false;
}

static bool
foreign_parse(struct foreign_address *address, const char *text)
{
	static const struct foreign_row dash = { "-", FOREIGN_STDIO, "", "" };
	size_t size = strcspn(text, ":,");
	*address = (struct foreign_address){ .row = strcmp(text, "-") == 0 ? &dash : NULL };
	for (size_t i = 0; i < FOREIGN_COUNT(foreign_rows); i++)
		if (strlen(foreign_rows[i].word) == size &&
			strncasecmp(foreign_rows[i].word, text, size) == 0)
			address->row = &foreign_rows[i];
	if (address->row == NULL)
		return false;
	address->rest = text[size] == ':' ? text + size + 1 : text + size;
	size_t length = strcspn(address->rest, ",");
	address->length = (int)length;
	address->forks = foreign_has_option(address->rest + length, "fork");
	return true;
}

/* Whether it can be no host, or host and port: "TCP:80" and "proxy:3128" can. */
static bool
foreign_is_certain(const struct foreign_address *address, const char *text)
{
	size_t word = strlen(address->row->word);
	if (text[word] != ':' && text[word] != ',')
		return false;
	/* This program's own schemes; and no host begins with a '/'. */
	if (endpoint_uri_has_scheme(text) ||
		(address->rest[0] == '/' && strncasecmp(address->row->word, "TCP", 3) == 0))
		return false;
	if (strchr(address->row->word, '-') != NULL || strpbrk(address->rest, ":,/") != NULL)
		return true;
	return text[0] < 'a' && !foreign_is_port(address->rest);
}

/* Adds "host port" of "host:port", or a port or path alone. */
static void
foreign_add_place(const struct foreign_address *address, struct fault *fault)
{
	const char *colon = NULL;
	/* The last colon: an IPv6 address has several. */
	for (int i = 0; i < address->length; i++)
		if (address->rest[i] == ':')
			colon = address->rest + i;
	size_t flags = strlen(address->row->flags);
	bool abstract = flags > 0 && address->row->flags[flags - 1] == '@';
	fault_add(fault, "%s", address->row->flags);
	if (!abstract)
		fault_add(fault, " ");
	if (colon == NULL) {
		fault_add(fault, "%.*s", address->length, address->rest);
		return;
	}
	fault_add(fault, "%.*s %.*s", (int)(colon - address->rest), address->rest,
		(int)(address->rest + address->length - colon - 1), colon + 1);
}

/* "use: sockcat ..." for one or two addresses. False if there is no equivalent. */
static bool
foreign_add_line(
	const struct foreign_address *one, const struct foreign_address *other, struct fault *fault)
{
	bool swapped = other->row != NULL &&
		(other->row->network == FOREIGN_LISTEN || one->row->network > FOREIGN_LISTEN);
	const struct foreign_address *first = swapped ? other : one,
				     *second = swapped ? one : other;
	enum foreign_network with = second->row != NULL ? second->row->network : FOREIGN_STDIO;
	if (first->row->network > FOREIGN_LISTEN || with == FOREIGN_LISTEN || with == FOREIGN_OTHER)
		return false;
	fault_add(fault, "; use: sockcat");
	if (first->row->network == FOREIGN_LISTEN)
		fault_add(fault, first->forks ? " -lk" : " -l");
	foreign_add_place(first, fault);
	if (with == FOREIGN_COMMAND)
		fault_add(fault, "%s '%.*s'", second->row->flags, second->length, second->rest);
	if (with == FOREIGN_CONNECT)
		fault_add(fault, " --to %s%.*s", second->row->prefix, second->length, second->rest);
	return true;
}

static bool
foreign_check_socat(const struct options *options, struct fault *fault)
{
	struct foreign_address addresses[2] = { { .row = NULL }, { .row = NULL } };
	int certain = -1;
	for (int i = 0; i < options->operand_count && i < 2; i++)
		if (foreign_parse(&addresses[i], options->operands[i]) && certain == -1 &&
			foreign_is_certain(&addresses[i], options->operands[i]))
			certain = i;
	/* The other one may be a word of this program's own: then only this one is named. */
	if (certain == -1)
		return true;
	const struct foreign_address *one = &addresses[certain], *other = &addresses[1 - certain];
	(void)fault_set(fault, STATUS_USAGE, 0, "'%s' is socat syntax", options->operands[certain]);
	if (one->row->network == FOREIGN_OTHER)
		fault_add(fault, "; %s", one->row->flags);
	else if (options->operand_count > 1 && other->row == NULL)
		return false;
	else if (!foreign_add_line(one, other, fault) && other->row != NULL &&
		other->row->network == FOREIGN_OTHER)
		fault_add(fault, "; %s", other->row->flags);
	return false;
}

/* --- URLs --- */

static bool
foreign_check_url(const char *text, struct fault *fault)
{
	const char *host = strstr(text, "://");
	size_t row = 0;
	if (host == NULL)
		return true;
	while (row < FOREIGN_COUNT(foreign_schemes) &&
		(strlen(foreign_schemes[row].name) != (size_t)(host - text) ||
			strncasecmp(foreign_schemes[row].name, text, (size_t)(host - text)) != 0))
		row++;
	host += 3;
	int length = (int)strcspn(host, "/?#");
	if (row == FOREIGN_COUNT(foreign_schemes) || length == 0)
		return true;
	bool has_port = host[0] == '['
		? memchr(host, ']', (size_t)length - 1) != NULL && host[length - 1] != ']'
		: memchr(host, ':', (size_t)length) != NULL;
	(void)fault_set(fault, STATUS_USAGE, 0, "'%s' is a URL; ", text);
	if (foreign_schemes[row].port == 0)
		fault_add(fault, "use: sockcat tls://%.*s%s%s", length, host, has_port ? "" : ":",
			has_port ? "" : foreign_schemes[row].tls_port);
	else if (has_port)
		fault_add(fault, "use: sockcat %.*s", length, host);
	else
		fault_add(fault, "use: sockcat %.*s:%u", length, host, foreign_schemes[row].port);
	return false;
}

/* --- slips --- */

/* A port, or a list of ports as -z takes them. */
static bool
foreign_is_ports(const char *text)
{
	return text[0] >= '0' && text[0] <= '9' && text[strspn(text, "0123456789,-")] == '\0';
}

static bool
foreign_is_host(const char *text)
{
	return text[strcspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:")] !=
		'\0' &&
		strpbrk(text, "/,") == NULL;
}

/* "host/80" and "host,80". */
static bool
foreign_check_separator(const char *text, struct fault *fault)
{
	size_t length = strcspn(text, "/,");
	if (text[length] == '\0' || length == 0 || strchr(text, ':') != NULL ||
		!foreign_is_port(text + length + 1))
		return true;
	return fault_set(fault, STATUS_USAGE, 0, "'%s' is not an endpoint; use: %.*s:%s", text,
		(int)length, text, text + length + 1);
}

/* One operand. */
static bool
foreign_check_one(const struct options *options, const char *text, struct fault *fault)
{
	const char *colon = strrchr(text, ':'), *port = options->text[OPTION_source_port];
	if (options_has(options, OPTION_listen) && port != NULL && foreign_is_port(port) &&
		!options_has(options, OPTION_source) && foreign_is_port(text))
		return fault_set(fault, STATUS_USAGE, 0, "two ports given: %s and %s", port, text);
	if (text[0] == '/')
		return fault_set(
			fault, STATUS_USAGE, 0, "'%s' looks like a path; use: -U %s", text, text);
	if (colon != NULL && strchr(colon, ',') != NULL && foreign_is_ports(colon + 1) &&
		!options_has(options, OPTION_probe))
		return fault_set(fault, STATUS_USAGE, 0,
			"'%s' has several ports; to probe them use: sockcat -z %.*s %s", text,
			(int)(colon - text), text, colon + 1);
	const char *command = options_has(options, OPTION_sh_exec) ? options->text[OPTION_sh_exec]
								   : options->text[OPTION_exec];
	if (command != NULL && foreign_is_port(text) && !options_has(options, OPTION_listen))
		return fault_set(fault, STATUS_USAGE, 0,
			"missing host: '%s' is a command, '%s' a port", command, text);
	return foreign_check_separator(text, fault);
}

/* The first two operands of several: the first may be the argument of an option. */
static bool
foreign_check_amount(const struct options *options, const char *other, struct fault *fault)
{
	bool number = foreign_is_ports(options->operands[0]);
	bool host = number ? foreign_is_host(other) && !foreign_is_ports(other)
			   : strpbrk(other, ".:") != NULL;
	return !host || operands_check_amount(options, fault);
}

/* Two operands. */
static bool
foreign_check_two(const char *one, const char *other, struct fault *fault)
{
	const char *colon = strrchr(one, ':');
	if (foreign_is_ports(one) && foreign_is_host(other) && !foreign_is_ports(other))
		return fault_set(fault, STATUS_USAGE, 0,
			"'%s' looks like a port and '%s' like a host: are they swapped?", one,
			other);
	if (foreign_is_port(one) && foreign_is_port(other))
		return fault_set(fault, STATUS_USAGE, 0, "two ports given: %s and %s", one, other);
	if (colon == NULL || strchr(one, ':') != (one[0] == '[' ? strchr(one, ':') : colon) ||
		!foreign_is_port(colon + 1) || (one[0] == '[' && colon[-1] != ']'))
		return true;
	if (foreign_is_port(other))
		return fault_set(
			fault, STATUS_USAGE, 0, "two ports given: %s and %s", colon + 1, other);
	if (strchr(other, ':') != NULL && foreign_is_port(strrchr(other, ':') + 1))
		return fault_set(fault, STATUS_USAGE, 0,
			"two endpoints given; to relay between them use: sockcat %s --to %s", one,
			other);
	return true;
}

bool
foreign_check(const struct options *options, struct fault *fault)
{
	char **operands = options->operands;
	int count = options->operand_count;
	if (options_has(options, OPTION_unixsock) || options_has(options, OPTION_vsock))
		return true;
	/* What is before an '@' may be a password, and is not to be shown. */
	for (int i = 0; i < count; i++)
		if (strchr(operands[i], '@') != NULL)
			return true;
	if (!foreign_check_socat(options, fault))
		return false;
	for (int i = 0; i < count; i++)
		if (!foreign_check_url(operands[i], fault))
			return false;
	if (count == 1)
		return foreign_check_one(options, operands[0], fault);
	if (count > 1 && !foreign_check_amount(options, operands[1], fault))
		return false;
	/* With -l, -s or -p is one of the two. */
	bool half = options_has(options, OPTION_listen) &&
		(options_has(options, OPTION_source) || options_has(options, OPTION_source_port));
	/* Each of them may be probed. */
	if (options_has(options, OPTION_probe) && count > 1 && targets_is_word(operands[0]) &&
		targets_is_word(operands[1]))
		return true;
	return count != 2 || half || foreign_check_two(operands[0], operands[1], fault);
}
