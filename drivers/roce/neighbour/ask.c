/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/neighbour/ask.h"

#include <assert.h>

#include "drivers/roce/base/address.h"

/* Of one that is not known. */
#define FIRST_WAIT_NS UINT64_C(50000000)
#define LONGEST_WAIT_NS UINT64_C(1000000000)
/* One that is known is asked again after so long, as hosts and routers usually do (RFC 4861, 10):
 * first where it was, then everywhere. */
#define REFRESH_NS UINT64_C(30000000000)
#define PROBES_HIM 2u
#define PROBES 4u
/* So often at most: where there are many, their questions do not come all at once. */
#define REFRESH_PACE_NS UINT64_C(1000000)

static void put_on_asks(struct weft_neighbours *neighbours, struct weft_neighbour *neighbour)
{
    if (weft_link_empty(&neighbour->ask_link))
        weft_link_append(&neighbours->asks, &neighbour->ask_link);
}

void weft_neighbour_ask(struct weft_neighbours *neighbours, struct weft_neighbour *neighbour)
{
    neighbour->state = WEFT_ENDPOINT_CONNECTING;
    neighbour->tries = 0;
    put_on_asks(neighbours, neighbour);
}

/* To the end of the list: it is in the order of the times. */
static void note_check(struct weft_neighbours *neighbours, struct weft_neighbour *neighbour,
                       uint64_t now_ns)
{
    neighbour->checked_ns = now_ns;
    weft_link_remove(&neighbour->known_link);
    weft_link_append(&neighbours->known, &neighbour->known_link);
}

void weft_neighbour_confirm(struct weft_neighbours *neighbours, struct weft_neighbour *neighbour,
                            uint64_t now_ns)
{
    neighbour->tries = 0;
    weft_link_remove(&neighbour->ask_link);
    weft_timer_set(neighbours->wheel, &neighbour->timer, WEFT_TIMER_NEVER);
    note_check(neighbours, neighbour, now_ns);
}

void weft_neighbour_doubt(struct weft_neighbours *neighbours, struct weft_neighbour *neighbour)
{
    if (neighbour->fixed || neighbour->state != WEFT_ENDPOINT_READY ||
        weft_ip_equal(&neighbour->address, &neighbours->interface->address))
        return;
    neighbour->tries = PROBES - 1;
    put_on_asks(neighbours, neighbour);
}

/* No timer of the wheel does this: a port that is not polled has no need of it. */
void weft_neighbours_refresh(struct weft_neighbours *neighbours, uint64_t now_ns)
{
    neighbours->refresh_ns = now_ns + REFRESH_PACE_NS;
    if (weft_link_empty(&neighbours->known))
        return;
    struct weft_neighbour *neighbour =
        WEFT_CONTAINER(neighbours->known.next, struct weft_neighbour, known_link);
    if (now_ns < neighbour->checked_ns + REFRESH_NS)
        return;
    note_check(neighbours, neighbour, now_ns);
    neighbour->tries = 0;
    put_on_asks(neighbours, neighbour);
}

void weft_neighbour_expired(struct weft_neighbours *neighbours, struct weft_neighbour *neighbour,
                            uint64_t now_ns)
{
    bool known = neighbour->state == WEFT_ENDPOINT_READY;
    if (neighbour->tries < (known ? PROBES : WEFT_NEIGHBOUR_TRIES)) {
        put_on_asks(neighbours, neighbour);
        return;
    }
    if (known)
        return;
    neighbour->state = WEFT_ENDPOINT_FAILED;
    neighbour->checked_ns = now_ns;
    weft_neighbour_note_change(neighbours, neighbour);
}

static uint64_t wait_ns(const struct weft_neighbour *neighbour)
{
    uint64_t wait_ns = LONGEST_WAIT_NS;
    if (neighbour->state == WEFT_ENDPOINT_CONNECTING)
        wait_ns = FIRST_WAIT_NS << neighbour->tries;
    return wait_ns < LONGEST_WAIT_NS ? wait_ns : LONGEST_WAIT_NS;
}

struct weft_neighbour *weft_neighbours_next_ask(struct weft_neighbours *neighbours, uint64_t now_ns,
                                                const uint8_t **ret_mac)
{
    assert(!weft_link_empty(&neighbours->asks));
    struct weft_neighbour *neighbour =
        WEFT_CONTAINER(neighbours->asks.next, struct weft_neighbour, ask_link);
    weft_link_remove(&neighbour->ask_link);
    bool known = neighbour->state == WEFT_ENDPOINT_READY;
    *ret_mac = known && neighbour->tries < PROBES_HIM ? neighbour->mac : NULL;
    if (neighbour->tries == 0)
        neighbour->asked_ns = now_ns;
    weft_timer_set(neighbours->wheel, &neighbour->timer, now_ns + wait_ns(neighbour));
    neighbour->tries++;
    return neighbour;
}
