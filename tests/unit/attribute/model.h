/* SPDX-License-Identifier: BSD-3-Clause */
/* Traces of runs that never were: every operation takes what the model says, ranks begin when they
 * like, and each writes down its own times only. */
#ifndef WEFT_TESTS_ATTRIBUTE_MODEL_H
#define WEFT_TESTS_ATTRIBUTE_MODEL_H

#include "fabric/attribute/attribute.h"
#include "fabric/schedule/pattern.h"

#define MODEL_RANKS_MAX 16u
#define MODEL_NONE UINT32_MAX

/* Something that is not as it should be; MODEL_NONE where it is nobody's. In nanoseconds, or as a
 * factor. */
struct model_fault {
    uint32_t from, to; /* a transfer between these, in this direction */
    uint32_t nic;      /* a transfer from or to this rank */
    double transfer_factor;
    uint32_t reducer;
    uint64_t reduce_ns;
    uint32_t idler; /* starts its sends late */
    uint64_t idle_ns;
    uint32_t shy; /* posts its receives late */
    uint64_t shy_ns;
    bool slow_only; /* in slow iterations only */
};

struct model {
    uint32_t rank_count;
    struct weft_schedule *schedules[MODEL_RANKS_MAX];
    struct weft_topology *topology;
    struct weft_traced_iteration *iterations;
    uint32_t iteration_count;
    struct weft_attribution *attribution;
};

struct model_options {
    const char *pattern;
    uint32_t rank_count;
    uint64_t size_bytes;
    const char *topology; /* YAML; NULL: loopback */
    uint32_t slow, other; /* iterations */
    double jitter;        /* of transfers, as a share */
    double losses;        /* so many of them take up to 20 times as long */
    uint64_t seed;
    const struct weft_rank_seat *seats; /* NULL: nothing is known of them */
    struct model_fault fault;
};

#define MODEL_NO_FAULT                                                                 \
    .from = MODEL_NONE, .nic = MODEL_NONE, .reducer = MODEL_NONE, .idler = MODEL_NONE, \
    .shy = MODEL_NONE

/* Runs it all and attributes. */
void model_run(struct model *model, const struct model_options *options);
void model_fini(struct model *model);

/* The decider that stands out; NULL: none does. Asserts that there is no other. */
const struct weft_decider *model_decider(const struct model *model);
/* The link or NIC that stands out; NULL: none does. */
const struct weft_suspect *model_suspect(const struct model *model);

#endif
