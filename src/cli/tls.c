/* Options of TLS; see command.h. */
#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/event.h"
#include "cli/tls_sides.h"
#include "net/starttls.h"

/* The longest name of a host (RFC 1035). */
#define TLS_NAME_MAX 255

/* Whether TLS on the transport is DTLS. */
static bool
tls_is_datagrams(const struct transport *transport)
{
	return transport->names == TRANSPORT_INET && transport->type == SOCK_DGRAM &&
		transport->protocol == -1;
}

/* DTLS is for UDP only, and has no form of its own in the protocols of --starttls. */
static bool
tls_check_transport(
	const struct transport *transport, const struct options *options, struct fault *fault)
{
	if (transport->message_max > 0 && !tls_is_datagrams(transport))
		return fault_set(fault, STATUS_USAGE, 0, "--ssl conflicts with %s messages",
			transport->name);
	return !tls_is_datagrams(transport) || !options_has(options, OPTION_starttls) ||
		fault_set(fault, STATUS_USAGE, 0, "--starttls conflicts with datagrams (DTLS)");
}

static bool
tls_check(const struct config *config, const struct options *options, struct fault *fault)
{
	if (!tls_sides_check(config, options, fault))
		return false;
	if (config->to.secure && !tls_check_transport(config->to.transport, options, fault))
		return false;
	for (size_t i = 0; i < config->targets.count; i++) {
		const struct target *target = &config->targets.list[i];
		if (target->secure && !tls_check_transport(target->transport, options, fault))
			return false;
	}
	if (!options_has(options, OPTION_ssl))
		return true;
	if (!tls_check_transport(config->transport, options, fault))
		return false;
	return !options_has(options, OPTION_listen) || options_has(options, OPTION_ssl_cert) ||
		options_has(options, OPTION_ssl_self_signed) ||
		options_has(options, OPTION_psk_file) ||
		fault_set(fault, STATUS_USAGE, 0,
			"-l --ssl requires --ssl-cert FILE, --ssl-self-signed or --psk-file FILE");
}

/* The host of an endpoint; NULL: it has none. */
static const char *
tls_host(const struct transport *transport, const struct endpoint *endpoint)
{
	return transport->names == TRANSPORT_INET ? endpoint->host : NULL;
}

/* Whether a name is in the form of the DNS, as in certificates: the letters of other languages are
 * encoded (RFC 5890). */
static bool
tls_is_name(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* The name to verify: that of the command line, or the host. */
static bool
tls_name(const char **name, const char *given, const char *host, bool verifies, struct fault *fault)
{
	*name = given != NULL ? given : host;
	if (given != NULL && strlen(given) > TLS_NAME_MAX)
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --ssl-servername '%s': expected at most %d characters", given,
			TLS_NAME_MAX);
	if (given != NULL && !tls_is_name(given))
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --ssl-servername '%s': expected a name in ASCII; write its xn-- "
			"form",
			given);
	if (*name != NULL || !verifies)
		return true;
	return fault_set(fault, STATUS_USAGE, 0,
		"--ssl needs the name of the server here (--ssl-servername NAME, or --insecure)");
}

/* The same of the targets of a probe: without a name of the command line each has its own. */
static bool
tls_name_targets(const char **name, const char *given, const struct targets *targets,
	bool datagrams, bool verifies, struct fault *fault)
{
	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->list[i];
		if (!target->secure)
			continue;
		if (tls_is_datagrams(target->transport) != datagrams)
			return fault_set(fault, STATUS_USAGE, 0,
				"TLS targets conflict with DTLS targets; test them in separate "
				"runs");
		if (!tls_name(name, given, tls_host(target->transport, &target->endpoint), verifies,
			    fault))
			return false;
	}
	*name = given;
	return true;
}

/* The version 1.N of an option whose words are 1.2 and 1.3; 0: it is not given. */
static unsigned
tls_version(const struct options *options, enum option_id id)
{
	return options_has(options, id) ? 2 + (unsigned)options->value[id] : 0;
}

/* What DTLS 1.2, the only version, does not have. */
static bool
tls_check_datagrams(const struct tls_settings *settings, struct fault *fault)
{
	const char *option = settings->least == 3 ? "tls-min 1.3"
		: settings->ciphersuites != NULL  ? "ssl-ciphersuites"
						  : NULL;
	return !settings->datagrams || option == NULL ||
		fault_set(fault, STATUS_USAGE, 0,
			"--%s conflicts with datagrams: it needs TLS 1.3, and they have DTLS 1.2",
			option);
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
	if (!tls_check_datagrams(settings, fault))
		return false;
	if (settings->least == 3 && settings->ciphers != NULL)
		return fault_set(fault, STATUS_USAGE, 0,
			"--ssl-ciphers conflicts with --tls-min 1.3 (use --ssl-ciphersuites)");
	if (settings->most == 2 && settings->keys != NULL && !settings->datagrams)
		return fault_set(fault, STATUS_USAGE, 0, "--psk-file conflicts with --tls-max 1.2");
	return settings->most != 2 || settings->ciphersuites == NULL ||
		fault_set(fault, STATUS_USAGE, 0,
			"--ssl-ciphersuites conflicts with --tls-max 1.2 (use --ssl-ciphers)");
}

/* A pin alone does not look at the chain. */
static bool
tls_check_pins(const struct tls_settings *settings, struct fault *fault)
{
	if (settings->pins == NULL || settings->trust_file != NULL ||
		settings->trust_directory != NULL ||
		(settings->revoked == NULL && !settings->stapled))
		return true;
	return fault_set(fault, STATUS_USAGE, 0,
		"--%s with --pin requires --ssl-trustfile or --capath",
		settings->revoked != NULL ? "ssl-crlfile" : "ssl-staple");
}

/* The certificates of a side, each with the key behind it; a key before the first is that of the
 * first. The caller frees `identities`. */
static bool
tls_identify(struct tls_settings *settings, const struct config *config,
	const struct options *options, unsigned side, struct fault *fault)
{
	size_t count = tls_sides_has(config, options, side, OPTION_ssl_cert)
		? options->count[OPTION_ssl_cert]
		: 0;
	struct tls_identity *identities = count > 0 ? calloc(count, sizeof *identities) : NULL;
	size_t used = 0;
	settings->identities = identities;
	settings->identity_count = count;
	if (count > 0 && identities == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "TLS");
	if (count > 1 && !settings->server)
		return fault_set(
			fault, STATUS_USAGE, 0, "--ssl-cert: a client has one certificate");
	for (size_t i = 0; i < options->given_count && count > 0; i++) {
		const struct option_given *given = &options->given[i];
		const char **key = &identities[used > 0 ? used - 1 : 0].key;
		if (given->option == OPTION_ssl_cert)
			identities[used++].cert = given->text;
		if (given->option == OPTION_ssl_key && *key != NULL)
			return fault_set(fault, STATUS_USAGE, 0,
				"--ssl-key '%s': its certificate (--ssl-cert) has a key already",
				given->text);
		if (given->option == OPTION_ssl_key)
			*key = given->text;
	}
	return true;
}

/* The certificates of clients that are allowed. The caller frees `allowed`. */
static bool
tls_allow(struct tls_settings *settings, const struct options *options, struct fault *fault)
{
	size_t count = settings->demanding ? options->count[OPTION_allow_cert] : 0;
	const char **allowed = count > 0 ? calloc(count, sizeof *allowed) : NULL;
	settings->allowed = allowed;
	if (count > 0 && allowed == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "TLS");
	for (size_t i = 0; i < options->given_count && count > 0; i++)
		if (options->given[i].option == OPTION_allow_cert)
			allowed[settings->allowed_count++] = options->given[i].text;
	return true;
}

/* The transport of the connection: if ports are probed, of the first that is probed with TLS. */
static const struct transport *
tls_transport(const struct config *config)
{
	const struct targets *targets = &config->targets;
	for (size_t i = 0; i < targets->count; i++)
		if (targets->list[i].secure)
			return targets->list[i].transport;
	return config->transport;
}

/* Makes the context of a side that uses TLS. */
static bool
tls_set_up(struct tls_filter_config *tls, const struct config *config,
	const struct options *options, unsigned side, struct fault *fault)
{
	bool to = side == TLS_SIDES_TARGET;
	const struct transport *transport = to ? config->to.transport : tls_transport(config);
	const char *host = tls_host(transport, to ? &config->to.endpoint : &config->endpoint);
	struct tls_settings settings = {
		.server = !to && options_has(options, OPTION_listen),
		.datagrams = tls_is_datagrams(transport),
		.unverified = tls_sides_has(config, options, side, OPTION_insecure),
		.demanding = tls_sides_has(config, options, side, OPTION_ssl_verify),
		.self_signed = tls_sides_has(config, options, side, OPTION_ssl_self_signed),
		.trust_file = tls_sides_text(config, options, side, OPTION_ssl_trustfile),
		.trust_directory = tls_sides_text(config, options, side, OPTION_capath),
		.revoked = tls_sides_text(config, options, side, OPTION_ssl_crlfile),
		.stapled = tls_sides_has(config, options, side, OPTION_ssl_staple),
		.passphrase = tls_sides_has(config, options, side, OPTION_ssl_pass_file)
			? config->tls_files.passphrase
			: NULL,
		.keys = tls_sides_has(config, options, side, OPTION_psk_file)
			? &config->tls_files.keys
			: NULL,
		.keylog = config->tls_files.keylog != -1 ? &config->tls_files.keylog : NULL,
		.alpn = tls_sides_text(config, options, side, OPTION_ssl_alpn),
		.pins = tls_sides_text(config, options, side, OPTION_pin),
		.host = host,
	};
	bool verifies = !settings.unverified && settings.pins == NULL && settings.keys == NULL;
	tls->files = &config->tls_files;
	if (!tls_policy(&settings, options, fault) || !tls_check_pins(&settings, fault))
		return false;
	const char *given = tls_sides_text(config, options, side, OPTION_ssl_servername);
	bool probes = !to && config->targets.count > 0;
	bool named = settings.server ||
		(probes ? tls_name_targets(&tls->name, given, &config->targets, settings.datagrams,
				  verifies, fault)
			: tls_name(&tls->name, given, host, verifies, fault));
	if (!named)
		return false;
	if (!tls_identify(&settings, config, options, side, fault) ||
		!tls_allow(&settings, options, fault)) {
		tls_free_settings(&settings);
		return false;
	}
	const char *starttls = tls_sides_text(config, options, side, OPTION_starttls);
	tls->starttls = starttls != NULL ? starttls_find(starttls) : NULL;
	tls->tls = tls_new(&settings, fault);
	if (tls->tls == NULL)
		return false;
	if (settings.self_signed)
		event_emit(&(struct event){
			.kind = EVENT_tls_self_signed,
			.tls_pin = tls->tls->ops->context_pin(tls->tls->context),
		});
	return true;
}

/* The log of secrets that the environment names; NULL: none. Not of a caller with fewer privileges.
 */
static const char *
tls_keylog(void)
{
	const char *path = getenv("SSLKEYLOGFILE");
	return path != NULL && path[0] != '\0' && getuid() == geteuid() && getgid() == getegid()
		? path
		: NULL;
}

/* An identity that can be offered, of keys that are those of a client. */
static bool
tls_check_identity(const struct config *config, const struct options *options, struct fault *fault)
{
	const char *identity = options->text[OPTION_psk_identity];
	unsigned listener = options_has(options, OPTION_listen) ? TLS_SIDES_CONNECTION : 0;
	if (identity == NULL)
		return true;
	if (listener != 0 && tls_sides_has(config, options, listener, OPTION_psk_file))
		return fault_set(fault, STATUS_USAGE, 0,
			"--psk-identity conflicts with keys for clients (-l --psk-file)");
	size_t length = strlen(identity);
	return (length > 0 && length <= PSK_IDENTITY_MAX) ||
		fault_set(fault, STATUS_VALUE, 0,
			"invalid --psk-identity '%s': expected 1 to %zu characters", identity,
			PSK_IDENTITY_MAX);
}

static bool
tls_open_files(struct config *config, const struct options *options, struct fault *fault)
{
	const struct tls_files_config files = {
		.passphrase = options->text[OPTION_ssl_pass_file],
		.keys = options->text[OPTION_psk_file],
		.identity = options->text[OPTION_psk_identity],
		.peer = options->text[OPTION_peer_cert],
		.append = options_has(options, OPTION_append_output),
		.keylog = tls_keylog(),
	};
	return tls_files_open(&config->tls_files, &files, fault);
}

void
tls_imply(struct options *options)
{
	if (options_has(options, OPTION_starttls) && !options_has(options, OPTION_listen) &&
		!options_has(options, OPTION_to))
		options_imply(options, OPTION_ssl, "--starttls");
}

bool
tls_config(struct config *config, const struct options *options, struct fault *fault)
{
	unsigned sides = tls_sides_find(config, options);
	return tls_check(config, options, fault) && tls_check_identity(config, options, fault) &&
		(sides == 0 || tls_open_files(config, options, fault)) &&
		((sides & TLS_SIDES_CONNECTION) == 0 ||
			tls_set_up(&config->tls, config, options, TLS_SIDES_CONNECTION, fault)) &&
		((sides & TLS_SIDES_TARGET) == 0 ||
			tls_set_up(&config->to.tls, config, options, TLS_SIDES_TARGET, fault));
}
