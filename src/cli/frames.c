/* The options of framing; see frames.h. */
#include "cli/frames.h"

#define FRAMES_MAX ((size_t)16 * 1024 * 1024)

/* Nobody says more in one breath, and made harmless it is no more than a datagram carries. */
#define FRAMES_CHAT_MAX ((size_t)8 * 1024)

static bool
frames_parse(struct frame *frame, const char *text, const char *otherwise,
	const struct options *options, struct fault *fault)
{
	size_t max = options_has(options, OPTION_max_message)
		? (size_t)options->value[OPTION_max_message]
		: options_has(options, OPTION_chat) ? FRAMES_CHAT_MAX
						    : FRAMES_MAX;
	if (!frame_parse(frame, text != NULL ? text : otherwise, max, fault))
		return false;
	frame->escape = options_has(options, OPTION_escape);
	frame->strict = options_has(options, OPTION_strict);
	return true;
}

bool
frames_plan(struct plan *plan, const struct options *options, struct fault *fault)
{
	static const enum carrier_oversize oversizes[] = { CARRIER_OVERSIZE_FAIL,
		CARRIER_OVERSIZE_TRUNCATE, CARRIER_OVERSIZE_SKIP };
	struct plan_frames *frames = &plan->frames;
	const char *wire = options->text[OPTION_frame], *both = options->text[OPTION_stdio_frame];
	const char *input = options->text[OPTION_stdin_frame];
	const char *output = options->text[OPTION_stdout_frame];
	bool keeps = plan->transport->message_max > 0;
	/* Somebody else than a person has them as they are, if that says where each one ends. */
	const struct transport *to = plan->to.transport;
	bool to_keeps = to != NULL && to->message_max > 0;
	const char *local = to == NULL ? "line" : to_keeps ? "datagram" : wire;
	/* A chat is made of lines. */
	if (options_has(options, OPTION_chat))
		wire = "line";
	frames->used = wire != NULL || both != NULL || input != NULL || output != NULL;
	if (!frames->used)
		return true;
	if (wire == NULL && !keeps)
		return fault_set(fault, STATUS_USAGE, 0,
			"options: how messages lie in the stream has to be said with --frame");
	if (local == NULL && both == NULL && (input == NULL || output == NULL))
		return fault_set(fault, STATUS_USAGE, 0,
			"options: how messages lie in the stream of --to has to be said with "
			"--stdio-frame");
	if (!frames_parse(&frames->wire, wire, "datagram", options, fault) ||
		!frames_parse(
			&frames->input, input != NULL ? input : both, local, options, fault) ||
		!frames_parse(
			&frames->output, output != NULL ? output : both, local, options, fault))
		return false;
	if (frames->wire.format->whole && !keeps)
		return fault_set(fault, STATUS_USAGE, 0,
			"options: --frame datagram needs a socket that keeps messages (-u, "
			"--seqpacket)");
	if ((frames->input.format->whole || frames->output.format->whole) && !to_keeps)
		return fault_set(fault, STATUS_USAGE, 0,
			"options: standard input and output keep no datagrams apart");
	/* Where the transport says how long a message is, the last one may be what is left. */
	frames->input.short_last = frames->wire.format->whole;
	if (options_has(options, OPTION_oversize))
		frames->oversize = oversizes[options->value[OPTION_oversize]];
	return true;
}
