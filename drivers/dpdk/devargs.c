/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/dpdk/devargs.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/roce/roce.h"

#define FORMS                                                                             \
    "\na device is one of: loopback; net_af_packet0,iface=eth1; net_af_xdp0,iface=eth1; " \
    "net_memif0,role=client; 0000:01:00.0 (`weft devices` lists them)"

static bool is_pci(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (!dot || !isdigit((unsigned char)dot[1]) || dot[2])
        return false;
    uint32_t colons = 0;
    for (const char *at = name; at < dot; at++) {
        if (*at == ':')
            colons++;
        else if (!isxdigit((unsigned char)*at))
            return false;
    }
    return colons == 1 || colons == 2;
}

static enum weft_devargs_kind kind_of(const char *name)
{
    static const struct {
        const char *prefix;
        enum weft_devargs_kind kind;
    } kinds[] = {
        {"net_af_packet", WEFT_DEVARGS_AF_PACKET},
        {"eth_af_packet", WEFT_DEVARGS_AF_PACKET},
        {"net_af_xdp", WEFT_DEVARGS_AF_XDP},
        {"net_memif", WEFT_DEVARGS_MEMIF},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
            return kinds[i].kind;
    return is_pci(name) ? WEFT_DEVARGS_PCI : WEFT_DEVARGS_OTHER;
}

/* Finds "key=value"; the value runs to the next comma. */
static const char *find(const char *text, const char *key, size_t *ret_len_bytes)
{
    size_t key_bytes = strlen(key);
    for (const char *at = strchr(text, ','); at; at = strchr(at + 1, ',')) {
        if (strncmp(at + 1, key, key_bytes) != 0 || at[1 + key_bytes] != '=')
            continue;
        const char *value = at + 2 + key_bytes;
        *ret_len_bytes = strcspn(value, ",");
        return value;
    }
    return NULL;
}

static enum weft_status parse_interface(struct weft_devargs *devargs, struct weft_error *error)
{
    size_t len_bytes = 0;
    const char *value = find(devargs->text, "iface", &len_bytes);
    if (!value || len_bytes == 0)
        return weft_error_set(error, WEFT_INVALID, "device '%s': which interface? %s,iface=eth1",
                              devargs->text, devargs->name);
    if (len_bytes >= sizeof(devargs->interface))
        return weft_error_set(error, WEFT_INVALID,
                              "device '%s': an interface's name has at most %zu bytes",
                              devargs->text, sizeof(devargs->interface) - 1);
    memcpy(devargs->interface, value, len_bytes);
    devargs->interface[len_bytes] = '\0';
    return WEFT_OK;
}

static enum weft_status parse_frame_size(struct weft_devargs *devargs, const char *key,
                                         struct weft_error *error)
{
    size_t len_bytes = 0;
    const char *value = find(devargs->text, key, &len_bytes);
    if (!value)
        return WEFT_OK;
    char *end = NULL;
    unsigned long number = strtoul(value, &end, 10);
    if (len_bytes == 0 || end != value + len_bytes || number < 128 || number > 65535 - 128)
        return weft_error_set(error, WEFT_INVALID,
                              "device '%s': %s is a number from 128 to 65407, best left out",
                              devargs->text, key);
    devargs->frame_size = (uint32_t)number;
    return WEFT_OK;
}

enum weft_status weft_devargs_parse(const char *text, struct weft_devargs *ret_devargs,
                                    struct weft_error *error)
{
    struct weft_devargs devargs = {0};
    size_t name_bytes = strcspn(text, ",");
    if (name_bytes == 0)
        return weft_error_set(error, WEFT_INVALID, "device '%s': no name%s", text, FORMS);
    /* Room for what complete adds. */
    if (name_bytes >= sizeof(devargs.name) || strlen(text) + 64 > sizeof(devargs.text))
        return weft_error_set(error, WEFT_INVALID, "device '%.40s...': too long", text);
    for (const char *at = text; *at; at++)
        if (!isgraph((unsigned char)*at))
            return weft_error_set(error, WEFT_INVALID,
                                  "device '%s': has a space or an unprintable byte", text);
    memcpy(devargs.name, text, name_bytes);
    memcpy(devargs.text, text, strlen(text));
    devargs.kind = kind_of(devargs.name);
    if (devargs.kind == WEFT_DEVARGS_OTHER && strncmp(devargs.name, "net_", 4) != 0)
        return weft_error_set(error, WEFT_INVALID, "device '%s': not known%s", text, FORMS);

    enum weft_status status = WEFT_OK;
    if (devargs.kind == WEFT_DEVARGS_AF_PACKET || devargs.kind == WEFT_DEVARGS_AF_XDP)
        status = parse_interface(&devargs, error);
    if (!status && devargs.kind == WEFT_DEVARGS_AF_PACKET)
        status = parse_frame_size(&devargs, "framesz", error);
    if (!status && devargs.kind == WEFT_DEVARGS_MEMIF)
        status = parse_frame_size(&devargs, "bsize", error);
    if (!status)
        *ret_devargs = devargs;
    return status;
}

/* In an af_packet slot the frame starts at byte 66 (TPACKET_V2's headers and alignment). */
enum {
    AF_PACKET_HEAD = 66
};

uint32_t weft_devargs_frame_size(uint32_t mtu_bytes)
{
    uint32_t needed = AF_PACKET_HEAD + WEFT_ROCE_OVERHEAD_MAX + mtu_bytes;
    return needed <= 2048 ? 2048 : (needed + 255u) & ~255u;
}

uint32_t weft_devargs_frame_room(enum weft_devargs_kind kind, uint32_t frame_size)
{
    if (kind != WEFT_DEVARGS_AF_PACKET)
        return frame_size;
    return frame_size > AF_PACKET_HEAD ? frame_size - AF_PACKET_HEAD : 0;
}

enum weft_status weft_devargs_complete(struct weft_devargs *devargs, uint32_t mtu_bytes,
                                       struct weft_error *error)
{
    size_t ignored = 0;
    if (devargs->frame_size ||
        (devargs->kind != WEFT_DEVARGS_AF_PACKET && devargs->kind != WEFT_DEVARGS_MEMIF))
        return WEFT_OK;
    uint32_t frame_size = weft_devargs_frame_size(mtu_bytes);
    size_t used = strlen(devargs->text);
    char *end = devargs->text + used;
    size_t room = sizeof(devargs->text) - used;
    int added = 0;
    if (devargs->kind == WEFT_DEVARGS_MEMIF) {
        added = snprintf(end, room, ",bsize=%u", frame_size);
    } else {
        if (find(devargs->text, "blocksz", &ignored) || find(devargs->text, "framecnt", &ignored))
            return weft_error_set(error, WEFT_INVALID,
                                  "device '%s': blocksz and framecnt need framesz=%u too, for a "
                                  "path MTU of %u; or leave all three out",
                                  devargs->text, frame_size, mtu_bytes);
        /* A block is whole pages and whole frames: 16 frames of a multiple of 256 bytes are. The
         * rings are locked into memory: 512 frames each way stay within the usual limit. */
        added =
            snprintf(end, room, ",framesz=%u,blocksz=%u,framecnt=512", frame_size, frame_size * 16);
    }
    assert(added > 0 && (size_t)added < room);
    devargs->frame_size = frame_size;
    return WEFT_OK;
}
