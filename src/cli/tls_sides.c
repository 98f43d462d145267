/* Which side an option of TLS is of; see tls_sides.h. */
#include "cli/tls_sides.h"

/* The options that are not of every side. */
static const struct tls_sides_row {
	enum option_id option;
	bool client, listener; /* of which role */
	bool verifies;         /* of a listener: only if it asks for certificates */
	bool first;            /* of the listener alone, if both sides could use it */
	bool shared;           /* of both sides, if both can use it */
} tls_sides_rows[] = {
	{ OPTION_ssl_cert, true, true, false, true, false },
	{ OPTION_ssl_key, true, true, false, true, false },
	{ OPTION_ssl_pass_file, true, true, false, true, false },
	{ OPTION_psk_file, true, true, false, true, false },
	{ OPTION_psk_identity, true, false, false, false, false },
	{ OPTION_ssl_self_signed, false, true, false, true, false },
	{ OPTION_ssl_verify, false, true, false, true, false },
	{ OPTION_allow_cert, false, true, true, true, false },
	{ OPTION_ssl_servername, true, false, false, false, false },
	{ OPTION_insecure, true, false, false, false, false },
	{ OPTION_starttls, true, false, false, false, false },
	{ OPTION_ssl_trustfile, true, true, true, false, true },
	{ OPTION_capath, true, true, true, false, true },
	{ OPTION_ssl_crlfile, true, true, true, false, true },
	{ OPTION_ssl_staple, true, false, false, false, false },
	{ OPTION_pin, true, true, true, false, false },
	{ OPTION_peer_cert, true, true, true, false, true },
	{ OPTION_ssl_alpn, true, true, false, false, false },
};
#define TLS_SIDES_ROWS (sizeof tls_sides_rows / sizeof tls_sides_rows[0])

unsigned
tls_sides_find(const struct config *config, const struct options *options)
{
	unsigned sides = config->to.secure ? TLS_SIDES_TARGET : 0;
	if (options_has(options, OPTION_ssl))
		sides |= TLS_SIDES_CONNECTION;
	for (size_t i = 0; i < config->targets.count; i++)
		if (config->targets.list[i].secure)
			sides |= TLS_SIDES_CONNECTION;
	return sides;
}

/* The sides that an option is of. */
static unsigned
tls_sides_owners(const struct tls_sides_row *row, const struct options *options, unsigned sides)
{
	bool listens = options_has(options, OPTION_listen);
	bool listener =
		row->listener && (!row->verifies || options_has(options, OPTION_ssl_verify));
	unsigned owners = row->client ? sides & TLS_SIDES_TARGET : 0;
	if (listens ? listener : row->client)
		owners |= sides & TLS_SIDES_CONNECTION;
	return owners == TLS_SIDES_BOTH && listens && row->first ? TLS_SIDES_CONNECTION : owners;
}

bool
tls_sides_has(const struct config *config, const struct options *options, unsigned side,
	enum option_id option)
{
	unsigned owners = TLS_SIDES_BOTH;
	for (size_t i = 0; i < TLS_SIDES_ROWS; i++)
		if (tls_sides_rows[i].option == option)
			owners = tls_sides_owners(
				&tls_sides_rows[i], options, tls_sides_find(config, options));
	return options_has(options, option) && (owners & side) != 0;
}

const char *
tls_sides_text(const struct config *config, const struct options *options, unsigned side,
	enum option_id option)
{
	return tls_sides_has(config, options, side, option) ? options->text[option] : NULL;
}

/* An option that no side can use, or of which it is not clear which side it is of. */
static bool
tls_sides_refuse(const struct tls_sides_row *row, const struct options *options, unsigned owners,
	struct fault *fault)
{
	const char *name = option_rows[row->option].name;
	bool listens = options_has(options, OPTION_listen);
	if (owners == TLS_SIDES_BOTH)
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

/* A client verifies without --ssl-verify, too. */
bool
tls_sides_check(const struct config *config, const struct options *options, struct fault *fault)
{
	unsigned sides = tls_sides_find(config, options);
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (sides == 0 && options->count[i] > 0 && option_rows[i].group == OPTION_GROUP_TLS)
			return fault_set(fault, STATUS_USAGE, 0,
				"--%s requires --ssl or an endpoint tls://...",
				option_rows[i].name);
	for (size_t i = 0; i < TLS_SIDES_ROWS; i++) {
		const struct tls_sides_row *row = &tls_sides_rows[i];
		unsigned owners = tls_sides_owners(row, options, sides);
		bool useless = owners == 0 &&
			(row->option != OPTION_ssl_verify || options_has(options, OPTION_listen));
		if (options_has(options, row->option) &&
			(useless || (owners == TLS_SIDES_BOTH && !row->shared)))
			return tls_sides_refuse(row, options, owners, fault);
	}
	return true;
}
