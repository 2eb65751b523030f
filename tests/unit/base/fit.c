/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/fit.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void expect(const char *text, uint32_t columns, bool ascii, const char *wanted)
{
    char *fitted = weft_text_fit(text, columns, ascii);
    cr_assert_str_eq(fitted, wanted, "at %u:\n%s\n-- not --\n%s", columns, fitted, wanted);
    free(fitted);
}

Test(fit, leaves_what_fits_and_all_where_no_width_is_known)
{
    expect("", 60, false, "");
    expect("a b\n\nc", 3, false, "a b\n\nc");
    expect("one two three\n", 0, false, "one two three\n");
}

Test(fit, breaks_where_figures_are_parted_before_it_breaks_between_words)
{
    expect("busbw 1 Gbps · lost none of it", 20, false, "busbw 1 Gbps ·\n  lost none of it");
    expect("  p50  10 us    three iterations", 20, false,
           "  p50  10 us\n       three\n       iterations");
}

Test(fit, puts_what_follows_below_what_the_label_is_of)
{
    expect("warning    alpha beta gamma", 22, false, "warning    alpha beta\n           gamma");
    expect("alpha beta gamma", 12, false, "alpha beta\n  gamma");
}

Test(fit, keeps_a_number_and_its_unit_together)
{
    expect("it took about 250 us in all", 17, false, "it took about\n  250 us in all");
}

Test(fit, leaves_a_word_whole_that_is_too_wide)
{
    expect("see /a/long/path now", 8, false, "see\n  /a/long/path\n  now");
    expect("/a/long/path", 4, false, "/a/long/path");
}

Test(fit, counts_characters_and_not_bytes)
{
    cr_assert_eq(weft_text_columns("a · b", strlen("a · b")), 5);
    expect("a · b", 5, false, "a · b");
}

Test(fit, writes_ascii_where_that_is_all_there_is)
{
    expect("a · b → c é", 0, true, "a | b -> c ?");
}

/* Whatever the width: no line is wider, for no word is, and no word is lost. */
Test(fit, fits_every_width)
{
    const char *text =
        "  completion       10.2 us   11.3 us         -   20.9 us    12,345 iterations\n"
        "  busbw 22.1 Gbps · algbw 12.6 Gbps · lost 0 · retransmitted 0 · noise 1 us\n";
    for (uint32_t columns = 24; columns < 100; columns++) {
        char *fitted = weft_text_fit(text, columns, false);
        char *rest = NULL, *of = strdup(text), *from = NULL;
        for (const char *line = fitted; *line; line += strcspn(line, "\n") + 1)
            cr_assert_leq(weft_text_columns(line, strcspn(line, "\n")), columns, "%s", fitted);
        char *word = strtok_r(fitted, " \n", &rest);
        for (char *was = strtok_r(of, " \n", &from); was; was = strtok_r(NULL, " \n", &from)) {
            cr_assert_str_eq(word, was);
            word = strtok_r(NULL, " \n", &rest);
        }
        cr_assert_null(word);
        free(fitted);
        free(of);
    }
}
