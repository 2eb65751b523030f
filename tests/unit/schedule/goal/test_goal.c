/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/schedule/goal/goal.h"
#include "fabric/schedule/verify.h"
#include "tests/unit/schedule/interpret.h"

/* ---- writing ---- */

static void put(void *context, const char *text, size_t len_bytes)
{
    cr_assert_eq(fwrite(text, 1, len_bytes, context), len_bytes);
}

static char *write_all(const struct weft_pattern *pattern,
                       const struct weft_pattern_options *options)
{
    char *text = NULL;
    size_t len_bytes = 0;
    FILE *file = open_memstream(&text, &len_bytes);
    const struct weft_goal_sink sink = {.put = put, .context = file};
    for (uint32_t rank = 0; rank < options->rank_count; rank++) {
        struct weft_schedule *schedule = NULL;
        struct weft_error error = {0};
        cr_assert_eq(weft_pattern_compile(pattern, options, rank, &schedule, &error), WEFT_OK, "%s",
                     error.text);
        if (rank == 0)
            weft_goal_write_head(&sink, schedule);
        cr_assert_eq(weft_goal_write_rank(&sink, schedule, &error), WEFT_OK);
        weft_schedule_destroy(schedule);
    }
    cr_assert_eq(fclose(file), 0);
    return text;
}

static struct weft_pattern_options options_of(const char *text, uint32_t rank_count)
{
    return (struct weft_pattern_options){
        .rank_count = rank_count, .text = text, .text_bytes = strlen(text), .text_name = "a.goal"};
}

static const struct weft_pattern *goal(void)
{
    return weft_pattern_find("goal", NULL);
}

/* ---- there and back ---- */

static void there_and_back(const struct weft_pattern *pattern,
                           const struct weft_pattern_options *options)
{
    char *first = write_all(pattern, options);
    struct weft_pattern_options read = options_of(first, options->rank_count);
    char *second = write_all(goal(), &read);
    cr_assert_str_eq(first, second);
    free(first);
    free(second);
}

/* Every pattern, every way of each, and all its types: what is written is read as the same. */
Test(goal, there_and_back)
{
    for (const struct weft_pattern *const *at = weft_patterns(); *at; at++) {
        if (*at == weft_pattern_find("goal", NULL))
            continue;
        const char *const *ways = weft_pattern_option_words(*at, WEFT_OPTION_ALGORITHM);
        for (uint64_t way = 0; way == 0 || (ways && ways[way]); way++) {
            struct weft_pattern_options options = {
                .rank_count = (*at)->default_ranks, .size_bytes = 88, .algorithm = way};
            there_and_back(*at, &options);
            if (weft_pattern_taken(*at, WEFT_OPTION_CHUNK))
                options.chunk_bytes = 8;
            if (weft_pattern_taken(*at, WEFT_OPTION_TYPE))
                options.element = WEFT_ELEMENT_BFLOAT16;
            if (weft_pattern_taken(*at, WEFT_OPTION_OPERATOR))
                options.reduction = WEFT_REDUCTION_MAX;
            there_and_back(*at, &options);
        }
    }
}

/* What no pattern has: queue pairs, tags, reductions of some ranks, what is required of what comes
 * later, labels and blanks of others. */
Test(goal, marks)
{
    static const char text[] = "num_ranks 9\n"
                               "//@ weft 1\n"
                               "//@ elements float16 max\n"
                               "rank 3 {\n"
                               "//@ buffer 400\n"
                               "l0: send 64b to 1 tag 4000000000\n"
                               "//@ at 16 qp 255\n"
                               "l1: recv 0b from 8 tag 7\n"
                               "//@ at 0 qp 1\n"
                               "l2: calc 0\n"
                               "//@ reduce 100b at 200 from 300\n"
                               "l2 requires l1\n"
                               "l0 requires l2\n"
                               "//@ expect reduced 10b at 2 from 4 ranks 1 count 3 stride 2\n"
                               "//@ expect reduced 10b at 2 from 4\n"
                               "//@ expect arrival 400b at 0\n"
                               "}\n";
    char *written = NULL;
    size_t len_bytes = 0;
    FILE *file = open_memstream(&written, &len_bytes);
    const struct weft_goal_sink sink = {.put = put, .context = file};
    struct weft_pattern_options options = options_of(text, 9);
    struct weft_schedule *schedule = NULL;
    struct weft_error error = {0};
    cr_assert_eq(weft_pattern_compile(goal(), &options, 3, &schedule, &error), WEFT_OK, "%s",
                 error.text);
    cr_assert_eq(schedule->ops[0].queue_pair, 255);
    cr_assert_eq(schedule->ops[0].tag, 4000000000u);
    cr_assert_eq(schedule->ops[0].offset_bytes, 16);
    cr_assert_eq(schedule->ops[2].kind, WEFT_OP_REDUCE);
    cr_assert_eq(schedule->expectations[0].rank_stride, 2);
    cr_assert_not(schedule->decides_completion);
    weft_goal_write_head(&sink, schedule);
    cr_assert_eq(weft_goal_write_rank(&sink, schedule, &error), WEFT_OK);
    cr_assert_eq(fclose(file), 0);
    cr_assert_str_eq(written, text);
    weft_schedule_destroy(schedule);
    free(written);
}

/* ---- files of others ---- */

/* Matches, runs, and every byte is where it belongs. Returns how many were compared. */
static uint64_t try_text(const char *text, uint32_t rank_count)
{
    struct weft_pattern_options options = options_of(text, rank_count);
    struct weft_error error = {0};
    struct world world;
    struct weft_verify_result result = {0};
    cr_assert_eq(weft_pattern_check(goal(), &options, &error), WEFT_OK, "%s", error.text);
    world_init(&world, goal(), &options);
    cr_assert_eq(weft_schedules_match((const struct weft_schedule *const *)world.schedules,
                                      rank_count, &error),
                 WEFT_OK, "%s", error.text);
    for (uint64_t seed = 0; seed < 5; seed++) {
        cr_assert(world_run(&world, 0, seed), "it stands still");
        for (uint32_t rank = 0; rank < rank_count; rank++)
            weft_verify_check(world.schedules[rank], world.buffers[rank], 0, &result);
    }
    cr_assert_eq(result.wrong_bytes, 0);
    world_fini(&world);
    return result.compared_bytes / 5;
}

/* As schedule generators write it: a dissemination among 16. */
Test(goal, dissemination)
{
    char *text = NULL;
    size_t len_bytes = 0;
    FILE *file = open_memstream(&text, &len_bytes);
    (void)fprintf(file, "num_ranks 16\n\n");
    for (uint32_t rank = 0; rank < 16; rank++) {
        (void)fprintf(file, "rank %u {\n", rank);
        for (uint32_t round = 0; round < 4; round++) {
            uint32_t step = 1u << round, label = 2 * round + 1;
            (void)fprintf(file, "l%u: send 1b to %u tag 0\n", label, (rank + step) % 16);
            if (round)
                (void)fprintf(file, "l%u requires l%u\n", label, label - 1);
            (void)fprintf(file, "l%u: recv 1b from %u tag 0\n", label + 1, (rank + 16 - step) % 16);
        }
        (void)fprintf(file, "}\n\n");
    }
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(try_text(text, 16), 64);
    free(text);
}

/* cpu and nic, labels of any name, comments wherever, no blank before a brace, no last line end. */
Test(goal, forms)
{
    cr_assert_eq(try_text("/* made by\n   hand */ num_ranks 2 // two\n"
                          "rank 0{\n"
                          "\tstart: calc 12 cpu 3\r\n"
                          "    out_1: send 10b to 1 tag 3 cpu 0 nic 1\n"
                          "    out_1 requires start /* here */\n"
                          "    recv 3b from 1 nic 0 cpu 1 // no label\n"
                          "}\n"
                          "rank 1 { recv 10b from 0 tag 3\n send 3b to 0 }",
                          2),
                 13);
}

/* Tags say who meets whom, whatever the order is. */
Test(goal, tags_out_of_order)
{
    cr_assert_eq(try_text("num_ranks 2\n"
                          "rank 0 {\na: send 10b to 1 tag 1\nb: send 20b to 1 tag 2\n"
                          "b requires a\n}\n"
                          "rank 1 {\na: recv 20b from 0 tag 2\nb: recv 10b from 0 tag 1\n"
                          "c: calc 1\nc requires b\n}\n",
                          2),
                 30);
}

/* A message that comes early waits: two that first send and then receive do not block each other,
 * nor does one whose receive waits for a later message. */
Test(goal, early_messages_wait)
{
    cr_assert_eq(try_text("num_ranks 2\n"
                          "rank 0 {\na: send 10b to 1\nb: recv 10b from 1\nb requires a\n}\n"
                          "rank 1 {\na: send 10b to 0\nb: recv 10b from 0\nb requires a\n}\n",
                          2),
                 20);
    cr_assert_eq(try_text("num_ranks 3\n"
                          "rank 0 {\nr: recv 5b from 2\ns: send 6b to 1 tag 1\ns requires r\n"
                          "t: send 7b to 1 tag 2\n}\n"
                          "rank 1 {\na: recv 7b from 0 tag 2\nb: send 4b to 2\nb requires a\n"
                          "c: recv 6b from 0 tag 1\n}\n"
                          "rank 2 {\na: recv 4b from 1\nb: send 5b to 0\nb requires a\n}\n",
                          3),
                 22);
}

/* What follows a receive waits for what the receive waits for, and irequires for what the other
 * waits for. */
Test(goal, waits)
{
    static const char text[] = "num_ranks 2\n"
                               "rank 0 {\nc: calc 5\nr: recv 1b from 1\nr requires c\n"
                               "s: send 1b to 1\ns requires r\n"
                               "i: calc 9\ni irequires s\nj: calc 8\nj irequires c\n}\n"
                               "rank 1 {\nsend 1b to 0\nrecv 1b from 0\n}\n";
    struct weft_pattern_options options = options_of(text, 2);
    struct weft_schedule *schedule = NULL;
    struct weft_error error = {0};
    cr_assert_eq(try_text(text, 2), 2);
    cr_assert_eq(weft_pattern_compile(goal(), &options, 0, &schedule, &error), WEFT_OK);
    cr_assert_eq(schedule->op_count, 6);
    for (uint32_t i = 0; i < schedule->op_count; i++) {
        const struct weft_op *op = &schedule->ops[i];
        bool join = op->kind == WEFT_OP_CALC && op->duration_ns == 0;
        bool waits = op->kind == WEFT_OP_SEND || op->duration_ns == 9;
        cr_assert_eq(op->requires_count, join ? 2 : waits ? 1 : 0, "operation %u", i);
    }
    weft_schedule_destroy(schedule);
}

/* Those of the folder have the forms that LogGOPSim's, ATLAHS's and LLAMP's files have; what is
 * written of them is read as the same again. */
Test(goal, files)
{
    uint32_t files = 0;
    struct dirent **entries = NULL;
    int found = scandir(GOAL_FILES, &entries, NULL, alphasort);
    for (int i = 0; i < found; i++) {
        char path[512], text[65536] = "";
        (void)snprintf(path, sizeof(path), "%s/%s", GOAL_FILES, entries[i]->d_name);
        FILE *file = entries[i]->d_name[0] == '.' ? NULL : fopen(path, "re");
        free(entries[i]);
        if (!file)
            continue;
        size_t len_bytes = fread(text, 1, sizeof(text) - 1, file);
        cr_assert(len_bytes > 0 && feof(file), "%s", path);
        (void)fclose(file);
        struct weft_source source = {path, text, len_bytes};
        uint32_t rank_count = 0;
        cr_assert_eq(weft_goal_peek(&source, &rank_count, NULL), WEFT_OK, "%s", path);
        cr_assert_gt(try_text(text, rank_count), 0, "%s", path);
        struct weft_pattern_options options = options_of(text, rank_count);
        char *written = write_all(goal(), &options);
        options = options_of(written, rank_count);
        there_and_back(goal(), &options);
        free(written);
        files++;
    }
    free(entries);
    cr_assert_geq(files, 10);
}

static struct weft_schedule *compile(const char *text, uint32_t rank_count, uint32_t rank)
{
    struct weft_pattern_options options = options_of(text, rank_count);
    struct weft_schedule *schedule = NULL;
    struct weft_error error = {0};
    cr_assert_eq(weft_pattern_compile(goal(), &options, rank, &schedule, &error), WEFT_OK, "%s",
                 error.text);
    return schedule;
}

/* What names rank and tag has its message, wherever it stands. The rest goes in the order in which
 * it can be sent, to the first that may have it. */
Test(goal, any)
{
    static const char text[] = "num_ranks 4\n"
                               "rank 0 {\n"
                               "a: recv 9b from -1 tag -1\nb: recv 9b from -1 tag -1\n"
                               "c: recv 9b from 2 tag -1\nd: recv 9b from -1 tag 4\n"
                               "e: recv 5b from 3 tag 4\nb requires a\ng: send 1b to 3\n"
                               "g requires a\n}\n"
                               "rank 1 {\nw: calc 7\ns: send 1b to 0 tag 1\ns requires w\n}\n"
                               "rank 2 {\nsend 2b to 0 tag 2\ns: send 3b to 0 tag 4\n}\n"
                               "rank 3 {\na: send 5b to 0 tag 4\nr: recv 1b from 0\n"
                               "s: send 6b to 0 tag 4\ns requires r\n}\n";
    struct weft_schedule *schedule = compile(text, 4, 0);
    uint64_t lens[4] = {0};
    cr_assert_eq(try_text(text, 4), 18);
    for (uint32_t i = 0; i < schedule->op_count; i++)
        if (schedule->ops[i].kind == WEFT_OP_RECEIVE)
            lens[schedule->ops[i].peer] =
                lens[schedule->ops[i].peer] * 10 + schedule->ops[i].len_bytes;
    cr_assert_eq(lens[1], 1);
    cr_assert_eq(lens[2], 23);
    cr_assert_eq(lens[3], 56);
    weft_schedule_destroy(schedule);
}

/* MPI's rule: what comes may be shorter than its receive. */
Test(goal, longer_receives)
{
    cr_assert_eq(try_text("num_ranks 2\nrank 0 {\nsend 3b to 1\nsend 0b to 1 tag 1\n}\n"
                          "rank 1 {\nrecv 9b from 0\nrecv 4b from 0 tag 1\n}\n",
                          2),
                 3);
}

/* Where nothing is said a file of others means cpu 0, and what weft adds is on none. */
Test(goal, cpus)
{
    struct weft_schedule *schedule =
        compile("num_ranks 2\nrank 0 {\ncalc 11\nc: calc 12 cpu 3\n"
                "r: recv 1b from 1 cpu 9\nr requires c\ncalc 13 cpu 65535 nic 2\nd: calc 14\n"
                "d requires r\n}\nrank 1 {\nsend 1b to 0 cpu 2\n}\n",
                2, 0);
    const uint32_t expected[] = {[0] = 0, [11] = 1, [12] = 4, [13] = 65536, [14] = 1};
    cr_assert_eq(schedule->op_count, 6);
    for (uint32_t i = 0; i < schedule->op_count; i++)
        cr_assert_eq(schedule->ops[i].cpu, expected[schedule->ops[i].duration_ns], "%u", i);
    weft_schedule_destroy(schedule);
}

/* ---- read once ---- */

/* What is read once for all ranks compiles to the same as what is read again for each. */
Test(goal, prepared_is_the_same)
{
    static const char text[] =
        "num_ranks 2\nrank 0 {\na: send 10b to 1 tag 1\nb: recv 7b from 1\n"
        "b requires a\n}\nrank 1 {\nrecv 10b from 0 tag 1\nsend 7b to 0\n}\n";
    struct weft_pattern_options options = options_of(text, 2), prepared = options;
    struct weft_error error = {0};
    cr_assert_eq(weft_pattern_prepare(goal(), &prepared, &error), WEFT_OK, "%s", error.text);
    cr_assert_not_null(prepared.prepared);
    for (uint32_t rank = 0; rank < 2; rank++) {
        struct weft_schedule *first = NULL, *second = NULL;
        cr_assert_eq(weft_pattern_compile(goal(), &options, rank, &first, &error), WEFT_OK);
        cr_assert_eq(weft_pattern_compile(goal(), &prepared, rank, &second, &error), WEFT_OK);
        cr_assert_eq(first->op_count, second->op_count);
        cr_assert_eq(first->buffer_bytes, second->buffer_bytes);
        cr_assert_arr_eq(first->ops, second->ops, first->op_count * sizeof(*first->ops));
        weft_schedule_destroy(first);
        weft_schedule_destroy(second);
    }
    weft_pattern_discard(goal(), &prepared);
    cr_assert_null(prepared.prepared);
}

Test(goal, a_cut_file_is_not_a_smaller_one)
{
    struct weft_pattern_options options =
        options_of("num_ranks 3\nrank 0 {\nsend 1b to 1\n}\nrank 1 {\nrecv 1b from 0\n}\n", 3);
    struct weft_error error = {0};
    cr_assert_eq(weft_pattern_prepare(goal(), &options, &error), WEFT_INVALID);
    cr_assert_not_null(strstr(error.text, "a.goal ends without rank 2"), "%s", error.text);
}

/* As editors on Windows write it. */
Test(goal, byte_order_mark)
{
    try_text("\xef\xbb\xbf"
             "num_ranks 2\nrank 0 {\nsend 1b to 1\n}\nrank 1 {\nrecv 1b from 0\n}\n",
             2);
}

/* ---- what is refused ---- */

static void refuse(const char *text, const char *place, const char *phrase)
{
    struct weft_pattern_options options = options_of(text, 2);
    struct weft_schedule *schedule = NULL;
    struct weft_error error = {0};
    cr_assert_neq(weft_pattern_compile(goal(), &options, 0, &schedule, &error), WEFT_OK, "%s",
                  text);
    cr_assert_null(schedule);
    cr_assert_not_null(strstr(error.text, place), "no '%s' in: %s", place, error.text);
    cr_assert_not_null(strstr(error.text, phrase), "no '%s' in: %s", phrase, error.text);
}

#define HEAD "num_ranks 2\nrank 0 {\n"

Test(goal, refusals)
{
    refuse("", "a.goal:1:1", "no 'num_ranks N'");
    refuse("num_ranks 0\n", "a.goal:1:", "at least one rank");
    refuse("num_ranks 3\n", "", "a schedule of 3 ranks, not 2");
    refuse("num_ranks 2\nnum_ranks 2\n", "a.goal:2:10", "duplicate");
    refuse("rank 0 {\n}\n", "a.goal:1:5", "'num_ranks N' must come before");
    refuse("num_ranks 2\nrank 2 {\n}\n", "a.goal:2:6", "a rank is at most 1");
    refuse("num_ranks 2\nrank 1 {\n}\nrank 1 {\n}\n", "a.goal:4:6", "duplicate");
    refuse("num_ranks 2\n}\n", "a.goal:2:1", "no rank is open");
    refuse(HEAD, "a.goal:3:1", "its '}' is missing");
    refuse(HEAD "pass 1b to 1\n}\n", "a.goal:3:1", "expected a statement");
    refuse(HEAD "l1: pass 1b to 1\n}\n", "a.goal:3:5", "send, recv or calc");
    refuse(HEAD "l1: send 1 to 1\n}\n", "a.goal:3:", "ends in 'b'");
    refuse(HEAD "l1: send 1b from 1\n}\n", "a.goal:3:", "'to' and a rank");
    refuse(HEAD "l1: send 1b to 0\n}\n", "a.goal:3:16", "cannot send to itself");
    refuse(HEAD "l1: send 1b to -1\n}\n", "a.goal:3:16", "of a receive");
    refuse(HEAD "l1: send 1b to 1 tag -1\n}\n", "a.goal:3:22", "of a receive");
    refuse(HEAD "l1: recv 1b from 1 tag -12\n}\n", "a.goal:3:24", "not negative");
    refuse(HEAD "l1: send 1b to 9999999\n}\n", "a.goal:3:16", "a rank is at most 1");
    refuse(HEAD "l1: send 0b to 9999998\n}\n", "a.goal:3:16", "a rank is at most 1");
    refuse(HEAD "l1: calc -12\n}\n", "a.goal:3:10", "not negative");
    refuse(HEAD "l1: calc 12 cpu 65536\n}\n", "a.goal:3:17", "a cpu is at most 65535");
    refuse(HEAD "l1: put 8b to 1 tag 10\n}\n", "a.goal:3:5", "Portals extension");
    refuse(HEAD "append 8b to priority_list\n}\n", "a.goal:3:1", "Portals extension");
    refuse(HEAD "l1: recv 1b from 1 tag 1 tag 2\n}\n", "a.goal:3:26", "at most once");
    refuse(HEAD "l1: send 2000000000b to 1\n}\n", "a.goal:3:", "cut it into several");
    refuse(HEAD "l1: calc 99999999999999999999999\n}\n", "a.goal:3:10", "at most");
    refuse(HEAD "l1: calc 1 calc 2\n}\n", "a.goal:3:12", "the end of the line");
    refuse(HEAD "l1: calc 1\nl1: calc 2\nl2: calc 3\nl2 requires l1\n}\n", "a.goal:6:13",
           "in line 3 and again in line 4");
    refuse(HEAD "l1: calc 1\nl1 requires l2\n}\n", "a.goal:4:13", "no operation of rank 0");
    refuse(HEAD "l2 requires l1\n}\n", "a.goal:3:1", "must come before its use");
    refuse(HEAD "l1: calc 1\nl1 requires\n}\n", "a.goal:4:", "expected a label");
    refuse(HEAD "//@ at 5\n}\n", "a.goal:3:5", "'//@ weft 1'");
    refuse("num_ranks 2\n//@ weft 2\n", "a.goal:2:", "version 1");
    refuse("num_ranks 2\n//@ weft 1\n//@ elements int9 sum\n", "a.goal:3:14", "'int9'");
#define OWN "num_ranks 2\n//@ weft 1\nrank 0 {\n"
    refuse(OWN "//@ at 5\n}\n", "a.goal:4:5", "right after an operation");
    refuse(OWN "calc 5\n//@ at 5\n}\n", "a.goal:5:", "belongs to a send");
    refuse(OWN "calc 5\n//@ reduce 4b at 0 from 8\n}\n", "a.goal:5:", "belongs to a 'calc 0'");
    refuse(OWN "send 1b to 1\n//@ at 5 qp 256\n}\n", "a.goal:5:", "qp is at most 255");
    refuse(OWN "send 1b to 1\n//@ at 5\n}\n", "rank 0: operation 0", "goes past the end");
    refuse(OWN "//@ expect copy 4b at 0 rank 9 from 0\n}\n", "rank 0", "goes past the end");
}

Test(goal, what_does_not_match)
{
    refuse(HEAD "send 1b to 1 tag 7\n}\n", "a.goal:3", "rank 1 has no receive left");
    refuse(HEAD "recv 1b from 1\n}\n", "a.goal:3", "rank 1 has no send left");
    refuse(HEAD "send 2b to 1\n}\nrank 1 {\nrecv 1b from 0\n}\n", "a.goal:6", "line 3 has 2 B");
    refuse(HEAD "send 1b to 1 tag 1\n}\nrank 1 {\nrecv 1b from 0 tag 2\n}\n", "a.goal:3", "tag 1");
}

Test(goal, any_that_cannot_be)
{
    refuse(HEAD "recv 1b from -1\n}\n", "a.goal:3", "1 receives from any rank or with any tag");
    refuse(HEAD "calc 1\nrecv 1b from 1 tag -1\n}\nrank 1 {\nsend 1b to 0\nsend 1b to 0\n}\n",
           "a.goal:4", "2 messages");
    refuse(HEAD "recv 1b from -1 tag 3\n}\nrank 1 {\nsend 1b to 0 tag 2\n}\n", "a.goal:3",
           "gets no message");
    refuse(HEAD "recv 1b from -1\n}\nrank 1 {\nsend 2b to 0\n}\n", "a.goal:3", "at most 1 B");
    refuse(HEAD "a: recv 1b from -1\ns: send 1b to 1\ns requires a\n}\n"
                "rank 1 {\nr: recv 1b from 0\ns: send 1b to 0\ns requires r\n}\n",
           "a.goal:3", "gets no message");
    refuse("num_ranks 2\n//@ weft 1\nrank 0 {\nrecv 1b from -1\n}\n", "a.goal:4:14",
           "weft did not write");
}

Test(goal, cycles)
{
    refuse(HEAD "a: calc 1\nb: calc 1\na requires b\nb requires a\n}\n",
           "a.goal:", "can never run");
    refuse(HEAD "a: calc 1\nb: calc 1\na irequires b\nb irequires a\n}\n",
           "a.goal:", "waits for itself");
    refuse("num_ranks 2\n"
           "rank 0 {\na: recv 1b from 1\nb: send 1b to 1\nb requires a\n}\n"
           "rank 1 {\na: recv 1b from 0\nb: send 1b to 0\nb requires a\n}\n",
           "a.goal:", "waits for rank");
}

Test(goal, needs_a_file)
{
    struct weft_pattern_options options = {.rank_count = 2};
    struct weft_error error = {0};
    cr_assert_eq(weft_pattern_check(goal(), &options, &error), WEFT_INVALID);
    cr_assert_not_null(strstr(error.text, "ends in .goal"), "%s", error.text);
    options = options_of("num_ranks 2\n", 2);
    options.size_bytes = 5;
    cr_assert_eq(weft_pattern_check(goal(), &options, &error), WEFT_INVALID);
    cr_assert_not_null(strstr(error.text, "has no size"), "%s", error.text);
}
