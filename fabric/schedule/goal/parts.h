/* SPDX-License-Identifier: BSD-3-Clause */
/* A GOAL file as it was read; for the files of goal_*.c only. */
#ifndef WEFT_SCHEDULE_GOAL_PARTS_H
#define WEFT_SCHEDULE_GOAL_PARTS_H

#include "fabric/schedule/goal/goal.h"

#define WEFT_GOAL_NONE UINT32_MAX

struct weft_goal_op {
    struct weft_op op;
    uint64_t tag;           /* as written; the schedule has its low 32 bits */
    bool any_rank, any_tag; /* a receive that names none; until it has a partner */
    uint32_t rank;
    uint32_t line;
    uint32_t partner; /* the send or receive that it meets; of a file that is not weft's own */
    uint32_t place; /* in an order that respects all that waits; of a file that is not weft's own */
};

/* Indices into all operations; both are of one rank. */
struct weft_goal_edge {
    uint32_t later;
    uint32_t earlier;
    bool start; /* irequires */
};

/* Of one rank: a piece of each list. */
struct weft_goal_rank {
    bool present;
    bool decides;
    uint64_t buffer_bytes; /* of a file that is not weft's own: of what is sent */
    uint32_t first_op, op_count;
    uint32_t any_count; /* receives from any rank or with any tag */
    uint32_t first_edge, edge_count;
    uint32_t first_expectation, expectation_count;
};

struct weft_goal {
    const struct weft_source *source;
    bool own; /* weft's own: taken as it stands */
    enum weft_element element;
    enum weft_reduction reduction;
    uint32_t rank_count;
    uint32_t only_rank;
    struct weft_goal_rank *ranks;
    struct weft_goal_op *ops;
    struct weft_goal_edge *edges;
    struct weft_expectation *expectations;
    uint32_t op_count, op_room;
    uint32_t edge_count, edge_room;
    uint32_t expectation_count, expectation_room;
};

/* Of a file that is not weft's own: pairs sends with receives, and finds the order. */
WEFT_CHECKED enum weft_status weft_goal_order(struct weft_goal *goal, struct weft_error *error);

/* A send and a receive that meet. MPI's rule: a receive may be longer than what comes. */
WEFT_CHECKED enum weft_status weft_goal_join(struct weft_goal *goal, uint32_t send,
                                             uint32_t receive, struct weft_error *error);

/* For each operation of a rank, by index from the rank's first on, what it waits for, by whatever
 * way. */
struct weft_goal_waits {
    uint32_t *first; /* into earlier */
    uint32_t *count;
    uint32_t *earlier; /* indices from the rank's first on */
    uint32_t earlier_count, earlier_room;
};
WEFT_CHECKED enum weft_status weft_goal_resolve(const struct weft_goal *goal,
                                                const struct weft_goal_rank *rank,
                                                struct weft_goal_waits *ret_waits,
                                                struct weft_error *error);
void weft_goal_waits_fini(struct weft_goal_waits *waits);

/* Says at the operation's line what is wrong. */
WEFT_FORMAT(4, 5)
enum weft_status weft_goal_fail(const struct weft_goal *goal, uint32_t op, struct weft_error *error,
                                const char *format, ...);

#endif
