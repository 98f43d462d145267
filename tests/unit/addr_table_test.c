/* Who is in: what a list of all would find, found and counted, while they come and go. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "check.h"
#include "engine/addr_table.h"

#define PEERS 600
#define TURNS 20000

/* Memory is there unless `poor`. */
static bool poor;
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *
__wrap_calloc(size_t count, size_t size)
{
	return poor ? NULL : __real_calloc(count, size);
}

static struct address
inet(unsigned host, unsigned port)
{
	struct address address = { .length = sizeof(struct sockaddr_in) };
	struct sockaddr_in *in = (struct sockaddr_in *)&address.storage;
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(0x7f000000u + host);
	in->sin_port = htons((uint16_t)port);
	return address;
}

static struct address
inet6(unsigned host, unsigned port, unsigned scope, unsigned flow)
{
	struct address address = { .length = sizeof(struct sockaddr_in6) };
	struct sockaddr_in6 *in = (struct sockaddr_in6 *)&address.storage;
	in->sin6_family = AF_INET6;
	in->sin6_addr.s6_addr[15] = (uint8_t)host;
	in->sin6_port = htons((uint16_t)port);
	in->sin6_scope_id = scope;
	in->sin6_flowinfo = flow;
	return address;
}

static struct address
local(const char *path)
{
	struct address address = { .storage = { .ss_family = AF_UNIX } };
	struct sockaddr_un *un = (struct sockaddr_un *)&address.storage;
	memcpy(un->sun_path, path, strlen(path));
	address.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	return address;
}

static void
test_kinds(void)
{
	struct address addresses[] = { inet(1, 1), inet(1, 2), inet(2, 1), inet6(1, 1, 0, 0),
		inet6(1, 1, 7, 0), inet6(1, 2, 0, 0), inet6(2, 1, 0, 0), local("a"), local("ab"),
		{ .length = 0 } };
	enum { COUNT = sizeof addresses / sizeof addresses[0] };
	struct addr_table_entry entries[COUNT] = { { .address = NULL } };
	struct addr_table table;
	addr_table_open(&table, false);
	for (size_t i = 0; i < COUNT; i++) {
		CHECK(addr_table_find(&table, &addresses[i]) == NULL);
		CHECK(addr_table_add(&table, &entries[i], &addresses[i]));
	}
	for (size_t i = 0; i < COUNT; i++)
		CHECK(addr_table_find(&table, &addresses[i]) == &entries[i] &&
			addr_table_count(&table, &addresses[i]) == 1);
	/* What makes no difference to who it is. */
	struct address flow = inet6(1, 1, 0, 99);
	CHECK(addr_table_find(&table, &flow) == &entries[3]);
	addr_table_remove(&table, &entries[3]);
	addr_table_remove(&table, &entries[3]);
	CHECK(addr_table_find(&table, &flow) == NULL && table.count == COUNT - 1);
	addr_table_close(&table);
}

/* An entry is added or removed at each turn; with `hosts` six ports of each host. */
static void
test_turns(bool hosts)
{
	static struct address addresses[PEERS];
	static struct addr_table_entry entries[PEERS];
	struct addr_table table;
	memset(entries, 0, sizeof entries);
	for (unsigned i = 0; i < PEERS; i++)
		addresses[i] = inet(i / 6, 1000 + i % 6);
	addr_table_open(&table, hosts);
	srand(hosts);
	for (unsigned turn = 0; turn < TURNS; turn++) {
		unsigned who = (unsigned)rand() % PEERS;
		size_t same = 0;
		poor = turn % 3 == 0 && table.size > 0;
		if (entries[who].address != NULL)
			addr_table_remove(&table, &entries[who]);
		else
			CHECK(addr_table_add(&table, &entries[who], &addresses[who]));
		unsigned asked = (unsigned)rand() % PEERS;
		for (unsigned i = asked - asked % 6; i < asked - asked % 6 + 6; i++)
			same += entries[i].address != NULL && (hosts || i == asked);
		CHECK(addr_table_count(&table, &addresses[asked]) == same);
		CHECK((addr_table_find(&table, &addresses[asked]) != NULL) == (same > 0));
	}
	poor = false;
	CHECK(table.size >= 64);
	addr_table_close(&table);
}

static void
test_no_memory(void)
{
	struct addr_table table;
	struct addr_table_entry entry = { .address = NULL };
	struct address address = inet(1, 1);
	addr_table_open(&table, false);
	poor = true;
	CHECK(!addr_table_add(&table, &entry, &address));
	addr_table_remove(&table, &entry);
	CHECK(addr_table_find(&table, &address) == NULL && addr_table_count(&table, &address) == 0);
	poor = false;
	addr_table_close(&table);
}

/* Two runs have two secrets. */
static void
test_secret(void)
{
	struct addr_table one, two;
	addr_table_open(&one, false);
	addr_table_open(&two, false);
	CHECK(one.key.low != two.key.low && one.key.high != two.key.high);
	addr_table_close(&one);
	addr_table_close(&two);
}

int
main(void)
{
	test_kinds();
	test_turns(false);
	test_turns(true);
	test_no_memory();
	test_secret();
	return check_verdict("table");
}
