/* TLS, by the plug-in `tls`: opening it, and the context of all sessions of a run. */
#ifndef SOCKCAT_PLUGIN_TLS_H
#define SOCKCAT_PLUGIN_TLS_H

#include "plugin/tls_ops.h"

struct tls {
	const struct tls_ops *ops;
	void *context; /* the plug-in's */
	struct tls_settings settings;
};

/* Opens the plug-in and makes the context. The identities of the settings are allocated and taken,
 * also if it fails. NULL with a fault: STATUS_MISSING if the plug-in is not
 * installed, otherwise that of context_new. The caller frees it. */
struct tls *tls_new(const struct tls_settings *settings, struct fault *fault);

/* NULL is ignored. */
void tls_free(struct tls *tls);

#endif
