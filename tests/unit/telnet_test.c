/* Telnet commands are taken out and refused, however they are cut. */
#include <string.h>

#include "check.h"
#include "stream/telnet.h"

static const struct {
	const char *in;
	size_t n;
	const char *data;
	size_t data_count;
	const char *answer;
	size_t answer_count;
} telnet_test_rows[] = {
	{ "plain", 5, "plain", 5, "", 0 },
	{ "a\377\375\001b", 5, "ab", 2, "\377\374\001", 3 },            /* DO ECHO: WONT */
	{ "\377\373\003", 3, "", 0, "\377\376\003", 3 },                /* WILL SGA: DONT */
	{ "\377\374\001\377\376\001", 6, "", 0, "", 0 },                /* refusals */
	{ "a\377\377b", 4, "a\377b", 3, "", 0 },                        /* a byte 255 */
	{ "a\377\361b", 4, "ab", 2, "", 0 },                            /* NOP */
	{ "a\377\372\030\001x\377\377y\377\360b", 12, "ab", 2, "", 0 }, /* SB … SE */
	{ "a\377", 2, "a", 1, "", 0 },                                  /* cut off */
	{ "\377\375\377", 3, "", 0, "\377\374\377", 3 },                /* an option 255 */
};

int
main(void)
{
	for (size_t i = 0; i < sizeof telnet_test_rows / sizeof telnet_test_rows[0]; i++) {
		struct telnet_parser parser = { TELNET_DATA, 0 };
		unsigned char data[64], answer[64];
		size_t data_count = 0, answer_count = 0, answered;
		for (size_t j = 0; j < telnet_test_rows[i].n; j++) {
			unsigned char byte = (unsigned char)telnet_test_rows[i].in[j];
			data_count += telnet_feed(
				&parser, byte, &data[data_count], &answer[answer_count], &answered);
			answer_count += answered;
		}
		CHECK(data_count == telnet_test_rows[i].data_count &&
			memcmp(data, telnet_test_rows[i].data, data_count) == 0);
		CHECK(answer_count == telnet_test_rows[i].answer_count &&
			memcmp(answer, telnet_test_rows[i].answer, answer_count) == 0);
	}
	return check_verdict("telnet");
}
