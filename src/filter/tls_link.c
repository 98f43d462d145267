#include "filter/tls_link.h"

#include "base/clock.h"
#include "sys/sys.h"

/* The time between attempts to send what a read has caused, where poll(2) cannot wait for both. */
#define TLS_LINK_PAUSE (50 * CLOCK_MILLISECOND)

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
		tls_handshake_note(&link->input, bytes, *got);
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

/* Reads what is ignored. */
static enum io
tls_link_discard(struct tls_link *link, struct fault *fault)
{
	unsigned char ignored[TLS_LINK_IGNORED];
	struct iovec piece = { ignored, sizeof ignored };
	size_t got;
	return stream_read(link->lower, &piece, 1, &got, fault);
}

enum io
tls_link_ignore(struct tls_link *link, struct fault *fault)
{
	enum io result = tls_link_discard(link, fault);
	link->ended = result == IO_END;
	return result == IO_FAIL ? IO_FAIL : IO_AGAIN;
}

/* The stream at the bottom, which has the statistics. */
static struct stream_stats *
tls_link_stats(const struct tls_link *link)
{
	struct stream *bottom = link->lower;
	while (bottom->lower != NULL)
		bottom = bottom->lower;
	return &bottom->stats;
}

enum io
tls_link_part(struct tls_link *link, struct fault *verdict, struct stream_side *read)
{
	struct fault ignored = FAULT_NONE;
	struct stream_stats *stats = tls_link_stats(link);
	enum io result = tls_link_flush(link, &ignored);
	stats->verdict = verdict;
	stats->parted = result == IO_OK;
	if (result == IO_OK)
		(void)stream_shut(link->lower, true, &ignored);
	if (result != IO_FAIL)
		result = tls_link_discard(link, &ignored);
	fault_clear(&ignored);
	*read = link->lower->read;
	if (result == IO_OK)
		read->at = STREAM_NOW;
	else if (result == IO_AGAIN && !tls_link_is_empty(link))
		tls_link_await_room(link, read);
	return result == IO_END || result == IO_FAIL ? IO_OK : IO_AGAIN;
}

void
tls_link_await_room(const struct tls_link *link, struct stream_side *read)
{
	const struct stream_side *write = &link->lower->write;
	if (read->at == 0 && write->at == 0 && read->fd == write->fd)
		read->events |= write->events;
	else
		read->at = clock_after(clock_now(), TLS_LINK_PAUSE);
}

void
tls_link_notify(struct tls_link *link)
{
	size_t untaken = 0;
	link->notified = link->written;
	link->taken = !link->lower->buffered && sys_untaken(link->lower->write.fd, &untaken) &&
		untaken == 0;
}

bool
tls_link_has_arrived(struct tls_link *link)
{
	const struct stream_stats *stats = stream_stats(link->lower);
	struct fault ignored = FAULT_NONE;
	if (!link->sent || link->taken || stream_shut(link->lower, false, &ignored) == IO_OK)
		return true;
	fault_clear(&ignored);
	return stats->unarrived > 0 &&
		stats->unarrived + write_queue_used(&link->queue) <=
		link->written - link->notified + link->finished;
}

enum io
tls_link_fail(struct tls_link *link)
{
	tls_link_stats(link)->silent = link->written == 0;
	return IO_FAIL;
}

void
tls_link_close(struct tls_link *link)
{
	write_queue_close(&link->queue);
	fault_clear(&link->failure);
}
