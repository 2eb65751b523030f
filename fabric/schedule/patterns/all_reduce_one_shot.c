/* SPDX-License-Identifier: BSD-3-Clause */
/* All-reduce in one step: each rank sends its whole vector to each other and joins what comes. The
 * fewest steps there are, and the most bytes: for vectors of a few KiB. */
#include "fabric/schedule/patterns/all_reduce.h"

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    return weft_pattern_check_messages(&weft_pattern_all_reduce,
                                       (options->rank_count - UINT64_C(1)) *
                                           weft_pattern_chunks(options, options->size_bytes),
                                       error);
}

/* One chunk to and from all others, beginning with the next: so no rank is everybody's first. What
 * is joined changes what is sent, so it waits for the sends. */
static void build_chunk(const struct weft_pattern_options *options, uint32_t rank,
                        struct weft_schedule_builder *builder, const struct weft_span *chunk)
{
    uint32_t ranks = options->rank_count;
    uint32_t sent = weft_add_calc(builder, 0, WEFT_OP_NONE), joined = sent;
    for (uint32_t step = 1; step < ranks; step++)
        weft_schedule_require(builder, sent,
                              weft_add_send(builder, (rank + step) % ranks, chunk, WEFT_OP_NONE));
    for (uint32_t step = 1; step < ranks; step++) {
        struct weft_span scratch = {.offset_bytes = weft_all_reduce_scratch(options) +
                                                    (step - 1) * options->size_bytes +
                                                    chunk->offset_bytes,
                                    .len_bytes = chunk->len_bytes};
        uint32_t received =
            weft_add_receive(builder, (rank + ranks - step) % ranks, &scratch, WEFT_OP_NONE);
        joined = weft_add_reduce(builder, chunk, scratch.offset_bytes, joined);
        weft_schedule_require(builder, joined, received);
    }
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    struct weft_span vector = {.len_bytes = options->size_bytes};
    uint64_t chunks = weft_pattern_chunks(options, options->size_bytes);
    for (uint64_t i = 0; i < chunks; i++) {
        struct weft_span chunk = weft_span_part(&vector, i, chunks, weft_element_of(options));
        if (chunk.len_bytes)
            build_chunk(options, rank, builder, &chunk);
    }
    weft_schedule_set_buffer(builder,
                             weft_all_reduce_scratch(options) +
                                 (options->rank_count - UINT64_C(1)) * options->size_bytes);
    return WEFT_OK;
}

const struct weft_all_reduce_way weft_all_reduce_one_shot = {.check = check, .build = build};
