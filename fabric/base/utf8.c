/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/utf8.h"

#include <string.h>

#include <stdbool.h>
#include <stdint.h>

static size_t length_by_first(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* The second byte's range is narrower after some: no overlong forms, no surrogates, nothing above
 * U+10FFFF, and no C1 controls (U+0080 to U+009F). */
static bool second_is_right(uint8_t first, uint8_t second)
{
    uint8_t low = 0x80, high = 0xbf;
    if (first == 0xc2 || first == 0xe0)
        low = 0xa0;
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xed)
        high = 0x9f;
    else if (first == 0xf4)
        high = 0x8f;
    return second >= low && second <= high;
}

size_t weft_utf8_printable(const char *text, size_t len_bytes)
{
    if (len_bytes == 0)
        return 0;
    uint8_t first = (uint8_t)text[0];
    size_t length = length_by_first(first);
    if (length == 0 || length > len_bytes || first < 0x20 || first == 0x7f)
        return 0;
    if (length > 1 && !second_is_right(first, (uint8_t)text[1]))
        return 0;
    for (size_t i = 2; i < length; i++) {
        if (((uint8_t)text[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

size_t weft_utf8_mark(const char *text, size_t len_bytes)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t mark_bytes = sizeof(mark) - 1;
    return len_bytes >= mark_bytes && memcmp(text, mark, mark_bytes) == 0 ? mark_bytes : 0;
}
