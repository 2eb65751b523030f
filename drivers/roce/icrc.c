/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/icrc.h"

#include <assert.h>
#include <isa-l/crc.h>
#include <string.h>

#include "drivers/roce/wire.h"

void weft_icrc_mask(uint8_t *ip, uint32_t ip_bytes)
{
    if (ip_bytes == WEFT_IPV4_BYTES) {
        ip[1] = 0xff;             /* type of service */
        ip[8] = 0xff;             /* time to live */
        memset(ip + 10, 0xff, 2); /* header checksum */
    } else {
        assert(ip_bytes == WEFT_IPV6_BYTES);
        ip[0] |= 0x0f; /* traffic class and flow label */
        memset(ip + 1, 0xff, 3);
        ip[7] = 0xff; /* hop limit */
    }
    memset(ip + ip_bytes + 6, 0xff, 2);       /* UDP checksum */
    ip[ip_bytes + WEFT_UDP_BYTES + 4] = 0xff; /* FECN, BECN, reserved */
}

/* WEFT_ICRC_START: eight bytes of ones stand for the LRH that Ethernet has not, and the CRC's state
 * after them is 0xdebb20e3. ISA-L inverts its seed and its result, as zlib does. */
uint32_t weft_icrc_add(uint32_t crc, const uint8_t *bytes, uint32_t len_bytes)
{
    crc = crc32_gzip_refl(crc, bytes, len_bytes);
#if defined(__x86_64__)
    /* ISA-L leaves the upper halves of the vector registers in use, and every SSE instruction after
     * it, the next packet's copy too, would wait for it to end: a third of the time at 4096 B. */
    if (__builtin_cpu_supports("avx"))
        __asm__ volatile("vzeroupper");
#endif
    return crc;
}

uint32_t weft_icrc_packet(const uint8_t *ip, uint32_t ip_bytes, uint32_t len_bytes)
{
    uint8_t headers[WEFT_IPV6_BYTES + WEFT_UDP_BYTES + WEFT_BTH_BYTES];
    uint32_t header_bytes = ip_bytes + WEFT_UDP_BYTES + WEFT_BTH_BYTES;
    assert(header_bytes <= sizeof(headers) && header_bytes <= len_bytes);
    memcpy(headers, ip, header_bytes);
    weft_icrc_mask(headers, ip_bytes);
    uint32_t crc = weft_icrc_add(WEFT_ICRC_START, headers, header_bytes);
    return weft_icrc_add(crc, ip + header_bytes, len_bytes - header_bytes);
}
