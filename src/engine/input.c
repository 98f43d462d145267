/* Standard input for many clients; see input.h. */
#include "engine/input.h"

#include <inttypes.h>

#include "engine/service.h"

/* Standard input is read only while there is a subscriber. */
static bool
input_is_wanted(const struct input *input)
{
	return input->open && input->clients->mux.bus.subscribers > 0;
}

static void
input_ask(struct task *task, struct pollset *pollset, int64_t now)
{
	struct input *input = (struct input *)task;
	if (input_is_wanted(input))
		flow_ask(&input->flow, pollset, now);
}

/* One step of the flow. False and a fault if it has failed. */
static bool
input_step_flow(
	struct input *input, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct flow *flow = &input->flow;
	flow_step(flow, pollset, now);
	input->open = flow->state != FLOW_DONE;
	bus_expect(&input->clients->mux.bus, flow->read != flow->written);
	if (!fault_is_set(&flow->fault))
		return true;
	fault_move(fault, &flow->fault);
	return false;
}

static bool
input_step(struct task *task, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct input *input = (struct input *)task;
	bool good = !input_is_wanted(input) || input_step_flow(input, pollset, now, fault);
	clients_wake(input->clients);
	return good;
}

static const struct task_ops input_task = {
	.name = "input", .shared = true, .ask = input_ask, .step = input_step
};

bool
input_open(struct input *input, struct clients *clients, struct fault *fault)
{
	const struct config *config = clients->run->config;
	const struct config_frames *frames = &config->frames;
	/* A broker's clients get standard input, too, but write to each other only; its end is not
	 * theirs, and a file is sent once. */
	bool broker = config->service->local == SERVICE_BUS;
	const struct config_files *files = &config->files;
	const struct stdio_config stdio = { .input = files->in,
		.output = files->device,
		.discard = config->no_output || broker || files->out != NULL,
		.raw = config->raw };
	const struct flow_config flow = {
		.buffer = CHANNEL_SIZE,
		.half_close = !broker,
		.stages = config->stages,
		.decode = frames->used ? &frames->input : NULL,
		.encode = frames->used ? &frames->wire : NULL,
		.oversize = frames->oversize,
	};
	input->clients = clients;
	clients->input = &input->task;
	if (!stdio_mux_open(&clients->mux, &stdio, !config->no_input && !broker,
		    clients->message_max, fault))
		return false;
	input->open = !config->no_input && !clients->mux.file;
	if (input->open &&
		!flow_open(&input->flow, clients->mux.stdio, clients->mux.publisher, &flow,
			clients->run->engine.now, fault))
		return false;
	return engine_add(&clients->run->engine, &input->task, &input_task, fault);
}

void
input_interrupt(struct input *input)
{
	struct clients *clients = input->clients;
	if (!input->open)
		return;
	input->flow.half_close = false;
	(void)flow_stop(&input->flow, FLOW_STOP_NOW);
	do
		flow_step(&input->flow, &input->task.entry.pollset, clients->run->engine.now);
	while (input->flow.state != FLOW_DONE && clients->mux.publisher->write.at == STREAM_NOW);
	input->open = false;
}

bool
input_end(struct input *input, struct fault *fault)
{
	struct flow *flow = &input->flow;
	if (!input->open)
		return true;
	if (flow->read != flow->written)
		return fault_set(fault, STATUS_SEND, 0,
			"send to all clients: no client is left, %" PRIu64
			" bytes of standard input were not sent",
			flow->read - flow->written);
	(void)flow_stop(flow, FLOW_STOP_NOW);
	return input_step_flow(
		input, &input->task.entry.pollset, input->clients->run->engine.now, fault);
}

void
input_close(struct input *input)
{
	if (input->clients == NULL)
		return;
	engine_remove(&input->clients->run->engine, &input->task);
	flow_close(&input->flow);
	stdio_mux_close(&input->clients->mux);
}
