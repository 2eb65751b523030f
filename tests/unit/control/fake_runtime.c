/* SPDX-License-Identifier: BSD-3-Clause */
#include "fake_runtime.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *fake_moment_text(enum fake_moment moment)
{
    static const char *const texts[FAKE_MOMENT_COUNT] = {
        [FAKE_NEVER] = "never",
        [FAKE_ATTACH] = "attach",
        [FAKE_PREPARE] = "prepare",
        [FAKE_ADDRESSES] = "addresses",
        [FAKE_CONNECT] = "connect",
        [FAKE_CONNECTED] = "connected",
        [FAKE_START_VERIFY] = "start of verify",
        [FAKE_START_WARMUP] = "start of warm-up",
        [FAKE_START_MEASURE] = "start of measure",
        [FAKE_MIDDLE_VERIFY] = "middle of verify",
        [FAKE_MIDDLE_WARMUP] = "middle of warm-up",
        [FAKE_MIDDLE_MEASURE] = "middle of measure",
        [FAKE_VERIFY] = "comparison",
        [FAKE_COLLECT] = "collect",
        [FAKE_TRACE] = "trace",
        [FAKE_RELEASE] = "release",
    };
    return texts[moment];
}

bool fake_moment_may_fail(enum fake_moment moment)
{
    return moment != FAKE_NEVER && moment != FAKE_ADDRESSES && moment != FAKE_RELEASE;
}

uint64_t fake_duration_ns(uint32_t agent, uint64_t iteration)
{
    uint64_t mixed = (iteration + 1) * UINT64_C(0x9e3779b97f4a7c15) + agent * UINT64_C(0x94d049bb);
    return 1000 + (mixed >> 40) % 100000;
}

/* True: the op is to fail. */
static bool reach(struct fake_runtime *fake, enum fake_moment moment)
{
    if (moment != fake->watched || fake->reached == moment)
        return false;
    fake->reached = moment;
    return fake->fails;
}

static enum weft_status fail(struct fake_runtime *fake, struct weft_error *error)
{
    return weft_error_set(error, WEFT_IO, "the fake of agent %u failed at %s", fake->agent,
                          fake_moment_text(fake->watched));
}

static void demand(struct fake_runtime *fake, bool right)
{
    if (!right)
        fake->misused = true;
}

static enum weft_status environment(void *context, struct weft_host_environment *ret)
{
    struct fake_runtime *fake = context;
    if (reach(fake, FAKE_ATTACH))
        return WEFT_IO;
    *ret = (struct weft_host_environment){.cpu = "fake", .clock_source = "virtual"};
    (void)snprintf(ret->host, sizeof(ret->host), "real-%u", fake->agent);
    /* So a test sees which environment it is: that of hello, or a later one. */
    ret->clock_drift_ppb = (int64_t)fake->releases;
    return WEFT_OK;
}

static void keep_part(struct fake_part *part, const struct weft_test *test)
{
    *part = (struct fake_part){.test = *test};
    part->test.ranks = NULL;
    assert(test->options.rank_count <= 64);
    for (uint32_t i = 0; i < test->options.rank_count; i++)
        part->ranks[i] = weft_test_rank(test, i);
}

static enum weft_status prepare(void *context, const struct weft_agent_test *test,
                                struct weft_error *error)
{
    struct fake_runtime *fake = context;
    demand(fake, !fake->held && test->local_count <= 64);
    if (!fake->prepares++) {
        fake->foreseen_ranks = test->plan_local_count;
        fake->foreseen_mtu_bytes = test->plan_mtu_bytes;
    }
    fake->held = true;
    fake->local_count = test->local_count;
    fake->part_count = test->part_count;
    memcpy(fake->ranks, test->local_ranks, test->local_count * sizeof(fake->ranks[0]));
    memcpy(fake->parts_of, test->local_parts, test->local_count * sizeof(fake->ranks[0]));
    memcpy(fake->places, test->local_places, test->local_count * sizeof(fake->ranks[0]));
    for (uint32_t i = 0; i < test->part_count; i++)
        keep_part(&fake->parts[i], &test->parts[i]);
    for (uint32_t i = 0; i < test->local_count; i++) {
        struct fake_part *part = &fake->parts[fake->parts_of[i]];
        demand(fake, part->ranks[fake->places[i]] == fake->ranks[i]);
        part->local_count++;
    }
    fake->nic = test->nics[0];
    (void)snprintf(fake->device, sizeof(fake->device), "%s",
                   test->nics[0].device ? test->nics[0].device : "(null)");
    fake->seed = test->seed;
    fake->started = false;
    fake->collected = 0;
    fake->verified = 0;
    if (reach(fake, FAKE_PREPARE))
        return weft_error_set(error, WEFT_NOT_FOUND, "no device 'mlx5_9' on agent %u;\ntry another",
                              fake->agent);
    return WEFT_OK;
}

/* A ring of each part: each rank has a channel to the next and to the one before. */
static uint32_t addresses(void *context, struct weft_channel_address *into, uint32_t count)
{
    struct fake_runtime *fake = context;
    uint32_t total = 0;
    (void)reach(fake, FAKE_ADDRESSES);
    for (uint32_t i = 0; i < fake->local_count; i++) {
        const struct fake_part *part = &fake->parts[fake->parts_of[i]];
        uint32_t rank_count = part->test.options.rank_count;
        uint32_t rank = fake->ranks[i];
        uint32_t next = part->ranks[(fake->places[i] + 1) % rank_count];
        uint32_t before = part->ranks[(fake->places[i] + rank_count - 1) % rank_count];
        for (uint32_t side = 0; side < (next == before ? 1u : 2u); side++, total++) {
            if (total >= count)
                continue;
            into[total] = (struct weft_channel_address){
                .from_rank = rank,
                .to_rank = side ? before : next,
                .endpoint = {.qpn = rank, .psn = 0xffffff, .mtu_bytes = 4096},
                .slots_address = (uint64_t)rank << 40,
                .slots_rkey = ~rank,
                .depth = 16,
            };
        }
    }
    return total;
}

static enum weft_status connect_channels(void *context, const struct weft_channel_address *given,
                                         uint32_t count, struct weft_error *error)
{
    struct fake_runtime *fake = context;
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < fake->local_count; i++)
        wanted += fake->parts[fake->parts_of[i]].test.options.rank_count == 2 ? 1 : 2;
    demand(fake, fake->held && count == wanted);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t from = given[i].from_rank;
        demand(fake, given[i].endpoint.qpn == from && given[i].endpoint.psn == 0xffffff &&
                         given[i].slots_address == (uint64_t)from << 40 &&
                         given[i].slots_rkey == ~from && given[i].depth == 16);
    }
    fake->connecting_ns = *fake->now_ns;
    return reach(fake, FAKE_CONNECT) ? fail(fake, error) : WEFT_OK;
}

static enum weft_status connected(void *context, struct weft_error *error)
{
    struct fake_runtime *fake = context;
    if (*fake->now_ns - fake->connecting_ns < fake->connect_ns)
        return WEFT_AGAIN;
    return reach(fake, FAKE_CONNECTED) ? fail(fake, error) : WEFT_OK;
}

static bool is_idle(const struct fake_runtime *fake)
{
    for (uint32_t i = 0; i < fake->part_count; i++) {
        if (fake->parts[i].local_count && fake->parts[i].done != fake->parts[i].granted)
            return false;
    }
    return true;
}

static enum weft_status start(void *context, enum weft_phase phase, struct weft_error *error)
{
    static const enum fake_moment moments[WEFT_PHASE_COUNT] = {FAKE_START_VERIFY, FAKE_START_WARMUP,
                                                               FAKE_START_MEASURE};
    struct fake_runtime *fake = context;
    demand(fake, fake->held && (!fake->started || is_idle(fake)));
    fake->phase = phase;
    fake->started = true;
    memset(fake->records, 0, sizeof(fake->records));
    for (uint32_t i = 0; i < fake->part_count; i++) {
        struct fake_part *part = &fake->parts[i];
        part->granted = part->done = part->taken = 0;
        part->last = false;
        memset(part->keeps, 0, sizeof(part->keeps));
    }
    return reach(fake, moments[phase]) ? fail(fake, error) : WEFT_OK;
}

static void advance(struct fake_runtime *fake, uint32_t index)
{
    struct fake_part *part = &fake->parts[index];
    uint64_t ran = (*fake->now_ns - part->resumed_ns) / (fake->period_ns * (index + 1));
    uint64_t done = part->resumed_done + ran;
    if (fake->phase == WEFT_PHASE_MEASURE && index + fake->stalled >= fake->part_count)
        done = 0;
    part->done = done < part->granted && part->local_count ? done : part->granted;
    if (fake->phase == WEFT_PHASE_MEASURE && index == 0)
        fake->measured = part->done;
}

static void grant(void *context, const struct weft_agent_grant *grants,
                  enum weft_agent_record record)
{
    struct fake_runtime *fake = context;
    demand(fake, fake->started && record <= WEFT_RECORD_NO_MORE);
    fake->records[record]++;
    for (uint32_t i = 0; i < fake->part_count; i++) {
        struct fake_part *part = &fake->parts[i];
        demand(fake, grants[i].iterations >= part->granted &&
                         (!part->last || grants[i].iterations == part->granted));
        advance(fake, i);
        if (part->done == part->granted) {
            part->resumed_ns = *fake->now_ns;
            part->resumed_done = part->done;
        }
        part->granted = grants[i].iterations;
        part->last = grants[i].last;
    }
}

static enum weft_status progress(void *context, uint32_t index,
                                 struct weft_agent_progress *ret_progress, struct weft_error *error)
{
    static const enum fake_moment moments[WEFT_PHASE_COUNT] = {
        FAKE_MIDDLE_VERIFY, FAKE_MIDDLE_WARMUP, FAKE_MIDDLE_MEASURE};
    struct fake_runtime *fake = context;
    struct fake_part *part = &fake->parts[index];
    demand(fake, fake->started && index < fake->part_count);
    advance(fake, index);
    ret_progress->iterations_done = part->done;
    ret_progress->idle = part->done == part->granted;
    if (part->done && part->local_count && reach(fake, moments[fake->phase]))
        return fail(fake, error);
    return WEFT_OK;
}

static uint32_t take_durations(void *context, uint32_t index, uint64_t *durations_ns,
                               uint32_t count)
{
    struct fake_runtime *fake = context;
    struct fake_part *part = &fake->parts[index];
    uint32_t taken = 0;
    demand(fake, fake->decides && part->local_count && fake->phase == WEFT_PHASE_MEASURE);
    for (; taken < count && part->taken < part->done; taken++)
        durations_ns[taken] = fake_duration_ns(fake->agent, part->taken++) * (index + 1);
    return taken;
}

static bool decides(void *context, uint32_t index)
{
    const struct fake_runtime *fake = context;
    return fake->decides && fake->parts[index].local_count;
}

static enum weft_status verify(void *context, uint32_t local, struct weft_verify_result *ret_result)
{
    struct fake_runtime *fake = context;
    demand(fake, fake->phase == WEFT_PHASE_VERIFY && fake->parts[fake->parts_of[local]].done == 2 &&
                     local == fake->verified);
    fake->verified++;
    *ret_result = (struct weft_verify_result){.compared_bytes = 1000 + fake->ranks[local]};
    return reach(fake, FAKE_VERIFY) ? WEFT_IO : WEFT_OK;
}

static void halt(void *context)
{
    struct fake_runtime *fake = context;
    demand(fake, fake->held && !fake->halted);
    for (uint32_t i = 0; i < fake->part_count; i++)
        advance(fake, i);
    fake->halted = true;
}

static enum weft_status collect(void *context, uint32_t local, struct weft_rank_result *ret_result,
                                struct weft_error *error)
{
    struct fake_runtime *fake = context;
    const struct fake_part *part = &fake->parts[fake->parts_of[local]];
    demand(fake, fake->phase == WEFT_PHASE_MEASURE && (is_idle(fake) || fake->halted) &&
                     local == fake->collected);
    fake->collected++;
    if (reach(fake, FAKE_COLLECT))
        return fail(fake, error);
    *ret_result = (struct weft_rank_result){
        .rank = fake->ranks[local],
        .driver = "fake",
        .latency_ns = weft_hist_create(),
        .bandwidth_bps = weft_hist_create(),
        .sent_messages = part->done,
        .received_messages = part->done,
        .iterations = part->done,
        .window_ns = part->done * fake->period_ns,
    };
    assert(ret_result->latency_ns && ret_result->bandwidth_bps);
    for (uint64_t i = 0; i < 10; i++)
        weft_hist_record(ret_result->latency_ns, (i << 20) + fake->ranks[local]);
    ret_result->counters.retransmitted_packets = 1;
    (void)snprintf(ret_result->device, sizeof(ret_result->device), "device of rank %u",
                   fake->ranks[local]);
    return WEFT_OK;
}

static uint32_t trace_count(void *context, uint32_t index)
{
    const struct fake_runtime *fake = context;
    return fake->parts[index].test.trace ? FAKE_TRACES : 0;
}

static bool trace_keep(void *context, uint32_t index, uint32_t place, uint64_t iteration)
{
    struct fake_runtime *fake = context;
    struct fake_part *part = &fake->parts[index];
    demand(fake,
           fake->phase == WEFT_PHASE_MEASURE && place < WEFT_NODE_TRACES_KEPT && part->local_count);
    if (iteration >= part->done)
        return false;
    part->keeps[place] = true;
    part->kept[place] = iteration;
    return true;
}

static bool has_trace(const struct fake_part *part, uint64_t iteration)
{
    for (uint32_t i = 0; i < WEFT_NODE_TRACES_KEPT; i++) {
        if (part->keeps[i] && part->kept[i] == iteration)
            return true;
    }
    return iteration < part->done && iteration + FAKE_TRACES >= part->done;
}

/* One operation after the other. */
static enum weft_status trace(void *context, uint32_t local, uint64_t iteration,
                              struct weft_op_trace **ret_ops, uint32_t *ret_count,
                              uint64_t *ret_duration_ns)
{
    struct fake_runtime *fake = context;
    const struct fake_part *part = &fake->parts[fake->parts_of[local]];
    struct weft_schedule *schedule = NULL;
    demand(fake, fake->phase == WEFT_PHASE_MEASURE && is_idle(fake));
    if (reach(fake, FAKE_TRACE))
        return WEFT_IO;
    if (!has_trace(part, iteration))
        return WEFT_NOT_FOUND;
    enum weft_status status = weft_pattern_compile(part->test.pattern, &part->test.options,
                                                   fake->places[local], &schedule, NULL);
    assert(status == WEFT_OK);
    *ret_count = schedule->op_count;
    *ret_duration_ns = fake_duration_ns(fake->agent, iteration);
    *ret_ops = calloc(schedule->op_count + 1u, sizeof(**ret_ops));
    assert(*ret_ops);
    for (uint32_t i = 0; i < schedule->op_count; i++)
        (*ret_ops)[i] = (struct weft_op_trace){.started_ns = i, .completed_ns = i + 1};
    weft_schedule_destroy(schedule);
    return status;
}

static void release(void *context)
{
    struct fake_runtime *fake = context;
    demand(fake, fake->held);
    fake->held = fake->halted = false;
    fake->releases++;
    fake->started = false;
    (void)reach(fake, FAKE_RELEASE);
}

const struct weft_agent_runtime fake_runtime_ops = {
    .environment = environment,
    .prepare = prepare,
    .addresses = addresses,
    .connect = connect_channels,
    .connected = connected,
    .start = start,
    .grant = grant,
    .progress = progress,
    .take_durations = take_durations,
    .decides = decides,
    .verify = verify,
    .halt = halt,
    .collect = collect,
    .release = release,
    .trace_count = trace_count,
    .trace_keep = trace_keep,
    .trace = trace,
};
