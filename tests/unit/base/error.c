/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/error.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char text[] = "tests:\nduraton: 5s\n\tx: \xc3\xa9 y\nlast";
static const struct weft_source source = {"plan.yaml", text, sizeof(text) - 1};

static struct weft_error at(uint32_t line, uint32_t column)
{
    struct weft_error error = {0};
    const struct weft_location where = {&source, line, column};
    cr_assert_eq(weft_error_at(&error, &where, "no %s", "good"), WEFT_INVALID);
    cr_assert_eq(error.status, WEFT_INVALID);
    return error;
}

Test(error, sets_and_replaces)
{
    struct weft_error error = {0};
    cr_assert_eq(weft_error_set(&error, WEFT_IO, "a much longer text %d", 1), WEFT_IO);
    cr_assert_eq(weft_error_set(&error, WEFT_TIMEOUT, "rank %d", 2), WEFT_TIMEOUT);
    cr_assert_eq(error.status, WEFT_TIMEOUT);
    cr_assert_str_eq(error.text, "rank 2");
    cr_assert_eq(weft_error_set(NULL, WEFT_IO, "nobody reads this"), WEFT_IO);
}

Test(error, points_into_the_source)
{
    cr_assert_str_eq(at(2, 1).text, "plan.yaml:2:1: error: no good\n"
                                    "     2 | duraton: 5s\n"
                                    "       | ^");
    cr_assert_str_eq(at(2, 10).text, "plan.yaml:2:10: error: no good\n"
                                     "     2 | duraton: 5s\n"
                                     "       |          ^");
}

Test(error, counts_characters_not_bytes)
{
    cr_assert_str_eq(at(3, 7).text, "plan.yaml:3:7: error: no good\n"
                                    "     3 |  x: \xc3\xa9 y\n"
                                    "       |       ^");
}

Test(error, shows_what_it_knows)
{
    cr_assert_str_eq(at(0, 0).text, "plan.yaml: error: no good");
    cr_assert_str_eq(at(4, 0).text, "plan.yaml:4: error: no good\n     4 | last");
    cr_assert_str_eq(at(9, 3).text, "plan.yaml:9:3: error: no good", "a line that is not there");
    const struct weft_source unread = {"gone.yaml", NULL, 0};
    const struct weft_location where = {&unread, 1, 1};
    struct weft_error error = {0};
    (void)weft_error_at(&error, &where, "x");
    cr_assert_str_eq(error.text, "gone.yaml:1:1: error: x");
    cr_assert_eq(weft_error_at(NULL, &where, "x"), WEFT_INVALID);
}

Test(error, puts_words_before)
{
    struct weft_error error = {0};
    (void)weft_error_set(&error, WEFT_IO, "no answer");
    cr_assert_eq(weft_error_prefix(&error, "rank %u: ", 3), WEFT_IO);
    cr_assert_eq(weft_error_prefix(&error, "%s: ", "test 1"), WEFT_IO);
    cr_assert_str_eq(error.text, "test 1: rank 3: no answer");
}

Test(error, cuts_what_does_not_fit)
{
    char *endless = calloc(1, 10000);
    memset(endless, 'e', 9999);
    struct weft_error error = {0};
    (void)weft_error_set(&error, WEFT_IO, "%s", endless);
    cr_assert_eq(strlen(error.text), sizeof(error.text) - 1);
    (void)weft_error_prefix(&error, "%s", "at the front ");
    cr_assert_eq(strlen(error.text), sizeof(error.text) - 1);
    cr_assert_eq(strncmp(error.text, "at the front e", 14), 0);

    /* A line of any length leaves room for itself. */
    const struct weft_source wide = {"w", endless, 9999};
    const struct weft_location where = {&wide, 1, 5000};
    (void)weft_error_at(&error, &where, "here");
    cr_assert_eq(strncmp(error.text, "w:1:5000: error: here\n     1 | eee", 33), 0);
    cr_assert_lt(strlen(error.text), 250u);
    free(endless);
}

Test(error, holds_only_printable_text)
{
    struct weft_error error = {0};
    (void)weft_error_set(&error, WEFT_IO, "'%s'\nnext", "a\x1b[31m\xff\xc3\xa9\x7f");
    cr_assert_str_eq(error.text, "'a?[31m?\xc3\xa9?'\nnext");

    /* A character that the end of the room cuts in two. */
    char accents[2001];
    for (int i = 0; i < 1000; i++)
        memcpy(accents + 2 * i, "\xc3\xa9", 3);
    (void)weft_error_set(&error, WEFT_IO, "%s", accents);
    cr_assert_eq(error.text[sizeof(error.text) - 2], '?');
}

Test(status, has_words_for_each)
{
    for (int status = 0; status < WEFT_STATUS_COUNT; status++) {
        const char *words = weft_status_text((enum weft_status)status);
        cr_assert(words && *words, "status %d", status);
        for (int other = 0; other < status; other++)
            cr_assert_str_neq(words, weft_status_text((enum weft_status)other));
    }
    cr_assert_str_eq(weft_status_text((enum weft_status)999), "unknown status");
}
