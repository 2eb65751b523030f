/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has which address on this network: the table, and what others say that fills it, by ARP for
 * IPv4 (arp.h) and neighbour discovery for IPv6 (discovery.h).
 *
 * Who is not known is asked for again and again with back-off, and given up after some tries. Who
 * is known is asked again from time to time as long as the port is polled, so that a MAC that
 * changed is found and a gateway does not forget us; he stays in use meanwhile, whatever comes of
 * it: a reliable queue pair finds out by itself that its peer is gone.
 *
 * Nobody is called when a neighbour changes: it is put on a list, and who called takes it from
 * there (weft_neighbours_next_changed) and tells its users in the same turn. */
#ifndef WEFT_ROCE_NEIGHBOUR_H
#define WEFT_ROCE_NEIGHBOUR_H

#include "drivers/roce/neighbour/state.h"

/* Of a zeroed table. All that is pointed to stays as long as the table. */
void weft_neighbours_init(struct weft_neighbours *neighbours,
                          const struct weft_interface *interface, struct weft_wheel *wheel,
                          struct weft_device_counters *counters);
/* All that are left, which nobody uses: when the port goes. */
void weft_neighbours_free(struct weft_neighbours *neighbours);

/* Finds or makes the neighbour and puts `user` on its list. It may be READY at once: that alone is
 * no change. */
WEFT_CHECKED enum weft_status weft_neighbour_attach(struct weft_neighbours *neighbours,
                                                    const struct weft_ip *address,
                                                    struct weft_link *user,
                                                    struct weft_neighbour **ret_neighbour,
                                                    struct weft_error *error);
/* The last user to leave takes the neighbour with it. */
void weft_neighbour_detach(struct weft_neighbours *neighbours, struct weft_neighbour *neighbour,
                           struct weft_link *user);
/* As weft_roce_neighbour_add. */
WEFT_CHECKED enum weft_status weft_neighbour_fix(struct weft_neighbours *neighbours,
                                                 const struct weft_ip *address,
                                                 const uint8_t mac[6], struct weft_error *error);

/* What somebody says of an address. */
struct weft_neighbour_news {
    const struct weft_ip *address;
    const uint8_t *mac; /* NULL: not said */
    bool answers;       /* a question of ours: it is there now */
    bool overrides;     /* takes the place of another MAC that is known */
};
/* Updates a neighbour that has users. Never makes one: strangers cannot fill the table. Where it is
 * said of this port's own address, by another, it is noted as a conflict. */
void weft_neighbour_learn(struct weft_neighbours *neighbours,
                          const struct weft_neighbour_news *news, uint64_t now_ns);
/* An answer is due to one who asked for this port; `address` unspecified: to all. Where too many
 * are, it is left out: he asks again. */
void weft_neighbour_answer_later(struct weft_neighbours *neighbours, const struct weft_ip *address,
                                 const uint8_t mac[6]);

/* Takes one whose state or MAC changed off the list; NULL: none is left. Its users stay where they
 * are while they are told. */
struct weft_neighbour *weft_neighbours_next_changed(struct weft_neighbours *neighbours);

#endif
