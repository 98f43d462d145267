/*
 * The telnet protocol around a stream (RFC 854): every option that the peer offers or asks for is
 * refused, commands do not reach the reader, and a byte 255 stays one, either way.
 */
#ifndef SOCKCAT_STREAM_TELNET_H
#define SOCKCAT_STREAM_TELNET_H

#include <stdbool.h>

#include "base/fault.h"
#include "stream/stream.h"

/* Lays it around an open stream of bytes. False, with the stream as it was, if there is no memory.
 */
bool telnet_init(struct stream *stream, struct fault *fault);

/* --- the parser, which is pure --- */

enum telnet_state {
	TELNET_DATA,
	TELNET_COMMAND,     /* behind IAC */
	TELNET_NEGOTIATION, /* behind IAC and WILL, WONT, DO or DONT */
	TELNET_SUB,         /* between IAC SB and IAC SE */
	TELNET_SUB_COMMAND  /* behind an IAC there */
};

/* The state between two pieces of one input; zeroed at the start. */
struct telnet_parser {
	enum telnet_state state;
	unsigned char verb;
};

/* The answer to one byte is no longer. */
#define TELNET_ANSWER 3

/*
 * Takes one byte. True if it is data (*data). Otherwise it belongs to a command, and *answered
 * bytes of answer[] are to be sent back: TELNET_ANSWER or none.
 */
bool telnet_feed(struct telnet_parser *parser, unsigned char byte, unsigned char *data,
	unsigned char answer[static TELNET_ANSWER], size_t *answered);

#endif
