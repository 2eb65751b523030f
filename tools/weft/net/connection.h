/* SPDX-License-Identifier: BSD-3-Clause */
/* One TCP connection between controller and agent, on the caller's loop: TLS with the shared key,
 * then a greeting in which the listening end says whether it is free, then frames. The caller must
 * not use its pointer after `closed` has been called or after weft_connection_close: the connection
 * sends its queued bytes and frees itself, so keep running the loop until it has no more to do. No
 * event is raised from inside a function called here. */
#ifndef WEFT_NET_CONNECTION_H
#define WEFT_NET_CONNECTION_H

#include <uv.h>

#include "tools/weft/net/address.h"
#include "tools/weft/net/tls.h"

struct weft_connection;

struct weft_connection_events {
    /* Listening end: the peer holds the key. Return true to let it stay, false to tell it that this
     * end is busy. */
    bool (*admit)(void *context, struct weft_connection *connection);
    /* Both ends have the key and the listening end has admitted; frames may be sent. */
    void (*ready)(void *context, struct weft_connection *connection);
    /* A frame's message, without its length. */
    void (*message)(void *context, struct weft_connection *connection, const uint8_t *message,
                    size_t len_bytes);
    /* The connection ended, and not by weft_connection_close. The text fits after the peer's name:
     * "closed the connection". WEFT_AGAIN: no connection was made, or it ended before the greeting;
     * a later attempt may succeed. WEFT_EXISTS: the peer is busy with another controller. */
    void (*closed)(void *context, struct weft_connection *connection, const struct weft_error *why);
};

struct weft_connection_options {
    uv_loop_t *loop;
    const struct weft_tls_identity *identity;
    uint64_t handshake_limit_ms; /* from the start to ready; 0: 5 s */
    struct weft_connection_events events;
    void *context;
};

WEFT_CHECKED enum weft_status weft_connection_connect(const struct weft_connection_options *options,
                                                      const struct sockaddr *address,
                                                      struct weft_connection **ret_connection,
                                                      struct weft_error *error);
/* Call it when libuv says that the listener has a connection. */
WEFT_CHECKED enum weft_status weft_connection_accept(const struct weft_connection_options *options,
                                                     uv_stream_t *listener,
                                                     struct weft_connection **ret_connection,
                                                     struct weft_error *error);

/* Queues a whole frame, length and message. If the peer lets the queue grow beyond its bound, the
 * connection is cut off; `closed` reports it later. Ignored before ready and after the end. */
void weft_connection_send(struct weft_connection *connection, const uint8_t *frame,
                          size_t len_bytes);

/* Sends what is queued, says good-bye, and is gone within two seconds. */
void weft_connection_close(struct weft_connection *connection);

/* "127.0.0.1:40512" of the other end. */
#define WEFT_PEER_TEXT WEFT_ADDRESS_TEXT
void weft_connection_peer(const struct weft_connection *connection, char text[WEFT_PEER_TEXT]);

#endif
