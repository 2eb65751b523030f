/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/neighbour/discovery.h"

#include <assert.h>

#include "drivers/roce/base/address.h"
#include "drivers/roce/neighbour/icmpv6.h"
#include "drivers/roce/neighbour/neighbour.h"
#include "drivers/roce/packet/ethernet.h"

#define SOLICITATION 135u
#define ADVERTISEMENT 136u
/* Type, code, checksum, flags, target. */
#define MESSAGE_BYTES 24u
/* The one option that we read and write: a link-layer address. */
#define OPTION_BYTES 8u
#define OPTION_SOURCE 1u
#define OPTION_TARGET 2u
/* A message of this limit has crossed no router (RFC 4861, 7.1). */
#define HOP_LIMIT 255u
#define FLAG_SOLICITED 0x40u
#define FLAG_OVERRIDE 0x20u

static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};

static bool is_multicast(const uint8_t address[16])
{
    return address[0] == 0xff;
}

static bool is_unspecified(const uint8_t address[16])
{
    static const uint8_t unspecified[16] = {0};
    return memcmp(address, unspecified, sizeof(unspecified)) == 0;
}

/* ---- receiving ---- */

/* A message whose fields were found good. */
struct message {
    const uint8_t *source; /* of the IPv6 header */
    const uint8_t *destination;
    const uint8_t *target;
    const uint8_t *mac; /* of the option; NULL: it has none */
    uint8_t type;
    uint8_t flags;
};

/* Looks for the link-layer address; false: an option has no length or more than is there. */
static bool read_options(const uint8_t *at, uint32_t len_bytes, struct message *message)
{
    uint8_t wanted = message->type == SOLICITATION ? OPTION_SOURCE : OPTION_TARGET;
    while (len_bytes) {
        uint32_t option_bytes = len_bytes < 2 ? 0 : at[1] * 8u;
        if (option_bytes == 0 || option_bytes > len_bytes)
            return false;
        if (at[0] == wanted && option_bytes == OPTION_BYTES && !(at[2] & 1))
            message->mac = at + 2;
        at += option_bytes;
        len_bytes -= option_bytes;
    }
    return true;
}

/* What RFC 4861 lays down in 7.1.1 and 7.1.2. */
static bool addresses_good(const struct message *message)
{
    if (is_multicast(message->target) || is_multicast(message->source))
        return false;
    if (message->type == ADVERTISEMENT)
        return !is_multicast(message->destination) || !(message->flags & FLAG_SOLICITED);
    return !is_unspecified(message->source) ||
           (!message->mac && is_multicast(message->destination));
}

static bool read_message(const uint8_t *ip, struct message *ret_message)
{
    const uint8_t *icmp = ip + WEFT_IPV6_BYTES;
    uint32_t len_bytes = weft_wire_get16(ip + 4);
    if (len_bytes < MESSAGE_BYTES || ip[7] != HOP_LIMIT || icmp[1] != 0 ||
        weft_icmpv6_checksum(ip, icmp, len_bytes) != 0)
        return false;
    *ret_message = (struct message){
        .source = ip + 8,
        .destination = ip + 24,
        .target = icmp + 8,
        .type = icmp[0],
        .flags = icmp[4],
    };
    return read_options(icmp + MESSAGE_BYTES, len_bytes - MESSAGE_BYTES, ret_message) &&
           addresses_good(ret_message);
}

static struct weft_ip address_of(const uint8_t bytes[16])
{
    struct weft_ip address = {.version = 6, .prefix_bits = 128};
    memcpy(address.bytes, bytes, 16);
    return address;
}

/* He who asks without an address looks whether his is free: all hear that it is not. */
static void solicited(struct weft_neighbours *neighbours, const struct message *message,
                      const uint8_t sender_mac[6], uint64_t now_ns)
{
    if (memcmp(message->target, neighbours->interface->address.bytes, 16) != 0)
        return;
    struct weft_ip source = address_of(message->source);
    if (is_unspecified(message->source)) {
        weft_neighbour_answer_later(neighbours, &source, sender_mac);
        return;
    }
    if (message->mac)
        weft_neighbour_learn(neighbours,
                             &(struct weft_neighbour_news){
                                 .address = &source, .mac = message->mac, .overrides = true},
                             now_ns);
    if (!weft_ip_equal(&source, &neighbours->interface->address))
        weft_neighbour_answer_later(neighbours, &source, message->mac ? message->mac : sender_mac);
}

static void advertised(struct weft_neighbours *neighbours, const struct message *message,
                       uint64_t now_ns)
{
    struct weft_ip target = address_of(message->target);
    weft_neighbour_learn(
        neighbours,
        &(struct weft_neighbour_news){.address = &target,
                                      .mac = message->mac,
                                      .answers = (message->flags & FLAG_SOLICITED) != 0,
                                      .overrides = (message->flags & FLAG_OVERRIDE) != 0},
        now_ns);
}

static bool is_for_us(const struct weft_interface *interface, const uint8_t destination[16])
{
    uint8_t group[16];
    weft_icmpv6_solicited_node(interface->address.bytes, group);
    return memcmp(destination, interface->address.bytes, 16) == 0 ||
           memcmp(destination, group, 16) == 0 || memcmp(destination, all_nodes, 16) == 0;
}

void weft_discovery_receive(struct weft_neighbours *neighbours, const uint8_t *ip,
                            const uint8_t sender_mac[6], uint64_t now_ns)
{
    struct message message;
    uint32_t len_bytes = weft_wire_get16(ip + 4);
    uint8_t type = len_bytes ? ip[WEFT_IPV6_BYTES] : 0;
    if (!is_for_us(neighbours->interface, ip + 24) ||
        (type != SOLICITATION && type != ADVERTISEMENT)) {
        neighbours->counters->unexpected_packets++;
        return;
    }
    if (!read_message(ip, &message) || (sender_mac[0] & 1)) {
        neighbours->counters->malformed_packets++;
        return;
    }
    if (type == SOLICITATION)
        solicited(neighbours, &message, sender_mac, now_ns);
    else
        advertised(neighbours, &message, now_ns);
}

/* ---- sending ---- */

struct fields {
    uint8_t type;
    uint8_t flags;
    uint8_t option;
    const uint8_t *mac; /* NULL: the group's */
    const uint8_t *destination;
    const uint8_t *target;
};

static void build(const struct weft_interface *interface, const struct fields *fields,
                  struct weft_roce_frame *frame)
{
    uint8_t mac[6];
    weft_icmpv6_group_mac(fields->destination, mac);
    uint8_t *ip = weft_ethernet_put(interface, frame->data, fields->mac ? fields->mac : mac,
                                    WEFT_ETHERTYPE_IPV6);
    uint32_t len_bytes = MESSAGE_BYTES + OPTION_BYTES;
    frame->len_bytes = (uint32_t)(ip - frame->data) + WEFT_IPV6_BYTES + len_bytes;
    assert(frame->len_bytes <= frame->capacity_bytes);
    memset(ip, 0, WEFT_IPV6_BYTES + len_bytes);
    ip[0] = 0x60;
    weft_wire_put16(ip + 4, (uint16_t)len_bytes);
    ip[6] = WEFT_IP_PROTOCOL_ICMPV6;
    ip[7] = HOP_LIMIT;
    memcpy(ip + 8, interface->address.bytes, 16);
    memcpy(ip + 24, fields->destination, 16);
    uint8_t *icmp = ip + WEFT_IPV6_BYTES;
    icmp[0] = fields->type;
    icmp[4] = fields->flags;
    memcpy(icmp + 8, fields->target, 16);
    icmp[MESSAGE_BYTES] = fields->option;
    icmp[MESSAGE_BYTES + 1] = 1;
    memcpy(icmp + MESSAGE_BYTES + 2, interface->mac, 6);
    weft_wire_put16(icmp + 2, weft_icmpv6_checksum(ip, icmp, len_bytes));
}

void weft_discovery_build_request(const struct weft_interface *interface, const uint8_t target[16],
                                  const uint8_t *mac, struct weft_roce_frame *frame)
{
    uint8_t group[16];
    weft_icmpv6_solicited_node(target, group);
    build(interface,
          &(struct fields){.type = SOLICITATION,
                           .option = OPTION_SOURCE,
                           .mac = mac,
                           .destination = mac ? target : group,
                           .target = target},
          frame);
}

void weft_discovery_build_answer(const struct weft_interface *interface,
                                 const struct weft_neighbour_answer *answer,
                                 struct weft_roce_frame *frame)
{
    build(interface,
          &(struct fields){.type = ADVERTISEMENT,
                           .flags = answer->to_all ? FLAG_OVERRIDE : FLAG_SOLICITED | FLAG_OVERRIDE,
                           .option = OPTION_TARGET,
                           .mac = answer->to_all ? NULL : answer->mac,
                           .destination = answer->to_all ? all_nodes : answer->address,
                           .target = interface->address.bytes},
          frame);
}
