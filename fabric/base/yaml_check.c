/* SPDX-License-Identifier: BSD-3-Clause */
/* A first look at the bytes: refuses what is not text, and what libfyaml 0.7.12 does not bear. It
 * knows nothing of quotes and comments, so it may only refuse what no one needs there either. */
#include "fabric/base/utf8.h"
#include "fabric/base/yaml_tree.h"

/* libfyaml reads all of an open bracket before it hands out the first event. */
#define OPEN_BRACKETS_MAX 10000u

struct check {
    struct weft_location where;
    uint32_t open_brackets;
};

/* A bracket in a text or comment counts too; only thousands of them would matter. */
static enum weft_status check_bracket(struct check *check, char byte, struct weft_error *error)
{
    if (byte == '[' || byte == '{')
        check->open_brackets++;
    else if ((byte == ']' || byte == '}') && check->open_brackets > 0)
        check->open_brackets--;
    if (check->open_brackets > OPEN_BRACKETS_MAX)
        return weft_error_at(error, &check->where, "more than %u brackets are open",
                             OPEN_BRACKETS_MAX);
    return WEFT_OK;
}

/* `length` is the character's, 0 where it is not printable. */
static enum weft_status check_character(struct check *check, const char *text, size_t rest_bytes,
                                        size_t length, struct weft_error *error)
{
    /* One after an explicit key crashes libfyaml. */
    if (*text == '\t')
        return weft_error_at(error, &check->where,
                             "tabs are not allowed: use spaces (in a text, \"\\t\")");
    if (*text == '%' && check->where.column == 1)
        return weft_error_at(error, &check->where, "directives (%%YAML) are not supported");
    bool line_end = *text == '\n' || (*text == '\r' && rest_bytes > 1 && text[1] == '\n');
    if (length == 0 && !line_end)
        return weft_error_at(error, &check->where,
                             "byte 0x%02x is not text: the file must be UTF-8",
                             (unsigned char)*text);
    return check_bracket(check, *text, error);
}

enum weft_status weft_yaml_check(const struct weft_source *source, struct weft_error *error)
{
    const struct weft_location whole = {source, 0, 0};
    struct check check = {.where = {source, 1, 1}};
    if (source->len_bytes > WEFT_YAML_BYTES_MAX)
        return weft_error_at(error, &whole, "the file is larger than %u MiB",
                             WEFT_YAML_BYTES_MAX >> 20);
    for (size_t at = 0; at < source->len_bytes;) {
        const char *text = source->text + at;
        size_t rest_bytes = source->len_bytes - at;
        size_t length = weft_utf8_printable(text, rest_bytes);
        enum weft_status status = check_character(&check, text, rest_bytes, length, error);
        if (status != WEFT_OK)
            return status;
        check.where.column = *text == '\n' ? 1 : check.where.column + 1;
        check.where.line += *text == '\n';
        at += length ? length : 1;
    }
    return WEFT_OK;
}
