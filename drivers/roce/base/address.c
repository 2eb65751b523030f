/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/base/address.h"

#include <string.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void weft_ip_to_gid(const struct weft_ip *ip, uint8_t gid[16])
{
    if (ip->version == 4) {
        memcpy(gid, mapped_prefix, sizeof(mapped_prefix));
        memcpy(gid + 12, ip->bytes, 4);
    } else {
        memcpy(gid, ip->bytes, 16);
    }
}

struct weft_ip weft_ip_from_gid(const uint8_t gid[16])
{
    struct weft_ip ip = {.version = 6, .prefix_bits = 128};
    if (memcmp(gid, mapped_prefix, sizeof(mapped_prefix)) == 0) {
        ip.version = 4;
        ip.prefix_bits = 32;
        memcpy(ip.bytes, gid + 12, 4);
    } else {
        memcpy(ip.bytes, gid, 16);
    }
    return ip;
}

uint32_t weft_ip_len_bytes(const struct weft_ip *ip)
{
    return ip->version == 4 ? 4 : 16;
}

bool weft_ip_equal(const struct weft_ip *a, const struct weft_ip *b)
{
    return a->version == b->version && memcmp(a->bytes, b->bytes, weft_ip_len_bytes(a)) == 0;
}

bool weft_ip_within(const struct weft_ip *network, const struct weft_ip *ip)
{
    if (network->version != ip->version)
        return false;
    uint32_t whole_bytes = network->prefix_bits >> 3;
    if (memcmp(network->bytes, ip->bytes, whole_bytes) != 0)
        return false;
    uint32_t rest_bits = network->prefix_bits & 7;
    if (!rest_bits)
        return true;
    uint8_t mask = (uint8_t)(0xff00u >> rest_bits);
    return ((network->bytes[whole_bytes] ^ ip->bytes[whole_bytes]) & mask) == 0;
}

bool weft_ip_is_host(const struct weft_ip *ip)
{
    static const uint8_t loopback6[16] = {[15] = 1};
    static const uint8_t zero[16] = {0};
    if (ip->version == 4)
        return ip->bytes[0] != 0 && ip->bytes[0] != 127 && ip->bytes[0] < 224;
    return ip->bytes[0] != 0xff && memcmp(ip->bytes, loopback6, 16) != 0 &&
           memcmp(ip->bytes, zero, 16) != 0 &&
           memcmp(ip->bytes, mapped_prefix, sizeof(mapped_prefix)) != 0;
}
