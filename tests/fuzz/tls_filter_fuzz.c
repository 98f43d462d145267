/*
 * Fuzzes the TLS filter with the real library on both sides. Each byte of the script is a step: the
 * peer sends data, a key update, close_notify, or bytes of its own; some of it arrives, some of
 * what is written is taken, and the filter reads and writes. The first byte chooses the roles.
 *
 * What is read is what the peer sent, in order; it ends only with close_notify of the peer, and a
 * failure has a cause. If nothing was changed on the way, all of it arrives.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "filter/tls_filter.h"
#include "plugin/openssl_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define TLS_FUZZ_SIZE ((size_t)256 * 1024)

/* Bytes on their way in one direction. */
struct tls_fuzz_way {
	unsigned char bytes[TLS_FUZZ_SIZE];
	size_t from, arrived, end; /* what was read, may be read, and was sent */
};

extern const struct tls_ops sockcat_plugin;

static struct {
	struct tls_fuzz_way in, out; /* to the filter, from it */
	size_t takes;                /* what may be written to `out` */
	bool ended, broken;          /* the peer's end, or reset, behind what has arrived */
	bool changed;                /* bytes that the peer did not send were */
	void *peer;
	size_t sent, got;       /* bytes of data from the peer, and read by the filter */
	size_t written, echoed; /* from the filter, and read by the peer */
	bool closing, closed;   /* the peer has sent close_notify; the filter has read it */
	bool failed;            /* a read of the filter, a write */
} tls_fuzz;

static void
tls_fuzz_check(bool holds)
{
	if (!holds)
		abort();
}

static unsigned char
tls_fuzz_byte(size_t i)
{
	return (unsigned char)((i * 2654435761u) >> 11);
}

/* --- the stream below the filter --- */

static enum io
tls_fuzz_below_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct tls_fuzz_way *in = &tls_fuzz.in;
	(void)stream;
	if (in->from < in->arrived) {
		*got = stream_copy(pieces, count, in->bytes + in->from, in->arrived - in->from);
		in->from += *got;
		return IO_OK;
	}
	if (tls_fuzz.broken)
		return IO_FAULT(fault, STATUS_RECEIVE, ECONNRESET, "receive");
	return tls_fuzz.ended ? IO_END : IO_AGAIN;
}

static enum io
tls_fuzz_below_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct tls_fuzz_way *out = &tls_fuzz.out;
	(void)stream;
	if (tls_fuzz.broken)
		return IO_FAULT(fault, STATUS_SEND, EPIPE, "send");
	size_t room = TLS_FUZZ_SIZE - out->end < tls_fuzz.takes ? TLS_FUZZ_SIZE - out->end
								: tls_fuzz.takes;
	if (count == 0 || room == 0)
		return IO_AGAIN;
	*put = pieces[0].iov_len < room ? pieces[0].iov_len : room;
	memcpy(out->bytes + out->end, pieces[0].iov_base, *put);
	out->end += *put;
	tls_fuzz.takes -= *put;
	return IO_OK;
}

static void
tls_fuzz_below_close(struct stream *stream, bool clean)
{
	(void)stream, (void)clean;
}

static const struct stream_ops tls_fuzz_below = {
	.read = tls_fuzz_below_read,
	.write = tls_fuzz_below_write,
	.close = tls_fuzz_below_close,
};

/* --- the peer: a session of the library without a filter --- */

static enum io
tls_fuzz_peer_read(void *state, void *bytes, size_t size, size_t *got)
{
	struct tls_fuzz_way *out = &tls_fuzz.out;
	(void)state;
	if (out->from == out->end)
		return IO_AGAIN;
	*got = out->end - out->from < size ? out->end - out->from : size;
	memcpy(bytes, out->bytes + out->from, *got);
	out->from += *got;
	return IO_OK;
}

static enum io
tls_fuzz_peer_write(void *state, const void *bytes, size_t size, size_t *put)
{
	struct tls_fuzz_way *in = &tls_fuzz.in;
	(void)state;
	if (size > TLS_FUZZ_SIZE - in->end)
		return IO_FAIL;
	memcpy(in->bytes + in->end, bytes, size);
	in->end += size;
	*put = size;
	return IO_OK;
}

/* Reads what the filter has written. */
static void
tls_fuzz_peer_take(void)
{
	unsigned char bytes[4096];
	struct fault fault = FAULT_NONE;
	size_t got = 0;
	while (sockcat_plugin.read(tls_fuzz.peer, bytes, sizeof bytes, &got, &fault) == IO_OK) {
		for (size_t i = 0; i < got; i++)
			tls_fuzz_check(bytes[i] == tls_fuzz_byte(tls_fuzz.echoed + i));
		tls_fuzz.echoed += got;
		tls_fuzz_check(tls_fuzz.echoed <= tls_fuzz.written);
	}
	fault_clear(&fault);
}

static void
tls_fuzz_peer_send(size_t n)
{
	unsigned char bytes[4096];
	struct fault fault = FAULT_NONE;
	size_t put = 0;
	for (size_t i = 0; i < n; i++)
		bytes[i] = tls_fuzz_byte(tls_fuzz.sent + i);
	if (!tls_fuzz.closing && tls_fuzz.in.end < TLS_FUZZ_SIZE / 2 &&
		sockcat_plugin.write(tls_fuzz.peer, bytes, n, &put, &fault) == IO_OK)
		tls_fuzz.sent += put;
	fault_clear(&fault);
}

static void
tls_fuzz_peer_update(void)
{
	struct openssl_session *session = tls_fuzz.peer;
	if (!tls_fuzz.closing && tls_fuzz.in.end < TLS_FUZZ_SIZE / 2 &&
		SSL_key_update(session->ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
		(void)SSL_do_handshake(session->ssl);
}

static void
tls_fuzz_peer_shut(void)
{
	struct fault fault = FAULT_NONE;
	if (!tls_fuzz.closing)
		tls_fuzz.closing = sockcat_plugin.shut(tls_fuzz.peer, &fault) == IO_OK;
	fault_clear(&fault);
}

/* --- the filter --- */

static void
tls_fuzz_read(struct stream *stream, size_t size)
{
	unsigned char bytes[512];
	struct iovec pieces[2] = { { bytes, size / 2 + 1 }, { bytes + size / 2 + 1, size } };
	struct fault fault = FAULT_NONE;
	size_t got = 0;
	enum io result = stream_read(stream, pieces, 2, &got, &fault);
	tls_fuzz_check((result == IO_FAIL) == fault_is_set(&fault));
	tls_fuzz_check(result == IO_OK ? got > 0 && !tls_fuzz.closed : got == 0);
	if (result == IO_OK)
		for (size_t i = 0; i < got; i++)
			tls_fuzz_check(bytes[i] == tls_fuzz_byte(tls_fuzz.got + i));
	tls_fuzz.got += got;
	tls_fuzz_check(tls_fuzz.got <= tls_fuzz.sent);
	tls_fuzz_check(result != IO_END || (tls_fuzz.closing && tls_fuzz.got == tls_fuzz.sent));
	/* It waits for something, and nothing that has arrived is left. */
	tls_fuzz_check(result != IO_AGAIN || stream->read.at != 0 ||
		(stream->read.events & POLLOUT) != 0 || tls_fuzz.in.from == tls_fuzz.in.arrived);
	tls_fuzz.closed |= result == IO_END;
	tls_fuzz.failed |= result == IO_FAIL;
	fault_clear(&fault);
}

static void
tls_fuzz_write(struct stream *stream, size_t n)
{
	unsigned char bytes[512];
	struct iovec piece = { bytes, n };
	struct fault fault = FAULT_NONE;
	size_t put = 0;
	for (size_t i = 0; i < n; i++)
		bytes[i] = tls_fuzz_byte(tls_fuzz.written + i);
	enum io result = stream_write(stream, &piece, n > 0, &put, &fault);
	tls_fuzz_check((result == IO_FAIL) == fault_is_set(&fault));
	tls_fuzz_check(put <= n);
	tls_fuzz.written += put;
	tls_fuzz.failed |= result == IO_FAIL;
	fault_clear(&fault);
}

/* A step of the script. */
static void
tls_fuzz_step(struct stream *stream, unsigned step)
{
	struct tls_fuzz_way *in = &tls_fuzz.in;
	size_t n = (size_t)step / 8 * 9 + 1, left = in->end - in->arrived;
	switch (step % 8) {
	case 0:
		tls_fuzz_peer_send(step == 248 ? 4096 : n);
		break;
	case 1:
		for (size_t i = 0; i < n; i++)
			tls_fuzz_peer_update();
		break;
	case 2:
		in->arrived += step == 250 || n > left ? left : n;
		break;
	case 3:
		if (!tls_fuzz.failed)
			tls_fuzz_read(stream, n / 2 + 1);
		break;
	case 4:
		if (!tls_fuzz.failed)
			tls_fuzz_write(stream, n - 1);
		break;
	case 5:
		tls_fuzz.takes += step == 253 ? TLS_FUZZ_SIZE : n * 8;
		break;
	case 6:
		tls_fuzz_peer_take();
		break;
	default:
		if (step < 64)
			tls_fuzz_peer_shut();
		else if (step < 128 && left > 0) {
			in->bytes[in->arrived + n % left] ^= (unsigned char)step | 1;
			tls_fuzz.changed = true;
		} else if (step == 247 || step == 255) {
			in->end = in->arrived;
			tls_fuzz.changed |= left > 0;
			tls_fuzz.broken = step == 255;
			tls_fuzz.ended = tls_fuzz.closing = true;
		}
	}
}

/* Everything arrives and is taken. */
static void
tls_fuzz_finish(struct stream *stream)
{
	tls_fuzz_peer_shut();
	for (unsigned i = 0; i < 4096 && !tls_fuzz.failed && !tls_fuzz.closed; i++) {
		tls_fuzz.in.arrived = tls_fuzz.in.end;
		tls_fuzz.takes = TLS_FUZZ_SIZE;
		tls_fuzz_read(stream, 512 / 2 - 1);
		tls_fuzz_peer_take();
	}
	if (!tls_fuzz.changed && !tls_fuzz.broken && !tls_fuzz.ended)
		tls_fuzz_check(tls_fuzz.closed && tls_fuzz.got == tls_fuzz.sent);
}

/* The handshake, undisturbed. */
static bool
tls_fuzz_shake(struct stream *stream)
{
	struct fault fault = FAULT_NONE;
	enum io near = IO_AGAIN, far = IO_AGAIN;
	tls_fuzz.takes = TLS_FUZZ_SIZE;
	while (near == IO_AGAIN || far == IO_AGAIN) {
		near = stream_open(stream, NULL, 1, &fault);
		if (far == IO_AGAIN)
			far = sockcat_plugin.handshake(tls_fuzz.peer, &fault);
		tls_fuzz.in.arrived = tls_fuzz.in.end;
	}
	fault_clear(&fault);
	tls_fuzz.takes = 0;
	return near == IO_OK && far == IO_OK;
}

static struct tls tls_fuzz_client, tls_fuzz_server;

static void
tls_fuzz_prepare(void)
{
	struct fault fault = FAULT_NONE;
	tls_fuzz_server = (struct tls){ .ops = &sockcat_plugin,
		.settings = { .server = true, .self_signed = true } };
	tls_fuzz_server.context =
		sockcat_plugin.context_new(&tls_fuzz_server.settings, NULL, &fault);
	tls_fuzz_check(tls_fuzz_server.context != NULL);
	tls_fuzz_client = (struct tls){ .ops = &sockcat_plugin,
		.settings = { .pins = sockcat_plugin.context_pin(tls_fuzz_server.context) } };
	tls_fuzz_client.context =
		sockcat_plugin.context_new(&tls_fuzz_client.settings, NULL, &fault);
	tls_fuzz_check(tls_fuzz_client.context != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const struct tls_bottom bottom = { NULL, tls_fuzz_peer_read, tls_fuzz_peer_write };
	struct fault fault = FAULT_NONE;
	if (n == 0)
		return 0;
	if (tls_fuzz_server.context == NULL)
		tls_fuzz_prepare();
	bool server = bytes[0] % 2 == 1;
	const struct tls_filter_config config = {
		.tls = server ? &tls_fuzz_server : &tls_fuzz_client, .limit = CLOCK_SECOND
	};
	memset(&tls_fuzz, 0, sizeof tls_fuzz);
	struct stream *stream = stream_new(&tls_fuzz_below, strdup("peer"), 0, &fault);
	stream->read.fd = stream->write.fd = 1000;
	tls_fuzz_check(tls_filter_add(&stream, &config, &fault));
	tls_fuzz.peer =
		sockcat_plugin.session_new((server ? tls_fuzz_client : tls_fuzz_server).context,
			&bottom, "peer", NULL, &fault);
	tls_fuzz_check(tls_fuzz_shake(stream));
	for (size_t i = 1; i < n; i++)
		tls_fuzz_step(stream, bytes[i]);
	tls_fuzz_finish(stream);
	stream_close(stream, true);
	sockcat_plugin.session_free(tls_fuzz.peer);
	return 0;
}
