/* SPDX-License-Identifier: BSD-3-Clause */
/* The packets of SENDs and WRITEs, on RC and UC alike. Inline: two callers' innermost loops. */
#ifndef WEFT_ROCE_REQUEST_H
#define WEFT_ROCE_REQUEST_H

#include <assert.h>

#include "drivers/roce/packet/opcode.h"
#include "drivers/roce/transport/state.h"

static inline uint8_t *weft_request_put_extensions(const struct weft_send *work, uint8_t opcode,
                                                   uint8_t *at)
{
    uint32_t headers = weft_opcodes[opcode].headers;
    if (headers & WEFT_HEADER_RETH) {
        weft_wire_put64(at, work->remote_address);
        weft_wire_put32(at + 8, work->rkey);
        weft_wire_put32(at + 12, work->len_bytes);
        at += WEFT_RETH_BYTES;
    }
    if (headers & WEFT_HEADER_IMMEDIATE) {
        weft_wire_put32(at, work->immediate);
        at += WEFT_IMMEDIATE_BYTES;
    }
    return at;
}

/* The packet at next_sequence, which lies in `work`. */
static inline void weft_request_build(struct weft_roce_qp *qp, const struct weft_send *work,
                                      uint32_t psn_flags, struct weft_roce_frame *frame)
{
    uint64_t sequence = qp->requester.next_sequence;
    uint32_t index = (uint32_t)(sequence - work->first);
    uint32_t offset_bytes = index << qp->mtu_shift;
    bool first = index == 0;
    bool last = index + 1 == work->packets;
    uint32_t len_bytes = last ? work->len_bytes - offset_bytes : qp->mtu_bytes;
    uint8_t opcode = weft_opcode_of[work->operation][first][last];
    if (qp->transport == WEFT_TRANSPORT_UC)
        opcode |= WEFT_OPCODE_UC;
    uint32_t psn_word = ((uint32_t)sequence & WEFT_ROCE_NUMBER_MASK) | psn_flags;
    assert(frame->capacity_bytes >= WEFT_ROCE_OVERHEAD_MAX + len_bytes);
    uint8_t *data = frame->data;
    const struct weft_path_kind *kind = weft_path_kind(&qp->path, opcode, len_bytes);
    const uint8_t *payload = len_bytes ? work->memory + offset_bytes : NULL;
    if (kind->build) {
        kind->build(kind, data, psn_word, payload);
        frame->len_bytes = kind->frame_bytes;
        return;
    }
    uint8_t *at = weft_kind_start(kind, data, psn_word);
    at = weft_request_put_extensions(work, opcode, at);
    frame->len_bytes = weft_kind_finish(kind, data, at, payload);
}

#endif
