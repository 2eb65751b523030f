/* SPDX-License-Identifier: BSD-3-Clause */
/* Sizes, rates and times as people write them. Whole numbers inside: bytes, bits a second (SI),
 * nanoseconds. */
#ifndef WEFT_BASE_UNITS_H
#define WEFT_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "fabric/base/error.h"

/* The whole text must be a number and a unit. A fraction is taken where the result is whole
 * ("1.5us"). Negative, overflowing, empty or trailing text is refused: WEFT_INVALID, with an error
 * that quotes the text, says what is wrong and shows a right form; the output is left alone.
 *
 * size: "64KiB", "4MB", "1GiB", "64B", or a bare number of bytes.
 * rate: "400Gbps", "10Mbps", "5kbps", "1Tbps", "100bps"; a bare number is refused.
 * time: "10ns", "10us", "5ms", "3s", "2m" (minutes), "1h"; a bare number is refused.
 * count: "1000", "100k", "5M" (SI), no unit otherwise. */
WEFT_CHECKED enum weft_status weft_parse_size(const char *text, uint64_t *ret_len_bytes,
                                              struct weft_error *error);
WEFT_CHECKED enum weft_status weft_parse_rate(const char *text, uint64_t *ret_rate_bps,
                                              struct weft_error *error);
WEFT_CHECKED enum weft_status weft_parse_time(const char *text, uint64_t *ret_time_ns,
                                              struct weft_error *error);
WEFT_CHECKED enum weft_status weft_parse_count(const char *text, uint64_t *ret_count,
                                               struct weft_error *error);

/* Room for any formatted quantity and its NUL. */
#define WEFT_UNITS_TEXT 32

/* Exact and shortest, and parse back to the same number: "64KiB", "1000B", "10us", "1500ns",
 * "400Gbps". Return `text`. */
char *weft_format_size(uint64_t len_bytes, char text[WEFT_UNITS_TEXT]);
char *weft_format_rate(uint64_t rate_bps, char text[WEFT_UNITS_TEXT]);
char *weft_format_time(uint64_t time_ns, char text[WEFT_UNITS_TEXT]);

/* The four kinds of quantity by name, for tables of settings. */
enum weft_unit {
    WEFT_UNIT_COUNT = 0,
    WEFT_UNIT_SIZE,
    WEFT_UNIT_TIME,
    WEFT_UNIT_RATE,
};
WEFT_CHECKED enum weft_status weft_unit_parse(enum weft_unit unit, const char *text,
                                              uint64_t *ret_value, struct weft_error *error);
/* Parses back to the same number. Returns `text`. */
char *weft_unit_format(enum weft_unit unit, uint64_t value, char text[WEFT_UNITS_TEXT]);

/* For people, three significant digits: "41.2 us", "22.1 Gbps", "3.91 MiB". Return `text`. */
char *weft_show_size(uint64_t len_bytes, char text[WEFT_UNITS_TEXT]);
char *weft_show_rate(uint64_t rate_bps, char text[WEFT_UNITS_TEXT]);
char *weft_show_time(uint64_t time_ns, char text[WEFT_UNITS_TEXT]);
/* "112,000" */
char *weft_show_count(uint64_t count, char text[WEFT_UNITS_TEXT]);

#endif
