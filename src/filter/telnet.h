/* A filter for the telnet protocol (RFC 854): refuses every option that the peer offers or
 * requests, removes commands from what is read, and escapes the byte 255 both ways. */
#ifndef SOCKCAT_FILTER_TELNET_H
#define SOCKCAT_FILTER_TELNET_H

#include "base/fault.h"
#include "stream/stream.h"

/* Puts the filter on top of a stream of bytes. False and a fault if there is no memory. */
bool telnet_add(struct stream **top, struct fault *fault);

/* --- the parser, which is pure --- */

enum telnet_state {
	TELNET_DATA,
	TELNET_COMMAND,     /* after IAC */
	TELNET_NEGOTIATION, /* after IAC and WILL, WONT, DO or DONT */
	TELNET_SUB,         /* between IAC SB and IAC SE */
	TELNET_SUB_COMMAND  /* after an IAC there */
};

/* The state between two pieces of an input; zeroed at first. */
struct telnet_parser {
	enum telnet_state state;
	unsigned char verb;
	bool carriage_return; /* the last byte of data was a CR */
};

/* The longest answer to a byte. */
#define TELNET_ANSWER 3

/* Parses one byte. True if it is data (*data). Otherwise it belongs to a command, and *answered
 * bytes of answer[] are to be sent: TELNET_ANSWER or none. */
bool telnet_feed(struct telnet_parser *parser, unsigned char byte, unsigned char *data,
	unsigned char answer[static TELNET_ANSWER], size_t *answered);

#endif
