/* SPDX-License-Identifier: BSD-3-Clause */
/* Which edges are slow: those whose messages take longer than the like, and longer than what shares
 * a rank with them explains.
 *
 * While a message is on its way, its receiver takes in what others send and its sender sends to
 * others. If one of the two is as busy as it can be, the message waits its turn and says nothing of
 * its own way: seven that send to one are all slow, and none is to blame. So an edge is measured by
 * its time over its own bytes and all that the busier of its two ends moved for others meanwhile.
 *
 * The time is that from start to completion: a message that waits behind an earlier one of its flow
 * waits for its own way. But it also waits where its rank sent several in a burst, so what an edge
 * costs is told from its pace: from one completion to the next.
 *
 * Neighbouring iterations are not independent: a burst slows several. So they are taken together in
 * a few blocks, and each block has one value, a median. */
#include <math.h>
#include <stdlib.h>

#include "fabric/attribute/internal.h"

#define EDGES_MAX (1u << 16)
#define ITERATIONS_MIN 4u
/* Earlier messages of a flow that are looked at. */
#define LOOK_BACK_MAX 256u

/* Of an edge's messages, over the times that they took or stayed: these, and what its two ends
 * moved meanwhile. */
struct sum {
    double time_ns, out_bytes, in_bytes;
};

struct meter {
    const struct weft_attributor *attributor;
    struct weft_edges *edges;
    uint32_t **edges_of_ops;                         /* of each rank's sends */
    double **took_ns;                                /* of each rank's sends, in one iteration */
    struct weft_profile *outs, *ins;                 /* of each rank, in one iteration */
    struct sum *took, *stayed;                       /* of each edge, in one iteration */
    double *paces, *slownesses, *shares;             /* by edge, then iteration */
    const struct weft_traced_iteration **iterations; /* in the order of time */
    uint32_t iteration_count;
};

static int by_number(const void *left, const void *right)
{
    const struct weft_traced_iteration *const *a = left, *const *b = right;
    return (*a)->iteration < (*b)->iteration ? -1 : (*a)->iteration > (*b)->iteration;
}

static void choose(struct meter *meter, bool slow)
{
    const struct weft_attribution_input *input = meter->attributor->input;
    for (uint32_t i = 0; i < input->iteration_count; i++) {
        if (input->iterations[i].slow == slow)
            meter->iterations[meter->iteration_count++] = &input->iterations[i];
    }
    qsort(meter->iterations, meter->iteration_count, sizeof(struct weft_traced_iteration *),
          by_number);
}

/* ---- the edges ---- */

static const struct weft_schedule *schedule_of(const struct meter *meter, uint32_t rank)
{
    return meter->attributor->input->schedules[rank];
}

/* `numbers` is room for one a rank, all NONE before and after. */
static void find_edges(struct meter *meter, uint32_t rank, uint32_t *numbers)
{
    const struct weft_schedule *schedule = schedule_of(meter, rank);
    struct weft_edges *edges = meter->edges;
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        if (op->kind != WEFT_OP_SEND)
            continue;
        if (numbers[op->peer] == WEFT_OP_NONE) {
            numbers[op->peer] = edges->count;
            edges->edges[edges->count++] = (struct weft_edge){
                .from = rank, .to = op->peer, .hops = meter->attributor->ranks[rank].hops[i]};
        }
        struct weft_edge *edge = &edges->edges[numbers[op->peer]];
        meter->edges_of_ops[rank][i] = numbers[op->peer];
        edge->bytes += op->len_bytes;
        edge->message_count++;
    }
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        if (schedule->ops[i].kind == WEFT_OP_SEND)
            numbers[schedule->ops[i].peer] = WEFT_OP_NONE;
    }
}

/* ---- one iteration ---- */

static void fill_profiles(struct meter *meter, const struct weft_traced_iteration *iteration)
{
    const struct weft_attributor *attributor = meter->attributor;
    uint32_t rank_count = attributor->input->rank_count;
    for (uint32_t rank = 0; rank < rank_count; rank++)
        meter->outs[rank].count = meter->ins[rank].count = 0;
    for (uint32_t rank = 0; rank < rank_count; rank++) {
        const struct weft_schedule *schedule = schedule_of(meter, rank);
        for (uint32_t i = 0; i < schedule->op_count; i++) {
            const struct weft_op *op = &schedule->ops[i];
            const struct weft_cause what = {.known = true, .rank = rank, .op = i};
            struct weft_reason reason;
            if (op->kind != WEFT_OP_SEND)
                continue;
            weft_reason_find(attributor, iteration, &what, &reason);
            double took_ns = fmax((double)reason.took_ns / reason.together, 1);
            double sent_ns = (double)iteration->ops[rank][i].completed_ns;
            double came_ns =
                (double)iteration->ops[op->peer][attributor->partners[rank][i]].completed_ns;
            meter->took_ns[rank][i] = took_ns;
            weft_profile_add(&meter->outs[rank], sent_ns - took_ns, sent_ns, (double)op->len_bytes);
            weft_profile_add(&meter->ins[op->peer], came_ns - took_ns, came_ns,
                             (double)op->len_bytes);
        }
    }
    for (uint32_t rank = 0; rank < rank_count; rank++) {
        weft_profile_finish(&meter->outs[rank]);
        weft_profile_finish(&meter->ins[rank]);
    }
}

/* Of earlier messages of the same flow that were on their way at the same time. */
static double own_bytes(const struct meter *meter, const struct weft_traced_iteration *iteration,
                        uint32_t rank, uint32_t op)
{
    const struct weft_op_trace *ops = iteration->ops[rank];
    const uint32_t *previous = meter->attributor->ranks[rank].previous;
    double bytes = 0;
    uint32_t before = previous[op];
    for (uint32_t i = 0; i < LOOK_BACK_MAX && before != WEFT_OP_NONE; i++) {
        double into_ns = (double)(ops[before].completed_ns - ops[op].started_ns);
        double took_ns = meter->took_ns[rank][before];
        if (into_ns <= 0)
            break;
        bytes +=
            (double)schedule_of(meter, rank)->ops[before].len_bytes * fmin(into_ns / took_ns, 1);
        before = previous[before];
    }
    return bytes;
}

static void add(struct meter *meter, const struct weft_traced_iteration *iteration, uint32_t rank,
                uint32_t op, double time_ns, double own, struct sum *sum)
{
    uint32_t peer = schedule_of(meter, rank)->ops[op].peer;
    uint32_t partner = meter->attributor->partners[rank][op];
    double sent_ns = (double)iteration->ops[rank][op].completed_ns;
    double came_ns = (double)iteration->ops[peer][partner].completed_ns;
    sum->time_ns += time_ns;
    sum->out_bytes += weft_profile_bytes(&meter->outs[rank], sent_ns - time_ns, sent_ns) - own;
    sum->in_bytes += weft_profile_bytes(&meter->ins[peer], came_ns - time_ns, came_ns) - own;
}

static void sum_up(struct meter *meter, const struct weft_traced_iteration *iteration)
{
    for (uint32_t i = 0; i < meter->edges->count; i++)
        meter->took[i] = meter->stayed[i] = (struct sum){0};
    for (uint32_t rank = 0; rank < meter->attributor->input->rank_count; rank++) {
        const struct weft_schedule *schedule = schedule_of(meter, rank);
        for (uint32_t i = 0; i < schedule->op_count; i++) {
            const struct weft_op_trace *op = &iteration->ops[rank][i];
            uint32_t edge = meter->edges_of_ops[rank][i];
            if (schedule->ops[i].kind != WEFT_OP_SEND)
                continue;
            add(meter, iteration, rank, i, meter->took_ns[rank][i], 0, &meter->took[edge]);
            add(meter, iteration, rank, i, fmax((double)(op->completed_ns - op->started_ns), 1),
                own_bytes(meter, iteration, rank, i), &meter->stayed[edge]);
        }
    }
}

static double time_a_byte(const struct sum *sum)
{
    return sum->time_ns / fmax(fmax(sum->out_bytes, sum->in_bytes), 1);
}

static void measure(struct meter *meter, uint32_t index)
{
    const struct weft_traced_iteration *iteration = meter->iterations[index];
    double duration_ns = 1;
    fill_profiles(meter, iteration);
    sum_up(meter, iteration);
    for (uint32_t rank = 0; rank < meter->attributor->input->rank_count; rank++)
        duration_ns = fmax(duration_ns, (double)iteration->durations_ns[rank]);
    for (uint32_t i = 0; i < meter->edges->count; i++) {
        size_t at = (size_t)i * meter->iteration_count + index;
        meter->paces[at] = time_a_byte(&meter->took[i]);
        meter->slownesses[at] = time_a_byte(&meter->stayed[i]);
        meter->shares[at] = fmin(meter->took[i].time_ns / duration_ns, 1);
    }
}

/* ---- all of them ---- */

static void settle(struct meter *meter, uint32_t index)
{
    uint32_t count = meter->iteration_count, blocks = meter->edges->block_count;
    struct weft_edge *edge = &meter->edges->edges[index];
    double *slownesses = &meter->slownesses[(size_t)index * count];
    for (uint32_t i = 0; i < blocks; i++) {
        uint32_t first = i * count / blocks, end = (i + 1) * count / blocks;
        edge->slownesses[i] = weft_median(slownesses + first, end - first);
    }
    edge->pace = weft_median(&meter->paces[(size_t)index * count], count);
    edge->busy_share = weft_median(&meter->shares[(size_t)index * count], count);
}

static bool allocate_ranks(struct meter *meter)
{
    const struct weft_attributor *attributor = meter->attributor;
    uint32_t rank_count = attributor->input->rank_count;
    meter->edges_of_ops = calloc((size_t)rank_count + 1, sizeof(uint32_t *));
    meter->took_ns = calloc((size_t)rank_count + 1, sizeof(double *));
    meter->outs = calloc((size_t)rank_count + 1, sizeof(*meter->outs));
    meter->ins = calloc((size_t)rank_count + 1, sizeof(*meter->ins));
    bool made = meter->edges_of_ops && meter->took_ns && meter->outs && meter->ins;
    for (uint32_t rank = 0; made && rank < rank_count; rank++) {
        size_t ops = (size_t)schedule_of(meter, rank)->op_count + 1;
        meter->edges_of_ops[rank] = calloc(ops, sizeof(uint32_t));
        meter->took_ns[rank] = calloc(ops, sizeof(double));
        meter->outs[rank].points = calloc(2 * ops, sizeof(struct weft_profile_point));
        meter->ins[rank].points = calloc(2 * ops, sizeof(struct weft_profile_point));
        made = meter->edges_of_ops[rank] && meter->took_ns[rank] && meter->outs[rank].points &&
               meter->ins[rank].points;
    }
    return made;
}

static bool allocate_edges(struct meter *meter)
{
    const struct weft_attributor *attributor = meter->attributor;
    uint32_t rank_count = attributor->input->rank_count;
    size_t edges = (size_t)attributor->edge_count + 1;
    size_t cells = edges * (meter->iteration_count + 1);
    meter->edges->edges = calloc(edges, sizeof(*meter->edges->edges));
    meter->took = calloc(edges, sizeof(*meter->took));
    meter->stayed = calloc(edges, sizeof(*meter->stayed));
    meter->paces = calloc(cells, sizeof(double));
    meter->slownesses = calloc(cells, sizeof(double));
    meter->shares = calloc(cells, sizeof(double));
    uint32_t *numbers = malloc(((size_t)rank_count + 1) * sizeof(*numbers));
    bool made = meter->edges->edges && meter->took && meter->stayed && meter->paces &&
                meter->slownesses && meter->shares && numbers;
    for (uint32_t rank = 0; made && rank < rank_count; rank++)
        numbers[rank] = WEFT_OP_NONE;
    for (uint32_t rank = 0; made && rank < rank_count; rank++)
        find_edges(meter, rank, numbers);
    free(numbers);
    return made;
}

static void fini(struct meter *meter)
{
    for (uint32_t rank = 0; rank < meter->attributor->input->rank_count; rank++) {
        if (meter->edges_of_ops)
            free(meter->edges_of_ops[rank]);
        if (meter->took_ns)
            free(meter->took_ns[rank]);
        if (meter->outs)
            free(meter->outs[rank].points);
        if (meter->ins)
            free(meter->ins[rank].points);
    }
    free(meter->edges_of_ops);
    free(meter->took_ns);
    free(meter->outs);
    free(meter->ins);
    free(meter->took);
    free(meter->stayed);
    free(meter->paces);
    free(meter->slownesses);
    free(meter->shares);
    free(meter->iterations);
}

enum weft_status weft_edges_measure(const struct weft_attributor *attributor, bool slow,
                                    struct weft_edges *ret_edges, struct weft_error *error)
{
    struct meter meter = {.attributor = attributor, .edges = ret_edges};
    *ret_edges = (struct weft_edges){0};
    meter.iterations = calloc((size_t)attributor->input->iteration_count + 1,
                              sizeof(struct weft_traced_iteration *));
    bool made = meter.iterations != NULL;
    if (made)
        choose(&meter, slow);
    if (made && meter.iteration_count >= ITERATIONS_MIN && attributor->edge_count <= EDGES_MAX) {
        ret_edges->block_count =
            meter.iteration_count < WEFT_BLOCKS_MAX ? meter.iteration_count : WEFT_BLOCKS_MAX;
        made = allocate_ranks(&meter) && allocate_edges(&meter);
        for (uint32_t i = 0; made && i < meter.iteration_count; i++)
            measure(&meter, i);
        for (uint32_t i = 0; made && i < ret_edges->count; i++)
            settle(&meter, i);
        made = made && weft_edges_compare(attributor, ret_edges);
    }
    fini(&meter);
    return made ? WEFT_OK
                : weft_error_set(error, WEFT_NO_MEMORY, "out of memory for the edges' times");
}

void weft_edges_fini(struct weft_edges *edges)
{
    free(edges->edges);
}

const struct weft_edge *weft_edges_find(const struct weft_edges *edges, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < edges->count; i++) {
        if (edges->edges[i].from == from && edges->edges[i].to == to)
            return &edges->edges[i];
    }
    return NULL;
}
