/* SPDX-License-Identifier: BSD-3-Clause */
/* IP addresses as text. By hand, since fabric/ includes no header of sockets. */
#include <stdio.h>
#include <string.h>

#include "fabric/topology/topology.h"

static enum weft_status refuse(const char *text, const char *why, struct weft_error *error)
{
    return weft_error_set(error, WEFT_INVALID,
                          "'%.60s' is not an IP address: %s; write it like 198.18.0.1/24 or "
                          "2001:db8::1/64",
                          text, why);
}

/* Up to `digits_max` digits. No zero may lead, lest someone means octal. */
static const char *read_decimal(const char *at, uint32_t digits_max, uint32_t *ret_value)
{
    const char *begin = at;
    uint32_t value = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        if ((uint32_t)(at - begin) == digits_max)
            return NULL;
        value = value * 10 + (uint32_t)(*at - '0');
    }
    if (at == begin || (*begin == '0' && at - begin > 1))
        return NULL;
    *ret_value = value;
    return at;
}

/* Returns what follows the address, NULL where there is none. */
static const char *read_v4(const char *at, uint8_t bytes[4])
{
    for (int i = 0; i < 4; i++) {
        uint32_t value = 0;
        if (i > 0 && *at++ != '.')
            return NULL;
        at = read_decimal(at, 3, &value);
        if (!at || value > 255)
            return NULL;
        bytes[i] = (uint8_t)value;
    }
    return at;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static const char *read_group(const char *at, uint8_t bytes[2])
{
    uint32_t value = 0;
    const char *begin = at;
    for (; hex_value(*at) >= 0; at++) {
        if (at - begin == 4)
            return NULL;
        value = value << 4 | (uint32_t)hex_value(*at);
    }
    if (at == begin)
        return NULL;
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
    return at;
}

/* The groups lie at the front; those behind "::" go to the end and zeros between. */
static bool spread(uint8_t bytes[16], uint32_t used, uint32_t gap, bool has_gap)
{
    if (!has_gap)
        return used == 16;
    if (used > 14)
        return false;
    memmove(bytes + 16 - (used - gap), bytes + gap, used - gap);
    memset(bytes + gap, 0, 16 - used);
    return true;
}

static const char *read_v6(const char *at, uint8_t bytes[16])
{
    uint32_t used = 0, gap = 0;
    bool has_gap = at[0] == ':' && at[1] == ':';
    if (has_gap)
        at += 2;
    while (hex_value(*at) >= 0 && used < 16) {
        const char *after_v4 = used <= 12 ? read_v4(at, bytes + used) : NULL;
        if (after_v4) {
            used += 4;
            at = after_v4;
            break;
        }
        at = read_group(at, bytes + used);
        if (!at)
            return NULL;
        used += 2;
        if (*at != ':')
            break;
        at++;
        if (*at == ':') {
            if (has_gap)
                return NULL;
            has_gap = true;
            gap = used;
            at++;
        } else if (hex_value(*at) < 0) {
            return NULL;
        }
    }
    return spread(bytes, used, gap, has_gap) ? at : NULL;
}

enum weft_status weft_ip_parse(const char *text, struct weft_ip *ret_address,
                               struct weft_error *error)
{
    struct weft_ip address = {.version = strchr(text, ':') ? 6 : 4};
    bool v6 = address.version == 6;
    const char *at = v6 ? read_v6(text, address.bytes) : read_v4(text, address.bytes);
    if (!at)
        return refuse(text, "it has the wrong form", error);
    uint32_t prefix_bits = v6 ? 64 : 24;
    if (*at == '/') {
        at = read_decimal(at + 1, 3, &prefix_bits);
        if (!at || prefix_bits == 0 || prefix_bits > (v6 ? 128 : 32))
            return refuse(text,
                          v6 ? "its prefix must be from /1 to /128"
                             : "its prefix must be from /1 to /32",
                          error);
    }
    if (*at)
        return refuse(text, "extra text follows it", error);
    address.prefix_bits = (uint8_t)prefix_bits;
    *ret_address = address;
    return WEFT_OK;
}

bool weft_ip_is_link_local(const struct weft_ip *address)
{
    return address->version == 6 && address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80;
}

/* ---- writing ---- */

static uint32_t group_of(const struct weft_ip *address, uint32_t group)
{
    return (uint32_t)address->bytes[(size_t)group * 2] << 8 | address->bytes[(size_t)group * 2 + 1];
}

/* The longest run of two or more zero groups, the first of several (RFC 5952, 4.2). */
static void find_gap(const struct weft_ip *address, uint32_t *ret_gap, uint32_t *ret_length)
{
    *ret_gap = 8;
    *ret_length = 1;
    for (uint32_t begin = 0; begin < 8; begin++) {
        uint32_t end = begin;
        while (end < 8 && group_of(address, end) == 0)
            end++;
        if (end - begin > *ret_length) {
            *ret_gap = begin;
            *ret_length = end - begin;
        }
    }
}

static int format_v6(const struct weft_ip *address, char text[WEFT_IP_TEXT])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *bytes = address->bytes;
    if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
        return snprintf(text, WEFT_IP_TEXT, "::ffff:%u.%u.%u.%u", bytes[12], bytes[13], bytes[14],
                        bytes[15]);
    uint32_t gap, gap_length;
    find_gap(address, &gap, &gap_length);
    int used = 0;
    for (uint32_t group = 0; group < 8;) {
        size_t room = WEFT_IP_TEXT - (size_t)used;
        if (group == gap) {
            used += snprintf(text + used, room, "::");
            group += gap_length;
            continue;
        }
        bool colon = group > 0 && text[used - 1] != ':';
        used += snprintf(text + used, room, "%s%x", colon ? ":" : "", group_of(address, group));
        group++;
    }
    return used;
}

char *weft_ip_format(const struct weft_ip *address, bool with_prefix, char text[WEFT_IP_TEXT])
{
    const uint8_t *bytes = address->bytes;
    int used;
    if (address->version == 4)
        used = snprintf(text, WEFT_IP_TEXT, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
    else if (address->version == 6)
        used = format_v6(address, text);
    else
        used = snprintf(text, WEFT_IP_TEXT, "none");
    if (with_prefix && address->version)
        (void)snprintf(text + used, WEFT_IP_TEXT - (size_t)used, "/%u", address->prefix_bits);
    return text;
}
