/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/neighbour/neighbour.h"

#include <assert.h>
#include <stdlib.h>

#include "drivers/roce/address.h"
#include "drivers/roce/transport/path.h"
#include "drivers/roce/transport/qp.h"

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

static struct weft_neighbour *create(struct weft_roce_port *port, const struct weft_ip *address)
{
    if (port->neighbour_count == WEFT_NEIGHBOURS_MAX)
        return NULL;
    struct weft_neighbour *neighbour = calloc(1, sizeof(*neighbour));
    if (!neighbour)
        return NULL;
    neighbour->address = *address;
    weft_link_init(&neighbour->bucket_link);
    weft_link_init(&neighbour->ask_link);
    weft_link_init(&neighbour->known_link);
    weft_link_init(&neighbour->paths);
    weft_timer_init(&neighbour->timer, WEFT_TIMER_NEIGHBOUR);
    weft_link_append(bucket_of(port, address), &neighbour->bucket_link);
    port->neighbour_count++;
    if (weft_ip_equal(address, &port->address)) {
        memcpy(neighbour->mac, port->mac, 6);
        neighbour->state = WEFT_ENDPOINT_READY;
    } else {
        weft_neighbour_ask(port, neighbour);
    }
    return neighbour;
}

static enum weft_status no_room(const struct weft_roce_port *port, struct weft_error *error)
{
    if (port->neighbour_count == WEFT_NEIGHBOURS_MAX)
        return weft_error_set(error, WEFT_NO_MEMORY, "a port has up to %u neighbours",
                              WEFT_NEIGHBOURS_MAX);
    return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a neighbour");
}

/* Nobody uses it. */
static void destroy(struct weft_roce_port *port, struct weft_neighbour *neighbour)
{
    assert(weft_link_empty(&neighbour->paths));
    weft_timer_cancel(&neighbour->timer);
    weft_link_remove(&neighbour->ask_link);
    weft_link_remove(&neighbour->known_link);
    weft_link_remove(&neighbour->bucket_link);
    port->neighbour_count--;
    free(neighbour);
}

enum weft_status weft_neighbour_attach(struct weft_roce_port *port, struct weft_path *path,
                                       const struct weft_ip *address, struct weft_error *error)
{
    struct weft_neighbour *neighbour = find(port, address);
    if (!neighbour)
        neighbour = create(port, address);
    else if (neighbour->state == WEFT_ENDPOINT_FAILED)
        weft_neighbour_ask(port, neighbour);
    if (!neighbour)
        return no_room(port, error);
    path->neighbour = neighbour;
    weft_link_append(&neighbour->paths, &path->link);
    if (neighbour->state == WEFT_ENDPOINT_READY)
        weft_path_set_mac(path, neighbour->mac);
    return WEFT_OK;
}

void weft_neighbour_detach(struct weft_roce_port *port, struct weft_path *path)
{
    struct weft_neighbour *neighbour = path->neighbour;
    path->neighbour = NULL;
    weft_link_remove(&path->link);
    if (!neighbour->fixed && weft_link_empty(&neighbour->paths))
        destroy(port, neighbour);
}

/* Queue pairs only mark themselves as ready or failed here: none leaves the list meanwhile. */
void weft_neighbour_tell(struct weft_neighbour *neighbour)
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

static void set_mac(struct weft_neighbour *neighbour, const uint8_t mac[6])
{
    memcpy(neighbour->mac, mac, 6);
    neighbour->state = WEFT_ENDPOINT_READY;
    weft_neighbour_tell(neighbour);
}

static void note_conflict(struct weft_roce_port *port, const uint8_t *mac)
{
    if (!mac || memcmp(mac, port->mac, 6) == 0)
        return;
    port->conflicts++;
    memcpy(port->conflict_mac, mac, 6);
    port->counters.unexpected_packets++;
}

/* The rules are those of IPv6 (RFC 4861, 7.2.5); ARP says that it answers and overrides. */
void weft_neighbour_learn(struct weft_roce_port *port, const struct weft_neighbour_news *news,
                          uint64_t now_ns)
{
    if (weft_ip_equal(news->address, &port->address)) {
        note_conflict(port, news->mac);
        return;
    }
    struct weft_neighbour *neighbour = find(port, news->address);
    if (!neighbour || neighbour->fixed)
        return;
    bool known = neighbour->state == WEFT_ENDPOINT_READY;
    bool differs = news->mac && (!known || memcmp(neighbour->mac, news->mac, 6) != 0);
    if (!known && !news->mac)
        return;
    if (known && differs && !news->overrides) {
        weft_neighbour_doubt(port, neighbour);
        return;
    }
    if (!known || news->answers)
        weft_neighbour_confirm(port, neighbour, now_ns);
    if (differs)
        set_mac(neighbour, news->mac);
    if (known && differs && !news->answers)
        weft_neighbour_doubt(port, neighbour);
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
        return weft_error_set(
            error, WEFT_INVALID,
            "%s is not another host on this port's network (%s): its MAC address cannot be set",
            text, own);
    if ((mac[0] & 1) || memcmp(mac, no_mac, 6) == 0)
        return weft_error_set(error, WEFT_INVALID,
                              "the MAC address given for %s is zero or a multicast address", text);
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
        return no_room(port, error);
    neighbour->fixed = true;
    weft_timer_cancel(&neighbour->timer);
    weft_link_remove(&neighbour->ask_link);
    weft_link_remove(&neighbour->known_link);
    set_mac(neighbour, mac);
    return WEFT_OK;
}

void weft_neighbours_free(struct weft_roce_port *port)
{
    for (uint32_t i = 0; i < WEFT_NEIGHBOUR_BUCKETS; i++) {
        struct weft_link *bucket = &port->neighbours[i];
        struct weft_link *link = bucket->next;
        while (link != bucket) {
            struct weft_neighbour *neighbour =
                WEFT_CONTAINER(link, struct weft_neighbour, bucket_link);
            link = link->next;
            assert(neighbour->fixed);
            destroy(port, neighbour);
        }
    }
}
