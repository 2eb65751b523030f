/* SPDX-License-Identifier: BSD-3-Clause */
/* A driver that completes at once: it measures weft itself. The devices of one process are joined
 * in memory; a message is one copy, made by the thread that posts it. RC only.
 *
 * Two joined endpoints may belong to two threads. Tear an endpoint down only when no thread polls
 * its peer: what the peer still sends could be on its way into memory that is given back. */
#ifndef WEFT_DRIVERS_NULL_NULL_H
#define WEFT_DRIVERS_NULL_NULL_H

#include "fabric/driver.h"

extern const struct weft_driver weft_driver_null;

#endif
