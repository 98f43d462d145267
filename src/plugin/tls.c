#include "plugin/tls.h"

#include <errno.h>
#include <stdlib.h>

#include "net/secret_file.h"

static const struct plugin tls_plugin = { "tls", "sockcat-tls", sizeof(struct tls_ops) };

void
tls_free_settings(const struct tls_settings *settings)
{
	free((void *)(uintptr_t)settings->identities);
	free((void *)(uintptr_t)settings->allowed);
}

/* Refuses keys that other users can read. */
static bool
tls_check_keys(const struct tls_settings *settings, struct fault *fault)
{
	for (size_t i = 0; i < settings->identity_count; i++) {
		const struct tls_identity *identity = &settings->identities[i];
		const char *key = identity->key != NULL ? identity->key : identity->cert;
		if (!secret_file_check(key, STATUS_CREDENTIALS, fault))
			return false;
	}
	return true;
}

struct tls *
tls_new(const struct tls_settings *settings, struct fault *fault)
{
	const struct tls_ops *ops = plugin_open(&tls_plugin, fault);
	struct tls *tls = ops != NULL ? calloc(1, sizeof *tls) : NULL;
	if (tls == NULL) {
		tls_free_settings(settings);
		if (ops != NULL)
			(void)fault_set(fault, STATUS_MEMORY, ENOMEM, "TLS");
		return NULL;
	}
	*tls = (struct tls){ .ops = ops, .settings = *settings };
	tls->context = ops->context_new(&tls->settings, NULL, fault);
	if (tls->context != NULL && tls_check_keys(&tls->settings, fault))
		return tls;
	tls_free(tls);
	return NULL;
}

bool
tls_reload(struct tls *tls, struct fault *fault)
{
	if (tls == NULL)
		return true;
	tls->fresh = tls->ops->context_new(&tls->settings, tls->context, fault);
	return tls->fresh != NULL && tls_check_keys(&tls->settings, fault);
}

void
tls_replace(struct tls *tls, bool good)
{
	if (tls == NULL || tls->fresh == NULL)
		return;
	tls->ops->context_free(good ? tls->context : tls->fresh);
	if (good)
		tls->context = tls->fresh;
	tls->fresh = NULL;
}

void
tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	if (tls->context != NULL)
		tls->ops->context_free(tls->context);
	tls_free_settings(&tls->settings);
	free(tls);
}
