/* SPDX-License-Identifier: BSD-3-Clause */
/* A table, for a constructor in a static archive would be dropped by the linker. */
#include "drivers/registry.h"

#include <stddef.h>
#include <string.h>

#include "drivers/null/null.h"
#include "drivers/sim/sim.h"
#ifdef WEFT_HAVE_DPDK
#include "drivers/dpdk/dpdk.h"
#endif
#ifdef WEFT_HAVE_VERBS
#include "drivers/verbs/verbs.h"
#endif

static const struct weft_driver *const drivers[] = {
#ifdef WEFT_HAVE_DPDK
    &weft_driver_dpdk,
#endif
#ifdef WEFT_HAVE_VERBS
    &weft_driver_verbs,
#endif
    &weft_driver_sim,   &weft_driver_null, NULL,
};

const struct weft_driver *const *weft_drivers(void)
{
    return drivers;
}

const struct weft_driver *weft_driver_find(const char *name)
{
    for (uint32_t i = 0; drivers[i]; i++)
        if (!strcmp(drivers[i]->name, name))
            return drivers[i];
    return NULL;
}
