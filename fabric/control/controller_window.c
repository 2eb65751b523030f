/* SPDX-License-Identifier: BSD-3-Clause */
/* Iterations of a phase: how many are granted, and which of them count. */
#include "fabric/control/controller.h"

/* Where jobs run together: how long after all have been seen to run the window opens. What was told
 * until then may be of iterations that ran before; agents look every few milliseconds. */
#define NEAR_NS 50000000u

uint64_t weft_controller_done(const struct weft_controller *controller,
                              const struct weft_controller_part *part)
{
    uint64_t done = UINT64_MAX;
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        const struct weft_controller_share *share = &part->shares[i];
        if (share->local_count && share->done < done)
            done = share->done;
    }
    return done == UINT64_MAX ? 0 : done;
}

uint64_t weft_controller_taken(const struct weft_controller *controller,
                               const struct weft_controller_part *part)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        const struct weft_controller_share *share = &part->shares[i];
        if (share->local_count && share->decides && share->taken < least)
            least = share->taken;
    }
    return least == UINT64_MAX ? 0 : least;
}

bool weft_controller_any_decides(const struct weft_controller *controller,
                                 const struct weft_controller_part *part)
{
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        if (part->shares[i].local_count && part->shares[i].decides)
            return true;
    }
    return false;
}

/* ---- the window ---- */

static uint64_t counted_now(const struct weft_controller *controller,
                            const struct weft_controller_part *part)
{
    return weft_controller_any_decides(controller, part) ? part->merge.merged
                                                         : weft_controller_done(controller, part);
}

static bool all_run(const struct weft_controller *controller)
{
    for (uint32_t i = 0; i < controller->part_count; i++) {
        if (!weft_controller_done(controller, &controller->parts[i]))
            return false;
    }
    return true;
}

/* Long enough, or each job as often as was asked for. Virtual time must stand still, or the end
 * would come at another of its instants in every run. */
static bool is_full(const struct weft_controller *controller, bool waits, uint64_t now_ns)
{
    if (controller->options.virtual_time && !waits)
        return false;
    for (uint32_t i = 0; i < controller->part_count; i++) {
        const struct weft_controller_part *part = &controller->parts[i];
        uint64_t counted = counted_now(controller, part) - part->counted_from;
        if (counted < part->test.iterations)
            return false;
    }
    return now_ns - controller->window_ns >= controller->parts[0].test.duration_ns;
}

static void open_window(struct weft_controller *controller)
{
    for (uint32_t i = 0; i < controller->part_count; i++)
        controller->parts[i].counted_from = counted_now(controller, &controller->parts[i]);
}

static void close_window(struct weft_controller *controller)
{
    for (uint32_t i = 0; i < controller->part_count; i++) {
        controller->parts[i].counted_to = counted_now(controller, &controller->parts[i]);
        controller->parts[i].lease.last = true;
    }
}

static void enter(struct weft_controller *controller, enum weft_window window, uint64_t now_ns)
{
    controller->window = window;
    controller->window_ns = now_ns;
}

/* What agents must do for it. */
static enum weft_agent_record move_window(struct weft_controller *controller, bool waits,
                                          uint64_t now_ns)
{
    if (controller->window == WEFT_WINDOW_AWAITED && all_run(controller))
        enter(controller, WEFT_WINDOW_NEAR, now_ns);
    if (controller->window == WEFT_WINDOW_NEAR && now_ns - controller->window_ns >= NEAR_NS) {
        enter(controller, WEFT_WINDOW_OPEN, now_ns);
        open_window(controller);
        return WEFT_RECORD_ANEW;
    }
    if (controller->window == WEFT_WINDOW_OPEN && is_full(controller, waits, now_ns)) {
        enter(controller, WEFT_WINDOW_CLOSED, now_ns);
        close_window(controller);
        return WEFT_RECORD_NO_MORE;
    }
    return WEFT_RECORD_ON;
}

/* ---- grants ---- */

void weft_controller_renew(struct weft_controller *controller, bool waits, uint64_t now_ns)
{
    if (controller->stage != WEFT_STAGE_RUNNING || controller->interrupted)
        return;
    enum weft_agent_record record = move_window(controller, waits, now_ns);
    bool changed = record != WEFT_RECORD_ON;
    for (uint32_t i = 0; i < controller->part_count; i++) {
        struct weft_controller_part *part = &controller->parts[i];
        const struct weft_lease_progress progress = {
            .done = weft_controller_done(controller, part),
            .taken = part->merge.merged,
            .waits = waits,
        };
        changed = weft_lease_renew(&part->lease, &progress, now_ns) || changed;
    }
    if (changed)
        weft_controller_say_grant(controller, record);
}
