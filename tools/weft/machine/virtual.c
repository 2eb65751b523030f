/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/machine/virtual.h"

/* A place among `count`, chosen from the time alone: the number of idle turns differs between runs.
 * */
static uint32_t place_of(uint64_t now_ns, uint32_t count)
{
    uint64_t mixed = now_ns * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)((mixed >> 32) * count >> 32);
}

/* Begins at a different station at each instant, so that none is favoured by its place. */
static uint32_t poll_all(const struct weft_station *stations, uint32_t count, uint64_t now_ns)
{
    uint32_t work = 0, first = place_of(now_ns, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = first + i < count ? first + i : first + i - count;
        const struct weft_station *station = &stations[at];
        uint32_t first_node = place_of(~now_ns, station->node_count);
        work += station->driver->progress(station->device, now_ns);
        for (uint32_t j = 0; j < station->node_count; j++) {
            uint32_t node = first_node + j < station->node_count
                                ? first_node + j
                                : first_node + j - station->node_count;
            work += weft_node_poll(station->nodes[node], now_ns);
        }
    }
    return work;
}

/* Has a job used up all iterations it was granted, with more to come? Only if all of its ranks
 * wait: a rank with nothing to do in an iteration always waits. */
static bool wants_grant(const struct weft_station *stations, uint32_t count)
{
    uint32_t present = 0, satisfied = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < stations[i].node_count; j++) {
            uint32_t part = UINT32_C(1) << stations[i].parts[j];
            present |= part;
            if (!weft_node_wants_grant(stations[i].nodes[j]))
                satisfied |= part;
        }
    }
    return (present & ~satisfied) != 0;
}

/* True if some node waits for its peers and every node has its peers' addresses. */
static bool time_may_go_on(const struct weft_station *stations, uint32_t count,
                           uint64_t *ret_until_ns)
{
    bool awaited = false;
    *ret_until_ns = UINT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < stations[i].node_count; j++) {
            enum weft_node_wait wait = weft_node_waits(stations[i].nodes[j]);
            if (wait == WEFT_NODE_WAITS_FOR_ADDRESSES)
                return false;
            awaited = awaited || wait == WEFT_NODE_WAITS_FOR_PEERS;
            uint64_t next_ns = weft_node_next_event_ns(stations[i].nodes[j]);
            *ret_until_ns = next_ns < *ret_until_ns ? next_ns : *ret_until_ns;
        }
    }
    return awaited;
}

bool weft_virtual_turn(const struct weft_station *stations, uint32_t count, bool *ret_waits)
{
    const struct weft_driver *driver = stations[0].driver;
    uint64_t until_ns;
    if (poll_all(stations, count, driver->clock_ns()))
        return true;
    *ret_waits = wants_grant(stations, count);
    return !*ret_waits && time_may_go_on(stations, count, &until_ns) && driver->advance(until_ns);
}
