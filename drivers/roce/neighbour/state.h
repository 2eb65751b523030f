/* SPDX-License-Identifier: BSD-3-Clause */
/* What a port keeps of its neighbours. */
#ifndef WEFT_ROCE_NEIGHBOUR_STATE_H
#define WEFT_ROCE_NEIGHBOUR_STATE_H

#include "drivers/roce/base/list.h"
#include "drivers/roce/base/timer.h"
#include "drivers/roce/packet/interface.h"

#define WEFT_NEIGHBOUR_BUCKETS 256u
#define WEFT_NEIGHBOUR_TRIES 8u
#define WEFT_NEIGHBOURS_MAX (1u << 18)
#define WEFT_NEIGHBOUR_ANSWERS 32u

/* Who has an IP address on this network: its MAC, asked for by ARP or neighbour discovery, or given
 * by hand. */
struct weft_neighbour {
    struct weft_link bucket_link;
    struct weft_link ask_link;     /* among `asks` while a question is to be sent */
    struct weft_link known_link;   /* among `known` while READY, unless fixed */
    struct weft_link changed_link; /* among `changed` until its users are told */
    struct weft_link users;        /* links of those that wait for it or use it */
    struct weft_timer timer;       /* when to ask again */
    struct weft_ip address;
    enum weft_endpoint_state state; /* CONNECTING, READY or FAILED */
    uint32_t tries;                 /* questions without an answer since asking began */
    uint64_t asked_ns;              /* when it began */
    uint64_t checked_ns;            /* READY: when it last answered, or was last asked to */
    uint8_t mac[6];
    bool fixed; /* given by hand: never asked, never learnt, stays as long as the port */
};

/* An answer to a question of a neighbour. */
struct weft_neighbour_answer {
    uint8_t mac[6];
    uint8_t address[16];
    bool to_all; /* IPv6: he who asked has no address yet */
};

struct weft_neighbours {
    /* The port's. */
    const struct weft_interface *interface;
    struct weft_wheel *wheel;
    struct weft_device_counters *counters;

    struct weft_link asks;    /* to whom a question is due */
    struct weft_link known;   /* those that are READY, the one checked first in front */
    struct weft_link changed; /* those whose state or MAC changed: their users are to be told */
    uint64_t refresh_ns;      /* when to look at the first of the known */
    uint64_t report_ns;       /* IPv6: when to report the group that we listen to */
    uint32_t count;
    bool reaches_itself;   /* one has had the port's own MAC */
    uint32_t answers_head; /* next to be written; counts on */
    uint32_t answers_tail;
    struct weft_neighbour_answer answers[WEFT_NEIGHBOUR_ANSWERS];
    struct weft_link buckets[WEFT_NEIGHBOUR_BUCKETS];

    uint64_t conflicts; /* how often another said that it has this port's address */
    uint8_t conflict_mac[6];
};

#endif
