/* SPDX-License-Identifier: BSD-3-Clause */
/* Each pattern, by name; within fabric/schedule only. */
#ifndef WEFT_SCHEDULE_PATTERNS_H
#define WEFT_SCHEDULE_PATTERNS_H

#include "fabric/schedule/pattern.h"

extern const struct weft_pattern weft_pattern_ping_pong;
extern const struct weft_pattern weft_pattern_all_reduce;
extern const struct weft_pattern weft_pattern_reduce_scatter;
extern const struct weft_pattern weft_pattern_all_gather;
extern const struct weft_pattern weft_pattern_broadcast;
extern const struct weft_pattern weft_pattern_reduce;
extern const struct weft_pattern weft_pattern_gather;
extern const struct weft_pattern weft_pattern_scatter;
extern const struct weft_pattern weft_pattern_all_to_all;
extern const struct weft_pattern weft_pattern_all_to_all_v;
extern const struct weft_pattern weft_pattern_incast;
extern const struct weft_pattern weft_pattern_pipeline;
extern const struct weft_pattern weft_pattern_stream;
extern const struct weft_pattern weft_pattern_all_pairs;
extern const struct weft_pattern weft_pattern_permutation;
extern const struct weft_pattern weft_pattern_outcast;
extern const struct weft_pattern weft_pattern_bursts;
extern const struct weft_pattern weft_pattern_data_parallel;
extern const struct weft_pattern weft_pattern_tensor_parallel;
extern const struct weft_pattern weft_pattern_kv_cache;
extern const struct weft_pattern weft_pattern_checkpoint;
extern const struct weft_pattern weft_pattern_parameter_server;
extern const struct weft_pattern weft_pattern_fan_out;
extern const struct weft_pattern weft_pattern_goal;

#endif
