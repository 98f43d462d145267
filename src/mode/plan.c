/* What the command line asks for; see plan.h. */
#include "mode/plan.h"

#include <stdlib.h>

void
plan_close(struct plan *plan)
{
	ports_close(&plan->ports);
	sockopt_close(&plan->sockopts);
	access_config_close(&plan->access);
	users_close(&plan->users);
	free(plan->program.path);
	free(plan->program.argv);
}
