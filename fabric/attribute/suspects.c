/* SPDX-License-Identifier: BSD-3-Clause */
/* Which NIC's link is slow: the one whose edges, in and out and with all its peers, are slower than
 * all edges that do not touch it. Nothing else is named: an edge that is slow alone may be so
 * anywhere on its way, and flows that meet on a link between switches are nobody's fault.
 *
 * Of NICs that do the same each is the slowest as often as any other. That is the chance which its
 * being so in nearly every block is held against, for all NICs together. */
#include <math.h>
#include <stdlib.h>

#include "fabric/attribute/internal.h"

/* With fewer edges each of them must be slow; of more the middle one. */
#define MEDIAN_EDGES_MIN 4u
/* So many other NICs, or there is nothing to compare with. */
#define OTHERS_MIN 3u
/* So many times as far from what is usual as the next one. */
#define APART 2.0

struct trial {
    const struct weft_attributor *attributor;
    const struct weft_edges *edges;
    uint32_t nic_count;
    uint32_t *first, *of_nics; /* of each NIC its edges that are known: index into edges */
    uint32_t near_hops;        /* the fewest that there are */
    bool *excluded;            /* of each NIC: its driver shows that it cannot be at fault */
    double *values;            /* room for all edges */
};

struct verdict {
    bool named;
    uint32_t nic, edges;
    double slowness, confidence;
};

static uint32_t nic_of(const struct trial *trial, uint32_t rank)
{
    return trial->attributor->input->topology->rank_nics[rank];
}

static bool touches(const struct trial *trial, const struct weft_edge *edge, uint32_t nic)
{
    return nic_of(trial, edge->from) == nic || nic_of(trial, edge->to) == nic;
}

static bool counts(const struct trial *trial, const struct weft_edge *edge)
{
    return edge->known && nic_of(trial, edge->from) != nic_of(trial, edge->to);
}

static double value_of(const struct weft_edge *edge, uint32_t block)
{
    return block == WEFT_BLOCKS_MAX ? edge->slowness : edge->slownesses[block];
}

/* Of the nearest peers where there are enough: those ways cross the fewest links that others use.
 * In block WEFT_BLOCKS_MAX: over all of them. Without edges that touch `but`. Below zero: none. */
static double judge(const struct trial *trial, uint32_t nic, uint32_t but, uint32_t block)
{
    uint32_t near = 0, count = 0;
    double least = HUGE_VAL;
    for (uint32_t i = trial->first[nic]; i < trial->first[nic + 1]; i++)
        near += trial->edges->edges[trial->of_nics[i]].hops == trial->near_hops;
    for (uint32_t i = trial->first[nic]; i < trial->first[nic + 1]; i++) {
        const struct weft_edge *edge = &trial->edges->edges[trial->of_nics[i]];
        bool left_out = near >= MEDIAN_EDGES_MIN && edge->hops != trial->near_hops;
        if (left_out || (but != nic && but != WEFT_OP_NONE && touches(trial, edge, but)))
            continue;
        trial->values[count] = value_of(edge, block);
        least = fmin(least, trial->values[count++]);
    }
    if (!count)
        return -1;
    return count >= MEDIAN_EDGES_MIN ? weft_median(trial->values, count) : least;
}

/* ---- one NIC against the others ---- */

static uint32_t slowest_nic(const struct trial *trial, uint32_t block, uint32_t *ret_candidates)
{
    uint32_t slowest = WEFT_OP_NONE;
    double most = -1;
    *ret_candidates = 0;
    for (uint32_t nic = 0; nic < trial->nic_count; nic++) {
        double value = judge(trial, nic, WEFT_OP_NONE, block);
        *ret_candidates += value >= 0;
        if (value > most) {
            most = value;
            slowest = nic;
        }
    }
    return slowest;
}

/* What edges that do not touch it are like: the middle one, and of the NICs the slowest; where it
 * has few edges the slowest edge. False: there are too few. */
static bool look_around(const struct trial *trial, uint32_t nic, double *ret_usual,
                        double *ret_next)
{
    uint32_t others = 0, count = 0;
    bool few = trial->first[nic + 1] - trial->first[nic] < MEDIAN_EDGES_MIN;
    *ret_next = 0;
    for (uint32_t other = 0; other < trial->nic_count; other++) {
        double value = other == nic ? -1 : judge(trial, other, nic, WEFT_BLOCKS_MAX);
        others += value >= 0;
        if (!few && value > *ret_next)
            *ret_next = value;
    }
    for (uint32_t i = 0; i < trial->edges->count; i++) {
        const struct weft_edge *edge = &trial->edges->edges[i];
        if (!counts(trial, edge) || touches(trial, edge, nic))
            continue;
        if (few && edge->slowness > *ret_next)
            *ret_next = edge->slowness;
        trial->values[count++] = edge->slowness;
    }
    *ret_usual = weft_median(trial->values, count);
    return others >= OTHERS_MIN && count >= OTHERS_MIN && *ret_usual > 0;
}

/* What its edges take too long, as a share of the iteration: in one direction, for both go on side
 * by side. */
static double cost_of(const struct trial *trial, uint32_t nic, double usual)
{
    double out = 0, in = 0;
    for (uint32_t i = trial->first[nic]; i < trial->first[nic + 1]; i++) {
        const struct weft_edge *edge = &trial->edges->edges[trial->of_nics[i]];
        double cost = weft_edge_cost(edge, usual);
        if (nic_of(trial, edge->from) == nic)
            out += cost;
        else
            in += cost;
    }
    return fmax(out, in);
}

/* All with one other NIC: it may as well be that one. */
static bool has_one_peer(const struct trial *trial, uint32_t nic)
{
    uint32_t peer = WEFT_OP_NONE;
    for (uint32_t i = trial->first[nic]; i < trial->first[nic + 1]; i++) {
        const struct weft_edge *edge = &trial->edges->edges[trial->of_nics[i]];
        uint32_t from = nic_of(trial, edge->from), to = nic_of(trial, edge->to);
        uint32_t other = from == nic ? to : from;
        if (peer != WEFT_OP_NONE && peer != other)
            return false;
        peer = other;
    }
    return true;
}

static double chance_of(const struct trial *trial, uint32_t nic)
{
    uint32_t wins = 0, candidates = 0, most = 0;
    for (uint32_t block = 0; block < trial->edges->block_count; block++) {
        wins += slowest_nic(trial, block, &candidates) == nic;
        most = candidates > most ? candidates : most;
    }
    return weft_chance_of(wins, trial->edges->block_count, 1.0 / (most ? most : 1),
                          (double)WEFT_SETS * most);
}

static enum weft_status share_a_link(const struct trial *trial, uint32_t nic, bool *ret_share,
                                     struct weft_error *error)
{
    uint32_t count = trial->first[nic + 1] - trial->first[nic];
    const struct weft_edge **edges = calloc((size_t)count + 1, sizeof(struct weft_edge *));
    if (!edges)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a NIC's edges");
    for (uint32_t i = 0; i < count; i++)
        edges[i] = &trial->edges->edges[trial->of_nics[trial->first[nic] + i]];
    enum weft_status status =
        weft_suspects_share_link(trial->attributor, edges, count, ret_share, error);
    free(edges);
    return status;
}

static enum weft_status try_slowest(const struct trial *trial, struct verdict *ret_verdict,
                                    struct weft_error *error)
{
    uint32_t candidates;
    double usual, next;
    bool share = false;
    uint32_t nic = slowest_nic(trial, WEFT_BLOCKS_MAX, &candidates);
    *ret_verdict = (struct verdict){0};
    if (nic == WEFT_OP_NONE || !look_around(trial, nic, &usual, &next))
        return WEFT_OK;
    double slowness = judge(trial, nic, WEFT_OP_NONE, WEFT_BLOCKS_MAX) / usual;
    *ret_verdict = (struct verdict){.nic = nic,
                                    .edges = trial->first[nic + 1] - trial->first[nic],
                                    .slowness = slowness,
                                    .confidence = 1 - chance_of(trial, nic)};
    if (trial->excluded[nic] || has_one_peer(trial, nic) || slowness < WEFT_SLOWNESS_MIN ||
        slowness - 1 < APART * (next / usual - 1) ||
        cost_of(trial, nic, usual) < WEFT_EXCESS_SHARE_MIN ||
        1 - ret_verdict->confidence > WEFT_CHANCE_MAX)
        return WEFT_OK;
    enum weft_status status = share_a_link(trial, nic, &share, error);
    ret_verdict->named = !share;
    return status;
}

/* ---- the trial ---- */

/* Its CPU was taken away: then what it polls is slow by that. */
#define LOST_SHARE_MAX 0.01

static void exclude(struct trial *trial)
{
    const struct weft_attribution_input *input = trial->attributor->input;
    for (uint32_t rank = 0; input->seats && rank < input->rank_count; rank++) {
        const struct weft_rank_seat *seat = &input->seats[rank];
        if (seat->in_process || (seat->polled && seat->lost_share > LOST_SHARE_MAX))
            trial->excluded[nic_of(trial, rank)] = true;
    }
}

static void list_edges(struct trial *trial)
{
    trial->near_hops = UINT32_MAX;
    for (uint32_t i = 0; i < trial->edges->count; i++) {
        const struct weft_edge *edge = &trial->edges->edges[i];
        if (!counts(trial, edge))
            continue;
        trial->first[nic_of(trial, edge->from) + 1]++;
        trial->first[nic_of(trial, edge->to) + 1]++;
        trial->near_hops = edge->hops < trial->near_hops ? edge->hops : trial->near_hops;
    }
    for (uint32_t nic = 0; nic < trial->nic_count; nic++)
        trial->first[nic + 1] += trial->first[nic];
    /* Each first is moved on while it is filled, and ends as the next one's. */
    for (uint32_t i = 0; i < trial->edges->count; i++) {
        const struct weft_edge *edge = &trial->edges->edges[i];
        if (!counts(trial, edge))
            continue;
        trial->of_nics[trial->first[nic_of(trial, edge->from)]++] = i;
        trial->of_nics[trial->first[nic_of(trial, edge->to)]++] = i;
    }
    for (uint32_t nic = trial->nic_count; nic > 0; nic--)
        trial->first[nic] = trial->first[nic - 1];
    trial->first[0] = 0;
}

static enum weft_status try_set(const struct weft_attributor *attributor,
                                const struct weft_edges *edges, struct verdict *ret_verdict,
                                struct weft_error *error)
{
    struct trial trial = {.attributor = attributor,
                          .edges = edges,
                          .nic_count = attributor->input->topology->nic_count};
    trial.first = calloc((size_t)trial.nic_count + 2, sizeof(uint32_t));
    trial.of_nics = calloc(2 * (size_t)edges->count + 1, sizeof(uint32_t));
    trial.excluded = calloc((size_t)trial.nic_count + 1, sizeof(bool));
    trial.values = calloc(2 * (size_t)edges->count + 1, sizeof(double));
    enum weft_status status = WEFT_OK;
    *ret_verdict = (struct verdict){0};
    if (!trial.first || !trial.of_nics || !trial.excluded || !trial.values) {
        status = weft_error_set(error, WEFT_NO_MEMORY, "out of memory for the NICs' edges");
    } else {
        list_edges(&trial);
        exclude(&trial);
        status = try_slowest(&trial, ret_verdict, error);
    }
    free(trial.first);
    free(trial.of_nics);
    free(trial.excluded);
    free(trial.values);
    return status;
}

static struct weft_suspect describe(const struct weft_attributor *attributor,
                                    const struct verdict *verdict)
{
    const struct weft_attribution_input *input = attributor->input;
    const struct weft_topology *topology = input->topology;
    struct weft_suspect suspect = {.index = verdict->nic,
                                   .is_nic = true,
                                   .edges = verdict->edges,
                                   .slowness = verdict->slowness,
                                   .confidence = verdict->confidence,
                                   .stands_out = verdict->named};
    for (uint32_t rank = 0; input->seats && rank < input->rank_count; rank++)
        suspect.polled |= topology->rank_nics[rank] == verdict->nic && input->seats[rank].polled;
    for (uint32_t link = 0; link < topology->link_count; link++) {
        for (uint32_t end = 0; end < 2; end++) {
            const struct weft_link_end *at = &topology->links[link].ends[end];
            if (at->is_switch || at->index != verdict->nic)
                continue;
            suspect.index = link;
            suspect.is_nic = false;
        }
    }
    return suspect;
}

/* What is always so is told from the others, what is so now and then from the slow ones. */
enum weft_status weft_suspects_find(const struct weft_attributor *attributor,
                                    const struct weft_edges *sets,
                                    struct weft_attribution *attribution, struct weft_error *error)
{
    for (uint32_t i = 0; i < WEFT_SETS; i++) {
        struct verdict verdict;
        enum weft_status status = try_set(attributor, &sets[i], &verdict, error);
        if (status)
            return status;
        if (!verdict.edges || (attribution->suspect_count && !verdict.named))
            continue;
        attribution->suspect = describe(attributor, &verdict);
        attribution->suspect_count = 1;
        if (verdict.named)
            break;
    }
    return WEFT_OK;
}
