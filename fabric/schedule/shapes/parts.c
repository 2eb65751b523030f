/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/shapes/parts.h"

#include <inttypes.h>

/* Below this a message costs more than the overlap gains. */
#define DEFAULT_CHUNK_BYTES (UINT64_C(64) << 10)
#define DEFAULT_CHUNKS_MAX UINT64_C(16)

enum weft_status weft_pattern_check_messages(const struct weft_pattern *pattern, uint64_t count,
                                             struct weft_error *error)
{
    if (count <= WEFT_PATTERN_MESSAGES_MAX)
        return WEFT_OK;
    return weft_error_set(
        error, WEFT_INVALID,
        "%s: %" PRIu64 " messages for each rank and iteration are more than %" PRIu64 "; choose %s",
        pattern->name, count, WEFT_PATTERN_MESSAGES_MAX,
        weft_pattern_taken(pattern, WEFT_OPTION_CHUNK) ? "larger chunks or fewer ranks"
                                                       : "fewer of them, or fewer ranks");
}

enum weft_status weft_pattern_check_message(const struct weft_pattern *pattern,
                                            const struct weft_pattern_options *options,
                                            struct weft_error *error)
{
    if (options->size_bytes <= WEFT_MESSAGE_BYTES_MAX)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "%s: the size is one message, of at most %" PRIu64 " B, not %" PRIu64
                          " B",
                          pattern->name, WEFT_MESSAGE_BYTES_MAX, options->size_bytes);
}

enum weft_status weft_pattern_check_rank(const struct weft_pattern *pattern,
                                         const struct weft_pattern_options *options,
                                         enum weft_pattern_option_id id, struct weft_error *error)
{
    uint64_t rank = weft_pattern_option_get(options, id);
    if (rank < options->rank_count)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "%s: '%s' %" PRIu64 " is no rank; choose from 0 to %u", pattern->name,
                          weft_pattern_option_table[id].name, rank, options->rank_count - 1);
}

uint64_t weft_pattern_chunks(const struct weft_pattern_options *options, uint64_t len_bytes)
{
    uint64_t chunks = 1;
    if (options->chunk_bytes)
        chunks = weft_ceiling(len_bytes, options->chunk_bytes);
    else
        chunks = weft_ceiling(len_bytes, DEFAULT_CHUNK_BYTES);
    if (!options->chunk_bytes && chunks > DEFAULT_CHUNKS_MAX)
        chunks = DEFAULT_CHUNKS_MAX;
    uint64_t needed = weft_ceiling(len_bytes, WEFT_MESSAGE_BYTES_MAX);
    chunks = chunks < needed ? needed : chunks;
    return chunks ? chunks : 1;
}

/* Spans have at most 2^40 elements and parts are at most 2^20, so nothing overflows. */
struct weft_span weft_span_part(const struct weft_span *span, uint64_t part, uint64_t count,
                                uint32_t element_bytes)
{
    uint64_t elements = span->len_bytes / element_bytes;
    uint64_t first = elements * part / count, last = elements * (part + 1) / count;
    return (struct weft_span){.offset_bytes = span->offset_bytes + first * element_bytes,
                              .len_bytes = (last - first) * element_bytes};
}

static uint32_t add(struct weft_schedule_builder *builder, const struct weft_op *op,
                    uint32_t requires)
{
    uint32_t added = weft_schedule_add(builder, op);
    weft_schedule_require(builder, added, requires);
    return added;
}

uint32_t weft_add_send(struct weft_schedule_builder *builder, uint32_t peer,
                       const struct weft_span *span, uint32_t requires)
{
    struct weft_op op = {.kind = WEFT_OP_SEND,
                         .peer = peer,
                         .offset_bytes = span->offset_bytes,
                         .len_bytes = span->len_bytes};
    return add(builder, &op, requires);
}

uint32_t weft_add_receive(struct weft_schedule_builder *builder, uint32_t peer,
                          const struct weft_span *span, uint32_t requires)
{
    struct weft_op op = {.kind = WEFT_OP_RECEIVE,
                         .peer = peer,
                         .offset_bytes = span->offset_bytes,
                         .len_bytes = span->len_bytes};
    return add(builder, &op, requires);
}

uint32_t weft_add_reduce(struct weft_schedule_builder *builder, const struct weft_span *into,
                         uint64_t from_bytes, uint32_t requires)
{
    struct weft_op op = {.kind = WEFT_OP_REDUCE,
                         .offset_bytes = into->offset_bytes,
                         .source_offset_bytes = from_bytes,
                         .len_bytes = into->len_bytes};
    return add(builder, &op, requires);
}

uint32_t weft_add_calc(struct weft_schedule_builder *builder, uint64_t duration_ns,
                       uint32_t requires)
{
    struct weft_op op = {.kind = WEFT_OP_CALC, .duration_ns = duration_ns};
    return add(builder, &op, requires);
}

void weft_expect_copy(struct weft_schedule_builder *builder, const struct weft_span *span,
                      uint32_t rank, uint64_t from_bytes)
{
    struct weft_expectation copy = {.kind = WEFT_EXPECT_COPY,
                                    .rank = rank,
                                    .offset_bytes = span->offset_bytes,
                                    .from_offset_bytes = from_bytes,
                                    .len_bytes = span->len_bytes};
    weft_schedule_expect(builder, &copy);
}

void weft_expect_reduced(struct weft_schedule_builder *builder, const struct weft_span *span,
                         uint64_t from_bytes)
{
    struct weft_expectation reduced = {.kind = WEFT_EXPECT_REDUCED,
                                       .offset_bytes = span->offset_bytes,
                                       .from_offset_bytes = from_bytes,
                                       .len_bytes = span->len_bytes};
    weft_schedule_expect(builder, &reduced);
}

double weft_pattern_one_factor(uint32_t rank_count)
{
    (void)rank_count;
    return 1;
}

double weft_pattern_no_factor(uint32_t rank_count)
{
    (void)rank_count;
    return 0;
}

double weft_pattern_no_bytes(const struct weft_pattern_options *options)
{
    (void)options;
    return 0;
}
