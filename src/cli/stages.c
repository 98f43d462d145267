/* Options that change, delay or limit the data; see command.h. */
#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "engine/service.h"
#include "flow/stage.h"
#include "frame/hex.h"
#include "mode/mode.h"

/* Parses "RATE[:BURST]". */
static bool
stages_rate(struct stage *rate, const char *text, struct fault *fault)
{
	const char *colon = strchr(text, ':');
	char *first = colon != NULL ? strndup(text, (size_t)(colon - text)) : strdup(text);
	uint64_t bytes = 0, burst = 0;
	if (first == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "--rate");
	bool good = parse_size(first, INT64_MAX, &bytes) == PARSE_OK && bytes > 0 &&
		(colon == NULL || parse_size(colon + 1, INT64_MAX, &burst) == PARSE_OK);
	free(first);
	if (!good)
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --rate '%s': expected bytes per second, such as 10M or 10M:64k",
			text);
	*rate = rate_stage;
	rate->amount = (int64_t)bytes;
	rate->burst = (size_t)burst;
	return true;
}

static bool
stages_expect(struct stage **receive, const char *text, uint64_t kept, struct fault *fault)
{
	uint64_t bytes;
	if (text == NULL)
		return true;
	if (parse_size(text, INT64_MAX, &bytes) != PARSE_OK)
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --expect '%s': expected a number of bytes, such as 4096 or 10M",
			text);
	**receive = expect_stage;
	(*receive)->expect.bytes = bytes;
	(*receive)++->expect.passed = kept;
	return true;
}

/* Parses "HEX" of the algorithm, or "NAME:HEX". */
static bool
stages_wanted(struct digest_stage *stage, const char *text, struct fault *fault)
{
	const char *colon = strchr(text, ':'), *digits = colon != NULL ? colon + 1 : text;
	const struct digest_algorithm *algorithm = stage->algorithm, *row;
	if (colon != NULL)
		algorithm = NULL;
	for (size_t i = 0; algorithm == NULL && (row = digest_row(i)) != NULL; i++)
		if (strlen(row->name) == (size_t)(colon - text) &&
			strncasecmp(row->name, text, (size_t)(colon - text)) == 0)
			algorithm = row;
	bool good = algorithm != NULL && strlen(digits) == 2 * algorithm->size &&
		hex_read(digits, algorithm->size, stage->wanted);
	stage->algorithm = algorithm;
	stage->expected = true;
	return good ||
		fault_set(fault, STATUS_VALUE, 0,
			"invalid --expect-digest '%s': expected the %zu hexadecimal digits of %s, "
			"or "
			"sha256:, sha512: or blake2b: and those of that",
			text, 2 * (algorithm != NULL ? algorithm : digest_row(0))->size,
			(algorithm != NULL ? algorithm : digest_row(0))->label);
}

/* The plug-in has to be there before anything is connected. */
static bool
stages_have_digest(const struct digest_algorithm *algorithm, struct fault *fault)
{
	struct digest *digest = digest_new(algorithm->name, fault);
	digest_free(digest);
	return digest != NULL;
}

/* Adds the digests: of what is sent and received, and the one that is expected, which is the same
 * if it can be. */
static bool
stages_digests(struct config *config, const struct options *options, struct stage **send,
	struct stage **receive, struct fault *fault)
{
	const char *name = options->text[OPTION_digest],
		   *text = options->text[OPTION_expect_digest];
	struct stage expected = digest_stage, *same = NULL;
	config->digest_file = options->text[OPTION_digest_file];
	bool reported = options_has(options, OPTION_digest) || config->digest_file != NULL;
	if (!reported && text == NULL)
		return true;
	expected.digest.algorithm = name == NULL ? digest_row(0) : digest_find(name);
	if (expected.digest.algorithm == NULL)
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --digest '%s': expected sha256, sha512 or blake2b", name);
	if (!stages_have_digest(expected.digest.algorithm, fault))
		return false;
	if (reported) {
		same = *receive;
		*same = expected;
		same->digest.reported = true;
		*(*send)++ = *(*receive)++;
	}
	if (text == NULL)
		return true;
	if (!stages_wanted(&expected.digest, text, fault))
		return false;
	if (config->files.file.resume) {
		config->files.file.algorithm = expected.digest.algorithm;
		memcpy(config->files.file.wanted, expected.digest.wanted, DIGEST_SIZE);
		return true;
	}
	if (same == NULL || same->digest.algorithm != expected.digest.algorithm)
		same = (*receive)++;
	expected.digest.reported = same->digest.reported;
	*same = expected;
	return true;
}

bool
stages_config(struct config *config, const struct options *options, struct fault *fault)
{
	struct stage *next = config->stages, *receive = config->receive_stages;
	int64_t delay = times_option(options, OPTION_delay, 0);
	if (options_has(options, OPTION_crlf))
		*next++ = crlf_stage;
	if (delay > 0) {
		*next = pace_stage;
		next++->amount = delay;
	}
	if (config->end == CONFIG_END_AUTO && config->mode == &connect_mode &&
		config->service->local == SERVICE_STDIO && config->transport->message_max == 0 &&
		!config->frames.used)
		*next++ = request_line_stage;
	if (!stages_expect(
		    &receive, options->text[OPTION_expect], config->files.file.offset, fault) ||
		!stages_digests(config, options, &next, &receive, fault))
		return false;
	if (!options_has(options, OPTION_rate))
		return true;
	if (!stages_rate(next, options->text[OPTION_rate], fault))
		return false;
	*receive = *next;
	return true;
}
