/* SPDX-License-Identifier: BSD-3-Clause */
/* All-reduce by halving and doubling (Rabenseifner's): of a power of two of ranks, each exchanges
 * with its partner at distance p/2 one half of what it holds and joins the other, then at p/4 a
 * quarter, until it holds one part of p; back the same way, until all hold all.
 *
 * Ranks beyond the largest power of two: of the first 2 r, the even ones give their vector to the
 * odd one beside them and take the result from it in the end.
 *
 * The vector is cut into slices, and each goes its way alone. */
#include <assert.h>
#include <stdlib.h>

#include "fabric/schedule/patterns/all_reduce.h"

#define STEPS_MAX 32u

struct halving {
    const struct weft_pattern_options *options;
    struct weft_schedule_builder *builder;
    uint32_t rank;
    uint32_t power;    /* the largest power of two of ranks */
    uint32_t extra;    /* ranks beyond */
    uint32_t position; /* among the power of two */
    uint64_t slices;
    uint64_t scratch_bytes; /* for each slice a piece */
    uint64_t piece_bytes;
};

/* What one slice has done so far. */
struct slice {
    struct weft_span whole;
    uint32_t first, last;        /* the parts of p that are held, [first, last) */
    uint32_t joined;             /* the reduction before, or NONE */
    uint32_t sent[STEPS_MAX];    /* by step of the way down */
    uint32_t taken[STEPS_MAX];   /* by step of the way up */
    uint64_t scratch_used_bytes; /* of the slice's */
};

static uint32_t largest_power(uint32_t count)
{
    return 1u << (31 - (uint32_t)__builtin_clz(count));
}

static uint64_t slices_of(const struct weft_pattern_options *options)
{
    return weft_pattern_chunks(options, options->size_bytes);
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    return weft_pattern_check_messages(&weft_pattern_all_reduce, 64 * slices_of(options), error);
}

/* Who has a place among the power of two. */
static uint32_t rank_at(const struct halving *halving, uint32_t position)
{
    return position < halving->extra ? 2 * position + 1 : position + halving->extra;
}

static struct weft_span parts_of(const struct halving *halving, const struct slice *slice,
                                 uint32_t first, uint32_t last)
{
    uint32_t element_bytes = weft_element_of(halving->options);
    struct weft_span from = weft_span_part(&slice->whole, first, halving->power, element_bytes);
    struct weft_span to = weft_span_part(&slice->whole, last - 1, halving->power, element_bytes);
    return (struct weft_span){.offset_bytes = from.offset_bytes,
                              .len_bytes = to.offset_bytes + to.len_bytes - from.offset_bytes};
}

/* Takes into scratch space and joins it into `target`. */
static void take_and_join(const struct halving *halving, struct slice *slice, uint64_t index,
                          uint32_t peer, const struct weft_span *target)
{
    if (!target->len_bytes)
        return;
    struct weft_span scratch = {.offset_bytes = halving->scratch_bytes +
                                                index * halving->piece_bytes +
                                                slice->scratch_used_bytes,
                                .len_bytes = target->len_bytes};
    slice->scratch_used_bytes += target->len_bytes;
    uint32_t received = weft_add_receive(halving->builder, peer, &scratch, WEFT_OP_NONE);
    uint32_t joined =
        weft_add_reduce(halving->builder, target, scratch.offset_bytes, slice->joined);
    weft_schedule_require(halving->builder, joined, received);
    slice->joined = joined;
}

/* ---- ranks beyond the power of two ---- */

static void build_guest(const struct halving *halving, struct slice *slice, bool end)
{
    if (!slice->whole.len_bytes)
        return;
    if (!end)
        slice->sent[0] =
            weft_add_send(halving->builder, halving->rank + 1, &slice->whole, WEFT_OP_NONE);
    else
        (void)weft_add_receive(halving->builder, halving->rank + 1, &slice->whole, slice->sent[0]);
}

/* ---- the power of two ---- */

static void go_down(const struct halving *halving, struct slice *slice, uint64_t index,
                    uint32_t step)
{
    uint32_t distance = halving->power >> (step + 1);
    uint32_t peer = rank_at(halving, halving->position ^ distance);
    uint32_t middle = slice->first + (slice->last - slice->first) / 2;
    bool upper = halving->position & distance;
    struct weft_span given = upper ? parts_of(halving, slice, slice->first, middle)
                                   : parts_of(halving, slice, middle, slice->last);
    if (upper)
        slice->first = middle;
    else
        slice->last = middle;
    slice->sent[step] = given.len_bytes
                            ? weft_add_send(halving->builder, peer, &given, slice->joined)
                            : WEFT_OP_NONE;
    struct weft_span kept = parts_of(halving, slice, slice->first, slice->last);
    take_and_join(halving, slice, index, peer, &kept);
}

/* Everything that was taken on the way up so far is passed on. */
static void go_up(const struct halving *halving, struct slice *slice, uint32_t step, uint32_t steps)
{
    uint32_t distance = halving->power >> (step + 1);
    uint32_t peer = rank_at(halving, halving->position ^ distance);
    uint32_t count = slice->last - slice->first;
    bool upper = halving->position & distance;
    struct weft_span held = parts_of(halving, slice, slice->first, slice->last);
    uint32_t other = upper ? slice->first - count : slice->last;
    struct weft_span place = parts_of(halving, slice, other, other + count);
    if (held.len_bytes) {
        uint32_t sent = weft_add_send(halving->builder, peer, &held, slice->joined);
        for (uint32_t before = step + 1; before < steps; before++)
            weft_schedule_require(halving->builder, sent, slice->taken[before]);
    }
    /* The place was read when it was given away. */
    slice->taken[step] = place.len_bytes
                             ? weft_add_receive(halving->builder, peer, &place, slice->sent[step])
                             : WEFT_OP_NONE;
    slice->first = upper ? other : slice->first;
    slice->last = slice->first + 2 * count;
}

static void serve_guest(const struct halving *halving, struct slice *slice, uint32_t steps)
{
    if (!slice->whole.len_bytes)
        return;
    uint32_t sent =
        weft_add_send(halving->builder, halving->rank - 1, &slice->whole, slice->joined);
    for (uint32_t step = 0; step < steps; step++)
        weft_schedule_require(halving->builder, sent, slice->taken[step]);
}

static void build_host(const struct halving *halving, struct slice *slices)
{
    uint32_t steps = (uint32_t)__builtin_ctz(halving->power);
    bool has_guest = halving->rank < 2 * halving->extra;
    for (uint64_t i = 0; has_guest && i < halving->slices; i++)
        take_and_join(halving, &slices[i], i, halving->rank - 1, &slices[i].whole);
    for (uint32_t step = 0; step < steps; step++)
        for (uint64_t i = 0; i < halving->slices; i++)
            go_down(halving, &slices[i], i, step);
    for (uint32_t step = steps; step-- > 0;)
        for (uint64_t i = 0; i < halving->slices; i++)
            go_up(halving, &slices[i], step, steps);
    for (uint64_t i = 0; has_guest && i < halving->slices; i++)
        serve_guest(halving, &slices[i], steps);
}

static struct slice *make_slices(const struct halving *halving)
{
    struct slice *slices = calloc(halving->slices, sizeof(*slices));
    struct weft_span vector = {.len_bytes = halving->options->size_bytes};
    for (uint64_t i = 0; slices && i < halving->slices; i++) {
        slices[i].whole =
            weft_span_part(&vector, i, halving->slices, weft_element_of(halving->options));
        slices[i].last = halving->power;
        slices[i].joined = WEFT_OP_NONE;
        for (uint32_t step = 0; step < STEPS_MAX; step++)
            slices[i].sent[step] = slices[i].taken[step] = WEFT_OP_NONE;
    }
    return slices;
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    struct halving halving = {.options = options,
                              .builder = builder,
                              .rank = rank,
                              .power = largest_power(options->rank_count),
                              .slices = slices_of(options),
                              .scratch_bytes = weft_all_reduce_scratch(options)};
    halving.extra = options->rank_count - halving.power;
    halving.position = rank < 2 * halving.extra ? rank / 2 : rank - halving.extra;
    /* A guest's slice, and halves, quarters, ...: each may be longer by an element. */
    halving.piece_bytes = 2 * weft_ring_segment_bytes(options->size_bytes, (uint32_t)halving.slices,
                                                      weft_element_of(options)) +
                          (uint64_t)STEPS_MAX * weft_element_of(options);
    struct slice *slices = make_slices(&halving);
    if (!slices)
        return weft_error_set(error, WEFT_NO_MEMORY, "all-reduce: out of memory");
    assert(halving.slices > 0);
    bool guest = rank < 2 * halving.extra && rank % 2 == 0;
    for (uint64_t i = 0; guest && i < 2 * halving.slices; i++)
        build_guest(&halving, &slices[i % halving.slices], i >= halving.slices);
    if (!guest)
        build_host(&halving, slices);
    free(slices);
    uint64_t scratch_bytes = guest ? 0 : halving.slices * halving.piece_bytes;
    weft_schedule_set_buffer(builder, halving.scratch_bytes + scratch_bytes);
    return WEFT_OK;
}

const struct weft_all_reduce_way weft_all_reduce_halving = {.check = check, .build = build};
