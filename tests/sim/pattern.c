/* SPDX-License-Identifier: BSD-3-Clause */
#include "pattern.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "drivers/sim/sim.h"
#include "fabric/ideal/ideal.h"
#include "fabric/node/node.h"
#include "fabric/schedule/pattern.h"

#define LIMIT_NS (UINT64_C(1200) * 1000000000)
#define STEPS_MAX 2000000u
#define STEPS_PER_AUDIT 256u
#define VERIFY_ITERATIONS 2u
#define ITERATIONS_MAX 4u
/* A node looks at one channel a poll for peers that are lost. */
#define STILL_TURNS (2 * SCENARIO_NICS_MAX)

struct cluster {
    const struct scenario *scenario;
    struct record *record;
    struct weft_random random;
    struct weft_pattern_options options;
    const struct weft_pattern *pattern;
    enum weft_transfer transfer;
    uint32_t depth;
    uint32_t in_flight;
    bool started; /* the driver */
    struct weft_schedule *schedules[SCENARIO_NICS_MAX];
    struct weft_device *devices[SCENARIO_NICS_MAX];
    struct weft_node *nodes[SCENARIO_NICS_MAX];
    bool failed; /* a node has said that it did */
};

static void *allocate(void *context, uint64_t len_bytes, int32_t numa_node)
{
    (void)context;
    (void)numa_node;
    void *memory = arena_take(len_bytes);
    memset(memory, 0, len_bytes);
    return memory;
}

static void release(void *context, void *memory, uint64_t len_bytes)
{
    (void)context;
    (void)memory;
    (void)len_bytes;
}

static void must(struct cluster *cluster, enum weft_status status, const struct weft_error *error)
{
    if (status != WEFT_OK)
        record_broken(cluster->record, "the scenario cannot be made: %s", error->text);
}

/* ---- making ---- */

static void draw_pattern(struct cluster *cluster)
{
    struct weft_random *random = &cluster->random;
    const struct weft_pattern *const *patterns = weft_patterns();
    uint32_t count = 0;
    while (patterns[count])
        count++;
    do {
        cluster->pattern = patterns[weft_random_below(random, count)];
        cluster->options = (struct weft_pattern_options){
            .rank_count = cluster->scenario->nics,
            .size_bytes = 4 * draw_between(random, 1, 8192),
        };
        if (draw_once_in(random, 2))
            cluster->options.rank_count = cluster->pattern->default_ranks;
    } while (cluster->options.rank_count > cluster->scenario->nics ||
             weft_pattern_check(cluster->pattern, &cluster->options, NULL) != WEFT_OK);
    cluster->transfer = draw_once_in(random, 3) ? WEFT_TRANSFER_SEND : WEFT_TRANSFER_WRITE;
    cluster->depth = (uint32_t)draw_between(random, 1, 16);
    cluster->in_flight = draw_once_in(random, 2) ? 1 : (uint32_t)draw_between(random, 2, 4);
}

static void make_rank(struct cluster *cluster, uint32_t rank)
{
    struct weft_error error = {0};
    uint32_t endpoints = 0;
    must(cluster,
         weft_pattern_compile(cluster->pattern, &cluster->options, rank, &cluster->schedules[rank],
                              &error),
         &error);
    if (cluster->record->broken)
        return;
    free(weft_schedule_flows(cluster->schedules[rank], &endpoints));
    const struct weft_device_options device = {
        .device = "sim",
        .nic = rank,
        .address = cluster->scenario->nic_rows[rank].address,
        .mtu_bytes = cluster->scenario->mtu_bytes,
        .max_endpoints = endpoints,
        .max_regions = 1,
        .seed = weft_random_next(&cluster->random),
        .congestion = cluster->scenario->congestion,
        .fault = cluster->scenario->faults[weft_sim_nic_wire(weft_sim_driver_fabric(), rank)],
    };
    must(cluster, weft_driver_sim.open(&device, &cluster->devices[rank], &error), &error);
    if (cluster->record->broken)
        return;
    const struct weft_node_options node = {
        .driver = &weft_driver_sim,
        .device = cluster->devices[rank],
        .schedule = cluster->schedules[rank],
        .transfer = cluster->transfer,
        .depth = cluster->depth,
        .in_flight = cluster->in_flight,
        .interval_ns = 1000,
        .allocate = allocate,
        .release = release,
    };
    must(cluster, weft_node_create(&node, &cluster->nodes[rank], &error), &error);
}

static void connect_rank(struct cluster *cluster, uint32_t rank)
{
    for (uint32_t i = 0; i < weft_node_channel_count(cluster->nodes[rank]); i++) {
        struct weft_channel_address address;
        struct weft_error error = {0};
        weft_node_channel_address(cluster->nodes[rank], i, &address);
        must(cluster, weft_node_connect(cluster->nodes[address.to_rank], &address, &error), &error);
    }
}

static void make(struct cluster *cluster)
{
    const struct scenario *scenario = cluster->scenario;
    struct weft_error error = {0};
    const struct weft_driver_start start = {
        .topology = &scenario->topology, .mtu_bytes = scenario->mtu_bytes, .seed = scenario->seed};
    must(cluster, weft_driver_sim.start(&start, &error), &error);
    cluster->started = !cluster->record->broken;
    if (!cluster->started)
        return;
    weft_sim_set_trace(weft_sim_driver_fabric(), record_trace, cluster->record);
    arena_reset();
    draw_pattern(cluster);
    for (uint32_t rank = 0; rank < cluster->options.rank_count; rank++)
        make_rank(cluster, rank);
    scenario_apply(scenario, weft_sim_driver_fabric());
    for (uint32_t rank = 0; !cluster->record->broken && rank < cluster->options.rank_count; rank++)
        connect_rank(cluster, rank);
}

static void unmake(struct cluster *cluster)
{
    for (uint32_t rank = 0; rank < cluster->options.rank_count; rank++) {
        weft_node_destroy(cluster->nodes[rank]);
        weft_schedule_destroy(cluster->schedules[rank]);
        weft_driver_sim.close(cluster->devices[rank]);
    }
    if (cluster->started)
        weft_driver_sim.stop(NULL);
}

/* ---- running ---- */

static uint32_t poll_all(struct cluster *cluster)
{
    uint32_t work = 0;
    uint64_t now_ns = weft_driver_sim.clock_ns();
    for (uint32_t rank = 0; rank < cluster->options.rank_count; rank++) {
        work += weft_driver_sim.progress(cluster->devices[rank], now_ns);
        work += weft_node_poll(cluster->nodes[rank], now_ns);
    }
    return work;
}

static uint64_t next_calc_ns(const struct cluster *cluster)
{
    uint64_t next_ns = UINT64_MAX;
    for (uint32_t rank = 0; rank < cluster->options.rank_count; rank++) {
        uint64_t own_ns = weft_node_next_event_ns(cluster->nodes[rank]);
        next_ns = own_ns < next_ns ? own_ns : next_ns;
    }
    return next_ns;
}

/* Until `reached` says so, or a node fails. */
static void run_until(struct cluster *cluster, bool (*reached)(struct cluster *, uint64_t),
                      uint64_t argument)
{
    struct weft_sim_fabric *fabric = weft_sim_driver_fabric();
    struct weft_error error = {0};
    uint32_t still = 0;
    for (uint32_t step = 0; !cluster->record->broken && !cluster->failed; step++) {
        scenario_step(cluster->scenario, fabric);
        if (step % STEPS_PER_AUDIT == 0 && weft_sim_audit(fabric, &error) != WEFT_OK)
            record_broken(cluster->record, "%s", error.text);
        uint32_t work = poll_all(cluster);
        for (uint32_t rank = 0; rank < cluster->options.rank_count; rank++)
            cluster->failed |= weft_node_failure(cluster->nodes[rank], &error) != WEFT_OK;
        if (cluster->failed || reached(cluster, argument))
            return;
        if (work)
            continue;
        still = weft_driver_sim.advance(next_calc_ns(cluster)) ? 0 : still + 1;
        if (still > STILL_TURNS && cluster->scenario->harm == SCENARIO_DEAD) {
            /* Who only waits for a message of a dead peer is not told by the transport. */
            cluster->failed = true;
            return;
        }
        if (still > STILL_TURNS || step == STEPS_MAX || weft_driver_sim.clock_ns() >= LIMIT_NS)
            record_broken(cluster->record,
                          "at %llu ns the ranks wait for something that does not come",
                          (unsigned long long)weft_driver_sim.clock_ns());
    }
}

static bool is_connected(struct cluster *cluster, uint64_t argument)
{
    struct weft_error error = {0};
    bool all = true;
    (void)argument;
    for (uint32_t rank = 0; rank < cluster->options.rank_count; rank++) {
        enum weft_status status = weft_node_connected(cluster->nodes[rank], &error);
        all = all && status == WEFT_OK;
        cluster->failed |= status != WEFT_OK && status != WEFT_AGAIN;
    }
    return all;
}

static bool is_done(struct cluster *cluster, uint64_t iterations)
{
    for (uint32_t rank = 0; rank < cluster->options.rank_count; rank++) {
        if (weft_node_iterations_done(cluster->nodes[rank]) < iterations)
            return false;
    }
    return true;
}

static void run_phase(struct cluster *cluster, enum weft_phase phase, uint64_t iterations)
{
    const struct weft_phase_options options = {.phase = phase};
    if (cluster->record->broken || cluster->failed)
        return;
    for (uint32_t rank = 0; rank < cluster->options.rank_count; rank++)
        weft_node_start(cluster->nodes[rank], &options);
    for (uint32_t rank = 0; rank < cluster->options.rank_count; rank++)
        weft_node_grant(cluster->nodes[rank], iterations);
    run_until(cluster, is_done, iterations);
}

static void check_data(struct cluster *cluster)
{
    uint64_t compared = 0;
    if (cluster->record->broken || cluster->failed)
        return;
    for (uint32_t rank = 0; rank < cluster->options.rank_count; rank++) {
        struct weft_verify_result result;
        weft_node_verify(cluster->nodes[rank], &result);
        compared += result.compared_bytes;
        if (result.wrong_bytes)
            record_broken(cluster->record, "%s: rank %u has %llu wrong bytes, the first at %llu",
                          cluster->pattern->name, rank, (unsigned long long)result.wrong_bytes,
                          (unsigned long long)result.first_wrong_offset_bytes);
    }
    if (!compared)
        record_broken(cluster->record, "%s: nothing was compared", cluster->pattern->name);
}

static void check_measured(struct cluster *cluster, uint64_t iterations)
{
    uint64_t sent = 0, received = 0;
    if (cluster->record->broken || cluster->failed)
        return;
    for (uint32_t rank = 0; rank < cluster->options.rank_count; rank++) {
        struct weft_node_measured measured;
        weft_node_measured(cluster->nodes[rank], &measured);
        sent += measured.sent_bytes;
        received += measured.received_bytes;
        if (measured.iterations != iterations)
            record_broken(cluster->record, "rank %u measured %llu iterations of %llu", rank,
                          (unsigned long long)measured.iterations, (unsigned long long)iterations);
    }
    if (sent != received || !sent)
        record_broken(cluster->record, "%llu bytes were sent, but %llu received",
                      (unsigned long long)sent, (unsigned long long)received);
}

/* Of all iterations together, the slowest deciding rank of each. */
static uint64_t total_ns(struct cluster *cluster, uint64_t iterations)
{
    uint64_t slowest_ns[ITERATIONS_MAX] = {0};
    uint64_t sum_ns = 0;
    for (uint32_t rank = 0; rank < cluster->options.rank_count; rank++) {
        uint64_t own_ns[ITERATIONS_MAX] = {0};
        uint32_t count = weft_node_take_durations(cluster->nodes[rank], own_ns, ITERATIONS_MAX);
        for (uint32_t i = 0; i < count; i++)
            slowest_ns[i] = own_ns[i] > slowest_ns[i] ? own_ns[i] : slowest_ns[i];
    }
    for (uint32_t i = 0; i < iterations; i++)
        sum_ns += slowest_ns[i];
    return sum_ns;
}

/* Nothing is faster than the ideal, whatever happens to it: the mean of iterations, and one that
 * runs alone. */
static void check_ideal(struct cluster *cluster, uint64_t iterations)
{
    struct weft_ideal ideal = {0};
    struct weft_error error = {0};
    char name[] = "h";
    struct weft_host host = {.name = name};
    uint32_t rank_nics[SCENARIO_NICS_MAX];
    struct weft_topology topology = cluster->scenario->topology;
    topology.hosts = &host;
    topology.rank_nics = rank_nics;
    topology.rank_count = cluster->options.rank_count;
    for (uint32_t rank = 0; rank < topology.rank_count; rank++)
        rank_nics[rank] = rank;
    const struct weft_ideal_input input = {
        .pattern = cluster->pattern,
        .options = &cluster->options,
        .topology = &topology,
        .defaults = {.rate_bps = WEFT_SIM_RATE_BPS, .delay_ns = WEFT_SIM_DELAY_NS},
        .mtu_bytes = cluster->scenario->mtu_bytes,
        .overhead_bytes = WEFT_IDEAL_OVERHEAD_BYTES,
    };
    if (cluster->record->broken || cluster->failed)
        return;
    must(cluster, weft_ideal_compute(&input, &ideal, &error), &error);
    uint64_t took_ns = total_ns(cluster, iterations);
    uint64_t least_ns = iterations == 1 ? ideal.alone_ns : iterations * ideal.ideal_ns;
    /* The clock is cut to whole nanoseconds. */
    if (!ideal.ideal_ns || took_ns + 1 < least_ns)
        record_broken(cluster->record, "%s: %llu iterations took %llu ns, and at least %llu can be",
                      cluster->pattern->name, (unsigned long long)iterations,
                      (unsigned long long)took_ns, (unsigned long long)least_ns);
}

static void check_fabric(struct cluster *cluster)
{
    struct weft_sim_fabric *fabric = weft_sim_driver_fabric();
    struct weft_error error = {0};
    if (weft_sim_audit(fabric, &error) != WEFT_OK)
        record_broken(cluster->record, "%s", error.text);
    if (cluster->failed && cluster->scenario->survivable)
        record_broken(cluster->record, "%s failed though little went wrong",
                      cluster->pattern->name);
    for (uint32_t i = 0; i < weft_sim_switch_count(fabric); i++) {
        struct weft_sim_switch_counters at;
        weft_sim_switch_counters(fabric, i, &at);
        if (cluster->scenario->pauses && at.overflown)
            record_broken(cluster->record, "switch %u lost %llu frames in spite of PFC", i,
                          (unsigned long long)at.overflown);
    }
}

void pattern_run(const struct scenario *scenario, struct record *record)
{
    struct cluster *cluster = calloc(1, sizeof(*cluster));
    assert(cluster);
    cluster->scenario = scenario;
    cluster->record = record;
    cluster->random = scenario->random;
    make(cluster);
    uint64_t iterations = draw_between(&cluster->random, 1, ITERATIONS_MAX);
    if (!record->broken)
        run_until(cluster, is_connected, 0);
    run_phase(cluster, WEFT_PHASE_VERIFY,
              cluster->in_flight > VERIFY_ITERATIONS ? cluster->in_flight : VERIFY_ITERATIONS);
    check_data(cluster);
    run_phase(cluster, WEFT_PHASE_MEASURE, iterations);
    check_measured(cluster, iterations);
    check_ideal(cluster, iterations);
    if (cluster->started)
        check_fabric(cluster);
    unmake(cluster);
    free(cluster);
}
