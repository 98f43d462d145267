/* The configuration of a run; see config.h. */
#include "engine/config.h"

#include <stdlib.h>

#include "base/clock.h"

struct dial_config
config_dial(const struct config *config, int64_t now)
{
	return (struct dial_config){
		.transport = config->transport,
		.to = config->endpoint,
		.sole = config->tls.tls != NULL,
		.local = config->local,
		.local_port = config->local_port,
		.options = &config->sockopts,
		.inherited = config->listen_fds_count > 0 ? config->inherited[0] : -1,
		.listen_fds_name = config->listen_fds_name,
		.deadline = clock_after(now, config->wait),
		.wait = config->wait,
		.stagger = config->stagger,
		.retry = config->retry,
		.hosts = &config->hosts,
		.quiet = config->rules.quiet_dial,
	};
}

struct dial_config
config_dial_target(
	const struct config *config, const struct target *target, uint16_t port, int64_t now)
{
	struct dial_config dial = config_dial(config, now);
	dial.transport = target->transport;
	dial.to = target->endpoint;
	if (target->ports.count > 0)
		dial.to.port = port;
	if (!target->transport->connected)
		dial.deadline = clock_after(now, config->scan.silence);
	return dial;
}

struct dial_config
config_dial_to(const struct config *config, struct retry *retried, int64_t now)
{
	/* The socket options of the command line do not apply to --to. */
	static const struct sockopts none;
	return (struct dial_config){
		.transport = config->to.transport,
		.to = config->to.endpoint,
		.sole = config->to.tls.tls != NULL,
		.options = &none,
		.inherited = -1,
		.deadline = clock_after(now, config->wait),
		.wait = config->wait,
		.stagger = config->stagger,
		.retry = config->retry,
		.retried = retried,
		.hosts = &config->hosts,
	};
}

struct proxy_sender_config
config_header(const struct config *config)
{
	return (struct proxy_sender_config){
		.version = config->header.send,
		.header = { .source = config->header.source },
		.own = true,
	};
}

bool
config_trusts(const struct config *config, const struct address *peer)
{
	return config->header.accept != 0 && proxy_trust_contains(&config->header.trust, peer);
}

void
config_close(struct config *config)
{
	targets_close(&config->targets);
	hosts_close(&config->hosts);
	proxy_close(&config->proxies);
	proxy_server_close(&config->proxy_server);
	proxy_trust_close(&config->header.trust);
	tls_free(config->tls.tls);
	tls_free(config->to.tls.tls);
	tls_files_close(&config->tls_files);
	banner_close(&config->banner);
	sockopt_close(&config->sockopts);
	acl_config_close(&config->access);
	uid_list_close(&config->users);
	free(config->listen_fds_name);
	free(config->notify);
	free(config->program.path);
	free(config->program.argv);
	free(config->transfer.files);
	free(config->transfer.tree_options);
}
