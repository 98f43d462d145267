/* Options about proxies; see command.h. */
#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/http_proxy.h"
#include "net/proxy_login.h"
#include "net/secret_file.h"
#include "net/socks.h"
#include "plugin/digest.h"

#define PROXIES_COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* The argument of --proxy for the variables of the environment. */
#define PROXIES_ENV "env"

#define PROXIES_LOGIN "SOCKCAT_PROXY_AUTH"

/* The schemes of the words of --proxy-type and -X. */
static const char *const proxies_types[] = { "http", "socks4a", "socks5h" };
static const struct {
	const char *word, *scheme;
} proxies_nc_types[] = { { "5", "socks5h" }, { "4", "socks4" }, { "connect", "http" } };

/* Variables of the environment; the first that is not empty is used. HTTP_PROXY is not among them:
 * in CGI a client sets it by a header field (httpoxy, CVE-2016-5385). */
static const char *const proxies_env[] = { "all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY",
	"http_proxy" };
static const char *const proxies_noproxy_env[] = { "no_proxy", "NO_PROXY" };

static const char *
proxies_variable(const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *value = getenv(names[i]);
		if (value != NULL && value[0] != '\0')
			return value;
	}
	return NULL;
}

/* The scheme of -X; NULL and a fault: there is none. */
static const char *
proxies_nc_type(const struct options *options, struct fault *fault)
{
	const char *word = options->text[OPTION_nc_proxy_type];
	for (size_t i = 0; i < PROXIES_COUNT(proxies_nc_types); i++)
		if (word == NULL || strcasecmp(proxies_nc_types[i].word, word) == 0)
			return proxies_nc_types[i].scheme;
	(void)fault_set(fault, STATUS_VALUE, 0, "invalid -X '%s': expected 5, 4 or connect", word);
	return NULL;
}

/* Adds the proxy of an option. */
static bool
proxies_add_one(struct config *config, const struct options *options,
	const struct option_given *given, struct fault *fault)
{
	const char *text = given->text;
	bool env = given->option == OPTION_proxy && strcmp(text, PROXIES_ENV) == 0;
	struct proxy_rules rules = {
		.kind = given->option == OPTION_proxy
			? proxies_types[options->value[OPTION_proxy_type]]
			: proxies_nc_type(options, fault),
		.family = config->endpoint.family,
		.hosts = &config->hosts,
		.secret = env,
	};
	if (env)
		text = proxies_variable(proxies_env, PROXIES_COUNT(proxies_env));
	return rules.kind != NULL &&
		(text == NULL || proxy_add(&config->proxies, text, &rules, fault));
}

/* Adds the proxies of the command line. */
static bool
proxies_add(struct config *config, const struct options *options, struct fault *fault)
{
	for (size_t i = 0; i < options->given_count; i++) {
		const struct option_given *given = &options->given[i];
		if ((given->option == OPTION_proxy || given->option == OPTION_nc_proxy) &&
			!proxies_add_one(config, options, given, fault))
			return false;
	}
	return true;
}

/* Sets the user of an option for the only proxy. */
static bool
proxies_set_user(struct config *config, const char *user, struct fault *fault)
{
	struct proxy *proxy = &config->proxies.list[0];
	if (user == NULL)
		return true;
	if (strchr(user, ':') != NULL)
		return fault_set(fault, STATUS_VALUE, 0,
			"a password in an argument can be seen by others; "
			"use " PROXIES_LOGIN " or --proxy-auth-file");
	if (user[0] == '\0' || strlen(user) > HANDSHAKE_SECRET_MAX)
		return fault_set(fault, STATUS_VALUE, 0,
			"the user of the proxy: expected 1 to %d bytes", HANDSHAKE_SECRET_MAX);
	if (config->proxies.count > 1)
		return fault_set(fault, STATUS_USAGE, 0,
			"with several proxies write the user in the URL, as in socks5h://%s@host",
			user);
	if (proxy->user != NULL && strcmp(proxy->user, user) != 0)
		return fault_set(fault, STATUS_USAGE, 0,
			"two users given for the proxy: '%s' and '%s'", proxy->user, user);
	proxy->user = user;
	return true;
}

/* Sets users and passwords from the file, or the environment. */
static bool
proxies_log_in(struct config *config, const struct options *options, struct fault *fault)
{
	struct proxy_chain *chain = &config->proxies;
	/* A proxy server's file has the passwords of its users. */
	const char *path = options_has(options, OPTION_proxy_server)
		? NULL
		: options->text[OPTION_proxy_auth_file];
	const char *login = getenv(PROXIES_LOGIN);
	if (!proxies_set_user(config, options->text[OPTION_proxy_auth], fault) ||
		!proxies_set_user(config, options->text[OPTION_nc_proxy_user], fault))
		return false;
	if (path == NULL && login == NULL)
		return true;
	if (path != NULL) {
		chain->logins = secret_file_read(path, STATUS_INPUT, fault);
		if (chain->logins == NULL)
			return false;
	} else {
		chain->logins = strdup(login);
		if (chain->logins == NULL)
			return fault_set(fault, STATUS_MEMORY, ENOMEM, PROXIES_LOGIN);
	}
	return proxy_login_set(chain, chain->logins, path != NULL ? path : PROXIES_LOGIN, fault);
}

/* Checks that there is a login for Digest, and that it can be computed. */
static bool
proxies_set_digest(struct proxy_chain *chain, struct fault *fault)
{
	bool user = false;
	for (size_t i = 0; i < chain->count; i++)
		user |= chain->list[i].kind->protocol == &http_proxy_protocol &&
			chain->list[i].user != NULL;
	if (!user)
		return fault_set(fault, STATUS_USAGE, 0,
			"--proxy-digest requires a proxy of type http and a user for it");
	struct digest *digest = digest_new("md5", fault);
	digest_free(digest);
	chain->digest = true;
	return digest != NULL;
}

/* Sets what is sent to HTTP proxies, and the TLS of those that have it. */
static bool
proxies_set_http(struct proxy_chain *chain, const struct options *options, struct fault *fault)
{
	bool http = false, secure = proxy_chain_is_secure(chain);
	const struct tls_settings settings = {
		.unverified = options_has(options, OPTION_proxy_insecure),
		.trust_file = options->text[OPTION_proxy_cacert],
	};
	for (size_t i = 0; i < chain->count; i++)
		http |= chain->list[i].kind->protocol == &http_proxy_protocol;
	if (options_has(options, OPTION_proxy_header) && !http)
		return fault_set(
			fault, STATUS_USAGE, 0, "--proxy-header requires a proxy of type http");
	if (options_has(options, OPTION_proxy_digest) && !proxies_set_digest(chain, fault))
		return false;
	if ((settings.unverified || settings.trust_file != NULL) && !secure)
		return fault_set(fault, STATUS_USAGE, 0, "--%s requires a proxy https://...",
			settings.unverified ? "proxy-insecure" : "proxy-cacert");
	for (size_t i = 0; i < options->given_count; i++)
		if (options->given[i].option == OPTION_proxy_header &&
			!proxy_add_field(chain, options->given[i].text, fault))
			return false;
	if (secure)
		chain->tls = tls_new(&settings, fault);
	return !secure || chain->tls != NULL;
}

/* Adds the targets that no proxy is used for. */
static bool
proxies_set_exceptions(
	struct proxy_chain *chain, const struct options *options, struct fault *fault)
{
	bool env = false;
	for (size_t i = 0; i < options->given_count; i++) {
		const struct option_given *given = &options->given[i];
		env |= given->option == OPTION_proxy && strcmp(given->text, PROXIES_ENV) == 0;
		if (given->option == OPTION_noproxy &&
			!proxy_add_exceptions(chain, given->text, false, fault))
			return false;
	}
	const char *list = env
		? proxies_variable(proxies_noproxy_env, PROXIES_COUNT(proxies_noproxy_env))
		: NULL;
	return list == NULL || proxy_add_exceptions(chain, list, true, fault);
}

/* Checks that the chain can relay datagrams: the proxy gets them from here. */
static bool
proxies_check_datagrams(
	const struct proxy_chain *chain, const struct options *options, struct fault *fault)
{
	if (options_has(options, OPTION_pass_fd))
		return fault_set(fault, STATUS_USAGE, 0, "-F conflicts with -u --proxy");
	if (chain->count > 1)
		return fault_set(fault, STATUS_USAGE, 0,
			"-u conflicts with a chain of proxies: only one can relay datagrams");
	return chain->list[0].kind->protocol == &socks_v5_protocol ||
		fault_set(fault, STATUS_USAGE, 0,
			"-u requires a proxy of type socks5 or socks5h: %s cannot relay datagrams",
			chain->list[0].kind->scheme);
}

/* Checks that the proxies can be asked for this target, unless it is direct. */
static bool
proxies_set_target(const struct proxy_chain *chain, const struct transport *transport,
	struct endpoint *target, struct fault *fault)
{
	if (!transport->tcp)
		return fault_set(fault, STATUS_USAGE, 0, "--proxy conflicts with %s targets",
			transport->name);
	if (!proxy_except(chain, target, fault))
		return false;
	return target->direct || !target->numeric || strchr(target->host, '%') == NULL ||
		fault_set(fault, STATUS_VALUE, 0,
			"host '%s': a proxy cannot be asked for an address with an interface",
			target->host);
}

/* The same for all that are probed. */
static bool
proxies_set_targets(const struct proxy_chain *chain, struct targets *targets, struct fault *fault)
{
	for (size_t i = 0; i < targets->count; i++) {
		struct target *target = &targets->list[i];
		if (target->network.size > 0)
			return fault_set(fault, STATUS_USAGE, 0,
				"--proxy conflicts with a network as target");
		if (!proxies_set_target(chain, target->transport, &target->endpoint, fault))
			return false;
	}
	return true;
}

static bool
proxies_set(struct config *config, const struct options *options, struct fault *fault)
{
	bool listen = options_has(options, OPTION_listen), to = options_has(options, OPTION_to);
	struct proxy_chain *chain = &config->proxies;
	bool datagrams = !listen && config->targets.count == 0 && options_has(options, OPTION_udp);
	if (listen && options_has(options, OPTION_udp))
		return fault_set(fault, STATUS_USAGE, 0, "--proxy conflicts with -l -u");
	if (listen && !to && !options_has(options, OPTION_proxy_server))
		return fault_set(
			fault, STATUS_USAGE, 0, "--proxy with -l requires --to or --proxy-server");
	if (!proxies_set_exceptions(chain, options, fault) ||
		(datagrams && !proxies_check_datagrams(chain, options, fault)) ||
		(!listen && config->targets.count == 0 &&
			!proxies_set_target(chain,
				datagrams ? transport_find(TRANSPORT_INET, false, false, -1)
					  : config->transport,
				&config->endpoint, fault)) ||
		(to &&
			!proxies_set_target(
				chain, config->to.transport, &config->to.endpoint, fault)) ||
		!proxies_set_targets(chain, &config->targets, fault) ||
		!proxies_log_in(config, options, fault) ||
		!proxies_set_http(&config->proxies, options, fault))
		return false;
	for (size_t i = 0; i < config->proxies.count; i++)
		if (config->proxies.list[i].kind->secure && options_has(options, OPTION_pass_fd))
			return fault_set(fault, STATUS_USAGE, 0,
				"-F conflicts with an https:// proxy: TLS cannot be passed");
	if (options_has(options, OPTION_proxy_dns))
		for (size_t i = 0; i < config->proxies.count; i++)
			config->proxies.list[i].resolves = options->value[OPTION_proxy_dns] == 0;
	/* Many proxies drop what arrives after a half-close. They do not see that of TLS. */
	if (!listen && !datagrams && !config->endpoint.direct &&
		!options_has(options, OPTION_ssl) && config->end == CONFIG_END_AUTO) {
		config->end = CONFIG_END_KEEP;
		config->end_reason = "proxies may drop the reply to a half-close; -N: half-close";
	}
	return true;
}

bool
proxies_config(struct config *config, const struct options *options, struct fault *fault)
{
	bool good = proxies_add(config, options, fault) &&
		(config->proxies.count == 0 || proxies_set(config, options, fault));
	/* Programs that are run need not know it; one that uses a proxy itself does. */
	if (options_has(options, OPTION_proxy) || config->proxies.count > 0)
		(void)unsetenv(PROXIES_LOGIN);
	return good;
}
