/* SPDX-License-Identifier: BSD-3-Clause */
/* Which link is slow: the transfers that took materially longer vote for what they crossed, a chain
 * having one vote in all (after 007, NSDI 2018). Where the topology names no link, the two NICs are
 * what a transfer is known to cross. */
#include <stdlib.h>

#include "fabric/attribute/internal.h"

/* Edges that are looked at for what a link's share would be by chance. */
#define EXPECTED_EDGES_MAX 4096u
/* Of the traced iterations, one in so many must have had a slow transfer. */
#define CHAINS_PARTS 4u
#define CHAINS_MIN 4u
#define SHARE_MIN 0.6
/* Links whose shares differ by less are not told apart. */
#define SAME_SHARE 0.01

struct election {
    const struct weft_attributor *attributor;
    struct weft_paths *paths; /* NULL: NICs */
    uint32_t count;
    double *shares, *expected;
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

/* Were every edge equally often slow. Of many edges the first stand for all: each rank's are
 * there in turn. */
static void expect(struct election *election)
{
    const struct weft_attribution_input *input = election->attributor->input;
    uint32_t edges = 0;
    for (uint32_t rank = 0; rank < input->rank_count; rank++) {
        const struct weft_schedule *schedule = input->schedules[rank];
        for (uint32_t i = 0; i < schedule->op_count && edges < EXPECTED_EDGES_MAX; i++) {
            if (schedule->ops[i].kind != WEFT_OP_SEND ||
                election->attributor->ranks[rank].previous[i] != WEFT_OP_NONE)
                continue;
            cross(election, rank, schedule->ops[i].peer, 1, election->expected);
            edges++;
        }
    }
    for (uint32_t i = 0; i < election->count && edges; i++)
        election->expected[i] /= edges;
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
    double top = attribution->suspect_count ? attribution->suspects[0].share : 0;
    for (uint32_t i = 0; enough && i < attribution->suspect_count; i++) {
        struct weft_suspect *suspect = &attribution->suspects[i];
        suspect->stands_out = suspect->share >= top - SAME_SHARE &&
                              stands_out(suspect->share, election->expected[suspect->index]);
    }
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
    election.shares = calloc((size_t)election.count + 1, sizeof(double));
    election.expected = calloc((size_t)election.count + 1, sizeof(double));
    if (topology->link_count)
        election.paths = weft_paths_create(topology);
    bool made = election.shares && election.expected && (election.paths || !topology->link_count);
    if (made) {
        vote(&election, transfers, count);
        expect(&election);
        announce(&election, chains, attribution);
    }
    weft_paths_destroy(election.paths);
    free(election.shares);
    free(election.expected);
    return made ? WEFT_OK : weft_error_set(error, WEFT_NO_MEMORY, "out of memory for paths");
}
