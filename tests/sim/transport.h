/* SPDX-License-Identifier: BSD-3-Clause */
/* Endpoints that exchange works at random, and what must be true of them. */
#ifndef WEFT_TESTS_SIM_TRANSPORT_H
#define WEFT_TESTS_SIM_TRANSPORT_H

#include "record.h"
#include "scenario.h"

#define FLOWS_MAX 6u
#define MESSAGES_MAX 48u
#define DATAGRAMS_MAX 32u

/* What is known of a message. */
enum message_state {
    MESSAGE_WAITING = 0,
    MESSAGE_POSTED,
    MESSAGE_COMPLETE,
    MESSAGE_FAILED,
};

struct message {
    enum weft_operation operation;
    enum message_state state; /* at its sender */
    bool delivered;           /* its receive is complete */
    bool unsignaled;
    uint32_t len_bytes;
    /* From a place at one end to a place at the other. READ goes the other way, and an atomic's
     * target is the word of its way. */
    uint32_t local, remote;
    uint64_t compare, operand;
};

/* From one endpoint to the other of its flow. */
struct way {
    uint32_t from, to; /* NICs */
    struct weft_roce_qp *qp, *peer;
    enum weft_transport transport;
    uint32_t depth, ahead; /* sends outstanding, receives posted ahead */
    uint32_t count, posted, completed;
    struct message messages[MESSAGES_MAX];
    /* Receives in the order of the messages that take them. */
    uint32_t receive_count, receives_posted, receives_completed;
    uint32_t receivers[MESSAGES_MAX]; /* message by receive */
    uint32_t landing[MESSAGES_MAX];   /* UC: place by receive */
    uint32_t landing_bytes;
    uint32_t next_index; /* UC: no message before may come any more */
    uint32_t word;       /* at `to`, of atomics */
    uint64_t word_value; /* by the atomics that are complete */
    bool failed;
};

struct place_rule {
    uint32_t nic, at, len_bytes;
    uint32_t source_nic, source_at; /* source_nic NONE: anything may be there */
};

struct end {
    struct weft_roce_port *port;
    struct weft_roce_cq *cq;
    struct weft_region region;
    uint8_t *memory;
    uint8_t *shadow; /* what must be in the memory */
    uint32_t used_bytes;
    /* datagrams */
    struct weft_roce_qp *qp;
    struct weft_roce_destination *destinations[SCENARIO_NICS_MAX];
    uint32_t datagram_count, datagrams_posted, datagrams_completed;
    uint32_t targets[DATAGRAMS_MAX];
    uint32_t places[DATAGRAMS_MAX];
    uint32_t lengths[DATAGRAMS_MAX];
    uint32_t arrivals[DATAGRAMS_MAX];
    uint32_t landing[DATAGRAMS_MAX * SCENARIO_NICS_MAX];
    uint32_t landing_count, landings_posted;
};

struct transport {
    const struct scenario *scenario;
    struct record *record;
    struct weft_random random;
    struct weft_sim_fabric *fabric;
    struct end ends[SCENARIO_NICS_MAX];
    uint32_t flow_count;
    struct way ways[2 * FLOWS_MAX]; /* way w and w ^ 1 are a flow's */
    bool has_datagrams;
    struct place_rule rules[4 * FLOWS_MAX * MESSAGES_MAX];
    uint32_t rule_count;
};

/* Runs the scenario; what is broken is in the record. */
void transport_run(const struct scenario *scenario, struct record *record);

/* ---- ways.c ---- */

void way_draw(struct transport *transport, uint32_t index);
/* Writes into messages which they are, where nothing else says so. */
void way_tag(struct transport *transport, uint32_t index);
/* Posts what may be posted. Returns how much. */
uint32_t way_post(struct transport *transport, uint32_t index, bool eager);
void way_complete(struct transport *transport, uint32_t index,
                  const struct weft_completion *completion);
bool way_is_done(const struct transport *transport, uint32_t index);
void way_finish(struct transport *transport, uint32_t index);

/* ---- datagrams.c ---- */

void datagrams_draw(struct transport *transport, uint32_t nic);
uint32_t datagrams_post(struct transport *transport, uint32_t nic);
void datagrams_complete(struct transport *transport, uint32_t nic,
                        const struct weft_completion *completion);
void datagrams_finish(struct transport *transport);

/* ---- places.c ---- */

#define END_BYTES (4u << 20)
#define NOWHERE UINT32_MAX

void places_init(struct end *end);
void places_fini(struct end *end);
/* A place of its own, with a gap that nobody may write before and behind it. */
uint32_t place_take(struct transport *transport, uint32_t nic, uint32_t len_bytes);
/* The bytes that lie at one place must be at the other now, and from now on. */
void place_copied(struct transport *transport, const struct place_rule *rule, const char *what);
/* They may be there, each or none. */
void place_doubted(struct transport *transport, const struct place_rule *rule);
/* All memory is what it must be. */
void places_check(struct transport *transport);

/* Internals of the port that nothing else says. */
void transport_set_psn(struct weft_roce_qp *qp, uint32_t psn);

#endif
