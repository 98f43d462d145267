/* Time options; see command.h. */
#include "cli/command.h"

#include "base/clock.h"
#include "mode/mode.h"

/* RFC 8305, section 8: the recommended "Connection Attempt Delay". */
#define TIMES_STAGGER (250 * CLOCK_MILLISECOND)
/* The idle timeout of a datagram peer with -k. */
#define TIMES_PEER (60 * CLOCK_SECOND)
/* How long each of several ports or tries may take: the second retransmission of a SYN is sent
 * after 3 seconds (RFC 6298), and a neighbor that does not answer is given up then. */
#define TIMES_SCAN (4 * CLOCK_SECOND)
/* How long to wait for the greeting of the other side of a transfer. */
#define TIMES_GREETING (10 * CLOCK_SECOND)
#define TIMES_HANDSHAKE (10 * CLOCK_SECOND)
#define TIMES_LINGER (10 * CLOCK_SECOND)
/* How long a datagram probe waits for an answer, and a listener that finishes for more datagrams.
 */
#define TIMES_SILENCE (2 * CLOCK_SECOND)
/* How long a banner is waited for. */
#define TIMES_BANNER (500 * CLOCK_MILLISECOND)

int64_t
times_option(const struct options *options, enum option_id option, int64_t otherwise)
{
	return options_has(options, option) ? options->value[option] : otherwise;
}

void
times_config(struct config *config, const struct compat *compat, const struct options *options)
{
	bool listen = options_has(options, OPTION_listen);
	bool datagrams = !config->transport->connected;
	int64_t limits = times_option(options, OPTION_limits, CLOCK_NEVER);
	/* nc's -w 0: no time limit, and exit at the end of input. */
	if (limits == 0) {
		limits = CLOCK_NEVER;
		if (!listen && config->until == CONFIG_UNTIL_DEFAULT)
			config->until = CONFIG_UNTIL_INPUT;
	}
	bool repeats = config->mode == &wait_mode || config->mode == &ping_mode;
	int64_t wait = limits != CLOCK_NEVER ? limits : repeats ? TIMES_SCAN : compat->wait;
	/* A datagram probe waits only for an answer. */
	if (datagrams && (repeats || config->mode == &scan_mode) && limits == CLOCK_NEVER)
		wait = TIMES_SILENCE;
	else if (config->mode == &scan_mode && limits == CLOCK_NEVER && wait != CLOCK_NEVER &&
		(config->targets.count > 1 || targets_probes(&config->targets.list[0]) > 1))
		wait = TIMES_SCAN;
	config->wait = times_option(options, OPTION_wait, wait);
	/* A limit that was given is that of the whole probe. */
	config->banner.wait = limits != CLOCK_NEVER || options_has(options, OPTION_wait)
		? CLOCK_NEVER
		: TIMES_BANNER;
	config->transfer.greeting =
		times_option(options, OPTION_wait, clock_earlier(limits, TIMES_GREETING));
	/* Clients of a listener have less time for a handshake than a server that is connected to.
	 */
	bool limited = options_has(options, OPTION_wait) || options_has(options, OPTION_limits);
	config->tls.limit = listen && !limited ? TIMES_HANDSHAKE : config->wait;
	config->to.tls.limit = config->wait;
	config->proxy_server.limit = config->tls.limit;
	config->stagger = times_option(options, OPTION_stagger, TIMES_STAGGER);
	config->scan.silence =
		times_option(options, OPTION_wait, limits != CLOCK_NEVER ? limits : TIMES_SILENCE);
	/* With -k an idle datagram peer is closed. */
	if (datagrams && options_has(options, OPTION_keep_open) && limits == CLOCK_NEVER)
		limits = TIMES_PEER;
	config->idle = times_option(options, OPTION_idle_timeout, limits);
	config->accept_wait = times_option(options, OPTION_accept_timeout, CLOCK_NEVER);
	config->grace = times_option(options, OPTION_grace, 0);
	config->linger = times_option(options, OPTION_linger, TIMES_LINGER);
	config->quit_after = times_option(
		options, OPTION_quit_after, datagrams && !listen ? compat->silence : CLOCK_NEVER);
	if (datagrams && !listen)
		config->quit_after = clock_earlier(config->quit_after, config->idle);
	config->silence = times_option(options, OPTION_quit_after, TIMES_SILENCE);
	/* nc's -q 0 on a stream waits for the reply, like -N. */
	if (config->quit_after == 0 && !datagrams)
		config->quit_after = CLOCK_NEVER;
}
