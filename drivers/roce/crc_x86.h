/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernels for x86, behind crc.h. */
#ifndef WEFT_ROCE_CRC_X86_H
#define WEFT_ROCE_CRC_X86_H

#include <stdbool.h>

#include "drivers/roce/crc.h"

#if defined(__x86_64__)
extern const struct weft_crc_kernel weft_crc_carryless;
extern const struct weft_crc_kernel weft_crc_wide;
#endif

#endif
