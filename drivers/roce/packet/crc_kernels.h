/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernels behind crc.h. */
#ifndef WEFT_ROCE_CRC_KERNELS_H
#define WEFT_ROCE_CRC_KERNELS_H

#include "drivers/roce/packet/crc.h"
#include "drivers/roce/packet/wire.h"

extern const struct weft_crc_kernel weft_crc_table;
void weft_crc_table_init(void);
extern const struct weft_crc_kernel weft_crc_sparse;
#if defined(__x86_64__)
extern const struct weft_crc_kernel weft_crc_carryless;
extern const struct weft_crc_kernel weft_crc_wide;
#endif

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

#endif
