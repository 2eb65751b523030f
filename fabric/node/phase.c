/* SPDX-License-Identifier: BSD-3-Clause */
/* The control thread's side of a run. */
#include <assert.h>

#include "fabric/node/keeper.h"

static uint64_t done_of(const struct weft_node *node)
{
    return atomic_load_explicit(&weft_node_shared(node)->done, memory_order_acquire);
}

/* An iteration of VERIFY has a lane to itself. */
static uint8_t *lane_of_pass(const struct weft_node *node, uint32_t pass)
{
    const struct weft_node_setup *setup = weft_node_setup(node);
    uint64_t base = atomic_load_explicit(&weft_node_shared(node)->base, memory_order_relaxed);
    return weft_node_lane(setup, weft_node_lane_of(setup, base + pass));
}

void weft_node_start(struct weft_node *node, const struct weft_phase_options *options)
{
    const struct weft_node_setup *setup = weft_node_setup(node);
    struct weft_node_shared *shared = weft_node_shared(node);
    assert(options->phase < WEFT_PHASE_COUNT);
    if (atomic_load_explicit(&shared->failed, memory_order_acquire))
        return;
    const struct weft_phase_options order = {
        .phase = options->phase, .reduce = options->reduce || options->phase == WEFT_PHASE_VERIFY};
    weft_node_set_order(node, &order);
    weft_tally_clear(weft_node_tally(node));
    atomic_store_explicit(&shared->base, done_of(node), memory_order_relaxed);
    atomic_store_explicit(&shared->more, false, memory_order_relaxed);
    weft_trace_reset(setup);
    atomic_store_explicit(&shared->durations_tail,
                          atomic_load_explicit(&shared->durations_head, memory_order_acquire),
                          memory_order_release);
    for (uint32_t pass = 0; options->phase == WEFT_PHASE_VERIFY && pass <= setup->lane_mask; pass++)
        weft_verify_fill(setup->schedule, lane_of_pass(node, pass), pass);
}

void weft_node_grant(struct weft_node *node, uint64_t iterations)
{
    struct weft_node_shared *shared = weft_node_shared(node);
    uint64_t base = atomic_load_explicit(&shared->base, memory_order_relaxed);
    assert(iterations <= UINT64_MAX / 2);
    assert(base + iterations >= atomic_load_explicit(&shared->granted, memory_order_relaxed));
    /* A lane is filled once, and a second sum over it would not be the one expected. */
    assert(weft_node_order(node)->phase != WEFT_PHASE_VERIFY ||
           iterations <= weft_node_setup(node)->lane_mask + 1);
    atomic_store_explicit(&shared->granted, base + iterations, memory_order_release);
}

void weft_node_expect_grant(struct weft_node *node, bool more)
{
    atomic_store_explicit(&weft_node_shared(node)->more, more, memory_order_relaxed);
}

bool weft_node_wants_grant(const struct weft_node *node)
{
    uint64_t granted = atomic_load_explicit(&weft_node_shared(node)->granted, memory_order_acquire);
    return atomic_load_explicit(&weft_node_shared(node)->more, memory_order_relaxed) &&
           granted - done_of(node) < weft_node_grant_margin(weft_node_setup(node)->in_flight);
}

uint64_t weft_node_iterations_done(const struct weft_node *node)
{
    return done_of(node) -
           atomic_load_explicit(&weft_node_shared(node)->base, memory_order_relaxed);
}

void weft_node_verify(const struct weft_node *node, struct weft_verify_result *ret_result)
{
    assert(weft_node_order(node)->phase == WEFT_PHASE_VERIFY);
    *ret_result = (struct weft_verify_result){0};
    uint64_t iterations = weft_node_iterations_done(node);
    for (uint32_t pass = 0; pass < iterations; pass++)
        weft_verify_check(weft_node_setup(node)->schedule, lane_of_pass(node, pass), pass,
                          ret_result);
}

uint32_t weft_node_take_completions(struct weft_node *node, uint64_t *durations_ns,
                                    uint64_t *intended_ns, uint32_t count)
{
    const struct weft_node_setup *setup = weft_node_setup(node);
    struct weft_node_shared *shared = weft_node_shared(node);
    uint64_t tail = atomic_load_explicit(&shared->durations_tail, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&shared->durations_head, memory_order_acquire);
    uint32_t taken = 0;
    for (; taken < count && tail != head; taken++, tail++) {
        uint64_t at = tail & (WEFT_NODE_DURATIONS - 1);
        durations_ns[taken] = setup->durations_ns[at];
        if (intended_ns)
            intended_ns[taken] = setup->intended_ns ? setup->intended_ns[at] : durations_ns[taken];
    }
    atomic_store_explicit(&shared->durations_tail, tail, memory_order_release);
    return taken;
}

uint32_t weft_node_take_durations(struct weft_node *node, uint64_t *durations_ns, uint32_t count)
{
    return weft_node_take_completions(node, durations_ns, NULL, count);
}

enum weft_status weft_node_failure(const struct weft_node *node, struct weft_error *error)
{
    const struct weft_node_shared *shared = weft_node_shared(node);
    if (!atomic_load_explicit(&shared->failed, memory_order_acquire))
        return WEFT_OK;
    if (error)
        *error = shared->failure;
    return shared->failure.status;
}
