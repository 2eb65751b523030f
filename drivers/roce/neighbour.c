/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/neighbour.h"

#include <assert.h>
#include <stdlib.h>

#include "drivers/roce/address.h"
#include "drivers/roce/arp.h"
#include "drivers/roce/path.h"
#include "drivers/roce/qp.h"

#define FIRST_WAIT_NS UINT64_C(50000000)
#define LONGEST_WAIT_NS UINT64_C(1000000000)

static struct weft_link *bucket_of(struct weft_roce_port *port, const struct weft_ip *address)
{
    uint32_t hash = 0;
    for (uint32_t i = 0; i < weft_ip_len_bytes(address); i++)
        hash = hash * 31 + address->bytes[i];
    return &port->neighbours[hash & (WEFT_NEIGHBOUR_BUCKETS - 1)];
}

static struct weft_neighbour *find(struct weft_roce_port *port, const struct weft_ip *address)
{
    struct weft_link *bucket = bucket_of(port, address);
    for (struct weft_link *link = bucket->next; link != bucket; link = link->next) {
        struct weft_neighbour *neighbour = WEFT_CONTAINER(link, struct weft_neighbour, bucket_link);
        if (weft_ip_equal(&neighbour->address, address))
            return neighbour;
    }
    return NULL;
}

static void start_asking(struct weft_roce_port *port, struct weft_neighbour *neighbour)
{
    neighbour->state = WEFT_ENDPOINT_CONNECTING;
    neighbour->tries = 0;
    weft_link_append(&port->asks, &neighbour->ask_link);
}

static struct weft_neighbour *create(struct weft_roce_port *port, const struct weft_ip *address)
{
    struct weft_neighbour *neighbour = calloc(1, sizeof(*neighbour));
    if (!neighbour)
        return NULL;
    neighbour->address = *address;
    weft_link_init(&neighbour->bucket_link);
    weft_link_init(&neighbour->ask_link);
    weft_link_init(&neighbour->paths);
    weft_timer_init(&neighbour->timer, WEFT_TIMER_NEIGHBOUR);
    weft_link_append(bucket_of(port, address), &neighbour->bucket_link);
    if (weft_ip_equal(address, &port->address)) {
        memcpy(neighbour->mac, port->mac, 6);
        neighbour->state = WEFT_ENDPOINT_READY;
    } else {
        start_asking(port, neighbour);
    }
    return neighbour;
}

enum weft_status weft_neighbour_attach(struct weft_roce_port *port, struct weft_path *path,
                                       const struct weft_ip *address, struct weft_error *error)
{
    struct weft_neighbour *neighbour = find(port, address);
    if (!neighbour)
        neighbour = create(port, address);
    else if (neighbour->state == WEFT_ENDPOINT_FAILED)
        start_asking(port, neighbour);
    if (!neighbour)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a neighbour");
    path->neighbour = neighbour;
    weft_link_append(&neighbour->paths, &path->link);
    if (neighbour->state == WEFT_ENDPOINT_READY)
        weft_path_set_mac(path, neighbour->mac);
    return WEFT_OK;
}

void weft_neighbour_detach(struct weft_roce_port *port, struct weft_path *path)
{
    (void)port;
    struct weft_neighbour *neighbour = path->neighbour;
    path->neighbour = NULL;
    weft_link_remove(&path->link);
    if (neighbour->fixed || !weft_link_empty(&neighbour->paths))
        return;
    weft_timer_cancel(&neighbour->timer);
    weft_link_remove(&neighbour->ask_link);
    weft_link_remove(&neighbour->bucket_link);
    free(neighbour);
}

/* Queue pairs only mark themselves as ready or failed here: none leaves the list meanwhile. */
static void tell_paths(struct weft_neighbour *neighbour)
{
    struct weft_link *paths = &neighbour->paths;
    for (struct weft_link *link = paths->next; link != paths; link = link->next) {
        struct weft_path *path = WEFT_CONTAINER(link, struct weft_path, link);
        if (neighbour->state == WEFT_ENDPOINT_READY)
            weft_path_set_mac(path, neighbour->mac);
        if (path->qp)
            weft_qp_neighbour_changed(path->qp);
    }
}

void weft_neighbour_learn(struct weft_roce_port *port, const struct weft_ip *address,
                          const uint8_t mac[6])
{
    struct weft_neighbour *neighbour = find(port, address);
    if (!neighbour || neighbour->fixed || weft_ip_equal(address, &port->address))
        return;
    bool known = neighbour->state == WEFT_ENDPOINT_READY;
    if (known && memcmp(neighbour->mac, mac, 6) == 0)
        return;
    memcpy(neighbour->mac, mac, 6);
    neighbour->state = WEFT_ENDPOINT_READY;
    weft_link_remove(&neighbour->ask_link);
    weft_timer_cancel(&neighbour->timer);
    tell_paths(neighbour);
}

static enum weft_status check_fixed(const struct weft_roce_port *port,
                                    const struct weft_ip *address, const uint8_t mac[6],
                                    struct weft_error *error)
{
    static const uint8_t no_mac[6] = {0};
    char text[WEFT_IP_TEXT];
    char own[WEFT_IP_TEXT];
    weft_ip_format(address, false, text);
    weft_ip_format(&port->address, true, own);
    if (!weft_ip_is_host(address) || !weft_ip_within(&port->address, address) ||
        weft_ip_equal(address, &port->address))
        return weft_error_set(error, WEFT_INVALID,
                              "%s is no other host of this port's network (%s): its MAC cannot be "
                              "set",
                              text, own);
    if ((mac[0] & 1) || memcmp(mac, no_mac, 6) == 0)
        return weft_error_set(error, WEFT_INVALID,
                              "the MAC given for %s is none or a group's, not one interface's",
                              text);
    if (port->fixed_count == WEFT_NEIGHBOURS_FIXED)
        return weft_error_set(error, WEFT_NO_MEMORY, "a port keeps up to %u given MACs",
                              WEFT_NEIGHBOURS_FIXED);
    return WEFT_OK;
}

enum weft_status weft_roce_neighbour_add(struct weft_roce_port *port, const struct weft_ip *address,
                                         const uint8_t mac[6], struct weft_error *error)
{
    enum weft_status status = check_fixed(port, address, mac, error);
    if (status != WEFT_OK)
        return status;
    struct weft_neighbour *neighbour = find(port, address);
    if (!neighbour)
        neighbour = create(port, address);
    if (!neighbour)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a neighbour");
    port->fixed_count += !neighbour->fixed;
    neighbour->fixed = false; /* so that it is heard this once */
    weft_neighbour_learn(port, address, mac);
    neighbour->fixed = true;
    weft_link_remove(&neighbour->ask_link);
    return WEFT_OK;
}

void weft_neighbours_free(struct weft_roce_port *port)
{
    for (uint32_t i = 0; i < WEFT_NEIGHBOUR_BUCKETS; i++) {
        struct weft_link *bucket = &port->neighbours[i];
        while (!weft_link_empty(bucket)) {
            struct weft_neighbour *neighbour =
                WEFT_CONTAINER(bucket->next, struct weft_neighbour, bucket_link);
            assert(neighbour->fixed && weft_link_empty(&neighbour->paths));
            weft_link_remove(&neighbour->bucket_link);
            free(neighbour);
        }
    }
}

void weft_neighbour_answer_later(struct weft_roce_port *port, const struct weft_ip *address,
                                 const uint8_t mac[6])
{
    uint32_t waiting = port->neighbour_answers_head - port->neighbour_answers_tail;
    if (waiting == WEFT_NEIGHBOUR_ANSWERS)
        return;
    struct weft_neighbour_answer *answer =
        &port->neighbour_answers[port->neighbour_answers_head++ & (WEFT_NEIGHBOUR_ANSWERS - 1)];
    memcpy(answer->mac, mac, 6);
    memcpy(answer->address, address->bytes, 16);
}

void weft_neighbour_expired(struct weft_roce_port *port, struct weft_neighbour *neighbour)
{
    if (neighbour->state != WEFT_ENDPOINT_CONNECTING)
        return;
    if (neighbour->tries < WEFT_NEIGHBOUR_TRIES) {
        if (weft_link_empty(&neighbour->ask_link))
            weft_link_append(&port->asks, &neighbour->ask_link);
        return;
    }
    neighbour->state = WEFT_ENDPOINT_FAILED;
    tell_paths(neighbour);
}

void weft_neighbour_doubt(struct weft_roce_port *port, struct weft_neighbour *neighbour)
{
    if (!neighbour->fixed && weft_link_empty(&neighbour->ask_link) &&
        !weft_ip_equal(&neighbour->address, &port->address))
        weft_link_append(&port->asks, &neighbour->ask_link);
}

static void ask(struct weft_roce_port *port, struct weft_neighbour *neighbour,
                struct weft_roce_frame *frame, uint64_t now_ns)
{
    if (neighbour->state == WEFT_ENDPOINT_CONNECTING) {
        uint64_t wait_ns = FIRST_WAIT_NS << neighbour->tries;
        neighbour->tries++;
        weft_timer_set(&port->wheel, &neighbour->timer,
                       now_ns + (wait_ns < LONGEST_WAIT_NS ? wait_ns : LONGEST_WAIT_NS));
    }
    weft_arp_build_request(port, neighbour->address.bytes, frame);
}

uint32_t weft_neighbour_transmit(struct weft_roce_port *port, struct weft_roce_frame *frames,
                                 uint32_t count, uint64_t now_ns)
{
    uint32_t filled = 0;
    while (filled < count && port->neighbour_answers_head != port->neighbour_answers_tail) {
        uint32_t slot = port->neighbour_answers_tail++ & (WEFT_NEIGHBOUR_ANSWERS - 1);
        weft_arp_build_answer(port, &port->neighbour_answers[slot], &frames[filled++]);
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

enum weft_status weft_neighbour_error(const struct weft_roce_port *port,
                                      const struct weft_neighbour *neighbour,
                                      struct weft_error *error)
{
    char peer[WEFT_IP_TEXT];
    char own[WEFT_IP_TEXT];
    bool gateway = weft_ip_equal(&neighbour->address, &port->gateway);
    return weft_error_set(
        error, WEFT_PEER_LOST,
        "no answer to ARP for %s%s on this port (%s/%u) after %u tries; is it up, with this "
        "address, and on the same network?",
        gateway ? "the gateway " : "", weft_ip_format(&neighbour->address, false, peer),
        weft_ip_format(&port->address, false, own), port->address.prefix_bits, neighbour->tries);
}
