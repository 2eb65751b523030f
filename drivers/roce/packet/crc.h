/* SPDX-License-Identifier: BSD-3-Clause */
/* The CRC-32 under the ICRC: the best kernel that this processor has, chosen before main. */
#ifndef WEFT_ROCE_CRC_H
#define WEFT_ROCE_CRC_H

#include "drivers/roce/packet/crc_kernels.h"

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

#endif
