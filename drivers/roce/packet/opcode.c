/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/packet/opcode.h"

#include "drivers/roce/packet/wire.h"
#include "fabric/driver.h"

#define BYTES_WHERE(bits, bit, bytes) (((bits) & (bit)) ? (bytes) : 0u)
#define HEADER_BYTES(bits)                                                   \
    (WEFT_BTH_BYTES + BYTES_WHERE(bits, WEFT_HEADER_DETH, WEFT_DETH_BYTES) + \
     BYTES_WHERE(bits, WEFT_HEADER_RETH, WEFT_RETH_BYTES) +                  \
     BYTES_WHERE(bits, WEFT_HEADER_ATOMIC, WEFT_ATOMIC_ETH_BYTES) +          \
     BYTES_WHERE(bits, WEFT_HEADER_AETH, WEFT_AETH_BYTES) +                  \
     BYTES_WHERE(bits, WEFT_HEADER_ATOMIC_ACK, WEFT_ATOMIC_ACK_ETH_BYTES) +  \
     BYTES_WHERE(bits, WEFT_HEADER_IMMEDIATE, WEFT_IMMEDIATE_BYTES) +        \
     BYTES_WHERE(bits, WEFT_HEADER_INVALIDATE, WEFT_IETH_BYTES))

#define ENTRY(kind_, headers_, first_, last_, payload_)                                      \
    {                                                                                        \
        .kind = WEFT_OPCODE_##kind_, .headers = (headers_),                                  \
        .header_bytes = (uint8_t)HEADER_BYTES(headers_), .first = (first_), .last = (last_), \
        .payload = (payload_)                                                                \
    }

#define FIRST(kind, headers) ENTRY(kind, headers, true, false, true)
#define MIDDLE(kind, headers) ENTRY(kind, headers, false, false, true)
#define LAST(kind, headers) ENTRY(kind, headers, false, true, true)
#define ONLY(kind, headers) ENTRY(kind, headers, true, true, true)
#define BARE(kind, headers) ENTRY(kind, headers, true, true, false)

#define IMMEDIATE WEFT_HEADER_IMMEDIATE
#define RETH WEFT_HEADER_RETH
#define AETH WEFT_HEADER_AETH
#define DETH WEFT_HEADER_DETH

const struct weft_opcode weft_opcodes[256] = {
    /* RC */
    [0x00] = FIRST(SEND, 0),
    [0x01] = MIDDLE(SEND, 0),
    [0x02] = LAST(SEND, 0),
    [0x03] = LAST(SEND, IMMEDIATE),
    [0x04] = ONLY(SEND, 0),
    [0x05] = ONLY(SEND, IMMEDIATE),
    [0x06] = FIRST(WRITE, RETH),
    [0x07] = MIDDLE(WRITE, 0),
    [0x08] = LAST(WRITE, 0),
    [0x09] = LAST(WRITE, IMMEDIATE),
    [0x0a] = ONLY(WRITE, RETH),
    [0x0b] = ONLY(WRITE, RETH | IMMEDIATE),
    [0x0c] = BARE(READ_REQUEST, RETH),
    [0x0d] = FIRST(READ_RESPONSE, AETH),
    [0x0e] = MIDDLE(READ_RESPONSE, 0),
    [0x0f] = LAST(READ_RESPONSE, AETH),
    [0x10] = ONLY(READ_RESPONSE, AETH),
    [0x11] = BARE(ACKNOWLEDGE, AETH),
    [0x12] = BARE(ATOMIC_ACKNOWLEDGE, AETH | WEFT_HEADER_ATOMIC_ACK),
    [0x13] = BARE(ATOMIC, WEFT_HEADER_ATOMIC),
    [0x14] = BARE(ATOMIC, WEFT_HEADER_ATOMIC),
    [0x16] = LAST(SEND_INVALIDATE, WEFT_HEADER_INVALIDATE),
    [0x17] = ONLY(SEND_INVALIDATE, WEFT_HEADER_INVALIDATE),
    /* UC */
    [0x20] = FIRST(SEND, 0),
    [0x21] = MIDDLE(SEND, 0),
    [0x22] = LAST(SEND, 0),
    [0x23] = LAST(SEND, IMMEDIATE),
    [0x24] = ONLY(SEND, 0),
    [0x25] = ONLY(SEND, IMMEDIATE),
    [0x26] = FIRST(WRITE, RETH),
    [0x27] = MIDDLE(WRITE, 0),
    [0x28] = LAST(WRITE, 0),
    [0x29] = LAST(WRITE, IMMEDIATE),
    [0x2a] = ONLY(WRITE, RETH),
    [0x2b] = ONLY(WRITE, RETH | IMMEDIATE),
    /* UD */
    [0x64] = ONLY(SEND, DETH),
    [0x65] = ONLY(SEND, DETH | IMMEDIATE),
    /* Congestion notification: 16 reserved bytes follow the BTH. */
    [0x81] = ONLY(CONGESTION, 0),
};

#define OPCODES(kind, suffix)                                                   \
    {                                                                           \
        {WEFT_OPCODE_RC_##kind##_MIDDLE, WEFT_OPCODE_RC_##kind##_LAST##suffix}, \
        {                                                                       \
            WEFT_OPCODE_RC_##kind##_FIRST, WEFT_OPCODE_RC_##kind##_ONLY##suffix \
        }                                                                       \
    }

const uint8_t weft_opcode_of[][2][2] = {
    [WEFT_OPERATION_SEND] = OPCODES(SEND, ),
    [WEFT_OPERATION_SEND_IMMEDIATE] = OPCODES(SEND, _IMMEDIATE),
    [WEFT_OPERATION_WRITE] = OPCODES(WRITE, ),
    [WEFT_OPERATION_WRITE_IMMEDIATE] = OPCODES(WRITE, _IMMEDIATE),
};
