/* SPDX-License-Identifier: BSD-3-Clause */
/* Two ports back to back in virtual time, over a wire that loses, doubles, reorders and corrupts by
 * a seed. All storage is the net's own, made at the start. */
#ifndef WEFT_TEST_ROCE_NET_H
#define WEFT_TEST_ROCE_NET_H

#include "drivers/roce/packet/opcode.h"
#include "drivers/roce/roce.h"
#include "drivers/roce/transport/state.h"

#define NET_SLOTS 1024u
#define NET_BURST 32u

/* Each in parts of 1024 frames. */
struct net_faults {
    uint32_t drop;
    uint32_t duplicate;
    uint32_t reorder; /* arrives up to 20 us late */
    uint32_t corrupt; /* one bit */
};

struct net_options {
    uint64_t seed;
    uint32_t mtu_bytes; /* 0: 1024 */
    uint32_t window_packets;
    uint64_t ack_timeout_ns; /* 0: 100 us */
    uint8_t retry_limit;
    uint8_t rnr_retry_limit;
    uint32_t depth;         /* of each queue; 0: 64 */
    uint32_t read_depth[2]; /* 0: 4 */
    bool no_reads[2];       /* a read depth of none */
    size_t memory_bytes;
    enum weft_transport transport;
    uint16_t source_port;
    bool ipv6;    /* fd00::1 and fd00::2 rather than 10.0.0.1 and 10.0.0.2 */
    bool reports; /* IPv6: let listeners' reports out among the frames */
    uint16_t vlan_id;
    uint8_t vlan_priority;
    uint8_t traffic_class;
    uint64_t rate_bps;
    struct weft_congestion_options congestion;
    struct net_faults faults;
};

struct net_side {
    struct weft_roce_port *port;
    struct weft_roce_cq *cq;
    struct weft_roce_qp *qp;
    struct weft_endpoint_address address;
    uint8_t *memory;
    struct weft_region region;
    bool mute;      /* what it sends is lost */
    bool no_frames; /* its transmit is given none */
};

struct net_slot {
    uint64_t due_ns;
    uint64_t order;
    uint32_t to;
    uint32_t len_bytes;
    bool used;
    uint8_t frame[WEFT_ROCE_FRAME_MAX];
};

struct net {
    struct net_options options;
    struct net_side sides[2];
    struct weft_random random;
    uint64_t now_ns;
    uint64_t order;
    uint32_t in_flight;
    struct net_slot *slots;
    uint8_t (*buffers)[WEFT_ROCE_FRAME_MAX];
    /* Called for each frame that is sent, before the faults; false: it is lost. */
    bool (*tap)(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes);
    void *tap_context;
};

void net_init(struct net *net, const struct net_options *options);
void net_fini(struct net *net);

/* Connects the two queue pairs (RC) and runs until they are ready. */
void net_connect(struct net *net);

/* One more event. False: nothing will happen any more. */
bool net_step(struct net *net);
/* Until nothing is in flight and no timer runs, or `until_ns`. */
void net_run(struct net *net, uint64_t until_ns);

/* Takes one completion of the side, running until there is one. */
struct weft_completion net_wait(struct net *net, uint32_t side);

/* Posts one work; asserts that it is taken. */
void net_send(struct net *net, uint32_t from, const struct weft_work *work);
void net_receive(struct net *net, uint32_t at, uint64_t id, uint64_t offset_bytes,
                 uint32_t len_bytes);
/* One that both ends' memory takes: 8 bytes at `offset_bytes`. */
struct weft_work net_atomic(const struct net *net, uint32_t from, enum weft_operation operation,
                            uint64_t offset_bytes, uint64_t compare, uint64_t operand);
/* A work from the memory of `from` at `offset_bytes` to the same place of the other side's. */
struct weft_work net_work(const struct net *net, uint32_t from, enum weft_operation operation,
                          uint64_t offset_bytes, uint32_t len_bytes);

/* Bytes that depend on the seed and their place. */
void net_fill(uint8_t *memory, size_t len_bytes, uint64_t seed);
bool net_filled(const uint8_t *memory, size_t len_bytes, uint64_t seed);

/* Puts a frame on the wire to `to`, as if it had been sent now. */
void net_put(struct net *net, uint32_t to, const uint8_t *frame, uint32_t len_bytes);

/* Hands the side a frame that was made by hand: its ICRC is put right where `fix`. */
void net_inject(struct net *net, uint32_t to, uint8_t *frame, uint32_t len_bytes, bool fix);

#endif
