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
 * Every op is set in every driver: what a driver lacks returns WEFT_UNSUPPORTED with an error, and
 * its capabilities say so beforehand. */
#ifndef WEFT_DRIVER_H
#define WEFT_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "fabric/base/error.h"

enum weft_transport {
    WEFT_TRANSPORT_RC = 0, /* reliable connection: ordered messages and RDMA, one peer */
    WEFT_TRANSPORT_UD,     /* unreliable datagram: one packet a message, any peer */
    WEFT_TRANSPORT_COUNT
};

enum weft_operation {
    WEFT_OPERATION_SEND = 0,
    WEFT_OPERATION_WRITE,           /* RDMA WRITE: the peer's memory, no completion there */
    WEFT_OPERATION_WRITE_IMMEDIATE, /* RDMA WRITE that takes one of the peer's receives */
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
    uint32_t operations; /* WEFT_BIT(enum weft_operation), on RC */
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
};

struct weft_device_options {
    const char *device; /* the driver's name of it: "loopback", an EAL device string, "mlx5_0" */
    struct weft_ip address; /* version 0: the driver chooses, or the device has one */
    struct weft_ip gateway; /* version 0: none */
    uint32_t mtu_bytes; /* 256 .. 4096, the path MTU wanted; 0: the largest that the device has */
    uint32_t max_endpoints; /* how many will be made at most */
    uint32_t max_regions;
    uint64_t seed;         /* queue pair numbers, packet sequence numbers, keys */
    const char *pcap_path; /* NULL: no capture */
};

/* What a peer must know to reach an endpoint. Travels through the controller. */
struct weft_endpoint_address {
    uint8_t gid[16]; /* IPv4 as ::ffff:a.b.c.d */
    uint32_t qpn;    /* 24 bits */
    uint32_t psn;    /* the first that this end sends, 24 bits */
    uint32_t qkey;   /* UD */
    uint32_t mtu_bytes;
    uint16_t lid; /* InfiniBand; 0 on RoCE */
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
    uint32_t immediate; /* WRITE_IMMEDIATE; host order */
    uint64_t remote_address;
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
struct weft_device_counters {
    uint64_t sent_packets, sent_bytes; /* on the line, with headers */
    uint64_t received_packets, received_bytes;
    uint64_t retransmitted_packets;
    uint64_t duplicate_packets;    /* arrived again */
    uint64_t out_of_order_packets; /* ahead of what was expected */
    uint64_t timeouts;             /* acknowledgement timer ran out */
    uint64_t rnr_naks_received, sequence_naks_received;
    uint64_t malformed_packets, icrc_errors;
    uint64_t receive_dropped;    /* the NIC's or ring's: no buffer, no room */
    uint64_t unexpected_packets; /* well formed, but for no endpoint here, or not RoCE */
};

/* Counts of one endpoint: payload that has reached memory, whether or not its message is whole. */
struct weft_endpoint_counters {
    uint64_t received_payload_bytes;
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

/* What a process does once before the first device of a driver is opened. */
struct weft_driver_start {
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
     * or permit. */
    enum weft_status (*start)(const struct weft_driver_start *start, struct weft_error *error);
    void (*stop)(void);

    /* Looks; changes nothing that lasts. May be called without start. */
    void (*list)(weft_device_visitor visit, void *context);

    enum weft_status (*open)(const struct weft_device_options *options,
                             struct weft_device **ret_device, struct weft_error *error);
    /* All endpoints, queues and regions must be gone. NULL is taken. */
    void (*close)(struct weft_device *device);
    void (*capabilities)(const struct weft_device *device, struct weft_capabilities *ret);
    const struct weft_device_counters *(*counters)(const struct weft_device *device);
    /* The device in words for the result: model, firmware, GID, path MTU. Lives with the device. */
    const char *(*describe)(const struct weft_device *device);

    /* All input and output of the device: takes in, answers, times out, retransmits, sends what was
     * posted, and fills completion queues. Bounded; never blocks. Returns how much it found to do:
     * 0 is idle. */
    uint32_t (*progress)(struct weft_device *device, uint64_t now_ns);
    /* Slow work off the worker's path (writing the capture). Control thread only. */
    enum weft_status (*service)(struct weft_device *device, struct weft_error *error);

    enum weft_status (*region_register)(struct weft_device *device, void *memory,
                                        uint64_t len_bytes, struct weft_region *ret_region,
                                        struct weft_error *error);
    void (*region_deregister)(struct weft_device *device, struct weft_region *region);

    /* Must hold every work that may be outstanding on its endpoints: it never overflows. */
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

    /* UD: a peer to send to. Usable once ready returns READY. */
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
};

#endif
