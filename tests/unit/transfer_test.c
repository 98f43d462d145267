/* Tests the protocol of transfers and the names of files, without streams. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "transfer/file_name.h"
#include "transfer/protocol.h"

/* Takes the bytes, in pieces of `step`; the result of the last call. */
static enum protocol_result
transfer_test_take(struct protocol *protocol, const char *bytes, size_t n, size_t step,
	struct protocol_message *message, const char **why)
{
	enum protocol_result result = PROTOCOL_MORE;
	for (size_t at = 0, used; at < n && result == PROTOCOL_MORE; at += used) {
		size_t part = n - at < step ? n - at : step;
		result = protocol_take(
			protocol, (const unsigned char *)bytes + at, part, &used, message, why);
	}
	return result;
}

/* Puts the message and takes it again, in pieces of each length. */
static void
transfer_test_again(const struct protocol_message *message, const char *object)
{
	unsigned char out[PROTOCOL_MESSAGE_MAX];
	size_t n = protocol_put_message(message, out);
	CHECK(n > 0);
	if (object != NULL) {
		char *colon = memchr(out, ':', n);
		CHECK(colon != NULL && strtoul((char *)out, NULL, 10) == strlen(object));
		CHECK(colon != NULL && memcmp(colon + 1, object, strlen(object)) == 0);
	}
	for (size_t step = 1; step <= n; step += step < 8 ? 1 : n) {
		struct protocol protocol = { .greeted = message->kind != PROTOCOL_GREETING };
		struct protocol_message got;
		const char *why = NULL;
		CHECK(transfer_test_take(&protocol, (char *)out, n, step, &got, &why) ==
			PROTOCOL_DONE);
		CHECK(got.kind == message->kind && got.size == message->size);
		CHECK(got.sends == message->sends && got.sha256 == message->sha256);
		CHECK(got.offset == message->offset && got.count == message->count);
		CHECK(got.mode == message->mode && got.status == message->status);
		CHECK(got.busy == message->busy);
		CHECK(got.dated == message->dated && got.has_digest == message->has_digest);
		CHECK(got.name_length == message->name_length);
		CHECK(got.name_length == 0 ||
			memcmp(got.name, message->name, got.name_length) == 0);
		CHECK(!got.has_digest || memcmp(got.digest, message->digest, 32) == 0);
		CHECK(message->error == NULL || strcmp(got.error, message->error) == 0);
	}
}

static void
transfer_test_messages(void)
{
	char longest[FILE_NAME_MAX];
	memset(longest, 1, sizeof longest);
	transfer_test_again(
		&(struct protocol_message){ .kind = PROTOCOL_GREETING, .sends = true }, NULL);
	transfer_test_again(
		&(struct protocol_message){ .kind = PROTOCOL_GREETING, .sha256 = true }, NULL);
	transfer_test_again(&(struct protocol_message){ .kind = PROTOCOL_FILE,
				    .name = "a\"\xc3\xa4",
				    .name_length = 4,
				    .size = INT64_MAX,
				    .mode = 0644,
				    .dated = true,
				    .mtime = 5,
				    .nsec = 999999999 },
		"{\"type\":\"file\",\"name\":\"a\\\"\xc3\xa4\",\"size\":9223372036854775807,"
		"\"mode\":420,\"mtime\":5,\"nsec\":999999999}");
	transfer_test_again(
		&(struct protocol_message){
			.kind = PROTOCOL_FILE, .name = "\xff\xfe", .name_length = 2 },
		"{\"type\":\"file\",\"name64\":\"//4=\",\"size\":0,\"mode\":0}");
	transfer_test_again(
		&(struct protocol_message){
			.kind = PROTOCOL_FILE, .name = longest, .name_length = sizeof longest },
		NULL);
	transfer_test_again(
		&(struct protocol_message){ .kind = PROTOCOL_TREE, .name = "d", .name_length = 1 },
		"{\"type\":\"tar\",\"name\":\"d\"}");
	transfer_test_again(&(struct protocol_message){ .kind = PROTOCOL_READY, .offset = 7 },
		"{\"type\":\"ready\",\"offset\":7}");
	transfer_test_again(&(struct protocol_message){ .kind = PROTOCOL_READY,
				    .offset = 4194304,
				    .has_digest = true,
				    .digest = { 7, [31] = 1 } },
		NULL);
	transfer_test_again(&(struct protocol_message){ .kind = PROTOCOL_START, .offset = 8 },
		"{\"type\":\"start\",\"offset\":8}");
	transfer_test_again(&(struct protocol_message){ .kind = PROTOCOL_DATA, .size = 1 },
		"{\"type\":\"data\",\"size\":1}");
	transfer_test_again(&(struct protocol_message){ .kind = PROTOCOL_FINISHED,
				    .has_digest = true,
				    .digest = { 1, 255, [31] = 9 } },
		NULL);
	transfer_test_again(
		&(struct protocol_message){ .kind = PROTOCOL_STORED }, "{\"type\":\"stored\"}");
	transfer_test_again(&(struct protocol_message){ .kind = PROTOCOL_END, .count = 3 },
		"{\"type\":\"end\",\"count\":3}");
	transfer_test_again(&(struct protocol_message){ .kind = PROTOCOL_ERROR,
				    .status = 23,
				    .error = "write \"x\": \xe2\x82\xac" },
		"{\"type\":\"error\",\"status\":23,\"error\":\"write \\\"x\\\": \xe2\x82\xac\"}");
	transfer_test_again(
		&(struct protocol_message){
			.kind = PROTOCOL_ERROR, .status = 23, .busy = 1, .error = "x" },
		"{\"type\":\"error\",\"status\":23,\"busy\":1,\"error\":\"x\"}");
}

static void
transfer_test_longest(void)
{
	unsigned char out[PROTOCOL_MESSAGE_MAX];
	char *error = malloc(100000);
	CHECK(error != NULL);
	for (int byte = 1; byte < 256 && error != NULL; byte++) {
		struct protocol protocol = { .greeted = true };
		struct protocol_message got;
		const char *why = NULL;
		memset(error, byte, 99999);
		error[99999] = '\0';
		size_t n = protocol_put_message(
			&(struct protocol_message){
				.kind = PROTOCOL_ERROR, .status = 23, .error = error },
			out);
		CHECK(transfer_test_take(&protocol, (char *)out, n, n, &got, &why) ==
			PROTOCOL_DONE);
	}
	free(error);
}

/* What no other side may send; `greeted`: behind the greeting. */
static void
transfer_test_bad(void)
{
	static const struct {
		bool greeted;
		const char *bytes;
	} rows[] = {
		{ false, "S" },
		{ false, "sockcat-transfer 2 sender\n" },
		{ false, "sockcat-transfer 1 sandman\n" },
		{ false, "sockcat-transfer 1 senders\n" },
		{ false, "sockcat-transfer 1 sender\r\n" },
		{ true, "{" },
		{ true, ":" },
		{ true, "02:{}," },
		{ true, "0:," },
		{ true, "2:{};" },
		{ true, "2:{}," },
		{ true, "4097:" },
		{ true, "99999:" },
		{ true, "-1:" },
		{ true, "18:{\"type\":\"stored\"}x," },
		{ true, "17:{\"type\":\"storED\"}," },
		{ true, "10:{\"type\":1}," },
		{ true, "26:{\"type\":\"data\",\"size\":\"1\"}," },
		{ true, "25:{\"type\":\"data\",\"size\":-1}," },
		{ true, "26:{\"type\":\"data\",\"size\":1.5}," },
		{ true, "26:{\"type\":\"data\",\"size\":1e5}," },
		{ true, "42:{\"type\":\"data\",\"size\":9223372036854775808}," },
		{ true, "15:{\"type\":\"data\"}," },
		{ true, "33:{\"type\":\"file\",\"size\":1,\"mode\":1}," },
		{ true, "30:{\"type\":\"done\",\"digest\":\"00ff\"}," },
		{ true, "22:{\"type\":\"ready\",\"type\"," },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct protocol protocol = { .greeted = rows[i].greeted };
		struct protocol_message got;
		const char *why = NULL;
		size_t n = strlen(rows[i].bytes);
		enum protocol_result result =
			transfer_test_take(&protocol, rows[i].bytes, n, 1, &got, &why);
		CHECK(result == PROTOCOL_BAD);
		if (result != PROTOCOL_BAD)
			(void)fprintf(stderr, "row %zu: %s\n", i, rows[i].bytes);
	}
}

/* A greeting of a later version may have more words. */
static void
transfer_test_greeting(void)
{
	static const char *const greetings[] = { "sockcat-transfer 1 sender\n",
		"sockcat-transfer 1 sender sha512 sha256 zstd\n",
		"sockcat-transfer 1 sender sha256x sha512\n" };
	for (size_t i = 0; i < 3; i++) {
		struct protocol protocol = { .greeted = false };
		struct protocol_message got;
		const char *why = NULL;
		CHECK(transfer_test_take(&protocol, greetings[i], strlen(greetings[i]), 100, &got,
			      &why) == PROTOCOL_DONE);
		CHECK(got.sends && got.sha256 == (i == 1));
	}
}

static void
transfer_test_names(void)
{
	static const char *const good[] = { "a", "...", ".a", "a b", "\xc3\xa4", "\xff\xfe",
		"a.part", "\xc2\xa0", "-rf", "~", "*" };
	static const char *const bad[] = { "", ".", "..", "/", "a/b", "../a", "/etc/passwd", "a\n",
		"\x1b[2J", "\x7f", "\xc2\x9b", ".a.part", ".a.part.blocks" };
	char name[FILE_NAME_MAX + 1];
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		CHECK(file_name_refuse(good[i], strlen(good[i])) == NULL);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK(file_name_refuse(bad[i], strlen(bad[i])) != NULL);
	memset(name, 'a', sizeof name);
	CHECK(file_name_refuse(name, FILE_NAME_MAX) == NULL);
	CHECK(file_name_refuse(name, FILE_NAME_MAX + 1) != NULL);
	CHECK(file_name_refuse("a\0b", 3) != NULL);
	CHECK(strcmp(file_name_of("a/b"), "b") == 0 && strcmp(file_name_of("b"), "b") == 0);
	CHECK(strcmp(file_name_of("a/"), "") == 0);
}

int
main(void)
{
	transfer_test_messages();
	transfer_test_longest();
	transfer_test_bad();
	transfer_test_greeting();
	transfer_test_names();
	return check_verdict("transfer");
}
