/* SPDX-License-Identifier: BSD-3-Clause */
/* "10.0.0.1:7117", "[2001:db8::1]:7117", "node7": where an agent listens. */
#ifndef WEFT_NET_ADDRESS_H
#define WEFT_NET_ADDRESS_H

#include <stdint.h>
#include <sys/socket.h>

#include "fabric/base/error.h"

/* Below the kernel's range for outgoing connections (32768-60999), one of which might hold it. */
#define WEFT_PORT_DEFAULT 7117u
#define WEFT_ADDRESS_TEXT 80

struct weft_address {
    char host[256]; /* a name or an IP address, without brackets */
    char port[8];
};

/* Without a port: the default one. */
WEFT_CHECKED enum weft_status weft_address_parse(const char *text, struct weft_address *ret_address,
                                                 struct weft_error *error);

void weft_address_format(const struct sockaddr *address, char text[WEFT_ADDRESS_TEXT]);

#endif
