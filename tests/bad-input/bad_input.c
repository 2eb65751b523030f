/* SPDX-License-Identifier: BSD-3-Clause */
/* Every file of this directory is bad, and expected.txt says how its error must read: a row is a
 * file, a line:column ("-": none) and a phrase. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/plan/plan.h"
#include "fabric/topology/topology.h"

#define ROWS_MAX 500

struct row {
    char file[80];
    char place[16];
    char phrase[300];
};

static struct row rows[ROWS_MAX];
static int row_count;

static FILE *open_file(const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", BAD_INPUT_DIRECTORY, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "cannot open %s", path);
    return file;
}

static void read_rows(void)
{
    FILE *file = open_file("expected.txt");
    char line[500];
    while (fgets(line, sizeof(line), file)) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        cr_assert_lt(row_count, ROWS_MAX);
        struct row *row = &rows[row_count++];
        int fields = sscanf(line, "%79s %15s %299[^\n]", row->file, row->place, row->phrase);
        cr_assert_eq(fields, 3, "%s", line);
    }
    (void)fclose(file);
}

TestSuite(bad_input, .init = read_rows);

static enum weft_status parse(const struct weft_source *source, struct weft_error *error)
{
    if (strstr(source->name, ".plan.yaml")) {
        struct weft_plan *plan = NULL;
        enum weft_status status = weft_plan_parse(source, &plan, error);
        cr_assert_eq(status == WEFT_OK, plan != NULL);
        weft_plan_destroy(plan);
        return status;
    }
    struct weft_topology *topology = NULL;
    enum weft_status status = weft_topology_parse(source, &topology, error);
    cr_assert_eq(status == WEFT_OK, topology != NULL);
    weft_topology_destroy(topology);
    return status;
}

static void check(const struct row *row)
{
    static char text[1 << 16];
    FILE *file = open_file(row->file);
    const struct weft_source source = {row->file, text, fread(text, 1, sizeof(text), file)};
    (void)fclose(file);
    struct weft_error error = {0};
    cr_expect_eq(parse(&source, &error), WEFT_INVALID, "%s was taken", row->file);
    cr_expect_eq(error.status, WEFT_INVALID, "%s", row->file);
    char begin[120];
    (void)snprintf(begin, sizeof(begin), "%s:%s%serror: ", row->file,
                   strcmp(row->place, "-") == 0 ? "" : row->place,
                   strcmp(row->place, "-") == 0 ? " " : ": ");
    cr_expect_eq(strncmp(error.text, begin, strlen(begin)), 0, "not at %s: %s", begin, error.text);
    cr_expect_not_null(strstr(error.text, row->phrase), "no '%s' in: %s", row->phrase, error.text);
}

/* The last line of the excerpt ends with the caret, under the column. */
static void check_caret(const struct row *row)
{
    static char text[1 << 16];
    unsigned line, column;
    if (sscanf(row->place, "%u:%u", &line, &column) != 2)
        return;
    FILE *file = open_file(row->file);
    const struct weft_source source = {row->file, text, fread(text, 1, sizeof(text), file)};
    (void)fclose(file);
    struct weft_error error = {0};
    (void)parse(&source, &error);
    const char *last = strrchr(error.text, '\n');
    cr_expect(last && strchr(last, '^'), "%s has no caret: %s", row->file, error.text);
    if (last)
        cr_expect_eq(strchr(last, '^') - last, (long)(sizeof("       | ") + column - 1), "%s: %s",
                     row->file, error.text);
}

Test(bad_input, each_file_has_the_error_that_the_table_says)
{
    cr_assert_gt(row_count, 70);
    for (int i = 0; i < row_count; i++) {
        check(&rows[i]);
        check_caret(&rows[i]);
    }
}

static bool is_listed(const char *file)
{
    for (int i = 0; i < row_count; i++) {
        if (strcmp(rows[i].file, file) == 0)
            return true;
    }
    return false;
}

Test(bad_input, the_table_has_each_file)
{
    DIR *directory = opendir(BAD_INPUT_DIRECTORY);
    cr_assert_not_null(directory);
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        if (!strstr(entry->d_name, ".yaml"))
            continue;
        count++;
        cr_expect(is_listed(entry->d_name), "%s is not in expected.txt", entry->d_name);
    }
    (void)closedir(directory);
    cr_assert_eq(count, row_count);
}

/* However much of a bad or good file is there, it ends in one error or none. */
Test(bad_input, any_beginning_of_a_file_is_borne)
{
    static char text[1 << 16];
    for (int i = 0; i < row_count; i++) {
        FILE *file = open_file(rows[i].file);
        size_t len_bytes = fread(text, 1, sizeof(text), file);
        (void)fclose(file);
        for (size_t cut = 0; cut < len_bytes; cut++) {
            const struct weft_source source = {rows[i].file, text, cut};
            struct weft_error error = {0};
            enum weft_status status = parse(&source, &error);
            cr_assert_eq(status == WEFT_OK, error.text[0] == '\0', "%s", error.text);
        }
    }
}
