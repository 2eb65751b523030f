/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is to blame is known beforehand; the traces must say so. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "fabric/base/random.h"
#include "model.h"

#define SEEDS 8u

static const char star[] =
    "name: star\n"
    "hosts:\n"
    "  - {name: h, nics: [{name: n0, device: a}, {name: n1, device: b}, {name: n2, device: c},\n"
    "      {name: n3, device: d}, {name: n4, device: e}, {name: n5, device: f},\n"
    "      {name: n6, device: g}, {name: n7, device: i}]}\n"
    "switches: [{name: s}]\n"
    "links:\n"
    "  - {between: [h/n0, s]}\n  - {between: [h/n1, s]}\n  - {between: [h/n2, s]}\n"
    "  - {between: [h/n3, s]}\n  - {between: [h/n4, s]}\n  - {between: [h/n5, s]}\n"
    "  - {between: [h/n6, s]}\n  - {between: [h/n7, s]}\n"
    "ranks: [h/n0, h/n1, h/n2, h/n3, h/n4, h/n5, h/n6, h/n7]\n";

static struct model_options ring(uint64_t seed)
{
    return (struct model_options){.pattern = "all-reduce",
                                  .rank_count = 8,
                                  .size_bytes = 1 << 20,
                                  .topology = star,
                                  .slow = 16,
                                  .other = 32,
                                  .jitter = 0.02,
                                  .losses = 0.0002,
                                  .seed = seed,
                                  .fault = {MODEL_NO_FAULT}};
}

static void expect_decider(const struct model_options *options, uint32_t rank, uint32_t peer)
{
    struct model model;
    model_run(&model, options);
    const struct weft_decider *decider = model_decider(&model);
    cr_assert_not_null(decider, "seed %lu: nobody stands out", options->seed);
    cr_assert_eq(decider->rank, rank, "seed %lu: rank %u", options->seed, decider->rank);
    cr_assert_eq(decider->peer, peer, "seed %lu: peer %d", options->seed, (int)decider->peer);
    cr_assert_geq(decider->slow, options->slow * 3 / 4);
    if (options->fault.slow_only)
        cr_assert_leq(decider->other, options->other / 4);
    else
        cr_assert_geq(decider->other, options->other * 3 / 4);
    model_fini(&model);
}

Test(attribute, a_slow_edge)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct model_options options = ring(seed);
        options.fault.from = 3;
        options.fault.to = 4;
        options.fault.transfer_factor = 2;
        expect_decider(&options, 3, 4);
    }
}

Test(attribute, a_slow_edge_now_and_then)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct model_options options = ring(seed);
        options.fault.from = 7;
        options.fault.to = 0;
        options.fault.transfer_factor = 3;
        options.fault.slow_only = true;
        expect_decider(&options, 7, 0);
    }
}

Test(attribute, a_slow_reducer)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct model_options options = ring(seed);
        options.fault.reducer = 5;
        options.fault.reduce_ns = 60000;
        expect_decider(&options, 5, WEFT_OP_NONE);
    }
}

Test(attribute, a_late_sender)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct model_options options = ring(seed);
        options.fault.idler = 2;
        options.fault.idle_ns = 45000;
        expect_decider(&options, 2, WEFT_OP_NONE);
    }
}

/* Its receives have no requirement, so it was the rank itself that was not there. */
Test(attribute, a_late_receiver)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct model_options options = ring(seed);
        options.fault.shy = 6;
        options.fault.shy_ns = 400000;
        options.fault.slow_only = true;
        expect_decider(&options, 6, WEFT_OP_NONE);
    }
}

Test(attribute, a_slow_nic_is_the_link_that_both_edges_share)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct model model;
        struct model_options options = ring(seed);
        options.fault.nic = 3;
        options.fault.transfer_factor = 2;
        model_run(&model, &options);
        const struct weft_suspect *suspect = model_suspect(&model);
        cr_assert_not_null(suspect, "seed %lu", seed);
        cr_assert_eq(suspect->index, 3);
        cr_assert_eq(suspect->edges, 2);
        cr_assert_gt(suspect->slowness, 1.5);
        cr_assert_gt(suspect->confidence, 0.99);
        cr_assert(!suspect->is_nic);
        model_fini(&model);
    }
}

/* It may be the sender's NIC, the receiver's, or what lies between. */
Test(attribute, an_edge_alone_names_no_link)
{
    struct model model;
    struct model_options options = ring(1);
    options.fault.from = 3;
    options.fault.to = 4;
    options.fault.transfer_factor = 3;
    model_run(&model, &options);
    cr_assert_null(model_suspect(&model));
    model_fini(&model);
}

Test(attribute, without_links_it_is_a_nic)
{
    struct model model;
    struct model_options options = ring(1);
    options.topology = NULL;
    options.fault.nic = 5;
    options.fault.transfer_factor = 2;
    model_run(&model, &options);
    const struct weft_suspect *suspect = model_suspect(&model);
    cr_assert_not_null(suspect);
    cr_assert(suspect->is_nic);
    cr_assert_eq(suspect->index, 5);
    model_fini(&model);
}

Test(attribute, nothing_stands_out_where_all_is_well)
{
    for (uint64_t seed = 1; seed <= 4 * SEEDS; seed++) {
        struct model model;
        struct model_options options = ring(seed);
        options.jitter = seed % 2 ? 0.02 : 0.3;
        options.losses = seed % 3 ? 0.01 : 0;
        model_run(&model, &options);
        cr_assert_null(model_decider(&model), "seed %lu", seed);
        cr_assert_null(model_suspect(&model), "seed %lu", seed);
        model_fini(&model);
    }
}

/* Of two ranks and their one link nothing can be told by comparison. */
Test(attribute, two_ranks_share_their_only_link)
{
    struct model model;
    struct model_options options = ring(1);
    options.rank_count = 2;
    options.topology = NULL;
    options.fault.nic = 1;
    options.fault.transfer_factor = 3;
    model_run(&model, &options);
    cr_assert_null(model_decider(&model));
    cr_assert_null(model_suspect(&model));
    model_fini(&model);
}

/* Ports of a switch in memory have no link that could be slow. */
Test(attribute, no_port_of_the_process_is_blamed)
{
    struct weft_rank_seat seats[8];
    struct model model;
    struct model_options options = ring(1);
    for (uint32_t rank = 0; rank < 8; rank++)
        seats[rank] =
            (struct weft_rank_seat){.in_process = true, .polled = true, .worker = WEFT_WORKER_NONE};
    options.topology = NULL;
    options.seats = seats;
    options.fault.nic = 5;
    options.fault.transfer_factor = 2;
    model_run(&model, &options);
    cr_assert(model.attribution->in_process);
    cr_assert_null(model_decider(&model));
    cr_assert_null(model_suspect(&model));
    model_fini(&model);
}

/* What polled it had no CPU. */
Test(attribute, no_nic_is_blamed_for_its_lost_cpu)
{
    struct weft_rank_seat seats[8];
    struct model model;
    struct model_options options = ring(1);
    for (uint32_t rank = 0; rank < 8; rank++)
        seats[rank] = (struct weft_rank_seat){.polled = true, .worker = rank};
    options.seats = seats;
    options.fault.nic = 5;
    options.fault.transfer_factor = 2;
    model_run(&model, &options);
    cr_assert_not_null(model_suspect(&model));
    cr_assert(model_suspect(&model)->polled);
    model_fini(&model);
    seats[5].lost_share = 0.2;
    model_run(&model, &options);
    cr_assert_null(model_suspect(&model));
    model_fini(&model);
}

Test(attribute, a_rank_that_shares_its_worker_is_not_blamed)
{
    struct weft_rank_seat seats[8];
    struct model model;
    struct model_options options = ring(1);
    for (uint32_t rank = 0; rank < 8; rank++)
        seats[rank] = (struct weft_rank_seat){.polled = true, .worker = rank / 2};
    options.seats = seats;
    options.fault.reducer = 5;
    options.fault.reduce_ns = 60000;
    model_run(&model, &options);
    cr_assert_null(model_decider(&model));
    model_fini(&model);
}

/* Seven that send to one wait for each other. */
Test(attribute, no_sender_is_blamed_for_a_full_receiver)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct model model;
        struct model_options options = ring(seed);
        options.pattern = "incast";
        options.size_bytes = 1 << 16;
        model_run(&model, &options);
        cr_assert_null(model_decider(&model), "seed %lu", seed);
        cr_assert_null(model_suspect(&model), "seed %lu", seed);
        model_fini(&model);
    }
}

/* Step by step, as the model made it: eight ranks' ring without jitter. */
Test(attribute, the_chain_accounts_for_the_iteration)
{
    struct model model;
    struct model_options options = ring(1);
    options.jitter = 0;
    options.losses = 0;
    options.slow = 1;
    options.other = 4;
    model_run(&model, &options);
    cr_assert_eq(model.attribution->chain_count, 1);
    const struct weft_chain *chain = &model.attribution->chains[0];
    cr_assert_eq(chain->iteration, 1000);
    cr_assert_eq(chain->kept_count, chain->step_count);
    uint64_t sum_ns = 0, sends = 0;
    for (uint32_t i = 0; i < chain->step_count; i++) {
        const struct weft_step *step = &chain->steps[i];
        sum_ns += step->took_ns + step->waited_ns;
        sends += step->kind == WEFT_STEP_SEND;
        if (step->kind == WEFT_STEP_SEND)
            cr_assert(step->took_ns == 11000 || step->took_ns == 10000,
                      "with its acknowledgement, or behind another: %lu", step->took_ns);
    }
    /* Each acknowledgement comes 1 us after what the chain goes on with; ranks begin within 2 us.
     */
    cr_assert_geq(sends, 14);
    cr_assert_geq(sum_ns + 2000, chain->duration_ns);
    cr_assert_leq(sum_ns, chain->duration_ns + sends * 1000 + 2000);
    model_fini(&model);
}

/* An agent may send anything. */
Test(attribute, any_numbers_are_borne)
{
    struct weft_random random;
    weft_random_seed(&random, 42);
    for (uint32_t round = 0; round < 20; round++) {
        struct model model;
        struct weft_attribution *attribution = NULL;
        struct weft_error error = {0};
        struct model_options options = ring(round);
        options.slow = 3;
        options.other = 5;
        model_run(&model, &options);
        for (uint32_t i = 0; i < model.iteration_count; i++) {
            for (uint32_t rank = 0; rank < model.rank_count; rank++) {
                for (uint32_t op = 0; op < model.schedules[rank]->op_count; op++) {
                    struct weft_op_trace *it = &model.iterations[i].ops[rank][op];
                    uint32_t shift = 3 + (uint32_t)(weft_random_next(&random) % 60);
                    it->started_ns = (int64_t)weft_random_next(&random) >> shift;
                    it->completed_ns = (int64_t)weft_random_next(&random) >> shift;
                    it->waits = (uint32_t)weft_random_next(&random) & WEFT_WAITED_ALL;
                }
            }
        }
        const struct weft_attribution_input input = {
            .schedules = (const struct weft_schedule *const *)model.schedules,
            .rank_count = model.rank_count,
            .topology = model.topology,
            .iterations = model.iterations,
            .iteration_count = model.iteration_count};
        cr_assert_eq(weft_attribute(&input, &attribution, &error), WEFT_OK);
        cr_assert_eq(attribution->slow_traced, 3);
        weft_attribution_destroy(attribution);
        model_fini(&model);
    }
}

/* What one rank no longer has is left out whole. */
Test(attribute, an_iteration_that_a_rank_lacks_is_left_out)
{
    struct model model;
    struct weft_attribution *attribution = NULL;
    struct weft_error error = {0};
    struct model_options options = ring(1);
    model_run(&model, &options);
    free(model.iterations[0].ops[4]);
    model.iterations[0].ops[4] = NULL;
    const struct weft_attribution_input input = {
        .schedules = (const struct weft_schedule *const *)model.schedules,
        .rank_count = model.rank_count,
        .topology = model.topology,
        .iterations = model.iterations,
        .iteration_count = model.iteration_count};
    cr_assert_eq(weft_attribute(&input, &attribution, &error), WEFT_OK);
    cr_assert_eq(attribution->slow_traced, 15);
    cr_assert_eq(attribution->other_traced, 32);
    weft_attribution_destroy(attribution);
    model_fini(&model);
}
