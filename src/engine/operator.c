/* The operator of a chat; see operator.h. */
#include "engine/operator.h"

#include <errno.h>

#include "engine/service.h"
#include "stream/stdio.h"

bool
operator_seat(struct clients *clients, struct fault *fault)
{
	struct run *run = clients->run;
	const struct stdio_config stdio = { .raw = run->config->raw };
	struct client *chat_operator = clients->chat_operator = clients_add(clients);
	if (chat_operator == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "standard input and output");
	const struct service_context context = clients_context(clients, chat_operator);
	struct session *session = &chat_operator->session;
	session->local = stdio_new(&stdio, fault);
	if (session->local != NULL)
		session->remote = run->config->service->init_operator(&context, fault);
	return session->remote != NULL && clients_start(clients, chat_operator, fault);
}

bool
operator_is_ending(const struct clients *clients)
{
	return clients->chat_operator != NULL && (clients->bus->ended || clients->interrupted);
}

void
operator_dismiss(struct clients *clients)
{
	if (clients->chat_operator == NULL || operator_is_ending(clients))
		return;
	(void)flow_stop(&clients->chat_operator->session.relay.out, FLOW_STOP_NOW);
	bus_end(clients->bus);
	engine_wake(&clients->run->engine, &clients->chat_operator->task);
}
