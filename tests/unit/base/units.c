/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/units.h"

#include <criterion/criterion.h>

#include "fabric/base/random.h"

typedef enum weft_status (*parser)(const char *text, uint64_t *ret_value, struct weft_error *error);
typedef char *(*formatter)(uint64_t value, char text[WEFT_UNITS_TEXT]);

struct good {
    parser parse;
    const char *text;
    uint64_t value;
};

Test(units, reads_what_people_write)
{
    static const struct good goods[] = {
        {weft_parse_size, "64KiB", 65536},
        {weft_parse_size, "4MB", 4000000},
        {weft_parse_size, "4kB", 4000},
        {weft_parse_size, "1GiB", 1 << 30},
        {weft_parse_size, "64B", 64},
        {weft_parse_size, "0", 0},
        {weft_parse_size, "1.5KiB", 1536},
        {weft_parse_size, "4096", 4096},
        {weft_parse_size, "64K", 65536},
        {weft_parse_size, "64k", 65536},
        {weft_parse_size, "1M", 1 << 20},
        {weft_parse_size, "2G", UINT64_C(1) << 31},
        {weft_parse_size, "1T", UINT64_C(1) << 40},
        {weft_parse_size, "5 KiB", 5120},
        {weft_parse_time, "5 ms", 5000000},
        {weft_parse_rate, "10 Gbps", UINT64_C(10000000000)},
        {weft_parse_size, "18446744073709551615", UINT64_MAX},
        {weft_parse_size, "16777215.50TiB", UINT64_MAX - (UINT64_C(1) << 39) + 1},
        {weft_parse_rate, "400Gbps", UINT64_C(400000000000)},
        {weft_parse_rate, "10Mbps", 10000000},
        {weft_parse_rate, "5kbps", 5000},
        {weft_parse_rate, "1Tbps", UINT64_C(1000000000000)},
        {weft_parse_rate, "100bps", 100},
        {weft_parse_rate, "2.5Gbps", UINT64_C(2500000000)},
        {weft_parse_time, "10ns", 10},
        {weft_parse_time, "10us", 10000},
        {weft_parse_time, "1.5us", 1500},
        {weft_parse_time, "5ms", 5000000},
        {weft_parse_time, "3s", UINT64_C(3000000000)},
        {weft_parse_time, "2m", UINT64_C(120000000000)},
        {weft_parse_time, "1h", UINT64_C(3600000000000)},
        {weft_parse_time, "1.000000001s", 1000000001},
        {weft_parse_time, "1.50000000000000000000000000s", 1500000000},
        {weft_parse_time, "0.000000001s", 1},
        {weft_parse_count, "1000", 1000},
        {weft_parse_count, "100k", 100000},
        {weft_parse_count, "5M", 5000000},
        {weft_parse_count, "1.5k", 1500},
        {weft_parse_count, "007", 7},
    };
    for (size_t i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
        uint64_t value = 1;
        struct weft_error error = {0};
        enum weft_status status = goods[i].parse(goods[i].text, &value, &error);
        cr_assert_eq(status, WEFT_OK, "%s: %s", goods[i].text, error.text);
        cr_assert_eq(value, goods[i].value, "%s", goods[i].text);
    }
}

struct bad {
    parser parse;
    const char *text;
    const char *phrase; /* in the error */
};

Test(units, refuses_the_rest_and_says_why)
{
    static const struct bad bads[] = {
        {weft_parse_size, "", "it is empty; write it like 64KiB"},
        {weft_parse_size, "-5", "'-5' is not a size: it is negative"},
        {weft_parse_size, "+5", "does not begin with a digit"},
        {weft_parse_size, "KiB", "does not begin with a digit"},
        {weft_parse_size, " 5", "does not begin with a digit"},
        {weft_parse_size, "5 ", "the unit ' ' is unknown"},
        {weft_parse_size, "5kib", "did you mean 'KiB'?"},
        {weft_parse_size, "0x10", "the unit 'x10' is unknown"},
        {weft_parse_size, "1e3", "the unit 'e3' is unknown"},
        {weft_parse_size, "1.5", "not a whole number of bytes"},
        {weft_parse_size, "1.", "no digit follows the point"},
        {weft_parse_size, ".5KiB", "does not begin with a digit"},
        {weft_parse_size, "1.2.3KiB", "is unknown"},
        {weft_parse_size, "18446744073709551616", "too large"},
        {weft_parse_size, "99999999999999999999999999999999", "too large"},
        {weft_parse_size, "16777216TiB", "too large"},
        {weft_parse_size, "64KiB ", "is unknown"},
        {weft_parse_rate, "400", "it has no unit; write it like 400Gbps"},
        {weft_parse_rate, "400Gbit", "is unknown"},
        {weft_parse_rate, "400gbps", "did you mean 'Gbps'?"},
        {weft_parse_rate, "10GBps", "'GBps' counts bytes, and a rate counts bits: multiply by 8"},
        {weft_parse_rate, "10MB/s", "counts bytes"},
        {weft_parse_rate, "1.5bps", "not a whole number of bits a second"},
        {weft_parse_time, "10", "it has no unit; write it like 10us"},
        {weft_parse_time, "10sec", "is unknown"},
        {weft_parse_time, "0.5ns", "not a whole number of nanoseconds"},
        {weft_parse_time, "0.1234567890123456789s", "too many digits"},
        {weft_parse_time, "5124096h", "too large"},
        {weft_parse_count, "5K", "did you mean 'k'?"},
        {weft_parse_count, "many", "does not begin with a digit"},
    };
    for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
        uint64_t value = 42;
        struct weft_error error = {0};
        enum weft_status status = bads[i].parse(bads[i].text, &value, &error);
        cr_assert_eq(status, WEFT_INVALID, "%s gave %lu", bads[i].text, value);
        cr_assert_eq(error.status, WEFT_INVALID);
        cr_assert_eq(value, 42, "%s touched the output", bads[i].text);
        cr_assert_not_null(strstr(error.text, bads[i].phrase), "%s: %s", bads[i].text, error.text);
    }
}

Test(units, quotes_long_and_hostile_text_within_bounds)
{
    char text[5000];
    memset(text, '7', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    text[0] = '\x1b';
    struct weft_error error = {0};
    uint64_t value;
    cr_assert_eq(weft_parse_size(text, &value, &error), WEFT_INVALID);
    cr_assert_lt(strlen(error.text), 200u);
    cr_assert_eq(strchr(error.text, '\x1b'), NULL);
    cr_assert_eq(weft_parse_size("x", &value, NULL), WEFT_INVALID);
}

Test(units, writes_the_shortest)
{
    char text[WEFT_UNITS_TEXT];
    cr_assert_str_eq(weft_format_size(65536, text), "64KiB");
    cr_assert_str_eq(weft_format_size(1000, text), "1000B");
    cr_assert_str_eq(weft_format_size(0, text), "0B");
    cr_assert_str_eq(weft_format_size(UINT64_C(1) << 50, text), "1024TiB");
    cr_assert_str_eq(weft_format_rate(UINT64_C(400000000000), text), "400Gbps");
    cr_assert_str_eq(weft_format_rate(2500000000, text), "2500Mbps");
    cr_assert_str_eq(weft_format_time(10000, text), "10us");
    cr_assert_str_eq(weft_format_time(1500, text), "1500ns");
    cr_assert_str_eq(weft_format_time(UINT64_C(90000000000), text), "90s");
    cr_assert_str_eq(weft_format_time(UINT64_C(7200000000000), text), "2h");
    cr_assert_str_eq(weft_format_size(UINT64_MAX, text), "18446744073709551615B");
}

static void check_round_trip(formatter format, parser parse, uint64_t value)
{
    char text[WEFT_UNITS_TEXT];
    uint64_t back = ~value;
    cr_assert_eq(parse(format(value, text), &back, NULL), WEFT_OK, "%s", text);
    cr_assert_eq(back, value, "%s", text);
}

Test(units, reads_back_what_it_wrote)
{
    struct weft_random random;
    weft_random_seed(&random, 1);
    for (int i = 0; i < 20000; i++) {
        /* All magnitudes, round numbers among them. */
        uint64_t value = weft_random_next(&random) >> weft_random_below(&random, 64);
        if (i % 2)
            value = value / 1000000000 * 1000000000;
        check_round_trip(weft_format_size, weft_parse_size, value);
        check_round_trip(weft_format_rate, weft_parse_rate, value);
        check_round_trip(weft_format_time, weft_parse_time, value);
    }
}

Test(units, shows_three_digits)
{
    char text[WEFT_UNITS_TEXT];
    cr_assert_str_eq(weft_show_time(0, text), "0 ns");
    cr_assert_str_eq(weft_show_time(999, text), "999 ns");
    cr_assert_str_eq(weft_show_time(1000, text), "1 us");
    cr_assert_str_eq(weft_show_time(1004, text), "1.00 us");
    cr_assert_str_eq(weft_show_time(1005, text), "1.01 us");
    cr_assert_str_eq(weft_show_time(41234, text), "41.2 us");
    cr_assert_str_eq(weft_show_time(9994, text), "9.99 us");
    cr_assert_str_eq(weft_show_time(9996, text), "10.0 us");
    cr_assert_str_eq(weft_show_time(99949, text), "99.9 us");
    cr_assert_str_eq(weft_show_time(99950, text), "100 us");
    cr_assert_str_eq(weft_show_time(999499, text), "999 us");
    cr_assert_str_eq(weft_show_time(999500, text), "1.00 ms");
    cr_assert_str_eq(weft_show_time(2910000, text), "2.91 ms");
    cr_assert_str_eq(weft_show_time(UINT64_C(90000000000), text), "90 s");
    cr_assert_str_eq(weft_show_time(UINT64_C(1000000000000), text), "16.7 m");
    cr_assert_str_eq(weft_show_rate(UINT64_C(22123456789), text), "22.1 Gbps");
    cr_assert_str_eq(weft_show_rate(UINT64_C(400000000000), text), "400 Gbps");
    cr_assert_str_eq(weft_show_size(4100000, text), "3.91 MiB");
    cr_assert_str_eq(weft_show_size(65536, text), "64 KiB");
    cr_assert_str_eq(weft_show_size(1023, text), "1023 B");
    cr_assert_str_eq(weft_show_size(1048575, text), "1.00 MiB");
    cr_assert_str_eq(weft_show_size(UINT64_MAX, text), "16777216 TiB");
}

Test(units, groups_counts)
{
    char text[WEFT_UNITS_TEXT];
    cr_assert_str_eq(weft_show_count(0, text), "0");
    cr_assert_str_eq(weft_show_count(999, text), "999");
    cr_assert_str_eq(weft_show_count(1000, text), "1,000");
    cr_assert_str_eq(weft_show_count(112000, text), "112,000");
    cr_assert_str_eq(weft_show_count(UINT64_MAX, text), "18,446,744,073,709,551,615");
}
