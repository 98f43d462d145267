/* The services for connections: one row each. */
#ifndef SOCKCAT_ENGINE_SERVICE_H
#define SOCKCAT_ENGINE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "broadcast/bus.h"
#include "broadcast/stdio_mux.h"
#include "flow/relay.h"
#include "engine/config.h"
#include "stream/builtin.h"
#include "stream/stream.h"

/* Where the local side of a session comes from. */
enum service_local {
	SERVICE_STDIO, /* standard input and output; a listener for many shares them */
	SERVICE_OWN,   /* made for each session */
	SERVICE_PEER,  /* the peer itself: its data is returned */
	SERVICE_BUS,   /* the other clients of a listener for many */
	SERVICE_FILES  /* files, which are sent and received when the peer says so */
};

/* The format of messages at the local side. */
enum service_format {
	SERVICE_FORMAT_LOCAL, /* as the command line says for standard input and output */
	SERVICE_FORMAT_WIRE,  /* that of the connection */
	SERVICE_FORMAT_NONE   /* messages without a frame */
};

/* The arguments of `init`. */
struct service_context {
	const struct config *config;
	struct stream *remote; /* open */
	const struct address *peer;
	const struct peer *from;           /* the datagram peer; NULL: it has a connection */
	const struct proxy_header *header; /* about the connection; NULL: nothing */
	int64_t now;
	struct retry *retried; /* of connections that the local side makes; see dial.h */
	size_t *stored; /* files of --send that the peer has stored; NULL: of this session only */
	/* Only with a listener for many: */
	struct stdio_mux *mux;   /* NULL: a single client uses standard input and output */
	struct bus *bus;         /* of SERVICE_BUS */
	struct bus_queue *queue; /* the client's */
	uint64_t number;         /* of the session */
	size_t message_max;      /* the largest message for the client; 0: bytes */
};

struct service {
	const char *name;
	enum service_local local;
	/* The rules of a session before the command line changes them; at_peer_end: with -k. */
	struct relay_rules rules;
	enum service_format input, output;
	size_t descriptors;        /* the most that are open during `init` */
	enum builtin_kind builtin; /* for service_init_builtin */
	/* Creates the local side. NULL: for SERVICE_PEER. Returns NULL and a fault on failure. */
	struct stream *(*init)(const struct service_context *context, struct fault *fault);
	/* Creates the remote side of the operator's session, between it and standard input and
	 * output. NULL: no operator. */
	struct stream *(*init_operator)(const struct service_context *context, struct fault *fault);
};

/* Standard input and output. */
extern const struct service service_stdio;

/* A program, started for each connection. */
extern const struct service service_program;

/* A connection to another endpoint. */
extern const struct service service_to;

/* A connection to the endpoint that the client asks for. */
extern const struct service service_proxy;

/* Files, in the protocol of transfer/protocol.h. */
extern const struct service service_send, service_receive;

/* The other clients. */
extern const struct service service_broker, service_chat;

/* The built-in services of inetd(8): RFC 862, 863, 864 and 867. */
extern const struct service service_echo, service_discard, service_chargen, service_daytime;

#endif
