/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/neighbour/transmit.h"

#include "drivers/roce/neighbour/arp.h"
#include "drivers/roce/neighbour/ask.h"
#include "drivers/roce/neighbour/discovery.h"
#include "drivers/roce/neighbour/listener.h"

static void ask(const struct weft_interface *interface, const struct weft_neighbour *neighbour,
                const uint8_t *mac, struct weft_roce_frame *frame)
{
    if (interface->address.version == 4)
        weft_arp_build_request(interface, neighbour->address.bytes, mac, frame);
    else
        weft_discovery_build_request(interface, neighbour->address.bytes, mac, frame);
}

static void answer(const struct weft_interface *interface,
                   const struct weft_neighbour_answer *answer, struct weft_roce_frame *frame)
{
    if (interface->address.version == 4)
        weft_arp_build_answer(interface, answer, frame);
    else
        weft_discovery_build_answer(interface, answer, frame);
}

uint32_t weft_neighbours_transmit(struct weft_neighbours *neighbours,
                                  struct weft_roce_frame *frames, uint32_t count, uint64_t now_ns)
{
    const struct weft_interface *interface = neighbours->interface;
    uint32_t filled = 0;
    if (now_ns >= neighbours->refresh_ns)
        weft_neighbours_refresh(neighbours, now_ns);
    if (count && weft_listener_due(neighbours, now_ns))
        weft_listener_build(neighbours, &frames[filled++], now_ns);
    while (filled < count && neighbours->answers_head != neighbours->answers_tail) {
        uint32_t slot = neighbours->answers_tail++ & (WEFT_NEIGHBOUR_ANSWERS - 1);
        answer(interface, &neighbours->answers[slot], &frames[filled++]);
    }
    while (filled < count && !weft_link_empty(&neighbours->asks)) {
        const uint8_t *mac = NULL;
        const struct weft_neighbour *neighbour = weft_neighbours_next_ask(neighbours, now_ns, &mac);
        ask(interface, neighbour, mac, &frames[filled++]);
    }
    return filled;
}
