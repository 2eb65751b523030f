/* SPDX-License-Identifier: BSD-3-Clause */
/* The drivers that this build has. */
#ifndef WEFT_DRIVERS_REGISTRY_H
#define WEFT_DRIVERS_REGISTRY_H

#include "fabric/driver.h"

/* NULL-terminated, in the order in which they are listed. */
const struct weft_driver *const *weft_drivers(void);

/* NULL: there is none of that name. */
const struct weft_driver *weft_driver_find(const char *name);

#endif
