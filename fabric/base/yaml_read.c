/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/base/suggest.h"
#include "fabric/base/units.h"

/* ---- what a node is ---- */

/* YAML's word "null" is a text here: it is a driver's name. */
static bool is_nothing(const struct weft_yaml_node *node)
{
    return node->kind == WEFT_YAML_TEXT && !node->quoted &&
           (!*node->text || strcmp(node->text, "~") == 0);
}

static const char *kind_text(const struct weft_yaml_node *node)
{
    if (is_nothing(node))
        return "nothing";
    switch (node->kind) {
    case WEFT_YAML_LIST:
        return "a list";
    case WEFT_YAML_MAP:
        return "a map of keys";
    case WEFT_YAML_TEXT:
        break;
    }
    return "a text";
}

/* "key 'hosts'", or what else is there to call it by */
static enum weft_status wrong_kind(const struct weft_yaml_node *node, const char *wanted,
                                   struct weft_error *error)
{
    if (node->key)
        return weft_error_at(error, &node->where, "'%s' must be %s, not %s", node->key, wanted,
                             kind_text(node));
    return weft_error_at(error, &node->where, "expected %s, found %s", wanted, kind_text(node));
}

static enum weft_status check_text(const struct weft_yaml_node *node, const char *wanted,
                                   struct weft_error *error)
{
    if (node->kind == WEFT_YAML_TEXT && !is_nothing(node))
        return WEFT_OK;
    return wrong_kind(node, wanted, error);
}

/* ---- values ---- */

enum weft_status weft_yaml_read_text(const struct weft_yaml_node *node, void *ret_field,
                                     struct weft_error *error)
{
    enum weft_status status = check_text(node, "a text", error);
    if (status != WEFT_OK)
        return status;
    if (!*node->text)
        return weft_error_at(error, &node->where, "this text must not be empty");
    char *copy = strdup(node->text);
    if (!copy)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    *(char **)ret_field = copy;
    return WEFT_OK;
}

typedef enum weft_status (*quantity_parser)(const char *text, uint64_t *ret_value,
                                            struct weft_error *error);

static enum weft_status read_quantity(const struct weft_yaml_node *node, const char *wanted,
                                      quantity_parser parse, void *ret_field,
                                      struct weft_error *error)
{
    enum weft_status status = check_text(node, wanted, error);
    if (status != WEFT_OK)
        return status;
    struct weft_error why = {0};
    if (parse(node->text, ret_field, &why) == WEFT_OK)
        return WEFT_OK;
    return weft_error_at(error, &node->where, "%s", why.text);
}

enum weft_status weft_yaml_read_size(const struct weft_yaml_node *node, void *ret_field,
                                     struct weft_error *error)
{
    return read_quantity(node, "a size such as 64KiB", weft_parse_size, ret_field, error);
}

enum weft_status weft_yaml_read_rate(const struct weft_yaml_node *node, void *ret_field,
                                     struct weft_error *error)
{
    return read_quantity(node, "a rate such as 100Gbps", weft_parse_rate, ret_field, error);
}

enum weft_status weft_yaml_read_time(const struct weft_yaml_node *node, void *ret_field,
                                     struct weft_error *error)
{
    return read_quantity(node, "a time such as 10us", weft_parse_time, ret_field, error);
}

enum weft_status weft_yaml_read_count(const struct weft_yaml_node *node, void *ret_field,
                                      struct weft_error *error)
{
    return read_quantity(node, "a count such as 1000", weft_parse_count, ret_field, error);
}

enum weft_status weft_yaml_read_bool(const struct weft_yaml_node *node, void *ret_field,
                                     struct weft_error *error)
{
    enum weft_status status = check_text(node, "true or false", error);
    if (status != WEFT_OK)
        return status;
    bool value = strcmp(node->text, "true") == 0;
    if (!value && strcmp(node->text, "false") != 0)
        return weft_error_at(error, &node->where, "'%.40s' is neither true nor false", node->text);
    *(bool *)ret_field = value;
    return WEFT_OK;
}

enum weft_status weft_yaml_read_list(const struct weft_yaml_node *node, void *ret_field,
                                     struct weft_error *error)
{
    if (node->kind != WEFT_YAML_LIST)
        return wrong_kind(node, "a list", error);
    *(const struct weft_yaml_node **)ret_field = node;
    return WEFT_OK;
}

/* ---- maps ---- */

const struct weft_yaml_node *weft_yaml_find(const struct weft_yaml_node *map, const char *key)
{
    for (const struct weft_yaml_node *node = map->first; node; node = node->next) {
        if (strcmp(node->key, key) == 0)
            return node;
    }
    return NULL;
}

/* "a, b, c": as many names as there is room for */
static void list_names(const char *const *names, char *text, size_t len_bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (; *names; names++) {
        size_t room = len_bytes - used;
        int written = snprintf(text + used, room, "%s%s", used ? ", " : "", *names);
        if (written < 0 || (size_t)written + sizeof(", ...") > room) {
            (void)snprintf(text + used, room, ", ...");
            return;
        }
        used += (size_t)written;
    }
}

enum weft_status weft_yaml_unknown(const struct weft_location *where, const char *what,
                                   const char *name, const char *const *names,
                                   struct weft_error *error)
{
    const char *near = weft_suggest(name, names);
    if (near)
        return weft_error_at(error, where, "unknown %s '%.80s'; did you mean '%s'?", what, name,
                             near);
    char list[300];
    list_names(names, list, sizeof(list));
    return weft_error_at(error, where, "unknown %s '%.80s'; use one of: %s", what, name, list);
}

static enum weft_status unknown_key(const struct weft_yaml_node *node, const char *what,
                                    const struct weft_yaml_key *keys, struct weft_error *error)
{
    const char *names[WEFT_YAML_KEYS_MAX + 1] = {NULL};
    for (uint32_t i = 0; keys[i].name && i < WEFT_YAML_KEYS_MAX; i++)
        names[i] = keys[i].name;
    char of[80];
    (void)snprintf(of, sizeof(of), "key of %s", what);
    return weft_yaml_unknown(&node->key_where, of, node->key, names, error);
}

static enum weft_unit unit_of(weft_yaml_reader read)
{
    if (read == weft_yaml_read_size)
        return WEFT_UNIT_SIZE;
    if (read == weft_yaml_read_time)
        return WEFT_UNIT_TIME;
    return read == weft_yaml_read_rate ? WEFT_UNIT_RATE : WEFT_UNIT_COUNT;
}

static enum weft_status check_range(const struct weft_yaml_node *node,
                                    const struct weft_yaml_key *key, uint64_t value,
                                    struct weft_error *error)
{
    enum weft_unit unit = unit_of(key->read);
    char least[WEFT_UNITS_TEXT], most[WEFT_UNITS_TEXT];
    if (!key->most || (value >= key->least && value <= key->most))
        return WEFT_OK;
    return weft_error_at(error, &node->where, "'%s' must be from %s to %s", key->name,
                         weft_unit_format(unit, key->least, least),
                         weft_unit_format(unit, key->most, most));
}

static enum weft_status read_member(const struct weft_yaml_node *node, const char *what,
                                    const struct weft_yaml_key *keys, void *object,
                                    struct weft_error *error)
{
    const struct weft_yaml_key *key = keys;
    while (key->name && strcmp(key->name, node->key) != 0)
        key++;
    if (!key->name)
        return unknown_key(node, what, keys, error);
    void *field = (char *)object + key->offset;
    enum weft_status status = key->read(node, field, error);
    if (status == WEFT_OK && key->most)
        status = check_range(node, key, *(const uint64_t *)field, error);
    return status;
}

enum weft_status weft_yaml_read_map(const struct weft_yaml_node *node, const char *what,
                                    const struct weft_yaml_key *keys, void *object,
                                    struct weft_error *error)
{
    if (node->kind != WEFT_YAML_MAP)
        return weft_error_at(error, &node->where, "%s must be a map of keys, not %s", what,
                             kind_text(node));
    for (const struct weft_yaml_node *member = node->first; member; member = member->next) {
        enum weft_status status = read_member(member, what, keys, object, error);
        if (status != WEFT_OK)
            return status;
    }
    for (const struct weft_yaml_key *key = keys; key->name; key++) {
        if (key->required && !weft_yaml_find(node, key->name))
            return weft_error_at(error, &node->where, "%s needs the key '%s'", what, key->name);
    }
    return WEFT_OK;
}
