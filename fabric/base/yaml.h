/* SPDX-License-Identifier: BSD-3-Clause */
/* YAML files of settings: maps, lists and texts, checked against tables of keys.
 *
 * Only what settings need is taken. Refused with an error that names the place: bytes that are not
 * text, tabs, anchors, aliases, tags, duplicate keys, keys that are not texts, a second document,
 * nesting beyond WEFT_YAML_DEPTH_MAX, files beyond WEFT_YAML_BYTES_MAX. */
#ifndef WEFT_BASE_YAML_H
#define WEFT_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric/base/error.h"

#define WEFT_YAML_BYTES_MAX (64u << 20)
#define WEFT_YAML_NODES_MAX (4u << 20)
#define WEFT_YAML_DEPTH_MAX 16u
#define WEFT_YAML_KEYS_MAX 128u /* of one map */

enum weft_yaml_kind {
    WEFT_YAML_TEXT = 0,
    WEFT_YAML_LIST,
    WEFT_YAML_MAP,
};

/* All of it belongs to the document. */
struct weft_yaml_node {
    enum weft_yaml_kind kind;
    bool quoted;      /* text */
    uint32_t count;   /* list, map: of members */
    const char *text; /* text: never NULL */
    const char *key;  /* in a map; else NULL */
    struct weft_location where;
    struct weft_location key_where;
    struct weft_yaml_node *first; /* member */
    struct weft_yaml_node *next;  /* in the same list or map */
};

struct weft_yaml;

/* The source must outlive the document: locations point to it. */
WEFT_CHECKED enum weft_status weft_yaml_parse(const struct weft_source *source,
                                              struct weft_yaml **ret_yaml,
                                              struct weft_error *error);
void weft_yaml_destroy(struct weft_yaml *yaml);
const struct weft_yaml_node *weft_yaml_root(const struct weft_yaml *yaml);

/* ---- reading (yaml_read.c) ---- */

/* Turns a node into a field of the caller's object, or says at the node what is wrong. */
typedef enum weft_status (*weft_yaml_reader)(const struct weft_yaml_node *node, void *ret_field,
                                             struct weft_error *error);

enum weft_status weft_yaml_read_text(const struct weft_yaml_node *node, void *ret_field,
                                     struct weft_error *error); /* char *, the caller's to free */
enum weft_status weft_yaml_read_size(const struct weft_yaml_node *node, void *ret_field,
                                     struct weft_error *error); /* uint64_t, bytes */
enum weft_status weft_yaml_read_rate(const struct weft_yaml_node *node, void *ret_field,
                                     struct weft_error *error); /* uint64_t, bits a second */
enum weft_status weft_yaml_read_time(const struct weft_yaml_node *node, void *ret_field,
                                     struct weft_error *error); /* uint64_t, ns */
enum weft_status weft_yaml_read_count(const struct weft_yaml_node *node, void *ret_field,
                                      struct weft_error *error); /* uint64_t */
enum weft_status weft_yaml_read_bool(const struct weft_yaml_node *node, void *ret_field,
                                     struct weft_error *error); /* bool */
enum weft_status weft_yaml_read_list(const struct weft_yaml_node *node, void *ret_field,
                                     struct weft_error *error); /* const struct weft_yaml_node * */

/* One row of a table, which ends with a NULL name. Where `most` is set, a number is refused outside
 * least .. most. */
struct weft_yaml_key {
    const char *name;
    weft_yaml_reader read;
    size_t offset; /* of the field in the object */
    bool required;
    uint64_t least, most;
};

/* Reads a map's keys into the object. `what` is what the map describes, as in "a host". Fields of
 * absent keys are left alone. On failure texts that were read stay the caller's to free. */
WEFT_CHECKED enum weft_status weft_yaml_read_map(const struct weft_yaml_node *node,
                                                 const char *what, const struct weft_yaml_key *keys,
                                                 void *object, struct weft_error *error);

/* The member of that key; NULL: there is none. */
const struct weft_yaml_node *weft_yaml_find(const struct weft_yaml_node *map, const char *key);

/* "unknown pattern 'al-reduce'; did you mean 'all-reduce'?", or the first of the names there are.
 */
enum weft_status weft_yaml_unknown(const struct weft_location *where, const char *what,
                                   const char *name, const char *const *names,
                                   struct weft_error *error);

#endif
