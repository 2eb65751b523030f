/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/pattern.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fabric/base/suggest.h"
#include "fabric/schedule/patterns.h"

static const struct weft_pattern *const patterns[] = {
    &weft_pattern_ping_pong,
    &weft_pattern_all_reduce,
    &weft_pattern_incast,
    &weft_pattern_pipeline,
    NULL,
};

const struct weft_pattern *const *weft_patterns(void)
{
    return patterns;
}

/* " did you mean 'incast'?", or all the names where none is near. */
static void suggest(const char *name, char *text, size_t room_bytes)
{
    const char *names[sizeof(patterns) / sizeof(patterns[0])];
    for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        names[i] = patterns[i] ? patterns[i]->name : NULL;
    const char *nearest = weft_suggest(name, names);
    if (nearest) {
        (void)snprintf(text, room_bytes, "did you mean '%s'?", nearest);
        return;
    }
    size_t used = (size_t)snprintf(text, room_bytes, "there are");
    for (uint32_t i = 0; names[i] && used < room_bytes; i++)
        used += (size_t)snprintf(text + used, room_bytes - used, "%s %s", i ? "," : "", names[i]);
}

const struct weft_pattern *weft_pattern_find(const char *name, struct weft_error *error)
{
    for (uint32_t i = 0; patterns[i]; i++)
        if (!strcmp(patterns[i]->name, name))
            return patterns[i];
    char text[256];
    suggest(name, text, sizeof(text));
    (void)weft_error_set(error, WEFT_NOT_FOUND, "there is no pattern '%.64s'; %s", name, text);
    return NULL;
}

double weft_pattern_no_factor(uint32_t rank_count)
{
    (void)rank_count;
    return 0;
}

uint64_t weft_pattern_no_bytes(const struct weft_pattern_options *options)
{
    (void)options;
    return 0;
}

static enum weft_status check_ranks(const struct weft_pattern *pattern, uint32_t rank_count,
                                    uint32_t at_most, struct weft_error *error)
{
    if (rank_count >= pattern->min_ranks && rank_count <= at_most)
        return WEFT_OK;
    if (pattern->min_ranks == at_most)
        return weft_error_set(error, WEFT_INVALID, "%s takes exactly %u ranks, not %u",
                              pattern->name, at_most, rank_count);
    return weft_error_set(error, WEFT_INVALID, "%s takes %u to %u ranks, not %u", pattern->name,
                          pattern->min_ranks, at_most, rank_count);
}

static enum weft_status check_chunk(const struct weft_pattern *pattern, uint64_t chunk_bytes,
                                    bool taken, struct weft_error *error)
{
    if (chunk_bytes && !taken)
        return weft_error_set(error, WEFT_INVALID,
                              "%s does not cut its messages; leave the chunk size out",
                              pattern->name);
    if (chunk_bytes > WEFT_MESSAGE_BYTES_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "%s: a chunk is one message and has at most %" PRIu64
                              " B, not %" PRIu64 " B",
                              pattern->name, WEFT_MESSAGE_BYTES_MAX, chunk_bytes);
    return WEFT_OK;
}

enum weft_status weft_pattern_check_common(const struct weft_pattern *pattern,
                                           const struct weft_pattern_options *options,
                                           uint32_t at_most_ranks,
                                           const struct weft_pattern_takes *takes,
                                           struct weft_error *error)
{
    enum weft_status status = check_ranks(pattern, options->rank_count, at_most_ranks, error);
    if (status != WEFT_OK)
        return status;
    if (!options->size_bytes || options->size_bytes > WEFT_PATTERN_SIZE_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "%s: a size of %" PRIu64 " B is out of range; choose 1 B to 1 TiB",
                              pattern->name, options->size_bytes);
    if (options->microbatches && !takes->microbatches)
        return weft_error_set(error, WEFT_INVALID,
                              "%s has no microbatches; leave them out, or run the pipeline",
                              pattern->name);
    if (options->calc_ns && !takes->calc)
        return weft_error_set(error, WEFT_INVALID,
                              "%s has no computation; leave its time out, or run the pipeline",
                              pattern->name);
    return check_chunk(pattern, options->chunk_bytes, takes->chunk, error);
}

struct weft_schedule_builder *weft_pattern_begin(const struct weft_pattern *pattern,
                                                 const struct weft_pattern_options *options,
                                                 uint32_t rank, enum weft_status *ret_status,
                                                 struct weft_error *error)
{
    *ret_status = pattern->check(options, error);
    if (*ret_status != WEFT_OK)
        return NULL;
    if (rank >= options->rank_count) {
        *ret_status = weft_error_set(error, WEFT_INVALID, "%s: there is no rank %u; there are %u",
                                     pattern->name, rank, options->rank_count);
        return NULL;
    }
    struct weft_schedule_builder *builder = weft_schedule_builder_create(rank, options->rank_count);
    if (!builder)
        *ret_status = weft_error_set(error, WEFT_NO_MEMORY, "%s: out of memory", pattern->name);
    return builder;
}

enum weft_status weft_pattern_end(struct weft_schedule_builder *builder,
                                  struct weft_schedule **ret_schedule, struct weft_error *error)
{
    enum weft_status status = weft_schedule_finish(builder, ret_schedule, error);
    weft_schedule_builder_destroy(builder);
    return status;
}
