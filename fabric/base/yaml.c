/* SPDX-License-Identifier: BSD-3-Clause */
/* libfyaml's events, put into a tree of our own: it keeps places, and refuses what settings do not
 * need before it can cost anything. */
#include "fabric/base/yaml.h"

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/base/utf8.h"

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

/* ---- is it text at all? ---- */

static enum weft_status check_text(const struct weft_source *source, struct weft_error *error)
{
    struct weft_location where = {source, 1, 1};
    if (source->len_bytes > WEFT_YAML_BYTES_MAX) {
        where = (struct weft_location){source, 0, 0};
        return weft_error_at(error, &where, "the file is larger than %u MiB",
                             WEFT_YAML_BYTES_MAX >> 20);
    }
    for (size_t at = 0; at < source->len_bytes;) {
        const char *text = source->text + at;
        size_t rest = source->len_bytes - at;
        size_t length = weft_utf8_printable(text, rest);
        if (*text == '\n') {
            where.line++;
            where.column = 0;
        } else if (*text == '\t') {
            /* Some crash libfyaml 0.7.12, and none is needed. */
            return weft_error_at(error, &where, "a tab is here: write blanks (in a text, \"\\t\")");
        } else if (length == 0 && !(*text == '\r' && rest > 1 && text[1] == '\n')) {
            return weft_error_at(error, &where, "byte 0x%02x is not text: the file must be UTF-8",
                                 (unsigned char)*text);
        }
        where.column++;
        at += length ? length : 1;
    }
    return WEFT_OK;
}

/* ---- the tree ---- */

struct level {
    struct weft_yaml_node *node;
    struct weft_yaml_node *last; /* member */
    const char *key;             /* map: read, and its value is awaited */
    struct weft_location key_where;
};

struct builder {
    const struct weft_source *source;
    struct weft_yaml *yaml;
    struct weft_error *error;
    struct level levels[WEFT_YAML_DEPTH_MAX];
    uint32_t depth;
    uint32_t document_count;
    char *text; /* of the scalar under way */
    size_t text_bytes, text_room_bytes;
    struct weft_location where; /* of the event under way, or of the last that had a place */
};

static enum weft_status no_memory(struct builder *builder)
{
    return weft_error_set(builder->error, WEFT_NO_MEMORY, "%s: out of memory",
                          builder->source->name);
}

static struct level *top(struct builder *builder)
{
    return builder->depth ? &builder->levels[builder->depth - 1] : NULL;
}

static enum weft_status add_node(struct builder *builder, enum weft_yaml_kind kind,
                                 struct weft_yaml_node **ret_node)
{
    if (++builder->yaml->node_count > WEFT_YAML_NODES_MAX)
        return weft_error_at(builder->error, &builder->where, "the file holds more than %u values",
                             WEFT_YAML_NODES_MAX);
    struct weft_yaml_node *node = allocate(builder->yaml, sizeof(*node));
    if (!node)
        return no_memory(builder);
    *node = (struct weft_yaml_node){.kind = kind, .where = builder->where};
    struct level *parent = top(builder);
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

static bool key_awaited(struct builder *builder)
{
    struct level *parent = top(builder);
    return parent && parent->node->kind == WEFT_YAML_MAP && !parent->key;
}

static enum weft_status open_level(struct builder *builder, enum weft_yaml_kind kind)
{
    if (key_awaited(builder))
        return weft_error_at(builder->error, &builder->where, "a key must be a plain text");
    if (builder->depth == WEFT_YAML_DEPTH_MAX)
        return weft_error_at(builder->error, &builder->where,
                             "lists and maps lie more than %u deep in one another",
                             WEFT_YAML_DEPTH_MAX);
    struct weft_yaml_node *node = NULL;
    enum weft_status status = add_node(builder, kind, &node);
    if (status == WEFT_OK)
        builder->levels[builder->depth++] = (struct level){.node = node};
    return status;
}

static enum weft_status set_key(struct builder *builder, const char *key)
{
    struct level *level = top(builder);
    if (level->node->count == WEFT_YAML_KEYS_MAX)
        return weft_error_at(builder->error, &builder->where, "more than %u keys in one map",
                             WEFT_YAML_KEYS_MAX);
    const struct weft_yaml_node *same = weft_yaml_find(level->node, key);
    if (same)
        return weft_error_at(builder->error, &builder->where,
                             "key '%s' is here a second time; the first is in line %u", key,
                             same->key_where.line);
    level->key = key;
    level->key_where = builder->where;
    return WEFT_OK;
}

static bool append_text(struct builder *builder, const char *text, size_t len_bytes)
{
    size_t needed_bytes = builder->text_bytes + len_bytes + 1;
    if (needed_bytes > builder->text_room_bytes) {
        char *grown = realloc(builder->text, needed_bytes * 2);
        if (!grown)
            return false;
        builder->text = grown;
        builder->text_room_bytes = needed_bytes * 2;
    }
    memcpy(builder->text + builder->text_bytes, text, len_bytes);
    builder->text_bytes += len_bytes;
    return true;
}

/* By chunks: where libfyaml 0.7.12 misjudges a text's length, fy_token_get_text cuts it and
 * leaks. */
static enum weft_status collect_text(struct builder *builder, struct fy_token *token)
{
    struct fy_token_iter *iterator = fy_token_iter_create(token);
    if (!iterator)
        return no_memory(builder);
    int failed = 0;
    const struct fy_iter_chunk *chunk = NULL;
    while (!failed && (chunk = fy_token_iter_chunk_next(iterator, chunk, &failed))) {
        if (!append_text(builder, chunk->str, chunk->len))
            failed = -1;
    }
    fy_token_iter_destroy(iterator);
    return failed ? no_memory(builder) : WEFT_OK;
}

/* From the source: libfyaml 0.7.12 doubles quotes in '' that follow one another. */
static enum weft_status collect_single_quoted(struct builder *builder, struct fy_token *token)
{
    const struct fy_mark *begin = fy_token_start_mark(token), *end = fy_token_end_mark(token);
    if (!begin || !end || begin->line != end->line || end->input_pos > builder->source->len_bytes)
        return weft_error_at(builder->error, &builder->where,
                             "a text in single quotes must lie on one line");
    const char *text = builder->source->text;
    for (size_t at = begin->input_pos; at < end->input_pos; at++) {
        if (!append_text(builder, text + at, 1))
            return no_memory(builder);
        if (text[at] == '\'')
            at++;
    }
    return WEFT_OK;
}

static enum weft_status copy_text(struct builder *builder, struct fy_token *token,
                                  const char **ret_text)
{
    enum weft_status status = WEFT_OK;
    builder->text_bytes = 0;
    if (token && fy_token_scalar_style(token) == FYSS_SINGLE_QUOTED)
        status = collect_single_quoted(builder, token);
    else if (token)
        status = collect_text(builder, token);
    if (status != WEFT_OK)
        return status;
    char *copy = allocate(builder->yaml, builder->text_bytes + 1);
    if (!copy)
        return no_memory(builder);
    if (builder->text_bytes > 0)
        memcpy(copy, builder->text, builder->text_bytes);
    copy[builder->text_bytes] = '\0';
    if (strlen(copy) != builder->text_bytes)
        return weft_error_at(builder->error, &builder->where, "a text may not hold a NUL");
    *ret_text = copy;
    return WEFT_OK;
}

static bool is_quoted(struct fy_token *token)
{
    enum fy_scalar_style style = fy_token_scalar_style(token);
    return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
}

static enum weft_status take_scalar(struct builder *builder, struct fy_token *token)
{
    const char *text = NULL;
    bool quoted = token && is_quoted(token);
    if (quoted && builder->where.column > 1)
        builder->where.column--; /* libfyaml points behind the quote */
    enum weft_status status = copy_text(builder, token, &text);
    if (status != WEFT_OK)
        return status;
    if (key_awaited(builder))
        return set_key(builder, text);
    struct weft_yaml_node *node = NULL;
    status = add_node(builder, WEFT_YAML_TEXT, &node);
    if (status != WEFT_OK)
        return status;
    node->text = text;
    node->quoted = quoted;
    return WEFT_OK;
}

/* ---- events ---- */

static enum weft_status refuse_extras(struct builder *builder, struct fy_event *event)
{
    if (event->type == FYET_ALIAS)
        return weft_error_at(builder->error, &builder->where,
                             "aliases (*name) are not taken: write the value out");
    if (fy_event_get_anchor_token(event))
        return weft_error_at(builder->error, &builder->where,
                             "anchors (&name) are not taken: leave it away");
    if (fy_event_get_tag_token(event))
        return weft_error_at(builder->error, &builder->where,
                             "tags (!name) are not taken: leave it away");
    return WEFT_OK;
}

static enum weft_status start_document(struct builder *builder)
{
    if (builder->document_count++)
        return weft_error_at(builder->error, &builder->where,
                             "a second document begins here: a file holds one");
    return WEFT_OK;
}

static enum weft_status take_content(struct builder *builder, struct fy_event *event)
{
    enum weft_status status = refuse_extras(builder, event);
    if (status != WEFT_OK)
        return status;
    if (event->type == FYET_SCALAR)
        return take_scalar(builder, fy_event_get_token(event));
    return open_level(builder, event->type == FYET_MAPPING_START ? WEFT_YAML_MAP : WEFT_YAML_LIST);
}

static enum weft_status take_event(struct builder *builder, struct fy_event *event)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    if (mark)
        builder->where = (struct weft_location){builder->source, (uint32_t)mark->line + 1,
                                                (uint32_t)mark->column + 1};
    switch (event->type) {
    case FYET_DOCUMENT_START:
        return start_document(builder);
    case FYET_SCALAR:
    case FYET_ALIAS:
    case FYET_MAPPING_START:
    case FYET_SEQUENCE_START:
        return take_content(builder, event);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        builder->depth--;
        return WEFT_OK;
    case FYET_NONE:
    case FYET_STREAM_START:
    case FYET_STREAM_END:
    case FYET_DOCUMENT_END:
        break;
    }
    return WEFT_OK;
}

/* ---- libfyaml ---- */

static void print_nothing(struct fy_diag *diag, void *user, const char *text, size_t len_bytes)
{
    (void)diag, (void)user, (void)text, (void)len_bytes;
}

static struct fy_diag *create_diag(void)
{
    const struct fy_diag_cfg config = {.output_fn = print_nothing, .level = FYET_ERROR};
    struct fy_diag *diag = fy_diag_create(&config);
    if (diag)
        fy_diag_set_collect_errors(diag, true);
    return diag;
}

static uint32_t count_lines(const struct weft_source *source)
{
    uint32_t count = 0;
    for (size_t at = 0; at < source->len_bytes; at++)
        count += source->text[at] == '\n' || at + 1 == source->len_bytes;
    return count;
}

/* What is still open at the file's end is missed there, but where it begins is more use. */
static struct weft_location place_of(struct builder *builder, const struct fy_diag_error *first)
{
    if (first->line <= 0 || first->column <= 0)
        return builder->where;
    if ((uint32_t)first->line > count_lines(builder->source) && builder->depth > 0)
        return top(builder)->node->where;
    return (struct weft_location){builder->source, (uint32_t)first->line, (uint32_t)first->column};
}

static enum weft_status report_first(struct builder *builder, struct fy_diag *diag)
{
    void *previous = NULL;
    const struct fy_diag_error *first = fy_diag_errors_iterate(diag, &previous);
    if (!first)
        return weft_error_at(builder->error, &builder->where, "this is not YAML");
    struct weft_location where = place_of(builder, first);
    return weft_error_at(builder->error, &where, "this is not YAML: %s", first->msg);
}

static enum weft_status take_events(struct builder *builder, struct fy_parser *parser,
                                    struct fy_diag *diag)
{
    struct fy_event *event;
    enum weft_status status = WEFT_OK;
    while (status == WEFT_OK && (event = fy_parser_parse(parser))) {
        status = take_event(builder, event);
        fy_parser_event_free(parser, event);
    }
    if (status == WEFT_OK && fy_parser_get_stream_error(parser))
        return report_first(builder, diag);
    return status;
}

static enum weft_status build(struct builder *builder)
{
    const struct weft_source *source = builder->source;
    struct fy_diag *diag = create_diag();
    const struct fy_parse_cfg config = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE,
                                        .diag = diag};
    struct fy_parser *parser = diag ? fy_parser_create(&config) : NULL;
    enum weft_status status;
    if (!parser || fy_parser_set_string(parser, source->text, source->len_bytes) != 0)
        status = no_memory(builder);
    else
        status = take_events(builder, parser, diag);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    if (status == WEFT_OK && !builder->yaml->root) {
        const struct weft_location where = {source, 0, 0};
        return weft_error_at(builder->error, &where, "the file is empty");
    }
    return status;
}

enum weft_status weft_yaml_parse(const struct weft_source *source, struct weft_yaml **ret_yaml,
                                 struct weft_error *error)
{
    enum weft_status status = check_text(source, error);
    if (status != WEFT_OK)
        return status;
    struct builder builder = {
        .source = source,
        .yaml = calloc(1, sizeof(*builder.yaml)),
        .error = error,
        .where = {source, 0, 0},
    };
    if (!builder.yaml)
        return no_memory(&builder);
    status = build(&builder);
    free(builder.text);
    if (status == WEFT_OK)
        *ret_yaml = builder.yaml;
    else
        weft_yaml_destroy(builder.yaml);
    return status;
}
