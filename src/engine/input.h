/* Standard input of a listener for many clients: one task reads it and publishes it to all. */
#ifndef SOCKCAT_ENGINE_INPUT_H
#define SOCKCAT_ENGINE_INPUT_H

#include <stdbool.h>

#include "base/fault.h"
#include "engine/clients.h"
#include "flow/flow.h"

struct input {
	struct task task; /* first: found by its address */
	struct clients *clients;
	struct flow flow;
	bool open; /* the flow exists and has not ended */
};

/* Opens standard input and output for all clients, and adds the task. False and a fault. */
bool input_open(struct input *input, struct clients *clients, struct fault *fault);

/* The run is interrupted: publishes the data that was read, without waiting for a client. */
void input_interrupt(struct input *input);

/* All sessions have ended. False and a fault if data that was read has not been published. */
bool input_end(struct input *input, struct fault *fault);

/* A zeroed struct is allowed. */
void input_close(struct input *input);

#endif
