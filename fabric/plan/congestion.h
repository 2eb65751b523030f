/* SPDX-License-Identifier: BSD-3-Clause */
/* Congestion control as a plan says it: a control's name, or a map of it and its parameters. */
#ifndef WEFT_PLAN_CONGESTION_H
#define WEFT_PLAN_CONGESTION_H

#include "fabric/base/yaml.h"
#include "fabric/driver.h"

/* X(field of weft_congestion_options, key, its unit's reader, least, most). None may be 0: that is
 * the default. */
#define WEFT_CONGESTION_PARAMETERS(X)                                           \
    X(line_rate_bps, "line-rate", rate, 100000, UINT64_C(16000000000000))       \
    X(minimum_rate_bps, "minimum-rate", rate, 100000, UINT64_C(16000000000000)) \
    X(additive_rate_bps, "additive-rate", rate, 1000, UINT64_C(16000000000000)) \
    X(hyper_rate_bps, "hyper-rate", rate, 1000, UINT64_C(16000000000000))       \
    X(alpha_period_ns, "alpha-period", time, 1000, UINT64_C(10000000000))       \
    X(decrease_period_ns, "decrease-period", time, 1000, UINT64_C(10000000000)) \
    X(increase_period_ns, "increase-period", time, 1000, UINT64_C(10000000000)) \
    X(increase_bytes, "increase-bytes", size, 1, UINT64_C(1) << 40)             \
    X(fast_recovery_steps, "fast-recovery-steps", count, 1, 1000)               \
    X(alpha_shift, "alpha-shift", count, 1, 16)                                 \
    X(cnp_period_ns, "cnp-period", time, 1000, UINT64_C(10000000000))

/* "none", "dcqcn"; NULL-terminated, by enum weft_congestion_control. */
extern const char *const weft_congestion_names[];

/* A weft_yaml_reader. */
enum weft_status weft_congestion_read(const struct weft_yaml_node *node, void *ret_options,
                                      struct weft_error *error);
/* The same from a text of its own, such as a command line's. `name` is whose it is. */
WEFT_CHECKED enum weft_status weft_congestion_parse(const char *name, const char *text,
                                                    struct weft_congestion_options *ret_options,
                                                    struct weft_error *error);

#endif
