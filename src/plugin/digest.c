#include "plugin/digest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "frame/hex.h"
#include "plugin/digest_ops.h"
#include "plugin/digest_thread.h"

/* What is added without a thread, which would take longer to start. */
#define DIGEST_FEW ((size_t)64 * 1024)

struct digest {
	const struct digest_algorithm *algorithm;
	void *state;                  /* the plug-in's */
	struct digest_thread *thread; /* owned; it has the state; NULL: none */
	size_t few;                   /* bytes that can be added before one starts */
};

/* The labels are those of sha256sum --tag and b2sum --tag. */
static const struct digest_algorithm digest_algorithms[] = {
	{ "sha256", "SHA256", "SHA2-256", 32 },
	{ "sha512", "SHA512", "SHA2-512", 64 },
	{ "blake2b", "BLAKE2b", "BLAKE2B-512", 64 },
	/* Of protocols that demand it; not offered to users. */
	{ "md5", "MD5", "MD5", 16 },
};
#define DIGEST_ALGORITHMS (sizeof digest_algorithms / sizeof digest_algorithms[0])
#define DIGEST_OFFERED (DIGEST_ALGORITHMS - 1)

static const struct plugin digest_plugin = { "digest", "sockcat-tls", sizeof(struct digest_ops) };

/* The plug-in's table once it is open. */
static const struct digest_ops *digest_table;

const struct digest_algorithm *
digest_row(size_t i)
{
	return i < DIGEST_OFFERED ? &digest_algorithms[i] : NULL;
}

static const struct digest_algorithm *
digest_find_among(size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(digest_algorithms[i].name, name) == 0)
			return &digest_algorithms[i];
	return NULL;
}

const struct digest_algorithm *
digest_find(const char *name)
{
	return digest_find_among(DIGEST_OFFERED, name);
}

static bool
digest_fail(const struct digest_algorithm *algorithm, struct fault *fault)
{
	return fault_set(
		fault, STATUS_MISSING, 0, "compute %s: the library failed", algorithm->label);
}

struct digest *
digest_new(const char *name, struct fault *fault)
{
	const struct digest_algorithm *algorithm = digest_find_among(DIGEST_ALGORITHMS, name);
	if (algorithm == NULL)
		return fault_set(fault, STATUS_INTERNAL, 0, "no digest '%s'", name), NULL;
	if (digest_table == NULL && (digest_table = plugin_open(&digest_plugin, fault)) == NULL)
		return NULL;
	struct digest *digest = malloc(sizeof *digest);
	if (digest == NULL)
		return fault_set(fault, STATUS_MEMORY, 0, "out of memory"), NULL;
	*digest = (struct digest){ .algorithm = algorithm,
		.state = digest_table->start(algorithm->library),
		.few = DIGEST_FEW };
	if (digest->state == NULL) {
		digest_free(digest);
		return digest_fail(algorithm, fault), NULL;
	}
	return digest;
}

bool
digest_add(struct digest *digest, const void *bytes, size_t length, struct fault *fault)
{
	if (digest->thread == NULL && length > digest->few) {
		digest->thread = digest_thread_start(digest_table, digest->state);
		/* Without a thread there will be none. */
		digest->few = SIZE_MAX;
	}
	if (digest->thread != NULL) {
		digest_thread_add(digest->thread, bytes, length);
		return true;
	}
	if (digest->few != SIZE_MAX)
		digest->few -= length;
	return digest_table->add(digest->state, bytes, length) ||
		digest_fail(digest->algorithm, fault);
}

bool
digest_finish(struct digest *digest, unsigned char out[static DIGEST_SIZE], size_t *length,
	struct fault *fault)
{
	bool good = digest_thread_end(digest->thread);
	digest->thread = NULL;
	*length = digest->algorithm->size;
	return (good && digest_table->finish(digest->state, out, *length)) ||
		digest_fail(digest->algorithm, fault);
}

void
digest_free(struct digest *digest)
{
	if (digest == NULL)
		return;
	(void)digest_thread_end(digest->thread);
	if (digest->state != NULL)
		digest_table->free(digest->state);
	free(digest);
}

void
digest_hex(const unsigned char *result, size_t length, char text[static 2 * DIGEST_SIZE + 1])
{
	for (size_t i = 0; i < length; i++) {
		text[2 * i] = (char)hex_digit(result[i] >> 4);
		text[2 * i + 1] = (char)hex_digit(result[i]);
	}
	text[2 * length] = '\0';
}
