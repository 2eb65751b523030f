/* SPDX-License-Identifier: BSD-3-Clause */
/* The secret that controller and agents of a job share: 32 random bytes, in a file as 64 hex
 * digits and a newline. */
#ifndef WEFT_NET_KEY_H
#define WEFT_NET_KEY_H

#include <stdint.h>

#include "fabric/base/error.h"

#define WEFT_KEY_BYTES 32u

struct weft_key {
    uint8_t bytes[WEFT_KEY_BYTES];
};

/* Writes a new key to a file that must not exist yet; only its owner may read it. */
WEFT_CHECKED enum weft_status weft_key_generate(const char *path, struct weft_error *error);

/* Refuses a file that others than its owner can read, and one that holds anything but a key. */
WEFT_CHECKED enum weft_status weft_key_read(const char *path, struct weft_key *ret_key,
                                            struct weft_error *error);

#endif
