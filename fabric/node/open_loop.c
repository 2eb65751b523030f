/* SPDX-License-Identifier: BSD-3-Clause */
/* Open loop: iterations begin when they are due. The phase that verifies is a closed loop. */
#include <inttypes.h>
#include <stdlib.h>

#include "fabric/base/units.h"
#include "fabric/node/internal.h"

/* Has it anything to do before anything has come to it? */
static bool initiates(const struct weft_schedule *schedule)
{
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        if (!schedule->ops[i].requires_count && schedule->ops[i].kind != WEFT_OP_RECEIVE)
            return true;
    }
    return false;
}

static uint64_t period_bytes_of(const struct weft_node *node)
{
    uint64_t len_bytes = node->options.period_bytes;
    for (uint32_t i = 0; !node->options.period_bytes && i < node->schedule->op_count; i++) {
        if (node->schedule->ops[i].kind == WEFT_OP_SEND)
            len_bytes += node->schedule->ops[i].len_bytes;
    }
    return len_bytes;
}

static enum weft_status create_arrivals(struct weft_node *node, struct weft_error *error)
{
    uint64_t len_bytes = period_bytes_of(node);
    uint64_t gap = 0;
    char rate[WEFT_UNITS_TEXT];
    if (!len_bytes)
        return weft_error_set(error, WEFT_INVALID,
                              "rank %u: a rate counts payload, and an iteration has none",
                              weft_node_rank(node));
    if (!weft_arrivals_gap(len_bytes, node->options.rate_bps, &gap))
        return weft_error_set(error, WEFT_INVALID,
                              "rank %u: at %s an iteration of %" PRIu64
                              " B is due every 4 s or less often: choose a higher rate",
                              weft_node_rank(node), weft_format_rate(node->options.rate_bps, rate),
                              len_bytes);
    return weft_arrivals_init(&node->open_loop.arrivals, node->options.arrivals, gap,
                              node->options.arrivals_seed, error);
}

enum weft_status weft_open_loop_create(struct weft_node *node, struct weft_error *error)
{
    struct weft_open_loop *loop = &node->open_loop;
    if (!node->options.rate_bps)
        return WEFT_OK;
    loop->paced = initiates(node->schedule);
    loop->follows = !loop->paced;
    if (loop->follows)
        return WEFT_OK;
    bool made = true;
    for (uint32_t i = 0; i <= node->lane_mask; i++) {
        struct weft_lane *lane = &node->lanes[i];
        lane->ready_ns = calloc((size_t)node->schedule->op_count + 1, sizeof(*lane->ready_ns));
        made = made && lane->ready_ns;
    }
    loop->latency_intended_ns = weft_hist_create();
    node->durations.intended_ns = calloc(WEFT_NODE_DURATIONS, sizeof(uint64_t));
    if (!made || !loop->latency_intended_ns || !node->durations.intended_ns)
        return weft_error_set(error, WEFT_NO_MEMORY, "rank %u: out of memory for its histograms",
                              weft_node_rank(node));
    return create_arrivals(node, error);
}

void weft_open_loop_destroy(struct weft_node *node)
{
    weft_hist_destroy(node->open_loop.latency_intended_ns);
    weft_arrivals_fini(&node->open_loop.arrivals);
    free(node->durations.intended_ns);
}

void weft_open_loop_clear(struct weft_node *node)
{
    struct weft_open_loop *loop = &node->open_loop;
    loop->begun = false;
    loop->missed = 0;
    weft_open_loop_forget(node);
}

void weft_open_loop_forget(struct weft_node *node)
{
    if (node->open_loop.latency_intended_ns)
        weft_hist_clear(node->open_loop.latency_intended_ns);
}

static bool keeps_time(const struct weft_node *node)
{
    return node->open_loop.paced && node->phase != WEFT_PHASE_VERIFY;
}

bool weft_open_loop_is_due(struct weft_node *node)
{
    struct weft_open_loop *loop = &node->open_loop;
    if (!keeps_time(node))
        return true;
    if (!loop->begun) {
        loop->begun = true;
        loop->due_ns = weft_arrivals_start(&loop->arrivals, node->now_ns);
        loop->first_due_ns = loop->due_ns;
    }
    return node->now_ns >= loop->due_ns;
}

void weft_open_loop_begin(struct weft_node *node, struct weft_lane *lane)
{
    struct weft_open_loop *loop = &node->open_loop;
    /* What came ahead of its time is there at the start. */
    lane->awaits = loop->follows && lane->left == node->schedule->op_count;
    lane->late_ns = 0;
    if (!keeps_time(node))
        return;
    lane->late_ns = node->now_ns - loop->due_ns;
    loop->missed += loop->free_ns > loop->due_ns;
    loop->due_ns = weft_arrivals_next(&loop->arrivals);
}

void weft_open_loop_sent(struct weft_node *node, uint32_t lane, uint32_t op)
{
    struct weft_open_loop *loop = &node->open_loop;
    const struct weft_lane *at = &node->lanes[lane];
    if (loop->paced)
        weft_hist_record(loop->latency_intended_ns, node->now_ns - at->ready_ns[op] + at->late_ns);
}

void weft_open_loop_measured(const struct weft_node *node, struct weft_open_loop_measured *ret)
{
    const struct weft_open_loop *loop = &node->open_loop;
    *ret = (struct weft_open_loop_measured){.paced = loop->paced};
    if (!loop->paced || !loop->begun)
        return;
    uint64_t end_ns =
        node->tally.last_end_ns > loop->due_ns ? node->tally.last_end_ns : loop->due_ns;
    ret->latency_intended_ns = loop->latency_intended_ns;
    ret->missed = loop->missed;
    ret->offered_ns = loop->due_ns - loop->first_due_ns;
    ret->achieved_ns = end_ns - loop->first_due_ns;
}
