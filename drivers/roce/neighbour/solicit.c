/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions and answers of neighbours: when each is due. */
#include <stdio.h>

#include "drivers/roce/address.h"
#include "drivers/roce/neighbour/arp.h"
#include "drivers/roce/neighbour/discovery.h"
#include "drivers/roce/neighbour/listener.h"
#include "drivers/roce/neighbour/neighbour.h"

/* Of one who is not known. */
#define FIRST_WAIT_NS UINT64_C(50000000)
#define LONGEST_WAIT_NS UINT64_C(1000000000)
/* One who is known is asked again after so long, as hosts and routers usually do (RFC 4861, 10):
 * first where he was, then everywhere. */
#define REFRESH_NS UINT64_C(30000000000)
#define PROBES_HIM 2u
#define PROBES 4u
/* So often at most: where there are many, their questions do not come all at once. */
#define REFRESH_PACE_NS UINT64_C(1000000)

static void put_on_asks(struct weft_roce_port *port, struct weft_neighbour *neighbour)
{
    if (weft_link_empty(&neighbour->ask_link))
        weft_link_append(&port->asks, &neighbour->ask_link);
}

void weft_neighbour_ask(struct weft_roce_port *port, struct weft_neighbour *neighbour)
{
    neighbour->state = WEFT_ENDPOINT_CONNECTING;
    neighbour->tries = 0;
    put_on_asks(port, neighbour);
}

/* To the end of the list: it is in the order of the times. */
static void note_check(struct weft_roce_port *port, struct weft_neighbour *neighbour,
                       uint64_t now_ns)
{
    neighbour->checked_ns = now_ns;
    weft_link_remove(&neighbour->known_link);
    weft_link_append(&port->known, &neighbour->known_link);
}

void weft_neighbour_confirm(struct weft_roce_port *port, struct weft_neighbour *neighbour,
                            uint64_t now_ns)
{
    neighbour->tries = 0;
    weft_link_remove(&neighbour->ask_link);
    weft_timer_set(&port->wheel, &neighbour->timer, WEFT_TIMER_NEVER);
    note_check(port, neighbour, now_ns);
}

void weft_neighbour_doubt(struct weft_roce_port *port, struct weft_neighbour *neighbour)
{
    if (neighbour->fixed || neighbour->state != WEFT_ENDPOINT_READY ||
        weft_ip_equal(&neighbour->address, &port->address))
        return;
    neighbour->tries = PROBES - 1;
    put_on_asks(port, neighbour);
}

/* Looks whether the one that was checked longest ago is to be asked again. No timer of the wheel
 * does this: a port that is not polled has no need of it. */
static void refresh(struct weft_roce_port *port, uint64_t now_ns)
{
    port->refresh_ns = now_ns + REFRESH_PACE_NS;
    if (weft_link_empty(&port->known))
        return;
    struct weft_neighbour *neighbour =
        WEFT_CONTAINER(port->known.next, struct weft_neighbour, known_link);
    if (now_ns < neighbour->checked_ns + REFRESH_NS)
        return;
    note_check(port, neighbour, now_ns);
    neighbour->tries = 0;
    put_on_asks(port, neighbour);
}

void weft_neighbour_expired(struct weft_roce_port *port, struct weft_neighbour *neighbour,
                            uint64_t now_ns)
{
    bool known = neighbour->state == WEFT_ENDPOINT_READY;
    if (neighbour->tries < (known ? PROBES : WEFT_NEIGHBOUR_TRIES)) {
        put_on_asks(port, neighbour);
        return;
    }
    if (known)
        return;
    neighbour->state = WEFT_ENDPOINT_FAILED;
    neighbour->checked_ns = now_ns;
    weft_neighbour_tell(neighbour);
}

void weft_neighbour_answer_later(struct weft_roce_port *port, const struct weft_ip *address,
                                 const uint8_t mac[6])
{
    static const uint8_t unspecified[16] = {0};
    uint32_t waiting = port->neighbour_answers_head - port->neighbour_answers_tail;
    if (waiting == WEFT_NEIGHBOUR_ANSWERS)
        return;
    struct weft_neighbour_answer *answer =
        &port->neighbour_answers[port->neighbour_answers_head++ & (WEFT_NEIGHBOUR_ANSWERS - 1)];
    memcpy(answer->mac, mac, 6);
    memcpy(answer->address, address->bytes, 16);
    answer->to_all = memcmp(address->bytes, unspecified, sizeof(unspecified)) == 0;
}

/* ---- sending ---- */

static uint64_t wait_ns(const struct weft_neighbour *neighbour)
{
    uint64_t wait_ns = LONGEST_WAIT_NS;
    if (neighbour->state == WEFT_ENDPOINT_CONNECTING)
        wait_ns = FIRST_WAIT_NS << neighbour->tries;
    return wait_ns < LONGEST_WAIT_NS ? wait_ns : LONGEST_WAIT_NS;
}

static void ask(struct weft_roce_port *port, struct weft_neighbour *neighbour,
                struct weft_roce_frame *frame, uint64_t now_ns)
{
    bool known = neighbour->state == WEFT_ENDPOINT_READY;
    const uint8_t *mac = known && neighbour->tries < PROBES_HIM ? neighbour->mac : NULL;
    if (neighbour->tries == 0)
        neighbour->asked_ns = now_ns;
    weft_timer_set(&port->wheel, &neighbour->timer, now_ns + wait_ns(neighbour));
    neighbour->tries++;
    if (port->address.version == 4)
        weft_arp_build_request(port, neighbour->address.bytes, mac, frame);
    else
        weft_discovery_build_request(port, neighbour->address.bytes, mac, frame);
}

static void answer(const struct weft_roce_port *port, const struct weft_neighbour_answer *answer,
                   struct weft_roce_frame *frame)
{
    if (port->address.version == 4)
        weft_arp_build_answer(port, answer, frame);
    else
        weft_discovery_build_answer(port, answer, frame);
}

uint32_t weft_neighbour_transmit(struct weft_roce_port *port, struct weft_roce_frame *frames,
                                 uint32_t count, uint64_t now_ns)
{
    uint32_t filled = 0;
    if (now_ns >= port->refresh_ns)
        refresh(port, now_ns);
    if (count && weft_listener_due(port, now_ns))
        weft_listener_build(port, &frames[filled++], now_ns);
    while (filled < count && port->neighbour_answers_head != port->neighbour_answers_tail) {
        uint32_t slot = port->neighbour_answers_tail++ & (WEFT_NEIGHBOUR_ANSWERS - 1);
        answer(port, &port->neighbour_answers[slot], &frames[filled++]);
    }
    while (filled < count && !weft_link_empty(&port->asks)) {
        struct weft_neighbour *neighbour =
            WEFT_CONTAINER(port->asks.next, struct weft_neighbour, ask_link);
        weft_link_remove(&neighbour->ask_link);
        ask(port, neighbour, &frames[filled++], now_ns);
    }
    return filled;
}

bool weft_neighbour_pending(const struct weft_roce_port *port)
{
    return port->neighbour_answers_head != port->neighbour_answers_tail ||
           !weft_link_empty(&port->asks);
}

/* ---- in words ---- */

const char *weft_neighbour_conflict(const struct weft_roce_port *port,
                                    char text[WEFT_CONFLICT_TEXT])
{
    char own[WEFT_IP_TEXT];
    const uint8_t *mac = port->conflict_mac;
    text[0] = '\0';
    if (port->conflicts)
        (void)snprintf(text, WEFT_CONFLICT_TEXT,
                       "; another host (%02x:%02x:%02x:%02x:%02x:%02x) has this port's address %s "
                       "too: change one of the two",
                       mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
                       weft_ip_format(&port->address, false, own));
    return text;
}

/* What the user can look at first. */
static const char *advice(const struct weft_roce_port *port, char *text, size_t size_bytes)
{
    char vlan[64] = "no VLAN tag";
    if (port->vlan_id != WEFT_VLAN_NONE)
        (void)snprintf(vlan, sizeof(vlan), "VLAN %u", port->vlan_id);
    if (port->counters.received_packets == 0)
        (void)snprintf(text, size_bytes,
                       "this port has received nothing at all: is its link up, and does the switch "
                       "let it in (%s)?",
                       vlan);
    else
        (void)snprintf(text, size_bytes,
                       "is it up, with this address, and on the same network (%s)?", vlan);
    return text;
}

enum weft_status weft_neighbour_error(const struct weft_roce_port *port,
                                      const struct weft_neighbour *neighbour,
                                      struct weft_error *error)
{
    char peer[WEFT_IP_TEXT];
    char own[WEFT_IP_TEXT];
    char conflict[WEFT_CONFLICT_TEXT];
    char what_to_do[200];
    bool gateway = weft_ip_equal(&neighbour->address, &port->gateway);
    uint64_t tenths = (neighbour->checked_ns - neighbour->asked_ns) / 100000000;
    return weft_error_set(
        error, WEFT_PEER_LOST,
        "no answer to %s for %s%s from this port (%s): asked %u times in "
        "%u.%u s; %s%s",
        port->address.version == 4 ? "ARP" : "neighbour discovery", gateway ? "the gateway " : "",
        weft_ip_format(&neighbour->address, false, peer), weft_ip_format(&port->address, true, own),
        neighbour->tries, (uint32_t)(tenths / 10), (uint32_t)(tenths % 10),
        advice(port, what_to_do, sizeof(what_to_do)), weft_neighbour_conflict(port, conflict));
}
