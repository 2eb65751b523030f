/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "fabric/base/random.h"
#include "fabric/topology/topology.h"

static struct weft_ip parse(const char *text)
{
    struct weft_ip address = {0};
    struct weft_error error = {0};
    cr_assert_eq(weft_ip_parse(text, &address, &error), WEFT_OK, "%s", error.text);
    return address;
}

Test(ip, reads_both_versions)
{
    struct weft_ip v4 = parse("198.18.0.1/16");
    cr_assert_eq(v4.version, 4);
    cr_assert_eq(v4.prefix_bits, 16);
    cr_assert_eq(memcmp(v4.bytes, "\xc6\x12\x00\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16), 0);
    struct weft_ip v6 = parse("2001:db8::1/48");
    cr_assert_eq(v6.version, 6);
    cr_assert_eq(v6.prefix_bits, 48);
    cr_assert_eq(memcmp(v6.bytes, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16), 0);
}

Test(ip, has_a_prefix_where_none_is_written)
{
    cr_assert_eq(parse("10.0.0.1").prefix_bits, 24);
    cr_assert_eq(parse("fe80::1").prefix_bits, 64);
    cr_assert_eq(parse("10.0.0.1/32").prefix_bits, 32);
    cr_assert_eq(parse("fe80::1/128").prefix_bits, 128);
    cr_assert_eq(parse("10.0.0.1/1").prefix_bits, 1);
}

Test(ip, refuses_what_is_none)
{
    static const char *const bads[] = {
        "",
        "x",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "1.2.3.4/",
        "1.2.3.4/0",
        "1.2.3.4/33",
        "1.2.3.4/024",
        "1.2.3.4/x",
        "1.2.3.4 ",
        " 1.2.3.4",
        "01.2.3.4",
        "1..3.4",
        "1.2.3.-4",
        "1.2.3.4/24/1",
        "1.2.3.4444",
        ":",
        ":::",
        "1:",
        ":1",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "::/129",
        "12345::",
        "g::",
        "fe80::1%eth0",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "::1.2.3",
        "::1.2.3.4:5",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1.2.3.4::",
    };
    for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
        struct weft_ip address = {.version = 9};
        struct weft_error error = {0};
        cr_assert_eq(weft_ip_parse(bads[i], &address, &error), WEFT_INVALID, "'%s'", bads[i]);
        cr_assert_eq(address.version, 9, "'%s' touched the output", bads[i]);
        cr_assert_not_null(strstr(error.text, "is not an IP address"));
        cr_assert_not_null(strstr(error.text, "198.18.0.1/24"), "shows a right form");
    }
}

Test(ip, says_what_is_wrong)
{
    static const char *const wrongs[][2] = {
        {"1.2.3.256/24", "it has the wrong form"},
        {"1.2.3.4/33", "its prefix must be from /1 to /32"},
        {"1.2.3.4/256", "its prefix must be from /1 to /32"},
        {"1.2.3.4/280", "its prefix must be from /1 to /32"},
        {"fe80::1/129", "its prefix must be from /1 to /128"},
        {"1.2.3.4/24 ", "extra text follows it"},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", "it has the wrong form"},
    };
    for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
        struct weft_ip address;
        struct weft_error error = {0};
        cr_assert_eq(weft_ip_parse(wrongs[i][0], &address, &error), WEFT_INVALID);
        cr_assert_not_null(strstr(error.text, wrongs[i][1]), "'%s': %s", wrongs[i][0], error.text);
    }
}

Test(ip, reads_back_what_it_writes)
{
    struct weft_random random;
    weft_random_seed(&random, 6);
    for (int i = 0; i < 100000; i++) {
        struct weft_ip address = {.version = i % 2 ? 4 : 6, .prefix_bits = 1};
        for (uint32_t byte = 0; byte < (i % 2 ? 4u : 16u); byte++)
            address.bytes[byte] =
                (uint8_t)(weft_random_below(&random, 3) ? 0 : weft_random_next(&random));
        char text[WEFT_IP_TEXT];
        struct weft_ip back = parse(weft_ip_format(&address, true, text));
        cr_assert_eq(memcmp(&back, &address, sizeof(back)), 0, "%s", text);
    }
}

Test(ip, writes_the_known_forms)
{
    static const char *const texts[] = {
        "0.0.0.0/1",
        "255.255.255.255/32",
        "::/128",
        "::1/64",
        "1::/64",
        "1:0:0:2::/64",
        "1:0:2:3:4:5:6:7/64",
        "::ffff:10.0.0.1/128",
        "1:2:3:4:5:6:7:8/64",
    };
    char text[WEFT_IP_TEXT];
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct weft_ip address = parse(texts[i]);
        cr_assert_str_eq(weft_ip_format(&address, true, text), texts[i]);
    }
    struct weft_ip none = {0};
    cr_assert_str_eq(weft_ip_format(&none, true, text), "none");
}
