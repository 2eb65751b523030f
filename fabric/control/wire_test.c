/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/control/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/plan/congestion.h"

#define NAME_BYTES_MAX 256u
#define DEVICE_BYTES_MAX 1024u

/* ---- writing ---- */

static char empty[] = "";

static void write_ip(const struct weft_ip *address, struct weft_ip *copy, Weft__Ip *message,
                     Weft__Ip **ret_field)
{
    *copy = *address;
    weft__ip__init(message);
    message->address.data = copy->bytes;
    message->address.len = address->version == 4 ? 4 : 16;
    message->prefix_bits = address->prefix_bits;
    *ret_field = address->version ? message : NULL;
}

/* A NIC's message and what it points to. */
struct nic_out {
    Weft__Nic message;
    Weft__Ip address, gateway;
    struct weft_ip address_copy, gateway_copy;
};

static void write_nic(const struct weft_nic *nic, struct nic_out *out)
{
    weft__nic__init(&out->message);
    out->message.name = nic->name ? nic->name : empty;
    out->message.device = nic->device ? nic->device : empty;
    out->message.driver = nic->driver ? nic->driver : empty;
    out->message.rate_bps = nic->rate_bps;
    out->message.vlan_id = nic->vlan_id;
    out->message.vlan_priority = nic->vlan_priority;
    write_ip(&nic->address, &out->address_copy, &out->address, &out->message.address);
    write_ip(&nic->gateway, &out->gateway_copy, &out->gateway, &out->message.gateway);
}

static void write_congestion(const struct weft_congestion_options *options,
                             Weft__Congestion *message)
{
    weft__congestion__init(message);
    message->control = (Weft__CongestionControl)options->control;
#define WRITE_PARAMETER(field, key, unit, least, most) message->field = options->field;
    WEFT_CONGESTION_PARAMETERS(WRITE_PARAMETER)
#undef WRITE_PARAMETER
}

static void write_fault(const struct weft_fault_options *fault, Weft__Fault *message)
{
    weft__fault__init(message);
    message->drop = fault->drop;
    message->corrupt = fault->corrupt;
    message->duplicate = fault->duplicate;
    message->reorder = fault->reorder;
    message->delay = fault->delay;
    message->mark = fault->mark;
    message->delay_ns = fault->delay_ns;
    message->reorder_frames = fault->reorder_frames;
    message->seed = fault->seed;
}

/* A test's message and what it points to. */
struct test_out {
    Weft__Test message;
    Weft__Congestion congestion;
    Weft__Fault fault;
    char *pattern, *text_name;
    Weft__PatternOption options[WEFT_PATTERN_OPTION_COUNT];
    Weft__PatternOption *pointers[WEFT_PATTERN_OPTION_COUNT];
    char names[WEFT_PATTERN_OPTION_COUNT][NAME_BYTES_MAX];
};

static void write_options(const struct weft_pattern_options *options, struct test_out *out)
{
    size_t count = 0;
    for (uint32_t i = 0; i < WEFT_PATTERN_OPTION_COUNT; i++) {
        enum weft_pattern_option_id id = (enum weft_pattern_option_id)i;
        if (!weft_pattern_option_is_given(options, id))
            continue;
        Weft__PatternOption *option = &out->options[count];
        weft__pattern_option__init(option);
        (void)snprintf(out->names[count], NAME_BYTES_MAX, "%s", weft_pattern_option_table[i].name);
        option->name = out->names[count];
        option->value = weft_pattern_option_get(options, id);
        out->pointers[count++] = option;
    }
    out->message.pattern_options = out->pointers;
    out->message.n_pattern_options = count;
}

/* protobuf-c's messages hold pointers that it never writes through. */
static uint8_t *mutable_bytes(const char *bytes)
{
    union {
        const char *read;
        uint8_t *write;
    } pointer = {.read = bytes};
    return pointer.write;
}

/* protobuf-c's messages hold pointers that it never writes through. */
static uint32_t *mutable(const uint32_t *values)
{
    union {
        const uint32_t *read;
        uint32_t *write;
    } pointer = {.read = values};
    return pointer.write;
}

static void write_test(const struct weft_test *test, struct test_out *out)
{
    Weft__Test *message = &out->message;
    weft__test__init(message);
    write_options(&test->options, out);
    write_congestion(&test->congestion, &out->congestion);
    write_fault(&test->fault, &out->fault);
    message->text.data = mutable_bytes(test->options.text);
    message->text.len = test->options.text ? test->options.text_bytes : 0;
    message->text_name = out->text_name;
    message->name = test->name;
    message->pattern = out->pattern;
    message->rank_count = test->options.rank_count;
    message->ranks = mutable(test->ranks);
    message->n_ranks = test->ranks ? test->options.rank_count : 0;
    message->size_bytes = test->options.size_bytes;
    message->driver = test->driver ? test->driver : empty;
    message->transfer = (Weft__Transfer)test->transfer;
    message->mtu_bytes = test->mtu_bytes;
    message->dscp = test->dscp;
    message->iterations = test->iterations;
    message->duration_ns = test->duration_ns;
    message->warmup = test->warmup;
    message->depth = test->depth;
    message->in_flight = test->in_flight;
    message->interval_ns = test->interval_ns;
    message->reduce = test->reduce;
    message->trace = test->trace;
    message->verify = test->verify;
    message->pace_bps = test->pace_bps;
    message->rate_bps = test->rate_bps;
    message->arrivals = (Weft__Arrivals)test->arrivals;
    message->arrivals_seed = test->arrivals_seed;
    message->period_bytes = test->period_bytes;
    message->congestion = test->congestion.control ? &out->congestion : NULL;
    message->fault = weft_fault_is_on(&test->fault) ? &out->fault : NULL;
}

/* All parts' messages; NULL: out of memory. */
static struct test_out *write_tests(const struct weft_wire_prepare *prepare, Weft__Test **pointers)
{
    struct test_out *tests = calloc(prepare->part_count, sizeof(*tests));
    for (uint32_t i = 0; tests && i < prepare->part_count; i++) {
        const struct weft_test *test = prepare->parts[i];
        const char *text_name = test->options.text_name;
        tests[i].pattern = strdup(test->pattern->name);
        tests[i].text_name = strdup(text_name ? text_name : "");
        write_test(test, &tests[i]);
        pointers[i] = &tests[i].message;
    }
    return tests;
}

static bool tests_are_whole(const struct test_out *tests, uint32_t count)
{
    bool whole = tests != NULL;
    for (uint32_t i = 0; whole && i < count; i++)
        whole = tests[i].pattern && tests[i].text_name;
    return whole;
}

static void tests_fini(struct test_out *tests, uint32_t count)
{
    for (uint32_t i = 0; tests && i < count; i++) {
        free(tests[i].pattern);
        free(tests[i].text_name);
    }
    free(tests);
}

enum weft_status weft_wire_prepare_send(struct weft_wire *wire, uint32_t peer,
                                        const struct weft_wire_prepare *prepare,
                                        struct weft_error *error)
{
    enum weft_status status = WEFT_NO_MEMORY;
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Prepare message = WEFT__PREPARE__INIT;
    Weft__Test *parts[WEFT_JOBS_MAX];
    struct test_out *tests = write_tests(prepare, parts);
    struct nic_out *nics = calloc(prepare->nic_count + 1, sizeof(*nics));
    Weft__Nic **pointers = calloc(prepare->nic_count + 1, sizeof(Weft__Nic *));
    if (!tests_are_whole(tests, prepare->part_count) || !nics || !pointers) {
        (void)weft_error_set(error, status, "out of memory for the message 'prepare'");
        goto out;
    }
    for (uint32_t i = 0; i < prepare->nic_count; i++) {
        write_nic(prepare->nics[i], &nics[i]);
        pointers[i] = &nics[i].message;
    }
    message.parts = parts;
    message.n_parts = prepare->part_count;
    message.nics = pointers;
    message.n_nics = prepare->nic_count;
    message.local_ranks = mutable(prepare->local_ranks);
    message.n_local_ranks = prepare->local_count;
    message.rank_nics = mutable(prepare->rank_nics);
    message.n_rank_nics = prepare->local_count;
    message.seed = prepare->seed;
    message.plan_local_count = prepare->plan_local_count;
    message.plan_mtu_bytes = prepare->plan_mtu_bytes;
    envelope.body_case = WEFT__ENVELOPE__BODY_PREPARE;
    envelope.prepare = &message;
    status = weft_wire_send(wire, peer, &envelope, error);
out:
    free(pointers);
    free(nics);
    tests_fini(tests, prepare->part_count);
    return status;
}

/* ---- reading ---- */

static char *or_null(char *text)
{
    return *text ? text : NULL;
}

static enum weft_status read_ip(const char *field, const Weft__Ip *message, struct weft_ip *ret,
                                struct weft_error *error)
{
    *ret = (struct weft_ip){0};
    if (!message)
        return WEFT_OK;
    size_t len_bytes = message->address.len;
    if (len_bytes != 4 && len_bytes != 16)
        return weft_error_set(error, WEFT_INVALID, "%s has %zu bytes, not 4 or 16", field,
                              len_bytes);
    if (message->prefix_bits > 8 * len_bytes)
        return weft_error_set(error, WEFT_INVALID, "%s has a prefix of %u bits, more than %zu",
                              field, message->prefix_bits, 8 * len_bytes);
    ret->version = len_bytes == 4 ? 4 : 6;
    ret->prefix_bits = (uint8_t)message->prefix_bits;
    memcpy(ret->bytes, message->address.data, len_bytes);
    return WEFT_OK;
}

static enum weft_status read_nic(const Weft__Nic *message, struct weft_nic *nic,
                                 struct weft_error *error)
{
    enum weft_status status =
        weft_wire_text("prepare.nics.name", message->name, NAME_BYTES_MAX, error);
    if (!status)
        status = weft_wire_text("prepare.nics.device", message->device, DEVICE_BYTES_MAX, error);
    if (!status)
        status = weft_wire_text("prepare.nics.driver", message->driver, NAME_BYTES_MAX, error);
    if (!status)
        status = read_ip("prepare.nics.address", message->address, &nic->address, error);
    if (!status)
        status = read_ip("prepare.nics.gateway", message->gateway, &nic->gateway, error);
    if (!status)
        status = weft_wire_range("prepare.nics.vlan_id", message->vlan_id, 0, 4094, error);
    if (!status)
        status = weft_wire_range("prepare.nics.vlan_priority", message->vlan_priority, 0, 7, error);
    nic->name = message->name;
    nic->device = or_null(message->device);
    nic->driver = or_null(message->driver);
    nic->rate_bps = message->rate_bps;
    nic->vlan_id = (uint16_t)message->vlan_id;
    nic->vlan_priority = (uint8_t)message->vlan_priority;
    return status;
}

static enum weft_status read_fault(const Weft__Fault *message, struct weft_fault_options *ret_fault,
                                   struct weft_error *error)
{
    *ret_fault = (struct weft_fault_options){0};
    if (!message)
        return WEFT_OK;
    const double shares[] = {message->drop,    message->corrupt, message->duplicate,
                             message->reorder, message->delay,   message->mark};
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        if (!(shares[i] >= 0 && shares[i] <= 1))
            return weft_error_set(error, WEFT_INVALID,
                                  "prepare.test.fault has a share of %g, not 0 to 1", shares[i]);
    }
    *ret_fault = (struct weft_fault_options){
        .drop = message->drop,
        .corrupt = message->corrupt,
        .duplicate = message->duplicate,
        .reorder = message->reorder,
        .delay = message->delay,
        .mark = message->mark,
        .delay_ns = message->delay_ns,
        .reorder_frames = message->reorder_frames,
        .seed = message->seed,
    };
    return weft_wire_range("prepare.test.fault.delay_ns", message->delay_ns, 0, INT64_MAX / 2,
                           error);
}

static enum weft_status check_numbers(const Weft__Test *message, struct weft_error *error)
{
    const struct {
        const char *field;
        uint64_t value, low, high;
    } ranges[] = {
        {"prepare.test.rank_count", message->rank_count, 1, WEFT_RANKS_MAX},
        {"prepare.test.transfer", (uint64_t)message->transfer, 0, WEFT_TRANSFER_COUNT - 1},
        {"prepare.test.depth", message->depth, 0, WEFT_CHANNELS_MAX},
        {"prepare.test.in_flight", message->in_flight, 0, WEFT_IN_FLIGHT_MAX},
        {"prepare.test.mtu_bytes", message->mtu_bytes, 0, 4096},
        {"prepare.test.dscp", message->dscp, 0, 63},
        {"prepare.test.iterations", message->iterations, 0, INT64_MAX},
        {"prepare.test.duration_ns", message->duration_ns, 0, INT64_MAX},
        {"prepare.test.warmup", message->warmup, 0, INT64_MAX},
        {"prepare.test.interval_ns", message->interval_ns, 0, INT64_MAX},
        {"prepare.test.pace_bps", message->pace_bps, 0, INT64_MAX},
        {"prepare.test.rate_bps", message->rate_bps, 0, INT64_MAX},
        {"prepare.test.arrivals", (uint64_t)message->arrivals, 0, WEFT_ARRIVALS_KIND_COUNT - 1},
        {"prepare.test.period_bytes", message->period_bytes, 0, INT64_C(1) << 55},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        enum weft_status status =
            weft_wire_range(ranges[i].field, ranges[i].value, ranges[i].low, ranges[i].high, error);
        if (status)
            return status;
    }
    uint32_t mtu_bytes = message->mtu_bytes;
    if (mtu_bytes && (mtu_bytes < 256 || (mtu_bytes & (mtu_bytes - 1))))
        return weft_error_set(error, WEFT_INVALID,
                              "prepare.test.mtu_bytes is %u, not 256, 512, 1024, 2048 or 4096",
                              mtu_bytes);
    if (!message->iterations == !message->duration_ns)
        return weft_error_set(error, WEFT_INVALID,
                              "prepare.test must have iterations or duration_ns, one of them");
    return WEFT_OK;
}

static enum weft_status read_congestion(const Weft__Congestion *message,
                                        struct weft_congestion_options *ret,
                                        struct weft_error *error)
{
    *ret = (struct weft_congestion_options){0};
    if (!message)
        return WEFT_OK;
    enum weft_status status =
        weft_wire_range("prepare.test.congestion.control", (uint64_t)message->control, 0,
                        WEFT_CONGESTION_DCQCN, error);
    ret->control = (enum weft_congestion_control)message->control;
#define READ_PARAMETER(field, key, unit, least, most)                                             \
    if (!status)                                                                                  \
        status =                                                                                  \
            weft_wire_range("prepare.test.congestion." #field, message->field, 0, (most), error); \
    ret->field = message->field;
    WEFT_CONGESTION_PARAMETERS(READ_PARAMETER)
#undef READ_PARAMETER
    return status;
}

static enum weft_status read_options(const Weft__Test *message,
                                     struct weft_pattern_options *options, struct weft_error *error)
{
    for (size_t i = 0; i < message->n_pattern_options; i++) {
        const Weft__PatternOption *option = message->pattern_options[i];
        enum weft_status status = weft_wire_text("prepare.test.pattern_options.name", option->name,
                                                 NAME_BYTES_MAX, error);
        if (status)
            return status;
        enum weft_pattern_option_id id = weft_pattern_option_find(option->name);
        if (id == WEFT_PATTERN_OPTION_COUNT)
            return weft_error_set(error, WEFT_INVALID,
                                  "this agent knows no option '%s' of a pattern; run the same weft "
                                  "on all hosts",
                                  option->name);
        weft_pattern_option_set(options, id, option->value);
    }
    return WEFT_OK;
}

static enum weft_status read_test(const Weft__Test *message, struct weft_test *test,
                                  struct weft_error *error)
{
    enum weft_status status =
        weft_wire_text("prepare.test.name", message->name, NAME_BYTES_MAX, error);
    if (!status)
        status = weft_wire_text("prepare.test.pattern", message->pattern, NAME_BYTES_MAX, error);
    if (!status)
        status = weft_wire_text("prepare.test.driver", message->driver, NAME_BYTES_MAX, error);
    struct weft_congestion_options congestion;
    if (!status)
        status =
            weft_wire_text("prepare.test.text_name", message->text_name, NAME_BYTES_MAX, error);
    if (!status)
        status = check_numbers(message, error);
    if (!status)
        status = read_congestion(message->congestion, &congestion, error);
    if (status)
        return status;
    *test = (struct weft_test){
        .name = message->name,
        .pattern = weft_pattern_find(message->pattern, error),
        .options = {.rank_count = message->rank_count,
                    .size_bytes = message->size_bytes,
                    .text = message->text.len ? (const char *)message->text.data : NULL,
                    .text_bytes = message->text.len,
                    .text_name = or_null(message->text_name)},
        .ranks = message->n_ranks ? message->ranks : NULL,
        .driver = or_null(message->driver),
        .transfer = (enum weft_transfer)message->transfer,
        .mtu_bytes = message->mtu_bytes,
        .dscp = (uint8_t)message->dscp,
        .iterations = message->iterations,
        .duration_ns = message->duration_ns,
        .warmup = message->warmup,
        .depth = message->depth,
        .in_flight = message->in_flight,
        .interval_ns = message->interval_ns,
        .reduce = message->reduce,
        .trace = message->trace,
        .verify = message->verify,
        .pace_bps = message->pace_bps,
        .rate_bps = message->rate_bps,
        .arrivals = (enum weft_arrivals_kind)message->arrivals,
        .arrivals_seed = message->arrivals_seed,
        .period_bytes = message->period_bytes,
        .congestion = congestion,
    };
    if (!test->pattern)
        return WEFT_NOT_FOUND;
    if (message->n_ranks)
        status = weft_wire_range("prepare.test.ranks' count", message->n_ranks, message->rank_count,
                                 message->rank_count, error);
    if (status)
        return status;
    status = read_fault(message->fault, &test->fault, error);
    if (!status)
        status = read_options(message, &test->options, error);
    return status ? status : weft_pattern_check(test->pattern, &test->options, error);
}

static enum weft_status check_plan(const Weft__Prepare *message, struct weft_error *error)
{
    enum weft_status status = weft_wire_range("prepare.plan_local_count", message->plan_local_count,
                                              0, WEFT_RANKS_MAX, error);
    return status
               ? status
               : weft_wire_range("prepare.plan_mtu_bytes", message->plan_mtu_bytes, 0, 4096, error);
}

static enum weft_status check_rank_nics(const Weft__Prepare *message, struct weft_error *error)
{
    if (message->n_rank_nics != message->n_local_ranks)
        return weft_error_set(error, WEFT_INVALID,
                              "prepare.rank_nics has %zu entries where prepare.local_ranks has %zu",
                              message->n_rank_nics, message->n_local_ranks);
    for (size_t i = 0; i < message->n_local_ranks; i++) {
        if (message->rank_nics[i] >= message->n_nics)
            return weft_error_set(error, WEFT_INVALID,
                                  "prepare.rank_nics[%zu] is %u where there are %zu NICs", i,
                                  message->rank_nics[i], message->n_nics);
    }
    return WEFT_OK;
}

static enum weft_status read_nics(const Weft__Prepare *message, struct weft_nic *nics,
                                  struct weft_error *error)
{
    for (size_t i = 0; i < message->n_local_ranks; i++) {
        enum weft_status status = read_nic(message->nics[message->rank_nics[i]], &nics[i], error);
        if (status)
            return status;
    }
    return WEFT_OK;
}

static enum weft_status read_parts(const Weft__Prepare *message,
                                   struct weft_wire_prepared *prepared, struct weft_error *error)
{
    if (!message->n_parts)
        return weft_wire_missing("prepare.test", error);
    enum weft_status status =
        weft_wire_range("prepare.parts' count", message->n_parts, 1, WEFT_JOBS_MAX, error);
    for (size_t i = 0; i < message->n_parts && !status; i++)
        status = read_test(message->parts[i], &prepared->parts[i], error);
    return status;
}

enum weft_status weft_wire_prepare_read(const Weft__Prepare *message,
                                        struct weft_wire_prepared *ret_prepared,
                                        struct weft_error *error)
{
    struct weft_wire_prepared *prepared = ret_prepared;
    *prepared = (struct weft_wire_prepared){0};
    enum weft_status status = read_parts(message, prepared, error);
    if (status)
        return status;
    prepared->request = (struct weft_agent_test){
        .parts = prepared->parts,
        .part_count = (uint32_t)message->n_parts,
        .local_count = (uint32_t)message->n_local_ranks,
        .local_ranks = message->local_ranks,
        .seed = message->seed,
        .plan_local_count = message->plan_local_count,
        .plan_mtu_bytes = message->plan_mtu_bytes,
    };
    status = check_plan(message, error);
    if (status)
        return status;
    status = weft_wire_places_find(&prepared->request, &prepared->places, error);
    if (!status)
        status = check_rank_nics(message, error);
    if (!status) {
        prepared->nics = calloc(message->n_local_ranks, sizeof(*prepared->nics));
        status = prepared->nics ? read_nics(message, prepared->nics, error)
                                : weft_error_set(error, WEFT_NO_MEMORY,
                                                 "out of memory for the NICs of %zu ranks",
                                                 message->n_local_ranks);
    }
    if (status) {
        weft_wire_prepared_fini(prepared);
        return status;
    }
    prepared->request.nics = prepared->nics;
    prepared->request.local_parts = prepared->places;
    prepared->request.local_places = prepared->places + message->n_local_ranks;
    return WEFT_OK;
}

void weft_wire_prepared_fini(struct weft_wire_prepared *prepared)
{
    free(prepared->nics);
    free(prepared->places);
    prepared->nics = NULL;
    prepared->places = NULL;
}
