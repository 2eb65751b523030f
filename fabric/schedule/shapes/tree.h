/* SPDX-License-Identifier: BSD-3-Clause */
/* Trees of all ranks, with any rank as the root; within fabric/schedule only. A rank's place is its
 * distance from the root in the circle of ranks, and a subtree's places are in a row. */
#ifndef WEFT_SCHEDULE_TREE_H
#define WEFT_SCHEDULE_TREE_H

#include "fabric/schedule/shapes/collective.h"

enum weft_tree_kind {
    WEFT_TREE_CHAIN = 0, /* each has one child, the next */
    WEFT_TREE_BINOMIAL,  /* place p's parent is p without its lowest bit */
    WEFT_TREE_STAR,      /* all are the root's children */
};

struct weft_tree {
    enum weft_tree_kind kind;
    uint32_t rank_count;
    uint32_t root;
};

/* Of a pattern's ranks, from its root. */
struct weft_tree weft_tree_of(const struct weft_pattern_options *options, enum weft_tree_kind kind);
/* The tree of a pattern in which each rank has a part: by its first way a star, else binomial. */
struct weft_tree weft_tree_of_parts(const struct weft_pattern_options *options);

/* Is the root a rank, and are its messages not too many? Of parts, and of a vector that goes along
 * each edge as a whole. */
WEFT_CHECKED enum weft_status weft_tree_check_parts(const struct weft_pattern *pattern,
                                                    const struct weft_pattern_options *options,
                                                    struct weft_error *error);
WEFT_CHECKED enum weft_status weft_tree_check_whole(const struct weft_pattern *pattern,
                                                    const struct weft_tree *tree,
                                                    const struct weft_pattern_options *options,
                                                    struct weft_error *error);

uint32_t weft_tree_place(const struct weft_tree *tree, uint32_t rank);
uint32_t weft_tree_rank(const struct weft_tree *tree, uint32_t place);
/* Of a place other than 0, the root's. */
uint32_t weft_tree_parent(const struct weft_tree *tree, uint32_t place);
/* Places, those with the smallest subtrees first. */
uint32_t weft_tree_child_count(const struct weft_tree *tree, uint32_t place);
uint32_t weft_tree_child(const struct weft_tree *tree, uint32_t place, uint32_t child);
/* How many places its subtree has, itself included. */
uint32_t weft_tree_size(const struct weft_tree *tree, uint32_t place);

/* How long the parts of its subtree are; the root's buffer has room for all. */
uint64_t weft_tree_held_bytes(const struct weft_tree *tree,
                              const struct weft_pattern_options *options, uint32_t place);

/* Where the parts of a subtree's ranks lie in the buffer of `holder`: of the root, which has the
 * whole vector, in their places; of others, which have their own subtree's, one behind the other
 * from their own on. Returns how many spans they are. */
uint32_t weft_tree_spans(const struct weft_tree *tree, const struct weft_pattern_options *options,
                         uint32_t holder, uint32_t place, struct weft_span spans[WEFT_ARC_SPANS]);

#endif
