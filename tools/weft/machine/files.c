/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/machine/files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
#define SILENCE_MS 10000

/* A regular file is always readable. A pipe may have no writer, or one that has stopped. */
static enum weft_status await_bytes(int file, const char *name, struct weft_error *error)
{
    struct pollfd poll_file = {.fd = file, .events = POLLIN};
    if (poll(&poll_file, 1, SILENCE_MS) != 0)
        return WEFT_OK;
    return weft_error_set(error, WEFT_IO,
                          "cannot read %s: nothing was written to it for %d s; it is a pipe or a "
                          "device: write to it, or name a file",
                          name, SILENCE_MS / 1000);
}

static bool make_room(char **text, size_t len_bytes, size_t *room)
{
    if (*room - len_bytes >= 2)
        return true;
    *room = *room ? *room * 2 : 16384;
    char *larger = realloc(*text, *room);
    if (larger)
        *text = larger;
    return larger != NULL;
}

static enum weft_status fill(int file, const char *name, struct weft_source *source,
                             struct weft_error *error)
{
    char *text = NULL;
    size_t room = 0;
    enum weft_status status = WEFT_OK;
    while (status == WEFT_OK) {
        if (!make_room(&text, source->len_bytes, &room)) {
            status = weft_error_set(error, WEFT_NO_MEMORY, "no memory to read %s", name);
            break;
        }
        source->text = text;
        status = await_bytes(file, name, error);
        if (status != WEFT_OK)
            break;
        ssize_t got = read(file, text + source->len_bytes, room - source->len_bytes - 1);
        if (got == 0)
            break;
        if (got > 0)
            source->len_bytes += (size_t)got;
        else if (errno != EAGAIN && errno != EINTR)
            status = weft_error_set(error, WEFT_IO, "cannot read %s: %s", name, strerror(errno));
        if (source->len_bytes > SOURCE_BYTES_MAX)
            status =
                weft_error_set(error, WEFT_IO, "cannot read %s: it is larger than 64 MiB", name);
    }
    if (text)
        text[source->len_bytes] = '\0';
    return status;
}

enum weft_status weft_source_read(const char *name, struct weft_source *ret_source,
                                  struct weft_error *error)
{
    struct stat about;
    struct weft_source source = {.name = name};
    /* Without O_NONBLOCK the open itself would wait for a FIFO's writer. */
    int file = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        return weft_error_set(error, WEFT_NOT_FOUND, "cannot open %s: %s", name, strerror(errno));
    enum weft_status status = WEFT_OK;
    if (!fstat(file, &about) && S_ISDIR(about.st_mode))
        status = weft_error_set(error, WEFT_INVALID, "%s is a directory, not a file", name);
    else
        status = fill(file, name, &source, error);
    (void)close(file);
    if (status == WEFT_OK)
        *ret_source = source;
    else
        weft_source_fini(&source);
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
