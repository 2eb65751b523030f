/* SPDX-License-Identifier: BSD-3-Clause */
/* A traffic matrix as text: a line a rank, and in it the bytes for each rank, with blanks, commas
 * or semicolons between them and perhaps one behind; '#' begins a comment. Numbers may be written
 * as numpy's savetxt does: 1.000000000000000000e+06. The text is read number by number and never
 * kept whole. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/base/utf8.h"
#include "fabric/schedule/shapes/traffic.h"

#define NUMBER_TEXT 32u

struct scan {
    struct weft_source source;
    const char *at, *end, *line_start;
    uint32_t line;
    struct weft_error *error;
};

static struct scan scan_of(const struct weft_pattern_options *options, struct weft_error *error)
{
    struct scan scan = {
        .source = {.name = options->text_name ? options->text_name : "matrix",
                   .text = options->text,
                   .len_bytes = options->text_bytes},
        .at = options->text + weft_utf8_mark(options->text, options->text_bytes),
        .end = options->text + options->text_bytes,
        .line_start = options->text,
        .line = 1,
        .error = error,
    };
    return scan;
}

WEFT_FORMAT(2, 3) static enum weft_status fail(const struct scan *scan, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    struct weft_location where = {.source = &scan->source,
                                  .line = scan->line,
                                  .column = (uint32_t)(scan->at - scan->line_start) + 1};
    return weft_error_at(scan->error, &where, "%s", text);
}

static void skip_blanks(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r'))
        scan->at++;
}

static bool at_line_end(struct scan *scan)
{
    skip_blanks(scan);
    return scan->at == scan->end || *scan->at == '\n' || *scan->at == '#';
}

static void next_line(struct scan *scan)
{
    const char *newline = memchr(scan->at, '\n', (size_t)(scan->end - scan->at));
    scan->at = newline ? newline + 1 : scan->end;
    scan->line_start = scan->at;
    scan->line += newline != NULL;
}

/* To the next line that has numbers; false at the end. */
static bool next_row(struct scan *scan)
{
    while (scan->at < scan->end && at_line_end(scan))
        next_line(scan);
    return scan->at < scan->end;
}

static bool ends_number(char character)
{
    return strchr(" \t\r\n,;#", character) != NULL; /* a NUL too */
}

/* A floating-point number, where it says whole bytes exactly. */
static bool parse_float(const char *text, uint64_t *ret_len_bytes)
{
    char *end = NULL;
    double value = strtod(text, &end);
    bool decimal = text[strspn(text, "0123456789.eE+-")] == '\0' && end != text && !*end;
    if (!decimal || !(value >= 0) || value > 0x1p53 || value != floor(value))
        return false;
    *ret_len_bytes = (uint64_t)value;
    return true;
}

static enum weft_status read_number(struct scan *scan, uint64_t *ret_len_bytes)
{
    char text[NUMBER_TEXT];
    size_t length = 0;
    while (scan->at + length < scan->end && length < sizeof(text) - 1 &&
           !ends_number(scan->at[length])) {
        text[length] = scan->at[length];
        length++;
    }
    text[length] = '\0';
    struct weft_error why = {0};
    if (!length)
        return fail(scan, "expected a number of bytes");
    if (weft_parse_size(text, ret_len_bytes, &why) != WEFT_OK && !parse_float(text, ret_len_bytes))
        return fail(scan, "%s", why.text);
    if (*ret_len_bytes > WEFT_PATTERN_SIZE_MAX)
        return fail(scan, "a rank has at most 1 TiB for another");
    scan->at += length;
    skip_blanks(scan);
    if (scan->at < scan->end && (*scan->at == ',' || *scan->at == ';'))
        scan->at++;
    return WEFT_OK;
}

typedef void visit_function(void *context, uint32_t row, uint32_t column, uint64_t len_bytes);

static enum weft_status read_row(struct scan *scan, uint32_t row, uint32_t columns,
                                 visit_function *visit, void *context)
{
    uint32_t column = 0;
    for (; !at_line_end(scan); column++) {
        uint64_t len_bytes = 0;
        if (column == columns)
            return fail(scan, "each row must have %u numbers, like the first; this row has more",
                        columns);
        enum weft_status status = read_number(scan, &len_bytes);
        if (status != WEFT_OK)
            return status;
        visit(context, row, column, len_bytes);
    }
    if (column < columns)
        return fail(scan, "each row must have %u numbers, like the first, not %u", columns, column);
    next_line(scan);
    return WEFT_OK;
}

/* The first row has as many as it has. */
static enum weft_status count_columns(const struct scan *from, uint32_t *ret_columns)
{
    struct scan scan = *from;
    enum weft_status status = WEFT_OK;
    if (!next_row(&scan))
        return fail(&scan, "there is no row of numbers; write one for each rank");
    *ret_columns = 0;
    while (status == WEFT_OK && !at_line_end(&scan)) {
        uint64_t len_bytes = 0;
        if (*ret_columns == WEFT_PATTERN_RANKS_MAX)
            return fail(&scan, "there are at most %u ranks", WEFT_PATTERN_RANKS_MAX);
        status = read_number(&scan, &len_bytes);
        (*ret_columns)++;
    }
    if (status == WEFT_OK && *ret_columns < 2)
        return fail(&scan, "a row needs a number for each rank, for at least two ranks");
    return status;
}

static enum weft_status read_all(const struct weft_pattern_options *options, visit_function *visit,
                                 void *context, struct weft_error *error)
{
    struct scan scan = scan_of(options, error);
    uint32_t columns = 0, row = 0;
    enum weft_status status = count_columns(&scan, &columns);
    while (status == WEFT_OK && next_row(&scan)) {
        if (row == columns)
            return fail(&scan,
                        "there must be as many rows as numbers in a row, %u; this is one too many",
                        columns);
        status = read_row(&scan, row++, columns, visit, context);
    }
    if (status == WEFT_OK && row < columns)
        return fail(&scan, "there must be as many rows as numbers in a row, %u, not %u", columns,
                    row);
    return status;
}

enum weft_status weft_matrix_peek(const struct weft_pattern_options *options,
                                  uint32_t *ret_rank_count, struct weft_error *error)
{
    struct scan scan = scan_of(options, error);
    return count_columns(&scan, ret_rank_count);
}

struct summing {
    const struct weft_pattern_options *options;
    uint64_t *messages; /* that a rank sends, and behind those that it receives */
    uint64_t total_bytes;
};

static void sum(void *context, uint32_t row, uint32_t column, uint64_t len_bytes)
{
    struct summing *summing = context;
    if (row == column || !len_bytes)
        return;
    uint64_t chunks = weft_pattern_chunks(summing->options, len_bytes);
    summing->messages[row] += chunks;
    summing->messages[summing->options->rank_count + column] += chunks;
    summing->total_bytes += len_bytes;
}

enum weft_status weft_matrix_summarize(const struct weft_pattern_options *options,
                                       struct weft_traffic_summary *ret_summary,
                                       struct weft_error *error)
{
    struct summing summing = {.options = options};
    uint32_t ranks = 0;
    enum weft_status status = weft_matrix_peek(options, &ranks, error);
    if (status != WEFT_OK)
        return status;
    if (ranks != options->rank_count)
        return weft_error_set(error, WEFT_INVALID, "%s is a matrix of %u ranks, not %u",
                              scan_of(options, error).source.name, ranks, options->rank_count);
    summing.messages = calloc(2 * (size_t)ranks, sizeof(*summing.messages));
    if (!summing.messages)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for a matrix of %u ranks",
                              ranks);
    status = read_all(options, sum, &summing, error);
    *ret_summary =
        (struct weft_traffic_summary){.rank_count = ranks, .total_bytes = summing.total_bytes};
    for (uint32_t i = 0; i < 2 * ranks; i++)
        if (summing.messages[i] > ret_summary->messages)
            ret_summary->messages = summing.messages[i];
    free(summing.messages);
    return status;
}

struct taking {
    struct weft_traffic *traffic;
    uint32_t rank;
    bool transposed;
};

/* A sender's numbers come in order: so what stands there before this rank's is a running sum, which
 * is kept in its place. */
static void take(void *context, uint32_t row, uint32_t column, uint64_t len_bytes)
{
    const struct taking *taking = context;
    uint32_t sender = taking->transposed ? column : row;
    uint32_t receiver = taking->transposed ? row : column;
    if (sender == taking->rank)
        taking->traffic->sent_bytes[receiver] = len_bytes;
    if (receiver == taking->rank)
        taking->traffic->received_bytes[sender] = len_bytes;
    if (receiver < taking->rank)
        taking->traffic->received_at[sender] += len_bytes;
}

enum weft_status weft_matrix_traffic(const struct weft_pattern_options *options, uint32_t rank,
                                     bool transposed, struct weft_traffic *traffic,
                                     struct weft_error *error)
{
    struct taking taking = {.traffic = traffic, .rank = rank, .transposed = transposed};
    return read_all(options, take, &taking, error);
}
