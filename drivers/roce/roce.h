/* SPDX-License-Identifier: BSD-3-Clause */
/* The RoCEv2 transport (IBTA Annex A17 over vol. 1 chapter 9) as a pure state machine: Ethernet
 * frames in, Ethernet frames out, `now`. One port is one address on one Ethernet interface, with
 * its queue pairs, regions, completion queues and neighbours. It does no I/O, reads no clock, and
 * allocates only in the create and register functions. One thread at a time. */
#ifndef WEFT_ROCE_ROCE_H
#define WEFT_ROCE_ROCE_H

#include "fabric/driver.h"

/* Ethernet 14, VLAN tag 4, IPv4 20 or IPv6 40, UDP 8, BTH 12, AtomicETH 28, ICRC 4, pad 3. */
#define WEFT_ROCE_OVERHEAD_MAX 116u
#define WEFT_ROCE_FRAME_MAX (WEFT_ROCE_OVERHEAD_MAX + 4096u)

/* Limits, for the driver's capabilities. */
#define WEFT_ROCE_QPS_MAX (1u << 16)
#define WEFT_ROCE_REGIONS_MAX (1u << 16)
#define WEFT_ROCE_QUEUE_DEPTH_MAX (1u << 16)
#define WEFT_ROCE_CQ_DEPTH_MAX (1u << 22)
#define WEFT_ROCE_INLINE_MAX 256u
#define WEFT_ROCE_READ_DEPTH_MAX 16u
#define WEFT_ROCE_WINDOW_MAX (1u << 20)

struct weft_roce_port;
struct weft_roce_cq;
struct weft_roce_qp;
struct weft_roce_destination;

struct weft_roce_port_options {
    uint8_t mac[6];
    struct weft_ip address; /* version 4 or 6, with prefix */
    struct weft_ip gateway; /* version 0: none */
    uint16_t udp_port;      /* 0: 4791 */
    uint32_t mtu_bytes;     /* path MTU: 256, 512, 1024, 2048 or 4096 */
    uint32_t max_qps;
    uint32_t max_regions;
    uint32_t window_packets; /* unacknowledged packets a queue pair may have; 0: a default */
    uint64_t seed;
    uint64_t ack_timeout_ns; /* 0: a default; retried with the same period */
    uint8_t retry_limit;     /* 0: a default of 7 */
    uint8_t rnr_retry_limit; /* 1 .. 6; 0 or 7: without end */
    uint16_t vlan_id;        /* as in weft_device_options, and so are those that follow */
    uint8_t vlan_priority;
    uint8_t traffic_class;
    uint64_t rate_bps;
    struct weft_congestion_options congestion;
};

WEFT_CHECKED enum weft_status weft_roce_port_create(const struct weft_roce_port_options *options,
                                                    struct weft_roce_port **ret_port,
                                                    struct weft_error *error);
/* Asserts that its queue pairs, queues and regions are gone. NULL is taken. */
void weft_roce_port_destroy(struct weft_roce_port *port);

/* Says by hand where `address`, a host of the port's own network, is: it will not be asked, and
 * what others say of it is not heard. For a peer that answers no questions. Stays until the port
 * goes; a second time changes the MAC. */
WEFT_CHECKED enum weft_status weft_roce_neighbour_add(struct weft_roce_port *port,
                                                      const struct weft_ip *address,
                                                      const uint8_t mac[6],
                                                      struct weft_error *error);

/* What the interface does to frames (pauses, faults injected) is not counted here. */
const struct weft_device_counters *weft_roce_port_counters(const struct weft_roce_port *port);
uint32_t weft_roce_port_mtu(const struct weft_roce_port *port);

/* Takes in one frame, whole as it came from the interface without its FCS. Any bytes are safe: what
 * is malformed or not for this port is counted and dropped. The frame is not kept. */
void weft_roce_receive(struct weft_roce_port *port, const uint8_t *frame, uint32_t len_bytes,
                       uint64_t now_ns);

/* An empty buffer for one frame. */
struct weft_roce_frame {
    uint8_t *data;
    uint32_t capacity_bytes; /* at least WEFT_ROCE_OVERHEAD_MAX + the path MTU */
    uint32_t len_bytes;      /* set where the frame was filled */
};

/* Runs the timers and fills up to `count` frames: answers and acknowledgements first (one for all
 * that a receive burst brought), then retransmissions and new packets, queue pairs in turn. Returns
 * how many were filled; the caller sends them in order. A frame that the caller then loses is a
 * packet lost. */
uint32_t weft_roce_transmit(struct weft_roce_port *port, struct weft_roce_frame *frames,
                            uint32_t count, uint64_t now_ns);
/* Lends the frames, of which the first go to the next weft_roce_transmit: a datagram that is posted
 * meanwhile is built into one at once, and never stored; its completion appears when that sends it.
 * For ports whose frames lie ready: where none are lent, or something else waits to be sent, posted
 * works wait for weft_roce_transmit. */
void weft_roce_lend(struct weft_roce_port *port, struct weft_roce_frame *frames, uint32_t count);
/* Whether a frame may be for the port itself: it has once had a path to its own MAC. */
bool weft_roce_reaches_itself(const struct weft_roce_port *port);

/* When transmit will next have something to do without a frame arriving or a post: now or earlier
 * where it has already; UINT64_MAX: never. */
uint64_t weft_roce_next_event_ns(const struct weft_roce_port *port, uint64_t now_ns);

/* The rest mirrors fabric/driver.h, op by op. */
WEFT_CHECKED enum weft_status weft_roce_region_register(struct weft_roce_port *port, void *memory,
                                                        uint64_t len_bytes,
                                                        struct weft_region *ret_region,
                                                        struct weft_error *error);
void weft_roce_region_deregister(struct weft_roce_port *port, struct weft_region *region);

WEFT_CHECKED enum weft_status weft_roce_cq_create(struct weft_roce_port *port, uint32_t depth,
                                                  struct weft_roce_cq **ret_cq,
                                                  struct weft_error *error);
void weft_roce_cq_destroy(struct weft_roce_port *port, struct weft_roce_cq *cq);
uint32_t weft_roce_cq_poll(struct weft_roce_cq *cq, struct weft_completion *completions,
                           uint32_t count);

struct weft_roce_qp_options {
    enum weft_transport transport;
    struct weft_roce_cq *cq;
    uint32_t send_depth;
    uint32_t receive_depth;
    uint32_t inline_bytes;
    uint32_t read_depth;
    uint16_t source_port;
    uint64_t user;
};

WEFT_CHECKED enum weft_status weft_roce_qp_create(struct weft_roce_port *port,
                                                  const struct weft_roce_qp_options *options,
                                                  struct weft_roce_qp **ret_qp,
                                                  struct weft_error *error);
void weft_roce_qp_destroy(struct weft_roce_port *port, struct weft_roce_qp *qp);
void weft_roce_qp_address(const struct weft_roce_qp *qp, struct weft_endpoint_address *ret_address);
WEFT_CHECKED enum weft_status weft_roce_qp_connect(struct weft_roce_qp *qp,
                                                   const struct weft_endpoint_address *peer,
                                                   struct weft_error *error);
enum weft_endpoint_state weft_roce_qp_state(const struct weft_roce_qp *qp,
                                            struct weft_error *error);
const struct weft_endpoint_counters *weft_roce_qp_counters(const struct weft_roce_qp *qp);

WEFT_CHECKED enum weft_status
weft_roce_destination_create(struct weft_roce_qp *qp, const struct weft_endpoint_address *peer,
                             struct weft_roce_destination **ret_destination,
                             struct weft_error *error);
enum weft_endpoint_state
weft_roce_destination_state(const struct weft_roce_destination *destination,
                            struct weft_error *error);
void weft_roce_destination_destroy(struct weft_roce_qp *qp,
                                   struct weft_roce_destination *destination);

/* `works[i].destination` is a weft_roce_destination, cast. */
uint32_t weft_roce_post_send(struct weft_roce_qp *qp, const struct weft_work *works,
                             uint32_t count);
uint32_t weft_roce_post_receive(struct weft_roce_qp *qp, const struct weft_work *works,
                                uint32_t count);

#endif
