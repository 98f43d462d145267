#include "engine/digests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/event.h"
#include "sys/sys.h"

bool
digests_open(struct digests *digests, const struct config *config, struct fault *fault)
{
	*digests = (struct digests){
		.path = config->digest_file, .file = { .fd = -1 }, .many = config->keep_open
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
		event_emit(&(struct event){ .kind = digests->many ? EVENT_digest_of : EVENT_digest,
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

/* The form of sha256sum --tag. Standard input and output have no name. */
static bool
digests_write_flow(const struct digests *digests, struct flow *flow, struct fault *fault)
{
	const struct digest_algorithm *algorithm;
	const char *hex;
	char line[sizeof "BLAKE2b (-) = \n" + (size_t)2 * DIGEST_SIZE];
	if (!digest_stage_result(&flow->channel.stages, &algorithm, &hex))
		return true;
	int length = snprintf(line, sizeof line, "%s (-) = %s\n", algorithm->label, hex);
	struct iovec piece = { line, (size_t)length };
	errno = 0;
	ssize_t n = digests->file.socket ? sys_send(digests->file.fd, &piece, 1, NULL, 0)
					 : sys_writev(digests->file.fd, &piece, 1);
	return n == length || fault_set(fault, STATUS_OUTPUT, errno, "write %s", digests->path);
}

bool
digests_write(const struct digests *digests, struct relay *relay, struct fault *fault)
{
	if (digests->path == NULL)
		return true;
	bool sent = relay->out.written > 0, received = relay->in.written > 0;
	return (!sent || digests_write_flow(digests, &relay->out, fault)) &&
		((sent && !received) || digests_write_flow(digests, &relay->in, fault));
}
