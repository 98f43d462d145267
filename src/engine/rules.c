/* The rules of a relay; see rules.h. */
#include "engine/rules.h"

#include "engine/service.h"

/* How the end of received data stops sending. */
static enum flow_stop
rules_peer_rule(const struct config *config, const struct stream *local)
{
	switch (config->until) {
	case CONFIG_UNTIL_PEER:
	case CONFIG_UNTIL_EITHER:
		return FLOW_STOP_NOW;
	case CONFIG_UNTIL_BOTH:
	case CONFIG_UNTIL_INPUT:
		return FLOW_GOES_ON;
	case CONFIG_UNTIL_DEFAULT:
		break;
	}
	/* Its input has no end. */
	if (local->caps.endless)
		return FLOW_STOP_DRAINED;
	/* Do not wait for a key press. */
	if (local->caps.terminal)
		return FLOW_STOP_NOW;
	return config->keep_open || config->rules.ends_with_peer
		? config->service->rules.at_peer_end
		: FLOW_GOES_ON;
}

/* NULL: messages have no frame there. */
static const struct frame *
rules_frame(const struct config_frames *frames, const struct frame *own, enum service_format format)
{
	return !frames->used || format == SERVICE_FORMAT_NONE ? NULL
		: format == SERVICE_FORMAT_WIRE               ? &frames->wire
							      : own;
}

struct relay_rules
rules_make(const struct config *config, const struct stream *local)
{
	const struct config_frames *frames = &config->frames;
	const struct service *service = config->service;
	/* Queued broadcasts are already encoded. */
	bool made = local->caps.lender != NULL;
	struct relay_rules rules = service->rules;
	rules.out = rules.in = (struct flow_config){
		.buffer = CHANNEL_SIZE,
		.half_close = true,
		/* A client may be idle for long. */
		.lazy = config->keep_open,
		.splice = !config->no_splice,
		.oversize = frames->oversize,
	};
	rules.out.half_close = config->end != CONFIG_END_KEEP;
	if (!made) {
		rules.out.stages = config->stages;
		rules.out.decode = rules_frame(frames, &frames->input, service->input);
		rules.out.encode = rules_frame(frames, &frames->wire, service->output);
	}
	/* Discarded output need not be messages. */
	if (!config->no_output) {
		rules.in.decode = rules_frame(frames, &frames->wire, SERVICE_FORMAT_WIRE);
		rules.in.encode = rules_frame(frames, &frames->output, service->output);
	}
	rules.in.stages = config->receive_stages;
	rules.in.most = config->receive_limit;
	/* What other clients send is not standard input. */
	if (service->local != SERVICE_BUS || !made)
		rules.send &= !config->no_input;
	rules.at_peer_end = rules_peer_rule(config, local);
	if (config->no_output || config->until == CONFIG_UNTIL_INPUT ||
		config->until == CONFIG_UNTIL_EITHER || config->end == CONFIG_END_CLOSE)
		rules.at_input_end = FLOW_STOP_DRAINED;
	rules.quit_after = config->quit_after;
	rules.linger = config->linger;
	rules.idle = config->idle;
	rules.ends_idle = config->rules.ends_idle;
	rules.receive_limit = config->receive_limit;
	return rules;
}

bool
rules_wait_for_peer(const struct config *config)
{
	const struct service *service = config->service;
	return service->local == SERVICE_PEER || service->local == SERVICE_BUS ||
		service->local == SERVICE_FILES || !service->rules.send || config->no_input;
}
