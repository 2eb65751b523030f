/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/neighbour/explain.h"

#include <stdio.h>

#include "drivers/roce/base/address.h"

const char *weft_neighbour_conflict(const struct weft_neighbours *neighbours,
                                    char text[WEFT_CONFLICT_TEXT])
{
    char own[WEFT_IP_TEXT];
    const uint8_t *mac = neighbours->conflict_mac;
    text[0] = '\0';
    if (neighbours->conflicts)
        (void)snprintf(text, WEFT_CONFLICT_TEXT,
                       "; another host (%02x:%02x:%02x:%02x:%02x:%02x) has this port's address %s "
                       "too: change one of the two",
                       mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
                       weft_ip_format(&neighbours->interface->address, false, own));
    return text;
}

/* What the user can look at first. */
static const char *advice(const struct weft_neighbours *neighbours, char *text, size_t size_bytes)
{
    char vlan[64] = "no VLAN tag";
    if (neighbours->interface->vlan_id != WEFT_VLAN_NONE)
        (void)snprintf(vlan, sizeof(vlan), "VLAN %u", neighbours->interface->vlan_id);
    if (neighbours->counters->received_packets == 0)
        (void)snprintf(text, size_bytes,
                       "this port has received nothing at all: is its link up, and does the switch "
                       "let it in (%s)?",
                       vlan);
    else
        (void)snprintf(text, size_bytes,
                       "is it up, with this address, and on the same network (%s)?", vlan);
    return text;
}

enum weft_status weft_neighbour_error(const struct weft_neighbours *neighbours,
                                      const struct weft_neighbour *neighbour,
                                      struct weft_error *error)
{
    char peer[WEFT_IP_TEXT];
    char own[WEFT_IP_TEXT];
    char conflict[WEFT_CONFLICT_TEXT];
    char what_to_do[200];
    bool gateway = weft_ip_equal(&neighbour->address, &neighbours->interface->gateway);
    uint64_t tenths = (neighbour->checked_ns - neighbour->asked_ns) / 100000000;
    return weft_error_set(
        error, WEFT_PEER_LOST,
        "no answer to %s for %s%s from this port (%s): asked %u times in "
        "%u.%u s; %s%s",
        neighbours->interface->address.version == 4 ? "ARP" : "neighbour discovery",
        gateway ? "the gateway " : "", weft_ip_format(&neighbour->address, false, peer),
        weft_ip_format(&neighbours->interface->address, true, own), neighbour->tries,
        (uint32_t)(tenths / 10), (uint32_t)(tenths % 10),
        advice(neighbours, what_to_do, sizeof(what_to_do)),
        weft_neighbour_conflict(neighbours, conflict));
}
