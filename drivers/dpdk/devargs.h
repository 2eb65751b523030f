/* SPDX-License-Identifier: BSD-3-Clause */
/* EAL device strings: "net_af_packet0,iface=eth1,framesz=8192", "0000:01:00.0". */
#ifndef WEFT_DPDK_DEVARGS_H
#define WEFT_DPDK_DEVARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "fabric/driver.h"

enum weft_devargs_kind {
    WEFT_DEVARGS_PCI = 0,
    WEFT_DEVARGS_AF_PACKET,
    WEFT_DEVARGS_AF_XDP,
    WEFT_DEVARGS_MEMIF,
    WEFT_DEVARGS_TAP,
};

struct weft_devargs {
    enum weft_devargs_kind kind;
    char name[64];       /* to the first comma */
    char interface[16];  /* iface=, af_packet and af_xdp; else empty */
    char text[512];      /* as given, and with what was added */
    uint32_t frame_size; /* framesz=, bsize=; 0: not given */
};

/* WEFT_INVALID says what is wrong and shows a right form. */
WEFT_CHECKED enum weft_status weft_devargs_parse(const char *text, struct weft_devargs *ret_devargs,
                                                 struct weft_error *error);

/* The frame that an af_packet ring slot or a memif buffer must have for a path MTU. */
uint32_t weft_devargs_frame_size(uint32_t mtu_bytes);
/* The most that a slot or buffer of this size carries as a whole frame. */
uint32_t weft_devargs_frame_room(enum weft_devargs_kind kind, uint32_t frame_size);

/* Adds what the device's driver needs for this path MTU and the user did not say. */
WEFT_CHECKED enum weft_status weft_devargs_complete(struct weft_devargs *devargs,
                                                    uint32_t mtu_bytes, struct weft_error *error);

#endif
