/* SPDX-License-Identifier: BSD-3-Clause */
/* The RDMA devices of this host through libibverbs: RoCE and InfiniBand, RC and UD. A device is
 * named as `ibv_devices` names it, with a port where it is not the first: "mlx5_0", "mlx5_0:2". */
#ifndef WEFT_DRIVERS_VERBS_VERBS_H
#define WEFT_DRIVERS_VERBS_VERBS_H

#include "fabric/driver.h"

extern const struct weft_driver weft_driver_verbs;

#endif
