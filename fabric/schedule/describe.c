/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/describe.h"

#include <inttypes.h>
#include <stdio.h>

char *weft_op_describe(const struct weft_op *op, uint32_t index, char text[WEFT_OP_TEXT])
{
    switch (op->kind) {
    case WEFT_OP_SEND:
        (void)snprintf(text, WEFT_OP_TEXT, "operation %u (send of %" PRIu64 " B to rank %u)", index,
                       op->len_bytes, op->peer);
        break;
    case WEFT_OP_RECEIVE:
        (void)snprintf(text, WEFT_OP_TEXT, "operation %u (receive of %" PRIu64 " B from rank %u)",
                       index, op->len_bytes, op->peer);
        break;
    case WEFT_OP_REDUCE:
        (void)snprintf(text, WEFT_OP_TEXT, "operation %u (reduce of %" PRIu64 " B)", index,
                       op->len_bytes);
        break;
    case WEFT_OP_CALC:
        (void)snprintf(text, WEFT_OP_TEXT, "operation %u (calc of %" PRIu64 " ns)", index,
                       op->duration_ns);
        break;
    case WEFT_OP_KIND_COUNT:
    default:
        (void)snprintf(text, WEFT_OP_TEXT, "operation %u (of unknown kind %d)", index,
                       (int)op->kind);
        break;
    }
    return text;
}
