/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/control/lease.h"

#include "fabric/base/wide.h"

#define MARK_INTERVAL_NS 250000000u
/* Reports come in ticks of milliseconds: over a shorter time than this a pace means nothing. */
#define PACE_FLOOR_NS 10000000u
/* Close to its end a timed phase is granted this much at least, or it would creep there in ever
 * smaller steps: it may last so much longer. */
#define END_FLOOR_NS 20000000u
#define BEGIN_LATE_NS 250000000u

uint64_t weft_lease_worth(uint64_t iterations, uint64_t elapsed_ns)
{
    if (elapsed_ns < PACE_FLOOR_NS)
        elapsed_ns = PACE_FLOOR_NS;
    weft_u128 worth = (weft_u128)iterations * WEFT_LEASE_NS / elapsed_ns;
    return worth > INT64_MAX / 4 ? INT64_MAX / 4 : (uint64_t)worth;
}

void weft_lease_begin(struct weft_lease *lease, const struct weft_lease_options *options,
                      uint64_t now_ns)
{
    *lease = (struct weft_lease){
        .options = *options,
        .started_ns = now_ns,
        .seen_ns = now_ns,
        .mark_ns = now_ns,
        .older_ns = now_ns,
    };
}

static void move_marks(struct weft_lease *lease, uint64_t done, uint64_t now_ns)
{
    if (now_ns - lease->mark_ns < MARK_INTERVAL_NS)
        return;
    lease->older_ns = lease->mark_ns;
    lease->older_done = lease->mark_done;
    lease->mark_ns = now_ns;
    lease->mark_done = done;
}

/* Iterations that a lease is worth at the present pace. */
static uint64_t worth_now(const struct weft_lease *lease, uint64_t done, uint64_t now_ns)
{
    uint64_t worth = weft_lease_worth(done - lease->older_done, now_ns - lease->older_ns);
    /* Before the first mark the phase is still getting under way. */
    if (lease->mark_ns == lease->started_ns && lease->options.expected > worth)
        return lease->options.expected;
    return worth;
}

static uint64_t min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t furthest(const struct weft_lease *lease, uint64_t taken)
{
    return lease->options.window ? taken + lease->options.window : UINT64_MAX;
}

static bool extend(struct weft_lease *lease, uint64_t granted, bool last)
{
    if (granted <= lease->granted && !last)
        return false;
    if (granted > lease->granted)
        lease->granted = granted;
    lease->last = last;
    return true;
}

static bool renew_counted(struct weft_lease *lease, uint64_t done, uint64_t taken)
{
    uint64_t granted = min(lease->options.iterations, furthest(lease, taken));
    bool last = granted == lease->options.iterations;
    if (!last && lease->granted && lease->granted - done >= lease->options.window / 2)
        return false;
    return extend(lease, granted, last);
}

static bool renew_timed(struct weft_lease *lease, uint64_t done, uint64_t taken, uint64_t now_ns)
{
    /* A busy machine may let its ranks begin long after the grant: the time counts from when they
     * are seen to run, so that they measure at least as long as was asked for. A first iteration
     * that takes longer than any rank would be late for says nothing of that. */
    if (!done && now_ns - lease->started_ns <= BEGIN_LATE_NS)
        lease->seen_ns = now_ns;
    uint64_t elapsed_ns = now_ns - lease->seen_ns;
    uint64_t left = lease->granted - done;
    /* What ranks have done is known some milliseconds late, so at the end they get a last piece. */
    bool last = lease->granted && elapsed_ns >= lease->options.duration_ns;
    uint64_t remaining_ns = last ? 0 : lease->options.duration_ns - elapsed_ns;
    if (remaining_ns < END_FLOOR_NS)
        remaining_ns = END_FLOOR_NS;
    uint64_t ahead = worth_now(lease, done, now_ns);
    if (remaining_ns < WEFT_LEASE_NS)
        ahead = (uint64_t)((weft_u128)ahead * remaining_ns / WEFT_LEASE_NS);
    if (!ahead)
        ahead = 1;
    if (!last && lease->granted && left * 2 >= ahead)
        return false;
    return extend(lease, min(done + ahead, furthest(lease, taken)), last);
}

/* A quarter more each time, so that a job which must wait long for another does so in few steps. */
static bool renew_stepped(struct weft_lease *lease, const struct weft_lease_progress *progress)
{
    uint64_t granted = lease->options.step + lease->options.margin;
    if (lease->granted &&
        (!progress->waits || lease->granted - progress->done >= lease->options.margin))
        return false;
    if (lease->granted)
        granted = lease->granted + lease->options.step + progress->done / 4;
    return extend(lease, min(granted, furthest(lease, progress->taken)), false);
}

bool weft_lease_renew(struct weft_lease *lease, const struct weft_lease_progress *progress,
                      uint64_t now_ns)
{
    if (lease->last)
        return false;
    if (lease->options.step)
        return renew_stepped(lease, progress);
    move_marks(lease, progress->done, now_ns);
    return lease->options.iterations ? renew_counted(lease, progress->done, progress->taken)
                                     : renew_timed(lease, progress->done, progress->taken, now_ns);
}
