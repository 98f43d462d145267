/* Connecting again; see reconnect.h. */
#include "engine/reconnect.h"

#include "engine/clients.h"
#include "engine/service.h"

/* Data of this size are progress: the transfer continues behind whole blocks of 4 MiB. */
#define RECONNECT_PROGRESS ((uint64_t)8 * 1024 * 1024)

/* Whether the failure is one of the connection, of a peer that has sent nothing, or of a side that
 * is busy. */
static bool
reconnect_may_help(const struct stream_stats *stats, const struct fault *fault)
{
	if (fault->signal != 0)
		return false;
	if (stats->busy)
		return true;
	return stats->unfinished &&
		(fault->status == STATUS_SEND || fault->status == STATUS_RECEIVE ||
			fault->status == STATUS_CUT || fault->status == STATUS_TIMEOUT ||
			fault->status == STATUS_FRAMING);
}

bool
reconnect_wants(struct client *client, const struct fault *fault)
{
	struct session *session = &client->session;
	const struct config *config = session->run->config;
	const struct relay *relay = &session->relay;
	if (!session->connects || config->retry.most == 0 || config->listen_fds_count > 0 ||
		!config->transfer.resume || session->local == NULL ||
		!reconnect_may_help(stream_stats(session->local), fault))
		return false;
	if (relay->out.written + relay->in.written >= RECONNECT_PROGRESS)
		client->clients->retry = (struct retry){ .done = 0 };
	return true;
}
