/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/service/runtime.h"

#include <assert.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/weft/machine/environment.h"
#include "tools/weft/service/seats.h"

/* Whose noise is measured. */
#define NOISE_WORKERS 4u

struct weft_runtime {
    struct weft_runtime_options options;
    struct weft_clock clock;
    struct weft_host_environment environment;
    uint32_t worker_count;
    struct weft_worker *workers[WEFT_WORKERS_MAX];
    struct weft_seats *seats;                      /* NULL: no test is prepared */
    struct weft_agent_grant grants[WEFT_JOBS_MAX]; /* of the phase */
    enum weft_agent_record record;
    uint64_t intended_ns[WEFT_SEAT_DURATIONS]; /* of the durations taken last */
};

/* ---- the agent's operations ---- */

static enum weft_status runtime_environment(void *context, struct weft_host_environment *ret)
{
    struct weft_runtime *runtime = context;
    *ret = runtime->environment;
    if (!runtime->options.virtual_topology)
        ret->clock_drift_ppb = weft_environment_drift_ppb(&runtime->clock);
    return WEFT_OK;
}

static void run_workers(struct weft_runtime *runtime)
{
    const struct weft_seats *seats = runtime->seats;
    for (uint32_t i = 0; i < runtime->worker_count; i++) {
        if (seats->station_counts[i])
            weft_worker_run(runtime->workers[i], seats->stations[i], seats->station_counts[i]);
    }
}

static enum weft_status runtime_prepare(void *context, const struct weft_agent_test *test,
                                        struct weft_error *error)
{
    struct weft_runtime *runtime = context;
    assert(!runtime->seats);
    const struct weft_seats_options options = {
        .test = test,
        .workers = runtime->workers,
        .worker_count = runtime->worker_count,
        .virtual_topology = runtime->options.virtual_topology,
        .pcap_path = runtime->options.pcap_path,
        .verbose = runtime->options.verbose,
    };
    enum weft_status status = weft_seats_create(&options, &runtime->seats, error);
    if (status == WEFT_OK)
        run_workers(runtime);
    return status;
}

static uint32_t runtime_addresses(void *context, struct weft_channel_address *addresses,
                                  uint32_t count)
{
    const struct weft_runtime *runtime = context;
    uint32_t total = 0;
    for (uint32_t i = 0; i < runtime->seats->count; i++) {
        const struct weft_node *node = runtime->seats->seats[i].node;
        for (uint32_t j = 0; j < weft_node_channel_count(node); j++, total++) {
            if (total < count)
                weft_node_channel_address(node, j, &addresses[total]);
        }
    }
    return total;
}

static struct weft_seat *seat_of_rank(const struct weft_runtime *runtime, uint32_t rank)
{
    for (uint32_t i = 0; i < runtime->seats->count; i++) {
        if (runtime->seats->seats[i].rank == rank)
            return &runtime->seats->seats[i];
    }
    return NULL;
}

static uint32_t worker_of(const struct weft_runtime *runtime, const struct weft_seat *seat)
{
    return runtime->seats->devices[seat->device].worker;
}

/* Endpoints belong to the worker that polls them: each is asked for its own among so many at a
 * time. A call waits for the end of a turn, so one a channel takes long; all at once would keep a
 * worker from what its peers already send. */
#define CONNECTS_A_CALL 64u

struct connect_call {
    const struct weft_runtime *runtime;
    uint32_t worker;
    const struct weft_channel_address *addresses;
    uint32_t count;
    struct weft_error *error;
    enum weft_status status;
};

static void do_connect(void *argument)
{
    struct connect_call *call = argument;
    for (uint32_t i = 0; i < call->count && call->status == WEFT_OK; i++) {
        const struct weft_seat *seat = seat_of_rank(call->runtime, call->addresses[i].to_rank);
        if (worker_of(call->runtime, seat) == call->worker)
            call->status = weft_node_connect(seat->node, &call->addresses[i], call->error);
    }
}

static void ask_connected(void *argument)
{
    struct connect_call *call = argument;
    const struct weft_seats *seats = call->runtime->seats;
    for (uint32_t i = 0; i < seats->count && call->status == WEFT_OK; i++) {
        if (worker_of(call->runtime, &seats->seats[i]) == call->worker)
            call->status = weft_node_connected(seats->seats[i].node, call->error);
    }
}

static enum weft_status on_workers(const struct weft_runtime *runtime,
                                   void (*function)(void *argument), struct connect_call *call)
{
    call->runtime = runtime;
    for (uint32_t i = 0; i < runtime->worker_count && call->status == WEFT_OK; i++) {
        call->worker = i;
        if (runtime->seats->station_counts[i])
            weft_worker_call(runtime->workers[i], function, call);
    }
    return call->status;
}

static enum weft_status runtime_connect(void *context, const struct weft_channel_address *addresses,
                                        uint32_t count, struct weft_error *error)
{
    const struct weft_runtime *runtime = context;
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; i < count; i++) {
        if (!seat_of_rank(runtime, addresses[i].to_rank))
            return weft_error_set(error, WEFT_INVALID,
                                  "an address came for rank %u, which is not "
                                  "on this agent",
                                  addresses[i].to_rank);
    }
    for (uint32_t i = 0; i < count && status == WEFT_OK; i += CONNECTS_A_CALL) {
        uint32_t left = count - i;
        struct connect_call call = {.addresses = addresses + i,
                                    .count = left < CONNECTS_A_CALL ? left : CONNECTS_A_CALL,
                                    .error = error};
        status = on_workers(runtime, do_connect, &call);
    }
    return status;
}

static enum weft_status runtime_connected(void *context, struct weft_error *error)
{
    struct connect_call call = {.error = error};
    return on_workers(context, ask_connected, &call);
}

static void note_counters(struct weft_seats *seats)
{
    for (uint32_t i = 0; i < seats->device_count; i++) {
        struct weft_seat_device *device = &seats->devices[i];
        device->at_start = *device->driver->counters(device->device);
    }
}

/* The difference to what is noted: before the window the worker's count itself, after it what it
 * grew. Workers without a station are parked. */
static void note_preemptions(const struct weft_runtime *runtime)
{
    struct weft_seats *seats = runtime->seats;
    for (uint32_t i = 0; i < runtime->worker_count; i++) {
        struct weft_worker_preemptions now;
        if (!seats->station_counts[i] || runtime->options.virtual_topology)
            continue;
        weft_worker_preemptions(runtime->workers[i], &now);
        seats->preemptions[i].count = now.count - seats->preemptions[i].count;
        seats->preemptions[i].lost_ns = now.lost_ns - seats->preemptions[i].lost_ns;
    }
}

static void begin_window(const struct weft_runtime *runtime)
{
    memset(runtime->seats->preemptions, 0,
           runtime->worker_count * sizeof(runtime->seats->preemptions[0]));
    runtime->seats->window_open = true;
    note_preemptions(runtime);
    note_counters(runtime->seats);
}

/* By the first rank that is collected, so that all ranks of a worker have one number. */
static void end_window(const struct weft_runtime *runtime)
{
    if (runtime->seats->window_open)
        note_preemptions(runtime);
    runtime->seats->window_open = false;
}

static enum weft_status runtime_start(void *context, enum weft_phase phase,
                                      struct weft_error *error)
{
    struct weft_runtime *runtime = context;
    (void)error;
    memset(runtime->grants, 0, sizeof(runtime->grants));
    if (phase == WEFT_PHASE_MEASURE)
        begin_window(runtime);
    for (uint32_t i = 0; i < runtime->seats->count; i++) {
        struct weft_seat *seat = &runtime->seats->seats[i];
        const struct weft_phase_options options = {
            .phase = phase, .reduce = runtime->seats->parts[seat->part].reduce};
        seat->durations_count = 0;
        weft_node_start(seat->node, &options);
    }
    return WEFT_OK;
}

static void grant_all(const struct weft_runtime *runtime)
{
    for (uint32_t i = 0; i < runtime->seats->count; i++) {
        const struct weft_seat *seat = &runtime->seats->seats[i];
        const struct weft_agent_grant *grant = &runtime->grants[seat->part];
        weft_node_expect_grant(seat->node, !grant->last);
        weft_node_grant(seat->node, grant->iterations);
    }
}

/* What belongs to the worker that calls it. */
struct record_call {
    const struct weft_runtime *runtime;
    uint32_t worker;
};

static void record_anew(void *argument)
{
    const struct record_call *call = argument;
    const struct weft_seats *seats = call->runtime->seats;
    for (uint32_t i = 0; i < seats->count; i++) {
        if (seats->devices[seats->seats[i].device].worker == call->worker)
            weft_node_record(seats->seats[i].node, call->runtime->record == WEFT_RECORD_ANEW);
    }
}

static void record_and_grant(void *argument)
{
    const struct record_call *call = argument;
    if (call->runtime->record != WEFT_RECORD_ON)
        record_anew(argument);
    grant_all(call->runtime);
}

/* In virtual time all ranks begin at the same instant. */
static void runtime_grant(void *context, const struct weft_agent_grant *grants,
                          enum weft_agent_record record)
{
    struct weft_runtime *runtime = context;
    struct record_call call = {.runtime = runtime};
    memcpy(runtime->grants, grants, runtime->seats->part_count * sizeof(*grants));
    runtime->record = record;
    if (runtime->options.virtual_topology) {
        weft_worker_call(runtime->workers[0], record_and_grant, &call);
        return;
    }
    for (; record != WEFT_RECORD_ON && call.worker < runtime->worker_count; call.worker++)
        weft_worker_call(runtime->workers[call.worker], record_anew, &call);
    grant_all(runtime);
}

static bool runtime_waits(void *context)
{
    const struct weft_runtime *runtime = context;
    return runtime->options.virtual_topology && weft_worker_waits(runtime->workers[0]);
}

static enum weft_status runtime_progress(void *context, uint32_t part,
                                         struct weft_agent_progress *ret_progress,
                                         struct weft_error *error)
{
    const struct weft_runtime *runtime = context;
    uint64_t least = runtime->grants[part].iterations;
    for (uint32_t i = 0; i < runtime->seats->count; i++) {
        const struct weft_seat *seat = &runtime->seats->seats[i];
        if (seat->part != part)
            continue;
        enum weft_status status = weft_node_failure(seat->node, error);
        if (status != WEFT_OK)
            return status;
        uint64_t done = weft_node_iterations_done(seat->node);
        if (done < least)
            least = done;
    }
    ret_progress->iterations_done = least;
    ret_progress->idle = least == runtime->grants[part].iterations;
    return WEFT_OK;
}

static bool seat_decides(const struct weft_seat *seat, uint32_t part)
{
    return seat->part == part && seat->schedule->decides_completion;
}

static bool runtime_decides(void *context, uint32_t part)
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
    uint32_t common = runtime_decides((void *)(uintptr_t)runtime, part) ? count : 0;
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

static uint32_t runtime_take_durations(void *context, uint32_t part, uint64_t *durations_ns,
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

static bool runtime_take_intended(void *context, uint32_t part, uint64_t *intended_ns,
                                  uint32_t count)
{
    const struct weft_runtime *runtime = context;
    assert(count <= WEFT_SEAT_DURATIONS);
    memcpy(intended_ns, runtime->intended_ns, count * sizeof(intended_ns[0]));
    return runtime->seats->parts[part].is_open_loop;
}

static enum weft_status runtime_verify(void *context, uint32_t local,
                                       struct weft_verify_result *ret_result)
{
    const struct weft_runtime *runtime = context;
    assert(local < runtime->seats->count);
    weft_node_verify(runtime->seats->seats[local].node, ret_result);
    return WEFT_OK;
}

/* All counters are 64-bit words: the growth is word by word. What was not counted all the time is
 * not counted. */
static void growth(const struct weft_device_counters *now, const struct weft_device_counters *then,
                   struct weft_device_counters *ret)
{
    uint64_t a[sizeof(*now) / sizeof(uint64_t)];
    uint64_t b[sizeof(*now) / sizeof(uint64_t)];
    memcpy(a, now, sizeof(a));
    memcpy(b, then, sizeof(b));
    for (size_t i = 0; i < sizeof(a) / sizeof(a[0]); i++)
        a[i] -= b[i];
    memcpy(ret, a, sizeof(*ret));
    ret->counted = now->counted & then->counted;
}

static struct weft_hist *copy_hist(const struct weft_hist *from)
{
    struct weft_hist *copy = weft_hist_create();
    if (copy && from)
        weft_hist_merge(copy, from);
    return copy;
}

/* The first rank of its job on the device. What a device counts is not told apart by jobs: where
 * several share one, each has all of it. */
static bool bears_counters(const struct weft_seats *seats, uint32_t local)
{
    const struct weft_seat *seat = &seats->seats[local];
    for (uint32_t i = seats->devices[seat->device].first_seat; i < local; i++) {
        if (seats->seats[i].device == seat->device && seats->seats[i].part == seat->part)
            return false;
    }
    return true;
}

static void describe_seat(const struct weft_seats *seats, uint32_t local,
                          struct weft_rank_result *ret_result)
{
    const struct weft_seat_device *device = &seats->devices[seats->seats[local].device];
    struct weft_capabilities capabilities = {0};
    device->driver->capabilities(device->device, &capabilities);
    ret_result->worker = device->driver->clock_ns ? WEFT_WORKER_NONE : device->worker;
    ret_result->in_process = capabilities.in_process;
    ret_result->polled = capabilities.polled;
    (void)snprintf(ret_result->driver, sizeof(ret_result->driver), "%s", device->driver->name);
    (void)snprintf(ret_result->device, sizeof(ret_result->device), "%s",
                   device->driver->describe(device->device));
    ret_result->preemptions = seats->preemptions[device->worker].count;
    ret_result->preempted_ns = seats->preemptions[device->worker].lost_ns;
    if (bears_counters(seats, local))
        growth(device->driver->counters(device->device), &device->at_start, &ret_result->counters);
}

static enum weft_status runtime_collect(void *context, uint32_t local,
                                        struct weft_rank_result *ret_result,
                                        struct weft_error *error)
{
    const struct weft_runtime *runtime = context;
    assert(local < runtime->seats->count);
    const struct weft_seat *seat = &runtime->seats->seats[local];
    struct weft_node_measured measured;
    end_window(runtime);
    weft_node_measured(seat->node, &measured);
    struct weft_rank_result result = {
        .rank = seat->rank,
        .latency_ns = copy_hist(measured.latency_ns),
        .bandwidth_bps = copy_hist(measured.bandwidth_bps),
        .sent_messages = measured.sent_messages,
        .sent_bytes = measured.sent_bytes,
        .received_messages = measured.received_messages,
        .received_bytes = measured.received_bytes,
        .iterations = measured.iterations,
        .stalled_iterations = measured.stalled_iterations,
        .window_ns = measured.last_end_ns - measured.first_start_ns,
        .rates = measured.rates,
        .spread = measured.spread,
        .open_loop = {.paced = measured.open_loop.paced,
                      .latency_intended_ns = measured.open_loop.paced
                                                 ? copy_hist(measured.open_loop.latency_intended_ns)
                                                 : NULL,
                      .missed = measured.open_loop.missed,
                      .offered_ns = measured.open_loop.offered_ns,
                      .achieved_ns = measured.open_loop.achieved_ns},
    };
    bool whole = !result.open_loop.paced || result.open_loop.latency_intended_ns;
    if (!result.latency_ns || !result.bandwidth_bps || !whole) {
        weft_hist_destroy(result.latency_ns);
        weft_hist_destroy(result.bandwidth_bps);
        weft_hist_destroy(result.open_loop.latency_intended_ns);
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for the histograms of rank %u",
                              seat->rank);
    }
    describe_seat(runtime->seats, local, &result);
    *ret_result = result;
    return WEFT_OK;
}

static uint32_t runtime_trace_count(void *context, uint32_t part)
{
    const struct weft_runtime *runtime = context;
    uint32_t least = UINT32_MAX;
    for (uint32_t i = 0; i < runtime->seats->count; i++) {
        const struct weft_seat *seat = &runtime->seats->seats[i];
        if (seat->part != part)
            continue;
        uint32_t count = weft_node_trace_count(seat->node);
        least = count < least ? count : least;
    }
    return least;
}

/* In all of them, though one may have to be asked again. */
static bool runtime_trace_keep(void *context, uint32_t part, uint32_t place, uint64_t iteration)
{
    const struct weft_runtime *runtime = context;
    bool all = true;
    for (uint32_t i = 0; i < runtime->seats->count; i++) {
        const struct weft_seat *seat = &runtime->seats->seats[i];
        if (seat->part == part)
            all = weft_node_trace_keep(seat->node, place, iteration) && all;
    }
    return all;
}

static enum weft_status runtime_trace(void *context, uint32_t local, uint64_t iteration,
                                      struct weft_op_trace **ret_ops, uint32_t *ret_count,
                                      uint64_t *ret_duration_ns)
{
    const struct weft_runtime *runtime = context;
    assert(local < runtime->seats->count);
    const struct weft_seat *seat = &runtime->seats->seats[local];
    struct weft_op_trace *ops = calloc((size_t)seat->schedule->op_count + 1, sizeof(*ops));
    if (!ops)
        return WEFT_NO_MEMORY;
    if (!weft_node_trace(seat->node, iteration, ops, ret_duration_ns)) {
        free(ops);
        return WEFT_NOT_FOUND;
    }
    *ret_ops = ops;
    *ret_count = seat->schedule->op_count;
    return WEFT_OK;
}

static void runtime_release(void *context)
{
    struct weft_runtime *runtime = context;
    for (uint32_t i = 0; i < runtime->worker_count; i++)
        weft_worker_park(runtime->workers[i]);
    weft_seats_destroy(runtime->seats);
    runtime->seats = NULL;
}

const struct weft_agent_runtime *weft_runtime_agent_ops(void)
{
    static const struct weft_agent_runtime ops = {
        .environment = runtime_environment,
        .prepare = runtime_prepare,
        .addresses = runtime_addresses,
        .connect = runtime_connect,
        .connected = runtime_connected,
        .start = runtime_start,
        .grant = runtime_grant,
        .waits = runtime_waits,
        .progress = runtime_progress,
        .take_durations = runtime_take_durations,
        .take_intended = runtime_take_intended,
        .decides = runtime_decides,
        .verify = runtime_verify,
        .collect = runtime_collect,
        .release = runtime_release,
        .trace_count = runtime_trace_count,
        .trace_keep = runtime_trace_keep,
        .trace = runtime_trace,
    };
    return &ops;
}

/* ---- the runtime itself ---- */

static uint32_t allowed_cpus(uint32_t *cpus, uint32_t room)
{
    cpu_set_t set;
    uint32_t count = 0;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 0;
    for (uint32_t cpu = 0; cpu < CPU_SETSIZE && count < room; cpu++) {
        if (CPU_ISSET(cpu, &set))
            cpus[count++] = cpu;
    }
    return count;
}

static enum weft_status start_workers(struct weft_runtime *runtime, struct weft_error *error)
{
    uint32_t cpus[WEFT_WORKERS_MAX];
    uint32_t cpu_count = allowed_cpus(cpus, WEFT_WORKERS_MAX);
    if (!cpu_count)
        return weft_error_set(error, WEFT_IO, "cannot read which CPUs this process may use");
    uint32_t wanted = runtime->options.workers ? runtime->options.workers : cpu_count;
    if (runtime->options.virtual_topology)
        wanted = 1;
    if (wanted > WEFT_WORKERS_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "%u workers are more than the %u that weft has "
                              "room for; ask for one a CPU at most",
                              wanted, WEFT_WORKERS_MAX);
    for (uint32_t i = 0; i < wanted; i++) {
        const struct weft_worker_options options = {
            .cpu = cpus[i % cpu_count],
            /* Two workers on one CPU that both spin would starve each other by whole time slices.
             */
            .idle = wanted > cpu_count ? WEFT_IDLE_YIELD : runtime->options.idle,
            .clock = &runtime->clock,
        };
        enum weft_status status = weft_worker_create(&options, &runtime->workers[i], error);
        if (status != WEFT_OK)
            return status;
        runtime->worker_count++;
    }
    return WEFT_OK;
}

static void measure_noise(void *argument)
{
    struct weft_runtime *runtime = argument;
    weft_environment_measure_noise(&runtime->clock, &runtime->environment);
}

/* One after the other, so that one worker's measurement is not another's noise; a few of many, for
 * a start should not take seconds. */
static void measure_workers(struct weft_runtime *runtime)
{
    uint32_t count = runtime->worker_count < NOISE_WORKERS ? runtime->worker_count : NOISE_WORKERS;
    for (uint32_t i = 0; i < count; i++) {
        struct weft_worker *worker = runtime->workers[i * runtime->worker_count / count];
        weft_worker_run(worker, NULL, 0);
        weft_worker_call(worker, measure_noise, runtime);
        weft_worker_park(worker);
    }
}

/* Reading it costs nothing, and it is never late. */
static void describe_virtual(struct weft_host_environment *environment)
{
    (void)snprintf(environment->clock_source, sizeof(environment->clock_source), "virtual");
    environment->clock_resolution_ns = 0;
}

enum weft_status weft_runtime_create(const struct weft_runtime_options *options,
                                     struct weft_runtime **ret_runtime, struct weft_error *error)
{
    struct weft_runtime *runtime = calloc(1, sizeof(*runtime));
    if (!runtime)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for the runtime");
    runtime->options = *options;
    enum weft_status status = weft_environment_calibrate(&runtime->clock, error);
    if (status == WEFT_OK)
        status = start_workers(runtime, error);
    if (status != WEFT_OK) {
        weft_runtime_destroy(runtime);
        return status;
    }
    weft_environment_describe(&runtime->clock, &runtime->environment);
    if (options->virtual_topology)
        describe_virtual(&runtime->environment);
    else
        measure_workers(runtime);
    *ret_runtime = runtime;
    return WEFT_OK;
}

void weft_runtime_destroy(struct weft_runtime *runtime)
{
    if (!runtime)
        return;
    runtime_release(runtime);
    for (uint32_t i = 0; i < runtime->worker_count; i++)
        weft_worker_destroy(runtime->workers[i]);
    weft_seats_stop_drivers();
    free(runtime);
}

enum weft_status weft_runtime_service(struct weft_runtime *runtime, struct weft_error *error)
{
    const struct weft_seats *seats = runtime->seats;
    for (uint32_t i = 0; seats && i < seats->device_count; i++) {
        const struct weft_seat_device *device = &seats->devices[i];
        enum weft_status status = device->driver->service(device->device, error);
        if (status != WEFT_OK)
            return status;
    }
    return WEFT_OK;
}

uint64_t weft_runtime_now_ns(const struct weft_runtime *runtime)
{
    return weft_now(&runtime->clock);
}
