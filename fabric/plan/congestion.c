/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/plan/congestion.h"

#include <stddef.h>
#include <string.h>

const char *const weft_congestion_names[] = {
    [WEFT_CONGESTION_NONE] = "none",
    [WEFT_CONGESTION_DCQCN] = "dcqcn",
    NULL,
};

/* A map of it as its keys say it. */
struct row {
    enum weft_congestion_control control;
#define PARAMETER_FIELD(field, key, unit, least, most) uint64_t field;
    WEFT_CONGESTION_PARAMETERS(PARAMETER_FIELD)
#undef PARAMETER_FIELD
};

static enum weft_status read_control(const struct weft_yaml_node *node, void *ret_field,
                                     struct weft_error *error)
{
    const char *name = node->kind == WEFT_YAML_TEXT ? node->text : "";
    for (uint32_t i = 0; weft_congestion_names[i]; i++) {
        if (strcmp(weft_congestion_names[i], name) == 0) {
            *(enum weft_congestion_control *)ret_field = (enum weft_congestion_control)i;
            return WEFT_OK;
        }
    }
    return weft_yaml_unknown(&node->where, "congestion control", name, weft_congestion_names,
                             error);
}

static const struct weft_yaml_key keys[] = {
    {"control", read_control, offsetof(struct row, control), true, 0, 0},
#define PARAMETER_KEY(field, key, unit, least, most) \
    {key, weft_yaml_read_##unit, offsetof(struct row, field), false, least, most},
    WEFT_CONGESTION_PARAMETERS(PARAMETER_KEY)
#undef PARAMETER_KEY
        {0},
};

static enum weft_status check_row(const struct weft_yaml_node *node, const struct row *row,
                                  struct weft_error *error)
{
    if (row->control == WEFT_CONGESTION_NONE && node->count > 1)
        return weft_error_at(error, &node->where,
                             "control 'none' has no parameters; take them out, or name 'dcqcn'");
    if (row->line_rate_bps && row->minimum_rate_bps > row->line_rate_bps)
        return weft_error_at(error, &weft_yaml_find(node, "minimum-rate")->where,
                             "'minimum-rate' is more than 'line-rate'");
    return WEFT_OK;
}

enum weft_status weft_congestion_read(const struct weft_yaml_node *node, void *ret_options,
                                      struct weft_error *error)
{
    struct row row = {0};
    enum weft_status status = WEFT_OK;
    if (node->kind == WEFT_YAML_MAP) {
        status = weft_yaml_read_map(node, "'congestion'", keys, &row, error);
        if (status == WEFT_OK)
            status = check_row(node, &row, error);
    } else {
        status = read_control(node, &row.control, error);
    }
    if (status != WEFT_OK)
        return status;
    struct weft_congestion_options *options = ret_options;
    options->control = row.control;
#define TAKE_PARAMETER(field, key, unit, least, most) \
    options->field = (__typeof__(options->field))row.field;
    WEFT_CONGESTION_PARAMETERS(TAKE_PARAMETER)
#undef TAKE_PARAMETER
    return WEFT_OK;
}

enum weft_status weft_congestion_parse(const char *name, const char *text,
                                       struct weft_congestion_options *ret_options,
                                       struct weft_error *error)
{
    const struct weft_source source = {.name = name, .text = text, .len_bytes = strlen(text)};
    struct weft_yaml *yaml = NULL;
    enum weft_status status = weft_yaml_parse(&source, &yaml, error);
    if (status != WEFT_OK)
        return status;
    status = weft_congestion_read(weft_yaml_root(yaml), ret_options, error);
    weft_yaml_destroy(yaml);
    return status;
}
