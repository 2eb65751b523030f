/* SPDX-License-Identifier: BSD-3-Clause */
/* The agent's end: waits for controllers and serves one at a time. */
#ifndef WEFT_NET_LISTENER_H
#define WEFT_NET_LISTENER_H

#include "tools/weft/net/address.h"
#include "tools/weft/net/connection.h"

struct weft_listener;

struct weft_listener_events {
    /* A controller is connected. No other is admitted until detached. */
    void (*attached)(void *context, struct weft_connection *connection);
    void (*message)(void *context, const uint8_t *message, size_t len_bytes);
    void (*detached)(void *context, const struct weft_error *why);
    /* A peer was refused: garbage, a wrong key, or a second controller. */
    void (*refused)(void *context, const char *peer, const struct weft_error *why);
};

struct weft_listener_options {
    uv_loop_t *loop;
    const struct weft_tls_identity *identity;
    int socket;                  /* of weft_listener_socket; the listener's from here on */
    uint64_t handshake_limit_ms; /* 0: 5 s */
    struct weft_listener_events events;
    void *context;
};

/* Makes a listening socket. It is separate from the listener so that it can outlive the process
 * that serves a controller. Port 0: the kernel chooses one. */
WEFT_CHECKED enum weft_status weft_listener_socket(const struct weft_address *address,
                                                   int *ret_socket, struct weft_error *error);
/* Where it listens, with the real port. */
void weft_listener_address(int socket, char text[WEFT_ADDRESS_TEXT]);

/* On failure the socket is closed, too. */
WEFT_CHECKED enum weft_status weft_listener_create(const struct weft_listener_options *options,
                                                   struct weft_listener **ret_listener,
                                                   struct weft_error *error);
/* Ends the served connection, without detached. */
void weft_listener_detach(struct weft_listener *listener);
/* Closes it and all connections, without events. Takes NULL. Freed by running the loop. */
void weft_listener_close(struct weft_listener *listener);

#endif
