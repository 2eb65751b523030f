/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/verbs/gid.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

static const uint8_t ipv4_prefix[12] = {[10] = 0xff, [11] = 0xff};

const char *weft_verbs_gid_type_text(enum weft_verbs_gid_type type)
{
    static const char *const texts[WEFT_VERBS_GID_TYPE_COUNT] = {
        [WEFT_VERBS_GID_INFINIBAND] = "InfiniBand",
        [WEFT_VERBS_GID_ROCE_V1] = "RoCE v1",
        [WEFT_VERBS_GID_ROCE_V2] = "RoCE v2",
    };
    assert((unsigned)type < WEFT_VERBS_GID_TYPE_COUNT);
    return texts[type];
}

char *weft_verbs_gid_format(const uint8_t bytes[16], char text[WEFT_VERBS_GID_TEXT])
{
    const char *done = inet_ntop(AF_INET6, bytes, text, WEFT_VERBS_GID_TEXT);
    assert(done); /* the longest IPv6 address fits */
    return text;
}

bool weft_verbs_gid_is_ipv4(const uint8_t bytes[16])
{
    return memcmp(bytes, ipv4_prefix, sizeof(ipv4_prefix)) == 0;
}

static bool is_link_local(const uint8_t bytes[16])
{
    return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

uint32_t weft_verbs_gid_score(const struct weft_verbs_gid *gid)
{
    static const uint8_t none[16];
    if (memcmp(gid->bytes, none, sizeof(none)) == 0)
        return 0;
    uint32_t score = gid->type == WEFT_VERBS_GID_ROCE_V2 ? 20 : 10;
    if (weft_verbs_gid_is_ipv4(gid->bytes))
        return score + 3;
    return score + (is_link_local(gid->bytes) ? 1 : 2);
}

static void address_bytes(const struct weft_ip *address, uint8_t ret_bytes[16])
{
    assert(address->version == 4 || address->version == 6);
    if (address->version == 6) {
        memcpy(ret_bytes, address->bytes, 16);
        return;
    }
    memcpy(ret_bytes, ipv4_prefix, sizeof(ipv4_prefix));
    memcpy(ret_bytes + sizeof(ipv4_prefix), address->bytes, 4);
}

/* A line an entry; a long table is cut, since an error has an end. */
static enum weft_status refuse(const struct weft_verbs_gid *gids, uint32_t count,
                               const uint8_t *wanted, struct weft_error *error)
{
    char table[1000] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < count && i < 16; i++) {
        char text[WEFT_VERBS_GID_TEXT];
        int wrote = snprintf(table + used, sizeof(table) - used, "\n  %3u  %s  %s", gids[i].index,
                             weft_verbs_gid_type_text(gids[i].type),
                             weft_verbs_gid_format(gids[i].bytes, text));
        assert(wrote > 0 && (size_t)wrote < sizeof(table) - used);
        used += (size_t)wrote;
    }
    if (!wanted)
        return weft_error_set(error, WEFT_NOT_FOUND,
                              "the port's GID table has no usable entry%s%s; give the interface "
                              "beneath it an address (ip address add ...)",
                              count ? ":" : "", table);
    char text[WEFT_VERBS_GID_TEXT];
    return weft_error_set(error, WEFT_NOT_FOUND,
                          "no GID of the port is %s; give the interface that address, or name one "
                          "of these %u, or leave the address out:%s%s",
                          weft_verbs_gid_format(wanted, text), count, table,
                          count > 16 ? "\n  ..." : "");
}

enum weft_status weft_verbs_gid_choose(const struct weft_verbs_gid *gids, uint32_t count,
                                       const struct weft_ip *address,
                                       struct weft_verbs_gid *ret_gid, struct weft_error *error)
{
    uint8_t wanted[16];
    if (address->version)
        address_bytes(address, wanted);
    const struct weft_verbs_gid *best = NULL;
    uint32_t best_score = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (address->version && memcmp(gids[i].bytes, wanted, sizeof(wanted)) != 0)
            continue;
        uint32_t score = weft_verbs_gid_score(&gids[i]);
        if (score <= best_score)
            continue;
        best_score = score;
        best = &gids[i];
    }
    if (!best)
        return refuse(gids, count, address->version ? wanted : NULL, error);
    *ret_gid = *best;
    return WEFT_OK;
}
