/* Reloading; see reload.h. */
#include "engine/reload.h"

#include "base/event.h"

static bool
reload_has_certificates(const struct config *config)
{
	return config->tls.tls != NULL || config->to.tls.tls != NULL;
}

/* If a list cannot be loaded the old one stays in effect. */
static void
reload_report_lists(enum io result, struct fault *fault)
{
	if (result == IO_OK)
		event_emit(&(struct event){ .kind = EVENT_acl_reloaded });
	if (result == IO_FAIL)
		event_emit(&(struct event){ .kind = EVENT_acl_kept, .cause = fault->text });
	fault_clear(fault);
}

/* If one file cannot be used, all that was read before stays in effect. */
static void
reload_certificates(const struct config *config)
{
	struct tls *const sides[] = { config->tls.tls, config->to.tls.tls };
	struct fault fault = FAULT_NONE;
	if (!reload_has_certificates(config))
		return;
	bool good = tls_reload(sides[0], &fault) && tls_reload(sides[1], &fault);
	for (size_t i = 0; i < 2; i++)
		tls_replace(sides[i], good);
	event_emit(&(struct event){ .kind = good ? EVENT_tls_reloaded : EVENT_tls_kept,
		.cause = good ? NULL : fault.text });
	fault_clear(&fault);
}

bool
reload_is_possible(const struct config *config)
{
	return config->access.count > 0 || reload_has_certificates(config);
}

void
reload_step(struct run *run, struct acl *access, const struct pollset *pollset)
{
	struct fault fault = FAULT_NONE;
	if (acl_awaits(access) != NULL)
		reload_report_lists(acl_step(access, pollset, &fault), &fault);
	if (!run->engine.wants_reload)
		return;
	run->engine.wants_reload = false;
	if (run->config->access.count > 0)
		reload_report_lists(acl_reload(access, &fault), &fault);
	reload_certificates(run->config);
}
