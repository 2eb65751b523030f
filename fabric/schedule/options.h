/* SPDX-License-Identifier: BSD-3-Clause */
/* What a pattern may be told beside ranks and size: one table, from which come a plan's keys, the
 * command line's options, the wire's fields, the checks and the help. A pattern says which of them
 * it takes; see pattern.h. */
#ifndef WEFT_SCHEDULE_OPTIONS_H
#define WEFT_SCHEDULE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric/base/error.h"

enum weft_pattern_option_kind {
    WEFT_PATTERN_COUNT = 0,
    WEFT_PATTERN_SIZE,
    WEFT_PATTERN_TIME,
    WEFT_PATTERN_WORD,  /* the value is its place in a list of words */
    WEFT_PATTERN_SHARE, /* a decimal number, in thousandths: 1.25 is 1250 */
};

/* ROW(ID, field, "name", "what its value is called", kind, least, most, "one line of help") */
#define WEFT_PATTERN_OPTIONS(ROW)                                                                  \
    ROW(ALGORITHM, algorithm, "algorithm", "NAME", WORD, 0, 0,                                     \
        "algorithm of a collective or other pattern")                                              \
    ROW(TYPE, element, "type", "NAME", WORD, 0, 0,                                                 \
        "element type: float32, float16, bfloat16, int32 or uint8")                                \
    ROW(OPERATOR, reduction, "operator", "NAME", WORD, 0, 0,                                       \
        "how elements are combined: sum or max")                                                   \
    ROW(DIRECTION, direction, "direction", "NAME", WORD, 0, 0, "one-way or both-ways")             \
    ROW(CHUNK, chunk_bytes, "chunk", "SIZE", SIZE, 1, UINT64_C(1) << 30, "the largest message")    \
    ROW(MICROBATCHES, microbatches, "microbatches", "N", COUNT, 1, 4096,                           \
        "microbatches in an iteration")                                                            \
    ROW(CALC, calc_ns, "calc", "TIME", TIME, 0, UINT64_C(3600000000000),                           \
        "time that a rank computes, such as 50us")                                                 \
    ROW(ROOT, root, "root", "RANK", COUNT, 0, UINT32_MAX - 1,                                      \
        "the rank that a pattern starts from or ends at")                                          \
    ROW(QUEUE_PAIRS, queue_pairs, "queue-pairs", "N", COUNT, 1, 256,                               \
        "queue pairs between two ranks")                                                           \
    ROW(MESSAGES, messages, "messages", "N", COUNT, 1, UINT64_C(1) << 20,                          \
        "messages of each flow in an iteration")                                                   \
    ROW(DEGREE, degree, "degree", "N", COUNT, 1, UINT32_MAX - 1,                                   \
        "how many ranks one rank sends to")                                                        \
    ROW(SHIFT, shift, "shift", "N", COUNT, 1, UINT32_MAX - 1,                                      \
        "distance from a rank to its partner")                                                     \
    ROW(SEED, seed, "pattern-seed", "N", COUNT, 0, UINT64_C(1) << 53,                              \
        "seed of the random choices of the pattern")                                               \
    ROW(SKEW, skew_thousandths, "skew", "NUMBER", SHARE, 0, 10000,                                 \
        "Zipf's exponent, such as 1.2; 0 is even")                                                 \
    ROW(VICTIMS, victims, "victims", "N", COUNT, 1, UINT32_MAX - 1,                                \
        "flows that share links with congested ones")                                              \
    ROW(BURSTS, bursts, "bursts", "N", COUNT, 1, UINT64_C(1) << 20, "bursts in an iteration")      \
    ROW(PERIOD, period_ns, "period", "TIME", TIME, 0, UINT64_C(3600000000000),                     \
        "time from one burst to the next, such as 100us")                                          \
    ROW(INTERLEAVE, interleave, "interleave", "N", COUNT, 1, 64, "pipeline stages on each rank")   \
    ROW(BUCKETS, buckets, "buckets", "N", COUNT, 1, 4096, "pieces that the gradients are sent in") \
    ROW(LAYERS, layers, "layers", "N", COUNT, 1, 4096, "layers of the model")                      \
    ROW(SERVERS, servers, "servers", "N", COUNT, 1, UINT32_MAX - 1,                                \
        "ranks that are servers or stores")                                                        \
    ROW(PHASE, phase, "phase", "NAME", WORD, 0, 0,                                                 \
        "which phases to run: both, dispatch or combine")                                          \
    ROW(RANKS_PER_HOST, ranks_per_host, "ranks-per-host", "N", COUNT, 1, 1024,                     \
        "consecutive ranks that share a host")                                                     \
    ROW(SERVICE, service, "service", "NAME", WORD, 0, 0,                                           \
        "how a rank computes for several requests at once: serial or parallel")

enum weft_pattern_option_id {
#define WEFT_ROW(id, field, name, value, kind, least, most, help) WEFT_OPTION_##id,
    WEFT_PATTERN_OPTIONS(WEFT_ROW)
#undef WEFT_ROW
    WEFT_PATTERN_OPTION_COUNT
};

struct weft_pattern_options {
    uint32_t rank_count;
    uint64_t size_bytes; /* what the pattern says it is: see each one's text */
    /* One field a row. 0 is the pattern's default where the option's bit in `given` is not set. */
#define WEFT_ROW(id, field, name, value, kind, least, most, help) uint64_t field;
    WEFT_PATTERN_OPTIONS(WEFT_ROW)
#undef WEFT_ROW
    uint64_t given;    /* 1 << id: said, be it 0 */
    const char *text;  /* the file that the pattern is made from, where it is; the caller's */
    size_t text_bytes; /* no NUL is needed */
    const char *text_name;
    const void *prepared; /* what weft_pattern_prepare has read of the text; NULL: not done */
};

struct weft_pattern_option {
    const char *name;  /* a plan's key; an option after two dashes */
    const char *value; /* what the help calls its value */
    enum weft_pattern_option_kind kind;
    uint64_t least, most;
    const char *help;
    size_t offset; /* of the field, a uint64_t, in the options */
};

/* By id. */
extern const struct weft_pattern_option weft_pattern_option_table[WEFT_PATTERN_OPTION_COUNT];

uint64_t weft_pattern_option_get(const struct weft_pattern_options *options,
                                 enum weft_pattern_option_id id);
/* Sets the field and its bit. */
void weft_pattern_option_set(struct weft_pattern_options *options, enum weft_pattern_option_id id,
                             uint64_t value);
/* Was it said, or is it not 0? */
bool weft_pattern_option_is_given(const struct weft_pattern_options *options,
                                  enum weft_pattern_option_id id);
/* The row of that name; WEFT_PATTERN_OPTION_COUNT where there is none. */
enum weft_pattern_option_id weft_pattern_option_find(const char *name);

#endif
