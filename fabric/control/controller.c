/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/control/controller.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fabric/base/units.h"

#define SILENCE_LIMIT_NS UINT64_C(15000000000)
#define STALL_LIMIT_NS UINT64_C(60000000000)
/* An agent that opens or closes devices, or fills buffers, says nothing meanwhile. */
#define BLOCKED_TIMES 4u
/* An iteration may take so many times its ideal. */
#define IDEAL_TIMES 10u
/* How long the others may take to let go of a broken test. */
#define STOP_LIMIT_NS UINT64_C(5000000000)
/* How long an interrupted test may run on to its last grant. */
#define GRACE_NS UINT64_C(2000000000)
/* Of a silence that the controller slept through itself only this counts: what was said is still on
 * its way in. */
#define SLEPT_COUNTS_NS UINT64_C(1000000000)

/* ---- making ---- */

static enum weft_status check_tests(const struct weft_controller_options *options,
                                    struct weft_error *error)
{
    const struct weft_plan *plan = options->plan;
    if (!plan->test_count)
        return weft_error_set(error, WEFT_INVALID, "the plan has no test");
    for (uint32_t i = 0; i < plan->test_count; i++) {
        struct weft_pattern_options pattern = plan->tests[i].options;
        if (!pattern.rank_count)
            pattern.rank_count = options->topology->rank_count;
        uint32_t needed =
            plan->tests[i].ranks ? weft_test_ranks_needed(&plan->tests[i]) : pattern.rank_count;
        if (needed > options->topology->rank_count)
            return weft_error_set(
                error, WEFT_INVALID,
                "test '%s' needs %u ranks, but the topology has %u: add ranks to it or use fewer",
                plan->tests[i].name, needed, options->topology->rank_count);
        enum weft_status status = weft_pattern_check(plan->tests[i].pattern, &pattern, error);
        if (status) {
            (void)weft_error_prefix(error, "test '%s': ", plan->tests[i].name);
            return status;
        }
    }
    return WEFT_OK;
}

static enum weft_status seat_rank(struct weft_controller *controller, uint32_t rank,
                                  struct weft_error *error)
{
    const struct weft_controller_options *options = &controller->options;
    const struct weft_topology *topology = options->topology;
    uint32_t host = topology->nics[topology->rank_nics[rank]].host;
    uint32_t agent = options->host_agents[host];
    if (agent >= options->agent_count)
        return weft_error_set(error, WEFT_INVALID, "host '%s' has rank %u and no agent",
                              topology->hosts[host].name, rank);
    controller->rank_agents[rank] = agent;
    return WEFT_OK;
}

/* Ranks that no test runs have no agent. */
static enum weft_status seat_ranks(struct weft_controller *controller, struct weft_error *error)
{
    const struct weft_plan *plan = controller->options.plan;
    uint32_t all = controller->options.topology->rank_count;
    enum weft_status status = WEFT_OK;
    for (uint32_t rank = 0; rank < all; rank++)
        controller->rank_agents[rank] = WEFT_AGENT_NONE;
    for (uint32_t i = 0; i < plan->test_count; i++) {
        const struct weft_test *test = &plan->tests[i];
        uint32_t count = test->options.rank_count ? test->options.rank_count : all;
        for (uint32_t rank = 0; rank < count && !status; rank++)
            status = seat_rank(controller, weft_test_rank(test, rank), error);
    }
    return status;
}

/* Each agent gets the first of its hosts that a test uses, and their number. */
static enum weft_status gather_hosts(struct weft_controller *controller, struct weft_error *error)
{
    const struct weft_topology *topology = controller->options.topology;
    bool *used = calloc((size_t)topology->host_count + 1, sizeof(*used));
    if (!used)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    for (uint32_t rank = 0; rank < topology->rank_count; rank++)
        if (controller->rank_agents[rank] != WEFT_AGENT_NONE)
            used[topology->nics[topology->rank_nics[rank]].host] = true;
    for (uint32_t host = topology->host_count; host-- > 0;) {
        if (!used[host])
            continue;
        struct weft_controller_agent *agent =
            &controller->agents[controller->options.host_agents[host]];
        agent->first_host = topology->hosts[host].name;
        agent->host_count++;
    }
    free(used);
    return WEFT_OK;
}

/* "c", or "c and 2 more". */
static void name_agent(struct weft_controller_agent *agent, uint32_t index)
{
    const char *first = agent->first_host ? agent->first_host : "(none)";
    if (agent->host_count > 1)
        (void)snprintf(agent->host, sizeof(agent->host), "%.60s and %u more", first,
                       agent->host_count - 1);
    else
        (void)snprintf(agent->host, sizeof(agent->host), "%.60s", first);
    (void)snprintf(agent->name, sizeof(agent->name), "agent %u (host %s)", index, agent->host);
}

static enum weft_status name_agents(struct weft_controller *controller, struct weft_error *error)
{
    enum weft_status status = seat_ranks(controller, error);
    if (status == WEFT_OK)
        status = gather_hosts(controller, error);
    for (uint32_t i = 0; i < controller->options.agent_count && !status; i++)
        name_agent(&controller->agents[i], i);
    return status;
}

static bool allocate_parts(struct weft_controller *controller)
{
    const struct weft_plan *plan = controller->options.plan;
    bool made = true;
    controller->part_room = 1;
    for (uint32_t i = 0; i < plan->test_count; i++) {
        uint32_t parts = weft_test_parts(&plan->tests[i]);
        controller->part_room = parts > controller->part_room ? parts : controller->part_room;
    }
    controller->parts = calloc(controller->part_room, sizeof(*controller->parts));
    for (uint32_t i = 0; controller->parts && i < controller->part_room; i++) {
        struct weft_controller_part *part = &controller->parts[i];
        part->shares = calloc(controller->options.agent_count, sizeof(*part->shares));
        made = weft_merge_init(&part->merge) && weft_merge_init(&part->intended) && part->shares &&
               made;
    }
    return controller->parts && made;
}

/* What an agent may have to reserve before its first test. */
static void count_most(struct weft_controller *controller)
{
    const struct weft_plan *plan = controller->options.plan;
    uint32_t agent_count = controller->options.agent_count;
    for (uint32_t i = 0; i < plan->test_count;) {
        uint32_t end = i + weft_test_parts(&plan->tests[i]);
        for (uint32_t agent = 0; agent < agent_count; agent++)
            controller->agents[agent].local_count = 0;
        for (; i < end; i++) {
            struct weft_test test = plan->tests[i];
            if (!test.options.rank_count)
                test.options.rank_count = controller->options.topology->rank_count;
            for (uint32_t rank = 0; rank < test.options.rank_count; rank++)
                controller->agents[controller->rank_agents[weft_test_rank(&test, rank)]]
                    .local_count++;
        }
        for (uint32_t agent = 0; agent < agent_count; agent++) {
            struct weft_controller_agent *at = &controller->agents[agent];
            at->plan_count = at->local_count > at->plan_count ? at->local_count : at->plan_count;
        }
    }
}

static enum weft_status allocate(struct weft_controller *controller, struct weft_error *error)
{
    const struct weft_controller_options *options = &controller->options;
    enum weft_status status =
        weft_result_create(options->plan, options->topology, &controller->result, error);
    if (status)
        return status;
    struct weft_result *result = controller->result;
    result->ideals = options->ideals;
    result->seed = options->seed;
    result->environments = calloc(options->agent_count, sizeof(*result->environments));
    controller->agents = calloc(options->agent_count, sizeof(*controller->agents));
    size_t room = (size_t)options->topology->rank_count + 1;
    controller->rank_agents = calloc(room, sizeof(*controller->rank_agents));
    controller->rank_parts = calloc(room, sizeof(*controller->rank_parts));
    controller->rank_places = calloc(room, sizeof(*controller->rank_places));
    if (!result->environments || !controller->agents || !controller->rank_agents ||
        !controller->rank_parts || !controller->rank_places || !allocate_parts(controller))
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for the controller");
    result->environment_count = options->agent_count;
    /* Begun at once: whatever goes wrong from now on stands in a test. */
    return weft_controller_begin_parts(controller, 0, error);
}

enum weft_status weft_controller_create(const struct weft_controller_options *options,
                                        struct weft_controller **ret_controller,
                                        struct weft_error *error)
{
    if (!options->agent_count)
        return weft_error_set(error, WEFT_INVALID, "there is no agent to run ranks");
    enum weft_status status = check_tests(options, error);
    if (status)
        return status;
    struct weft_controller *controller = calloc(1, sizeof(*controller));
    if (!controller)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for the controller");
    controller->options = *options;
    if (!controller->options.silence_limit_ns)
        controller->options.silence_limit_ns = SILENCE_LIMIT_NS;
    if (!controller->options.stall_limit_ns)
        controller->options.stall_limit_ns = STALL_LIMIT_NS;
    controller->wire.output = options->output;
    status = allocate(controller, error);
    if (!status)
        status = name_agents(controller, error);
    if (!status)
        count_most(controller);
    if (status) {
        weft_controller_destroy(controller);
        return status;
    }
    *ret_controller = controller;
    return WEFT_OK;
}

void weft_controller_destroy(struct weft_controller *controller)
{
    if (!controller)
        return;
    weft_controller_trace_reset(controller);
    for (uint32_t i = 0; controller->parts && i < controller->part_room; i++) {
        weft_merge_fini(&controller->parts[i].merge);
        weft_merge_fini(&controller->parts[i].intended);
        free(controller->parts[i].shares);
    }
    free(controller->parts);
    weft_result_destroy(controller->result);
    weft_channels_fini(&controller->channels);
    weft_wire_fini(&controller->wire);
    free(controller->agents);
    free(controller->rank_agents);
    free(controller->rank_parts);
    free(controller->rank_places);
    free(controller);
}

/* ---- what happens ---- */

static void lose(struct weft_controller *controller, uint32_t agent)
{
    controller->agents[agent].lost = true;
}

void weft_controller_lost(struct weft_controller *controller, uint32_t agent, const char *why,
                          uint64_t now_ns)
{
    struct weft_controller_agent *peer = &controller->agents[agent];
    if (controller->stage == WEFT_STAGE_FINISHED || peer->lost)
        return;
    lose(controller, agent);
    weft_controller_break(controller, WEFT_PEER_LOST, now_ns, "%s was lost while %s: %s",
                          peer->name, weft_controller_during(controller), why);
    weft_controller_settle(controller);
}

void weft_controller_receive(struct weft_controller *controller, uint32_t agent,
                             const uint8_t *message, size_t len_bytes, uint64_t now_ns)
{
    Weft__Envelope *envelope = NULL;
    struct weft_error error = {0};
    if (controller->stage == WEFT_STAGE_FINISHED || controller->agents[agent].lost)
        return;
    controller->agents[agent].silent_ns = 0;
    enum weft_status status = weft_wire_open(message, len_bytes, &envelope, &error);
    if (!status)
        status = weft_controller_dispatch(controller, agent, envelope, now_ns, &error);
    weft_wire_close(envelope);
    if (!status)
        return;
    lose(controller, agent);
    weft_controller_break(controller, WEFT_PEER_LOST, now_ns, "%s sent a bad message while %s: %s",
                          controller->agents[agent].name, weft_controller_during(controller),
                          error.text);
    weft_controller_settle(controller);
}

static void note_interrupt(struct weft_controller *controller, const char *why)
{
    for (uint32_t i = 0; i < controller->part_count; i++) {
        const struct weft_controller_part *part = &controller->parts[i];
        /* An endless test ends by this. */
        if (part->test.duration_ns != WEFT_FOREVER)
            (void)snprintf(part->figures->broken, sizeof(part->figures->broken),
                           "interrupted while %s: %s", weft_controller_during(controller), why);
        weft_wire_text_clean(part->figures->broken);
    }
}

/* Will what is granted be run soon? Of a counted test mostly all is granted at once. */
static bool has_leases(const struct weft_controller *controller)
{
    for (uint32_t i = 0; i < controller->part_count; i++) {
        if (!controller->parts[i].lease.options.duration_ns)
            return false;
    }
    return true;
}

static void end_leases(struct weft_controller *controller)
{
    for (uint32_t i = 0; i < controller->part_count; i++)
        controller->parts[i].lease.last = true;
    weft_controller_say_grant(controller, WEFT_RECORD_ON);
}

/* Those that do not let go, in time or of an impatient user, are let go of. */
static void lose_silent(struct weft_controller *controller)
{
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        if (!controller->agents[i].answered)
            lose(controller, i);
    }
    weft_controller_settle(controller);
}

void weft_controller_interrupt(struct weft_controller *controller, const char *why, uint64_t now_ns)
{
    if (controller->stage == WEFT_STAGE_STOPPING && controller->interrupted)
        lose_silent(controller);
    if (controller->stage >= WEFT_STAGE_STOPPING)
        return;
    bool measuring = controller->stage == WEFT_STAGE_RUNNING &&
                     controller->phase == WEFT_PHASE_MEASURE && has_leases(controller);
    /* What is measured whole is only being told. */
    bool telling = controller->stage > WEFT_STAGE_RUNNING;
    if (controller->interrupted || !(measuring || telling)) {
        controller->interrupted = true;
        weft_controller_break(controller, WEFT_FLUSHED, now_ns, "interrupted while %s: %s",
                              weft_controller_during(controller), why);
        return;
    }
    note_interrupt(controller, why);
    controller->interrupted = true;
    if (measuring)
        end_leases(controller);
}

/* ---- what time brings ---- */

/* May it be busy where it cannot speak? */
static bool may_be_blocked(const struct weft_controller *controller, uint32_t agent)
{
    if (controller->agents[agent].answered || !controller->agents[agent].takes_part)
        return false;
    return weft_stages[controller->stage].blocks;
}

static void check_silence(struct weft_controller *controller, uint64_t now_ns)
{
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        char shown[WEFT_UNITS_TEXT];
        struct weft_controller_agent *agent = &controller->agents[i];
        uint64_t limit_ns = controller->options.silence_limit_ns *
                            (may_be_blocked(controller, i) ? BLOCKED_TIMES : 1u);
        if (agent->lost || agent->silent_ns < limit_ns)
            continue;
        lose(controller, i);
        weft_controller_break(controller, WEFT_TIMEOUT, now_ns, "%s said nothing for %s while %s",
                              agent->name, weft_format_time(limit_ns, shown),
                              weft_controller_during(controller));
    }
    weft_controller_settle(controller);
}

/* Which one to name where several are waited for: the first. */
static const char *awaited(const struct weft_controller *controller)
{
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        const struct weft_controller_agent *agent = &controller->agents[i];
        if (!agent->answered && (agent->takes_part || !agent->greeted))
            return agent->name;
    }
    return "nobody";
}

static const char *slowest(const struct weft_controller *controller,
                           const struct weft_controller_part *part)
{
    uint64_t done = weft_controller_done(controller, part);
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        if (part->shares[i].local_count && part->shares[i].done == done)
            return controller->agents[i].name;
    }
    return "nobody";
}

/* How long an iteration may take: what was asked for, or what leaves room for one that is known to
 * be long. */
static uint64_t iteration_limit_ns(const struct weft_controller *controller, uint32_t index)
{
    const struct weft_ideal *ideals = controller->options.ideals;
    uint64_t limit_ns = controller->options.stall_limit_ns;
    uint64_t ideal_ns = ideals ? ideals[controller->test_index + index].ideal_ns : 0;
    if (controller->parts[index].test.iteration_timeout_ns)
        return controller->parts[index].test.iteration_timeout_ns;
    if (ideal_ns > UINT64_MAX / IDEAL_TIMES)
        return UINT64_MAX;
    return ideal_ns * IDEAL_TIMES > limit_ns ? ideal_ns * IDEAL_TIMES : limit_ns;
}

/* A job that stands still must not hide behind those that go on. */
static void check_parts(struct weft_controller *controller, uint64_t now_ns)
{
    char shown[WEFT_UNITS_TEXT];
    for (uint32_t i = 0; i < controller->part_count; i++) {
        const struct weft_controller_part *part = &controller->parts[i];
        uint64_t limit_ns = iteration_limit_ns(controller, i);
        uint64_t done = weft_controller_done(controller, part);
        bool through = part->lease.last && done == part->lease.granted;
        bool all_wait = controller->waited_ns >= limit_ns;
        if (part->waited_ns < limit_ns || (through && !all_wait))
            continue;
        weft_controller_break(controller, WEFT_TIMEOUT, now_ns,
                              "no iteration%s%s ended for %s while %s: %" PRIu64 " had ended on "
                              "all ranks; the slowest is on %s; where one may take longer, raise "
                              "iteration-timeout",
                              controller->part_count > 1 ? " of job " : "",
                              controller->part_count > 1 ? part->test.together.job : "",
                              weft_format_time(limit_ns, shown), weft_controller_during(controller),
                              done, slowest(controller, part));
        return;
    }
}

static void check_stall(struct weft_controller *controller, uint64_t now_ns)
{
    char shown[WEFT_UNITS_TEXT];
    uint64_t limit_ns = controller->options.stall_limit_ns;
    bool blocks = weft_stages[controller->stage].blocks;
    if (controller->stage == WEFT_STAGE_RUNNING)
        check_parts(controller, now_ns);
    else if (controller->waited_ns >= limit_ns * (blocks ? BLOCKED_TIMES : 1u))
        weft_controller_break(controller, WEFT_TIMEOUT, now_ns,
                              "%s did not finish within %s while %s", awaited(controller),
                              weft_format_time(limit_ns, shown),
                              weft_controller_during(controller));
}

static void check_stop(struct weft_controller *controller)
{
    if (controller->stage == WEFT_STAGE_STOPPING && controller->waited_ns >= STOP_LIMIT_NS)
        lose_silent(controller);
}

/* An interrupted test runs to its last grant for a short time only. What it has measured is told
 * for as long as it comes forward. */
static void check_grace(struct weft_controller *controller, uint64_t now_ns)
{
    bool runs = controller->stage == WEFT_STAGE_RUNNING;
    uint64_t limit_ns = GRACE_NS * (weft_stages[controller->stage].blocks ? BLOCKED_TIMES : 1u);
    uint64_t passed_ns = runs ? controller->grace_ns : controller->waited_ns;
    if (controller->interrupted && controller->stage < WEFT_STAGE_STOPPING && passed_ns >= limit_ns)
        weft_controller_break(controller, WEFT_FLUSHED, now_ns, "interrupted while %s",
                              weft_controller_during(controller));
}

static void pass_time(struct weft_controller *controller, uint64_t now_ns)
{
    uint64_t passed_ns = controller->ticked ? now_ns - controller->ticked_ns : 0;
    if (passed_ns > SLEPT_COUNTS_NS)
        passed_ns = SLEPT_COUNTS_NS;
    controller->ticked = true;
    controller->ticked_ns = now_ns;
    controller->waited_ns += passed_ns;
    for (uint32_t i = 0; i < controller->part_count; i++)
        controller->parts[i].waited_ns += passed_ns;
    if (controller->interrupted)
        controller->grace_ns += passed_ns;
    for (uint32_t i = 0; i < controller->options.agent_count; i++)
        controller->agents[i].silent_ns += passed_ns;
}

void weft_controller_tick(struct weft_controller *controller, uint64_t now_ns)
{
    if (controller->stage == WEFT_STAGE_FINISHED)
        return;
    pass_time(controller, now_ns);
    weft_controller_renew(controller, false, now_ns);
    check_grace(controller, now_ns);
    if (controller->stage < WEFT_STAGE_STOPPING)
        check_stall(controller, now_ns);
    if (controller->stage < WEFT_STAGE_STOPPING)
        check_silence(controller, now_ns);
    check_stop(controller);
}

/* ---- looking ---- */

/* Of jobs together the one that has least. */
static const struct weft_controller_part *part_behind(const struct weft_controller *controller)
{
    const struct weft_controller_part *behind = &controller->parts[0];
    for (uint32_t i = 1; i < controller->part_count; i++) {
        const struct weft_controller_part *part = &controller->parts[i];
        if (weft_controller_done(controller, part) < weft_controller_done(controller, behind))
            behind = part;
    }
    return behind;
}

void weft_controller_status(const struct weft_controller *controller,
                            struct weft_controller_status *ret_status)
{
    bool running = controller->stage == WEFT_STAGE_RUNNING;
    const struct weft_controller_part *part = part_behind(controller);
    bool windowed = controller->window != WEFT_WINDOW_WHOLE;
    const struct weft_lease_options *lease = &part->lease.options;
    *ret_status = (struct weft_controller_status){
        .finished = controller->stage == WEFT_STAGE_FINISHED,
        .test = controller->test_index,
        .stage = weft_controller_during(controller),
        .iterations_done = running ? weft_controller_done(controller, part) : 0,
        .iterations_planned = running ? (windowed ? part->test.iterations : lease->iterations) : 0,
        .elapsed_ns = controller->ticked_ns > controller->stage_began_ns
                          ? controller->ticked_ns - controller->stage_began_ns
                          : 0,
        .duration_ns = running ? (windowed ? part->test.duration_ns : lease->duration_ns) : 0,
    };
}

const struct weft_result *weft_controller_result(const struct weft_controller *controller)
{
    return controller->result;
}
