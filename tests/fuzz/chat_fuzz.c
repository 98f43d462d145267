/*
 * Fuzzes a chat: the bytes determine who joins, leaves, writes lines and reads. The others receive
 * whole lines without control characters, each after a valid name, and no queue exceeds its limit.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "broadcast/chat.h"

#define CHAT_FUZZ_MEMBERS 4
#define CHAT_FUZZ_LIMIT 2000
#define CHAT_FUZZ_PIECES 64
/* The longest line: a message has at most 255 bytes. */
#define CHAT_FUZZ_LINE 8192

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

struct chat_fuzz_member {
	struct bus_queue queue;
	struct stream *stream;
	bool there;
	char got[CHAT_FUZZ_LINE]; /* the last line, which may be incomplete */
	size_t used;
};

static struct bus chat_fuzz_bus;
static struct chat_fuzz_member chat_fuzz_members[CHAT_FUZZ_MEMBERS];

/* "<NAME> words" or "* NAME what". */
static void
chat_fuzz_check_line(char *line)
{
	bool notice = strncmp(line, "* ", 2) == 0;
	if (strncmp(line, "* here: ", 8) == 0)
		return;
	char *name = line + (notice ? 2 : 1), *end = strchr(name, notice ? ' ' : '>');
	if ((!notice && line[0] != '<') || end == NULL)
		abort();
	const char *what = end + 1;
	*end = '\0';
	if (!chat_is_name(name))
		abort();
	if (notice && strcmp(what, "joined") != 0 && strcmp(what, "left") != 0 &&
		strncmp(what, "are ", 4) != 0 &&
		(strncmp(what, "is now ", 7) != 0 || !chat_is_name(what + 7)))
		abort();
	if (!notice && (what[0] != ' ' || what[1] == '\0'))
		abort();
}

/* Takes up to `most` bytes from a queue. */
static void
chat_fuzz_read(struct chat_fuzz_member *member, size_t most)
{
	struct iovec pieces[CHAT_FUZZ_PIECES];
	bus_attend(&member->queue);
	int count = chunks_look(&member->queue.chunks, pieces, CHAT_FUZZ_PIECES);
	size_t taken = 0;
	for (int i = 0; i < count && taken < most; i++)
		for (size_t j = 0; j < pieces[i].iov_len && taken < most; j++, taken++) {
			char byte = ((char *)pieces[i].iov_base)[j];
			if ((byte >= 0 && byte < ' ' && byte != '\n' && byte != '\t') ||
				byte == 0x7f)
				abort();
			if (member->used == sizeof member->got)
				abort();
			member->got[member->used++] = byte;
			if (byte != '\n')
				continue;
			member->got[member->used - 1] = '\0';
			chat_fuzz_check_line(member->got);
			member->used = 0;
		}
	bus_take(&member->queue, taken, 0);
}

static void
chat_fuzz_join(struct chat_fuzz_member *member, const char *name)
{
	struct fault fault = FAULT_NONE;
	member->queue = (struct bus_queue){ .bus = NULL };
	member->stream = chat_new(&chat_fuzz_bus, &member->queue, name, &fault);
	if (member->stream == NULL || stream_open(member->stream, NULL, 0, &fault) != IO_OK)
		abort();
	member->there = true;
}

static void
chat_fuzz_leave(struct chat_fuzz_member *member)
{
	stream_close(member->stream, true);
	member->there = false;
	member->used = 0;
}

/* Writes the bytes as one message per line. */
static void
chat_fuzz_write(struct chat_fuzz_member *member, const uint8_t *bytes, size_t n)
{
	struct iovec pieces[CHAT_FUZZ_PIECES];
	struct fault fault = FAULT_NONE;
	int count = 0;
	size_t put = 0;
	char *copy = malloc(n + 1);
	if (copy == NULL)
		abort();
	memcpy(copy, bytes, n);
	for (size_t at = 0; at < n && count < CHAT_FUZZ_PIECES;) {
		const char *end = memchr(copy + at, '\n', n - at);
		size_t length = end != NULL ? (size_t)(end - copy) - at : n - at;
		pieces[count++] = (struct iovec){ copy + at, length };
		at += length + 1;
	}
	if (count > 0) {
		enum io result = stream_write(member->stream, pieces, count, &put, &fault);
		if (fault_is_set(&fault) || (result != IO_OK && result != IO_AGAIN) || put > n)
			abort();
	}
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n < 2)
		return 0;
	chat_fuzz_bus = (struct bus){ .limit = CHAT_FUZZ_LIMIT,
		.slow = bytes[0] % 3 == 0   ? BUS_WAIT
			: bytes[0] % 3 == 1 ? BUS_DROP
					    : BUS_DISCONNECT };
	for (size_t i = 1; i + 1 < n;) {
		struct chat_fuzz_member *member = &chat_fuzz_members[bytes[i] % CHAT_FUZZ_MEMBERS];
		unsigned what = bytes[i] / CHAT_FUZZ_MEMBERS % 8;
		size_t length = bytes[i + 1];
		i += 2;
		if (!member->there) {
			chat_fuzz_join(member, what % 2 == 0 ? "peer-1" : "x");
		} else if (what == 0) {
			chat_fuzz_leave(member);
		} else if (what < 3) {
			chat_fuzz_read(member, length * 8);
		} else {
			length = length < n - i ? length : n - i;
			chat_fuzz_write(member, bytes + i, length);
			i += length;
		}
		while (bus_next_woken(&chat_fuzz_bus) != NULL)
			;
	}
	for (size_t i = 0; i < CHAT_FUZZ_MEMBERS; i++)
		if (chat_fuzz_members[i].there) {
			chat_fuzz_read(&chat_fuzz_members[i], SIZE_MAX);
			chat_fuzz_leave(&chat_fuzz_members[i]);
		}
	if (chat_fuzz_bus.first != NULL || chat_fuzz_bus.subscribers != 0)
		abort();
	return 0;
}
