/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/topology/read.h"

#include <stdlib.h>
#include <string.h>

#include "fabric/topology/topology.h"

#define NAME_BYTES_MAX 63u

static const char name_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

static bool is_name(const char *text, size_t len_bytes)
{
    return len_bytes > 0 && len_bytes <= NAME_BYTES_MAX &&
           strspn(text, name_characters) >= len_bytes;
}

enum weft_status weft_topology_read_name(const struct weft_yaml_node *node, void *ret_field,
                                         struct weft_error *error)
{
    if (node->kind == WEFT_YAML_TEXT && *node->text && !is_name(node->text, strlen(node->text)))
        return weft_error_at(error, &node->where,
                             "'%.80s' is not a name: up to %u letters, digits, '.', '_' and '-'",
                             node->text, NAME_BYTES_MAX);
    return weft_yaml_read_text(node, ret_field, error);
}

/* ---- addresses ---- */

static enum weft_status read_ip(const struct weft_yaml_node *node, struct weft_ip *ret_address,
                                struct weft_error *error)
{
    struct weft_error why = {0};
    if (node->kind != WEFT_YAML_TEXT)
        return weft_error_at(error, &node->where,
                             "'%s' must be an IP address such as 198.18.0.1/24", node->key);
    if (weft_ip_parse(node->text, ret_address, &why) != WEFT_OK)
        return weft_error_at(error, &node->where, "%s", why.text);
    return WEFT_OK;
}

/* All bits behind the prefix are `bit`. */
static bool host_bits_are(const struct weft_ip *address, uint32_t bit)
{
    uint32_t bits = address->version == 4 ? 32 : 128;
    for (uint32_t i = address->prefix_bits; i < bits; i++) {
        uint32_t byte = address->bytes[i / 8];
        if ((byte >> (7 - i % 8) & 1) != bit)
            return false;
    }
    return true;
}

static const char *hindrance_v6(const uint8_t bytes[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t loopback[16] = {[15] = 1};
    if (bytes[0] == 0xff)
        return "is a multicast address";
    if (memcmp(bytes, loopback, sizeof(loopback)) == 0)
        return "is every host's own loopback address";
    if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
        return "is an IPv4 address, to be written like 198.18.0.1/24";
    return NULL;
}

/* NULL: a host can have it. */
static const char *hindrance(const struct weft_ip *address)
{
    const uint8_t *bytes = address->bytes;
    struct weft_ip whole = *address;
    whole.prefix_bits = 0;
    if (host_bits_are(&whole, 0))
        return "is the unspecified address";
    if (address->version == 6)
        return hindrance_v6(bytes);
    if (bytes[0] >= 224)
        return bytes[0] < 240 ? "is a multicast address" : "is a reserved address";
    if (bytes[0] == 0)
        return "is a reserved address";
    if (address->prefix_bits <= 30 && host_bits_are(address, 0))
        return "is the address of the network itself";
    if (address->prefix_bits <= 30 && host_bits_are(address, 1))
        return "is the broadcast address of its network";
    return NULL;
}

enum weft_status weft_topology_read_address(const struct weft_yaml_node *node, void *ret_field,
                                            struct weft_error *error)
{
    struct weft_ip address = {0};
    enum weft_status status = read_ip(node, &address, error);
    if (status != WEFT_OK)
        return status;
    const char *why = hindrance(&address);
    char text[WEFT_IP_TEXT];
    if (why)
        return weft_error_at(error, &node->where, "%s %s: no NIC can have it",
                             weft_ip_format(&address, true, text), why);
    *(struct weft_ip *)ret_field = address;
    return WEFT_OK;
}

enum weft_status weft_topology_read_gateway(const struct weft_yaml_node *node, void *ret_field,
                                            struct weft_error *error)
{
    if (node->kind == WEFT_YAML_TEXT && strchr(node->text, '/'))
        return weft_error_at(error, &node->where, "a gateway is written without a prefix");
    struct weft_ip address = {0};
    enum weft_status status = read_ip(node, &address, error);
    if (status != WEFT_OK)
        return status;
    /* Its network is the address's, which may not have been read yet. */
    address.prefix_bits = address.version == 4 ? 32 : 128;
    const char *why = hindrance(&address);
    if (why)
        return weft_error_at(error, &node->where, "%s %s: no gateway can have it", node->text, why);
    *(struct weft_ip *)ret_field = address;
    return WEFT_OK;
}

/* ---- VLANs ---- */

enum weft_status weft_topology_read_vlan(const struct weft_yaml_node *node, void *ret_field,
                                         struct weft_error *error)
{
    uint64_t vlan_id = 0;
    enum weft_status status = weft_yaml_read_count(node, &vlan_id, error);
    if (status != WEFT_OK)
        return status;
    if (vlan_id < 1 || vlan_id > 4094)
        return weft_error_at(error, &node->where,
                             "'vlan' must be from 1 to 4094; leave it out for frames without a "
                             "tag");
    *(uint16_t *)ret_field = (uint16_t)vlan_id;
    return WEFT_OK;
}

enum weft_status weft_topology_read_vlan_priority(const struct weft_yaml_node *node,
                                                  void *ret_field, struct weft_error *error)
{
    uint64_t priority = 0;
    enum weft_status status = weft_yaml_read_count(node, &priority, error);
    if (status != WEFT_OK)
        return status;
    if (priority > 7)
        return weft_error_at(error, &node->where, "'vlan-priority' must be from 0 to 7");
    *(uint8_t *)ret_field = (uint8_t)priority;
    return WEFT_OK;
}

/* ---- agents ---- */

#define ZONE_BYTES_MAX 15u /* an interface's name in Linux */

static bool is_port(const char *text)
{
    uint32_t port = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits])
        return false;
    for (size_t i = 0; i < digits; i++)
        port = port * 10 + (uint32_t)(text[i] - '0');
    return port >= 1 && port <= 65535;
}

static bool is_address(const char *text, size_t len_bytes, uint8_t version)
{
    char copy[WEFT_IP_TEXT];
    struct weft_ip address;
    if (len_bytes >= sizeof(copy) || memchr(text, '/', len_bytes))
        return false;
    memcpy(copy, text, len_bytes);
    copy[len_bytes] = '\0';
    return weft_ip_parse(copy, &address, NULL) == WEFT_OK && address.version == version;
}

/* Without the zone behind a link-local address, as in fe80::1%eth0: the interface is the
 * controller's to find. 0: what stands there is no zone. */
static size_t without_zone(const char *text, size_t len_bytes)
{
    const char *mark = memchr(text, '%', len_bytes);
    if (!mark)
        return len_bytes;
    size_t zone_bytes = len_bytes - (size_t)(mark - text) - 1;
    for (size_t i = 1; i <= zone_bytes; i++) {
        if (mark[i] <= ' ' || mark[i] > '~' || strchr("/%[]", mark[i]))
            return 0;
    }
    return zone_bytes && zone_bytes <= ZONE_BYTES_MAX ? (size_t)(mark - text) : 0;
}

/* A name, an IPv4 address, or an IPv6 address in brackets. */
static bool is_host(const char *text, size_t len_bytes)
{
    if (len_bytes > 2 && text[0] == '[' && text[len_bytes - 1] == ']')
        return is_address(text + 1, without_zone(text + 1, len_bytes - 2), 6);
    if (strspn(text, "0123456789.") >= len_bytes)
        return is_address(text, len_bytes, 4);
    return is_name(text, len_bytes);
}

enum weft_status weft_topology_read_agent(const struct weft_yaml_node *node, void *ret_field,
                                          struct weft_error *error)
{
    char *text = NULL;
    enum weft_status status = weft_yaml_read_text(node, &text, error);
    if (status != WEFT_OK)
        return status;
    const char *colon = strrchr(text, ':');
    if (!colon || strchr(colon, ']'))
        status = weft_error_at(error, &node->where,
                               "'%.80s' has no port; write it like 198.18.0.1:7117", text);
    else if (!is_port(colon + 1))
        status =
            weft_error_at(error, &node->where, "'%.20s' is not a port: from 1 to 65535", colon + 1);
    else if (!is_host(text, (size_t)(colon - text)))
        status = weft_error_at(error, &node->where,
                               "'%.*s' is not a host; write the agent like 198.18.0.1:7117, "
                               "node1:7117 or [2001:db8::1]:7117",
                               colon - text > 80 ? 80 : (int)(colon - text), text);
    if (status == WEFT_OK)
        *(char **)ret_field = text;
    else
        free(text);
    return status;
}
