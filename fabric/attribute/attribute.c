/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/attribute/attribute.h"

#include <stdlib.h>
#include <string.h>

#include "fabric/attribute/internal.h"

/* So that a chain's room is bounded whatever the schedules are. */
#define STEPS_MAX (1u << 20)

/* The rank whose end is the iteration's: the slowest of those that decide. */
static uint32_t slowest_of(const struct weft_attribution_input *input,
                           const struct weft_traced_iteration *iteration)
{
    uint32_t slowest = WEFT_OP_NONE;
    for (uint32_t rank = 0; rank < input->rank_count; rank++) {
        if (!input->schedules[rank]->decides_completion)
            continue;
        if (slowest == WEFT_OP_NONE ||
            iteration->durations_ns[rank] > iteration->durations_ns[slowest])
            slowest = rank;
    }
    return slowest;
}

static bool is_whole(const struct weft_attribution_input *input,
                     const struct weft_traced_iteration *iteration)
{
    for (uint32_t rank = 0; rank < input->rank_count; rank++) {
        if (!iteration->ops[rank])
            return false;
    }
    return true;
}

/* Keeps the slowest chains, the slowest first. */
static bool keep_chain(struct weft_attribution *attribution, const struct weft_chain *chain)
{
    struct weft_chain *chains = attribution->chains;
    uint32_t at = attribution->chain_count;
    if (at == WEFT_CHAINS_MAX && chains[at - 1].duration_ns >= chain->duration_ns)
        return true;
    struct weft_chain copy = *chain;
    copy.kept_count =
        chain->step_count < WEFT_CHAIN_STEPS_MAX ? chain->step_count : WEFT_CHAIN_STEPS_MAX;
    copy.steps = calloc((size_t)copy.kept_count + 1, sizeof(*copy.steps));
    if (!copy.steps)
        return false;
    memcpy(copy.steps, chain->steps, copy.kept_count * sizeof(*copy.steps));
    if (at == WEFT_CHAINS_MAX)
        free(chains[--at].steps);
    else
        attribution->chain_count++;
    for (; at > 0 && chains[at - 1].duration_ns < copy.duration_ns; at--)
        chains[at] = chains[at - 1];
    chains[at] = copy;
    return true;
}

static enum weft_status walk_all(struct weft_attributor *attributor, struct weft_tally_table *table,
                                 struct weft_attribution *attribution, struct weft_error *error)
{
    const struct weft_attribution_input *input = attributor->input;
    for (uint32_t i = 0; i < input->iteration_count; i++) {
        const struct weft_traced_iteration *iteration = &input->iterations[i];
        uint32_t rank = slowest_of(input, iteration);
        if (rank == WEFT_OP_NONE)
            break;
        struct weft_chain chain = {.iteration = iteration->iteration,
                                   .duration_ns = iteration->durations_ns[rank],
                                   .rank = rank,
                                   .step_count = weft_walk(attributor, iteration, rank),
                                   .steps = attributor->steps};
        weft_tally_add(table, chain.steps, chain.step_count, chain.duration_ns, iteration->slow);
        if (iteration->slow && !keep_chain(attribution, &chain))
            return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a chain");
    }
    return WEFT_OK;
}

static bool stays_in_process(const struct weft_attribution_input *input)
{
    for (uint32_t rank = 0; rank < input->rank_count; rank++) {
        if (!input->seats || !input->seats[rank].in_process)
            return false;
    }
    return true;
}

static enum weft_status try_edges(const struct weft_attributor *attributor,
                                  struct weft_tally_table *table,
                                  struct weft_attribution *attribution, struct weft_error *error)
{
    struct weft_edges sets[WEFT_SETS] = {0};
    enum weft_status status = WEFT_OK;
    attribution->in_process = stays_in_process(attributor->input);
    for (uint32_t i = 0; i < WEFT_SETS && !status; i++)
        status = weft_edges_measure(attributor, i > 0, &sets[i], error);
    if (!status) {
        weft_tally_finish(table, attributor, sets, attribution);
        status = weft_suspects_find(attributor, sets, attribution, error);
    }
    for (uint32_t i = 0; i < WEFT_SETS; i++)
        weft_edges_fini(&sets[i]);
    return status;
}

static enum weft_status attribute(struct weft_attributor *attributor,
                                  struct weft_attribution *attribution, struct weft_error *error)
{
    enum weft_status status = weft_backward_create(attributor, error);
    if (status == WEFT_OK)
        status = weft_distances_fill(attributor, error);
    if (status == WEFT_OK)
        status = weft_likes_create(attributor, error);
    if (status != WEFT_OK)
        return status;
    attributor->steps_max =
        attributor->op_count < STEPS_MAX / 4 ? (uint32_t)attributor->op_count * 4 + 4 : STEPS_MAX;
    attributor->steps = calloc(attributor->steps_max, sizeof(*attributor->steps));
    struct weft_tally_table *table = weft_tally_create(attributor->steps_max);
    if (!attributor->steps || !table)
        status = weft_error_set(error, WEFT_NO_MEMORY, "out of memory for chains");
    if (status == WEFT_OK)
        status = walk_all(attributor, table, attribution, error);
    if (status == WEFT_OK)
        status = try_edges(attributor, table, attribution, error);
    weft_tally_destroy(table);
    return status;
}

/* Copies those that all ranks have. */
static uint32_t choose_whole(const struct weft_attribution_input *input,
                             struct weft_traced_iteration *whole)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < input->iteration_count; i++) {
        if (is_whole(input, &input->iterations[i]))
            whole[count++] = input->iterations[i];
    }
    return count;
}

enum weft_status weft_attribute(const struct weft_attribution_input *input,
                                struct weft_attribution **ret_attribution, struct weft_error *error)
{
    struct weft_attribution *attribution = calloc(1, sizeof(*attribution));
    struct weft_traced_iteration *whole =
        calloc((size_t)input->iteration_count + 1, sizeof(*whole));
    struct weft_attribution_input chosen = *input;
    struct weft_attributor attributor = {.input = &chosen};
    enum weft_status status = WEFT_OK;
    if (!attribution || !whole) {
        status = weft_error_set(error, WEFT_NO_MEMORY, "out of memory for attribution");
    } else {
        chosen.iterations = whole;
        chosen.iteration_count = choose_whole(input, whole);
        if (chosen.iteration_count)
            status = attribute(&attributor, attribution, error);
    }
    weft_backward_destroy(&attributor);
    free(attributor.likes);
    free(attributor.steps);
    free(whole);
    if (status == WEFT_OK) {
        *ret_attribution = attribution;
        return WEFT_OK;
    }
    weft_attribution_destroy(attribution);
    return status;
}

void weft_attribution_destroy(struct weft_attribution *attribution)
{
    if (!attribution)
        return;
    for (uint32_t i = 0; i < attribution->chain_count; i++)
        free(attribution->chains[i].steps);
    free(attribution);
}
