/* SPDX-License-Identifier: BSD-3-Clause */
/* Who decides how often. An iteration is decided by the rank or edge with the largest excess on its
 * chain, if that is a material part of it. */
#include <stdlib.h>

#include "fabric/attribute/internal.h"

/* Less than this share of an iteration is nobody's fault. */
#define MATERIAL_PARTS 10u
#define ENTRIES_MAX 4096u
/* Of fewer ranks nothing can be told by comparison, nor from fewer iterations. */
#define RANKS_MIN 4u
#define ITERATIONS_MIN 4u
/* Its CPU was taken away for longer than this share: it is that. */
#define LOST_SHARE_MAX 0.01

struct row {
    uint64_t key;
    uint32_t slow, other;
    uint64_t excess_ns;
};

struct weft_tally_table {
    struct weft_share *shares; /* of one chain */
    struct row rows[ENTRIES_MAX];
    uint32_t row_count;
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
}

/* ---- the table ---- */

/* More often than one of all ranks would by chance. Neighbouring iterations are not independent:
 * they count as no more than there are blocks. */
static bool exceeds_chance(uint32_t count, uint32_t all, uint32_t ranks)
{
    uint32_t blocks = all < WEFT_BLOCKS_MAX ? all : WEFT_BLOCKS_MAX;
    if (all < ITERATIONS_MIN)
        return false;
    return weft_chance_of(count * blocks / all, blocks, 1.0 / ranks, (double)WEFT_SETS * ranks) <=
           WEFT_CHANCE_MAX;
}

/* Ranks that share a worker wait for one another, and one that has lost its CPU for that. */
static bool is_its_own(const struct weft_attribution_input *input, uint32_t rank)
{
    const struct weft_rank_seat *seats = input->seats;
    if (!seats || seats[rank].worker == WEFT_WORKER_NONE)
        return true;
    for (uint32_t other = 0; other < input->rank_count; other++) {
        if (other != rank && seats[other].worker == seats[rank].worker)
            return false;
    }
    return seats[rank].lost_share <= LOST_SHARE_MAX;
}

static bool edge_stands_out(const struct weft_edges *sets, const struct row *row)
{
    for (uint32_t i = 0; i < WEFT_SETS; i++) {
        const struct weft_edge *edge =
            weft_edges_find(&sets[i], weft_key_from(row->key), (uint32_t)row->key);
        if (edge && edge->stands_out)
            return true;
    }
    return false;
}

static bool rank_stands_out(const struct weft_tally_table *table,
                            const struct weft_attribution_input *input, const struct row *row)
{
    uint32_t ranks = input->rank_count;
    return ranks >= RANKS_MIN && is_its_own(input, weft_key_from(row->key)) &&
           (exceeds_chance(row->slow, table->slow, ranks) ||
            exceeds_chance(row->other, table->other, ranks));
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
                       const struct weft_edges *sets, struct weft_attribution *attribution)
{
    attribution->slow_traced = table->slow;
    attribution->other_traced = table->other;
    qsort(table->rows, table->row_count, sizeof(*table->rows), by_count);
    for (uint32_t i = 0; i < table->row_count && i < WEFT_DECIDERS_MAX; i++) {
        const struct row *row = &table->rows[i];
        bool edge = weft_key_is_edge(row->key);
        attribution->deciders[attribution->decider_count++] = (struct weft_decider){
            .rank = weft_key_from(row->key),
            .peer = edge ? (uint32_t)row->key : WEFT_OP_NONE,
            .slow = row->slow,
            .other = row->other,
            .excess_ns = row->excess_ns,
            .stands_out =
                edge ? edge_stands_out(sets, row) : rank_stands_out(table, attributor->input, row),
        };
    }
}
