/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "fabric/control/wire.h"

/* Differences of such times do not overflow. */
#define TIME_MAX_NS (INT64_C(1) << 60)

static void fill(const struct weft_wire_trace *trace, int64_t *times_ns, uint32_t *waits)
{
    for (uint32_t i = 0; i < trace->op_count; i++) {
        times_ns[i] = trace->ops[i].started_ns;
        times_ns[trace->op_count + i] = trace->ops[i].completed_ns;
        waits[i] = trace->ops[i].waits;
    }
}

enum weft_status weft_wire_trace_send(struct weft_wire *wire, const struct weft_wire_trace *trace,
                                      struct weft_error *error)
{
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Trace message = WEFT__TRACE__INIT;
    int64_t *times_ns = calloc(2 * (size_t)trace->op_count + 1, sizeof(*times_ns));
    uint32_t *waits = calloc((size_t)trace->op_count + 1, sizeof(*waits));
    enum weft_status status = WEFT_OK;
    if (!times_ns || !waits) {
        status = weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a trace of rank %u",
                                trace->rank);
    } else {
        fill(trace, times_ns, waits);
        message.rank = trace->rank;
        message.iteration = trace->iteration;
        message.duration_ns = trace->duration_ns;
        message.started_ns = times_ns;
        message.completed_ns = times_ns + trace->op_count;
        message.waits = waits;
        message.n_started_ns = message.n_completed_ns = message.n_waits = trace->op_count;
        envelope.body_case = WEFT__ENVELOPE__BODY_TRACE;
        envelope.trace = &message;
        status = weft_wire_send(wire, 0, &envelope, error);
    }
    free(times_ns);
    free(waits);
    return status;
}

static enum weft_status check_time(const char *field, int64_t time_ns, struct weft_error *error)
{
    if (time_ns >= -TIME_MAX_NS && time_ns <= TIME_MAX_NS)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID, "%s is no time within an iteration", field);
}

static enum weft_status check_lengths(const Weft__Trace *message, uint32_t op_count,
                                      struct weft_error *error)
{
    enum weft_status status = weft_wire_range("trace.started_ns' count", message->n_started_ns,
                                              op_count, op_count, error);
    if (!status)
        status = weft_wire_range("trace.completed_ns' count", message->n_completed_ns, op_count,
                                 op_count, error);
    if (!status)
        status = weft_wire_range("trace.waits' count", message->n_waits, op_count, op_count, error);
    if (!status)
        status = weft_wire_range("trace.duration_ns", message->duration_ns, 0, TIME_MAX_NS, error);
    return status;
}

static enum weft_status read_ops(const Weft__Trace *message, uint32_t op_count,
                                 struct weft_op_trace *ops, struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; i < op_count && !status; i++) {
        ops[i] = (struct weft_op_trace){.started_ns = message->started_ns[i],
                                        .completed_ns = message->completed_ns[i],
                                        .waits = message->waits[i]};
        status = check_time("trace.started_ns", ops[i].started_ns, error);
        if (!status)
            status = check_time("trace.completed_ns", ops[i].completed_ns, error);
        if (!status)
            status = weft_wire_range("trace.waits", ops[i].waits, 0, WEFT_WAITED_ALL, error);
    }
    return status;
}

enum weft_status weft_wire_trace_read(const Weft__Trace *message, uint32_t op_count,
                                      struct weft_wire_trace *ret_trace, struct weft_error *error)
{
    enum weft_status status = check_lengths(message, op_count, error);
    if (status)
        return status;
    struct weft_op_trace *ops = calloc((size_t)op_count + 1, sizeof(*ops));
    if (!ops)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a trace");
    status = read_ops(message, op_count, ops, error);
    if (status) {
        free(ops);
        return status;
    }
    *ret_trace = (struct weft_wire_trace){.rank = message->rank,
                                          .iteration = message->iteration,
                                          .duration_ns = message->duration_ns,
                                          .ops = ops,
                                          .op_count = op_count};
    return WEFT_OK;
}
