/* SPDX-License-Identifier: BSD-3-Clause */
/* IP addresses as text: those of inet_pton and inet_ntop, and a prefix behind a slash. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "fabric/topology/ip.h"

static enum weft_status refuse(const char *text, const char *why, struct weft_error *error)
{
    return weft_error_set(error, WEFT_INVALID,
                          "'%.60s' is not an IP address: %s; write it like 198.18.0.1/24 or "
                          "2001:db8::1/64",
                          text, why);
}

/* Returns what follows the number, NULL where there is none up to `most`. No zero may lead, lest
 * someone means octal. */
static const char *read_prefix(const char *text, uint32_t most, uint8_t *ret_bits)
{
    uint32_t bits = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 3 || *text == '0')
        return NULL;
    for (size_t i = 0; i < digits; i++)
        bits = bits * 10 + (uint32_t)(text[i] - '0');
    *ret_bits = (uint8_t)bits;
    return bits <= most ? text + digits : NULL;
}

static bool read_host(const char *text, size_t len_bytes, struct weft_ip *ret_address)
{
    char host[INET6_ADDRSTRLEN];
    if (len_bytes >= sizeof(host))
        return false;
    memcpy(host, text, len_bytes);
    host[len_bytes] = '\0';
    return inet_pton(ret_address->version == 6 ? AF_INET6 : AF_INET, host, ret_address->bytes) == 1;
}

enum weft_status weft_ip_parse(const char *text, struct weft_ip *ret_address,
                               struct weft_error *error)
{
    bool v6 = strchr(text, ':');
    struct weft_ip address = {.version = v6 ? 6 : 4, .prefix_bits = v6 ? 64 : 24};
    const char *at = text + strcspn(text, "/");
    if (!read_host(text, (size_t)(at - text), &address))
        return refuse(text, "it has the wrong form", error);
    if (*at == '/') {
        at = read_prefix(at + 1, v6 ? 128 : 32, &address.prefix_bits);
        if (!at)
            return refuse(text,
                          v6 ? "its prefix must be from /1 to /128"
                             : "its prefix must be from /1 to /32",
                          error);
    }
    if (*at)
        return refuse(text, "extra text follows it", error);
    *ret_address = address;
    return WEFT_OK;
}

bool weft_ip_is_link_local(const struct weft_ip *address)
{
    return address->version == 6 && address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80;
}

char *weft_ip_format(const struct weft_ip *address, bool with_prefix, char text[WEFT_IP_TEXT])
{
    if (!address->version) {
        (void)snprintf(text, WEFT_IP_TEXT, "none");
        return text;
    }
    (void)inet_ntop(address->version == 4 ? AF_INET : AF_INET6, address->bytes, text, WEFT_IP_TEXT);
    size_t used = strlen(text);
    if (with_prefix)
        (void)snprintf(text + used, WEFT_IP_TEXT - used, "/%u", address->prefix_bits);
    return text;
}
