/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/weft/commands/commands.h"
#include "tools/weft/terminal/output.h"

#define PATH_BYTES 4096

static bool is_folder(const char *path)
{
    struct stat is;
    return !stat(path, &is) && S_ISDIR(is.st_mode);
}

/* Beside the program, wherever the two were moved to. False: it cannot be told where that is. */
static bool beside_program(char path[PATH_BYTES])
{
    char program[PATH_BYTES / 2];
    ssize_t len_bytes = readlink("/proc/self/exe", program, sizeof(program));
    if (len_bytes <= 0 || (size_t)len_bytes >= sizeof(program))
        return false;
    program[len_bytes] = '\0';
    *strrchr(program, '/') = '\0';
    (void)snprintf(path, PATH_BYTES, "%s/%s", program, WEFT_TOPOLOGIES_BESIDE);
    return is_folder(path);
}

/* Is it the program of a build folder? Then its source tree is nearer than what was installed. */
static bool is_in_build_folder(void)
{
    char program[PATH_BYTES / 2];
    ssize_t len_bytes = readlink("/proc/self/exe", program, sizeof(program));
    size_t folder_bytes = strlen(WEFT_BUILD_FOLDER);
    return len_bytes > 0 && (size_t)len_bytes > folder_bytes &&
           memcmp(program, WEFT_BUILD_FOLDER, folder_bytes) == 0 && program[folder_bytes] == '/';
}

static const char *folder(void)
{
    static char beside[PATH_BYTES];
    const char *named = getenv("WEFT_TOPOLOGIES");
    if (named && *named)
        return named;
    if (is_in_build_folder() && is_folder(WEFT_TOPOLOGIES_SOURCE))
        return WEFT_TOPOLOGIES_SOURCE;
    return beside_program(beside) ? beside : WEFT_TOPOLOGIES_INSTALLED;
}

static int is_topology(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && dot != entry->d_name && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml"));
}

/* The first comment that is more than a licence's mark. */
static void first_comment(const char *path, char *line, int room)
{
    FILE *file = fopen(path, "re");
    line[0] = '\0';
    while (file && fgets(line, room, file)) {
        bool is_comment = line[0] == '#' && !strstr(line, "SPDX-License-Identifier");
        line[strcspn(line, "\n")] = '\0';
        if (is_comment || (line[0] && line[0] != '#'))
            break;
        line[0] = '\0';
    }
    if (line[0] == '#')
        memmove(line, line + 1, strlen(line));
    else
        line[0] = '\0';
    if (file)
        (void)fclose(file);
}

static void print_one(const char *in, const char *name, int columns)
{
    char path[PATH_BYTES + 256];
    char line[200];
    (void)snprintf(path, sizeof(path), "%.*s/%s", PATH_BYTES - 1, in, name);
    first_comment(path, line, sizeof(line));
    printf("  %-*s %s\n", columns, name, line);
}

static int run(int argc, char **argv)
{
    struct weft_arguments arguments;
    int exit_status = 0;
    if (!weft_options_take(&weft_command_topologies, argc, argv, NULL, &arguments, &exit_status))
        return exit_status;
    struct dirent **entries = NULL;
    int count = scandir(folder(), &entries, is_topology, alphasort);
    if (count < 0) {
        struct weft_error error = {0};
        weft_error_set(&error, WEFT_NOT_FOUND,
                       "cannot read the topologies in %s: %s; WEFT_TOPOLOGIES may name another "
                       "directory",
                       folder(), strerror(errno));
        weft_output_error(&error);
        return WEFT_EXIT_BAD_INPUT;
    }
    int columns = 0;
    for (int i = 0; i < count; i++) {
        int wide = (int)strlen(entries[i]->d_name);
        columns = wide > columns ? wide : columns;
    }
    printf("%s:\n", folder());
    for (int i = 0; i < count; i++) {
        print_one(folder(), entries[i]->d_name, columns);
        free(entries[i]);
    }
    free(entries);
    return weft_output_end(WEFT_EXIT_DONE);
}

static const struct weft_option *const tables[] = {NULL};

const struct weft_command weft_command_topologies = {
    .name = "topologies",
    .usage = "",
    .summary = "lists the topology files that come with weft",
    .text = "Copy one, put your own addresses in it, and use it with weft run --topology.\n"
            "They lie where weft was installed; the environment's WEFT_TOPOLOGIES names another\n"
            "folder.",
    .tables = tables,
    .run = run,
};
