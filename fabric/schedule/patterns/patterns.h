/* SPDX-License-Identifier: BSD-3-Clause */
/* Each pattern, by name; within fabric/schedule only. */
#ifndef WEFT_SCHEDULE_PATTERNS_H
#define WEFT_SCHEDULE_PATTERNS_H

#include "fabric/schedule/pattern.h"
#include "fabric/schedule/patterns/list.h"

#define WEFT_ROW(name) extern const struct weft_pattern weft_pattern_##name;
WEFT_PATTERNS(WEFT_ROW)
#undef WEFT_ROW

#endif
