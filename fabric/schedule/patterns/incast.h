/* SPDX-License-Identifier: BSD-3-Clause */
/* Who suffers beside an incast. */
#ifndef WEFT_SCHEDULE_INCAST_H
#define WEFT_SCHEDULE_INCAST_H

#include "fabric/schedule/pattern.h"

/* How many victims there are; 0 for any other pattern. Options resolved. */
uint32_t weft_incast_victims(const struct weft_pattern *pattern,
                             const struct weft_pattern_options *options);
/* The ranks between which one of them flows. */
void weft_incast_victim(const struct weft_pattern_options *options, uint32_t index,
                        uint32_t *ret_from, uint32_t *ret_to);

#endif
