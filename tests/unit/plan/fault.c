/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "fabric/plan/plan.h"

static struct weft_fault_options parse(const char *text)
{
    struct weft_fault_options fault = {0};
    struct weft_error error = {0};
    size_t at = 0;
    cr_assert_eq(weft_fault_parse(text, &fault, &at, &error), WEFT_OK, "%s", error.text);
    return fault;
}

Test(fault, takes_shares_as_people_write_them)
{
    struct weft_fault_options fault = parse(
        "drop=1e-4,corrupt=0.001%, duplicate=0.5 ,reorder=1e-3:8,delay=100%:50us,ecn=1,seed=3");
    cr_assert_float_eq(fault.drop, 1e-4, 1e-18);
    cr_assert_float_eq(fault.corrupt, 1e-5, 1e-18);
    cr_assert_eq(fault.duplicate, 0.5);
    cr_assert_float_eq(fault.reorder, 1e-3, 1e-18);
    cr_assert_eq(fault.reorder_frames, 8);
    cr_assert_eq(fault.delay, 1);
    cr_assert_eq(fault.delay_ns, 50000);
    cr_assert_eq(fault.mark, 1);
    cr_assert_eq(fault.seed, 3);
}

Test(fault, has_defaults_and_can_be_none)
{
    struct weft_fault_options fault = parse("delay=.1,reorder=0");
    cr_assert_eq(fault.delay_ns, 0);
    cr_assert_eq(fault.reorder_frames, 0);
    cr_assert_eq(fault.drop, 0);
    cr_assert_eq(fault.seed, WEFT_FAULT_SEED_DEFAULT);
    cr_assert(weft_fault_is_on(&fault));
    fault = parse("none");
    cr_assert_not(weft_fault_is_on(&fault));
    fault = parse("drop=0");
    cr_assert_not(weft_fault_is_on(&fault));
}

Test(fault, its_text_reads_back_the_same)
{
    char text[WEFT_FAULT_TEXT], again[WEFT_FAULT_TEXT];
    const struct weft_fault_options faults[] = {
        {0},
        {.drop = 1e-4, .seed = 1},
        {.drop = 1.0 / 3,
         .corrupt = 1.0 / 3,
         .duplicate = 1.0 / 3,
         .reorder = 1.0 / 3,
         .delay = 1.0 / 3,
         .mark = 2.2250738585072014e-12,
         .delay_ns = 999999999,
         .reorder_frames = 1000,
         .seed = UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct weft_fault_options got = parse(weft_fault_format(&faults[i], text));
        cr_assert_eq(memcmp(&got, &faults[i], sizeof(got)), 0, "%s, %s", text,
                     weft_fault_format(&got, again));
    }
    cr_assert_str_eq(weft_fault_format(&faults[0], text), "none");
    cr_assert_str_eq(weft_fault_format(&faults[1], text), "drop=0.0001,seed=1");
}

static void refuses(const char *text, size_t place, const char *phrase)
{
    struct weft_fault_options fault = {.seed = 42};
    struct weft_error error = {0};
    size_t at = 99;
    cr_assert_eq(weft_fault_parse(text, &fault, &at, &error), WEFT_INVALID, "%s", text);
    cr_assert_not_null(strstr(error.text, phrase), "no '%s' in: %s", phrase, error.text);
    cr_assert_eq(at, place, "%s: at %zu", text, at);
    cr_assert_eq(fault.seed, 42);
}

Test(fault, refuses_the_rest)
{
    refuses("", 0, "write them like drop=1e-4");
    refuses("drop", 0, "'drop' is not a fault");
    refuses("=1", 0, "is not a fault");
    refuses("drop=", 0, "it is not a number");
    refuses("drop=nan", 0, "it is not a number");
    refuses("drop=inf", 0, "it is not a number");
    refuses("drop=0x1", 0, "it is not a number");
    refuses("drop=1e-4.5", 0, "it is not a number");
    refuses("drop=1%%", 0, "it is not a number");
    refuses("drop=1e999", 0, "from 0 to 1");
    refuses("drop=-0.1", 0, "from 0 to 1");
    refuses("drop=101%", 0, "from 0 to 1");
    refuses("drop=1e-300", 0, "too small to ever happen");
    refuses("drop=1,", 7, "is not a fault");
    refuses("drop=1,,ecn=1", 7, "is not a fault");
    refuses("drop=1 ecn=1", 7, "expected a comma between faults");
    refuses("drop=1, drop=1", 8, "duplicate 'drop'");
    refuses("ecn=1,Corrupt=1", 6, "did you mean 'corrupt'?");
    refuses("wibble=1", 0, "use drop, corrupt, duplicate, reorder, delay, ecn");
    refuses("drop=1:5", 0, "nothing may follow its share");
    refuses("delay=1:", 0, "delay: ");
    refuses("delay=1:5", 0, "it has no unit");
    refuses("delay=1:0ns", 0, "outside 1ns to 1s");
    refuses("delay=1:2s", 0, "outside 1ns to 1s");
    refuses("reorder=1:0", 0, "outside 1 to 1000");
    refuses("reorder=1:1001", 0, "outside 1 to 1000");
    refuses("reorder=1:x", 0, "reorder: ");
    refuses("seed=-1,drop=1", 0, "seed: ");
    refuses("seed=18446744073709551616", 0, "seed: ");
    char endless[400];
    memset(endless, '1', sizeof(endless) - 1);
    memcpy(endless, "drop=", 5);
    endless[sizeof(endless) - 1] = '\0';
    refuses(endless, 0, "is not a fault");
}
