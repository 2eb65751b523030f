/* SPDX-License-Identifier: BSD-3-Clause */
/* Traffic shapes by name. A pattern compiles to the schedule of one rank at a time, from nothing
 * but its options: every agent compiles its own ranks. */
#ifndef WEFT_SCHEDULE_PATTERN_H
#define WEFT_SCHEDULE_PATTERN_H

#include "fabric/base/units.h"
#include "fabric/schedule/options.h"
#include "fabric/schedule/schedule.h"

/* An option that a pattern takes. */
struct weft_pattern_take {
    enum weft_pattern_option_id option;
    uint64_t default_value;
    const char *text;         /* what it does here, in a few words; NULL: what the table says */
    const char *const *words; /* of a WORD other than type and operator; NULL-terminated */
};

struct weft_pattern {
    const char *name;
    const char *summary;   /* one line */
    const char *text;      /* which job makes it, its schedule, what completion is: several lines */
    const char *size_text; /* what the size is: "bytes of the vector on each rank" */
    uint32_t default_ranks;
    uint32_t min_ranks;
    uint32_t max_ranks;          /* 0: WEFT_PATTERN_RANKS_MAX */
    uint64_t default_size_bytes; /* 0: it has no size */
    uint64_t max_size_bytes;     /* 0: WEFT_PATTERN_SIZE_MAX */
    /* Of an open loop, where iterations are requests that have nothing to do with each other: how
     * many may run at once unless told. 0: one, each is a step that follows the one before. */
    uint32_t in_flight;
    bool takes_text; /* is made from a file's text, or may be */
    uint32_t take_count;
    const struct weft_pattern_take *takes;
    /* busbw / algbw as nccl-tests defines it, for n ranks; 0: the pattern has no bus bandwidth. */
    double (*bus_factor)(uint32_t rank_count);
    /* The bytes that algbw counts, an iteration; 0: no algorithmic bandwidth. Options resolved. */
    double (*algorithm_bytes)(const struct weft_pattern_options *options);
    /* Are these options, resolved and each within its bounds, possible together? The error names
     * the option and the remedy. NULL: always. */
    enum weft_status (*check)(const struct weft_pattern_options *options, struct weft_error *error);
    /* How many ranks the text is for, 0 where it does not say; NULL where that is the user's to
     * say. */
    enum weft_status (*count_ranks)(const struct weft_pattern_options *options,
                                    uint32_t *ret_rank_count, struct weft_error *error);
    /* Reads the whole text once, for all ranks; NULL: build reads what it needs itself. */
    enum weft_status (*prepare)(const struct weft_pattern_options *options,
                                const void **ret_prepared, struct weft_error *error);
    void (*discard)(const void *prepared);
    /* Adds the operations of one rank, its expectations and its buffer's size. Options resolved and
     * checked; takes time and memory as the rank's own operations need, whatever the others do. */
    enum weft_status (*build)(const struct weft_pattern_options *options, uint32_t rank,
                              struct weft_schedule_builder *builder, struct weft_error *error);
};

#define WEFT_TAKES(list) .takes = (list), .take_count = sizeof(list) / sizeof((list)[0])

#define WEFT_PATTERN_RANKS_MAX 130000u
#define WEFT_PATTERN_SIZE_MAX (UINT64_C(1) << 40)

/* Has the size a meaning, or does the pattern have none, or a file say all of it? */
bool weft_pattern_has_size(const struct weft_pattern *pattern,
                           const struct weft_pattern_options *options);

/* Are these options possible? No option that the pattern would ignore, ranks, size and each option
 * within their bounds, whole elements, and what the pattern itself asks. */
WEFT_CHECKED enum weft_status weft_pattern_check(const struct weft_pattern *pattern,
                                                 const struct weft_pattern_options *options,
                                                 struct weft_error *error);

/* Before several ranks are compiled of a text: reads it once, into options->prepared. What lacks
 * it compiles the same, each rank by reading the text again. Does nothing where there is no text,
 * or it is done. The text must stay until it is discarded. */
WEFT_CHECKED enum weft_status weft_pattern_prepare(const struct weft_pattern *pattern,
                                                   struct weft_pattern_options *options,
                                                   struct weft_error *error);
/* Takes options that were not prepared, and a pattern that is NULL. */
void weft_pattern_discard(const struct weft_pattern *pattern, struct weft_pattern_options *options);

WEFT_CHECKED enum weft_status
weft_pattern_compile(const struct weft_pattern *pattern, const struct weft_pattern_options *options,
                     uint32_t rank, struct weft_schedule **ret_schedule, struct weft_error *error);

/* ---- pattern_options.c ---- */

/* NULL where the pattern does not take it. */
const struct weft_pattern_take *weft_pattern_taken(const struct weft_pattern *pattern,
                                                   enum weft_pattern_option_id id);
/* NULL where the option is no WORD or the pattern does not take it. */
const char *const *weft_pattern_option_words(const struct weft_pattern *pattern,
                                             enum weft_pattern_option_id id);
/* Sets an option from its text, as a plan or a command line has it. The error does not name the
 * option where the text itself is wrong, for the caller knows where it stands. */
WEFT_CHECKED enum weft_status weft_pattern_option_parse(const struct weft_pattern *pattern,
                                                        struct weft_pattern_options *options,
                                                        enum weft_pattern_option_id id,
                                                        const char *text, struct weft_error *error);
/* What parses to the value again. Returns `text`. */
char *weft_pattern_option_format(const struct weft_pattern *pattern, enum weft_pattern_option_id id,
                                 uint64_t value, char text[WEFT_UNITS_TEXT]);

/* The options with the pattern's defaults where nothing is said. */
struct weft_pattern_options weft_pattern_resolve(const struct weft_pattern *pattern,
                                                 const struct weft_pattern_options *options);

/* Every option that is given is taken and within its bounds. */
WEFT_CHECKED enum weft_status weft_pattern_check_options(const struct weft_pattern *pattern,
                                                         const struct weft_pattern_options *options,
                                                         struct weft_error *error);

/* ---- patterns/pattern.c ---- */

/* NULL-terminated, in the order in which they are listed. */
const struct weft_pattern *const *weft_patterns(void);

/* NULL and an error with the nearest name where there is none. */
const struct weft_pattern *weft_pattern_find(const char *name, struct weft_error *error);

#endif
