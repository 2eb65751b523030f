/* SPDX-License-Identifier: BSD-3-Clause */
/* The first ranks are stores, the others writers. Stripe k of writer w goes to store (w + k) mod S,
 * so that the stores begin evenly loaded. A store keeps a writer's stripes one behind the other. */
#include <inttypes.h>

#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/parts.h"

struct checkpoint {
    const struct weft_pattern_options *options;
    struct weft_schedule_builder *builder;
    uint32_t servers;
    uint64_t stripes; /* of a writer */
};

static struct checkpoint checkpoint_of(const struct weft_pattern_options *options,
                                       struct weft_schedule_builder *builder)
{
    return (struct checkpoint){.options = options,
                               .builder = builder,
                               .servers = (uint32_t)options->servers,
                               .stripes = weft_ceiling(options->size_bytes, options->chunk_bytes)};
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    if (options->servers >= options->rank_count)
        return weft_error_set(error, WEFT_INVALID,
                              "checkpoint: %" PRIu64
                              " servers of %u ranks leave no rank to write; choose at most %u",
                              options->servers, options->rank_count, options->rank_count - 1);
    /* A store has its share of all writers' stripes; a writer has its own. */
    struct checkpoint all = checkpoint_of(options, NULL);
    uint64_t writers = options->rank_count - options->servers;
    uint64_t share = weft_ceiling(all.stripes, options->servers) + 1;
    uint64_t most = share > all.stripes / writers ? share : all.stripes / writers;
    return weft_pattern_check_messages(&weft_pattern_checkpoint, most * writers, error);
}

/* The first stripe of a writer that a store gets; the others are `servers` apart. */
static uint32_t first_stripe(const struct checkpoint *all, uint32_t writer, uint32_t server)
{
    return (server + all->servers - writer % all->servers) % all->servers;
}

static struct weft_span stripe_at(const struct checkpoint *all, uint64_t stripe)
{
    uint64_t offset_bytes = stripe * all->options->chunk_bytes;
    uint64_t left = all->options->size_bytes - offset_bytes;
    return (struct weft_span){
        .offset_bytes = offset_bytes,
        .len_bytes = left < all->options->chunk_bytes ? left : all->options->chunk_bytes};
}

/* One store's signals come in one message each, where it got any stripe. */
static void build_writer(const struct checkpoint *all, uint32_t rank)
{
    struct weft_span signal = {0};
    for (uint64_t stripe = 0; stripe < all->stripes; stripe++) {
        struct weft_span span = stripe_at(all, stripe);
        uint32_t server = (uint32_t)((rank + stripe) % all->servers);
        (void)weft_add_send(all->builder, server, &span, WEFT_OP_NONE);
    }
    for (uint32_t server = 0; server < all->servers; server++)
        if (first_stripe(all, rank, server) < all->stripes)
            (void)weft_add_receive(all->builder, server, &signal, WEFT_OP_NONE);
    weft_schedule_set_buffer(all->builder, all->options->size_bytes);
    weft_schedule_set_decides(all->builder, true);
}

/* Returns where the next writer's stripes begin. */
static uint64_t add_writer(const struct checkpoint *all, uint32_t server, uint32_t writer,
                           uint64_t at)
{
    struct weft_span signal = {0};
    uint64_t stripe = first_stripe(all, writer, server);
    if (stripe >= all->stripes)
        return at;
    uint32_t whole = weft_add_calc(all->builder, 0, WEFT_OP_NONE);
    for (; stripe < all->stripes; stripe += all->servers) {
        struct weft_span from = stripe_at(all, stripe);
        struct weft_span place = {.offset_bytes = at, .len_bytes = from.len_bytes};
        uint32_t received = weft_add_receive(all->builder, writer, &place, WEFT_OP_NONE);
        weft_schedule_require(all->builder, whole, received);
        weft_expect_copy(all->builder, &place, writer, from.offset_bytes);
        at += from.len_bytes;
    }
    (void)weft_add_send(all->builder, writer, &signal, whole);
    return at;
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    (void)error;
    struct checkpoint all = checkpoint_of(options, builder);
    uint64_t at = 0;
    if (rank >= all.servers) {
        build_writer(&all, rank);
        return WEFT_OK;
    }
    for (uint32_t writer = all.servers; writer < options->rank_count; writer++)
        at = add_writer(&all, rank, writer, at);
    weft_schedule_set_buffer(builder, at);
    return WEFT_OK;
}

static double algorithm_bytes(const struct weft_pattern_options *options)
{
    return (double)((options->rank_count - options->servers) * options->size_bytes);
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_SERVERS, .default_value = 1, .text = "stores: the first N ranks"},
    {.option = WEFT_OPTION_CHUNK,
     .default_value = UINT64_C(1) << 20,
     .text = "the largest message: a stripe"},
};

const struct weft_pattern weft_pattern_checkpoint = {
    .name = "checkpoint",
    .summary = "all ranks write their shard to a few stores at once, in stripes",
    .text =
        "During a checkpoint a training job waits while each rank writes its shard of the model "
        "to\n"
        "storage: many writers, few stores, large writes. It is an incast that lasts as long as "
        "the\n"
        "stores' links need.\n"
        "\n"
        "Schedule: the first ranks are stores, the others are writers. A writer cuts its data "
        "into\n"
        "stripes and sends all of them at once; stripe k of rank w goes to store (w + k) modulo "
        "the\n"
        "number of stores. A store that has received all its stripes of a writer answers that\n"
        "writer with an empty message.\n"
        "Completion: the checkpoint of the slowest writer, from its first stripe until all stores\n"
        "have answered.\n"
        "algbw = writers * size / time, which is what the stores receive together; no bus\n"
        "bandwidth. Ideal: the rate of the stores' links, or of the writers' links if those are\n"
        "fewer.",
    .size_text = "bytes that each writer writes",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = UINT64_C(4) << 20,
    WEFT_TAKES(takes),
    .bus_factor = weft_pattern_no_factor,
    .algorithm_bytes = algorithm_bytes,
    .check = check,
    .build = build,
};
