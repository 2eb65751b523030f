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
    weft_agent_say_connected(agent, now_ns);
}

static void pass_durations(struct weft_agent *agent, uint64_t now_ns)
{
    if (agent->phase != WEFT_PHASE_MEASURE || !agent->decides)
        return;
    for (uint32_t i = 0; i < BLOCKS_A_TICK; i++) {
        uint32_t count = agent->runtime->take_durations(agent->runtime_context, agent->block,
                                                        WEFT_DURATIONS_A_BLOCK);
        assert(count <= WEFT_DURATIONS_A_BLOCK);
        agent->is_open_loop =
            agent->runtime->take_intended &&
            agent->runtime->take_intended(agent->runtime_context, agent->intended, count);
        if (count)
            weft_agent_say_durations(agent, count, now_ns);
        if (count < WEFT_DURATIONS_A_BLOCK)
            return;
    }
}

static bool durations_are_told(const struct weft_agent *agent)
{
    return agent->phase != WEFT_PHASE_MEASURE || !agent->decides ||
           agent->durations_told == agent->granted;
}

static void watch_phase(struct weft_agent *agent, uint64_t now_ns)
{
    struct weft_error error = {0};
    struct weft_agent_progress progress = {0};
    enum weft_status status = agent->runtime->progress(agent->runtime_context, &progress, &error);
    if (status) {
        weft_agent_fail(agent, status, &error, now_ns);
        return;
    }
    weft_agent_trace_watch(agent);
    /* In this order: what progress calls done has its durations taken below. */
    pass_durations(agent, now_ns);
    bool all_done = progress.idle && progress.iterations_done == agent->granted;
    if (progress.iterations_done > agent->done_told &&
        (all_done || now_ns - agent->progress_told_ns >= PROGRESS_INTERVAL_NS))
        weft_agent_say_progress(agent, progress.iterations_done, now_ns);
    if (!agent->last || !all_done || !durations_are_told(agent))
        return;
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

static void collect_next(struct weft_agent *agent, uint64_t now_ns)
{
    for (uint32_t i = 0; i < RANKS_A_TICK && agent->next_local < agent->local_count; i++) {
        struct weft_error error = {0};
        enum weft_status status = collect(agent, agent->next_local++, &error);
        if (status) {
            weft_agent_fail(agent, status, &error, now_ns);
            return;
        }
        agent->said_ns = now_ns;
    }
    if (agent->next_local == agent->local_count)
        agent->state = WEFT_AGENT_READY;
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
    else if (agent->state == WEFT_AGENT_TRACING)
        weft_agent_trace_tell(agent, now_ns);
    if (now_ns - agent->said_ns >= ALIVE_INTERVAL_NS)
        weft_agent_say_alive(agent, now_ns);
}

enum weft_agent_hurry weft_agent_hurry(const struct weft_agent *agent)
{
    switch (agent->state) {
    case WEFT_AGENT_CONNECTING:
        return WEFT_AGENT_EAGER;
    case WEFT_AGENT_RUNNING:
        return agent->phase == WEFT_PHASE_MEASURE ? WEFT_AGENT_CALM : WEFT_AGENT_EAGER;
    case WEFT_AGENT_VERIFYING:
    case WEFT_AGENT_COLLECTING:
    case WEFT_AGENT_TRACING:
        return WEFT_AGENT_BUSY;
    case WEFT_AGENT_IDLE:
    case WEFT_AGENT_PREPARED:
    case WEFT_AGENT_READY:
    case WEFT_AGENT_FAILED:
        break;
    }
    return WEFT_AGENT_CALM;
}
