/* SPDX-License-Identifier: BSD-3-Clause */
/* What one rank does in one iteration: a graph of operations. The text form is GOAL (Hoefler et
 * al., LogGOPSim, HPDC 2010).
 *
 * Matching: a pair of ranks has one queue pair or several, by number. The k-th send from a to b on
 * queue pair q, in the order of their operations, meets the k-th receive from a in b on q; their
 * lengths and tags must agree. Sends to one peer on one queue pair start in that order, and so do
 * receives.
 *
 * Memory: each rank has one buffer, and operations name it by offset. It is a vector of elements of
 * one type, and what reduces it is one operator, the same in all ranks' schedules. */
#ifndef WEFT_SCHEDULE_SCHEDULE_H
#define WEFT_SCHEDULE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "fabric/base/error.h"
#include "fabric/schedule/element.h"

enum weft_op_kind {
    WEFT_OP_SEND = 0,
    WEFT_OP_RECEIVE,
    WEFT_OP_REDUCE, /* buffer[offset ..] = the sum, or what the operator is, of it and
                       buffer[source_offset ..] */
    WEFT_OP_CALC,   /* takes duration_ns of time; computes nothing */
    WEFT_OP_KIND_COUNT
};

#define WEFT_QUEUE_PAIRS_MAX 256u
#define WEFT_CPUS_MAX 65536u

struct weft_op {
    enum weft_op_kind kind;
    uint32_t peer;       /* send, receive: the other rank */
    uint32_t queue_pair; /* send, receive: below WEFT_QUEUE_PAIRS_MAX */
    uint32_t tag;
    uint32_t cpu;             /* calc: those of one run one after another; from 1 on, 0 is none */
    uint32_t requires_count;  /* operations that must complete first */
    uint32_t first_successor; /* into weft_schedule.successors */
    uint32_t successor_count;
    uint64_t offset_bytes;
    uint64_t source_offset_bytes; /* reduce */
    uint64_t len_bytes;           /* send and receive: 0 is a bare signal */
    uint64_t duration_ns;         /* calc */
};

/* What the buffer must hold after one iteration that began with the fill; see verify.h. Offsets and
 * lengths are of whole elements. */
enum weft_expectation_kind {
    WEFT_EXPECT_COPY = 0, /* what rank `rank` was filled with at `from_offset_bytes` */
    WEFT_EXPECT_REDUCED,  /* element by element the reduction of what `rank_count` ranks were filled
                             with there: `rank`, `rank` + `rank_stride`, ...; all ranks where
                             `rank_count` is 0 */
    WEFT_EXPECT_ARRIVAL,  /* anything: that the iteration ends is all that is asked */
    WEFT_EXPECT_COUNT
};

struct weft_expectation {
    enum weft_expectation_kind kind;
    uint32_t rank;
    uint32_t rank_count;
    uint32_t rank_stride; /* 0 is 1 */
    uint64_t offset_bytes;
    uint64_t from_offset_bytes;
    uint64_t len_bytes;
};

struct weft_schedule {
    uint32_t rank;
    uint32_t rank_count;
    uint32_t op_count;
    uint32_t successor_count;
    uint32_t expectation_count;
    struct weft_op *ops;
    uint32_t *successors; /* indices into ops */
    struct weft_expectation *expectations;
    uint64_t buffer_bytes;
    enum weft_element element;
    enum weft_reduction reduction;
    /* The pattern's completion is that of the ranks which have this set: the slowest of them, each
     * by its own clock. */
    bool decides_completion;
};

/* A peer and a queue pair to it, as one number. */
static inline uint64_t weft_flow_of(const struct weft_op *op)
{
    return (uint64_t)op->peer << 32 | op->queue_pair;
}

/* The queue pairs that a schedule has messages on, either way, in rising order of peer and number;
 * the caller's to free. NULL: out of memory. */
uint64_t *weft_schedule_flows(const struct weft_schedule *schedule, uint32_t *ret_count);
/* Which of them is it? The first that is not less. */
uint32_t weft_schedule_find_flow(const uint64_t *flows, uint32_t count, uint64_t flow);

void weft_schedule_destroy(struct weft_schedule *schedule);

/* Builds a schedule op by op. The first failure (out of memory, too many) sticks and finish
 * reports it, so that compilers need not look after each call. */
struct weft_schedule_builder;

struct weft_schedule_builder *weft_schedule_builder_create(uint32_t rank, uint32_t rank_count);
void weft_schedule_builder_destroy(struct weft_schedule_builder *builder);

#define WEFT_OP_NONE UINT32_MAX

/* Returns the new operation's index. requires_count, first_successor and successor_count of `op`
 * are ignored. */
uint32_t weft_schedule_add(struct weft_schedule_builder *builder, const struct weft_op *op);
/* `later` starts once `earlier` is complete. Either may be WEFT_OP_NONE: then nothing is said. */
void weft_schedule_require(struct weft_schedule_builder *builder, uint32_t later, uint32_t earlier);
void weft_schedule_expect(struct weft_schedule_builder *builder,
                          const struct weft_expectation *expectation);
/* float32 and sum unless told. A pattern that only copies has WEFT_ELEMENT_UINT8. */
void weft_schedule_set_element(struct weft_schedule_builder *builder, enum weft_element element,
                               enum weft_reduction reduction);
void weft_schedule_set_buffer(struct weft_schedule_builder *builder, uint64_t len_bytes);
void weft_schedule_set_decides(struct weft_schedule_builder *builder, bool decides);

/* Makes and checks it: offsets inside the buffer, peers other ranks that exist, no cycle, messages
 * within WEFT_MESSAGE_BYTES_MAX. The builder is spent either way, but still the caller's to
 * destroy. */
WEFT_CHECKED enum weft_status weft_schedule_finish(struct weft_schedule_builder *builder,
                                                   struct weft_schedule **ret_schedule,
                                                   struct weft_error *error);

/* Do all ranks' schedules match: every send has its receive of the same length and tag, and none
 * waits for ever for another? The error names the ranks and operations that disagree.
 * `schedules[r]` is rank r's. */
WEFT_CHECKED enum weft_status weft_schedules_match(const struct weft_schedule *const *schedules,
                                                   uint32_t count, struct weft_error *error);

/* Which operation of the peer each message meets: ret_partners[r][i] is that of rank r's operation
 * i, WEFT_OP_NONE for what is no message. The schedules must match. The array and each rank's are
 * malloc'd, the caller's. */
WEFT_CHECKED enum weft_status weft_schedules_pair(const struct weft_schedule *const *schedules,
                                                  uint32_t count, uint32_t ***ret_partners,
                                                  struct weft_error *error);
void weft_schedules_pair_free(uint32_t **partners, uint32_t count);

#endif
