/* SPDX-License-Identifier: BSD-3-Clause */
/* A modelled fabric: NICs that hold a RoCE port, links with a rate and a delay, and switches that
 * store and forward, in virtual time of whole picoseconds. All that happens follows from the
 * topology, the seed and what the ports are asked to do; nothing else is read.
 *
 * A link is two wires, one in each direction: wire 2l goes from the first end of link l to the
 * second, wire 2l + 1 back. A node is a NIC (its index) or a switch (its index behind the NICs').
 *
 * Everything is allocated by create. When all frames of the pool are under way NICs wait before
 * they send more, so the pool bounds the model's memory and drops nothing. */
#ifndef WEFT_SIM_FABRIC_H
#define WEFT_SIM_FABRIC_H

#include "drivers/roce/roce.h"
#include "fabric/topology/topology.h"

/* Preamble 8, FCS 4, gap 12: what a frame takes on an Ethernet line beside its bytes. */
#define WEFT_SIM_LINE_BYTES 24u
#define WEFT_SIM_PAUSE_BYTES 60u /* a PFC frame, without its FCS */
#define WEFT_SIM_PS_PER_NS UINT64_C(1000)
#define WEFT_SIM_NEVER UINT64_MAX

/* What the ports can do. */
#define WEFT_SIM_TRANSPORTS (WEFT_BIT(WEFT_TRANSPORT_COUNT) - 1u)
#define WEFT_SIM_OPERATIONS (WEFT_BIT(WEFT_OPERATION_COUNT) - 1u)

/* Where the topology says nothing. */
#define WEFT_SIM_RATE_BPS UINT64_C(100000000000)
#define WEFT_SIM_DELAY_NS 500u
#define WEFT_SIM_BUFFER_BYTES (UINT64_C(16) << 20)

struct weft_sim_fabric;

enum weft_sim_happening {
    WEFT_SIM_SENT = 0,  /* the first bit is on the wire */
    WEFT_SIM_DELIVERED, /* the last bit has arrived at a NIC */
    WEFT_SIM_FORWARDED, /* stored by a switch for the wire named */
    WEFT_SIM_LOST,      /* a fault: dropped */
    WEFT_SIM_CUT,       /* the link is down */
    WEFT_SIM_OVERFLOWN, /* no room in the switch's buffer */
    WEFT_SIM_STRANDED,  /* nobody has the address, or the NIC is dead */
    WEFT_SIM_SPENT,     /* for all, and there is nobody further on */
    WEFT_SIM_CORRUPTED,
    WEFT_SIM_DUPLICATED,
    WEFT_SIM_REORDERED,
    WEFT_SIM_DELAYED,
    WEFT_SIM_MARKED, /* ECN's CE set */
    WEFT_SIM_PAUSED, /* the wire's sender is told to stop */
    WEFT_SIM_RESUMED,
    WEFT_SIM_HAPPENING_COUNT
};

struct weft_sim_trace {
    uint64_t at_ps;
    enum weft_sim_happening happening;
    uint32_t wire;
    const uint8_t *data; /* NULL: PAUSED, RESUMED */
    uint32_t len_bytes;
};
typedef void (*weft_sim_tracer)(void *context, const struct weft_sim_trace *trace);

struct weft_sim_options {
    const struct weft_topology *topology; /* the caller's; not kept */
    uint32_t mtu_bytes;                   /* the largest path MTU of a port; 0: 4096 */
    uint32_t frames;                      /* of the pool; 0: by the topology */
    uint64_t seed;
    weft_sim_tracer trace; /* NULL: none */
    void *trace_context;
};

/* A switch that cannot keep the promise of its PFC thresholds is refused, with the reason. */
WEFT_CHECKED enum weft_status weft_sim_create(const struct weft_sim_options *options,
                                              struct weft_sim_fabric **ret_fabric,
                                              struct weft_error *error);
/* The ports are the caller's, and must be detached. NULL is taken. */
void weft_sim_destroy(struct weft_sim_fabric *fabric);
void weft_sim_set_trace(struct weft_sim_fabric *fabric, weft_sim_tracer trace, void *context);

/* ---- NICs ---- */

uint32_t weft_sim_nic_count(const struct weft_sim_fabric *fabric);
void weft_sim_nic_mac(uint32_t nic, uint8_t ret_mac[6]);
/* The NIC's address: the topology's, or one made from its index. */
struct weft_ip weft_sim_nic_address(const struct weft_sim_fabric *fabric, uint32_t nic);
uint64_t weft_sim_nic_rate_bps(const struct weft_sim_fabric *fabric, uint32_t nic);
/* From now on the port sends and receives; NULL: none is there. */
void weft_sim_attach(struct weft_sim_fabric *fabric, uint32_t nic, struct weft_roce_port *port);
bool weft_sim_is_attached(const struct weft_sim_fabric *fabric, uint32_t nic);
/* Something was posted or asked for: the NIC looks after its port at this instant. */
void weft_sim_kick(struct weft_sim_fabric *fabric, uint32_t nic);
/* It neither sends nor receives any more. */
void weft_sim_kill(struct weft_sim_fabric *fabric, uint32_t nic);
/* That the NIC sends by; the one that it receives by is this ^ 1. */
uint32_t weft_sim_nic_wire(const struct weft_sim_fabric *fabric, uint32_t nic);
/* The largest path MTU of a port. */
uint32_t weft_sim_mtu_bytes(const struct weft_sim_fabric *fabric);

/* ---- time ---- */

uint64_t weft_sim_now_ps(const struct weft_sim_fabric *fabric);
/* When the next event is; WEFT_SIM_NEVER: there is none. */
uint64_t weft_sim_next_ps(const struct weft_sim_fabric *fabric);
/* Runs the events of this instant. Returns how many. */
uint32_t weft_sim_settle(struct weft_sim_fabric *fabric);
/* Goes on until something happens that the user of a NIC may notice (messages, acknowledgements,
 * timeouts; not the packets of a message's middle), no further than `until_ps`; where no event is
 * left before that, to `until_ps` itself unless it is WEFT_SIM_NEVER. False: nothing moved. */
bool weft_sim_advance(struct weft_sim_fabric *fabric, uint64_t until_ps);

/* ---- faults ---- */

/* On frames that the wire carries, each by its own seed; the kind is that of driver.h. Corruption
 * flips bits that the ICRC covers, in RoCE packets only: the FCS of a real link would catch all.
 * Pause frames have no faults. */
void weft_sim_set_fault(struct weft_sim_fabric *fabric, uint32_t wire,
                        const struct weft_fault_options *fault);
#define WEFT_SIM_CUTS_MAX 4u
/* Both wires of the link carry nothing from start to end. Frames on their way at the start arrive.
 * At most WEFT_SIM_CUTS_MAX a link, one after the other in time. */
void weft_sim_cut_link(struct weft_sim_fabric *fabric, uint32_t link, uint64_t start_ps,
                       uint64_t end_ps);

/* ---- what was counted ---- */

uint32_t weft_sim_wire_count(const struct weft_sim_fabric *fabric);
/* entered + duplicated == arrived + lost + cut + flying; frames to the sender's own NIC are not
 * counted. */
struct weft_sim_wire_counters {
    uint64_t entered, duplicated;
    uint64_t arrived, lost, cut;
    uint64_t flying;
    uint64_t corrupted, reordered, delayed, marked;
    uint64_t bytes;       /* of frames that entered, without line overhead */
    uint64_t queue_bytes; /* now, before the wire; of a NIC always 0 */
    uint64_t queue_most_bytes;
    uint64_t pauses;
};
void weft_sim_wire_counters(const struct weft_sim_fabric *fabric, uint32_t wire,
                            struct weft_sim_wire_counters *ret);

struct weft_sim_nic_counters {
    uint64_t delivered;
    uint64_t delivered_corrupted;
    uint64_t stranded; /* arrived where no port lives, or where it is dead */
};
void weft_sim_nic_counters(const struct weft_sim_fabric *fabric, uint32_t nic,
                           struct weft_sim_nic_counters *ret);

uint32_t weft_sim_switch_count(const struct weft_sim_fabric *fabric);
struct weft_sim_switch_counters {
    uint64_t received; /* frames; == overflown + stranded + spent + queued - copies + left */
    uint64_t copies;   /* made of a frame that goes to many */
    uint64_t spent;    /* went to many, and nobody lies further on */
    uint64_t overflown, stranded;
    uint64_t queued; /* now */
    uint64_t left;   /* given to a wire in whole */
    uint64_t marked;
    uint64_t buffer_bytes, used_bytes, most_bytes;
};
void weft_sim_switch_counters(const struct weft_sim_fabric *fabric, uint32_t index,
                              struct weft_sim_switch_counters *ret);

/* Counts everything again from the queues themselves: each frame is in one place, what entered has
 * left or is there, buffers hold what they say. The error says what is wrong. */
WEFT_CHECKED enum weft_status weft_sim_audit(const struct weft_sim_fabric *fabric,
                                             struct weft_error *error);

#endif
