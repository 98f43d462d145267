/*
 * The protocol of --send and --receive over a stream of bytes. Both sides begin with a line at
 * once; all that follows is messages, each a netstring with a JSON object.
 *
 *   both      sockcat-transfer 1 sender sha256     (or receiver; the digests that it has)
 *   sender    {"type":"file","name":"a","size":5,"mode":420,"mtime":1764395557,"nsec":0}
 *   receiver  {"type":"ready","offset":0}          or what it has, and the digest of that
 *   sender    {"type":"start","offset":4194304}    only after an offset: that, or 0 if it differs
 *   sender    {"type":"data","size":5}             followed by 5 bytes; any number of times
 *   sender    {"type":"done","digest":"..."}       without a digest if one side has none
 *   receiver  {"type":"stored"}                    written, synchronised and renamed
 *   sender    the next file, or {"type":"end","count":1}
 *
 * A directory is sent as a tar archive, whose length is not known before:
 *
 *   sender    {"type":"tar","name":"d"}            the receiver answers {"type":"ready","offset":0}
 *   sender    {"type":"data","size":10240}         any number of times, as above
 *   sender    {"type":"done","digest":"..."}       the end; the receiver answers "stored"
 *
 *   either    {"type":"error","status":23,"error":"write a: No space left on device"}
 *   receiver  {"type":"error","status":23,"busy":1,"error":"..."}   another session writes the part
 *
 * After an error a side sends nothing else and waits for the end of the other. Unknown members are
 * ignored. Here are pure functions: what is decoded may be any bytes.
 */
#ifndef SOCKCAT_TRANSFER_PROTOCOL_H
#define SOCKCAT_TRANSFER_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest object, and the longest line at the beginning. */
#define PROTOCOL_OBJECT_MAX 4096
#define PROTOCOL_GREETING_MAX 128

/* The most bytes of a message: the length, ":" and "," are around the object. */
#define PROTOCOL_MESSAGE_MAX (PROTOCOL_OBJECT_MAX + 8)

/* The longest text of an error that is sent; a longer one is cut. */
#define PROTOCOL_ERROR_MAX 512

/* SHA-256. */
#define PROTOCOL_DIGEST 32

enum protocol_kind {
	PROTOCOL_GREETING,
	PROTOCOL_FILE,
	PROTOCOL_TREE, /* "tar" */
	PROTOCOL_READY,
	PROTOCOL_START,
	PROTOCOL_DATA,
	PROTOCOL_FINISHED, /* "done" */
	PROTOCOL_STORED,
	PROTOCOL_END,
	PROTOCOL_ERROR
};

/* Each kind uses the fields of its members. */
struct protocol_message {
	enum protocol_kind kind;
	bool sends;       /* of a greeting: the role */
	bool sha256;      /* of a greeting */
	const char *name; /* not terminated by its NUL only: see name_length */
	size_t name_length;
	uint64_t size; /* up to INT64_MAX, as all numbers */
	uint64_t mode;
	bool dated; /* mtime and nsec are there */
	uint64_t mtime, nsec;
	uint64_t offset;
	uint64_t count;
	bool has_digest;
	unsigned char digest[PROTOCOL_DIGEST];
	uint64_t status;
	uint64_t busy;     /* of an error; 1: another session writes the part */
	const char *error; /* as received: escape it when it is printed */
};

/* The state of decoding. Zeroed at the beginning. */
struct protocol {
	bool greeted;   /* the greeting is complete */
	bool in_object; /* the length of the netstring is complete */
	size_t length;  /* of the object */
	size_t have;    /* bytes of the line or object */
	unsigned char bytes[PROTOCOL_OBJECT_MAX + 1];
};

enum protocol_result { PROTOCOL_MORE, PROTOCOL_DONE, PROTOCOL_BAD };

/*
 * Takes up to n bytes, *used of them. PROTOCOL_DONE: the message is complete; its texts are valid
 * until the next call. PROTOCOL_BAD: at the first byte with which no message can continue; *why is
 * a text for people.
 */
enum protocol_result protocol_take(struct protocol *protocol, const unsigned char *bytes, size_t n,
	size_t *used, struct protocol_message *message, const char **why);

/* Writes a message; returns the number of bytes. 0: the name is too long. */
size_t protocol_put_message(
	const struct protocol_message *message, unsigned char out[static PROTOCOL_MESSAGE_MAX]);

#endif
