/* SPDX-License-Identifier: BSD-3-Clause */
/* From the bytes of a frame to the fields of a RoCE packet. Pure: nothing is changed, nothing
 * beyond the frame is read. The ICRC is not looked at here. */
#ifndef WEFT_ROCE_PARSE_H
#define WEFT_ROCE_PARSE_H

#include "drivers/roce/packet/interface.h"
#include "drivers/roce/packet/opcode.h"
#include "drivers/roce/packet/wire.h"

enum weft_parse_result {
    WEFT_PARSE_ROCE = 0,
    WEFT_PARSE_ARP,
    WEFT_PARSE_ICMPV6,
    WEFT_PARSE_MALFORMED,
    WEFT_PARSE_UNEXPECTED, /* whole, but not for this port or of no kind known here */
};

struct weft_packet {
    const struct weft_opcode *opcode;
    const uint8_t *ip; /* what follows Ethernet's header: ARP too */
    const uint8_t *bth;
    const uint8_t *payload;
    uint32_t network_bytes; /* from there to the frame's end */
    uint32_t ip_bytes;      /* RoCE: the IP header, as all below */
    uint32_t covered_bytes; /* from the IP header to the last pad byte; the ICRC follows */
    uint32_t payload_bytes;
    uint32_t qpn;
    uint32_t psn;
    bool ack_request;
};

enum weft_parse_result weft_packet_parse(const struct weft_interface *interface,
                                         const uint8_t *frame, uint32_t len_bytes,
                                         struct weft_packet *ret_packet);

bool weft_packet_icrc_good(const struct weft_packet *packet);

/* Whether a switch has set ECN's CE (RFC 3168): the low two bits of the traffic class. */
static inline bool weft_packet_marked(const struct weft_packet *packet)
{
    uint8_t ecn = packet->ip_bytes == WEFT_IPV4_BYTES ? packet->ip[1] : packet->ip[1] >> 4;
    return (ecn & 3u) == 3u;
}

/* Where an extension header starts that stands at `offset` behind the BTH. */
static inline const uint8_t *weft_packet_extension(const struct weft_packet *packet,
                                                   uint32_t offset_bytes)
{
    return packet->bth + WEFT_BTH_BYTES + offset_bytes;
}

/* Immediate data are the last of the headers. */
static inline uint32_t weft_packet_immediate(const struct weft_packet *packet)
{
    return weft_wire_get32(packet->bth + packet->opcode->header_bytes - WEFT_IMMEDIATE_BYTES);
}

#endif
