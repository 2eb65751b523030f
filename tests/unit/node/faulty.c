/* SPDX-License-Identifier: BSD-3-Clause */
#include "faulty.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/null/null.h"

struct faults faults;

#define HELD 4096u

/* A WRITE between post and completion. */
struct held {
    struct weft_cq *cq;
    uint64_t user, id;
    bool completed; /* by the null driver */
    const uint8_t *memory;
    uint32_t len_bytes;
    uint8_t copy[1024];
    uint32_t polls;
    bool used;
};

/* Whose completions are whose. */
struct known {
    const struct weft_endpoint *endpoint;
    struct weft_cq *cq;
    uint64_t user;
};

static struct held held[HELD];
static struct known known[HELD];
static struct weft_driver driver;
static uint32_t sends, receives, completed;

static void limit(uint32_t *value, uint32_t to)
{
    if (to)
        *value = to;
}

static void capabilities(const struct weft_device *device, struct weft_capabilities *ret)
{
    weft_driver_null.capabilities(device, ret);
    if (faults.max_message_bytes)
        ret->max_message_bytes = faults.max_message_bytes;
    if (faults.max_inline_bytes_plus_1)
        ret->max_inline_bytes = faults.max_inline_bytes_plus_1 - 1;
    limit(&ret->max_send_depth, faults.max_send_depth);
    limit(&ret->max_receive_depth, faults.max_receive_depth);
    limit(&ret->max_cq_depth, faults.max_cq_depth);
    limit(&ret->max_endpoints, faults.max_endpoints);
    ret->operations &= ~faults.lacks_operations;
}

/* Keeps what a device would still have to read. */
static void keep(const struct weft_endpoint *endpoint, const struct weft_work *work)
{
    uint32_t i = 0, who = 0;
    while (known[who].endpoint != endpoint)
        who++;
    while (held[i].used)
        i++;
    assert(i < HELD && work->len_bytes <= sizeof(held[i].copy));
    held[i] = (struct held){.used = true,
                            .cq = known[who].cq,
                            .user = known[who].user,
                            .id = work->id,
                            .memory = work->memory,
                            .len_bytes = work->len_bytes,
                            .polls = faults.hold_writes};
    memcpy(held[i].copy, work->memory, work->len_bytes);
}

/* The completion is known, and nobody told yet. */
static void hold(struct weft_cq *cq, const struct weft_completion *completion)
{
    for (uint32_t i = 0; i < HELD; i++) {
        if (!held[i].used || held[i].completed || held[i].cq != cq ||
            held[i].user != completion->user || held[i].id != completion->id)
            continue;
        held[i].completed = true;
        return;
    }
    abort(); /* a completion of a WRITE that was not posted */
}

static uint32_t release(struct weft_cq *cq, struct weft_completion *completions, uint32_t count)
{
    uint32_t taken = 0;
    for (uint32_t i = 0; i < HELD && taken < count; i++) {
        if (!held[i].completed || held[i].cq != cq || held[i].polls-- > 0)
            continue;
        assert(!memcmp(held[i].memory, held[i].copy, held[i].len_bytes));
        held[i].used = held[i].completed = false;
        completions[taken++] = (struct weft_completion){
            .id = held[i].id, .user = held[i].user, .operation = WEFT_OPERATION_WRITE};
    }
    return taken;
}

static uint32_t post_send(struct weft_endpoint *endpoint, const struct weft_work *works,
                          uint32_t count)
{
    if (faults.refuse_send_of && ++sends % faults.refuse_send_of == 0)
        return 0;
    for (uint32_t i = 0; faults.hold_writes && i < count; i++)
        if (works[i].operation == WEFT_OPERATION_WRITE)
            keep(endpoint, &works[i]);
    return weft_driver_null.post_send(endpoint, works, count);
}

static uint32_t post_receive(struct weft_endpoint *endpoint, const struct weft_work *works,
                             uint32_t count)
{
    if (faults.refuse_receive_of && ++receives % faults.refuse_receive_of == 0)
        return 0;
    return weft_driver_null.post_receive(endpoint, works, count);
}

static uint32_t cq_poll(struct weft_cq *cq, struct weft_completion *completions, uint32_t count)
{
    uint32_t taken = weft_driver_null.cq_poll(cq, completions, count);
    for (uint32_t i = 0; i < taken; i++) {
        if (completions[i].operation == WEFT_OPERATION_RECEIVE)
            completions[i].len_bytes += faults.longer_by;
        if (!faults.fail_at || completions[i].operation != faults.fail_operation ||
            ++completed != faults.fail_at)
            continue;
        completions[i].status = faults.fail_status;
        completions[i].vendor_error = faults.vendor_error;
    }
    if (!faults.hold_writes)
        return taken;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < taken; i++) {
        if (completions[i].operation == WEFT_OPERATION_WRITE)
            hold(cq, &completions[i]);
        else
            completions[kept++] = completions[i];
    }
    return kept + release(cq, completions + kept, count - kept);
}

static enum weft_status endpoint_create(struct weft_device *device,
                                        const struct weft_endpoint_options *options,
                                        struct weft_endpoint **ret_endpoint,
                                        struct weft_error *error)
{
    enum weft_status status =
        weft_driver_null.endpoint_create(device, options, ret_endpoint, error);
    uint32_t i = 0;
    while (known[i].endpoint && known[i].endpoint != *ret_endpoint)
        i++;
    known[i] = (struct known){.endpoint = *ret_endpoint, .cq = options->cq, .user = options->user};
    return status;
}

static enum weft_endpoint_state endpoint_state(const struct weft_endpoint *endpoint,
                                               struct weft_error *error)
{
    if (!faults.endpoint_failure)
        return weft_driver_null.endpoint_state(endpoint, error);
    (void)weft_error_set(error, WEFT_TIMEOUT, "%s", faults.endpoint_failure);
    return WEFT_ENDPOINT_FAILED;
}

static const struct weft_endpoint_counters *endpoint_counters(const struct weft_endpoint *endpoint)
{
    static const struct weft_endpoint_counters nothing;
    return faults.counts_nothing ? &nothing : weft_driver_null.endpoint_counters(endpoint);
}

const struct weft_driver *faulty(void)
{
    memset(held, 0, sizeof(held));
    memset(known, 0, sizeof(known));
    driver = weft_driver_null;
    driver.name = "faulty";
    driver.capabilities = capabilities;
    driver.post_send = post_send;
    driver.post_receive = post_receive;
    driver.cq_poll = cq_poll;
    driver.endpoint_create = endpoint_create;
    driver.endpoint_state = endpoint_state;
    driver.endpoint_counters = endpoint_counters;
    return &driver;
}
