/* SPDX-License-Identifier: BSD-3-Clause */
#include "json.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

json_t *json_of(const struct weft_result *result)
{
    json_error_t error;
    char *text = weft_result_json(result);
    cr_assert_not_null(text);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(root, "%s at line %d of %s", error.text, error.line, text);
    free(text);
    return root;
}

/* By a path such as "tests/0/completion_ns/p99". */
const json_t *at(const json_t *json, const char *path)
{
    char copy[128];
    char *rest = NULL;
    (void)snprintf(copy, sizeof(copy), "%s", path);
    for (char *key = strtok_r(copy, "/", &rest); key; key = strtok_r(NULL, "/", &rest)) {
        json = json_is_array(json) ? json_array_get(json, (size_t)atoi(key))
                                   : json_object_get(json, key);
        cr_assert_not_null(json, "no '%s' in %s", key, path);
    }
    return json;
}

void is_whole(const json_t *root, const char *path, long long value)
{
    const json_t *found = at(root, path);
    cr_assert(json_is_integer(found), "%s is not a whole number", path);
    cr_assert_eq(json_integer_value(found), value, "%s is %lld, not %lld", path,
                 (long long)json_integer_value(found), value);
}

/* Percentiles are the middles of buckets: off by less than 0.05 %. */
void is_near(const json_t *root, const char *path, double value)
{
    double found = json_number_value(at(root, path));
    cr_assert_lt(fabs(found - value), value * 0.0006, "%s is %f, not %f", path, found, value);
}

void is_text(const json_t *root, const char *path, const char *value)
{
    const char *found = json_string_value(at(root, path));
    cr_assert_str_eq(found ? found : "(not a text)", value, "%s", path);
}

void is_null(const json_t *root, const char *path)
{
    cr_assert(json_is_null(at(root, path)), "%s is not null", path);
}
