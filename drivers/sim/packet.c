/* SPDX-License-Identifier: BSD-3-Clause */
/* As much of a frame's headers as switches and faults look at. */
#include <string.h>

#include "drivers/roce/packet/wire.h"
#include "drivers/sim/state.h"

#define ETHERTYPE_VLAN 0x8100u
#define VLAN_BYTES 4u
#define ECN_MASK 3u
#define ECN_CE 3u
#define FLIPS_MAX 3u

/* Locally administered; the last three bytes count. */
static const uint8_t mac_prefix[3] = {0x02, 0x57, 0x46};

void weft_sim_nic_mac(uint32_t nic, uint8_t ret_mac[6])
{
    memcpy(ret_mac, mac_prefix, sizeof(mac_prefix));
    ret_mac[3] = (uint8_t)(nic >> 16);
    ret_mac[4] = (uint8_t)(nic >> 8);
    ret_mac[5] = (uint8_t)nic;
}

uint32_t weft_sim_mac_nic(const struct weft_sim_fabric *fabric, const uint8_t mac[6],
                          bool *ret_many)
{
    *ret_many = mac[0] & 1;
    if (*ret_many || memcmp(mac, mac_prefix, sizeof(mac_prefix)) != 0)
        return WEFT_SIM_NONE;
    uint32_t nic = (uint32_t)mac[3] << 16 | (uint32_t)mac[4] << 8 | mac[5];
    return nic < fabric->nic_count ? nic : WEFT_SIM_NONE;
}

static void read_udp(uint8_t *data, uint32_t len_bytes, struct weft_sim_packet *ret)
{
    uint32_t ip_bytes = ret->is_ipv6 ? WEFT_IPV6_BYTES : WEFT_IPV4_BYTES;
    uint32_t before = (uint32_t)(ret->ip - data) + ip_bytes;
    uint8_t protocol = ret->is_ipv6 ? ret->ip[6] : ret->ip[9];
    if (protocol != WEFT_IP_PROTOCOL_UDP || len_bytes < before + WEFT_UDP_BYTES)
        return;
    ret->udp = ret->ip + ip_bytes;
    bool is_roce = weft_wire_get16(ret->udp + 2) == WEFT_ROCE_UDP_PORT &&
                   len_bytes >= before + WEFT_UDP_BYTES + WEFT_BTH_BYTES + WEFT_ICRC_BYTES;
    ret->bth = is_roce ? ret->udp + WEFT_UDP_BYTES : NULL;
}

void weft_sim_packet_read(uint8_t *data, uint32_t len_bytes, struct weft_sim_packet *ret)
{
    *ret = (struct weft_sim_packet){0};
    uint32_t at = WEFT_ETHERNET_BYTES;
    if (len_bytes < at + VLAN_BYTES)
        return;
    uint32_t type = weft_wire_get16(data + 12);
    if (type == ETHERTYPE_VLAN) {
        type = weft_wire_get16(data + 16);
        at += VLAN_BYTES;
    }
    ret->is_ipv6 = type == WEFT_ETHERTYPE_IPV6;
    bool is_ip = ret->is_ipv6 ? len_bytes >= at + WEFT_IPV6_BYTES
                              : type == WEFT_ETHERTYPE_IPV4 && len_bytes >= at + WEFT_IPV4_BYTES &&
                                    data[at] == 0x45;
    if (!is_ip)
        return;
    ret->ip = data + at;
    read_udp(data, len_bytes, ret);
}

static uint64_t mix(uint64_t hash, const uint8_t *bytes, uint32_t len_bytes)
{
    for (uint32_t i = 0; i < len_bytes; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    hash ^= hash >> 32;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

uint64_t weft_sim_packet_hash(const uint8_t *data, const struct weft_sim_packet *packet,
                              uint64_t salt)
{
    if (!packet->ip)
        return mix(salt, data, 12);
    const uint8_t *addresses = packet->ip + (packet->is_ipv6 ? 8 : 12);
    uint64_t hash = mix(salt, addresses, packet->is_ipv6 ? 32 : 8);
    return packet->udp ? mix(hash, packet->udp, 4) : hash;
}

/* The sum of an IPv4 header changes by as much as the byte does. */
static void mark_ipv4(uint8_t *ip)
{
    uint32_t more = ECN_CE - (ip[1] & ECN_MASK);
    uint32_t sum = (uint16_t)~weft_wire_get16(ip + 10) + more;
    sum = (sum & 0xffff) + (sum >> 16);
    ip[1] |= ECN_CE;
    weft_wire_put16(ip + 10, (uint16_t)~sum);
}

bool weft_sim_packet_mark(const struct weft_sim_packet *packet)
{
    if (!packet->ip)
        return false;
    uint32_t ecn = packet->is_ipv6 ? packet->ip[1] >> 4 & ECN_MASK : packet->ip[1] & ECN_MASK;
    if (ecn == 0 || ecn == ECN_CE)
        return false;
    if (packet->is_ipv6)
        packet->ip[1] |= ECN_CE << 4;
    else
        mark_ipv4(packet->ip);
    return true;
}

/* Where routers may change a byte the ICRC does not look. */
static bool is_covered(const struct weft_sim_packet *packet, const uint8_t *at)
{
    uint32_t offset = (uint32_t)(at - packet->ip);
    if (at == packet->udp + 6 || at == packet->udp + 7 || at == packet->bth + 4)
        return false;
    if (packet->is_ipv6)
        return offset > 3 && offset != 7;
    return offset != 1 && offset != 8 && offset != 10 && offset != 11;
}

bool weft_sim_packet_corrupt(uint8_t *data, uint32_t len_bytes, struct weft_random *random)
{
    struct weft_sim_packet packet;
    weft_sim_packet_read(data, len_bytes, &packet);
    if (!packet.bth)
        return false;
    uint32_t udp_bytes = weft_wire_get16(packet.udp + 4);
    uint32_t room = len_bytes - (uint32_t)(packet.udp - data);
    uint8_t *end = packet.udp + (udp_bytes < room ? udp_bytes : room);
    uint64_t bits = (uint64_t)(end - packet.ip) * 8;
    uint64_t flips = 1 + weft_random_below(random, FLIPS_MAX);
    uint64_t flipped[FLIPS_MAX] = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    for (uint64_t i = 0; i < flips; i++) {
        uint64_t bit = weft_random_below(random, bits);
        bool again = bit == flipped[0] || bit == flipped[1];
        if (again || !is_covered(&packet, packet.ip + bit / 8))
            continue;
        packet.ip[bit / 8] ^= (uint8_t)(1u << bit % 8);
        flipped[i] = bit;
    }
    return flipped[0] != UINT64_MAX || flipped[1] != UINT64_MAX || flipped[2] != UINT64_MAX;
}
