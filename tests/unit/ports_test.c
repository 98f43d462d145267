/* Lists of ports: exact, without duplicates, in order (faults H96, N166). */
#include <string.h>

#include "check.h"
#include "net/ports.h"

/* Whether the text is valid, the number of ports, the first and the last one. */
static const struct {
	const char *text;
	bool good;
	size_t count;
	uint16_t first, last;
} ports_test_rows[] = {
	{ "80", true, 1, 80, 80 },
	{ "http", true, 1, 80, 80 },
	{ "20-30", true, 11, 20, 30 },
	{ "80,443", true, 2, 80, 443 },
	{ "443,80,http,80-81", true, 3, 443, 81 },
	{ "1-65535", true, 65535, 1, 65535 },
	{ "1-65535,1-65535", true, 65535, 1, 65535 },
	{ "7-7", true, 1, 7, 7 },
	{ "", false, 0, 0, 0 },
	{ ",", false, 0, 0, 0 },
	{ "80,", false, 0, 0, 0 },
	{ "0", false, 0, 0, 0 },
	{ "0-3", false, 0, 0, 0 },
	{ "30-20", false, 0, 0, 0 },
	{ "20-", false, 0, 0, 0 },
	{ "-20", false, 0, 0, 0 },
	{ "20-65536", false, 0, 0, 0 },
	{ "20-30-40", false, 0, 0, 0 },
	{ "20 - 30", false, 0, 0, 0 },
	{ "00000000000000000080-90", false, 0, 0, 0 },
	{ "http-https", false, 0, 0, 0 },
	{ "no-such-service", false, 0, 0, 0 },
};

int
main(void)
{
	const struct transport *tcp = transport_find(TRANSPORT_INET, false, false, -1);
	for (size_t i = 0; i < sizeof ports_test_rows / sizeof ports_test_rows[0]; i++) {
		struct ports ports = { .list = NULL };
		struct fault fault = FAULT_NONE;
		char text[64];
		(void)snprintf(text, sizeof text, "%s", ports_test_rows[i].text);
		bool good = ports_add(&ports, text, tcp, &fault);
		if (good != ports_test_rows[i].good)
			(void)fprintf(stderr, "ports '%s'\n", text);
		CHECK(good == ports_test_rows[i].good);
		CHECK(good || fault.status == STATUS_VALUE);
		CHECK(strcmp(text, ports_test_rows[i].text) == 0);
		if (good) {
			CHECK(ports.count == ports_test_rows[i].count);
			CHECK(ports.list[0] == ports_test_rows[i].first);
			CHECK(ports.list[ports.count - 1] == ports_test_rows[i].last);
		}
		fault_clear(&fault);
		ports_close(&ports);
	}

	/* Shuffled, they are the same ports in another order. */
	struct ports ports = { .list = NULL };
	struct fault fault = FAULT_NONE;
	char all[] = "1-1000";
	unsigned long sum = 0;
	bool moved = false;
	CHECK(ports_add(&ports, all, tcp, &fault));
	ports_shuffle(&ports, 42);
	for (size_t i = 0; i < ports.count; i++) {
		sum += ports.list[i];
		moved |= ports.list[i] != i + 1;
	}
	CHECK(ports.count == 1000 && sum == 500500 && moved);
	ports_close(&ports);
	return check_verdict("ports");
}
