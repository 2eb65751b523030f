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

/* What may be asked of DPDK. A device string can come from a topology that somebody else wrote, to
 * a process that may be root: a driver that is not here could write any file (net_pcap), and so
 * could a parameter that takes a path. */
static const struct form {
    const char *prefix;
    enum weft_devargs_kind kind;
    const char *keys; /* each between blanks; NULL: a PCI driver's own */
} forms[] = {
    {"net_af_packet", WEFT_DEVARGS_AF_PACKET,
     " iface qpairs blocksz framesz framecnt qdisc_bypass "},
    {"eth_af_packet", WEFT_DEVARGS_AF_PACKET,
     " iface qpairs blocksz framesz framecnt qdisc_bypass "},
    {"net_af_xdp", WEFT_DEVARGS_AF_XDP,
     " iface start_queue queue_count shared_umem busy_budget force_copy "},
    {"net_memif", WEFT_DEVARGS_MEMIF,
     " role id bsize rsize socket socket-abstract mac secret zero-copy "},
    {"net_tap", WEFT_DEVARGS_TAP, " iface mac persist "},
};
static const struct form pci = {"", WEFT_DEVARGS_PCI, NULL};

static const struct form *form_of(const char *name)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        size_t prefix_bytes = strlen(forms[i].prefix);
        if (strncmp(name, forms[i].prefix, prefix_bytes) == 0 &&
            strspn(name + prefix_bytes, "0123456789") == strlen(name + prefix_bytes))
            return &forms[i];
    }
    return is_pci(name) ? &pci : NULL;
}

static bool is_key_of(const struct form *form, const char *key, size_t key_bytes)
{
    for (const char *at = form->keys; at && (at = strchr(at, ' ')) && at[1]; at++)
        if (strncmp(at + 1, key, key_bytes) == 0 && at[1 + key_bytes] == ' ')
            return true;
    return !form->keys && strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_-") >= key_bytes;
}

static bool has_path(const char *value, size_t len_bytes)
{
    return memchr(value, '/', len_bytes) != NULL;
}

/* "key=value" pairs, each a key of the form; no value is a path, but for memif's socket. */
static enum weft_status check_parameters(const struct form *form, const char *text,
                                         struct weft_error *error)
{
    for (const char *at = strchr(text, ','); at; at = strchr(at + 1, ',')) {
        size_t len_bytes = strcspn(at + 1, ",");
        size_t key_bytes = strcspn(at + 1, "=,");
        if (key_bytes == len_bytes)
            return weft_error_set(error, WEFT_INVALID,
                                  "device '%s': '%.*s' is not key=value, as in iface=eth1", text,
                                  (int)len_bytes, at + 1);
        if (!is_key_of(form, at + 1, key_bytes))
            return weft_error_set(error, WEFT_INVALID, "device '%s': no parameter '%.*s'%s%s", text,
                                  (int)key_bytes, at + 1, form->keys ? "; there are" : "",
                                  form->keys ? form->keys : "");
        bool socket = form->kind == WEFT_DEVARGS_MEMIF && strncmp(at + 1, "socket=", 7) == 0;
        if (!socket && has_path(at + 2 + key_bytes, len_bytes - key_bytes - 1))
            return weft_error_set(error, WEFT_INVALID,
                                  "device '%s': %.*s: a path is not taken from a topology", text,
                                  (int)key_bytes, at + 1);
    }
    return WEFT_OK;
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

/* Without socket-abstract=no its name is no path. With it memif replaces what has that path. */
static enum weft_status check_socket(const struct weft_devargs *devargs, struct weft_error *error)
{
    size_t len_bytes = 0, answer_bytes = 0;
    const char *path = find(devargs->text, "socket", &len_bytes);
    const char *abstract = find(devargs->text, "socket-abstract", &answer_bytes);
    if (!abstract || strncmp(abstract, "yes", answer_bytes) == 0)
        return WEFT_OK;
    static const char end[] = ".sock";
    size_t end_bytes = sizeof(end) - 1;
    if (path && len_bytes > end_bytes && strncmp(path + len_bytes - end_bytes, end, end_bytes) == 0)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "device '%s': with socket-abstract=no the path of the socket must end in "
                          ".sock, so that no other file is replaced",
                          devargs->text);
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
    const struct form *form = form_of(devargs.name);
    if (!form)
        return weft_error_set(error, WEFT_INVALID, "device '%s': not known%s", text, FORMS);
    devargs.kind = form->kind;

    enum weft_status status = WEFT_OK;
    if (devargs.kind == WEFT_DEVARGS_AF_PACKET || devargs.kind == WEFT_DEVARGS_AF_XDP)
        status = parse_interface(&devargs, error);
    if (!status && devargs.kind == WEFT_DEVARGS_AF_PACKET)
        status = parse_frame_size(&devargs, "framesz", error);
    if (!status && devargs.kind == WEFT_DEVARGS_MEMIF)
        status = parse_frame_size(&devargs, "bsize", error);
    if (!status)
        status = check_parameters(form, devargs.text, error);
    if (!status && devargs.kind == WEFT_DEVARGS_MEMIF)
        status = check_socket(&devargs, error);
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
