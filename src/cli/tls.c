/* Options of TLS; see command.h. */
#include "cli/command.h"

#include <string.h>

#include "base/event.h"

/* The longest name of a host (RFC 1035). */
#define TLS_NAME_MAX 255

/* The host of the command line; NULL: there is none. */
static const char *
tls_host(const struct config *config)
{
	return config->transport->names == TRANSPORT_INET ? config->endpoint.host : NULL;
}

/* The name to verify: that of the command line, or the host. */
static bool
tls_name(struct config *config, const struct options *options, bool verifies, struct fault *fault)
{
	const char *given = options->text[OPTION_ssl_servername];
	config->tls.name = given != NULL ? given : tls_host(config);
	if (given != NULL && strlen(given) > TLS_NAME_MAX)
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --ssl-servername '%s': expected at most %d characters", given,
			TLS_NAME_MAX);
	if (config->tls.name != NULL || !verifies)
		return true;
	return fault_set(fault, STATUS_USAGE, 0,
		"--ssl needs the name of the server here (--ssl-servername NAME, or --insecure)");
}

static bool
tls_check(const struct config *config, const struct options *options, struct fault *fault)
{
	bool listens = options_has(options, OPTION_listen);
	if (config->transport->message_max > 0)
		return fault_set(fault, STATUS_USAGE, 0, "--ssl conflicts with messages of %s",
			config->transport->name);
	if (listens && !options_has(options, OPTION_ssl_cert) &&
		!options_has(options, OPTION_ssl_self_signed))
		return fault_set(fault, STATUS_USAGE, 0,
			"-l --ssl requires --ssl-cert FILE or --ssl-self-signed");
	/* Without it no client is asked for a certificate. */
	if (listens && !options_has(options, OPTION_ssl_verify) &&
		(options_has(options, OPTION_pin) || options_has(options, OPTION_ssl_trustfile)))
		return fault_set(fault, STATUS_USAGE, 0, "-l --%s requires --ssl-verify",
			options_has(options, OPTION_pin) ? "pin" : "ssl-trustfile");
	return true;
}

/* The version 1.N of an option whose words are 1.2 and 1.3; 0: it is not given. */
static unsigned
tls_version(const struct options *options, enum option_id id)
{
	return options_has(options, id) ? 2 + (unsigned)options->value[id] : 0;
}

/* Sets the versions, and the lists, which belong to one version each. */
static bool
tls_policy(struct tls_settings *settings, const struct options *options, struct fault *fault)
{
	settings->least = tls_version(options, OPTION_tls_min);
	settings->most = tls_version(options, OPTION_tls_max);
	settings->ciphers = options->text[OPTION_ssl_ciphers];
	settings->ciphersuites = options->text[OPTION_ssl_ciphersuites];
	settings->groups = options->text[OPTION_ssl_groups];
	if (settings->least == 3 && settings->ciphers != NULL)
		return fault_set(fault, STATUS_USAGE, 0,
			"--ssl-ciphers conflicts with --tls-min 1.3 (use --ssl-ciphersuites)");
	return settings->most != 2 || settings->ciphersuites == NULL ||
		fault_set(fault, STATUS_USAGE, 0,
			"--ssl-ciphersuites conflicts with --tls-max 1.2 (use --ssl-ciphers)");
}

bool
tls_config(struct config *config, const struct options *options, struct fault *fault)
{
	if (!options_has(options, OPTION_ssl))
		return true;
	bool listens = options_has(options, OPTION_listen);
	struct tls_settings settings = {
		.server = listens,
		.unverified = options_has(options, OPTION_insecure),
		.demanding = options_has(options, OPTION_ssl_verify),
		.self_signed = options_has(options, OPTION_ssl_self_signed),
		.trust_file = options->text[OPTION_ssl_trustfile],
		.cert = options->text[OPTION_ssl_cert],
		.key = options->text[OPTION_ssl_key],
		.alpn = options->text[OPTION_ssl_alpn],
		.pins = options->text[OPTION_pin],
		.host = tls_host(config),
	};
	bool verifies = !settings.unverified && settings.pins == NULL;
	if (!tls_check(config, options, fault) || !tls_policy(&settings, options, fault) ||
		(!listens && !tls_name(config, options, verifies, fault)))
		return false;
	config->tls.tls = tls_new(&settings, fault);
	if (config->tls.tls == NULL)
		return false;
	if (settings.self_signed)
		event_emit(&(struct event){
			.kind = EVENT_tls_self_signed,
			.tls_pin = config->tls.tls->ops->context_pin(config->tls.tls->context),
		});
	return true;
}
