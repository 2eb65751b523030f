/* SPDX-License-Identifier: BSD-3-Clause */
/* How a document's tree grows, event by event; between yaml.c and yaml_tree.c. */
#ifndef WEFT_BASE_YAML_TREE_H
#define WEFT_BASE_YAML_TREE_H

#include "fabric/base/yaml.h"

/* An open list or map. */
struct weft_yaml_level {
    struct weft_yaml_node *node;
    struct weft_yaml_node *last; /* member */
    const char *key;             /* map: read, and its value is awaited */
    struct weft_location key_where;
};

struct weft_yaml_builder {
    const struct weft_source *source;
    struct weft_yaml *yaml;
    struct weft_error *error;
    struct weft_yaml_level levels[WEFT_YAML_DEPTH_MAX];
    uint32_t depth;
    struct weft_location where; /* of what is being added, or of the last that had a place */
};

/* NULL: out of memory. */
struct weft_yaml *weft_yaml_create(void);

enum weft_status weft_yaml_no_memory(struct weft_yaml_builder *builder);
enum weft_status weft_yaml_open(struct weft_yaml_builder *builder, enum weft_yaml_kind kind);
void weft_yaml_close(struct weft_yaml_builder *builder);
/* A key or a value, by where it stands. The text is copied. */
enum weft_status weft_yaml_add_text(struct weft_yaml_builder *builder, const char *text,
                                    size_t len_bytes, bool quoted);

/* Whether the bytes may be shown to libfyaml at all (yaml_check.c). */
enum weft_status weft_yaml_check(const struct weft_source *source, struct weft_error *error);

#endif
