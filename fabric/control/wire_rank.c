/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/control/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define RATE_MAX 1e18 /* bits a second */
/* Sums over all ranks stay within 64 bits. */
#define COUNT_MAX (UINT64_C(1) << 47)

/* ---- writing ---- */

static uint32_t buckets_used(const struct weft_hist *hist)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < WEFT_HIST_BUCKETS; i++)
        used += hist->buckets[i] > 0;
    return used;
}

static void write_buckets(const struct weft_hist *hist, Weft__Histogram *message)
{
    uint32_t skip = 0;
    for (uint32_t i = 0; i < WEFT_HIST_BUCKETS; i++, skip++) {
        if (!hist->buckets[i])
            continue;
        message->skips[message->n_skips++] = skip;
        message->counts[message->n_counts++] = hist->buckets[i];
        skip = UINT32_MAX; /* the loop's step makes it 0 */
    }
}

static void hist_fini(Weft__Histogram *message)
{
    free(message->skips);
    free(message->counts);
}

static enum weft_status write_hist(const struct weft_hist *hist, Weft__Histogram *message,
                                   struct weft_error *error)
{
    uint32_t used = buckets_used(hist);
    weft__histogram__init(message);
    message->skips = calloc(used + 1u, sizeof(*message->skips));
    message->counts = calloc(used + 1u, sizeof(*message->counts));
    if (!message->skips || !message->counts)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a histogram of %u buckets",
                              used);
    message->count = hist->count;
    message->min = hist->count ? hist->min : 0;
    message->max = hist->max;
    message->sum_high = (uint64_t)(hist->sum >> 64);
    message->sum_low = (uint64_t)hist->sum;
    write_buckets(hist, message);
    return WEFT_OK;
}

static void write_counters(const struct weft_device_counters *counters,
                           Weft__DeviceCounters *message)
{
    weft__device_counters__init(message);
#define WRITE_COUNTER(name) message->name = counters->name;
    WEFT_DEVICE_COUNTERS(WRITE_COUNTER)
#undef WRITE_COUNTER
    message->counted = counters->counted;
}

static void write_verified(const struct weft_verify_result *verified, Weft__Verified *message)
{
    weft__verified__init(message);
    message->compared_bytes = verified->compared_bytes;
    message->wrong_bytes = verified->wrong_bytes;
    message->first_wrong_offset_bytes = verified->first_wrong_offset_bytes;
    message->expected = verified->expected;
    message->found = verified->found;
}

/* The message and all that it points to. */
struct rank_out {
    struct weft_rank_result copy;
    Weft__RankResult message;
    Weft__Verified verified;
    Weft__Histogram latency_ns, bandwidth_bps;
    Weft__DeviceCounters counters;
    Weft__FlowRates rates;
    Weft__FlowSpread spread;
    Weft__OpenLoop open_loop;
    Weft__Histogram latency_intended_ns;
};

static void write_spread(const struct weft_flow_spread *spread, Weft__FlowSpread *message)
{
    weft__flow_spread__init(message);
    message->flows = spread->flows;
    message->worst_from = spread->worst_from;
    message->worst_bps = spread->worst_bps;
    message->sum_bps = spread->sum_bps;
    message->squares = spread->squares;
}

static void write_rates(const struct weft_flow_rates *rates, Weft__FlowRates *message)
{
    weft__flow_rates__init(message);
    message->flows = rates->flows;
    message->slowest_bps = rates->slowest_bps;
    message->fastest_bps = rates->fastest_bps;
    message->lowest_bps = rates->lowest_bps;
}

static void write_open_loop(const struct weft_rank_open_loop *open_loop, struct rank_out *out)
{
    Weft__OpenLoop *message = &out->open_loop;
    weft__open_loop__init(message);
    message->latency_intended_ns = &out->latency_intended_ns;
    message->missed = open_loop->missed;
    message->offered_ns = open_loop->offered_ns;
    message->achieved_ns = open_loop->achieved_ns;
    out->message.open_loop = open_loop->paced ? message : NULL;
}

static void write_rank(const struct weft_rank_result *rank, struct rank_out *out)
{
    out->copy = *rank;
    weft_wire_text_clean(out->copy.driver);
    weft_wire_text_clean(out->copy.device);
    write_verified(&rank->verified, &out->verified);
    write_counters(&rank->counters, &out->counters);
    write_rates(&rank->rates, &out->rates);
    write_spread(&rank->spread, &out->spread);
    Weft__RankResult *message = &out->message;
    weft__rank_result__init(message);
    message->rank = rank->rank;
    message->driver = out->copy.driver;
    message->device = out->copy.device;
    message->verified = rank->verified_known ? &out->verified : NULL;
    message->latency_ns = &out->latency_ns;
    message->bandwidth_bps = &out->bandwidth_bps;
    message->sent_messages = rank->sent_messages;
    message->sent_bytes = rank->sent_bytes;
    message->received_messages = rank->received_messages;
    message->received_bytes = rank->received_bytes;
    message->iterations = rank->iterations;
    message->stalled_iterations = rank->stalled_iterations;
    message->window_ns = rank->window_ns;
    message->preemptions = rank->preemptions;
    message->preempted_ns = rank->preempted_ns;
    message->worker = rank->worker == WEFT_WORKER_NONE ? 0 : rank->worker + 1;
    message->in_process = rank->in_process;
    message->polled = rank->polled;
    message->counters = &out->counters;
    message->rates = rank->rates.flows ? &out->rates : NULL;
    message->spread = rank->spread.flows ? &out->spread : NULL;
    write_open_loop(&rank->open_loop, out);
}

enum weft_status weft_wire_rank_send(struct weft_wire *wire, const struct weft_rank_result *rank,
                                     struct weft_error *error)
{
    struct rank_out out = {0};
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    write_rank(rank, &out);
    enum weft_status status = write_hist(rank->latency_ns, &out.latency_ns, error);
    if (!status)
        status = write_hist(rank->bandwidth_bps, &out.bandwidth_bps, error);
    if (!status && rank->open_loop.paced)
        status = write_hist(rank->open_loop.latency_intended_ns, &out.latency_intended_ns, error);
    if (!status) {
        envelope.body_case = WEFT__ENVELOPE__BODY_RANK_RESULT;
        envelope.rank_result = &out.message;
        status = weft_wire_send(wire, 0, &envelope, error);
    }
    hist_fini(&out.latency_ns);
    hist_fini(&out.bandwidth_bps);
    hist_fini(&out.latency_intended_ns);
    return status;
}

/* ---- reading ---- */

static enum weft_status read_buckets(const char *field, const Weft__Histogram *message,
                                     struct weft_hist *hist, struct weft_error *error)
{
    uint64_t next = 0;
    if (message->n_skips != message->n_counts)
        return weft_error_set(error, WEFT_INVALID, "%s has %zu skips and %zu counts", field,
                              message->n_skips, message->n_counts);
    for (size_t i = 0; i < message->n_counts; i++) {
        next += message->skips[i];
        if (next >= WEFT_HIST_BUCKETS)
            return weft_error_set(error, WEFT_INVALID,
                                  "%s.skips[%zu] leads to bucket %" PRIu64 " of %u", field, i, next,
                                  WEFT_HIST_BUCKETS);
        if (!message->counts[i] ||
            __builtin_add_overflow(hist->count, message->counts[i], &hist->count))
            return weft_error_set(error, WEFT_INVALID, "%s.counts[%zu] is %" PRIu64, field, i,
                                  message->counts[i]);
        hist->buckets[next++] = message->counts[i];
    }
    return WEFT_OK;
}

static enum weft_status disagree(const char *field, const char *what, struct weft_error *error)
{
    return weft_error_set(error, WEFT_INVALID, "%s.%s disagrees with its buckets", field, what);
}

/* The first and the last bucket that hold something must be those of the minimum and maximum, and
 * the sum must be possible. */
static enum weft_status check_hist(const char *field, const Weft__Histogram *message,
                                   const struct weft_hist *hist, struct weft_error *error)
{
    weft_u128 sum = (weft_u128)message->sum_high << 64 | message->sum_low;
    if (message->count != hist->count || message->count > COUNT_MAX)
        return disagree(field, "count", error);
    if (!hist->count)
        return message->min || message->max || sum ? disagree(field, "count", error) : WEFT_OK;
    uint32_t first = 0;
    uint32_t last = WEFT_HIST_BUCKETS - 1;
    while (!hist->buckets[first])
        first++;
    while (!hist->buckets[last])
        last--;
    if (message->min > message->max || weft_hist_index(message->min) != first)
        return disagree(field, "min", error);
    if (weft_hist_index(message->max) != last)
        return disagree(field, "max", error);
    if (sum < (weft_u128)hist->count * message->min || sum > (weft_u128)hist->count * message->max)
        return disagree(field, "sum", error);
    return WEFT_OK;
}

static enum weft_status read_hist(const char *field, const Weft__Histogram *message,
                                  struct weft_hist **ret_hist, struct weft_error *error)
{
    if (!message)
        return weft_wire_missing(field, error);
    struct weft_hist *hist = weft_hist_create();
    if (!hist)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for %s", field);
    enum weft_status status = read_buckets(field, message, hist, error);
    if (!status)
        status = check_hist(field, message, hist, error);
    if (status) {
        weft_hist_destroy(hist);
        return status;
    }
    if (hist->count)
        hist->min = message->min;
    hist->max = message->max;
    hist->sum = (weft_u128)message->sum_high << 64 | message->sum_low;
    *ret_hist = hist;
    return WEFT_OK;
}

static void read_counters(const Weft__DeviceCounters *message, struct weft_device_counters *ret)
{
#define READ_COUNTER(name) ret->name = message->name;
    WEFT_DEVICE_COUNTERS(READ_COUNTER)
#undef READ_COUNTER
    ret->counted = message->counted & WEFT_COUNTED_ALL;
}

static enum weft_status read_verified(const Weft__Verified *message, struct weft_rank_result *rank,
                                      struct weft_error *error)
{
    if (!message)
        return WEFT_OK;
    rank->verified_known = true;
    rank->verified = (struct weft_verify_result){
        .compared_bytes = message->compared_bytes,
        .wrong_bytes = message->wrong_bytes,
        .first_wrong_offset_bytes = message->first_wrong_offset_bytes,
        .expected = message->expected,
        .found = message->found,
    };
    return weft_wire_range("rank_result.verified.wrong_bytes", message->wrong_bytes, 0,
                           message->compared_bytes, error);
}

/* What is no number of this world is as if it were not there. */
static void read_spread(const Weft__FlowSpread *message, struct weft_flow_spread *ret_spread)
{
    if (!message || !(message->worst_bps >= 0 && message->worst_bps <= RATE_MAX) ||
        !(message->sum_bps >= 0 && message->sum_bps <= RATE_MAX * message->flows) ||
        !(message->squares >= 0 && message->squares <= RATE_MAX * RATE_MAX * message->flows))
        return;
    *ret_spread = (struct weft_flow_spread){.flows = message->flows,
                                            .worst_from = message->worst_from,
                                            .worst_bps = message->worst_bps,
                                            .sum_bps = message->sum_bps,
                                            .squares = message->squares};
}

static void read_numbers(const Weft__RankResult *message, struct weft_rank_result *rank)
{
    rank->rank = message->rank;
    rank->sent_messages = message->sent_messages;
    rank->sent_bytes = message->sent_bytes;
    rank->received_messages = message->received_messages;
    rank->received_bytes = message->received_bytes;
    rank->iterations = message->iterations;
    rank->stalled_iterations = message->stalled_iterations;
    rank->window_ns = message->window_ns;
    rank->preemptions = message->preemptions;
    rank->preempted_ns = message->preempted_ns;
    rank->worker = message->worker ? message->worker - 1 : WEFT_WORKER_NONE;
    rank->in_process = message->in_process;
    rank->polled = message->polled;
    read_counters(message->counters, &rank->counters);
    read_spread(message->spread, &rank->spread);
    const Weft__FlowRates *rates = message->rates;
    if (rates)
        rank->rates = (struct weft_flow_rates){.flows = rates->flows,
                                               .slowest_bps = rates->slowest_bps,
                                               .fastest_bps = rates->fastest_bps,
                                               .lowest_bps = rates->lowest_bps};
}

static enum weft_status read_open_loop(const Weft__OpenLoop *message,
                                       struct weft_rank_open_loop *ret, struct weft_error *error)
{
    if (!message)
        return WEFT_OK;
    enum weft_status status =
        weft_wire_range("rank_result.open_loop.achieved_ns", message->achieved_ns,
                        message->offered_ns, INT64_MAX, error);
    if (!status)
        status = read_hist("rank_result.open_loop.latency_intended_ns",
                           message->latency_intended_ns, &ret->latency_intended_ns, error);
    ret->paced = true;
    ret->missed = message->missed;
    ret->offered_ns = message->offered_ns;
    ret->achieved_ns = message->achieved_ns;
    return status;
}

enum weft_status weft_wire_rank_read(const Weft__RankResult *message,
                                     struct weft_rank_result *ret_rank, struct weft_error *error)
{
    struct weft_rank_result rank = {.reported = true};
    if (!message->counters)
        return weft_wire_missing("rank_result.counters", error);
    enum weft_status status = weft_wire_copy("rank_result.driver", message->driver, rank.driver,
                                             sizeof(rank.driver), error);
    if (!status)
        status = weft_wire_copy("rank_result.device", message->device, rank.device,
                                sizeof(rank.device), error);
    if (!status)
        status = read_verified(message->verified, &rank, error);
    if (!status)
        status = read_hist("rank_result.latency_ns", message->latency_ns, &rank.latency_ns, error);
    if (!status)
        status = read_hist("rank_result.bandwidth_bps", message->bandwidth_bps, &rank.bandwidth_bps,
                           error);
    if (!status)
        status = read_open_loop(message->open_loop, &rank.open_loop, error);
    if (status) {
        weft_hist_destroy(rank.latency_ns);
        weft_hist_destroy(rank.bandwidth_bps);
        return status;
    }
    read_numbers(message, &rank);
    *ret_rank = rank;
    return WEFT_OK;
}
