/* SPDX-License-Identifier: BSD-3-Clause */
/* What is wrong with a neighbour, in words. */
#ifndef WEFT_ROCE_EXPLAIN_H
#define WEFT_ROCE_EXPLAIN_H

#include "drivers/roce/neighbour/state.h"

/* Why a neighbour is FAILED, for the user. */
enum weft_status weft_neighbour_error(const struct weft_neighbours *neighbours,
                                      const struct weft_neighbour *neighbour,
                                      struct weft_error *error);

/* What to add to an error about a peer that does not answer: that another host has this port's
 * address. Empty where none said so. */
#define WEFT_CONFLICT_TEXT 160
const char *weft_neighbour_conflict(const struct weft_neighbours *neighbours,
                                    char text[WEFT_CONFLICT_TEXT]);

#endif
