/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/service/seats.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/registry.h"
#include "fabric/base/size.h"
#include "fabric/base/units.h"
#include "tools/weft/machine/memory.h"

#define DRIVERS_MAX 8u
/* Regions of a node: two lanes, slots, and staging. */
#define REGIONS_PER_RANK 4u
#define REGIONS_PER_CHANNEL 2u

static const struct weft_driver *started[DRIVERS_MAX];

static bool is_started(const struct weft_driver *driver)
{
    for (uint32_t i = 0; i < DRIVERS_MAX; i++) {
        if (started[i] == driver)
            return true;
    }
    return false;
}

static void note_started(const struct weft_driver *driver)
{
    for (uint32_t i = 0; i < DRIVERS_MAX; i++) {
        if (!started[i]) {
            started[i] = driver;
            return;
        }
    }
    assert(false && "more drivers than the registry holds");
}

enum weft_status weft_seats_stop_drivers(struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; i < DRIVERS_MAX; i++) {
        struct weft_error *first = status == WEFT_OK ? error : NULL;
        enum weft_status stopped = started[i] ? started[i]->stop(first) : WEFT_OK;
        status = status == WEFT_OK ? stopped : status;
        started[i] = NULL;
    }
    return status;
}

static const struct weft_driver *driver_of(const struct weft_test *test, const struct weft_nic *nic,
                                           struct weft_error *error)
{
    const char *name = nic->driver ? nic->driver : test->driver ? test->driver : "dpdk";
    const struct weft_driver *driver = weft_driver_find(name);
    if (!driver)
        weft_error_set(error, WEFT_NOT_FOUND,
                       "this agent has no driver '%s'; 'weft devices' lists its drivers", name);
    return driver;
}

static uint32_t device_for(struct weft_seats *seats, const struct weft_nic *nic)
{
    for (uint32_t i = 0; i < seats->device_count; i++) {
        if (seats->devices[i].nic.index == nic->index)
            return i;
    }
    seats->devices[seats->device_count].nic = *nic;
    return seats->device_count++;
}

/* Queue pairs to peers; each is a channel. */
static enum weft_status count_channels(const struct weft_schedule *schedule, uint32_t *count,
                                       struct weft_error *error)
{
    uint32_t channels = 0;
    uint64_t *flows = weft_schedule_flows(schedule, &channels);
    if (!flows)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for the schedules");
    *count += channels;
    free(flows);
    return WEFT_OK;
}

/* Keeps what is needed of the tests after the request is gone. */
static enum weft_status keep_parts(struct weft_seats *seats, const struct weft_agent_test *test,
                                   struct weft_error *error)
{
    seats->part_count = test->part_count;
    for (uint32_t i = 0; i < test->part_count; i++) {
        const struct weft_test *from = &test->parts[i];
        struct weft_seat_part *part = &seats->parts[i];
        size_t len_bytes = from->options.rank_count * sizeof(*part->ranks);
        part->is_open_loop = from->rate_bps != 0;
        part->reduce = from->reduce;
        if (!from->ranks)
            continue;
        part->ranks = malloc(len_bytes);
        if (!part->ranks)
            return weft_error_set(error, WEFT_NO_MEMORY, "no memory for %u ranks",
                                  from->options.rank_count);
        memcpy(part->ranks, from->ranks, len_bytes);
    }
    return WEFT_OK;
}

/* `options` are the parts' own, with what is read of their files once. */
static enum weft_status compile_all(struct weft_seats *seats, const struct weft_agent_test *test,
                                    struct weft_pattern_options *options, struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; status == WEFT_OK && i < test->part_count; i++) {
        options[i] = test->parts[i].options;
        status = weft_pattern_prepare(test->parts[i].pattern, &options[i], error);
    }
    for (uint32_t i = 0; status == WEFT_OK && i < seats->count; i++) {
        struct weft_seat *seat = &seats->seats[i];
        const struct weft_test *part = &test->parts[test->local_parts[i]];
        seat->rank = test->local_ranks[i];
        seat->part = test->local_parts[i];
        seat->place = test->local_places[i];
        status = weft_pattern_compile(part->pattern, &options[seat->part], seat->place,
                                      &seat->schedule, error);
        if (status != WEFT_OK)
            break;
        seat->device = device_for(seats, &test->nics[i]);
        struct weft_seat_device *device = &seats->devices[seat->device];
        if (device->rank_count++ == 0)
            device->first_seat = i;
        status = count_channels(seat->schedule, &device->endpoint_count, error);
    }
    return status;
}

static enum weft_status compile_seats(struct weft_seats *seats, const struct weft_agent_test *test,
                                      struct weft_error *error)
{
    struct weft_pattern_options options[WEFT_JOBS_MAX] = {0};
    enum weft_status status = compile_all(seats, test, options, error);
    for (uint32_t i = 0; i < test->part_count; i++)
        weft_pattern_discard(test->parts[i].pattern, &options[i]);
    return status;
}

/* Checks the size of all ranks' buffers before touching any: filling the memory takes as long as a
 * short run, and running out could kill another program. */
static enum weft_status check_memory(const struct weft_seats *seats,
                                     const struct weft_agent_test *test, struct weft_error *error)
{
    uint64_t available_bytes = weft_memory_available_now();
    uint64_t needed_bytes = 0;
    char needed[WEFT_UNITS_TEXT], available[WEFT_UNITS_TEXT];
    for (uint32_t i = 0; i < seats->count; i++) {
        const struct weft_test *part = &test->parts[seats->seats[i].part];
        uint64_t lanes = weft_node_lanes(weft_test_in_flight(part));
        needed_bytes = weft_size_add(
            needed_bytes, weft_size_times(lanes, seats->seats[i].schedule->buffer_bytes));
    }
    if (needed_bytes < available_bytes)
        return WEFT_OK;
    return weft_error_set(error, WEFT_NO_MEMORY,
                          "the buffers of %u ranks need %s here, and %s of memory are free: choose "
                          "a smaller size, fewer iterations in flight or fewer ranks on this host",
                          seats->count, weft_show_size(needed_bytes, needed),
                          weft_show_size(available_bytes, available));
}

static enum weft_status start_driver(const struct weft_seats_options *options,
                                     const struct weft_driver *driver, uint32_t device_count,
                                     struct weft_error *error)
{
    if (is_started(driver))
        return WEFT_OK;
    uint32_t cpus[WEFT_WORKERS_MAX];
    for (uint32_t i = 0; i < options->worker_count; i++)
        cpus[i] = weft_worker_cpu(options->workers[i]);
    uint32_t most = options->test->plan_local_count;
    const struct weft_driver_start start = {
        .topology = options->virtual_topology,
        .seed = options->test->seed,
        .device_count = most > device_count ? most : device_count,
        .mtu_bytes = options->test->plan_mtu_bytes,
        .worker_count = options->worker_count,
        .worker_cpus = cpus,
        .verbose = options->verbose,
    };
    enum weft_status status = driver->start(&start, error);
    if (status == WEFT_OK)
        note_started(driver);
    return status;
}

/* Each device draws from its own seed, derived from its first rank, so it is the same on every run.
 * A device that cannot inject faults gets none; the test's other devices do. */
static struct weft_fault_options fault_of(const struct weft_test *test,
                                          const struct weft_seat_device *device, uint32_t rank)
{
    struct weft_fault_options fault = {0};
    if (!device->driver->injects_faults)
        return fault;
    fault = test->fault;
    fault.seed += (uint64_t)rank * UINT64_C(0xd1342543de82ef95);
    return fault;
}

/* All jobs that share a device give it the same options. */
static enum weft_status open_device(const struct weft_seats_options *options,
                                    struct weft_seat_device *device, uint32_t device_count,
                                    uint64_t seed, uint32_t rank, struct weft_error *error)
{
    const struct weft_test *test = &options->test->parts[0];
    device->driver = driver_of(test, &device->nic, error);
    if (!device->driver)
        return WEFT_NOT_FOUND;
    enum weft_status status = weft_allow_device(options->allow, device->nic.device, error);
    if (status == WEFT_OK)
        status = start_driver(options, device->driver, device_count, error);
    if (status != WEFT_OK)
        return status;
    const struct weft_device_options open = {
        .device = device->nic.device,
        .nic = device->nic.index,
        .address = device->nic.address,
        .gateway = device->nic.gateway,
        .mtu_bytes = test->mtu_bytes,
        /* A rank has no endpoints if a small message leaves it nothing to do. */
        .max_endpoints = device->endpoint_count ? device->endpoint_count : 1,
        .max_regions =
            device->rank_count * REGIONS_PER_RANK + device->endpoint_count * REGIONS_PER_CHANNEL,
        .seed = seed,
        .rate_bps = test->pace_bps,
        .congestion = test->congestion,
        .vlan_id = device->nic.vlan_id,
        .vlan_priority = device->nic.vlan_priority,
        .traffic_class = (uint8_t)(test->dscp << 2),
        .fault = fault_of(test, device, rank),
        .pcap_path = options->pcap_path,
        .utc_offset_ns = options->utc_offset_ns,
    };
    return device->driver->open(&open, &device->device, error);
}

/* Devices go to workers in blocks, so that neighbours in a ring share one; a worker on the device's
 * NUMA node comes before the others. */
static uint32_t worker_for(const struct weft_seats_options *options, int32_t numa_node,
                           uint32_t index, uint32_t device_count)
{
    uint32_t fitting[WEFT_WORKERS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < options->worker_count; i++) {
        if (weft_memory_node_of_cpu(weft_worker_cpu(options->workers[i])) == numa_node)
            fitting[count++] = i;
    }
    if (numa_node >= 0 && count)
        return fitting[(uint64_t)index * count / device_count];
    return (uint32_t)((uint64_t)index * options->worker_count / device_count);
}

static enum weft_status open_devices(struct weft_seats *seats,
                                     const struct weft_seats_options *options,
                                     struct weft_error *error)
{
    for (uint32_t i = 0; i < seats->device_count; i++) {
        struct weft_seat_device *device = &seats->devices[i];
        uint64_t seed = options->test->seed ^ ((uint64_t)(i + 1) * UINT64_C(0x9e3779b97f4a7c15));
        uint32_t rank = seats->seats[device->first_seat].rank;
        enum weft_status status =
            open_device(options, device, seats->device_count, seed, rank, error);
        if (status != WEFT_OK)
            return weft_error_prefix(error, "rank %u, device '%s': ", rank, device->nic.device);
        struct weft_capabilities capabilities = {0};
        device->driver->capabilities(device->device, &capabilities);
        device->worker = worker_for(options, capabilities.numa_node, i, seats->device_count);
    }
    return WEFT_OK;
}

static enum weft_status create_nodes(struct weft_seats *seats,
                                     const struct weft_seats_options *options,
                                     struct weft_error *error)
{
    for (uint32_t i = 0; i < seats->count; i++) {
        struct weft_seat *seat = &seats->seats[i];
        const struct weft_seat_device *device = &seats->devices[seat->device];
        const struct weft_test *test = &options->test->parts[seat->part];
        const struct weft_node_options node = {
            .driver = device->driver,
            .device = device->device,
            .schedule = seat->schedule,
            .ranks = seats->parts[seat->part].ranks,
            .transfer = test->transfer,
            .depth = test->depth,
            .in_flight = weft_test_in_flight(test),
            .interval_ns = test->interval_ns,
            .trace = test->trace,
            .rate_bps = test->rate_bps,
            .period_bytes = test->period_bytes,
            .arrivals = test->arrivals,
            .arrivals_seed = test->arrivals_seed,
            .allocate = weft_memory_allocate,
            .release = weft_memory_release,
        };
        enum weft_status status = weft_node_create(&node, &seat->node, error);
        if (status != WEFT_OK)
            return status;
    }
    return WEFT_OK;
}

static enum weft_status make_station(struct weft_seats *seats, uint32_t index,
                                     struct weft_error *error)
{
    const struct weft_seat_device *device = &seats->devices[index];
    struct weft_node **nodes = calloc(device->rank_count, sizeof(struct weft_node *));
    uint32_t *parts = calloc(device->rank_count, sizeof(*parts));
    if (!nodes || !parts) {
        free(nodes);
        free(parts);
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for the workers' lists");
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < seats->count; i++) {
        if (seats->seats[i].device != index)
            continue;
        parts[count] = seats->seats[i].part;
        nodes[count++] = seats->seats[i].node;
    }
    uint32_t worker = device->worker;
    seats->stations[worker][seats->station_counts[worker]++] =
        (struct weft_station){.driver = device->driver,
                              .device = device->device,
                              .nodes = nodes,
                              .parts = parts,
                              .node_count = count};
    return WEFT_OK;
}

static enum weft_status make_stations(struct weft_seats *seats, struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; status == WEFT_OK && i < seats->device_count; i++)
        status = make_station(seats, i, error);
    return status;
}

static struct weft_seats *allocate(const struct weft_seats_options *options)
{
    struct weft_seats *seats = calloc(1, sizeof(*seats));
    if (!seats)
        return NULL;
    uint32_t count = options->test->local_count;
    seats->count = count;
    seats->worker_count = options->worker_count;
    seats->seats = calloc(count, sizeof(*seats->seats));
    seats->devices = calloc(count, sizeof(*seats->devices));
    seats->stations = calloc(options->worker_count, sizeof(struct weft_station *));
    seats->station_counts = calloc(options->worker_count, sizeof(uint32_t));
    seats->preemptions = calloc(options->worker_count, sizeof(*seats->preemptions));
    bool whole = seats->seats && seats->devices && seats->stations && seats->station_counts &&
                 seats->preemptions;
    for (uint32_t i = 0; whole && i < options->worker_count; i++) {
        seats->stations[i] = calloc(count, sizeof(struct weft_station));
        whole = seats->stations[i] != NULL;
    }
    if (whole)
        return seats;
    weft_seats_destroy(seats);
    return NULL;
}

enum weft_status weft_seats_create(const struct weft_seats_options *options,
                                   struct weft_seats **ret_seats, struct weft_error *error)
{
    struct weft_seats *seats = allocate(options);
    if (!seats)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for %u ranks",
                              options->test->local_count);
    enum weft_status status = keep_parts(seats, options->test, error);
    if (status == WEFT_OK)
        status = compile_seats(seats, options->test, error);
    if (status == WEFT_OK)
        status = check_memory(seats, options->test, error);
    if (status == WEFT_OK)
        status = open_devices(seats, options, error);
    if (status == WEFT_OK)
        status = create_nodes(seats, options, error);
    if (status == WEFT_OK)
        status = make_stations(seats, error);
    if (status != WEFT_OK) {
        weft_seats_destroy(seats);
        return status;
    }
    *ret_seats = seats;
    return WEFT_OK;
}

static void destroy_stations(struct weft_seats *seats)
{
    for (uint32_t worker = 0; seats->stations && worker < seats->worker_count; worker++) {
        for (uint32_t i = 0; seats->stations[worker] && i < seats->station_counts[worker]; i++) {
            free(seats->stations[worker][i].nodes);
            free(seats->stations[worker][i].parts);
        }
        free(seats->stations[worker]);
    }
    free(seats->stations);
    free(seats->station_counts);
}

void weft_seats_destroy(struct weft_seats *seats)
{
    if (!seats)
        return;
    for (uint32_t i = 0; seats->seats && i < seats->count; i++) {
        weft_node_destroy(seats->seats[i].node);
        weft_schedule_destroy(seats->seats[i].schedule);
    }
    for (uint32_t i = 0; i < seats->device_count; i++) {
        if (seats->devices[i].device)
            seats->devices[i].driver->close(seats->devices[i].device);
    }
    destroy_stations(seats);
    for (uint32_t i = 0; i < seats->part_count; i++)
        free(seats->parts[i].ranks);
    free(seats->preemptions);
    free(seats->devices);
    free(seats->seats);
    free(seats);
}
