/* SPDX-License-Identifier: BSD-3-Clause */
/* What was measured since weft_node_start. The worker owns it while the node runs, the control
 * thread while the node is idle. */
#ifndef WEFT_NODE_TALLY_H
#define WEFT_NODE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "fabric/base/error.h"
#include "fabric/hist/hist.h"
#include "fabric/node/setup.h"

/* The flow from a channel's peer. */
struct weft_flow {
    uint64_t from_bytes; /* bytes that the channel had received when the phase began */
    uint64_t bytes;      /* bytes in the phase, counted at the last message of an iteration */
    uint64_t ns;         /* time in which the flow could run */
    uint64_t end_ns;     /* when the last message of its last iteration arrived */
};

/* When iterations are due. */
struct weft_open_loop {
    bool begun;            /* an iteration of this phase has begun */
    uint64_t due_ns;       /* the next iteration */
    uint64_t first_due_ns; /* of the phase */
    uint64_t missed;
    struct weft_hist *latency_intended_ns; /* NULL: this rank is not paced */
};

struct weft_node_tally {
    bool unrecorded; /* nothing is added to histograms */
    struct weft_hist *latency_ns;
    struct weft_hist *bandwidth_bps;
    uint64_t sent_messages, sent_bytes;
    uint64_t received_messages, received_bytes;
    uint64_t first_start_ns, last_end_ns;
    uint64_t stalled_iterations;
    uint64_t iterations;
    struct weft_open_loop open_loop;
    struct weft_flow *flows; /* one for each channel; the first iteration of a phase resets them */
};

WEFT_CHECKED enum weft_status weft_tally_init(struct weft_node_tally *tally,
                                              const struct weft_node_setup *setup,
                                              struct weft_error *error);
void weft_tally_fini(struct weft_node_tally *tally);
/* Clears everything except the flows. */
void weft_tally_clear(struct weft_node_tally *tally);
/* Forgets what was recorded of messages and flows; counts continue. */
void weft_tally_forget(struct weft_node_tally *tally);

#endif
