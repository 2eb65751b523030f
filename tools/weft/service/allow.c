/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/service/allow.h"

#include <fnmatch.h>
#include <string.h>

static bool makes_something(const char *device)
{
    return strncmp(device, "net_tap", strlen("net_tap")) == 0;
}

static bool allowed(const struct weft_allow *allow, const char *device)
{
    if (!allow->by_owner)
        return true;
    for (uint32_t i = 0; i < allow->count; i++)
        if (fnmatch(allow->patterns[i], device, 0) == 0)
            return true;
    return !allow->count && !makes_something(device);
}

enum weft_status weft_allow_device(const struct weft_allow *allow, const char *device,
                                   struct weft_error *error)
{
    if (allowed(allow, device))
        return WEFT_OK;
    return weft_error_set(error, WEFT_PERMISSION,
                          "device '%.200s': the owner of this agent has not allowed it; start the "
                          "agent with --allow-device and a pattern that it matches",
                          device);
}
