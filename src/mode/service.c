/* What a connection meets; see service.h. */
#include "mode/service.h"

#include "stream/exercise.h"
#include "stream/stdio.h"

static bool
service_init_stdio(struct stream *local, const struct plan *plan, struct fault *fault)
{
	const struct stdio_config config = { .discard = plan->no_output, .raw = plan->raw };
	return stdio_init(local, &config, fault);
}

static bool
service_init_discard(struct stream *local, const struct plan *plan, struct fault *fault)
{
	(void)plan;
	return exercise_init(local, EXERCISE_DISCARD, fault);
}

static bool
service_init_chargen(struct stream *local, const struct plan *plan, struct fault *fault)
{
	(void)plan;
	return exercise_init(local, EXERCISE_CHARGEN, fault);
}

static bool
service_init_daytime(struct stream *local, const struct plan *plan, struct fault *fault)
{
	(void)plan;
	return exercise_init(local, EXERCISE_DAYTIME, fault);
}

const struct service service_stdio = {
	.name = "stdio", .send = true, .receive = true, .init = service_init_stdio
};
const struct service service_broker = {
	.name = "broker", .send = true, .receive = true, .broker = true
};
const struct service service_echo = { .name = "echo", .send = true, .mirror = true };
const struct service service_discard = {
	.name = "discard", .receive = true, .init = service_init_discard
};
const struct service service_chargen = { .name = "chargen",
	.send = true,
	.receive = true,
	.endless = true,
	.init = service_init_chargen };
const struct service service_daytime = {
	.name = "daytime", .send = true, .receive = true, .once = true, .init = service_init_daytime
};
