/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/goal/parts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum weft_status weft_goal_fail(const struct weft_goal *goal, uint32_t op, struct weft_error *error,
                                const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    struct weft_location where = {.source = goal->source, .line = goal->ops[op].line};
    return weft_error_at(error, &where, "%s", text);
}

enum weft_status weft_goal_join(struct weft_goal *goal, uint32_t send, uint32_t receive,
                                struct weft_error *error)
{
    struct weft_goal_op *from = &goal->ops[send], *to = &goal->ops[receive];
    if (to->op.len_bytes < from->op.len_bytes)
        return weft_goal_fail(goal, receive, error,
                              "rank %u receives at most %" PRIu64
                              " B here, but the matching send in line %u has %" PRIu64
                              " B: write the same length in both",
                              to->rank, to->op.len_bytes, from->line, from->op.len_bytes);
    to->op.len_bytes = from->op.len_bytes;
    to->op.peer = from->rank;
    to->op.tag = from->op.tag;
    to->tag = from->tag;
    to->partner = send;
    from->partner = receive;
    return WEFT_OK;
}
