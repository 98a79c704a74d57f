// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * ops - what operators and their machines ask: is the process alive, may it have traffic, has it
 * started, which build is it, what does it count.
 *
 *   live     the process answers; says nothing about anything else
 *   startup  the start is over (migrations applied, listeners open), once and for all
 *   ready    started, not draining, database answering: send traffic
 */

#include "domains/domain.h"

extern const struct domain ops_domain;

/* The start is over: call it when migrations are applied and the listeners are open. Any thread. */
void ops_set_ready(const struct domains *domains);
/* The process is stopping: readiness turns to 503 at once, for good. Any thread. */
void ops_set_draining(const struct domains *domains);
