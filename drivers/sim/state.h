/* SPDX-License-Identifier: BSD-3-Clause */
/* What a fabric is made of, visible to the files of this folder. */
#ifndef WEFT_SIM_STATE_H
#define WEFT_SIM_STATE_H

#include <assert.h>

#include "drivers/sim/fabric.h"
#include "fabric/base/random.h"
#include "fabric/topology/route.h"

#define WEFT_SIM_NONE UINT32_MAX

/* A list of frames, first in, first out. */
struct weft_sim_queue {
    uint32_t head, tail; /* WEFT_SIM_NONE: empty */
    uint32_t count;
    uint64_t bytes, most_bytes;
};

/* Whether a pause frame is to be sent to the other end, or which state it was told last. */
enum weft_sim_pause {
    WEFT_SIM_RUN = 0,
    WEFT_SIM_PAUSE,
};

struct weft_sim_frame {
    uint32_t next; /* in its queue, or in the pool */
    uint32_t len_bytes;
    uint32_t from_wire; /* that brought it to the switch where it waits; NONE: made there */
    uint32_t on_wire;   /* that it flies on */
    uint8_t place;      /* enum weft_sim_place */
    bool corrupted;
    bool is_pause;
    uint8_t pause; /* enum weft_sim_pause */
};

enum weft_sim_place {
    WEFT_SIM_FREE = 0,
    WEFT_SIM_HELD, /* by the code that runs */
    WEFT_SIM_QUEUED,
    WEFT_SIM_SENDING,
    WEFT_SIM_FLYING,
};

struct weft_sim_cut {
    uint64_t start_ps, end_ps;
};

struct weft_sim_wire {
    uint32_t from, to; /* nodes */
    uint64_t rate_bps;
    uint64_t delay_ps;
    uint64_t end_ps;    /* of the last frame that it carried */
    uint64_t remainder; /* what is left of its division, in parts of the rate */
    uint32_t sending;   /* a frame; NONE: idle */
    bool paused;        /* by the node that it leads to */
    bool floods;        /* it belongs to the tree of frames for all */
    uint8_t wanted;     /* enum weft_sim_pause that the other end is to know */
    uint8_t told;
    struct weft_sim_queue queue;
    uint64_t stored_bytes; /* in the switch at its end, of what it brought there */
    struct weft_fault_options fault;
    struct weft_random random;
    uint32_t cut_count;
    struct weft_sim_cut cuts[WEFT_SIM_CUTS_MAX];
    struct weft_sim_wire_counters counters;
};

struct weft_sim_switch {
    char *name;
    uint32_t first_port, port_count;       /* in weft_sim_fabric.ports: the wires that leave it */
    uint64_t ecn_min_bytes, ecn_max_bytes; /* max 0: no marking */
    uint64_t ecn_probability;              /* of 2^32, at the maximum */
    uint64_t xoff_bytes, xon_bytes;        /* xoff 0: no pausing */
    uint64_t salt;                         /* of its hash */
    struct weft_random random;
    struct weft_sim_switch_counters counters;
};

struct weft_sim_nic {
    struct weft_roce_port *port; /* NULL: none */
    struct weft_ip address;
    uint64_t rate_bps;
    uint32_t out; /* wire */
    bool dead;
    struct weft_sim_nic_counters counters;
};

/* Every thing that can have an event has one place for it, so that their number is bounded:
 * NICs, then wires, then frames. */
struct weft_sim_events {
    uint32_t count; /* in the heap */
    uint32_t slots;
    uint32_t *heap;      /* slots, the earliest first */
    uint32_t *positions; /* of each slot in the heap; NONE: not there */
    uint64_t *at_ps;
    uint64_t *order; /* by which those of the same time follow each other */
};

struct weft_sim_fabric {
    uint64_t now_ps;
    uint32_t nic_count, switch_count, wire_count, frame_count;
    struct weft_sim_nic *nics;
    struct weft_sim_switch *switches;
    struct weft_sim_wire *wires;
    struct weft_routes *graph; /* the topology's: the same nodes and wires */
    const uint32_t *ports;     /* its */
    /* From a switch to a NIC: which wires lead there the shortest way. */
    uint32_t *route_starts; /* [switch * nics + nic], and one behind the last */
    uint32_t *routes;
    struct weft_sim_events events;
    struct weft_sim_frame *frames;
    uint8_t *frame_bytes;
    uint32_t frame_stride;
    uint32_t mtu_bytes;
    uint32_t frame_free; /* the first free one */
    uint32_t frames_left;
    uint32_t frames_reserved; /* for pause frames */
    bool starved;             /* somebody waits for a free frame */
    bool has_news;
    weft_sim_tracer trace;
    void *trace_context;
};

static inline uint64_t weft_sim_now_ns(const struct weft_sim_fabric *fabric)
{
    return fabric->now_ps / WEFT_SIM_PS_PER_NS;
}

static inline uint32_t weft_sim_wire_slot(const struct weft_sim_fabric *fabric, uint32_t wire)
{
    return fabric->nic_count + wire;
}

static inline uint32_t weft_sim_frame_slot(const struct weft_sim_fabric *fabric, uint32_t frame)
{
    return fabric->nic_count + fabric->wire_count + frame;
}

static inline uint8_t *weft_sim_frame_data(const struct weft_sim_fabric *fabric, uint32_t frame)
{
    return fabric->frame_bytes + (uint64_t)frame * fabric->frame_stride;
}

static inline void weft_sim_tell(const struct weft_sim_fabric *fabric,
                                 enum weft_sim_happening happening, uint32_t wire, uint32_t frame)
{
    if (!fabric->trace)
        return;
    bool bare = frame == WEFT_SIM_NONE;
    const struct weft_sim_trace trace = {
        .at_ps = fabric->now_ps,
        .happening = happening,
        .wire = wire,
        .data = bare ? NULL : weft_sim_frame_data(fabric, frame),
        .len_bytes = bare ? 0 : fabric->frames[frame].len_bytes,
    };
    fabric->trace(fabric->trace_context, &trace);
}

/* ---- event.c ---- */

WEFT_CHECKED bool weft_sim_events_init(struct weft_sim_events *events, uint32_t slots);
void weft_sim_events_fini(struct weft_sim_events *events);
/* Moves it where it is set already. `whose` stands for the NIC, wire or frame on a wire that it
 * happens to, the same in every run. */
void weft_sim_event_set(struct weft_sim_events *events, uint32_t slot, uint32_t whose,
                        uint64_t at_ps);
/* Only where it is not set, or set for later. */
void weft_sim_event_hasten(struct weft_sim_events *events, uint32_t slot, uint64_t at_ps);
/* Takes out the earliest; there must be one. */
uint32_t weft_sim_event_take(struct weft_sim_events *events);
static inline uint64_t weft_sim_event_next_ps(const struct weft_sim_events *events)
{
    return events->count ? events->at_ps[events->heap[0]] : WEFT_SIM_NEVER;
}

/* ---- frame.c ---- */

/* NONE: the pool has only those left that are set aside; the caller is woken by a kick. */
uint32_t weft_sim_frame_take(struct weft_sim_fabric *fabric, bool is_pause);
void weft_sim_frame_free(struct weft_sim_fabric *fabric, uint32_t frame);
void weft_sim_queue_put(struct weft_sim_fabric *fabric, struct weft_sim_queue *queue,
                        uint32_t frame);
uint32_t weft_sim_queue_take(struct weft_sim_fabric *fabric, struct weft_sim_queue *queue);

/* ---- wire.c ---- */

static inline bool weft_sim_wire_idle(const struct weft_sim_wire *wire)
{
    return wire->sending == WEFT_SIM_NONE;
}
#define WEFT_SIM_PS_PER_S UINT64_C(1000000000000)
/* What a frame of `len_bytes` takes on the line, in parts: a picosecond is `rate_bps` of them. */
static inline uint64_t weft_sim_line_parts(uint32_t len_bytes)
{
    return (uint64_t)(len_bytes + WEFT_SIM_LINE_BYTES) * 8 * WEFT_SIM_PS_PER_S;
}
/* The wire must be idle. */
void weft_sim_wire_send(struct weft_sim_fabric *fabric, uint32_t wire, uint32_t frame);
/* The last bit is out. */
void weft_sim_wire_sent(struct weft_sim_fabric *fabric, uint32_t wire);
/* The last bit is in. */
void weft_sim_wire_arrived(struct weft_sim_fabric *fabric, uint32_t frame);
/* Takes the next frame, where there is one and the wire is idle. */
void weft_sim_wire_next(struct weft_sim_fabric *fabric, uint32_t wire);
/* The node at the other end of the reverse wire is to stop, or to go on. */
void weft_sim_wire_want(struct weft_sim_fabric *fabric, uint32_t wire, enum weft_sim_pause wanted);

/* ---- fault.c ---- */

/* A frame whose last bit has left: it flies, perhaps twice, or is gone. */
void weft_sim_fly(struct weft_sim_fabric *fabric, uint32_t wire, uint32_t frame);

/* ---- switch.c ---- */

void weft_sim_switch_receive(struct weft_sim_fabric *fabric, uint32_t index, uint32_t wire,
                             uint32_t frame);
/* The frame has left the buffer by `wire`. */
void weft_sim_switch_release(struct weft_sim_fabric *fabric, uint32_t index,
                             const struct weft_sim_frame *frame);
/* Checks the switches' thresholds against their buffers. */
WEFT_CHECKED enum weft_status weft_sim_switch_check(const struct weft_sim_fabric *fabric,
                                                    const struct weft_sim_switch *a_switch,
                                                    struct weft_error *error);

/* ---- packet.c ---- */

/* What a frame's headers say to switches. */
struct weft_sim_packet {
    uint8_t *ip; /* NULL: not IP */
    uint8_t *udp;
    uint8_t *bth; /* NULL: not RoCE */
    bool is_ipv6;
};
void weft_sim_packet_read(uint8_t *data, uint32_t len_bytes, struct weft_sim_packet *ret);
/* The five numbers that tell flows apart, or the MAC addresses. */
uint64_t weft_sim_packet_hash(const uint8_t *data, const struct weft_sim_packet *packet,
                              uint64_t salt);
/* Sets CE where the sender said that it is ECN-capable, and corrects the checksum. */
bool weft_sim_packet_mark(const struct weft_sim_packet *packet);
/* Flips bits that the ICRC covers. False: there are none. */
bool weft_sim_packet_corrupt(uint8_t *data, uint32_t len_bytes, struct weft_random *random);
/* Which NIC has the address; NONE: none, and `ret_many` says whether it is a group's. */
uint32_t weft_sim_mac_nic(const struct weft_sim_fabric *fabric, const uint8_t mac[6],
                          bool *ret_many);

/* ---- nic.c ---- */

void weft_sim_nic_receive(struct weft_sim_fabric *fabric, uint32_t nic, uint32_t wire,
                          uint32_t frame);
/* Sends the port's next frame if the wire is free, and sees when to look again. */
void weft_sim_nic_run(struct weft_sim_fabric *fabric, uint32_t nic);

/* ---- route.c ---- */

WEFT_CHECKED bool weft_sim_route_build(struct weft_sim_fabric *fabric);

#endif
