/* SPDX-License-Identifier: BSD-3-Clause */
/* IP addresses: as GIDs and by prefix. Their text is in fabric/topology/ip.h. */
#ifndef WEFT_ROCE_ADDRESS_H
#define WEFT_ROCE_ADDRESS_H

#include <stdbool.h>

#include "fabric/topology/ip.h"

/* IPv4 as ::ffff:a.b.c.d */
void weft_ip_to_gid(const struct weft_ip *ip, uint8_t gid[16]);
/* The prefix is the whole address. */
struct weft_ip weft_ip_from_gid(const uint8_t gid[16]);
/* Versions and addresses; the prefix does not count. */
bool weft_ip_equal(const struct weft_ip *a, const struct weft_ip *b);
/* Whether `ip` lies in the network of `network`, by its prefix. */
bool weft_ip_within(const struct weft_ip *network, const struct weft_ip *ip);
/* Unspecified, loopback or multicast addresses name no host on a network, nor does an IPv4 address
 * written as IPv6: its GID would be that of the IPv4 address. */
bool weft_ip_is_host(const struct weft_ip *ip);
uint32_t weft_ip_len_bytes(const struct weft_ip *ip);
#endif
