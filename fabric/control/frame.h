/* SPDX-License-Identifier: BSD-3-Clause */
/* A message on its way between controller and agent: a 4-byte big-endian length, then so many
 * bytes. */
#ifndef WEFT_CONTROL_FRAME_H
#define WEFT_CONTROL_FRAME_H

#include <stdint.h>

#define WEFT_FRAME_HEADER_BYTES 4u

static inline void weft_frame_header(uint32_t message_bytes,
                                     uint8_t ret_header[WEFT_FRAME_HEADER_BYTES])
{
    for (uint32_t i = 0; i < WEFT_FRAME_HEADER_BYTES; i++)
        ret_header[i] = (uint8_t)(message_bytes >> (24 - 8 * i));
}

#endif
