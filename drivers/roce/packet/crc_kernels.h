/* SPDX-License-Identifier: BSD-3-Clause */
/* The CRC-32 under the ICRC, in the forms that packets need. A state is the register itself,
 * without the inversions that zlib's crc32 does at both ends. Every kernel gives the same results.
 */
#ifndef WEFT_ROCE_CRC_KERNELS_H
#define WEFT_ROCE_CRC_KERNELS_H

#include <stdint.h>
#include <string.h>

#include "drivers/roce/packet/kind.h"

/* The register after the eight bytes of ones that stand for an LRH. */
#define WEFT_CRC_ICRC_START 0xdebb20e3u
/* What build takes before the payload: the PSN's word and AtomicETH. */
#define WEFT_CRC_HEADER_MAX 32u

typedef uint32_t weft_crc_add(uint32_t state, const uint8_t *bytes, uint32_t len_bytes);

struct weft_crc_kernel {
    const char *name;
    weft_crc_add *add; /* any bytes */
    /* Over `header_bytes` (4 to WEFT_CRC_HEADER_MAX, whole words) that stand at `header` already,
     * and the payload, which is copied behind them and padded to whole words with zeros. Every byte
     * of the payload is read once: what is summed is what is sent. */
    uint32_t (*build)(uint32_t state, uint8_t *header, uint32_t header_bytes,
                      const uint8_t *payload, uint32_t payload_bytes);
    /* Over a packet as it came, from its IP header (`ip_bytes`: 20 or 40) to the last pad byte,
     * with ones in place of what routers may change, from WEFT_CRC_ICRC_START on. `len_bytes` is at
     * least ip_bytes + 20. */
    uint32_t (*packet)(const uint8_t *ip, uint32_t ip_bytes, uint32_t len_bytes);
    /* Frames of short payloads of so many bytes' multiples; NULL: none. */
    weft_kind_build *frame;
    uint32_t frame_step_bytes;
};

extern const struct weft_crc_kernel weft_crc_table;
/* Before the first use of it, and of those that leave it what is short. */
void weft_crc_table_init(void);
extern const struct weft_crc_kernel weft_crc_sparse;
extern const struct weft_crc_kernel weft_crc_isal;
#if defined(__x86_64__)
extern const struct weft_crc_kernel weft_crc_carryless;
extern const struct weft_crc_kernel weft_crc_wide;
#endif

/* For kernels that sum in a second pass: the payload behind the headers, and its pad. Returns how
 * many bytes are to be summed. The copy comes first: what is summed is what is sent, even if
 * somebody writes to the payload. */
static inline uint32_t weft_crc_copy(uint8_t *header, uint32_t header_bytes, const uint8_t *payload,
                                     uint32_t payload_bytes)
{
    uint32_t pad_bytes = (0u - payload_bytes) & 3u;
    uint8_t *at = header + header_bytes;
    if (payload_bytes)
        memcpy(at, payload, payload_bytes);
    __asm__ volatile("" ::: "memory");
    memset(at + payload_bytes, 0, pad_bytes);
    return header_bytes + payload_bytes + pad_bytes;
}

#endif
