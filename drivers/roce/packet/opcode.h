/* SPDX-License-Identifier: BSD-3-Clause */
/* The opcodes of the base transport header as a table: what each carries and where it stands in its
 * message. Parse, responder and requester are driven by it. */
#ifndef WEFT_ROCE_OPCODE_H
#define WEFT_ROCE_OPCODE_H

#include <stdbool.h>
#include <stdint.h>

enum weft_opcode_kind {
    WEFT_OPCODE_NONE = 0, /* reserved */
    WEFT_OPCODE_SEND,
    WEFT_OPCODE_WRITE,
    WEFT_OPCODE_READ_REQUEST,
    WEFT_OPCODE_READ_RESPONSE,
    WEFT_OPCODE_ACKNOWLEDGE,
    WEFT_OPCODE_ATOMIC,
    WEFT_OPCODE_ATOMIC_ACKNOWLEDGE,
    WEFT_OPCODE_SEND_INVALIDATE,
    WEFT_OPCODE_CONGESTION,
};

/* The upper three bits of an opcode. */
enum weft_opcode_service {
    WEFT_SERVICE_RC = 0,
    WEFT_SERVICE_UC = 1,
    WEFT_SERVICE_UD = 3,
    WEFT_SERVICE_CNP = 4,
};

/* Extension headers, in the order in which they stand. */
#define WEFT_HEADER_DETH 0x01u
#define WEFT_HEADER_RETH 0x02u
#define WEFT_HEADER_ATOMIC 0x04u
#define WEFT_HEADER_AETH 0x08u
#define WEFT_HEADER_ATOMIC_ACK 0x10u
#define WEFT_HEADER_IMMEDIATE 0x20u
#define WEFT_HEADER_INVALIDATE 0x40u

struct weft_opcode {
    uint8_t kind;         /* enum weft_opcode_kind */
    uint8_t headers;      /* WEFT_HEADER_ bits */
    uint8_t header_bytes; /* BTH and extension headers */
    bool first;           /* starts a message */
    bool last;            /* ends one */
    bool payload;         /* may carry one */
};

extern const struct weft_opcode weft_opcodes[256];

/* By operation, first and last: the RC opcodes of SENDs and WRITEs. UC's are the same in their own
 * service. */
extern const uint8_t weft_opcode_of[][2][2];
#define WEFT_OPCODE_UC (WEFT_SERVICE_UC << 5)

enum {
    WEFT_OPCODE_RC_SEND_FIRST = 0x00,
    WEFT_OPCODE_RC_SEND_MIDDLE = 0x01,
    WEFT_OPCODE_RC_SEND_LAST = 0x02,
    WEFT_OPCODE_RC_SEND_LAST_IMMEDIATE = 0x03,
    WEFT_OPCODE_RC_SEND_ONLY = 0x04,
    WEFT_OPCODE_RC_SEND_ONLY_IMMEDIATE = 0x05,
    WEFT_OPCODE_RC_WRITE_FIRST = 0x06,
    WEFT_OPCODE_RC_WRITE_MIDDLE = 0x07,
    WEFT_OPCODE_RC_WRITE_LAST = 0x08,
    WEFT_OPCODE_RC_WRITE_LAST_IMMEDIATE = 0x09,
    WEFT_OPCODE_RC_WRITE_ONLY = 0x0a,
    WEFT_OPCODE_RC_WRITE_ONLY_IMMEDIATE = 0x0b,
    WEFT_OPCODE_RC_READ_REQUEST = 0x0c,
    WEFT_OPCODE_RC_READ_RESPONSE_FIRST = 0x0d,
    WEFT_OPCODE_RC_READ_RESPONSE_MIDDLE = 0x0e,
    WEFT_OPCODE_RC_READ_RESPONSE_LAST = 0x0f,
    WEFT_OPCODE_RC_READ_RESPONSE_ONLY = 0x10,
    WEFT_OPCODE_RC_ACKNOWLEDGE = 0x11,
    WEFT_OPCODE_RC_ATOMIC_ACKNOWLEDGE = 0x12,
    WEFT_OPCODE_RC_COMPARE_SWAP = 0x13,
    WEFT_OPCODE_RC_FETCH_ADD = 0x14,
    WEFT_OPCODE_UD_SEND_ONLY = 0x64,
    WEFT_OPCODE_UD_SEND_ONLY_IMMEDIATE = 0x65,
    WEFT_OPCODE_CNP = 0x81,
};

#endif
