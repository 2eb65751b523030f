/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages between weft's structs and their bytes. What is read is checked whole before anything
 * else sees it: an error names the field ("prepare.local_ranks[2] is 9, ..."). */
#ifndef WEFT_CONTROL_WIRE_H
#define WEFT_CONTROL_WIRE_H

#include <weft.pb-c.h>

#include "fabric/control/control.h"
#include "fabric/control/frame.h"

/* Where frames are made and sent. The buffer grows to the largest message. */
struct weft_wire {
    struct weft_control_output output;
    uint8_t *frame;
    size_t capacity_bytes;
};

void weft_wire_fini(struct weft_wire *wire);

/* WEFT_NO_MEMORY, or WEFT_INVALID where the message is larger than a frame may be. */
WEFT_CHECKED enum weft_status weft_wire_send(struct weft_wire *wire, uint32_t peer,
                                             const Weft__Envelope *envelope,
                                             struct weft_error *error);

/* Room for a message that says no more than its kind. */
struct weft_wire_empty {
    ProtobufCMessage message;
    Weft__Envelope envelope;
};
/* `body` is such a kind. What is returned lies in `room`. */
const Weft__Envelope *weft_wire_empty(Weft__Envelope__BodyCase body, struct weft_wire_empty *room);

/* Allocates in proportion to the message at most. */
WEFT_CHECKED enum weft_status weft_wire_open(const uint8_t *message, size_t len_bytes,
                                             Weft__Envelope **ret_envelope,
                                             struct weft_error *error);
void weft_wire_close(Weft__Envelope *envelope);

/* What a message is called in errors: "grant". */
const char *weft_wire_name(Weft__Envelope__BodyCase body);

/* ---- checks that the readers share ---- */

/* UTF-8 without control characters but tab and newline: safe for a terminal and for JSON. */
bool weft_wire_text_is_clean(const char *text);
/* Puts '?' in place of what is not. */
void weft_wire_text_clean(char *text);

WEFT_CHECKED enum weft_status weft_wire_text(const char *field, const char *text, size_t limit,
                                             struct weft_error *error);
/* The same, copied into `capacity` bytes. */
WEFT_CHECKED enum weft_status weft_wire_copy(const char *field, const char *text, char *into,
                                             size_t capacity, struct weft_error *error);
WEFT_CHECKED enum weft_status weft_wire_range(const char *field, uint64_t value, uint64_t low,
                                              uint64_t high, struct weft_error *error);
enum weft_status weft_wire_missing(const char *field, struct weft_error *error);

/* ---- the environment ---- */

/* Room for one that is being sent: cleaned copies, and the message that points to them. */
struct weft_wire_environment {
    struct weft_host_environment copy;
    Weft__Environment message;
};
void weft_wire_environment_write(const struct weft_host_environment *environment,
                                 struct weft_wire_environment *ret_out);
WEFT_CHECKED enum weft_status weft_wire_environment_read(const Weft__Environment *message,
                                                         struct weft_host_environment *ret,
                                                         struct weft_error *error);

/* ---- the test ---- */

/* `rank_nics[i]` is the index into `nics` of the i-th local rank's; `nics` has nic_count. */
struct weft_wire_prepare {
    const struct weft_test *parts[WEFT_JOBS_MAX];
    uint32_t part_count;
    uint32_t local_count, nic_count;
    const uint32_t *local_ranks;
    const uint32_t *rank_nics;
    const struct weft_nic *const *nics;
    uint64_t seed;
    uint32_t plan_local_count, plan_mtu_bytes;
};
WEFT_CHECKED enum weft_status weft_wire_prepare_send(struct weft_wire *wire, uint32_t peer,
                                                     const struct weft_wire_prepare *prepare,
                                                     struct weft_error *error);

/* As the agent's runtime takes it. Strings and ranks lie in the message; the NICs are its own. */
struct weft_wire_prepared {
    struct weft_agent_test request;
    struct weft_test parts[WEFT_JOBS_MAX];
    struct weft_nic *nics;
    uint32_t *places;
};
/* For each local rank its part, behind them for each which of the part's ranks it is; malloc'd, the
 * caller's. */
WEFT_CHECKED enum weft_status weft_wire_places_find(const struct weft_agent_test *request,
                                                    uint32_t **ret_places,
                                                    struct weft_error *error);
/* Finds the patterns and asks them whether the options are possible. The request points into what
 * is returned, so that must stay where it is. */
WEFT_CHECKED enum weft_status weft_wire_prepare_read(const Weft__Prepare *message,
                                                     struct weft_wire_prepared *ret_prepared,
                                                     struct weft_error *error);
void weft_wire_prepared_fini(struct weft_wire_prepared *prepared);

/* ---- channel addresses ---- */

#define WEFT_CHANNELS_MAX (1u << 20)

struct weft_wire_prepared_part {
    bool decides;
    uint32_t trace_count;
};
WEFT_CHECKED enum weft_status weft_wire_prepared_send(struct weft_wire *wire,
                                                      const struct weft_wire_prepared_part *parts,
                                                      uint32_t part_count,
                                                      const struct weft_channel_address *addresses,
                                                      uint32_t count, struct weft_error *error);
WEFT_CHECKED enum weft_status weft_wire_connect_send(struct weft_wire *wire, uint32_t peer,
                                                     const struct weft_channel_address *addresses,
                                                     uint32_t count, struct weft_error *error);
/* `field` is "prepared.addresses" or "connect.addresses". The array is malloc'd, the caller's; NULL
 * where count is 0. */
WEFT_CHECKED enum weft_status weft_wire_addresses_read(const char *field,
                                                       Weft__ChannelAddress *const *messages,
                                                       size_t count, uint32_t rank_count,
                                                       struct weft_channel_address **ret_addresses,
                                                       struct weft_error *error);

/* ---- what a rank found ---- */

WEFT_CHECKED enum weft_status weft_wire_rank_send(struct weft_wire *wire,
                                                  const struct weft_rank_result *rank,
                                                  struct weft_error *error);
/* Makes the histograms, which become the caller's. `host` is left 0. */
WEFT_CHECKED enum weft_status weft_wire_rank_read(const Weft__RankResult *message,
                                                  struct weft_rank_result *ret_rank,
                                                  struct weft_error *error);

/* ---- traces ---- */

struct weft_wire_trace {
    uint32_t rank;
    uint64_t iteration, duration_ns;
    struct weft_op_trace *ops; /* malloc'd */
    uint32_t op_count;
};
WEFT_CHECKED enum weft_status weft_wire_trace_send(struct weft_wire *wire,
                                                   const struct weft_wire_trace *trace,
                                                   struct weft_error *error);
/* The caller has found out that the rank has `op_count` operations. */
WEFT_CHECKED enum weft_status weft_wire_trace_read(const Weft__Trace *message, uint32_t op_count,
                                                   struct weft_wire_trace *ret_trace,
                                                   struct weft_error *error);

#endif
