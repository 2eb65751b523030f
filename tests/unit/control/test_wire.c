/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages there and back, and messages that no peer of ours would send. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/control/wire.h"
#include "fabric/plan/congestion.h"

static uint8_t frame[1u << 20];
static size_t frame_bytes;
static struct weft_wire wire;
static struct weft_error error;

static void keep(void *context, uint32_t peer, const uint8_t *bytes, size_t len_bytes)
{
    (void)context;
    (void)peer;
    cr_assert_leq(len_bytes, sizeof(frame));
    memcpy(frame, bytes, len_bytes);
    frame_bytes = len_bytes;
}

static void setup(void)
{
    wire = (struct weft_wire){.output = {keep, NULL}};
    error = (struct weft_error){0};
}

static void teardown(void)
{
    weft_wire_fini(&wire);
}

TestSuite(wire, .init = setup, .fini = teardown);

static Weft__Envelope *reopen(void)
{
    Weft__Envelope *envelope = NULL;
    size_t announced =
        (size_t)frame[0] << 24 | (size_t)frame[1] << 16 | (size_t)frame[2] << 8 | (size_t)frame[3];
    cr_assert_eq(announced + 4, frame_bytes);
    cr_assert_eq(weft_wire_open(frame + 4, frame_bytes - 4, &envelope, &error), WEFT_OK, "%s",
                 error.text);
    return envelope;
}

/* Through the bytes, as a peer would see it. */
static Weft__Envelope *transfer(const Weft__Envelope *envelope)
{
    cr_assert_eq(weft_wire_send(&wire, 0, envelope, &error), WEFT_OK);
    return reopen();
}

static void error_has(const char *words)
{
    cr_assert_not_null(strstr(error.text, words), "no '%s' in '%s'", words, error.text);
}

/* ---- prepare ---- */

static char name[] = "a test", driver[] = "verbs", device_a[] = "mlx5_0", device_b[] = "mlx5_1",
            nic_name[] = "nic";

static struct weft_test whole_test(void)
{
    return (struct weft_test){
        .name = name,
        .pattern = weft_pattern_find("all-reduce", NULL),
        .options = {.rank_count = 8, .size_bytes = 1u << 20, .chunk_bytes = 4096},
        .driver = driver,
        .transfer = WEFT_TRANSFER_SEND,
        .mtu_bytes = 1024,
        .dscp = 63,
        .iterations = 1000,
        .warmup = 7,
        .depth = 9,
        .in_flight = 77,
        .interval_ns = 12345,
        .reduce = true,
        .verify = true,
        .pace_bps = 123456789,
        .rate_bps = 2000000001,
        .arrivals = WEFT_ARRIVALS_POISSON,
        .arrivals_seed = UINT64_MAX,
        .period_bytes = 77,
        .congestion = {.control = WEFT_CONGESTION_DCQCN,
                       .line_rate_bps = 1000001,
                       .minimum_rate_bps = 1000002,
                       .additive_rate_bps = 1000003,
                       .hyper_rate_bps = 1000004,
                       .alpha_period_ns = 1000005,
                       .decrease_period_ns = 1000006,
                       .increase_period_ns = 1000007,
                       .increase_bytes = 1000008,
                       .fast_recovery_steps = 9,
                       .alpha_shift = 10,
                       .cnp_period_ns = 1000011},
        .fault = {.drop = 0.1,
                  .corrupt = 0.2,
                  .duplicate = 0.3,
                  .reorder = 0.4,
                  .delay = 0.5,
                  .mark = 0.6,
                  .delay_ns = 7,
                  .reorder_frames = 8,
                  .seed = UINT64_MAX},
    };
}

static void send_prepare(const struct weft_test *test)
{
    static const uint32_t ranks[] = {1, 3, 7}, rank_nics[] = {1, 0, 1};
    static const struct weft_nic nic_a = {
        .name = nic_name,
        .device = device_a,
        .driver = driver,
        .address = {.version = 4, .prefix_bits = 24, .bytes = {198, 18, 0, 1}},
        .vlan_id = 4094,
        .vlan_priority = 7,
        .rate_bps = 100};
    static const struct weft_nic nic_b = {
        .name = nic_name,
        .device = device_b,
        .address = {.version = 6, .prefix_bits = 64, .bytes = {0x20, 1, [15] = 9}},
        .gateway = {.version = 6, .prefix_bits = 128, .bytes = {0x20, 1, [15] = 1}}};
    static const struct weft_nic *const nics[] = {&nic_a, &nic_b};
    const struct weft_wire_prepare prepare = {.parts = {test},
                                              .part_count = 1,
                                              .local_count = 3,
                                              .nic_count = 2,
                                              .local_ranks = ranks,
                                              .rank_nics = rank_nics,
                                              .nics = nics,
                                              .seed = UINT64_MAX,
                                              .plan_local_count = 33,
                                              .plan_mtu_bytes = 2048};
    cr_assert_eq(weft_wire_prepare_send(&wire, 0, &prepare, &error), WEFT_OK, "%s", error.text);
}

Test(wire, prepare_comes_through_whole)
{
    struct weft_test sent = whole_test();
    struct weft_wire_prepared got;
    send_prepare(&sent);
    Weft__Envelope *envelope = reopen();
    cr_assert_eq(envelope->body_case, WEFT__ENVELOPE__BODY_PREPARE);
    cr_assert_eq(weft_wire_prepare_read(envelope->prepare, &got, &error), WEFT_OK, "%s",
                 error.text);
    const struct weft_test *test = got.request.parts;
    cr_assert_str_eq(test->name, name);
    cr_assert_str_eq(test->driver, driver);
    cr_assert_eq(test->pattern, sent.pattern);
    cr_assert_eq(test->options.rank_count, 8);
    cr_assert_eq(test->options.size_bytes, 1u << 20);
    cr_assert_eq(test->options.chunk_bytes, 4096);
    cr_assert_eq(test->transfer, WEFT_TRANSFER_SEND);
    cr_assert_eq(test->mtu_bytes, 1024);
    cr_assert_eq(test->dscp, 63);
    cr_assert_eq(test->iterations, 1000);
    cr_assert_eq(test->duration_ns, 0);
    cr_assert_eq(test->warmup, 7);
    cr_assert_eq(test->depth, 9);
    cr_assert_eq(test->in_flight, 77);
    cr_assert_eq(test->interval_ns, 12345);
    cr_assert(test->reduce && test->verify);
    cr_assert_eq(test->pace_bps, 123456789);
    cr_assert_eq(test->rate_bps, 2000000001);
    cr_assert_eq(test->arrivals, WEFT_ARRIVALS_POISSON);
    cr_assert_eq(test->arrivals_seed, UINT64_MAX);
    cr_assert_eq(test->period_bytes, 77);
    cr_assert_eq(test->congestion.control, WEFT_CONGESTION_DCQCN);
#define SAME_PARAMETER(field, key, unit, least, most) \
    cr_assert_eq(test->congestion.field, sent.congestion.field);
    WEFT_CONGESTION_PARAMETERS(SAME_PARAMETER)
#undef SAME_PARAMETER
    cr_assert_eq(got.request.seed, UINT64_MAX);
    cr_assert_eq(got.request.plan_local_count, 33);
    cr_assert_eq(got.request.plan_mtu_bytes, 2048);
    cr_assert_eq(got.request.local_count, 3);
    cr_assert_eq(got.request.local_ranks[2], 7);
    const struct weft_nic *nics = got.request.nics;
    cr_assert_str_eq(nics[0].device, device_b);
    cr_assert_str_eq(nics[1].device, device_a);
    cr_assert_str_eq(nics[2].device, device_b);
    cr_assert_null(nics[0].driver);
    cr_assert_str_eq(nics[1].driver, driver);
    cr_assert_eq(nics[1].address.version, 4);
    cr_assert_eq(nics[1].address.prefix_bits, 24);
    cr_assert_eq(nics[1].address.bytes[1], 18);
    cr_assert_eq(nics[1].gateway.version, 0);
    cr_assert_eq(nics[1].rate_bps, 100);
    cr_assert_eq(nics[0].address.version, 6);
    cr_assert_eq(nics[0].address.bytes[15], 9);
    cr_assert_eq(nics[0].gateway.prefix_bits, 128);
    const struct weft_fault_options *fault = &got.parts[0].fault;
    const double shares[] = {fault->drop,    fault->corrupt, fault->duplicate,
                             fault->reorder, fault->delay,   fault->mark};
    const double said[] = {sent.fault.drop,    sent.fault.corrupt, sent.fault.duplicate,
                           sent.fault.reorder, sent.fault.delay,   sent.fault.mark};
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
        cr_assert_float_eq(shares[i], said[i], 0.0);
    cr_assert_eq(fault->delay_ns, sent.fault.delay_ns);
    cr_assert_eq(fault->reorder_frames, sent.fault.reorder_frames);
    cr_assert_eq(fault->seed, sent.fault.seed);
    weft_wire_prepared_fini(&got);
    weft_wire_close(envelope);
}

static Weft__Option *option_of(const Weft__Prepare *prepare, const char *key)
{
    const Weft__Test *test = prepare->parts[0];
    size_t i = 0;
    while (i < test->n_options && strcmp(test->options[i]->name, key) != 0)
        i++;
    cr_assert_lt(i, test->n_options, "%s", key);
    return test->options[i];
}

static void set(const Weft__Prepare *prepare, const char *key, uint64_t value)
{
    option_of(prepare, key)->value = value;
}

static void rename_option(const Weft__Prepare *prepare, const char *from, const char *to)
{
    Weft__Option *option = option_of(prepare, from);
    cr_assert_leq(strlen(to), strlen(from));
    memcpy(option->name, to, strlen(to) + 1);
}

/* Sends a right one, spoils what came, and wants an error with these words. */
#define BAD_PREPARE(words, spoil)                                                     \
    do {                                                                              \
        struct weft_test sent = whole_test();                                         \
        struct weft_wire_prepared got;                                                \
        send_prepare(&sent);                                                          \
        Weft__Envelope *envelope = reopen();                                          \
        Weft__Prepare *prepare = envelope->prepare;                                   \
        spoil;                                                                        \
        cr_assert_neq(weft_wire_prepare_read(prepare, &got, &error), WEFT_OK, words); \
        error_has(words);                                                             \
        weft_wire_close(envelope);                                                    \
    } while (0)

Test(wire, a_bad_prepare_names_its_field)
{
    BAD_PREPARE("takes 2 to 130000 ranks, not 0", rename_option(prepare, "ranks", "trace");
                set(prepare, "trace", 1));
    BAD_PREPARE("prepare.plan_local_count", prepare->plan_local_count = UINT32_MAX);
    BAD_PREPARE("prepare.plan_mtu_bytes", prepare->plan_mtu_bytes = 8192);
    BAD_PREPARE("prepare.test.fault has a share of 2", prepare->parts[0]->fault->corrupt = 2);
    BAD_PREPARE("prepare.test.fault has a share of", prepare->parts[0]->fault->mark = (double)NAN);
    BAD_PREPARE("prepare.test.fault.delay_ns", prepare->parts[0]->fault->delay_ns = UINT64_MAX);
    BAD_PREPARE("prepare.nics.vlan_id is 4095", prepare->nics[0]->vlan_id = 4095);
    BAD_PREPARE("prepare.nics.vlan_priority is 8", prepare->nics[1]->vlan_priority = 8);
    BAD_PREPARE("has 'iterations' and 'duration'", rename_option(prepare, "in-flight", "duration");
                set(prepare, "duration", 1000000));
    BAD_PREPARE("has neither 'iterations' nor 'duration'",
                rename_option(prepare, "iterations", "repeats");
                set(prepare, "repeats", 1));
    BAD_PREPARE("has 'depth' a second time", rename_option(prepare, "in-flight", "depth"));
    BAD_PREPARE("knows no option 'debt' of a test", rename_option(prepare, "depth", "debt"));
    BAD_PREPARE("prepare.test.options.name", rename_option(prepare, "depth", "\x1b"));
    BAD_PREPARE("prepare.test.period_bytes", prepare->parts[0]->period_bytes = UINT64_MAX);
    BAD_PREPARE("prepare.test.congestion.control is 7",
                prepare->parts[0]->congestion->control = (Weft__CongestionControl)7);
    BAD_PREPARE("prepare.test.congestion.line_rate_bps",
                prepare->parts[0]->congestion->line_rate_bps = UINT64_MAX);
    BAD_PREPARE("prepare.test.congestion.alpha_shift is 17",
                prepare->parts[0]->congestion->alpha_shift = 17);
    BAD_PREPARE("prepare.test.congestion.cnp_period_ns",
                prepare->parts[0]->congestion->cnp_period_ns = UINT64_MAX);
    BAD_PREPARE("all-reduce", prepare->parts[0]->pattern[9] = 'x');
    BAD_PREPARE("prepare.test.name", prepare->parts[0]->name[0] = '\x1b');
    BAD_PREPARE("prepare.test.name", prepare->parts[0]->name[1] = '\xff');
    BAD_PREPARE("prepare.local_ranks[2] is 8", prepare->local_ranks[2] = 8);
    BAD_PREPARE("prepare.local_ranks[1] is 1", prepare->local_ranks[1] = 1);
    BAD_PREPARE("prepare.local_ranks' count is 0",
                (prepare->n_local_ranks = 0, prepare->n_rank_nics = 0));
    BAD_PREPARE("prepare.rank_nics has 2 entries", prepare->n_rank_nics = 2);
    BAD_PREPARE("prepare.rank_nics[0] is 2", prepare->rank_nics[0] = 2);
    BAD_PREPARE("prepare.nics.address has 3 bytes", prepare->nics[0]->address->address.len = 3);
    BAD_PREPARE("prepare.nics.address has a prefix of 33",
                prepare->nics[0]->address->prefix_bits = 33);
    BAD_PREPARE("prepare.nics.gateway has a prefix", prepare->nics[1]->gateway->prefix_bits = 129);
    BAD_PREPARE("prepare.nics.device", prepare->nics[1]->device[0] = '\x07');
}

Test(wire, a_prepare_without_a_test_or_with_an_endless_name_is_refused)
{
    static char endless[2000];
    memset(endless, 'x', sizeof(endless) - 1);
    struct weft_wire_prepared got;
    Weft__Prepare empty = WEFT__PREPARE__INIT;
    cr_assert_eq(weft_wire_prepare_read(&empty, &got, &error), WEFT_INVALID);
    error_has("prepare.test is missing");
    struct weft_test sent = whole_test();
    sent.name = endless;
    send_prepare(&sent);
    Weft__Envelope *envelope = reopen();
    cr_assert_eq(weft_wire_prepare_read(envelope->prepare, &got, &error), WEFT_INVALID);
    error_has("prepare.test.name is longer than 256 bytes");
    weft_wire_close(envelope);
}

/* ---- addresses ---- */

static const struct weft_channel_address address = {
    .from_rank = 3,
    .to_rank = 4,
    .queue_pair = 255,
    .endpoint = {.gid = {[10] = 0xff, 0xff, 198, 18, 0, 1},
                 .qpn = 0xffffff,
                 .psn = 0xabcdef,
                 .qkey = 0x11111111,
                 .mtu_bytes = 4096,
                 .lid = 0xffff,
                 .read_depth = 16},
    .slots_address = UINT64_MAX,
    .slots_rkey = UINT32_MAX,
    .depth = 128,
};

static enum weft_status read_addresses(Weft__Envelope *envelope,
                                       struct weft_channel_address **ret_addresses)
{
    return weft_wire_addresses_read("prepared.addresses", envelope->prepared->addresses,
                                    envelope->prepared->n_addresses, 5, ret_addresses, &error);
}

Test(wire, addresses_come_through_whole)
{
    struct weft_channel_address two[] = {address, address};
    struct weft_channel_address *got = NULL;
    two[1].from_rank = 0;
    const struct weft_wire_prepared_part parts[] = {{true, 7}, {false, 9}};
    cr_assert_eq(weft_wire_prepared_send(&wire, parts, 2, two, 2, &error), WEFT_OK);
    Weft__Envelope *envelope = reopen();
    cr_assert_eq(envelope->prepared->n_parts, 2);
    cr_assert(envelope->prepared->parts[0]->decides);
    cr_assert_not(envelope->prepared->parts[1]->decides);
    cr_assert_eq(envelope->prepared->parts[0]->trace_count, 7);
    cr_assert_eq(envelope->prepared->parts[1]->trace_count, 9);
    cr_assert_eq(envelope->prepared->n_addresses, 2);
    cr_assert_eq(read_addresses(envelope, &got), WEFT_OK, "%s", error.text);
    cr_assert_eq(got[0].from_rank, 3);
    cr_assert_eq(got[1].from_rank, 0);
    cr_assert_eq(got[1].to_rank, 4);
    cr_assert_eq(got[1].queue_pair, 255);
    cr_assert_eq(memcmp(got[1].endpoint.gid, address.endpoint.gid, 16), 0);
    cr_assert_eq(got[1].endpoint.qpn, 0xffffff);
    cr_assert_eq(got[1].endpoint.psn, 0xabcdef);
    cr_assert_eq(got[1].endpoint.qkey, 0x11111111);
    cr_assert_eq(got[1].endpoint.mtu_bytes, 4096);
    cr_assert_eq(got[1].endpoint.lid, 0xffff);
    cr_assert_eq(got[1].endpoint.read_depth, 16);
    cr_assert_eq(got[1].slots_address, UINT64_MAX);
    cr_assert_eq(got[1].slots_rkey, UINT32_MAX);
    cr_assert_eq(got[1].depth, 128);
    free(got);
    weft_wire_close(envelope);
}

#define BAD_ADDRESS(words, spoil)                                                            \
    do {                                                                                     \
        struct weft_channel_address *got = NULL;                                             \
        cr_assert_eq(weft_wire_prepared_send(&wire, NULL, 0, &address, 1, &error), WEFT_OK); \
        Weft__Envelope *envelope = reopen();                                                 \
        Weft__ChannelAddress *message = envelope->prepared->addresses[0];                    \
        spoil;                                                                               \
        cr_assert_neq(read_addresses(envelope, &got), WEFT_OK, words);                       \
        error_has("prepared.addresses[0]." words);                                           \
        weft_wire_close(envelope);                                                           \
    } while (0)

Test(wire, a_bad_address_names_its_field)
{
    BAD_ADDRESS("from_rank is 5", message->from_rank = 5);
    BAD_ADDRESS("to_rank is 5", message->to_rank = 5);
    BAD_ADDRESS("to_rank is 3, as from_rank is", message->to_rank = 3);
    BAD_ADDRESS("queue_pair is 256", message->queue_pair = 256);
    BAD_ADDRESS("qpn is 16777216", message->qpn = 1u << 24);
    BAD_ADDRESS("psn is 16777216", message->psn = 1u << 24);
    BAD_ADDRESS("lid is 65536", message->lid = 1u << 16);
    BAD_ADDRESS("read_depth is 65536", message->read_depth = 1u << 16);
    BAD_ADDRESS("gid's length is 15", message->gid.len = 15);
    BAD_ADDRESS("depth is 0", message->depth = 0);
    BAD_ADDRESS("mtu_bytes", message->mtu_bytes = UINT32_MAX);
}

/* ---- rank results ---- */

static struct weft_rank_result whole_rank(void)
{
    struct weft_rank_result rank = {
        .rank = 2,
        .driver = "dpdk",
        .device = "a device · here",
        .verified_known = true,
        .verified = {.compared_bytes = 100,
                     .wrong_bytes = 8,
                     .first_wrong_offset_bytes = 12,
                     .expected = 1.5f,
                     .found = -3.0f},
        .latency_ns = weft_hist_create(),
        .bandwidth_bps = weft_hist_create(),
        .sent_messages = 1,
        .sent_bytes = 2,
        .received_messages = 3,
        .received_bytes = 4,
        .iterations = 5,
        .stalled_iterations = 6,
        .window_ns = 7,
        .preemptions = 8,
        .preempted_ns = 9,
        .rates = {.flows = 2, .slowest_bps = 10, .fastest_bps = 11, .lowest_bps = 12},
        .open_loop = {.paced = true,
                      .latency_intended_ns = weft_hist_create(),
                      .missed = 13,
                      .offered_ns = 14,
                      .achieved_ns = 15},
    };
    weft_hist_record(rank.open_loop.latency_intended_ns, 4711);
    /* Every counter its own number, so none is another's. */
    uint64_t counters[sizeof(rank.counters) / sizeof(uint64_t)];
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        counters[i] = 1000 + i;
    memcpy(&rank.counters, counters, sizeof(counters));
    for (uint64_t value = 1; value < UINT64_C(1) << 62; value = value * 3 + 1)
        weft_hist_record(rank.latency_ns, value);
    weft_hist_record(rank.latency_ns, 1);
    return rank;
}

static void rank_fini(struct weft_rank_result *rank)
{
    weft_hist_destroy(rank->latency_ns);
    weft_hist_destroy(rank->bandwidth_bps);
    weft_hist_destroy(rank->open_loop.latency_intended_ns);
}

Test(wire, a_rank_result_comes_through_whole)
{
    struct weft_rank_result sent = whole_rank();
    struct weft_rank_result got;
    cr_assert_eq(weft_wire_rank_send(&wire, &sent, &error), WEFT_OK);
    Weft__Envelope *envelope = reopen();
    cr_assert_eq(weft_wire_rank_read(envelope->rank_result, &got, &error), WEFT_OK, "%s",
                 error.text);
    weft_wire_close(envelope);
    cr_assert(got.reported);
    cr_assert_eq(got.rank, 2);
    cr_assert_str_eq(got.driver, "dpdk");
    cr_assert_str_eq(got.device, "a device · here");
    cr_assert_eq(got.rates.flows, 2);
    cr_assert_eq(got.rates.slowest_bps, 10);
    cr_assert_eq(got.rates.fastest_bps, 11);
    cr_assert_eq(got.rates.lowest_bps, 12);
    cr_assert(got.open_loop.paced);
    cr_assert_eq(got.open_loop.latency_intended_ns->max, 4711);
    cr_assert_eq(got.open_loop.missed, 13);
    cr_assert_eq(got.open_loop.offered_ns, 14);
    cr_assert_eq(got.open_loop.achieved_ns, 15);
    cr_assert(got.verified_known);
    cr_assert_eq(got.verified.compared_bytes, 100);
    cr_assert_eq(got.verified.wrong_bytes, 8);
    cr_assert_eq(got.verified.first_wrong_offset_bytes, 12);
    cr_assert_float_eq(got.verified.expected, 1.5f, 0.0f);
    cr_assert_float_eq(got.verified.found, -3.0f, 0.0f);
    cr_assert_eq(memcmp(got.latency_ns, sent.latency_ns, sizeof(*got.latency_ns)), 0);
    cr_assert_eq(memcmp(got.bandwidth_bps, sent.bandwidth_bps, sizeof(*got.bandwidth_bps)), 0);
    cr_assert_eq(got.sent_messages, 1);
    cr_assert_eq(got.sent_bytes, 2);
    cr_assert_eq(got.received_messages, 3);
    cr_assert_eq(got.received_bytes, 4);
    cr_assert_eq(got.iterations, 5);
    cr_assert_eq(got.stalled_iterations, 6);
    cr_assert_eq(got.window_ns, 7);
    cr_assert_eq(got.preemptions, 8);
    cr_assert_eq(got.preempted_ns, 9);
    cr_assert_eq(memcmp(&got.counters, &sent.counters, sizeof(got.counters)), 0);
    rank_fini(&sent);
    rank_fini(&got);
}

Test(wire, a_rank_that_was_not_verified_stays_so)
{
    struct weft_rank_result sent = whole_rank();
    struct weft_rank_result got;
    sent.verified_known = false;
    cr_assert_eq(weft_wire_rank_send(&wire, &sent, &error), WEFT_OK);
    Weft__Envelope *envelope = reopen();
    cr_assert_eq(weft_wire_rank_read(envelope->rank_result, &got, &error), WEFT_OK);
    cr_assert_not(got.verified_known);
    weft_wire_close(envelope);
    rank_fini(&sent);
    rank_fini(&got);
}

Test(wire, text_that_is_none_is_cleaned_before_it_is_sent)
{
    struct weft_rank_result sent = whole_rank();
    struct weft_rank_result got;
    memcpy(sent.device, "NIC\x1b\xff\xc3", 7);
    cr_assert_eq(weft_wire_rank_send(&wire, &sent, &error), WEFT_OK);
    Weft__Envelope *envelope = reopen();
    cr_assert_eq(weft_wire_rank_read(envelope->rank_result, &got, &error), WEFT_OK);
    cr_assert_str_eq(got.device, "NIC???");
    weft_wire_close(envelope);
    rank_fini(&sent);
    rank_fini(&got);
}

#define BAD_RANK(words, spoil)                                                     \
    do {                                                                           \
        struct weft_rank_result sent = whole_rank();                               \
        struct weft_rank_result got;                                               \
        cr_assert_eq(weft_wire_rank_send(&wire, &sent, &error), WEFT_OK);          \
        Weft__Envelope *envelope = reopen();                                       \
        Weft__RankResult *message = envelope->rank_result;                         \
        Weft__Histogram *hist = message->latency_ns;                               \
        (void)hist;                                                                \
        spoil;                                                                     \
        cr_assert_neq(weft_wire_rank_read(message, &got, &error), WEFT_OK, words); \
        error_has(words);                                                          \
        weft_wire_close(envelope);                                                 \
        rank_fini(&sent);                                                          \
    } while (0)

static void without(Weft__Histogram **field)
{
    weft__histogram__free_unpacked(*field, NULL);
    *field = NULL;
}

Test(wire, a_bad_open_loop_names_its_field)
{
    BAD_RANK("rank_result.open_loop.achieved_ns", message->open_loop->achieved_ns = 13);
    BAD_RANK("rank_result.open_loop.latency_intended_ns",
             without(&message->open_loop->latency_intended_ns));
}

Test(wire, a_bad_rank_result_names_its_field)
{
    BAD_RANK("rank_result.latency_ns is missing", without(&message->latency_ns));
    BAD_RANK("rank_result.bandwidth_bps is missing", without(&message->bandwidth_bps));
    BAD_RANK("rank_result.verified.wrong_bytes is 101", message->verified->wrong_bytes = 101);
    BAD_RANK("rank_result.driver", message->driver[0] = '\x01');
    BAD_RANK("rank_result.latency_ns has", hist->n_skips--);
    BAD_RANK("rank_result.latency_ns.skips[3] leads to bucket", hist->skips[3] = UINT32_MAX);
    BAD_RANK("rank_result.latency_ns.counts[0] is 0", hist->counts[0] = 0);
    BAD_RANK("rank_result.latency_ns.counts[1]", hist->counts[1] = UINT64_MAX);
    BAD_RANK("rank_result.latency_ns.count disagrees", hist->count++);
    BAD_RANK("rank_result.latency_ns.count disagrees",
             (hist->count += UINT64_C(1) << 50, hist->counts[0] += UINT64_C(1) << 50));
    BAD_RANK("rank_result.latency_ns.min disagrees", hist->min = 5);
    BAD_RANK("rank_result.latency_ns.max disagrees", hist->max = 5);
    BAD_RANK("rank_result.latency_ns.sum disagrees", hist->sum_high = UINT64_MAX);
    BAD_RANK(
        "rank_result.latency_ns.sum disagrees",
        (hist->sum_high = 0, hist->sum_low = 0, hist->min = 0, hist->skips[0] = 1, hist->min = 1));
    BAD_RANK("rank_result.bandwidth_bps.count disagrees", message->bandwidth_bps->max = 1);
}

/* ---- the environment ---- */

Test(wire, an_environment_comes_through_whole)
{
    const struct weft_host_environment sent = {.host = "host",
                                               .cpu = "cpu",
                                               .kernel = "kernel",
                                               .version = "version",
                                               .clock_source = "tsc",
                                               .clock_drift_ppb = -5,
                                               .clock_resolution_ns = 6,
                                               .noise_floor_ns = 7,
                                               .record_cost_ns = 8};
    struct weft_host_environment got;
    struct weft_wire_environment out;
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Released released = WEFT__RELEASED__INIT;
    weft_wire_environment_write(&sent, &out);
    released.environment = &out.message;
    envelope.body_case = WEFT__ENVELOPE__BODY_RELEASED;
    envelope.released = &released;
    Weft__Envelope *came = transfer(&envelope);
    cr_assert_eq(weft_wire_environment_read(came->released->environment, &got, &error), WEFT_OK);
    cr_assert_eq(memcmp(&got, &sent, sizeof(got)), 0);
    came->released->environment->kernel[0] = '\x01';
    cr_assert_neq(weft_wire_environment_read(came->released->environment, &got, &error), WEFT_OK);
    error_has("environment.kernel");
    weft_wire_close(came);
}

/* ---- traces ---- */

static const struct weft_wire_trace whole_trace = {
    .rank = 3,
    .iteration = INT64_MAX,
    .duration_ns = 77,
    .ops = (struct weft_op_trace[]){{-5000, -4000, 0}, {0, 12, 3}, {INT64_C(1) << 50, 1, 1}},
    .op_count = 3};

Test(wire, a_trace_comes_through_whole)
{
    struct weft_wire_trace got;
    cr_assert_eq(weft_wire_trace_send(&wire, &whole_trace, &error), WEFT_OK);
    Weft__Envelope *envelope = reopen();
    cr_assert_eq(weft_wire_trace_read(envelope->trace, 3, &got, &error), WEFT_OK, "%s", error.text);
    weft_wire_close(envelope);
    cr_assert_eq(got.rank, 3);
    cr_assert_eq(got.iteration, INT64_MAX);
    cr_assert_eq(got.duration_ns, 77);
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(got.ops[i].started_ns, whole_trace.ops[i].started_ns);
        cr_assert_eq(got.ops[i].completed_ns, whole_trace.ops[i].completed_ns);
        cr_assert_eq(got.ops[i].waits, whole_trace.ops[i].waits);
    }
    free(got.ops);
}

static void refuse_trace(void (*spoil)(Weft__Trace *trace), const char *words)
{
    struct weft_wire_trace got;
    cr_assert_eq(weft_wire_trace_send(&wire, &whole_trace, &error), WEFT_OK);
    Weft__Envelope *envelope = reopen();
    spoil(envelope->trace);
    cr_assert_eq(weft_wire_trace_read(envelope->trace, 3, &got, &error), WEFT_INVALID);
    weft_wire_close(envelope);
    error_has(words);
}

static void shorten(Weft__Trace *trace)
{
    trace->n_completed_ns--;
}

static void delay(Weft__Trace *trace)
{
    trace->started_ns[1] = INT64_MAX;
}

static void invent_wait(Weft__Trace *trace)
{
    trace->waits[2] = 4;
}

Test(wire, a_bad_trace_names_its_field)
{
    refuse_trace(shorten, "trace.completed_ns' count is 2");
    refuse_trace(delay, "trace.started_ns is no time");
    refuse_trace(invent_wait, "trace.waits is 4");
}

Test(wire, what_is_no_message_is_refused)
{
    static const uint8_t cut[] = {0x12, 0x7f, 0x01};     /* a prepare of 127 bytes, one there */
    static const uint8_t unknown[] = {0xfa, 0x3f, 0x00}; /* field 1023 */
    Weft__Envelope *envelope = NULL;
    cr_assert_neq(weft_wire_open(cut, sizeof(cut), &envelope, &error), WEFT_OK);
    error_has("only a part of one");
    cr_assert_neq(weft_wire_open(unknown, sizeof(unknown), &envelope, &error), WEFT_OK);
    error_has("of an unknown kind");
    cr_assert_neq(weft_wire_open(cut, 0, &envelope, &error), WEFT_OK);
    error_has("of an unknown kind");
}

/* Every NIC of no bytes would take 80 in memory: the budget ends it. */
Test(wire, a_message_that_would_swell_is_refused)
{
    static uint8_t bomb[6u << 20];
    size_t count = 2u << 20;
    size_t inner_bytes = count * 2;
    size_t at = 0;
    bomb[at++] = 0x12; /* prepare */
    for (size_t left = inner_bytes; left; left >>= 7)
        bomb[at++] = (uint8_t)((left & 0x7f) | (left >> 7 ? 0x80 : 0));
    for (size_t i = 0; i < count; i++) {
        bomb[at++] = 0x12; /* nics */
        bomb[at++] = 0;
    }
    Weft__Envelope *envelope = NULL;
    cr_assert_neq(weft_wire_open(bomb, at, &envelope, &error), WEFT_OK);
}

Test(wire, every_cut_of_a_message_is_safe)
{
    struct weft_test sent = whole_test();
    send_prepare(&sent);
    for (size_t len_bytes = 0; len_bytes < frame_bytes - 4; len_bytes++) {
        Weft__Envelope *envelope = NULL;
        struct weft_wire_prepared got;
        if (weft_wire_open(frame + 4, len_bytes, &envelope, &error))
            continue;
        cr_assert_neq(weft_wire_prepare_read(envelope->prepare, &got, &error), WEFT_OK);
        weft_wire_close(envelope);
    }
}
