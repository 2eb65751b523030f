/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/verbs/gid.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

static struct weft_verbs_gid gid(uint32_t index, const char *text, enum weft_verbs_gid_type type)
{
    struct weft_verbs_gid made = {.index = index, .type = type};
    cr_assert(inet_pton(AF_INET6, text, made.bytes) == 1);
    return made;
}

static const struct weft_ip any = {0};

/* What an mlx5 port has: every address twice, v1 first. */
static void port_table(struct weft_verbs_gid table[6])
{
    table[0] = gid(0, "fe80::1", WEFT_VERBS_GID_ROCE_V1);
    table[1] = gid(1, "fe80::1", WEFT_VERBS_GID_ROCE_V2);
    table[2] = gid(2, "2001:db8::1", WEFT_VERBS_GID_ROCE_V2);
    table[3] = gid(5, "::ffff:10.0.0.1", WEFT_VERBS_GID_ROCE_V1);
    table[4] = gid(6, "::ffff:10.0.0.1", WEFT_VERBS_GID_ROCE_V2);
    table[5] = gid(7, "::ffff:10.0.0.2", WEFT_VERBS_GID_ROCE_V2);
}

static uint32_t chosen(const struct weft_verbs_gid *table, uint32_t count,
                       const struct weft_ip *address)
{
    struct weft_verbs_gid got;
    struct weft_error error = {0};
    cr_assert(weft_verbs_gid_choose(table, count, address, &got, &error) == WEFT_OK, "%s",
              error.text);
    return got.index;
}

Test(gid_choose, prefers_v2_then_ipv4_then_global)
{
    struct weft_verbs_gid table[6];
    port_table(table);
    cr_assert_eq(chosen(table, 6, &any), 6);
    cr_assert_eq(chosen(table, 4, &any), 2);
    cr_assert_eq(chosen(table, 2, &any), 1);
    cr_assert_eq(chosen(table, 1, &any), 0);
}

Test(gid_choose, v2_link_local_is_before_v1_ipv4)
{
    struct weft_verbs_gid table[6];
    port_table(table);
    struct weft_verbs_gid two[2] = {table[3], table[1]};
    cr_assert_eq(chosen(two, 2, &any), 1);
}

Test(gid_choose, takes_the_address_that_is_given)
{
    struct weft_verbs_gid table[6];
    port_table(table);
    struct weft_ip second = {.version = 4, .prefix_bits = 24, .bytes = {10, 0, 0, 2}};
    cr_assert_eq(chosen(table, 6, &second), 7);
    struct weft_ip local = {.version = 6};
    memcpy(local.bytes, table[0].bytes, 16);
    cr_assert_eq(chosen(table, 6, &local), 1, "of two entries of one address the v2");
}

Test(gid_choose, shows_the_table_where_the_address_is_not_in_it)
{
    struct weft_verbs_gid table[6], got = {.index = 77};
    port_table(table);
    struct weft_ip other = {.version = 4, .bytes = {10, 0, 0, 9}};
    struct weft_error error = {0};
    cr_assert_eq(weft_verbs_gid_choose(table, 6, &other, &got, &error), WEFT_NOT_FOUND);
    cr_assert_eq(got.index, 77, "an output is left alone on failure");
    cr_assert(strstr(error.text, "::ffff:10.0.0.9"));
    cr_assert(strstr(error.text, "  6  RoCE v2  ::ffff:10.0.0.1"));
    cr_assert(strstr(error.text, "  0  RoCE v1  fe80::1"));
}

Test(gid_choose, cuts_a_long_table)
{
    struct weft_verbs_gid table[200], got;
    for (uint32_t i = 0; i < 200; i++)
        table[i] = gid(i, "2001:db8:1111:2222:3333:4444:5555:6666", WEFT_VERBS_GID_ROCE_V2);
    struct weft_ip other = {.version = 4, .bytes = {10, 0, 0, 9}};
    struct weft_error error = {0};
    cr_assert_eq(weft_verbs_gid_choose(table, 200, &other, &got, &error), WEFT_NOT_FOUND);
    cr_assert(strstr(error.text, "\n  ..."));
    cr_assert(strlen(error.text) + 1 < sizeof(error.text));
}

Test(gid_choose, refuses_a_table_without_a_usable_entry)
{
    struct weft_verbs_gid got, empty = gid(0, "::", WEFT_VERBS_GID_ROCE_V2);
    struct weft_error error = {0};
    cr_assert_eq(weft_verbs_gid_choose(NULL, 0, &any, &got, &error), WEFT_NOT_FOUND);
    cr_assert_eq(weft_verbs_gid_choose(&empty, 1, &any, &got, &error), WEFT_NOT_FOUND);
    cr_assert(strstr(error.text, "ip address add"));
}

Test(gid_choose, infiniband_takes_the_first)
{
    struct weft_verbs_gid table[2] = {
        gid(0, "fe80::e41d:2d03:0:1", WEFT_VERBS_GID_INFINIBAND),
        gid(1, "fe80::e41d:2d03:0:2", WEFT_VERBS_GID_INFINIBAND),
    };
    cr_assert_eq(chosen(table, 2, &any), 0);
}
