/* SPDX-License-Identifier: BSD-3-Clause */
/* A prepare for several jobs, there and back, and such as no peer of ours would send. */
#include <criterion/criterion.h>
#include <string.h>

#include "fabric/control/wire.h"

static uint8_t frame[1u << 16];
static size_t frame_bytes;
static struct weft_wire wire;
static struct weft_error error;
static char name[] = "a job", nic_name[] = "nic", device_a[] = "mlx5_0";

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
}

static void teardown(void)
{
    weft_wire_fini(&wire);
}

TestSuite(wire_jobs, .init = setup, .fini = teardown);

static Weft__Envelope *reopen(void)
{
    Weft__Envelope *envelope = NULL;
    cr_assert_eq(weft_wire_open(frame + 4, frame_bytes - 4, &envelope, &error), WEFT_OK, "%s",
                 error.text);
    return envelope;
}

static void error_has(const char *words)
{
    cr_assert_not_null(strstr(error.text, words), "no '%s' in '%s'", words, error.text);
}

/* Two jobs that share no rank: of eight and of three. */
static Weft__Envelope *reopen_jobs(uint32_t *others)
{
    static struct weft_test jobs[2];
    static uint32_t ranks[] = {0, 1, 2, 3, 4, 5, 6, 7};
    static const uint32_t local[] = {1, 7, 20}, rank_nics[] = {0, 0, 0};
    static const struct weft_nic nic = {.name = nic_name, .device = device_a};
    static const struct weft_nic *const nics[] = {&nic};
    for (uint32_t i = 0; i < 2; i++)
        jobs[i] = (struct weft_test){.name = name,
                                     .pattern = weft_pattern_find("all-reduce", NULL),
                                     .options = {.rank_count = i ? 3 : 8, .size_bytes = 1u << 20},
                                     .iterations = 1000};
    jobs[0].ranks = ranks;
    jobs[1].ranks = others;
    jobs[1].options = (struct weft_pattern_options){.rank_count = 3, .size_bytes = 3072};
    const struct weft_wire_prepare prepare = {.parts = {&jobs[0], &jobs[1]},
                                              .part_count = 2,
                                              .local_count = 3,
                                              .nic_count = 1,
                                              .local_ranks = local,
                                              .rank_nics = rank_nics,
                                              .nics = nics};
    cr_assert_eq(weft_wire_prepare_send(&wire, 0, &prepare, &error), WEFT_OK, "%s", error.text);
    return reopen();
}

Test(wire_jobs, each_rank_of_several_jobs_finds_its_own)
{
    static uint32_t others[] = {30, 20, 9};
    struct weft_wire_prepared got;
    Weft__Envelope *envelope = reopen_jobs(others);
    cr_assert_eq(weft_wire_prepare_read(envelope->prepare, &got, &error), WEFT_OK, "%s",
                 error.text);
    cr_assert_eq(got.request.part_count, 2);
    cr_assert_eq(weft_test_rank(&got.request.parts[1], 0), 30);
    cr_assert_eq(weft_test_ranks_needed(&got.request.parts[1]), 31);
    cr_assert_eq(got.request.parts[1].options.size_bytes, 3072);
    const uint32_t parts[] = {0, 0, 1}, places[] = {1, 7, 1};
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(got.request.local_parts[i], parts[i]);
        cr_assert_eq(got.request.local_places[i], places[i]);
    }
    weft_wire_prepared_fini(&got);
    weft_wire_close(envelope);
}

static void set(const Weft__Test *test, const char *key, uint64_t value)
{
    for (size_t i = 0; i < test->n_options; i++) {
        if (strcmp(test->options[i]->name, key) == 0)
            test->options[i]->value = value;
    }
}

#define BAD_JOBS(words, spoil)                                                        \
    do {                                                                              \
        static uint32_t others[] = {30, 20, 9};                                       \
        struct weft_wire_prepared got;                                                \
        Weft__Envelope *envelope = reopen_jobs(others);                               \
        Weft__Prepare *prepare = envelope->prepare;                                   \
        spoil;                                                                        \
        cr_assert_neq(weft_wire_prepare_read(prepare, &got, &error), WEFT_OK, words); \
        error_has(words);                                                             \
        weft_wire_close(envelope);                                                    \
    } while (0)

Test(wire_jobs, jobs_that_share_a_rank_are_refused)
{
    BAD_JOBS("prepare.test.ranks has rank 7 twice", prepare->parts[1]->ranks[0] = 7);
    BAD_JOBS("prepare.test.ranks has rank 9 twice", prepare->parts[1]->ranks[0] = 9);
    BAD_JOBS("prepare.test.ranks is 4294967295", prepare->parts[1]->ranks[0] = UINT32_MAX);
    BAD_JOBS("prepare.test.ranks' count is 2", prepare->parts[1]->n_ranks = 2);
    BAD_JOBS("prepare.local_ranks[2] is 19, which is not a rank of the test",
             prepare->local_ranks[2] = 19);
    BAD_JOBS("prepare.local_ranks[2] is 31", prepare->local_ranks[2] = 31);
    BAD_JOBS("prepare.test.rank_count", set(prepare->parts[0], "ranks", 129999);
             prepare->parts[0]->n_ranks = 0; prepare->parts[0]->n_pattern_options = 0;
             set(prepare->parts[0], "size", 4 * 129999));
}
