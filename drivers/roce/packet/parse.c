/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/packet/parse.h"

#include "drivers/roce/packet/icrc.h"

/* What an IP header says of what follows it. */
struct ip_payload {
    uint32_t header_bytes;
    uint32_t len_bytes;
    uint8_t protocol;
};

static bool ipv4_checksum_good(const uint8_t *ip)
{
    /* In whatever order the bytes of a word are, all ones are all ones (RFC 1071). */
    uint32_t words[WEFT_IPV4_BYTES / 4];
    uint64_t sum = 0;
    memcpy(words, ip, sizeof(words));
    for (uint32_t i = 0; i < WEFT_IPV4_BYTES / 4; i++)
        sum += words[i];
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

/* RoCE has no IP options and no fragments (Annex A17.3.1). */
static enum weft_parse_result parse_ipv4(const struct weft_interface *interface, const uint8_t *ip,
                                         uint32_t len_bytes, struct ip_payload *ret_payload)
{
    if (len_bytes < WEFT_IPV4_BYTES || (ip[0] >> 4) != 4)
        return WEFT_PARSE_MALFORMED;
    if (interface->address.version != 4 || memcmp(ip + 16, interface->address.bytes, 4) != 0)
        return WEFT_PARSE_UNEXPECTED;
    uint32_t total_bytes = weft_wire_get16(ip + 2);
    bool fragment = (weft_wire_get16(ip + 6) & 0x3fff) != 0;
    if (ip[0] != 0x45 || fragment || total_bytes < WEFT_IPV4_BYTES || total_bytes > len_bytes ||
        !ipv4_checksum_good(ip))
        return WEFT_PARSE_MALFORMED;
    ret_payload->protocol = ip[9];
    ret_payload->header_bytes = WEFT_IPV4_BYTES;
    ret_payload->len_bytes = total_bytes - WEFT_IPV4_BYTES;
    return WEFT_PARSE_ROCE;
}

static enum weft_parse_result parse_ipv6(const struct weft_interface *interface, const uint8_t *ip,
                                         uint32_t len_bytes, struct ip_payload *ret_payload)
{
    if (len_bytes < WEFT_IPV6_BYTES || (ip[0] >> 4) != 6)
        return WEFT_PARSE_MALFORMED;
    uint32_t payload_bytes = weft_wire_get16(ip + 4);
    if (payload_bytes > len_bytes - WEFT_IPV6_BYTES)
        return WEFT_PARSE_MALFORMED;
    if (interface->address.version != 6)
        return WEFT_PARSE_UNEXPECTED;
    if (ip[6] == WEFT_IP_PROTOCOL_ICMPV6)
        return WEFT_PARSE_ICMPV6;
    if (memcmp(ip + 24, interface->address.bytes, 16) != 0)
        return WEFT_PARSE_UNEXPECTED;
    ret_payload->protocol = ip[6];
    ret_payload->header_bytes = WEFT_IPV6_BYTES;
    ret_payload->len_bytes = payload_bytes;
    return WEFT_PARSE_ROCE;
}

/* FIRST and MIDDLE carry the path MTU: the responder, which knows it, checks that. */
static enum weft_parse_result parse_bth(const uint8_t *bth, uint32_t len_bytes,
                                        struct weft_packet *ret_packet)
{
    if (len_bytes < WEFT_BTH_BYTES + WEFT_ICRC_BYTES || (bth[1] & 0x0f) != 0)
        return WEFT_PARSE_MALFORMED;
    const struct weft_opcode *opcode = &weft_opcodes[bth[0]];
    if (opcode->kind == WEFT_OPCODE_NONE)
        return WEFT_PARSE_UNEXPECTED;
    if ((weft_wire_get16(bth + 2) & 0x7fff) != (WEFT_ROCE_PKEY & 0x7fff))
        return WEFT_PARSE_UNEXPECTED;
    uint32_t pad_bytes = (bth[1] >> 4) & 3u;
    uint32_t beside_bytes = opcode->header_bytes + pad_bytes + WEFT_ICRC_BYTES;
    if (len_bytes < beside_bytes || (len_bytes & 3) != 0)
        return WEFT_PARSE_MALFORMED;
    ret_packet->opcode = opcode;
    ret_packet->bth = bth;
    ret_packet->payload = bth + opcode->header_bytes;
    ret_packet->payload_bytes = len_bytes - beside_bytes;
    if (ret_packet->payload_bytes + pad_bytes != 0 && !opcode->payload)
        return WEFT_PARSE_MALFORMED;
    ret_packet->qpn = weft_wire_get24(bth + 4);
    ret_packet->psn = weft_wire_get24(bth + 8);
    ret_packet->ack_request = (bth[8] & 0x80) != 0;
    return WEFT_PARSE_ROCE;
}

static enum weft_parse_result parse_udp(const struct weft_interface *interface, const uint8_t *ip,
                                        const struct ip_payload *payload,
                                        struct weft_packet *ret_packet)
{
    const uint8_t *udp = ip + payload->header_bytes;
    if (payload->protocol != WEFT_IP_PROTOCOL_UDP)
        return WEFT_PARSE_UNEXPECTED;
    if (payload->len_bytes < WEFT_UDP_BYTES)
        return WEFT_PARSE_MALFORMED;
    if (weft_wire_get16(udp + 2) != interface->udp_port)
        return WEFT_PARSE_UNEXPECTED;
    if (weft_wire_get16(udp + 4) != payload->len_bytes)
        return WEFT_PARSE_MALFORMED;
    ret_packet->ip_bytes = payload->header_bytes;
    ret_packet->covered_bytes = payload->header_bytes + payload->len_bytes - WEFT_ICRC_BYTES;
    return parse_bth(udp + WEFT_UDP_BYTES, payload->len_bytes - WEFT_UDP_BYTES, ret_packet);
}

static bool mac_is_ours(const struct weft_interface *interface, const uint8_t *mac)
{
    return memcmp(mac, interface->mac, 6) == 0;
}

static bool is_group(const uint8_t *mac)
{
    return (mac[0] & 1) != 0;
}

/* Finds where the network layer starts, and of which kind it is. A frame of another VLAN is not
 * ours. VLAN 0 says only a priority (IEEE 802.1Q, 9.6): such a frame belongs to no VLAN. */
static enum weft_parse_result parse_ethernet(const struct weft_interface *interface,
                                             const uint8_t *frame, uint32_t len_bytes,
                                             uint16_t *ret_ethertype,
                                             struct weft_packet *ret_packet)
{
    if (len_bytes < WEFT_ETHERNET_BYTES)
        return WEFT_PARSE_MALFORMED;
    if (!is_group(frame) && !mac_is_ours(interface, frame))
        return WEFT_PARSE_UNEXPECTED;
    uint32_t header_bytes = WEFT_ETHERNET_BYTES;
    uint32_t vlan_id = WEFT_VLAN_NONE;
    uint16_t ethertype = weft_wire_get16(frame + 12);
    if (ethertype == WEFT_ETHERTYPE_VLAN) {
        header_bytes += WEFT_VLAN_TAG_BYTES;
        if (len_bytes < header_bytes)
            return WEFT_PARSE_MALFORMED;
        vlan_id = weft_wire_get16(frame + 14) & 0xfffu;
        ethertype = weft_wire_get16(frame + 16);
    }
    if (vlan_id != interface->vlan_id)
        return WEFT_PARSE_UNEXPECTED;
    *ret_ethertype = ethertype;
    ret_packet->ip = frame + header_bytes;
    ret_packet->network_bytes = len_bytes - header_bytes;
    return WEFT_PARSE_ROCE;
}

enum weft_parse_result weft_packet_parse(const struct weft_interface *interface,
                                         const uint8_t *frame, uint32_t len_bytes,
                                         struct weft_packet *ret_packet)
{
    uint16_t ethertype = 0;
    struct ip_payload payload;
    enum weft_parse_result result =
        parse_ethernet(interface, frame, len_bytes, &ethertype, ret_packet);
    if (result != WEFT_PARSE_ROCE)
        return result;
    const uint8_t *ip = ret_packet->ip;
    if (ethertype == WEFT_ETHERTYPE_IPV4) {
        result = parse_ipv4(interface, ip, ret_packet->network_bytes, &payload);
    } else if (ethertype == WEFT_ETHERTYPE_IPV6) {
        result = parse_ipv6(interface, ip, ret_packet->network_bytes, &payload);
    } else {
        return ethertype == WEFT_ETHERTYPE_ARP ? WEFT_PARSE_ARP : WEFT_PARSE_UNEXPECTED;
    }
    if (result != WEFT_PARSE_ROCE)
        return result;
    if (is_group(frame))
        return WEFT_PARSE_UNEXPECTED;
    return parse_udp(interface, ip, &payload, ret_packet);
}

bool weft_packet_icrc_good(const struct weft_packet *packet)
{
    uint32_t wire;
    memcpy(&wire, packet->ip + packet->covered_bytes, sizeof(wire));
    return le32toh(wire) == weft_icrc_packet(packet->ip, packet->ip_bytes, packet->covered_bytes);
}
