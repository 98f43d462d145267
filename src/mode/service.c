/* What a connection meets; see service.h. */
#include "mode/service.h"

#include "stream/exec.h"
#include "stream/stdio.h"
#include "sys/sys.h"

static bool
service_init_stdio(struct stream *local, const struct plan *plan, const struct stream *remote,
	const struct address *peer, struct fault *fault)
{
	(void)remote, (void)peer;
	const struct stdio_config config = { .discard = plan->no_output, .raw = plan->raw };
	return stdio_init(local, &config, fault);
}

static bool
service_init_program(struct stream *local, const struct plan *plan, const struct stream *remote,
	const struct address *peer, struct fault *fault)
{
	struct exec_config exec = {
		.path = plan->program.path,
		.argv = plan->program.argv,
		.name = plan->program.name,
		.terminal = plan->program.terminal,
		.clear = plan->program.clear,
		.processes = plan->program.processes,
		.protocol = plan->transport->name,
		.peer = *peer,
	};
	exec.own.length = sizeof exec.own.storage;
	sys_peer_credentials(remote->wfd, &exec.from);
	if (getsockname(remote->wfd, (struct sockaddr *)&exec.own.storage, &exec.own.length) == -1)
		exec.own.length = 0;
	return exec_init(local, &exec, fault);
}

static bool
service_init_exercise(struct stream *local, const struct plan *plan, const struct stream *remote,
	const struct address *peer, struct fault *fault)
{
	(void)remote, (void)peer;
	return exercise_init(local, plan->service->exercise, !plan->transport->connected, fault);
}

const struct service service_stdio = {
	.name = "stdio", .send = true, .receive = true, .init = service_init_stdio
};
const struct service service_program = { .name = "program",
	.send = true,
	.receive = true,
	.alone = true,
	.init = service_init_program };
const struct service service_to = {
	.name = "to", .send = true, .receive = true, .alone = true, .dials = true
};
const struct service service_broker = {
	.name = "broker", .send = true, .receive = true, .broker = true
};
const struct service service_chat = {
	.name = "chat", .send = true, .receive = true, .broker = true, .chat = true
};
const struct service service_echo = { .name = "echo", .send = true, .mirror = true };
const struct service service_discard = { .name = "discard",
	.receive = true,
	.exercise = EXERCISE_DISCARD,
	.init = service_init_exercise };
const struct service service_chargen = { .name = "chargen",
	.send = true,
	.receive = true,
	.endless = true,
	.answers = true,
	.exercise = EXERCISE_CHARGEN,
	.init = service_init_exercise };
const struct service service_daytime = { .name = "daytime",
	.send = true,
	.receive = true,
	.once = true,
	.answers = true,
	.exercise = EXERCISE_DAYTIME,
	.init = service_init_exercise };
