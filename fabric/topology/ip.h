/* SPDX-License-Identifier: BSD-3-Clause */
/* IP addresses as text. */
#ifndef WEFT_TOPOLOGY_IP_H
#define WEFT_TOPOLOGY_IP_H

#include "fabric/driver.h"

/* "198.18.0.1/24", "198.18.0.1", "2001:db8::1/64". Without a prefix: 24 or 64. */
WEFT_CHECKED enum weft_status weft_ip_parse(const char *text, struct weft_ip *ret_address,
                                            struct weft_error *error);
#define WEFT_IP_TEXT 64
/* With "/prefix" where with_prefix. Returns `text`. */
char *weft_ip_format(const struct weft_ip *address, bool with_prefix, char text[WEFT_IP_TEXT]);

/* fe80::/10, on every link and of no use beyond it. */
bool weft_ip_is_link_local(const struct weft_ip *address);

#endif
