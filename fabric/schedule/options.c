/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/options.h"

#include <string.h>

_Static_assert(WEFT_PATTERN_OPTION_COUNT <= 64, "each option has a bit in `given`");

const struct weft_pattern_option weft_pattern_option_table[WEFT_PATTERN_OPTION_COUNT] = {
#define WEFT_ROW(id, field, name, value, kind, least, most, help) \
    [WEFT_OPTION_##id] = {name,                                   \
                          value,                                  \
                          WEFT_PATTERN_##kind,                    \
                          least,                                  \
                          most,                                   \
                          help,                                   \
                          offsetof(struct weft_pattern_options, field)},
    WEFT_PATTERN_OPTIONS(WEFT_ROW)
#undef WEFT_ROW
};

uint64_t weft_pattern_option_get(const struct weft_pattern_options *options,
                                 enum weft_pattern_option_id id)
{
    uint64_t value;
    memcpy(&value, (const char *)options + weft_pattern_option_table[id].offset, sizeof(value));
    return value;
}

void weft_pattern_option_set(struct weft_pattern_options *options, enum weft_pattern_option_id id,
                             uint64_t value)
{
    memcpy((char *)options + weft_pattern_option_table[id].offset, &value, sizeof(value));
    options->given |= UINT64_C(1) << id;
}

bool weft_pattern_option_is_given(const struct weft_pattern_options *options,
                                  enum weft_pattern_option_id id)
{
    return (options->given >> id & 1) || weft_pattern_option_get(options, id);
}

enum weft_pattern_option_id weft_pattern_option_find(const char *name)
{
    uint32_t id = 0;
    while (id < WEFT_PATTERN_OPTION_COUNT && strcmp(weft_pattern_option_table[id].name, name) != 0)
        id++;
    return (enum weft_pattern_option_id)id;
}
