/* SPDX-License-Identifier: BSD-3-Clause */
/* Which link is slow: the transfers that took materially longer vote for what they crossed, a chain
 * having one vote in all (after 007, NSDI 2018). A chain keeps to one edge while that is busy, so
 * of links with equally many votes those are taken whose other edges are slow too, on a chain or
 * not. Where the topology names no link, the two NICs are what a transfer is known to cross. */
#include <math.h>
#include <stdlib.h>

#include "fabric/attribute/internal.h"

/* Edges that are looked at for what crosses a link. */
#define COUNTED_EDGES_MAX 4096u
/* Of the traced iterations, one in so many must have had a slow transfer. */
#define CHAINS_PARTS 4u
#define CHAINS_MIN 4u
#define SHARE_MIN 0.6
/* By so much of what is usual an edge is slow, over all traced iterations. */
#define SLOW_PARTS 10u
/* Links whose shares differ by less are not told apart. */
#define SAME_SHARE 0.01

struct election {
    const struct weft_attributor *attributor;
    struct weft_paths *paths; /* NULL: NICs */
    uint32_t count;
    double *shares;
    double *edges, *slow_edges; /* that cross it; of one that may take several ways, a part */
    double edge_count;
};

/* One rank's, by peer. */
struct edge_sum {
    uint64_t usual_ns, excess_ns;
};

static void cross(struct election *election, uint32_t from, uint32_t to, double weight,
                  double *shares)
{
    const uint32_t *rank_nics = election->attributor->input->topology->rank_nics;
    uint32_t from_nic = rank_nics[from], to_nic = rank_nics[to];
    if (election->paths) {
        weft_paths_add(election->paths, from_nic, to_nic, weight, shares);
    } else if (from_nic != to_nic) {
        shares[from_nic] += weight;
        shares[to_nic] += weight;
    }
}

static void vote(struct election *election, const struct weft_share *transfers, uint32_t count)
{
    double all = 0;
    for (uint32_t i = 0; i < count; i++)
        all += (double)transfers[i].excess_ns;
    for (uint32_t i = 0; i < count; i++)
        cross(election, weft_key_from(transfers[i].key), (uint32_t)transfers[i].key,
              (double)transfers[i].excess_ns / all, election->shares);
}

static void sum_rank(const struct weft_attributor *attributor, uint32_t rank, struct edge_sum *sums)
{
    const struct weft_attribution_input *input = attributor->input;
    const struct weft_schedule *schedule = input->schedules[rank];
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_cause what = {.known = true, .rank = rank, .op = i};
        struct weft_like like;
        if (schedule->ops[i].kind != WEFT_OP_SEND)
            continue;
        weft_likes_find(attributor, rank, i, &like);
        for (uint32_t j = 0; j < input->iteration_count; j++) {
            struct weft_reason reason;
            weft_reason_find(attributor, &input->iterations[j], &what, &reason);
            struct edge_sum *sum = &sums[schedule->ops[i].peer];
            uint64_t took_ns = reason.took_ns / reason.together;
            sum->usual_ns += like.took_ns;
            sum->excess_ns += took_ns > like.took_ns ? took_ns - like.took_ns : 0;
        }
    }
}

/* Also clears the sums. */
static void count_rank(struct election *election, uint32_t rank, struct edge_sum *sums)
{
    const struct weft_attributor *attributor = election->attributor;
    const struct weft_schedule *schedule = attributor->input->schedules[rank];
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        uint32_t peer = schedule->ops[i].peer;
        if (schedule->ops[i].kind != WEFT_OP_SEND ||
            attributor->ranks[rank].previous[i] != WEFT_OP_NONE)
            continue;
        cross(election, rank, peer, 1, election->edges);
        if (sums[peer].excess_ns > sums[peer].usual_ns / SLOW_PARTS)
            cross(election, rank, peer, 1, election->slow_edges);
        election->edge_count++;
    }
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        if (schedule->ops[i].kind == WEFT_OP_SEND)
            sums[schedule->ops[i].peer] = (struct edge_sum){0};
    }
}

/* What crosses which link, and how much of it is slow. Of very many edges the first stand for all.
 */
static void count_edges(struct election *election, struct edge_sum *sums)
{
    const struct weft_attribution_input *input = election->attributor->input;
    for (uint32_t rank = 0; rank < input->rank_count; rank++) {
        if (election->edge_count >= COUNTED_EDGES_MAX)
            return;
        sum_rank(election->attributor, rank, sums);
        count_rank(election, rank, sums);
    }
}

static double expected_of(const struct election *election, uint32_t index)
{
    return election->edge_count > 0 ? election->edges[index] / election->edge_count : 1;
}

static double guilt_of(const struct election *election, uint32_t index)
{
    return election->edges[index] > 0 ? election->slow_edges[index] / election->edges[index] : 0;
}

/* Half the way from what is expected to all: chance does not come so far. What every edge crosses
 * says nothing. */
static bool stands_out(double share, double expected)
{
    double least = (1 + expected) / 2;
    return expected < 1 - SAME_SHARE && share >= SHARE_MIN && share >= least - SAME_SHARE;
}

static void insert(struct weft_attribution *attribution, const struct weft_suspect *suspect)
{
    uint32_t at = attribution->suspect_count;
    if (at < WEFT_SUSPECTS_MAX)
        attribution->suspect_count++;
    else if (attribution->suspects[--at].share >= suspect->share)
        return;
    for (; at > 0 && attribution->suspects[at - 1].share < suspect->share; at--)
        attribution->suspects[at] = attribution->suspects[at - 1];
    attribution->suspects[at] = *suspect;
}

static void announce(const struct election *election, uint32_t chains,
                     struct weft_attribution *attribution)
{
    uint32_t traced = attribution->slow_traced + attribution->other_traced;
    /* A jitter of the slowest only is a pattern too. */
    uint32_t least = (attribution->slow_traced < traced / CHAINS_PARTS ? attribution->slow_traced
                                                                       : traced / CHAINS_PARTS);
    bool enough = chains >= CHAINS_MIN && chains * 2 >= least;
    for (uint32_t i = 0; i < election->count; i++) {
        if (election->shares[i] > 0)
            insert(attribution, &(struct weft_suspect){.index = i, .share = election->shares[i]});
    }
    const struct weft_suspect *suspects = attribution->suspects;
    double top = attribution->suspect_count ? suspects[0].share : 0, guilt = 0;
    for (uint32_t i = 0; i < attribution->suspect_count && suspects[i].share >= top - SAME_SHARE;
         i++)
        guilt = fmax(guilt, guilt_of(election, suspects[i].index));
    for (uint32_t i = 0; enough && i < attribution->suspect_count; i++) {
        struct weft_suspect *suspect = &attribution->suspects[i];
        suspect->stands_out = suspect->share >= top - SAME_SHARE &&
                              guilt_of(election, suspect->index) >= guilt - SAME_SHARE &&
                              stands_out(suspect->share, expected_of(election, suspect->index));
    }
}

static bool allocate(struct election *election)
{
    size_t count = (size_t)election->count + 1;
    election->shares = calloc(count, sizeof(double));
    election->edges = calloc(count, sizeof(double));
    election->slow_edges = calloc(count, sizeof(double));
    return election->shares && election->edges && election->slow_edges;
}

enum weft_status weft_suspects_find(const struct weft_attributor *attributor,
                                    const struct weft_tally_table *table,
                                    struct weft_attribution *attribution, struct weft_error *error)
{
    const struct weft_topology *topology = attributor->input->topology;
    uint32_t count = 0, chains = 0;
    const struct weft_share *transfers = weft_tally_transfers(table, &count, &chains);
    attribution->suspects_are_nics = !topology->link_count;
    if (!count)
        return WEFT_OK;
    struct election election = {.attributor = attributor,
                                .count = topology->link_count ? topology->link_count
                                                              : topology->nic_count};
    struct edge_sum *sums = calloc((size_t)attributor->input->rank_count + 1, sizeof(*sums));
    if (topology->link_count)
        election.paths = weft_paths_create(topology);
    bool made = allocate(&election) && sums && (election.paths || !topology->link_count);
    if (made) {
        vote(&election, transfers, count);
        count_edges(&election, sums);
        announce(&election, chains, attribution);
    }
    weft_paths_destroy(election.paths);
    free(election.shares);
    free(election.edges);
    free(election.slow_edges);
    free(sums);
    return made ? WEFT_OK : weft_error_set(error, WEFT_NO_MEMORY, "out of memory for paths");
}
