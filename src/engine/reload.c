/* Reloading; see reload.h. */
#include "engine/reload.h"

#include "base/event.h"

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

void
reload_step(struct engine *engine, struct acl *access, const struct pollset *pollset)
{
	struct fault fault = FAULT_NONE;
	if (acl_awaits(access) != NULL)
		reload_report_lists(acl_step(access, pollset, &fault), &fault);
	if (engine->wants_reload) {
		engine->wants_reload = false;
		reload_report_lists(acl_reload(access, &fault), &fault);
	}
}
