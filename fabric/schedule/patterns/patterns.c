/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of patterns. */
#include <stdio.h>
#include <string.h>

#include "fabric/base/suggest.h"
#include "fabric/schedule/patterns/patterns.h"

static const struct weft_pattern *const patterns[] = {
#define WEFT_ROW(name) &weft_pattern_##name,
    WEFT_PATTERNS(WEFT_ROW)
#undef WEFT_ROW
        NULL,
};

const struct weft_pattern *const *weft_patterns(void)
{
    return patterns;
}

/* " did you mean 'incast'?", or all the names where none is near. */
static void suggest(const char *name, char *text, size_t room_bytes)
{
    const char *names[sizeof(patterns) / sizeof(patterns[0])];
    for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        names[i] = patterns[i] ? patterns[i]->name : NULL;
    const char *nearest = weft_suggest(name, names);
    if (nearest) {
        (void)snprintf(text, room_bytes, "did you mean '%s'?", nearest);
        return;
    }
    size_t used = (size_t)snprintf(text, room_bytes, "there are");
    for (uint32_t i = 0; names[i] && used < room_bytes; i++)
        used += (size_t)snprintf(text + used, room_bytes - used, "%s %s", i ? "," : "", names[i]);
}

const struct weft_pattern *weft_pattern_find(const char *name, struct weft_error *error)
{
    for (uint32_t i = 0; patterns[i]; i++)
        if (!strcmp(patterns[i]->name, name))
            return patterns[i];
    char text[512];
    suggest(name, text, sizeof(text));
    (void)weft_error_set(error, WEFT_NOT_FOUND, "there is no pattern '%.64s'; %s", name, text);
    return NULL;
}
