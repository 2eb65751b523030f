/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/suggest.h"

#include <criterion/criterion.h>

static const char *const names[] = {"duration", "iterations", "interval", "size", "a", NULL};

Test(suggest, finds_what_was_meant)
{
    cr_assert_str_eq(weft_suggest("duraton", names), "duration");
    cr_assert_str_eq(weft_suggest("duratoin", names), "duration");
    cr_assert_str_eq(weft_suggest("DURATION", names), "duration");
    cr_assert_str_eq(weft_suggest("iteration", names), "iterations");
    cr_assert_str_eq(weft_suggest("sizes", names), "size");
    cr_assert_str_eq(weft_suggest("sise", names), "size");
    cr_assert_str_eq(weft_suggest("szie", names), "size", "a swap is one slip, not two");
}

Test(suggest, keeps_quiet_where_nothing_is_near)
{
    static const char *const none[] = {NULL};
    char endless[10000];
    memset(endless, 'd', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    cr_assert_eq(weft_suggest("pattern", names), NULL);
    cr_assert_eq(weft_suggest("b", names), NULL, "one letter for another");
    cr_assert_eq(weft_suggest("", names), NULL);
    cr_assert_eq(weft_suggest("duration", none), NULL);
    cr_assert_eq(weft_suggest(endless, names), NULL);
}

Test(suggest, takes_the_nearest_and_of_two_the_first)
{
    static const char *const near[] = {"rate-x", "rates", "rater", NULL};
    cr_assert_str_eq(weft_suggest("rate", near), "rates");
}
