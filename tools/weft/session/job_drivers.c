/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "drivers/registry.h"
#include "fabric/base/suggest.h"
#include "tools/weft/session/job.h"

static const struct weft_nic *nic_of(const struct weft_job *job, const struct weft_test *test,
                                     uint32_t rank)
{
    return &job->topology->nics[job->topology->rank_nics[weft_test_rank(test, rank)]];
}

const char *weft_job_driver(const struct weft_job *job, const struct weft_test *test, uint32_t rank)
{
    const struct weft_nic *nic = nic_of(job, test, rank);
    return nic->driver ? nic->driver : test->driver;
}

/* ---- do they exist? ---- */

static enum weft_status check_driver(const char *name, struct weft_error *error)
{
    const char *names[16] = {0};
    uint32_t count = 0;
    if (weft_driver_find(name))
        return WEFT_OK;
    for (const struct weft_driver *const *at = weft_drivers(); *at && count < 15; at++)
        names[count++] = (*at)->name;
    const char *near = weft_suggest(name, names);
    if (near)
        return weft_error_set(error, WEFT_NOT_FOUND,
                              "there is no driver '%.80s'; did you mean '%s'?", name, near);
    return weft_error_set(
        error, WEFT_NOT_FOUND,
        "there is no driver '%.80s'; weft devices lists the drivers of this build", name);
}

enum weft_status weft_job_find_drivers(const struct weft_job *job, struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; status == WEFT_OK && i < job->plan->test_count; i++)
        status = check_driver(job->plan->tests[i].driver, error);
    for (uint32_t i = 0; status == WEFT_OK && job->topology && i < job->topology->nic_count; i++) {
        if (job->topology->nics[i].driver)
            status = check_driver(job->topology->nics[i].driver, error);
    }
    return status;
}

/* ---- virtual time ---- */

static bool has_own_clock(const struct weft_job *job, const struct weft_test *test, uint32_t rank)
{
    return weft_driver_find(weft_job_driver(job, test, rank))->clock_ns != NULL;
}

bool weft_job_is_virtual(const struct weft_job *job)
{
    return has_own_clock(job, &job->plan->tests[0], 0);
}

static enum weft_status check_virtual(const struct weft_job *job, const struct weft_test *test,
                                      struct weft_error *error)
{
    bool is_virtual = weft_job_is_virtual(job);
    for (uint32_t rank = 0; rank < test->options.rank_count; rank++) {
        const struct weft_host *host = &job->topology->hosts[nic_of(job, test, rank)->host];
        const char *driver = weft_job_driver(job, test, rank);
        if (has_own_clock(job, test, rank) != is_virtual)
            return weft_error_set(
                error, WEFT_INVALID,
                "test '%s': rank %u runs on driver %s, and others on a driver with another clock: "
                "one run cannot mix virtual time and real time; make two runs",
                test->name, rank, driver);
        if (is_virtual && host->agent)
            return weft_error_set(error, WEFT_INVALID,
                                  "test '%s': driver %s models all hosts in this process, and host "
                                  "%s has an agent; take 'agent' out of the topology",
                                  test->name, driver, host->name);
    }
    if (is_virtual && test->duration_ns)
        return weft_error_set(error, WEFT_INVALID,
                              "test '%s': a duration is real time, and driver sim runs in virtual "
                              "time; give iterations instead",
                              test->name);
    return WEFT_OK;
}

/* ---- do they go together? ---- */

/* A driver that was asked for by name must not be replaced silently. */
static enum weft_status check_asked(const struct weft_job *job, const struct weft_test *test,
                                    const char *asked, struct weft_error *error)
{
    for (uint32_t rank = 0; rank < test->options.rank_count; rank++) {
        const struct weft_nic *nic = nic_of(job, test, rank);
        if (nic->driver && strcmp(nic->driver, asked) != 0)
            return weft_error_set(error, WEFT_INVALID,
                                  "--driver %s: NIC %s/%s of topology %s names driver %s; leave "
                                  "--driver out, or take the driver out of the topology",
                                  asked, job->topology->hosts[nic->host].name, nic->name,
                                  job->topology_source.name, nic->driver);
    }
    return WEFT_OK;
}

static bool same_process(const struct weft_host *a, const struct weft_host *b)
{
    return a->agent == b->agent || (a->agent && b->agent && strcmp(a->agent, b->agent) == 0);
}

/* Drivers and devices without a wire: null copies memory, and loopback is a switch in the process.
 * A modelled fabric joins all hosts. Returns a name for it; NULL: it reaches other hosts. */
static const char *without_wire(const struct weft_job *job, const struct weft_test *test,
                                uint32_t rank)
{
    if (strcmp(weft_job_driver(job, test, rank), "null") == 0)
        return "driver null";
    if (strcmp(nic_of(job, test, rank)->device, "loopback") == 0 && !has_own_clock(job, test, rank))
        return "device loopback";
    return NULL;
}

static bool is_on_loopback(const struct weft_job *job, const struct weft_test *test, uint32_t rank)
{
    return strcmp(nic_of(job, test, rank)->device, "loopback") == 0 &&
           strcmp(weft_job_driver(job, test, rank), "null") != 0 && !has_own_clock(job, test, rank);
}

static const struct weft_host *host_of(const struct weft_job *job, const struct weft_test *test,
                                       uint32_t rank)
{
    return &job->topology->hosts[nic_of(job, test, rank)->host];
}

static enum weft_status check_wires(const struct weft_job *job, const struct weft_test *test,
                                    struct weft_error *error)
{
    uint32_t first = 0;
    const char *what = NULL;
    while (first < test->options.rank_count && !(what = without_wire(job, test, first)))
        first++;
    for (uint32_t rank = 0; what && rank < test->options.rank_count; rank++) {
        const struct weft_host *one = host_of(job, test, first), *other = host_of(job, test, rank);
        if (!same_process(one, other))
            return weft_error_set(
                error, WEFT_INVALID,
                "test '%s': %s only connects ranks of one process; hosts %s and %s are two: name a "
                "driver and device that reach the other host (weft devices lists them)",
                test->name, what, one->name, other->name);
    }
    return WEFT_OK;
}

static enum weft_status check_pace(const struct weft_job *job, const struct weft_test *test,
                                   struct weft_error *error)
{
    enum weft_test_option_id id = test->congestion.control
                                      ? WEFT_TEST_CONGESTION
                                      : weft_test_option_needing(test, WEFT_NEEDS_PACING);
    if (id == WEFT_TEST_OPTION_COUNT)
        return WEFT_OK;
    for (uint32_t rank = 0; rank < test->options.rank_count; rank++) {
        const char *driver = weft_job_driver(job, test, rank);
        if (!weft_driver_find(driver)->paces)
            return weft_error_set(error, WEFT_INVALID,
                                  "test '%s': rank %u runs on driver %s, which does not support "
                                  "'%s': %s; use the dpdk driver, or leave it out",
                                  test->name, rank, driver, weft_test_option_table[id].key,
                                  strcmp(driver, "null") == 0
                                      ? "it sends no packets"
                                      : "an RDMA NIC has its own pacing and congestion control, "
                                        "set with its vendor's tools, and soft-RoCE has none");
        if (test->congestion.control && !test->congestion.line_rate_bps &&
            is_on_loopback(job, test, rank))
            return weft_error_set(error, WEFT_INVALID,
                                  "test '%s': DCQCN starts at the line rate, and loopback has "
                                  "none; give one: congestion: {control: dcqcn, line-rate: 10Gbps}",
                                  test->name);
    }
    return WEFT_OK;
}

static enum weft_status check_fault(const struct weft_job *job, const struct weft_test *test,
                                    struct weft_error *error)
{
    if (!weft_fault_is_on(&test->fault))
        return WEFT_OK;
    for (uint32_t rank = 0; rank < test->options.rank_count; rank++) {
        if (weft_driver_find(weft_job_driver(job, test, rank))->injects_faults)
            return WEFT_OK;
    }
    return weft_error_set(
        error, WEFT_INVALID,
        "test '%s': driver '%s' cannot inject faults, because it does not send the frames itself: "
        "use dpdk for at least one of the ranks, or leave the fault out",
        test->name, weft_job_driver(job, test, 0));
}

enum weft_status weft_job_check_drivers(const struct weft_job *job, const char *asked,
                                        struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; asked && status == WEFT_OK && i < job->plan->test_count; i++)
        status = check_asked(job, &job->plan->tests[i], asked, error);
    for (uint32_t i = 0; status == WEFT_OK && i < job->plan->test_count; i++)
        status = check_virtual(job, &job->plan->tests[i], error);
    for (uint32_t i = 0; status == WEFT_OK && i < job->plan->test_count; i++)
        status = check_wires(job, &job->plan->tests[i], error);
    for (uint32_t i = 0; status == WEFT_OK && i < job->plan->test_count; i++)
        status = check_pace(job, &job->plan->tests[i], error);
    for (uint32_t i = 0; status == WEFT_OK && i < job->plan->test_count; i++)
        status = check_fault(job, &job->plan->tests[i], error);
    return status;
}
