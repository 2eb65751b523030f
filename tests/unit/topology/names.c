/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/topology/names.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

Test(names, finds_what_was_added)
{
    struct weft_names names = {0};
    uint32_t later, earlier, index = 0;
    cr_assert(weft_names_sort(&names, &later, &earlier), "none");
    cr_assert(!weft_names_find(&names, "n0", &index));
    for (uint32_t i = 0; i < 1000; i++)
        weft_names_add(&names, i, "n%u", 999 - i);
    cr_assert(weft_names_sort(&names, &later, &earlier));
    for (uint32_t i = 0; i < 1000; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "n%u", i);
        cr_assert(weft_names_find(&names, text, &index));
        cr_assert_eq(index, 999 - i);
    }
    cr_assert(!weft_names_find(&names, "n1000", &index));
    cr_assert(!names.out_of_memory);
    weft_names_fini(&names);
}

Test(names, reports_the_first_double)
{
    struct weft_names names = {0};
    static const char *const texts[] = {"z", "b", "a", "z", "a", "b", "a"};
    for (uint32_t i = 0; i < 7; i++)
        weft_names_add(&names, i, "%s", texts[i]);
    uint32_t later = 0, earlier = 0;
    cr_assert(!weft_names_sort(&names, &later, &earlier));
    cr_assert_eq(later, 3u, "the second z comes before the second a and b");
    cr_assert_eq(earlier, 0u);
    weft_names_fini(&names);
}

Test(names, lists_them_for_suggestions)
{
    struct weft_names names = {0};
    uint32_t later, earlier;
    weft_names_add(&names, 0, "y");
    weft_names_add(&names, 1, "x");
    cr_assert(weft_names_sort(&names, &later, &earlier));
    const char **list = weft_names_list(&names);
    cr_assert_str_eq(list[0], "x");
    cr_assert_str_eq(list[1], "y");
    cr_assert_null(list[2]);
    free(list);
    weft_names_fini(&names);
}
