/* The table of services; see service.h. */
#include "engine/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "broadcast/chat.h"
#include "broadcast/subscriber.h"
#include "filter/file.h"
#include "filter/file_pattern.h"
#include "program/exec.h"
#include "filter/proxy_route.h"
#include "filter/proxy_values.h"
#include "filter/proxy_target.h"
#include "filter/tls_filter.h"
#include "stream/peer.h"
#include "stream/stdio.h"
#include "sys/sys.h"
#include "transfer/receiver.h"
#include "transfer/sender.h"

/* Adds the file of the client. */
static bool
service_add_file(const struct service_context *context, struct stream **local, struct fault *fault)
{
	const struct config_files *files = &context->config->files;
	if (*local == NULL || files->out == NULL)
		return *local != NULL;
	char *address = address_print(context->peer);
	char *path =
		address != NULL ? file_pattern_expand(files->out, context->number, address) : NULL;
	free(address);
	return file_add(local, path, &files->file, fault);
}

static struct stream *
service_init_stdio(const struct service_context *context, struct fault *fault)
{
	const struct config *config = context->config;
	const struct config_files *files = &config->files;
	const struct stdio_config stdio = { .input = files->in,
		.output = files->device,
		.discard = config->no_output || files->out != NULL,
		.raw = config->raw,
		.unwatched = config->rules.unwatched && !config->no_input };
	struct stream *local = context->mux != NULL
		? stdio_mux_new(context->mux, context->queue, fault)
		: stdio_new(&stdio, fault);
	if (service_add_file(context, &local, fault))
		return local;
	stream_close(local, false);
	return NULL;
}

/* The address that the client has connected to. */
static struct address
service_own(const struct service_context *context)
{
	struct address own;
	if (context->header != NULL)
		return context->header->destination;
	if (context->from != NULL)
		return peer_own(context->from);
	(void)address_of_socket(&own, context->remote->write.fd);
	return own;
}

static struct stream *
service_init_program(const struct service_context *context, struct fault *fault)
{
	const struct config *config = context->config;
	struct exec_config exec = {
		.path = config->program.path,
		.argv = config->program.argv,
		.name = config->program.name,
		.terminal = config->program.terminal,
		.raw = config->program.raw,
		.clear = config->program.clear,
		.strict = config->program.strict,
		.processes = config->program.processes,
		.protocol = config->transport->name,
		.peer = *context->peer,
	};
	/* Those of a proxy are not the client's. */
	exec.from.user = SYS_NO_USER;
	if (context->header == NULL)
		sys_peer_credentials(context->remote->write.fd, &exec.from);
	exec.own = service_own(context);
	exec.secure = tls_filter_describe(context->remote, &exec.tls);
	return exec_new(&exec, fault);
}

static struct stream *
service_init_to(const struct service_context *context, struct fault *fault)
{
	const struct config *config = context->config;
	const struct dial_config dial = config_dial_to(config, context->retried, context->now);
	struct proxy_sender_config sender = { .version = config->header.forward };
	struct proxy_header *header = &sender.header;
	struct proxy_values values;
	if (sender.version != 0) {
		if (context->header != NULL)
			*header = *context->header;
		header->destination = service_own(context);
		header->source =
			config->header.source.length > 0 ? config->header.source : *context->peer;
		proxy_values_set(&values, context->remote, header);
	}
	struct stream *local =
		proxy_route_dial(&config->proxies, &dial, &sender, false, NULL, fault);
	struct tls_filter_config tls = config->to.tls;
	/* With retries connecting has a limit for each try. */
	tls.by = config->retry.most == 0 ? clock_after(context->now, config->wait) : 0;
	if (local == NULL || tls_filter_add(&local, &tls, fault))
		return local;
	stream_close(local, false);
	return NULL;
}

static struct stream *
service_init_proxy(const struct service_context *context, struct fault *fault)
{
	const struct config *config = context->config;
	const struct dial_config dial = config_dial_to(config, context->retried, context->now);
	return proxy_target_new(&config->proxy_server, &config->proxies, &dial, context->remote,
		context->peer, fault);
}

static struct stream *
service_init_builtin(const struct service_context *context, struct fault *fault)
{
	const struct config *config = context->config;
	return builtin_new(config->service->builtin, !config->transport->connected, fault);
}

static struct stream *
service_init_subscriber(const struct service_context *context, struct fault *fault)
{
	return subscriber_new(context->bus, context->queue, context->message_max, false, fault);
}

static struct stream *
service_init_chat(const struct service_context *context, struct fault *fault)
{
	char name[CHAT_NAME_MAX];
	(void)snprintf(name, sizeof name, "user%" PRIu64, context->number);
	return chat_new(context->bus, context->queue, name, fault);
}

static struct stream *
service_init_operator(const struct service_context *context, struct fault *fault)
{
	return chat_new(context->bus, context->queue, context->config->nick, fault);
}

static struct stream *
service_init_send(const struct service_context *context, struct fault *fault)
{
	const struct config_transfer *transfer = &context->config->transfer;
	const struct sender_config sender = { .files = transfer->files,
		.count = transfer->count,
		.tree_options = transfer->tree_options,
		.stored = context->stored,
		.greeting = transfer->greeting };
	return sender_new(&sender, context->remote->name, context->now, fault);
}

static struct stream *
service_init_receive(const struct service_context *context, struct fault *fault)
{
	const struct config_transfer *transfer = &context->config->transfer;
	const struct receiver_config receiver = { .file = { .directory = transfer->directory,
							  .mask = transfer->mask,
							  .replace = transfer->replace,
							  .resume = transfer->resume,
							  .max_size = transfer->max_size,
							  .tree_options = transfer->tree_options },
		.greeting = transfer->greeting };
	return receiver_new(&receiver, context->remote->name, context->now, fault);
}

const struct service service_stdio = {
	.name = "stdio",
	.local = SERVICE_STDIO,
	.rules = { .send = true, .receive = true, .at_peer_end = FLOW_STOP_DRAINED },
	.init = service_init_stdio,
};
const struct service service_program = {
	.name = "program",
	.local = SERVICE_OWN,
	.rules = { .send = true, .receive = true, .served = true },
	/* Three pipes; or the two ends of a terminal, a copy, and a pipe. */
	.descriptors = 6,
	.init = service_init_program,
};
const struct service service_to = {
	.name = "to",
	.local = SERVICE_OWN,
	.rules = { .send = true, .receive = true, .served = true },
	/* Sockets for two addresses, and a pipe to the resolver thread. */
	.descriptors = 4,
	.init = service_init_to,
};
const struct service service_proxy = {
	.name = "proxy-server",
	.local = SERVICE_OWN,
	.rules = { .send = true, .receive = true, .served = true },
	/* As those of service_to. */
	.descriptors = 4,
	.init = service_init_proxy,
};
const struct service service_send = {
	.name = "send",
	.local = SERVICE_FILES,
	.rules = { .send = true, .receive = true, .at_input_end = FLOW_STOP_DRAINED },
	/* The file; or three pipes while the program starts, and /dev/null. */
	.descriptors = 7,
	.init = service_init_send,
};
const struct service service_receive = {
	.name = "receive",
	.local = SERVICE_FILES,
	.rules = { .send = true, .receive = true, .at_input_end = FLOW_STOP_DRAINED },
	/* The file and its digests, the directory twice, and a pipe to the thread that stores; or
	 * the directory and its part, and three pipes while the program starts. */
	.descriptors = 8,
	.init = service_init_receive,
};
const struct service service_broker = {
	.name = "broker",
	.local = SERVICE_BUS,
	.rules = { .send = true, .receive = true, .at_peer_end = FLOW_STOP_DRAINED },
	.output = SERVICE_FORMAT_WIRE,
	.init = service_init_subscriber,
};
const struct service service_chat = {
	.name = "chat",
	.local = SERVICE_BUS,
	.rules = { .send = true, .receive = true, .at_peer_end = FLOW_STOP_DRAINED },
	.output = SERVICE_FORMAT_NONE,
	.init = service_init_chat,
	.init_operator = service_init_operator,
};
const struct service service_echo = {
	.name = "echo",
	.local = SERVICE_PEER,
	.rules = { .send = true, .at_peer_end = FLOW_STOP_DRAINED },
	.input = SERVICE_FORMAT_WIRE,
};
const struct service service_discard = {
	.name = "discard",
	.local = SERVICE_OWN,
	.rules = { .receive = true, .at_peer_end = FLOW_STOP_DRAINED },
	.builtin = BUILTIN_DISCARD,
	.init = service_init_builtin,
};
const struct service service_chargen = {
	.name = "chargen",
	.local = SERVICE_OWN,
	.rules = { .send = true,
		.receive = true,
		.at_peer_end = FLOW_STOP_DRAINED,
		.served = true,
		.until_peer_leaves = true },
	.builtin = BUILTIN_CHARGEN,
	.init = service_init_builtin,
};
const struct service service_daytime = {
	.name = "daytime",
	.local = SERVICE_OWN,
	.rules = { .send = true,
		.receive = true,
		.at_peer_end = FLOW_STOP_DRAINED,
		.at_input_end = FLOW_STOP_DRAINED,
		.served = true },
	.builtin = BUILTIN_DAYTIME,
	.init = service_init_builtin,
};
