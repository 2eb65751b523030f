/* SPDX-License-Identifier: BSD-3-Clause */
/* All-reduce over two binary trees, each with half of the vector (Sanders, Speck and Traeff, 2009).
 * Who has children in one tree is a leaf of the other, or nearly, so that every rank's link carries
 * about the same. Sums go up to the root and come back down, slice by slice.
 *
 * The first tree has its nodes in the order of ranks from 1 on, with rank 0 as the root above: a
 * node's height is the number of zeros at the end of its rank. The second is the first with ranks
 * counted from the end or, where their number is odd, moved on by one. */
#include <stdlib.h>

#include "fabric/schedule/patterns/all_reduce.h"

#define TREES 2u
#define NOBODY UINT32_MAX
#define CHILDREN 2u

struct node {
    uint32_t parent;
    uint32_t children[CHILDREN];
};

struct trees {
    struct weft_schedule_builder *builder;
    uint32_t element_bytes;
    uint64_t scratch_bytes; /* two vectors */
    uint64_t size_bytes;
    uint64_t slices; /* of a half */
    struct weft_span halves[TREES];
    struct node nodes[TREES];
};

static uint64_t slices_of(const struct weft_pattern_options *options)
{
    return weft_pattern_chunks(options, options->size_bytes - options->size_bytes / 2);
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    return weft_pattern_check_messages(&weft_pattern_all_reduce,
                                       UINT64_C(2) * TREES * CHILDREN * slices_of(options), error);
}

/* The upper child's subtree may reach beyond the last rank: then the part of it that exists. */
static struct node node_of(uint32_t place, uint32_t count)
{
    uint32_t height = place ? place & -place : 1;
    struct node node = {.parent = NOBODY, .children = {NOBODY, NOBODY}};
    if (!place) {
        while (2 * height < count)
            height *= 2;
        node.children[0] = count > 1 ? height : NOBODY;
        return node;
    }
    uint32_t above = (place ^ height) | 2 * height;
    node.parent = above < count ? above : place ^ height;
    uint32_t below = height / 2;
    if (below)
        node.children[0] = place - below;
    while (below && place + below >= count)
        below /= 2;
    if (below)
        node.children[1] = place + below;
    return node;
}

static uint32_t translate(uint32_t place, uint32_t count, uint32_t tree, bool back)
{
    if (place == NOBODY || tree == 0)
        return place;
    if (count % 2 == 0)
        return count - 1 - place;
    return (place + (back ? 1 : count - 1)) % count;
}

static struct node node_in_tree(uint32_t rank, uint32_t count, uint32_t tree)
{
    struct node node = node_of(translate(rank, count, tree, false), count);
    node.parent = translate(node.parent, count, tree, true);
    for (uint32_t i = 0; i < CHILDREN; i++)
        node.children[i] = translate(node.children[i], count, tree, true);
    return node;
}

static struct weft_span slice_at(const struct trees *trees, uint32_t tree, uint64_t slice)
{
    return weft_span_part(&trees->halves[tree], slice, trees->slices, trees->element_bytes);
}

/* Joins what the children send; `*ret_joined` is whole once complete, and `*ret_sent` gone up. */
static void go_up(const struct trees *trees, uint32_t tree, uint64_t index, uint32_t *ret_joined,
                  uint32_t *ret_sent)
{
    const struct node *node = &trees->nodes[tree];
    struct weft_span slice = slice_at(trees, tree, index);
    *ret_joined = *ret_sent = WEFT_OP_NONE;
    if (!slice.len_bytes)
        return;
    for (uint32_t i = 0; i < CHILDREN; i++) {
        if (node->children[i] == NOBODY)
            continue;
        struct weft_span scratch = {.offset_bytes = trees->scratch_bytes + i * trees->size_bytes +
                                                    slice.offset_bytes,
                                    .len_bytes = slice.len_bytes};
        uint32_t received =
            weft_add_receive(trees->builder, node->children[i], &scratch, WEFT_OP_NONE);
        uint32_t joined =
            weft_add_reduce(trees->builder, &slice, scratch.offset_bytes, *ret_joined);
        weft_schedule_require(trees->builder, joined, received);
        *ret_joined = joined;
    }
    if (node->parent != NOBODY)
        *ret_sent = weft_add_send(trees->builder, node->parent, &slice, *ret_joined);
}

static void go_down(const struct trees *trees, uint32_t tree, uint64_t index, uint32_t joined,
                    uint32_t sent)
{
    const struct node *node = &trees->nodes[tree];
    struct weft_span slice = slice_at(trees, tree, index);
    uint32_t whole = joined;
    if (!slice.len_bytes)
        return;
    /* It comes where the part sum was read from. */
    if (node->parent != NOBODY)
        whole = weft_add_receive(trees->builder, node->parent, &slice, sent);
    for (uint32_t i = 0; i < CHILDREN; i++)
        if (node->children[i] != NOBODY)
            (void)weft_add_send(trees->builder, node->children[i], &slice, whole);
}

/* Slices before trees: two ranks may be neighbours in both, and at both ends the order is one. */
static enum weft_status build_trees(const struct trees *trees, struct weft_error *error)
{
    uint32_t *ops = calloc(UINT64_C(2) * TREES * trees->slices, sizeof(*ops));
    if (!ops)
        return weft_error_set(error, WEFT_NO_MEMORY, "all-reduce: out of memory");
    for (uint64_t i = 0; i < TREES * trees->slices; i++)
        go_up(trees, (uint32_t)(i % TREES), i / TREES, &ops[2 * i], &ops[2 * i + 1]);
    for (uint64_t i = 0; i < TREES * trees->slices; i++)
        go_down(trees, (uint32_t)(i % TREES), i / TREES, ops[2 * i], ops[2 * i + 1]);
    free(ops);
    return WEFT_OK;
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    struct weft_span vector = {.len_bytes = options->size_bytes};
    struct trees trees = {.builder = builder,
                          .element_bytes = weft_element_of(options),
                          .scratch_bytes = weft_all_reduce_scratch(options),
                          .size_bytes = options->size_bytes,
                          .slices = slices_of(options)};
    for (uint32_t tree = 0; tree < TREES; tree++) {
        trees.halves[tree] = weft_span_part(&vector, tree, TREES, trees.element_bytes);
        trees.nodes[tree] = node_in_tree(rank, options->rank_count, tree);
    }
    weft_schedule_set_buffer(builder, trees.scratch_bytes + CHILDREN * options->size_bytes);
    return build_trees(&trees, error);
}

const struct weft_all_reduce_way weft_all_reduce_trees = {.check = check, .build = build};
