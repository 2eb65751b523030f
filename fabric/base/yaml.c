/* SPDX-License-Identifier: BSD-3-Clause */
/* libfyaml's events, put into a tree of our own: it keeps places, and refuses what settings do not
 * need before it can cost anything. */
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/base/yaml_tree.h"

/* What is being read. */
struct scan {
    struct weft_yaml_builder builder;
    char *text; /* of the scalar under way */
    size_t text_bytes, text_room_bytes;
    uint32_t document_count;
};

/* ---- texts ---- */

static bool append_text(struct scan *scan, const char *text, size_t len_bytes)
{
    size_t needed_bytes = scan->text_bytes + len_bytes + 1;
    if (needed_bytes > scan->text_room_bytes) {
        char *grown = realloc(scan->text, needed_bytes * 2);
        if (!grown)
            return false;
        scan->text = grown;
        scan->text_room_bytes = needed_bytes * 2;
    }
    memcpy(scan->text + scan->text_bytes, text, len_bytes);
    scan->text_bytes += len_bytes;
    return true;
}

/* By chunks: where libfyaml 0.7.12 misjudges a text's length, fy_token_get_text cuts it and
 * leaks. */
static enum weft_status collect_text(struct scan *scan, struct fy_token *token)
{
    struct fy_token_iter *iterator = fy_token_iter_create(token);
    if (!iterator)
        return weft_yaml_no_memory(&scan->builder);
    int failed = 0;
    const struct fy_iter_chunk *chunk = NULL;
    while (!failed && (chunk = fy_token_iter_chunk_next(iterator, chunk, &failed))) {
        if (!append_text(scan, chunk->str, chunk->len))
            failed = -1;
    }
    fy_token_iter_destroy(iterator);
    return failed ? weft_yaml_no_memory(&scan->builder) : WEFT_OK;
}

/* From the source: libfyaml 0.7.12 doubles quotes in '' that follow one another. */
static enum weft_status collect_single_quoted(struct scan *scan, struct fy_token *token)
{
    const struct fy_mark *begin = fy_token_start_mark(token), *end = fy_token_end_mark(token);
    if (!begin || !end || begin->line != end->line ||
        end->input_pos > scan->builder.source->len_bytes)
        return weft_error_at(scan->builder.error, &scan->builder.where,
                             "a text in single quotes must be on one line");
    const char *text = scan->builder.source->text;
    for (size_t at = begin->input_pos; at < end->input_pos; at++) {
        if (!append_text(scan, text + at, 1))
            return weft_yaml_no_memory(&scan->builder);
        if (text[at] == '\'')
            at++;
    }
    return WEFT_OK;
}

static bool is_quoted(struct fy_token *token)
{
    enum fy_scalar_style style = fy_token_scalar_style(token);
    return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
}

static enum weft_status take_scalar(struct scan *scan, struct fy_token *token)
{
    enum weft_status status = WEFT_OK;
    bool quoted = token && is_quoted(token);
    if (quoted && scan->builder.where.column > 1)
        scan->builder.where.column--; /* libfyaml points behind the quote */
    scan->text_bytes = 0;
    if (token && fy_token_scalar_style(token) == FYSS_SINGLE_QUOTED)
        status = collect_single_quoted(scan, token);
    else if (token)
        status = collect_text(scan, token);
    if (status != WEFT_OK)
        return status;
    return weft_yaml_add_text(&scan->builder, scan->text, scan->text_bytes, quoted);
}

/* ---- events ---- */

static enum weft_status refuse_extras(struct scan *scan, struct fy_event *event)
{
    if (event->type == FYET_ALIAS)
        return weft_error_at(scan->builder.error, &scan->builder.where,
                             "aliases (*name) are not supported: write the value out");
    if (fy_event_get_anchor_token(event))
        return weft_error_at(scan->builder.error, &scan->builder.where,
                             "anchors (&name) are not supported: remove it");
    if (fy_event_get_tag_token(event))
        return weft_error_at(scan->builder.error, &scan->builder.where,
                             "tags (!name) are not supported: remove it");
    return WEFT_OK;
}

static enum weft_status start_document(struct scan *scan)
{
    if (scan->document_count++)
        return weft_error_at(scan->builder.error, &scan->builder.where,
                             "a second document begins here: a file holds one");
    return WEFT_OK;
}

static enum weft_status take_content(struct scan *scan, struct fy_event *event)
{
    enum weft_status status = refuse_extras(scan, event);
    if (status != WEFT_OK)
        return status;
    if (event->type == FYET_SCALAR)
        return take_scalar(scan, fy_event_get_token(event));
    return weft_yaml_open(&scan->builder,
                          event->type == FYET_MAPPING_START ? WEFT_YAML_MAP : WEFT_YAML_LIST);
}

static enum weft_status take_event(struct scan *scan, struct fy_event *event)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    if (mark)
        scan->builder.where = (struct weft_location){scan->builder.source, (uint32_t)mark->line + 1,
                                                     (uint32_t)mark->column + 1};
    switch (event->type) {
    case FYET_DOCUMENT_START:
        return start_document(scan);
    case FYET_SCALAR:
    case FYET_ALIAS:
    case FYET_MAPPING_START:
    case FYET_SEQUENCE_START:
        return take_content(scan, event);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        weft_yaml_close(&scan->builder);
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
static struct weft_location place_of(struct scan *scan, const struct fy_diag_error *first)
{
    if (first->line <= 0 || first->column <= 0)
        return scan->builder.where;
    if ((uint32_t)first->line > count_lines(scan->builder.source) && scan->builder.depth > 0)
        return scan->builder.levels[scan->builder.depth - 1].node->where;
    return (struct weft_location){scan->builder.source, (uint32_t)first->line,
                                  (uint32_t)first->column};
}

static enum weft_status report_first(struct scan *scan, struct fy_diag *diag)
{
    void *previous = NULL;
    const struct fy_diag_error *first = fy_diag_errors_iterate(diag, &previous);
    if (!first)
        return weft_error_at(scan->builder.error, &scan->builder.where, "this is not YAML");
    struct weft_location where = place_of(scan, first);
    return weft_error_at(scan->builder.error, &where, "this is not YAML: %s", first->msg);
}

static enum weft_status take_events(struct scan *scan, struct fy_parser *parser,
                                    struct fy_diag *diag)
{
    struct fy_event *event;
    enum weft_status status = WEFT_OK;
    while (status == WEFT_OK && (event = fy_parser_parse(parser))) {
        status = take_event(scan, event);
        fy_parser_event_free(parser, event);
    }
    if (status == WEFT_OK && fy_parser_get_stream_error(parser))
        return report_first(scan, diag);
    return status;
}

static enum weft_status run(struct scan *scan)
{
    const struct weft_source *source = scan->builder.source;
    struct fy_diag *diag = create_diag();
    const struct fy_parse_cfg config = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE,
                                        .diag = diag};
    struct fy_parser *parser = diag ? fy_parser_create(&config) : NULL;
    enum weft_status status;
    if (!parser || fy_parser_set_string(parser, source->text, source->len_bytes) != 0)
        status = weft_yaml_no_memory(&scan->builder);
    else
        status = take_events(scan, parser, diag);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    const struct weft_location whole = {source, 0, 0};
    if (status == WEFT_OK && !weft_yaml_root(scan->builder.yaml))
        return weft_error_at(scan->builder.error, &whole, "the file is empty");
    return status;
}

enum weft_status weft_yaml_parse(const struct weft_source *source, struct weft_yaml **ret_yaml,
                                 struct weft_error *error)
{
    enum weft_status status = weft_yaml_check(source, error);
    if (status != WEFT_OK)
        return status;
    struct scan scan = {
        .builder = {
            .source = source, .yaml = weft_yaml_create(), .error = error, .where = {source, 0, 0}}};
    if (!scan.builder.yaml)
        return weft_yaml_no_memory(&scan.builder);
    status = run(&scan);
    free(scan.text);
    if (status == WEFT_OK)
        *ret_yaml = scan.builder.yaml;
    else
        weft_yaml_destroy(scan.builder.yaml);
    return status;
}
