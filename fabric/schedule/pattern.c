/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/pattern.h"

#include <inttypes.h>

#include "fabric/base/round.h"
#include "fabric/schedule/verify.h"

bool weft_pattern_has_size(const struct weft_pattern *pattern,
                           const struct weft_pattern_options *options)
{
    return !options->text && (pattern->default_size_bytes || options->size_bytes);
}

static enum weft_status check_ranks(const struct weft_pattern *pattern, uint32_t rank_count,
                                    struct weft_error *error)
{
    uint32_t at_most = pattern->max_ranks ? pattern->max_ranks : WEFT_PATTERN_RANKS_MAX;
    if (rank_count >= pattern->min_ranks && rank_count <= at_most)
        return WEFT_OK;
    if (pattern->min_ranks == at_most)
        return weft_error_set(error, WEFT_INVALID, "%s takes exactly %u ranks, not %u",
                              pattern->name, at_most, rank_count);
    return weft_error_set(error, WEFT_INVALID, "%s takes %u to %u ranks, not %u", pattern->name,
                          pattern->min_ranks, at_most, rank_count);
}

static enum weft_status check_size(const struct weft_pattern *pattern, uint64_t size_bytes,
                                   struct weft_error *error)
{
    uint64_t at_most = pattern->max_size_bytes ? pattern->max_size_bytes : WEFT_PATTERN_SIZE_MAX;
    char most[WEFT_UNITS_TEXT];
    if (!pattern->default_size_bytes && size_bytes)
        return weft_error_set(error, WEFT_INVALID, "%s has no size; leave it out", pattern->name);
    if (!pattern->default_size_bytes || (size_bytes && size_bytes <= at_most))
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "%s: a size of %" PRIu64 " B is out of range; choose 1 B to %s",
                          pattern->name, size_bytes, weft_format_size(at_most, most));
}

/* Where elements are joined, a message ends between two of them. */
static enum weft_status check_whole(const struct weft_pattern *pattern, const char *what,
                                    uint64_t len_bytes, enum weft_element element,
                                    struct weft_error *error)
{
    uint32_t element_bytes = weft_element_bytes(element);
    if (len_bytes % element_bytes == 0)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "%s: a %s of %" PRIu64
                          " B is not a multiple of %u B, an element of %s; choose %" PRIu64
                          " B, or the type uint8",
                          pattern->name, what, len_bytes, element_bytes,
                          weft_element_names[element], weft_align(len_bytes, element_bytes));
}

static enum weft_status check_element(const struct weft_pattern *pattern,
                                      const struct weft_pattern_options *options,
                                      struct weft_error *error)
{
    enum weft_element element = (enum weft_element)options->element;
    enum weft_reduction reduction = (enum weft_reduction)options->reduction;
    if (!weft_pattern_taken(pattern, WEFT_OPTION_TYPE))
        return WEFT_OK;
    uint32_t ranks_max = weft_verify_ranks_max(element, reduction);
    if (options->rank_count > ranks_max)
        return weft_error_set(error, WEFT_INVALID,
                              "%s: sums of %s over %u ranks are not exact and could not be "
                              "verified; choose at most %u ranks, or the type float32 or int32",
                              pattern->name, weft_element_names[element], options->rank_count,
                              ranks_max);
    enum weft_status status = check_whole(pattern, "size", options->size_bytes, element, error);
    return status == WEFT_OK ? check_whole(pattern, "chunk", options->chunk_bytes, element, error)
                             : status;
}

static enum weft_status check_text(const struct weft_pattern *pattern,
                                   const struct weft_pattern_options *options,
                                   struct weft_error *error)
{
    if (options->text && !pattern->takes_text)
        return weft_error_set(error, WEFT_INVALID, "%s is not made from a file; leave '%s' out",
                              pattern->name, options->text_name ? options->text_name : "it");
    return WEFT_OK;
}

static enum weft_status check(const struct weft_pattern *pattern,
                              const struct weft_pattern_options *options,
                              const struct weft_pattern_options *resolved, struct weft_error *error)
{
    enum weft_status status = check_ranks(pattern, options->rank_count, error);
    if (status == WEFT_OK)
        status = check_size(pattern, options->size_bytes, error);
    if (status == WEFT_OK)
        status = weft_pattern_check_options(pattern, options, error);
    if (status == WEFT_OK)
        status = check_text(pattern, options, error);
    if (status == WEFT_OK)
        status = check_element(pattern, resolved, error);
    return status == WEFT_OK && pattern->check ? pattern->check(resolved, error) : status;
}

enum weft_status weft_pattern_check(const struct weft_pattern *pattern,
                                    const struct weft_pattern_options *options,
                                    struct weft_error *error)
{
    struct weft_pattern_options resolved = weft_pattern_resolve(pattern, options);
    return check(pattern, options, &resolved, error);
}

enum weft_status weft_pattern_compile(const struct weft_pattern *pattern,
                                      const struct weft_pattern_options *options, uint32_t rank,
                                      struct weft_schedule **ret_schedule, struct weft_error *error)
{
    struct weft_pattern_options resolved = weft_pattern_resolve(pattern, options);
    enum weft_status status = check(pattern, options, &resolved, error);
    if (status != WEFT_OK)
        return status;
    if (rank >= options->rank_count)
        return weft_error_set(error, WEFT_INVALID, "%s: there is no rank %u; there are %u",
                              pattern->name, rank, options->rank_count);
    struct weft_schedule_builder *builder = weft_schedule_builder_create(rank, options->rank_count);
    if (!builder)
        return weft_error_set(error, WEFT_NO_MEMORY, "%s: out of memory", pattern->name);
    weft_schedule_set_element(builder, (enum weft_element)resolved.element,
                              (enum weft_reduction)resolved.reduction);
    status = pattern->build(&resolved, rank, builder, error);
    if (status == WEFT_OK)
        status = weft_schedule_finish(builder, ret_schedule, error);
    weft_schedule_builder_destroy(builder);
    return status;
}

enum weft_status weft_pattern_prepare(const struct weft_pattern *pattern,
                                      struct weft_pattern_options *options,
                                      struct weft_error *error)
{
    if (!pattern->prepare || !options->text || options->prepared)
        return WEFT_OK;
    return pattern->prepare(options, &options->prepared, error);
}

void weft_pattern_discard(const struct weft_pattern *pattern, struct weft_pattern_options *options)
{
    if (options->prepared)
        pattern->discard(options->prepared);
    options->prepared = NULL;
}
