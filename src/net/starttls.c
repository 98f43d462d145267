/* The table of protocols that upgrade to TLS, and the line-based ones; see starttls.h. */
#include "net/starttls.h"

#include <string.h>
#include <strings.h>

/* The first byte of an alert of TLS (RFC 8446, 5.1). */
#define STARTTLS_ALERT 21

#define STARTTLS_LINES \
	{ \
		.start = starttls_lines_start, .step = starttls_lines_step, .code = "code" \
	}

/* RFC 3207. A line whose code is followed by '-' is not the last one of a reply. */
static const struct starttls_lines starttls_smtp = { STARTTLS_LINES,
	(const struct starttls_step[]){ { NULL, "220", NULL, "220-" },
		{ "EHLO localhost\r\n", "250", NULL, "250-" },
		{ "STARTTLS\r\n", "220", NULL, "220-" }, { NULL, NULL, NULL, NULL } } };

/* RFC 3501 and RFC 2595. */
static const struct starttls_lines starttls_imap = { STARTTLS_LINES,
	(const struct starttls_step[]){ { NULL, "* OK", NULL, NULL },
		{ "a STARTTLS\r\n", "a OK", NULL, "* " }, { NULL, NULL, NULL, NULL } } };

/* RFC 2595. */
static const struct starttls_lines starttls_pop3 = { STARTTLS_LINES,
	(const struct starttls_step[]){ { NULL, "+OK", NULL, NULL },
		{ "STLS\r\n", "+OK", NULL, NULL }, { NULL, NULL, NULL, NULL } } };

/* RFC 4217. The lines between the first and the last one of a reply may begin in any way (RFC 959,
 * 4.2). */
static const struct starttls_lines starttls_ftp = { STARTTLS_LINES,
	(const struct starttls_step[]){ { NULL, "220", NULL, "220-" },
		{ "AUTH TLS\r\n", "234", NULL, "234-" }, { NULL, NULL, NULL, NULL } } };

/* RFC 4642: 200 and 201 differ in whether posting is allowed. */
static const struct starttls_lines starttls_nntp = { STARTTLS_LINES,
	(const struct starttls_step[]){ { NULL, "200", "201", NULL },
		{ "STARTTLS\r\n", "382", NULL, NULL }, { NULL, NULL, NULL, NULL } } };

/* RFC 5804. */
static const struct starttls_lines starttls_sieve = { STARTTLS_LINES,
	(const struct starttls_step[]){ { NULL, "OK", NULL, "\"" },
		{ "STARTTLS\r\n", "OK", NULL, NULL }, { NULL, NULL, NULL, NULL } } };

static const struct {
	const char *name;
	const struct handshake_protocol *protocol;
} starttls_rows[] = {
	{ "smtp", &starttls_smtp.protocol },
	{ "imap", &starttls_imap.protocol },
	{ "pop3", &starttls_pop3.protocol },
	{ "ftp", &starttls_ftp.protocol },
	{ "nntp", &starttls_nntp.protocol },
	{ "sieve", &starttls_sieve.protocol },
	{ "xmpp", &starttls_xmpp },
	{ "ldap", &starttls_ldap },
	{ "postgres", &starttls_postgres },
	{ "mysql", &starttls_mysql },
};
#define STARTTLS_ROWS (sizeof starttls_rows / sizeof starttls_rows[0])

const struct handshake_protocol *
starttls_find(const char *name)
{
	for (size_t i = 0; i < STARTTLS_ROWS; i++)
		if (strcmp(starttls_rows[i].name, name) == 0)
			return starttls_rows[i].protocol;
	return NULL;
}

const char *
starttls_name(const struct handshake_protocol *protocol)
{
	size_t i = 0;
	while (i < STARTTLS_ROWS - 1 && starttls_rows[i].protocol != protocol)
		i++;
	return starttls_rows[i].name;
}

const char *
starttls_answer(const struct handshake *handshake, size_t *length)
{
	const char *text = (const char *)handshake->in;
	*length = handshake->in_length;
	while (*length > 0 && (text[*length - 1] == '\n' || text[*length - 1] == '\r'))
		--*length;
	return text;
}

bool
starttls_is_tls(const struct handshake *handshake)
{
	return handshake->in_length > 0 && handshake->in[0] == STARTTLS_ALERT;
}

enum handshake_result
starttls_more(struct handshake *handshake)
{
	size_t n = handshake->in_length;
	if (handshake->taken >= STARTTLS_BYTES_MAX)
		return handshake_fail(
			handshake, HANDSHAKE_MALFORMED, "the answers are longer than 16 KiB", 0);
	if (n == sizeof handshake->in) {
		handshake->in[n - 2] = handshake->in[n - 1];
		handshake->in_length--;
	}
	handshake->wants = 1;
	return HANDSHAKE_MORE;
}

enum handshake_result
starttls_malformed(struct handshake *handshake, const char *words)
{
	bool alert = starttls_is_tls(handshake);
	handshake->in_length = 0;
	return handshake_fail(handshake, HANDSHAKE_MALFORMED, alert ? STARTTLS_AT_ONCE : words, 0);
}

enum handshake_result
starttls_refuse(struct handshake *handshake, const char *words, unsigned code,
	const unsigned char *text, size_t length)
{
	handshake->in_length = text != NULL ? length : 0;
	if (text != NULL)
		memmove(handshake->in, text, length);
	return handshake_fail(handshake, HANDSHAKE_REFUSED, words, code);
}

/* --- lines --- */

static const struct starttls_step *
starttls_lines_at(const struct handshake *handshake)
{
	const struct starttls_lines *lines = (const struct starttls_lines *)handshake->protocol;
	return &lines->steps[handshake->state];
}

static bool
starttls_lines_begins(const struct handshake *handshake, const char *text)
{
	size_t n = strlen(text);
	return handshake->in_length > n && strncasecmp((const char *)handshake->in, text, n) == 0;
}

static bool
starttls_lines_has_word(const struct handshake *handshake, const char *word)
{
	return starttls_lines_begins(handshake, word) &&
		memchr(" \r\n", handshake->in[strlen(word)], 3) != NULL;
}

/* Whether the line ends the step. */
static bool
starttls_lines_is_good(const struct handshake *handshake, const struct starttls_step *step)
{
	return starttls_lines_has_word(handshake, step->good) ||
		(step->also != NULL && starttls_lines_has_word(handshake, step->also));
}

/* Sends what begins the current step, and reads a line. */
static bool
starttls_lines_begin(struct handshake *handshake)
{
	const char *send = starttls_lines_at(handshake)->send;
	handshake->column = 0;
	(void)handshake_want(handshake, 1);
	return send == NULL || handshake_put(handshake, send, strlen(send));
}

bool
starttls_lines_start(struct handshake *handshake)
{
	return starttls_lines_begin(handshake);
}

/* Whether further lines of the reply follow. `column` is set inside of a reply that is known to
 * have more than one. */
static bool
starttls_lines_continue(struct handshake *handshake, const struct starttls_step *step)
{
	bool skipped = step->skip != NULL && starttls_lines_begins(handshake, step->skip);
	bool coded = step->good[0] >= '0' && step->good[0] <= '9';
	handshake->column |= skipped && coded;
	return skipped || (handshake->column != 0 && !starttls_lines_is_good(handshake, step));
}

/* A line is complete. */
static enum handshake_result
starttls_lines_take(struct handshake *handshake)
{
	const struct starttls_step *step = starttls_lines_at(handshake);
	if (++handshake->lines > STARTTLS_LINES_MAX)
		return handshake_fail(
			handshake, HANDSHAKE_MALFORMED, "the answers have more than 100 lines", 0);
	if (starttls_lines_continue(handshake, step))
		return handshake_want(handshake, 1);
	if (!starttls_lines_is_good(handshake, step))
		return handshake_fail(handshake, HANDSHAKE_REFUSED,
			step[1].good == NULL ? "the server refused TLS" : "the server answered", 0);
	handshake->state++;
	if (starttls_lines_at(handshake)->good == NULL)
		return HANDSHAKE_DONE;
	return starttls_lines_begin(handshake)
		? HANDSHAKE_MORE
		: handshake_fail(handshake, HANDSHAKE_MALFORMED, "the request is too long", 0);
}

enum handshake_result
starttls_lines_step(struct handshake *handshake)
{
	return handshake->in[handshake->in_length - 1] == '\n' ? starttls_lines_take(handshake)
							       : starttls_more(handshake);
}
