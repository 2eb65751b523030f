/* SPDX-License-Identifier: BSD-3-Clause */
/* All-to-all with uneven parts: the dispatch of tokens to experts, and the way back. A rank's
 * buffer has what it sends, what it receives and, where that comes back, what has come back. */
#include <stdlib.h>

#include "fabric/schedule/patterns/patterns.h"
#include "fabric/schedule/shapes/collective.h"
#include "fabric/schedule/shapes/traffic.h"

enum phase {
    BOTH = 0,
    DISPATCH,
    COMBINE,
};

#define SKEW_DEFAULT 1000u
#define SIZE_DEFAULT (UINT64_C(4) << 20)
#define SEED_DEFAULT 1u

static const char *const phase_names[] = {"both", "dispatch", "combine", NULL};

static enum weft_status count_ranks(const struct weft_pattern_options *options,
                                    uint32_t *ret_rank_count, struct weft_error *error)
{
    return options->text ? weft_matrix_peek(options, ret_rank_count, error) : WEFT_OK;
}

/* Each rank has as much for a rank as any other has. */
static enum weft_status summarize_zipf(const struct weft_pattern_options *options,
                                       struct weft_traffic_summary *ret_summary,
                                       struct weft_error *error)
{
    uint64_t *bounds = weft_zipf_bounds(options);
    uint64_t sent = 0, most = 0, peers = options->rank_count - UINT64_C(1);
    if (!bounds)
        return weft_error_set(error, WEFT_NO_MEMORY, "all-to-all-v: out of memory");
    for (uint32_t rank = 0; rank < options->rank_count; rank++) {
        uint64_t len_bytes = bounds[rank + 1] - bounds[rank];
        uint64_t chunks = len_bytes ? weft_pattern_chunks(options, len_bytes) : 0;
        sent += chunks;
        most = chunks > most ? chunks : most;
    }
    free(bounds);
    *ret_summary = (struct weft_traffic_summary){
        .rank_count = options->rank_count,
        .total_bytes = peers * options->size_bytes,
        .messages = most * peers > sent ? most * peers : sent,
    };
    return WEFT_OK;
}

static enum weft_status summarize(const struct weft_pattern_options *options,
                                  struct weft_traffic_summary *ret_summary,
                                  struct weft_error *error)
{
    return options->text ? weft_matrix_summarize(options, ret_summary, error)
                         : summarize_zipf(options, ret_summary, error);
}

/* A matrix says all that these would. */
static enum weft_status check_matrix(const struct weft_pattern_options *options,
                                     struct weft_error *error)
{
    const char *extra = NULL;
    if (!options->text)
        return WEFT_OK;
    if (options->size_bytes != SIZE_DEFAULT)
        extra = "size";
    else if (options->skew_thousandths != SKEW_DEFAULT)
        extra = "skew";
    else if (options->seed != SEED_DEFAULT)
        extra = "pattern-seed";
    if (!extra)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "all-to-all-v: the matrix says who sends how much; leave '%s' out",
                          extra);
}

static uint64_t phases_of(const struct weft_pattern_options *options)
{
    return options->phase == BOTH ? 2 : 1;
}

static enum weft_status check(const struct weft_pattern_options *options, struct weft_error *error)
{
    struct weft_traffic_summary summary;
    enum weft_status status = check_matrix(options, error);
    if (status == WEFT_OK)
        status = summarize(options, &summary, error);
    if (status != WEFT_OK)
        return status;
    if (!summary.total_bytes)
        return weft_error_set(error, WEFT_INVALID, "%s: no rank has anything for another",
                              options->text_name ? options->text_name : "all-to-all-v");
    return weft_pattern_check_messages(&weft_pattern_all_to_all_v,
                                       phases_of(options) * summary.messages, error);
}

/* One rank while it is built. */
struct exchange {
    struct weft_collective all;
    struct weft_traffic traffic;
    uint64_t *sends_at; /* by the rank that it is for, in the own buffer */
    uint64_t *takes_at; /* by the rank that it is from */
    uint64_t received_bytes;
    uint32_t computed;
};

static void fill_zipf(struct exchange *exchange, const uint64_t *bounds, bool transposed)
{
    uint32_t own = exchange->all.rank;
    uint64_t own_bytes = bounds[own + 1] - bounds[own];
    for (uint32_t rank = 0; rank < exchange->all.options->rank_count; rank++) {
        uint64_t len_bytes = bounds[rank + 1] - bounds[rank];
        exchange->traffic.sent_bytes[rank] = transposed ? own_bytes : len_bytes;
        exchange->traffic.received_bytes[rank] = transposed ? len_bytes : own_bytes;
        exchange->traffic.received_at[rank] = transposed ? own * len_bytes : bounds[own];
    }
}

static enum weft_status fill(struct exchange *exchange, struct weft_error *error)
{
    const struct weft_pattern_options *options = exchange->all.options;
    bool transposed = options->phase == COMBINE;
    if (options->text)
        return weft_matrix_traffic(options, exchange->all.rank, transposed, &exchange->traffic,
                                   error);
    uint64_t *bounds = weft_zipf_bounds(options);
    if (!bounds)
        return weft_error_set(error, WEFT_NO_MEMORY, "all-to-all-v: out of memory");
    fill_zipf(exchange, bounds, transposed);
    free(bounds);
    return WEFT_OK;
}

/* What is sent, what comes from others, and then what returns to this rank. */
static void lay_out(struct exchange *exchange)
{
    uint64_t at_bytes = 0;
    for (uint32_t rank = 0; rank < exchange->all.options->rank_count; rank++) {
        exchange->sends_at[rank] = at_bytes;
        at_bytes += exchange->traffic.sent_bytes[rank];
    }
    at_bytes = weft_align(at_bytes, WEFT_SCRATCH_ALIGN_BYTES);
    for (uint32_t rank = 0; rank < exchange->all.options->rank_count; rank++) {
        exchange->takes_at[rank] = at_bytes;
        if (rank != exchange->all.rank)
            at_bytes += exchange->traffic.received_bytes[rank];
    }
    exchange->all.scratch_bytes = weft_align(at_bytes, WEFT_SCRATCH_ALIGN_BYTES);
}

/* All at once, each rank beginning with the one after it. */
static void build_dispatch(struct exchange *exchange)
{
    struct weft_collective *all = &exchange->all;
    for (uint32_t distance = 1; distance < all->options->rank_count; distance++) {
        uint32_t to = weft_rank_after(all, distance), from = weft_rank_before(all, distance);
        struct weft_span sent = {exchange->sends_at[to], exchange->traffic.sent_bytes[to]};
        struct weft_span taken = {exchange->takes_at[from], exchange->traffic.received_bytes[from]};
        struct weft_needs done = {0};
        weft_send_span(all, to, &sent, NULL, NULL);
        weft_receive_span(all, from, &taken, &done);
        if (!taken.len_bytes)
            continue;
        weft_schedule_require(all->builder, exchange->computed, done.ops[0]);
        weft_expect_copy(all->builder, &taken, from, exchange->traffic.received_at[from]);
    }
}

/* What each rank was sent goes back, once all of it has been computed on. It returns to a place of
 * its own: where it came from it would look right if nothing came. */
static void build_combine(struct exchange *exchange)
{
    struct weft_collective *all = &exchange->all;
    struct weft_needs computed = {.count = 1, .ops = {exchange->computed}};
    for (uint32_t distance = 1; distance < all->options->rank_count; distance++) {
        uint32_t to = weft_rank_after(all, distance), from = weft_rank_before(all, distance);
        struct weft_span sent = {exchange->takes_at[to], exchange->traffic.received_bytes[to]};
        struct weft_span taken = {all->scratch_bytes, exchange->traffic.sent_bytes[from]};
        weft_send_span(all, to, &sent, &computed, NULL);
        weft_receive_span(all, from, &taken, NULL);
        all->scratch_bytes += taken.len_bytes;
        if (taken.len_bytes)
            weft_expect_copy(all->builder, &taken, all->rank, exchange->sends_at[from]);
    }
}

static enum weft_status build(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error)
{
    size_t ranks = options->rank_count;
    uint64_t *lists = calloc(5 * ranks, sizeof(*lists));
    if (!lists)
        return weft_error_set(error, WEFT_NO_MEMORY, "all-to-all-v: out of memory");
    struct exchange exchange = {.all = weft_collective_of(options, rank, builder),
                                .traffic = {.sent_bytes = lists,
                                            .received_bytes = lists + ranks,
                                            .received_at = lists + 2 * ranks},
                                .sends_at = lists + 3 * ranks,
                                .takes_at = lists + 4 * ranks};
    enum weft_status status = fill(&exchange, error);
    if (status == WEFT_OK) {
        lay_out(&exchange);
        exchange.computed = weft_add_calc(builder, options->calc_ns, WEFT_OP_NONE);
        build_dispatch(&exchange);
        if (options->phase == BOTH)
            build_combine(&exchange);
        weft_schedule_set_buffer(builder, exchange.all.scratch_bytes);
        weft_schedule_set_decides(builder, true);
    }
    free(lists);
    return status;
}

/* What a rank sends to others in the mean. */
static double algorithm_bytes(const struct weft_pattern_options *options)
{
    struct weft_traffic_summary summary = {0};
    if (summarize(options, &summary, NULL) != WEFT_OK || !summary.rank_count)
        return 0;
    return (double)phases_of(options) * (double)summary.total_bytes / summary.rank_count;
}

static const struct weft_pattern_take takes[] = {
    {.option = WEFT_OPTION_SKEW,
     .default_value = SKEW_DEFAULT,
     .text = "how uneven: Zipf's exponent, such as 1.2; 0 is even"},
    {.option = WEFT_OPTION_SEED,
     .default_value = SEED_DEFAULT,
     .text = "seed that decides which ranks are popular"},
    {.option = WEFT_OPTION_PHASE, .text = "which phases to run", .words = phase_names},
    {.option = WEFT_OPTION_CALC,
     .text = "computation of a rank on all that it received, such as 50us"},
    {.option = WEFT_OPTION_CHUNK,
     .text = "the largest message (default 64KiB; larger if a part would need more than 16)"},
};

const struct weft_pattern weft_pattern_all_to_all_v = {
    .name = "all-to-all-v",
    .summary = "uneven parts for every rank: a mixture of experts with popular ones, or any matrix",
    .text =
        "Every rank has more data for some ranks than for others. An example is a mixture of\n"
        "experts: tokens go to the ranks of their experts (dispatch), the results come back\n"
        "(combine), and the ranks of popular experts suffer an incast. A file can hold any other\n"
        "traffic matrix.\n"
        "\n"
        "Without a file, each rank has 'size' bytes for all ranks, divided by Zipf's law: the "
        "k-th\n"
        "most popular rank gets a share in proportion to k to the power of -skew. pattern-seed\n"
        "decides which ranks are popular; they are the same for all senders.\n"
        "The traffic can also be made from a file (--file, or a plan's 'file'). It has one line "
        "for\n"
        "each rank, with the bytes for each destination, such as '0 64KiB 1024'. Numbers are\n"
        "separated by blanks or commas; '#' starts a comment. What a rank has for itself stays\n"
        "where it is.\n"
        "\n"
        "Schedule: every rank sends to all others at once, starting with the rank after it. When "
        "a\n"
        "rank has received everything and has computed for 'calc', it sends each rank's data "
        "back.\n"
        "Phase 'dispatch' is only the way there, phase 'combine' only the way back.\n"
        "Completion: the time from the start of the iteration until a rank has received all its\n"
        "data, including what comes back; the slowest rank counts. Ideal: the most bytes that one\n"
        "rank sends or receives, at the rate of its link.\n"
        "algbw = bytes that a rank sends to others (average over ranks, all phases) / time; busbw\n"
        "is the same.",
    .size_text = "bytes that each rank has for all ranks together, itself included",
    .default_ranks = 8,
    .min_ranks = 2,
    .default_size_bytes = SIZE_DEFAULT,
    .takes_text = true,
    WEFT_TAKES(takes),
    .bus_factor = weft_pattern_one_factor,
    .algorithm_bytes = algorithm_bytes,
    .check = check,
    .count_ranks = count_ranks,
    .build = build,
};
