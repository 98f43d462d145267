/* A stream that is still to be connected; see dialled.h. */
#include "stream/dialled.h"

#include <stdlib.h>
#include <string.h>

#include "stream/datagram.h"
#include "stream/socket.h"

/* Freed once it is connected, unless it has other addresses for datagrams that are refused, or the
 * file of the own Unix socket. */
struct dialled {
	struct stream_ops ops;         /* of the connection, but `close` frees this too */
	const struct stream_ops *kind; /* of the connection */
	struct dial dial;
	struct address *peer; /* not owned */
	bool single, started;
};

static void
dialled_ask(const struct stream *stream, struct pollset *pollset)
{
	struct dialled *dialled = stream->impl;
	dial_ask(&dialled->dial, pollset);
}

static void
dialled_close(struct stream *stream, bool clean)
{
	struct dialled *dialled = stream->impl;
	(void)clean;
	dial_close(&dialled->dial);
}

/* Closes the connection, and what has outlived the dialling. */
static void
dialled_close_connected(struct stream *stream, bool clean)
{
	struct dialled *dialled = (struct dialled *)(uintptr_t)stream->ops;
	/* The file is removed while the socket is open (unix_path.h). */
	dial_close(&dialled->dial);
	dialled->kind->close(stream, clean);
	free(dialled);
}

void
dialled_leave_file(struct stream *stream)
{
	if (stream->ops->close != dialled_close_connected)
		return;
	struct dialled *dialled = (struct dialled *)(uintptr_t)stream->ops;
	unix_path_leave(&dialled->dial.file);
}

/* The stream becomes that of the connection. */
static bool
dialled_become(struct stream *stream, struct fault *fault)
{
	struct dialled *dialled = stream->impl;
	struct dial *dial = &dialled->dial;
	const struct transport *transport = dial->config.transport;
	char *name = dial->name;
	int fd = dial->fd;
	dial->fd = -1;
	dial->name = stream->name;
	stream->name = NULL;
	struct stream *made = transport->connected
		? socket_new(transport, fd,
			  (dial->config.inherited == -1 ? SOCKET_OWN : 0) |
				  (dial->made ? SOCKET_MADE : 0),
			  dial->error, name, fault)
		: datagram_new(transport, fd, name,
			  dial->group ? DATAGRAM_GROUP : DATAGRAM_CONNECTED, &dial->peer,
			  dialled->single, fault);
	if (made == NULL)
		return false;
	*stream = *made;
	free(made);
	bool redials = !transport->connected && !dial->group && dial_has_more(dial);
	if (redials)
		datagram_redial(stream, dial);
	if (!redials && dial->file.path == NULL) {
		dial_close(dial);
		free(dialled);
		return true;
	}
	dialled->kind = stream->ops;
	dialled->ops = *stream->ops;
	dialled->ops.close = dialled_close_connected;
	stream->ops = &dialled->ops;
	return true;
}

static enum io
dialled_open(struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct dialled *dialled = stream->impl;
	struct dial *dial = &dialled->dial;
	enum io result = dialled->started ? dial_step(dial, pollset, now, fault)
					  : dial_start(dial, now, fault);
	dialled->started = true;
	if (result != IO_OK)
		return result;
	dial_report(dial);
	if (dialled->peer != NULL)
		*dialled->peer = dial->peer;
	return dialled_become(stream, fault) ? stream->ops->open(stream, pollset, now, fault)
					     : IO_FAIL;
}

static const struct stream_ops dialled_ops = {
	.open = dialled_open,
	.ask = dialled_ask,
	.close = dialled_close,
};

struct stream *
dialled_new(
	const struct dial_config *config, bool single, struct address *peer, struct fault *fault)
{
	struct stream *stream = stream_new(
		&dialled_ops, endpoint_print(&config->to), sizeof(struct dialled), fault);
	if (stream == NULL)
		return NULL;
	struct dialled *dialled = stream->impl;
	dialled->dial.config = *config;
	dialled->dial.config.groups = !config->sole;
	stream->caps.retries = config->retry.most > 0;
	dialled->dial.fd = -1;
	dialled->dial.name = strdup(stream->name);
	dialled->peer = peer;
	dialled->single = single;
	return stream;
}
