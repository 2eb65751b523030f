/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/yaml_tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

#define BLOCK_BYTES (64u << 10)

struct block {
    struct block *next;
    _Alignas(16) char memory[];
};

struct weft_yaml {
    struct block *blocks;
    size_t block_used_bytes, block_len_bytes; /* of the first block */
    struct weft_yaml_node *root;
    uint32_t node_count;
};

static void *allocate(struct weft_yaml *yaml, size_t len_bytes)
{
    len_bytes = (len_bytes + 15) & ~(size_t)15;
    if (!yaml->blocks || yaml->block_len_bytes - yaml->block_used_bytes < len_bytes) {
        size_t room_bytes = len_bytes > BLOCK_BYTES ? len_bytes : BLOCK_BYTES;
        struct block *block = malloc(sizeof(*block) + room_bytes);
        if (!block)
            return NULL;
        block->next = yaml->blocks;
        yaml->blocks = block;
        yaml->block_used_bytes = 0;
        yaml->block_len_bytes = room_bytes;
    }
    void *memory = yaml->blocks->memory + yaml->block_used_bytes;
    yaml->block_used_bytes += len_bytes;
    return memory;
}

struct weft_yaml *weft_yaml_create(void)
{
    return calloc(1, sizeof(struct weft_yaml));
}

void weft_yaml_destroy(struct weft_yaml *yaml)
{
    if (!yaml)
        return;
    for (struct block *block = yaml->blocks; block;) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
    free(yaml);
}

const struct weft_yaml_node *weft_yaml_root(const struct weft_yaml *yaml)
{
    return yaml->root;
}

/* ---- the tree ---- */

enum weft_status weft_yaml_no_memory(struct weft_yaml_builder *builder)
{
    return weft_error_set(builder->error, WEFT_NO_MEMORY, "%s: out of memory",
                          builder->source->name);
}

static struct weft_yaml_level *top(struct weft_yaml_builder *builder)
{
    return builder->depth ? &builder->levels[builder->depth - 1] : NULL;
}

static enum weft_status add_node(struct weft_yaml_builder *builder, enum weft_yaml_kind kind,
                                 struct weft_yaml_node **ret_node)
{
    if (++builder->yaml->node_count > WEFT_YAML_NODES_MAX)
        return weft_error_at(builder->error, &builder->where, "the file holds more than %u values",
                             WEFT_YAML_NODES_MAX);
    struct weft_yaml_node *node = allocate(builder->yaml, sizeof(*node));
    if (!node)
        return weft_yaml_no_memory(builder);
    *node = (struct weft_yaml_node){.kind = kind, .where = builder->where};
    struct weft_yaml_level *parent = top(builder);
    if (parent) {
        node->key = parent->key;
        node->key_where = parent->key_where;
        parent->key = NULL;
        *(parent->last ? &parent->last->next : &parent->node->first) = node;
        parent->last = node;
        parent->node->count++;
    } else {
        builder->yaml->root = node;
    }
    *ret_node = node;
    return WEFT_OK;
}

static bool key_awaited(struct weft_yaml_builder *builder)
{
    struct weft_yaml_level *parent = top(builder);
    return parent && parent->node->kind == WEFT_YAML_MAP && !parent->key;
}

enum weft_status weft_yaml_open(struct weft_yaml_builder *builder, enum weft_yaml_kind kind)
{
    if (key_awaited(builder))
        return weft_error_at(builder->error, &builder->where, "a key must be a plain text");
    if (builder->depth == WEFT_YAML_DEPTH_MAX)
        return weft_error_at(builder->error, &builder->where,
                             "lists and maps are nested more than %u deep", WEFT_YAML_DEPTH_MAX);
    struct weft_yaml_node *node = NULL;
    enum weft_status status = add_node(builder, kind, &node);
    if (status == WEFT_OK)
        builder->levels[builder->depth++] = (struct weft_yaml_level){.node = node};
    return status;
}

static enum weft_status set_key(struct weft_yaml_builder *builder, const char *key)
{
    struct weft_yaml_level *level = top(builder);
    if (level->node->count == WEFT_YAML_KEYS_MAX)
        return weft_error_at(builder->error, &builder->where, "more than %u keys in one map",
                             WEFT_YAML_KEYS_MAX);
    const struct weft_yaml_node *same = weft_yaml_find(level->node, key);
    if (same)
        return weft_error_at(builder->error, &builder->where,
                             "duplicate key '%s'; the first is in line %u", key,
                             same->key_where.line);
    level->key = key;
    level->key_where = builder->where;
    return WEFT_OK;
}

void weft_yaml_close(struct weft_yaml_builder *builder)
{
    assert(builder->depth > 0);
    builder->depth--;
}

enum weft_status weft_yaml_add_text(struct weft_yaml_builder *builder, const char *text,
                                    size_t len_bytes, bool quoted)
{
    if (len_bytes > 0 && memchr(text, '\0', len_bytes))
        return weft_error_at(builder->error, &builder->where, "a text must not contain a NUL");
    char *copy = allocate(builder->yaml, len_bytes + 1);
    if (!copy)
        return weft_yaml_no_memory(builder);
    if (len_bytes > 0)
        memcpy(copy, text, len_bytes);
    copy[len_bytes] = '\0';
    if (key_awaited(builder))
        return set_key(builder, copy);
    struct weft_yaml_node *node = NULL;
    enum weft_status status = add_node(builder, WEFT_YAML_TEXT, &node);
    if (status != WEFT_OK)
        return status;
    assert(node);
    node->text = copy;
    node->quoted = quoted;
    return WEFT_OK;
}
