/*
 * The relay run without a kernel: both of its streams are played by a script, a string of bytes of
 * which each decides what the next read, write, shut or wait does. Random bytes make the property
 * test, a fuzzer's bytes the fuzz target.
 *
 * While it runs, the streams check every byte they are given; at the end the rules of the contract
 * are checked against what the script did.
 */
#ifndef SOCKCAT_TESTS_SCRIPT_H
#define SOCKCAT_TESTS_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

/* What was seen over many scripts: a test that never reached a case says so. */
struct script_tally {
	unsigned long runs, clean, input_failed, output_failed, send_failed, receive_failed;
	unsigned long timed_out, signalled, half_closed, messages, late_replies, discarded;
	unsigned long on_bus, mid_message,
		queued;             /* a bus, mid_message pieces, a queue in the kernel */
	unsigned long lent, staged; /* reads that lend, stages that bytes have passed */
	unsigned long filtered;     /* a filter that opens in steps */
	unsigned long turned;       /* one of whose writes has waited for input */
};

/* Plays one script. NULL if every rule held, otherwise the rule that was broken. */
const char *script_run(const uint8_t *bytes, size_t n, struct script_tally *tally);

#endif
