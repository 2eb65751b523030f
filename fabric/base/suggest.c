/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Nobody mistypes more than this; it bounds the work on hostile input. */
#define NAME_MAX_BYTES 64u

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment: Levenshtein's distance and swaps of neighbours, three rows at a time.
 */
static uint32_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    uint32_t rows[3][NAME_MAX_BYTES + 1];
    for (uint32_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (uint32_t i = 1; i <= a_len; i++) {
        uint32_t *row = rows[i % 3];
        const uint32_t *above = rows[(i + 2) % 3];
        const uint32_t *above_that = rows[(i + 1) % 3];
        row[0] = i;
        for (uint32_t j = 1; j <= b_len; j++) {
            uint32_t cost = same(a[i - 1], b[j - 1]) ? 0 : 1;
            row[j] = least(above[j - 1] + cost, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                row[j] = least(row[j], above_that[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

const char *weft_suggest(const char *name, const char *const *candidates)
{
    size_t len = strnlen(name, NAME_MAX_BYTES + 1);
    if (len > NAME_MAX_BYTES)
        return NULL;
    const char *best = NULL;
    uint32_t best_distance = UINT32_MAX;
    for (; *candidates; candidates++) {
        size_t candidate_len = strnlen(*candidates, NAME_MAX_BYTES + 1);
        if (candidate_len > NAME_MAX_BYTES)
            continue;
        uint32_t edits = distance(name, len, *candidates, candidate_len);
        /* A name of which hardly a letter is left is another name. */
        bool near = edits <= 1 + len / 5 && edits < len && edits < candidate_len;
        if (near && edits < best_distance) {
            best = *candidates;
            best_distance = edits;
        }
    }
    return best;
}
