/* SPDX-License-Identifier: BSD-3-Clause */
/* Words of a GOAL file, one after another; for goal_read.c and goal_marks.c only. */
#ifndef WEFT_SCHEDULE_GOAL_SCAN_H
#define WEFT_SCHEDULE_GOAL_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric/base/error.h"

struct weft_goal_scan {
    const struct weft_source *source;
    const char *at, *end;
    const char *line_start;
    uint32_t line;
    bool in_mark; /* of a "//@" line: comments are none */
    struct weft_error *error;
};

struct weft_goal_word {
    const char *text;
    size_t len_bytes; /* 0: the end of the line */
};

WEFT_FORMAT(2, 3)
enum weft_status weft_scan_fail(const struct weft_goal_scan *scan, const char *format, ...);

/* Past blanks and comments on this line. */
void weft_scan_blanks(struct weft_goal_scan *scan);
/* At the end of the line or of a statement: the line's end, a comment's begin, a brace. */
bool weft_scan_at_end(struct weft_goal_scan *scan);
/* To the beginning of the next line, whatever is left of this one. */
void weft_scan_next_line(struct weft_goal_scan *scan);
bool weft_scan_done(const struct weft_goal_scan *scan);

/* The letters, digits and underscores here; moves past them. */
struct weft_goal_word weft_scan_word(struct weft_goal_scan *scan);
bool weft_word_is(const struct weft_goal_word *word, const char *text);
/* Takes that word if it is here. */
bool weft_scan_take(struct weft_goal_scan *scan, const char *text);
/* Takes that character if it is here. */
bool weft_scan_character(struct weft_goal_scan *scan, char character);
/* A whole number of at most `most`. `what` it is, for the error. */
WEFT_CHECKED enum weft_status weft_scan_number(struct weft_goal_scan *scan, const char *what,
                                               uint64_t most, uint64_t *ret_value);
/* Takes "-1" if it is here: any rank, any tag. */
bool weft_scan_any(struct weft_goal_scan *scan);
/* "4096b" */
WEFT_CHECKED enum weft_status weft_scan_bytes(struct weft_goal_scan *scan, uint64_t *ret_len_bytes);
/* Nothing more may stand on the line. */
WEFT_CHECKED enum weft_status weft_scan_end(struct weft_goal_scan *scan);

#endif
