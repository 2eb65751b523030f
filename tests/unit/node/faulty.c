/* SPDX-License-Identifier: BSD-3-Clause */
#include "faulty.h"

#include "drivers/null/null.h"

struct faults faults;

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

static uint32_t post_send(struct weft_endpoint *endpoint, const struct weft_work *works,
                          uint32_t count)
{
    if (faults.refuse_send_of && ++sends % faults.refuse_send_of == 0)
        return 0;
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
    return taken;
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
    driver = weft_driver_null;
    driver.name = "faulty";
    driver.capabilities = capabilities;
    driver.post_send = post_send;
    driver.post_receive = post_receive;
    driver.cq_poll = cq_poll;
    driver.endpoint_state = endpoint_state;
    driver.endpoint_counters = endpoint_counters;
    return &driver;
}
