#include "plugin/tls.h"

#include <errno.h>
#include <stdlib.h>

static const struct plugin tls_plugin = { "tls", "sockcat-tls", sizeof(struct tls_ops) };

struct tls *
tls_new(const struct tls_settings *settings, struct fault *fault)
{
	const struct tls_ops *ops = plugin_open(&tls_plugin, fault);
	if (ops == NULL)
		return NULL;
	struct tls *tls = malloc(sizeof *tls);
	if (tls == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "TLS"), NULL;
	*tls = (struct tls){ ops, ops->context_new(settings, fault), settings->unverified };
	if (tls->context != NULL)
		return tls;
	tls_free(tls);
	return NULL;
}

void
tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	if (tls->context != NULL)
		tls->ops->context_free(tls->context);
	free(tls);
}
