/* SPDX-License-Identifier: BSD-3-Clause */
/* What of a packet's headers the ICRC leaves out. */
#ifndef WEFT_ROCE_CRC_MASK_H
#define WEFT_ROCE_CRC_MASK_H

#include <stdint.h>

#include "drivers/roce/packet/crc_kernels.h"
#include "drivers/roce/packet/wire.h"

/* Ones where a router may change a packet, from its IP header on; the fourth 16 bytes count for
 * IPv6 alone. */
extern const uint8_t weft_crc_mask[2][64];

#define WEFT_CRC_MASKED_MAX (WEFT_IPV6_BYTES + WEFT_UDP_BYTES + WEFT_BTH_BYTES)
/* The packet's headers up to the BTH, with ones where routers may change them, for kernels that do
 * not mask as they go. Returns how long they are. */
static inline uint32_t weft_crc_mask_headers(const uint8_t *ip, uint32_t ip_bytes, uint8_t *headers)
{
    uint32_t header_bytes = ip_bytes + WEFT_UDP_BYTES + WEFT_BTH_BYTES;
    const uint8_t *mask = weft_crc_mask[ip_bytes == WEFT_IPV6_BYTES];
    for (uint32_t i = 0; i < header_bytes; i++)
        headers[i] = ip[i] | mask[i];
    return header_bytes;
}

/* struct weft_crc_kernel's packet, for those kernels: the headers by one sum, the rest by another.
 */
static inline uint32_t weft_crc_masked_packet(weft_crc_add *add_headers, weft_crc_add *add_rest,
                                              const uint8_t *ip, uint32_t ip_bytes,
                                              uint32_t len_bytes)
{
    uint8_t headers[WEFT_CRC_MASKED_MAX];
    uint32_t header_bytes = weft_crc_mask_headers(ip, ip_bytes, headers);
    uint32_t state = add_headers(WEFT_CRC_ICRC_START, headers, header_bytes);
    return add_rest(state, ip + header_bytes, len_bytes - header_bytes);
}

#endif
