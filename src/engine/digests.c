#include "engine/digests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "filter/file_pattern.h"
#include "sys/sys.h"

bool
digests_open(struct digests *digests, const struct config *config, struct fault *fault)
{
	*digests = (struct digests){
		.path = config->digest_file, .file = { .fd = -1 }, .config = config
	};
	return digests->path == NULL || output_open(&digests->file, digests->path, true, fault);
}

void
digests_close(struct digests *digests)
{
	(void)sys_close(&digests->file.fd);
}

static void
digests_report_flow(
	const struct digests *digests, struct flow *flow, const char *peer, const char *direction)
{
	const struct digest_algorithm *algorithm;
	const char *hex;
	if (digest_stage_result(&flow->channel.stages, &algorithm, &hex))
		event_emit(&(struct event){
			.kind = digests->config->keep_open ? EVENT_digest_of : EVENT_digest,
			.peer = peer,
			.algorithm = algorithm->label,
			.direction = direction,
			.digest = hex });
}

void
digests_report(const struct digests *digests, struct relay *relay, const char *peer)
{
	digests_report_flow(digests, &relay->out, peer, "sent");
	digests_report_flow(digests, &relay->in, peer, "received");
}

/* The line of sha256sum --tag, in which a name with a line end or a backslash is escaped. NULL: out
 * of memory. */
static char *
digests_line(const char *label, const char *name, const char *hex, size_t *length)
{
	char *line = NULL;
	FILE *out = open_memstream(&line, length);
	if (out == NULL)
		return NULL;
	(void)fprintf(out, "%s%s (", strpbrk(name, "\\\n") != NULL ? "\\" : "", label);
	for (; *name != '\0'; name++) {
		if (*name == '\\' || *name == '\n')
			(void)fputc('\\', out);
		(void)fputc(*name == '\n' ? 'n' : *name, out);
	}
	(void)fprintf(out, ") = %s\n", hex);
	bool good = ferror(out) == 0;
	if (fclose(out) == 0 && good)
		return line;
	free(line);
	return NULL;
}

static bool
digests_write_flow(
	const struct digests *digests, struct flow *flow, const char *name, struct fault *fault)
{
	const struct digest_algorithm *algorithm;
	const char *hex;
	size_t length = 0;
	if (!digest_stage_result(&flow->channel.stages, &algorithm, &hex))
		return true;
	char *line = name != NULL ? digests_line(algorithm->label, name, hex, &length) : NULL;
	if (line == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "write %s", digests->path);
	bool good = output_put(&digests->file, digests->path, line, length, fault);
	free(line);
	return good;
}

/* The name of the file that the session has written. The caller frees it; NULL: out of memory. */
static char *
digests_name(const struct config_files *files, uint64_t number, const struct address *peer)
{
	if (files->out == NULL)
		return strdup("-");
	char *address = address_print(peer);
	char *name = address != NULL ? file_pattern_expand(files->out, number, address) : NULL;
	free(address);
	return name;
}

/* Writes the lines of a session. */
static bool
digests_write_all(const struct digests *digests, struct relay *relay, uint64_t number,
	const struct address *peer, struct fault *fault)
{
	const struct config_files *files = &digests->config->files;
	bool sent = relay->out.written > 0, received = relay->in.written > 0;
	if (sent &&
		!digests_write_flow(
			digests, &relay->out, files->in != NULL ? files->in : "-", fault))
		return false;
	if (sent && !received)
		return true;
	char *name = digests_name(files, number, peer);
	bool good = digests_write_flow(digests, &relay->in, name, fault);
	free(name);
	return good;
}

bool
digests_write(struct digests *digests, struct relay *relay, uint64_t number,
	const struct address *peer, struct fault *fault)
{
	if (digests->path == NULL)
		return true;
	digests->failed = !digests_write_all(digests, relay, number, peer, fault);
	return !digests->failed;
}
