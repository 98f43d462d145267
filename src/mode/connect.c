/* Connecting: the table of clients with one session, whose remote side is dialled. */
#include "engine/clients.h"
#include "mode/mode.h"

static bool
connect_run(struct run *run, struct fault *fault)
{
	struct clients clients;
	clients_open(&clients, run, NULL);
	bool done = clients_connect(&clients, NULL, fault) && engine_run(&run->engine, fault);
	clients_close(&clients);
	return done;
}

const struct mode connect_mode = { .name = "connect", .run = connect_run };
