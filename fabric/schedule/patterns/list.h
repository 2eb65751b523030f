/* SPDX-License-Identifier: BSD-3-Clause */
/* The patterns, in the order in which they are listed. A row is a pattern: `weft_pattern_NAME`, in
 * the file NAME.c beside this one. Meson reads the rows, too, for the files to compile. */
#ifndef WEFT_SCHEDULE_LIST_H
#define WEFT_SCHEDULE_LIST_H

struct weft_pattern; /* see pattern.h */

#define WEFT_PATTERNS(ROW) \
    ROW(ping_pong)         \
    ROW(stream)            \
    ROW(all_pairs)         \
    ROW(permutation)       \
    ROW(outcast)           \
    ROW(incast)            \
    ROW(bursts)            \
    ROW(all_reduce)        \
    ROW(reduce_scatter)    \
    ROW(all_gather)        \
    ROW(broadcast)         \
    ROW(reduce)            \
    ROW(gather)            \
    ROW(scatter)           \
    ROW(all_to_all)        \
    ROW(all_to_all_v)      \
    ROW(data_parallel)     \
    ROW(tensor_parallel)   \
    ROW(pipeline)          \
    ROW(parameter_server)  \
    ROW(kv_cache)          \
    ROW(checkpoint)        \
    ROW(fan_out)           \
    ROW(goal)

#endif
