/* SPDX-License-Identifier: BSD-3-Clause */
/* The packets of one path, opcode and payload length: what they have in common is made once. */
#ifndef WEFT_ROCE_KIND_H
#define WEFT_ROCE_KIND_H

#include <stdint.h>

/* Ethernet with a VLAN tag, IPv6, UDP, BTH and DETH: 86 bytes. Copied as 64 and the rest. */
#define WEFT_PATH_HEADER_BYTES 96u

struct weft_path_kind;

/* Fills `frame` but for its length: headers, the PSN's word, the payload, its pad and the ICRC.
 * Writes WEFT_KIND_PAYLOAD_MAX bytes from the payload's start on, whatever the payload's length. */
typedef void weft_kind_build(const struct weft_path_kind *kind, uint8_t *frame, uint32_t psn_word,
                             const uint8_t *payload);
/* The longest payload of which frames are built in one go. */
#define WEFT_KIND_PAYLOAD_MAX 64u

struct weft_path_kind {
    /* To the BTH's end, and DETH, which is the same too; no PSN. */
    _Alignas(64) uint8_t header[WEFT_PATH_HEADER_BYTES];
    weft_kind_build *build; /* NULL: by weft_kind_start and weft_kind_finish */
    uint32_t key;           /* WEFT_PATH_KIND_MADE, opcode << 16, payload bytes; 0: none */
    uint32_t state;         /* the CRC's, before the PSN's word */
    /* For build: the CRC is linear, so what the PSN and the payload add to it stands by itself. */
    uint32_t psn_factor;
    uint32_t rest_icrc;   /* the ICRC where both are zero */
    uint16_t frame_bytes; /* all of it, the ICRC too */
    uint8_t header_bytes;
    uint8_t psn_at;
    uint8_t payload_bytes; /* for build; 0 if it is NULL */
};

#endif
