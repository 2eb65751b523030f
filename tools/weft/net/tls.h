/* SPDX-License-Identifier: BSD-3-Clause */
/* TLS 1.3 with an external pre-shared key and an ephemeral Diffie-Hellman exchange (RFC 8446 4.2.9,
 * psk_dhe_ke), over memory: bytes in, bytes out, no sockets. Both ends prove that they hold the
 * key; who learns the key later cannot decrypt recorded traffic. */
#ifndef WEFT_NET_TLS_H
#define WEFT_NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/weft/net/key.h"

struct weft_tls_identity; /* a key made ready for sessions */
struct weft_tls;          /* one session */

WEFT_CHECKED enum weft_status weft_tls_identity_create(const struct weft_key *key,
                                                       struct weft_tls_identity **ret_identity,
                                                       struct weft_error *error);
/* All sessions of it must be gone. Takes NULL. */
void weft_tls_identity_destroy(struct weft_tls_identity *identity);

WEFT_CHECKED enum weft_status weft_tls_create(const struct weft_tls_identity *identity,
                                              bool is_server, struct weft_tls **ret_tls,
                                              struct weft_error *error);
void weft_tls_destroy(struct weft_tls *tls);

/* Bytes from the network. */
WEFT_CHECKED enum weft_status weft_tls_feed(struct weft_tls *tls, const uint8_t *bytes,
                                            size_t len_bytes, struct weft_error *error);
/* Bytes to send to the network: fills up to len_bytes and returns how many. Check after every other
 * call, even one that failed. */
size_t weft_tls_waiting(const struct weft_tls *tls);
void weft_tls_take(struct weft_tls *tls, uint8_t *bytes, size_t len_bytes);

/* OK once both ends are sure of each other, AGAIN while the peer's bytes are missing. */
WEFT_CHECKED enum weft_status weft_tls_handshake(struct weft_tls *tls, struct weft_error *error);
/* OK with 1 .. len_bytes of them, AGAIN if none has arrived, PEER_LOST if the peer has said that it
 * closes. */
WEFT_CHECKED enum weft_status weft_tls_read(struct weft_tls *tls, uint8_t *bytes, size_t len_bytes,
                                            size_t *ret_len_bytes, struct weft_error *error);
WEFT_CHECKED enum weft_status weft_tls_write(struct weft_tls *tls, const uint8_t *bytes,
                                             size_t len_bytes, struct weft_error *error);
/* Says to the peer that no more will come. */
void weft_tls_close(struct weft_tls *tls);

#endif
