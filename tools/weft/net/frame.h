/* SPDX-License-Identifier: BSD-3-Clause */
/* Puts frames together from bytes as they come. */
#ifndef WEFT_NET_FRAME_H
#define WEFT_NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric/base/error.h"
#include "fabric/control/frame.h"

/* Zero-initialised is empty. */
struct weft_frame_reader {
    uint8_t header[WEFT_FRAME_HEADER_BYTES];
    uint32_t header_bytes; /* how many of them have come */
    uint32_t message_bytes;
    size_t filled_bytes;
    size_t room_bytes;
    uint8_t *message;
};

void weft_frame_reader_fini(struct weft_frame_reader *reader);

/* Takes bytes up to the end of one frame; `*ret_used` says how many. WEFT_OK: a message is
 * complete, `reader->message` of `reader->message_bytes`, valid until the next call. WEFT_AGAIN:
 * took all bytes and needs more. WEFT_INVALID: a length beyond WEFT_FRAME_BYTES_MAX. Memory grows
 * with the bytes received, not with the length announced. */
WEFT_CHECKED enum weft_status weft_frame_reader_take(struct weft_frame_reader *reader,
                                                     const uint8_t *bytes, size_t len_bytes,
                                                     size_t *ret_used, struct weft_error *error);

/* Part of a frame has come. */
bool weft_frame_reader_within(const struct weft_frame_reader *reader);

#endif
