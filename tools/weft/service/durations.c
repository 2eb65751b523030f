/* SPDX-License-Identifier: BSD-3-Clause */
/* How long iterations took, all deciding ranks of this agent together. */
#include <assert.h>
#include <string.h>

#include "tools/weft/service/state.h"

static bool seat_decides(const struct weft_seat *seat, uint32_t part)
{
    return seat->part == part && seat->schedule->decides_completion;
}

bool weft_runtime_decides(void *context, uint32_t part)
{
    const struct weft_runtime *runtime = context;
    for (uint32_t i = 0; i < runtime->seats->count; i++) {
        if (seat_decides(&runtime->seats->seats[i], part))
            return true;
    }
    return false;
}

static void fill_durations(struct weft_seat *seat)
{
    uint32_t held = seat->durations_count;
    seat->durations_count +=
        weft_node_take_completions(seat->node, seat->durations_ns + held, seat->intended_ns + held,
                                   WEFT_SEAT_DURATIONS - held);
}

static void drop_durations(struct weft_seat *seat, uint32_t count)
{
    seat->durations_count -= count;
    memmove(seat->durations_ns, seat->durations_ns + count,
            seat->durations_count * sizeof(seat->durations_ns[0]));
    memmove(seat->intended_ns, seat->intended_ns + count,
            seat->durations_count * sizeof(seat->intended_ns[0]));
}

/* How many iterations all deciding ranks have a duration of, at most `count`. */
static uint32_t common_durations(const struct weft_runtime *runtime, uint32_t part, uint32_t count)
{
    uint32_t common = weft_runtime_decides((void *)(uintptr_t)runtime, part) ? count : 0;
    for (uint32_t i = 0; i < runtime->seats->count; i++) {
        struct weft_seat *seat = &runtime->seats->seats[i];
        if (!seat_decides(seat, part))
            continue;
        fill_durations(seat);
        if (seat->durations_count < common)
            common = seat->durations_count;
    }
    return common;
}

uint32_t weft_runtime_take_durations(void *context, uint32_t part, uint64_t *durations_ns,
                                     uint32_t count)
{
    struct weft_runtime *runtime = context;
    uint32_t common = common_durations(runtime, part, count);
    memset(durations_ns, 0, common * sizeof(durations_ns[0]));
    memset(runtime->intended_ns, 0, common * sizeof(runtime->intended_ns[0]));
    for (uint32_t i = 0; common && i < runtime->seats->count; i++) {
        struct weft_seat *seat = &runtime->seats->seats[i];
        if (!seat_decides(seat, part))
            continue;
        for (uint32_t j = 0; j < common; j++) {
            if (seat->durations_ns[j] > durations_ns[j])
                durations_ns[j] = seat->durations_ns[j];
            if (seat->intended_ns[j] > runtime->intended_ns[j])
                runtime->intended_ns[j] = seat->intended_ns[j];
        }
        drop_durations(seat, common);
    }
    return common;
}

bool weft_runtime_take_intended(void *context, uint32_t part, uint64_t *intended_ns, uint32_t count)
{
    const struct weft_runtime *runtime = context;
    assert(count <= WEFT_SEAT_DURATIONS);
    memcpy(intended_ns, runtime->intended_ns, count * sizeof(intended_ns[0]));
    return runtime->seats->parts[part].is_open_loop;
}
