/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/neighbour/neighbour.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/roce/base/address.h"
#include "drivers/roce/neighbour/ask.h"

void weft_neighbours_init(struct weft_neighbours *neighbours,
                          const struct weft_interface *interface, struct weft_wheel *wheel,
                          struct weft_device_counters *counters)
{
    neighbours->interface = interface;
    neighbours->wheel = wheel;
    neighbours->counters = counters;
    /* IPv4 has no listeners to report. */
    neighbours->report_ns = interface->address.version == 6 ? 0 : UINT64_MAX;
    weft_link_init(&neighbours->asks);
    weft_link_init(&neighbours->known);
    weft_link_init(&neighbours->changed);
    for (uint32_t i = 0; i < WEFT_NEIGHBOUR_BUCKETS; i++)
        weft_link_init(&neighbours->buckets[i]);
}

static struct weft_link *bucket_of(struct weft_neighbours *neighbours,
                                   const struct weft_ip *address)
{
    uint32_t hash = 0;
    for (uint32_t i = 0; i < weft_ip_len_bytes(address); i++)
        hash = hash * 31 + address->bytes[i];
    return &neighbours->buckets[hash & (WEFT_NEIGHBOUR_BUCKETS - 1)];
}

static struct weft_neighbour *find(struct weft_neighbours *neighbours,
                                   const struct weft_ip *address)
{
    struct weft_link *bucket = bucket_of(neighbours, address);
    for (struct weft_link *link = bucket->next; link != bucket; link = link->next) {
        struct weft_neighbour *neighbour = WEFT_CONTAINER(link, struct weft_neighbour, bucket_link);
        if (weft_ip_equal(&neighbour->address, address))
            return neighbour;
    }
    return NULL;
}

static void take_mac(struct weft_neighbours *neighbours, struct weft_neighbour *neighbour,
                     const uint8_t mac[6])
{
    memcpy(neighbour->mac, mac, 6);
    neighbour->state = WEFT_ENDPOINT_READY;
    if (memcmp(mac, neighbours->interface->mac, 6) == 0)
        neighbours->reaches_itself = true;
}

static struct weft_neighbour *create(struct weft_neighbours *neighbours,
                                     const struct weft_ip *address)
{
    if (neighbours->count == WEFT_NEIGHBOURS_MAX)
        return NULL;
    struct weft_neighbour *neighbour = calloc(1, sizeof(*neighbour));
    if (!neighbour)
        return NULL;
    neighbour->address = *address;
    weft_link_init(&neighbour->bucket_link);
    weft_link_init(&neighbour->ask_link);
    weft_link_init(&neighbour->known_link);
    weft_link_init(&neighbour->changed_link);
    weft_link_init(&neighbour->users);
    weft_timer_init(&neighbour->timer, WEFT_TIMER_NEIGHBOUR);
    weft_link_append(bucket_of(neighbours, address), &neighbour->bucket_link);
    neighbours->count++;
    if (weft_ip_equal(address, &neighbours->interface->address)) {
        take_mac(neighbours, neighbour, neighbours->interface->mac);
    } else {
        weft_neighbour_ask(neighbours, neighbour);
    }
    return neighbour;
}

static enum weft_status no_room(const struct weft_neighbours *neighbours, struct weft_error *error)
{
    if (neighbours->count == WEFT_NEIGHBOURS_MAX)
        return weft_error_set(error, WEFT_NO_MEMORY, "a port has up to %u neighbours",
                              WEFT_NEIGHBOURS_MAX);
    return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a neighbour");
}

/* Nobody uses it. */
static void destroy(struct weft_neighbours *neighbours, struct weft_neighbour *neighbour)
{
    assert(weft_link_empty(&neighbour->users));
    weft_timer_cancel(&neighbour->timer);
    weft_link_remove(&neighbour->ask_link);
    weft_link_remove(&neighbour->known_link);
    weft_link_remove(&neighbour->changed_link);
    weft_link_remove(&neighbour->bucket_link);
    neighbours->count--;
    free(neighbour);
}

enum weft_status weft_neighbour_attach(struct weft_neighbours *neighbours,
                                       const struct weft_ip *address, struct weft_link *user,
                                       struct weft_neighbour **ret_neighbour,
                                       struct weft_error *error)
{
    struct weft_neighbour *neighbour = find(neighbours, address);
    if (!neighbour)
        neighbour = create(neighbours, address);
    else if (neighbour->state == WEFT_ENDPOINT_FAILED)
        weft_neighbour_ask(neighbours, neighbour);
    if (!neighbour)
        return no_room(neighbours, error);
    weft_link_append(&neighbour->users, user);
    *ret_neighbour = neighbour;
    return WEFT_OK;
}

void weft_neighbour_detach(struct weft_neighbours *neighbours, struct weft_neighbour *neighbour,
                           struct weft_link *user)
{
    weft_link_remove(user);
    if (!neighbour->fixed && weft_link_empty(&neighbour->users))
        destroy(neighbours, neighbour);
}

static void set_mac(struct weft_neighbours *neighbours, struct weft_neighbour *neighbour,
                    const uint8_t mac[6])
{
    take_mac(neighbours, neighbour, mac);
    weft_neighbour_note_change(neighbours, neighbour);
}

struct weft_neighbour *weft_neighbours_next_changed(struct weft_neighbours *neighbours)
{
    struct weft_link *link = neighbours->changed.next;
    if (link == &neighbours->changed)
        return NULL;
    weft_link_remove(link);
    return WEFT_CONTAINER(link, struct weft_neighbour, changed_link);
}

static void note_conflict(struct weft_neighbours *neighbours, const uint8_t *mac)
{
    if (!mac || memcmp(mac, neighbours->interface->mac, 6) == 0)
        return;
    neighbours->conflicts++;
    memcpy(neighbours->conflict_mac, mac, 6);
    neighbours->counters->unexpected_packets++;
}

/* The rules are those of IPv6 (RFC 4861, 7.2.5); ARP says that it answers and overrides. */
void weft_neighbour_learn(struct weft_neighbours *neighbours,
                          const struct weft_neighbour_news *news, uint64_t now_ns)
{
    if (weft_ip_equal(news->address, &neighbours->interface->address)) {
        note_conflict(neighbours, news->mac);
        return;
    }
    struct weft_neighbour *neighbour = find(neighbours, news->address);
    if (!neighbour || neighbour->fixed)
        return;
    bool known = neighbour->state == WEFT_ENDPOINT_READY;
    bool differs = news->mac && (!known || memcmp(neighbour->mac, news->mac, 6) != 0);
    if (!known && !news->mac)
        return;
    if (known && differs && !news->overrides) {
        weft_neighbour_doubt(neighbours, neighbour);
        return;
    }
    if (!known || news->answers)
        weft_neighbour_confirm(neighbours, neighbour, now_ns);
    if (differs)
        set_mac(neighbours, neighbour, news->mac);
    if (known && differs && !news->answers)
        weft_neighbour_doubt(neighbours, neighbour);
}

void weft_neighbour_answer_later(struct weft_neighbours *neighbours, const struct weft_ip *address,
                                 const uint8_t mac[6])
{
    static const uint8_t unspecified[16] = {0};
    if (neighbours->answers_head - neighbours->answers_tail == WEFT_NEIGHBOUR_ANSWERS)
        return;
    struct weft_neighbour_answer *answer =
        &neighbours->answers[neighbours->answers_head++ & (WEFT_NEIGHBOUR_ANSWERS - 1)];
    memcpy(answer->mac, mac, 6);
    memcpy(answer->address, address->bytes, 16);
    answer->to_all = memcmp(address->bytes, unspecified, sizeof(unspecified)) == 0;
}

static enum weft_status check_fixed(const struct weft_neighbours *neighbours,
                                    const struct weft_ip *address, const uint8_t mac[6],
                                    struct weft_error *error)
{
    static const uint8_t no_mac[6] = {0};
    char text[WEFT_IP_TEXT];
    char own[WEFT_IP_TEXT];
    weft_ip_format(address, false, text);
    weft_ip_format(&neighbours->interface->address, true, own);
    if (!weft_ip_is_host(address) || !weft_ip_within(&neighbours->interface->address, address) ||
        weft_ip_equal(address, &neighbours->interface->address))
        return weft_error_set(error, WEFT_INVALID,
                              "%s is not another host on this port's network (%s): its MAC "
                              "address cannot be set",
                              text, own);
    if ((mac[0] & 1) || memcmp(mac, no_mac, 6) == 0)
        return weft_error_set(error, WEFT_INVALID,
                              "the MAC address given for %s is zero or a multicast address", text);
    return WEFT_OK;
}

enum weft_status weft_neighbour_fix(struct weft_neighbours *neighbours,
                                    const struct weft_ip *address, const uint8_t mac[6],
                                    struct weft_error *error)
{
    enum weft_status status = check_fixed(neighbours, address, mac, error);
    if (status != WEFT_OK)
        return status;
    struct weft_neighbour *neighbour = find(neighbours, address);
    if (!neighbour)
        neighbour = create(neighbours, address);
    if (!neighbour)
        return no_room(neighbours, error);
    neighbour->fixed = true;
    weft_timer_cancel(&neighbour->timer);
    weft_link_remove(&neighbour->ask_link);
    weft_link_remove(&neighbour->known_link);
    set_mac(neighbours, neighbour, mac);
    return WEFT_OK;
}

void weft_neighbours_free(struct weft_neighbours *neighbours)
{
    for (uint32_t i = 0; i < WEFT_NEIGHBOUR_BUCKETS; i++) {
        struct weft_link *bucket = &neighbours->buckets[i];
        struct weft_link *link = bucket->next;
        while (link != bucket) {
            struct weft_neighbour *neighbour =
                WEFT_CONTAINER(link, struct weft_neighbour, bucket_link);
            link = link->next;
            assert(neighbour->fixed);
            destroy(neighbours, neighbour);
        }
    }
}
