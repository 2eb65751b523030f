/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run leaves behind: a hash of all that happened, the last of it in words, and the first
 * rule that was broken. */
#ifndef WEFT_TESTS_SIM_RECORD_H
#define WEFT_TESTS_SIM_RECORD_H

#include <stdio.h>

#include "drivers/sim/fabric.h"

#define RECORD_LAST 60u

struct record_line {
    struct weft_sim_trace trace; /* data: not to be read */
    uint8_t opcode;
    uint32_t qpn, psn;
    bool is_completion;
    struct weft_completion completion;
    uint32_t nic;
};

struct record {
    uint64_t hash;
    uint64_t count;
    uint64_t frames; /* put on a wire */
    uint64_t completions;
    struct record_line lines[RECORD_LAST];
    FILE *out; /* every line goes there too; NULL: none */
    bool broken;
    char rule[600];
};

void record_init(struct record *record, FILE *out);
/* A weft_sim_tracer. */
void record_trace(void *record, const struct weft_sim_trace *trace);
void record_completion(struct record *record, uint64_t now_ps, uint32_t nic,
                       const struct weft_completion *completion);
/* The first one counts. */
void record_broken(struct record *record, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void record_print_last(const struct record *record, FILE *out);

#endif
