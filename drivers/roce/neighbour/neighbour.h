/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has which address on this network: the table (neighbour.c), and the questions and answers
 * that fill it (solicit.c), by ARP for IPv4 and neighbour discovery for IPv6.
 *
 * Who is not known is asked for again and again with back-off, and given up after some tries. Who
 * is known is asked again from time to time as long as the port is polled, so that a MAC that
 * changed is found and a gateway does not forget us; he stays in use meanwhile, whatever comes of
 * it: a reliable queue pair finds out by itself that its peer is gone. */
#ifndef WEFT_ROCE_NEIGHBOUR_H
#define WEFT_ROCE_NEIGHBOUR_H

#include "drivers/roce/state.h"

/* Finds or makes the neighbour and puts the path on its list: the path is told when it is known. */
WEFT_CHECKED enum weft_status weft_neighbour_attach(struct weft_roce_port *port,
                                                    struct weft_path *path,
                                                    const struct weft_ip *address,
                                                    struct weft_error *error);
/* The last path to leave takes the neighbour with it. */
void weft_neighbour_detach(struct weft_roce_port *port, struct weft_path *path);
/* All that are left, which nobody uses: when the port goes. */
void weft_neighbours_free(struct weft_roce_port *port);

/* What somebody says of an address. */
struct weft_neighbour_news {
    const struct weft_ip *address;
    const uint8_t *mac; /* NULL: not said */
    bool answers;       /* a question of ours: it is there now */
    bool overrides;     /* takes the place of another MAC that is known */
};
/* Updates a neighbour that paths wait for or use. Never makes one: strangers cannot fill the table.
 * Where it is said of this port's own address, by another, it is noted as a conflict. */
void weft_neighbour_learn(struct weft_roce_port *port, const struct weft_neighbour_news *news,
                          uint64_t now_ns);
/* Tells the paths of its state. */
void weft_neighbour_tell(struct weft_neighbour *neighbour);

/* Begins to ask for one who is not known. */
void weft_neighbour_ask(struct weft_roce_port *port, struct weft_neighbour *neighbour);
/* It is known to be there now: asking ends, until it is time to look again. */
void weft_neighbour_confirm(struct weft_roce_port *port, struct weft_neighbour *neighbour,
                            uint64_t now_ns);
/* Packets to it stay without an answer, or somebody names another MAC: it is asked once more, and
 * stays in use meanwhile. */
void weft_neighbour_doubt(struct weft_roce_port *port, struct weft_neighbour *neighbour);
void weft_neighbour_expired(struct weft_roce_port *port, struct weft_neighbour *neighbour,
                            uint64_t now_ns);
/* An answer is due to one who asked for this port; `address` unspecified: to all. Where too many
 * are, it is left out: he asks again. */
void weft_neighbour_answer_later(struct weft_roce_port *port, const struct weft_ip *address,
                                 const uint8_t mac[6]);

/* Sends what is due: answers, then questions. Returns how many frames were filled. */
uint32_t weft_neighbour_transmit(struct weft_roce_port *port, struct weft_roce_frame *frames,
                                 uint32_t count, uint64_t now_ns);
bool weft_neighbour_pending(const struct weft_roce_port *port);

/* Why a neighbour is FAILED, for the user. */
enum weft_status weft_neighbour_error(const struct weft_roce_port *port,
                                      const struct weft_neighbour *neighbour,
                                      struct weft_error *error);

/* What to add to an error about a peer that does not answer: that another host has this port's
 * address. Empty where none said so. */
#define WEFT_CONFLICT_TEXT 160
const char *weft_neighbour_conflict(const struct weft_roce_port *port,
                                    char text[WEFT_CONFLICT_TEXT]);

#endif
