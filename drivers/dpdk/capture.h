/* SPDX-License-Identifier: BSD-3-Clause */
/* The capture: frames of all devices of the process in one pcapng file (capture_file.h).
 *
 * Each device has a ring of records: its worker copies frames in, the control thread takes them out
 * and writes the file, in order of time over all devices. A worker asks for room before it moves
 * frames, so none is left out: where the disk is slow, traffic is. Stamps are the caller's
 * `now_ns` plus what makes UTC of it. The file stays open until stop, so that tests of one run
 * share it. */
#ifndef WEFT_DPDK_CAPTURE_H
#define WEFT_DPDK_CAPTURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "fabric/driver.h"

#define WEFT_CAPTURE_RING_BYTES (UINT32_C(1) << 21)

struct weft_capture {
    uint8_t *bytes;
    _Atomic uint64_t written;  /* by the worker; counts bytes and never wraps */
    _Atomic uint64_t taken;    /* by the control thread */
    _Atomic uint64_t until_ns; /* what is still to be written is of this time or later */
    uint64_t utc_offset_ns;
    uint32_t interface; /* of the file */
};

struct weft_capture_options {
    const char *path;
    const char *name;       /* the device, as the file calls the interface */
    uint64_t utc_offset_ns; /* `now_ns` plus this is nanoseconds since 1970 */
};

/* Opens the file with the first device, and checks that the others name the same. */
WEFT_CHECKED enum weft_status weft_capture_open(const struct weft_capture_options *options,
                                                struct weft_capture **ret_capture,
                                                struct weft_error *error);
/* Writes what is left; whether all of it was taken is said by stop. NULL is taken. */
void weft_capture_close(struct weft_capture *capture);
/* With all captures closed: closes the file. WEFT_IO: packets are missing from it. */
WEFT_CHECKED enum weft_status weft_capture_stop(struct weft_error *error);

/* Worker: once a progress, before the first frame. */
static inline void weft_capture_tick(struct weft_capture *capture, uint64_t now_ns)
{
    atomic_store_explicit(&capture->until_ns, now_ns, memory_order_release);
}
/* Worker: is there room for so many of the largest frames? */
bool weft_capture_has_room(const struct weft_capture *capture, uint32_t frames);
void weft_capture_put(struct weft_capture *capture, const uint8_t *frame, uint32_t len_bytes,
                      uint64_t now_ns);

/* Control thread: writes the records of all devices. */
WEFT_CHECKED enum weft_status weft_capture_write(struct weft_error *error);

#endif
