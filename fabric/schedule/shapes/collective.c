/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/shapes/collective.h"

#include <assert.h>

void weft_needs_add(struct weft_needs *needs, uint32_t op)
{
    if (op == WEFT_OP_NONE)
        return;
    assert(needs->count < WEFT_NEEDS_MAX);
    needs->ops[needs->count++] = op;
}

static void require_all(struct weft_schedule_builder *builder, uint32_t op,
                        const struct weft_needs *needs)
{
    for (uint32_t i = 0; needs && i < needs->count; i++)
        weft_schedule_require(builder, op, needs->ops[i]);
}

struct weft_collective weft_collective_of(const struct weft_pattern_options *options, uint32_t rank,
                                          struct weft_schedule_builder *builder)
{
    return (struct weft_collective){.options = options,
                                    .builder = builder,
                                    .rank = rank,
                                    .element_bytes = weft_element_of(options),
                                    .scratch_bytes =
                                        weft_align(options->size_bytes, WEFT_SCRATCH_ALIGN_BYTES)};
}

uint32_t weft_rank_after(const struct weft_collective *collective, uint32_t distance)
{
    return (collective->rank + distance) % collective->options->rank_count;
}

uint32_t weft_rank_before(const struct weft_collective *collective, uint32_t distance)
{
    uint32_t ranks = collective->options->rank_count;
    return (collective->rank + ranks - distance) % ranks;
}

/* Several that are asked for at once are one: a calculation of no time that requires them. */
struct gate {
    uint32_t one, all;
};

static void gate_add(struct weft_schedule_builder *builder, struct gate *gate, uint32_t op)
{
    if (gate->one == WEFT_OP_NONE) {
        gate->one = op;
        return;
    }
    if (gate->all == WEFT_OP_NONE)
        gate->all = weft_add_calc(builder, 0, gate->one);
    weft_schedule_require(builder, gate->all, op);
}

static uint32_t gate_op(const struct gate *gate)
{
    return gate->all == WEFT_OP_NONE ? gate->one : gate->all;
}

void weft_send_span(const struct weft_collective *collective, uint32_t peer,
                    const struct weft_span *span, const struct weft_needs *needs,
                    struct weft_needs *ret_done)
{
    uint64_t chunks = weft_pattern_chunks(collective->options, span->len_bytes);
    struct gate gate = {WEFT_OP_NONE, WEFT_OP_NONE};
    for (uint64_t i = 0; i < chunks; i++) {
        struct weft_span chunk = weft_span_part(span, i, chunks, collective->element_bytes);
        if (!chunk.len_bytes)
            continue;
        uint32_t sent = weft_add_send(collective->builder, peer, &chunk, WEFT_OP_NONE);
        require_all(collective->builder, sent, needs);
        if (ret_done)
            gate_add(collective->builder, &gate, sent);
    }
    if (ret_done)
        weft_needs_add(ret_done, gate_op(&gate));
}

void weft_receive_span(const struct weft_collective *collective, uint32_t peer,
                       const struct weft_span *span, struct weft_needs *ret_done)
{
    uint64_t chunks = weft_pattern_chunks(collective->options, span->len_bytes);
    struct gate gate = {WEFT_OP_NONE, WEFT_OP_NONE};
    for (uint64_t i = 0; i < chunks; i++) {
        struct weft_span chunk = weft_span_part(span, i, chunks, collective->element_bytes);
        if (!chunk.len_bytes)
            continue;
        uint32_t received = weft_add_receive(collective->builder, peer, &chunk, WEFT_OP_NONE);
        if (ret_done)
            gate_add(collective->builder, &gate, received);
    }
    if (ret_done)
        weft_needs_add(ret_done, gate_op(&gate));
}

void weft_receive_and_join(struct weft_collective *collective, uint32_t peer,
                           const struct weft_span *into, const struct weft_needs *needs,
                           struct weft_needs *ret_done)
{
    uint64_t chunks = weft_pattern_chunks(collective->options, into->len_bytes);
    struct gate gate = {WEFT_OP_NONE, WEFT_OP_NONE};
    for (uint64_t i = 0; i < chunks; i++) {
        struct weft_span chunk = weft_span_part(into, i, chunks, collective->element_bytes);
        struct weft_span scratch = {.offset_bytes = collective->scratch_bytes,
                                    .len_bytes = chunk.len_bytes};
        if (!chunk.len_bytes)
            continue;
        collective->scratch_bytes += chunk.len_bytes;
        uint32_t received = weft_add_receive(collective->builder, peer, &scratch, WEFT_OP_NONE);
        uint32_t joined =
            weft_add_reduce(collective->builder, &chunk, scratch.offset_bytes, received);
        require_all(collective->builder, joined, needs);
        if (ret_done)
            gate_add(collective->builder, &gate, joined);
    }
    if (ret_done)
        weft_needs_add(ret_done, gate_op(&gate));
}

/* The parts from `first` up to but not `end`, none of which is past the last. */
static struct weft_span parts_of(const struct weft_pattern_options *options, uint32_t first,
                                 uint32_t end)
{
    struct weft_span vector = {.len_bytes = options->size_bytes};
    uint32_t element_bytes = weft_element_of(options), ranks = options->rank_count;
    struct weft_span low = weft_span_part(&vector, first, ranks, element_bytes);
    struct weft_span high = weft_span_part(&vector, end - 1, ranks, element_bytes);
    return (struct weft_span){.offset_bytes = low.offset_bytes,
                              .len_bytes = high.offset_bytes + high.len_bytes - low.offset_bytes};
}

uint32_t weft_arc_spans(const struct weft_pattern_options *options, uint32_t first, uint32_t count,
                        struct weft_span spans[WEFT_ARC_SPANS])
{
    uint32_t ranks = options->rank_count, found = 0;
    first %= ranks;
    uint32_t end = count < ranks - first ? first + count : ranks;
    if (end > first)
        spans[found] = parts_of(options, first, end);
    found += end > first && spans[found].len_bytes;
    uint32_t left = count - (end - first);
    if (left)
        spans[found] = parts_of(options, 0, left);
    return found + (left && spans[found].len_bytes);
}

uint64_t weft_arc_bytes(const struct weft_pattern_options *options, uint32_t first, uint32_t count)
{
    struct weft_span spans[WEFT_ARC_SPANS] = {{0}};
    uint32_t found = weft_arc_spans(options, first, count, spans);
    uint64_t len_bytes = 0;
    for (uint32_t i = 0; i < found; i++)
        len_bytes += spans[i].len_bytes;
    return len_bytes;
}

uint64_t weft_span_messages(const struct weft_pattern_options *options, uint64_t spans,
                            uint64_t len_bytes)
{
    uint64_t most = weft_pattern_chunks(options, len_bytes);
    return options->chunk_bytes ? spans + most : spans * most;
}

double weft_bus_factor_of_parts(uint32_t rank_count)
{
    return (rank_count - 1.0) / rank_count;
}

double weft_algorithm_bytes_of_size(const struct weft_pattern_options *options)
{
    return (double)options->size_bytes;
}
