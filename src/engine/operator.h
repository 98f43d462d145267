/* The operator, a client of a chat that takes part by standard input and output. */
#ifndef SOCKCAT_ENGINE_OPERATOR_H
#define SOCKCAT_ENGINE_OPERATOR_H

#include <stdbool.h>

#include "base/fault.h"
#include "engine/clients.h"

/* Adds the operator. False and a fault if that failed. */
bool operator_seat(struct clients *clients, struct fault *fault);

/* No client is left and none will be accepted: the operator reads what is queued, and ends. */
void operator_dismiss(struct clients *clients);

/* Whether the operator is ending. */
bool operator_is_ending(const struct clients *clients);

#endif
