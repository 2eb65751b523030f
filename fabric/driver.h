/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver contract: what moves bytes for a rank. The words are libibverbs' own: device, region
 * (MR), completion queue, endpoint (queue pair), post, poll.
 *
 * Threads: a device and all that is made on it belong to one thread at a time. The control thread
 * sets it up and tears it down; in between, the worker that was given it calls progress, post and
 * poll. Only `service` is called by the control thread while a worker runs.
 *
 * Time: `now_ns` is the caller's clock, rising. Nothing here reads a clock of its own for a figure.
 *
 * Every op is set in every driver's table: what the driver does not name there is set by
 * WEFT_DRIVER_DEFAULTS (fabric/driver/default.h), which is marked here. What a driver lacks returns
 * WEFT_UNSUPPORTED with an error, and its capabilities say so beforehand. */
#ifndef WEFT_DRIVER_H
#define WEFT_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "fabric/base/error.h"

enum weft_transport {
    WEFT_TRANSPORT_RC = 0, /* reliable connection: ordered messages and RDMA, one peer */
    WEFT_TRANSPORT_UD,     /* unreliable datagram: one packet a message, any peer */
    WEFT_TRANSPORT_UC,     /* unreliable connection: messages and RDMA WRITE, no acknowledgement */
    WEFT_TRANSPORT_COUNT
};

enum weft_operation {
    WEFT_OPERATION_SEND = 0,
    WEFT_OPERATION_WRITE,           /* RDMA WRITE: the peer's memory, no completion there */
    WEFT_OPERATION_WRITE_IMMEDIATE, /* RDMA WRITE that takes one of the peer's receives */
    WEFT_OPERATION_SEND_IMMEDIATE,
    WEFT_OPERATION_READ,         /* RDMA READ: the peer's memory into `memory` */
    WEFT_OPERATION_COMPARE_SWAP, /* 8 bytes of the peer's, aligned; what they were into `memory` */
    WEFT_OPERATION_FETCH_ADD,    /* the same */
    WEFT_OPERATION_RECEIVE,
    WEFT_OPERATION_COUNT
};

#define WEFT_BIT(value) (1u << (unsigned)(value))

/* The most bytes of one message, whatever a driver could do (IBTA allows 2^31). */
#define WEFT_MESSAGE_BYTES_MAX (UINT64_C(1) << 30)
/* What a UD receive puts before the payload: room for a GRH (IBTA vol. 1, 11.4.1.2). */
#define WEFT_GRH_BYTES 40u

/* An address of the IP kind; IPv4 lies in the first 4 bytes. */
struct weft_ip {
    uint8_t version; /* 4, 6, or 0: none */
    uint8_t prefix_bits;
    uint8_t bytes[16]; /* network order */
};

struct weft_capabilities {
    uint32_t transports; /* WEFT_BIT(enum weft_transport) */
    uint32_t operations; /* WEFT_BIT(enum weft_operation), on RC; UC has the SENDs and WRITEs, UD
                            the SENDs */
    uint32_t max_read_depth; /* READs and atomics outstanding on an endpoint; 0: none */
    uint64_t max_message_bytes;
    uint32_t max_inline_bytes; /* 0: no inline */
    uint32_t max_send_depth;
    uint32_t max_receive_depth;
    uint32_t max_cq_depth;
    uint32_t max_endpoints;
    uint32_t mtu_bytes;     /* path MTU, payload bytes a packet */
    uint64_t line_rate_bps; /* 0: not known */
    int32_t numa_node;      /* -1: not known */
    uint64_t header_bytes;  /* what a packet carries beside its payload on the line; 0: unknown */
    bool in_process;        /* it reaches devices of this process only, through memory */
    bool polled;            /* software moves its packets, by progress, in the machine's time */
};

/* What is done, on purpose and from a seed, to the frames that a device sends: to see what the
 * other end does about it. Shares are of frames, 0 to 1, each drawn by itself. Zeroed: nothing. */
struct weft_fault_options {
    double drop, corrupt, duplicate, reorder, delay, mark; /* mark: set ECN's CE */
    uint64_t delay_ns;       /* by which a delayed frame is late; 0: a default */
    uint32_t reorder_frames; /* how many frames overtake a reordered one; 0: a default */
    uint64_t seed;
};

static inline bool weft_fault_is_on(const struct weft_fault_options *fault)
{
    return fault->drop > 0 || fault->corrupt > 0 || fault->duplicate > 0 || fault->reorder > 0 ||
           fault->delay > 0 || fault->mark > 0;
}

enum weft_congestion_control {
    WEFT_CONGESTION_NONE = 0,
    WEFT_CONGESTION_DCQCN, /* Zhu et al., SIGCOMM 2015 */
};

/* Zeroed: none. With a control on, packets are sent ECN-capable. A 0 among the parameters is their
 * default (drivers/roce/congestion/dcqcn.h). */
struct weft_congestion_options {
    enum weft_congestion_control control;
    uint64_t line_rate_bps; /* where a queue pair starts and what it never exceeds */
    uint64_t minimum_rate_bps;
    uint64_t additive_rate_bps;   /* a step of additive increase */
    uint64_t hyper_rate_bps;      /* a step of hyper increase */
    uint64_t alpha_period_ns;     /* without a CNP for so long alpha decays */
    uint64_t decrease_period_ns;  /* at most one decrease in it */
    uint64_t increase_period_ns;  /* the increase timer */
    uint64_t increase_bytes;      /* the increase byte counter */
    uint32_t fast_recovery_steps; /* F: before additive increase begins */
    uint32_t alpha_shift;         /* g = 1 / 2^alpha_shift */
    uint64_t cnp_period_ns;       /* at most one CNP a queue pair in it */
};

#define WEFT_VLAN_NONE 0u

struct weft_device_options {
    const char *device; /* the driver's name of it: "loopback", an EAL device string, "mlx5_0" */
    struct weft_ip address; /* version 0: the driver chooses, or the device has one */
    struct weft_ip gateway; /* version 0: none */
    uint32_t mtu_bytes; /* 256 .. 4096, the path MTU wanted; 0: the largest that the device has */
    uint32_t max_endpoints; /* how many will be made at most */
    uint32_t max_regions;
    uint64_t seed;         /* queue pair numbers, packet sequence numbers, keys */
    uint16_t vlan_id;      /* 1 .. 4094: an 802.1Q tag on all that is sent; WEFT_VLAN_NONE */
    uint8_t vlan_priority; /* 0 .. 7 */
    uint8_t traffic_class; /* DSCP << 2; the ECN bits are the congestion control's */
    uint64_t rate_bps;     /* what one endpoint sends at most, frames' bytes; 0: no limit */
    struct weft_congestion_options congestion;
    struct weft_fault_options fault;
    const char *pcap_path;  /* NULL: no capture */
    uint64_t utc_offset_ns; /* a capture's time since 1970 is `now_ns` plus this */
};

/* What a peer must know to reach an endpoint. Travels through the controller. */
struct weft_endpoint_address {
    uint8_t gid[16]; /* IPv4 as ::ffff:a.b.c.d */
    uint32_t qpn;    /* 24 bits */
    uint32_t psn;    /* the first that this end sends, 24 bits */
    uint32_t qkey;   /* UD */
    uint32_t mtu_bytes;
    uint16_t lid;        /* InfiniBand; 0 on RoCE */
    uint16_t read_depth; /* READs and atomics that this end takes at a time */
};

struct weft_region {
    void *memory; /* the caller's, which must outlive the region */
    uint64_t len_bytes;
    uint32_t lkey;
    uint32_t rkey;
    void *driver_data;
};

struct weft_endpoint_options {
    enum weft_transport transport;
    struct weft_cq *cq;  /* completions of both directions */
    uint32_t send_depth; /* works posted and not yet completed */
    uint32_t receive_depth;
    uint32_t inline_bytes; /* sends up to this may be given unregistered memory; clamped */
    uint32_t read_depth;   /* READs and atomics outstanding, and taken, at a time; clamped */
    uint16_t source_port;  /* UDP: the flow's entropy; 0: from the queue pair numbers */
    uint64_t user;         /* comes back in each completion */
};

/* A send, write or receive. For a receive only id, memory, lkey and len_bytes count; a receive
 * that only WRITE_IMMEDIATE will take may have len_bytes 0. */
struct weft_work {
    uint64_t id;
    void *memory;
    uint32_t lkey;
    uint32_t len_bytes;
    enum weft_operation operation;
    uint32_t immediate; /* SEND_IMMEDIATE, WRITE_IMMEDIATE; host order */
    uint64_t remote_address;
    uint64_t compare; /* COMPARE_SWAP; host order, as the 8 bytes in memory are */
    uint64_t operand; /* COMPARE_SWAP: what is put there; FETCH_ADD: what is added */
    uint32_t rkey;
    bool inlined;    /* the memory is read before post returns; len_bytes <= the inline limit */
    bool unsignaled; /* no completion unless it fails */
    const struct weft_destination *destination; /* UD */
};

struct weft_completion {
    uint64_t id;
    uint64_t user; /* the endpoint's */
    enum weft_status status;
    enum weft_operation
        operation;      /* what completed: a receive taken by WRITE_IMMEDIATE is RECEIVE */
    uint32_t len_bytes; /* received; for UD with the GRH */
    uint32_t immediate;
    bool has_immediate;
    uint32_t vendor_error; /* the device's raw code where status is not WEFT_OK */
};

/* Counts since the device was opened; monotonic. The driver writes them, anyone reads. */
#define WEFT_DEVICE_COUNTERS(X)                                                           \
    X(sent_packets) /* on the line */                                                     \
    X(sent_bytes)   /* with headers */                                                    \
    X(received_packets)                                                                   \
    X(received_bytes)                                                                     \
    X(retransmitted_packets)                                                              \
    X(duplicate_packets)    /* arrived again */                                           \
    X(out_of_order_packets) /* ahead of what was expected */                              \
    X(timeouts)             /* acknowledgement timer ran out */                           \
    X(rnr_naks_received)                                                                  \
    X(sequence_naks_received)                                                             \
    X(malformed_packets)                                                                  \
    X(icrc_errors)                                                                        \
    X(receive_dropped)           /* the NIC's or ring's: no buffer, no room */            \
    X(unexpected_packets)        /* well formed, but for no endpoint here, or not RoCE */ \
    X(congestion_marked_packets) /* arrived with ECN's CE */                              \
    X(cnps_sent)                 /* congestion notification packets */                    \
    X(cnps_received)                                                                      \
    X(unroutable_packets) /* sent to a MAC that nobody has: loopback's switch drops */    \
    X(pauses)             /* loopback's switch waited for a full receiver, so often */    \
    X(injected_dropped)   /* what weft_fault_options did to frames sent */                \
    X(injected_corrupted)                                                                 \
    X(injected_duplicated)                                                                \
    X(injected_reordered)                                                                 \
    X(injected_delayed)                                                                   \
    X(injected_marked)

struct weft_device_counters {
#define WEFT_COUNTER_FIELD(name) uint64_t name;
    WEFT_DEVICE_COUNTERS(WEFT_COUNTER_FIELD)
#undef WEFT_COUNTER_FIELD
    /* WEFT_BIT of each field, in this order, that the device counts; the others mean nothing. */
    uint64_t counted;
};

enum weft_device_counter {
#define WEFT_COUNTER_INDEX(name) WEFT_COUNTER_##name,
    WEFT_DEVICE_COUNTERS(WEFT_COUNTER_INDEX)
#undef WEFT_COUNTER_INDEX
    WEFT_COUNTER_COUNT
};
#define WEFT_COUNTED_ALL (WEFT_BIT(WEFT_COUNTER_COUNT) - 1u)
/* A device without fault injection has injected nothing, and can say so. */
#define WEFT_COUNTED_INJECTED                                                                 \
    (WEFT_BIT(WEFT_COUNTER_injected_dropped) | WEFT_BIT(WEFT_COUNTER_injected_corrupted) |    \
     WEFT_BIT(WEFT_COUNTER_injected_duplicated) | WEFT_BIT(WEFT_COUNTER_injected_reordered) | \
     WEFT_BIT(WEFT_COUNTER_injected_delayed) | WEFT_BIT(WEFT_COUNTER_injected_marked))

/* Counts of one endpoint: payload that has reached memory, whether or not its message is whole. */
struct weft_endpoint_counters {
    uint64_t received_payload_bytes;
    uint64_t rate_bps;       /* what congestion control lets it send now; 0: no control */
    uint64_t least_rate_bps; /* the lowest that it ever was */
};

enum weft_endpoint_state {
    WEFT_ENDPOINT_NEW = 0,
    WEFT_ENDPOINT_CONNECTING, /* the address of the peer is being resolved */
    WEFT_ENDPOINT_READY,
    WEFT_ENDPOINT_FAILED,
};

/* One line of `weft devices`. Strings live during the call only. */
struct weft_device_description {
    const char *name;
    const char *detail;    /* "RoCE v2, 100 Gbps, NUMA 0, GID ::ffff:10.0.0.1" */
    const char *hindrance; /* NULL: usable; else what is in the way and what to do */
};
typedef void (*weft_device_visitor)(void *context, const struct weft_device_description *device);

struct weft_device;
struct weft_cq;
struct weft_endpoint;
struct weft_destination;

struct weft_topology;

/* What a process does once before the first device of a driver is opened. */
struct weft_driver_start {
    /* All of it, where this process runs every rank of it: what sim models. NULL: it does not. */
    const struct weft_topology *topology;
    uint64_t seed;         /* of what is drawn in all of it */
    uint32_t device_count; /* how many will be opened at most */
    uint32_t mtu_bytes;    /* the largest wanted */
    uint32_t worker_count;
    const uint32_t *worker_cpus; /* NULL: not pinned */
    bool verbose;                /* let a library's own messages through */
};

struct weft_driver {
    const char *name;
    const char *summary; /* one line for help */

    /* Once a process; may allocate, may not be undone before stop. An error says what to install
     * or permit. Default: nothing. */
    enum weft_status (*start)(const struct weft_driver_start *start, struct weft_error *error);
    /* Ends it, once all its devices are closed. An error says what did not reach its place, such as
     * packets of a capture. */
    enum weft_status (*stop)(struct weft_error *error);

    /* NULL, both, the default: its time is the machine's. Else the driver's own clock is `now` for
     * whatever polls its devices, and it stands still between two calls of advance, which goes on
     * to the next thing that happens, no further than `until_ns` (UINT64_MAX: no limit). False:
     * nothing will happen by then. */
    uint64_t (*clock_ns)(void);
    bool (*advance)(uint64_t until_ns);

    /* Looks; changes nothing that lasts. May be called without start. */
    void (*list)(weft_device_visitor visit, void *context);

    enum weft_status (*open)(const struct weft_device_options *options,
                             struct weft_device **ret_device, struct weft_error *error);
    /* All endpoints, queues and regions must be gone. NULL is taken. */
    void (*close)(struct weft_device *device);
    void (*capabilities)(const struct weft_device *device, struct weft_capabilities *ret);
    /* Default: nothing is counted. */
    const struct weft_device_counters *(*counters)(const struct weft_device *device);
    /* The device in words for the result: model, firmware, GID, path MTU. Lives with the device.
     * Default: "". */
    const char *(*describe)(const struct weft_device *device);

    /* All input and output of the device: takes in, answers, times out, retransmits, sends what was
     * posted, and fills completion queues. Bounded; never blocks. Returns how much it found to do:
     * 0 is idle. */
    uint32_t (*progress)(struct weft_device *device, uint64_t now_ns);
    /* Slow work off the worker's path (writing the capture). Control thread only. Default: none. */
    enum weft_status (*service)(struct weft_device *device, struct weft_error *error);

    enum weft_status (*region_register)(struct weft_device *device, void *memory,
                                        uint64_t len_bytes, struct weft_region *ret_region,
                                        struct weft_error *error);
    void (*region_deregister)(struct weft_device *device, struct weft_region *region);

    /* Must hold every work that may be outstanding on its endpoints: it never overflows. Default,
     * these three: a ring in memory. */
    enum weft_status (*cq_create)(struct weft_device *device, uint32_t depth,
                                  struct weft_cq **ret_cq, struct weft_error *error);
    void (*cq_destroy)(struct weft_device *device, struct weft_cq *cq);
    /* Takes what progress has put there. Memory only, no I/O: a completion taken after
     * progress(now) had happened by the time progress returned. */
    uint32_t (*cq_poll)(struct weft_cq *cq, struct weft_completion *completions, uint32_t count);

    enum weft_status (*endpoint_create)(struct weft_device *device,
                                        const struct weft_endpoint_options *options,
                                        struct weft_endpoint **ret_endpoint,
                                        struct weft_error *error);
    void (*endpoint_destroy)(struct weft_device *device, struct weft_endpoint *endpoint);
    void (*endpoint_address)(const struct weft_endpoint *endpoint,
                             struct weft_endpoint_address *ret_address);
    /* RC: starts; the state becomes READY or FAILED by progress. Receives may be posted before. */
    enum weft_status (*endpoint_connect)(struct weft_endpoint *endpoint,
                                         const struct weft_endpoint_address *peer,
                                         struct weft_error *error);
    /* On FAILED the error says why ("no answer to ARP for 10.0.0.2"); error may be NULL. */
    enum weft_endpoint_state (*endpoint_state)(const struct weft_endpoint *endpoint,
                                               struct weft_error *error);
    const struct weft_endpoint_counters *(*endpoint_counters)(const struct weft_endpoint *endpoint);

    /* UD: a peer to send to. Usable once its state is READY. Default, these three: no datagrams. */
    enum weft_status (*destination_create)(struct weft_endpoint *endpoint,
                                           const struct weft_endpoint_address *peer,
                                           struct weft_destination **ret_destination,
                                           struct weft_error *error);
    enum weft_endpoint_state (*destination_state)(const struct weft_destination *destination,
                                                  struct weft_error *error);
    void (*destination_destroy)(struct weft_endpoint *endpoint,
                                struct weft_destination *destination);

    /* Return how many were taken, from the first on; fewer where the queue is full. Posting what
     * the capabilities rule out (a length, an inline) is a bug of the caller: it asserts. */
    uint32_t (*post_send)(struct weft_endpoint *endpoint, const struct weft_work *works,
                          uint32_t count);
    uint32_t (*post_receive)(struct weft_endpoint *endpoint, const struct weft_work *works,
                             uint32_t count);

    /* Takes weft_device_options.fault; where not, open refuses one. Default: it does not. Behind
     * the ops. */
    bool injects_faults;
    /* Takes rate_bps and congestion; where not, open refuses them. Default: it does not. */
    bool paces;
};

#endif
