/* SPDX-License-Identifier: BSD-3-Clause */
/* What queue pairs and their port are made of. */
#ifndef WEFT_ROCE_TRANSPORT_STATE_H
#define WEFT_ROCE_TRANSPORT_STATE_H

#include "drivers/roce/congestion/dcqcn.h"
#include "drivers/roce/congestion/due.h"
#include "drivers/roce/congestion/pacer.h"
#include "drivers/roce/neighbour/state.h"
#include "drivers/roce/roce.h"
#include "drivers/roce/transport/key.h"
#include "drivers/roce/transport/path.h"
#include "fabric/base/random.h"

#define WEFT_TRANSMIT_QUANTUM 16u

struct weft_roce_destination {
    struct weft_path path;
    uint32_t qpn;
    uint32_t qkey;
};

struct weft_send {
    uint64_t id;
    const uint8_t *memory;
    union {
        uint64_t remote_address;
        struct weft_roce_destination *destination;
    };
    uint64_t first; /* sequence of its first packet */
    uint32_t packets;
    uint32_t len_bytes;
    uint32_t rkey;
    uint32_t lkey; /* where it is inlined this says nothing */
    uint32_t immediate;
    uint32_t ssn; /* send sequence number: messages are counted from 1, in 24 bits */
    uint8_t operation;
    bool unsignaled;
    bool bad_lkey;       /* or what else makes it fail in its turn */
    bool wants_receive;  /* one of the peer's */
    bool wants_response; /* READ, atomic: no acknowledgement completes it, only responses do */
};

/* What an atomic is to do, beside its work. */
struct weft_operands {
    uint64_t compare;
    uint64_t operand;
};

struct weft_receive {
    uint64_t id;
    uint8_t *memory;
    uint32_t len_bytes;
    uint32_t lkey;
    bool bad_lkey;
};

struct weft_cq_entry {
    struct weft_completion completion;
    struct weft_roce_qp *qp;
};

struct weft_roce_cq {
    struct weft_roce_port *port;
    struct weft_cq_entry *entries;
    uint32_t mask;
    uint32_t head; /* next to be written; counts on */
    uint32_t tail; /* next to be polled */
    uint32_t depth;
    uint32_t reserved; /* by the queues of its queue pairs */
    /* During this loan of frames, what was put from here on is of datagrams that are built but not
     * sent: nobody sees it. */
    uint32_t held_loan;
    uint32_t held_from;
};

/* What is to be answered to the requester, in order of precedence. */
enum weft_answer {
    WEFT_ANSWER_NONE = 0,
    WEFT_ANSWER_ACK,
    WEFT_ANSWER_RNR,
    WEFT_ANSWER_NAK_SEQUENCE,
    WEFT_ANSWER_NAK_FATAL,
};

/* Why a queue pair failed; the words are made when they are asked for. */
enum weft_failure {
    WEFT_FAILURE_NONE = 0,
    WEFT_FAILURE_NEIGHBOUR,
    WEFT_FAILURE_RETRY,
    WEFT_FAILURE_RNR_RETRY,
    WEFT_FAILURE_NAK,           /* detail: the syndrome */
    WEFT_FAILURE_LOCAL_SEND,    /* detail: the lkey */
    WEFT_FAILURE_LOCAL_RECEIVE, /* detail: the lkey */
    WEFT_FAILURE_PEER_ACCESS,   /* detail: the rkey it used */
    WEFT_FAILURE_PEER_REQUEST,  /* detail: the opcode */
    WEFT_FAILURE_PEER_LENGTH,   /* detail: bytes that the receive could take */
    WEFT_FAILURE_READ_DEPTH,    /* one of the two ends takes no READs */
    WEFT_FAILURE_BAD_RESPONSE,  /* detail: the opcode */
};

/* Sequences are PSNs carried on in 64 bits: the low 24 are the PSN. */
struct weft_requester {
    struct weft_send *sends;
    uint8_t *inlined; /* `inline_stride` bytes for each slot of the ring */
    uint32_t mask;
    uint32_t depth;
    uint32_t outstanding; /* posted, and completion not polled */
    uint32_t inline_bytes;
    uint32_t inline_stride;
    /* Slots of the ring, counting on: completed <= cursor <= posted. */
    uint32_t posted;
    uint32_t cursor;
    uint32_t completed;
    /* Packets: acked <= next <= sent <= posted. */
    uint64_t posted_sequence;
    uint64_t sent_sequence; /* the highest ever sent, plus one */
    uint64_t next_sequence;
    uint64_t acked_sequence; /* all before are acknowledged */
    uint32_t since_ack_request;
    /* A READ's request spans the numbers of its responses: of those that lie between acked and
     * next all but one for each READ count nothing against the window. */
    uint32_t read_span;
    uint32_t unanswered; /* READs and atomics posted and not completed */
    uint16_t reads;      /* of those: requested, so between completed and cursor */
    uint16_t reads_max;
    struct weft_operands *operands; /* of atomics, by slot; NULL where there can be none */
    /* End-to-end credits (IBTA vol. 1, 9.7.7.2): messages up to `credit_limit` find a receive. */
    uint32_t posted_ssn;
    uint32_t credit_limit;
    bool credit_unlimited; /* the peer does not count */
    uint8_t retries;
    uint8_t rnr_retries;
    bool rnr_waiting;
    bool gone_back; /* for responses that are missing; what else shows the same gap says nothing */
};

/* A READ or atomic that was taken. It stays after it was answered: it may be asked for again. */
struct weft_resource {
    uint64_t address;
    uint64_t result; /* atomic: what was there before */
    uint32_t rkey;
    uint32_t len_bytes;
    uint32_t psn;
    uint32_t packets;
    /* Responses by index: the run asked for last goes from `start` to `end`, `next` is to be sent.
     * The run ends `end_bytes` from the address. */
    uint32_t start;
    uint32_t next;
    uint32_t end;
    uint32_t end_bytes;
    uint8_t kind;  /* WEFT_OPCODE_READ_REQUEST or WEFT_OPCODE_ATOMIC */
    bool answered; /* wholly, at least once */
};

struct weft_responder {
    struct weft_receive *receives;
    uint32_t mask;
    uint32_t depth;
    uint32_t outstanding;
    uint32_t posted;
    uint32_t completed;
    uint32_t expected_psn;
    uint32_t msn;
    uint8_t answer; /* enum weft_answer */
    uint8_t fatal_syndrome;
    uint32_t fatal_psn;
    bool nak_sent;  /* packets ahead are dropped without a word until the expected one arrives */
    bool nak_waits; /* an ACK goes first, which the NAK would say as well, but not to every peer */
    bool dropping;  /* UC: until the next message starts */
    /* The last up to `read_depth` READs and atomics. While some have responses to be sent, an
     * answer waits: in the requester's order they come before it. */
    struct weft_resource *resources;
    uint32_t resource_mask;
    uint32_t resource_head; /* counts on */
    uint16_t read_depth;
    /* The credits that the peer was told last: up to which message. */
    uint32_t told_limit;
    bool told;
    /* The message that is under way: WEFT_OPCODE_NONE, SEND or WRITE. */
    uint8_t kind;
    uint32_t rkey;
    uint64_t address;       /* WRITE: where its next byte goes */
    uint32_t left_bytes;    /* WRITE: still to come; SEND: what the receive can still take */
    uint32_t message_bytes; /* received of it so far */
};

/* How fast a queue pair may send (flow.h). */
struct weft_flow {
    struct weft_pacer pacer;
    struct weft_due due; /* in the port's heap while it is parked */
    struct weft_dcqcn dcqcn;
    struct weft_link notification; /* on the port's list while a CNP is to be sent */
    uint64_t notify_again_ns;      /* no CNP before */
};

/* The same for all queue pairs of a port. */
struct weft_flows {
    bool controlled;
    uint64_t rate_bps;                    /* an endpoint's limit; 0: none */
    struct weft_congestion_options dcqcn; /* filled */
    struct weft_link parked;              /* by qp->active */
    struct weft_link notifications;
    struct weft_due_heap due;
};

struct weft_roce_qp {
    struct weft_path path;
    struct weft_roce_port *port;
    struct weft_roce_cq *cq;
    uint64_t user;
    uint32_t qpn;
    uint32_t peer_qpn;
    uint32_t qkey;
    uint32_t initial_psn;
    uint32_t mtu_bytes;
    uint8_t mtu_shift;
    uint8_t transport;    /* enum weft_transport */
    uint8_t state;        /* enum weft_endpoint_state */
    uint8_t failure;      /* enum weft_failure */
    bool paced;           /* without it nothing of its flow is asked */
    bool responses_first; /* of the frames for both it gets the odd one */
    uint16_t responding;  /* resources with responses to be sent */
    uint32_t ack_every;   /* packets */
    uint32_t failure_detail;
    uint32_t destination_count;
    uint16_t source_port;    /* 0: from the queue pair numbers */
    struct weft_link active; /* on the port's list while it can send, or of those not due yet */
    struct weft_link answer; /* on the port's list while an answer is due */
    struct weft_timer timer; /* acknowledgement, or the end of an RNR wait */
    struct weft_requester requester;
    struct weft_responder responder;
    struct weft_endpoint_counters counters;
    struct weft_flow flow;
};

/* Frames that datagrams are built into when they are posted. */
struct weft_lent {
    struct weft_roce_frame *frames;
    uint32_t count;
    uint32_t filled;
    uint32_t loan; /* counts them */
};

/* One port: what the rooms below keep for it, and its queue pairs. */
struct weft_roce_port {
    struct weft_interface interface;
    struct weft_device_counters counters;
    struct weft_wheel wheel; /* of queue pairs and neighbours */
    struct weft_random random;
    struct weft_neighbours neighbours;

    /* Of all queue pairs. */
    uint32_t mtu_bytes;
    uint8_t mtu_shift;
    uint8_t retry_limit;
    uint8_t rnr_retry_limit;
    uint32_t window_packets;
    uint32_t ack_every; /* packets */
    uint64_t ack_timeout_ns;
    struct weft_flows flows;
    struct weft_regions regions;
    struct weft_lent lent;

    struct weft_link active;  /* those that can send, in turn */
    struct weft_link answers; /* those that have an answer to send */
    uint32_t turn_left;       /* packets that the first of the active may still send in its turn */

    struct weft_roce_qp **qps;
    uint32_t qp_mask;
    uint32_t qp_count;
    uint32_t qp_max;
    uint32_t qp_next;      /* where to look for a free slot */
    uint32_t datagram_qps; /* UD queue pairs */
    uint32_t cq_count;

    struct weft_roce_device *owner; /* the driver's; NULL: none */
};

#endif
