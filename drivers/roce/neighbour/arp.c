/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/neighbour/arp.h"

#include <assert.h>

#include "drivers/roce/base/address.h"
#include "drivers/roce/neighbour/neighbour.h"
#include "drivers/roce/packet/ethernet.h"

#define ARP_BYTES 28u
#define REQUEST 1u
#define REPLY 2u

/* Hardware type Ethernet, protocol IPv4, addresses of 6 and 4 bytes. */
static const uint8_t fixed_part[6] = {0, 1, 8, 0, 6, 4};

void weft_arp_receive(struct weft_neighbours *neighbours, const uint8_t *arp, uint32_t len_bytes,
                      uint64_t now_ns)
{
    if (len_bytes < ARP_BYTES || memcmp(arp, fixed_part, sizeof(fixed_part)) != 0) {
        neighbours->counters->malformed_packets++;
        return;
    }
    uint16_t operation = weft_wire_get16(arp + 6);
    const uint8_t *sender_mac = arp + 8;
    struct weft_ip sender = {.version = 4, .prefix_bits = 32};
    memcpy(sender.bytes, arp + 14, 4);
    if ((operation != REQUEST && operation != REPLY) || (sender_mac[0] & 1)) {
        neighbours->counters->malformed_packets++;
        return;
    }
    if (neighbours->interface->address.version != 4)
        return;
    bool for_us = memcmp(arp + 24, neighbours->interface->address.bytes, 4) == 0;
    weft_neighbour_learn(neighbours,
                         &(struct weft_neighbour_news){.address = &sender,
                                                       .mac = sender_mac,
                                                       .answers = for_us && operation == REPLY,
                                                       .overrides = true},
                         now_ns);
    if (operation == REQUEST && for_us && !weft_ip_equal(&sender, &neighbours->interface->address))
        weft_neighbour_answer_later(neighbours, &sender, sender_mac);
}

struct arp_fields {
    uint16_t operation;
    const uint8_t *destination_mac;
    const uint8_t *target_mac;
    const uint8_t *target;
};

static void build(const struct weft_interface *interface, const struct arp_fields *fields,
                  struct weft_roce_frame *frame)
{
    assert(frame->capacity_bytes >= WEFT_ETHERNET_MIN_BYTES);
    memset(frame->data, 0, WEFT_ETHERNET_MIN_BYTES);
    uint8_t *arp =
        weft_ethernet_put(interface, frame->data, fields->destination_mac, WEFT_ETHERTYPE_ARP);
    memcpy(arp, fixed_part, sizeof(fixed_part));
    weft_wire_put16(arp + 6, fields->operation);
    memcpy(arp + 8, interface->mac, 6);
    memcpy(arp + 14, interface->address.bytes, 4);
    memcpy(arp + 18, fields->target_mac, 6);
    memcpy(arp + 24, fields->target, 4);
    frame->len_bytes = WEFT_ETHERNET_MIN_BYTES;
}

void weft_arp_build_request(const struct weft_interface *interface, const uint8_t target[4],
                            const uint8_t *mac, struct weft_roce_frame *frame)
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t nobody[6] = {0};
    build(interface,
          &(struct arp_fields){.operation = REQUEST,
                               .destination_mac = mac ? mac : broadcast,
                               .target_mac = nobody,
                               .target = target},
          frame);
}

void weft_arp_build_answer(const struct weft_interface *interface,
                           const struct weft_neighbour_answer *answer,
                           struct weft_roce_frame *frame)
{
    build(interface,
          &(struct arp_fields){.operation = REPLY,
                               .destination_mac = answer->mac,
                               .target_mac = answer->mac,
                               .target = answer->address},
          frame);
}
