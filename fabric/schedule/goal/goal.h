/* SPDX-License-Identifier: BSD-3-Clause */
/* Schedules as GOAL text, the form of LogGOPSim and ATLAHS.
 *
 *   num_ranks 2
 *   rank 0 {
 *   l1: calc 500 cpu 0
 *   l2: send 4096b to 1 tag 7 cpu 0 nic 0
 *   l2 requires l1
 *   }
 *   rank 1 {
 *   recv 4096b from 0 tag 7
 *   }
 *
 * One statement a line; a label stands before its use; comments are those of C. `requires` waits
 * for the end of another operation, `irequires` for what that one waits for. Computations of one
 * `cpu` run one after another. `nic`, and the `cpu` of a message, are read and mean nothing here.
 *
 * What GOAL has no words for stands in comments that begin with "//@", so that other readers pass
 * over it. A file with "//@ weft 1" before its first rank is weft's own and taken as it stands:
 *   //@ elements float32 sum      before the first rank
 *   //@ buffer 4096 decides       in a rank, first: its length; whether it decides the completion
 *   //@ at 64 qp 1                after a send or receive: its offset and queue pair
 *   //@ reduce 64b at 0 from 64   after a "calc 0": it is a reduction
 *   //@ expect copy 64b at 0 rank 1 from 64
 *   //@ expect reduced 64b at 0 from 0 ranks 0 count 8 stride 1
 *   //@ expect arrival 64b at 0
 *
 * Any other file says nothing of memory and means what its simulators make of it: messages match by
 * tag, and one that comes before its receive may start waits for it. So receives are posted ahead,
 * each has memory of its own, what follows a receive waits for what the receive waits for as well,
 * and every byte that arrives is compared. A receive may be longer than what comes. One from any
 * rank or with any tag (-1) is given its message beforehand, for a schedule says who meets whom.
 * A send of nothing to rank 9999999, a mark of Schedgen's, takes no time and sends nothing. Without
 * `cpu` a computation is on cpu 0. A label may stand twice where nothing refers to it. */
#ifndef WEFT_SCHEDULE_GOAL_H
#define WEFT_SCHEDULE_GOAL_H

#include "fabric/schedule/schedule.h"

#define WEFT_GOAL_BYTES_MAX (32u << 20)
#define WEFT_GOAL_OPS_MAX (1u << 21)
#define WEFT_GOAL_EDGES_MAX (1u << 22)

#define WEFT_GOAL_ALL UINT32_MAX

struct weft_goal;

/* Reads a whole file, or what is needed for the schedule of one rank. Errors name the line and
 * column. The source must outlive it. */
WEFT_CHECKED enum weft_status weft_goal_parse(const struct weft_source *source, uint32_t only_rank,
                                              struct weft_goal **ret_goal,
                                              struct weft_error *error);
void weft_goal_destroy(struct weft_goal *goal);

/* Of a whole file: every rank is there. A file that was cut short, as a copy on a full disk is,
 * must not pass for a smaller one. */
WEFT_CHECKED enum weft_status weft_goal_check_whole(const struct weft_goal *goal,
                                                    struct weft_error *error);

uint32_t weft_goal_rank_count(const struct weft_goal *goal);

/* Adds the rank's operations, expectations and buffer to a builder of that rank. */
WEFT_CHECKED enum weft_status weft_goal_build(const struct weft_goal *goal, uint32_t rank,
                                              struct weft_schedule_builder *builder,
                                              struct weft_error *error);

/* What the file's first lines say; nothing more is read. */
WEFT_CHECKED enum weft_status weft_goal_peek(const struct weft_source *source,
                                             uint32_t *ret_rank_count, struct weft_error *error);

/* ---- writing ---- */

struct weft_goal_sink {
    void (*put)(void *context, const char *text, size_t len_bytes);
    void *context;
};

/* What stands before the first rank; the same whichever rank's schedule is given. */
void weft_goal_write_head(const struct weft_goal_sink *sink, const struct weft_schedule *schedule);
/* A rank. What is read and written again is the same text. */
WEFT_CHECKED enum weft_status weft_goal_write_rank(const struct weft_goal_sink *sink,
                                                   const struct weft_schedule *schedule,
                                                   struct weft_error *error);

#endif
