/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum weft_status refuse(const char *text, const char *why, struct weft_error *error)
{
    return weft_error_set(error, WEFT_INVALID,
                          "'%s' is not an address: %s; write it as 10.0.0.1:%u, node7 or "
                          "[2001:db8::1]:%u",
                          text, why, WEFT_PORT_DEFAULT, WEFT_PORT_DEFAULT);
}

/* Splits at the colon before the port. Without brackets, two colons are an IPv6 address. */
static const char *split(const char *text, const char **ret_host, size_t *ret_host_bytes)
{
    const char *bracket = *text == '[' ? strchr(text, ']') : NULL;
    if (bracket) {
        *ret_host = text + 1;
        *ret_host_bytes = (size_t)(bracket - text) - 1;
        return bracket[1] ? bracket + 1 : NULL;
    }
    const char *colon = strchr(text, ':');
    if (colon && strchr(colon + 1, ':'))
        colon = NULL;
    *ret_host = text;
    *ret_host_bytes = colon ? (size_t)(colon - text) : strlen(text);
    return colon;
}

static bool is_port(const char *text)
{
    char *end = NULL;
    size_t len_bytes = strlen(text);
    unsigned long port = strtoul(text, &end, 10);
    return len_bytes > 0 && len_bytes <= 5 && strspn(text, "0123456789") == len_bytes &&
           port <= 65535;
}

enum weft_status weft_address_parse(const char *text, struct weft_address *ret_address,
                                    struct weft_error *error)
{
    const char *host = NULL;
    size_t host_bytes = 0;
    const char *port = split(text, &host, &host_bytes);
    if (!host_bytes)
        return refuse(text, "the host is missing", error);
    if (host_bytes >= sizeof(ret_address->host))
        return refuse(text, "the host's name is too long", error);
    if (memchr(host, '[', host_bytes) || memchr(host, ' ', host_bytes))
        return refuse(text, "the host's name has a wrong character", error);
    if (port && (*port != ':' || !is_port(port + 1)))
        return refuse(text, "the port must be a number up to 65535", error);

    struct weft_address address = {0};
    memcpy(address.host, host, host_bytes);
    if (port)
        (void)snprintf(address.port, sizeof(address.port), "%s", port + 1);
    else
        (void)snprintf(address.port, sizeof(address.port), "%u", WEFT_PORT_DEFAULT);
    *ret_address = address;
    return WEFT_OK;
}

void weft_address_format(const struct sockaddr *address, char text[WEFT_ADDRESS_TEXT])
{
    char host[64]; /* a zone stands behind some */
    char port[8];
    socklen_t len_bytes =
        address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (getnameinfo(address, len_bytes, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV))
        (void)snprintf(text, WEFT_ADDRESS_TEXT, "an unknown address");
    else if (address->sa_family == AF_INET6)
        (void)snprintf(text, WEFT_ADDRESS_TEXT, "[%s]:%s", host, port);
    else
        (void)snprintf(text, WEFT_ADDRESS_TEXT, "%s:%s", host, port);
}
