/* SPDX-License-Identifier: BSD-3-Clause */
/* What the ideal is computed from: the topology, what its driver makes of gaps in it, and what a
 * packet takes beside its payload. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/sim/fabric.h"
#include "tools/weft/session/job.h"

/* An RDMA NIC without an IP address is taken to be InfiniBand's, whose packets are smaller: the
 * ideal must not be more than what is possible. */
static uint32_t overhead_bytes(const struct weft_job *job, const struct weft_test *test,
                               uint32_t rank)
{
    const struct weft_nic *nic =
        &job->topology->nics[job->topology->rank_nics[weft_test_rank(test, rank)]];
    if (nic->address.version == 6)
        return WEFT_IDEAL_OVERHEAD_BYTES + WEFT_IDEAL_IPV6_BYTES;
    if (nic->address.version == 4 || strcmp(weft_job_driver(job, test, rank), "verbs") != 0)
        return WEFT_IDEAL_OVERHEAD_BYTES;
    return WEFT_IDEAL_INFINIBAND_BYTES;
}

static bool moves_nothing(const struct weft_job *job, const struct weft_test *test)
{
    for (uint32_t rank = 0; rank < test->options.rank_count; rank++) {
        if (strcmp(weft_job_driver(job, test, rank), "null") == 0)
            return true;
    }
    return false;
}

static enum weft_status find_ideal(const struct weft_job *job, const struct weft_test *test,
                                   struct weft_ideal *ret_ideal, struct weft_error *error)
{
    struct weft_ideal_input input = {.pattern = test->pattern,
                                     .options = &test->options,
                                     .mtu_bytes = test->mtu_bytes,
                                     .overhead_bytes = UINT32_MAX};
    if (moves_nothing(job, test)) {
        (void)snprintf(ret_ideal->why, sizeof(ret_ideal->why), "driver null moves no bytes");
        return WEFT_OK;
    }
    for (uint32_t rank = 0; rank < test->options.rank_count; rank++) {
        uint32_t own = overhead_bytes(job, test, rank);
        input.overhead_bytes = own < input.overhead_bytes ? own : input.overhead_bytes;
    }
    if (weft_job_is_virtual(job))
        input.defaults = (struct weft_route_defaults){.rate_bps = WEFT_SIM_RATE_BPS,
                                                      .delay_ns = WEFT_SIM_DELAY_NS};
    struct weft_topology view;
    if (!weft_test_view(test, job->topology, &view))
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    input.topology = &view;
    enum weft_status status = weft_ideal_compute(&input, ret_ideal, error);
    free(view.rank_nics);
    return status;
}

enum weft_status weft_job_find_ideals(struct weft_job *job, struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    job->ideals = calloc(job->plan->test_count, sizeof(*job->ideals));
    if (!job->ideals)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    for (uint32_t i = 0; status == WEFT_OK && i < job->plan->test_count; i++)
        status = find_ideal(job, &job->plan->tests[i], &job->ideals[i], error);
    return status;
}
