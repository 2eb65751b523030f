/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/machine/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than any plan or topology; keeps a wrong file (a capture, a disk) from being read in. */
#define SOURCE_BYTES_MAX (64u << 20)
#define PATH_ROOM 4096

static enum weft_status read_all(FILE *file, const char *name, struct weft_source *ret_source,
                                 struct weft_error *error)
{
    size_t len_bytes = 0;
    size_t room = 0;
    char *text = NULL;
    do {
        if (room - len_bytes < 2) {
            room = room ? room * 2 : 16384;
            char *larger = realloc(text, room);
            if (!larger) {
                free(text);
                return weft_error_set(error, WEFT_NO_MEMORY, "no memory to read %s", name);
            }
            text = larger;
        }
        len_bytes += fread(text + len_bytes, 1, room - len_bytes - 1, file);
    } while (!feof(file) && !ferror(file) && len_bytes <= SOURCE_BYTES_MAX);
    if (ferror(file) || len_bytes > SOURCE_BYTES_MAX) {
        const char *why = ferror(file) ? strerror(errno) : "it is larger than 64 MiB";
        free(text);
        return weft_error_set(error, WEFT_IO, "cannot read %s: %s", name, why);
    }
    text[len_bytes] = '\0';
    *ret_source = (struct weft_source){.name = name, .text = text, .len_bytes = len_bytes};
    return WEFT_OK;
}

enum weft_status weft_source_read(const char *name, struct weft_source *ret_source,
                                  struct weft_error *error)
{
    struct stat about;
    FILE *file = fopen(name, "re");
    if (!file)
        return weft_error_set(error, WEFT_NOT_FOUND, "cannot open %s: %s", name, strerror(errno));
    enum weft_status status = WEFT_OK;
    if (!fstat(fileno(file), &about) && S_ISDIR(about.st_mode))
        status = weft_error_set(error, WEFT_INVALID, "%s is a directory, not a file", name);
    else
        status = read_all(file, name, ret_source, error);
    (void)fclose(file);
    return status;
}

void weft_source_fini(struct weft_source *source)
{
    /* The text was allocated by weft_source_read; const is for those who read it. */
    free((void *)(uintptr_t)source->text);
    *source = (struct weft_source){0};
}

/* On failure errno says why. */
static bool write_whole(const char *path, const char *text, size_t len_bytes)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return false;
    bool good = fwrite(text, 1, len_bytes, file) == len_bytes && fflush(file) == 0 &&
                fsync(fileno(file)) == 0;
    int saved = errno;
    if (fclose(file) != 0 && good) {
        good = false;
        saved = errno;
    }
    errno = saved;
    return good;
}

enum weft_status weft_file_write(const char *folder, const char *name, const char *text,
                                 size_t len_bytes, struct weft_error *error)
{
    char path[PATH_ROOM], temporary[PATH_ROOM];
    int needed = snprintf(path, sizeof(path), "%s/%s", folder, name);
    int needed_temporary = snprintf(temporary, sizeof(temporary), "%s/.%s.part", folder, name);
    if (needed >= PATH_ROOM || needed_temporary >= PATH_ROOM)
        return weft_error_set(error, WEFT_INVALID, "the path of %s is too long", name);
    if (write_whole(temporary, text, len_bytes) && rename(temporary, path) == 0)
        return WEFT_OK;
    int saved = errno;
    (void)unlink(temporary);
    return weft_error_set(error, WEFT_IO, "cannot write %s: %s", path, strerror(saved));
}
