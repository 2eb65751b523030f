/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has which address on this network: asked for, asked for again with back-off, learnt. */
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

/* Somebody says where an address is: updates a neighbour that paths wait for or use. Never makes
 * one: strangers cannot fill the table. */
void weft_neighbour_learn(struct weft_roce_port *port, const struct weft_ip *address,
                          const uint8_t mac[6]);
/* An answer is due to one who asked for this port. Where too many are, it is left out: he asks
 * again. */
void weft_neighbour_answer_later(struct weft_roce_port *port, const struct weft_ip *address,
                                 const uint8_t mac[6]);
/* Packets to it stay without an answer: perhaps it has another MAC now. It is asked once more, and
 * stays in use meanwhile. */
void weft_neighbour_doubt(struct weft_roce_port *port, struct weft_neighbour *neighbour);
void weft_neighbour_expired(struct weft_roce_port *port, struct weft_neighbour *neighbour);

/* Sends what is due: answers, then questions. Returns how many frames were filled. */
uint32_t weft_neighbour_transmit(struct weft_roce_port *port, struct weft_roce_frame *frames,
                                 uint32_t count, uint64_t now_ns);
bool weft_neighbour_pending(const struct weft_roce_port *port);

/* All that are left, which nobody uses: when the port goes. */
void weft_neighbours_free(struct weft_roce_port *port);

/* Why a neighbour is FAILED, for the user. */
enum weft_status weft_neighbour_error(const struct weft_roce_port *port,
                                      const struct weft_neighbour *neighbour,
                                      struct weft_error *error);

#endif
