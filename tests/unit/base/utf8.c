/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/utf8.h"

#include <criterion/criterion.h>
#include <stdint.h>

/* Encodes any number that fits, right or not. */
static size_t encode(uint32_t code, char bytes[4])
{
    if (code < 0x80) {
        bytes[0] = (char)code;
        return 1;
    }
    size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint32_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length - 1; i > 0; i--, code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3f));
    bytes[0] = (char)(first[length] | code);
    return length;
}

static bool is_printable(uint32_t code)
{
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    bool surrogate = code >= 0xd800 && code < 0xe000;
    return !control && !surrogate && code <= 0x10ffff;
}

Test(utf8, takes_exactly_the_printable_characters)
{
    for (uint32_t code = 0; code < 0x1fffff; code++) {
        char bytes[4];
        size_t length = encode(code, bytes);
        size_t expected = is_printable(code) ? length : 0;
        cr_assert_eq(weft_utf8_printable(bytes, length), expected, "U+%04X", code);
        cr_assert_eq(weft_utf8_printable(bytes, length - 1), 0u, "U+%04X cut short", code);
    }
}

Test(utf8, refuses_malformed_bytes)
{
    cr_assert_eq(weft_utf8_printable("", 0), 0u);
    cr_assert_eq(weft_utf8_printable("\x80", 1), 0u);
    cr_assert_eq(weft_utf8_printable("\xff\xff\xff\xff", 4), 0u);
    cr_assert_eq(weft_utf8_printable("\xc1\x81", 2), 0u, "overlong");
    cr_assert_eq(weft_utf8_printable("\xe0\x80\xaf", 3), 0u, "overlong");
    cr_assert_eq(weft_utf8_printable("\xf0\x80\x80\xaf", 4), 0u, "overlong");
    cr_assert_eq(weft_utf8_printable("\xc3(", 2), 0u);
    cr_assert_eq(weft_utf8_printable("\xe2\x82(", 3), 0u);
    cr_assert_eq(weft_utf8_printable("\xf0\x9f\x98(", 4), 0u);
}
