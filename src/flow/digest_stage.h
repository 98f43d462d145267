/* The observer that computes the digest of what has passed (--digest, --expect-digest). */
#ifndef SOCKCAT_FLOW_DIGEST_STAGE_H
#define SOCKCAT_FLOW_DIGEST_STAGE_H

#include "plugin/digest.h"

struct stage_list;

/* The state of the stage. The first fields are the configuration. */
struct digest_stage {
	const struct digest_algorithm *algorithm;
	bool reported; /* the session reports it */
	bool expected; /* it has to be `wanted` */
	unsigned char wanted[DIGEST_SIZE];
	struct digest *digest; /* owned; NULL: not open, or finished */
	bool failed;           /* the library did */
	char hex[2 * DIGEST_SIZE + 1];
};

/* Finishes the digest that is to be reported: *hex lives as long as the stages. False: there is
 * none, or the library has failed. */
bool digest_stage_result(
	struct stage_list *stages, const struct digest_algorithm **algorithm, const char **hex);

#endif
