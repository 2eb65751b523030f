/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WEFT_DPDK_LIST_H
#define WEFT_DPDK_LIST_H

#include "fabric/driver.h"

void weft_dpdk_list(weft_device_visitor visit, void *context);

#endif
