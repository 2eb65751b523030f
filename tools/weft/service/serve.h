/* SPDX-License-Identifier: BSD-3-Clause */
/* Serves one controller: a process does so once, since a library such as DPDK starts once a
 * process. */
#ifndef WEFT_TOOLS_SERVE_H
#define WEFT_TOOLS_SERVE_H

#include "tools/weft/net/key.h"
#include "tools/weft/service/runtime.h"

struct weft_serve_options {
    int socket; /* of weft_listener_socket; closed here */
    const struct weft_key *key;
    struct weft_runtime_options runtime;
};

/* Returns when a controller has come and gone (WEFT_OK) or a signal asked to end (WEFT_AGAIN). */
WEFT_CHECKED enum weft_status weft_serve(const struct weft_serve_options *options,
                                         struct weft_error *error);

#endif
