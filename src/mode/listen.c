/* Listening: an acceptor, and the table of its clients. */
#include "engine/acceptor.h"
#include "mode/mode.h"

static bool
listen_run(struct run *run, struct fault *fault)
{
	struct acceptor acceptor;
	bool done = acceptor_open(&acceptor, run, fault) && engine_run(&run->engine, fault);
	acceptor_close(&acceptor);
	return done;
}

const struct mode listen_mode = { .name = "listen", .run = listen_run };
