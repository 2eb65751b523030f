/* SPDX-License-Identifier: BSD-3-Clause */
/* Whom to ask, and when: a neighbour that is not known again and again with back-off, until it is
 * given up; one that is known from time to time. */
#ifndef WEFT_ROCE_ASK_H
#define WEFT_ROCE_ASK_H

#include "drivers/roce/neighbour/state.h"

/* Begins to ask for one that is not known. */
void weft_neighbour_ask(struct weft_neighbours *neighbours, struct weft_neighbour *neighbour);
/* It is known to be there now: asking ends, until it is time to look again. */
void weft_neighbour_confirm(struct weft_neighbours *neighbours, struct weft_neighbour *neighbour,
                            uint64_t now_ns);
/* Packets to it stay without an answer, or somebody names another MAC: it is asked once more, and
 * stays in use meanwhile. */
void weft_neighbour_doubt(struct weft_neighbours *neighbours, struct weft_neighbour *neighbour);
/* Its timer has expired: it is asked again, or has failed and is put on the list of the changed. */
void weft_neighbour_expired(struct weft_neighbours *neighbours, struct weft_neighbour *neighbour,
                            uint64_t now_ns);
/* At refresh_ns: puts the one that was checked longest ago among those to be asked, if it is time.
 */
void weft_neighbours_refresh(struct weft_neighbours *neighbours, uint64_t now_ns);
/* Takes the first of `asks`, which is not empty: counts its question and sets its timer. Whom to
 * ask is the neighbour's own MAC, or NULL for all. */
struct weft_neighbour *weft_neighbours_next_ask(struct weft_neighbours *neighbours, uint64_t now_ns,
                                                const uint8_t **ret_mac);

/* Its state or MAC has changed. */
static inline void weft_neighbour_note_change(struct weft_neighbours *neighbours,
                                              struct weft_neighbour *neighbour)
{
    if (weft_link_empty(&neighbour->changed_link))
        weft_link_append(&neighbours->changed, &neighbour->changed_link);
}

#endif
