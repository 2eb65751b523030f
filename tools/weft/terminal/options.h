/* SPDX-License-Identifier: BSD-3-Clause */
/* Command lines by tables: each option is a row that is parsed into the caller's object and written
 * into the help. */
#ifndef WEFT_TOOLS_OPTIONS_H
#define WEFT_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric/base/error.h"

enum weft_option_kind {
    WEFT_OPTION_FLAG = 0, /* bool */
    WEFT_OPTION_TEXT,     /* const char * */
    WEFT_OPTION_TEXTS,    /* struct weft_texts: may be given again and again */
    WEFT_OPTION_COUNT,    /* struct weft_number, as the four below */
    WEFT_OPTION_SIZE,
    WEFT_OPTION_TIME,
    WEFT_OPTION_RATE,
};

struct weft_number {
    bool given;
    uint64_t value;
};

#define WEFT_TEXTS_MAX 64u
struct weft_texts {
    uint32_t count;
    const char *items[WEFT_TEXTS_MAX];
};

struct weft_option {
    const char *name;  /* without the dashes; NULL ends a table */
    const char *value; /* what the help calls its value; NULL for a flag */
    const char *help;
    enum weft_option_kind kind;
    size_t offset;        /* of the field in the caller's object */
    uint64_t least, most; /* of a number; most 0: any */
};

#define WEFT_ARGUMENTS_MAX 4u
struct weft_arguments {
    bool help; /* asked for; nothing else was checked */
    uint32_t count;
    const char *items[WEFT_ARGUMENTS_MAX];
};

/* One subcommand. */
struct weft_command {
    const char *name;
    const char *summary; /* a line for the list of commands */
    const char *usage;   /* the arguments, such as "PATTERN|PLAN.yaml" */
    const char *text;    /* lines below the summary in its help; may be NULL */
    uint32_t least_arguments, most_arguments;
    const struct weft_option *const *tables; /* NULL-terminated */
    int (*run)(int argc, char **argv);       /* argv[0] is the first after the subcommand */
};

/* `object` is the caller's, with its defaults; texts in it point into argv. */
WEFT_CHECKED enum weft_status weft_options_parse(const struct weft_command *command, int argc,
                                                 char **argv, void *object,
                                                 struct weft_arguments *ret_arguments,
                                                 struct weft_error *error);

/* Has the command line given it? */
bool weft_option_is_given(const struct weft_option *option, const void *object);

void weft_options_help(const struct weft_command *command);

/* Parses; prints the help or the error where there is reason to. True: go on. False: end with
 * `*ret_exit`. */
bool weft_options_take(const struct weft_command *command, int argc, char **argv, void *object,
                       struct weft_arguments *ret_arguments, int *ret_exit);

#endif
