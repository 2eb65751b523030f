/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/transport/path.h"

#include "drivers/roce/base/address.h"
#include "drivers/roce/neighbour/neighbour.h"
#include "drivers/roce/packet/ethernet.h"
#include "drivers/roce/packet/icrc.h"
#include "drivers/roce/packet/opcode.h"

#define HOP_LIMIT 64u
/* ECT(0), RFC 3168. All packets of a controlled connection bear it, acknowledgements too: a switch
 * whose queue is beyond its threshold drops what is not capable where it would mark what is, and a
 * lost acknowledgement costs more than a mark that nobody answers. Datagrams have no control. */
#define ECN_CAPABLE 2u

uint16_t weft_path_source_port(uint32_t local_qpn, uint32_t peer_qpn)
{
    uint64_t product = (uint64_t)local_qpn * peer_qpn;
    product ^= product >> 20;
    product ^= product >> 40;
    uint32_t flow_label = (uint32_t)product & 0xfffffu;
    return (uint16_t)(0xc000u | ((flow_label & 0x3fffu) ^ (flow_label >> 14)));
}

static uint32_t checksum_add(uint32_t sum, const uint8_t *bytes, uint32_t len_bytes)
{
    for (uint32_t i = 0; i < len_bytes; i += 2)
        sum += weft_wire_get16(bytes + i);
    return sum;
}

static void fill_ipv4(const struct weft_interface *interface, struct weft_path *path, uint8_t *ip)
{
    ip[0] = 0x45;
    ip[1] = path->traffic_class;
    weft_wire_put16(ip + 6, 0x4000); /* do not fragment */
    ip[8] = path->hop_limit;
    ip[9] = WEFT_IP_PROTOCOL_UDP;
    memcpy(ip + 12, interface->address.bytes, 4);
    memcpy(ip + 16, path->address.bytes, 4);
    path->checksum_base = checksum_add(0, ip, WEFT_IPV4_BYTES);
}

static void fill_ipv6(const struct weft_interface *interface, const struct weft_path *path,
                      uint8_t *ip)
{
    weft_wire_put32(ip, 0x60000000u | (uint32_t)path->traffic_class << 20);
    ip[7] = path->hop_limit;
    ip[6] = WEFT_IP_PROTOCOL_UDP;
    memcpy(ip + 8, interface->address.bytes, 16);
    memcpy(ip + 24, path->address.bytes, 16);
}

static void forget_kinds(struct weft_path *path)
{
    for (uint32_t i = 0; i < WEFT_PATH_KINDS; i++)
        path->kinds[i].key = 0;
}

static void fill_headers(const struct weft_interface *interface, struct weft_path *path,
                         const struct weft_path_ends *ends)
{
    static const uint8_t no_mac[6] = {0};
    bool version4 = path->address.version == 4;
    path->ip_bytes = version4 ? WEFT_IPV4_BYTES : WEFT_IPV6_BYTES;
    path->traffic_class = interface->traffic_class;
    if (ends->controlled)
        path->traffic_class |= ECN_CAPABLE;
    path->hop_limit = HOP_LIMIT;
    memset(path->header, 0, sizeof(path->header));
    uint8_t *ip = weft_ethernet_put(interface, path->header, no_mac,
                                    version4 ? WEFT_ETHERTYPE_IPV4 : WEFT_ETHERTYPE_IPV6);
    path->ethernet_bytes = (uint32_t)(ip - path->header);
    if (version4)
        fill_ipv4(interface, path, ip);
    else
        fill_ipv6(interface, path, ip);
    uint8_t *udp = ip + path->ip_bytes;
    weft_wire_put16(udp, ends->source_port
                             ? ends->source_port
                             : weft_path_source_port(ends->local_qpn, ends->peer_qpn));
    weft_wire_put16(udp + 2, interface->udp_port);
    uint8_t *bth = udp + WEFT_UDP_BYTES;
    weft_wire_put16(bth + 2, WEFT_ROCE_PKEY);
    weft_wire_put32(bth + 4, ends->peer_qpn);
    path->base_bytes = (uint32_t)(bth + WEFT_BTH_BYTES - path->header);
    weft_wire_put32(bth + WEFT_BTH_BYTES, ends->qkey);
    weft_wire_put32(bth + WEFT_BTH_BYTES + 4, ends->local_qpn);
    forget_kinds(path);
}

/* The IP header's fields that depend on the length, or that no ICRC covers. */
static void finish_ip(const struct weft_path *path, uint8_t *ip, uint32_t len_bytes)
{
    if (path->ip_bytes == WEFT_IPV4_BYTES) {
        uint32_t sum = path->checksum_base + len_bytes;
        sum = (sum & 0xffff) + (sum >> 16);
        ip[1] = path->traffic_class;
        weft_wire_put16(ip + 2, (uint16_t)len_bytes);
        weft_wire_put16(ip + 10, (uint16_t) ~(sum + (sum >> 16)));
    } else {
        weft_wire_put32(ip, 0x60000000u | (uint32_t)path->traffic_class << 20);
        weft_wire_put16(ip + 4, (uint16_t)(len_bytes - WEFT_IPV6_BYTES));
    }
    ip[path->ip_bytes == WEFT_IPV4_BYTES ? 8 : 7] = path->hop_limit;
}

const struct weft_path_kind *weft_path_make_kind(struct weft_path *path, uint32_t key)
{
    uint8_t opcode = (uint8_t)(key >> 16);
    uint32_t payload_bytes = key & 0xffff;
    struct weft_path_kind *kind = &path->kinds[opcode & (WEFT_PATH_KINDS - 1)];
    uint32_t bth_bytes =
        weft_opcodes[opcode].header_bytes + ((payload_bytes + 3) & ~3u) + WEFT_ICRC_BYTES;
    uint32_t udp_bytes = WEFT_UDP_BYTES + bth_bytes;
    memcpy(kind->header, path->header, sizeof(kind->header));
    uint8_t *ip = kind->header + path->ethernet_bytes;
    uint8_t *udp = ip + path->ip_bytes;
    uint8_t *bth = udp + WEFT_UDP_BYTES;
    finish_ip(path, ip, path->ip_bytes + udp_bytes);
    weft_wire_put16(udp + 4, (uint16_t)udp_bytes);
    bth[0] = opcode;
    uint32_t pad_bytes = (0u - payload_bytes) & 3u;
    bth[1] = (uint8_t)(WEFT_BTH_MIGRATED | pad_bytes << 4);
    kind->frame_bytes = (uint16_t)(path->ethernet_bytes + path->ip_bytes + udp_bytes);
    kind->psn_at = (uint8_t)(path->base_bytes - 4);
    bool datagram = weft_opcodes[opcode].headers & WEFT_HEADER_DETH;
    kind->header_bytes = (uint8_t)(path->base_bytes + (datagram ? WEFT_DETH_BYTES : 0));
    uint8_t masked[WEFT_PATH_HEADER_BYTES];
    memcpy(masked, ip, path->base_bytes - path->ethernet_bytes);
    weft_icrc_mask(masked, path->ip_bytes);
    kind->state =
        weft_crc->add(WEFT_CRC_ICRC_START, masked, path->base_bytes - path->ethernet_bytes - 4);
    kind->key = key;
    /* Of others a header is not the same each time. */
    kind->build = NULL;
    if ((weft_opcodes[opcode].headers & ~WEFT_HEADER_DETH) == 0)
        weft_crc_prepare(weft_crc, kind);
    return kind;
}

/* The next hop: the peer, or the gateway where the peer is on another network. */
static enum weft_status find_hop(const struct weft_interface *interface, const struct weft_ip *peer,
                                 struct weft_ip *ret_hop, struct weft_error *error)
{
    char text[WEFT_IP_TEXT];
    char own[WEFT_IP_TEXT];
    if (peer->version != interface->address.version)
        return weft_error_set(error, WEFT_INVALID,
                              "the peer's address %s is IPv%u and this port's %s is IPv%u; give "
                              "both ends addresses of one version",
                              weft_ip_format(peer, false, text), peer->version,
                              weft_ip_format(&interface->address, false, own),
                              interface->address.version);
    if (!weft_ip_is_host(peer))
        return weft_error_set(error, WEFT_INVALID, "the peer's address %s is not a host's address",
                              weft_ip_format(peer, false, text));
    *ret_hop = *peer;
    if (weft_ip_within(&interface->address, peer) || weft_ip_is_link_local(peer))
        return WEFT_OK;
    if (weft_ip_is_link_local(&interface->address))
        return weft_error_set(error, WEFT_INVALID,
                              "%s is not on this port's link, and no router forwards packets from "
                              "its link-local address %s; give the port another address",
                              weft_ip_format(peer, false, text),
                              weft_ip_format(&interface->address, false, own));
    if (!interface->gateway.version)
        return weft_error_set(error, WEFT_INVALID,
                              "%s is outside this port's network %s/%u and no gateway is set; "
                              "set a gateway or correct the prefix",
                              weft_ip_format(peer, false, text),
                              weft_ip_format(&interface->address, false, own),
                              interface->address.prefix_bits);
    *ret_hop = interface->gateway;
    return WEFT_OK;
}

enum weft_status weft_path_open(struct weft_neighbours *neighbours, struct weft_path *path,
                                const struct weft_path_ends *ends, struct weft_error *error)
{
    char text[WEFT_IP_TEXT];
    struct weft_ip peer = weft_ip_from_gid(ends->peer_gid);
    if (ends->peer_qpn < 2 || ends->peer_qpn >= WEFT_ROCE_NUMBER_MASK)
        return weft_error_set(error, WEFT_INVALID,
                              "queue pair number %#x of %s is not valid for data", ends->peer_qpn,
                              weft_ip_format(&peer, false, text));
    struct weft_ip hop;
    enum weft_status status = find_hop(neighbours->interface, &peer, &hop, error);
    if (status != WEFT_OK)
        return status;
    path->address = peer;
    path->qp = ends->qp;
    path->neighbours = neighbours;
    weft_link_init(&path->link);
    fill_headers(neighbours->interface, path, ends);
    status = weft_neighbour_attach(neighbours, &hop, &path->link, &path->neighbour, error);
    if (status == WEFT_OK)
        weft_path_neighbour_changed(path);
    return status;
}

void weft_path_close(struct weft_path *path)
{
    if (path->neighbour)
        weft_neighbour_detach(path->neighbours, path->neighbour, &path->link);
    path->neighbour = NULL;
}

void weft_path_neighbour_changed(struct weft_path *path)
{
    if (!weft_path_ready(path))
        return;
    memcpy(path->header, path->neighbour->mac, 6);
    forget_kinds(path);
}
