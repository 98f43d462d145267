/* Framing options; see command.h. */
#include "cli/command.h"

#include <unistd.h>

#include "stream/stdio.h"

#define FRAMES_MAX ((size_t)16 * 1024 * 1024)

/* The longest line of a chat: escaped, it still fits into a datagram. */
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

/* Whether the format can be that of a standard descriptor, or of what takes its place. */
static bool
frames_fits(const struct frame *frame, int fd, const struct config *config,
	const struct options *options, struct fault *fault)
{
	const struct transport *to = config->to.transport;
	bool keeps = to != NULL ? to->message_max > 0
				: !options_runs_program(options) && stdio_keeps_messages(fd);
	return keeps || !frame->format->whole ||
		fault_set(fault, STATUS_USAGE, 0,
			"the format datagram requires a datagram or seqpacket socket as standard "
			"%s",
			fd == STDIN_FILENO ? "input" : "output");
}

bool
frames_config(struct config *config, const struct options *options, struct fault *fault)
{
	static const enum channel_oversize oversizes[] = { CHANNEL_OVERSIZE_FAIL,
		CHANNEL_OVERSIZE_TRUNCATE, CHANNEL_OVERSIZE_SKIP };
	struct config_frames *frames = &config->frames;
	const char *wire = options->text[OPTION_frame], *both = options->text[OPTION_stdio_frame];
	const char *input = options->text[OPTION_stdin_frame];
	const char *output = options->text[OPTION_stdout_frame];
	bool keeps = config->transport->message_max > 0;
	/* The default of the local side: lines for stdio; for --to datagrams, or the wire format.
	 */
	const struct transport *to = config->to.transport;
	bool to_keeps = to != NULL && to->message_max > 0;
	const char *local = to == NULL ? "line" : to_keeps ? "datagram" : wire;
	if (options_has(options, OPTION_chat))
		wire = "line";
	frames->used = wire != NULL || both != NULL || input != NULL || output != NULL;
	if (!frames->used)
		return true;
	if (wire == NULL && !keeps)
		return fault_set(
			fault, STATUS_USAGE, 0, "options: a stream requires --frame FORMAT");
	if (local == NULL && both == NULL && (input == NULL || output == NULL))
		return fault_set(fault, STATUS_USAGE, 0,
			"options: a stream of --to requires --stdio-frame FORMAT");
	if (!frames_parse(&frames->wire, wire, "datagram", options, fault) ||
		!frames_parse(
			&frames->input, input != NULL ? input : both, local, options, fault) ||
		!frames_parse(
			&frames->output, output != NULL ? output : both, local, options, fault))
		return false;
	if (frames->wire.format->whole && !keeps)
		return fault_set(fault, STATUS_USAGE, 0,
			"--frame datagram requires a datagram or seqpacket socket (-u, "
			"--seqpacket)");
	if (!frames_fits(&frames->input, STDIN_FILENO, config, options, fault) ||
		!frames_fits(&frames->output, STDOUT_FILENO, config, options, fault))
		return false;
	/* The transport keeps the length of the last message, which may be shorter. */
	frames->input.short_last = frames->wire.format->whole;
	if (options_has(options, OPTION_oversize))
		frames->oversize = oversizes[options->value[OPTION_oversize]];
	return true;
}
