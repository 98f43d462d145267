/*
 * Reads the header of the PROXY protocol (proxy_header.h), without I/O. Nothing is guessed: what is
 * not a header of an expected version is malformed, at its first wrong byte.
 *
 *     proxy_reader_start(&reader, PROXY_HEADER_ANY)
 *     read `wants` bytes, in any pieces; proxy_reader_take(&reader, bytes, n)
 *     ... until the result is not PROXY_READER_MORE
 *
 * `wants` never extends beyond the header.
 */
#ifndef SOCKCAT_NET_PROXY_READER_H
#define SOCKCAT_NET_PROXY_READER_H

#include "net/proxy_header.h"

enum proxy_reader_result {
	PROXY_READER_MORE, /* read `wants` bytes */
	PROXY_READER_DONE,
	PROXY_READER_MALFORMED
};

struct proxy_reader {
	enum proxy_header_version versions; /* that are expected */
	size_t wants;                       /* bytes to read; > 0 after PROXY_READER_MORE */
	const char *words;                  /* why it is malformed */
	struct proxy_header header;         /* PROXY_READER_DONE; its values are in `bytes` */
	size_t length;
	unsigned char bytes[PROXY_HEADER_MAX];
};

void proxy_reader_start(struct proxy_reader *reader, enum proxy_header_version versions);

/* Takes up to `wants` bytes. */
enum proxy_reader_result proxy_reader_take(
	struct proxy_reader *reader, const unsigned char *bytes, size_t n);

/* Whether the bytes are the beginning of a header of any version, or of no header. */
enum proxy_reader_likeness {
	PROXY_READER_UNLIKE,
	PROXY_READER_PERHAPS, /* more bytes are needed */
	PROXY_READER_ALIKE
};
enum proxy_reader_likeness proxy_reader_look(const unsigned char *bytes, size_t n);

#endif
