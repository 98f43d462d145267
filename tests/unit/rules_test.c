/* The rules of a session as a table: what the config and the service make of both flows. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "flow/stage.h"
#include "engine/service.h"
#include "engine/rules.h"

/* How the ends of one side stop the other flow. */
static const struct {
	const char *name;
	const struct service *service;
	enum config_until until;
	enum config_end end;
	bool keep_open, with_peer, no_output, endless, terminal;
	enum flow_stop at_peer_end, at_input_end;
} rules_test_rows[] = {
	{ "neither end stops the other direction", &service_stdio, .at_peer_end = FLOW_GOES_ON },
	{ "a listener for many reads only what has arrived", &service_stdio, .keep_open = true,
		.at_peer_end = FLOW_STOP_DRAINED },
	{ "a program's output is awaited", &service_program, .keep_open = true },
	{ "nc reads only what has arrived", &service_stdio, .with_peer = true,
		.at_peer_end = FLOW_STOP_DRAINED },
	{ "a program's output is awaited by nc", &service_program, .with_peer = true },
	{ "input without an end is drained", &service_chargen, .endless = true,
		.at_peer_end = FLOW_STOP_DRAINED },
	{ "the user need not press a key", &service_stdio, .terminal = true,
		.at_peer_end = FLOW_STOP_NOW },
	{ "input without an end, at a terminal", &service_stdio, .endless = true, .terminal = true,
		.at_peer_end = FLOW_STOP_DRAINED },
	{ "--until=peer", &service_stdio, CONFIG_UNTIL_PEER, .at_peer_end = FLOW_STOP_NOW },
	{ "--until=both, at a terminal", &service_stdio, CONFIG_UNTIL_BOTH, .terminal = true },
	{ "--until=both, of many", &service_stdio, CONFIG_UNTIL_BOTH, .keep_open = true },
	{ "--until=input", &service_stdio, CONFIG_UNTIL_INPUT, .terminal = true,
		.at_input_end = FLOW_STOP_DRAINED },
	{ "--until=either", &service_stdio, CONFIG_UNTIL_EITHER, .at_peer_end = FLOW_STOP_NOW,
		.at_input_end = FLOW_STOP_DRAINED },
	{ "--end=close", &service_stdio, .end = CONFIG_END_CLOSE,
		.at_input_end = FLOW_STOP_DRAINED },
	{ "--send-only", &service_stdio, .no_output = true, .at_input_end = FLOW_STOP_DRAINED },
	{ "the answer is all", &service_daytime, .at_input_end = FLOW_STOP_DRAINED },
};

static void
rules_test_ends(void)
{
	for (size_t i = 0; i < sizeof rules_test_rows / sizeof rules_test_rows[0]; i++) {
		const struct config config = {
			.service = rules_test_rows[i].service,
			.until = rules_test_rows[i].until,
			.end = rules_test_rows[i].end,
			.keep_open = rules_test_rows[i].keep_open,
			.rules.ends_with_peer = rules_test_rows[i].with_peer,
			.no_output = rules_test_rows[i].no_output,
		};
		const struct stream local = { .caps = { .endless = rules_test_rows[i].endless,
						      .terminal = rules_test_rows[i].terminal } };
		struct relay_rules rules = rules_make(&config, &local);
		bool good = rules.at_peer_end == rules_test_rows[i].at_peer_end &&
			rules.at_input_end == rules_test_rows[i].at_input_end;
		CHECK(good);
		if (!good)
			(void)fprintf(stderr, "not so: %s\n", rules_test_rows[i].name);
	}
}

/* The formats of source and sink, of OUT and IN: I, O, W: input, output, wire; -: none. */
static const struct {
	const struct service *service;
	const char *formats;
	bool used, no_output, lent;
} rules_test_formats[] = {
	{ &service_stdio, "----", .used = false },
	{ &service_stdio, "IWWO", .used = true },
	{ &service_stdio, "--WO", .used = true, .lent = true },
	{ &service_stdio, "IW--", .used = true, .no_output = true },
	{ &service_program, "IWWO", .used = true },
	{ &service_broker, "IWWW", .used = true },
	{ &service_broker, "--WW", .used = true, .lent = true },
	{ &service_chat, "I-W-", .used = true },
	{ &service_echo, "WWWO", .used = true },
};

static char
rules_test_format(const struct config_frames *frames, const struct frame *frame)
{
	return frame == NULL               ? '-'
		: frame == &frames->input  ? 'I'
		: frame == &frames->output ? 'O'
		: frame == &frames->wire   ? 'W'
					   : '?';
}

static void
rules_test_flows(void)
{
	for (size_t i = 0; i < sizeof rules_test_formats / sizeof rules_test_formats[0]; i++) {
		const struct config config = {
			.service = rules_test_formats[i].service,
			.frames = { .used = rules_test_formats[i].used,
				.oversize = CHANNEL_OVERSIZE_SKIP },
			.no_output = rules_test_formats[i].no_output,
			.stages = { crlf_stage },
			.receive_stages = { rate_stage },
		};
		struct lender lender;
		bool lent = rules_test_formats[i].lent;
		const struct stream local = { .caps.lender = lent ? &lender : NULL };
		struct relay_rules rules = rules_make(&config, &local);
		const struct frame *frames[] = { rules.out.decode, rules.out.encode,
			rules.in.decode, rules.in.encode };
		for (size_t j = 0; j < 4; j++)
			CHECK(rules_test_format(&config.frames, frames[j]) ==
				rules_test_formats[i].formats[j]);
		CHECK(rules.out.stages == (lent ? NULL : config.stages) &&
			rules.in.stages == config.receive_stages);
		CHECK(rules.out.oversize == CHANNEL_OVERSIZE_SKIP &&
			rules.in.oversize == CHANNEL_OVERSIZE_SKIP);
	}
}

/* What the command line says goes into the rules as it is. */
static void
rules_test_values(void)
{
	struct config config = { .service = &service_stdio, .receive_limit = 3 };
	const struct stream local = { .ops = NULL };
	config.quit_after = 1;
	config.linger = 2;
	config.idle = 4;
	struct relay_rules rules = rules_make(&config, &local);
	CHECK(rules.quit_after == 1 && rules.linger == 2 && rules.idle == 4);
	CHECK(rules.receive_limit == 3 && rules.in.most == 3 && rules.out.most == 0);
	CHECK(rules.out.half_close && rules.in.half_close && rules.send && rules.receive);
	CHECK(rules.out.splice && rules.in.splice && !rules.out.lazy && !rules.served);
	CHECK(rules.out.buffer == CHANNEL_SIZE && rules.in.buffer == CHANNEL_SIZE);
	config.end = CONFIG_END_KEEP;
	config.no_splice = config.keep_open = config.no_input = true;
	rules = rules_make(&config, &local);
	CHECK(!rules.out.half_close && rules.in.half_close && !rules.send && rules.receive);
	CHECK(!rules.out.splice && !rules.in.splice && rules.out.lazy && rules.in.lazy);
	config.service = &service_chargen;
	rules = rules_make(&config, &local);
	CHECK(rules.served && rules.until_peer_leaves);
	config.service = &service_discard;
	config.no_input = false;
	rules = rules_make(&config, &local);
	CHECK(!rules.send && rules.receive);
}

int
main(void)
{
	rules_test_ends();
	rules_test_flows();
	rules_test_values();
	return check_verdict("rules");
}
