/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/packet/icrc.h"

#include <assert.h>

#include "drivers/roce/packet/crc.h"
#include "drivers/roce/packet/crc_mask.h"
#include "drivers/roce/packet/wire.h"

void weft_icrc_mask(uint8_t *ip, uint32_t ip_bytes)
{
    assert(ip_bytes == WEFT_IPV4_BYTES || ip_bytes == WEFT_IPV6_BYTES);
    const uint8_t *mask = weft_crc_mask[ip_bytes == WEFT_IPV6_BYTES];
    for (uint32_t i = 0; i < ip_bytes + WEFT_UDP_BYTES + WEFT_BTH_BYTES; i++)
        ip[i] |= mask[i];
}

uint32_t weft_icrc_add(uint32_t crc, const uint8_t *bytes, uint32_t len_bytes)
{
    return ~weft_crc->add(~crc, bytes, len_bytes);
}

uint32_t weft_icrc_packet(const uint8_t *ip, uint32_t ip_bytes, uint32_t len_bytes)
{
    assert(ip_bytes + WEFT_UDP_BYTES + WEFT_BTH_BYTES <= len_bytes);
    return ~weft_crc->packet(ip, ip_bytes, len_bytes);
}
