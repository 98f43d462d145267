/* STARTTLS of XMPP (RFC 6120, 5): the tags of a stream of XML, one at a time. */
#include <string.h>

#include "net/starttls.h"

#define STARTTLS_XMPP_NAMESPACE "urn:ietf:params:xml:ns:xmpp-tls"

enum starttls_xmpp_state {
	STARTTLS_XMPP_HEADER,   /* before the features */
	STARTTLS_XMPP_FEATURES, /* in them, and TLS is not offered yet */
	STARTTLS_XMPP_OFFERED,
	STARTTLS_XMPP_PROCEED, /* asked for TLS */
	STARTTLS_XMPP_END,     /* in <proceed>, which is not empty */
	STARTTLS_XMPP_ERROR    /* in <stream:error>, whose first element says why */
};

static bool
starttls_xmpp_put(struct handshake *handshake, const char *text)
{
	return handshake_put(handshake, text, strlen(text));
}

/* Whether the name can be the value of an attribute as it is. */
static bool
starttls_xmpp_is_name(const char *name)
{
	for (; *name != '\0'; name++)
		if ((unsigned char)*name <= ' ' || *name == 0x7f || strchr("'\"<>&", *name) != NULL)
			return false;
	return true;
}

static bool
starttls_xmpp_start(struct handshake *handshake)
{
	const char *name = handshake->request.host;
	(void)handshake_want(handshake, 1);
	if (name == NULL || !starttls_xmpp_is_name(name)) {
		(void)handshake_fail(handshake, HANDSHAKE_REFUSED,
			"XMPP needs the name of the server (--ssl-servername)", 0);
		return false;
	}
	if (starttls_xmpp_put(handshake,
		    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
		    "xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='") &&
		starttls_xmpp_put(handshake, name) && starttls_xmpp_put(handshake, "'>"))
		return true;
	(void)handshake_fail(handshake, HANDSHAKE_REFUSED, "the name is too long", 0);
	return false;
}

/* Whether the tag has this name, the '/' of an end tag included. */
static bool
starttls_xmpp_is(const struct handshake *handshake, const char *name)
{
	size_t n = strlen(name);
	const unsigned char *in = handshake->in;
	return handshake->in_length > n + 1 && memcmp(in + 1, name, n) == 0 &&
		memchr(" \t\r\n/>", in[n + 1], 6) != NULL;
}

/* Whether the tag is that of an element without content. */
static bool
starttls_xmpp_is_empty(const struct handshake *handshake)
{
	return handshake->in[handshake->in_length - 2] == '/';
}

static enum handshake_result
starttls_xmpp_refuse(struct handshake *handshake, const char *words)
{
	return handshake_fail(handshake, HANDSHAKE_REFUSED, words, 0);
}

/* The features are complete. */
static enum handshake_result
starttls_xmpp_ask(struct handshake *handshake, bool offered)
{
	if (!offered)
		return starttls_xmpp_refuse(handshake, "the server does not offer TLS");
	handshake->state = STARTTLS_XMPP_PROCEED;
	(void)starttls_xmpp_put(handshake, "<starttls xmlns='" STARTTLS_XMPP_NAMESPACE "'/>");
	return handshake_want(handshake, 1);
}

/* A tag is complete. */
static enum handshake_result
starttls_xmpp_take(struct handshake *handshake)
{
	enum starttls_xmpp_state state = (enum starttls_xmpp_state)handshake->state;
	bool empty = starttls_xmpp_is_empty(handshake);
	if (starttls_xmpp_is(handshake, "failure"))
		return starttls_xmpp_refuse(handshake, "the server refused TLS");
	if (state == STARTTLS_XMPP_ERROR || starttls_xmpp_is(handshake, "/stream:stream"))
		return starttls_xmpp_refuse(handshake, "the server answered");
	if (starttls_xmpp_is(handshake, "stream:error")) {
		handshake->state = STARTTLS_XMPP_ERROR;
	} else if (state == STARTTLS_XMPP_HEADER &&
		starttls_xmpp_is(handshake, "stream:features")) {
		if (empty)
			return starttls_xmpp_ask(handshake, false);
		handshake->state = STARTTLS_XMPP_FEATURES;
	} else if (state == STARTTLS_XMPP_FEATURES && starttls_xmpp_is(handshake, "starttls")) {
		handshake->state = STARTTLS_XMPP_OFFERED;
	} else if ((state == STARTTLS_XMPP_FEATURES || state == STARTTLS_XMPP_OFFERED) &&
		starttls_xmpp_is(handshake, "/stream:features")) {
		return starttls_xmpp_ask(handshake, state == STARTTLS_XMPP_OFFERED);
	} else if (state == STARTTLS_XMPP_PROCEED && starttls_xmpp_is(handshake, "proceed")) {
		if (empty)
			return HANDSHAKE_DONE;
		handshake->state = STARTTLS_XMPP_END;
	} else if (state == STARTTLS_XMPP_END && starttls_xmpp_is(handshake, "/proceed")) {
		return HANDSHAKE_DONE;
	}
	return handshake_want(handshake, 1);
}

/* `column`: the quotation mark of the attribute that the next byte is in; 0: none. */
static enum handshake_result
starttls_xmpp_step(struct handshake *handshake)
{
	unsigned char byte = handshake->in[handshake->in_length - 1];
	if (handshake->in[0] != '<') {
		/* Text between tags: white space, or no XMPP at all. */
		if (handshake->state == STARTTLS_XMPP_HEADER && memchr(" \t\r\n", byte, 4) == NULL)
			return starttls_malformed(handshake, "the answer is not XML");
		handshake->in_length = 0;
		return starttls_more(handshake);
	}
	if (handshake->column == 0 && (byte == '\'' || byte == '"'))
		handshake->column = byte;
	else if (handshake->column == byte)
		handshake->column = 0;
	else if (handshake->column == 0 && byte == '>') {
		if (handshake->taken < STARTTLS_BYTES_MAX)
			return starttls_xmpp_take(handshake);
	}
	return starttls_more(handshake);
}

const struct handshake_protocol starttls_xmpp = {
	.start = starttls_xmpp_start, .step = starttls_xmpp_step, .code = "code"
};
