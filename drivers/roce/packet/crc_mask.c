/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/packet/crc_mask.h"

/* By IP version: type of service or traffic class and flow label, TTL or hop limit, header
 * checksum; UDP checksum; FECN, BECN and what is reserved beside them. */
const uint8_t weft_crc_mask[2][64] = {
    {[1] = 0xff, [8] = 0xff, [10] = 0xff, [11] = 0xff, [26] = 0xff, [27] = 0xff, [32] = 0xff},
    {[0] = 0x0f,
     [1] = 0xff,
     [2] = 0xff,
     [3] = 0xff,
     [7] = 0xff,
     [46] = 0xff,
     [47] = 0xff,
     [52] = 0xff},
};
