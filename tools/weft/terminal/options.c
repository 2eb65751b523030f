/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/terminal/options.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "fabric/base/suggest.h"
#include "fabric/base/units.h"
#include "tools/weft/terminal/output.h"

#define OPTIONS_MAX 128u

/* All rows of a command, in order. */
struct rows {
    uint32_t count;
    const struct weft_option *items[OPTIONS_MAX];
    bool given[OPTIONS_MAX];
};

static void gather(const struct weft_command *command, struct rows *ret_rows)
{
    ret_rows->count = 0;
    memset(ret_rows->given, 0, sizeof(ret_rows->given));
    for (const struct weft_option *const *table = command->tables; *table; table++) {
        for (const struct weft_option *option = *table; option->name; option++) {
            assert(ret_rows->count < OPTIONS_MAX);
            ret_rows->items[ret_rows->count++] = option;
        }
    }
}

static enum weft_status unknown(const struct weft_command *command, const struct rows *rows,
                                const char *name, struct weft_error *error)
{
    const char *names[OPTIONS_MAX + 2];
    for (uint32_t i = 0; i < rows->count; i++)
        names[i] = rows->items[i]->name;
    names[rows->count] = "help";
    names[rows->count + 1] = NULL;
    const char *near = weft_suggest(name, names);
    if (near)
        return weft_error_set(error, WEFT_INVALID,
                              "weft %s has no option '--%.80s'; did you mean '--%s'?",
                              command->name, name, near);
    return weft_error_set(error, WEFT_INVALID,
                          "weft %s has no option '--%.80s'; weft %s --help lists its options",
                          command->name, name, command->name);
}

static enum weft_unit unit_of(enum weft_option_kind kind)
{
    if (kind == WEFT_OPTION_SIZE)
        return WEFT_UNIT_SIZE;
    if (kind == WEFT_OPTION_TIME)
        return WEFT_UNIT_TIME;
    return kind == WEFT_OPTION_RATE ? WEFT_UNIT_RATE : WEFT_UNIT_COUNT;
}

static enum weft_status set_number(const struct weft_option *option, const char *text,
                                   struct weft_number *ret_number, struct weft_error *error)
{
    enum weft_unit unit = unit_of(option->kind);
    uint64_t value = 0;
    if (weft_unit_parse(unit, text, &value, error) != WEFT_OK)
        return weft_error_prefix(error, "--%s: ", option->name);
    if (option->most && (value < option->least || value > option->most)) {
        char least[WEFT_UNITS_TEXT], most[WEFT_UNITS_TEXT];
        return weft_error_set(error, WEFT_INVALID, "--%s: %s is outside %s to %s", option->name,
                              text, weft_unit_format(unit, option->least, least),
                              weft_unit_format(unit, option->most, most));
    }
    *ret_number = (struct weft_number){.given = true, .value = value};
    return WEFT_OK;
}

static enum weft_status set_value(const struct weft_option *option, const char *text, void *field,
                                  struct weft_error *error)
{
    switch (option->kind) {
    case WEFT_OPTION_FLAG:
        *(bool *)field = true;
        return WEFT_OK;
    case WEFT_OPTION_TEXT:
        if (!*text)
            return weft_error_set(error, WEFT_INVALID, "--%s: the value is empty", option->name);
        *(const char **)field = text;
        return WEFT_OK;
    case WEFT_OPTION_TEXTS: {
        struct weft_texts *texts = field;
        if (texts->count == WEFT_TEXTS_MAX)
            return weft_error_set(error, WEFT_INVALID, "--%s is given more than %u times",
                                  option->name, WEFT_TEXTS_MAX);
        texts->items[texts->count++] = text;
        return WEFT_OK;
    }
    case WEFT_OPTION_COUNT:
    case WEFT_OPTION_SIZE:
    case WEFT_OPTION_TIME:
    case WEFT_OPTION_RATE:
        return set_number(option, text, field, error);
    }
    return WEFT_OK;
}

bool weft_option_is_given(const struct weft_option *option, const void *object)
{
    const void *field = (const char *)object + option->offset;
    switch (option->kind) {
    case WEFT_OPTION_FLAG:
        return *(const bool *)field;
    case WEFT_OPTION_TEXT:
        return *(const char *const *)field != NULL;
    case WEFT_OPTION_TEXTS:
        return ((const struct weft_texts *)field)->count > 0;
    case WEFT_OPTION_COUNT:
    case WEFT_OPTION_SIZE:
    case WEFT_OPTION_TIME:
    case WEFT_OPTION_RATE:
        return ((const struct weft_number *)field)->given;
    }
    return false;
}

/* `text` is what follows the dashes; `*next` the argument that may be its value. */
static enum weft_status take_option(const struct weft_command *command, struct rows *rows,
                                    const char *text, char ***next, void *object,
                                    struct weft_error *error)
{
    size_t name_bytes = strcspn(text, "=");
    const char *value = text[name_bytes] ? text + name_bytes + 1 : NULL;
    uint32_t row = 0;
    while (row < rows->count && (strlen(rows->items[row]->name) != name_bytes ||
                                 memcmp(rows->items[row]->name, text, name_bytes) != 0))
        row++;
    if (row == rows->count) {
        char name[96];
        (void)snprintf(name, sizeof(name), "%.*s", (int)name_bytes, text);
        return unknown(command, rows, name, error);
    }
    const struct weft_option *option = rows->items[row];
    if (rows->given[row] && option->kind != WEFT_OPTION_TEXTS)
        return weft_error_set(error, WEFT_INVALID, "--%s is given twice", option->name);
    rows->given[row] = true;
    if (option->kind == WEFT_OPTION_FLAG && value)
        return weft_error_set(error, WEFT_INVALID, "--%s takes no value", option->name);
    if (option->kind != WEFT_OPTION_FLAG && !value) {
        if (!**next)
            return weft_error_set(error, WEFT_INVALID, "--%s needs a value: --%s %s", option->name,
                                  option->name, option->value);
        value = *(*next)++;
    }
    return set_value(option, value, (char *)object + option->offset, error);
}

static enum weft_status check_count(const struct weft_command *command,
                                    const struct weft_arguments *arguments,
                                    struct weft_error *error)
{
    if (arguments->count >= command->least_arguments)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID, "weft %s needs %s; see weft %s --help",
                          command->name, command->usage, command->name);
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

enum weft_status weft_options_parse(const struct weft_command *command, int argc, char **argv,
                                    void *object, struct weft_arguments *ret_arguments,
                                    struct weft_error *error)
{
    struct rows rows;
    struct weft_arguments arguments = {.help = asks_help(argc, argv)};
    bool options_over = false;
    gather(command, &rows);
    char **next = argv; /* ends with a NULL, as main's does */
    while (!arguments.help && *next) {
        const char *text = *next++;
        enum weft_status status = WEFT_OK;
        if (!options_over && strcmp(text, "--") == 0)
            options_over = true;
        else if (!options_over && strncmp(text, "--", 2) == 0)
            status = take_option(command, &rows, text + 2, &next, object, error);
        else if (!options_over && text[0] == '-' && text[1])
            status = weft_error_set(error, WEFT_INVALID,
                                    "'%.80s': options have two dashes; weft %s --help lists them",
                                    text, command->name);
        else if (arguments.count == command->most_arguments)
            status = weft_error_set(
                error, WEFT_INVALID, "weft %s takes %s; '%.80s' is one argument too many",
                command->name, command->most_arguments ? command->usage : "no argument", text);
        else
            arguments.items[arguments.count++] = text;
        if (status != WEFT_OK)
            return status;
    }
    *ret_arguments = arguments;
    return arguments.help ? WEFT_OK : check_count(command, &arguments, error);
}

void weft_options_help(const struct weft_command *command)
{
    struct rows rows;
    gather(command, &rows);
    printf("weft %s%s%s%s\n\n%s\n", command->name, *command->usage ? " " : "", command->usage,
           rows.count ? " [OPTIONS]" : "", command->summary);
    if (command->text)
        printf("%s\n", command->text);
    if (rows.count)
        printf("\nOptions:\n");
    for (uint32_t i = 0; i < rows.count; i++) {
        char left[64];
        (void)snprintf(left, sizeof(left), "--%s%s%s", rows.items[i]->name,
                       rows.items[i]->value ? " " : "",
                       rows.items[i]->value ? rows.items[i]->value : "");
        printf("  %-24s %s\n", left, rows.items[i]->help);
    }
}

bool weft_options_take(const struct weft_command *command, int argc, char **argv, void *object,
                       struct weft_arguments *ret_arguments, int *ret_exit)
{
    struct weft_error error = {0};
    if (weft_options_parse(command, argc, argv, object, ret_arguments, &error) != WEFT_OK) {
        weft_output_error(&error);
        *ret_exit = WEFT_EXIT_BAD_INPUT;
        return false;
    }
    if (ret_arguments->help) {
        weft_options_help(command);
        *ret_exit = weft_output_end(WEFT_EXIT_DONE);
        return false;
    }
    return true;
}
