/* TLS, by the plug-in `tls`: opening it, and the context of all sessions of a run. */
#ifndef SOCKCAT_PLUGIN_TLS_H
#define SOCKCAT_PLUGIN_TLS_H

#include "plugin/tls_ops.h"

struct tls {
	const struct tls_ops *ops;
	void *context,
		*fresh; /* the plug-in's; fresh: NULL but between the two steps of a reload */
	struct tls_settings settings;
	bool warned; /* that certificates are not verified */
};

/* Frees the lists of settings, not the struct. */
void tls_free_settings(const struct tls_settings *settings);

/* Opens the plug-in and makes the context; a key that other users can read is an error. The lists
 * of the settings are allocated and taken, also if it fails. NULL with a fault: STATUS_MISSING if
 * the plug-in is not installed, otherwise that of context_new. The caller frees it. */
struct tls *tls_new(const struct tls_settings *settings, struct fault *fault);

/* Reads all files again, for a new context. False with a fault as above. NULL is ignored. */
bool tls_reload(struct tls *tls, struct fault *fault);

/* Ends a reload: takes the new context for new sessions, or frees it. NULL is ignored. */
void tls_replace(struct tls *tls, bool good);

/* NULL is ignored. */
void tls_free(struct tls *tls);

#endif
