/* The account of a session: what an event says about its data, its time and its end. */
#ifndef SOCKCAT_ENGINE_ACCOUNT_H
#define SOCKCAT_ENGINE_ACCOUNT_H

#include "base/event.h"
#include "engine/session.h"

/* The event with the counts of the session. */
struct event account_counts(enum event_kind kind, const struct session *session);

/* Adds what reports and --stats have besides: the duration, the rates, the state of a TCP
 * connection, and which side ended first. */
void account_add(struct event *event, const struct session *session);

/* Whether the peer's sending has ended. */
bool account_has_ended(const struct session *session);

/* Reports the end of a direction, once. For SESSION_RELAYING only. */
void account_report_ends(struct session *session);

#endif
