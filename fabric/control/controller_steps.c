/* SPDX-License-Identifier: BSD-3-Clause */
/* A test's way from stage to stage, and its end. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fabric/control/controller.h"

/* At least; with more in flight, so many as are. */
#define VERIFY_ITERATIONS 2u

static void enter(struct weft_controller *controller, enum weft_stage stage, uint64_t now_ns)
{
    controller->stage = stage;
    controller->stage_began_ns = now_ns;
    controller->waited_ns = 0;
    for (uint32_t i = 0; i < controller->part_count; i++)
        controller->parts[i].waited_ns = 0;
    for (uint32_t i = 0; i < controller->options.agent_count; i++)
        controller->agents[i].answered = false;
}

/* ---- the end ---- */

static void finish_run(struct weft_controller *controller)
{
    weft_result_finish(controller->result);
    weft_controller_say_bye(controller);
    controller->stage = WEFT_STAGE_FINISHED;
}

static void finish_test(struct weft_controller *controller)
{
    for (uint32_t i = 0; i < controller->part_count; i++) {
        struct weft_test_result *figures = controller->parts[i].figures;
        /* A phase that was cut off: what all deciding ranks told is what there is. */
        if (!figures->iterations)
            figures->iterations = figures->completion_ns->count;
        weft_test_result_finish(figures);
    }
    weft_channels_fini(&controller->channels);
    weft_controller_trace_reset(controller);
}

void weft_controller_settle(struct weft_controller *controller)
{
    if (controller->stage != WEFT_STAGE_STOPPING)
        return;
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        const struct weft_controller_agent *agent = &controller->agents[i];
        if (agent->greeted && !agent->lost && !agent->answered)
            return;
    }
    finish_test(controller);
    finish_run(controller);
}

/* Asked for what cannot be: the user's mistakes come first in the enum. Memory that is missing
 * where all of it is taken, before anything runs, is a size or a number of ranks too large. */
static bool is_request(const struct weft_controller *controller, enum weft_status status)
{
    if (controller->test_index > 0 || controller->stage > WEFT_STAGE_CONNECTING)
        return false;
    return (status >= WEFT_INVALID && status <= WEFT_PERMISSION) ||
           (status == WEFT_NO_MEMORY && controller->stage == WEFT_STAGE_PREPARING);
}

void weft_controller_break(struct weft_controller *controller, enum weft_status status,
                           uint64_t now_ns, const char *format, ...)
{
    struct weft_test_result *figures = controller->parts[0].figures;
    if (controller->stage >= WEFT_STAGE_STOPPING)
        return;
    /* An interrupted test is broken for that reason, whatever else comes of it. */
    if (!figures->broken[0]) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(figures->broken, sizeof(figures->broken), format, arguments);
        va_end(arguments);
        /* Cut in the midst of a character it would be no text. */
        weft_wire_text_clean(figures->broken);
    }
    /* Jobs together: none of them is whole. */
    for (uint32_t i = 1; i < controller->part_count; i++)
        memcpy(controller->parts[i].figures->broken, figures->broken, sizeof(figures->broken));
    controller->result->refused = is_request(controller, status);
    enter(controller, WEFT_STAGE_STOPPING, now_ns);
    weft_controller_say_abort(controller, figures->broken);
    weft_controller_settle(controller);
}

/* ---- from stage to stage ---- */

static void clear_shares(struct weft_controller *controller)
{
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        controller->agents[i].local_count = 0;
        controller->agents[i].ranks_reported = 0;
        for (uint32_t part = 0; part < controller->part_count; part++)
            controller->parts[part].shares[i] = (struct weft_controller_share){0};
    }
    for (uint32_t rank = 0; rank < controller->options.topology->rank_count; rank++)
        controller->rank_parts[rank] = WEFT_PART_NONE;
}

static void assign_ranks(struct weft_controller *controller)
{
    clear_shares(controller);
    for (uint32_t i = 0; i < controller->part_count; i++) {
        struct weft_controller_part *part = &controller->parts[i];
        for (uint32_t place = 0; place < part->figures->rank_count; place++) {
            uint32_t rank = weft_test_rank(&part->test, place);
            assert(controller->rank_parts[rank] == WEFT_PART_NONE);
            controller->rank_parts[rank] = i;
            controller->rank_places[rank] = place;
            controller->agents[controller->rank_agents[rank]].local_count++;
            part->shares[controller->rank_agents[rank]].local_count++;
        }
    }
    for (uint32_t i = 0; i < controller->options.agent_count; i++)
        controller->agents[i].takes_part = controller->agents[i].local_count > 0;
}

/* A search's test is run again and again, each time at another rate. */
static void choose_rate(struct weft_controller *controller)
{
    struct weft_controller_part *part = &controller->parts[0];
    struct weft_test_result *figures = part->figures;
    const struct weft_test *plan = figures->test;
    if (!plan->search.to_bps)
        return;
    if (!figures->trial_count)
        weft_search_begin(&controller->search, &plan->search);
    uint64_t times = controller->search.confirms ? WEFT_SEARCH_CONFIRM_TIMES : 1;
    part->test.rate_bps = controller->search.rate_bps;
    part->test.iterations = plan->iterations * times;
    part->test.duration_ns = plan->duration_ns * times;
    figures->rate_bps = controller->search.rate_bps;
}

/* True: it is to be tried at another rate. */
static bool searches_on(struct weft_controller *controller)
{
    struct weft_test_result *figures = controller->parts[0].figures;
    struct weft_search *search = &controller->search;
    if (!figures->test->search.to_bps || figures->broken[0])
        return false;
    weft_search_note(search, weft_test_result_try(figures, search->confirms));
    if (!search->done) {
        weft_test_result_again(figures);
        return true;
    }
    figures->found_bps = search->found_bps;
    weft_test_result_judge(figures);
    return false;
}

static void begin_test(struct weft_controller *controller, uint64_t now_ns)
{
    struct weft_error error = {0};
    enter(controller, WEFT_STAGE_PREPARING, now_ns);
    controller->phase = WEFT_PHASE_VERIFY;
    choose_rate(controller);
    for (uint32_t i = 0; i < controller->part_count; i++) {
        struct weft_controller_part *part = &controller->parts[i];
        part->warmup_worth = 0;
        if (!part->test.arrivals_seed)
            part->test.arrivals_seed = controller->options.seed + controller->test_index + i + 1;
    }
    assign_ranks(controller);
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        if (!controller->agents[i].takes_part)
            continue;
        enum weft_status status = weft_controller_say_prepare(controller, i, &error);
        if (status) {
            weft_controller_break(controller, status, now_ns, "%s", error.text);
            return;
        }
    }
}

enum weft_status weft_controller_begin_parts(struct weft_controller *controller,
                                             uint32_t test_index, struct weft_error *error)
{
    const struct weft_plan *plan = controller->options.plan;
    uint32_t count = weft_test_parts(&plan->tests[test_index]);
    assert(count <= controller->part_room && test_index + count <= plan->test_count);
    for (uint32_t i = 0; i < count; i++) {
        struct weft_controller_part *part = &controller->parts[i];
        struct weft_test test = plan->tests[test_index + i];
        struct weft_test_result *figures = NULL;
        if (!test.options.rank_count)
            test.options.rank_count = controller->options.topology->rank_count;
        enum weft_status status =
            weft_result_begin(controller->result, test.options.rank_count, &figures, error);
        if (status)
            return status;
        part->figures = figures;
        part->test = test;
        controller->part_count = i + 1;
    }
    controller->test_index = test_index;
    return WEFT_OK;
}

static void begin_next_test(struct weft_controller *controller, uint64_t now_ns)
{
    struct weft_error error = {0};
    struct weft_test_result *figures = controller->parts[0].figures;
    if (weft_controller_begin_parts(controller, controller->test_index + controller->part_count,
                                    &error)) {
        /* The last test is all there is to write it to. */
        (void)snprintf(figures->broken, sizeof(figures->broken), "no next test: %s", error.text);
        figures->verdict = WEFT_VERDICT_BROKEN;
        finish_run(controller);
        return;
    }
    begin_test(controller, now_ns);
}

/* After a broken test no other is begun: the cause is still there. */
static void end_test(struct weft_controller *controller, uint64_t now_ns)
{
    finish_test(controller);
    if (searches_on(controller)) {
        begin_test(controller, now_ns);
        return;
    }
    if (controller->parts[0].figures->broken[0] ||
        controller->test_index + controller->part_count == controller->options.plan->test_count)
        finish_run(controller);
    else
        begin_next_test(controller, now_ns);
}

static void connect_channels(struct weft_controller *controller, uint64_t now_ns)
{
    struct weft_error error = {0};
    enter(controller, WEFT_STAGE_CONNECTING, now_ns);
    if (weft_channels_finish(&controller->channels, &error)) {
        /* The agents' mistake, not the user's. */
        weft_controller_break(controller, WEFT_IO, now_ns, "%s", error.text);
        return;
    }
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; i < controller->options.agent_count && !status; i++) {
        if (controller->agents[i].takes_part)
            status = weft_controller_say_connect(controller, i, &error);
    }
    if (status)
        weft_controller_break(controller, status, now_ns, "%s", error.text);
}

static void begin_phase(struct weft_controller *controller, enum weft_phase phase, uint64_t now_ns)
{
    controller->phase = phase;
    enter(controller, WEFT_STAGE_STARTING, now_ns);
    for (uint32_t i = 0; i < controller->part_count; i++) {
        for (uint32_t j = 0; j < controller->options.agent_count; j++) {
            controller->parts[i].shares[j].done = 0;
            controller->parts[i].shares[j].taken = 0;
        }
    }
    weft_controller_say_start(controller);
}

/* At the start nothing is known of an open loop's pace but what was asked for. */
static void expect_rate(const struct weft_test *test, struct weft_lease_options *options)
{
    uint64_t gap = 0;
    if (!test->rate_bps || !test->period_bytes ||
        !weft_arrivals_gap(test->period_bytes, test->rate_bps, &gap))
        return;
    uint64_t gap_ns = gap >> 32;
    uint64_t worth = WEFT_LEASE_NS / (gap_ns ? gap_ns : 1);
    if (worth > options->expected)
        options->expected = worth;
}

static struct weft_lease_options measure_lease(struct weft_controller *controller,
                                               struct weft_controller_part *part)
{
    struct weft_lease_options options = {
        .iterations = part->test.iterations,
        .duration_ns = part->test.duration_ns,
        .window = weft_controller_any_decides(controller, part) ? WEFT_MERGE_WINDOW : 0,
        .expected = part->warmup_worth,
    };
    expect_rate(&part->test, &options);
    if (!weft_test_is_together(&part->test))
        return options;
    /* Until the window is closed. */
    options.duration_ns = WEFT_FOREVER;
    if (controller->options.virtual_time) {
        options.step = part->test.iterations;
        options.margin = weft_node_grant_margin(weft_test_in_flight(&part->test));
    }
    options.iterations = 0;
    return options;
}

static void begin_lease(struct weft_controller *controller, struct weft_controller_part *part,
                        uint64_t now_ns)
{
    uint32_t in_flight = weft_test_in_flight(&part->test);
    struct weft_lease_options options = {
        .iterations = in_flight > VERIFY_ITERATIONS ? in_flight : VERIFY_ITERATIONS};
    if (controller->phase == WEFT_PHASE_WARMUP)
        options.iterations = part->test.warmup;
    if (controller->phase == WEFT_PHASE_MEASURE) {
        weft_merge_clear(&part->merge);
        weft_merge_clear(&part->intended);
        options = measure_lease(controller, part);
    }
    part->counted_from = part->counted_to = 0;
    weft_lease_begin(&part->lease, &options, now_ns);
}

static void run_phase(struct weft_controller *controller, uint64_t now_ns)
{
    bool together = weft_test_is_together(&controller->parts[0].test);
    enter(controller, WEFT_STAGE_RUNNING, now_ns);
    controller->window = WEFT_WINDOW_WHOLE;
    /* In virtual time all begin at one instant. */
    if (together && controller->phase == WEFT_PHASE_MEASURE)
        controller->window =
            controller->options.virtual_time ? WEFT_WINDOW_OPEN : WEFT_WINDOW_AWAITED;
    controller->window_ns = now_ns;
    for (uint32_t i = 0; i < controller->part_count; i++)
        begin_lease(controller, &controller->parts[i], now_ns);
    weft_controller_renew(controller, false, now_ns);
}

/* The phase after the one that ended; the first is VERIFY's. Of jobs together all do the same. */
static void next_phase(struct weft_controller *controller, enum weft_phase from, uint64_t now_ns)
{
    const struct weft_test *test = &controller->parts[0].test;
    if (from == WEFT_PHASE_VERIFY && test->verify)
        begin_phase(controller, WEFT_PHASE_VERIFY, now_ns);
    else if (from <= WEFT_PHASE_WARMUP && test->warmup)
        begin_phase(controller, WEFT_PHASE_WARMUP, now_ns);
    else
        begin_phase(controller, WEFT_PHASE_MEASURE, now_ns);
}

static void end_warmup(struct weft_controller *controller, uint64_t now_ns)
{
    for (uint32_t i = 0; i < controller->part_count; i++) {
        struct weft_controller_part *part = &controller->parts[i];
        part->warmup_worth =
            weft_lease_worth(part->test.warmup, now_ns - controller->stage_began_ns);
    }
}

static void count_iterations(struct weft_controller *controller)
{
    for (uint32_t i = 0; i < controller->part_count; i++) {
        struct weft_controller_part *part = &controller->parts[i];
        part->figures->iterations = part->figures->completion_ns->count;
        if (controller->window == WEFT_WINDOW_WHOLE)
            part->figures->iterations = part->lease.granted;
        else if (controller->window == WEFT_WINDOW_CLOSED)
            part->figures->iterations = part->counted_to - part->counted_from;
    }
}

static void end_phase(struct weft_controller *controller, uint64_t now_ns)
{
    switch (controller->phase) {
    case WEFT_PHASE_VERIFY:
        next_phase(controller, WEFT_PHASE_WARMUP, now_ns);
        return;
    case WEFT_PHASE_WARMUP:
        end_warmup(controller, now_ns);
        next_phase(controller, WEFT_PHASE_MEASURE, now_ns);
        return;
    case WEFT_PHASE_MEASURE:
    case WEFT_PHASE_COUNT:
        break;
    }
    count_iterations(controller);
    enter(controller, WEFT_STAGE_COLLECTING, now_ns);
    weft_controller_ask(controller, WEFT__ENVELOPE__BODY_COLLECT);
}

static void release(struct weft_controller *controller, uint64_t now_ns)
{
    enter(controller, WEFT_STAGE_RELEASING, now_ns);
    weft_controller_ask(controller, WEFT__ENVELOPE__BODY_RELEASE);
}

/* The question goes out within the stage, so that its answers are due. */
static void trace(struct weft_controller *controller, uint64_t now_ns)
{
    enter(controller, WEFT_STAGE_TRACING, now_ns);
    if (!weft_controller_trace_ask(controller))
        release(controller, now_ns);
}

/* ---- the stages ---- */

static void connected(struct weft_controller *controller, uint64_t now_ns)
{
    next_phase(controller, WEFT_PHASE_VERIFY, now_ns);
}

static void traced(struct weft_controller *controller, uint64_t now_ns)
{
    weft_controller_trace_finish(controller);
    release(controller, now_ns);
}

static void stopped(struct weft_controller *controller, uint64_t now_ns)
{
    (void)now_ns;
    weft_controller_settle(controller);
}

const struct weft_stage_row weft_stages[WEFT_STAGE_COUNT] = {
    [WEFT_STAGE_GREETING] = {.during = "greeting the agents",
                             .answers = {WEFT__ENVELOPE__BODY_HELLO},
                             .of_all = true,
                             .next = begin_test},
    [WEFT_STAGE_PREPARING] = {.during = "preparing",
                              .answers = {WEFT__ENVELOPE__BODY_PREPARED},
                              .blocks = true,
                              .next = connect_channels},
    [WEFT_STAGE_CONNECTING] = {.during = "connecting",
                               .answers = {WEFT__ENVELOPE__BODY_CONNECTED},
                               .next = connected},
    [WEFT_STAGE_STARTING] = {.answers = {WEFT__ENVELOPE__BODY_STARTED},
                             .blocks = true,
                             .next = run_phase},
    [WEFT_STAGE_RUNNING] = {.answers = {WEFT__ENVELOPE__BODY_PROGRESS,
                                        WEFT__ENVELOPE__BODY_DURATIONS, WEFT__ENVELOPE__BODY_DONE},
                            .next = end_phase},
    [WEFT_STAGE_COLLECTING] = {.during = "collecting results",
                               .answers = {WEFT__ENVELOPE__BODY_RANK_RESULT},
                               .next = trace},
    [WEFT_STAGE_TRACING] = {.during = "collecting traces",
                            .answers = {WEFT__ENVELOPE__BODY_TRACE, WEFT__ENVELOPE__BODY_TRACED},
                            .next = traced},
    [WEFT_STAGE_RELEASING] = {.during = "releasing",
                              .answers = {WEFT__ENVELOPE__BODY_RELEASED},
                              .blocks = true,
                              .next = end_test},
    [WEFT_STAGE_STOPPING] = {.during = "stopping",
                             .answers = {WEFT__ENVELOPE__BODY_RELEASED},
                             .next = stopped},
    [WEFT_STAGE_FINISHED] = {.during = "finished"},
};

const char *weft_controller_during(const struct weft_controller *controller)
{
    static const char *const phases[WEFT_PHASE_COUNT] = {
        [WEFT_PHASE_VERIFY] = "verifying",
        [WEFT_PHASE_WARMUP] = "warming up",
        [WEFT_PHASE_MEASURE] = "measuring",
    };
    const char *during = weft_stages[controller->stage].during;
    return during ? during : phases[controller->phase];
}

void weft_controller_answered(struct weft_controller *controller, uint32_t agent, uint64_t now_ns)
{
    controller->agents[agent].answered = true;
    controller->waited_ns = 0;
    const struct weft_stage_row *stage = &weft_stages[controller->stage];
    for (uint32_t i = 0; i < controller->options.agent_count; i++) {
        if ((stage->of_all || controller->agents[i].takes_part) && !controller->agents[i].answered)
            return;
    }
    assert(stage->next);
    stage->next(controller, now_ns);
}
