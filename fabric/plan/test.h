/* SPDX-License-Identifier: BSD-3-Clause */
/* One test of a plan. */
#ifndef WEFT_PLAN_TEST_H
#define WEFT_PLAN_TEST_H

#include "fabric/base/yaml.h"
#include "fabric/plan/plan.h"

/* Every key at what it is when a plan does not say. No name and no driver. */
void weft_test_set_defaults(struct weft_test *test, const struct weft_pattern *pattern);
void weft_test_fini(struct weft_test *test);

/* The test must be zero-initialised; on failure it is the caller's to fini all the same. */
WEFT_CHECKED enum weft_status weft_test_read(const struct weft_yaml_node *node,
                                             struct weft_test *test, struct weft_error *error);

/* Adds to those that it has. */
WEFT_CHECKED enum weft_status weft_test_read_expects(const struct weft_yaml_node *list,
                                                     struct weft_test *test,
                                                     struct weft_error *error);

/* A copy without axes. */
WEFT_CHECKED enum weft_status weft_test_copy(const struct weft_test *from, struct weft_test *to,
                                             struct weft_error *error);

/* Checks the search's bounds; the test's rate becomes its highest. */
WEFT_CHECKED enum weft_status weft_test_set_search(struct weft_test *test,
                                                   const struct weft_search_options *search,
                                                   struct weft_error *error);

/* Is the trial that confirms what is found still within the bounds of a test's length? */
WEFT_CHECKED enum weft_status weft_test_check_search(const struct weft_test *test,
                                                     struct weft_error *error);

/* char *: a name that people read, on one line */
enum weft_status weft_plan_read_title(const struct weft_yaml_node *node, void *ret_field,
                                      struct weft_error *error);

#endif
