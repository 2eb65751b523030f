/* SPDX-License-Identifier: BSD-3-Clause */
/* A prepared test of the runtime: which rank sits on which device, polled by which worker. */
#ifndef WEFT_TOOLS_SEATS_H
#define WEFT_TOOLS_SEATS_H

#include "fabric/control/control.h"
#include "fabric/topology/topology.h"
#include "tools/weft/machine/worker.h"
#include "tools/weft/service/allow.h"

/* Iterations whose durations are held here until the slower ranks of this agent have theirs. */
#define WEFT_SEAT_DURATIONS 8192u

struct weft_seat {
    uint32_t rank;   /* of the run */
    uint32_t part;   /* index into weft_seats.parts */
    uint32_t place;  /* which of the part's ranks */
    uint32_t device; /* index into weft_seats.devices */
    struct weft_schedule *schedule;
    struct weft_node *node;
    uint32_t durations_count; /* held, oldest first */
    uint64_t durations_ns[WEFT_SEAT_DURATIONS];
    uint64_t intended_ns[WEFT_SEAT_DURATIONS]; /* of the same */
};

/* An opened device and the ranks that share it. */
struct weft_seat_device {
    struct weft_nic nic; /* names not owned: valid during prepare only */
    const struct weft_driver *driver;
    struct weft_device *device;
    uint32_t rank_count;
    uint32_t endpoint_count;
    uint32_t first_seat; /* whose result carries the device's counters */
    uint32_t worker;
    struct weft_device_counters at_start; /* of the measured window */
};

/* One of the tests that run at once. */
struct weft_seat_part {
    uint32_t *ranks; /* what its ranks are in the run; NULL: as they are */
    bool is_open_loop, reduce;
};

struct weft_seats {
    uint32_t part_count;
    struct weft_seat_part parts[WEFT_JOBS_MAX];
    uint32_t count;
    struct weft_seat *seats;
    uint32_t device_count;
    struct weft_seat_device *devices;
    struct weft_station **stations; /* for each worker */
    uint32_t *station_counts;
    struct weft_worker_preemptions *preemptions; /* of each worker: until the window, then in it */
    bool window_open;
    uint32_t worker_count;
};

struct weft_seats_options {
    const struct weft_agent_test *test;
    struct weft_worker *const *workers;
    uint32_t worker_count;
    const struct weft_topology *virtual_topology; /* as in weft_runtime_options */
    const struct weft_allow *allow;
    const char *pcap_path;
    uint64_t utc_offset_ns; /* from the workers' clock to UTC */
    bool verbose;
};

/* Compiles, starts drivers, opens devices, makes nodes. On failure nothing is left. */
WEFT_CHECKED enum weft_status weft_seats_create(const struct weft_seats_options *options,
                                                struct weft_seats **ret_seats,
                                                struct weft_error *error);
/* The workers must be parked. NULL is taken. */
void weft_seats_destroy(struct weft_seats *seats);

/* Stops every driver that a seat has started in this process; the first error is told. */
WEFT_CHECKED enum weft_status weft_seats_stop_drivers(struct weft_error *error);

#endif
