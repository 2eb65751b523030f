/* SPDX-License-Identifier: BSD-3-Clause */
/* Which devices of this host a controller elsewhere may use: its owner says. */
#ifndef WEFT_TOOLS_ALLOW_H
#define WEFT_TOOLS_ALLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "fabric/base/error.h"

/* Zeroed: whoever runs the program owns it, and may use every device. */
struct weft_allow {
    bool by_owner; /* a controller elsewhere asks: only what follows */
    /* Shell patterns of device strings, such as "mlx5_*" (glob(7)); they must outlive this. None:
     * every device but those that make something on the host, such as net_tap. */
    const char *const *patterns;
    uint32_t count;
};

/* WEFT_PERMISSION where the owner has not allowed it. */
WEFT_CHECKED enum weft_status weft_allow_device(const struct weft_allow *allow, const char *device,
                                                struct weft_error *error);

#endif
