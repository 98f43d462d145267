/* Options of TLS; see command.h. */
#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"

/* The longest name of a host (RFC 1035). */
#define TLS_NAME_MAX 255

/* The sides of a run that may use TLS, as a set. */
#define TLS_CONNECTION 1U /* the connections */
#define TLS_TARGET 2U     /* the target of --to */
#define TLS_BOTH (TLS_CONNECTION | TLS_TARGET)

/* The options that are not of every side. */
static const struct tls_option {
	enum option_id option;
	bool client, listener; /* of which role */
	bool verifies;         /* of a listener: only if it asks for certificates */
	bool first;            /* of the listener alone, if both sides could use it */
	bool shared;           /* of both sides, if both can use it */
} tls_options[] = {
	{ OPTION_ssl_cert, true, true, false, true, false },
	{ OPTION_ssl_key, true, true, false, true, false },
	{ OPTION_ssl_self_signed, false, true, false, true, false },
	{ OPTION_ssl_verify, false, true, false, true, false },
	{ OPTION_allow_cert, false, true, true, true, false },
	{ OPTION_ssl_servername, true, false, false, false, false },
	{ OPTION_insecure, true, false, false, false, false },
	{ OPTION_ssl_trustfile, true, true, true, false, true },
	{ OPTION_capath, true, true, true, false, true },
	{ OPTION_ssl_crlfile, true, true, true, false, true },
	{ OPTION_ssl_staple, true, false, false, false, false },
	{ OPTION_pin, true, true, true, false, false },
	{ OPTION_ssl_alpn, true, true, false, false, false },
};
#define TLS_OPTIONS (sizeof tls_options / sizeof tls_options[0])

/* The sides that use TLS. */
static unsigned
tls_sides(const struct config *config, const struct options *options)
{
	return (options_has(options, OPTION_ssl) ? TLS_CONNECTION : 0) |
		(config->to.secure ? TLS_TARGET : 0);
}

/* The sides that an option is of. */
static unsigned
tls_owners(const struct tls_option *row, const struct options *options, unsigned sides)
{
	bool listens = options_has(options, OPTION_listen);
	bool listener =
		row->listener && (!row->verifies || options_has(options, OPTION_ssl_verify));
	unsigned owners = row->client ? sides & TLS_TARGET : 0;
	if (listens ? listener : row->client)
		owners |= sides & TLS_CONNECTION;
	return owners == TLS_BOTH && listens && row->first ? TLS_CONNECTION : owners;
}

/* Whether an option was given for this side. */
static bool
tls_has(const struct config *config, const struct options *options, unsigned side,
	enum option_id option)
{
	unsigned owners = TLS_BOTH;
	for (size_t i = 0; i < TLS_OPTIONS; i++)
		if (tls_options[i].option == option)
			owners = tls_owners(&tls_options[i], options, tls_sides(config, options));
	return options_has(options, option) && (owners & side) != 0;
}

/* The argument of an option for this side; NULL: it was not given. */
static const char *
tls_text(const struct config *config, const struct options *options, unsigned side,
	enum option_id option)
{
	return tls_has(config, options, side, option) ? options->text[option] : NULL;
}

/* An option that no side can use, or of which it is not clear which side it is of. */
static bool
tls_refuse(const struct tls_option *row, const struct options *options, unsigned owners,
	struct fault *fault)
{
	const char *name = option_rows[row->option].name;
	bool listens = options_has(options, OPTION_listen);
	if (owners == TLS_BOTH)
		return fault_set(fault, STATUS_USAGE, 0,
			"--%s conflicts with TLS on both sides of --to: is it for the %s or for "
			"the target?",
			name, listens ? "clients" : "server");
	if (!listens)
		return fault_set(fault, STATUS_USAGE, 0, "--%s requires -l", name);
	if (!row->listener)
		return fault_set(fault, STATUS_USAGE, 0,
			"--%s conflicts with -l without --to tls://...", name);
	return fault_set(fault, STATUS_USAGE, 0, "-l --%s requires --%s", name,
		row->verifies ? "ssl-verify" : "ssl");
}

/* No option may be without effect. A client verifies without --ssl-verify, too. */
static bool
tls_check_options(const struct config *config, const struct options *options, struct fault *fault)
{
	unsigned sides = tls_sides(config, options);
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (sides == 0 && options->count[i] > 0 && option_rows[i].group == OPTION_GROUP_TLS)
			return fault_set(fault, STATUS_USAGE, 0,
				"--%s requires --ssl or an endpoint tls://...",
				option_rows[i].name);
	for (size_t i = 0; i < TLS_OPTIONS; i++) {
		const struct tls_option *row = &tls_options[i];
		unsigned owners = tls_owners(row, options, sides);
		bool useless = owners == 0 &&
			(row->option != OPTION_ssl_verify || options_has(options, OPTION_listen));
		if (options_has(options, row->option) &&
			(useless || (owners == TLS_BOTH && !row->shared)))
			return tls_refuse(row, options, owners, fault);
	}
	return true;
}

static bool
tls_check(const struct config *config, const struct options *options, struct fault *fault)
{
	if (!tls_check_options(config, options, fault))
		return false;
	if (!options_has(options, OPTION_ssl))
		return true;
	if (config->transport->message_max > 0)
		return fault_set(fault, STATUS_USAGE, 0, "--ssl conflicts with messages of %s",
			config->transport->name);
	return !options_has(options, OPTION_listen) || options_has(options, OPTION_ssl_cert) ||
		options_has(options, OPTION_ssl_self_signed) ||
		fault_set(fault, STATUS_USAGE, 0,
			"-l --ssl requires --ssl-cert FILE or --ssl-self-signed");
}

/* The host of an endpoint; NULL: it has none. */
static const char *
tls_host(const struct transport *transport, const struct endpoint *endpoint)
{
	return transport->names == TRANSPORT_INET ? endpoint->host : NULL;
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
	if (*name != NULL || !verifies)
		return true;
	return fault_set(fault, STATUS_USAGE, 0,
		"--ssl needs the name of the server here (--ssl-servername NAME, or --insecure)");
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
	size_t count = tls_has(config, options, side, OPTION_ssl_cert)
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

/* Makes the context of a side that uses TLS. */
static bool
tls_set_up(struct tls_filter_config *tls, const struct config *config,
	const struct options *options, unsigned side, struct fault *fault)
{
	const char *host = side == TLS_TARGET ? tls_host(config->to.transport, &config->to.endpoint)
					      : tls_host(config->transport, &config->endpoint);
	struct tls_settings settings = {
		.server = side == TLS_CONNECTION && options_has(options, OPTION_listen),
		.unverified = tls_has(config, options, side, OPTION_insecure),
		.demanding = tls_has(config, options, side, OPTION_ssl_verify),
		.self_signed = tls_has(config, options, side, OPTION_ssl_self_signed),
		.trust_file = tls_text(config, options, side, OPTION_ssl_trustfile),
		.trust_directory = tls_text(config, options, side, OPTION_capath),
		.revoked = tls_text(config, options, side, OPTION_ssl_crlfile),
		.stapled = tls_has(config, options, side, OPTION_ssl_staple),
		.alpn = tls_text(config, options, side, OPTION_ssl_alpn),
		.pins = tls_text(config, options, side, OPTION_pin),
		.host = host,
	};
	bool verifies = !settings.unverified && settings.pins == NULL;
	if (!tls_policy(&settings, options, fault) || !tls_check_pins(&settings, fault))
		return false;
	if (!settings.server &&
		!tls_name(&tls->name, tls_text(config, options, side, OPTION_ssl_servername), host,
			verifies, fault))
		return false;
	if (!tls_identify(&settings, config, options, side, fault) ||
		!tls_allow(&settings, options, fault)) {
		tls_free_settings(&settings);
		return false;
	}
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

bool
tls_config(struct config *config, const struct options *options, struct fault *fault)
{
	unsigned sides = tls_sides(config, options);
	return tls_check(config, options, fault) &&
		((sides & TLS_CONNECTION) == 0 ||
			tls_set_up(&config->tls, config, options, TLS_CONNECTION, fault)) &&
		((sides & TLS_TARGET) == 0 ||
			tls_set_up(&config->to.tls, config, options, TLS_TARGET, fault));
}
