/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "fabric/attribute/internal.h"

static bool allocate(struct weft_backward *backward, const struct weft_schedule *schedule)
{
    size_t count = (size_t)schedule->op_count + 1;
    backward->first_requirement = calloc(count + 1, sizeof(uint32_t));
    backward->requirements = calloc((size_t)schedule->successor_count + 1, sizeof(uint32_t));
    backward->previous = calloc(count, sizeof(uint32_t));
    backward->ordinals = calloc(count, sizeof(uint32_t));
    backward->hops = calloc(count, sizeof(uint32_t));
    return backward->first_requirement && backward->requirements && backward->previous &&
           backward->ordinals && backward->hops;
}

static void turn_round(struct weft_backward *backward, const struct weft_schedule *schedule)
{
    uint32_t *first = backward->first_requirement;
    for (uint32_t i = 0; i < schedule->op_count; i++)
        first[i + 1] = first[i] + schedule->ops[i].requires_count;
    /* Each first is moved on while it is filled, and ends as the next one's. */
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        for (uint32_t j = 0; j < op->successor_count; j++)
            backward->requirements[first[schedule->successors[op->first_successor + j]]++] = i;
    }
    for (uint32_t i = schedule->op_count; i > 0; i--)
        first[i] = first[i - 1];
    first[0] = 0;
}

static bool is_message(const struct weft_op *op)
{
    return op->kind == WEFT_OP_SEND || op->kind == WEFT_OP_RECEIVE;
}

struct place {
    uint64_t flow;
    uint32_t op;
};

static int by_flow(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->flow != b->flow)
        return a->flow < b->flow ? -1 : 1;
    return a->op < b->op ? -1 : a->op > b->op;
}

/* Each message's predecessor; returns to how many ranks this one sends. */
static uint32_t chain_flows(struct weft_backward *backward, const struct weft_schedule *schedule,
                            struct place *places)
{
    uint32_t count = 0, edges = 0;
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        backward->previous[i] = WEFT_OP_NONE;
        if (is_message(op))
            places[count++] = (struct place){(uint64_t)(op->kind == WEFT_OP_RECEIVE) << 63 |
                                                 (uint64_t)op->peer << 32 | op->queue_pair,
                                             i};
    }
    qsort(places, count, sizeof(*places), by_flow);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && places[i].flow == places[i - 1].flow)
            backward->previous[places[i].op] = places[i - 1].op;
        bool first = i == 0 || places[i].flow >> 32 != places[i - 1].flow >> 32;
        edges += first && !(places[i].flow >> 63);
    }
    return edges;
}

static void count_ordinals(struct weft_backward *backward, const struct weft_schedule *schedule)
{
    uint32_t counts[WEFT_OP_KIND_COUNT] = {0};
    for (uint32_t i = 0; i < schedule->op_count; i++)
        backward->ordinals[i] = counts[schedule->ops[i].kind]++;
}

static bool read_backwards(struct weft_attributor *attributor, uint32_t rank)
{
    const struct weft_schedule *schedule = attributor->input->schedules[rank];
    struct weft_backward *backward = &attributor->ranks[rank];
    struct place *places = calloc((size_t)schedule->op_count + 1, sizeof(*places));
    bool made = places && allocate(backward, schedule);
    if (made) {
        turn_round(backward, schedule);
        count_ordinals(backward, schedule);
        attributor->edge_count += chain_flows(backward, schedule, places);
        attributor->op_count += schedule->op_count;
    }
    free(places);
    return made;
}

enum weft_status weft_backward_create(struct weft_attributor *attributor, struct weft_error *error)
{
    const struct weft_attribution_input *input = attributor->input;
    enum weft_status status =
        weft_schedules_pair(input->schedules, input->rank_count, &attributor->partners, error);
    if (status != WEFT_OK)
        return status;
    attributor->ranks = calloc((size_t)input->rank_count + 1, sizeof(*attributor->ranks));
    bool made = attributor->ranks != NULL;
    for (uint32_t rank = 0; made && rank < input->rank_count; rank++)
        made = read_backwards(attributor, rank);
    return made ? WEFT_OK
                : weft_error_set(error, WEFT_NO_MEMORY, "out of memory for the schedules' graphs");
}

void weft_backward_destroy(struct weft_attributor *attributor)
{
    weft_schedules_pair_free(attributor->partners, attributor->input->rank_count);
    for (uint32_t rank = 0; attributor->ranks && rank < attributor->input->rank_count; rank++) {
        free(attributor->ranks[rank].first_requirement);
        free(attributor->ranks[rank].requirements);
        free(attributor->ranks[rank].previous);
        free(attributor->ranks[rank].ordinals);
        free(attributor->ranks[rank].hops);
    }
    free(attributor->ranks);
}
