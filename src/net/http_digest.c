/* Digest authentication; see http_digest.h. */
#include "net/http_digest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "plugin/digest.h"
#include "sys/sys.h"

#define HTTP_DIGEST_BLANKS " \t"

/* The bytes of the random value of the client. */
#define HTTP_DIGEST_CNONCE 16

/* The algorithms, the weakest first. */
static const struct {
	const char *word, *name;
} http_digest_algorithms[] = { { "MD5", "md5" }, { "SHA-256", "sha256" } };
#define HTTP_DIGEST_ALGORITHMS (sizeof http_digest_algorithms / sizeof http_digest_algorithms[0])

/* --- the challenge --- */

/* A parameter "name=value" or "name="value"". */
struct http_digest_parameter {
	const char *name, *value;
	size_t name_length, value_length;
};

/* Cuts the next parameter off. False: there is none, or it is malformed. */
static bool
http_digest_next(const char **rest, struct http_digest_parameter *parameter)
{
	const char *at = *rest + strspn(*rest, HTTP_DIGEST_BLANKS ",");
	parameter->name = at;
	parameter->name_length = strcspn(at, HTTP_DIGEST_BLANKS "=,\"");
	at += parameter->name_length;
	at += strspn(at, HTTP_DIGEST_BLANKS);
	if (parameter->name_length == 0 || *at != '=')
		return false;
	at += 1 + strspn(at + 1, HTTP_DIGEST_BLANKS);
	bool quoted = *at == '"';
	if (quoted)
		at++;
	parameter->value = at;
	/* A backslash would escape the next character; no proxy is known that uses it. */
	parameter->value_length = strcspn(at, quoted ? "\"\\" : HTTP_DIGEST_BLANKS ",\"\\");
	at += parameter->value_length;
	if (quoted && *at != '"')
		return false;
	*rest = quoted ? at + 1 : at;
	return true;
}

static bool
http_digest_is(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && strncasecmp(text, word, length) == 0;
}

/* Whether a word is in a list. */
static bool
http_digest_has(const char *list, size_t length, const char *word)
{
	const char *end = list + length;
	while (list < end) {
		size_t blanks = strspn(list, HTTP_DIGEST_BLANKS ",");
		list += blanks;
		size_t size = list < end ? strcspn(list, HTTP_DIGEST_BLANKS ",\"") : 0;
		if (http_digest_is(list, size, word))
			return true;
		list += size > 0 ? size : 1;
	}
	return false;
}

/* The strength of an algorithm; HTTP_DIGEST_ALGORITHMS: unknown. */
static size_t
http_digest_strength(const char *word, size_t length)
{
	size_t i = 0;
	while (i < HTTP_DIGEST_ALGORITHMS &&
		!http_digest_is(word, length, http_digest_algorithms[i].word))
		i++;
	return i;
}

static bool
http_digest_copy(char out[static HTTP_DIGEST_VALUE], const struct http_digest_parameter *parameter)
{
	if (parameter->value_length >= HTTP_DIGEST_VALUE)
		return false;
	memcpy(out, parameter->value, parameter->value_length);
	out[parameter->value_length] = '\0';
	return true;
}

/* Sets what a parameter means. False: the challenge cannot be answered. */
static bool
http_digest_set(struct http_digest *digest, const struct http_digest_parameter *parameter)
{
	const char *name = parameter->name;
	size_t length = parameter->name_length, strength;
	if (http_digest_is(name, length, "realm"))
		return http_digest_copy(digest->realm, parameter);
	if (http_digest_is(name, length, "nonce"))
		return http_digest_copy(digest->nonce, parameter);
	if (http_digest_is(name, length, "opaque"))
		return http_digest_copy(digest->opaque, parameter);
	if (http_digest_is(name, length, "qop")) {
		digest->protected =
			http_digest_has(parameter->value, parameter->value_length, "auth");
		return digest->protected;
	}
	if (!http_digest_is(name, length, "algorithm"))
		return true;
	strength = http_digest_strength(parameter->value, parameter->value_length);
	if (strength == HTTP_DIGEST_ALGORITHMS)
		return false;
	digest->algorithm = http_digest_algorithms[strength].name;
	return true;
}

void
http_digest_take(struct http_digest *digest, const char *parameters)
{
	struct http_digest found = { .algorithm = http_digest_algorithms[0].name };
	struct http_digest_parameter parameter;
	bool good = true;
	while (good && http_digest_next(&parameters, &parameter))
		good = http_digest_set(&found, &parameter);
	good = good && found.nonce[0] != '\0' &&
		parameters[strspn(parameters, HTTP_DIGEST_BLANKS ",")] == '\0';
	bool weaker = digest->algorithm != NULL &&
		strcmp(found.algorithm, http_digest_algorithms[0].name) == 0;
	if (good && !weaker)
		*digest = found;
}

/* --- the answer --- */

/* The digest of strings with colons between them. */
static bool
http_digest_hash(const char *algorithm, const char *const *parts, size_t count,
	char text[static 2 * DIGEST_SIZE + 1])
{
	struct fault ignored = FAULT_NONE;
	struct digest *digest = digest_new(algorithm, &ignored);
	unsigned char result[DIGEST_SIZE];
	size_t length = 0;
	bool good = digest != NULL;
	for (size_t i = 0; good && i < count; i++)
		good = (i == 0 || digest_add(digest, ":", 1, &ignored)) &&
			digest_add(digest, parts[i], strlen(parts[i]), &ignored);
	good = good && digest_finish(digest, result, &length, &ignored);
	if (good)
		digest_hex(result, length, text);
	digest_free(digest);
	fault_clear(&ignored);
	return good;
}

/* The value `response` (RFC 7616, 3.4.1). */
static bool
http_digest_respond(const struct http_digest *digest, const struct http_digest_login *login,
	const char *cnonce, char text[static 2 * DIGEST_SIZE + 1])
{
	char first[2 * DIGEST_SIZE + 1], second[2 * DIGEST_SIZE + 1];
	const char *const secret[] = { login->user, digest->realm,
		login->password != NULL ? login->password : "" };
	const char *const request[] = { login->method, login->target };
	const char *const all[] = { first, digest->nonce, "00000001", cnonce, "auth", second };
	const char *const old[] = { first, digest->nonce, second };
	return http_digest_hash(digest->algorithm, secret, 3, first) &&
		http_digest_hash(digest->algorithm, request, 2, second) &&
		http_digest_hash(digest->algorithm, digest->protected ? all : old,
			digest->protected ? sizeof all / sizeof all[0] : sizeof old / sizeof old[0],
			text);
}

/* Copies with a backslash before quotes and backslashes. False: too long, or a control character,
 * which would end the field. */
static bool
http_digest_quote(const char *text, char out[static HTTP_DIGEST_VALUE])
{
	size_t at = 0;
	for (; *text != '\0'; text++) {
		if (iscntrl((unsigned char)*text) || at + 2 >= HTTP_DIGEST_VALUE)
			return false;
		if (*text == '"' || *text == '\\')
			out[at++] = '\\';
		out[at++] = *text;
	}
	out[at] = '\0';
	return true;
}

static bool
http_digest_make_cnonce(char text[static 2 * DIGEST_SIZE + 1])
{
	unsigned char bytes[HTTP_DIGEST_CNONCE];
	if (!sys_random(bytes, sizeof bytes))
		return false;
	digest_hex(bytes, sizeof bytes, text);
	return true;
}

bool
http_digest_answer(const struct http_digest *digest, const struct http_digest_login *login,
	char out[static HTTP_DIGEST_ANSWER])
{
	char user[HTTP_DIGEST_VALUE], response[2 * DIGEST_SIZE + 1], made[2 * DIGEST_SIZE + 1];
	char extra[HTTP_DIGEST_VALUE] = "";
	const char *cnonce = login->cnonce != NULL ? login->cnonce : made;
	if ((login->cnonce == NULL && !http_digest_make_cnonce(made)) ||
		!http_digest_quote(login->user, user) ||
		!http_digest_respond(digest, login, cnonce, response))
		return false;
	int length = digest->protected
		? snprintf(extra, sizeof extra, ", qop=auth, nc=00000001, cnonce=\"%s\"", cnonce)
		: 0;
	if (length < 0 || (size_t)length >= sizeof extra)
		return false;
	bool opaque = digest->opaque[0] != '\0';
	length = snprintf(out, HTTP_DIGEST_ANSWER,
		"Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\", "
		"algorithm=%s%s%s%s%s",
		user, digest->realm, digest->nonce, login->target, response,
		http_digest_algorithms[strcmp(digest->algorithm, "md5") != 0].word, extra,
		opaque ? ", opaque=\"" : "", digest->opaque, opaque ? "\"" : "");
	return length > 0 && (size_t)length < HTTP_DIGEST_ANSWER;
}
