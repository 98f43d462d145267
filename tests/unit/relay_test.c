/*
 * The relay's property test: 100,000 random scripts (script.h), reproducible by their numbers.
 * `relay_test FIRST [COUNT]` plays others.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>

#include "check.h"
#include "script.h"

static uint64_t relay_test_state;

/* splitmix64: every number starts a run that is independent of its neighbours. */
static uint64_t
relay_test_random(void)
{
	uint64_t z = relay_test_state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

int
main(int argc, char *argv[])
{
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
	struct script_tally tally = { .runs = 0 };
	static uint8_t bytes[1024];

	for (uint64_t number = first; number < first + count; number++) {
		relay_test_state = number * UINT64_C(0xd1342543de82ef95);
		size_t n = relay_test_random() % sizeof bytes;
		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)relay_test_random();
		const char *broken = script_run(bytes, n, &tally);
		CHECK(broken == NULL);
		if (broken != NULL) {
			(void)fprintf(stderr, "script %" PRIu64 ": not so: %s\n", number, broken);
			if (check_failed >= 10)
				break;
		}
	}
	(void)printf("%lu runs: clean %lu, input failed %lu, output failed %lu, send failed %lu, "
		     "receive failed %lu, timed out %lu, signalled %lu; half-closed %lu, "
		     "answered after that %lu, with messages %lu, not heard %lu, "
		     "from a bus %lu, with mid_message pieces %lu, with a queue in the kernel %lu, "
		     "with a filter %lu, one that wrote when it could read %lu, "
		     "lent %lu, through stages %lu\n",
		tally.runs, tally.clean, tally.input_failed, tally.output_failed, tally.send_failed,
		tally.receive_failed, tally.timed_out, tally.signalled, tally.half_closed,
		tally.late_replies, tally.messages, tally.discarded, tally.on_bus,
		tally.mid_message, tally.queued, tally.filtered, tally.turned, tally.lent,
		tally.staged);
	/* Each case was really played, and not just by accident. */
	unsigned long enough = count >= 100000 ? 1000 : 0;
	CHECK(tally.clean >= enough && tally.input_failed >= enough);
	CHECK(tally.output_failed >= enough && tally.send_failed >= enough);
	CHECK(tally.receive_failed >= enough && tally.timed_out >= enough);
	CHECK(tally.signalled >= enough && tally.half_closed >= enough);
	CHECK(tally.late_replies >= enough && tally.messages >= enough);
	CHECK(tally.discarded >= enough && tally.on_bus >= enough);
	CHECK(tally.lent >= enough && tally.staged >= enough);
	CHECK(tally.mid_message >= enough && tally.queued >= enough);
	CHECK(tally.filtered >= enough && tally.turned >= enough);
	return check_verdict("relay");
}
