/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/units.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fabric/base/suggest.h"
#include "fabric/base/wide.h"

struct unit {
    const char *name;
    uint64_t scale;
    bool derived; /* written back and shown in it; else only read */
};

#define UNITS_MAX 16

struct quantity {
    const char *name;             /* "size" */
    const char *whole;            /* what one of it is called: "bytes" */
    const char *example;          /* right forms */
    bool bare;                    /* may it stand without a unit? Then it counts units of 1 */
    uint64_t base;                /* from how many of a unit on the next one is shown */
    struct unit units[UNITS_MAX]; /* the derived ones from small to large */
};

static const struct quantity sizes = {
    .name = "size",
    .whole = "bytes",
    .example = "64KiB (or 64K), 4MB or 4096",
    .bare = true,
    .base = 1024,
    .units = {{"B", 1, true},
              {"KiB", UINT64_C(1) << 10, true},
              {"MiB", UINT64_C(1) << 20, true},
              {"GiB", UINT64_C(1) << 30, true},
              {"TiB", UINT64_C(1) << 40, true},
              /* Without a B they are what `dd`, `ls` and fio mean by them. */
              {"K", UINT64_C(1) << 10, false},
              {"k", UINT64_C(1) << 10, false},
              {"M", UINT64_C(1) << 20, false},
              {"G", UINT64_C(1) << 30, false},
              {"T", UINT64_C(1) << 40, false},
              {"kB", 1000, false},
              {"KB", 1000, false},
              {"MB", 1000000, false},
              {"GB", 1000000000, false},
              {"TB", UINT64_C(1000000000000), false}},
};

static const struct quantity rates = {
    .name = "rate",
    .whole = "bits a second",
    .example = "400Gbps or 10Mbps",
    .base = 1000,
    .units = {{"bps", 1, true},
              {"kbps", 1000, true},
              {"Mbps", 1000000, true},
              {"Gbps", 1000000000, true},
              {"Tbps", UINT64_C(1000000000000), true}},
};

static const struct quantity times = {
    .name = "time",
    .whole = "nanoseconds",
    .example = "10us, 5ms or 3s",
    .base = 1000,
    .units = {{"ns", 1, true},
              {"us", 1000, true},
              {"ms", 1000000, true},
              {"s", 1000000000, true},
              {"m", UINT64_C(60000000000), true},
              {"h", UINT64_C(3600000000000), true}},
};

static const struct quantity counts = {
    .name = "count",
    .whole = "ones",
    .example = "1000, 100k or 5M",
    .bare = true,
    .base = 1000,
    .units = {{"k", 1000, true}, {"M", 1000000, true}, {"G", 1000000000, true}},
};

/* ---- reading ---- */

static enum weft_status refuse(const struct quantity *quantity, const char *text,
                               struct weft_error *error, const char *why)
{
    return weft_error_set(error, WEFT_INVALID, "'%.40s%s' is not a %s: %s; write it like %s", text,
                          strnlen(text, 41) > 40 ? "..." : "", quantity->name, why,
                          quantity->example);
}

/* digits / 10^decimals */
struct number {
    uint64_t digits;
    uint32_t decimals;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool append_digit(struct number *number, char digit)
{
    return !__builtin_mul_overflow(number->digits, 10u, &number->digits) &&
           !__builtin_add_overflow(number->digits, (uint64_t)(digit - '0'), &number->digits);
}

/* Zeros at a fraction's end say nothing, and must not overflow. */
static const char *read_fraction(const char *at, struct number *number, const char **ret_why)
{
    uint32_t zeros = 0;
    if (!is_digit(*at))
        *ret_why = "no digit follows the point";
    for (; is_digit(*at); at++) {
        zeros++;
        if (*at == '0')
            continue;
        for (; zeros > 0; zeros--) {
            number->decimals++;
            if (number->decimals > 18 || !append_digit(number, zeros > 1 ? '0' : *at))
                *ret_why = "it has too many digits";
        }
    }
    return at;
}

/* Returns where the unit begins; sets why where there is no number. */
static const char *read_number(const char *text, struct number *ret_number, const char **ret_why)
{
    const char *at = text;
    *ret_number = (struct number){0};
    if (!*at)
        *ret_why = "it is empty";
    else if (*at == '-')
        *ret_why = "it is negative";
    else if (!is_digit(*at))
        *ret_why = "it does not begin with a digit";
    for (; is_digit(*at); at++) {
        if (!append_digit(ret_number, *at))
            *ret_why = "it is too large";
    }
    if (*at == '.')
        at = read_fraction(at + 1, ret_number, ret_why);
    return at;
}

static const struct unit *find_unit(const struct quantity *quantity, const char *name)
{
    for (const struct unit *unit = quantity->units; unit->name; unit++) {
        if (strcmp(unit->name, name) == 0)
            return unit;
    }
    return NULL;
}

static enum weft_status refuse_unit(const struct quantity *quantity, const char *text,
                                    const char *name, struct weft_error *error)
{
    const char *names[UNITS_MAX + 1] = {NULL};
    for (uint32_t i = 0; quantity->units[i].name; i++)
        names[i] = quantity->units[i].name;
    const char *near = weft_suggest(name, names);
    char why[128];
    if (quantity == &rates && strchr(name, 'B'))
        (void)snprintf(why, sizeof(why),
                       "'%.20s' counts bytes, and a rate counts bits: multiply by 8", name);
    else if (near)
        (void)snprintf(why, sizeof(why), "the unit '%.20s' is unknown, did you mean '%s'?", name,
                       near);
    else
        (void)snprintf(why, sizeof(why), "the unit '%.20s' is unknown", name);
    return refuse(quantity, text, error, why);
}

static enum weft_status scale(const struct quantity *quantity, const char *text,
                              const struct number *number, uint64_t unit_scale, uint64_t *ret_value,
                              struct weft_error *error)
{
    uint64_t divisor = 1;
    for (uint32_t i = 0; i < number->decimals; i++)
        divisor *= 10;
    weft_u128 scaled = (weft_u128)number->digits * unit_scale;
    if (scaled % divisor) {
        char why[64];
        (void)snprintf(why, sizeof(why), "it is not a whole number of %s", quantity->whole);
        return refuse(quantity, text, error, why);
    }
    scaled /= divisor;
    if (scaled > UINT64_MAX)
        return refuse(quantity, text, error, "it is too large");
    *ret_value = (uint64_t)scaled;
    return WEFT_OK;
}

static enum weft_status parse(const struct quantity *quantity, const char *text,
                              uint64_t *ret_value, struct weft_error *error)
{
    struct number number;
    const char *why = NULL;
    const char *unit_name = read_number(text, &number, &why);
    if (why)
        return refuse(quantity, text, error, why);
    size_t blanks = strspn(unit_name, " "); /* "5 ms" */
    if (unit_name[blanks])
        unit_name += blanks;
    if (!*unit_name && quantity->bare)
        return scale(quantity, text, &number, 1, ret_value, error);
    if (!*unit_name)
        return refuse(quantity, text, error, "it has no unit");
    const struct unit *unit = find_unit(quantity, unit_name);
    if (!unit)
        return refuse_unit(quantity, text, unit_name, error);
    return scale(quantity, text, &number, unit->scale, ret_value, error);
}

enum weft_status weft_parse_size(const char *text, uint64_t *ret_len_bytes,
                                 struct weft_error *error)
{
    return parse(&sizes, text, ret_len_bytes, error);
}

enum weft_status weft_parse_rate(const char *text, uint64_t *ret_rate_bps, struct weft_error *error)
{
    return parse(&rates, text, ret_rate_bps, error);
}

enum weft_status weft_parse_time(const char *text, uint64_t *ret_time_ns, struct weft_error *error)
{
    return parse(&times, text, ret_time_ns, error);
}

enum weft_status weft_parse_count(const char *text, uint64_t *ret_count, struct weft_error *error)
{
    return parse(&counts, text, ret_count, error);
}

enum weft_status weft_unit_parse(enum weft_unit unit, const char *text, uint64_t *ret_value,
                                 struct weft_error *error)
{
    static const struct quantity *const quantities[] = {
        [WEFT_UNIT_COUNT] = &counts,
        [WEFT_UNIT_SIZE] = &sizes,
        [WEFT_UNIT_TIME] = &times,
        [WEFT_UNIT_RATE] = &rates,
    };
    return parse(quantities[unit], text, ret_value, error);
}

/* ---- writing ---- */

/* In the largest unit that divides it. */
static char *format(const struct quantity *quantity, uint64_t value, char *text)
{
    const struct unit *best = &quantity->units[0];
    for (const struct unit *unit = best; unit->name && unit->derived; unit++) {
        if (value && value % unit->scale == 0)
            best = unit;
    }
    (void)snprintf(text, WEFT_UNITS_TEXT, "%" PRIu64 "%s", value / best->scale, best->name);
    return text;
}

char *weft_format_size(uint64_t len_bytes, char text[WEFT_UNITS_TEXT])
{
    return format(&sizes, len_bytes, text);
}

char *weft_format_rate(uint64_t rate_bps, char text[WEFT_UNITS_TEXT])
{
    return format(&rates, rate_bps, text);
}

char *weft_format_time(uint64_t time_ns, char text[WEFT_UNITS_TEXT])
{
    return format(&times, time_ns, text);
}

char *weft_unit_format(enum weft_unit unit, uint64_t value, char text[WEFT_UNITS_TEXT])
{
    switch (unit) {
    case WEFT_UNIT_SIZE:
        return weft_format_size(value, text);
    case WEFT_UNIT_TIME:
        return weft_format_time(value, text);
    case WEFT_UNIT_RATE:
        return weft_format_rate(value, text);
    case WEFT_UNIT_COUNT:
        break;
    }
    (void)snprintf(text, WEFT_UNITS_TEXT, "%" PRIu64, value);
    return text;
}

/* value / scale, rounded to `decimals` digits behind the point, as a whole number of those */
static uint64_t round_to(uint64_t value, uint64_t unit_scale, uint32_t decimals)
{
    static const uint32_t powers[] = {1, 10, 100};
    return (uint64_t)(((weft_u128)value * powers[decimals] + unit_scale / 2) / unit_scale);
}

static void show_in(const struct unit *unit, uint64_t value, char *text)
{
    uint64_t hundredths = round_to(value, unit->scale, 2);
    uint64_t tenths = round_to(value, unit->scale, 1);
    if (value % unit->scale == 0 || tenths >= 1000)
        (void)snprintf(text, WEFT_UNITS_TEXT, "%" PRIu64 " %s", round_to(value, unit->scale, 0),
                       unit->name);
    else if (hundredths >= 1000)
        (void)snprintf(text, WEFT_UNITS_TEXT, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10,
                       tenths % 10, unit->name);
    else
        (void)snprintf(text, WEFT_UNITS_TEXT, "%" PRIu64 ".%02" PRIu64 " %s", hundredths / 100,
                       hundredths % 100, unit->name);
}

/* In the first unit of which there are, rounded, fewer than `base`. */
static char *show(const struct quantity *quantity, uint64_t value, char *text)
{
    const struct unit *unit = &quantity->units[0];
    while (unit[1].name && unit[1].derived && round_to(value, unit->scale, 0) >= quantity->base)
        unit++;
    show_in(unit, value, text);
    return text;
}

char *weft_show_size(uint64_t len_bytes, char text[WEFT_UNITS_TEXT])
{
    return show(&sizes, len_bytes, text);
}

char *weft_show_rate(uint64_t rate_bps, char text[WEFT_UNITS_TEXT])
{
    return show(&rates, rate_bps, text);
}

char *weft_show_time(uint64_t time_ns, char text[WEFT_UNITS_TEXT])
{
    return show(&times, time_ns, text);
}

char *weft_show_count(uint64_t count, char text[WEFT_UNITS_TEXT])
{
    char digits[WEFT_UNITS_TEXT];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, count);
    char *out = text;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
    return text;
}
