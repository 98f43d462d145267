/* Clients that send a header of the PROXY protocol; see admission.h. */
#include "engine/admission.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "engine/limits.h"
#include "filter/proxy_receiver.h"

/* The time for the header. */
#define ADMISSION_LIMIT (5 * CLOCK_SECOND)

struct admission {
	struct proxy_reader reader;
	int64_t deadline;
	int64_t empty_since; /* of the table, when the client was accepted */
};

void
admission_count(struct clients *clients)
{
	clients->accepted++;
	clients->closing |= clients->sole || clients->accepted == clients->run->config->max_accepts;
}

bool
admission_is_full(const struct clients *clients)
{
	uint64_t most = clients->sole ? 1 : clients->run->config->max_accepts;
	return clients->admissions > 0 && most > 0 &&
		clients->accepted + clients->admissions >= most;
}

bool
admission_enter(struct clients *clients, struct client *client, struct fault *fault)
{
	const struct address *peer = &client->session.peer;
	bool entered =
		(!clients->datagrams || addr_table_add(&clients->peers, &client->by_peer, peer)) &&
		(clients->run->config->max_per_host == 0 ||
			addr_table_add(&clients->per_host, &client->by_host, peer));
	return entered || fault_set(fault, STATUS_MEMORY, ENOMEM, "accept");
}

bool
admission_add(struct clients *clients, struct client *client, struct fault *fault)
{
	const struct config *config = clients->run->config;
	struct session *session = &client->session;
	int64_t now = clients->run->engine.now;
	if (config->header.accept == 0)
		return true;
	if (!config_trusts(config, &session->peer))
		return proxy_receiver_add_guard(&session->remote, fault);
	struct admission *admission = malloc(sizeof *admission);
	if (admission == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "accept");
	client->admission = admission;
	clients->admissions++;
	proxy_reader_start(&admission->reader, config->header.accept);
	admission->empty_since = clients->empty_since;
	admission->deadline =
		clock_earlier(clock_after(now, ADMISSION_LIMIT), clock_after(now, config->wait));
	return proxy_receiver_add(&session->remote, &admission->reader, fault);
}

void
admission_ask(const struct client *client, struct pollset *pollset)
{
	pollset_until(pollset, client->admission->deadline);
	stream_ask_open(client->session.remote, pollset);
}

/* The header is complete: takes its addresses. */
static bool
admission_take(struct client *client, struct fault *fault)
{
	const struct proxy_header *header = &client->admission->reader.header;
	struct session *session = &client->session;
	if (header->source.length == 0)
		return true;
	session->header = proxy_header_copy(header);
	char *name = address_print(&header->source);
	if (session->header == NULL || name == NULL) {
		free(name);
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "accept");
	}
	free(session->remote->name);
	session->remote->name = name;
	session->peer = header->source;
	return true;
}

/* The address is known: whether limits and access lists permit it. */
static bool
admission_permits(struct clients *clients, const struct address *peer)
{
	return listener_permits(clients->listener, peer) &&
		!limits_reject_by_host(clients, peer, 0);
}

bool
admission_step(struct clients *clients, struct client *client, const struct pollset *pollset)
{
	struct session *session = &client->session;
	struct fault *fault = &session->fault;
	const struct address from = session->peer;
	int64_t now = clients->run->engine.now;
	if (fault_is_set(fault))
		return true;
	enum io result = stream_open(session->remote, pollset, now, fault);
	if (result == IO_AGAIN && now >= client->admission->deadline)
		result = proxy_receiver_fail(session->remote, "timed out", fault);
	if (result == IO_AGAIN)
		return false;
	if (result == IO_OK && admission_take(client, fault) &&
		!admission_permits(clients, &session->peer)) {
		int64_t empty_since = client->admission->empty_since;
		admission_end(clients, client);
		if (clients->count == 1)
			clients->empty_since = empty_since;
		/* There is no other client to wait for. */
		if (clients->listener->config->accepted)
			(void)fault_set_quiet(fault, STATUS_ACCESS);
		return true;
	}
	admission_end(clients, client);
	admission_count(clients);
	if (!fault_is_set(fault))
		listener_report(session->remote->write.fd, &session->peer,
			clients->run->config->transport, session->header, &from);
	return fault_is_set(fault) || !admission_enter(clients, client, fault);
}

void
admission_end(struct clients *clients, struct client *client)
{
	clients->admissions -= client->admission != NULL;
	free(client->admission);
	client->admission = NULL;
}
