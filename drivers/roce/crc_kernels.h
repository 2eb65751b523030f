/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernels behind crc.h. */
#ifndef WEFT_ROCE_CRC_KERNELS_H
#define WEFT_ROCE_CRC_KERNELS_H

#include "drivers/roce/crc.h"

extern const struct weft_crc_kernel weft_crc_table;
void weft_crc_table_init(void);
#if defined(__x86_64__)
extern const struct weft_crc_kernel weft_crc_carryless;
extern const struct weft_crc_kernel weft_crc_wide;
#endif

#endif
