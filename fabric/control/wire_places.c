/* SPDX-License-Identifier: BSD-3-Clause */
/* Which part an agent's ranks belong to. */
#include <stdio.h>
#include <stdlib.h>

#include "fabric/control/wire.h"

struct place {
    uint32_t rank, part, place;
};

static int by_rank(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

/* All ranks of all parts in rising order; each is in one of them once. */
static enum weft_status sort_places(const struct weft_agent_test *request, struct place *places,
                                    struct weft_error *error)
{
    uint32_t count = 0;
    for (uint32_t part = 0; part < request->part_count; part++) {
        const struct weft_test *test = &request->parts[part];
        for (uint32_t i = 0; i < test->options.rank_count; i++)
            places[count++] = (struct place){weft_test_rank(test, i), part, i};
    }
    qsort(places, count, sizeof(*places), by_rank);
    for (uint32_t i = 1; i < count; i++) {
        if (places[i].rank == places[i - 1].rank)
            return weft_error_set(error, WEFT_INVALID, "prepare.test.ranks has rank %u twice",
                                  places[i].rank);
    }
    return weft_wire_range("prepare.test.ranks", places[count - 1].rank, 0, WEFT_RANKS_MAX - 1,
                           error);
}

/* In rising order, so a rank that is given twice is found at once. */
static enum weft_status find(const struct weft_agent_test *request, const struct place *places,
                             uint32_t count, uint32_t *local_places, struct weft_error *error)
{
    enum weft_status status =
        weft_wire_range("prepare.local_ranks' count", request->local_count, 1, count, error);
    for (uint32_t i = 0; i < request->local_count && !status; i++) {
        uint32_t lowest = i ? request->local_ranks[i - 1] + 1 : 0;
        const struct place wanted = {.rank = request->local_ranks[i]};
        char field[64];
        (void)snprintf(field, sizeof(field), "prepare.local_ranks[%u]", i);
        status = weft_wire_range(field, wanted.rank, lowest, places[count - 1].rank, error);
        if (status)
            return status;
        const struct place *found = bsearch(&wanted, places, count, sizeof(*places), by_rank);
        if (!found)
            return weft_error_set(error, WEFT_INVALID, "%s is %u, which is not a rank of the test",
                                  field, wanted.rank);
        local_places[i] = found->part;
        local_places[request->local_count + i] = found->place;
    }
    return status;
}

enum weft_status weft_wire_places_find(const struct weft_agent_test *request, uint32_t **ret_places,
                                       struct weft_error *error)
{
    uint64_t count = 0;
    for (uint32_t part = 0; part < request->part_count; part++)
        count += request->parts[part].options.rank_count;
    enum weft_status status =
        weft_wire_range("prepare.test.rank_count", count, 1, WEFT_RANKS_MAX, error);
    if (status)
        return status;
    struct place *places = calloc(count, sizeof(*places));
    uint32_t *local_places = calloc(2 * (size_t)request->local_count + 1, sizeof(*local_places));
    if (!places || !local_places) {
        free(places);
        free(local_places);
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for %u ranks",
                              request->local_count);
    }
    status = sort_places(request, places, error);
    if (!status)
        status = find(request, places, (uint32_t)count, local_places, error);
    free(places);
    if (status)
        free(local_places);
    else
        *ret_places = local_places;
    return status;
}
