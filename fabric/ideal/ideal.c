/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/ideal/ideal.h"

#include <stdio.h>
#include <stdlib.h>

#include "fabric/base/units.h"
#include "fabric/ideal/internal.h"

static enum weft_status no_memory(struct weft_error *error)
{
    return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for the ideal time");
}

static enum weft_status compile(const struct weft_ideal_ranks *ranks, uint32_t rank,
                                struct weft_schedule **ret_schedule, struct weft_error *error)
{
    return weft_pattern_compile(ranks->input->pattern, ranks->input->options, rank, ret_schedule,
                                error);
}

static void drop_schedules(struct weft_ideal_ranks *ranks)
{
    for (uint32_t rank = 0; ranks->schedules && rank < ranks->count; rank++)
        weft_schedule_destroy(ranks->schedules[rank]);
    free(ranks->schedules);
    ranks->schedules = NULL;
}

/* Who decides, and how many operations there are; keeps the schedules where they are few. Stops
 * where they are too many: as soon as a rank says what all will need. */
static enum weft_status survey(struct weft_ideal_ranks *ranks, struct weft_error *error)
{
    for (uint32_t rank = 0; rank < ranks->count; rank++) {
        struct weft_schedule *schedule = NULL;
        enum weft_status status = compile(ranks, rank, &schedule, error);
        if (status != WEFT_OK)
            return status;
        ranks->decides[rank] = schedule->decides_completion;
        ranks->op_count += schedule->op_count;
        bool few = ranks->op_count <= WEFT_IDEAL_CHAIN_OPS_MAX;
        bool many =
            rank && (uint64_t)schedule->op_count * (ranks->count - rank) > WEFT_IDEAL_OPS_MAX;
        if (ranks->schedules && few) {
            ranks->schedules[rank] = schedule;
            continue;
        }
        weft_schedule_destroy(schedule);
        drop_schedules(ranks);
        if (many)
            ranks->op_count = UINT64_MAX;
        if (ranks->op_count > WEFT_IDEAL_OPS_MAX)
            return WEFT_OK;
    }
    return WEFT_OK;
}

/* Without a chain only the messages of deciding ranks are known to be waited for. */
static void add_rank(const struct weft_ideal_ranks *ranks, const struct weft_schedule *schedule,
                     struct weft_loads *loads, struct weft_cuts *cuts)
{
    const uint32_t *nics = loads->topology->rank_nics;
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        if (op->kind != WEFT_OP_SEND ||
            (!ranks->decides[schedule->rank] && !ranks->decides[op->peer]))
            continue;
        const struct weft_ideal_message message = {
            .from_nic = nics[schedule->rank],
            .to_nic = nics[op->peer],
            .payload_bytes = op->len_bytes,
            .wire_bytes = weft_ideal_wire_bytes(ranks->input, op->len_bytes)};
        weft_loads_add(loads, &message);
        weft_cuts_add(cuts, loads, &message);
    }
}

static enum weft_status add_all(const struct weft_ideal_ranks *ranks, struct weft_loads *loads,
                                struct weft_cuts *cuts, struct weft_error *error)
{
    for (uint32_t rank = 0; rank < ranks->count; rank++) {
        struct weft_schedule *schedule = ranks->schedules ? ranks->schedules[rank] : NULL;
        enum weft_status status = schedule ? WEFT_OK : compile(ranks, rank, &schedule, error);
        if (status != WEFT_OK)
            return status;
        add_rank(ranks, schedule, loads, cuts);
        if (!ranks->schedules)
            weft_schedule_destroy(schedule);
    }
    weft_loads_measure(loads);
    return WEFT_OK;
}

static void add_chain(struct weft_chain *chain, struct weft_loads *loads, struct weft_cuts *cuts)
{
    struct weft_ideal_message message;
    while (weft_chain_message(chain, &message)) {
        weft_loads_add(loads, &message);
        weft_cuts_add(cuts, loads, &message);
    }
}

static void fill(const struct weft_ideal_input *input, const struct weft_bound *bound,
                 struct weft_ideal *ideal)
{
    struct weft_pattern_options options = weft_pattern_resolve(input->pattern, input->options);
    ideal->ideal_ns = bound->time_ps / WEFT_IDEAL_PS_PER_NS;
    uint64_t alone_ps = bound->alone_ps > bound->time_ps ? bound->alone_ps : bound->time_ps;
    ideal->alone_ns = alone_ps / WEFT_IDEAL_PS_PER_NS;
    (void)snprintf(ideal->limit, sizeof(ideal->limit), "%s", bound->limit);
    if (!ideal->ideal_ns) {
        (void)snprintf(ideal->why, sizeof(ideal->why), "no operation takes any time");
        return;
    }
    double algbw_bps = input->pattern->algorithm_bytes(&options) * 8e12 / (double)bound->time_ps;
    ideal->algbw_bps = (uint64_t)algbw_bps;
    ideal->busbw_bps = (uint64_t)(algbw_bps * input->pattern->bus_factor(options.rank_count));
}

/* The loads are ready to be filled. */
static enum weft_status find_bounds(const struct weft_ideal_ranks *ranks, struct weft_loads *loads,
                                    struct weft_cuts *cuts, struct weft_ideal *ideal,
                                    struct weft_error *error)
{
    struct weft_chain *chain = NULL;
    struct weft_bound bound = {0};
    if (ranks->schedules && !weft_chain_create(ranks, loads, &chain))
        return no_memory(error);
    enum weft_status status = WEFT_OK;
    if (chain)
        add_chain(chain, loads, cuts);
    else
        status = add_all(ranks, loads, cuts, error);
    weft_loads_spread(loads);
    if (status == WEFT_OK && loads->out_of_memory)
        status = no_memory(error);
    if (status == WEFT_OK) {
        weft_loads_bound(loads, &bound);
        weft_cuts_bound(cuts, loads, &bound);
        if (chain)
            weft_chain_bound(chain, &bound);
        ideal->has_chain = chain != NULL;
        ideal->mmr = chain ? weft_loads_mmr(loads) : 0;
        fill(ranks->input, &bound, ideal);
    }
    weft_chain_destroy(chain);
    return status;
}

/* A NIC that takes part and whose rate nobody knows would make everything possible. */
static bool rates_known(const struct weft_ideal_ranks *ranks, const struct weft_loads *loads,
                        struct weft_ideal *ideal)
{
    const struct weft_topology *topology = loads->topology;
    for (uint32_t rank = 0; rank < ranks->count; rank++) {
        uint32_t nic = topology->rank_nics[rank];
        if (loads->routes->wires[loads->routes->nic_wires[nic]].rate_bps)
            continue;
        (void)snprintf(ideal->why, sizeof(ideal->why),
                       "no rate is known of NIC %.50s/%.50s: give it or its link a rate in the "
                       "topology",
                       topology->hosts[topology->nics[nic].host].name, topology->nics[nic].name);
        return false;
    }
    return true;
}

static enum weft_status compute(struct weft_ideal_ranks *ranks, struct weft_loads *loads,
                                struct weft_cuts *cuts, struct weft_ideal *ideal,
                                struct weft_error *error)
{
    if (!weft_loads_init(loads, ranks->input->topology, &ranks->input->defaults) ||
        !weft_cuts_init(cuts, loads))
        return no_memory(error);
    if (!rates_known(ranks, loads, ideal))
        return WEFT_OK;
    enum weft_status status = survey(ranks, error);
    if (status != WEFT_OK)
        return status;
    if (ranks->op_count > WEFT_IDEAL_OPS_MAX) {
        (void)snprintf(ideal->why, sizeof(ideal->why),
                       "an iteration has more than 16 million operations");
        return WEFT_OK;
    }
    return find_bounds(ranks, loads, cuts, ideal, error);
}

enum weft_status weft_ideal_compute(const struct weft_ideal_input *input,
                                    struct weft_ideal *ret_ideal, struct weft_error *error)
{
    struct weft_ideal ideal = {0};
    struct weft_loads loads = {0};
    struct weft_cuts cuts = {0};
    struct weft_ideal_ranks ranks = {.input = input, .count = input->options->rank_count};
    if (ranks.count > input->topology->rank_count)
        return weft_error_set(error, WEFT_INVALID, "the topology has %u ranks, not %u",
                              input->topology->rank_count, ranks.count);
    ranks.decides = calloc(ranks.count + 1u, sizeof(*ranks.decides));
    ranks.schedules = calloc(ranks.count + 1u, sizeof(struct weft_schedule *));
    enum weft_status status = ranks.decides && ranks.schedules
                                  ? compute(&ranks, &loads, &cuts, &ideal, error)
                                  : no_memory(error);
    drop_schedules(&ranks);
    free(ranks.decides);
    weft_cuts_fini(&cuts);
    weft_loads_fini(&loads);
    if (status == WEFT_OK)
        *ret_ideal = ideal;
    return status;
}
