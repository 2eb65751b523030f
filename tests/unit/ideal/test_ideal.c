/* SPDX-License-Identifier: BSD-3-Clause */
/* The ideal against closed forms, worked out by hand on simple topologies. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/ideal/ideal.h"
#include "fabric/topology/topology.h"

#define MIB (UINT64_C(1) << 20)
#define RATE_BPS 100e9
#define ALPHA_NS 1000.0 /* two links of 500 ns */

/* What so many bytes take on a line of 100 Gbps, headers and all. */
static double serial_ns(uint64_t len_bytes)
{
    uint64_t packets = len_bytes ? (len_bytes + 4095) / 4096 : 1;
    return (double)(len_bytes + packets * 82) * 8e9 / RATE_BPS;
}

static struct weft_topology *parse(const char *text)
{
    struct weft_error error = {0};
    struct weft_topology *topology = NULL;
    const struct weft_source source = {.name = "t", .text = text, .len_bytes = strlen(text)};
    cr_assert_eq(weft_topology_parse(&source, &topology, &error), WEFT_OK, "%s", error.text);
    return topology;
}

/* `count` hosts on one switch; the link of rank `slow` has half the rate. */
static struct weft_topology *star(uint32_t count, uint32_t slow)
{
    char text[16384];
    int used = snprintf(text, sizeof(text), "name: star\nswitches: [{name: s}]\nhosts:\n");
    for (uint32_t i = 0; i < count; i++)
        used += snprintf(text + used, sizeof(text) - (size_t)used,
                         "  - {name: h%u, nics: [{name: n, device: d%u}]}\n", i, i);
    used += snprintf(text + used, sizeof(text) - (size_t)used, "links:\n");
    for (uint32_t i = 0; i < count; i++)
        used += snprintf(text + used, sizeof(text) - (size_t)used,
                         "  - {between: [h%u/n, s], rate: %s, delay: 500ns}\n", i,
                         i == slow ? "50Gbps" : "100Gbps");
    used += snprintf(text + used, sizeof(text) - (size_t)used, "ranks: [");
    for (uint32_t i = 0; i < count; i++)
        used += snprintf(text + used, sizeof(text) - (size_t)used, "%sh%u/n", i ? ", " : "", i);
    (void)snprintf(text + used, sizeof(text) - (size_t)used, "]\n");
    return parse(text);
}

static struct weft_ideal ideal_of(const char *pattern, struct weft_pattern_options options,
                                  struct weft_topology *topology)
{
    struct weft_error error = {0};
    struct weft_ideal ideal = {0};
    const struct weft_ideal_input input = {.pattern = weft_pattern_find(pattern, &error),
                                           .options = &options,
                                           .topology = topology,
                                           .overhead_bytes = WEFT_IDEAL_OVERHEAD_BYTES};
    cr_assert(input.pattern, "%s", error.text);
    cr_assert_eq(weft_ideal_compute(&input, &ideal, &error), WEFT_OK, "%s", error.text);
    weft_topology_destroy(topology);
    return ideal;
}

static struct weft_ideal ideal_of_goal(const char *text, uint32_t ranks,
                                       struct weft_topology *topology)
{
    const struct weft_pattern_options options = {
        .rank_count = ranks, .text = text, .text_bytes = strlen(text), .text_name = "test.goal"};
    return ideal_of("goal", options, topology);
}

static void near(uint64_t found_ns, double wanted_ns)
{
    cr_assert_float_eq((double)found_ns, wanted_ns, 1.5, "%llu ns, not %.1f",
                       (unsigned long long)found_ns, wanted_ns);
}

Test(ideal, ping_pong_is_two_messages_one_after_the_other)
{
    struct weft_ideal ideal =
        ideal_of("ping-pong", (struct weft_pattern_options){.rank_count = 2, .size_bytes = 65536},
                 star(2, 9));
    near(ideal.ideal_ns, 2 * (ALPHA_NS + serial_ns(65536)));
    near(ideal.alone_ns, 2 * (ALPHA_NS + serial_ns(65536)));
    cr_assert(ideal.has_chain);
    cr_assert(strstr(ideal.limit, "chain of 2 messages"), "%s", ideal.limit);
}

/* In whole parts: 2 (n - 1) steps, and the last acknowledgement. */
Test(ideal, ring_all_reduce_is_its_steps)
{
    struct weft_pattern_options options = {
        .rank_count = 4, .size_bytes = 8 * MIB, .chunk_bytes = 2 * MIB};
    options.given = UINT64_C(1) << WEFT_OPTION_CHUNK;
    struct weft_ideal ideal = ideal_of("all-reduce", options, star(4, 9));
    double wanted_ns = 6 * (ALPHA_NS + serial_ns(2 * MIB)) + ALPHA_NS;
    near(ideal.ideal_ns, wanted_ns);
    near(ideal.alone_ns, wanted_ns);
    cr_assert(strstr(ideal.limit, "sends 12 MiB"), "%s", ideal.limit);
    cr_assert_float_eq((double)ideal.algbw_bps, 8.0 * 8 * MIB * 1e9 / wanted_ns, 1e6);
    cr_assert_float_eq((double)ideal.busbw_bps, 1.5 * 8.0 * 8 * MIB * 1e9 / wanted_ns, 1e6);
}

/* In many chunks the steps overlap, and what is left is what each NIC must send, one chunk behind
 * the other, and the last one's way and acknowledgement. */
Test(ideal, chunked_all_reduce_is_its_bytes)
{
    struct weft_pattern_options options = {
        .rank_count = 4, .size_bytes = 64 * MIB, .chunk_bytes = 65536};
    options.given = UINT64_C(1) << WEFT_OPTION_CHUNK;
    struct weft_ideal ideal = ideal_of("all-reduce", options, star(4, 9));
    near(ideal.ideal_ns, serial_ns(96 * MIB) + 2 * ALPHA_NS);
    near(ideal.alone_ns, serial_ns(96 * MIB) + 2 * ALPHA_NS);
    cr_assert(strstr(ideal.limit, "sends 96 MiB at 100 Gbps"), "%s", ideal.limit);
}

Test(ideal, half_a_rate_takes_twice_the_time_and_is_named)
{
    struct weft_pattern_options options = {
        .rank_count = 4, .size_bytes = 64 * MIB, .chunk_bytes = 65536};
    options.given = UINT64_C(1) << WEFT_OPTION_CHUNK;
    struct weft_ideal ideal = ideal_of("all-reduce", options, star(4, 2));
    near(ideal.ideal_ns, 2 * serial_ns(96 * MIB));
    cr_assert(strstr(ideal.limit, "NIC h2/n sends 96 MiB at 50 Gbps"), "%s", ideal.limit);
}

Test(ideal, incast_is_what_its_target_receives)
{
    struct weft_ideal ideal = ideal_of(
        "incast", (struct weft_pattern_options){.rank_count = 8, .size_bytes = MIB}, star(8, 9));
    near(ideal.ideal_ns, 7 * serial_ns(MIB));
    /* The word to go, and the first bit's way. */
    near(ideal.alone_ns, 7 * serial_ns(MIB) + serial_ns(0) + 2 * ALPHA_NS);
    cr_assert(strstr(ideal.limit, "NIC h0/n receives 7 MiB"), "%s", ideal.limit);
}

Test(ideal, a_broadcast_alone_is_its_hops_and_on_end_its_bytes)
{
    struct weft_ideal ideal = ideal_of_goal("num_ranks 3\n"
                                            "rank 0 {\nsend 1048576b to 1 tag 0\n}\n"
                                            "rank 1 {\na: recv 1048576b from 0 tag 0\n"
                                            "b: send 1048576b to 2 tag 0\nb requires a\n}\n"
                                            "rank 2 {\nrecv 1048576b from 1 tag 0\n}\n",
                                            3, star(3, 9));
    /* Rank 1 hears of its message's arrival last. */
    near(ideal.alone_ns, 2 * (serial_ns(MIB) + ALPHA_NS) + ALPHA_NS);
    /* Rank 0 is done when its message is acknowledged. */
    near(ideal.ideal_ns, serial_ns(MIB) + 2 * ALPHA_NS);
}

static char *all_to_all(uint32_t ranks, uint32_t len_bytes)
{
    char *text = NULL;
    size_t room = 0;
    FILE *out = open_memstream(&text, &room);
    cr_assert(out);
    fprintf(out, "num_ranks %u\n", ranks);
    for (uint32_t rank = 0; rank < ranks; rank++) {
        fprintf(out, "rank %u {\n", rank);
        for (uint32_t step = 1; step < ranks; step++) {
            fprintf(out, "send %ub to %u tag 0\n", len_bytes, (rank + step) % ranks);
            fprintf(out, "recv %ub from %u tag 0\n", len_bytes, (rank + step) % ranks);
        }
        fprintf(out, "}\n");
    }
    cr_assert_eq(fclose(out), 0);
    return text;
}

Test(ideal, all_to_all_is_all_that_a_nic_sends)
{
    char *text = all_to_all(8, 1 << 20);
    struct weft_ideal ideal = ideal_of_goal(text, 8, star(8, 9));
    near(ideal.ideal_ns, 7 * serial_ns(MIB));
    near(ideal.alone_ns, 7 * serial_ns(MIB) + 2 * ALPHA_NS);
    free(text);
}

/* Two leaves of four NICs, joined by two spines at half of what the NICs have. */
static const char two_tiers[] = "name: tiers\n"
                                "switches: [{name: l0}, {name: l1}, {name: s0}, {name: s1}]\n"
                                "hosts:\n"
                                "  - {name: a, nics: [{name: n, device: a}]}\n"
                                "  - {name: b, nics: [{name: n, device: b}]}\n"
                                "  - {name: c, nics: [{name: n, device: c}]}\n"
                                "  - {name: d, nics: [{name: n, device: d}]}\n"
                                "links:\n"
                                "  - {between: [a/n, l0], rate: 100Gbps, delay: 1us}\n"
                                "  - {between: [b/n, l0], rate: 100Gbps, delay: 1us}\n"
                                "  - {between: [c/n, l1], rate: 100Gbps, delay: 1us}\n"
                                "  - {between: [d/n, l1], rate: 100Gbps, delay: 1us}\n"
                                "  - {between: [l0, s0], rate: 50Gbps, delay: 1us}\n"
                                "  - {between: [l0, s1], rate: 50Gbps, delay: 1us}\n"
                                "  - {between: [l1, s0], rate: 50Gbps, delay: 1us}\n"
                                "  - {between: [l1, s1], rate: 50Gbps, delay: 1us}\n"
                                "ranks: [a/n, b/n, c/n, d/n]\n";

Test(ideal, an_oversubscribed_tier_decides)
{
    struct weft_ideal ideal = ideal_of_goal("num_ranks 4\n"
                                            "rank 0 {\nsend 1048576b to 2 tag 0\n}\n"
                                            "rank 1 {\nsend 1048576b to 3 tag 0\n}\n"
                                            "rank 2 {\nrecv 1048576b from 0 tag 0\n}\n"
                                            "rank 3 {\nrecv 1048576b from 1 tag 0\n}\n",
                                            4, parse(two_tiers));
    near(ideal.ideal_ns, 2 * serial_ns(MIB));
    near(ideal.alone_ns, 2 * serial_ns(MIB) + 8 * ALPHA_NS); /* 4 links there, 4 back */
    cr_assert(strstr(ideal.limit, "2 links") && strstr(ideal.limit, "2 MiB at 100 Gbps"), "%s",
              ideal.limit);
    cr_assert(ideal.mmr <= 0, "who takes which spine is not known");
}

/* The ways from x to y and from x to z overlap without being the same: only the cut around x sees
 * all of it. */
static const char uneven[] = "name: uneven\n"
                             "switches: [{name: x}, {name: y}, {name: z}, {name: p}, {name: q}]\n"
                             "hosts:\n"
                             "  - {name: a, nics: [{name: n, device: a}]}\n"
                             "  - {name: b, nics: [{name: n, device: b}]}\n"
                             "  - {name: c, nics: [{name: n, device: c}]}\n"
                             "  - {name: d, nics: [{name: n, device: d}]}\n"
                             "links:\n"
                             "  - {between: [a/n, x], rate: 400Gbps}\n"
                             "  - {between: [b/n, x], rate: 400Gbps}\n"
                             "  - {between: [c/n, y], rate: 400Gbps}\n"
                             "  - {between: [d/n, z], rate: 400Gbps}\n"
                             "  - {between: [x, p], rate: 100Gbps}\n"
                             "  - {between: [x, q], rate: 100Gbps}\n"
                             "  - {between: [p, y], rate: 400Gbps}\n"
                             "  - {between: [q, y], rate: 400Gbps}\n"
                             "  - {between: [q, z], rate: 400Gbps}\n"
                             "ranks: [a/n, b/n, c/n, d/n]\n";

Test(ideal, a_cut_sees_what_no_layer_does)
{
    struct weft_ideal ideal = ideal_of_goal("num_ranks 4\n"
                                            "rank 0 {\nsend 4194304b to 2 tag 0\n}\n"
                                            "rank 1 {\nsend 2097152b to 3 tag 0\n}\n"
                                            "rank 2 {\nrecv 4194304b from 0 tag 0\n}\n"
                                            "rank 3 {\nrecv 2097152b from 1 tag 0\n}\n",
                                            4, parse(uneven));
    near(ideal.ideal_ns, serial_ns(6 * MIB) / 2);
    cr_assert(strstr(ideal.limit, "the part below x sends 6 MiB at 200 Gbps"), "%s", ideal.limit);
}

/* What no deciding rank waits for is not counted. */
Test(ideal, what_nobody_waits_for_takes_no_time)
{
    struct weft_ideal ideal =
        ideal_of_goal("//@ weft 1\nnum_ranks 4\n"
                      "rank 0 {\n//@ buffer 4096 decides\nsend 4096b to 1 tag 0\n//@ at 0 qp 0\n}\n"
                      "rank 1 {\n//@ buffer 4096\nrecv 4096b from 0 tag 0\n//@ at 0 qp 0\n}\n"
                      "rank 2 {\n//@ buffer 67108864\nsend 67108864b to 3 tag 0\n//@ at 0 qp 0\n}\n"
                      "rank 3 {\n//@ buffer 67108864\nrecv 67108864b from 2 tag 0\n"
                      "//@ at 0 qp 0\n}\n",
                      4, star(4, 9));
    near(ideal.alone_ns, serial_ns(4096) + 2 * ALPHA_NS);
}

Test(ideal, without_a_rate_there_is_none_and_the_nic_is_named)
{
    struct weft_error error = {0};
    struct weft_topology *topology = NULL;
    cr_assert_eq(weft_topology_loopback(4, &topology, &error), WEFT_OK);
    struct weft_ideal ideal = ideal_of(
        "all-reduce", (struct weft_pattern_options){.rank_count = 4, .size_bytes = MIB}, topology);
    cr_assert_eq(ideal.ideal_ns, 0);
    cr_assert(strstr(ideal.why, "no rate is known of NIC"), "%s", ideal.why);
}

/* A chain of three switches: two flows share the middle link one way, one goes the other. */
Test(ideal, the_fullest_link_over_the_mean)
{
    struct weft_ideal ideal =
        ideal_of_goal("num_ranks 4\n"
                      "rank 0 {\nsend 4096b to 2 tag 0\nrecv 4096b from 3 tag 0\n}\n"
                      "rank 1 {\nsend 4096b to 3 tag 0\n}\n"
                      "rank 2 {\nrecv 4096b from 0 tag 0\n}\n"
                      "rank 3 {\nrecv 4096b from 1 tag 0\nsend 4096b to 0 tag 0\n}\n",
                      4,
                      parse("name: line\nswitches: [{name: x}, {name: y}]\nhosts:\n"
                            "  - {name: a, nics: [{name: n, device: a}]}\n"
                            "  - {name: b, nics: [{name: n, device: b}]}\n"
                            "  - {name: c, nics: [{name: n, device: c}]}\n"
                            "  - {name: d, nics: [{name: n, device: d}]}\n"
                            "links:\n"
                            "  - {between: [a/n, x], rate: 100Gbps}\n"
                            "  - {between: [b/n, x], rate: 100Gbps}\n"
                            "  - {between: [c/n, y], rate: 100Gbps}\n"
                            "  - {between: [d/n, y], rate: 100Gbps}\n"
                            "  - {between: [x, y], rate: 100Gbps}\n"
                            "ranks: [a/n, b/n, c/n, d/n]\n"));
    cr_assert_float_eq(ideal.mmr, 2 / 1.5, 1e-9);
}

/* More operations than a chain is kept for: the bytes are right all the same. */
Test(ideal, large_patterns_have_bytes_only)
{
    struct weft_pattern_options options = {
        .rank_count = 32, .size_bytes = 64 * MIB, .chunk_bytes = 4096};
    options.given = UINT64_C(1) << WEFT_OPTION_CHUNK;
    struct weft_ideal ideal = ideal_of("all-reduce", options, star(32, 99));
    cr_assert(!ideal.has_chain);
    near(ideal.ideal_ns, serial_ns(2 * 31 * 2 * MIB));
}
