/* SPDX-License-Identifier: BSD-3-Clause */
/* What time brings: the agent looks at its ranks and tells what there is to tell. */
#include <assert.h>

#include "fabric/control/agent.h"

/* The controller takes an agent for lost that says nothing for seconds: these tell it more often,
 * and soon enough for leases of 200 ms to be renewed in time. */
#define ALIVE_INTERVAL_NS 500000000u
#define PROGRESS_INTERVAL_NS 20000000u

/* So that a tick is bounded. */
#define BLOCKS_A_TICK 64u
#define RANKS_A_TICK 8u

static void watch_channels(struct weft_agent *agent, uint64_t now_ns)
{
    struct weft_error error = {0};
    enum weft_status status = agent->runtime->connected(agent->runtime_context, &error);
    if (status == WEFT_AGAIN)
        return;
    if (status) {
        weft_agent_fail(agent, status, &error, now_ns);
        return;
    }
    agent->state = WEFT_AGENT_READY;
    weft_agent_say(agent, WEFT__ENVELOPE__BODY_CONNECTED, now_ns);
}

static void pass_durations(struct weft_agent *agent, uint32_t index, uint64_t now_ns)
{
    struct weft_agent_part *part = &agent->parts[index];
    const struct weft_agent_runtime *runtime = agent->runtime;
    if (agent->phase != WEFT_PHASE_MEASURE || !part->decides)
        return;
    for (uint32_t i = 0; i < BLOCKS_A_TICK; i++) {
        uint32_t count = runtime->take_durations(agent->runtime_context, index, agent->block,
                                                 WEFT_DURATIONS_A_BLOCK);
        assert(count <= WEFT_DURATIONS_A_BLOCK);
        part->is_open_loop =
            runtime->take_intended &&
            runtime->take_intended(agent->runtime_context, index, agent->intended, count);
        if (count)
            weft_agent_say_durations(agent, index, count, now_ns);
        if (count < WEFT_DURATIONS_A_BLOCK)
            return;
    }
}

/* Has it run all of the phase, and is that told? */
static bool is_through(const struct weft_agent *agent, const struct weft_agent_part *part)
{
    bool told = agent->phase != WEFT_PHASE_MEASURE || !part->decides ||
                part->durations_told == part->granted;
    return part->last && part->idle && part->done == part->granted && told;
}

/* What progress calls done has its durations taken after it. */
static enum weft_status look(struct weft_agent *agent, uint64_t now_ns, struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; i < agent->part_count && !status; i++) {
        struct weft_agent_progress progress = {0};
        status = agent->runtime->progress(agent->runtime_context, i, &progress, error);
        agent->parts[i].done = progress.iterations_done;
        agent->parts[i].idle = progress.idle;
        if (!status)
            pass_durations(agent, i, now_ns);
    }
    return status;
}

/* At once where a part waits for it, else now and then. */
static void tell_progress(struct weft_agent *agent, bool waits, uint64_t now_ns)
{
    bool more = false, all_done = false;
    for (uint32_t i = 0; i < agent->part_count; i++) {
        const struct weft_agent_part *part = &agent->parts[i];
        more = more || part->done > part->done_told;
        all_done =
            all_done || (part->done > part->done_told && part->idle && part->done == part->granted);
    }
    bool due = all_done || now_ns - agent->progress_told_ns >= PROGRESS_INTERVAL_NS;
    if ((more && due) || (waits && !agent->waits_told))
        weft_agent_say_progress(agent, waits, now_ns);
}

static void watch_phase(struct weft_agent *agent, uint64_t now_ns)
{
    struct weft_error error = {0};
    /* Before all else is looked at: then it is as it was at this instant. */
    bool waits = agent->runtime->waits && agent->runtime->waits(agent->runtime_context);
    enum weft_status status = look(agent, now_ns, &error);
    if (status) {
        weft_agent_fail(agent, status, &error, now_ns);
        return;
    }
    weft_agent_trace_watch(agent);
    tell_progress(agent, waits, now_ns);
    for (uint32_t i = 0; i < agent->part_count; i++) {
        if (!is_through(agent, &agent->parts[i]))
            return;
    }
    if (agent->phase == WEFT_PHASE_VERIFY) {
        agent->state = WEFT_AGENT_VERIFYING;
        agent->next_local = 0;
    } else {
        weft_agent_say_done(agent, now_ns);
    }
}

/* A rank a tick: comparing large buffers takes long, and the controller must hear of us. */
static void compare_next(struct weft_agent *agent, uint64_t now_ns)
{
    uint32_t local = agent->next_local++;
    struct weft_verify_result result = {0};
    enum weft_status status = agent->runtime->verify(agent->runtime_context, local, &result);
    if (status) {
        struct weft_error error = {0};
        (void)weft_error_set(&error, status, "cannot verify rank %u: %s", agent->local_ranks[local],
                             weft_status_text(status));
        weft_agent_fail(agent, status, &error, now_ns);
        return;
    }
    agent->verified[local] = result;
    if (agent->next_local < agent->local_count)
        return;
    agent->verified_known = true;
    weft_agent_say_done(agent, now_ns);
}

static enum weft_status collect(struct weft_agent *agent, uint32_t local, struct weft_error *error)
{
    struct weft_rank_result result = {0};
    enum weft_status status =
        agent->runtime->collect(agent->runtime_context, local, &result, error);
    if (status)
        return status;
    result.rank = agent->local_ranks[local];
    result.verified_known = agent->verified_known;
    result.verified = agent->verified[local];
    status = weft_wire_rank_send(&agent->wire, &result, error);
    weft_hist_destroy(result.latency_ns);
    weft_hist_destroy(result.bandwidth_bps);
    weft_hist_destroy(result.open_loop.latency_intended_ns);
    return status;
}

/* The next few; false: one failed. */
static bool collect_some(struct weft_agent *agent, uint64_t now_ns)
{
    for (uint32_t i = 0; i < RANKS_A_TICK && agent->collected < agent->local_count; i++) {
        struct weft_error error = {0};
        enum weft_status status = collect(agent, agent->collected++, &error);
        if (status) {
            agent->measured = false;
            weft_agent_fail(agent, status, &error, now_ns);
            return false;
        }
        agent->said_ns = now_ns;
    }
    agent->measured = agent->collected < agent->local_count;
    return true;
}

static void collect_next(struct weft_agent *agent, uint64_t now_ns)
{
    if (collect_some(agent, now_ns) && !agent->measured)
        agent->state = WEFT_AGENT_READY;
}

/* Of a broken test, where another failure changes nothing. */
static void end_next(struct weft_agent *agent, uint64_t now_ns)
{
    if (!collect_some(agent, now_ns) || !agent->measured)
        weft_agent_end(agent, now_ns);
}

void weft_agent_tick(struct weft_agent *agent, uint64_t now_ns)
{
    if (!agent->attached)
        return;
    if (agent->state == WEFT_AGENT_CONNECTING)
        watch_channels(agent, now_ns);
    else if (agent->state == WEFT_AGENT_RUNNING)
        watch_phase(agent, now_ns);
    else if (agent->state == WEFT_AGENT_VERIFYING)
        compare_next(agent, now_ns);
    else if (agent->state == WEFT_AGENT_COLLECTING)
        collect_next(agent, now_ns);
    else if (agent->state == WEFT_AGENT_ENDING)
        end_next(agent, now_ns);
    else if (agent->state == WEFT_AGENT_TRACING)
        weft_agent_trace_tell(agent, now_ns);
    if (now_ns - agent->said_ns >= ALIVE_INTERVAL_NS)
        weft_agent_say(agent, WEFT__ENVELOPE__BODY_ALIVE, now_ns);
}

enum weft_agent_hurry weft_agent_hurry(const struct weft_agent *agent)
{
    switch (agent->state) {
    case WEFT_AGENT_CONNECTING:
        return WEFT_AGENT_EAGER;
    case WEFT_AGENT_RUNNING:
        /* A clock that stands still is not disturbed. */
        if (agent->runtime->waits && agent->runtime->waits(agent->runtime_context))
            return WEFT_AGENT_EAGER;
        return agent->phase == WEFT_PHASE_MEASURE ? WEFT_AGENT_CALM : WEFT_AGENT_EAGER;
    case WEFT_AGENT_VERIFYING:
    case WEFT_AGENT_COLLECTING:
    case WEFT_AGENT_TRACING:
    case WEFT_AGENT_ENDING:
        return WEFT_AGENT_BUSY;
    case WEFT_AGENT_IDLE:
    case WEFT_AGENT_PREPARED:
    case WEFT_AGENT_READY:
    case WEFT_AGENT_FAILED:
        break;
    }
    return WEFT_AGENT_CALM;
}
