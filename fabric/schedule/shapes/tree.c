/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/shapes/tree.h"

uint32_t weft_tree_place(const struct weft_tree *tree, uint32_t rank)
{
    return (rank + tree->rank_count - tree->root) % tree->rank_count;
}

uint32_t weft_tree_rank(const struct weft_tree *tree, uint32_t place)
{
    return (place + tree->root) % tree->rank_count;
}

static uint32_t lowest_bit(uint32_t place)
{
    return place & -place;
}

uint32_t weft_tree_parent(const struct weft_tree *tree, uint32_t place)
{
    switch (tree->kind) {
    case WEFT_TREE_CHAIN:
        return place - 1;
    case WEFT_TREE_BINOMIAL:
        return place - lowest_bit(place);
    case WEFT_TREE_STAR:
        break;
    }
    return 0;
}

/* Children are place + 1, 2, 4, ... below the place's own lowest bit. */
static uint32_t binomial_child_count(const struct weft_tree *tree, uint32_t place)
{
    uint32_t count = 0;
    while (1u << count < tree->rank_count - place && (!place || 1u << count < lowest_bit(place)))
        count++;
    return count;
}

uint32_t weft_tree_child_count(const struct weft_tree *tree, uint32_t place)
{
    switch (tree->kind) {
    case WEFT_TREE_CHAIN:
        return place + 1 < tree->rank_count;
    case WEFT_TREE_BINOMIAL:
        return binomial_child_count(tree, place);
    case WEFT_TREE_STAR:
        break;
    }
    return place ? 0 : tree->rank_count - 1;
}

uint32_t weft_tree_child(const struct weft_tree *tree, uint32_t place, uint32_t child)
{
    return tree->kind == WEFT_TREE_BINOMIAL ? place + (1u << child) : place + 1 + child;
}

uint32_t weft_tree_size(const struct weft_tree *tree, uint32_t place)
{
    uint32_t left = tree->rank_count - place;
    if (!place || tree->kind == WEFT_TREE_CHAIN)
        return left;
    if (tree->kind == WEFT_TREE_STAR)
        return 1;
    return lowest_bit(place) < left ? lowest_bit(place) : left;
}

uint32_t weft_tree_spans(const struct weft_tree *tree, const struct weft_pattern_options *options,
                         uint32_t holder, uint32_t place, struct weft_span spans[WEFT_ARC_SPANS])
{
    uint32_t found =
        weft_arc_spans(options, weft_tree_rank(tree, place), weft_tree_size(tree, place), spans);
    if (!holder)
        return found;
    uint64_t at_bytes = weft_arc_bytes(options, weft_tree_rank(tree, holder), place - holder);
    for (uint32_t i = 0; i < found; i++) {
        spans[i].offset_bytes = at_bytes;
        at_bytes += spans[i].len_bytes;
    }
    return found;
}

uint64_t weft_tree_held_bytes(const struct weft_tree *tree,
                              const struct weft_pattern_options *options, uint32_t place)
{
    if (!place)
        return options->size_bytes;
    return weft_arc_bytes(options, weft_tree_rank(tree, place), weft_tree_size(tree, place));
}

/* ---- of patterns ---- */

struct weft_tree weft_tree_of(const struct weft_pattern_options *options, enum weft_tree_kind kind)
{
    return (struct weft_tree){
        .kind = kind, .rank_count = options->rank_count, .root = (uint32_t)options->root};
}

struct weft_tree weft_tree_of_parts(const struct weft_pattern_options *options)
{
    return weft_tree_of(options, options->algorithm ? WEFT_TREE_BINOMIAL : WEFT_TREE_STAR);
}

enum weft_status weft_tree_check_parts(const struct weft_pattern *pattern,
                                       const struct weft_pattern_options *options,
                                       struct weft_error *error)
{
    enum weft_status status = weft_pattern_check_rank(pattern, options, WEFT_OPTION_ROOT, error);
    if (status != WEFT_OK)
        return status;
    struct weft_tree tree = weft_tree_of_parts(options);
    uint64_t messages;
    if (tree.kind == WEFT_TREE_STAR) /* parts alike, one a rank */
        messages =
            (options->rank_count - UINT64_C(1)) *
            weft_pattern_chunks(options, weft_ceiling(options->size_bytes, options->rank_count));
    else
        messages = weft_span_messages(options, WEFT_ARC_SPANS * weft_tree_child_count(&tree, 0),
                                      options->size_bytes);
    return weft_pattern_check_messages(pattern, messages, error);
}

enum weft_status weft_tree_check_whole(const struct weft_pattern *pattern,
                                       const struct weft_tree *tree,
                                       const struct weft_pattern_options *options,
                                       struct weft_error *error)
{
    uint64_t neighbours = UINT64_C(1) + weft_tree_child_count(tree, 0);
    enum weft_status status = weft_pattern_check_rank(pattern, options, WEFT_OPTION_ROOT, error);
    if (status != WEFT_OK)
        return status;
    return weft_pattern_check_messages(
        pattern, neighbours * weft_pattern_chunks(options, options->size_bytes), error);
}
