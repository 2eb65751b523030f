/* SPDX-License-Identifier: BSD-3-Clause */
/* A pcapng file (draft-ietf-opsawg-pcapng): one section, an interface for each captured device,
 * packets with nanoseconds since 1970 (UTC), so that it merges with what tcpdump or a switch
 * captured. Every write is checked: the first that fails is reported by each later call. */
#ifndef WEFT_DPDK_CAPTURE_FILE_H
#define WEFT_DPDK_CAPTURE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "fabric/base/error.h"

struct weft_capture_packet {
    uint32_t interface; /* as weft_capture_file_interface returned it */
    uint64_t time_ns;   /* since 1970, UTC */
    const uint8_t *frame;
    uint32_t len_bytes;      /* of the frame, that are kept */
    uint32_t line_len_bytes; /* that the frame had on the line */
};

/* One file a process. The path is copied. */
WEFT_CHECKED enum weft_status weft_capture_file_open(const char *path, struct weft_error *error);
/* NULL: none is open. */
const char *weft_capture_file_path(void);

/* Returns the number of the new interface. `name` is cut to 200 bytes. */
uint32_t weft_capture_file_interface(const char *name);
void weft_capture_file_packet(const struct weft_capture_packet *packet);

/* Whether all that was written so far was taken; hands it to the system. */
WEFT_CHECKED enum weft_status weft_capture_file_flush(struct weft_error *error);
/* Closes it. WEFT_IO: not all of it has reached the disk. Nothing open is WEFT_OK. */
WEFT_CHECKED enum weft_status weft_capture_file_close(struct weft_error *error);

#endif
