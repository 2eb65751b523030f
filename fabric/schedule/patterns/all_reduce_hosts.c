/* SPDX-License-Identifier: BSD-3-Clause */
/* All-reduce by host and rail: the ranks of a host first share out their vectors, so that each
 * holds the host's sum of one part; each part then goes round a ring of the ranks with the same
 * place on all hosts, their rail; and in the end the ranks of a host give each other their parts.
 * Only 1/g of the vector crosses the fabric on each of g rails. */
#include <inttypes.h>
#include <stdlib.h>

#include "fabric/schedule/patterns/all_reduce.h"

struct hosts {
    const struct weft_pattern_options *options;
    struct weft_schedule_builder *builder;
    uint32_t place;   /* on the host */
    uint32_t first;   /* rank of the host */
    uint32_t on_host; /* ranks */
    uint64_t chunks;  /* a part */
    uint32_t *sent;   /* by place and chunk: the part was given away */
};

static uint64_t part_bytes(const struct weft_pattern_options *options)
{
    return weft_ring_segment_bytes(options->size_bytes, (uint32_t)options->ranks_per_host,
                                   weft_element_of(options));
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    uint64_t on_host = options->ranks_per_host;
    if (options->rank_count % on_host)
        return weft_error_set(error, WEFT_INVALID,
                              "all-reduce: %u ranks are not a multiple of %" PRIu64
                              " on a host; choose %" PRIu64 " ranks, or other ranks-per-host",
                              options->rank_count, on_host,
                              weft_align(options->rank_count, on_host));
    uint64_t chunks = weft_pattern_chunks(options, part_bytes(options));
    uint64_t rail = 2 * (options->rank_count / on_host - 1);
    return weft_pattern_check_messages(&weft_pattern_all_reduce,
                                       (2 * (on_host - 1) + rail) * chunks, error);
}

static struct weft_span part_at(const struct hosts *hosts, uint32_t place)
{
    struct weft_span vector = {.len_bytes = hosts->options->size_bytes};
    return weft_span_part(&vector, place, hosts->on_host, weft_element_of(hosts->options));
}

static struct weft_span chunk_at(const struct hosts *hosts, uint32_t place, uint64_t chunk)
{
    struct weft_span part = part_at(hosts, place);
    return weft_span_part(&part, chunk, hosts->chunks, weft_element_of(hosts->options));
}

/* One chunk of each part: others' are given, one's own is taken and joined. */
static void share_out(const struct hosts *hosts, uint64_t chunk, uint32_t shared)
{
    uint32_t joined = WEFT_OP_NONE;
    for (uint32_t step = 1; step < hosts->on_host; step++) {
        uint32_t to = (hosts->place + step) % hosts->on_host;
        uint32_t from = (hosts->place + hosts->on_host - step) % hosts->on_host;
        struct weft_span given = chunk_at(hosts, to, chunk);
        struct weft_span own = chunk_at(hosts, hosts->place, chunk);
        uint32_t *sent = &hosts->sent[to * hosts->chunks + chunk];
        *sent = given.len_bytes
                    ? weft_add_send(hosts->builder, hosts->first + to, &given, WEFT_OP_NONE)
                    : WEFT_OP_NONE;
        if (!own.len_bytes)
            continue;
        struct weft_span scratch = own;
        scratch.offset_bytes += weft_all_reduce_scratch(hosts->options) +
                                (step - 1) * part_bytes(hosts->options) -
                                part_at(hosts, hosts->place).offset_bytes;
        uint32_t received =
            weft_add_receive(hosts->builder, hosts->first + from, &scratch, WEFT_OP_NONE);
        joined = weft_add_reduce(hosts->builder, &own, scratch.offset_bytes, joined);
        weft_schedule_require(hosts->builder, joined, received);
    }
    weft_schedule_require(hosts->builder, shared, joined);
}

static void give_back(const struct hosts *hosts, uint64_t chunk, uint32_t whole)
{
    for (uint32_t step = 1; step < hosts->on_host; step++) {
        uint32_t to = (hosts->place + step) % hosts->on_host;
        uint32_t from = (hosts->place + hosts->on_host - step) % hosts->on_host;
        struct weft_span own = chunk_at(hosts, hosts->place, chunk);
        struct weft_span place = chunk_at(hosts, from, chunk);
        if (own.len_bytes)
            (void)weft_add_send(hosts->builder, hosts->first + to, &own, whole);
        /* Where it comes was read when it was given away. */
        if (place.len_bytes)
            (void)weft_add_receive(hosts->builder, hosts->first + from, &place,
                                   hosts->sent[from * hosts->chunks + chunk]);
    }
}

static struct weft_ring rail_of(const struct hosts *hosts, uint32_t requires)
{
    const struct weft_pattern_options *options = hosts->options;
    uint32_t count = options->rank_count / hosts->on_host, host = hosts->first / hosts->on_host;
    struct weft_ring rail = {.builder = hosts->builder,
                             .position = host,
                             .count = count,
                             .left = (host + count - 1) % count * hosts->on_host + hosts->place,
                             .right = (host + 1) % count * hosts->on_host + hosts->place,
                             .vector = part_at(hosts, hosts->place),
                             .element_bytes = weft_element_of(options),
                             .scratch_bytes =
                                 weft_align(weft_all_reduce_scratch(options) +
                                                (hosts->on_host - 1) * part_bytes(options),
                                            WEFT_SCRATCH_ALIGN_BYTES),
                             .requires = requires};
    rail.chunks = (uint32_t)weft_pattern_chunks(
        options, weft_ring_segment_bytes(part_bytes(options), count, rail.element_bytes));
    return rail;
}

static enum weft_status build_phases(const struct hosts *hosts, struct weft_error *error)
{
    uint32_t shared = weft_add_calc(hosts->builder, 0, WEFT_OP_NONE), whole = shared;
    for (uint64_t chunk = 0; chunk < hosts->chunks; chunk++)
        share_out(hosts, chunk, shared);
    struct weft_ring rail = rail_of(hosts, shared);
    weft_schedule_set_buffer(hosts->builder, rail.scratch_bytes + weft_ring_scratch_bytes(&rail));
    enum weft_status status = weft_ring_build(&rail, &whole, error);
    for (uint64_t chunk = 0; status == WEFT_OK && chunk < hosts->chunks; chunk++)
        give_back(hosts, chunk, whole);
    return status;
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    uint32_t on_host = (uint32_t)options->ranks_per_host;
    struct hosts hosts = {.options = options,
                          .builder = builder,
                          .place = rank % on_host,
                          .first = rank - rank % on_host,
                          .on_host = on_host,
                          .chunks = weft_pattern_chunks(options, part_bytes(options))};
    hosts.sent = calloc(on_host * hosts.chunks, sizeof(*hosts.sent));
    if (!hosts.sent)
        return weft_error_set(error, WEFT_NO_MEMORY, "all-reduce: out of memory");
    enum weft_status status = build_phases(&hosts, error);
    free(hosts.sent);
    return status;
}

const struct weft_all_reduce_way weft_all_reduce_hosts = {.check = check, .build = build};
