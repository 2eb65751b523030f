/* SPDX-License-Identifier: BSD-3-Clause */
/* The CRC-32 under the ICRC, in the forms that packets need. A state is the register itself,
 * without the inversions that zlib's crc32 does at both ends. Every kernel gives the same results;
 * the best that this processor has is chosen before main. */
#ifndef WEFT_ROCE_CRC_H
#define WEFT_ROCE_CRC_H

#include <stdint.h>

#include "drivers/roce/packet/kind.h"

/* The register after the eight bytes of ones that stand for an LRH. */
#define WEFT_CRC_ICRC_START 0xdebb20e3u
/* What build takes before the payload: the PSN's word and AtomicETH. */
#define WEFT_CRC_HEADER_MAX 32u

struct weft_crc_kernel {
    const char *name;
    /* Any bytes. */
    uint32_t (*add)(uint32_t state, const uint8_t *bytes, uint32_t len_bytes);
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

extern const struct weft_crc_kernel *weft_crc;

enum weft_crc_level {
    WEFT_CRC_TABLE = 0,
    WEFT_CRC_SPARSE,
    WEFT_CRC_ISAL,      /* these three everywhere */
    WEFT_CRC_CARRYLESS, /* x86 with PCLMULQDQ and AVX */
    WEFT_CRC_WIDE,      /* with VPCLMULQDQ and AVX-512 */
    WEFT_CRC_LEVELS
};
/* NULL: not on this processor. */
const struct weft_crc_kernel *weft_crc_kernel(enum weft_crc_level level);

/* Puts `kernel`'s frame into a kind that is complete otherwise, if it can build it. */
void weft_crc_prepare(const struct weft_crc_kernel *kernel, struct weft_path_kind *kind);

/* Ones where a router may change a packet, from its IP header on; the fourth 16 bytes count for
 * IPv6 alone. */
extern const uint8_t weft_crc_mask[2][64];

#endif
