#include "filter/tls_link.h"

/* Four records and more. With this many bytes in the queue they are written, and until then the
 * library has to repeat a write. */
#define TLS_LINK_QUEUE ((size_t)65536)

/* An empty queue keeps this much memory. */
#define TLS_LINK_KEPT ((size_t)4096)

/* The most bytes that one call of the library reads: a peer that sends key updates without data
 * must not keep it from returning. */
#define TLS_LINK_TURN ((size_t)262144)

/* The bytes that are read at once to be ignored. */
#define TLS_LINK_IGNORED 4096

static enum io
tls_link_read(void *state, void *bytes, size_t size, size_t *got)
{
	struct tls_link *link = state;
	struct iovec piece = { bytes, size };
	if (link->turn >= TLS_LINK_TURN)
		return IO_AGAIN;
	enum io result = stream_read(link->lower, &piece, 1, got, &link->failure);
	link->ended |= result == IO_END;
	link->bulk = result == IO_OK && *got == size;
	if (result == IO_OK) {
		link->turn += *got;
		tls_handshake_hear(&link->heard, bytes, *got);
	}
	return result;
}

static enum io
tls_link_write(void *state, const void *bytes, size_t size, size_t *put)
{
	struct tls_link *link = state;
	link->full = tls_link_is_large(link);
	if (link->full)
		return IO_AGAIN;
	*put = size;
	link->written += size;
	if (link->holds)
		return write_queue_add(&link->queue, bytes, size, &link->failure) ? IO_OK : IO_FAIL;
	return write_queue_put(&link->queue, link->lower, bytes, size, &link->failure);
}

struct tls_bottom
tls_link_bottom(struct tls_link *link)
{
	return (struct tls_bottom){ link, tls_link_read, tls_link_write };
}

void
tls_link_begin(struct tls_link *link)
{
	link->full = false;
	link->turn = 0;
}

bool
tls_link_goes_on(const struct tls_link *link)
{
	return (link->full || link->turn >= TLS_LINK_TURN) && tls_link_is_empty(link);
}

bool
tls_link_is_large(const struct tls_link *link)
{
	return write_queue_used(&link->queue) >= TLS_LINK_QUEUE;
}

enum io
tls_link_flush(struct tls_link *link, struct fault *fault)
{
	enum io result = write_queue_flush(&link->queue, link->lower, fault);
	if (result == IO_OK && link->queue.size > TLS_LINK_KEPT)
		write_queue_close(&link->queue);
	return result;
}

enum io
tls_link_ignore(struct tls_link *link, struct fault *fault)
{
	unsigned char ignored[TLS_LINK_IGNORED];
	struct iovec piece = { ignored, sizeof ignored };
	size_t got;
	enum io result = stream_read(link->lower, &piece, 1, &got, fault);
	link->ended = result == IO_END;
	return result == IO_FAIL ? IO_FAIL : IO_AGAIN;
}

void
tls_link_close(struct tls_link *link)
{
	write_queue_close(&link->queue);
	fault_clear(&link->failure);
}
