/* SPDX-License-Identifier: BSD-3-Clause */
/* What neighbour discovery and listener reports share. */
#ifndef WEFT_ROCE_ICMPV6_H
#define WEFT_ROCE_ICMPV6_H

#include "drivers/roce/packet/wire.h"

/* The group that hears questions for an address: ff02::1:ff00:0 and the address's last three bytes
 * (RFC 4291, 2.7.1). */
static inline void weft_icmpv6_solicited_node(const uint8_t address[16], uint8_t ret_group[16])
{
    static const uint8_t prefix[13] = {0xff, 0x02, [11] = 1, [12] = 0xff};
    memcpy(ret_group, prefix, sizeof(prefix));
    memcpy(ret_group + 13, address + 13, 3);
}

/* 33:33 and the group's last four bytes (RFC 2464, 7). */
static inline void weft_icmpv6_group_mac(const uint8_t group[16], uint8_t ret_mac[6])
{
    ret_mac[0] = 0x33;
    ret_mac[1] = 0x33;
    memcpy(ret_mac + 2, group + 12, 4);
}

/* The Internet checksum of a message with the pseudo-header that the addresses of `ip` make
 * (RFC 8200, 8.1). 0 where the checksum in the message is right. */
static inline uint16_t weft_icmpv6_checksum(const uint8_t *ip, const uint8_t *message,
                                            uint32_t len_bytes)
{
    uint64_t sum = len_bytes + WEFT_IP_PROTOCOL_ICMPV6;
    for (uint32_t i = 8; i < WEFT_IPV6_BYTES; i += 2)
        sum += weft_wire_get16(ip + i);
    for (uint32_t i = 0; i + 1 < len_bytes; i += 2)
        sum += weft_wire_get16(message + i);
    if (len_bytes & 1)
        sum += (uint32_t)message[len_bytes - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

#endif
