/* The digests of the plug-in are those of FIPS 180-4 (vectors of NIST) and RFC 7693. */
#include "plugin/digest.h"

#include <string.h>

#include "check.h"
#include "flow/stage.h"

static const struct {
	const char *name, *text;
	size_t times;
	const char *hex;
} digest_test_rows[] = {
	{ "sha256", "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "SHA256", "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "sha256", "a", 1000000,
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
	{ "sha512", "", 1,
		"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
		"47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
	{ "sha512", "abc", 1,
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	{ "sha512", "a", 1000000,
		"e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
		"de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b" },
	{ "blake2b", "", 1,
		"786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419"
		"d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce" },
	{ "blake2b", "abc", 1,
		"ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
		"7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923" },
	{ "blake2b", "a", 1000000,
		"98fb3efb7206fd19ebf69b6f312cf7b64e3b94dbe1a17107913975a793f177e1"
		"d077609d7fba363cbba00d05f7aa4e4fa8715d6428104c0a75643b0ff3fd3eaf" },
};

static void
digest_test_row(size_t i)
{
	unsigned char out[DIGEST_SIZE];
	char hex[2 * DIGEST_SIZE + 1];
	size_t length = 0;
	struct fault fault = FAULT_NONE;
	struct digest *digest = digest_new(digest_test_rows[i].name, &fault);
	CHECK(digest != NULL);
	if (digest == NULL) {
		fault_clear(&fault);
		return;
	}
	const char *text = digest_test_rows[i].text;
	for (size_t times = digest_test_rows[i].times; times > 0; times--)
		if (!digest_add(digest, text, strlen(text), &fault))
			break;
	CHECK(digest_finish(digest, out, &length, &fault));
	digest_hex(out, length, hex);
	CHECK(strcmp(hex, digest_test_rows[i].hex) == 0);
	CHECK(!fault_is_set(&fault));
	digest_free(digest);
}

/* The result does not depend on how large the pieces are, some of which a thread adds, nor on how
 * many digests there are at a time. */
static void
digest_test_pieces(void)
{
	static unsigned char zeros[3000000];
	static const size_t sizes[] = { 1000, 65536, 65537, 131072, 131071, 1000000, 3000000 };
	unsigned char out[24][DIGEST_SIZE];
	struct digest *list[24];
	struct fault fault = FAULT_NONE;
	size_t length;
	for (size_t i = 0; i < 24; i++) {
		size_t size = sizes[i % (sizeof sizes / sizeof sizes[0])];
		list[i] = digest_new("sha256", &fault);
		for (size_t at = 0; list[i] != NULL && at < sizeof zeros; at += size) {
			size_t left = sizeof zeros - at;
			CHECK(digest_add(list[i], zeros + at, size < left ? size : left, &fault));
		}
	}
	for (size_t i = 0; i < 24; i++) {
		CHECK(list[i] != NULL && digest_finish(list[i], out[i], &length, &fault));
		CHECK(memcmp(out[i], out[0], 32) == 0);
		digest_free(list[i]);
	}
	/* One that is not finished. */
	struct digest *left = digest_new("sha256", &fault);
	CHECK(left != NULL && digest_add(left, zeros, sizeof zeros, &fault));
	digest_free(left);
}

/* What the stage finds does not depend on the pieces, nor on how much of them passes. */
static void
digest_test_stage(size_t first, bool good)
{
	static unsigned char text[] = "abcdef";
	struct fault fault = FAULT_NONE;
	struct stage_list list;
	struct stage stages[] = { digest_stage, { .ops = NULL } };
	const struct digest_algorithm *algorithm;
	const char *hex;
	stages[0].digest.algorithm = digest_find("sha256");
	stages[0].digest.reported = stages[0].digest.expected = true;
	if (good)
		memcpy(stages[0].digest.wanted,
			"\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23"
			"\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad",
			32);
	CHECK(stage_open(&list, stages, false, &fault));
	CHECK(stage_inspects(&list) && stage_why(&list) != NULL);
	const struct iovec pieces[] = { { text, first }, { text + first, sizeof text - first } };
	stage_passed(&list, pieces, 2, 2, 0);
	CHECK(stage_check(&list, "here", false, &fault));
	stage_passed(&list, &(struct iovec){ text + 2, 1 }, 1, 1, 0);
	CHECK(stage_check(&list, "here", true, &fault) == good);
	CHECK(fault.status == (good ? STATUS_OK : STATUS_CUT));
	fault_clear(&fault);
	CHECK(digest_stage_result(&list, &algorithm, &hex) &&
		strcmp(algorithm->label, "SHA256") == 0);
	CHECK(strcmp(hex, digest_test_rows[1].hex) == 0);
	stage_close(&list);
}

int
main(void)
{
	for (size_t first = 0; first <= 6; first++)
		digest_test_stage(first, first % 2 == 0);
	for (size_t i = 0; i < sizeof digest_test_rows / sizeof digest_test_rows[0]; i++)
		digest_test_row(i);
	digest_test_pieces();
	struct fault fault = FAULT_NONE;
	CHECK(digest_find("md5") == NULL && digest_row(3) == NULL);
	CHECK(digest_new("md4", &fault) == NULL && fault_is_set(&fault));
	fault_clear(&fault);
	digest_free(NULL);
	return check_verdict("digest");
}
