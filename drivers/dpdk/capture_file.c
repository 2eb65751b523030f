/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/dpdk/capture_file.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    BLOCK_SECTION = 0x0A0D0D0A,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    BYTE_ORDER_MAGIC = 0x1A2B3C4D,
    LINK_ETHERNET = 1,
    OPTION_END = 0,
    OPTION_NAME = 2,       /* if_name */
    OPTION_RESOLUTION = 9, /* if_tsresol */
    NANOSECONDS = 9,       /* 10^-9 */
    NAME_MAX_BYTES = 200,
};

static struct {
    char path[PATH_MAX];
    FILE *stream;
    int failure; /* errno of the first write that failed; 0: none */
    uint32_t interfaces;
} file;

static void put(const void *data, size_t len_bytes)
{
    errno = 0;
    if (!file.failure && fwrite(data, 1, len_bytes, file.stream) != len_bytes)
        file.failure = errno ? errno : EIO;
}

static void put32(uint32_t value)
{
    put(&value, sizeof(value));
}

/* Everything in a block stands at a multiple of 4. */
static uint32_t padded(uint32_t len_bytes)
{
    return (len_bytes + 3u) & ~3u;
}

static void put_padded(const void *data, uint32_t len_bytes)
{
    static const uint8_t zeros[4];
    if (len_bytes)
        put(data, len_bytes);
    put(zeros, padded(len_bytes) - len_bytes);
}

static void put_option(uint16_t code, const void *value, uint16_t len_bytes)
{
    const uint16_t head[2] = {code, len_bytes};
    put(head, sizeof(head));
    put_padded(value, len_bytes);
}

static void put_section(void)
{
    const uint16_t version[2] = {1, 0};
    const uint64_t unknown_length = UINT64_MAX;
    const uint32_t block_bytes = 28;
    put32(BLOCK_SECTION);
    put32(block_bytes);
    put32(BYTE_ORDER_MAGIC);
    put(version, sizeof(version));
    put(&unknown_length, sizeof(unknown_length));
    put32(block_bytes);
}

static enum weft_status failed(struct weft_error *error)
{
    return weft_error_set(error, WEFT_IO,
                          "the capture '%s' is not whole: %s; packets are missing from it",
                          file.path, strerror(file.failure));
}

enum weft_status weft_capture_file_open(const char *path, struct weft_error *error)
{
    assert(!file.stream);
    if (strlen(path) >= sizeof(file.path))
        return weft_error_set(error, WEFT_INVALID, "the path of the capture is too long");
    file.stream = fopen(path, "wb");
    if (!file.stream)
        return weft_error_set(error, WEFT_IO, "the capture cannot be written: %s: %s", path,
                              strerror(errno));
    memcpy(file.path, path, strlen(path) + 1);
    file.failure = 0;
    file.interfaces = 0;
    put_section();
    return WEFT_OK;
}

const char *weft_capture_file_path(void)
{
    return file.stream ? file.path : NULL;
}

uint32_t weft_capture_file_interface(const char *name)
{
    uint16_t name_bytes = (uint16_t)strnlen(name, NAME_MAX_BYTES);
    const uint8_t resolution = NANOSECONDS;
    const uint16_t link[2] = {LINK_ETHERNET, 0};
    uint32_t block_bytes = 20 + 4 + padded(name_bytes) + 8 + 4;
    put32(BLOCK_INTERFACE);
    put32(block_bytes);
    put(link, sizeof(link));
    put32(0); /* no limit of a packet's bytes */
    put_option(OPTION_NAME, name, name_bytes);
    put_option(OPTION_RESOLUTION, &resolution, 1);
    put_option(OPTION_END, NULL, 0);
    put32(block_bytes);
    return file.interfaces++;
}

void weft_capture_file_packet(const struct weft_capture_packet *packet)
{
    uint32_t block_bytes = 32 + padded(packet->len_bytes);
    assert(packet->interface < file.interfaces);
    put32(BLOCK_PACKET);
    put32(block_bytes);
    put32(packet->interface);
    put32((uint32_t)(packet->time_ns >> 32));
    put32((uint32_t)packet->time_ns);
    put32(packet->len_bytes);
    put32(packet->line_len_bytes);
    put_padded(packet->frame, packet->len_bytes);
    put32(block_bytes);
}

enum weft_status weft_capture_file_flush(struct weft_error *error)
{
    errno = 0;
    if (file.stream && !file.failure && fflush(file.stream) != 0)
        file.failure = errno ? errno : EIO;
    return file.failure ? failed(error) : WEFT_OK;
}

/* A pipe or a terminal has nothing to be synchronised. */
static bool reaches_disk(void)
{
    return fsync(fileno(file.stream)) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP;
}

enum weft_status weft_capture_file_close(struct weft_error *error)
{
    if (!file.stream)
        return WEFT_OK;
    enum weft_status status = weft_capture_file_flush(error);
    errno = 0;
    if (status == WEFT_OK && !reaches_disk())
        file.failure = errno;
    if (fclose(file.stream) != 0 && !file.failure)
        file.failure = errno ? errno : EIO;
    file.stream = NULL;
    if (status == WEFT_OK && file.failure)
        status = failed(error);
    file.failure = 0;
    return status;
}
