/* SPDX-License-Identifier: BSD-3-Clause */
/* The controller's end: connects to an agent, which may start later than the controller. */
#ifndef WEFT_NET_DIAL_H
#define WEFT_NET_DIAL_H

#include "tools/weft/net/address.h"
#include "tools/weft/net/connection.h"

struct weft_dial;

struct weft_dial_options {
    uv_loop_t *loop;
    const struct weft_tls_identity *identity;
    const struct weft_address *address;
    uint64_t connect_limit_ms; /* attempts are made until then */
    /* admit is not used. closed comes once, whether or not ready came before; its connection is
     * NULL if there was none. */
    struct weft_connection_events events;
    void *context;
};

WEFT_CHECKED enum weft_status weft_dial_create(const struct weft_dial_options *options,
                                               struct weft_dial **ret_dial,
                                               struct weft_error *error);
/* Ignored before ready and after closed. */
void weft_dial_send(struct weft_dial *dial, const uint8_t *frame, size_t len_bytes);
/* The address of the last attempt, in numeric form; NULL: no attempt yet. Valid as long as the
 * dial. */
const struct sockaddr *weft_dial_peer(const struct weft_dial *dial);
/* Ends the dial and its connection without an event. NULL is allowed. Run the loop to free it. */
void weft_dial_close(struct weft_dial *dial);

#endif
