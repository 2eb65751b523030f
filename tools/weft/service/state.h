/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of a runtime: what it is made of, and the operations that an agent is given. */
#ifndef WEFT_TOOLS_RUNTIME_STATE_H
#define WEFT_TOOLS_RUNTIME_STATE_H

#include "tools/weft/service/runtime.h"
#include "tools/weft/service/seats.h"

struct weft_runtime {
    struct weft_runtime_options options;
    struct weft_clock clock;
    uint64_t utc_offset_ns; /* from that clock to UTC */
    struct weft_host_environment environment;
    uint32_t worker_count;
    struct weft_worker *workers[WEFT_WORKERS_MAX];
    struct weft_seats *seats;                      /* NULL: no test is prepared */
    struct weft_agent_grant grants[WEFT_JOBS_MAX]; /* of the phase */
    enum weft_agent_record record;
    uint64_t intended_ns[WEFT_SEAT_DURATIONS]; /* of the durations taken last */
};

/* ---- workers.c ---- */

WEFT_CHECKED enum weft_status weft_runtime_start_workers(struct weft_runtime *runtime,
                                                         struct weft_error *error);
/* The noise floor, into the environment. */
void weft_runtime_measure_noise(struct weft_runtime *runtime);

/* Operations of struct weft_agent_runtime, which says what they do; their context is the runtime.
 */

/* ---- connect.c ---- */

uint32_t weft_runtime_addresses(void *context, struct weft_channel_address *addresses,
                                uint32_t count);
WEFT_CHECKED enum weft_status weft_runtime_connect(void *context,
                                                   const struct weft_channel_address *addresses,
                                                   uint32_t count, struct weft_error *error);
WEFT_CHECKED enum weft_status weft_runtime_connected(void *context, struct weft_error *error);

/* ---- phase.c ---- */

WEFT_CHECKED enum weft_status weft_runtime_start(void *context, enum weft_phase phase,
                                                 struct weft_error *error);
void weft_runtime_grant(void *context, const struct weft_agent_grant *grants,
                        enum weft_agent_record record);
bool weft_runtime_waits(void *context);
WEFT_CHECKED enum weft_status weft_runtime_progress(void *context, uint32_t part,
                                                    struct weft_agent_progress *ret_progress,
                                                    struct weft_error *error);
/* The end of the measured window: by the first rank that is collected, so that all ranks of a
 * worker have one number. */
void weft_runtime_end_window(const struct weft_runtime *runtime);

/* ---- durations.c ---- */

bool weft_runtime_decides(void *context, uint32_t part);
uint32_t weft_runtime_take_durations(void *context, uint32_t part, uint64_t *durations_ns,
                                     uint32_t count);
bool weft_runtime_take_intended(void *context, uint32_t part, uint64_t *intended_ns,
                                uint32_t count);

/* ---- collect.c ---- */

WEFT_CHECKED enum weft_status weft_runtime_verify(void *context, uint32_t local,
                                                  struct weft_verify_result *ret_result);
WEFT_CHECKED enum weft_status weft_runtime_collect(void *context, uint32_t local,
                                                   struct weft_rank_result *ret_result,
                                                   struct weft_error *error);

/* ---- trace.c ---- */

uint32_t weft_runtime_trace_count(void *context, uint32_t part);
bool weft_runtime_trace_keep(void *context, uint32_t part, uint32_t place, uint64_t iteration);
WEFT_CHECKED enum weft_status weft_runtime_trace(void *context, uint32_t local, uint64_t iteration,
                                                 struct weft_op_trace **ret_ops,
                                                 uint32_t *ret_count, uint64_t *ret_duration_ns);

#endif
