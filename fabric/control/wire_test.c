/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/control/wire.h"

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
    out->message.index = nic->index;
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

/* Options that have a value, of a table with at most so many. */
#define OPTIONS_MAX 64u
_Static_assert(WEFT_TEST_OPTION_COUNT <= OPTIONS_MAX, "a message has room for each");
_Static_assert(WEFT_PATTERN_OPTION_COUNT <= OPTIONS_MAX, "a message has room for each");
struct options_out {
    size_t count;
    Weft__Option items[OPTIONS_MAX];
    Weft__Option *pointers[OPTIONS_MAX];
};

/* A test's message and what it points to. */
struct test_out {
    Weft__Test message;
    Weft__Congestion congestion;
    Weft__Fault fault;
    char *pattern, *text_name;
    struct options_out options, pattern_options;
};

/* protobuf-c's messages hold pointers that it never writes through. */
static char *mutable_text(const char *text)
{
    union {
        const char *read;
        char *write;
    } pointer = {.read = text};
    return pointer.write;
}

static void add_option(struct options_out *out, const char *name, uint64_t value)
{
    Weft__Option *option = &out->items[out->count];
    weft__option__init(option);
    option->name = mutable_text(name);
    option->value = value;
    out->pointers[out->count++] = option;
}

static void write_pattern_options(const struct weft_pattern_options *options, struct test_out *out)
{
    for (uint32_t i = 0; i < WEFT_PATTERN_OPTION_COUNT; i++) {
        enum weft_pattern_option_id id = (enum weft_pattern_option_id)i;
        if (weft_pattern_option_is_given(options, id))
            add_option(&out->pattern_options, weft_pattern_option_table[i].name,
                       weft_pattern_option_get(options, id));
    }
    out->message.pattern_options = out->pattern_options.pointers;
    out->message.n_pattern_options = out->pattern_options.count;
}

/* Defaults were filled in where the plan was read: what is 0 and was not said is absent. */
static void write_options(const struct weft_test *test, struct test_out *out)
{
    for (uint32_t i = 0; i < WEFT_TEST_OPTION_COUNT; i++) {
        enum weft_test_option_id id = (enum weft_test_option_id)i;
        if (weft_test_option_is_number(id) &&
            (weft_test_option_is_given(test, id) || weft_test_option_get(test, id)))
            add_option(&out->options, weft_test_option_table[i].key,
                       weft_test_option_get(test, id));
    }
    out->message.options = out->options.pointers;
    out->message.n_options = out->options.count;
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
    write_options(test, out);
    write_pattern_options(&test->options, out);
    write_congestion(&test->congestion, &out->congestion);
    write_fault(&test->fault, &out->fault);
    message->text.data = (uint8_t *)mutable_text(test->options.text);
    message->text.len = test->options.text ? test->options.text_bytes : 0;
    message->text_name = out->text_name;
    message->name = test->name;
    message->pattern = out->pattern;
    message->ranks = mutable(test->ranks);
    message->n_ranks = test->ranks ? test->options.rank_count : 0;
    message->driver = test->driver ? test->driver : empty;
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
    nic->index = message->index;
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

static enum weft_status unknown_option(const char *of, const char *name, struct weft_error *error)
{
    return weft_error_set(error, WEFT_INVALID,
                          "this agent knows no option '%s' of a %s; run the same weft on all hosts",
                          name, of);
}

/* Whether the pattern takes them is asked once all are there. */
static enum weft_status read_pattern_options(const Weft__Test *message,
                                             struct weft_pattern_options *options,
                                             struct weft_error *error)
{
    for (size_t i = 0; i < message->n_pattern_options; i++) {
        const Weft__Option *option = message->pattern_options[i];
        enum weft_status status = weft_wire_text("prepare.test.pattern_options.name", option->name,
                                                 NAME_BYTES_MAX, error);
        if (status)
            return status;
        enum weft_pattern_option_id id = weft_pattern_option_find(option->name);
        if (id == WEFT_PATTERN_OPTION_COUNT)
            return unknown_option("pattern", option->name, error);
        weft_pattern_option_set(options, id, option->value);
    }
    return WEFT_OK;
}

static enum weft_status read_option(const Weft__Option *option, struct weft_test *test,
                                    struct weft_error *error)
{
    enum weft_status status =
        weft_wire_text("prepare.test.options.name", option->name, NAME_BYTES_MAX, error);
    if (status)
        return status;
    enum weft_test_option_id id = weft_test_option_find(option->name);
    if (id == WEFT_TEST_OPTION_COUNT || !weft_test_option_is_number(id))
        return unknown_option("test", option->name, error);
    enum weft_test_option_id other = weft_test_option_table[id].instead_of;
    if (weft_test_option_is_given(test, id))
        return weft_error_set(error, WEFT_INVALID, "prepare.test has '%s' a second time",
                              weft_test_option_table[id].key);
    if (other && weft_test_option_is_given(test, other))
        return weft_error_set(error, WEFT_INVALID,
                              "prepare.test has '%s' and '%s', not one of them",
                              weft_test_option_table[other].key, weft_test_option_table[id].key);
    if (weft_test_option_check(id, option->value, error) != WEFT_OK)
        return weft_error_prefix(error, "prepare.test: ");
    weft_test_option_set(test, id, option->value);
    return WEFT_OK;
}

/* What is not there is 0, as it is where nothing was said. */
static enum weft_status read_options(const Weft__Test *message, struct weft_test *test,
                                     struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    for (size_t i = 0; i < message->n_options && !status; i++)
        status = read_option(message->options[i], test, error);
    if (!status && !test->iterations && !test->duration_ns)
        status = weft_error_set(error, WEFT_INVALID,
                                "prepare.test has neither 'iterations' nor 'duration'");
    return status;
}

static enum weft_status read_texts(const Weft__Test *message, struct weft_error *error)
{
    enum weft_status status =
        weft_wire_text("prepare.test.name", message->name, NAME_BYTES_MAX, error);
    if (!status)
        status = weft_wire_text("prepare.test.pattern", message->pattern, NAME_BYTES_MAX, error);
    if (!status)
        status = weft_wire_text("prepare.test.driver", message->driver, NAME_BYTES_MAX, error);
    return status ? status
                  : weft_wire_text("prepare.test.text_name", message->text_name, NAME_BYTES_MAX,
                                   error);
}

static enum weft_status read_test(const Weft__Test *message, struct weft_test *test,
                                  struct weft_error *error)
{
    enum weft_status status = read_texts(message, error);
    if (!status)
        status = weft_wire_range("prepare.test.period_bytes", message->period_bytes, 0,
                                 INT64_C(1) << 55, error);
    if (status)
        return status;
    *test = (struct weft_test){
        .name = message->name,
        .pattern = weft_pattern_find(message->pattern, error),
        .options = {.text = message->text.len ? (const char *)message->text.data : NULL,
                    .text_bytes = message->text.len,
                    .text_name = or_null(message->text_name)},
        .ranks = message->n_ranks ? message->ranks : NULL,
        .driver = or_null(message->driver),
        .arrivals_seed = message->arrivals_seed,
        .period_bytes = message->period_bytes,
    };
    if (!test->pattern)
        return WEFT_NOT_FOUND;
    status = read_options(message, test, error);
    if (!status && message->n_ranks)
        status = weft_wire_range("prepare.test.ranks' count", message->n_ranks,
                                 test->options.rank_count, test->options.rank_count, error);
    if (!status)
        status = read_congestion(message->congestion, &test->congestion, error);
    if (!status)
        status = read_fault(message->fault, &test->fault, error);
    if (!status)
        status = read_pattern_options(message, &test->options, error);
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
