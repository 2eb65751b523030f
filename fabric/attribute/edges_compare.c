/* SPDX-License-Identifier: BSD-3-Clause */
/* Each edge beside its like: those with as many messages and bytes, over as many links. */
#include <stdlib.h>

#include "fabric/attribute/internal.h"

/* So many alike, or there is nothing to compare with: in a pair each is as slow as the other is
 * quick. */
#define LIKE_EDGES_MIN 4u
/* Where more of them are as slow, that is how they are. */
#define OUTLIER_PARTS 4u
/* The slowest of those alike, which are looked at one by one. */
#define OUTLIERS_MAX 64u

static int by_likeness(const void *left, const void *right)
{
    const struct weft_edge *a = *(struct weft_edge *const *)left;
    const struct weft_edge *b = *(struct weft_edge *const *)right;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? -1 : 1;
    if (a->message_count != b->message_count)
        return a->message_count < b->message_count ? -1 : 1;
    return a->hops < b->hops ? -1 : a->hops > b->hops;
}

static void relate(struct weft_edge **alike, uint32_t count, uint32_t block_count, double *values)
{
    bool known = count >= LIKE_EDGES_MIN && alike[0]->bytes;
    for (uint32_t block = 0; block < block_count; block++) {
        for (uint32_t i = 0; i < count; i++)
            values[i] = alike[i]->slownesses[block];
        double usual = weft_median(values, count);
        known = known && usual > 0;
        for (uint32_t i = 0; known && i < count; i++)
            alike[i]->slownesses[block] /= usual;
    }
    for (uint32_t i = 0; i < count; i++)
        values[i] = alike[i]->pace;
    double pace = weft_median(values, count);
    for (uint32_t i = 0; i < count; i++) {
        alike[i]->pace = known && pace > 0 ? alike[i]->pace / pace : 1;
        for (uint32_t block = 0; block < block_count; block++)
            values[block] = alike[i]->slownesses[block];
        alike[i]->known = known;
        alike[i]->slowness = known ? weft_median(values, block_count) : 1;
    }
}

static int slowest_first(const void *left, const void *right)
{
    const struct weft_edge *a = *(struct weft_edge *const *)left;
    const struct weft_edge *b = *(struct weft_edge *const *)right;
    return a->slowness > b->slowness ? -1 : a->slowness < b->slowness;
}

/* In how many blocks fewer than `places` others are slower. */
static uint32_t count_wins(struct weft_edge *const *alike, uint32_t count, uint32_t block_count,
                           const struct weft_edge *edge, uint32_t places)
{
    uint32_t wins = 0;
    for (uint32_t block = 0; block < block_count; block++) {
        uint32_t slower = 0;
        for (uint32_t i = 0; i < count; i++)
            slower += alike[i] != edge && alike[i]->slownesses[block] >= edge->slownesses[block];
        wins += slower < places;
    }
    return wins;
}

static bool is_outlier(const struct weft_edges *edges, struct weft_edge *const *alike,
                       uint32_t count, const struct weft_edge *edge)
{
    uint32_t as_slow = 0;
    double excess = edge->slowness - 1;
    if (edge->slowness < WEFT_SLOWNESS_MIN || weft_edge_cost(edge, 1) < WEFT_EXCESS_SHARE_MIN)
        return false;
    for (uint32_t i = 0; i < count; i++)
        as_slow += alike[i]->slowness - 1 >= excess / 2;
    if (as_slow * OUTLIER_PARTS > count)
        return false;
    uint32_t wins = count_wins(alike, count, edges->block_count, edge, as_slow);
    return weft_chance_of(wins, edges->block_count, (double)as_slow / count,
                          (double)WEFT_SETS * edges->count) <= WEFT_CHANCE_MAX;
}

static bool can_be_at_fault(const struct weft_attributor *attributor, const struct weft_edge *edge)
{
    const struct weft_attribution_input *input = attributor->input;
    const uint32_t *nics = input->topology->rank_nics;
    return nics[edge->from] != nics[edge->to] &&
           !(input->seats && input->seats[edge->from].in_process &&
             input->seats[edge->to].in_process);
}

bool weft_edges_compare(const struct weft_attributor *attributor, struct weft_edges *edges)
{
    struct weft_edge **alike = calloc((size_t)edges->count + 1, sizeof(struct weft_edge *));
    double *values = calloc((size_t)edges->count + WEFT_BLOCKS_MAX, sizeof(double));
    bool made = alike && values;
    for (uint32_t i = 0; made && i < edges->count; i++)
        alike[i] = &edges->edges[i];
    if (made)
        qsort(alike, edges->count, sizeof(struct weft_edge *), by_likeness);
    for (uint32_t first = 0, end = 0; made && first < edges->count; first = end) {
        while (end < edges->count && by_likeness(&alike[end], &alike[first]) == 0)
            end++;
        relate(alike + first, end - first, edges->block_count, values);
        qsort(alike + first, end - first, sizeof(struct weft_edge *), slowest_first);
        for (uint32_t i = first; i < end && i < first + OUTLIERS_MAX && alike[i]->known; i++)
            alike[i]->stands_out = can_be_at_fault(attributor, alike[i]) &&
                                   is_outlier(edges, alike + first, end - first, alike[i]);
    }
    free(alike);
    free(values);
    return made;
}
