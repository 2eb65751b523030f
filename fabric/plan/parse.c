/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/plan/together.h"

#define TESTS_MAX 10000u

struct file {
    char *name;
    const struct weft_yaml_node *tests;
};

static const struct weft_yaml_key file_keys[] = {
    {"name", weft_plan_read_title, offsetof(struct file, name), false, 0, 0},
    {"tests", weft_yaml_read_list, offsetof(struct file, tests), true, 0, 0},
    {0},
};

static enum weft_status check_count(const struct weft_yaml_node *tests, struct weft_error *error)
{
    if (tests->count == 0)
        return weft_error_at(error, &tests->where,
                             "there is no test: write one like '- pattern: all-reduce'");
    if (tests->count > TESTS_MAX)
        return weft_error_at(error, &tests->where, "%u tests: a plan has up to %u", tests->count,
                             TESTS_MAX);
    return WEFT_OK;
}

/* Results are told apart by name. */
static enum weft_status check_name(const struct weft_yaml_node *node, const struct weft_plan *plan,
                                   uint32_t test, struct weft_error *error)
{
    const char *name = plan->tests[test].name;
    const struct weft_yaml_node *own = weft_yaml_find(node, "name");
    for (uint32_t i = 0; i < test; i++) {
        if (strcmp(plan->tests[i].name, name) == 0)
            return weft_error_at(error, own ? &own->where : &node->where,
                                 "two tests are named '%s': give this one a 'name' of its own",
                                 name);
    }
    return WEFT_OK;
}

static uint32_t count_tests(const struct weft_yaml_node *tests)
{
    uint32_t count = 0;
    for (const struct weft_yaml_node *node = tests->first; node; node = node->next)
        count += weft_together_count(node);
    return count;
}

static enum weft_status read_tests(const struct weft_yaml_node *node, struct weft_plan *plan,
                                   struct weft_error *error)
{
    uint32_t first = plan->test_count;
    plan->test_count += weft_together_count(node);
    enum weft_status status = weft_together_read(node, &plan->tests[first], error);
    for (uint32_t i = first; status == WEFT_OK && i < plan->test_count; i++)
        status = check_name(node, plan, i, error);
    return status;
}

static enum weft_status read_plan(const struct weft_yaml_node *root, struct weft_plan *plan,
                                  struct weft_error *error)
{
    struct file file = {0};
    enum weft_status status = weft_yaml_read_map(root, "a plan", file_keys, &file, error);
    plan->name = file.name;
    if (status == WEFT_OK)
        status = check_count(file.tests, error);
    if (status != WEFT_OK)
        return status;
    if (!plan->name)
        plan->name = strdup("plan");
    plan->tests = calloc(count_tests(file.tests), sizeof(plan->tests[0]));
    if (!plan->name || !plan->tests)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    const struct weft_yaml_node *node = file.tests->first;
    for (; status == WEFT_OK && node; node = node->next)
        status = read_tests(node, plan, error);
    return status;
}

enum weft_status weft_plan_parse(const struct weft_source *source, struct weft_plan **ret_plan,
                                 struct weft_error *error)
{
    struct weft_yaml *yaml = NULL;
    enum weft_status status = weft_yaml_parse(source, &yaml, error);
    if (status != WEFT_OK)
        return status;
    struct weft_plan *plan = calloc(1, sizeof(*plan));
    status = plan ? read_plan(weft_yaml_root(yaml), plan, error)
                  : weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    weft_yaml_destroy(yaml);
    if (status == WEFT_OK)
        *ret_plan = plan;
    else
        weft_plan_destroy(plan);
    return status;
}
