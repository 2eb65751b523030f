/* SPDX-License-Identifier: BSD-3-Clause */
/* What is usual: medians of like operations, of the iterations that are not among the slowest where
 * there are such. Alike are operations of one kind and length, with peers equally far away, at the
 * same place in their ranks' order; where too few ranks have one there, at any place. */
#include <stdlib.h>

#include "fabric/attribute/internal.h"

#define ENTRIES_MAX (1u << 19)
/* Of two, one that is slow would be half of what is usual. */
#define LIKE_RANKS_MIN 3u

struct entry {
    struct weft_like like; /* with what this one took and waited */
    uint32_t rank;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_likeness(const struct weft_like *a, const struct weft_like *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->len_bytes != b->len_bytes)
        return compare_numbers(a->len_bytes, b->len_bytes);
    if (a->hops != b->hops)
        return compare_numbers(a->hops, b->hops);
    return compare_numbers(a->ordinal, b->ordinal);
}

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = by_likeness(&a->like, &b->like);
    return order ? order : compare_numbers(a->rank, b->rank);
}

static int compare_likes(const void *left, const void *right)
{
    return by_likeness(left, right);
}

static int compare_values(const void *left, const void *right)
{
    return compare_numbers(*(const uint64_t *)left, *(const uint64_t *)right);
}

/* Of a calc its duration is what makes it like another. */
static struct weft_like describe(const struct weft_attributor *attributor, uint32_t rank,
                                 uint32_t op)
{
    const struct weft_op *what = &attributor->input->schedules[rank]->ops[op];
    const struct weft_backward *backward = &attributor->ranks[rank];
    return (struct weft_like){.kind = what->kind,
                              .hops = backward->hops[op],
                              .ordinal = backward->ordinals[op],
                              .len_bytes =
                                  what->kind == WEFT_OP_CALC ? what->duration_ns : what->len_bytes};
}

static size_t add_iteration(const struct weft_attributor *attributor,
                            const struct weft_traced_iteration *iteration, struct entry *entries,
                            size_t count, size_t room)
{
    for (uint32_t rank = 0; rank < attributor->input->rank_count; rank++) {
        const struct weft_schedule *schedule = attributor->input->schedules[rank];
        for (uint32_t i = 0; i < schedule->op_count && count < room; i++) {
            const struct weft_cause what = {.known = true, .rank = rank, .op = i};
            struct weft_reason reason;
            if (schedule->ops[i].kind == WEFT_OP_RECEIVE)
                continue;
            weft_reason_find(attributor, iteration, &what, &reason);
            entries[count] = (struct entry){.like = describe(attributor, rank, i), .rank = rank};
            entries[count].like.took_ns = reason.took_ns / reason.together;
            entries[count++].like.waited_ns = reason.waited_ns;
        }
    }
    return count;
}

/* Whole iterations, as many as there is room for, one at least. */
static size_t gather(const struct weft_attributor *attributor, bool slow, struct entry *entries,
                     size_t room)
{
    const struct weft_attribution_input *input = attributor->input;
    size_t count = 0;
    for (uint32_t i = 0; i < input->iteration_count; i++) {
        if (input->iterations[i].slow == slow && (!count || count + attributor->op_count <= room))
            count = add_iteration(attributor, &input->iterations[i], entries, count, room);
    }
    return count;
}

/* The lower one: of two alike the slow one is not what is usual. */
static uint64_t median(uint64_t *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare_values);
    return values[(count - 1) / 2];
}

static void add_like(struct weft_attributor *attributor, const struct entry *entries, size_t count,
                     uint32_t ordinal, uint64_t *values)
{
    struct weft_like *like = &attributor->likes[attributor->like_count++];
    *like = entries->like;
    like->ordinal = ordinal;
    for (size_t i = 0; i < count; i++)
        values[i] = entries[i].like.took_ns;
    like->took_ns = median(values, count);
    for (size_t i = 0; i < count; i++)
        values[i] = entries[i].like.waited_ns;
    like->waited_ns = median(values, count);
}

static bool same(const struct entry *a, const struct entry *b, bool ordinal)
{
    struct weft_like key = a->like;
    key.ordinal = ordinal ? key.ordinal : b->like.ordinal;
    return by_likeness(&key, &b->like) == 0;
}

static uint32_t ranks_of(const struct entry *entries, size_t count)
{
    uint32_t ranks = 1;
    for (size_t i = 1; i < count; i++)
        ranks += entries[i].rank != entries[i - 1].rank;
    return ranks;
}

/* In the order in which they are looked up: the places of a kind and length, then all of it. */
static void find_medians(struct weft_attributor *attributor, const struct entry *entries,
                         size_t count, uint64_t *values)
{
    for (size_t first = 0, end = 0; first < count; first = end) {
        for (size_t at = first; at < count && same(&entries[at], &entries[first], false);
             at = end) {
            for (end = at; end < count && same(&entries[end], &entries[at], true);)
                end++;
            if (ranks_of(entries + at, end - at) >= LIKE_RANKS_MIN)
                add_like(attributor, entries + at, end - at, entries[at].like.ordinal, values);
        }
        add_like(attributor, entries + first, end - first, WEFT_OP_NONE, values);
    }
}

enum weft_status weft_likes_create(struct weft_attributor *attributor, struct weft_error *error)
{
    uint64_t wanted = attributor->op_count * attributor->input->iteration_count;
    size_t room = wanted < ENTRIES_MAX                 ? wanted
                  : attributor->op_count > ENTRIES_MAX ? attributor->op_count
                                                       : ENTRIES_MAX;
    struct entry *entries = calloc(room + 1, sizeof(*entries));
    uint64_t *values = calloc(room + 1, sizeof(*values));
    attributor->likes = calloc(2 * room + 1, sizeof(*attributor->likes));
    bool made = entries && values && attributor->likes;
    if (made) {
        size_t count = gather(attributor, false, entries, room);
        if (!count)
            count = gather(attributor, true, entries, room);
        qsort(entries, count, sizeof(*entries), compare_entries);
        find_medians(attributor, entries, count, values);
    }
    free(entries);
    free(values);
    return made ? WEFT_OK
                : weft_error_set(error, WEFT_NO_MEMORY, "out of memory for what is usual");
}

void weft_likes_find(const struct weft_attributor *attributor, uint32_t rank, uint32_t op,
                     struct weft_like *ret_like)
{
    struct weft_like key = describe(attributor, rank, op);
    const struct weft_like *found =
        bsearch(&key, attributor->likes, attributor->like_count, sizeof(key), compare_likes);
    if (!found) {
        key.ordinal = WEFT_OP_NONE;
        found =
            bsearch(&key, attributor->likes, attributor->like_count, sizeof(key), compare_likes);
    }
    *ret_like = found ? *found : key;
}
