/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MOST 16u /* what is indented further stands too far to the right to be read on */
#define GAP 3u         /* as many blanks part two figures, not two words */

static bool continues_character(char byte)
{
    return ((unsigned char)byte & 0xC0u) == 0x80u;
}

uint32_t weft_text_columns(const char *text, size_t len_bytes)
{
    uint32_t columns = 0;
    for (size_t i = 0; i < len_bytes; i++)
        columns += !continues_character(text[i]);
    return columns;
}

/* ---- in ASCII ---- */

static void put_ascii(FILE *out, const char *text)
{
    static const struct {
        const char *from, *to;
    } known[] = {{"·", "|"}, {"→", "->"}};
    while (*text) {
        const char *to = NULL;
        size_t len_bytes = 1;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            if (strncmp(text, known[i].from, strlen(known[i].from)) == 0) {
                to = known[i].to;
                len_bytes = strlen(known[i].from);
            }
        }
        if (to)
            (void)fputs(to, out);
        else if ((unsigned char)*text < 0x80)
            (void)fputc(*text, out);
        else if (!continues_character(*text))
            (void)fputc('?', out);
        text += len_bytes;
    }
}

/* ---- lines ---- */

static size_t blanks_at(const char *line, size_t len_bytes, size_t at)
{
    size_t count = 0;
    while (at + count < len_bytes && line[at + count] == ' ')
        count++;
    return count;
}

static bool ends_with_mark(const char *line, size_t len_bytes)
{
    return (len_bytes >= 2 && memcmp(line + len_bytes - 2, "·", 2) == 0) ||
           (len_bytes >= 2 && memcmp(line + len_bytes - 2, " |", 2) == 0);
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* How well a line may end at these blanks: 0 badly (between a number and its unit), 2 well. */
static int worth_of(const char *line, size_t at, size_t blanks)
{
    if (blanks >= GAP || ends_with_mark(line, at))
        return 2;
    return is_digit(line[at - 1]) ? 0 : 1;
}

/* Where the line ends that has `columns` of room: its first blank that is not shown any more; 0:
 * the first word is too wide. A good end that would leave most of the line empty is none. */
static size_t find_end(const char *line, size_t len_bytes, uint32_t columns)
{
    size_t best = 0;
    int best_worth = -1;
    size_t blanks = 0;
    for (size_t at = blanks_at(line, len_bytes, 0); at < len_bytes; at += blanks ? blanks : 1) {
        blanks = blanks_at(line, len_bytes, at);
        if (!blanks)
            continue;
        uint32_t wide = weft_text_columns(line, at);
        if (wide > columns)
            break;
        int worth = worth_of(line, at, blanks);
        if (worth >= best_worth || weft_text_columns(line, best) < columns / 2) {
            best = at;
            best_worth = worth;
        }
    }
    return best;
}

/* Too wide a word ends the line that begins with it. */
static size_t end_of_word(const char *line, size_t len_bytes)
{
    size_t at = blanks_at(line, len_bytes, 0);
    while (at < len_bytes && line[at] != ' ')
        at++;
    return at;
}

/* What follows a label stands below what the label is of; else two columns in. */
static size_t indent_of(const char *line, size_t len_bytes)
{
    size_t margin = blanks_at(line, len_bytes, 0);
    for (size_t at = margin; at < len_bytes && at < LABEL_MOST; at++) {
        size_t blanks = blanks_at(line, len_bytes, at);
        if (blanks >= 2)
            return at + blanks <= LABEL_MOST ? at + blanks : margin + 2;
    }
    return margin && margin <= LABEL_MOST ? margin : margin + 2 <= LABEL_MOST ? margin + 2 : 2;
}

static void put_line(FILE *out, const char *line, size_t len_bytes, uint32_t columns)
{
    size_t indent = indent_of(line, len_bytes);
    uint32_t room = columns;
    while (columns && weft_text_columns(line, len_bytes) > room) {
        size_t end = find_end(line, len_bytes, room);
        if (!end)
            end = end_of_word(line, len_bytes);
        if (end == len_bytes)
            break;
        (void)fwrite(line, 1, end, out);
        end += blanks_at(line, len_bytes, end);
        line += end;
        len_bytes -= end;
        if (!len_bytes)
            break;
        (void)fprintf(out, "\n%*s", (int)indent, "");
        room = columns > 2 * indent ? columns - (uint32_t)indent : columns;
    }
    (void)fwrite(line, 1, len_bytes, out);
}

static void put_lines(FILE *out, const char *text, uint32_t columns)
{
    while (*text) {
        size_t len_bytes = strcspn(text, "\n");
        put_line(out, text, len_bytes, columns);
        text += len_bytes;
        if (*text == '\n') {
            (void)fputc('\n', out);
            text++;
        }
    }
}

static char *end_stream(FILE *out, char **text)
{
    bool failed = ferror(out) != 0;
    if (fclose(out) || failed) {
        free(*text);
        return NULL;
    }
    return *text;
}

char *weft_text_fit(const char *text, uint32_t columns, bool ascii)
{
    char *plain = NULL, *fitted = NULL;
    size_t len_bytes = 0;
    if (ascii) {
        FILE *out = open_memstream(&plain, &len_bytes);
        if (!out)
            return NULL;
        put_ascii(out, text);
        plain = end_stream(out, &plain);
        if (!plain)
            return NULL;
        text = plain;
    }
    FILE *out = open_memstream(&fitted, &len_bytes);
    if (out) {
        put_lines(out, text, columns);
        fitted = end_stream(out, &fitted);
    }
    free(plain);
    return fitted;
}
