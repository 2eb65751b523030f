/* SPDX-License-Identifier: BSD-3-Clause */
/* Who decides how often. An iteration is decided by the rank or edge with the largest excess on its
 * chain, if that is a material part of it. */
#include <math.h>
#include <stdlib.h>

#include "fabric/attribute/internal.h"

/* Less than this share of an iteration is nobody's fault. */
#define MATERIAL_PARTS 20u
/* One vote, which a chain's slow transfers share. */
#define VOTE 1000000u
#define ENTRIES_MAX 4096u
/* How many deviations above what chance gives; and never on fewer iterations than this. */
#define DEVIATIONS 4.0
#define COUNT_MIN 3u

struct row {
    uint64_t key;
    uint32_t slow, other;
    uint64_t excess_ns;
};

struct weft_tally_table {
    struct weft_share *shares; /* of one chain */
    struct row rows[ENTRIES_MAX];
    uint32_t row_count;
    struct weft_share transfers[ENTRIES_MAX]; /* in votes */
    uint32_t transfer_count, transfer_chains;
    uint32_t slow, other;
};

struct weft_tally_table *weft_tally_create(uint32_t steps_max)
{
    struct weft_tally_table *table = calloc(1, sizeof(*table));
    if (table)
        table->shares = calloc(2 * (size_t)steps_max + 1, sizeof(*table->shares));
    if (table && !table->shares) {
        free(table);
        return NULL;
    }
    return table;
}

void weft_tally_destroy(struct weft_tally_table *table)
{
    if (table)
        free(table->shares);
    free(table);
}

static int by_key(const void *left, const void *right)
{
    const struct weft_share *a = left, *b = right;
    return a->key < b->key ? -1 : a->key > b->key;
}

/* A transfer's excess is its edge's, all else its rank's. Returns how many have any. */
static uint32_t share_out(const struct weft_step *steps, uint32_t count, struct weft_share *shares)
{
    uint32_t parts = 0, merged = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct weft_step *step = &steps[i];
        uint64_t own_ns = step->waited_excess_ns;
        if (step->kind == WEFT_STEP_SEND && step->took_excess_ns)
            shares[parts++] =
                (struct weft_share){weft_key_of_edge(step->rank, step->peer), step->took_excess_ns};
        else
            own_ns += step->took_excess_ns;
        if (own_ns)
            shares[parts++] = (struct weft_share){step->rank, own_ns};
    }
    qsort(shares, parts, sizeof(*shares), by_key);
    for (uint32_t i = 0; i < parts; i++) {
        if (merged && shares[merged - 1].key == shares[i].key)
            shares[merged - 1].excess_ns += shares[i].excess_ns;
        else
            shares[merged++] = shares[i];
    }
    return merged;
}

static void count_decider(struct weft_tally_table *table, const struct weft_share *share, bool slow)
{
    uint32_t at = 0;
    while (at < table->row_count && table->rows[at].key != share->key)
        at++;
    if (at == ENTRIES_MAX)
        return;
    if (at == table->row_count)
        table->rows[table->row_count++] = (struct row){.key = share->key};
    table->rows[at].slow += slow;
    table->rows[at].other += !slow;
    table->rows[at].excess_ns += share->excess_ns;
}

static void vote_transfer(struct weft_tally_table *table, uint64_t key, uint64_t votes)
{
    uint32_t at = 0;
    while (at < table->transfer_count && table->transfers[at].key != key)
        at++;
    if (at == ENTRIES_MAX)
        return;
    if (at == table->transfer_count)
        table->transfers[table->transfer_count++] = (struct weft_share){.key = key};
    table->transfers[at].excess_ns += votes;
}

static void vote_transfers(struct weft_tally_table *table, uint32_t count, uint64_t material_ns)
{
    uint64_t all_ns = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (weft_key_is_edge(table->shares[i].key) && table->shares[i].excess_ns >= material_ns)
            all_ns += table->shares[i].excess_ns;
    }
    table->transfer_chains += all_ns > 0;
    for (uint32_t i = 0; all_ns && i < count; i++) {
        const struct weft_share *share = &table->shares[i];
        if (weft_key_is_edge(share->key) && share->excess_ns >= material_ns)
            vote_transfer(table, share->key,
                          (uint64_t)((double)share->excess_ns * VOTE / (double)all_ns));
    }
}

void weft_tally_add(struct weft_tally_table *table, const struct weft_step *steps, uint32_t count,
                    uint64_t duration_ns, bool slow)
{
    uint32_t shares = share_out(steps, count, table->shares);
    uint64_t material_ns = duration_ns / MATERIAL_PARTS + 1;
    const struct weft_share *top = NULL;
    for (uint32_t i = 0; i < shares; i++) {
        if (!top || table->shares[i].excess_ns > top->excess_ns)
            top = &table->shares[i];
    }
    table->slow += slow;
    table->other += !slow;
    if (top && top->excess_ns >= material_ns)
        count_decider(table, top, slow);
    vote_transfers(table, shares, material_ns);
}

const struct weft_share *weft_tally_transfers(const struct weft_tally_table *table,
                                              uint32_t *ret_count, uint32_t *ret_chains)
{
    *ret_count = table->transfer_count;
    *ret_chains = table->transfer_chains;
    return table->transfers;
}

/* ---- the table ---- */

/* More often than one of `candidates` would by chance. */
static bool exceeds_chance(uint32_t count, uint32_t all, uint32_t candidates)
{
    if (count < COUNT_MIN || candidates < 2)
        return false;
    double share = 1.0 / candidates, mean = all * share;
    return count >= mean + DEVIATIONS * sqrt(mean * (1 - share)) + 1;
}

static int by_count(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    uint32_t a_count = a->slow + a->other, b_count = b->slow + b->other;
    if (a_count != b_count)
        return a_count > b_count ? -1 : 1;
    return a->key < b->key ? -1 : a->key > b->key;
}

void weft_tally_finish(struct weft_tally_table *table, const struct weft_attributor *attributor,
                       struct weft_attribution *attribution)
{
    attribution->slow_traced = table->slow;
    attribution->other_traced = table->other;
    qsort(table->rows, table->row_count, sizeof(*table->rows), by_count);
    for (uint32_t i = 0; i < table->row_count && i < WEFT_DECIDERS_MAX; i++) {
        const struct row *row = &table->rows[i];
        bool edge = weft_key_is_edge(row->key);
        uint32_t candidates = edge ? attributor->edge_count : attributor->input->rank_count;
        attribution->deciders[attribution->decider_count++] = (struct weft_decider){
            .rank = weft_key_from(row->key),
            .peer = edge ? (uint32_t)row->key : WEFT_OP_NONE,
            .slow = row->slow,
            .other = row->other,
            .excess_ns = row->excess_ns,
            .stands_out = exceeds_chance(row->slow, table->slow, candidates) ||
                          exceeds_chance(row->other, table->other, candidates),
        };
    }
}
